//! C: the code of a module as functions of C99, to be compiled by somebody else, elsewhere.
//!
//! ```text
//! VerifiedModule ──write──▶ constants, a function for each kernel and product, one for the step
//! ```
//!
//! It is no [`Backend`](super::Backend), since nothing of it runs here. A kernel becomes a function of pointers that
//! do not alias where its calls say so; a vector is a loop over its lanes (see [`lanes`]), which compilers make
//! vectors of. The operations are those of the loop IR in their order, so the results have the bits of the
//! [interpreter](super::interpreter)'s wherever the C compiler rounds each operation by itself.

mod choices;
mod expr;
mod helpers;
mod inline;
mod kernel;
mod lanes;
mod memory;
pub mod names;
mod product;
mod steps;
mod stores;
pub mod text;
pub mod tile;
mod uses;

pub use helpers::Helper;
pub use memory::{KINDS, Memory, member};
pub use steps::array;

use std::collections::BTreeSet;

use super::CodeError;
use crate::ir::program::Precision;
use crate::loops::{Kind, Target, VerifiedModule};
use crate::plan::Plan;

/// What loops are made for. With one lane there are no vectors: the smallest code, for processors without them.
pub fn target(lanes: u8) -> Target {
    Target { lanes, ..Target::PLAIN.as_kernels() }
}

/// What is to be written.
pub struct Input<'a> {
    pub plan: &'a Plan,
    pub module: &'a VerifiedModule,
    /// What all names begin with: `iris_`.
    pub prefix: &'a str,
    /// What the step is called behind that: `model`.
    pub name: &'a str,
    /// The address of each tensor of the caller, as the function of the step can write it: a parameter, a constant.
    pub externals: Vec<String>,
    /// The parameters of the function of the step.
    pub parameters: String,
    /// Their names.
    pub names: Vec<String>,
    /// The expressions for seed and training step, where random numbers are drawn.
    pub draw: [String; 2],
}

/// What was written.
#[derive(Default)]
pub struct Written {
    pub constants: String,
    pub functions: String,
    /// The function of the step; it gives 0, or 1 if an int has left 64 bits.
    pub step: String,
    pub memory: Memory,
    pub helpers: BTreeSet<Helper>,
    /// The tiles of its matrix products.
    pub tiles: BTreeSet<tile::Tile>,
    /// Bytes of constants.
    pub constant_bytes: i64,
}

/// Writes a module.
///
/// # Errors
/// If the module has something that C cannot say: a mistake of an earlier stage.
pub fn write(input: &Input<'_>) -> Result<Written, CodeError> {
    steps::write(input)
}

/// The kind of an element of a tensor of the caller.
pub fn kind_of(external: &crate::plan::External, precision: Precision) -> Kind {
    crate::loops::kind_of(external.elem, external.wide, precision)
}
