//! Laws of scalar expressions, applied as an expression is built.
//!
//! A graph that runs is changed only by laws that are exact for all floats: see [`laws`](super::laws). So `x · 0`
//! is 0 only for ints and floats converted from ints, since `NaN · 0` is NaN; `x - x` likewise. Sums and products
//! are not reassociated: `(1 + x) - 1` is how accurate formulas are written, and `(1e-20 x) (1e-20 x)` does not
//! overflow where
//! `1e-40 (x x)` does. The operands of `+` and `·` stand in a fixed order, which changes nothing.

use super::known::{Choice, decided, exact_inverse, is_inside, simpler_select};
use super::laws::{Applied, LawId};
use super::stabilise::Logs;
use super::{fold, logarithm, sums};
use crate::ir::signs::{Sign, Signs};
use crate::ir::{Affine, BinaryOp, Elem, Graph, LoopBuilder, Scalar, ScalarId, Sub, UnaryOp};
use std::cell::RefCell;

/// The context of the laws: what they may know and what they may do.
pub struct Laws<'g, 's> {
    pub graph: &'g Graph,
    pub signs: &'s mut Signs,
    /// Whether derivatives have been taken; then `Stop` and `WithSlope` are removed.
    pub strip: bool,
    /// Marks nodes through which nothing is read; nodes beyond its end are not marked.
    pub opaque: &'g [bool],
    pub applied: &'g Applied,
    /// Where logarithms may become nodes of their own: those that there are.
    pub logs: Option<&'g RefCell<Logs>>,
}

impl Laws<'_, '_> {
    /// What is known of a scalar in the builder.
    pub fn sign(&mut self, l: &LoopBuilder<'_>, id: ScalarId) -> Sign {
        let scalars = &l.scalars()[..=id.0 as usize];
        let signs = self.signs.of_scalars(self.graph, scalars, l.operands(), l.domain());
        signs[id.0 as usize]
    }

    /// Adds the scalar, or a simpler one that the laws say is equal to it.
    pub fn make(&mut self, l: &mut LoopBuilder<'_>, scalar: Scalar) -> ScalarId {
        match scalar {
            Scalar::Affine(affine) => match affine.as_number() {
                Some(value) => l.int(value),
                None => l.affine(affine),
            },
            Scalar::Read { operand, subs, padded } => {
                let subs = subs.into_iter().map(|sub| plain_sub(l, sub)).collect::<Vec<_>>();
                let inside =
                    padded && is_inside(l, self.graph, operand, &subs) && self.applied.allows(LawId::Inside);
                l.add(Scalar::Read { operand, subs, padded: padded && !inside })
            }
            Scalar::Unary(op, a) => self.unary(l, op, a),
            Scalar::Binary(op, a, b) => self.binary(l, op, a, b),
            Scalar::Select(condition, a, b) => self.select(l, condition, a, b),
            Scalar::WithSlope { value, .. } if self.strip && self.applied.allows(LawId::Strip) => value,
            Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::WithSlope { .. } => l.add(scalar),
        }
    }

