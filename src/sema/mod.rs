//! Rank 3: semantic analysis by elaboration: resolves the names of a file, checks its shapes, and builds the tensor
//! IR of everything that it computes.
//!
//! ```text
//! ast::File ──module──▶ items by name ──elaborator──▶ values and graphs ──items──▶ ir::program::Program
//! ```
//!
//! There is no type checker apart from the elaboration: bodies are elaborated on [`value::Value`]s whose
//! tensors are graph nodes with symbolic shapes, so a shape error is found where the program makes it.
//!
//! - [`module`], [`prelude`]: files, imports, the library;
//! - [`elaborator`], [`graphs`], [`scope`], [`variables`]: the state of the elaboration;
//! - [`context`], [`built`], [`limits`], [`report`]: what it is elaborating for, what is known of the graph that is
//!   built, what is too much, and how errors are told;
//! - [`expr`], [`statement`], [`call`], [`arguments`], [`signature`], [`results`], [`roles`],
//!   [`recursion`], [`instance`], [`parameters`], [`starts`], [`fields`], `requirements`, `numbers`, `notes`: one
//!   construct each;
//! - [`elementwise`], [`operators`], [`constants`], [`tensors`], [`subscript`], [`builtins`]: the constructs that
//!   add nodes;
//! - [`index`], [`scan`]: index notation and recurrences;
//! - [`free`], [`trials`]: bodies on symbolic sizes, for messages and for what nothing calls;
//! - [`items`], [`settings`]: data, optimisers, training, output, and the tables of their settings.

pub mod arguments;
pub mod built;
pub mod builtins;
pub mod call;
pub mod constants;
pub mod context;
pub mod elaborator;
pub mod elementwise;
pub mod expr;
pub mod fields;
pub mod free;
pub mod graphs;
pub mod index;
pub mod instance;
pub mod items;
pub mod limits;
pub mod module;
#[cfg(test)]
mod nesting_tests;
mod notes;
mod numbers;
pub mod operators;
pub mod parameters;
pub mod prelude;
pub mod products;
pub mod recursion;
pub mod reference;
pub mod report;
mod requirements;
pub mod results;
pub mod roles;
pub mod scan;
pub mod scope;
pub mod settings;
pub mod signature;
pub mod starts;
pub mod statement;
pub mod subscript;
pub mod tensors;
#[cfg(test)]
mod tests;
pub mod trials;
mod uncalled;
mod unknown;
pub mod value;
pub mod variables;
pub mod walk;

pub use elaborator::{Elaborator, Expected};
pub use module::{Loader, NoImports};
pub use value::Value;

use crate::base::{Diagnostics, SourceMap};
use crate::ir::program::{Forward, Program};
use crate::syntax::ast;

/// A checked file.
#[derive(Debug)]
pub struct Checked {
    /// Whole if there are no errors; otherwise what could be elaborated in spite of them.
    pub program: Program<Forward>,
    /// Errors and warnings in the order in which they were found.
    pub diagnostics: Diagnostics,
}

/// Checks a parsed file and everything it imports, and elaborates it into a program.
///
/// The prelude and imported files are added to `sources`. Syntax errors of `main` itself were reported by
/// the parser; items with syntax errors are skipped.
pub fn check(sources: &mut SourceMap, main: ast::File, loader: &mut dyn Loader) -> Checked {
    let mut diagnostics = Diagnostics::new();
    let modules = module::Modules::load(sources, main, loader, &mut diagnostics);
    let mut elaborator = Elaborator::new(sources, modules);
    elaborator.diagnostics = diagnostics;
    let mut program = items::program(&mut elaborator);
    free::name_sizes(&mut elaborator);
    uncalled::check(&mut elaborator);
    if elaborator.limits.is_reached() {
        program.actions.clear();
    }
    Checked { program, diagnostics: elaborator.diagnostics }
}
