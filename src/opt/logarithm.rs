//! Laws of logarithms: the logarithm of an exponential needs neither `log` nor `exp`.
//!
//! They are applied before differentiation only, so that the derivative is that of the value that is computed: the
//! derivative of
//! `log(exp(z) / sum(exp(z)))` is then `1 - p` in a form that cannot overflow, that of `log(sigmoid(z))` is `1 - a`.
//! Applied afterwards they would make the value finite where the derivative is 0 / 0.
//!
//! To find the `exp` they look into the elementwise nodes that are read, through views and axes of size 1.

use super::laws::LawId;
use super::exponentials;
use super::logistic;
use super::scalar::{Laws, is_number};
use crate::ir::compose::{inline, inside};
use crate::ir::signs::Sign;
use crate::ir::{Affine, BinaryOp, Dim, LoopBuilder, Op, Scalar, ScalarId, Sub, UnaryOp};

/// Only expressions with at most so many scalars are looked into.
const LONGEST: usize = 40;
/// At most so many scalars are added while looking.
const MOST_SCALARS: usize = 1200;
/// At most so many nodes are looked through one behind the other.
const DEEPEST: usize = 12;

/// `log(a)` computed without the logarithm of `a`, if a law says how.
pub fn of(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, a: ScalarId) -> Option<ScalarId> {
    of_to_depth(laws, l, a, 4)
}

fn of_to_depth(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    a: ScalarId,
    depth: usize,
) -> Option<ScalarId> {
    if depth == 0 {
        return None;
    }
    if let Some(u) = logistic::of(laws, l, a, 6) {
        return laws.applied.allows(LawId::LogSigmoid).then(|| log_logistic(laws, l, u));
    }
    let found = of_form(laws, l, a, depth);
    if found.is_some() || laws.logs.is_none() { found } else { exponentials::log_of(laws, l, a) }
}

fn of_form(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    a: ScalarId,
    depth: usize,
) -> Option<ScalarId> {
    let whole = seen(laws, l, a);
    match l.scalar(whole).clone() {
        Scalar::Unary(UnaryOp::Exp, u) => laws.applied.allows(LawId::LogExp).then_some(u),
        Scalar::Binary(BinaryOp::Div, x, y) => {
            let of_one = number(laws, l, x) == Some(1.0);
            let (log_x, log_y) = logs(laws, l, x, y, depth, of_one)?;
            laws.applied.allows(LawId::LogQuotient).then(|| l.binary(BinaryOp::Sub, log_x, log_y))
        }
        Scalar::Binary(BinaryOp::Mul, x, y) => {
            let (log_x, log_y) = logs(laws, l, x, y, depth, false)?;
            laws.applied.allows(LawId::LogProduct).then(|| l.binary(BinaryOp::Add, log_x, log_y))
        }
        Scalar::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), x, y) => log_of_sum(laws, l, op, x, y),
        Scalar::Select(condition, x, y) => {
            let (log_x, log_y) = (of_to_depth(laws, l, x, depth - 1), of_to_depth(laws, l, y, depth - 1));
            if log_x.is_none() && log_y.is_none() {
                return None;
            }
            let log_x = log_x.or_else(|| log_of_number(laws, l, x))?;
            let log_y = log_y.or_else(|| log_of_number(laws, l, y))?;
            laws.applied.allows(LawId::LogSelect).then(|| l.select(condition, log_x, log_y))
        }
        Scalar::Read { operand, subs, padded } => log_of_read(laws, l, operand, subs, padded),
        _ => None,
    }
}

fn log_of_number(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    let number = number(laws, l, id)?;
    Some(l.float(number.ln()))
}

/// The logarithm of an element of a node whose logarithms are a node of their own; -inf outside of it.
fn log_of_read(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    operand: u32,
    subs: Vec<Sub>,
    padded: bool,
) -> Option<ScalarId> {
    let node = l.operands()[operand as usize];
    let log = laws.logs?.borrow_mut().of(node)?;
    if !padded {
        return Some(l.read(log, subs));
    }
    let test = inside(l, &subs, laws.graph.shape(node));
    let found = l.read_padded(log, subs);
    let outside = l.float(f64::NEG_INFINITY);
    Some(match test {
        Some(test) => l.select(test, found, outside),
        None => found,
    })
}

/// The logarithms of two numbers, one of which is known by a law; the other one must be above 0.
fn logs(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    x: ScalarId,
    y: ScalarId,
    depth: usize,
    either: bool,
) -> Option<(ScalarId, ScalarId)> {
    let (log_x, log_y) = (of_to_depth(laws, l, x, depth - 1), of_to_depth(laws, l, y, depth - 1));
    if log_x.is_none() && log_y.is_none() && !either {
        return None;
    }
    let mut plain = |l: &mut LoopBuilder<'_>, known: Option<ScalarId>, of: ScalarId| match known {
        Some(known) => Some(known),
        None if laws.sign(l, of) < Sign::Positive => None,
        None => match number(laws, l, of) {
            Some(number) => Some(l.float(number.ln())),
            None => Some(l.unary(UnaryOp::Log, of)),
        },
    };
    Some((plain(l, log_x, x)?, plain(l, log_y, y)?))
}

