//! Several rows of a series as one: `window(column("price"), 24)`, and the line `windows stride = 12`.
//!
//! What stands in a window is computed for all rows; the field reads that from its row on. Beyond the last row there is
//! nothing to be read: which rows have all of their windows is known when the data is read, and only these stay.

use super::data::in_rows;
use crate::base::Span;
use crate::ir::program::{DataSet, Source, Windows};
use crate::ir::{Affine, Dim, LoopBuilder, Sub};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::context::Row;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::sources::ColumnError;
use crate::sema::scope::report::windows::WindowError;
use crate::sema::settings::{self, Arguments};
use crate::sema::value::{Expected, Tensor, Value};
use crate::sema::walk;
use crate::syntax::ast;
use std::sync::Arc;

/// `window(values, 24, shift = 12)`: the values of the rows from this one on. `None` is reported.
pub fn window(
    cx: &mut Elaborator<'_>,
    arguments: &Arguments<'_>,
    span: Span,
    expected: Option<&Expected>,
) -> Option<Value> {
    let row = cx.context.row().cloned()?;
    if row.training_only || row.summary.is_some() {
        cx.report(WindowError::InStatistic { at: span });
        return None;
    }
    let length = cx.compile_time_int(arguments.get("length")?, "the length of a window")?;
    let shift = match arguments.get("shift") {
        Some(shift) => cx.compile_time_int(shift, "the shift of a window")?,
        None => 0,
    };
    let (Ok(length @ 1..=MOST), Ok(shift @ ..=MOST)) = (usize::try_from(length), usize::try_from(shift)) else {
        cx.report(ColumnError::Window { at: span });
        return None;
    };
    let values = arguments.get("values")?;
    let around = cx.data.current.reach.take();
    let whole = all_rows(cx, values, &row, expected)?;
    let within = cx.data.current.reach.max(reach_of_fields(cx, values)).unwrap_or(0);
    cx.data.current.reach = around.max(Some(within + shift + length - 1));
    let rest = whole.ty.shape.len() - 1;
    let node = cx.node(&whole, span)?;
    let shape = std::iter::once(Dim::from(length)).chain(whole.ty.shape[1..].iter().cloned()).collect();
    let mut l = LoopBuilder::new(cx.graph(), shape);
    let place = Affine::step(row.step).add(&Affine::index(0)).offset(&Dim::from(shift));
    let subs = std::iter::once(Sub::Affine(place)).chain((0..rest).map(|axis| l.index(axis + 1))).collect();
    let value = l.read_padded(node, subs);
    let body = l.map(value);
    let mut window = cx.add_loop(span, body);
    // Beyond the last row there are zeros.
    window.interval = whole.interval.filter(|interval| interval.least.as_number().is_some_and(|least| least <= 0));
    Some(Value::Tensor(window))
}

/// A window has at most so many rows.
const MOST: usize = 1 << 30;

/// The values for all rows, in the graph around the present row. `None` is reported.
fn all_rows(cx: &mut Elaborator<'_>, values: &ast::Expr, row: &Row, expected: Option<&Expected>) -> Option<Tensor> {
    let expected = expected.map(|expected| Expected {
        elem: expected.elem,
        axes: expected.axes.get(1..).unwrap_or_default().to_vec(),
    });
    let inner = cx.close_level()?;
    let step = cx.new_step_id();
    let of_a_row = |cx: &mut Elaborator<'_>| {
        let outside = cx.levels[0].id;
        let opened = cx.frame_mut().open();
        for binding in cx.frame().bindings.clone() {
            if let Value::Tensor(whole) = &binding.value
                && whole.level == outside
                && cx.data.current.whole.contains_key(&binding.name)
            {
                let row = cx.row_of(whole, step, values.span)?;
                cx.frame_mut().bind(binding.name.clone(), Value::Tensor(row), binding.span, BindingKind::Input);
            }
        }
        let value = cx.expr(values, expected.as_ref());
        cx.frame_mut().close(opened);
        if value.is_error() {
            return None;
        }
        let tensor = cx.to_tensor(&value, values.span)?;
        match expected.as_ref().and_then(|expected| expected.elem) {
            Some(elem) => cx.with_elem(tensor, elem, values.span),
            None => Some(tensor),
        }
    };
    let context = cx.context.in_rows_counted_by(step);
    let whole = cx.within(context, |cx| in_rows(cx, step, row.rows.clone(), of_a_row));
    cx.levels.push(inner);
    whole
}

/// How far ahead the fields look that an expression names.
fn reach_of_fields(cx: &Elaborator<'_>, values: &ast::Expr) -> Option<usize> {
    let mut names: Vec<Arc<str>> = Vec::new();
    walk::expr(values, &mut |part| names.extend(part.as_name().cloned()));
    names.iter().filter_map(|name| cx.data.current.reaches.get(name).copied()).max()
}

/// Remembers how far ahead a field looks that was elaborated just now.
pub fn note_reach(cx: &mut Elaborator<'_>, field: &ast::DataField) -> usize {
    let named = field.value.as_ref().and_then(|value| reach_of_fields(cx, value));
    let reach = cx.data.current.reach.max(named);
    if let Some(reach) = reach {
        cx.data.current.reaches.insert(field.name.text.clone(), reach);
    }
    reach.unwrap_or(0)
}

/// Reads the line `windows …`, once the fields are known, and looks whether windows go together with the rest.
pub fn read_windows(cx: &mut Elaborator<'_>, item: &ast::Data, set: &mut DataSet) {
    let first = item.fields.iter().find(|field| cx.data.current.reaches.contains_key(&field.name.text));
    let Some(first) = first.map(|field| field.value.as_ref().map_or(field.span, |value| value.span)) else {
        if let Some(line) = &item.windows {
            cx.report(WindowError::Idle { at: line.span });
        }
        return;
    };
    let mut windows = Windows { stride: 1, cross_parts: false, span: first };
    let options = item.windows.as_ref().map(|line| line.options.clone()).unwrap_or_default();
    for (at, option) in options.iter().enumerate() {
        if cx.setting(&settings::WINDOWS, option, &options[..at]).is_none() || option.name.as_str() != "stride" {
            continue;
        }
        match cx.compile_time_int(&option.value, "`stride`") {
            Some(stride @ 1..) => windows.stride = stride as usize,
            Some(stride) => {
                cx.report(WindowError::Stride { stride, at: option.value.span });
            }
            None => {}
        }
    }
    set.windows = Some(windows);
    must_fit_together(cx, item, set, first);
}

/// Whether windows can lie within what the rows are divided into.
fn must_fit_together(cx: &mut Elaborator<'_>, item: &ast::Data, set: &DataSet, first: Span) {
    if matches!(set.source, Source::Text { .. }) {
        return;
    }
    if let Some(split) = &item.split
        && !(set.in_order || split.option("group").is_some())
    {
        cx.report(WindowError::Scattered { split: split.span, window: first });
    }
    let sorted = item.windows.iter().flat_map(|line| &line.options).find(|option| option.name.as_str() != "stride");
    if let (Some(sorted), Some(drop)) = (sorted, item.drops.first()) {
        cx.report(WindowError::Dropped { drop: drop.span, sorted: sorted.span });
    }
}
