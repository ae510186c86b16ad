//! Numbers as products with an exponential, `w · exp u`, and logarithms of sums of them.
//!
//! A probability near 0 is such a number: `softmax`, the logistic function and densities are made by `exp`. As a
//! float it underflows, and the derivative of its logarithm is then 0 / 0, while `u` stays what it is. So
//! `log(w exp u)` is `u + log w`, and `log(Σ w exp u)` is `m + log(Σ w exp(u - m))`, where m is the greatest `u` of a
//! term that is not 0.

use super::laws::LawId;
use super::logarithm::{log_logistic, number, seen};
use super::logistic;
use super::scalar::Laws;
use crate::ir::compose::inline;
use crate::ir::{Affine, BinaryOp, Combine, LoopBuilder, Op, Scalar, ScalarId, Sub, UnaryOp, Var};

/// No exponent of a sum is above this. It only concerns terms whose factor is 0: their derivative by the factor
/// stays finite.
const GREATEST_EXPONENT: f64 = 80.0;
/// At most so many scalars are added while looking.
const MOST_SCALARS: usize = 1200;
/// Products, quotients and branches that deep are looked into.
const DEEPEST: usize = 8;
/// Sums written out of at most so many terms are looked at.
const MOST_TERMS: usize = 16;

/// `factor · exp(exponent)`
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// `None`: 1.
    pub factor: Option<ScalarId>,
    pub exponent: ScalarId,
}

/// The parts of a scalar in which an exponential is a factor.
pub fn parts(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<Parts> {
    parts_to_depth(laws, l, id, DEEPEST)
}

fn parts_to_depth(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    id: ScalarId,
    depth: usize,
) -> Option<Parts> {
    if depth == 0 || l.scalars().len() > MOST_SCALARS {
        return None;
    }
    if let Some(u) = logistic::of(laws, l, id, 6) {
        return Some(Parts { factor: None, exponent: log_logistic(laws, l, u) });
    }
    let id = seen(laws, l, id);
    match l.scalar(id).clone() {
        Scalar::Unary(UnaryOp::Exp, u) if !is_limited(l, u) => Some(Parts { factor: None, exponent: u }),
        Scalar::Unary(UnaryOp::Neg, a) => {
            let Parts { factor, exponent } = parts_to_depth(laws, l, a, depth - 1)?;
            let factor = written_factor(l, factor);
            Some(Parts { factor: Some(l.unary(UnaryOp::Neg, factor)), exponent })
        }
        Scalar::Unary(UnaryOp::Sqrt, a) => {
            let Parts { factor, exponent } = parts_to_depth(laws, l, a, depth - 1)?;
            let factor = factor.map(|factor| l.unary(UnaryOp::Sqrt, factor));
            let half = l.float(0.5);
            Some(Parts { factor, exponent: l.binary(BinaryOp::Mul, half, exponent) })
        }
        Scalar::Binary(BinaryOp::Mul, a, b) => {
            let (of_a, of_b) =
                (parts_to_depth(laws, l, a, depth - 1), parts_to_depth(laws, l, b, depth - 1));
            Some(match (of_a, of_b) {
                (None, None) => return None,
                (Some(a), Some(b)) => product(l, a, b),
                (Some(parts), None) => scaled(l, parts, b),
                (None, Some(parts)) => scaled(l, parts, a),
            })
        }
        Scalar::Binary(BinaryOp::Div, a, b) => {
            let Parts { factor, exponent } = parts_to_depth(laws, l, a, depth - 1)?;
            let factor = written_factor(l, factor);
            Some(Parts { factor: Some(l.binary(BinaryOp::Div, factor, b)), exponent })
        }
        Scalar::Binary(BinaryOp::Pow, a, power) => {
            let Parts { factor, exponent } = parts_to_depth(laws, l, a, depth - 1)?;
            let factor = factor.map(|factor| l.binary(BinaryOp::Pow, factor, power));
            // 0 · -inf is no number, but 0^0 is 1.
            let least = l.float(-1e30);
            let is_below = l.binary(BinaryOp::Lt, exponent, least);
            let exponent = l.select(is_below, least, exponent);
            Some(Parts { factor, exponent: l.binary(BinaryOp::Mul, power, exponent) })
        }
        Scalar::Select(condition, a, b) => of_branches(laws, l, condition, (a, b), depth - 1),
        Scalar::Read { operand, subs, padded: true } => {
            let node = l.operands()[operand as usize];
            if laws.opaque.get(node.0 as usize) == Some(&true) || !matches!(laws.graph[node].op, Op::Loop(_)) {
                return None;
            }
            let value = inline(l, laws.graph, node, &subs, true, &mut |l, _, scalar| l.add(scalar))?;
            parts_to_depth(laws, l, value, depth - 1)
        }
        _ => None,
    }
}

/// The parts of `if condition then a else b`, where one side may be a number.
fn of_branches(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    condition: ScalarId,
    (a, b): (ScalarId, ScalarId),
    depth: usize,
) -> Option<Parts> {
    let (of_a, of_b) = (parts_to_depth(laws, l, a, depth), parts_to_depth(laws, l, b, depth));
    if of_a.is_none() && of_b.is_none() {
        return None;
    }
    let of_number = |l: &mut LoopBuilder<'_>, id: ScalarId| {
        let number = number(laws, l, id)?;
        Some(Parts { factor: Some(l.float(number)), exponent: l.float(0.0) })
    };
    let a = of_a.or_else(|| of_number(l, a))?;
    let b = of_b.or_else(|| of_number(l, b))?;
    let exponent = l.select(condition, a.exponent, b.exponent);
    if a.factor.is_none() && b.factor.is_none() {
        return Some(Parts { factor: None, exponent });
    }
    let (of_a, of_b) = (written_factor(l, a.factor), written_factor(l, b.factor));
    Some(Parts { factor: Some(l.select(condition, of_a, of_b)), exponent })
}

