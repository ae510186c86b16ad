//! Values that a table does not have: `fill(column("age"), mean)` and `is_missing(column("age"))`.
//!
//! A column that may lack values is read with NaN in their place, which is what `fill` does not let through.

use super::data::in_rows;
use super::readings::reads_columns;
use crate::base::Span;
use crate::ir::program::Summary;
use crate::ir::{BinaryOp, Combine, Elem, LoopBuilder, ScalarId};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::context::Row;
use crate::sema::scope::report::sources::ReadingError;
use crate::sema::settings::Arguments;
use crate::sema::value::{Expected, Tensor, Value};
use crate::syntax::ast;

/// What stands in for missing values.
enum Filling {
    Number(f64),
    /// The mean of what is there, by element.
    Mean(Tensor),
    /// What else stands for what is there, by element.
    Summary(Tensor),
}

/// One of the two calls.
pub fn call(cx: &mut Elaborator<'_>, name: &str, arguments: &Arguments<'_>, span: Span) -> Option<Value> {
    Some(match name {
        "fill" => fill(cx, arguments.get("values")?, arguments.get("with")?, span),
        _ => is_missing(cx, arguments.get("columns")?, span),
    })
}

/// `fill(column("age"), 0)`, or with `mean`: that of the rows of the training part that have a value.
fn fill(cx: &mut Elaborator<'_>, values: &ast::Expr, with: &ast::Expr, span: Span) -> Value {
    let Some(read) = cx.context.row().cloned() else { return Value::Error };
    let Some(row) = columns_with_gaps(cx, values, "fill", None) else { return Value::Error };
    let filling = match with.as_name().map(|name| &**name) {
        Some("mean") => mean_of_training(cx, values, &read, span).map(Filling::Mean),
        Some("median") => summary_of_training(cx, values, Summary::Median).map(Filling::Summary),
        Some("mode") => summary_of_training(cx, values, Summary::Mode).map(Filling::Summary),
        _ => {
            let value = cx.expr(with, None);
            let number = value.as_float();
            if number.is_none() && !value.is_error() {
                cx.report(ReadingError::NotFilling { found: value, at: with.span });
            }
            number.map(Filling::Number)
        }
    };
    let Some(filling) = filling else { return Value::Error };
    let Some(node) = cx.node(&row, span) else { return Value::Error };
    let mean = match &filling {
        Filling::Mean(mean) | Filling::Summary(mean) => cx.node(mean, span),
        Filling::Number(_) => None,
    };
    let shape = row.ty.shape.clone();
    let rank = shape.len();
    let mut l = LoopBuilder::new(cx.graph(), shape);
    let subs = (0..rank).map(|axis| l.index(axis)).collect();
    let value = l.read(node, subs);
    let other = match (filling, mean) {
        (Filling::Mean(_) | Filling::Summary(_), Some(mean)) => {
            let subs = (0..rank).map(|axis| l.index(axis)).collect();
            l.read(mean, subs)
        }
        (Filling::Number(number), _) => l.float(number),
        (Filling::Mean(_) | Filling::Summary(_), None) => return Value::Error,
    };
    let is_there = is_there(&mut l, value);
    let filled = l.select(is_there, value, other);
    let body = l.map(filled);
    Value::Tensor(cx.add_loop(span, body))
}

/// `is_missing(column("age"))`: whether a row has no value, true or false for each column, of numbers or names.
fn is_missing(cx: &mut Elaborator<'_>, values: &ast::Expr, span: Span) -> Value {
    let gaps = Expected { elem: Some(Elem::Bool), axes: Vec::new() };
    let Some(row) = columns_with_gaps(cx, values, "is_missing", Some(&gaps)) else { return Value::Error };
    cx.node(&row, span).map_or(Value::Error, |_| Value::Tensor(row))
}

/// What stands for the rows of the training part that have a value. `None` is reported.
fn summary_of_training(cx: &mut Elaborator<'_>, values: &ast::Expr, summary: Summary) -> Option<Tensor> {
    cx.within(cx.context.summarising(summary), |cx| columns_with_gaps(cx, values, "fill", None))
}

/// Values of a table are finite, so what is not less than infinity is none.
fn is_there(l: &mut LoopBuilder<'_>, value: ScalarId) -> ScalarId {
    let infinity = l.float(f64::INFINITY);
    l.binary(BinaryOp::Lt, value, infinity)
}

/// The present row of columns, which may lack values: floats, or what is expected. `None` is reported.
fn columns_with_gaps(
    cx: &mut Elaborator<'_>,
    values: &ast::Expr,
    call: &'static str,
    expected: Option<&Expected>,
) -> Option<Tensor> {
    if !reads_columns(values) {
        cx.report(ReadingError::NotColumns { call, at: values.span });
        return None;
    }
    let value = cx.within(cx.context.with_gaps(), |cx| cx.expr(values, expected));
    if value.is_error() {
        return None;
    }
    let tensor = cx.to_tensor(&value, values.span)?;
    if expected.is_some() { Some(tensor) } else { cx.with_elem(tensor, Elem::Float, values.span) }
}

/// The means over the rows of the training part that have a value; 0 where none has. `None` is reported.
fn mean_of_training(
    cx: &mut Elaborator<'_>,
    values: &ast::Expr,
    row: &Row,
    span: Span,
) -> Option<Tensor> {
    // The same columns over the training rows, in a graph of its own beside this one.
    let inner = cx.close_level()?;
    let step = cx.new_step_id();
    let training = cx.within(cx.context.in_training_rows(step), |cx| {
        in_rows(cx, step, row.training_rows.clone(), |cx| columns_with_gaps(cx, values, "fill", None))
    });
    let mean = training.and_then(|training| mean_of_known(cx, &training, span));
    cx.levels.push(inner);
    mean
}

/// The mean over the first axis of what is there.
fn mean_of_known(cx: &mut Elaborator<'_>, rows: &Tensor, span: Span) -> Option<Tensor> {
    let node = cx.node(rows, span)?;
    let domain = rows.ty.shape.clone();
    let shape = domain[1..].to_vec();
    let mut sums = Vec::new();
    for counts in [false, true] {
        let mut l = LoopBuilder::new(cx.graph(), domain.clone());
        let subs = (0..domain.len()).map(|axis| l.index(axis)).collect();
        let value = l.read(node, subs);
        let (zero, one) = (l.float(0.0), l.float(1.0));
        let is_there = is_there(&mut l, value);
        let value = l.select(is_there, if counts { one } else { value }, zero);
        let write = (1..domain.len()).map(|axis| l.index(axis)).collect();
        let body = l.reduce(shape.clone(), write, Combine::Add, value);
        sums.push(cx.add_loop(span, body));
    }
    let mut l = LoopBuilder::new(cx.graph(), shape.clone());
    let read = |l: &mut LoopBuilder<'_>, at: usize| {
        let subs = (0..shape.len()).map(|axis| l.index(axis)).collect();
        l.read(sums[at].node, subs)
    };
    let (sum, count) = (read(&mut l, 0), read(&mut l, 1));
    let (half, one) = (l.float(0.5), l.float(1.0));
    let has_some = l.binary(BinaryOp::Lt, half, count);
    let count = l.select(has_some, count, one);
    let mean = l.binary(BinaryOp::Div, sum, count);
    let body = l.map(mean);
    Some(cx.add_loop(span, body))
}
