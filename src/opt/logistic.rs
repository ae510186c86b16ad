//! Recognition of the logistic function `1 / (1 + exp u)` in the forms that people write it in.
//!
//! | written | u |
//! |---|---|
//! | `1 / (1 + exp(-z))` | `-z` |
//! | `exp(z) / (1 + exp(z))` | `-z` |
//! | `0.5 * (1 + tanh(v))`, `(1 + tanh(v)) / 2`, `0.5 + 0.5 * tanh(v)` | `-2 v` |
//! | `1 - s`, where s is one | that of s, negated |
//! | `if c then s else t`, where both are | `if c then … else …` |
//! | an activation with a declared slope | that of its value, if the slope is the true one |

use super::logarithm::{negated, number, seen};
use super::scalar::Laws;
use crate::ir::{BinaryOp, LoopBuilder, Scalar, ScalarId, UnaryOp};

/// `u`, if the scalar is `1 / (1 + exp u)` in one of the ways of the table.
pub fn of(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId, depth: usize) -> Option<ScalarId> {
    if depth == 0 {
        return None;
    }
    let id = seen(laws, l, id);
    match *l.scalar(id) {
        Scalar::WithSlope { value, arg, slope } => {
            let u = of(laws, l, value, depth - 1)?;
            is_true_slope(laws, l, u, arg, slope, depth - 1).then_some(u)
        }
        Scalar::Binary(BinaryOp::Div, a, b) => of_quotient(laws, l, a, b),
        Scalar::Binary(BinaryOp::Mul, a, b) => {
            let sum = other_than(laws, l, a, b, 0.5)?;
            of_tanh_sum(laws, l, sum)
        }
        Scalar::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) => {
            if op == BinaryOp::Sub && number(laws, l, a) == Some(1.0) {
                let u = of(laws, l, b, depth - 1)?;
                return Some(negated(l, u));
            }
            of_half_and_half_tanh(laws, l, op, a, b)
        }
        Scalar::Select(condition, a, b) => {
            let (a, b) = (of(laws, l, a, depth - 1)?, of(laws, l, b, depth - 1)?);
            Some(if a == b { a } else { l.select(condition, a, b) })
        }
        _ => None,
    }
}

/// `a / b` as a logistic function.
fn of_quotient(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, a: ScalarId, b: ScalarId) -> Option<ScalarId> {
    if number(laws, l, b) == Some(2.0) {
        return of_tanh_sum(laws, l, a);
    }
    let below = seen(laws, l, b);
    let Scalar::Binary(op, x, y) = *l.scalar(below) else { return None };
    let u = one_plus_exp(laws, l, op, x, y)?;
    if number(laws, l, a) == Some(1.0) {
        return Some(u);
    }
    let above = seen(laws, l, a);
    let Scalar::Unary(UnaryOp::Exp, v) = *l.scalar(above) else { return None };
    (signed(laws, l, v) == signed(laws, l, u)).then(|| negated(l, u))
}

/// `u`, if `x op y` is `1 + exp u` or `exp u + 1`.
pub fn one_plus_exp(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    x: ScalarId,
    y: ScalarId,
) -> Option<ScalarId> {
    if op != BinaryOp::Add {
        return None;
    }
    let power = other_than(laws, l, x, y, 1.0)?;
    let power = seen(laws, l, power);
    match *l.scalar(power) {
        Scalar::Unary(UnaryOp::Exp, u) => Some(u),
        _ => None,
    }
}

/// For `sum = 1 ± tanh v`, twice a logistic function, its `u = ∓2 v`.
fn of_tanh_sum(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, sum: ScalarId) -> Option<ScalarId> {
    let sum = seen(laws, l, sum);
    let Scalar::Binary(op, x, y) = *l.scalar(sum) else { return None };
    of_tanh(laws, l, op, x, y)
}

/// The same for `x op y`.
pub fn of_tanh(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    x: ScalarId,
    y: ScalarId,
) -> Option<ScalarId> {
    let angle = match op {
        BinaryOp::Add => other_than(laws, l, x, y, 1.0)?,
        BinaryOp::Sub if number(laws, l, x) == Some(1.0) => y,
        _ => return None,
    };
    let angle = seen(laws, l, angle);
    let Scalar::Unary(UnaryOp::Tanh, v) = *l.scalar(angle) else { return None };
    Some(twice(l, v, op == BinaryOp::Add))
}

