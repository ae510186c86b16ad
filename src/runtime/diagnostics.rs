//! What is told of a program that was rejected or failed.

use std::fmt;
use std::ops::Deref;

use super::array::ShapeError;
use super::report::Problem;
use crate::base::render::{Style, render_all};
use crate::base::{Diagnostic, SourceMap};

/// Why a program was rejected or failed: diagnostics and the texts that they are about.
#[derive(Clone)]
#[non_exhaustive]
pub struct Diagnostics {
    /// What was found, in the order of the program.
    pub list: Vec<Diagnostic>,
    /// The texts that it is about.
    pub sources: SourceMap,
}

impl Deref for Diagnostics {
    type Target = [Diagnostic];
    fn deref(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    /// With the source beside each message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render_all(&self.list, &self.sources, Style::Plain))
    }
}

impl fmt::Debug for Diagnostics {
    /// As it is displayed: what `unwrap` and `expect` show is to be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    /// Of what has no place in a program.
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics { list: vec![diagnostic], sources: SourceMap::default() }
    }
}

impl From<ShapeError> for Diagnostics {
    /// E0731: a tensor for a model that cannot be made.
    fn from(error: ShapeError) -> Diagnostics {
        error.diagnostic().into()
    }
}
