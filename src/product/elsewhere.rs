//! Processors for which there is no vector code here: no product can be made.

use super::Shape;

/// There is none.
pub enum Product {}

impl Product {
    pub fn new(_shape: Shape) -> Option<Product> {
        None
    }

    pub fn pieces(&self, _most: usize, _threads: usize) -> usize {
        match *self {}
    }

    /// # Safety
    /// Cannot be called.
    pub unsafe fn piece(&self, _a: *const f32, _b: *const f32, _c: *mut f32, _piece: usize, _pieces: usize) {
        match *self {}
    }
}