/// `0.5 ± 0.5 tanh v` and `0.5 ± tanh(v) / 2`.
fn of_half_and_half_tanh(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    x: ScalarId,
    y: ScalarId,
) -> Option<ScalarId> {
    let part = match op {
        BinaryOp::Add => other_than(laws, l, x, y, 0.5)?,
        _ if number(laws, l, x) == Some(0.5) => y,
        _ => return None,
    };
    let part = seen(laws, l, part);
    let angle = match *l.scalar(part) {
        Scalar::Binary(op, a, b) => half(laws, l, op, a, b)?,
        _ => return None,
    };
    let angle = seen(laws, l, angle);
    let Scalar::Unary(UnaryOp::Tanh, v) = *l.scalar(angle) else { return None };
    Some(twice(l, v, op == BinaryOp::Add))
}

/// `2 v` or `-2 v`.
fn twice(l: &mut LoopBuilder<'_>, v: ScalarId, negative: bool) -> ScalarId {
    let two = l.float(2.0);
    let twice = l.binary(BinaryOp::Mul, two, v);
    if negative { negated(l, twice) } else { twice }
}

/// One of two scalars, if the other one is this number.
pub fn other_than(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    a: ScalarId,
    b: ScalarId,
    wanted: f64,
) -> Option<ScalarId> {
    if number(laws, l, a) == Some(wanted) {
        return Some(b);
    }
    (number(laws, l, b) == Some(wanted)).then_some(a)
}

/// Whether the slope that is declared for `s = 1 / (1 + exp u)` by `arg` is its derivative, `±s (1 - s)`, which
/// is also `±0.25 (1 - tanh²(u / 2))`. `u` must be `arg` or `-arg`.
fn is_true_slope(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    u: ScalarId,
    arg: ScalarId,
    slope: ScalarId,
    depth: usize,
) -> bool {
    let (of_u, of_arg) = (signed(laws, l, u), signed(laws, l, arg));
    if of_u.1 != of_arg.1 {
        return false;
    }
    let (is_negative, size) = signed(laws, l, slope);
    if is_negative != (of_u.0 == of_arg.0) {
        return false;
    }
    let Scalar::Binary(BinaryOp::Mul, a, b) = *l.scalar(size) else { return false };
    if let Some(rest) = other_than(laws, l, a, b, 0.25) {
        return is_one_minus_tanh_squared(laws, l, rest, of_u.1);
    }
    let (Some(a), Some(b)) = (of(laws, l, a, depth), of(laws, l, b, depth)) else { return false };
    let (a, b) = (signed(laws, l, a), signed(laws, l, b));
    a.1 == of_u.1 && b.1 == of_u.1 && a.0 != b.0
}

/// Whether this is `1 - tanh²(x / 2)` for the scalar `x` or its negative.
fn is_one_minus_tanh_squared(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    id: ScalarId,
    x: ScalarId,
) -> bool {
    let id = seen(laws, l, id);
    let Scalar::Binary(op, a, b) = *l.scalar(id) else { return false };
    let Some(angle) = one_minus_tanh_squared(laws, l, op, a, b) else { return false };
    let angle = seen(laws, l, angle);
    let Scalar::Binary(op, a, b) = *l.scalar(angle) else { return false };
    half(laws, l, op, a, b).is_some_and(|whole| signed(laws, l, whole).1 == x)
}

/// `v`, if `x op y` is `1 - tanh² v`.
pub fn one_minus_tanh_squared(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    x: ScalarId,
    y: ScalarId,
) -> Option<ScalarId> {
    if op != BinaryOp::Sub || number(laws, l, x) != Some(1.0) {
        return None;
    }
    let square = seen(laws, l, y);
    let Scalar::Binary(BinaryOp::Mul, t, again) = *l.scalar(square) else { return None };
    if signed(laws, l, t) != signed(laws, l, again) {
        return None;
    }
    let t = seen(laws, l, t);
    match *l.scalar(t) {
        Scalar::Unary(UnaryOp::Tanh, v) => Some(v),
        _ => None,
    }
}

/// What `a op b` is the half of: `0.5 x`, `x / 2`.
fn half(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    a: ScalarId,
    b: ScalarId,
) -> Option<ScalarId> {
    match op {
        BinaryOp::Mul => other_than(laws, l, a, b, 0.5),
        BinaryOp::Div if number(laws, l, b) == Some(2.0) => Some(a),
        _ => None,
    }
}

/// The definition of a scalar without its negations, and whether their number is odd.
fn signed(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> (bool, ScalarId) {
    let mut id = seen(laws, l, id);
    let mut negative = false;
    while let Scalar::Unary(UnaryOp::Neg, inner) = *l.scalar(id) {
        negative = !negative;
        id = seen(laws, l, inner);
    }
    (negative, id)
}
