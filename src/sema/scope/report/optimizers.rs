//! What can be wrong with optimisers: how they are called, and what stands in their bodies.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::{Dim, Type};
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with the optimiser of a `minimize` line.
#[derive(Clone, Debug)]
pub enum OptimizerError {
    NotOptimizer {
        found: Value,
        at: Span,
    },
    /// It is called with what it is to train.
    GivenParameters {
        optimizer: Arc<str>,
        over: String,
        at: Span,
    },
    /// No optimiser of the line takes a parameter of this shape.
    TakesNot {
        path: Arc<str>,
        ty: Type,
        optimizers: Vec<Arc<str>>,
        declared: Span,
        at: Span,
    },
    /// A schedule is no number at a step.
    NotFinite {
        parameter: Arc<str>,
        optimizer: String,
        value: f64,
        step: u64,
        at: Span,
    },
    /// With the hyperparameters of this call no `param <-` is reached.
    LeavesParameter {
        optimizer: String,
        /// `param`, or `parameters`.
        target: &'static str,
        at: Span,
    },
    /// An optimiser that asks for the loss, where gradients are those of several steps.
    Accumulated {
        optimizer: String,
        accumulate: Span,
        at: Span,
    },
    /// `… at x` in an optimiser, of an x that is not all parameters as one vector.
    LossAt {
        found: Value,
        wanted: Dim,
        at: Span,
    },
    /// `loss(x)` in an optimiser.
    LossCalled {
        at: Span,
    },
    /// `… at x` in an optimiser, where nothing is the loss.
    NoLoss {
        at: Span,
        parameters: Span,
    },
    /// A warning: a schedule depends on more than the step.
    Unchecked {
        parameter: Arc<str>,
        optimizer: String,
        on: Beyond,
        at: Span,
    },
}

/// What a value depends on beside the step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beyond {
    Trained,
    Random,
    Data,
}

/// What is wrong with the declaration of an optimiser.
#[derive(Clone, Debug)]
pub enum OptimizerBodyError {
    /// The second list of parameters is not one, `param` or `parameters`.
    OtherInput {
        optimizer: ast::Name,
        at: Span,
    },
    /// No `param <-` stands in the body; perhaps `param =` does.
    NeverUpdates {
        optimizer: ast::Name,
        /// `param`, or `parameters`.
        updated: &'static str,
        bound: Option<Span>,
    },
    NotElementwise {
        at: Span,
    },
    HasValue {
        at: Span,
    },
    /// A `<-` behind that of `param`.
    UpdatedBefore {
        target: &'static str,
        at: Span,
        first: Span,
    },
    NotState {
        name: Arc<str>,
        target: &'static str,
        at: Span,
    },
}

