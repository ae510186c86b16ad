//! Elementwise mathematics.

use super::{Arguments, Builtin, elementwise};
use crate::ir::math::{self, native::Native64};
use crate::ir::{BinaryOp, Dim, Elem, LoopBuilder, Scalar, ScalarId, UnaryOp};
use crate::sema::build::Builder;
use crate::sema::build::operators::{elem_of, interval_of, with_interval};
use crate::sema::build::tensors::{common_elem, convert};
use crate::sema::value::{Interval, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    elementwise("exp", "x", "e to the power x.", |e, a| smooth(e, a, UnaryOp::Exp, f64::exp)),
    elementwise("log", "x", "Natural logarithm.", |e, a| smooth(e, a, UnaryOp::Log, f64::ln)),
    elementwise("sin", "x", "Sine of an angle in radians.", |e, a| smooth(e, a, UnaryOp::Sin, f64::sin)),
    elementwise("cos", "x", "Cosine of an angle in radians.", |e, a| smooth(e, a, UnaryOp::Cos, f64::cos)),
    elementwise("tanh", "x", "Hyperbolic tangent.", |e, a| smooth(e, a, UnaryOp::Tanh, f64::tanh)),
    elementwise("sqrt", "x", "Square root.", |e, a| smooth(e, a, UnaryOp::Sqrt, f64::sqrt)),
    elementwise("erf", "x", "The error function, 2/√π ∫₀ˣ exp(-t²) dt.", |e, a| {
        smooth(e, a, UnaryOp::Erf, erf)
    }),
    elementwise(
        "normal_cdf",
        "x",
        "The standard normal distribution function Φ(x), accurate on both sides.",
        |e, a| smooth(e, a, UnaryOp::NormalCdf, |x| math::normal_cdf(&mut Native64, x)),
    ),
    elementwise("floor", "x", "The greatest whole number not above x.", floor),
    elementwise("ceil", "x", "The least whole number not below x.", ceil),
    elementwise("round", "x", "The nearest whole number, the even one of two.", round),
    elementwise("float", "x", "As a float; of bools 0 or 1.", to_float),
    elementwise("int", "x", "As an int, towards zero; of bools 0 or 1.", to_int),
    elementwise("stop_gradient", "x", "x itself, a constant for derivatives.", stop_gradient),
];

fn smooth(e: &mut Builder<'_>, a: &Arguments, op: UnaryOp, of: fn(f64) -> f64) -> Value {
    let x = a.arg("x");
    if let (Some(number), true) = (x.value.as_float(), x.value.is_number()) {
        return Value::Float(of(number));
    }
    e.elementwise(a.builtin.name, &[x], a.span, &mut |l, scalars| {
        let x = l.to_float(scalars[0]);
        l.unary(op, x)
    })
}

fn floor(e: &mut Builder<'_>, a: &Arguments) -> Value {
    match a.arg("x").value {
        Value::Int(dim) => Value::Int(dim.clone()),
        Value::Ratio(p, q) => Value::Int(p.floor_div(q)),
        Value::Float(number) if number.abs() < 9e15 => Value::int(number.floor() as i64),
        _ => rounded(e, a, UnaryOp::Floor),
    }
}

fn ceil(e: &mut Builder<'_>, a: &Arguments) -> Value {
    match a.arg("x").value {
        Value::Int(dim) => Value::Int(dim.clone()),
        Value::Ratio(p, q) => Value::Int(-&(-p).floor_div(q)),
        Value::Float(number) if number.abs() < 9e15 => Value::int(number.ceil() as i64),
        _ => rounded(e, a, UnaryOp::Ceil),
    }
}

fn round(e: &mut Builder<'_>, a: &Arguments) -> Value {
    match a.arg("x").value {
        Value::Int(dim) => Value::Int(dim.clone()),
        Value::Float(number) if number.abs() < 9e15 => Value::int(number.round_ties_even() as i64),
        _ => rounded(e, a, UnaryOp::Round),
    }
}

/// Of run-time values the result stays a float.
fn rounded(e: &mut Builder<'_>, a: &Arguments, op: UnaryOp) -> Value {
    let x = a.arg("x");
    if matches!(elem_of(x.value), Some(Elem::Int)) && x.value.is_run_time() {
        return x.value.clone();
    }
    e.elementwise(a.builtin.name, &[x], a.span, &mut |l, scalars| {
        let x = l.to_float(scalars[0]);
        l.unary(op, x)
    })
}

fn to_float(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    match x.value {
        number if number.is_number() && number.as_float().is_some() => {
            Value::Float(number.as_float().unwrap_or(0.0))
        }
        value if elem_of(value) == Some(Elem::Float) && value.is_run_time() => value.clone(),
        _ => e.elementwise("convert", &[x], a.span, &mut |l, scalars| l.to_float(scalars[0])),
    }
}

fn to_int(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    match x.value {
        Value::Int(_) => x.value.clone(),
        Value::Bool(value) => Value::int(i64::from(*value)),
        Value::Float(number) if number.abs() < 9e15 => Value::int(number.trunc() as i64),
        value if elem_of(value) == Some(Elem::Int) && value.is_run_time() => value.clone(),
        value => {
            let interval = interval_of(value);
            let made =
                e.elementwise("convert", &[x], a.span, &mut |l, scalars| convert(l, scalars[0], Elem::Int));
            with_interval(made, interval)
        }
    }
}

