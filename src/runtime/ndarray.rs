//! Tensors from views of the crate `ndarray`, and such views of tensors.

use ndarray::{ArrayViewD, ArrayView, Dimension, IxDyn};

use super::array::{Tensor, Elements};

macro_rules! conversions {
    ($($elem:ty, $kind:ident, $view:ident;)*) => {
        $(
            impl<D: Dimension> From<ArrayView<'_, $elem, D>> for Tensor {
                /// A copy, in row-major order whatever the order of the view.
                fn from(view: ArrayView<'_, $elem, D>) -> Tensor {
                    let elements = Elements::$kind(view.iter().copied().collect());
                    Tensor::new(view.shape().to_vec(), elements).expect("as many elements as the shape says")
                }
            }

            impl Tensor {
                #[doc = concat!("The elements as they are, if they are `", stringify!($elem), "`.")]
                pub fn $view(&self) -> Option<ArrayViewD<'_, $elem>> {
                    let Elements::$kind(values) = self.elements() else { return None };
                    ArrayView::from_shape(IxDyn(self.shape()), values).ok()
                }
            }
        )*
    };
}

conversions! {
    f32, F32, view_f32;
    f64, F64, view_f64;
    i32, I32, view_i32;
    i64, I64, view_i64;
    u8, U8, view_u8;
    bool, Bool, view_bool;
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn views_are_copied_in_row_major_order() {
        let matrix = array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let tensor = Tensor::from(matrix.t());
        assert_eq!((tensor.shape(), tensor.to_f32().as_ref()), (&[3, 2][..], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]));
        assert_eq!(tensor.view_f32().expect("floats"), matrix.t().into_dyn());
        assert!(tensor.view_i32().is_none());
    }
}
