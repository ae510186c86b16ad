//! A matrix product as a step, and the axes of its operands.

use super::{Name, View};

/// `C[b, m, n] = Σ_k A[b, m, k] B[b, k, n]` (`+=` if `accumulate`).
///
/// Each of m, n and k is one axis or several: the rows of the windows of a convolution are a channel and a place in
/// the window, which no single stride leads through.
#[derive(Clone, Debug)]
pub struct Gemm {
    pub name: Name,
    /// The axes that lead from product to product. Where C does not move with the last of them, their products are
    /// added to one another.
    pub batch: Vec<i64>,
    /// The sizes of the axes of m, of n and of k.
    pub sides: [Vec<i64>; 3],
    /// Axes: batch…, m…, k….
    pub a: View,
    /// Axes: batch…, k…, n….
    pub b: View,
    /// Axes: batch…, m…, n….
    pub c: View,
    pub accumulate: bool,
    /// The number of tasks for threads into which `m` (or `n`, or the batch) is divided; 1 for none.
    pub pieces: usize,
}

/// Which two of m, n and k the axes of A, B and C are, after those of the batch.
const SIDES: [[usize; 2]; 3] = [[0, 2], [2, 1], [0, 1]];

impl Gemm {
    pub fn m(&self) -> i64 {
        self.sides[0].iter().product()
    }

    pub fn n(&self) -> i64 {
        self.sides[1].iter().product()
    }

    pub fn k(&self) -> i64 {
        self.sides[2].iter().product()
    }

    /// A, B and C.
    pub fn views(&self) -> [&View; 3] {
        [&self.a, &self.b, &self.c]
    }

    /// The sizes of all axes: of the batch, of m, of n and of k.
    pub fn sizes(&self) -> Vec<i64> {
        self.batch.iter().chain(self.sides.iter().flatten()).copied().collect()
    }

    /// The place in [`Gemm::sizes`] of each axis of an operand.
    pub fn places(&self, operand: usize) -> Vec<usize> {
        let n_batch = self.batch.len();
        let side = |side: usize| {
            let first = n_batch + self.sides[..side].iter().map(Vec::len).sum::<usize>();
            first..first + self.sides[side].len()
        };
        (0..n_batch).chain(SIDES[operand].into_iter().flat_map(side)).collect()
    }

    /// The axis of an operand that the axis `at` of [`Gemm::sizes`] moves along.
    pub fn axis(&self, at: usize, operand: usize) -> Option<usize> {
        self.places(operand).iter().position(|place| *place == at)
    }

    /// Whether the axis `at` of [`Gemm::sizes`] is summed over: one of k, or of the batch if its products are added
    /// to one another.
    pub fn is_summed(&self, at: usize) -> bool {
        let is_k = at >= self.batch.len() + self.sides[0].len() + self.sides[1].len();
        is_k || at < self.batch.len() && self.c.strides[at] == 0
    }

    /// The number of products in the batch that have results of their own.
    pub fn results(&self) -> i64 {
        (0..self.batch.len()).filter(|at| !self.is_summed(*at)).map(|at| self.batch[at]).product()
    }

    /// Of the axis `at` of [`Gemm::sizes`], its size.
    pub fn size_mut(&mut self, at: usize) -> Option<&mut i64> {
        self.batch.iter_mut().chain(self.sides.iter_mut().flatten()).nth(at)
    }

    /// Size and stride of each axis of the rows of an operand, and of its columns.
    pub fn axes(&self, operand: usize) -> [Vec<(i64, i64)>; 2] {
        let view = self.views()[operand];
        let mut axes = view.shape.iter().copied().zip(view.strides.iter().copied()).skip(self.batch.len());
        SIDES[operand].map(|side| axes.by_ref().take(self.sides[side].len()).collect())
    }
}