fn product(l: &mut LoopBuilder<'_>, a: Parts, b: Parts) -> Parts {
    let factor = match (a.factor, b.factor) {
        (Some(a), Some(b)) => Some(l.binary(BinaryOp::Mul, a, b)),
        (a, b) => a.or(b),
    };
    Parts { factor, exponent: l.binary(BinaryOp::Add, a.exponent, b.exponent) }
}

fn scaled(l: &mut LoopBuilder<'_>, parts: Parts, by: ScalarId) -> Parts {
    let by = l.to_float(by);
    let factor = match parts.factor {
        Some(factor) => l.binary(BinaryOp::Mul, factor, by),
        None => by,
    };
    Parts { factor: Some(factor), ..parts }
}

fn written_factor(l: &mut LoopBuilder<'_>, factor: Option<ScalarId>) -> ScalarId {
    factor.unwrap_or_else(|| l.float(1.0))
}

/// `log(a)` as `u + log w`, where `a` is `w · exp u`, and of a sum that is written out of such terms.
pub fn log_of(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, a: ScalarId) -> Option<ScalarId> {
    if let Some(Parts { factor, exponent }) = parts(laws, l, a) {
        return laws.applied.allows(LawId::LogScaledExp).then(|| match factor {
            None => exponent,
            Some(factor) => {
                let log = l.unary(UnaryOp::Log, factor);
                l.binary(BinaryOp::Add, exponent, log)
            }
        });
    }
    let mut terms = Vec::new();
    collect_terms(laws, l, a, false, &mut terms)?;
    if terms.len() < 2 || (terms.iter().all(|term| term.factor.is_none()) && are_shifted(laws, l, &terms)) {
        return None;
    }
    if !laws.applied.allows(LawId::LogSumExp) {
        return None;
    }
    let mut greatest = None;
    for term in &terms {
        let exponent = counted_exponent(l, *term);
        greatest = Some(match greatest {
            None => exponent,
            Some(greatest) => {
                let is_greater = l.binary(BinaryOp::Lt, greatest, exponent);
                l.select(is_greater, exponent, greatest)
            }
        });
    }
    let greatest = l.unary(UnaryOp::Stop, greatest?);
    let shift = finite_or_zero(l, greatest);
    let mut total = None;
    for term in &terms {
        let value = shifted_term(l, *term, shift);
        total = Some(match total {
            None => value,
            Some(total) => l.binary(BinaryOp::Add, total, value),
        });
    }
    let log = l.unary(UnaryOp::Log, total?);
    Some(finished(l, greatest, shift, log))
}