fn stop_gradient(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    if !x.value.is_run_time() {
        return x.value.clone();
    }
    let interval = interval_of(x.value);
    let made = e.elementwise("stop", &[x], a.span, &mut |l, scalars| l.unary(UnaryOp::Stop, scalars[0]));
    with_interval(made, interval)
}

/// `max(a, b)` and `min(a, b)`: at ties it is a.
pub(super) fn greater_or_less(e: &mut Builder<'_>, a: &Arguments, greatest: bool) -> Value {
    let (x, y) = (a.arg("x"), a.arg("y"));
    if let (Some(p), Some(q)) = (x.value.as_dim(), y.value.as_dim()) {
        return Value::Int(if greatest { p.max_with(&q) } else { p.min_with(&q) });
    }
    if x.value.is_number()
        && y.value.is_number()
        && let (Some(p), Some(q)) = (x.value.as_float(), y.value.as_float())
    {
        return Value::Float(extreme_number(p, q, greatest));
    }
    let elem = match common_elem([x.value, y.value].into_iter().filter_map(elem_of)) {
        Elem::Bool => Elem::Int,
        elem => elem,
    };
    let interval = (elem == Elem::Int).then(|| {
        let (p, q) = (interval_or_all(x.value), interval_or_all(y.value));
        match greatest {
            true => Interval {
                least: greater_bound(&p.least, &q.least),
                greatest: greater_bound(&p.greatest, &q.greatest),
            },
            false => Interval {
                least: lesser_bound(&p.least, &q.least),
                greatest: lesser_bound(&p.greatest, &q.greatest),
            },
        }
    });
    let made = e.elementwise(a.builtin.name, &[x, y], a.span, &mut |l, scalars| {
        let (p, q) = (convert(l, scalars[0], elem), convert(l, scalars[1], elem));
        extreme_of(l, p, q, greatest)
    });
    with_interval(made, interval)
}

/// The greater or lesser of two numbers: NaN if one is, the first if they are equal.
pub(super) fn extreme_number(p: f64, q: f64, greatest: bool) -> f64 {
    let takes_second = if greatest { q > p } else { q < p };
    if takes_second || q.is_nan() && !p.is_nan() { q } else { p }
}

/// The greater or lesser of two values: NaN if one is, the first if they are equal. A number that stands in the
/// program is not NaN, and then one comparison does.
fn extreme_of(l: &mut LoopBuilder<'_>, p: ScalarId, q: ScalarId, greatest: bool) -> ScalarId {
    let is_number = |l: &LoopBuilder<'_>, id: ScalarId| match l.scalar(id) {
        Scalar::Float(value) => !value.0.is_nan(),
        _ => l.elem(id) != Elem::Float,
    };
    if is_number(l, p) && !is_number(l, q) {
        let first = if greatest { l.binary(BinaryOp::Le, q, p) } else { l.binary(BinaryOp::Le, p, q) };
        return l.select(first, p, q);
    }
    let beyond = if greatest { l.binary(BinaryOp::Lt, p, q) } else { l.binary(BinaryOp::Lt, q, p) };
    if is_number(l, q) {
        return l.select(beyond, q, p);
    }
    let same = l.binary(BinaryOp::Eq, q, q);
    let second_is_nan = l.unary(UnaryOp::Not, same);
    let takes_second = l.binary(BinaryOp::Or, beyond, second_is_nan);
    l.select(takes_second, q, p)
}

/// The interval of an int; all ints if nothing is known, so that `min(max(i, 0), n - 1)` has one.
fn interval_or_all(value: &Value) -> Interval {
    interval_of(value).unwrap_or_else(Interval::all)
}

/// The greater of two bounds; no int is above the greatest or below the least.
fn greater_bound(a: &Dim, b: &Dim) -> Dim {
    match (a.as_number(), b.as_number()) {
        (Some(i64::MIN), _) => b.clone(),
        (_, Some(i64::MIN)) => a.clone(),
        (Some(i64::MAX), _) | (_, Some(i64::MAX)) => Dim::number(i64::MAX),
        _ => a.max_with(b),
    }
}

/// The lesser of two bounds.
fn lesser_bound(a: &Dim, b: &Dim) -> Dim {
    match (a.as_number(), b.as_number()) {
        (Some(i64::MAX), _) => b.clone(),
        (_, Some(i64::MAX)) => a.clone(),
        (Some(i64::MIN), _) | (_, Some(i64::MIN)) => Dim::number(i64::MIN),
        _ => a.min_with(b),
    }
}

/// The error function of numbers known at compile time, to 1e-15: the series near 0, the continued fraction
/// of the complement (Lentz) beyond.
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 2.5 {
        let (mut term, mut sum) = (a, a);
        for n in 1..100 {
            term *= -a * a / n as f64;
            sum += term / (2 * n + 1) as f64;
        }
        return (2.0 / std::f64::consts::PI.sqrt() * sum).copysign(x);
    }
    let mut fraction = a;
    for k in (1..120).rev() {
        fraction = a + k as f64 / 2.0 / fraction;
    }
    (1.0 - (-a * a).exp() / (fraction * std::f64::consts::PI.sqrt())).copysign(x)
}

/// The count of elements of axes, as a dimension.
pub(super) fn product(dims: &[Dim]) -> Dim {
    Dim::product(dims)
}

#[cfg(test)]
mod tests {
    #[test]
    fn error_function() {
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
        ] {
            assert!((super::erf(x) - y).abs() < 1e-14, "{x}");
            assert!((super::erf(-x) + y).abs() < 1e-14, "{x}");
        }
    }
}
