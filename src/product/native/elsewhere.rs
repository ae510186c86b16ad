//! For processors without a vector code here: the type is uninhabited, and `new` gives `None`.

use super::{Piece, Reuse, Shape, Side};

/// Uninhabited.
pub enum Product {}

impl Product {
    pub fn of_sides(_shape: Shape, _sides: &[[Side; 2]; 3], _reuse: Reuse) -> Option<Product> {
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
