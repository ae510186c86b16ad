//! `minimize` lines as forward graphs: the loss, and the optimiser's updates out of gradients that are given.
//! The pipeline after the checker differentiates the one and puts both together.

use super::batch::in_batch_graph;
use super::companions::BatchData;
use super::groups::{self, Member};
use super::{assignments, measure};
use super::optimizer::{self, Method};
use crate::ir::program::{PLATEAUS, Clip, ClipBy, Declared, Forward, Line, NamedValue, Train};
use crate::ir::{Elem, Graph, Op, OutputKey, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::losses::{loss_of_line, step_input};
use crate::sema::scope::context::LineLoss;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::report::losses::MinimizeError;
use crate::sema::settings;
use crate::sema::value::{InstanceKind, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// All lines of a `train`.
pub fn lines(cx: &mut Elaborator<'_>, item: &ast::Train, data: &BatchData, train: &mut Train<Forward>) {
    cx.begin_graph();
    for (number, line) in item.minimize.iter().enumerate() {
        let Some(forward) = forward(cx, item, number, data, train) else { continue };
        let over = || forward.over.iter().map(|member| member.path.clone()).collect();
        let updated = update(cx, item, number, data, &forward.over, train).unwrap_or_else(|| Updated {
            clips: Vec::new(),
            graph: Graph::new(),
            over: over(),
        });
        train.lines.push(Line {
            span: line.span,
            loss_span: line.loss.span,
            forward: forward.graph,
            loss: forward.loss.node,
            values: forward.values,
            declared: forward.declared,
            over: updated.over,
            clips: updated.clips,
            update: updated.graph,
        });
    }
}

/// What a line minimises.
struct Minimised {
    graph: Graph,
    loss: Tensor,
    values: Vec<NamedValue>,
    declared: Vec<Declared>,
    over: Vec<Member>,
}

/// The loss of a line; with the first line go the metrics. `None` is reported.
fn forward(
    cx: &mut Elaborator<'_>,
    item: &ast::Train,
    number: usize,
    data: &BatchData,
    train: &mut Train<Forward>,
) -> Option<Minimised> {
    let line = &item.minimize[number];
    let (graph, minimised) = in_batch_graph(cx, data, |cx| {
        let context = if number == 0 { cx.context.remembering_calls() } else { cx.context.clone() };
        let loss = cx.within(context, |cx| loss_of_line(cx, item.keyword_span, line));
        let called = std::mem::take(&mut cx.built.called_models);
        if let Some(loss) = &loss {
            cx.graph_mut().output(OutputKey::Loss(number as u32), loss.node);
        }
        if number == 0 {
            let watching = cx.context.watching();
            cx.within(watching, |cx| measure::measures(cx, item, train, true));
        }
        let over = loss.as_ref().and_then(|_| trained_parameters(cx, item, line, &called));
        let over = over.and_then(|all| groups::divide(cx, line, &all));
        new_states(cx);
        loss.zip(over)
    });
    let values = std::mem::take(&mut cx.built.named_values);
    let declared = std::mem::take(&mut cx.built.declared);
    minimised.map(|(loss, over)| Minimised { graph, loss, values, declared, over })
}

/// What changes the parameters of a line.
struct Updated {
    clips: Vec<Clip>,
    graph: Graph,
    /// The parameters that an optimiser takes.
    over: Vec<Arc<str>>,
}

/// The optimisers of a line with their updates, and what limits the gradients before. `None` is reported.
fn update(
    cx: &mut Elaborator<'_>,
    item: &ast::Train,
    number: usize,
    data: &BatchData,
    members: &[Member],
    train: &mut Train<Forward>,
) -> Option<Updated> {
    let line = &item.minimize[number];
    let (graph, changed) = in_batch_graph(cx, data, |cx| {
        let step = step_input(cx, item.keyword_span);
        let clips = clips(cx, line);
        let plateaus = Op::State { path: PLATEAUS.into(), ty: Type::scalar(Elem::Float) };
        let plateaus = Value::Tensor(cx.add(item.keyword_span, plateaus, Vec::new()));
        let updates = cx.context.last_step() / train.accumulate.map_or(1, |(every, _)| every);
        let counting = cx.context.counting(plateaus, updates.max(1));
        let chain = |cx: &mut Elaborator<'_>, methods: &[ast::Expr]| {
            cx.within(counting.clone(), |cx| {
                methods.iter().map(|method| Method::new(cx, method, &step)).collect::<Option<Vec<Method>>>()
            })
        };
        let default = chain(cx, &line.methods)?;
        let groups = line.groups.iter().map(|group| chain(cx, &group.methods));
        let groups = groups.collect::<Option<Vec<_>>>()?;
        let loss = LineLoss { line: line.clone(), keyword: item.keyword_span, n_frames: cx.frames.len(), of: [].into() };
        let accumulate = train.accumulate.map(|(_, at)| at);
        let mut over = Vec::new();
        for Taken { method, paths } in taken(cx, members, &default, &groups)? {
            over.extend(paths.iter().cloned());
            let Method::By(call) = method else { continue };
            if let Some(accumulate) = accumulate.filter(|_| method.sees_all()) {
                cx.report(call.not_accumulated(accumulate));
                return None;
            }
            for (path, new) in optimizer::apply(cx, call, (number, &loss), &paths, train)? {
                cx.graph_mut().output(OutputKey::Param(path), new);
            }
        }
        new_states(cx);
        if over.is_empty() {
            cx.report(MinimizeError::AllLeft { at: line.span });
            return None;
        }
        Some((clips, over))
    });
    changed.map(|(clips, over)| Updated { clips, graph, over })
}

/// A method with the parameters that it takes: one, or all of them together if it sees all.
struct Taken<'m> {
    method: &'m Method,
    paths: Vec<Arc<str>>,
}

