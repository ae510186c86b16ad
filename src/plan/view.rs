//! Views: a buffer seen as a tensor.

use super::{BufferId, View};
use crate::ir::StepId;

impl View {
    /// Row-major from `offset` on.
    pub fn contiguous(buffer: BufferId, offset: i64, shape: Vec<i64>) -> View {
        let strides = row_major(&shape);
        View { buffer, offset, shape, strides, step_strides: Vec::new() }
    }

    /// The number of elements.
    pub fn count(&self) -> i64 {
        self.shape.iter().product()
    }

    /// Whether the elements lie next to each other in row-major order (at one step of the scans around it).
    pub fn is_contiguous(&self) -> bool {
        let row_major = row_major(&self.shape);
        (0..self.shape.len()).all(|axis| self.shape[axis] == 1 || self.strides[axis] == row_major[axis])
    }

    /// The same elements with another shape; the view must be contiguous.
    pub fn reshaped(&self, shape: Vec<i64>) -> View {
        debug_assert!(self.is_contiguous(), "a reshape of a view with gaps");
        let strides = row_major(&shape);
        View { shape, strides, ..self.clone() }
    }

    /// The same elements without the axes along which the view does not move: each once.
    pub fn without_repeats(&self) -> View {
        let axes = || (0..self.shape.len()).filter(|axis| self.strides[*axis] != 0);
        let shape = axes().map(|axis| self.shape[axis]).collect();
        View { shape, strides: axes().map(|axis| self.strides[axis]).collect(), ..self.clone() }
    }

    /// The view that moves on by `stride` elements with each step of a scan.
    pub fn stepping(mut self, step: StepId, stride: i64) -> View {
        self.step_strides.push((step, stride));
        self
    }
}

/// The strides of a contiguous tensor.
pub fn row_major(shape: &[i64]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}
