//! Products in the processor's vectors.

#[cfg(target_arch = "x86_64")]
mod blocks;
#[cfg(target_arch = "x86_64")]
mod copy;
#[cfg(target_arch = "x86_64")]
mod dot;
#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(target_arch = "x86_64")]
mod groups;
#[cfg(target_arch = "x86_64")]
mod isa;
#[cfg(target_arch = "x86_64")]
mod lines;
#[cfg(target_arch = "x86_64")]
mod packing;
#[cfg(target_arch = "x86_64")]
mod strategy;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tile;
#[cfg(target_arch = "x86_64")]
mod vector;
#[cfg(target_arch = "x86_64")]
mod window_tile;

#[cfg(not(target_arch = "x86_64"))]
pub use elsewhere::Product;
#[cfg(target_arch = "x86_64")]
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
