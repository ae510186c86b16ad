//! Laws of scalar expressions, applied as an expression is built.
//!
//! A law never changes a value but by rounding, with one exception that `IEEE 754` would not allow: `x + 0` is
//! `x` for `x = -0` too. `x · 0` is 0 only for ints and for what comes from one, since `NaN · 0` is `NaN`;
//! `x - x` likewise. Sums are not associated anew: `(1 + x) - 1` is how accurate formulas are written.

use super::{fold, logarithm, sums};
use crate::ir::signs::{Sign, Signs};
use crate::ir::{Affine, BinaryOp, Dim, Elem, Graph, LoopBuilder, Scalar, ScalarId, Sub, UnaryOp, Var};

/// What the laws may know and do.
pub struct Laws<'g, 's> {
    pub graph: &'g Graph,
    pub signs: &'s mut Signs,
    /// Whether derivatives have been taken: then `Stop` and `WithSlope` have done their work.
    pub strip: bool,
    /// Marks nodes that are not looked into; those beyond its end are.
    pub opaque: &'g [bool],
}

impl Laws<'_, '_> {
    /// What is known of a scalar in the builder.
    pub fn sign(&mut self, l: &LoopBuilder<'_>, id: ScalarId) -> Sign {
        let scalars = &l.scalars()[..=id.0 as usize];
        let signs = self.signs.of_scalars(self.graph, scalars, l.operands(), l.domain());
        signs[id.0 as usize]
    }

    /// Makes the scalar, or what the laws say is equal to it.
    pub fn make(&mut self, l: &mut LoopBuilder<'_>, scalar: Scalar) -> ScalarId {
        match scalar {
            Scalar::Affine(affine) => match affine.as_number() {
                Some(value) => l.int(value),
                None => l.affine(affine),
            },
            Scalar::Read { operand, subs, padded } => {
                let subs = subs.into_iter().map(|sub| plain_sub(l, sub)).collect::<Vec<_>>();
                let padded = padded && !is_inside(l, self.graph, operand, &subs);
                l.add(Scalar::Read { operand, subs, padded })
            }
            Scalar::Unary(op, a) => self.unary(l, op, a),
            Scalar::Binary(op, a, b) => self.binary(l, op, a, b),
            Scalar::Select(condition, a, b) => select(l, condition, a, b),
            Scalar::WithSlope { value, .. } if self.strip => value,
            Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::WithSlope { .. } => l.add(scalar),
        }
    }

    pub fn unary(&mut self, l: &mut LoopBuilder<'_>, op: UnaryOp, a: ScalarId) -> ScalarId {
        if let Some(constant) = fold::unary(op, l.scalar(a)) {
            return self.make_constant(l, constant);
        }
        match op {
            UnaryOp::Stop if self.strip => a,
            UnaryOp::Neg => self.negated(l, a),
            // not not a = a
            UnaryOp::Not => match *l.scalar(a) {
                Scalar::Unary(UnaryOp::Not, inner) => inner,
                _ => l.unary(op, a),
            },
            UnaryOp::Log => match logarithm::of(self, l, a) {
                Some(found) => found,
                None => l.unary(op, a),
            },
            UnaryOp::Exp => match *l.scalar(a) {
                // exp(log a) = a for a >= 0
                Scalar::Unary(UnaryOp::Log, inner) if self.sign(l, inner) >= Sign::NotNegative => inner,
                _ => l.unary(op, a),
            },
            _ => l.unary(op, a),
        }
    }

    fn make_constant(&mut self, l: &mut LoopBuilder<'_>, scalar: Scalar) -> ScalarId {
        match scalar {
            Scalar::Affine(_) => self.make(l, scalar),
            other => l.add(other),
        }
    }

