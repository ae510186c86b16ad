//! Facts about the scalars of an expression that is being built.

use crate::ir::{Affine, BinaryOp, Dim, Elem, Graph, LoopBuilder, Scalar, ScalarId, Sub, UnaryOp, Var};

/// The simpler form of a select.
pub enum Choice {
    Value(ScalarId),
    Not(ScalarId),
    Select(ScalarId, ScalarId, ScalarId),
}

pub fn simpler_select(l: &LoopBuilder<'_>, c: ScalarId, a: ScalarId, b: ScalarId) -> Option<Choice> {
    // Equal branches; a condition that is known.
    if a == b {
        return Some(Choice::Value(a));
    }
    match *l.scalar(c) {
        Scalar::Bool(true) => return Some(Choice::Value(a)),
        Scalar::Bool(false) => return Some(Choice::Value(b)),
        // if not c then a else b = if c then b else a
        Scalar::Unary(UnaryOp::Not, inner) => return Some(Choice::Select(inner, b, a)),
        _ => {}
    }
    // The same condition again, within a branch.
    let then = match *l.scalar(a) {
        Scalar::Select(inner, on, _) if inner == c => on,
        _ => a,
    };
    let otherwise = match *l.scalar(b) {
        Scalar::Select(inner, _, off) if inner == c => off,
        _ => b,
    };
    if (then, otherwise) != (a, b) {
        return Some(Choice::Select(c, then, otherwise));
    }
    // if c then true else false = c
    match (l.scalar(a), l.scalar(b)) {
        (Scalar::Bool(true), Scalar::Bool(false)) => Some(Choice::Value(c)),
        (Scalar::Bool(false), Scalar::Bool(true)) => Some(Choice::Not(c)),
        _ => None,
    }
}

/// `1 / divisor`, if multiplying with it is dividing, in 32 bits and in 64: for powers of two.
pub fn exact_inverse(divisor: f64) -> Option<f64> {
    let is_power_of_two = divisor.to_bits() & ((1 << 52) - 1) == 0;
    let inverse = 1.0 / divisor;
    let is_normal = |number: f64| (number as f32).is_normal();
    (is_power_of_two && is_normal(divisor) && is_normal(inverse)).then_some(inverse)
}

/// The result of a comparison that is decided at compile time: between affine expressions, where the ranges of the
/// indices decide it, and of an int or bool with itself.
pub fn decided(l: &LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> Option<bool> {
    let form = |id: ScalarId| match l.scalar(id) {
        Scalar::Int(value) => Some(Affine::constant(*value)),
        Scalar::Affine(affine) => Some(affine.clone()),
        _ => None,
    };
    if a == b && l.elem(a) != Elem::Float {
        return Some(op != BinaryOp::Lt);
    }
    let (least, greatest) = bounds(l, &form(b)?.sub(&form(a)?))?;
    match op {
        BinaryOp::Lt if least.at_least(&Dim::ONE) => Some(true),
        BinaryOp::Lt if Dim::ZERO.at_least(&greatest) => Some(false),
        BinaryOp::Le if least.at_least(&Dim::ZERO) => Some(true),
        BinaryOp::Le if Dim::number(-1).at_least(&greatest) => Some(false),
        BinaryOp::Eq if least.at_least(&Dim::ONE) || Dim::number(-1).at_least(&greatest) => Some(false),
        BinaryOp::Eq if least.is_number(0) && greatest.is_number(0) => Some(true),
        _ => None,
    }
}

/// The least and the greatest value of an affine expression over the domain; `None` if it uses a scan's step.
fn bounds(l: &LoopBuilder<'_>, affine: &Affine) -> Option<(Dim, Dim)> {
    if affine.terms.iter().any(|(var, _)| matches!(var, Var::Step(_))) {
        return None;
    }
    affine.bounds(|var| match var {
        Var::Index(index) => l.domain()[index as usize].clone(),
        Var::Step(_) => Dim::ONE,
    })
}

/// Whether a read is within its operand for all points of the domain.
pub fn is_inside(l: &LoopBuilder<'_>, graph: &Graph, operand: u32, subs: &[Sub]) -> bool {
    let shape = graph.shape(l.operands()[operand as usize]);
    subs.iter().zip(shape).all(|(sub, size)| match sub {
        Sub::Value(_) => false,
        Sub::Affine(affine) => bounds(l, affine).is_some_and(|(least, greatest)| {
            least.at_least(&Dim::ZERO) && (size - &Dim::ONE).at_least(&greatest)
        }),
    })
}
