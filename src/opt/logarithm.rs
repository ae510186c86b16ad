//! Laws of logarithms: `log` of what was made by `exp` needs neither.
//!
//! They are applied before differentiation too, where they matter most: the derivative of
//! `log(exp(z) / sum(exp(z)))` is `1 - p` in a form that cannot overflow, that of `log(sigmoid(z))` is `1 - a`.
//! To find the `exp` they look into the elementwise nodes that are read.

use super::scalar::{Laws, is_number};
use crate::ir::compose::inline;
use crate::ir::signs::Sign;
use crate::ir::{BinaryOp, LoopBuilder, Op, Scalar, ScalarId, UnaryOp};

/// An expression that is looked into is no longer than this.
const LONGEST: usize = 40;

/// `log(a)` without the logarithm of `a`, if there is a law for it.
pub fn of(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, a: ScalarId) -> Option<ScalarId> {
    of_to_depth(laws, l, a, 4)
}

fn of_to_depth(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    a: ScalarId,
    depth: usize,
) -> Option<ScalarId> {
    if let Some(u) = logistic(l, a) {
        return Some(log_logistic(laws, l, a, u));
    }
    match l.scalar(a).clone() {
        // log(exp u) = u
        Scalar::Unary(UnaryOp::Exp, u) => Some(u),
        // log(x / y) = log x - log y for x, y > 0, where log x or log y is known
        Scalar::Binary(BinaryOp::Div, x, y) => {
            if laws.sign(l, x) < Sign::Positive || laws.sign(l, y) < Sign::Positive {
                return None;
            }
            let log_x = of_to_depth(laws, l, x, depth);
            let log_y = of_to_depth(laws, l, y, depth);
            if log_x.is_none() && log_y.is_none() && !is_number(l, x, 1.0) {
                return None;
            }
            let log_x = log_x.unwrap_or_else(|| plain(laws, l, x));
            let log_y = log_y.unwrap_or_else(|| plain(laws, l, y));
            Some(laws.binary(l, BinaryOp::Sub, log_x, log_y))
        }
        // log(x y) = log x + log y for x, y > 0, where log x or log y is known
        Scalar::Binary(BinaryOp::Mul, x, y) => {
            if laws.sign(l, x) < Sign::Positive || laws.sign(l, y) < Sign::Positive {
                return None;
            }
            let log_x = of_to_depth(laws, l, x, depth);
            let log_y = of_to_depth(laws, l, y, depth);
            if log_x.is_none() && log_y.is_none() {
                return None;
            }
            let log_x = log_x.unwrap_or_else(|| plain(laws, l, x));
            let log_y = log_y.unwrap_or_else(|| plain(laws, l, y));
            Some(laws.binary(l, BinaryOp::Add, log_x, log_y))
        }
        // log(1 - s) for a logistic s
        Scalar::Binary(BinaryOp::Sub, one, s) if is_number(l, one, 1.0) => {
            let s = looked_into(laws, l, s, depth, |l, s| logistic(l, s).is_some()).unwrap_or(s);
            let u = logistic(l, s)?;
            Some(log_one_minus_logistic(laws, l, s, u))
        }
        Scalar::Read { .. } if depth > 0 => {
            let inner = read_inlined(laws, l, a)?;
            of_to_depth(laws, l, inner, depth - 1)
        }
        _ => None,
    }
}

fn plain(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, a: ScalarId) -> ScalarId {
    match *l.scalar(a) {
        Scalar::Float(value) => l.float(value.0.ln()),
        _ => laws.unary(l, UnaryOp::Log, a),
    }
}

/// What elementwise nodes make of a read, as far down as `wanted` asks.
fn looked_into(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    id: ScalarId,
    depth: usize,
    wanted: fn(&LoopBuilder<'_>, ScalarId) -> bool,
) -> Option<ScalarId> {
    let mut id = id;
    for _ in 0..=depth {
        if wanted(l, id) {
            return Some(id);
        }
        id = read_inlined(laws, l, id)?;
    }
    None
}

/// The expression of an elementwise node in place of a read of it.
fn read_inlined(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    let Scalar::Read { operand, subs, padded: false } = l.scalar(id).clone() else { return None };
    let node = l.operands()[operand as usize];
    let Op::Loop(producer) = &laws.graph[node].op else { return None };
    if producer.body.nodes.len() > LONGEST || laws.opaque.get(node.0 as usize) == Some(&true) {
        return None;
    }
    let graph = laws.graph;
    inline(l, graph, node, &subs, false, &mut |l, _, scalar| laws.make(l, scalar))
}

/// `u`, if the scalar is `1 / (1 + exp(u))`, with a slope of its own or without.
pub fn logistic(l: &LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    match *l.scalar(id) {
        Scalar::Binary(BinaryOp::Div, one, sum) if is_number(l, one, 1.0) => match *l.scalar(sum) {
            Scalar::Binary(BinaryOp::Add, one, power) if is_number(l, one, 1.0) => match *l.scalar(power) {
                Scalar::Unary(UnaryOp::Exp, u) => Some(u),
                _ => None,
            },
            _ => None,
        },
        Scalar::WithSlope { value, .. } => logistic(l, value),
        _ => None,
    }
}

/// For `s = 1 / (1 + exp u)`: log s = -log(1 + exp u), with slope `s - 1` by `u`.
fn log_logistic(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, s: ScalarId, u: ScalarId) -> ScalarId {
    let value = softplus(laws, l, u);
    let value = laws.negated(l, value);
    if laws.strip {
        return value;
    }
    let one = l.float(1.0);
    let slope = l.binary(BinaryOp::Sub, s, one);
    l.add(Scalar::WithSlope { value, arg: u, slope })
}

/// For `s = 1 / (1 + exp u)`: log(1 - s) = -log(1 + exp(-u)), with slope `s` by `u`.
fn log_one_minus_logistic(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    s: ScalarId,
    u: ScalarId,
) -> ScalarId {
    let negative = laws.negated(l, u);
    let value = softplus(laws, l, negative);
    let value = laws.negated(l, value);
    if laws.strip {
        return value;
    }
    l.add(Scalar::WithSlope { value, arg: u, slope: s })
}

/// log(1 + exp u) = max(u, 0) + log(1 + exp(-|u|)), which does not overflow.
fn softplus(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, u: ScalarId) -> ScalarId {
    let zero = l.float(0.0);
    let one = l.float(1.0);
    let positive = l.binary(BinaryOp::Lt, zero, u);
    let most = l.select(positive, u, zero);
    let negated = laws.negated(l, u);
    let least = l.select(positive, negated, u);
    let power = l.unary(UnaryOp::Exp, least);
    let sum = l.binary(BinaryOp::Add, one, power);
    let rest = l.unary(UnaryOp::Log, sum);
    l.binary(BinaryOp::Add, most, rest)
}