impl Problem for OptimizerError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            OptimizerError::NotOptimizer { found, at } => {
                let found = match found {
                    Value::Layer(item) => format!("the layer `{}`", item.name()),
                    other => other.describe(),
                };
                let message = format!("an optimizer is needed after `with`, found {found}");
                error("E0618", message, *at, "not an optimizer").help(
                    "the library has SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, NAdam, RAdam, Adamax",
                )
            }
            OptimizerError::GivenParameters { optimizer, over, at } => {
                let over = over.trim_start_matches('[').trim_end_matches(']').trim_end_matches(".parameters");
                error("E0886", format!("`{optimizer}` is given what it is to train"), *at, "its settings stand here")
                    .help("all models that the loss calls are trained")
                    .help(format!("to train some of it: `minimize … over {over} with {optimizer}(…)`"))
            }
            OptimizerError::TakesNot { path, ty, optimizers, declared, at } => {
                let names: Vec<String> = optimizers.iter().map(|name| format!("`{name}`")).collect();
                let last = optimizers.last().map_or("", |name| name);
                let message = format!("no optimizer takes the parameter `{path}`, {ty}");
                error("E0597", message, *at, format!("not for {}", names.join(", ")))
                    .and_at(*declared, "declared here")
                    .help(format!("say which takes the others: `with {last}(…) else AdamW(…)`"))
            }
            OptimizerError::NotFinite { parameter, optimizer, value, step, at } => {
                let value = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
                let message = format!("`{parameter}` of `{optimizer}` is {value} at step {step}");
                error("E0130", message, *at, "a schedule must give finite numbers").help(
                    "`step` counts from 1: is there a division by 0, or a root or logarithm of what is not positive?",
                )
            }
            OptimizerError::LeavesParameter { optimizer, target, at } => {
                let label = format!("with these hyperparameters no `{target} <- …` is reached");
                error("E0619", format!("`{optimizer}` leaves `{target}` as it is here"), *at, label)
            }
            OptimizerError::Accumulated { optimizer, accumulate, at } => {
                let message = format!("`{optimizer}` needs the loss of the rows that its gradients are of");
                error("E0658", message, *at, "gradients of several steps have no one loss")
                    .and_at(*accumulate, "they are added up here")
                    .help("take the rows of all these steps for one: a larger `batch`")
            }
            OptimizerError::LossAt { found, wanted, at } => {
                let message = format!("the loss is taken at {wanted} numbers, found {}", found.describe());
                error("E0659", message, *at, "not all parameters as one vector")
                    .help("`loss at parameters + 0.1 * d` is the loss where the parameters are moved along d")
            }
            OptimizerError::LossCalled { at } => {
                error("E0659", "`loss` is a number here and cannot be called", *at, "called here")
                    .help("at other parameters it is `loss at x`")
            }
            OptimizerError::NoLoss { at, parameters } => {
                error("E0659", "nothing here depends on the parameters", *at, "this is taken at other parameters")
                    .and_at(*parameters, "given here")
                    .help("`loss at x`: in an optimizer it is `loss` that has other values at other parameters")
            }
            OptimizerError::Unchecked { parameter, optimizer, on, at } => {
                let on = match on {
                    Beyond::Trained => "what is trained",
                    Beyond::Random => "random numbers",
                    Beyond::Data => "the data",
                };
                Diagnostic::warning("W0683", format!("`{parameter}` of `{optimizer}` depends on {on}"))
                    .at(*at, "its value is not checked")
                    .help("a number or a schedule is checked for every step before the training")
            }
        }
    }
}

impl Problem for OptimizerBodyError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            OptimizerBodyError::OtherInput { optimizer, at } => {
                let message = format!("the optimizer `{optimizer}` takes one input, `param` or `parameters`");
                error("E0596", message, *at, "the second list says which parameters it is for")
                    .help(format!("one after the other: `optimizer {optimizer}(lr = 0.01)(param: [m, n]) {{ … }}`"))
                    .help(format!("all as one vector: `optimizer {optimizer}(lr = 0.01)(parameters: [n]) {{ … }}`"))
            }
            OptimizerBodyError::NeverUpdates { optimizer, updated, bound } => {
                let message = format!("the optimizer `{optimizer}` never updates `{updated}`");
                let label = format!("no `{updated} <- …` in its body");
                let error = error("E0619", message, optimizer.span, label);
                match bound {
                    Some(place) => error
                        .and_at(*place, "`=` binds a name for the rest of the body")
                        .help(format!("`{updated} <- …` updates what is trained")),
                    None => error.help(format!("end the body with `{updated} <- {updated} - lr * grad`")),
                }
            }
            OptimizerBodyError::NotElementwise { at } => {
                let label = "its body is elementwise: bindings, `state`, `<-` and `if`";
                error("E0620", "this cannot stand in an optimizer", *at, label)
            }
            OptimizerBodyError::HasValue { at } => {
                error("E0620", "an optimizer has no value", *at, "assign it: `param <- …`")
            }
            OptimizerBodyError::UpdatedBefore { target, at, first } => {
                let message = format!("`{target}` is updated once, by the last `<-`");
                error("E0619", message, *at, format!("an update after that of `{target}`"))
                    .and_at(*first, format!("`{target}` is updated here"))
            }
            OptimizerBodyError::NotState { name, target, at } => {
                let message = format!("`{name}` is neither a state nor `{target}`");
                error("E0620", message, *at, format!("`<-` updates `{target}` and what is declared by `state`"))
                    .help(format!("`state {name} = 0` at the top of the body declares it"))
            }
        }
    }
}
