//! `minimize` lines: the loss, its gradient, clipping, the update of each parameter.

use super::optimizer::{self, Call};
use super::train::scalar_node;
use crate::base::Diagnostic;
use crate::grad;
use crate::ir::program::{Line, Train};
use crate::ir::{BinaryOp, Combine, Dim, LoopBuilder, NodeId, Op, OutputKey, Phase, Type, UnaryOp};
use crate::opt;
use crate::sema::elaborator::Elaborator;
use crate::sema::module::ItemRef;
use crate::sema::settings;
use crate::sema::value::{Function, InstanceKind, Tensor, Value};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;

/// What a line finds when its loss is worked out.
pub struct Around<'a> {
    /// The models that the loss calls.
    pub called: &'a [ItemRef],
    /// What the lines before have changed, with the new values.
    pub changed: Vec<(Arc<str>, NodeId)>,
}

/// The loss of a line, a float scalar.
pub fn loss(cx: &mut Elaborator<'_>, line: &ast::Minimize) -> Option<Tensor> {
    if let ast::ExprKind::Call { callee, .. } = &line.loss.kind
        && let Some(name) = callee.as_name()
        && let Some(Value::Function(Function::Item(item))) = cx.global(name, callee.span)
        && item.role() == Some(ast::Role::Metric)
    {
        let message = format!("`{name}` is a metric, and a metric is never differentiated");
        let error = Diagnostic::error("E0113", message).at(line.loss.span, "a loss is needed here");
        cx.report(error.help(format!("`measure {name}(…)` watches it while a loss is minimized")));
        return None;
    }
    let value = cx.expr(&line.loss, None);
    if value.kind() == Some("bool") {
        let message = format!("a loss must be a float, found {}", value.describe());
        let error = Diagnostic::error("E0615", message).at(line.loss.span, "true or false has no slope");
        cx.report(error.help("`measure` takes what is only watched"));
        return None;
    }
    scalar_node(cx, &value, line.loss.span, "a loss", "E0615")
}

/// Differentiates the loss and updates the parameters that the line trains.
pub fn update(
    cx: &mut Elaborator<'_>,
    line: &ast::Minimize,
    number: usize,
    loss: &Tensor,
    around: Around<'_>,
    step: &Tensor,
    train: &mut Train,
) {
    let Some(trained) = trained_parameters(cx, line, around.called) else { return };
    let nodes: Vec<NodeId> = trained.iter().map(|path| current_value(cx, path)).collect();
    let before: HashMap<Arc<str>, NodeId> = trained.iter().cloned().zip(nodes.iter().copied()).collect();
    // What has a name in the graph as it is now; the optimiser's own calls come after it.
    let (forward, values) = (cx.graph().clone(), cx.named_values.clone());
    opt::simplify_forward(cx.graph_mut(), &[loss.node], &nodes);
    let gradients = match grad::gradient(cx.graph_mut(), &[(loss.node, None)], &nodes) {
        Ok(gradients) => gradients,
        Err(error) => {
            let diagnostic = missing_derivative(line, &trained, &error);
            cx.report(diagnostic);
            return;
        }
    };
    let mut found: Vec<(Arc<str>, NodeId, NodeId)> = Vec::new();
    for ((path, node), gradient) in trained.iter().zip(&nodes).zip(gradients) {
        match gradient {
            Some(gradient) => found.push((path.clone(), *node, gradient)),
            None => {
                let variable = cx.variables.find(path).map(|variable| variable.span);
                let warning =
                    Diagnostic::warning("W0601", format!("no loss depends on the parameter `{path}`"));
                let warning =
                    warning.at(line.loss.span, "the loss does not depend on it, so it stays as it is");
                cx.report(match variable {
                    Some(span) => warning.and_at(span, "declared here"),
                    None => warning,
                });
            }
        }
    }
    clip(cx, line, &mut found);
    let Some(call) = Call::new(cx, &line.optimizer, step) else { return };
    let mut updated = Vec::new();
    for (path, node, gradient) in found {
        let Some(new) = optimizer::apply(cx, &call, number, &path, node, gradient, train) else { return };
        updated.push((path, new));
    }
    cx.graph_mut().origin.phase = Phase::Forward;
    let paths: Vec<Arc<str>> = updated.iter().map(|(path, _)| path.clone()).collect();
    cx.variables.current.extend(updated);
    let parameters = paths.iter().filter_map(|path| before.get(path).copied()).collect();
    train.lines.push(Line {
        span: line.span,
        loss_span: line.loss.span,
        trained: paths,
        forward,
        loss: loss.node,
        parameters,
        changed: around.changed,
        values,
    });
}

