//! 1 minus a power of a number below 1: the correction of running means in optimisers such as Adam.
//!
//! A power such as 0.999^3 is close to 1, and its rounding error is all that is left of it in the difference. Near 0 the
//! difference is computed from the exponent, so it has the digits of that; elsewhere it stays as it is written.

use super::laws::LawId;
use super::logarithm::seen;
use super::scalar::{Laws, is_number};
use crate::ir::{BinaryOp, LoopBuilder, Scalar, ScalarId, UnaryOp};

/// `a - b` where a is 1 and b a power of a number between 0 and 1.
pub fn one_minus_power(
    laws: &Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    a: ScalarId,
    b: ScalarId,
) -> Option<ScalarId> {
    if !is_number(l, a, 1.0) {
        return None;
    }
    let power = seen(laws, l, b);
    let Scalar::Binary(BinaryOp::Pow, base, x) = *l.scalar(power) else { return None };
    let base = seen(laws, l, base);
    let Scalar::Float(base) = *l.scalar(base) else { return None };
    let is_below_one = 0.0 < base.0 && base.0 < 1.0;
    if !is_below_one || !laws.applied.allows(LawId::OneMinusPower) {
        return None;
    }
    let log = base.0.ln();
    let factor = l.float(log);
    let u = l.binary(BinaryOp::Mul, factor, x);
    let half_factor = l.float(-0.5 * log);
    let half = l.binary(BinaryOp::Mul, half_factor, x);
    let (one, limit) = (l.float(1.0), l.float(0.25));
    let (tangent, growth) = (l.unary(UnaryOp::Tanh, half), l.unary(UnaryOp::Exp, u));
    let sum = l.binary(BinaryOp::Add, growth, one);
    let near = l.binary(BinaryOp::Mul, tangent, sum);
    let far = l.binary(BinaryOp::Sub, one, power);
    let negative = l.unary(UnaryOp::Neg, half);
    let (above, below) = (l.binary(BinaryOp::Lt, negative, limit), l.binary(BinaryOp::Lt, half, limit));
    let is_near = l.binary(BinaryOp::And, above, below);
    let value = l.select(is_near, near, far);
    let rate = l.float(-log);
    let slope = l.binary(BinaryOp::Mul, rate, power);
    Some(l.add(Scalar::WithSlope { value, arg: x, slope }))
}
