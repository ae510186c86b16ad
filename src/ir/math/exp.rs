//! exp, and tanh by way of `exp(x) - 1`.
//!
//! `x = n ln 2 + r` with `|r| ≤ ln 2 / 2`, `exp x = 2^n exp r`, and `exp r = 1 + r + r² p(r)` with a
//! polynomial p. ln 2 is taken in two parts, so that `n` times the first one is exact enough under
//! fused multiply-add.

use super::{Arith, at_least, at_most, format, nearest, pick, polynomial, split_sign, with_sign};

const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// ln 2 rounded to the precision, and what is left of it.
const LN_2_F32: (f64, f64) = (0.693_147_182_464_599_6, -1.904_654_212_125_933_6e-9);
const LN_2_F64: (f64, f64) = (std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);

/// `(exp r - 1 - r) / r²`: f32 from Cephes `expf`, f64 the series to r^13.
const P_F32: &[f64] = &[
    5.000_000_120_1e-1,
    1.666_666_545_9e-1,
    4.166_579_589_4e-2,
    8.333_451_907_3e-3,
    1.398_199_950_7e-3,
    1.987_569_150_0e-4,
];
const P_F64: &[f64] = &[
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// e to the power x, if the result is known to be a normal number.
pub(super) fn normal_exp<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (n, r) = reduce(a, x);
    let minus_one = exp_minus_one(a, r);
    let scale = power_of_two(a, n);
    a.fma(minus_one, scale, scale)
}

/// e to the power x.
pub fn exp<A: Arith>(a: &mut A, x: A::V) -> A::V {
    // Beyond these bounds the result is 0 or infinite, and so it comes out.
    let (low, high) = pick(a, (-104.0, 89.0), (-746.0, 710.0));
    let x = at_most(a, x, high);
    let x = at_least(a, x, low);
    let (n, r) = reduce(a, x);
    let minus_one = exp_minus_one(a, r);
    // 2^n may itself be out of range, so the result is multiplied by two factors: the first one's exponent is
    // n / 2, rounded down.
    let both_biases = a.int(2 * format(a).bias);
    let both = a.int_add(n, both_biases);
    let first = a.shift_right(both, 1);
    let second = a.int_sub(both, first);
    let (first, second) = (with_exponent(a, first), with_exponent(a, second));
    let power = a.fma(minus_one, first, first);
    a.mul(power, second)
}

/// The hyperbolic tangent: with `e = exp(2 |x|) - 1`, `e / (e + 2)`.
pub fn tanh<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (magnitude, sign) = split_sign(a, x);
    // From here on the result is 1.
    let limit = pick(a, 10.0, 20.0);
    let magnitude = at_most(a, magnitude, limit);
    let twice = a.add(magnitude, magnitude);
    let (n, r) = reduce(a, twice);
    let minus_one = exp_minus_one(a, r);
    // 2^n exp r - 1 = 2^n (exp r - 1) + (2^n - 1), whose last part is exact or much too large to matter.
    let scale = power_of_two(a, n);
    let one = a.float(1.0);
    let rest = a.sub(scale, one);
    let e = a.fma(scale, minus_one, rest);
    let two = a.float(2.0);
    let below = a.add(e, two);
    // One Newton step for the quotient, with what the rounding of e + 2 lost.
    let back = a.sub(below, two);
    let lost = a.sub(e, back);
    let inverse = a.div(one, below);
    let quotient = a.mul(e, inverse);
    let minus_quotient = a.neg(quotient);
    let rest = a.fma(minus_quotient, below, e);
    let rest = a.fma(minus_quotient, lost, rest);
    let result = a.fma(rest, inverse, quotient);
    with_sign(a, result, sign)
}

/// `n` as an integer and `r` of `x = n ln 2 + r`.
fn reduce<A: Arith>(a: &mut A, x: A::V) -> (A::I, A::V) {
    let (n, low_bits) = nearest(a, x, LOG2_E);
    let (high, low) = pick(a, LN_2_F32, LN_2_F64);
    let (high, low) = (a.float(-high), a.float(-low));
    let r = a.fma(n, high, x);
    let r = a.fma(n, low, r);
    let magic = a.float(format(a).magic);
    let magic = a.bits(magic);
    (a.int_sub(low_bits, magic), r)
}

/// `exp r - 1` for a reduced r.
fn exp_minus_one<A: Arith>(a: &mut A, r: A::V) -> A::V {
    let p = polynomial(a, r, pick(a, P_F32, P_F64));
    let square = a.mul(r, r);
    a.fma(square, p, r)
}

/// 2^n for an n whose power is a normal number.
fn power_of_two<A: Arith>(a: &mut A, n: A::I) -> A::V {
    let bias = a.int(format(a).bias);
    let exponent = a.int_add(n, bias);
    with_exponent(a, exponent)
}

/// The power of two that has this exponent, bias included.
fn with_exponent<A: Arith>(a: &mut A, exponent: A::I) -> A::V {
    let bits = a.shift_left(exponent, format(a).fraction);
    a.from_bits(bits)
}
