//! Rank 0: what every other folder stands on: places in source text and diagnostics.

pub mod codes;
pub mod diagnostic;
pub mod span;

pub use diagnostic::{Diagnostic, Diagnostics, Help, Label, Severity};
pub use span::{FileId, SourceMap, Span};
