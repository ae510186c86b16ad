//! The table of the derivatives of the scalar operations (their Jacobian-vector products).
//!
//! Forward mode: the tangent of the read is the seed (the adjoint of the loop's result), each operation makes
//! the tangent of its result from those of its operands, and the tangent of the whole expression is the
//! contribution to the read's adjoint. Selects stay outermost, `D(if c then a else b) = if c then Da else Db`,
//! so a branch that is not taken cannot spoil a derivative (`0 · ∞`).

use super::NoDerivative;
use super::algebra::{self, Tangent};
use crate::ir::signs::{Sign, Signs};
use crate::ir::{BinaryOp, Body, LoopBuilder, Scalar, ScalarId, UnaryOp};

/// The tangent of `body` when the tangent of its scalar `read` is `seed`. `values` holds for each scalar of the
/// body its copy in the builder.
pub fn tangent(
    l: &mut LoopBuilder<'_>,
    body: &Body,
    values: &[ScalarId],
    read: ScalarId,
    seed: ScalarId,
) -> Result<Tangent, NoDerivative> {
    let needed = differentiable(body);
    let mut tangents: Vec<Tangent> = vec![None; body.nodes.len()];
    for (at, scalar) in body.nodes.iter().enumerate() {
        if !needed[at] {
            continue;
        }
        tangents[at] = if at == read.0 as usize {
            Some(seed)
        } else {
            let of = |id: ScalarId| tangents[id.0 as usize];
            step(l, scalar, values, ScalarId(at as u32), &of)?
        };
    }
    Ok(tangents[body.result.0 as usize])
}

/// For each scalar whether a derivative by it can be different from zero: whether a path of differentiable
/// operations leads from it to the result.
pub fn differentiable(body: &Body) -> Vec<bool> {
    let mut needed = vec![false; body.nodes.len()];
    needed[body.result.0 as usize] = true;
    for at in (0..body.nodes.len()).rev() {
        if needed[at] {
            differentiable_operands(&body.nodes[at]).into_iter().flatten().for_each(|id| {
                needed[id.0 as usize] = true;
            });
        }
    }
    needed
}

/// The operands of a scalar operation by which it can be differentiated.
pub fn differentiable_operands(scalar: &Scalar) -> [Option<ScalarId>; 2] {
    match scalar {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) | Scalar::Read { .. } => {
            [None, None]
        }
        Scalar::Unary(op, a) if op.properties().is_arithmetic => [Some(*a), None],
        Scalar::Binary(op, a, b) if op.properties().is_arithmetic => [Some(*a), Some(*b)],
        Scalar::Unary(..) | Scalar::Binary(..) => [None, None],
        Scalar::Select(_, a, b) => [Some(*a), Some(*b)],
        Scalar::WithSlope { arg, .. } => [Some(*arg), None],
    }
}

/// The tangent of one operation from those of its operands.
fn step(
    l: &mut LoopBuilder<'_>,
    scalar: &Scalar,
    values: &[ScalarId],
    id: ScalarId,
    tangent: &dyn Fn(ScalarId) -> Tangent,
) -> Result<Tangent, NoDerivative> {
    let value = |id: ScalarId| values[id.0 as usize];
    // The result of the operation itself.
    let y = value(id);
    Ok(match scalar {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) | Scalar::Read { .. } => None,
        Scalar::Unary(op, a) => {
            let da = tangent(*a);
            if da.is_none() {
                return Ok(None);
            }
            unary(l, *op, value(*a), y, da)?
        }
        Scalar::Binary(op, a, b) => binary(l, *op, (value(*a), tangent(*a)), (value(*b), tangent(*b)), y),
        Scalar::Select(condition, a, b) => algebra::select(l, value(*condition), tangent(*a), tangent(*b)),
        // D f(u) = slope · Du, however the value is computed.
        Scalar::WithSlope { arg, slope, .. } => algebra::times(l, tangent(*arg), value(*slope)),
    })
}

