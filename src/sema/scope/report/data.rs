//! What can be wrong with `data` items: their rows, their fields, what others ask of them.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::ir::Dim;
use crate::sema::value::{Axis, show_axes};
use crate::ir::Elem;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with the number of rows.
#[derive(Clone, Debug)]
pub enum RowsError {
    /// There is no source, no literal column and no `rows`.
    Unknown { data: ast::Name },
    OutOfRange { count: i64, at: Span },
    /// `rows` of data that is read, or given by the program that runs this one.
    KnownOtherwise { is_given: bool, at: Span },
    /// A single number where a column is needed.
    Single { field: ast::Name, at: Span },
    /// The first axis of a literal column depends on sizes that have no number.
    Open { rows: Dim, at: Span },
    Differ { field: ast::Name, count: u64, at: Span, known: u64, first: Span },
}

/// What is wrong with a field.
#[derive(Clone, Debug)]
pub enum FieldError {
    NameTaken { name: ast::Name },
    /// One number for each row, and a field of several.
    OneNumber { elem: Elem, declared: Vec<Axis>, is_table: bool, at: Span },
}

/// What is wrong with `data.name`.
#[derive(Clone, Debug)]
pub enum DataError {
    /// The data asks itself for what is not known before its fields are.
    OfItself { data: Arc<str>, at: Span },
    /// Data sets name one another in a circle.
    Circle { names: Vec<Arc<str>>, declared: Span, at: Span },
    /// A field that stands below the one that names it.
    FieldBelow { data: Arc<str>, name: String, at: Span },
    NoField { data: Arc<str>, name: String, known: Vec<Arc<str>>, declared: Span, at: Span },
    AtCompileTime { at: Span },
    /// Data is made before anything is trained.
    DependsOn { data: Arc<str>, on: Trained, declared: Span, at: Span },
}

/// What is known in training only.
#[derive(Clone, Debug)]
pub enum Trained {
    Network(String),
    Parameter(Arc<str>),
}

/// A setting `seed` where nothing is random.
#[derive(Clone, Debug)]
pub enum IdleSeed {
    Data { at: Span },
    Training { at: Span },
    Generation { choice: Span, at: Span },
}

impl Problem for RowsError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            RowsError::Unknown { data } => {
                let message = format!("the number of rows of `{data}` is not known");
                error("E0605", message, data.span, "there is no source, no literal column and no `rows`")
                    .help("write `rows = 1_000` for made data")
            }
            RowsError::OutOfRange { count, at } => {
                let label = if *count < 1 { "data has at least one row" } else { "at most 2^31 are possible" };
                error("E0605", format!("`rows` is {count}"), *at, label)
            }
            RowsError::KnownOtherwise { is_given, at } => {
                let message = match is_given {
                    true => "what is given says how many rows there are",
                    false => "the file says how many rows there are",
                };
                error("E0605", message, *at, "`rows` is for made data")
            }
            RowsError::Single { field, at } => error("E0605", format!("`{field}` has no rows"), *at, "a single number")
                .help("write a list, one element for each row, or `rows = N` for made data"),
            RowsError::Open { rows, at } => {
                error("E0605", "the number of rows must be known", *at, format!("it is {rows} here"))
            }
            RowsError::Differ { field, count, at, known, first } => {
                let message = format!("`{field}` has {count} rows, not {known}");
                error("E0608", message, *at, format!("{count} rows")).and_at(*first, format!("{known} rows"))
            }
        }
    }
}

impl Problem for FieldError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            FieldError::NameTaken { name } => {
                let label = "this name is taken by a field, a part, `rows` or `.T`";
                error("E0607", format!("`{name}` cannot name a field"), name.span, label)
            }
            FieldError::OneNumber { elem, declared, is_table, at } => {
                let declared = show_axes(*elem, declared);
                let message = format!("one number for each row, and a field of {declared}");
                error("E0636", message, *at, "one number").help(match is_table {
                    true => {
                        "`columns(0:4)` or `columns(\"a\", \"b\")` reads several columns; a single one is a field \
                         `x: []`"
                    }
                    false => "give every element its value: `[a, b]`, or index notation",
                })
            }
        }
    }
}

impl Problem for DataError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            DataError::OfItself { data, at } => {
                let label = "what it has is not known before its fields are";
                error("E0630", format!("the data `{data}` is made from itself"), *at, label)
            }
            DataError::Circle { names, declared, at } => {
                let name = names.first().map_or("", |name| name);
                let circle: Vec<&str> = names.iter().map(|name| &**name).chain([name]).collect();
                error("E0630", format!("the data `{name}` is made from itself"), *at, "this closes the circle")
                    .and_at(*declared, "declared here")
                    .note(circle.join(" → "))
            }
            DataError::FieldBelow { data, name, at } => {
                let message = format!("`{name}` of `{data}` is not known yet");
                error("E0601", message, *at, "this field, or one below it")
                    .help("a field may use those above it")
            }
            DataError::NoField { data, name, known, declared, at } => {
                let known: Vec<&str> = known.iter().map(|name| &**name).collect();
                let message = format!("the data `{data}` has no field `{name}`");
                let error = error("E0601", message, *at, "not a field")
                    .and_at(*declared, format!("it has {}", list_names(&known)));
                match nearest(name, known.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                }
            }
            DataError::AtCompileTime { at } => {
                error("E0602", "data is not known at compile time", *at, "a column of a data set")
            }
            DataError::DependsOn { data, on, declared, at } => {
                let on = match on {
                    Trained::Network(name) => format!("`{name}`"),
                    Trained::Parameter(path) => format!("the parameter `{path}`"),
                };
                let message = format!("the data `{data}` depends on {on}");
                error("E0631", message, *at, "known in training only")
                    .and_at(*declared, "this data is made once, before anything is trained")
            }
        }
    }
}

impl Problem for IdleSeed {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let error = |at: &Span, label: &str| error("E0635", "`seed` has no effect", *at, label);
        match self {
            IdleSeed::Data { at } => error(at, "nothing in this data is random")
                .help("remove it: it is for random numbers and for the permutation of a `split`"),
            IdleSeed::Training { at } => {
                error(at, "nothing in this training is random: no start, no order, no layer")
                    .help("remove it, or say `shuffle = true`")
            }
            IdleSeed::Generation { choice, at } => error(at, "this choice draws no random numbers")
                .and_at(*choice, "the choice")
                .help("remove it, or choose by `sample(temperature = 0.8)`"),
        }
    }
}
