//! `measure` lines.

use crate::sema::body::data_table::FieldInfo;
use crate::base::Span;
use crate::ir::program::{Forward, Metric, ROWS, Train};
use crate::ir::{Dim, Elem, Graph, InputKey, OutputKey, Type};
use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::losses::scalar_node;
use crate::sema::scope::report::losses::{BatchNumber, MeasureError};
use crate::sema::value::{Function, IntSource, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// Elaborates all metrics into the present graph. In the step graph (`first`) they are also entered into `train`.
pub fn measures(cx: &mut Elaborator<'_>, item: &ast::Train, train: &mut Train<Forward>, first: bool) {
    let mut names: Vec<(Arc<str>, Span)> = Vec::new();
    for measure in &item.measures {
        let Some((name, span)) = metric_name(cx, measure) else { continue };
        if &*name == "loss" {
            cx.report(MeasureError::CalledLoss { at: span });
            continue;
        }
        if let Some((_, other)) = names.iter().find(|(known, _)| *known == name) {
            cx.report(MeasureError::SameName { name, at: span, other: *other });
            continue;
        }
        names.push((name.clone(), span));
        let whole = match whole_call(cx, &measure.value) {
            Some((callee, args)) => whole_metric(cx, callee, &args, &name, measure.value.span),
            None => {
                let value = cx.expr(&measure.value, None);
                if let Some(tensor) = scalar_node(cx, &value, measure.value.span, BatchNumber::Metric) {
                    cx.graph_mut().output(OutputKey::Metric(name.clone()), tensor.node);
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
fn metric_name(cx: &mut Elaborator<'_>, measure: &ast::Measure) -> Option<(Arc<str>, Span)> {
    if let Some(name) = &measure.name {
        return Some((name.text.clone(), name.span));
    }
    if let ast::ExprKind::Call { callee, .. } = &measure.value.kind
        && let Some(name) = callee.as_name()
    {
        return Some((name.clone(), callee.span));
    }
    cx.report(MeasureError::NoName { at: measure.span });
    None
}

/// A direct call of a metric declared `whole`: the metric and its arguments.
fn whole_call(cx: &mut Elaborator<'_>, value: &ast::Expr) -> Option<(Value, ast::Args)> {
    let ast::ExprKind::Call { callee, args } = &value.kind else { return None };
    let name = callee.as_name()?;
    let hidden = cx.frame().find(name).is_some();
    if hidden {
        return None;
    }
    match cx.global(name, callee.span) {
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
    cx: &mut Elaborator<'_>,
    callee: Value,
    args: &ast::Args,
    name: &str,
    span: Span,
) -> Option<Graph> {
    let given = cx.given(args, None);
    if given.iter().any(|given| given.value.is_error()) {
        return None;
    }
    let mut gathered: Vec<(usize, Tensor)> = Vec::new();
    for (at, arg) in given.iter().enumerate() {
        let Value::Tensor(tensor) = &arg.value else { continue };
        if tensor.rank() == 0 || tensor.ty.shape[0] != Dim::symbol(crate::ir::program::BATCH) {
            cx.report(MeasureError::NotGathered { found: arg.value.clone(), at: arg.span });
            return None;
        }
        let node = cx.node(tensor, arg.span)?;
        cx.graph_mut().output(OutputKey::Whole(name.into(), gathered.len() as u32), node);
        gathered.push((at, tensor.clone()));
    }
    let build = |cx: &mut Elaborator<'_>| {
        let mut all: Vec<Given> = given.clone();
        for (number, (at, tensor)) in gathered.iter().enumerate() {
            let row = Type::new(tensor.ty.elem, tensor.ty.shape[1..].to_vec());
            let below = tensor.interval.as_ref().map(|interval| &interval.greatest + &Dim::ONE);
            let below = below.filter(|_| tensor.ty.elem == Elem::Int);
            let info = FieldInfo { name: number.to_string().into(), row, below, span };
            let key = InputKey::field(number.to_string());
            all[*at].value = cx.input_tensor(key, Dim::symbol(ROWS), &info, IntSource::Caller, span);
        }
        let value = cx.call(callee, span, all, span, None, None);
        match scalar_node(cx, &value, span, BatchNumber::Metric) {
            Some(tensor) => {
                cx.graph_mut().output("value", tensor.node);
                true
            }
            None => false,
        }
    };
    let (graph, fits) = cx.within(cx.context.evaluating(), |cx| cx.in_new_graph(build));
    fits.then_some(graph)
}
