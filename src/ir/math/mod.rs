//! exp, log, pow, tanh, erf, normal_cdf, sin and cos, each defined once over [`Arith`].
//!
//! The interpreter runs the definitions on numbers ([`native`]), the JIT compiler on vectors of Cranelift
//! values: both carry out the same operations in the same order, so they give the same bits. There are no
//! branches but around what is seldom needed, only selects; nothing is asked of the machine but arithmetic, fused multiply-add, shifts by
//! constants and comparisons. (sqrt, floor, ceil and round are machine operations everywhere.)
//!
//! | function | error, f32 and f64 | exact cases |
//! |---|---|---|
//! | exp | 1 ulp | exp(−∞) = 0, exp(∞) = ∞; denormal results are right to 1 ulp of theirs |
//! | log | 1 ulp | log(±0) = −∞, log(∞) = ∞, log(x < 0) = NaN |
//! | pow | see [`pow`] | those of IEEE 754: pow(x, 0) = 1, x < 0 has powers to whole numbers |
//! | tanh | 2 ulp | tanh(±0) = ±0, tanh(±∞) = ±1 |
//! | erf | 1 ulp f32, 2 ulp f64 | erf(±0) = ±0, erf(±∞) = ±1 |
//! | normal_cdf | 4 ulp f32, 8 ulp f64 | normal_cdf(−∞) = 0, normal_cdf(∞) = 1 |
//! | sin, cos | 2 ulp | sin(±0) = ±0; ±∞ gives NaN |
//!
//! NaN gives NaN everywhere.

#![expect(clippy::excessive_precision, reason = "coefficients stand as their sources print them")]

mod erf;
mod exp;
mod log;
pub mod native;
mod normal;
mod sin;
#[cfg(test)]
mod tests;

pub use erf::erf;
pub use exp::{exp, tanh};
pub use log::{log, pow};
pub use normal::normal_cdf;
pub use sin::{cos, sin};

use super::program::Precision;

/// What computes: numbers, or instructions for a vector of them.
pub trait Arith {
    /// Floats of [`Arith::precision`].
    type V: Copy;
    /// Integers as wide as the floats, wrapping.
    type I: Copy;
    /// The result of a comparison.
    type M: Copy;

    fn precision(&self) -> Precision;

    /// A constant, rounded to the precision.
    fn float(&mut self, value: f64) -> Self::V;
    fn add(&mut self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(&mut self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(&mut self, a: Self::V, b: Self::V) -> Self::V;
    fn div(&mut self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(&mut self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn neg(&mut self, a: Self::V) -> Self::V;
    /// The greatest whole number that is not above `a`.
    fn floor(&mut self, a: Self::V) -> Self::V;

    /// The bits of floats as integers, and back.
    fn bits(&mut self, a: Self::V) -> Self::I;
    #[expect(clippy::wrong_self_convention, reason = "`self` makes instructions, it is not converted")]
    fn from_bits(&mut self, a: Self::I) -> Self::V;

    /// A constant; only its low bits count where integers are 32 bits wide.
    fn int(&mut self, value: i64) -> Self::I;
    fn int_add(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn int_sub(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn int_and(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn int_or(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn int_xor(&mut self, a: Self::I, b: Self::I) -> Self::I;
    fn shift_left(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Fills with zeros.
    fn shift_right(&mut self, a: Self::I, by: u32) -> Self::I;

    /// `a < b`; false if either is NaN, as for the next two.
    fn lt(&mut self, a: Self::V, b: Self::V) -> Self::M;
    fn le(&mut self, a: Self::V, b: Self::V) -> Self::M;
    fn eq(&mut self, a: Self::V, b: Self::V) -> Self::M;
    fn select(&mut self, mask: Self::M, then: Self::V, otherwise: Self::V) -> Self::V;

    /// `slow(x)` where the mask is true and `fast` where it is not. The slow way is gone only if the mask is true
    /// somewhere, which it seldom is.
    fn where_rare(
        &mut self,
        mask: Self::M,
        x: Self::V,
        fast: [Self::V; 2],
        slow: fn(&mut Self, Self::V) -> [Self::V; 2],
    ) -> [Self::V; 2];

    /// `a` if it is less than `b`, else `b`, as the instruction has it.
    fn min(&mut self, a: Self::V, b: Self::V) -> Self::V {
        let less = self.lt(a, b);
        self.select(less, a, b)
    }
    /// `a` if it is greater than `b`, else `b`.
    fn max(&mut self, a: Self::V, b: Self::V) -> Self::V {
        let greater = self.lt(b, a);
        self.select(greater, a, b)
    }
}

/// The layout of the floats of a precision.
struct Format {
    /// Bits of the fraction.
    fraction: u32,
    bias: i64,
    sign: i64,
    /// `1.5 * 2^fraction`: added to a small number, it leaves its nearest integer in the lowest bits.
    magic: f64,
}

const F32: Format = Format { fraction: 23, bias: 127, sign: 1 << 31, magic: 12_582_912.0 };
const F64: Format = Format { fraction: 52, bias: 1023, sign: i64::MIN, magic: 6_755_399_441_055_744.0 };

fn format(a: &impl Arith) -> &'static Format {
    pick(a, &F32, &F64)
}

/// What is different between the precisions.
fn pick<T>(a: &impl Arith, narrow: T, wide: T) -> T {
    match a.precision() {
        Precision::F32 => narrow,
        Precision::F64 => wide,
    }
}

/// `coefficients[0] + x * (coefficients[1] + x * …)`, by fused multiply-adds.
fn polynomial<A: Arith>(a: &mut A, x: A::V, coefficients: &[f64]) -> A::V {
    let (last, others) = coefficients.split_last().expect("a polynomial has coefficients");
    let mut sum = a.float(*last);
    for coefficient in others.iter().rev() {
        let constant = a.float(*coefficient);
        sum = a.fma(sum, x, constant);
    }
    sum
}

/// |x|, and the sign bit of x.
fn split_sign<A: Arith>(a: &mut A, x: A::V) -> (A::V, A::I) {
    let bits = a.bits(x);
    let mask = a.int(format(a).sign);
    let sign = a.int_and(bits, mask);
    let magnitude = a.int_xor(bits, sign);
    (a.from_bits(magnitude), sign)
}

/// `x`, which is not negative, with a sign bit put to it.
fn with_sign<A: Arith>(a: &mut A, x: A::V, sign: A::I) -> A::V {
    let bits = a.bits(x);
    let bits = a.int_or(bits, sign);
    a.from_bits(bits)
}

/// The smaller of `x` and a constant; NaN stays NaN.
fn at_most<A: Arith>(a: &mut A, x: A::V, limit: f64) -> A::V {
    let limit = a.float(limit);
    a.min(limit, x)
}

/// The greater of `x` and a constant; NaN stays NaN.
fn at_least<A: Arith>(a: &mut A, x: A::V, limit: f64) -> A::V {
    let limit = a.float(limit);
    a.max(limit, x)
}

/// The integer nearest to `x * factor`, as a float and in the lowest bits of an integer.
fn nearest<A: Arith>(a: &mut A, x: A::V, factor: f64) -> (A::V, A::I) {
    let magic = a.float(format(a).magic);
    let factor = a.float(factor);
    let shifted = a.fma(x, factor, magic);
    (a.sub(shifted, magic), a.bits(shifted))
}
