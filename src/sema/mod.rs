//! Rank 3: semantic analysis by elaboration: resolves the names of a file, checks its shapes, and builds the tensor
//! IR of everything that it computes.
//!
//! ```text
//! ast::File ──scope::module──▶ items by name ──body──▶ values and graphs ──items──▶ ir::program::Program
//! ```
//!
//! There is no type checker apart from the elaboration: bodies are elaborated on [`value::Value`]s whose
//! tensors are graph nodes with symbolic shapes, so a shape error is found where the program makes it.
//!
//! - [`scope`]: which names are in sight and what they mean, the calls in progress, what is elaborated for, and how
//!   errors are told;
//! - [`build`]: values that become nodes of the graph that is being built;
//! - [`body`]: expressions, statements, calls, layers, index notation, recurrences: syntax that becomes values;
//! - [`items`], [`settings`]: data, optimisers, training, output, and the tables of their settings.

pub mod body;
pub mod build;
#[cfg(test)]
mod extreme_tests;
pub mod items;
#[cfg(test)]
mod nesting_tests;
pub mod reference;
pub mod regions;
pub mod scope;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod value;
pub mod walk;

pub use body::elaborator::Elaborator;
pub use scope::module::{Loader, NoImports};
pub use scope::prelude;
pub use value::Value;

use crate::base::{Diagnostic, SourceMap};
use crate::ir::program::{Forward, Program};
use crate::syntax::ast;

/// A checked file.
#[derive(Debug)]
pub struct Checked {
    /// Whole if there are no errors; otherwise what could be elaborated in spite of them.
    pub program: Program<Forward>,
    /// Errors and warnings in the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a parsed file and everything it imports, and elaborates it into a program.
///
/// The prelude and imported files are added to `sources`. Syntax errors of `main` itself were reported by
/// the parser; items with syntax errors are skipped.
pub fn check(sources: &mut SourceMap, main: ast::File, loader: &mut dyn Loader) -> Checked {
    let mut reports = Vec::new();
    let modules = scope::module::Modules::load(sources, main, loader, &mut reports);
    let mut elaborator = Elaborator::new(sources, modules);
    elaborator.reports = reports;
    let mut program = items::program(&mut elaborator);
    body::free::name_sizes(&mut elaborator);
    body::uncalled::check(&mut elaborator);
    if elaborator.limits.is_reached() {
        program.actions.clear();
    }
    let reports = std::mem::take(&mut elaborator.reports);
    Checked { program, diagnostics: reports.into_iter().map(|report| report.diagnostic).collect() }
}