    pub fn unary(&mut self, l: &mut LoopBuilder<'_>, op: UnaryOp, a: ScalarId) -> ScalarId {
        if let Some(constant) = fold::unary(op, l.scalar(a))
            && self.applied.allows(LawId::Fold)
        {
            return self.make_constant(l, constant);
        }
        match op {
            UnaryOp::Stop if self.strip && self.applied.allows(LawId::Strip) => a,
            UnaryOp::Neg => self.negated(l, a),
            // not not a = a
            UnaryOp::Not => match *l.scalar(a) {
                Scalar::Unary(UnaryOp::Not, inner) if self.applied.allows(LawId::NotNot) => inner,
                _ => l.unary(op, a),
            },
            // In a graph that runs this would change values whose derivatives have been taken already.
            UnaryOp::Log if self.applied.is_for_reading() => match logarithm::of(self, l, a) {
                Some(found) => found,
                None => l.unary(op, a),
            },
            UnaryOp::Exp => match *l.scalar(a) {
                // exp(log a) = a for a >= 0
                Scalar::Unary(UnaryOp::Log, inner)
                    if self.sign(l, inner) >= Sign::NotNegative && self.applied.allows(LawId::ExpLog) =>
                {
                    inner
                }
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
            Scalar::Float(value) if self.applied.allows(LawId::Negations) => l.float(-value.0),
            // --a = a
            Scalar::Unary(UnaryOp::Neg, inner) if self.applied.allows(LawId::Negations) => inner,
            // -(a - b) = b - a
            Scalar::Binary(BinaryOp::Sub, b, c)
                if (l.elem(a) == Elem::Int && self.applied.allows(LawId::Negations))
                    || self.applied.allows(LawId::NegatedDifference) =>
            {
                self.binary(l, BinaryOp::Sub, c, b)
            }
            // -(c a) = (-c) a and -(c / a) = (-c) / a
            Scalar::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), b, c)
                if is_literal(l, b) && self.applied.allows(LawId::Negations) =>
            {
                let b = self.negated(l, b);
                self.binary(l, op, b, c)
            }
            _ => l.unary(UnaryOp::Neg, a),
        }
    }

    pub fn binary(&mut self, l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
        if let Some(constant) = fold::binary(op, l.scalar(a), l.scalar(b))
            && self.applied.allows(LawId::Fold)
        {
            return self.make_constant(l, constant);
        }
        match op {
            BinaryOp::Add => self.sum(l, a, b),
            BinaryOp::Sub => self.difference(l, a, b),
            BinaryOp::Mul => self.product(l, a, b),
            BinaryOp::Div => self.quotient(l, a, b),
            BinaryOp::And | BinaryOp::Or => self.junction(l, op, a, b),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq => self.comparison(l, op, a, b),
            BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Pow => l.binary(op, a, b),
        }
    }

    fn sum(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        // a + 0 = a, but -0 + 0 = 0
        for (a, zero) in [(a, b), (b, a)] {
            if is_number(l, zero, 0.0)
                && (is_negative_zero(l, zero) || self.is_never_negative_zero(l, a, 8))
                && self.applied.allows(LawId::AddZero)
            {
                return a;
            }
        }
        // a + -b = a - b
        for (a, b) in [(a, b), (b, a)] {
            if let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(b)
                && self.applied.allows(LawId::AddNegative)
            {
                return self.difference(l, a, inner);
            }
        }
        if let Some(merged) = self.merge_selects(l, BinaryOp::Add, a, b) {
            return merged;
        }
        // a + (-c) b = a - c b
        for (a, b) in [(a, b), (b, a)] {
            if let Scalar::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), c, x) = *l.scalar(b)
                && matches!(l.scalar(c), Scalar::Float(value) if value.0 < 0.0)
                && self.applied.allows(LawId::AddNegative)
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
        // a - 0 = a, but -0 - -0 = 0
        if is_number(l, b, 0.0)
            && (!is_negative_zero(l, b) || self.is_never_negative_zero(l, a, 8))
            && self.applied.allows(LawId::AddZero)
        {
            return a;
        }
        // 0 - b = -b, but 0 - 0 = 0
        if is_number(l, a, 0.0)
            && (l.elem(a) == Elem::Int || is_negative_zero(l, a) || self.applied.is_for_reading())
            && self.applied.allows(LawId::ZeroMinus)
        {
            return self.negated(l, b);
        }
        // a - -b = a + b
        if let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(b)
            && self.applied.allows(LawId::AddNegative)
        {
            return self.sum(l, a, inner);
        }
        if a == b && l.elem(a) == Elem::Int && self.applied.allows(LawId::IntMinusItself) {
            return l.int(0);
        }
        if let Some(merged) = self.merge_selects(l, BinaryOp::Sub, a, b) {
            return merged;
        }
        let plain = l.binary(BinaryOp::Sub, a, b);
        sums::shortened(self, l, plain).unwrap_or(plain)
    }

    /// Whether a value is proven not to be negative zero.
    fn is_never_negative_zero(&mut self, l: &LoopBuilder<'_>, id: ScalarId, depth: usize) -> bool {
        if l.elem(id) != Elem::Float || self.applied.is_for_reading() {
            return true;
        }
        if depth == 0 {
            return false;
        }
        match *l.scalar(id) {
            Scalar::Float(value) => !(value.0 == 0.0 && value.0.is_sign_negative()),
            Scalar::Unary(UnaryOp::ToFloat | UnaryOp::Exp, _) => true,
            Scalar::Unary(UnaryOp::Sqrt, a) => self.is_never_negative_zero(l, a, depth - 1),
            Scalar::Binary(BinaryOp::Mul, a, b) if a == b => true,
            // A sum is -0 only if both are, a difference only of -0 and 0.
            Scalar::Binary(BinaryOp::Add, a, b) => {
                self.is_never_negative_zero(l, a, depth - 1) || self.is_never_negative_zero(l, b, depth - 1)
            }
            Scalar::Binary(BinaryOp::Sub, a, _) => self.is_never_negative_zero(l, a, depth - 1),
            Scalar::Select(_, a, b) => {
                self.is_never_negative_zero(l, a, depth - 1) && self.is_never_negative_zero(l, b, depth - 1)
            }
            _ => self.sign(l, id) >= Sign::Positive,
        }
    }

    /// (if c then a else b) ± (if c then d else e) = if c then a ± d else b ± e, where that adds zeros.
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
        if !self.applied.allows(LawId::MergeSelects) {
            return None;
        }
        let then = self.binary(l, op, x, z);
        let otherwise = self.binary(l, op, y, w);
        Some(self.select(l, c, then, otherwise))
    }

    pub fn product(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        let (a, b) = ordered(l, a, b);
        // 1 a = a, -1 a = -a; 0 a = 0 where a is finite and not below 0 for certain
        if is_number(l, a, 1.0) && self.applied.allows(LawId::MulOne) {
            return b;
        }
        if is_number(l, a, -1.0) && self.applied.allows(LawId::MulOne) {
            return self.negated(l, b);
        }
        if is_number(l, a, 0.0)
            && !is_negative_zero(l, a)
            && self.is_whole_and_not_negative(l, b)
            && self.applied.allows(LawId::MulZero)
        {
            return a;
        }
        // -a · -b = a b, -a · b = -(a b)
        match (l.scalar(a).clone(), l.scalar(b).clone()) {
            (Scalar::Unary(UnaryOp::Neg, x), Scalar::Unary(UnaryOp::Neg, y))
                if self.applied.allows(LawId::MulNegative) =>
            {
                return self.product(l, x, y);
            }
            (Scalar::Float(_), Scalar::Unary(UnaryOp::Neg, y)) if self.applied.allows(LawId::MulNegative) => {
                let factor = self.negated(l, a);
                return self.product(l, factor, y);
            }
            (Scalar::Unary(UnaryOp::Neg, x), _) if self.applied.allows(LawId::MulNegative) => {
                let inner = self.product(l, x, b);
                return self.negated(l, inner);
            }
            (_, Scalar::Unary(UnaryOp::Neg, y)) if self.applied.allows(LawId::MulNegative) => {
                let inner = self.product(l, a, y);
                return self.negated(l, inner);
            }
            _ => {}
        }
        if self.applied.is_for_reading()
            && let Some(found) = self.product_of_reals(l, a, b)
        {
            return found;
        }
        l.binary(BinaryOp::Mul, a, b)
    }

    /// Laws of products of real numbers: of floats they overflow and underflow elsewhere.
    fn product_of_reals(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> Option<ScalarId> {
        match (l.scalar(a).clone(), l.scalar(b).clone()) {
            // c (d a) = (c d) a and c (d / a) = (c d) / a
            (Scalar::Float(c), Scalar::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), d, x))
                if is_literal(l, d) =>
            {
                let Scalar::Float(d) = *l.scalar(d) else { return None };
                if !self.applied.allows(LawId::MergeFactors) {
                    return None;
                }
                let factor = l.float(c.0 * d.0);
                Some(self.binary(l, op, factor, x))
            }
            // (c a) b = c (a b)
            (Scalar::Binary(BinaryOp::Mul, c, x), _)
                if is_literal(l, c) && self.applied.allows(LawId::MoveFactor) =>
            {
                let inner = self.product(l, x, b);
                Some(self.product(l, c, inner))
            }
            (other, Scalar::Binary(BinaryOp::Mul, c, x))
                if is_literal(l, c)
                    && !matches!(other, Scalar::Float(_))
                    && self.applied.allows(LawId::MoveFactor) =>
            {
                let inner = self.product(l, a, x);
                Some(self.product(l, c, inner))
            }
            // (1 / a) b = b / a
            (other, Scalar::Binary(BinaryOp::Div, one, x))
                if is_number(l, one, 1.0)
                    && !matches!(other, Scalar::Float(_))
                    && self.applied.allows(LawId::MulReciprocal) =>
            {
                Some(self.quotient(l, a, x))
            }
            (Scalar::Binary(BinaryOp::Div, one, x), _)
                if is_number(l, one, 1.0) && self.applied.allows(LawId::MulReciprocal) =>
            {
                Some(self.quotient(l, b, x))
            }
            _ => None,
        }
    }

    pub fn quotient(&mut self, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> ScalarId {
        // a / 1 = a, a / -1 = -a, a / 2^k = 2^-k a
        if let Scalar::Float(divisor) = *l.scalar(b)
            && let Some(inverse) = exact_inverse(divisor.0)
            && self.applied.allows(LawId::DivPowerOfTwo)
        {
            let factor = l.float(inverse);
            return self.product(l, factor, a);
        }
        match (l.scalar(a).clone(), l.scalar(b).clone()) {
            // -a / b = -(a / b), a / -b = -(a / b)
            (Scalar::Unary(UnaryOp::Neg, x), _) if self.applied.allows(LawId::MulNegative) => {
                let inner = self.quotient(l, x, b);
                self.negated(l, inner)
            }
            (_, Scalar::Unary(UnaryOp::Neg, y)) if self.applied.allows(LawId::MulNegative) => {
                let inner = self.quotient(l, a, y);
                self.negated(l, inner)
            }
            // (c a) / b = c (a / b)
            (Scalar::Binary(BinaryOp::Mul, c, x), _)
                if is_literal(l, c) && self.applied.allows(LawId::MoveFactor) =>
            {
                let inner = self.quotient(l, x, b);
                self.product(l, c, inner)
            }
            _ => l.binary(BinaryOp::Div, a, b),
        }
    }

    /// Whether a value comes from an int that is not below 0 or from a bool.
    fn is_whole_and_not_negative(&mut self, l: &LoopBuilder<'_>, id: ScalarId) -> bool {
        match *l.scalar(id) {
            Scalar::Unary(UnaryOp::ToFloat, whole) => {
                l.elem(whole) == Elem::Bool || self.sign(l, whole) >= Sign::NotNegative
            }
            _ => l.elem(id) == Elem::Int,
        }
    }

    /// `if c then a else b`
    pub fn select(&mut self, l: &mut LoopBuilder<'_>, c: ScalarId, a: ScalarId, b: ScalarId) -> ScalarId {
        match simpler_select(l, c, a, b) {
            Some(simpler) if self.applied.allows(LawId::Selects) => match simpler {
                Choice::Value(value) => value,
                Choice::Not(condition) => self.unary(l, UnaryOp::Not, condition),
                Choice::Select(c, a, b) => self.select(l, c, a, b),
            },
            _ => l.select(c, a, b),
        }
    }

    fn junction(&mut self, l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
        // The value that decides: false for `and`, true for `or`.
        let decides = op == BinaryOp::Or;
        for (known, other) in [(a, b), (b, a)] {
            if let Scalar::Bool(value) = *l.scalar(known)
                && self.applied.allows(LawId::AndOr)
            {
                return if value == decides { known } else { other };
            }
        }
        if a == b && self.applied.allows(LawId::AndOr) { a } else { l.binary(op, a, b) }
    }

    fn comparison(&mut self, l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
        match decided(l, op, a, b) {
            Some(value) if self.applied.allows(LawId::Comparisons) => l.bool(value),
            _ => l.binary(op, a, b),
        }
    }
}

/// A computed subscript as an affine expression, if it is one.
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

fn is_negative_zero(l: &LoopBuilder<'_>, id: ScalarId) -> bool {
    matches!(l.scalar(id), Scalar::Float(value) if value.0 == 0.0 && value.0.is_sign_negative())
}

/// Operands of a commutative operation: literals first, then in order of making.
fn ordered(l: &LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> (ScalarId, ScalarId) {
    let key = |id: ScalarId| (!matches!(l.scalar(id), Scalar::Float(_) | Scalar::Int(_)), id);
    if key(b) < key(a) { (b, a) } else { (a, b) }
}
