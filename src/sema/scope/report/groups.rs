//! What can be wrong with the groups of a `minimize` line.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::sema::value::Value;
use std::sync::Arc;

/// What is wrong with `over PLACES with OPTIMIZER`.
#[derive(Clone, Debug)]
pub enum GroupError {
    /// A place that means no parameter of the line.
    FitsNothing { place: Value, all: Vec<Arc<str>>, at: Span },
    /// All that a group means is in others.
    NothingLeft { at: Span },
    /// The optimizer of the line itself, where all parameters are in groups.
    IdleMethod { at: Span },
    InTwo { path: Arc<str>, first: Span, at: Span },
    /// What a place is cannot mean parameters.
    NotPlace { found: Value, at: Span },
    /// A function that is neither true nor false of a parameter.
    NotCondition { found: Value, path: Arc<str>, at: Span },
}

impl Problem for GroupError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            GroupError::FitsNothing { place, all, at } => fits_nothing(place, all, *at, sources),
            GroupError::NothingLeft { at } => {
                error("E0890", "all parameters of this group are in others", *at, "nothing is left for it")
                    .note("a longer name counts before a shorter one, a name before patterns and functions")
            }
            GroupError::IdleMethod { at } => {
                Diagnostic::warning("W0693", "this optimizer changes no parameter")
                    .at(*at, "all parameters of the line are in groups")
                    .help("leave it out: `minimize LOSS over PARTS with OPTIMIZER` trains what the groups name")
            }
            GroupError::InTwo { path, first, at } => {
                let message = format!("the parameter `{path}` is in two groups");
                error("E0891", message, *at, "it is meant here, too").and_at(*first, "it is in this group").help(
                    "name it, or its layer, in one of the groups: names count before patterns and functions, longer names before shorter ones",
                )
            }
            GroupError::NotPlace { found, at } => {
                let message = format!("a group of parameters cannot be {}", found.describe());
                error("E0892", message, *at, "names no parameters").help(
                    "`Net.head`, `Net.head.bias`, a pattern of paths such as `\"*.bias\"`, or a function of a parameter",
                )
            }
            GroupError::NotCondition { found, path, at } => {
                let text = sources.text(*at);
                let message = format!("`{text}` is {} of the parameter `{path}`", found.describe());
                error("E0892", message, *at, "must be true or false before anything runs")
                    .help("`fn vectors(param) = count_axes(param) < 2` looks at the shape")
            }
        }
    }
}

fn fits_nothing(place: &Value, all: &[Arc<str>], at: Span, sources: &SourceMap) -> Diagnostic {
    let text = sources.text(at);
    let message = match place {
        Value::Str(pattern) => format!("no parameter that this line trains fits \"{pattern}\""),
        Value::Function(_) => format!("`{text}` is true of no parameter that this line trains"),
        _ => format!("this line trains nothing of `{text}`"),
    };
    let mut error = error("E0890", message, at, "an empty group");
    if let Value::Str(pattern) = place
        && let Some(near) = nearest(pattern, all.iter().map(|path| &**path))
    {
        error = error.help(format!("did you mean `{near}`?"));
    } else {
        let shown: Vec<String> = all.iter().take(12).map(|path| format!("`{path}`")).collect();
        let more = if all.len() > shown.len() { ", …" } else { "" };
        error = error.help(format!("it trains {}{more}", shown.join(", ")));
    }
    match place {
        Value::Str(pattern) if !pattern.contains('*') => {
            error.note("a pattern is a whole path, in which `*` stands for any text")
        }
        Value::Instance(_) | Value::Tensor(_) => error.note(
            "frozen parameters, those of models that the loss does not call, and what `over` leaves out are not trained",
        ),
        _ => error,
    }
}
