//! What can be wrong with calls: what is called, and what is given to it.

use super::names::meant_parameter;
use super::{Cause, Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span, foreign};
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Builtin, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with the arguments of a call.
#[derive(Clone, Debug)]
pub enum ArgumentError {
    /// An argument too many; what is called is declared somewhere, if it is not a function of the language.
    TooMany { callee: String, takes: usize, given: usize, at: Span, declared: Option<Span> },
    /// An argument by position too many, for a parameter that is named.
    Named { function: &'static str, takes: usize, next: &'static str, at: Span },
    Unknown { callee: String, name: ast::Name, known: Vec<String>, declared: Option<Span> },
    GivenTwice { callee: String, parameter: String, at: Span, first: Span },
    Missing { callee: String, parameter: ast::Name, declared: Span, at: Span },
    /// The same of a function of the language.
    MissingOf { function: &'static Builtin, parameter: &'static str, at: Span },
    /// True or false for what is a number, or the other way round.
    OtherKind { callee: String, parameter: ast::Name, is_flag: bool, found: Box<Value>, at: Span, others: Option<Vec<Span>>, declared: Option<Span> },
    /// `max(a, b, axis = 0)`
    AxisOfTwo { function: &'static str, at: Span },
}

/// What is wrong with calls of functions that look at their arguments before these are elaborated.
#[derive(Clone, Debug)]
pub enum SpecialCallError {
    /// `kind`, `grad` or `repeat` with other arguments than it takes.
    Arguments { function: SpecialForm, at: Span },
    /// `grad` or `repeat` as a value that is called later.
    AsValue { function: SpecialForm, at: Span },
    HasNoKind { found: Value, at: Span },
    /// `repeat(Block(), 3)`
    NumberFirst { found: Value, at: Span },
    NegativeCopies { copies: i64, at: Span },
    /// `repeat(3, Block)`
    NoParentheses { at: Span },
    NotLayer { found: Value, at: Span },
}

/// The functions that look at their arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecialForm {
    Kind,
    Grad,
    Repeat,
}

/// What is wrong with what is called.
#[derive(Clone, Debug)]
pub enum CallError {
    /// A binding that is no function is called.
    Binding { name: Arc<str>, value: Value, kind: BindingKind, declared: Span, hides_function: bool, at: Span },
    /// A binding has the name of a reducer.
    HiddenReducer { name: &'static str, kind: BindingKind, declared: Span, at: Span },
    NotCallable { found: Value, at: Span },
    Optimizer { name: String, at: Span },
    /// `x |> Linear`
    LayerWithoutParentheses { name: String, at: Span },
    TuplePiped { found: Value, at: Span },
    /// A schedule outside of an optimiser.
    NoStep { schedule: String, at: Span },
    /// An item whose body leads back to it, through these.
    CallsItself { name: String, trail: Vec<String>, declared: Span, at: Span },
    /// An instance that is called in its body.
    InstanceCallsItself { name: String, declared: Span, at: Span },
    ConstantOfItself { name: ast::Name, at: Span },
}

impl Problem for ArgumentError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            ArgumentError::TooMany { callee, takes, given, at, declared } => {
                let takes = count(*takes, "argument", "arguments");
                let message = format!("`{callee}` takes {takes}, {given} are given");
                let error = error("E0106", message, *at, "one too many");
                let error = match foreign::find(foreign::METHODS, callee) {
                    Some(row) => error.help(row.advice),
                    None => error,
                };
                declared_at(error, *declared)
            }
            ArgumentError::Named { function, takes, next, at } => {
                let takes = count(*takes, "positional argument", "positional arguments");
                let error = error("E0106", format!("`{function}` takes {takes}"), *at, "one too many");
                match *next {
                    "like" => error.help(format!("all sizes are one list: `{function}([2, 3])`")),
                    _ => error.help(format!("{next} is named: `{next} = {}`", sources.text(*at))),
                }
            }
            ArgumentError::Unknown { callee, name, known, declared } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("`{callee}` has no parameter `{name}`");
                let error = error("E0106", message, name.span, "not a parameter");
                declared_at(meant_parameter(error, name, &known), *declared)
            }
            ArgumentError::GivenTwice { callee, parameter, at, first } => {
                let message = format!("`{parameter}` of `{callee}` is given twice");
                error("E0108", message, *at, "given again").and_at(*first, "given here")
            }
            ArgumentError::Missing { callee, parameter, declared, at } => {
                let message = format!("`{callee}` needs `{parameter}`");
                error("E0107", message, *at, format!("`{parameter}` is missing"))
                    .and_at(*declared, "declared here, without a default")
            }
            ArgumentError::MissingOf { function, parameter, at } => {
                let message = format!("`{}` needs `{parameter}`", function.name);
                error("E0107", message, *at, format!("`{parameter}` is missing"))
                    .note(format!("`{}({})`", function.name, function.parameters))
            }
            ArgumentError::OtherKind { callee, parameter, is_flag, found, at, others, declared } => {
                let wanted = if *is_flag { "true or false" } else { "a number" };
                let message = format!("`{parameter}` of `{callee}` is {wanted}, found {}", found.describe());
                let error = declared_at(error("E0647", message, *at, format!("not {wanted}")), *declared);
                match others {
                    Some(others) => {
                        let others: Vec<&str> = others.iter().map(|span| sources.text(*span)).collect();
                        let call = format!("{callee}({})", others.join(", "));
                        error.help(format!("the sizes of inputs are inferred: `{call}`"))
                    }
                    None => error,
                }
            }
            ArgumentError::AxisOfTwo { function, at } => {
                let message = format!("`{function}` of two values has no axis");
                error("E0106", message, *at, "an axis belongs to the reduction of one value")
            }
        }
    }
}

