//! `nnc` compiles `.nn` files, which describe a neural network, its data and its training,
//! into native code.
//!
//! ```text
//! text ──syntax──▶ AST ──sema──▶ tensor IR ──grad──▶ tensor IR ──opt──▶ tensor IR ──plan──▶ kernels
//!                                                                                      │
//!                   results ◀──runtime── code ◀──backend── loop IR ◀──loops─────┘
//! ```
//!
//! One noun stands in the middle, the tensor IR ([`ir`]): every folder makes it, checks it,
//! rewrites it or consumes it. A folder imports only folders of lower rank (`tests/tidy.rs`).

pub mod backend;
pub mod base;
pub mod cli;
pub mod compile;
pub mod derive;
pub mod grad;
pub mod ir;
pub mod loops;
pub mod opt;
pub mod plan;
mod product;
pub mod runtime;
pub mod sema;
pub mod syntax;

pub use base::{Diagnostic, Severity};
pub use compile::Stage;
pub use runtime::array::Array as Tensor;
pub use runtime::events::{Event, Observer, Silent};
pub use runtime::program::{Diagnostics, Program};
pub use runtime::session::Session;

/// Compiles the text of a program. Paths in it are relative to the current folder.
///
/// # Errors
/// All errors of the text, with their places.
pub fn compile(source: &str) -> Result<Program, Diagnostics> {
    Program::from_source(source)
}

/// Compiles a file. Paths in it are relative to its folder.
///
/// # Errors
/// E0701 if it cannot be read; all errors of its text.
pub fn compile_file(path: impl AsRef<std::path::Path>) -> Result<Program, Diagnostics> {
    Program::from_file(path.as_ref())
}