/// The terms of a sum that is written out; `None` if one of them is no exponential.
fn collect_terms(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    id: ScalarId,
    negative: bool,
    terms: &mut Vec<Parts>,
) -> Option<()> {
    let id = seen(laws, l, id);
    match *l.scalar(id) {
        Scalar::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) if terms.len() < MOST_TERMS => {
            collect_terms(laws, l, a, negative, terms)?;
            collect_terms(laws, l, b, negative != (op == BinaryOp::Sub), terms)
        }
        _ => {
            let mut found = parts(laws, l, id)?;
            if negative {
                let factor = written_factor(l, found.factor);
                found.factor = Some(l.unary(UnaryOp::Neg, factor));
            }
            terms.push(found);
            Some(())
        }
    }
}

/// Whether all exponents are differences with the greatest of them: then the sum is written in the stable form already.
fn are_shifted(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, terms: &[Parts]) -> bool {
    let shift = |l: &mut LoopBuilder<'_>, term: &Parts| {
        let exponent = seen(laws, l, term.exponent);
        match *l.scalar(exponent) {
            Scalar::Binary(BinaryOp::Sub, of, by) => Some((seen(laws, l, of), without_stop(laws, l, by))),
            _ => None,
        }
    };
    let shifts: Option<Vec<_>> = terms.iter().map(|term| shift(l, term)).collect();
    let Some(shifts) = shifts else { return false };
    let Some((_, greatest)) = shifts.first().copied() else { return false };
    shifts.iter().all(|(_, by)| *by == greatest) && is_one_of(laws, l, greatest, &shifts)
}

/// Whether every branch of a choice, such as `max(a, b)`, is one of these scalars.
fn is_one_of(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    choice: ScalarId,
    among: &[(ScalarId, ScalarId)],
) -> bool {
    let choice = seen(laws, l, choice);
    match *l.scalar(choice) {
        _ if among.iter().any(|(one, _)| *one == choice) => true,
        Scalar::Select(_, a, b) => is_one_of(laws, l, a, among) && is_one_of(laws, l, b, among),
        _ => false,
    }
}

/// Whether a sum over `summed` of exponentials is written in the stable form already: it has no factor that depends on
/// these indices, and the exponent is a difference with the greatest number along them.
pub fn is_shifted(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, term: Parts, summed: &[usize]) -> bool {
    let exponent = seen(laws, l, term.exponent);
    let Scalar::Binary(BinaryOp::Sub, of, by) = *l.scalar(exponent) else { return false };
    let is_constant = |l: &LoopBuilder<'_>, id: ScalarId| !summed.iter().any(|index| depends_on(l, id, *index));
    is_constant(l, by)
        && term.factor.is_none_or(|factor| is_constant(l, factor))
        && is_greatest(laws, l, of, by, summed)
}

/// Whether `greatest` is the maximum over `summed`, and no other axes, of the tensor that `of` is read from.
fn is_greatest(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    of: ScalarId,
    greatest: ScalarId,
    summed: &[usize],
) -> bool {
    let greatest = without_stop(laws, l, greatest);
    let Scalar::Read { operand: at, .. } = *l.scalar(greatest) else { return false };
    let Scalar::Read { operand, subs, padded: false } = l.scalar(of).clone() else { return false };
    let (maximum, source) = (&laws.graph[l.operands()[at as usize]], l.operands()[operand as usize]);
    let Op::Loop(body) = &maximum.op else { return false };
    let Scalar::Read { operand, subs: read, padded: false } = &body.body.nodes[body.body.result.0 as usize] else {
        return false;
    };
    let is_index = |sub: &Sub, index: usize| matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(index));
    let is_summed = |sub: &Sub| summed.iter().any(|index| is_index(sub, *index));
    let is_reduced = |index: usize| (0..body.write.len()).all(|axis| body.write_index(axis) != Some(index));
    body.combine == Combine::Max
        && !body.dropping
        && maximum.operands[*operand as usize] == source
        && (0..body.domain.len()).filter(|index| is_reduced(*index)).all(|index| {
            read.iter().zip(&subs).any(|(sub, at)| is_index(sub, index) && is_summed(at))
        })
}

