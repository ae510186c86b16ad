//! `data` items. A field is elaborated for one row, in a graph whose `Var::Step` counts the rows, and then
//! lifted to all rows at once.

use crate::sema::body::data_table::{DataInfo, FieldInfo};
use super::{division, given, sources, windows};
use crate::sema::scope::context::Row;
use crate::base::Span;
use crate::ir::program::{Bound, DataRef, DataSet, Division, Field, Source};
use crate::ir::{BinaryOp, Dim, Elem, Graph, LoopBuilder, NodeId, Op, OutputKey, Scan, StepId};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::graphs::Level;
use crate::sema::scope::report::data::{FieldError, IdleSeed, RowsError};
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::value::{Axis, Interval, Tensor, Value};
use crate::sema::walk;
use crate::syntax::ast;
use std::sync::Arc;

/// Calls that make numbers: in data they need `rows`.
const MAKERS: [&str; 3] = ["uniform", "normal", "bernoulli"];

/// Elaborates a `data` item and enters it into the table of data sets.
pub fn data_item(cx: &mut Elaborator<'_>, item: &ast::Data) -> DataSet {
    let errors_before = cx.reports.len();
    let name = item.name.text.clone();
    let mut set = DataSet {
        name: name.clone(),
        span: item.name.span,
        source: Source::None,
        rows: None,
        columns: Vec::new(),
        graph: Graph::new(),
        fields: Vec::new(),
        parts: Vec::new(),
        in_order: false,
        seed: 0,
        division: Division::default(),
        windows: None,
    };
    // Without source or rows nothing sensible can be said of the fields.
    let mut known = true;
    if let Some(source) = &item.source {
        let read = sources::read_source(cx, source);
        known = read.is_some();
        set.source = read.unwrap_or(Source::None);
    }
    known &= given::read_given(cx, item, &mut set);
    known &= read_settings(cx, item, &mut set);
    known = known && says_its_rows(cx, item);
    // Fields may name the data itself, with those of its fields that stand above.
    cx.data.current.whole.clear();
    cx.data.current.reaches.clear();
    let so_far = DataInfo {
        span: item.name.span,
        rows: rows_symbol(&name),
        parts: set.parts.iter().map(|part| part.name.clone()).collect(),
        fields: Vec::new(),
        broken: !known,
    };
    cx.data.sets.insert(name.clone(), so_far);
    let mut literal = if known { fields(cx, item, &mut set) } else { None };
    let column_rows = literal.map(|(rows, _)| rows);
    if known && cx.reports.len() == errors_before {
        windows::read_windows(cx, item, &mut set);
    }
    if known && cx.reports.len() == errors_before {
        division::read_division(cx, item, &mut set, &mut literal);
    }
    if known && cx.reports.len() == errors_before {
        sources::must_be_read(cx, item, !set.columns.is_empty());
    }
    if set.rows.is_none() && matches!(set.source, Source::None) {
        set.rows = column_rows;
        if column_rows.is_none() && !cx.has_errors() {
            cx.report(RowsError::Unknown { data: item.name.clone() });
        }
    }
    if let Some(seed) = &item.seed
        && cx.reports.len() == errors_before
        && (set.parts.is_empty() || set.in_order)
        && !set.graph.draws_numbers()
    {
        cx.report(IdleSeed::Data { at: seed.span });
    }
    let counted = set.rows.filter(|_| set.windows.is_none());
    let rows = counted.map_or_else(|| rows_symbol(&name), |rows| Dim::number(rows as i64));
    let broken = cx.reports.len() > errors_before;
    let infos = set.fields.iter().map(field_info);
    let info = DataInfo {
        span: item.name.span,
        rows,
        parts: set.parts.iter().map(|part| part.name.clone()).collect(),
        fields: infos.collect(),
        broken,
    };
    cx.data.sets.insert(name, info);
    set
}

fn field_info(field: &Field) -> FieldInfo {
    FieldInfo {
        name: field.name.clone(),
        row: field.row.clone(),
        below: field.bounds.first().map(|bound| bound.below.clone()),
        span: field.span,
    }
}

fn rows_symbol(name: &str) -> Dim {
    Dim::symbol(DataRef::rows_of(name, None))
}

/// Whether there are a source, literals or `rows`.
fn says_its_rows(cx: &mut Elaborator<'_>, item: &ast::Data) -> bool {
    let is_literal = |field: &ast::DataField| match field.value.as_ref().map(|value| &value.kind) {
        Some(ast::ExprKind::Call { callee, .. }) => {
            !callee.as_name().is_some_and(|name| MAKERS.contains(&&**name)) || field.ty.is_none()
        }
        _ => true,
    };
    if item.source.is_some() || item.rows.is_some() || item.fields.iter().any(is_literal) {
        return true;
    }
    cx.report(RowsError::Unknown { data: item.name.clone() });
    item.fields.is_empty()
}

