//! What can be wrong with the data that a `train` draws from beside its own.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum CompanionError {
    /// Both the data of the training and this line give something of this name.
    NamedLikeField { field: Arc<str>, data: Arc<str>, at: Span, declared: Span },
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
