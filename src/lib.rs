//! `nnc` compiles `.nn` files, which describe a neural network, its data and its training,
//! into native code.
//!
//! ```text
//! text ──syntax──▶ AST ──sema──▶ tensor IR ──grad──▶ tensor IR ──opt──▶ tensor IR ──plan──▶ kernels
//!                                                                                      │
//!           results ◀──runtime── native code ◀──jit (Cranelift)── loop IR ◀──loops─────┘
//! ```
//!
//! One noun stands in the middle, the tensor IR ([`ir`]): every folder makes it, checks it,
//! rewrites it or consumes it. A folder imports only folders of lower rank (`tests/tidy.rs`).

pub mod base;
pub mod cli;
pub mod compile;
pub mod grad;
pub mod ir;
pub mod jit;
pub mod loops;
pub mod opt;
pub mod plan;
pub mod runtime;
pub mod sema;
pub mod syntax;
