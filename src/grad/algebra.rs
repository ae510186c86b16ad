//! Sums and products of scalars that leave out zeros and ones, so that derivatives stay small.
//! A tangent of `None` is zero.

use crate::ir::{BinaryOp, LoopBuilder, Scalar, ScalarId, UnaryOp};

/// A derivative at one point, linear in the seed; `None` is zero.
pub type Tangent = Option<ScalarId>;

fn number(l: &LoopBuilder<'_>, id: ScalarId) -> Option<f64> {
    match l.scalar(id) {
        Scalar::Float(value) => Some(value.0),
        _ => None,
    }
}

pub fn add(l: &mut LoopBuilder<'_>, a: Tangent, b: Tangent) -> Tangent {
    match (a, b) {
        (Some(a), Some(b)) => Some(l.binary(BinaryOp::Add, a, b)),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    }
}

pub fn sub(l: &mut LoopBuilder<'_>, a: Tangent, b: Tangent) -> Tangent {
    match (a, b) {
        (Some(a), Some(b)) => Some(l.binary(BinaryOp::Sub, a, b)),
        (Some(only), None) => Some(only),
        (None, b) => neg(l, b),
    }
}

pub fn neg(l: &mut LoopBuilder<'_>, a: Tangent) -> Tangent {
    a.map(|a| match l.scalar(a) {
        Scalar::Unary(UnaryOp::Neg, inner) => *inner,
        _ => l.unary(UnaryOp::Neg, a),
    })
}

/// `a · factor`. If the factor is the constant 0, the tangent is zero, also where `a` is infinite.
pub fn times(l: &mut LoopBuilder<'_>, a: Tangent, factor: ScalarId) -> Tangent {
    let a = a?;
    match number(l, factor) {
        Some(0.0) => None,
        Some(1.0) => Some(a),
        Some(-1.0) => neg(l, Some(a)),
        _ => Some(l.binary(BinaryOp::Mul, a, factor)),
    }
}

pub fn divided(l: &mut LoopBuilder<'_>, a: Tangent, by: ScalarId) -> Tangent {
    let a = a?;
    match number(l, by) {
        Some(1.0) => Some(a),
        _ => Some(l.binary(BinaryOp::Div, a, by)),
    }
}

/// `if condition then a else b`: the branch that is not taken contributes nothing to the derivative.
pub fn select(l: &mut LoopBuilder<'_>, condition: ScalarId, a: Tangent, b: Tangent) -> Tangent {
    if a == b {
        return a;
    }
    let a = a.unwrap_or_else(|| l.float(0.0));
    let b = b.unwrap_or_else(|| l.float(0.0));
    Some(l.select(condition, a, b))
}
