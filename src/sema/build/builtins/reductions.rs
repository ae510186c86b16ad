//! Reductions over whole axes.

use super::math::{extreme_number, greater_or_less};
use super::{Arguments, Builtin, builtin, elementwise};
use crate::base::order::PutInOrder;
use crate::ir::{BinaryOp, Combine, Dim, Elem, LoopBuilder, Sub};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::operators::interval_of;
use crate::sema::build::tensors::convert;
use crate::sema::scope::report::calls::ArgumentError;
use crate::sema::scope::report::functions::{AxisError, OfOneNumber};
use crate::sema::scope::report::values::ValueError;
use crate::sema::value::{Axis, Interval, Tensor, Value};
use crate::syntax::ast;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("sum", "x, *, axis = none, keep = false", "The sum over the axes (all without `axis`).", sum),
    builtin("mean", "x, *, axis = none, keep = false", "The mean over the axes.", mean),
    builtin("prod", "x, *, axis = none, keep = false", "The product over the axes, or of a list.", prod),
    elementwise(
        "max",
        "x, y = none, *, axis = none, keep = false",
        "The greatest over the axes; of two arguments the greater, element by element.",
        max,
    ),
    elementwise(
        "min",
        "x, y = none, *, axis = none, keep = false",
        "The least over the axes; of two arguments the lesser, element by element.",
        min,
    ),
    builtin("argmax", "x, *, axis = none, keep = false", "The place of the first greatest element.", argmax),
    builtin("argmin", "x, *, axis = none, keep = false", "The place of the first least element.", argmin),
    builtin("all", "x, *, axis = none, keep = false", "Whether all are true.", all),
    builtin("any", "x, *, axis = none, keep = false", "Whether any is true.", any),
];

/// The tensor and the axes that a reduction goes over.
struct Over {
    tensor: Tensor,
    axes: Vec<usize>,
    keep: bool,
}

fn over(e: &mut Builder<'_>, a: &Arguments) -> Option<Over> {
    let x = a.arg("x");
    if e.in_elementwise_body() && x.value.is_run_time() {
        e.not_elementwise(&format!("`{}`", a.builtin.name), a.span);
        return None;
    }
    let tensor = e.to_tensor(x.value, x.span)?;
    if tensor.rank() == 0
        && let Some(set) = e.context.row().map(|row| row.set.clone())
    {
        e.report(OfOneNumber { function: a.builtin.name, set, at: a.span });
    }
    let keep = a.flag(e, "keep")?;
    let axes = match a.get("axis") {
        None => (0..tensor.rank()).collect(),
        Some(given) => match given.value.elements() {
            Some(items) => {
                let mut axes = Vec::new();
                for item in &items {
                    let axis = e.axis(item, tensor.rank(), given.span)?;
                    if axes.contains(&axis) {
                        e.report(AxisError::NamedTwice { axis, at: given.span });
                        return None;
                    }
                    axes.push(axis);
                }
                axes.put_in_order();
                axes
            }
            None => vec![e.axis(&given.value, tensor.rank(), given.span)?],
        },
    };
    Some(Over { tensor, axes, keep })
}

/// One loop over the tensor; the reduced axes come last in its domain, so that the order of the sum is theirs.
fn reduce(
    e: &mut Builder<'_>,
    a: &Arguments,
    over: &Over,
    elem: Elem,
    combine: Combine,
) -> Option<Tensor> {
    let x = a.arg("x");
    let node = e.node(&over.tensor, x.span)?;
    let axes = over.tensor.axes();
    let kept: Vec<usize> = (0..axes.len()).filter(|axis| !over.axes.contains(axis)).collect();
    let domain: Vec<Dim> = kept.iter().chain(&over.axes).map(|axis| axes[*axis].size.clone()).collect();
    let mut l = LoopBuilder::new(e.graph(), domain);
    let mut subs = vec![l.index(0); if axes.is_empty() { 0 } else { axes.len() }];
    for (place, axis) in kept.iter().chain(&over.axes).enumerate() {
        subs[*axis] = l.index(place);
    }
    let value = l.read(node, subs);
    let value = convert(&mut l, value, elem);
    let mut out: Vec<Axis> = Vec::new();
    let mut write: Vec<Sub> = Vec::new();
    for (axis, kept_axis) in axes.iter().enumerate() {
        match kept.iter().position(|kept| *kept == axis) {
            Some(place) => {
                out.push(kept_axis.clone());
                write.push(l.index(place));
            }
            None if over.keep => {
                out.push(Axis::stretchable());
                write.push(Sub::Affine(crate::ir::Affine::constant(0i64)));
            }
            None => {}
        }
    }
    let shape = out.iter().map(|axis| axis.size.clone()).collect();
    let node = l.reduce(shape, write, combine, value);
    let made = e.add_loop(a.span, node);
    Some(Tensor { stretch: out.iter().map(|axis| axis.stretch).collect(), ..made })
}

