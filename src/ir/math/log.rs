//! The natural logarithm, and powers by way of it.
//!
//! `x = 2^k m` with `√½ ≤ m < √2`, `log x = k ln 2 + log m`. With `f = m - 1` and `s = f / (2 + f)`,
//! `log m = f - f²/2 + s (f²/2 + R(s²))`: the scheme and the coefficients of FreeBSD's `e_log.c` and `e_logf.c`.

use super::{Arith, exp, format, pick, polynomial, split_sign, with_sign};

/// ln 2 in two parts; k times the first one is exact.
const LN_2_F32: (f64, f64) = (6.931_381_225_6e-1, 9.058_000_614_5e-6);
const LN_2_F64: (f64, f64) = (6.931_471_803_691_238_164_90e-1, 1.908_214_929_270_587_700_02e-10);

/// R(z) / z.
const R_F32: &[f64] = &[0.666_666_626_93, 0.400_009_721_52, 0.284_987_866_88, 0.242_790_788_41];
const R_F64: &[f64] = &[
    6.666_666_666_666_735_130e-1,
    3.999_999_999_940_941_908e-1,
    2.857_142_874_366_239_149e-1,
    2.222_219_843_214_978_396e-1,
    1.818_357_216_161_805_012e-1,
    1.531_383_769_920_937_332e-1,
    1.479_819_860_511_658_591e-1,
];

/// The natural logarithm.
pub fn log<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (high, middle, low) = log_parts(a, x);
    let rest = a.add(middle, low);
    let result = a.add(high, rest);
    edges(a, x, result)
}

/// x to the power y: `exp(y log |x|)`, with the sign of x if y is odd, and NaN if a negative number is raised to
/// what is not whole. The special cases are those of IEEE 754 and of C.
///
/// The product is kept in two parts: the error is at most 2 ulp while `|y log x|` is below 8 and grows to
/// about 10 ulp where the result nearly overflows.
pub fn pow<A: Arith>(a: &mut A, x: A::V, y: A::V) -> A::V {
    let (magnitude, sign) = split_sign(a, x);
    let (high, middle, low) = log_parts(a, magnitude);
    // high is 0 or greater than middle, and both are greater than low.
    let (sum, error) = exact_sum(a, high, middle);
    let rest = a.add(error, low);
    let (sum, error) = exact_sum(a, sum, rest);
    let plain = edges(a, magnitude, sum);
    let product = a.mul(y, plain);
    let minus_product = a.neg(product);
    let rounded = a.fma(y, plain, minus_product);
    let correction = a.fma(y, error, rounded);
    let result = exp(a, product);
    let corrected = a.fma(result, correction, result);
    // Where the product is not an ordinary number, neither is the correction; nor is it where the result is not.
    let limit = a.float(1000.0);
    let minus_limit = a.float(-1000.0);
    let (below, above) = (a.lt(product, limit), a.lt(minus_limit, product));
    let corrected = a.select(below, corrected, result);
    let corrected = a.select(above, corrected, result);
    let infinite = a.float(f64::INFINITY);
    let overflown = a.eq(result, infinite);
    let corrected = a.select(overflown, result, corrected);
    signed_power(a, x, y, (magnitude, sign), corrected)
}

/// x to the power y from that of its magnitude: its sign, and the cases in which it is 1 or NaN.
fn signed_power<A: Arith>(a: &mut A, x: A::V, y: A::V, (magnitude, sign): (A::V, A::I), power: A::V) -> A::V {
    let (zero, half, one) = (a.float(0.0), a.float(0.5), a.float(1.0));
    // 1^∞ and 1^NaN, whose products with log 1 are NaN.
    let is_one = a.eq(magnitude, one);
    let power = a.select(is_one, one, power);
    let rounded = a.floor(y);
    let is_whole = a.eq(rounded, y);
    // An odd number has a half that is not whole; what is too great to be odd, infinity too, is even.
    let halved = a.mul(y, half);
    let rounded = a.floor(halved);
    let is_even = a.eq(rounded, halved);
    let negated = with_sign(a, power, sign);
    let odd_or_part = a.select(is_even, power, negated);
    let power = a.select(is_whole, odd_or_part, power);
    // -∞ to the power ½ is ∞.
    let least = a.float(pick(a, f64::from(f32::MIN), f64::MIN));
    let is_negative = a.lt(x, zero);
    let is_finite = a.le(least, x);
    let (nan, not_finite) = (a.float(f64::NAN), power);
    let otherwise = a.select(is_finite, nan, not_finite);
    let otherwise = a.select(is_negative, otherwise, power);
    let power = a.select(is_whole, power, otherwise);
    // -1 to the power NaN was found to be 1 above, and 1 to the power NaN is.
    let to_the_zeroth = a.eq(y, zero);
    let is_plus_one = a.eq(x, one);
    let power = a.select(is_plus_one, one, power);
    a.select(to_the_zeroth, one, power)
}