fn unary(
    l: &mut LoopBuilder<'_>,
    op: UnaryOp,
    a: ScalarId,
    y: ScalarId,
    da: Tangent,
) -> Result<Tangent, NoDerivative> {
    Ok(match op {
        UnaryOp::Neg => algebra::neg(l, da),
        // (e^a)' = e^a
        UnaryOp::Exp => algebra::times(l, da, y),
        UnaryOp::Log => logarithm(l, a, da),
        UnaryOp::Sin => {
            let cosine = l.unary(UnaryOp::Cos, a);
            algebra::times(l, da, cosine)
        }
        UnaryOp::Cos => {
            let sine = l.unary(UnaryOp::Sin, a);
            let product = algebra::times(l, da, sine);
            algebra::neg(l, product)
        }
        UnaryOp::Tanh => tanh(l, y, da),
        UnaryOp::Sqrt => square_root(l, a, y, da),
        // (erf a)' = 2/√π e^(-a²)
        UnaryOp::Erf => bell(l, a, da, -1.0, std::f64::consts::FRAC_2_SQRT_PI),
        // Φ(a)' = 1/√(2π) e^(-a²/2)
        UnaryOp::NormalCdf => bell(l, a, da, -0.5, 1.0 / (2.0 * std::f64::consts::PI).sqrt()),
        UnaryOp::Floor => return Err(NoDerivative::Floor),
        UnaryOp::Ceil => return Err(NoDerivative::Ceil),
        UnaryOp::Round => return Err(NoDerivative::Round),
        UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt | UnaryOp::Stop => None,
    })
}

fn logarithm(l: &mut LoopBuilder<'_>, a: ScalarId, da: Tangent) -> Tangent {
    match as_one_plus_exp(l, a) {
        // log(1 + e^u)' = 1 / (1 + e^-u), which does not overflow; da is e^u Du.
        Some(u) if exp_tangent(l, da).is_some() => {
            let du = exp_tangent(l, da);
            let negative = l.unary(UnaryOp::Neg, u);
            let power = l.unary(UnaryOp::Exp, negative);
            let one = l.float(1.0);
            let sum = l.binary(BinaryOp::Add, one, power);
            algebra::divided(l, du, sum)
        }
        // (log a)' = 1 / a
        _ => algebra::divided(l, da, a),
    }
}

/// (tanh a)' = 1 - tanh² a
fn tanh(l: &mut LoopBuilder<'_>, y: ScalarId, da: Tangent) -> Tangent {
    let square = l.binary(BinaryOp::Mul, y, y);
    let one = l.float(1.0);
    let slope = l.binary(BinaryOp::Sub, one, square);
    algebra::times(l, da, slope)
}

/// (√a)' = 1 / (2 √a)
fn square_root(l: &mut LoopBuilder<'_>, a: ScalarId, y: ScalarId, da: Tangent) -> Tangent {
    let two = l.float(2.0);
    let twice = l.binary(BinaryOp::Mul, two, y);
    let slope = algebra::divided(l, da, twice);
    except_at_least_value(l, a, slope)
}

/// `factor · e^(power · a²)` is the derivative.
fn bell(l: &mut LoopBuilder<'_>, a: ScalarId, da: Tangent, power: f64, factor: f64) -> Tangent {
    let square = l.binary(BinaryOp::Mul, a, a);
    let exponent = if power == -1.0 {
        l.unary(UnaryOp::Neg, square)
    } else {
        let power = l.float(power);
        l.binary(BinaryOp::Mul, power, square)
    };
    let bell = l.unary(UnaryOp::Exp, exponent);
    let factor = l.float(factor);
    let slope = l.binary(BinaryOp::Mul, factor, bell);
    algebra::times(l, da, slope)
}

fn binary(
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    (a, da): (ScalarId, Tangent),
    (b, db): (ScalarId, Tangent),
    y: ScalarId,
) -> Tangent {
    if da.is_none() && db.is_none() {
        return None;
    }
    match op {
        BinaryOp::Add => algebra::add(l, da, db),
        BinaryOp::Sub => algebra::sub(l, da, db),
        // (a²)' = 2 a
        BinaryOp::Mul if a == b => {
            let two = l.float(2.0);
            let twice = l.binary(BinaryOp::Mul, two, a);
            algebra::times(l, da, twice)
        }
        BinaryOp::Mul => {
            let left = algebra::times(l, da, b);
            let right = algebra::times(l, db, a);
            algebra::add(l, left, right)
        }
        BinaryOp::Div => quotient(l, (a, da), (b, db), y),
        BinaryOp::Pow => power(l, (a, da), (b, db), y),
        BinaryOp::FloorDiv
        | BinaryOp::Mod
        | BinaryOp::Lt
        | BinaryOp::Le
        | BinaryOp::Eq
        | BinaryOp::And
        | BinaryOp::Or => None,
    }
}