/// Reads `rows`, `seed` and `split`. `false` if the number of rows is wrong.
fn read_settings(cx: &mut Elaborator<'_>, item: &ast::Data, set: &mut DataSet) -> bool {
    let errors = cx.reports.len();
    if let Some(rows) = &item.rows
        && let Some(count) = cx.compile_time_int(&rows.value, "`rows`")
    {
        if !(1..=1 << 31).contains(&count) {
            cx.report(RowsError::OutOfRange { count, at: rows.value.span });
        } else if !matches!(set.source, Source::None) {
            let is_given = matches!(set.source, Source::Given { .. });
            cx.report(RowsError::KnownOtherwise { is_given, at: rows.span });
        } else {
            set.rows = Some(count as u64);
        }
    }
    let fits = cx.reports.len() == errors;
    if let Some(seed) = &item.seed
        && let Some(value) = cx.compile_time_int(&seed.value, "`seed`")
    {
        set.seed = value as u64;
    }
    let Some(split) = &item.split else { return fits };
    division::read_split(cx, split, set);
    fits
}

/// Elaborates the fields. Returns the number of rows of literal columns, if there are any, and the first of them.
fn fields(cx: &mut Elaborator<'_>, item: &ast::Data, set: &mut DataSet) -> Option<(u64, Span)> {
    let name = set.name.clone();
    let mut column_rows: Option<(u64, Span)> = None;
    let frame = Frame::uncalled(FrameKind::File, None, cx.frame().module);
    cx.data.current.declared = item.fields.clone();
    cx.begin_graph();
    let (graph, ()) = cx.in_new_graph(|cx| {
        cx.in_frame(frame, |cx| {
            for field in &item.fields {
                if set.fields.iter().any(|known| known.name == field.name.text)
                    || set.parts.iter().any(|part| part.name == field.name.text)
                    || matches!(&*field.name.text, "rows" | "T")
                {
                    cx.report(FieldError::NameTaken { name: field.name.clone() });
                    set.parts.retain(|part| part.name != field.name.text);
                    continue;
                }
                if cx.is_setting_of_another(field) {
                    continue;
                }
                cx.data.current.reach = None;
                let whole = whole_field(cx, field, set, &mut column_rows, false);
                let reach = windows::note_reach(cx, field);
                let Some((whole, bounds)) = whole else {
                    // It was reported; what uses it is not wrong by itself.
                    let name = field.name.text.clone();
                    cx.frame_mut().bind(name, Value::Error, field.name.span, BindingKind::Input);
                    continue;
                };
                let row = crate::ir::Type::new(whole.ty.elem, whole.ty.shape[1..].to_vec());
                cx.graph_mut().output(OutputKey::Named(field.name.text.clone()), whole.node);
                set.fields.push(Field { name: field.name.text.clone(), row, bounds, reach, span: field.name.span });
                cx.data.current.whole.insert(field.name.text.clone(), whole.clone());
                if let (Some(info), Some(made)) = (cx.data.sets.get_mut(&name), set.fields.last()) {
                    info.fields.push(field_info(made));
                    info.rows = whole.ty.shape[0].clone();
                }
                let whole = held_in_class(cx, whole, set.fields.last());
                cx.frame_mut().bind(
                    field.name.text.clone(),
                    Value::Tensor(whole),
                    field.name.span,
                    BindingKind::Input,
                );
            }
        })
    });
    set.graph = graph;
    cx.data.current.declared.clear();
    column_rows
}

/// A field of classes as fields after it see it: held in its classes, so that it may be a subscript. That its values
/// are classes is looked at when all fields are there.
fn held_in_class(cx: &mut Elaborator<'_>, whole: Tensor, field: Option<&Field>) -> Tensor {
    let declared = field.and_then(|field| field.bounds.iter().find(|bound| bound.is_declared));
    let Some(below) = declared.and_then(|bound| bound.below.as_number()).filter(|below| *below > 0) else {
        return whole;
    };
    if whole.interval.is_some() || whole.ty.elem != Elem::Int {
        return whole;
    }
    let Some(node) = cx.node(&whole, whole.span) else { return whole };
    let mut l = LoopBuilder::new(cx.graph_mut(), whole.ty.shape.clone());
    let subs = (0..whole.rank()).map(|axis| l.index(axis)).collect();
    let value = l.read(node, subs);
    let (least, greatest) = (l.int(0), l.int(below - 1));
    let is_below = l.binary(BinaryOp::Lt, value, least);
    let value = l.select(is_below, least, value);
    let is_above = l.binary(BinaryOp::Lt, greatest, value);
    let value = l.select(is_above, greatest, value);
    let body = l.map(value);
    let held = cx.add_loop(whole.span, body);
    Tensor { interval: Some(Interval::below(&Dim::number(below))), ..held }
}