fn missing_derivative(line: &ast::Minimize, trained: &[Arc<str>], error: &grad::GradError) -> Diagnostic {
    let by = error.wrt.and_then(|at| trained.get(at)).map_or("the parameters", |path| &**path);
    let diagnostic = crate::sema::builtins::special::no_derivative(error, by);
    diagnostic.and_at(line.loss.span, "this loss is differentiated")
}

/// Outputs for all parameters and states that have a new value.
pub fn new_values(cx: &mut Elaborator<'_>) {
    let current = cx.variables.current.clone();
    let paths: Vec<(Arc<str>, bool)> =
        cx.variables.list.iter().map(|variable| (variable.path.clone(), variable.is_state)).collect();
    for (path, is_state) in paths {
        let Some(tensor) = current.get(&path) else { continue };
        let key = if is_state { OutputKey::State(path) } else { OutputKey::Param(path) };
        cx.graph_mut().output(key, tensor.node);
    }
}

/// The node that a parameter is worth at this place of the graph.
fn current_value(cx: &mut Elaborator<'_>, path: &Arc<str>) -> NodeId {
    if let Some(tensor) = cx.variables.current.get(path) {
        return tensor.node;
    }
    let ty =
        cx.variables.find(path).map_or(Type::scalar(crate::ir::Elem::Float), |variable| variable.ty.clone());
    cx.graph_mut().add(Op::Param { path: path.clone(), ty }, Vec::new())
}

/// The paths of the parameters that a line trains. `None` is reported.
fn trained_parameters(
    cx: &mut Elaborator<'_>,
    line: &ast::Minimize,
    called: &[ItemRef],
) -> Option<Vec<Arc<str>>> {
    let mut prefixes: Vec<Arc<str>> = Vec::new();
    if line.over.is_empty() {
        for model in called {
            if let Value::Instance(instance) = cx.model(model, line.loss.span) {
                prefixes.push(instance.path.clone());
            }
        }
        if prefixes.is_empty() {
            let error = Diagnostic::error("E0616", "this loss calls no model");
            cx.report(error.at(line.loss.span, "there is nothing to train"));
            return None;
        }
    }
    for model in &line.over {
        match cx.expr(model, None) {
            Value::Instance(instance) if prefixes.contains(&instance.path) => {
                let message = format!("`{}` is trained twice", cx.text(model.span));
                cx.error("E0616", message, model.span, "given before");
                return None;
            }
            Value::Instance(instance)
                if matches!(instance.kind, InstanceKind::Layer { .. } | InstanceKind::Row(_)) =>
            {
                prefixes.push(instance.path.clone());
            }
            Value::Error => return None,
            other => {
                cx.error(
                    "E0616",
                    format!("`over` takes models, found {}", other.describe()),
                    model.span,
                    "not a model",
                );
                return None;
            }
        }
    }
    let mut paths: Vec<Arc<str>> = Vec::new();
    for prefix in &prefixes {
        let below: Vec<_> = cx.variables.below(prefix).cloned().collect();
        for variable in below {
            if !variable.is_state && !variable.frozen && !paths.contains(&variable.path) {
                paths.push(variable.path);
            }
        }
    }
    if paths.is_empty() {
        let error = Diagnostic::error("E0616", "there is nothing to train: no parameter is free");
        cx.report(match line.over.first() {
            None => {
                error.at(line.loss.span, "the models of this loss have no parameters that are not frozen")
            }
            Some(model) => {
                let name = cx.text(model.span);
                let called = called.iter().any(|it| it.name() == name);
                error.at(
                    model.span,
                    match called {
                        true => format!("`{name}` has no parameters that are not frozen"),
                        false => format!("`{name}` is called nowhere above, and not by this loss"),
                    },
                )
            }
        });
        return None;
    }
    Some(paths)
}

