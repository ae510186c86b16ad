//! What can be wrong between files and their items.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with an import, or with what two files declare.
#[derive(Clone, Debug)]
pub enum ModuleError {
    CannotLoad { path: String, why: String, at: Span },
    /// The files, each of which imports the next, the last the first.
    Circle { path: String, files: Vec<Arc<str>>, at: Span },
    DeclaredTwice { name: ast::Name, first: Span },
    /// Two imports declare the same name.
    Clash { name: Arc<str>, at: Span, other: Span },
    /// A warning.
    ImportedTwice { path: String, at: Span, first: Span },
    PrecisionTwice { at: Span, first: Span },
}

impl Problem for ModuleError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ModuleError::CannotLoad { path, why, at } => {
                error("E0104", format!("cannot import \"{path}\""), *at, why)
            }
            ModuleError::Circle { path, files, at } => {
                error("E0103", format!("\"{path}\" imports itself"), *at, "the circle is closed here")
                    .note(files.join(" → "))
            }
            ModuleError::DeclaredTwice { name, first } => {
                error("E0102", format!("`{name}` is declared twice"), name.span, "declared again here")
                    .and_at(*first, "declared here")
            }
            ModuleError::Clash { name, at, other } => {
                let message = format!("`{name}` comes from two imports");
                error("E0105", message, *at, format!("this file declares `{name}`"))
                    .and_at(*other, "and so does this one")
            }
            ModuleError::ImportedTwice { path, at, first } => {
                Diagnostic::warning("W0680", format!("\"{path}\" is imported twice"))
                    .at(*at, "imported again here")
                    .and_at(*first, "imported here")
            }
            ModuleError::PrecisionTwice { at, first } => {
                error("E0014", "`precision` is given twice", *at, "given again").and_at(*first, "given first")
            }
        }
    }
}
