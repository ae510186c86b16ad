//! Statistics of the training rows: `standardize`.

use super::data::in_rows;
use crate::base::Span;
use crate::ir::program::Source;
use crate::ir::{BinaryOp, ColumnKey, Combine, Elem, LoopBuilder, StepId, UnaryOp};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::context::Row;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::sources::ReadingError;
use crate::sema::value::{IntSource, Tensor, Value};
use crate::sema::walk;
use crate::syntax::ast;
use std::sync::Arc;

/// `standardize(e)` in a `data` item: (e - mean) / standard deviation, both over the rows of the training part
/// (the first part of a split, all rows without one). A feature that never changes is only shifted.
pub fn standardize(
    cx: &mut Elaborator<'_>,
    arg: &ast::Expr,
    span: Span,
    expected: Option<&Expected>,
) -> Value {
    let Some(row) = cx.context.row().cloned() else {
        return cx.report(ReadingError::OutsideData { at: span });
    };
    if row.training_only {
        return cx.report(ReadingError::Nested { at: span });
    }
    let value = cx.expr(arg, expected);
    if value.is_error() {
        return Value::Error;
    }
    if let Value::Str(name) = &value {
        return cx.report(ReadingError::NameOfColumn { name: name.clone(), at: arg.span });
    }
    let Some(tensor) = cx.to_tensor(&value, arg.span) else { return Value::Error };
    let Some(tensor) = cx.with_elem(tensor, Elem::Float, arg.span) else { return Value::Error };
    // The same expression over the training rows, in a graph of its own beside this one.
    let Some(inner) = cx.close_level() else { return Value::Error };
    let step = cx.new_step_id();
    let training_value = |cx: &mut Elaborator<'_>| {
        let opened = cx.frame_mut().open();
        let bound = bind_earlier_fields(cx, arg, &row, step);
        let value = if bound { cx.expr(arg, expected) } else { Value::Error };
        cx.frame_mut().close(opened);
        let tensor = cx.to_tensor(&value, arg.span)?;
        cx.with_elem(tensor, Elem::Float, arg.span)
    };
    let training = cx.within(cx.context.in_training_rows(step), |cx| {
        in_rows(cx, step, row.training_rows.clone(), training_value)
    });
    let statistics = training.and_then(|training| mean_and_deviation(cx, &training, span));
    cx.levels.push(inner);
    let Some((mean, deviation)) = statistics else { return Value::Error };
    let of = |value| Arg { value, span };
    let (tensor, mean, deviation) = (Value::Tensor(tensor), Value::Tensor(mean), Value::Tensor(deviation));
    let shifted = cx.binary(ast::BinaryOp::Sub, of(&tensor), of(&mean), span);
    cx.binary(ast::BinaryOp::Div, of(&shifted), of(&deviation), span)
}

/// Gives the earlier fields that an expression uses their values in a training row. `false` is reported.
fn bind_earlier_fields(cx: &mut Elaborator<'_>, arg: &ast::Expr, row: &Row, step: StepId) -> bool {
    let declared = cx.data.current.declared.clone();
    let mut used = Vec::new();
    names_in(arg, &mut used);
    for field in declared.iter().rev() {
        if used.contains(&field.name.text)
            && let Some(value) = &field.value
        {
            names_in(value, &mut used);
        }
    }
    let outside = cx.levels[0].id;
    let standardized = |field: &&ast::DataField| {
        used.contains(&field.name.text) && field.value.as_ref().is_some_and(standardizes)
    };
    let is_read_again =
        !matches!(row.source, Source::None) && !declared.iter().any(|field| standardized(&field));
    for field in declared.iter().filter(|field| used.contains(&field.name.text)) {
        let whole = cx.frame().bindings.iter().find_map(|binding| match &binding.value {
            Value::Tensor(whole) if binding.name == field.name.text && whole.level == outside => {
                Some(whole.clone())
            }
            _ => None,
        });
        let Some(whole) = whole else { continue };
        let value = if row.training_rows == row.rows {
            cx.row_of(&whole, step, arg.span).map_or(Value::Error, Value::Tensor)
        } else if is_read_again {
            // The columns of the source are read again, those of the training part.
            let expected = field.ty.as_ref().and_then(|ty| cx.declared_type(ty));
            match (&field.value, &expected) {
                (Some(value), _) => cx.expr(value, expected.as_ref()),
                (None, Some(expected)) => cx.given_field(field, expected),
                (None, None) => Value::Error,
            }
        } else {
            cx.training_row(row, &field.name.text, step, arg.span).map_or(Value::Error, Value::Tensor)
        };
        let (name, place) = (field.name.text.clone(), field.name.span);
        cx.frame_mut().bind(name, value, place, BindingKind::Input);
    }
    true
}