    /// `-a`
    pub fn negated(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId) -> ScalarId {
        match *l.scalar(a) {
            Scalar::Float(value) => l.float(-value.0),
            // --a = a
            Scalar::Unary(UnaryOp::Neg, inner) => inner,
            // -(a - b) = b - a
            Scalar::Binary(BinaryOp::Sub, b, c) => self.binary(l, BinaryOp::Sub, c, b),
            // -(c a) = (-c) a and -(c / a) = (-c) / a
            Scalar::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), b, c) if is_literal(l, b) => {
                let b = self.negated(l, b);
                self.binary(l, op, b, c)
            }
            _ => l.unary(UnaryOp::Neg, a),
        }
    }

    pub fn binary(&mut self, l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
        if let Some(constant) = fold::binary(op, l.scalar(a), l.scalar(b)) {
            return self.make_constant(l, constant);
        }
        match op {
            BinaryOp::Add => self.sum(l, a, b),
            BinaryOp::Sub => self.difference(l, a, b),
            BinaryOp::Mul => self.product(l, a, b),
            BinaryOp::Div => self.quotient(l, a, b),
            BinaryOp::And | BinaryOp::Or => junction(l, op, a, b),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq => comparison(l, op, a, b),
            BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Pow => l.binary(op, a, b),
        }
    }

    fn sum(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        // a + 0 = a
        if is_number(l, b, 0.0) {
            return a;
        }
        if is_number(l, a, 0.0) {
            return b;
        }
        // a + -b = a - b
        if let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(b) {
            return self.difference(l, a, inner);
        }
        if let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(a) {
            return self.difference(l, b, inner);
        }
        if let Some(merged) = self.merge_selects(l, BinaryOp::Add, a, b) {
            return merged;
        }
        // a + (-c) b = a - c b
        for (a, b) in [(a, b), (b, a)] {
            if let Scalar::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), c, x) = *l.scalar(b)
                && matches!(l.scalar(c), Scalar::Float(value) if value.0 < 0.0)
            {
                let c = self.negated(l, c);
                let b = self.binary(l, op, c, x);
                return self.difference(l, a, b);
            }
        }
        let (a, b) = ordered(l, a, b);
        let plain = l.binary(BinaryOp::Add, a, b);
        sums::shortened(self, l, plain).unwrap_or(plain)
    }

    fn difference(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        if is_number(l, b, 0.0) {
            return a;
        }
        // 0 - b = -b
        if is_number(l, a, 0.0) {
            return self.negated(l, b);
        }
        // a - -b = a + b
        if let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(b) {
            return self.sum(l, a, inner);
        }
        if a == b && l.elem(a) == Elem::Int {
            return l.int(0);
        }
        if let Some(merged) = self.merge_selects(l, BinaryOp::Sub, a, b) {
            return merged;
        }
        let plain = l.binary(BinaryOp::Sub, a, b);
        sums::shortened(self, l, plain).unwrap_or(plain)
    }

    /// (if c then a else b) ± (if c then d else e) = if c then a ± d else b ± e, where that leaves something out.
    fn merge_selects(
        &mut self,
        l: &mut LoopBuilder<'_>,
        op: BinaryOp,
        a: ScalarId,
        b: ScalarId,
    ) -> Option<ScalarId> {
        let (Scalar::Select(c, x, y), Scalar::Select(d, z, w)) = (l.scalar(a).clone(), l.scalar(b).clone())
        else {
            return None;
        };
        let zero = |id: ScalarId| is_number(l, id, 0.0);
        if c != d || !(zero(x) || zero(z)) || !(zero(y) || zero(w)) {
            return None;
        }
        let then = self.binary(l, op, x, z);
        let otherwise = self.binary(l, op, y, w);
        Some(select(l, c, then, otherwise))
    }

    pub fn product(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        let (a, b) = ordered(l, a, b);
        // 1 a = a, -1 a = -a; 0 a = 0 where a is finite for certain
        if is_number(l, a, 1.0) {
            return b;
        }
        if is_number(l, a, -1.0) {
            return self.negated(l, b);
        }
        if is_number(l, a, 0.0) && is_finite(l, b) {
            return a;
        }
        match (l.scalar(a).clone(), l.scalar(b).clone()) {
            // -a · -b = a b, -a · b = -(a b)
            (Scalar::Unary(UnaryOp::Neg, x), Scalar::Unary(UnaryOp::Neg, y)) => self.product(l, x, y),
            (Scalar::Unary(UnaryOp::Neg, x), _) => {
                let inner = self.product(l, x, b);
                self.negated(l, inner)
            }
            (Scalar::Float(_), Scalar::Unary(UnaryOp::Neg, y)) => {
                let factor = self.negated(l, a);
                self.product(l, factor, y)
            }
            (_, Scalar::Unary(UnaryOp::Neg, y)) => {
                let inner = self.product(l, a, y);
                self.negated(l, inner)
            }
            // c (d a) = (c d) a
            (Scalar::Float(c), Scalar::Binary(BinaryOp::Mul, d, x)) if is_literal(l, d) => {
                let Scalar::Float(d) = *l.scalar(d) else { return l.binary(BinaryOp::Mul, a, b) };
                let factor = l.float(c.0 * d.0);
                self.product(l, factor, x)
            }
            // c (d / a) = (c d) / a
            (Scalar::Float(c), Scalar::Binary(BinaryOp::Div, d, x)) if is_literal(l, d) => {
                let Scalar::Float(d) = *l.scalar(d) else { return l.binary(BinaryOp::Mul, a, b) };
                let factor = l.float(c.0 * d.0);
                self.quotient(l, factor, x)
            }
            // (c a) b = c (a b)
            (Scalar::Binary(BinaryOp::Mul, c, x), _) if is_literal(l, c) => {
                let inner = self.product(l, x, b);
                self.product(l, c, inner)
            }
            (other, Scalar::Binary(BinaryOp::Mul, c, x))
                if is_literal(l, c) && !matches!(other, Scalar::Float(_)) =>
            {
                let inner = self.product(l, a, x);
                self.product(l, c, inner)
            }
            // (c / a) b = c (b / a)
            (other, Scalar::Binary(BinaryOp::Div, one, x))
                if is_number(l, one, 1.0) && !matches!(other, Scalar::Float(_)) =>
            {
                self.quotient(l, a, x)
            }
            (Scalar::Binary(BinaryOp::Div, one, x), _) if is_number(l, one, 1.0) => self.quotient(l, b, x),
            _ => l.binary(BinaryOp::Mul, a, b),
        }
    }

    pub fn quotient(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        // a / 1 = a, a / -1 = -a, a / 2^k = 2^-k a
        if let Scalar::Float(divisor) = l.scalar(b) {
            let inverse = 1.0 / divisor.0;
            let power_of_two = divisor.0 != 0.0 && divisor.0.to_bits() & ((1 << 52) - 1) == 0;
            if power_of_two && inverse.is_normal() {
                let factor = l.float(inverse);
                return self.product(l, factor, a);
            }
        }
        match (l.scalar(a).clone(), l.scalar(b).clone()) {
            // -a / b = -(a / b), a / -b = -(a / b)
            (Scalar::Unary(UnaryOp::Neg, x), _) => {
                let inner = self.quotient(l, x, b);
                self.negated(l, inner)
            }
            (_, Scalar::Unary(UnaryOp::Neg, y)) => {
                let inner = self.quotient(l, a, y);
                self.negated(l, inner)
            }
            // (c a) / b = c (a / b)
            (Scalar::Binary(BinaryOp::Mul, c, x), _) if is_literal(l, c) => {
                let inner = self.quotient(l, x, b);
                self.product(l, c, inner)
            }
            _ => l.binary(BinaryOp::Div, a, b),
        }
    }
}

