//! Products in the processor's vectors.

#[cfg(vector_products)]
mod blocks;
#[cfg(vector_products)]
mod copy;
#[cfg(vector_products)]
mod dot;
#[cfg(not(vector_products))]
mod elsewhere;
#[cfg(vector_products)]
mod groups;
#[cfg(vector_products)]
mod isa;
#[cfg(vector_products)]
mod lines;
#[cfg(vector_products)]
mod packing;
#[cfg(vector_products)]
mod strategy;
#[cfg(all(test, vector_products))]
mod tests;
#[cfg(vector_products)]
mod tile;
#[cfg(vector_products)]
mod vector;
#[cfg(vector_products)]
mod window_tile;

#[cfg(not(vector_products))]
pub use elsewhere::Product;
#[cfg(vector_products)]
pub use strategy::Product;

use super::{Shape, Side};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many consecutive products have the same `a`, or the same `b`.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    pub a: usize,
    pub b: usize,
}

/// Identifies a period during which the operands of products do not change, so that packed copies of them can be
/// used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run(u64);

impl Run {
    /// A new period. Pieces of one product, and products with a common operand, use the same one, so that an
    /// operand is packed once.
    pub fn new() -> Run {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Run(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// For a single product that is computed in one piece: no packed copy is used again.
    pub const ALONE: Run = Run(0);
}

/// Which part of a product.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub number: usize,
    pub of: usize,
    pub run: Run,
}