/// (a / b)' = (a' - y b') / b, where y = a / b.
fn quotient(
    l: &mut LoopBuilder<'_>,
    (a, da): (ScalarId, Tangent),
    (b, db): (ScalarId, Tangent),
    y: ScalarId,
) -> Tangent {
    // 1 / (1 + e^u) = s has the derivative -s (1 - s) u', which does not overflow.
    if let Some(du) = as_one_plus_exp(l, b).and_then(|_| exp_tangent(l, db)) {
        let one = l.float(1.0);
        let s = if is_one(l, a) { y } else { l.binary(BinaryOp::Div, one, b) };
        let rest = l.binary(BinaryOp::Sub, one, s);
        let upper = algebra::times(l, da, s);
        let lower = algebra::times(l, Some(du), y);
        let lower = algebra::times(l, lower, rest);
        return algebra::sub(l, upper, lower);
    }
    let lower = algebra::times(l, db, y);
    let difference = algebra::sub(l, da, lower);
    algebra::divided(l, difference, b)
}

/// The derivative of a root of `a`, in which the slope at 0 is infinite. An `a` that is never negative, such as a
/// sum of squares, has a minimum there and so the derivative 0. The root gets the derivative 0, too: a subgradient,
/// as the length of a vector has it at 0.
fn except_at_least_value(l: &mut LoopBuilder<'_>, a: ScalarId, derivative: Tangent) -> Tangent {
    let scalars = &l.scalars()[..=a.0 as usize];
    let signs = Signs::by_form().of_scalars(l.graph(), scalars, l.operands(), l.domain());
    match signs[a.0 as usize] {
        Sign::Any | Sign::Bounded => derivative,
        Sign::NotNegative | Sign::Positive => {
            let zero = l.float(0.0);
            let is_zero = l.binary(BinaryOp::Eq, a, zero);
            algebra::select(l, is_zero, None, derivative)
        }
    }
}

/// (a^b)' = b a^(b-1) a' + y log(a) b', where y = a^b; for 0^b the term with b' is left out.
fn power(
    l: &mut LoopBuilder<'_>,
    (a, da): (ScalarId, Tangent),
    (b, db): (ScalarId, Tangent),
    y: ScalarId,
) -> Tangent {
    let by_base = da.and_then(|_| {
        let one = l.float(1.0);
        let less = match l.scalar(b) {
            Scalar::Float(exponent) => {
                let less = exponent.0 - 1.0;
                l.float(less)
            }
            _ => l.binary(BinaryOp::Sub, b, one),
        };
        let power = l.binary(BinaryOp::Pow, a, less);
        let scaled = algebra::times(l, da, b);
        let slope = algebra::times(l, scaled, power);
        match l.scalar(b) {
            Scalar::Float(exponent) if exponent.0 > 0.0 && exponent.0 < 1.0 => {
                except_at_least_value(l, a, slope)
            }
            Scalar::Float(_) => slope,
            // a^0 is 1 everywhere, at 0 too, where a^-1 is infinite.
            _ => {
                let zero = l.float(0.0);
                let is_zero = l.binary(BinaryOp::Eq, b, zero);
                algebra::select(l, is_zero, None, slope)
            }
        }
    });
    let by_exponent = db.and_then(|_| {
        let log = l.unary(UnaryOp::Log, a);
        let scaled = algebra::times(l, db, y);
        let product = algebra::times(l, scaled, log);
        let zero = l.float(0.0);
        let is_zero = l.binary(BinaryOp::Eq, a, zero);
        algebra::select(l, is_zero, None, product)
    });
    algebra::add(l, by_base, by_exponent)
}

/// `u`, if the scalar is `1 + e^u` or `e^u + 1`.
fn as_one_plus_exp(l: &LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    let Scalar::Binary(BinaryOp::Add, a, b) = *l.scalar(id) else { return None };
    let power = match (is_one(l, a), is_one(l, b)) {
        (true, _) => b,
        (_, true) => a,
        (false, false) => return None,
    };
    match *l.scalar(power) {
        Scalar::Unary(UnaryOp::Exp, u) => Some(u),
        _ => None,
    }
}

/// The tangent of `u`, if this is that of `e^u` as [`unary`] makes it: `Du · e^u`.
fn exp_tangent(l: &LoopBuilder<'_>, tangent: Tangent) -> Tangent {
    match *l.scalar(tangent?) {
        Scalar::Binary(BinaryOp::Mul, du, power) => match l.scalar(power) {
            Scalar::Unary(UnaryOp::Exp, _) => Some(du),
            _ => None,
        },
        _ => None,
    }
}

fn is_one(l: &LoopBuilder<'_>, id: ScalarId) -> bool {
    matches!(l.scalar(id), Scalar::Float(value) if value.0 == 1.0)
}
