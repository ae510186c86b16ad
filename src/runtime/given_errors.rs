//! What can be wrong with rows that a host program gives, beyond their names: host programs whose tables have missing
//! values and names look at them before there is a tensor.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use super::program::{Diagnostics, Program};
use crate::base::{Diagnostic, Span};
use crate::ir::Sizes;
use crate::ir::program::DataSet;

/// What is wrong with the rows of a field that a host program has, and that no tensor can hold.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum GivenError {
    /// Values are missing.
    Missing {
        /// How many.
        count: usize,
        /// The first row with one, from 0.
        row: usize,
    },
    /// There are more names than classes, or names where there are none.
    Names {
        /// All names.
        names: Vec<String>,
    },
    /// The values are no numbers, truth values or names.
    Type {
        /// What they are, as the host program calls it.
        found: String,
    },
}

impl Program {
    /// The error, at the declaration of the field.
    pub fn given_error(&self, data: &str, field: &str, error: &GivenError) -> Diagnostics {
        let set = self.checked().data.iter().find(|set| &*set.name == data);
        let column = set.and_then(|set| set.columns.iter().find(|column| &*column.field == field));
        let span = column.map(|column| column.span).or(set.map(|set| set.span));
        let diagnostic = match error {
            GivenError::Missing { count, row } => missing(data, field, *count, *row),
            GivenError::Names { names } => {
                odd_names(data, field, names, set.and_then(|set| classes(set, field)))
            }
            GivenError::Type { found } => {
                let message = format!("what is given for `{field}` of `{data}` are {found}, not numbers");
                Diagnostic::error("E0912", message).help("make numbers of them before they are given")
            }
        };
        self.failed([at(diagnostic, span)])
    }

    /// The number of classes of a field that is declared as `class(n)`.
    pub fn classes_of(&self, data: &str, field: &str) -> Option<u64> {
        let set = self.checked().data.iter().find(|set| &*set.name == data)?;
        classes(set, field)
    }
}

fn at(diagnostic: Diagnostic, span: Option<Span>) -> Diagnostic {
    match span {
        Some(span) => diagnostic.at(span, "declared here"),
        None => diagnostic,
    }
}

fn classes(set: &DataSet, field: &str) -> Option<u64> {
    let field = set.fields.iter().find(|found| &*found.name == field)?;
    let declared = field.bounds.iter().find(|bound| bound.is_declared)?;
    declared.below.evaluate(&Sizes::new()).ok().and_then(|count| u64::try_from(count).ok())
}

fn missing(data: &str, field: &str, count: usize, row: usize) -> Diagnostic {
    let values = if count == 1 { "a value is" } else { "values are" };
    let message = format!("{values} missing in what is given for `{field}` of `{data}`");
    let which = match count {
        1 => format!("it is that of row {row}, from 0"),
        _ => format!("they are {count}, the first in row {row}, from 0"),
    };
    Diagnostic::error("E0910", message)
        .note(which)
        .help("fill them, or leave out their rows, before they are given: `frame.fillna(…)`, `frame.dropna()`")
}

fn odd_names(data: &str, field: &str, names: &[String], classes: Option<u64>) -> Diagnostic {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    let shown = shown.join(", ");
    match classes {
        None => Diagnostic::error("E0911", format!("names are given for `{field}` of `{data}`: {shown}"))
            .help(format!("a field that takes names is a class: `{field}: class({})`", names.len())),
        Some(classes) => {
            let message =
                format!("`{field}` of `{data}` has {classes} classes, and {} names are given", names.len());
            Diagnostic::error("E0911", message).note(format!("the names: {shown}"))
        }
    }
}
