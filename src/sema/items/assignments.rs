//! `Teacher <- 0.99 * Teacher + 0.01 * Student` and `init Teacher = Student`: lines of `train` that compute parameters
//! of others.
//!
//! In such a line the name of a model, or of a layer in it, stands for its parameters.

use super::batch::in_batch_graph;
use super::companions::BatchData;
use crate::base::Span;
use crate::ir::program::{Assignment, Forward, Train};
use crate::ir::{Elem, InputKey, Op, OutputKey, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::losses::AssignmentError;
use crate::sema::value::{Expected, ParameterSet, Value};
use crate::sema::walk;
use crate::syntax::ast::{self, BinaryOp};
use std::sync::Arc;

/// All such lines of a `train`.
pub fn assignments(cx: &mut Elaborator<'_>, item: &ast::Train, data: &BatchData, train: &mut Train<Forward>) {
    for update in &item.updates {
        let (graph, ()) = in_batch_graph(cx, data, |cx| {
            let ty = Type::scalar(Elem::Int);
            let step = cx.add(item.keyword_span, Op::Input { name: InputKey::Step, ty }, Vec::new());
            let step = Value::Tensor(step);
            cx.frame_mut().bind("step", step.clone(), item.keyword_span, BindingKind::Input);
            if let Some((target, new)) = new_values(cx, update, &step) {
                for ((name, tensor), (_, old)) in new.entries.iter().zip(target.entries.iter()) {
                    let expected = Expected::of(old);
                    let value = Value::Tensor(tensor.clone());
                    let what = format!("`{name}`");
                    let fitted = cx.fit(value, &expected, &what, update.value.span, update.target.span);
                    if let Value::Tensor(tensor) = fitted
                        && let Some(node) = cx.node(&tensor, update.value.span)
                    {
                        cx.graph_mut().output(OutputKey::Param(target.path(name)), node);
                    }
                }
            }
        });
        let after = if update.is_start { 0 } else { update.after };
        train.step.assignments.push(Assignment { after, graph });
    }
}

/// The paths of the models and layers that lines of a `train` compute: no optimiser changes them unless `over` says so.
pub fn targets(cx: &mut Elaborator<'_>, item: &ast::Train) -> Vec<Arc<str>> {
    let lines: Vec<&ast::Update> = item.updates.iter().filter(|update| !update.is_start).collect();
    let roots = lines.iter().filter_map(|update| match cx.expr(&update.target, None) {
        Value::Instance(instance) => Some(instance.path.clone()),
        Value::Parameters(set) => Some(set.root),
        _ => None,
    });
    roots.collect()
}

/// The parameters that a line computes, and their new values. `None` is reported.
fn new_values(
    cx: &mut Elaborator<'_>,
    update: &ast::Update,
    step: &Value,
) -> Option<(ParameterSet, ParameterSet)> {
    let target = match cx.expr(&update.target, None) {
        Value::Instance(instance) => cx.parameters_of(&instance, update.target.span),
        other => other,
    };
    let target = match target {
        Value::Parameters(set) if set.is_read => set,
        Value::Error => return None,
        found => {
            cx.report(AssignmentError::TargetNotModel { found, at: update.target.span });
            return None;
        }
    };
    models_as_parameters(cx, &update.value);
    let value = match cx.expr(&update.value, None) {
        Value::Instance(instance) => cx.parameters_of(&instance, update.value.span),
        other => other,
    };
    let value = match value {
        Value::Parameters(set) => set,
        Value::Error => return None,
        found => {
            let target = target.name.clone();
            cx.report(AssignmentError::NotParameters { target, found, at: update.value.span });
            return None;
        }
    };
    if value.is_read && value.root == target.root {
        cx.report(AssignmentError::Itself { target: target.name.clone(), at: update.value.span });
        return None;
    }
    if !cx.same_parameters(&target, update.target.span, &value, update.value.span) {
        return None;
    }
    if !update.is_start {
        return Some((target, value));
    }
    // Before the first step, so in the first step and before all else in it.
    let span = update.span;
    let one = Value::int(1);
    let is_first =
        cx.binary(BinaryOp::Eq, Arg { value: step, span }, Arg { value: &one, span }, span);
    let (old, new) = (Value::Parameters(target.clone()), Value::Parameters(value));
    let args = [&is_first, &new, &old].map(|value| Arg { value, span });
    match cx.select(args[0], args[1], args[2], span) {
        Value::Parameters(set) => Some((target, set)),
        _ => None,
    }
}

/// Binds the names of models in an expression to their parameters.
fn models_as_parameters(cx: &mut Elaborator<'_>, value: &ast::Expr) {
    let mut names: Vec<(Arc<str>, Span)> = Vec::new();
    walk::expr(value, &mut |part| names.extend(part.as_name().map(|name| (name.clone(), part.span))));
    let mut called: Vec<Arc<str>> = Vec::new();
    walk::expr(value, &mut |part| {
        if let ast::ExprKind::Call { callee, .. } = &part.kind {
            called.extend(callee.as_name().cloned());
        }
    });
    for (name, span) in names {
        if cx.frame().find(&name).is_some() || called.contains(&name) {
            continue;
        }
        if let Some(Value::Instance(instance)) = cx.global(&name, span) {
            let set = cx.parameters_of(&instance, span);
            cx.frame_mut().bind(name, set, span, BindingKind::Local);
        }
    }
}
