//! What can be wrong with the settings of a `train` and with its data.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::ir::Type;
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with a `train` as a whole, or with one of its settings.
#[derive(Clone, Debug)]
pub enum TrainError {
    NothingMinimized { at: Span },
    NoData { at: Span },
    /// Neither `epochs` nor `steps`.
    NoLength { at: Span },
    BothLengths { at: Span, first: Span },
    OutOfRange { what: String, count: i64, at: Span },
    TooManyShards { count: u64, most: u64, at: Span },
    NotPatience { setting: &'static str, at: Span },
    NotParameterFile { at: Span },
    /// The variable of a loop around a training.
    LoopNamedLikeField { name: Arc<str>, data: Arc<str>, at: Span, declared: Span },
    /// `only` or `except` of a file of parameters.
    NotPaths { option: &'static str, found: Value, at: Span },
    /// What is read in part has no parameter of this name.
    NoSuchPart { part: String, layers: Vec<String>, at: Span },
}

/// What is wrong with the data that a training names.
#[derive(Clone, Debug)]
pub enum TrainDataError {
    NotData { what: &'static str, found: Value, at: Span },
    /// All parts of a data set that is split.
    Split { data: Arc<str>, first: Arc<str>, at: Span },
    /// The data of `validate` lacks a field, or has it with another type.
    OtherFields { data: Arc<str>, other: Arc<str>, field: FieldType, found: Option<FieldType>, at: Span },
}

/// A field of data, and where it is declared.
#[derive(Clone, Debug)]
pub struct FieldType {
    pub name: Arc<str>,
    pub row: Type,
    pub span: Span,
}

/// What makes the results of a training doubtful.
#[derive(Clone, Debug)]
pub enum TrainWarning {
    /// Rows of a batch meet their neighbours, and the order of rows is drawn anew.
    Neighbours { is_recurrence: bool, at: Span, train: Span },
    /// A parameter of a model that nothing calls has a size that an input would fix.
    OpenSize { path: Arc<str>, ty: Type, model: Span, declared: Span, fixing: Option<FixingInput> },
}

/// An input of a model that would fix a size.
#[derive(Clone, Debug)]
pub struct FixingInput {
    pub size: String,
    pub input: ast::Name,
    pub at: Span,
}

impl Problem for TrainError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            TrainError::NothingMinimized { at } => {
                error("E0611", "nothing is minimized", *at, "this `train` has no `minimize` line")
                    .help("write `minimize mse(Net(x), y) with SGD(lr = 0.1)`")
            }
            TrainError::NoData { at } => {
                error("E0611", "this `train` does not say what it learns from", *at, "no `data` line")
                    .help("write `data = digits.train`")
            }
            TrainError::NoLength { at } => {
                error("E0613", "neither `epochs` nor `steps` is given", *at, "how long?")
                    .help("write `epochs = 10` or `steps = 1_000`")
            }
            TrainError::BothLengths { at, first } => {
                error("E0613", "both `epochs` and `steps` are given", *at, "remove one of them")
                    .and_at(*first, "the other one")
            }
            TrainError::OutOfRange { what, count, at } => {
                let label = if *count < 1 { "at least 1 is needed" } else { "at most 2^30 is possible" };
                error("E0614", format!("{what} is {count}"), *at, label)
            }
            TrainError::TooManyShards { count, most, at } => {
                error("E0614", format!("`shards` is {count}"), *at, format!("at most {most} are possible"))
            }
            TrainError::NotPatience { setting, at } => {
                let label = "write `patience(5)`: five epochs without a better loss";
                error("E0614", format!("`{setting}` takes a patience"), *at, label)
            }
            TrainError::NotParameterFile { at } => {
                let label = "write `safetensors(\"start.safetensors\")`";
                error("E0614", "`init` takes a file of parameters, or `anew`", *at, label)
            }
            TrainError::LoopNamedLikeField { name, data, at, declared } => {
                error("E0885", format!("`{name}` is a field of `{data}`"), *at, "choose another name for the variable")
                    .and_at(*declared, "in the training within this loop the name is that of this field")
            }
            TrainError::NotPaths { option, found, at } => {
                let message = format!("`{option}` is a list of strings, found {}", found.describe());
                error("E0656", message, *at, "paths of layers or parameters")
                    .help(format!("`{option} = [\"conv1\", \"blocks.0\"]`"))
            }
            TrainError::NoSuchPart { part, layers, at } => {
                let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
                let message = format!("no parameter or state is called `{part}`, or is below it");
                let error = error("E0656", message, *at, "names what there is not");
                match nearest(part, layers.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("there are {}", list_names(&layers[..layers.len().min(12)]))),
                }
            }
        }
    }
}

impl Problem for TrainDataError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            TrainDataError::NotData { what, found, at } => {
                let message = format!("{what} must be a data set, found {}", found.describe());
                error("E0610", message, *at, "not data")
            }
            TrainDataError::Split { data, first, at } => {
                let fix = format!("{}.{first}", sources.text(*at));
                let message = format!("`{data}` is split: say which part");
                error("E0610", message, *at, "all of it would mix the parts").suggest(
                    format!("use `{fix}`"),
                    *at,
                    fix,
                )
            }
            TrainDataError::OtherFields { data, other, field, found, at } => {
                let FieldType { name, row, span } = field;
                let message = match found {
                    Some(found) => {
                        format!("the field `{name}` is {row} in `{data}` and {} in `{other}`", found.row)
                    }
                    None => format!("the data `{other}` has no field `{name}: {row}`"),
                };
                let error = error("E0610", message, *at, "validation needs the fields of the training data")
                    .and_at(*span, format!("{row} here"));
                match found {
                    Some(found) => error.and_at(found.span, format!("{} here", found.row)),
                    None => error,
                }
            }
        }
    }
}

impl Problem for TrainWarning {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            TrainWarning::Neighbours { is_recurrence, at, train } => {
                let what = match is_recurrence {
                    true => "a recurrence runs from row to row of the batch",
                    false => "rows of the batch meet rows at some distance",
                };
                let message = format!("{what}, but the order of rows is drawn anew each epoch");
                Diagnostic::warning("W0612", message)
                    .at(*at, "neighbours in the batch")
                    .and_at(*train, "this training shuffles the rows")
                    .help("say `shuffle = false`, or put what belongs together into one row of the data")
            }
            TrainWarning::OpenSize { path, ty, model, declared, fixing } => {
                let warning = Diagnostic::warning("W0602", format!("the size of `{path}` is open: {ty}"))
                    .at(*model, "nothing calls this model, so nothing fixes it");
                let warning = match fixing {
                    Some(FixingInput { size, input, at }) => warning
                        .and_at(*at, format!("the shape of `{input}` says what `{size}` is"))
                        .help(format!("write a number for `{size}`, or call the model in a `train` or `print`")),
                    None => {
                        warning.help("write the number in the signature, or call the model in a `train`")
                    }
                };
                warning.and_at(*declared, "this parameter")
            }
        }
    }
}
