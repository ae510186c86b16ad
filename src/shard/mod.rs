//! Rank 2: a step divided among shards, which are parts of the rows of a batch.
//!
//! ```text
//! whole 0 ──▶ shards 0 ──sums, gathers──▶ whole 1 ──▶ shards 1 ──sums, gathers──▶ … ──▶ whole L
//! ```
//!
//! The graph of a step becomes a list of [`Part`]s. A part of the shards is computed once for each shard, from the
//! rows of that shard and from values that are the same for all of them; what sums over rows gives a summand for each
//! shard. A whole part is computed from the totals. Who carries the parts out adds the summands of the shards up in one
//! order ([`tree`]), whoever computed them, so the results do not depend on how the shards are distributed.
//!
//! What is computed row by row is found by the subscripts: an index that runs over all rows and stands alone in the
//! row's axis of an operand ([`forms`]). Whatever needs other rows of a tensor than its own, such as the distances
//! between all rows, is given the tensor gathered from all shards. So every step can be divided; what is not computed
//! row by row is computed whole, everywhere.
//!
//! The sizes of a part of shards are the batch's, [`SHARD`], how many rows the shard has, and [`FIRST`], how many rows
//! of the batch come before it.

mod build;
mod forms;
mod local;
mod places;
mod scans;
#[cfg(test)]
mod tests;
pub mod tree;

use crate::ir::program::BATCH;
use crate::ir::{Combine, Dim, Graph, Type};
use std::sync::Arc;

/// The symbolic dimension that is the number of rows of a shard.
pub const SHARD: &str = "batch.shard";

/// The symbolic dimension that is the number of rows of the batch before a shard.
pub const FIRST: &str = "batch.first";

/// A step in parts, in the order in which they are carried out.
#[derive(Clone, Debug)]
pub struct Sharded {
    pub parts: Vec<Part>,
    /// The values that parts pass to later parts, as [`InputKey::Passed`](crate::ir::InputKey::Passed) numbers them.
    pub passed: Vec<Passed>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub of: Of,
    pub graph: Graph,
}

/// What a part computes with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// Everything: once.
    Whole,
    /// The rows of a shard: once for each.
    Shard,
}

/// A value that a part passes to later ones.
#[derive(Clone, Debug)]
pub struct Passed {
    pub how: How,
    /// What a reader gets.
    pub ty: Type,
}

/// What happens to a value between the part that makes it and those that read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// A whole part makes it and anybody reads it.
    Whole,
    /// A shard's rows, for later parts of the same shard.
    Rows,
    /// The shards make summands, which are combined in this way.
    Sum(Combine),
    /// The shards make their rows, and readers get those of all shards along this axis.
    Gathered(usize),
    /// All rows of the batch of a field: nothing makes it.
    Field(Arc<str>),
}

/// Divides the graph of a step. Its fields have the batch as their first axis.
pub fn divide(graph: &Graph) -> Sharded {
    let places = places::places(graph);
    build::build(graph, &places)
}

/// How often a size has the rows of a batch, if it is a multiple of them: 3 of `3 * batch`.
fn rows_in(size: &Dim) -> Option<Dim> {
    let batch = Dim::symbol(BATCH);
    let quotient = size.exact_div(&batch)?;
    let mut symbols = Vec::new();
    quotient.symbols(&mut symbols);
    // Not a quotient that is left to be divided when the sizes are known.
    (&quotient * &batch == *size && symbols.iter().all(|symbol| &**symbol != BATCH)).then_some(quotient)
}

/// The size for a shard of what is `size` for the batch.
fn of_shard(size: &Dim) -> Dim {
    rows_in(size).map_or_else(|| size.clone(), |times| &times * &Dim::symbol(SHARD))
}

/// The first axis of a shape that runs over rows.
fn row_axis(shape: &[Dim]) -> Option<usize> {
    shape.iter().position(|size| rows_in(size).is_some())
}

/// The type for a shard of what runs over rows along an axis.
fn type_of_shard(ty: &Type, axis: usize) -> Type {
    let mut shape = ty.shape.clone();
    if let Some(size) = shape.get_mut(axis) {
        *size = of_shard(size);
    }
    Type::new(ty.elem, shape)
}
