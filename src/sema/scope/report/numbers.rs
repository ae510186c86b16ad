//! What is wrong where numbers and conditions must be known at compile time.

use super::{Cause, Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Dim;
use crate::sema::value::{Value, show_float};
use crate::syntax::ast::BinaryOp;
use std::sync::Arc;

/// A size, a whole number or a condition that is none. `what` says what it is for: "a dimension", "`batch`".
#[derive(Clone, Debug)]
pub enum NumberError {
    SizeOutside { what: String, size: Dim, at: Span },
    /// Not a whole number that is known at compile time.
    NotWhole { what: String, found: Value, at: Span },
    /// A condition that is known at run time only; perhaps because a list stands in it.
    RunTimeCondition { what: String, found: Value, list: Option<Box<(Arc<str>, Value)>>, at: Span },
    NotCondition { what: String, found: Value, at: Span },
    /// A comparison that depends on sizes without numbers.
    OpenComparison { left: Dim, op: BinaryOp, right: Dim, at: Span },
    /// `div(n, 0)` and `mod(n, 0)` of ints, which have no result.
    DividedByZero { function: &'static str, at: Span },
}

/// What is wrong with the numbers that a function of the language is given.
#[derive(Clone, Debug)]
pub enum MakerError {
    ZeroStep { at: Span },
    UnknownCount { at: Span },
    Count { count: f64, at: Span },
    /// `uniform(hi, lo)`
    Range { from: f64, to: f64, at: Span },
    Deviation { deviation: f64, at: Span },
    Probability { probability: f64, at: Span },
    /// `pad` with a value that is known at run time only.
    Filling { found: Value, at: Span },
    NoShape { what: NoShape, at: Span },
}

/// What has no shape, because nothing declares one.
#[derive(Clone, Debug)]
pub enum NoShape {
    Maker(&'static str),
    Init(String),
}

impl Problem for NumberError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            NumberError::SizeOutside { what, size, at } => {
                let label = match size.as_number() {
                    Some(-1) => "an axis of any size has a name: `[B, 4]`",
                    _ => "a size lies between 0 and 2^31 - 1",
                };
                error("E0217", format!("{} is {size}", with_name(what, sources.text(*at))), *at, label)
            }
            NumberError::NotWhole { what, found, at } => not_whole(what, found, *at, sources.text(*at)),
            NumberError::RunTimeCondition { what, found, list, at } => {
                let message = format!("{what} must be known at compile time, found {}", found.describe());
                let error = error("E0117", message, *at, "not a compile-time bool");
                match list {
                    Some(list) => {
                        let (name, list) = list.as_ref();
                        error.note(format!("`{name}` is {}, where one number is compared", list.describe()))
                    }
                    None => error.help("`if c then a else b` chooses at run time, element by element"),
                }
            }
            NumberError::NotCondition { what, found, at } => {
                let found = found.describe();
                let message = format!("{what} must be true or false, found {found}");
                error("E0117", message, *at, format!("this is {found}"))
            }
            NumberError::OpenComparison { left, op, right, at } => {
                let message =
                    format!("whether {left} {} {right} holds is not known at compile time", op.as_str());
                error("E0117", message, *at, "depends on a free dimension")
            }
            NumberError::DividedByZero { function, at } => {
                error("E0640", format!("`{function}` divides ints by 0"), *at, "this is 0")
                    .help("a divisor that may be 0 is bounded: `max(n, 1)`")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            NumberError::SizeOutside { .. } | NumberError::DividedByZero { .. } => Cause::Program,
            NumberError::NotWhole { found, .. } => match found {
                Value::Float(number) if number.is_finite() => Cause::Program,
                _ => Cause::NotKnown,
            },
            NumberError::RunTimeCondition { .. } | NumberError::NotCondition { .. } => Cause::NotKnown,
            NumberError::OpenComparison { .. } => Cause::OpenSizes,
        }
    }
}

fn not_whole(what: &str, found: &Value, at: Span, text: &str) -> Diagnostic {
    let what = with_name(what, text);
    match found {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            let whole = format!("{number}");
            let message = format!("{what} is the float {}", found.show());
            let error = error("E0208", message, at, "a whole number is needed here");
            match text.starts_with(|c: char| c.is_ascii_digit()) {
                true => error.suggest("a number with a point or an exponent is a float", at, whole),
                false => error.help(format!(
                    "it is made from a number with a point or an exponent; `{whole}` has neither"
                )),
            }
        }
        Value::Float(number) if number.is_finite() => {
            let message = format!("{what} is {}, which is not whole", found.show());
            let error = error("E0208", message, at, "a whole number is needed here");
            match text.contains('/') && !text.contains('[') {
                true => error.suggest("`floor(…)` rounds down", at, format!("floor({text})")),
                false => error,
            }
        }
        found => {
            let message =
                format!("{what} must be a whole number known at compile time, found {}", found.describe());
            let label = if found.is_run_time() { "not known at compile time" } else { "not a whole number" };
            error("E0117", message, at, label)
        }
    }
}

/// "the dimension `out`" for "a dimension" where the text is a name.
fn with_name(what: &str, text: &str) -> String {
    match what.strip_prefix("a ") {
        Some(kind) if crate::syntax::is_name(text) => format!("the {kind} `{text}`"),
        _ => what.to_owned(),
    }
}

impl Problem for MakerError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            MakerError::ZeroStep { at } => error("E0222", "the step of `arange` is 0", *at, "a step is not 0"),
            MakerError::UnknownCount { at } => {
                let message = "`arange` needs numbers known at compile time";
                error("E0117", message, *at, "the number of elements must be known")
            }
            MakerError::Count { count, at } => {
                error("E0217", format!("`arange` would make {count} elements"), *at, "too many, or not a number")
            }
            MakerError::Range { from, to, at } => {
                let label = "a lower and a higher number are needed";
                error("E0217", format!("numbers between {from} and {to}"), *at, label)
            }
            MakerError::Deviation { deviation, at } => {
                let message = format!("a standard deviation of {}", show_float(*deviation));
                error("E0217", message, *at, "it is finite and not negative")
            }
            MakerError::Probability { probability, at } => {
                error("E0217", format!("a probability of {probability}"), *at, "a probability lies in 0 .. 1")
            }
            MakerError::Filling { found, at } => {
                let message = format!("`pad` fills with a compile-time number, found {}", found.describe());
                error("E0117", message, *at, "not known at compile time")
            }
            MakerError::NoShape { what: NoShape::Maker(name), at } => {
                error("E0216", format!("no shape is declared for `{name}`"), *at, "which shape?")
                    .help("say `shape = [...]` (one number: `shape = []`) or `like = x`, or declare the type: `name: [n, m] = …`")
            }
            MakerError::NoShape { what: NoShape::Init(name), at } => {
                error("E0216", format!("no shape is declared for `{name}`"), *at, "which shape?")
                    .help("say `shape = [...]` or `like = x`, or declare the type of the binding")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            MakerError::UnknownCount { .. } | MakerError::Filling { .. } => Cause::NotKnown,
            _ => Cause::Program,
        }
    }
}
