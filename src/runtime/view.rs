//! Tensors whose elements lie in the memory of somebody else.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use super::array::{Elements, ShapeError, Tensor, element_count};
use crate::backend::TensorRef;

/// A tensor in the memory of the program that calls: its elements are read where they are.
///
/// ```
/// let program = nnc::compile("model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)")?;
/// let readings = [1.0f32, 2.0, 3.0];
/// let x = nnc::TensorView::new(&[3, 1], nnc::ElementsView::F32(&readings)).expect("three rows of one number");
/// assert_eq!(program.session()?.predict_views("Line", &[x])?[0].shape(), [3, 1]);
/// # Ok::<(), nnc::Diagnostics>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    shape: &'a [usize],
    elements: ElementsView<'a>,
}

/// The elements of a [`TensorView`], first row first.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ElementsView<'a> {
    /// Floats of 32 bits.
    F32(&'a [f32]),
    /// Floats of 64 bits.
    F64(&'a [f64]),
    /// Ints of 32 bits.
    I32(&'a [i32]),
    /// Ints of 64 bits.
    I64(&'a [i64]),
    /// Bytes, such as those of images.
    U8(&'a [u8]),
    /// Truth values.
    Bool(&'a [bool]),
}

impl ElementsView<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            ElementsView::F32(values) => values.len(),
            ElementsView::F64(values) => values.len(),
            ElementsView::I32(values) => values.len(),
            ElementsView::I64(values) => values.len(),
            ElementsView::U8(values) => values.len(),
            ElementsView::Bool(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> ElementsView<'a> {
    /// As native code is given them; bytes are none of its elements.
    pub(super) fn tensor_ref(self) -> TensorRef<'a> {
        match self {
            ElementsView::F32(values) => TensorRef::F32(values),
            ElementsView::F64(values) => TensorRef::F64(values),
            ElementsView::I32(values) => TensorRef::I32(values),
            ElementsView::I64(values) => TensorRef::I64(values),
            ElementsView::Bool(values) => TensorRef::Bool(values),
            ElementsView::U8(_) => unreachable!("inputs are floats, ints or bools"),
        }
    }
}

impl<'a> TensorView<'a> {
    /// A tensor of elements, the last axis running fastest.
    ///
    /// # Errors
    /// If the sizes do not multiply to the number of elements.
    pub fn new(shape: &'a [usize], elements: ElementsView<'a>) -> Result<TensorView<'a>, ShapeError> {
        match element_count(shape) {
            Some(count) if count == elements.len() => Ok(TensorView { shape, elements }),
            _ => Err(ShapeError { shape: shape.to_vec(), count: elements.len() }),
        }
    }

    /// The sizes of its axes.
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// Its elements, the last index running fastest.
    pub fn elements(&self) -> ElementsView<'a> {
        self.elements
    }

    /// A tensor with a copy of the elements.
    pub fn to_tensor(&self) -> Tensor {
        let elements = match self.elements {
            ElementsView::F32(values) => Elements::F32(values.to_vec()),
            ElementsView::F64(values) => Elements::F64(values.to_vec()),
            ElementsView::I32(values) => Elements::I32(values.to_vec()),
            ElementsView::I64(values) => Elements::I64(values.to_vec()),
            ElementsView::U8(values) => Elements::U8(values.to_vec()),
            ElementsView::Bool(values) => Elements::Bool(values.to_vec()),
        };
        Tensor::of_view(self.shape, elements)
    }
}

/// Views of tensors, for one call; nothing is allocated for a few.
pub(super) fn with_views<T>(tensors: &[&Tensor], call: impl FnOnce(&[TensorView<'_>]) -> T) -> T {
    const FEW: usize = 8;
    let mut few = [TensorView { shape: &[0], elements: ElementsView::F32(&[]) }; FEW];
    match few.get_mut(..tensors.len()) {
        Some(views) => {
            views.iter_mut().zip(tensors).for_each(|(view, tensor)| *view = tensor.view());
            call(views)
        }
        None => call(&tensors.iter().map(|tensor| tensor.view()).collect::<Vec<_>>()),
    }
}

impl Tensor {
    /// This tensor, not copied.
    pub fn view(&self) -> TensorView<'_> {
        let elements = match self.elements() {
            Elements::F32(values) => ElementsView::F32(values),
            Elements::F64(values) => ElementsView::F64(values),
            Elements::I32(values) => ElementsView::I32(values),
            Elements::I64(values) => ElementsView::I64(values),
            Elements::U8(values) => ElementsView::U8(values),
            Elements::Bool(values) => ElementsView::Bool(values),
        };
        TensorView { shape: self.shape(), elements }
    }
}
