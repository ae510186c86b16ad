//! Rank 4: from kernels to loop IR.
//!
//! ```text
//! plan::Stage ──access──▶ Work (linear addresses) ──schedule──▶ Schedule ──emit──▶ Kernel
//! ```
//!
//! [`lower`] does all of it for a plan and a [`Target`]. A [`Module`] prints as text; [`verify`] makes a
//! [`VerifiedModule`] of it, which is all that code is made of.

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
mod target;
mod tidy;
mod trips;
pub mod verify;
mod works;

pub use ir::*;
pub use lower::{Options, lower};
pub use params::kind_of;
pub use target::{Feature, Target};
pub use verify::VerifiedModule;

/// A plan that cannot be lowered: a mistake of an earlier stage, not of the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoopError(pub String);

impl std::fmt::Display for LoopError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoopError {}