/// Which method takes which parameters. What is left as it is, is not there. `None` is reported.
fn taken<'m>(
    cx: &mut Elaborator<'_>,
    members: &[Member],
    default: &'m [Method],
    groups: &'m [Vec<Method>],
) -> Option<Vec<Taken<'m>>> {
    let mut all: Vec<Taken<'m>> = Vec::new();
    for Member { path, group } in members {
        let methods = group.map_or(default, |number| &groups[number]);
        let method = optimizer::for_parameter(cx, methods, path)?;
        if matches!(method, Method::Leave) {
            continue;
        }
        let together = all.iter_mut().find(|taken| method.sees_all() && std::ptr::eq(taken.method, method));
        match together {
            Some(taken) => taken.paths.push(path.clone()),
            None => all.push(Taken { method, paths: vec![path.clone()] }),
        }
    }
    Some(all)
}

/// Outputs for the states of models that have a new value in this graph.
fn new_states(cx: &mut Elaborator<'_>) {
    let states = cx.variables.list.iter().filter(|variable| variable.is_state);
    let new = states.filter_map(|state| Some((state.path.clone(), cx.variables.current.get(&state.path)?.node)));
    for (path, node) in new.collect::<Vec<_>>() {
        cx.graph_mut().output(OutputKey::State(path), node);
    }
}

/// The paths of the parameters that a line trains. `None` is reported.
fn trained_parameters(
    cx: &mut Elaborator<'_>,
    item: &ast::Train,
    line: &ast::Minimize,
    called: &[ItemRef],
) -> Option<Vec<Arc<str>>> {
    let mut prefixes: Vec<Arc<str>> = Vec::new();
    if line.over.is_empty() {
        let computed = assignments::targets(cx, item);
        for model in called {
            if let Value::Instance(instance) = cx.model(model, line.loss.span)
                && !computed.contains(&instance.path)
            {
                prefixes.push(instance.path.clone());
            }
        }
        if let (true, Some(model)) = (prefixes.is_empty(), called.first()) {
            cx.report(MinimizeError::Computed { model: model.name().to_owned(), at: line.loss.span });
            return None;
        }
        if prefixes.is_empty() {
            cx.report(MinimizeError::CallsNoModel { at: line.loss.span });
            return None;
        }
    }
    let mut paths: Vec<Arc<str>> = Vec::new();
    for model in &line.over {
        let value = cx.expr(model, None);
        if let Some(path) = parameter(cx, &value) {
            if paths.contains(&path) {
                cx.report(MinimizeError::TrainedTwice { at: model.span });
                return None;
            }
            paths.extend(Some(path).filter(|path| is_free(cx, path)));
            continue;
        }
        match value {
            Value::Instance(instance) if prefixes.contains(&instance.path) => {
                cx.report(MinimizeError::TrainedTwice { at: model.span });
                return None;
            }
            Value::Instance(instance)
                if matches!(instance.kind, InstanceKind::Layer { .. } | InstanceKind::Row(_)) =>
            {
                prefixes.push(instance.path.clone());
            }
            Value::Error => return None,
            found => {
                cx.report(MinimizeError::NotModel { found, at: model.span });
                return None;
            }
        }
    }
    for prefix in &prefixes {
        let below: Vec<Arc<str>> = cx.variables.below(prefix).map(|variable| variable.path.clone()).collect();
        for path in below {
            if is_free(cx, &path) && !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    if paths.is_empty() {
        nothing_is_free(cx, line, called);
        return None;
    }
    Some(paths)
}

/// The path of a value that is a parameter: `Net.alpha`.
fn parameter(cx: &Elaborator<'_>, value: &Value) -> Option<Arc<str>> {
    let Value::Tensor(tensor) = value else { return None };
    if tensor.level != cx.level().id {
        return None;
    }
    match &cx.graph()[tensor.node].op {
        Op::Param { path, .. } => Some(path.clone()),
        _ => None,
    }
}

/// Whether a variable is a parameter that may change.
fn is_free(cx: &Elaborator<'_>, path: &str) -> bool {
    let is_parameter = cx.variables.find(path).is_some_and(|variable| !variable.is_state && !variable.frozen);
    is_parameter && !cx.context.freezes(path)
}

/// Reports models all of whose parameters are frozen, or of which none is known.
fn nothing_is_free(cx: &mut Elaborator<'_>, line: &ast::Minimize, called: &[ItemRef]) {
    cx.report(match line.over.first() {
        None => MinimizeError::NothingFree { at: line.loss.span },
        Some(model) => {
            let name = cx.text(model.span);
            let is_called = called.iter().any(|item| item.name() == name);
            MinimizeError::NothingFreeIn { model: model.span, is_called }
        }
    });
}

/// `clip_value = c`, `clip_norm = c`
fn clips(cx: &mut Elaborator<'_>, line: &ast::Minimize) -> Vec<Clip> {
    let mut clips = Vec::new();
    for (at, option) in line.options.iter().enumerate() {
        let Some(known) = cx.setting(&settings::MINIMIZE, option, &line.options[..at]) else { continue };
        let value = cx.expr(&option.value, None);
        let Some(limit) = value.as_float().filter(|limit| *limit > 0.0) else {
            if !value.is_error() {
                let (option, at) = (option.name.clone(), option.value.span);
                cx.report(MinimizeError::ClipNotPositive { option, found: value, at });
            }
            continue;
        };
        let by = if known.name == "clip_value" { ClipBy::Value } else { ClipBy::Norm };
        clips.push(Clip { by, limit, span: option.span });
    }
    clips
}