fn declared_at(error: Diagnostic, declared: Option<Span>) -> Diagnostic {
    match declared {
        Some(declared) => error.and_at(declared, "declared here"),
        None => error,
    }
}

impl Problem for SpecialCallError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            SpecialCallError::Arguments { function, at } => match function {
                SpecialForm::Kind => error("E0106", "`kind` takes one argument", *at, "`kind(x)`"),
                SpecialForm::Grad => {
                    error("E0106", "`grad` takes a value and a name", *at, "`grad(y, x)`")
                }
                SpecialForm::Repeat => {
                    let message = "`repeat` takes a number and a layer: `repeat(3, Block(8))`";
                    error("E0106", message, *at, "two arguments are needed")
                }
            },
            SpecialCallError::AsValue { function, at } => match function {
                SpecialForm::Kind => error("E0116", "`kind` is called with a value", *at, "`kind(x)`"),
                SpecialForm::Grad => error("E0116", "`grad` is called with a name", *at, "`grad(y, x)`"),
                SpecialForm::Repeat => {
                    error("E0116", "`repeat` is called with a new layer", *at, "`repeat(3, Block(8))`")
                }
            },
            SpecialCallError::HasNoKind { found, at } => {
                error("E0116", format!("{} has no kind", found.describe()), *at, "not a single value")
            }
            SpecialCallError::NumberFirst { found, at } => {
                let label = format!("this is {}", found.describe());
                error("E0106", "`repeat` takes the number first", *at, label)
                    .help("`repeat(3, Block(8))` makes three blocks in a row")
            }
            SpecialCallError::NegativeCopies { copies, at } => {
                error("E0217", format!("{copies} copies of a layer"), *at, "a number from 0 up is needed")
            }
            SpecialCallError::NoParentheses { at } => {
                let message = "`repeat` needs a layer with its parentheses: `repeat(3, Block(8))`";
                error("E0106", message, *at, "not a new instance")
            }
            SpecialCallError::NotLayer { found, at } => {
                let message = format!("`repeat` needs a layer, found {}", found.describe());
                error("E0116", message, *at, "not a new instance")
            }
        }
    }
}

impl Problem for CallError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            CallError::Binding { name, value, kind, declared, hides_function, at } => {
                let (value, kind) = (value.describe(), kind.word());
                let message = format!("`{name}` is {value} here and cannot be called");
                let error = error("E0109", message, *at, "called here");
                match hides_function {
                    true => error
                        .and_at(*declared, format!("this {kind} hides the function `{name}`"))
                        .help("give the binding another name"),
                    false => error
                        .and_at(*declared, format!("{kind} `{name}`"))
                        .help(format!("`{name}[…]` takes elements, `{name} * (…)` multiplies")),
                }
            }
            CallError::HiddenReducer { name, kind, declared, at } => {
                let kind = kind.word();
                error("E0109", format!("`{name}` is a {kind} here and cannot reduce"), *at, "called here")
                    .and_at(*declared, format!("this {kind} hides the reducer `{name}`"))
                    .help("give the binding another name")
            }
            CallError::NotCallable { found, at } => {
                let message = format!("{} cannot be called", found.describe());
                let error = error("E0109", message, *at, "not a function or layer");
                match found {
                    Value::Parameters(set) => error.help(format!(
                        "they are a value, without parentheses; `minimize LOSS with OPTIMIZER over {}` trains them",
                        set.name
                    )),
                    found if found.is_number() => error.help("a product is written with `*`"),
                    _ if sources.text(*at).ends_with(".T") => {
                        error.help("the transpose `.T` has no parentheses")
                    }
                    Value::List(_) | Value::Tensor(_) => {
                        error.help("`x[i]` takes elements, counted from 0; a product is written with `*`")
                    }
                    _ => error,
                }
            }
            CallError::Optimizer { name, at } => {
                let message = format!("the optimizer `{name}` cannot be called here");
                error("E0109", message, *at, "an optimizer stands after `with` in a `minimize` line")
            }
            CallError::LayerWithoutParentheses { name, at } => {
                let message = format!("`{name}` is a layer without its parentheses");
                let instance = format!("{}()", sources.text(*at));
                error("E0119", message, *at, "an instance is needed here").suggest("make an instance", *at, instance)
            }
            CallError::TuplePiped { found, at } => {
                error("E0124", "a tuple cannot be piped", *at, found.describe())
                    .help("take it apart first: `(a, b) = …`")
            }
            CallError::NoStep { schedule, at } => {
                let message = format!("the schedule `{schedule}` needs a step");
                error("E0115", message, *at, "a schedule is a hyperparameter of an optimizer")
            }
            CallError::CallsItself { name, trail, declared, at } => {
                let names: Vec<&str> = [name].into_iter().chain(trail).map(String::as_str).collect();
                error("E0110", format!("`{name}` calls itself"), *at, "this call never ends")
                    .and_at(*declared, "declared here")
                    .note(names.join(" → "))
                    .help("`for` and `repeat` do a thing several times")
            }
            CallError::InstanceCallsItself { name, declared, at } => {
                error("E0110", format!("`{name}` calls itself"), *at, "this call never ends")
                    .and_at(*declared, "declared here")
            }
            CallError::ConstantOfItself { name, at } => {
                error("E0110", format!("`{name}` is defined by itself"), *at, "this leads back to the same constant")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            CallError::TuplePiped { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}
