//! Division with remainder: `div` and `mod`, exact for ints.

use super::{Arguments, Builtin, elementwise};
use crate::ir::{BinaryOp, Dim, Elem, LoopBuilder, ScalarId, UnaryOp};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::operators::{elem_of, interval_of, with_interval};
use crate::sema::build::tensors::convert;
use crate::sema::scope::report::numbers::NumberError;
use crate::sema::value::{Interval, Value};
use crate::syntax::ast;

pub(super) const BUILTINS: &[Builtin] = &[
    elementwise(
        "div",
        "a, b",
        "The quotient rounded down, floor(a / b): exact for ints, which give an int; an int divided by a 0 of run time gives 0.",
        |e, a| divided(e, a, Part::Quotient),
    ),
    elementwise(
        "mod",
        "a, b",
        "What is left of a after that, a - b div(a, b), in 0..b for b > 0: an int of ints; by an int 0 of run time it is 0.",
        |e, a| divided(e, a, Part::Rest),
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Quotient,
    Rest,
}

fn divided(e: &mut Builder<'_>, a: &Arguments, part: Part) -> Value {
    let (x, y) = (a.arg("a"), a.arg("b"));
    if y.value.as_int() == Some(0) && elem_of(x.value) != Some(Elem::Float) {
        e.report(NumberError::DividedByZero { function: a.builtin.name, at: y.span });
        return Value::Error;
    }
    if !x.value.is_run_time() && !y.value.is_run_time() && x.value.is_number() && y.value.is_number() {
        return known(e, a, part);
    }
    let is_float = |value: &Value| elem_of(value) == Some(Elem::Float);
    if is_float(x.value) || is_float(y.value) {
        return e.elementwise("divide", &[x, y], a.span, &mut |l, scalars| {
            let (x, y) = (l.to_float(scalars[0]), l.to_float(scalars[1]));
            of_floats(l, x, y, part)
        });
    }
    let made = e.elementwise("divide", &[x, y], a.span, &mut |l, scalars| {
        let (x, y) = (convert(l, scalars[0], Elem::Int), convert(l, scalars[1], Elem::Int));
        l.binary(if part == Part::Quotient { BinaryOp::FloorDiv } else { BinaryOp::Mod }, x, y)
    });
    let interval = y.value.as_dim().filter(|by| by.at_least(&Dim::ONE)).and_then(|by| match part {
        Part::Rest => Some(Interval::below(&by)),
        Part::Quotient => {
            let of = interval_of(x.value)?;
            Interval { least: of.least.floor_div(&by), greatest: of.greatest.floor_div(&by) }.held()
        }
    });
    with_interval(made, interval)
}

/// The floor is a constant for derivatives: `mod(x, 1)` rises as x does.
fn of_floats(l: &mut LoopBuilder<'_>, x: ScalarId, y: ScalarId, part: Part) -> ScalarId {
    let ratio = l.binary(BinaryOp::Div, x, y);
    let quotient = l.unary(UnaryOp::Floor, ratio);
    if part == Part::Quotient {
        return quotient;
    }
    let quotient = l.unary(UnaryOp::Stop, quotient);
    let whole = l.binary(BinaryOp::Mul, y, quotient);
    l.binary(BinaryOp::Sub, x, whole)
}

/// Of numbers known at compile time, sizes among them: floor(a / b), and a - b floor(a / b).
fn known(e: &mut Builder<'_>, a: &Arguments, part: Part) -> Value {
    let (x, y) = (a.arg("a"), a.arg("b"));
    if let (Some(p), Some(q)) = (x.value.as_int(), y.value.as_int())
        && q > 0
    {
        return Value::int(if part == Part::Quotient { p.div_euclid(q) } else { p.rem_euclid(q) });
    }
    let ratio = e.binary(ast::BinaryOp::Div, x, y, a.span);
    let quotient = match ratio {
        Value::Ratio(p, q) => Value::Int(p.floor_div(&q)),
        Value::Float(number) if number.abs() < 9e15 => Value::int(number.floor() as i64),
        other => other,
    };
    if part == Part::Quotient {
        return quotient;
    }
    let whole = e.binary(ast::BinaryOp::Mul, y, Arg { value: &quotient, span: a.span }, a.span);
    e.binary(ast::BinaryOp::Sub, x, Arg { value: &whole, span: a.span }, a.span)
}
