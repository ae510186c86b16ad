//! Law `fold`: an operation on constants is a constant.

use crate::ir::{Affine, BinaryOp, Number, Scalar, UnaryOp};

/// The result of a unary operation on a constant. `erf` is left to run time, where it is defined.
pub fn unary(op: UnaryOp, a: &Scalar) -> Option<Scalar> {
    match (op, a) {
        (UnaryOp::ToFloat, Scalar::Int(value)) => Some(float(*value as f64)),
        (UnaryOp::ToFloat, Scalar::Bool(value)) => Some(float(f64::from(u8::from(*value)))),
        (UnaryOp::ToInt, Scalar::Bool(value)) => Some(Scalar::Int(i64::from(*value))),
        (UnaryOp::Not, Scalar::Bool(value)) => Some(Scalar::Bool(!value)),
        (UnaryOp::Neg, Scalar::Int(value)) => Some(Scalar::Int(value.wrapping_neg())),
        (UnaryOp::Neg, Scalar::Affine(affine)) => {
            Some(Scalar::Affine(affine.scale(&crate::ir::Dim::number(-1))))
        }
        (_, Scalar::Float(Number(value))) => {
            let value = *value;
            Some(float(match op {
                UnaryOp::Neg => -value,
                UnaryOp::Exp => value.exp(),
                UnaryOp::Log => value.ln(),
                UnaryOp::Sin => value.sin(),
                UnaryOp::Cos => value.cos(),
                UnaryOp::Tanh => value.tanh(),
                UnaryOp::Sqrt => value.sqrt(),
                UnaryOp::Floor => value.floor(),
                UnaryOp::Ceil => value.ceil(),
                UnaryOp::Round => value.round_ties_even(),
                UnaryOp::Erf | UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt | UnaryOp::Stop => {
                    return None;
                }
            }))
        }
        _ => None,
    }
}

/// The result of a binary operation on two constants.
pub fn binary(op: BinaryOp, a: &Scalar, b: &Scalar) -> Option<Scalar> {
    match (a, b) {
        (Scalar::Float(Number(a)), Scalar::Float(Number(b))) => match op {
            BinaryOp::Add => Some(float(a + b)),
            BinaryOp::Sub => Some(float(a - b)),
            BinaryOp::Mul => Some(float(a * b)),
            BinaryOp::Div => Some(float(a / b)),
            BinaryOp::Pow => Some(float(a.powf(*b))),
            BinaryOp::Lt => Some(Scalar::Bool(a < b)),
            BinaryOp::Le => Some(Scalar::Bool(a <= b)),
            BinaryOp::Eq => Some(Scalar::Bool(a == b)),
            BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::And | BinaryOp::Or => None,
        },
        (Scalar::Bool(a), Scalar::Bool(b)) => match op {
            BinaryOp::And => Some(Scalar::Bool(*a && *b)),
            BinaryOp::Or => Some(Scalar::Bool(*a || *b)),
            BinaryOp::Eq => Some(Scalar::Bool(a == b)),
            _ => None,
        },
        (Scalar::Int(a), Scalar::Int(b)) => match op {
            BinaryOp::Add => small(a.checked_add(*b)?),
            BinaryOp::Sub => small(a.checked_sub(*b)?),
            BinaryOp::Mul => small(a.checked_mul(*b)?),
            BinaryOp::FloorDiv if *b > 0 => small(a.div_euclid(*b)),
            BinaryOp::Mod if *b > 0 => small(a.rem_euclid(*b)),
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
    match op {
        BinaryOp::Add => Some(Scalar::Affine(a.add(&b))),
        BinaryOp::Sub => Some(Scalar::Affine(a.sub(&b))),
        BinaryOp::Mul if a.is_constant() => Some(Scalar::Affine(b.scale(&a.constant))),
        BinaryOp::Mul if b.is_constant() => Some(Scalar::Affine(a.scale(&b.constant))),
        _ => None,
    }
}

fn float(value: f64) -> Scalar {
    Scalar::Float(Number(value))
}

/// Ints have 32 bits; what overflows is left to run time, where it wraps.
fn small(value: i64) -> Option<Scalar> {
    i32::try_from(value).is_ok().then_some(Scalar::Int(value))
}