/// The sum and its rounding error, if `|x| ≥ |y|` or x is 0.
fn exact_sum<A: Arith>(a: &mut A, x: A::V, y: A::V) -> (A::V, A::V) {
    let sum = a.add(x, y);
    let back = a.sub(sum, x);
    (sum, a.sub(y, back))
}

/// Three parts whose sum is log x for a positive, finite x: `k ln 2`, `f`, and what is left, less than a
/// tenth of their sum.
fn log_parts<A: Arith>(a: &mut A, x: A::V) -> (A::V, A::V, A::V) {
    let format = format(a);
    // Denormals are first made normal.
    let least_normal = a.float(2f64.powi(1 - format.bias as i32));
    let scale = a.float(2f64.powi(format.fraction as i32));
    let scaled = a.mul(x, scale);
    let denormal = a.lt(x, least_normal);
    let x = a.select(denormal, scaled, x);
    let (scaled_by, not_scaled) = (a.float(-f64::from(format.fraction)), a.float(0.0));
    let k_offset = a.select(denormal, scaled_by, not_scaled);

    // Exponent and fraction, with the cut at √½ in place of 1.
    let one = a.float(1.0);
    let one_bits = a.bits(one);
    let root_half = a.float(std::f64::consts::FRAC_1_SQRT_2);
    let root_half = a.bits(root_half);
    let to_cut = a.int_sub(one_bits, root_half);
    let bits = a.bits(x);
    let bits = a.int_add(bits, to_cut);
    let exponent = a.shift_right(bits, format.fraction);
    let fraction_mask = a.int((1 << format.fraction) - 1);
    let fraction = a.int_and(bits, fraction_mask);
    let fraction = a.int_add(fraction, root_half);
    let m = a.from_bits(fraction);

    // The exponent as a float: put into the last bits of 2^fraction.
    let zero_point = 2f64.powi(format.fraction as i32);
    let base = a.float(zero_point);
    let base_bits = a.bits(base);
    let k = a.int_or(exponent, base_bits);
    let k = a.from_bits(k);
    let zero_point = a.float(zero_point + format.bias as f64);
    let k = a.sub(k, zero_point);
    let k = a.add(k, k_offset);

    let f = a.sub(m, one);
    let two = a.float(2.0);
    let below = a.add(f, two);
    let s = a.div(f, below);
    let z = a.mul(s, s);
    let r = polynomial(a, z, pick(a, R_F32, R_F64));
    let r = a.mul(z, r);
    let half = a.float(0.5);
    let half_square = a.mul(f, half);
    let half_square = a.mul(half_square, f);
    let (ln_2_high, ln_2_low) = pick(a, LN_2_F32, LN_2_F64);
    let (ln_2_high, ln_2_low) = (a.float(ln_2_high), a.float(ln_2_low));
    // s (f²/2 + R) + k ln2_low - f²/2
    let inner = a.add(half_square, r);
    let k_low = a.mul(k, ln_2_low);
    let inner = a.fma(s, inner, k_low);
    let rest = a.sub(inner, half_square);
    (a.mul(k, ln_2_high), f, rest)
}

/// Puts right what [`log_parts`] does not give: the logarithm of 0, ∞, NaN and negative numbers.
fn edges<A: Arith>(a: &mut A, x: A::V, result: A::V) -> A::V {
    let (zero, infinite) = (a.float(0.0), a.float(f64::INFINITY));
    let finite = a.lt(x, infinite);
    // x + x is ∞ for ∞ and NaN for NaN.
    let twice = a.add(x, x);
    let result = a.select(finite, result, twice);
    let negative = a.lt(x, zero);
    let nan = a.float(f64::NAN);
    let result = a.select(negative, nan, result);
    let is_zero = a.eq(x, zero);
    let minus_infinite = a.float(f64::NEG_INFINITY);
    a.select(is_zero, minus_infinite, result)
}