/// The logarithm of `1 + exp u`, of `1 ± tanh v` and of `1 - tanh² v`.
fn log_of_sum(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    x: ScalarId,
    y: ScalarId,
) -> Option<ScalarId> {
    if let Some(u) = logistic::of_tanh(laws, l, op, x, y) {
        if !laws.applied.allows(LawId::LogOnePlusTanh) {
            return None;
        }
        let (two, log) = (l.float(std::f64::consts::LN_2), log_logistic(laws, l, u));
        return Some(l.binary(BinaryOp::Add, two, log));
    }
    if let Some(v) = logistic::one_minus_tanh_squared(laws, l, op, x, y) {
        let allowed = !laws.applied.is_for_reading() && laws.applied.allows(LawId::LogOneMinusTanhSquared);
        return allowed.then(|| log_of_tanh_slope(l, v));
    }
    let u = logistic::one_plus_exp(laws, l, op, x, y)?;
    // There is nothing to gain where u is known not to be above 0, as in the result of this law, nor in formulas
    // that are only read.
    if laws.applied.is_for_reading() || is_not_positive(laws, l, u) {
        return None;
    }
    laws.applied.allows(LawId::LogOnePlusExp).then(|| {
        let value = softplus(l, u);
        let slope = logistic_of_negative(l, u);
        l.add(Scalar::WithSlope { value, arg: u, slope })
    })
}

/// log(1 - tanh² v) = 2 log 2 - 2 |v| - 2 log(1 + exp(-2 |v|)), whose slope is `-2 tanh v`.
fn log_of_tanh_slope(l: &mut LoopBuilder<'_>, v: ScalarId) -> ScalarId {
    let (two, one) = (l.float(2.0), l.float(1.0));
    let twice = l.binary(BinaryOp::Mul, two, v);
    let least = minus_absolute(l, twice);
    let power = l.unary(UnaryOp::Exp, least);
    let sum = l.binary(BinaryOp::Add, one, power);
    let log = l.unary(UnaryOp::Log, sum);
    let logs = l.binary(BinaryOp::Mul, two, log);
    let start = l.float(2.0 * std::f64::consts::LN_2);
    let start = l.binary(BinaryOp::Add, start, least);
    let value = l.binary(BinaryOp::Sub, start, logs);
    let (minus_two, t) = (l.float(-2.0), l.unary(UnaryOp::Tanh, v));
    let slope = l.binary(BinaryOp::Mul, minus_two, t);
    l.add(Scalar::WithSlope { value, arg: v, slope })
}

/// Law `log1p-exp`: for a function of `arg = exp u` whose declared slope is `1 / (1 + arg)` and which is `arg` where
/// that is small, that is log(1 + arg), the value `max(u, 0) + log(1 + exp(-|u|))` as accurate as it was.
pub fn of_log1p(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    value: ScalarId,
    arg: ScalarId,
    slope: ScalarId,
) -> Option<ScalarId> {
    let power = seen(laws, l, arg);
    let Scalar::Unary(UnaryOp::Exp, u) = *l.scalar(power) else { return None };
    let slope = seen(laws, l, slope);
    let Scalar::Binary(BinaryOp::Div, one, sum) = *l.scalar(slope) else { return None };
    if number(laws, l, one) != Some(1.0) || !is_one_plus(laws, l, sum, power) {
        return None;
    }
    let is_log1p = is_identity_near_zero(laws, l, value, power);
    if !is_log1p || is_not_positive(laws, l, u) || !laws.applied.allows(LawId::Log1pExp) {
        return None;
    }
    let (most, power) = parts_of_softplus(l, u);
    let one = l.float(1.0);
    let sum = l.binary(BinaryOp::Add, one, power);
    let (is_small, log) = (l.binary(BinaryOp::Eq, sum, one), l.unary(UnaryOp::Log, sum));
    let rounded = l.binary(BinaryOp::Sub, sum, one);
    let correction = l.binary(BinaryOp::Div, power, rounded);
    let product = l.binary(BinaryOp::Mul, log, correction);
    let rest = l.select(is_small, power, product);
    let value = l.binary(BinaryOp::Add, most, rest);
    let slope = logistic_of_negative(l, u);
    Some(l.add(Scalar::WithSlope { value, arg: u, slope }))
}