/// A field for all rows: a literal column, or made row by row. `literal` is the number of rows of literal columns, and
/// the first of them; with `may_miss` values that the file lacks are NaN.
pub(super) fn whole_field(
    cx: &mut Elaborator<'_>,
    field: &ast::DataField,
    set: &mut DataSet,
    literal: &mut Option<(u64, Span)>,
    may_miss: bool,
) -> Option<(Tensor, Vec<Bound>)> {
    let mentions_field = |value: &ast::Expr| {
        let mut is_named = false;
        walk::expr(value, &mut |part| {
            is_named |= part.as_name().is_some_and(|name| set.fields.iter().any(|known| known.name == *name));
        });
        is_named
    };
    let is_literal = matches!(set.source, Source::None) && set.rows.is_none();
    match field.value.as_ref().filter(|value| is_literal && !mentions_field(value)) {
        Some(value) => literal_column(cx, field, value, literal),
        None => {
            // A name even if `rows = N` is known: then a field can be computed for some rows, too.
            let rows = literal.map_or_else(|| rows_symbol(&set.name), |(rows, _)| Dim::number(rows as i64));
            row_field(cx, field, set, rows, may_miss)
        }
    }
}

/// The bound that `class(n)` declares.
fn class_bound(cx: &mut Elaborator<'_>, field: &ast::DataField) -> Vec<Bound> {
    let Some(ast::Type { kind: ast::TypeKind::Tensor { element: ast::Element::Class(size), .. }, span }) =
        &field.ty
    else {
        return Vec::new();
    };
    cx.size(size, "the number of classes")
        .map(|below| Bound { below, span: *span, is_declared: true })
        .into_iter()
        .collect()
}

/// `x = [[0, 0], [0, 1]]`: a literal whose first axis is the rows.
fn literal_column(
    cx: &mut Elaborator<'_>,
    field: &ast::DataField,
    value: &ast::Expr,
    column_rows: &mut Option<(u64, Span)>,
) -> Option<(Tensor, Vec<Bound>)> {
    let span = value.span;
    let value = cx.expr(value, None);
    if value.is_error() {
        return None;
    }
    let tensor = cx.to_tensor(&value, span)?;
    if tensor.rank() == 0 {
        cx.report(RowsError::Single { field: field.name.clone(), at: span });
        return None;
    }
    let rows = tensor.ty.shape[0].clone();
    let Some(count) = rows.as_number() else {
        cx.report(RowsError::Open { rows, at: span });
        return None;
    };
    match column_rows {
        Some((known, place)) if *known != count as u64 => {
            let (field, count) = (field.name.clone(), count as u64);
            cx.report(RowsError::Differ { field, count, at: span, known: *known, first: *place });
            return None;
        }
        _ => *column_rows = Some((count as u64, span)),
    }
    let bounds = class_bound(cx, field);
    let tensor = match &field.ty {
        Some(ty) => {
            let mut expected = cx.declared_type(ty)?;
            expected.axes.insert(0, Axis::new(rows));
            let what = format!("`{}`", field.name);
            let fitted = cx.fit(Value::Tensor(tensor), &expected, &what, span, ty.span);
            cx.to_tensor(&fitted, span)?
        }
        // Numbers without a declared type are floats.
        None => cx.with_elem(tensor, Elem::Float, span)?,
    };
    Some((tensor, bounds))
}

/// A field made or read row by row, for all rows.
fn row_field(
    cx: &mut Elaborator<'_>,
    field: &ast::DataField,
    set: &mut DataSet,
    rows: Dim,
    may_miss: bool,
) -> Option<(Tensor, Vec<Bound>)> {
    let expected = match &field.ty {
        Some(ty) => Some(cx.declared_type(ty)?),
        None => None,
    };
    let bounds = class_bound(cx, field);
    let columns = std::mem::take(&mut set.columns);
    let training = set.parts.first().filter(|_| !set.parts.is_empty());
    let training_rows = match training {
        Some(part) => Dim::symbol(DataRef::rows_of(&set.name, Some(&part.name))),
        None => rows.clone(),
    };
    let step = cx.new_step_id();
    cx.data.current.columns = columns;
    let context = cx.context.reading(Row {
        set: set.name.clone(),
        field: field.name.text.clone(),
        source: set.source.clone(),
        step,
        rows: rows.clone(),
        training_only: false,
        may_miss,
        date: None,
        text: None,
        category: None,
        summary: None,
        training_rows,
    });
    let whole =
        cx.within(context, |cx| in_rows(cx, step, rows, |cx| field_value(cx, field, expected.as_ref())));
    set.columns = std::mem::take(&mut cx.data.current.columns);
    Some((whole?, bounds))
}

