//! What can be wrong with the data that a `train` draws from beside its own.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum CompanionError {
    /// Both the data of the training and this line give something of this name.
    NamedLikeField { field: Arc<str>, data: Arc<str>, at: Span, declared: Span },
    /// The rows of one data set are divided, those of another cannot be.
    Shards { at: Span, shards: Span },
}

#[derive(Clone, Debug)]
pub enum CompanionWarning {
    /// Nothing in the training reads a field of it.
    Idle { name: Arc<str>, first: Option<Arc<str>>, at: Span },
}

impl Problem for CompanionError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            CompanionError::NamedLikeField { field, data, at, declared } => {
                error("E0881", format!("`{field}` is a field of `{data}`"), *at, "choose another name")
                    .and_at(*declared, "in the losses of this training the name is that of this field")
            }
            CompanionError::Shards { at, shards } => {
                error("E0882", "`shards` divides the rows of one data set", *at, "here each step draws rows of another")
                    .and_at(*shards, "asked for here")
                    .help("leave `shards` out, or put what a step needs into one row of one data set")
            }
        }
    }
}

impl Problem for CompanionWarning {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            CompanionWarning::Idle { name, first, at } => {
                let warning = Diagnostic::warning("W0880", format!("no loss and no metric reads a field of `{name}`"))
                    .at(*at, "its rows are drawn for nothing");
                match first {
                    Some(first) => warning.help(format!("its fields are read as `{name}.{first}`")),
                    None => warning,
                }
            }
        }
    }
}