/// The definition of a scalar, or of what it is a constant copy of.
fn without_stop(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> ScalarId {
    let mut id = seen(laws, l, id);
    while let Scalar::Unary(UnaryOp::Stop, a) = *l.scalar(id) {
        id = seen(laws, l, a);
    }
    id
}

/// Whether a scalar depends on an index of the domain.
pub fn depends_on(l: &LoopBuilder<'_>, id: ScalarId, index: usize) -> bool {
    let has = |affine: &Affine| affine.terms.iter().any(|(var, _)| *var == Var::Index(index as u32));
    let mut waiting = vec![id];
    let mut looked_at = vec![false; l.scalars().len()];
    while let Some(id) = waiting.pop() {
        if std::mem::replace(&mut looked_at[id.0 as usize], true) {
            continue;
        }
        match l.scalar(id) {
            Scalar::Affine(affine) if has(affine) => return true,
            Scalar::Read { subs, .. } => {
                for sub in subs {
                    match sub {
                        Sub::Affine(affine) if has(affine) => return true,
                        Sub::Affine(_) => {}
                        Sub::Value(id) => waiting.push(*id),
                    }
                }
            }
            other => {
                other.map_operands(|operand| {
                    waiting.push(operand);
                    operand
                });
            }
        }
    }
    false
}

/// The exponent of a term, or -inf if the term is 0.
pub fn counted_exponent(l: &mut LoopBuilder<'_>, term: Parts) -> ScalarId {
    let Some(factor) = term.factor else { return term.exponent };
    let (zero, least) = (l.float(0.0), l.float(f64::NEG_INFINITY));
    let is_zero = l.binary(BinaryOp::Eq, factor, zero);
    l.select(is_zero, least, term.exponent)
}

/// 0 for an infinite number, every other one as it is.
pub fn finite_or_zero(l: &mut LoopBuilder<'_>, greatest: ScalarId) -> ScalarId {
    let (zero, infinite) = (l.float(0.0), is_infinite(l, greatest));
    l.select(infinite, zero, greatest)
}

fn is_infinite(l: &mut LoopBuilder<'_>, id: ScalarId) -> ScalarId {
    let (most, least) = (l.float(f64::INFINITY), l.float(f64::NEG_INFINITY));
    let (above, below) = (l.binary(BinaryOp::Eq, id, most), l.binary(BinaryOp::Eq, id, least));
    l.binary(BinaryOp::Or, above, below)
}

/// `w exp(min(u - shift, 80))`
pub fn shifted_term(l: &mut LoopBuilder<'_>, term: Parts, shift: ScalarId) -> ScalarId {
    let difference = l.binary(BinaryOp::Sub, term.exponent, shift);
    let most = l.float(GREATEST_EXPONENT);
    let is_above = l.binary(BinaryOp::Lt, most, difference);
    let exponent = l.select(is_above, most, difference);
    let power = l.unary(UnaryOp::Exp, exponent);
    match term.factor {
        Some(factor) => l.binary(BinaryOp::Mul, factor, power),
        None => power,
    }
}

/// Whether an exponent has the form that [`shifted_term`] gives it.
fn is_limited(l: &LoopBuilder<'_>, exponent: ScalarId) -> bool {
    let Scalar::Select(condition, most, difference) = *l.scalar(exponent) else { return false };
    let is_most = |id: ScalarId| matches!(l.scalar(id), Scalar::Float(number) if number.0 == GREATEST_EXPONENT);
    is_most(most)
        && matches!(*l.scalar(condition), Scalar::Binary(BinaryOp::Lt, a, b) if is_most(a) && b == difference)
}

/// `log + shift`, or the greatest exponent if that is infinite: then it is the sum's logarithm.
pub fn finished(l: &mut LoopBuilder<'_>, greatest: ScalarId, shift: ScalarId, log: ScalarId) -> ScalarId {
    let sum = l.binary(BinaryOp::Add, log, shift);
    let infinite = is_infinite(l, greatest);
    l.select(infinite, greatest, sum)
}
