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
mod isa;
#[cfg(target_arch = "x86_64")]
mod strategy;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tile;
#[cfg(target_arch = "x86_64")]
mod vector;

#[cfg(not(target_arch = "x86_64"))]
pub use elsewhere::Product;
#[cfg(target_arch = "x86_64")]
pub use strategy::Product;

use super::Shape;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many products in a row have the same `a`, or the same `b`.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    pub a: usize,
    pub b: usize,
}

/// One time that products are carried out, during which their operands do not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run(u64);

impl Run {
    /// One that knows its copies again: for pieces of one product, or products with an operand in common.
    pub fn new() -> Run {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Run(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// One product in one piece.
    pub const ALONE: Run = Run(0);
}

/// Which part of a product.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub number: usize,
    pub of: usize,
    pub run: Run,
}
