//! sin and cos.
//!
//! `x = n π/2 + r` with `|r| ≤ π/4` (Cody and Waite: π/2 in three parts under fused multiply-add), then
//! ±sin r or ±cos r by the last two bits of n.

use super::{Arith, at_least, at_most, format, nearest, pick, polynomial, split_sign};

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
    let (n, low_bits) = nearest(a, x, std::f64::consts::FRAC_2_PI);
    let [first, second, third] = pick(a, HALF_PI_F32, HALF_PI_F64);
    let mut r = x;
    for part in [first, second, third] {
        let part = a.float(-part);
        r = a.fma(n, part, r);
    }
    // Only where x is beyond the range does this change anything.
    let r = at_most(a, r, 1.0);
    let r = at_least(a, r, -1.0);

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
