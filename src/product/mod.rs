//! Rank 1: products of matrices of 32-bit floats, in the processor's widest vectors.
//!
//! ```text
//! Product::new(shape) ── which side is in vectors, what is copied ──▶ Product::piece(addresses)
//!     blocks that fit the caches ──▶ tiles in registers
//! ```
//!
//! An element of the result is `sum over blocks of k (sum over the block a[i, k] * b[k, j])`, each sum from the
//! first k to the last, each product added with one rounding. How long a block is depends on k alone, so the
//! result is the same bit for bit whatever the vectors' width and however the work is cut into pieces.
//!
//! `unsafe` stands in this folder because instructions are chosen at run time and matrices are addresses.

#[cfg(target_arch = "x86_64")]
mod blocks;
#[cfg(target_arch = "x86_64")]
mod copy;
#[cfg(not(target_arch = "x86_64"))]
mod elsewhere;
#[cfg(target_arch = "x86_64")]
mod isa;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tile;
#[cfg(target_arch = "x86_64")]
mod vector;

#[cfg(target_arch = "x86_64")]
pub use blocks::Product;
#[cfg(not(target_arch = "x86_64"))]
pub use elsewhere::Product;

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
