//! `measure` lines.

use super::columns::FieldInfo;
use super::train::scalar_node;
use crate::base::{Diagnostic, Span};
use crate::ir::program::{Metric, Train};
use crate::ir::{Dim, Elem, Graph, InputKey, OutputKey, Type};
use crate::sema::builtins::Given;
use crate::sema::elaborator::{Elaborator, Mode};
use crate::sema::value::{Function, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// The free dimension of the rows that a `whole` metric is computed over.
const ROWS: &str = "rows";

/// Elaborates all metrics into the present graph. In the step graph (`first`) they are also entered into `train`.
pub fn measures(own: &mut Elaborator<'_>, item: &ast::Train, train: &mut Train, first: bool) {
    let mut names: Vec<(Arc<str>, Span)> = Vec::new();
    for measure in &item.measures {
        let Some((name, span)) = metric_name(own, measure) else { continue };
        if let Some((_, other)) = names.iter().find(|(known, _)| *known == name) {
            let error = Diagnostic::error("E0621", format!("two metrics are called `{name}`"));
            own.report(error.at(span, "give it a name: `measure NAME = …`").and_at(*other, "the other one"));
            continue;
        }
        names.push((name.clone(), span));
        let whole = match whole_call(own, &measure.value) {
            Some((callee, args)) => whole_metric(own, callee, &args, &name, measure.value.span),
            None => {
                let value = own.expr(&measure.value, None);
                if let Some(tensor) = scalar_node(own, &value, measure.value.span, "a metric", "E0621") {
                    own.graph_mut().output(OutputKey::Metric(name.clone()), tensor.node);
                }
                None
            }
        };
        if first {
            train.metrics.push(Metric { name, span, whole });
        }
    }
}

/// The name given, or that of the function called.
fn metric_name(own: &mut Elaborator<'_>, measure: &ast::Measure) -> Option<(Arc<str>, Span)> {
    if let Some(name) = &measure.name {
        return Some((name.text.clone(), name.span));
    }
    if let ast::ExprKind::Call { callee, .. } = &measure.value.kind
        && let Some(name) = callee.as_name()
    {
        return Some((name.clone(), callee.span));
    }
    let error = Diagnostic::error("E0621", "this metric has no name").at(measure.span, "not a single call");
    own.report(error.help("write `measure NAME = …`"));
    None
}

/// A direct call of a metric declared `whole`: the metric and its arguments.
fn whole_call(own: &mut Elaborator<'_>, value: &ast::Expr) -> Option<(Value, ast::Args)> {
    let ast::ExprKind::Call { callee, args } = &value.kind else { return None };
    let name = callee.as_name()?;
    let hidden = own.frame().find(name).is_some();
    if hidden {
        return None;
    }
    match own.global(name, callee.span) {
        Some(function @ Value::Function(Function::Item(_))) => {
            let Value::Function(Function::Item(item)) = &function else { return None };
            item.definition()?.whole?;
            Some((function.clone(), args.clone()))
        }
        _ => None,
    }
}

/// The arguments become outputs for each batch; the metric is a graph of its own over all rows.
fn whole_metric(
    own: &mut Elaborator<'_>,
    callee: Value,
    args: &ast::Args,
    name: &str,
    span: Span,
) -> Option<Graph> {
    let given = own.given(args, None);
    if given.iter().any(|given| given.value.is_error()) {
        return None;
    }
    let mut gathered: Vec<(usize, Tensor)> = Vec::new();
    for (at, arg) in given.iter().enumerate() {
        let Value::Tensor(tensor) = &arg.value else { continue };
        if tensor.rank() == 0 || tensor.ty.shape[0] != Dim::symbol(crate::ir::program::BATCH) {
            let error = Diagnostic::error("E0621", "this cannot be gathered over all batches");
            own.report(
                error.at(arg.span, format!("{}: its first axis is not the batch", arg.value.describe())),
            );
            return None;
        }
        let node = own.node(tensor, arg.span)?;
        own.graph_mut().output(OutputKey::Whole(name.into(), gathered.len() as u32), node);
        gathered.push((at, tensor.clone()));
    }
    let mode = std::mem::replace(&mut own.mode, Mode { training: false, updates: false });
    let (graph, fits) = own.in_new_graph(|own| {
        let mut all: Vec<Given> = given.clone();
        for (number, (at, tensor)) in gathered.iter().enumerate() {
            let row = Type::new(tensor.ty.elem, tensor.ty.shape[1..].to_vec());
            let below = tensor.interval.as_ref().map(|interval| &interval.greatest + &Dim::ONE);
            let below = below.filter(|_| tensor.ty.elem == Elem::Int);
            let info = FieldInfo { name: number.to_string().into(), row, below, span };
            let key = InputKey::field(number.to_string());
            all[*at].value = own.input_tensor(key, Dim::symbol(ROWS), &info, name, span);
        }
        let value = own.call(callee, span, all, span, None, None);
        match scalar_node(own, &value, span, "a metric", "E0621") {
            Some(tensor) => {
                own.graph_mut().output("value", tensor.node);
                true
            }
            None => false,
        }
    });
    own.mode = mode;
    fits.then_some(graph)
}
