//! Law `fold`: an operation on constants is a constant (constant folding).
//!
//! Whether a program runs with 32 or 64 bits is not known here. So floats are folded where both give the same but
//! for rounding: `1e30 · 1e30`, which is infinite in 32 bits, is left to run time.

use crate::ir::interpret::{compare, float_binary, float_unary};
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
        (UnaryOp::Stop, _) => None,
        (_, Scalar::Float(Number(value))) => {
            agreed(float_unary(op)?(*value as f32), float_unary(op)?(*value))
        }
        _ => None,
    }
}

/// The result of a binary operation on two constants.
pub fn binary(op: BinaryOp, a: &Scalar, b: &Scalar) -> Option<Scalar> {
    match (a, b) {
        (Scalar::Float(Number(a)), Scalar::Float(Number(b))) => {
            match (float_binary::<f32>(op), float_binary::<f64>(op)) {
                (Some(narrow), Some(wide)) => agreed(narrow(*a as f32, *b as f32), wide(*a, *b)),
                _ => {
                    let narrow = compare::<f32>(op)?(&(*a as f32), &(*b as f32));
                    (narrow == compare::<f64>(op)?(a, b)).then_some(Scalar::Bool(narrow))
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

/// Sums and multiples of affine expressions are affine expressions.
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
    // A number that may overflow is left to run time, where it is an error.
    linear.is_small().then_some(Scalar::Affine(linear))
}

fn float(value: f64) -> Scalar {
    Scalar::Float(Number(value))
}

/// The result in 64 bits as a constant, if the result in 32 bits differs from it by rounding only.
fn agreed(narrow: f32, wide: f64) -> Option<Scalar> {
    /// Some units in the last place of 32-bit floats.
    const ROUNDING: f64 = 1e-6;
    let (narrow, close) = (f64::from(narrow), (f64::from(narrow) - wide).abs() <= ROUNDING * wide.abs());
    let same_zero = narrow != 0.0 || wide != 0.0 || narrow.is_sign_negative() == wide.is_sign_negative();
    let equal = narrow == wide || (narrow.is_nan() && wide.is_nan());
    let normal = (wide as f32).is_normal() && close;
    ((equal || normal) && same_zero).then(|| float(wide))
}
