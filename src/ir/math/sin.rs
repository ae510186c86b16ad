//! sin and cos.
//!
//! `x = n π/2 + r` with `|r| ≤ π/4` (Cody and Waite: π/2 in three parts under fused multiply-add), then
//! ±sin r or ±cos r by the last two bits of n.
//!
//! From [`FAR`] on `x · 2/π` is multiplied out, with as many digits of 2/π as there are exponents, and whole
//! multiples of 4 are left out on the way (Payne and Hanek 1983). Few programs ever need it.

use super::{Arith, format, nearest, pick, polynomial, split_sign};

/// π/2 rounded to the precision, what is left of it rounded, and so on.
const HALF_PI_F32: [f64; 3] =
    [1.570_796_370_506_286_6, -4.371_138_828_673_793e-8, -1.715_124_510_005_881_9e-15];
const HALF_PI_F64: [f64; 3] =
    [std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17, -1.497_384_904_859_169_8e-33];

/// `(sin r - r) / r³` in powers of r²: Cephes `sinf`, FreeBSD `k_sin.c`.
const SIN_F32: &[f64] = &[-1.666_665_461_1e-1, 8.332_160_873_6e-3, -1.951_529_589_1e-4];
const SIN_F64: &[f64] = &[
    -1.666_666_666_666_663_243_48e-1,
    8.333_333_333_322_489_461_24e-3,
    -1.984_126_982_985_794_931_34e-4,
    2.755_731_370_707_006_767_89e-6,
    -2.505_076_025_340_686_341_95e-8,
    1.589_690_995_211_550_102_21e-10,
];

/// `(cos r - 1 + r²/2) / r⁴` in powers of r².
const COS_F32: &[f64] = &[4.166_664_568_298_827e-2, -1.388_731_625_493_765e-3, 2.443_315_711_809_948e-5];
const COS_F64: &[f64] = &[
    4.166_666_666_666_660_190_37e-2,
    -1.388_888_888_887_410_957_49e-3,
    2.480_158_728_947_672_941_78e-5,
    -2.755_731_435_139_066_330_35e-7,
    2.087_572_321_298_174_827_90e-9,
    -1.135_964_755_778_819_482_65e-11,
];

/// Where the three parts of π/2 are no longer enough (f32, f64).
const FAR: (f64, f64) = (1e5, 1e8);

/// 2/π in parts of a float's length, each the nearest one to what the parts before leave, times 2^96 (f32) or
/// 2^600 (f64); arguments are divided by that, so that nothing overflows or becomes denormal too early.
const TWO_OVER_PI_F32: &[f64] = &[
    5.043_821_275_015_12e28,
    2.034_781_480_741_425_4e21,
    23_270_067_798_016.0,
    481_233.968_75,
    -0.010_912_075_638_771_057,
    1.995_295_872_969_649e-10,
    -5.570_879_859_400_186e-18,
    5.253_174_528_179_193e-26,
];
const TWO_OVER_PI_F64: &[f64] = &[
    2.641_663_656_896_752_7e180,
    -1.633_139_504_772_899_6e164,
    -8.897_753_355_326_016e147,
    6.683_677_779_676_122e131,
    -1.294_878_400_959_079_3e115,
    2.354_446_695_322_256_8e98,
    -1.300_774_586_218_703e82,
    -3.167_115_502_586_140_3e65,
    1.058_965_400_495_149_8e49,
    -9.598_339_852_751_799e31,
    -3_272_703_855_717_930.0,
    0.224_660_112_046_523_3,
    5.179_551_856_429_184e-18,
    -5.571_844_746_530_515e-36,
    -1.755_686_783_670_471_3e-52,
    4.553_429_118_362_295_6e-69,
    1.953_669_700_125_746e-86,
    -8.953_376_267_416_906e-103,
    -7.784_600_633_284_971e-120,
    -4.546_485_240_456_772e-137,
    -2.409_649_099_273_876_5e-153,
    3.300_351_615_529_354_4e-171,
];

/// π/2 rounded to the precision, and what is left of it.
const HALF_PI_PARTS: ((f64, f64), (f64, f64)) =
    ((HALF_PI_F32[0], HALF_PI_F32[1]), (HALF_PI_F64[0], HALF_PI_F64[1]));

pub fn sin<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let result = sin_of_quadrant(a, x, 0);
    // sin x = x for a small x; this also keeps the sign of -0.
    let (magnitude, _) = split_sign(a, x);
    let small = a.float(pick(a, 1e-4, 1e-9));
    let is_small = a.lt(magnitude, small);
    a.select(is_small, x, result)
}

pub fn cos<A: Arith>(a: &mut A, x: A::V) -> A::V {
    sin_of_quadrant(a, x, 1)
}

