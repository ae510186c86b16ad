//! What is wrong where a value of another kind is needed.

use super::{Cause, Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Elem;
use crate::sema::value::{Axis, Value, show_axes};
use crate::syntax::{ast, tokens};

/// A value that cannot be used as it is.
#[derive(Clone, Debug)]
pub enum ValueError {
    NotTensor { found: Value, at: Span },
    /// An operator of what is neither a number nor a tensor.
    NotComputable { found: Value, at: Span },
    /// Bools are needed, by an operator, function or reducer of this name.
    NotBools { by: &'static str, found: Value, at: Span },
    /// `all(x)` of a tensor of other elements.
    ElementsNotBools { by: &'static str, elem: Elem, at: Span },
    ConditionNotBool { found: Value, at: Span },
    /// A flag of a function that is neither true nor false.
    NotFlag { parameter: String, found: Value, at: Span },
    NoBounds { found: Value, at: Span },
    TensorsNotList { function: &'static str, found: Value, at: Span },
    NotPair { found: Value, at: Span },
    MessageNotText { found: Value, at: Span },
    /// A `train` as a value.
    Train { name: String, at: Span },
}

/// What is wrong with indexed values, which have one value for each index.
#[derive(Clone, Debug)]
pub enum IndexedError {
    AsTensor { at: Span },
    /// Of the indices of another statement.
    Elsewhere { at: Span },
    /// A whole tensor, where one value for each index is needed.
    WholeTensor { elem: Elem, axes: Vec<Axis>, at: Span },
    NotNumber { found: Value, at: Span },
    InProduct { at: Span },
}

/// What is wrong with the parts of expressions: tuples, lists, names, ranges.
#[derive(Clone, Debug)]
pub enum PartError {
    NestedTuple { at: Span },
    TupleType { at: Span },
    /// `a:b` outside of subscripts.
    Range { at: Span },
    NameOf { found: Value, at: Span },
    NotSpread { name: ast::Name, found: Value, at: Span },
    NotTuple { found: Value, at: Span },
    /// `(a, b) = (1, 2, 3)`
    Count { values: usize, names: usize, at: Span, value: Span },
    NotLoopable { found: Value, at: Span },
}

impl Problem for ValueError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ValueError::NotTensor { found, at } => {
                let message = format!("expected a tensor, found {}", found.describe());
                let error = error("E0116", message, *at, "a tensor or a number is needed here");
                match how_to_make_tensor(found) {
                    Some(advice) => error.help(advice),
                    None => error,
                }
            }
            ValueError::NotComputable { found, at } => {
                let message = format!("cannot compute with {}", found.describe());
                error("E0124", message, *at, "not a number or tensor").help(match found {
                    Value::Tuple(_) => "take it apart first: `(a, b) = …`",
                    Value::Layer(_) => "make an instance first and call it: `Linear(8)(x)`",
                    Value::Instance(_) | Value::Function(_) => "call it: `f(x)`",
                    Value::Str(_) => "a string is no number; it holds values in braces: `\"loss {x}\"`",
                    _ => "numbers and tensors can be computed with",
                })
            }
            ValueError::NotBools { by, found, at } => {
                let bools = if *by == "not" { "a bool" } else { "bools" };
                let message = format!("`{by}` needs {bools}, found {}", found.describe());
                error("E0215", message, *at, "compare to make a bool: `x > 0`")
            }
            ValueError::ElementsNotBools { by, elem, at } => {
                error("E0215", format!("`{by}` needs bools, found {elem}s"), *at, "not bools")
                    .help("compare to make bools: `x > 0`")
            }
            ValueError::ConditionNotBool { found, at } => {
                let message = format!("a condition must be a bool, found {}", found.describe());
                error("E0215", message, *at, "compare to make a bool: `x > 0`")
            }
            ValueError::NotFlag { parameter, found, at } => {
                let message = format!("`{parameter}` must be true or false, found {}", found.describe());
                error("E0116", message, *at, "not a compile-time bool")
            }
            ValueError::NoBounds { found, at } => {
                error("E0116", format!("{} has no bounds", found.describe()), *at, "a number or a tensor is needed")
            }
            ValueError::TensorsNotList { function, found, at } => {
                let message = format!("`{function}` needs a list of tensors, found {}", found.describe());
                error("E0116", message, *at, "not a list").help(format!("`{function}([a, b], axis = 1)`"))
            }
            ValueError::NotPair { found, at } => {
                let message = format!("`pad` needs pairs (before, after), found {}", found.describe());
                error("E0116", message, *at, "not a pair")
            }
            ValueError::MessageNotText { found, at } => {
                let message = format!("a message must be a string, found {}", found.describe());
                error("E0116", message, *at, "not a string")
            }
            ValueError::Train { name, at } => {
                error("E0116", format!("`{name}` is a `train`, not a value"), *at, "used as a value")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            ValueError::NotComputable { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}

/// How a tensor comes of a value that is none.
fn how_to_make_tensor(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Instance(_) => "an instance is called with its input: `x |> Linear(8)`",
        Value::Layer(_) => "make an instance and call it: `x |> Linear(8)`",
        Value::Function(_) => "a function is called: `f(x)`",
        Value::Tuple(_) => "take it apart first: `(a, b) = …`",
        Value::Data(_) => "name a column: `digits.image`",
        Value::Parameters(_) => {
            "one of them is a tensor: `w.fc1.weight`; `sum`, `max` and `norm` make one number of all"
        }
        _ => return None,
    })
}

impl Problem for IndexedError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            IndexedError::AsTensor { at } => {
                let message = "an indexed value cannot be used as a whole tensor";
                error("E0126", message, *at, "this has one value for each index")
                    .help("inside index notation functions of indexed values must be elementwise")
            }
            IndexedError::Elsewhere { at } => {
                let label = "this has one value for each index of another statement";
                error("E0126", "an indexed value cannot be used here", *at, label)
                    .help("functions of indexed values must be elementwise")
            }
            IndexedError::WholeTensor { elem, axes, at } => {
                let shape = show_axes(*elem, axes);
                let message = format!("a whole tensor {shape} where one value for each index is needed");
                let subscripts = super::count(axes.len(), "subscript", "subscripts");
                error("E0126", message, *at, format!("this is {shape}"))
                    .help(format!("give it {subscripts} in brackets"))
            }
            IndexedError::NotNumber { found, at } => {
                let message = format!("expected a number, found {}", found.describe());
                error("E0116", message, *at, "one value for each index is needed here")
            }
            IndexedError::InProduct { at } => {
                error("E0126", "`@` of an indexed value", *at, "whole tensors are needed here")
                    .help("inside index notation a product is `sum[i](a[i] * b[i])`")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            IndexedError::NotNumber { .. } => Cause::Program,
            _ => Cause::AnySizes,
        }
    }
}

impl Problem for PartError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            PartError::NestedTuple { at } => error("E0124", "tuples are not nested", *at, "a tuple in a tuple"),
            PartError::TupleType { at } => {
                error("E0124", "a tuple type stands for results only", *at, "one tensor is needed here")
            }
            PartError::Range { at } => {
                let error =
                    error("E0116", "a range stands here as a value", *at, "`a:b` is for subscripts and data columns");
                match as_argument(sources.text(*at)) {
                    Some(argument) => error.suggest("if this is an argument, write", *at, argument),
                    None => error,
                }
            }
            PartError::NameOf { found, at } => {
                let message = format!("a name cannot be made of {}", found.describe());
                error("E0116", message, *at, "an int or a string is needed here")
            }
            PartError::NotSpread { name, found, at } => {
                let message = format!("`...{name}` needs sizes or a list, found {}", found.describe());
                error("E0116", message, *at, "cannot be spread")
            }
            PartError::NotTuple { found, at } => {
                let message = format!("only a tuple or a list can be taken apart, found {}", found.describe());
                error("E0121", message, *at, "not a tuple")
            }
            PartError::Count { values, names, at, value } => {
                let message = format!("{values} values for {names} names");
                error("E0121", message, *at, format!("{names} names"))
                    .and_at(*value, format!("{values} values"))
                    .help("`_` drops a value")
            }
            PartError::NotLoopable { found, at } => {
                let message = format!("`for` goes over a range or a list, found {}", found.describe());
                error("E0116", message, *at, "not a list")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            PartError::NestedTuple { .. } | PartError::TupleType { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}

/// `lr: 0.1`, as other languages write an argument, in the way of this one.
fn as_argument(text: &str) -> Option<String> {
    let (name, value) = text.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let is_argument = tokens::is_name(name) && !value.is_empty() && !value.contains(':');
    is_argument.then(|| format!("{name} = {value}"))
}