/// Whether a value has a case `if 1 + x == 1 then x`, perhaps with other conditions for which it is `x`, too.
fn is_identity_near_zero(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, value: ScalarId, x: ScalarId) -> bool {
    let mut value = seen(laws, l, value);
    while let Scalar::Select(condition, then, otherwise) = *l.scalar(value) {
        if holds_near_zero(laws, l, condition, x) && seen(laws, l, then) == x {
            return true;
        }
        value = seen(laws, l, otherwise);
    }
    false
}

/// Whether a condition is `1 + x == 1`, or that or something else.
fn holds_near_zero(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, condition: ScalarId, x: ScalarId) -> bool {
    let condition = seen(laws, l, condition);
    match *l.scalar(condition) {
        Scalar::Binary(BinaryOp::Or, a, b) => {
            holds_near_zero(laws, l, a, x) || holds_near_zero(laws, l, b, x)
        }
        Scalar::Binary(BinaryOp::Eq, a, b) => {
            let sum = logistic::other_than(laws, l, a, b, 1.0);
            sum.is_some_and(|sum| is_one_plus(laws, l, sum, x))
        }
        _ => false,
    }
}

fn is_one_plus(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, sum: ScalarId, x: ScalarId) -> bool {
    let sum = seen(laws, l, sum);
    let Scalar::Binary(BinaryOp::Add, a, b) = *l.scalar(sum) else { return false };
    logistic::other_than(laws, l, a, b, 1.0).is_some_and(|other| seen(laws, l, other) == x)
}