/// `if c then a else b`
pub fn select(l: &mut LoopBuilder<'_>, c: ScalarId, a: ScalarId, b: ScalarId) -> ScalarId {
    // Equal branches; a condition that is known.
    if a == b {
        return a;
    }
    match *l.scalar(c) {
        Scalar::Bool(true) => return a,
        Scalar::Bool(false) => return b,
        // if not c then a else b = if c then b else a
        Scalar::Unary(UnaryOp::Not, inner) => return select(l, inner, b, a),
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
        return select(l, c, then, otherwise);
    }
    // if c then true else false = c
    match (l.scalar(a), l.scalar(b)) {
        (Scalar::Bool(true), Scalar::Bool(false)) => c,
        (Scalar::Bool(false), Scalar::Bool(true)) => l.unary(UnaryOp::Not, c),
        _ => l.select(c, a, b),
    }
}

fn junction(l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
    // The value that decides: false for `and`, true for `or`.
    let decides = op == BinaryOp::Or;
    for (known, other) in [(a, b), (b, a)] {
        if let Scalar::Bool(value) = l.scalar(known) {
            return if *value == decides { known } else { other };
        }
    }
    if a == b { a } else { l.binary(op, a, b) }
}

fn comparison(l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
    let form = |id: ScalarId| match l.scalar(id) {
        Scalar::Int(value) => Some(Affine::constant(*value)),
        Scalar::Affine(affine) => Some(affine.clone()),
        _ => None,
    };
    if a == b && l.elem(a) != Elem::Float {
        return l.bool(op != BinaryOp::Lt);
    }
    // Between linear forms, where the ranges of the indices decide it.
    let known = form(a).zip(form(b)).and_then(|(a, b)| {
        let (least, greatest) = bounds(l, &b.sub(&a))?;
        match op {
            BinaryOp::Lt if least.at_least(&Dim::ONE) => Some(true),
            BinaryOp::Lt if Dim::ZERO.at_least(&greatest) => Some(false),
            BinaryOp::Le if least.at_least(&Dim::ZERO) => Some(true),
            BinaryOp::Le if Dim::number(-1).at_least(&greatest) => Some(false),
            BinaryOp::Eq if least.at_least(&Dim::ONE) || Dim::number(-1).at_least(&greatest) => Some(false),
            BinaryOp::Eq if least.is_number(0) && greatest.is_number(0) => Some(true),
            _ => None,
        }
    });
    match known {
        Some(value) => l.bool(value),
        None => l.binary(op, a, b),
    }
}