/// `clip_value = c`, then `clip_norm = c`.
fn clip(cx: &mut Elaborator<'_>, line: &ast::Minimize, found: &mut [(Arc<str>, NodeId, NodeId)]) {
    for (at, option) in line.options.iter().enumerate() {
        let Some(known) = cx.setting(&settings::MINIMIZE, option, &line.options[..at]) else { continue };
        let limit = cx.expr(&option.value, None);
        let Some(limit) = limit.as_float().filter(|limit| *limit > 0.0) else {
            if !limit.is_error() {
                cx.error(
                    "E0617",
                    format!("`{}` must be a positive number", option.name),
                    option.value.span,
                    limit.describe(),
                );
            }
            continue;
        };
        cx.set_origin(option.span);
        cx.graph_mut().origin.phase = Phase::Update;
        match known.name {
            "clip_value" => {
                for (_, _, gradient) in found.iter_mut() {
                    *gradient = cx.graph_mut().map(&[*gradient], |l, read| {
                        let (low, high) = (l.float(-limit), l.float(limit));
                        let below = l.binary(BinaryOp::Lt, read[0], low);
                        let above = l.binary(BinaryOp::Lt, high, read[0]);
                        let capped = l.select(above, high, read[0]);
                        l.select(below, low, capped)
                    });
                }
            }
            _ => clip_norm(cx, limit, found),
        }
    }
}

/// Scales all gradients by min(1, limit / (norm + 1e-6)), the norm being taken over all of them.
fn clip_norm(cx: &mut Elaborator<'_>, limit: f64, found: &mut [(Arc<str>, NodeId, NodeId)]) {
    let graph = cx.graph_mut();
    let mut squares: Option<NodeId> = None;
    for (_, _, gradient) in found.iter() {
        let domain: Vec<Dim> = graph.shape(*gradient).to_vec();
        let rank = domain.len();
        let mut l = LoopBuilder::new(graph, domain);
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let value = l.read(*gradient, subs);
        let square = l.binary(BinaryOp::Mul, value, value);
        let sum = l.reduce(Vec::new(), Vec::new(), Combine::Add, square);
        let sum = graph.add_loop(sum);
        squares = Some(match squares {
            Some(others) => graph.sum_of(others, sum),
            None => sum,
        });
    }
    let Some(squares) = squares else { return };
    let factor = graph.map(&[squares], |l, read| {
        let norm = l.unary(UnaryOp::Sqrt, read[0]);
        let tiny = l.float(1e-6);
        let norm = l.binary(BinaryOp::Add, norm, tiny);
        let limit = l.float(limit);
        let ratio = l.binary(BinaryOp::Div, limit, norm);
        let one = l.float(1.0);
        let less = l.binary(BinaryOp::Lt, ratio, one);
        l.select(less, ratio, one)
    });
    for (_, _, gradient) in found.iter_mut() {
        let domain: Vec<Dim> = graph.shape(*gradient).to_vec();
        let rank = domain.len();
        let mut l = LoopBuilder::new(graph, domain);
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let value = l.read(*gradient, subs);
        let factor = l.read(factor, Vec::new());
        let scaled = l.binary(BinaryOp::Mul, value, factor);
        let body = l.map(scaled);
        *gradient = graph.add_loop(body);
    }
}