/// Whether a value is `-|x|` in the form of [`softplus`] or the negative of what is not below 0.
fn is_not_positive(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> bool {
    let id = seen(laws, l, id);
    match *l.scalar(id) {
        Scalar::Unary(UnaryOp::Neg, x) => {
            laws.sign(l, x) >= Sign::NotNegative || is_absolute_value(laws, l, x)
        }
        Scalar::Select(condition, a, b) => {
            let is_above_zero = matches!(*l.scalar(condition),
                Scalar::Binary(BinaryOp::Lt, zero, x) if x == b && is_number(l, zero, 0.0));
            let is_negative =
                |x: ScalarId, y: ScalarId| matches!(*l.scalar(x), Scalar::Unary(UnaryOp::Neg, of) if of == y);
            is_above_zero && (is_negative(a, b) || is_negative(b, a))
        }
        _ => false,
    }
}

/// Whether a value is `if x < 0 then -x else x`, or else `if x == 0 then 0 else x`, be its parts nodes of their own.
fn is_absolute_value(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> bool {
    let id = seen(laws, l, id);
    let Scalar::Select(condition, then, otherwise) = *l.scalar(id) else { return false };
    let [condition, then, otherwise] = [condition, then, otherwise].map(|part| seen(laws, l, part));
    let Scalar::Binary(BinaryOp::Lt, x, bound) = *l.scalar(condition) else { return false };
    let Scalar::Unary(UnaryOp::Neg, negative) = *l.scalar(then) else { return false };
    let x = seen(laws, l, x);
    if number(laws, l, bound) != Some(0.0) || seen(laws, l, negative) != x {
        return false;
    }
    match *l.scalar(otherwise) {
        Scalar::Select(test, zero, plain) => {
            let test = seen(laws, l, test);
            let is_test = match *l.scalar(test) {
                Scalar::Binary(BinaryOp::Eq, of, bound) => {
                    seen(laws, l, of) == x && number(laws, l, bound) == Some(0.0)
                }
                _ => false,
            };
            is_test && number(laws, l, zero) == Some(0.0) && seen(laws, l, plain) == x
        }
        _ => otherwise == x,
    }
}

/// For `s = 1 / (1 + exp u)`: log s = -log(1 + exp u). With `a = 1 / (1 + exp(-z))` its slope by `z` is `1 - a` for
/// `u = -z` and `-a` for `u = z`: so the derivatives of `log a` and of `log(1 - a)` are computed from the same `a`.
pub fn log_logistic(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, u: ScalarId) -> ScalarId {
    let value = softplus(l, u);
    let value = l.unary(UnaryOp::Neg, value);
    if laws.strip {
        return value;
    }
    let (is_negative, arg) = without_signs(laws, l, u);
    let a = logistic_of_negative(l, arg);
    let slope = if is_negative {
        let one = l.float(1.0);
        l.binary(BinaryOp::Sub, one, a)
    } else {
        l.unary(UnaryOp::Neg, a)
    };
    l.add(Scalar::WithSlope { value, arg, slope })
}

/// A scalar without its negations, and whether their number is odd. Elementwise nodes are looked into only if they
/// negate.
fn without_signs(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> (bool, ScalarId) {
    let (mut negative, mut id) = (false, id);
    for _ in 0..DEEPEST {
        let looked_into = read_inlined(laws, l, id).unwrap_or(id);
        let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(looked_into) else { break };
        (negative, id) = (!negative, inner);
    }
    (negative, id)
}

/// 1 / (1 + exp(-u))
fn logistic_of_negative(l: &mut LoopBuilder<'_>, u: ScalarId) -> ScalarId {
    let negative = negated(l, u);
    let (one, power) = (l.float(1.0), l.unary(UnaryOp::Exp, negative));
    let sum = l.binary(BinaryOp::Add, one, power);
    l.binary(BinaryOp::Div, one, sum)
}

/// log(1 + exp u) = max(u, 0) + log(1 + exp(-|u|)), which does not overflow.
fn softplus(l: &mut LoopBuilder<'_>, u: ScalarId) -> ScalarId {
    let (most, power) = parts_of_softplus(l, u);
    let one = l.float(1.0);
    let sum = l.binary(BinaryOp::Add, one, power);
    let rest = l.unary(UnaryOp::Log, sum);
    l.binary(BinaryOp::Add, most, rest)
}

/// max(u, 0) and exp(-|u|)
fn parts_of_softplus(l: &mut LoopBuilder<'_>, u: ScalarId) -> (ScalarId, ScalarId) {
    let zero = l.float(0.0);
    let positive = l.binary(BinaryOp::Lt, zero, u);
    let most = l.select(positive, u, zero);
    let least = minus_absolute(l, u);
    (most, l.unary(UnaryOp::Exp, least))
}

/// `-|u|`
fn minus_absolute(l: &mut LoopBuilder<'_>, u: ScalarId) -> ScalarId {
    let zero = l.float(0.0);
    let positive = l.binary(BinaryOp::Lt, zero, u);
    let negative = negated(l, u);
    l.select(positive, negative, u)
}

/// `-a`, which is `b` for `a = -b`.
pub fn negated(l: &mut LoopBuilder<'_>, a: ScalarId) -> ScalarId {
    match *l.scalar(a) {
        Scalar::Unary(UnaryOp::Neg, inner) => inner,
        Scalar::Float(number) => l.float(-number.0),
        _ => l.unary(UnaryOp::Neg, a),
    }
}

/// The number that a scalar is, if it is a constant or an element of a fill.
pub fn number(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<f64> {
    let id = seen(laws, l, id);
    match l.scalar(id) {
        Scalar::Float(number) => Some(number.0),
        _ => None,
    }
}

/// The definition of a scalar: reads of elementwise nodes are replaced by the expressions of these nodes, until the
/// scalar is no such read. `x + 0` counts as `x`: it changes the sign of a zero at most, and the logarithms of both
/// zeros are equal.
pub fn seen(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> ScalarId {
    let mut id = id;
    for _ in 0..DEEPEST {
        let inner = match *l.scalar(id) {
            Scalar::Read { .. } => read_inlined(laws, l, id),
            Scalar::Binary(BinaryOp::Add | BinaryOp::Sub, a, b) if is_number(l, b, 0.0) => Some(a),
            Scalar::Binary(BinaryOp::Add, a, b) if is_number(l, a, 0.0) => Some(b),
            _ => None,
        };
        match inner {
            Some(inner) => id = inner,
            None => break,
        }
    }
    id
}

/// The expression of an elementwise node in place of a read of it.
fn read_inlined(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    let Scalar::Read { operand, subs, padded: false } = l.scalar(id).clone() else { return None };
    let node = l.operands()[operand as usize];
    if laws.opaque.get(node.0 as usize) == Some(&true) || l.scalars().len() > MOST_SCALARS {
        return None;
    }
    let graph = laws.graph;
    match &graph[node].op {
        Op::Loop(producer) if producer.body.nodes.len() <= LONGEST => {
            inline(l, graph, node, &subs, false, &mut |l, _, scalar| l.add(scalar))
        }
        Op::Reshape { shape } => {
            let source = graph[node].operands[0];
            let subs = before_reshape(graph.shape(source), shape, &subs)?;
            Some(l.read(source, subs))
        }
        _ => None,
    }
}

/// The subscripts of an element before axes of size 1 came or went; `None` if more was changed than that.
fn before_reshape(before: &[Dim], after: &[Dim], subs: &[Sub]) -> Option<Vec<Sub>> {
    let mut left = after.iter().zip(subs).filter(|(size, _)| !size.is_number(1));
    let mut found = Vec::with_capacity(before.len());
    for size in before {
        if size.is_number(1) {
            found.push(Sub::Affine(Affine::constant(0i64)));
            continue;
        }
        let (same, sub) = left.next()?;
        if same != size {
            return None;
        }
        found.push(sub.clone());
    }
    left.next().is_none().then_some(found)
}
