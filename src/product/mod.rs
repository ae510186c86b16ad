//! Rank 1: matrix products (GEMM) of 32-bit floats, blocked for the caches and tiled for the registers of the
//! processor's widest vectors.
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
//! [`portable`] makes the same bits on any processor, slowly. `unsafe` stands in this folder because instructions
//! are chosen at run time and matrices are addresses.

#[cfg(feature = "native")]
mod native;
pub mod portable;
mod side;

pub use side::{SCATTERED, Side};

#[cfg(feature = "native")]
pub use native::{Piece, Product, Reuse, Run};

/// The longest block of k.
const MOST_K: usize = 256;

/// `C = A B` or `C += A B`; strides of rows and columns, in elements, or [`SCATTERED`].
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

impl Shape {
    /// Whether an element is summed in vectors along k: if both operands are contiguous there, and the result has
    /// so few rows or columns that copying the other operand would not pay.
    pub fn is_along_k(&self) -> bool {
        let fewest = self.m.min(self.n);
        self.a.1 == 1 && self.b.0 == 1 && fewest <= 16 && self.k >= 32 * fewest
    }

    /// The length of the blocks of k.
    pub fn k_block(&self) -> usize {
        let blocks = self.k.div_ceil(MOST_K).max(1);
        self.k.div_ceil(blocks).max(1)
    }

    /// The same where a size of 1 has no stride that matters.
    pub fn tidy(mut self) -> Shape {
        if self.m == 1 {
            (self.a.0, self.c.0) = (1, self.c.1.max(1).saturating_mul(self.n.max(1) as isize));
        }
        if self.n == 1 {
            (self.b.1, self.c.1) = (1, self.c.0.max(1).saturating_mul(self.m.max(1) as isize));
        }
        if self.k == 1 {
            (self.a.1, self.b.0) = (1, 1);
        }
        self
    }
}
