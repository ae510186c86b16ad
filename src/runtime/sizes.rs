//! Numbers for free dimensions, from the shapes of tensors.

use crate::ir::{Dim, Sizes, Type};

/// Takes the free dimensions of a declared type from a given shape; whether the shape fits the type.
pub fn bind(ty: &Type, shape: &[usize], sizes: &mut Sizes) -> bool {
    if ty.rank() != shape.len() {
        return false;
    }
    for (dim, size) in ty.shape.iter().zip(shape) {
        if let Some(name) = dim.as_symbol() {
            sizes.entry(name.clone()).or_insert_with(|| Dim::from(*size));
        }
    }
    let fits = |(dim, size): (&Dim, &usize)| dim.evaluate(sizes) == Ok(*size as i64);
    ty.shape.iter().zip(shape).all(fits)
}
