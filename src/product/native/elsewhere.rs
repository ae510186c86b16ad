//! Processors for which there is no vector code here: no product can be made.

use super::{Piece, Reuse, Shape};

/// There is none.
pub enum Product {}

impl Product {
    pub fn new(_shape: Shape, _reuse: Reuse) -> Option<Product> {
        None
    }

    pub fn pieces(_most: usize, _threads: usize) -> usize {
        1
    }

    /// # Safety
    /// Cannot be called.
    pub unsafe fn piece(&self, _a: *const f32, _b: *const f32, _c: *mut f32, _piece: Piece) {
        match *self {}
    }
}