fn count_of(over: &Over) -> Dim {
    super::math::product(
        &over.axes.iter().map(|axis| over.tensor.ty.shape[*axis].clone()).collect::<Vec<_>>(),
    )
}

/// Bools count as 0 or 1.
fn number_elem_of(over: &Over) -> Elem {
    if over.tensor.ty.elem == Elem::Bool { Elem::Int } else { over.tensor.ty.elem }
}

fn sum(e: &mut Builder<'_>, a: &Arguments) -> Value {
    if let Some(value) = fold(e, a, ast::BinaryOp::Add, 0) {
        return value;
    }
    let Some(over) = over(e, a) else { return Value::Error };
    let elem = number_elem_of(&over);
    let Some(made) = reduce(e, a, &over, elem, Combine::Add) else { return Value::Error };
    let interval =
        interval_of(&Value::Tensor(over.tensor.clone())).filter(|_| elem == Elem::Int).and_then(|of_terms| {
            let n = count_of(&over);
            Interval { least: &of_terms.least * &n, greatest: &of_terms.greatest * &n }.held()
        });
    Value::Tensor(Tensor { interval, ..made })
}

fn prod(e: &mut Builder<'_>, a: &Arguments) -> Value {
    if let Some(value) = fold(e, a, ast::BinaryOp::Mul, 1) {
        return value;
    }
    let Some(over) = over(e, a) else { return Value::Error };
    let elem = number_elem_of(&over);
    reduce(e, a, &over, elem, Combine::Mul).map_or(Value::Error, Value::Tensor)
}

fn mean(e: &mut Builder<'_>, a: &Arguments) -> Value {
    if let Some(total) = fold(e, a, ast::BinaryOp::Add, 0) {
        let n = a.arg("x").value.elements().map_or(1, |items| items.len());
        let n = Value::int(n as i64);
        let (total, n) = (Arg { value: &total, span: a.span }, Arg { value: &n, span: a.span });
        return e.binary(ast::BinaryOp::Div, total, n, a.span);
    }
    let Some(over) = over(e, a) else { return Value::Error };
    let Some(total) = reduce(e, a, &over, Elem::Float, Combine::Add) else { return Value::Error };
    let n = count_of(&over);
    if n.is_number(1) {
        return Value::Tensor(total);
    }
    let total = Value::Tensor(total);
    e.elementwise("divide", &[Arg { value: &total, span: a.span }], a.span, &mut |l, scalars| {
        let n = match n.as_number() {
            Some(number) => l.float(number as f64),
            None => {
                let n = l.size(&n);
                l.to_float(n)
            }
        };
        l.binary(BinaryOp::Div, scalars[0], n)
    })
}

fn max(e: &mut Builder<'_>, a: &Arguments) -> Value {
    extreme(e, a, true)
}

fn min(e: &mut Builder<'_>, a: &Arguments) -> Value {
    extreme(e, a, false)
}

