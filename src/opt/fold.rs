//! Law `fold`: an operation on constants is a constant.
//!
//! Whether a program runs with 32 or 64 bits is not known here. So floats are folded where both give the same but
//! for rounding: `1e30 · 1e30`, which is infinite in 32 bits, is left to run time.

use crate::ir::interpret::Real;
use crate::ir::{Affine, BinaryOp, Number, Scalar, UnaryOp};

/// The result of a unary operation on a constant.
pub fn unary(op: UnaryOp, a: &Scalar) -> Option<Scalar> {
    match (op, a) {
        (UnaryOp::ToFloat, Scalar::Int(value)) => Some(float(*value as f64)),
        (UnaryOp::ToFloat, Scalar::Bool(value)) => Some(float(f64::from(u8::from(*value)))),
        (UnaryOp::ToInt, Scalar::Bool(value)) => Some(Scalar::Int(i64::from(*value))),
        (UnaryOp::Not, Scalar::Bool(value)) => Some(Scalar::Bool(!value)),
        (UnaryOp::Neg, Scalar::Int(value)) => value.checked_neg().map(Scalar::Int),
        (UnaryOp::Neg, Scalar::Affine(affine)) => {
            Some(Scalar::Affine(affine.scale(&crate::ir::Dim::number(-1))))
        }
        (_, Scalar::Float(Number(value))) => {
            let (narrow, wide) = (function(op, *value as f32)?, function(op, *value)?);
            agreed(narrow, wide)
        }
        _ => None,
    }
}

/// The result of a binary operation on two constants.
pub fn binary(op: BinaryOp, a: &Scalar, b: &Scalar) -> Option<Scalar> {
    match (a, b) {
        (Scalar::Float(Number(a)), Scalar::Float(Number(b))) => {
            let narrow = arithmetic(op, *a as f32, *b as f32);
            let wide = arithmetic(op, *a, *b);
            match (narrow, wide) {
                (Some(narrow), Some(wide)) => agreed(narrow, wide),
                _ => {
                    let narrow = comparison(op, *a as f32, *b as f32)?;
                    (narrow == comparison(op, *a, *b)?).then_some(Scalar::Bool(narrow))
                }
            }
        }
        (Scalar::Bool(a), Scalar::Bool(b)) => match op {
            BinaryOp::And => Some(Scalar::Bool(*a && *b)),
            BinaryOp::Or => Some(Scalar::Bool(*a || *b)),
            BinaryOp::Eq => Some(Scalar::Bool(a == b)),
            _ => None,
        },
        (Scalar::Int(a), Scalar::Int(b)) => match op {
            BinaryOp::Add => Some(Scalar::Int(a.checked_add(*b)?)),
            BinaryOp::Sub => Some(Scalar::Int(a.checked_sub(*b)?)),
            BinaryOp::Mul => Some(Scalar::Int(a.checked_mul(*b)?)),
            BinaryOp::FloorDiv if *b > 0 => Some(Scalar::Int(a.div_euclid(*b))),
            BinaryOp::Mod if *b > 0 => Some(Scalar::Int(a.rem_euclid(*b))),
            BinaryOp::Lt => Some(Scalar::Bool(a < b)),
            BinaryOp::Le => Some(Scalar::Bool(a <= b)),
            BinaryOp::Eq => Some(Scalar::Bool(a == b)),
            _ => None,
        },
        _ => affine(op, a, b),
    }
}

/// Sums and multiples of linear forms are linear forms.
fn affine(op: BinaryOp, a: &Scalar, b: &Scalar) -> Option<Scalar> {
    let form = |scalar: &Scalar| match scalar {
        Scalar::Int(value) => Some(Affine::constant(*value)),
        Scalar::Affine(affine) => Some(affine.clone()),
        _ => None,
    };
    let (a, b) = (form(a)?, form(b)?);
    let linear = match op {
        BinaryOp::Add => a.add(&b),
        BinaryOp::Sub => a.sub(&b),
        BinaryOp::Mul if a.is_constant() => b.scale(&a.constant),
        BinaryOp::Mul if b.is_constant() => a.scale(&b.constant),
        _ => return None,
    };
    // What may overflow is left to run time, where it is an error.
    linear.is_small().then_some(Scalar::Affine(linear))
}

fn float(value: f64) -> Scalar {
    Scalar::Float(Number(value))
}

/// A float function as it is computed at run time.
fn function<F: Real>(op: UnaryOp, value: F) -> Option<F> {
    Some(match op {
        UnaryOp::Neg => -value,
        UnaryOp::Exp => value.exp(),
        UnaryOp::Log => value.log(),
        UnaryOp::Sin => value.sin(),
        UnaryOp::Cos => value.cos(),
        UnaryOp::Tanh => value.tanh(),
        UnaryOp::Erf => value.erf(),
        UnaryOp::NormalCdf => value.normal_cdf(),
        UnaryOp::Sqrt => value.sqrt(),
        UnaryOp::Floor => value.floor(),
        UnaryOp::Ceil => value.ceil(),
        UnaryOp::Round => value.round(),
        UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt | UnaryOp::Stop => return None,
    })
}

fn arithmetic<F: Real>(op: BinaryOp, a: F, b: F) -> Option<F> {
    match op {
        BinaryOp::Add => Some(a + b),
        BinaryOp::Sub => Some(a - b),
        BinaryOp::Mul => Some(a * b),
        BinaryOp::Div => Some(a / b),
        BinaryOp::Pow => Some(a.pow(b)),
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Lt | BinaryOp::Le => None,
        BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => None,
    }
}

fn comparison<F: Real>(op: BinaryOp, a: F, b: F) -> Option<bool> {
    match op {
        BinaryOp::Lt => Some(a < b),
        BinaryOp::Le => Some(a <= b),
        BinaryOp::Eq => Some(a == b),
        _ => None,
    }
}

/// The wide result as a constant, if the narrow one is it but for rounding.
fn agreed(narrow: f32, wide: f64) -> Option<Scalar> {
    /// Some units in the last place of 32-bit floats.
    const ROUNDING: f64 = 1e-6;
    let (narrow, close) = (f64::from(narrow), (f64::from(narrow) - wide).abs() <= ROUNDING * wide.abs());
    let same_zero = narrow != 0.0 || wide != 0.0 || narrow.is_sign_negative() == wide.is_sign_negative();
    let equal = narrow == wide || (narrow.is_nan() && wide.is_nan());
    let normal = (wide as f32).is_normal() && close;
    ((equal || normal) && same_zero).then(|| float(wide))
}
