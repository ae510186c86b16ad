//! Rank 0: what all folders use: spans of source text, diagnostics, and the definition of the random number
//! generator that the interpreter and native code share.

pub mod codes;
pub mod diagnostic;
pub mod foreign;
pub mod nearest;
pub(crate) mod order;
pub mod philox;
pub mod render;
pub mod span;
pub mod stack;
pub mod visible;

pub use diagnostic::{Diagnostic, Help, Label, Severity, is_told};
pub use nearest::nearest;
pub use span::{FileId, SourceFile, SourceMap, Span};
pub use stack::{with_much_stack, with_stack};