/// `sin(x + quadrant π/2)`.
fn sin_of_quadrant<A: Arith>(a: &mut A, x: A::V, quadrant: i64) -> A::V {
    let near = reduce_near(a, x);
    let (magnitude, _) = split_sign(a, x);
    let far = a.float(pick(a, FAR.0, FAR.1));
    let is_far = a.lt(far, magnitude);
    let [r, shifted] = a.where_rare(is_far, x, near, reduce_far);
    let low_bits = a.bits(shifted);

    let z = a.mul(r, r);
    let cube = a.mul(z, r);
    let sin = polynomial(a, z, pick(a, SIN_F32, SIN_F64));
    let sin = a.fma(cube, sin, r);
    let cos = polynomial(a, z, pick(a, COS_F32, COS_F64));
    // 1 - z/2, and what its rounding lost, put back with the small terms.
    let (one, minus_half) = (a.float(1.0), a.float(-0.5));
    let start = a.fma(z, minus_half, one);
    let lost = a.sub(one, start);
    let lost = a.fma(z, minus_half, lost);
    let fourth = a.mul(z, z);
    let cos = a.fma(fourth, cos, lost);
    let cos = a.add(start, cos);

    let offset = a.int(quadrant);
    let n = a.int_add(low_bits, offset);
    // Bit 0 chooses between sin and cos, bit 1 is the sign. As a float, bit 0 put in place of the sign of 1
    // gives something to compare.
    let top = format(a).sign;
    let width = pick(a, 31, 63);
    let sign_mask = a.int(top);
    let choice = a.shift_left(n, width);
    let one_bits = a.bits(one);
    let choice = a.int_or(choice, one_bits);
    let choice = a.from_bits(choice);
    let zero = a.float(0.0);
    let odd = a.lt(choice, zero);
    let value = a.select(odd, cos, sin);
    let flip = a.shift_left(n, width - 1);
    let flip = a.int_and(flip, sign_mask);
    let bits = a.bits(value);
    let bits = a.int_xor(bits, flip);
    a.from_bits(bits)
}

/// `r` of `x = n π/2 + r`, and a number whose lowest bits are those of n.
fn reduce_near<A: Arith>(a: &mut A, x: A::V) -> [A::V; 2] {
    let (n, low_bits) = nearest(a, x, std::f64::consts::FRAC_2_PI);
    let mut r = x;
    for part in pick(a, HALF_PI_F32, HALF_PI_F64) {
        let part = a.float(-part);
        r = a.fma(n, part, r);
    }
    [r, a.from_bits(low_bits)]
}

/// The same for great arguments: the fraction of `x · 2/π`, from exact products.
fn reduce_far<A: Arith>(a: &mut A, x: A::V) -> [A::V; 2] {
    let scale = a.float(pick(a, 2f64.powi(-96), 2f64.powi(-600)));
    let x = a.mul(x, scale);
    let zero = a.float(0.0);
    let mut sum = [zero; 3];
    for part in pick(a, TWO_OVER_PI_F32, TWO_OVER_PI_F64) {
        let part = a.float(*part);
        let product = a.mul(x, part);
        let minus_product = a.neg(product);
        let rounded = a.fma(x, part, minus_product);
        for term in [product, rounded] {
            let term = without_fours(a, term);
            sum = sum_of_parts(a, sum, term);
        }
    }
    // The nearest whole number goes, exactly; what is left is rounded to two parts.
    let half = a.float(0.5);
    let up = a.add(sum[0], half);
    let n = a.floor(up);
    let fraction = a.sub(sum[0], n);
    let (high, rest) = two_sum(a, fraction, sum[1]);
    let rest = a.add(rest, sum[2]);
    let (high, low) = two_sum(a, high, rest);
    let (half_pi, half_pi_rest) = pick(a, HALF_PI_PARTS.0, HALF_PI_PARTS.1);
    let (half_pi, half_pi_rest) = (a.float(half_pi), a.float(half_pi_rest));
    let r = a.mul(low, half_pi);
    let r = a.fma(high, half_pi_rest, r);
    let r = a.fma(high, half_pi, r);
    let magic = a.float(format(a).magic);
    [r, a.add(n, magic)]
}

/// A number less its nearest multiple of 4: what is small stays as it is, so nothing is rounded.
fn without_fours<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (quarter, half, minus_four) = (a.float(0.25), a.float(0.5), a.float(-4.0));
    let fours = a.fma(x, quarter, half);
    let fours = a.floor(fours);
    a.fma(fours, minus_four, x)
}

/// A sum in three parts, each of what the parts before it cannot hold, and one more term.
fn sum_of_parts<A: Arith>(a: &mut A, [first, second, third]: [A::V; 3], term: A::V) -> [A::V; 3] {
    let (first, rest) = two_sum(a, first, term);
    let (second, rest) = two_sum(a, second, rest);
    [first, second, a.add(third, rest)]
}

/// The sum and its rounding error (Knuth).
fn two_sum<A: Arith>(a: &mut A, x: A::V, y: A::V) -> (A::V, A::V) {
    let sum = a.add(x, y);
    let y_part = a.sub(sum, x);
    let x_part = a.sub(sum, y_part);
    let y_error = a.sub(y, y_part);
    let x_error = a.sub(x, x_part);
    (sum, a.add(x_error, y_error))
}