/// The least and the greatest value of a linear form over the domain; `None` if it uses a scan's step.
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
fn is_inside(l: &LoopBuilder<'_>, graph: &Graph, operand: u32, subs: &[Sub]) -> bool {
    let shape = graph.shape(l.operands()[operand as usize]);
    subs.iter().zip(shape).all(|(sub, size)| match sub {
        Sub::Value(_) => false,
        Sub::Affine(affine) => bounds(l, affine).is_some_and(|(least, greatest)| {
            least.at_least(&Dim::ZERO) && (size - &Dim::ONE).at_least(&greatest)
        }),
    })
}

/// A computed subscript that is a linear form after all.
pub fn plain_sub(l: &LoopBuilder<'_>, sub: Sub) -> Sub {
    match sub {
        Sub::Value(id) => match l.scalar(id) {
            Scalar::Int(value) => Sub::Affine(Affine::constant(*value)),
            Scalar::Affine(affine) => Sub::Affine(affine.clone()),
            _ => Sub::Value(id),
        },
        Sub::Affine(affine) => Sub::Affine(affine),
    }
}

pub fn is_number(l: &LoopBuilder<'_>, id: ScalarId, number: f64) -> bool {
    match l.scalar(id) {
        Scalar::Float(value) => value.0 == number,
        Scalar::Int(value) => *value as f64 == number,
        _ => false,
    }
}

pub fn is_literal(l: &LoopBuilder<'_>, id: ScalarId) -> bool {
    matches!(l.scalar(id), Scalar::Float(_))
}

fn is_finite(l: &LoopBuilder<'_>, id: ScalarId) -> bool {
    l.elem(id) == Elem::Int || matches!(l.scalar(id), Scalar::Unary(UnaryOp::ToFloat, _))
}

/// Operands of a commutative operation: literals first, then in order of making.
fn ordered(l: &LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> (ScalarId, ScalarId) {
    let key = |id: ScalarId| (!matches!(l.scalar(id), Scalar::Float(_) | Scalar::Int(_)), id);
    if key(b) < key(a) { (b, a) } else { (a, b) }
}