impl Elaborator<'_> {
    /// A field of this data in a row of its training part, which is made after all rows of the field.
    fn training_row(
        &mut self,
        row: &Row,
        field: &Arc<str>,
        step: StepId,
        span: Span,
    ) -> Option<Tensor> {
        let info = self.data.sets.get(&row.set)?.clone();
        let known = info.fields.iter().find(|known| known.name == *field)?;
        let part = info.parts.first().cloned();
        let key = ColumnKey { set: row.set.clone(), part, field: field.clone() };
        let rows = row.training_rows.clone();
        let source = IntSource::Field { set: row.set.clone(), field: field.clone() };
        match self.input_tensor(key.into(), rows, known, source, span) {
            Value::Tensor(whole) => self.row_of(&whole, step, span),
            _ => None,
        }
    }
}

/// Whether `standardize` is called in an expression.
fn standardizes(expr: &ast::Expr) -> bool {
    let mut names = Vec::new();
    names_in(expr, &mut names);
    names.iter().any(|name| &**name == "standardize")
}

fn names_in(expr: &ast::Expr, names: &mut Vec<Arc<str>>) {
    walk::expr(expr, &mut |part| names.extend(part.as_name().cloned()));
}

/// Mean and standard deviation over the first axis; a deviation of 0 is given as 1.
fn mean_and_deviation(cx: &mut Elaborator<'_>, rows: &Tensor, span: Span) -> Option<(Tensor, Tensor)> {
    let node = cx.node(rows, span)?;
    let domain = rows.ty.shape.clone();
    let shape = domain[1..].to_vec();
    let n_axes = shape.len();
    let mut sums = Vec::new();
    let mut mean: Option<Tensor> = None;
    for squared in [false, true] {
        let mean_node = mean.as_ref().map(|mean: &Tensor| mean.node);
        let mut l = LoopBuilder::new(cx.graph(), domain.clone());
        let subs = (0..domain.len()).map(|axis| l.index(axis)).collect();
        let mut value = l.read(node, subs);
        if let (true, Some(mean)) = (squared, mean_node) {
            let subs = (1..domain.len()).map(|axis| l.index(axis)).collect();
            let mean = l.read(mean, subs);
            let difference = l.binary(BinaryOp::Sub, value, mean);
            value = l.binary(BinaryOp::Mul, difference, difference);
        }
        let write = (1..domain.len()).map(|axis| l.index(axis)).collect();
        let body = l.reduce(shape.clone(), write, Combine::Add, value);
        let sum = cx.add_loop(span, body);
        let mut l = LoopBuilder::new(cx.graph(), shape.clone());
        let subs = (0..n_axes).map(|axis| l.index(axis)).collect();
        let sum = l.read(sum.node, subs);
        let count = l.size(&domain[0]);
        let count = l.to_float(count);
        let mut result = l.binary(BinaryOp::Div, sum, count);
        if squared {
            let zero = l.float(0.0);
            let positive = l.binary(BinaryOp::Lt, zero, result);
            let root = l.unary(UnaryOp::Sqrt, result);
            let one = l.float(1.0);
            result = l.select(positive, root, one);
        }
        let body = l.map(result);
        let result = cx.add_loop(span, body);
        if !squared {
            mean = Some(result.clone());
        }
        sums.push(result);
    }
    let deviation = sums.pop()?;
    Some((sums.pop()?, deviation))
}