/// The value of a field for the present row.
fn field_value(
    cx: &mut Elaborator<'_>,
    field: &ast::DataField,
    expected: Option<&Expected>,
) -> Option<Tensor> {
    let Some(given) = &field.value else {
        return match cx.given_field(field, expected?) {
            Value::Tensor(row) => Some(row),
            _ => None,
        };
    };
    let span = given.span;
    // Earlier fields are meant with the same row.
    let step = cx.context.row()?.step;
    let earlier = cx.frame().bindings.clone();
    let opened = cx.frame_mut().open();
    for binding in earlier {
        if let Value::Tensor(whole) = &binding.value {
            let row = cx.row_of(whole, step, binding.span)?;
            cx.frame_mut().bind(binding.name.clone(), Value::Tensor(row), binding.span, BindingKind::Input);
        }
    }
    let value = cx.expr(given, expected);
    cx.frame_mut().close(opened);
    if value.is_error() {
        return None;
    }
    let tensor = match (expected, &field.ty) {
        (Some(expected), Some(ty)) => {
            let tensor = broadcast_numbers(cx, value, expected, span)?;
            let fitted = cx.fit(tensor, expected, &format!("`{}`", field.name), span, ty.span);
            cx.to_tensor(&fitted, span)?
        }
        _ => {
            let tensor = cx.to_tensor(&value, span)?;
            if value.is_number() { cx.with_elem(tensor, Elem::Float, span)? } else { tensor }
        }
    };
    Some(tensor)
}

/// A scalar where one number is declared is that number: `y: [1] = if x[0] > 0 then 1 else 0`. One that differs
/// from row to row is not spread over several.
fn broadcast_numbers(
    cx: &mut Elaborator<'_>,
    value: Value,
    expected: &Expected,
    span: Span,
) -> Option<Value> {
    let Value::Tensor(tensor) = &value else { return Some(value) };
    if tensor.rank() > 0 || expected.axes.is_empty() {
        return Some(value);
    }
    if expected.axes.iter().any(|axis| !axis.size.is_number(1)) {
        let is_table = matches!(cx.context.row().map(|row| &row.source), Some(Source::Csv { .. }));
        let declared = expected.axes.clone();
        cx.report(FieldError::OneNumber { elem: tensor.ty.elem, declared, is_table, at: span });
        return None;
    }
    let zero = cx.fill(&Value::int(0), tensor.ty.elem, &expected.axes, span);
    let zero = Value::Tensor(zero);
    let sum = cx.binary(ast::BinaryOp::Add, Arg { value: &value, span }, Arg { value: &zero, span }, span);
    if sum.is_error() { None } else { Some(sum) }
}

/// Elaborates `row` in a graph for one row and lifts its result to all rows, into the graph around it.
pub(super) fn in_rows(
    cx: &mut Elaborator<'_>,
    step: StepId,
    rows: Dim,
    row: impl FnOnce(&mut Elaborator<'_>) -> Option<Tensor>,
) -> Option<Tensor> {
    cx.open_level(step, rows.clone());
    let tensor = row(cx);
    let node = match &tensor {
        Some(tensor) => cx.node(tensor, tensor.span),
        None => None,
    };
    let level = cx.close_level()?;
    let (tensor, node) = (tensor?, node?);
    lift(cx, &level, node, step, &rows, &tensor)
}

fn lift(
    cx: &mut Elaborator<'_>,
    level: &Level,
    node: NodeId,
    step: StepId,
    rows: &Dim,
    tensor: &Tensor,
) -> Option<Tensor> {
    let captures = level.captures.clone();
    let lifted =
        crate::ir::lift::lift(cx.graph_mut(), &level.graph, &[node], step, rows, |capture| captures[capture]);
    let mut whole = match lifted {
        Some(lifted) => cx.tensor(lifted[0], tensor.span),
        // What holds a recurrence is computed row by row.
        None => {
            let mut body = level.graph.clone();
            body.output(OutputKey::named("row"), node);
            let scan = Scan { step, trip: rows.clone(), reverse: false, n_carries: 0, body };
            let scan = cx.add(tensor.span, Op::Scan(Arc::new(scan)), captures);
            cx.add(tensor.span, Op::Result(0), vec![scan.node])
        }
    };
    whole.interval = tensor.interval.clone();
    Some(whole)
}
