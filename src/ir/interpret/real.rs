//! The two precisions of floats and their operations.

use crate::base::philox::Draw;
use crate::ir::dim::floor_quotient;
use crate::ir::math;
use crate::ir::math::native::{Native32, Native64};
use crate::ir::{BinaryOp, UnaryOp};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Default
    + PartialOrd
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// Rounded.
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    /// Rounded.
    fn from_i64(value: i64) -> Self;
    /// Towards zero; the nearest int if it does not fit, 0 for NaN.
    fn to_i64(self) -> i64;
    fn exp(self) -> Self;
    fn log(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn normal_cdf(self) -> Self;
    fn sqrt(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn round(self) -> Self;
    fn pow(self, exponent: Self) -> Self;
    fn uniform(draw: &Draw, element: u64) -> Self;
    fn normal(draw: &Draw, element: u64) -> Self;
}

macro_rules! real {
    ($float:ident, $native:ident, $uniform:ident, $normal:ident) => {
        impl Real for $float {
            fn from_f64(value: f64) -> $float {
                value as $float
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn from_i64(value: i64) -> $float {
                value as $float
            }
            fn to_i64(self) -> i64 {
                self as i64
            }
            fn exp(self) -> $float {
                math::exp(&mut $native, self)
            }
            fn log(self) -> $float {
                math::log(&mut $native, self)
            }
            fn sin(self) -> $float {
                math::sin(&mut $native, self)
            }
            fn cos(self) -> $float {
                math::cos(&mut $native, self)
            }
            fn tanh(self) -> $float {
                math::tanh(&mut $native, self)
            }
            fn erf(self) -> $float {
                math::erf(&mut $native, self)
            }
            fn normal_cdf(self) -> $float {
                math::normal_cdf(&mut $native, self)
            }
            fn sqrt(self) -> $float {
                $float::sqrt(self)
            }
            fn floor(self) -> $float {
                $float::floor(self)
            }
            fn ceil(self) -> $float {
                $float::ceil(self)
            }
            fn round(self) -> $float {
                self.round_ties_even()
            }
            fn pow(self, exponent: $float) -> $float {
                math::pow(&mut $native, self, exponent)
            }
            fn uniform(draw: &Draw, element: u64) -> $float {
                draw.$uniform(element)
            }
            fn normal(draw: &Draw, element: u64) -> $float {
                draw.$normal(element)
            }
        }
    };
}

real!(f32, Native32, uniform_f32, normal_f32);
real!(f64, Native64, uniform_f64, normal_f64);

/// Unary operations from float to float; `None` for the others.
pub fn float_unary<F: Real>(op: UnaryOp) -> Option<fn(F) -> F> {
    match op {
        UnaryOp::Neg => Some(F::neg),
        UnaryOp::Exp => Some(F::exp),
        UnaryOp::Log => Some(F::log),
        UnaryOp::Sin => Some(F::sin),
        UnaryOp::Cos => Some(F::cos),
        UnaryOp::Tanh => Some(F::tanh),
        UnaryOp::Sqrt => Some(F::sqrt),
        UnaryOp::Erf => Some(F::erf),
        UnaryOp::NormalCdf => Some(F::normal_cdf),
        UnaryOp::Floor => Some(F::floor),
        UnaryOp::Ceil => Some(F::ceil),
        UnaryOp::Round => Some(F::round),
        UnaryOp::Stop => Some(|value| value),
        UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt => None,
    }
}

/// Binary operations from floats to float.
pub fn float_binary<F: Real>(op: BinaryOp) -> Option<fn(F, F) -> F> {
    match op {
        BinaryOp::Add => Some(F::add),
        BinaryOp::Sub => Some(F::sub),
        BinaryOp::Mul => Some(F::mul),
        BinaryOp::Div => Some(F::div),
        BinaryOp::Pow => Some(F::pow),
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Lt | BinaryOp::Le => None,
        BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => None,
    }
}

/// Binary operations from ints to int; the function gives `None` if the result overflows 64 bits.
pub fn int_binary(op: BinaryOp) -> Option<fn(i64, i64) -> Option<i64>> {
    match op {
        BinaryOp::Add => Some(i64::checked_add),
        BinaryOp::Sub => Some(i64::checked_sub),
        BinaryOp::Mul => Some(i64::checked_mul),
        BinaryOp::FloorDiv => Some(|a, b| if b == 0 { Some(0) } else { floor_quotient(a, b) }),
        BinaryOp::Mod => Some(|a, b| Some(floor_rest(a, b))),
        BinaryOp::Div | BinaryOp::Pow | BinaryOp::Lt | BinaryOp::Le => None,
        BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => None,
    }
}

/// Comparisons.
pub fn compare<T: PartialOrd>(op: BinaryOp) -> Option<fn(&T, &T) -> bool> {
    match op {
        BinaryOp::Lt => Some(T::lt),
        BinaryOp::Le => Some(T::le),
        BinaryOp::Eq => Some(T::eq),
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => None,
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::And | BinaryOp::Or => None,
    }
}

/// `a - b * floor(a / b)`, 0 for b = 0.
fn floor_rest(a: i64, b: i64) -> i64 {
    // The remainder is 0 where the quotient overflows (the least int by -1), as for a division by 0.
    let rest = a.checked_rem(b).unwrap_or(0);
    if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
}
