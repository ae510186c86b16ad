//! The distribution function of the standard normal distribution, Φ(x) = ½ (1 + erf(x / √2)).
//!
//! `Φ(-t) = exp(-t²/2) g(t)` for t ≥ 0, where g falls slowly from ½ and `(t + K) g(t)` is a polynomial in
//! `q = (t - K) / (t + K)`, which runs from -1 to 1 (after Shepherd and Laframboise 1981). So nothing cancels far
//! out on the left, where `1 + erf` has no digits left. The square of t is taken with its rounding error.

use super::{Arith, at_most, exp, pick, polynomial, split_sign};

/// K of the change of variable (f32, f64).
const MIDDLE: (f64, f64) = (4.0, 5.0);

/// `(t + K) g(t)` in powers of q: Chebyshev's approximation for t up to 15 (f32) and 40 (f64).
const TAIL_F32: &[f64] = &[
    0.755_285_130_623,
    -0.607_896_659_091,
    0.387_137_367_999,
    -0.186_521_281_403,
    0.060_397_533_087_8,
    -0.007_545_268_265_72,
    -0.003_489_317_276_12,
    0.001_645_219_297_36,
    0.000_171_054_611_587,
    -0.000_231_798_678_342,
    -5.155_659_329_86e-5,
];
const TAIL_F64: &[f64] = &[
    0.769_193_049_750_063,
    -0.665_382_502_890_056_7,
    0.495_305_615_969_976_6,
    -0.313_533_156_671_305_16,
    0.165_020_366_170_375_02,
    -0.069_118_638_706_294_69,
    0.020_795_066_800_091_46,
    -0.002_993_376_770_649_268,
    -0.000_797_869_400_739_248_7,
    0.000_544_899_065_037_323,
    -5.937_571_381_647_131e-5,
    -4.976_281_037_790_303_6e-5,
    1.668_116_036_458_664_6e-5,
    3.980_871_285_666_973e-6,
    -2.769_145_782_282_277_7e-6,
    -3.365_122_043_499_069_7e-7,
    4.329_837_037_415_609e-7,
    4.209_183_333_886_914e-8,
    -6.584_886_840_079_74e-8,
    -9.144_502_081_289_173e-9,
    7.667_236_107_202_653e-9,
    1.689_105_766_515_378_2e-9,
    -1.807_321_207_814_604_4e-10,
];

/// The probability that a standard normal number is below x.
pub fn normal_cdf<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (t, _) = split_sign(a, x);
    // From here on the tail is 0.
    let t = at_most(a, t, pick(a, 15.0, 40.0));
    let middle = pick(a, MIDDLE.0, MIDDLE.1);
    let (middle, minus_twice, one) = (a.float(middle), a.float(-2.0 * middle), a.float(1.0));
    let sum = a.add(t, middle);
    let inverse = a.div(one, sum);
    let q = a.fma(minus_twice, inverse, one);
    let g = polynomial(a, q, pick(a, TAIL_F32, TAIL_F64));
    let g = a.mul(g, inverse);
    let minus_half = a.float(-0.5);
    let square = a.mul(t, t);
    let minus_square = a.neg(square);
    let rest = a.fma(t, t, minus_square);
    let exponent = a.mul(square, minus_half);
    let power = exp(a, exponent);
    let tail = a.mul(power, g);
    let correction = a.mul(rest, minus_half);
    let tail = a.fma(tail, correction, tail);
    let above = a.sub(one, tail);
    let zero = a.float(0.0);
    let is_negative = a.lt(x, zero);
    a.select(is_negative, tail, above)
}
