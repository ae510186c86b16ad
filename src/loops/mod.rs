//! Rank 4: from kernels to loop IR.
//!
//! ```text
//! plan::Stage ──access──▶ Work (linear addresses) ──schedule──▶ Schedule ──emit──▶ Kernel
//! ```
//!
//! [`lower`] does all of it for a plan. A [`Module`] prints as text and is checked by [`verify`].

mod access;
mod builder;
mod checks;
mod cost;
mod display;
mod emit;
mod ir;
mod lower;
mod math;
mod merge;
mod overflow;
mod params;
mod point;
mod regions;
mod scalar;
mod schedule;
mod tidy;
pub mod verify;

pub use ir::*;
#[cfg(test)]
pub use lower::lower_as_kernels;
pub use lower::{FEW_LANES, Options, lower};

/// A plan that cannot be lowered: a mistake of an earlier stage, not of the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoopError(pub String);

impl std::fmt::Display for LoopError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoopError {}
