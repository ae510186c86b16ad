//! What can be wrong with the lines of a `train`: what is minimised, measured and computed.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// A number for the whole batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchNumber {
    Loss,
    Metric,
}

/// A loss or a metric that is not one number.
#[derive(Clone, Debug)]
pub enum BatchNumberError {
    NotNumber { of: BatchNumber, found: Value, at: Span },
    NotScalar { of: BatchNumber, found: Value, at: Span },
}

/// What is wrong with a `minimize` line.
#[derive(Clone, Debug)]
pub enum MinimizeError {
    MetricAsLoss { name: Arc<str>, at: Span },
    /// True or false has no slope.
    Bool { found: Value, at: Span },
    /// The only model that the loss calls is computed by another line.
    Computed { model: String, at: Span },
    CallsNoModel { at: Span },
    TrainedTwice { at: Span },
    NotModel { found: Value, at: Span },
    /// No model of the loss has a parameter that is not frozen.
    NothingFree { at: Span },
    /// The same of a model that the line names.
    NothingFreeIn { model: Span, is_called: bool },
    /// `with none` for all parameters.
    AllLeft { at: Span },
    ClipNotPositive { option: ast::Name, found: Value, at: Span },
}

/// What is wrong with a `measure` line.
#[derive(Clone, Debug)]
pub enum MeasureError {
    CalledLoss { at: Span },
    SameName { name: Arc<str>, at: Span, other: Span },
    NoName { at: Span },
    /// An argument of a metric over all rows whose first axis is not the batch.
    NotGathered { found: Value, at: Span },
}

/// A logarithm in a loss that is infinite where a softmax is sure of one class: it rounds to 0 what it is taken of.
#[derive(Clone, Copy, Debug)]
pub struct RoundedLogarithm {
    pub of: Rounded,
    pub at: Span,
}

/// What is made of a softmax and rounds to 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounded {
    /// `1 - softmax(z)`
    Complement,
    /// `softmax(z) @ w`
    Mixture,
}

/// What is wrong with `Teacher <- …` and `init Teacher = …` in a `train`.
#[derive(Clone, Debug)]
pub enum AssignmentError {
    TargetNotModel { found: Value, at: Span },
    NotParameters { target: Arc<str>, found: Value, at: Span },
    /// `init Net = Net`
    Itself { target: Arc<str>, at: Span },
}

impl BatchNumber {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            BatchNumber::Loss => ("E0615", "a loss"),
            BatchNumber::Metric => ("E0621", "a metric"),
        }
    }
}

impl Problem for BatchNumberError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            BatchNumberError::NotNumber { of, found, at } => {
                let (code, what) = of.words();
                let message = format!("{what} must be a number, found {}", found.describe());
                error(code, message, *at, "not a number")
            }
            BatchNumberError::NotScalar { of, found, at } => {
                let (code, what) = of.words();
                let message = format!("{what} must be a scalar, found {}", found.describe());
                error(code, message, *at, "one number for the whole batch is needed")
                    .help("`mean(…)` or `sum(…)` makes one number of it")
            }
        }
    }
}

impl Problem for MinimizeError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            MinimizeError::MetricAsLoss { name, at } => {
                let message = format!("`{name}` is a metric, and a metric is never differentiated");
                error("E0113", message, *at, "a loss is needed here")
                    .help(format!("`measure {name}(…)` watches it while a loss is minimized"))
            }
            MinimizeError::Bool { found, at } => {
                let message = format!("a loss must be a float, found {}", found.describe());
                error("E0615", message, *at, "true or false has no slope")
                    .help("`measure` takes what is only watched")
            }
            MinimizeError::Computed { model, at } => {
                let message = format!("`{model}` is computed by a `<-` line of this `train`");
                let advice =
                    format!("`over {model}` trains it as well: `minimize LOSS with OPTIMIZER over {model}`");
                error("E0616", message, *at, "there is nothing else to train").help(advice)
            }
            MinimizeError::CallsNoModel { at } => {
                error("E0616", "this loss calls no model", *at, "there is nothing to train")
            }
            MinimizeError::TrainedTwice { at } => {
                error("E0616", format!("`{}` is trained twice", sources.text(*at)), *at, "given before")
            }
            MinimizeError::NotModel { found, at } => {
                error("E0616", format!("`over` takes models, layers and parameters, found {}", found.describe()), *at, "none of these")
            }
            MinimizeError::NothingFree { at } => {
                let label = "the models of this loss have no parameters that are not frozen";
                error("E0616", "there is nothing to train: no parameter is free", *at, label)
            }
            MinimizeError::NothingFreeIn { model, is_called } => {
                let name = sources.text(*model);
                let label = match is_called {
                    true => format!("`{name}` has no parameters that are not frozen"),
                    false => format!("`{name}` is called nowhere above, and not by this loss"),
                };
                error("E0616", "there is nothing to train: no parameter is free", *model, label)
            }
            MinimizeError::AllLeft { at } => {
                let message = "there is nothing to train: `with none` leaves all parameters alone";
                error("E0616", message, *at, "no optimizer for any of them")
            }
            MinimizeError::ClipNotPositive { option, found, at } => {
                error("E0617", format!("`{option}` must be a positive number"), *at, found.describe())
            }
        }
    }
}

impl Problem for MeasureError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            MeasureError::CalledLoss { at } => {
                let label = "what is minimized is shown under this name";
                error("E0621", "a metric cannot be called `loss`", *at, label)
            }
            MeasureError::SameName { name, at, other } => {
                let message = format!("two metrics are called `{name}`");
                error("E0621", message, *at, "give it a name: `measure NAME = …`")
                    .and_at(*other, "the other one")
            }
            MeasureError::NoName { at } => error("E0621", "this metric has no name", *at, "not a single call")
                .help("write `measure NAME = …`"),
            MeasureError::NotGathered { found, at } => {
                let label = format!("{}: its first axis is not the batch", found.describe());
                error("E0621", "this cannot be gathered over all batches", *at, label)
            }
        }
    }
}

impl Problem for AssignmentError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            AssignmentError::TargetNotModel { found, at } => {
                let message =
                    format!("`<-` in a `train` gives a model new parameters, found {}", found.describe());
                error("E0595", message, *at, "no model, and no layer of one").help(
                    "`Teacher <- 0.99 * Teacher + 0.01 * Student`; a loss is minimized: `minimize LOSS with …`",
                )
            }
            AssignmentError::Itself { target, at } => {
                error("E0595", format!("`{target}` stays as it is"), *at, "its own parameters")
            }
            AssignmentError::NotParameters { target, found, at } => {
                let message = format!("the new parameters of `{target}` are {}", found.describe());
                error("E0595", message, *at, "no parameters").help(
                    "the name of a model stands for its parameters here: `0.99 * Teacher + 0.01 * Student`",
                )
            }
        }
    }
}

impl Problem for RoundedLogarithm {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let (of, place, help) = match self.of {
            Rounded::Complement => (
                "1 minus a softmax",
                "infinite where a class has the probability 1",
                "with `sigmoid` in place of the softmax it is computed from the scores and finite; or bound it, \
                 `log(max(1 - p, 1e-6))`",
            ),
            Rounded::Mixture => (
                "sums of a softmax's probabilities",
                "infinite where those that are summed round to 0",
                "`logsumexp(log_softmax(z)[:, :, new] + log(w), axis = 1)` for `log(softmax(z) @ w)` is finite; or \
                 bound it, `log(max(softmax(z) @ w, 1e-20))`",
            ),
        };
        Diagnostic::warning("W0692", format!("a logarithm of {of}, which may be 0")).at(self.at, place).help(help)
    }
}
