//! Rank 1: products of matrices of 32-bit floats, in the processor's widest vectors.
//!
//! ```text
//! Product::new(shape) ── which side is in vectors, what is copied ──▶ Product::piece(addresses)
//!     blocks that fit the caches ──▶ tiles in registers
//! ```
//!
//! An element of the result is `sum over blocks of k (sum over the block a[i, k] * b[k, j])`, each sum from the
//! first k to the last, each product added with one rounding; if rows or columns are few and long, it is what
//! `dot.rs` says. How long a block is and which of the two it is depends on the shape of the whole product alone,
//! so the result is the same bit for bit whatever the vectors' width and however the work is cut into pieces.
//!
//! `unsafe` stands in this folder because instructions are chosen at run time and matrices are addresses.

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

use std::sync::atomic::{AtomicU64, Ordering};

/// `C = A B` or `C += A B`; strides of rows and columns, in elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// (m, k)
    pub a: (isize, isize),
    /// (k, n)
    pub b: (isize, isize),
    /// (m, n)
    pub c: (isize, isize),
    pub accumulate: bool,
}

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

#[cfg(target_arch = "x86_64")]
impl Shape {
    /// Whether an element is summed in vectors along k: if both operands are contiguous there, and the result has
    /// so few rows or columns that copying the other operand would not pay.
    fn is_along_k(&self) -> bool {
        let fewest = self.m.min(self.n);
        self.a.1 == 1 && self.b.0 == 1 && fewest <= 16 && self.k >= 32 * fewest
    }
}