fn extreme(e: &mut Builder<'_>, a: &Arguments, greatest: bool) -> Value {
    if a.get("y").is_some() {
        if let Some(axis) = a.get("axis") {
            return e.report(ArgumentError::AxisOfTwo { function: a.builtin.name, at: axis.span });
        }
        return greater_or_less(e, a, greatest);
    }
    let x = a.arg("x");
    if let Some(items) = x.value.elements()
        && a.get("axis").is_none()
        && !items.is_empty()
        && items.iter().all(Value::is_number)
    {
        let better = |best: Value, next: &Value| match (best.as_dim(), next.as_dim()) {
            (Some(p), Some(q)) => Value::Int(if greatest { p.max_with(&q) } else { p.min_with(&q) }),
            _ => {
                let (p, q) = (best.as_float().unwrap_or(0.0), next.as_float().unwrap_or(0.0));
                Value::Float(extreme_number(p, q, greatest))
            }
        };
        return items[1..].iter().fold(items[0].clone(), better);
    }
    if x.value.is_number() {
        return x.value.clone();
    }
    let Some(over) = over(e, a) else { return Value::Error };
    if !not_empty(e, a, &over) {
        return Value::Error;
    }
    let combine = if greatest { Combine::Max } else { Combine::Min };
    let elem = over.tensor.ty.elem;
    let Some(made) = reduce(e, a, &over, elem, combine) else { return Value::Error };
    Value::Tensor(Tensor { interval: over.tensor.interval, ..made })
}

fn argmax(e: &mut Builder<'_>, a: &Arguments) -> Value {
    place_of(e, a, Combine::ArgMax)
}

fn argmin(e: &mut Builder<'_>, a: &Arguments) -> Value {
    place_of(e, a, Combine::ArgMin)
}

fn place_of(e: &mut Builder<'_>, a: &Arguments, combine: Combine) -> Value {
    let Some(over) = over(e, a) else { return Value::Error };
    if !not_empty(e, a, &over) {
        return Value::Error;
    }
    let elem = number_elem_of(&over);
    let Some(made) = reduce(e, a, &over, elem, combine) else { return Value::Error };
    let interval = Some(Interval::below(&count_of(&over)));
    Value::Tensor(Tensor { interval, ..made })
}

/// The greatest of nothing would be an infinity nobody asked for.
fn not_empty(e: &mut Builder<'_>, a: &Arguments, over: &Over) -> bool {
    if count_of(over).is_number(0) {
        e.report(AxisError::NoElements { function: a.builtin.name, at: a.span });
        return false;
    }
    true
}

fn all(e: &mut Builder<'_>, a: &Arguments) -> Value {
    truth(e, a, Combine::Min, |items| items.iter().all(|item| *item))
}

fn any(e: &mut Builder<'_>, a: &Arguments) -> Value {
    truth(e, a, Combine::Max, |items| items.iter().any(|item| *item))
}

fn truth(e: &mut Builder<'_>, a: &Arguments, combine: Combine, known: fn(&[bool]) -> bool) -> Value {
    let x = a.arg("x");
    let items = x.value.elements().unwrap_or_else(|| vec![x.value.clone()]);
    let bools: Option<Vec<bool>> = items.iter().map(Value::as_bool).collect();
    if let (Some(bools), None) = (bools, a.get("axis")) {
        return Value::Bool(known(&bools));
    }
    let Some(over) = over(e, a) else { return Value::Error };
    if over.tensor.ty.elem != Elem::Bool {
        let (by, elem) = (a.builtin.name, over.tensor.ty.elem);
        return e.report(ValueError::ElementsNotBools { by, elem, at: x.span });
    }
    reduce(e, a, &over, Elem::Bool, combine).map_or(Value::Error, Value::Tensor)
}

/// The sum or product of a list known at compile time, and of a number itself.
fn fold(e: &mut Builder<'_>, a: &Arguments, op: ast::BinaryOp, start: i64) -> Option<Value> {
    let x = a.arg("x");
    if a.get("axis").is_some() {
        return None;
    }
    if x.value.is_number() {
        return Some(x.value.clone());
    }
    let items = x.value.elements()?;
    if !items.iter().all(Value::is_number) {
        return None;
    }
    let mut total = Value::int(start);
    for item in &items {
        total = e.binary(op, Arg { value: &total, span: a.span }, Arg { value: item, span: x.span }, a.span);
    }
    Some(total)
}
