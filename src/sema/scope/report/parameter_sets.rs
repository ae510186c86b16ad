//! What can be wrong with parameters as values, and with derivatives.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::grad::GradError;
use crate::ir::{Elem, Type};
use crate::sema::value::Value;
use std::sync::Arc;

/// What is wrong with the parameters of a network as a value.
#[derive(Clone, Debug)]
pub enum SetError {
    /// Not known yet, or all frozen.
    Unknown { name: Arc<str>, is_frozen: bool, at: Span },
    /// Two sets of different parameters.
    Different { first: Arc<str>, second: Arc<str>, how: Difference, at: Span, first_at: Span },
    /// Combined with what is neither a number nor parameters.
    NotCombined { name: Arc<str>, found: Value, at: Span, set: Span },
    MatMul { at: Span },
    /// A reduction over an axis.
    Axis { function: &'static str, at: Span },
    /// `expr at w` with what are no parameters.
    NotParameters { found: Value, at: Span },
    /// The value does not depend on the parameters that it is taken at.
    Independent { name: Arc<str>, at: Span, parameters: Span },
}

/// How two sets of parameters differ.
#[derive(Clone, Debug)]
pub enum Difference {
    Type { path: Arc<str>, first: Type, second: Type },
    InOneOnly { path: Arc<str> },
    Order,
}

/// What is wrong with `grad(y, x)`.
#[derive(Clone, Debug)]
pub enum DerivativeError {
    NotName { at: Span },
    /// Floats only have derivatives.
    Elements { elem: Elem, at: Span },
    Independent { variable: Span, at: Span },
    IndependentOfSet { set: Arc<str>, at: Span },
    /// Something between the two has no derivative.
    NoDerivative { error: GradError, variable: Span, at: Span },
}

/// What is probably not meant by `grad(y, x)`.
#[derive(Clone, Debug)]
pub enum DerivativeWarning {
    /// Another argument in y was computed from what is given for the variable.
    OtherArgument { variable: Arc<str>, other: Arc<str>, at: Span, call: Span },
}

impl Problem for DerivativeWarning {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            DerivativeWarning::OtherArgument { variable, other, at, call } => {
                let message = format!("this derivative by `{variable}` counts what `{other}` has of it, too");
                Diagnostic::warning("W0882", message)
                    .at(*at, format!("`{variable}` and `{other}` are what is given for them"))
                    .and_at(*call, format!("here `{other}` is computed from what is given for `{variable}`"))
                    .help(format!("to hold `{other}` constant, bind `z = {variable}` and take the formula and its derivative by z"))
                    .help(format!("to count it, give a function for `{other}`, and call it in the formula"))
            }
        }
    }
}

impl Problem for SetError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            SetError::Unknown { name, is_frozen, at } => {
                let message = format!("the parameters of `{name}` are not known here");
                let error = error("E0590", message, *at, "none so far");
                match is_frozen {
                    true => error.note("all that it has is frozen"),
                    false => error.help("call it above: its inputs say what shapes they have"),
                }
            }
            SetError::Different { first, second, how, at, first_at } => {
                let message = "these are parameters of different networks";
                error("E0591", message, *at, format!("the parameters of `{second}`"))
                    .and_at(*first_at, format!("the parameters of `{first}`"))
                    .note(match how {
                        Difference::Type { path, first, second } => {
                            format!("`{path}` is {first} in one and {second} in the other")
                        }
                        Difference::InOneOnly { path } => format!("`{path}` is in one of them only"),
                        Difference::Order => "they stand in another order".to_owned(),
                    })
            }
            SetError::NotCombined { name, found, at, set } => {
                let found = found.describe();
                let message = format!("parameters are combined with numbers and parameters, not with {found}");
                error("E0592", message, *at, found).and_at(*set, format!("the parameters of `{name}`")).help(
                    "one parameter is a tensor: `w.fc1.weight`; the network is called at them: `Net(x) at w`",
                )
            }
            SetError::MatMul { at } => {
                error("E0592", "`@` of parameters of a network", *at, "several tensors")
                    .help("one parameter is a tensor: `w.fc1.weight`")
            }
            SetError::Axis { function, at } => {
                let message = format!("`{function}` of parameters goes over all of them");
                error("E0592", message, *at, "no axis, and nothing to keep")
            }
            SetError::NotParameters { found, at } => {
                let message = format!("`at` needs parameters, found {}", found.describe());
                let error = error("E0593", message, *at, "no parameters");
                let text = sources.text(*at);
                match found {
                    Value::Instance(_) => error.help(format!("`{text}.parameters` are those of `{text}`")),
                    _ => error.help(
                        "`Net.parameters`, and what is computed from it, are the parameters of a network",
                    ),
                }
            }
            SetError::Independent { name, at, parameters } => {
                let message = format!("this does not depend on the parameters of `{name}`");
                error("E0594", message, *at, format!("`{name}` is not called here"))
                    .and_at(*parameters, format!("these are parameters of `{name}`"))
                    .help(format!("call the network before `at`: `{name}(x) at w`"))
            }
        }
    }
}

impl Problem for DerivativeError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            DerivativeError::NotName { at } => {
                error("E0405", "the variable of `grad` must be a name", *at, "not a name")
                    .help("bind it first: `x = …`, then use x in y")
            }
            DerivativeError::Elements { elem, at } => {
                error("E0405", format!("`grad` of {elem}s"), *at, "only floats have derivatives")
            }
            DerivativeError::Independent { variable, at } => {
                let text = sources.text(*variable);
                let message = format!("the value does not depend on `{text}`");
                error("E0404", message, *at, format!("computed without `{text}`"))
                    .and_at(*variable, "the variable")
                    .note("the derivative counts what is computed from this very binding")
            }
            DerivativeError::IndependentOfSet { set, at } => {
                let message = format!("the value does not depend on the parameters of `{set}`");
                error("E0404", message, *at, "computed without them")
                    .help(format!("`{set}(x) at w` depends on w"))
            }
            DerivativeError::NoDerivative { error, variable, at } => {
                error.diagnostic(sources.text(*variable)).and_at(*at, "the derivative is asked for here")
            }
        }
    }
}
