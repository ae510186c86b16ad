//! Dense arrays in memory, row-major: what a loaded field, a parameter or a result is.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::borrow::Cow;
use std::fmt;
use std::ops::Range as Places;

use crate::ir::Elem;
use crate::ir::program::Precision;
use crate::ir::ranges::Range;
use crate::plan::External;

/// The elements of an [`Tensor`], first row first.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Elements {
    /// Floats of 32 bits.
    F32(Vec<f32>),
    /// Floats of 64 bits.
    F64(Vec<f64>),
    /// Ints of 32 bits.
    I32(Vec<i32>),
    /// Ints of which 32 bits do not hold all.
    I64(Vec<i64>),
    /// Bytes, such as those of images.
    U8(Vec<u8>),
    /// Truth values.
    Bool(Vec<bool>),
}

/// A tensor in memory. Its sizes multiply to the number of elements; without axes it is a scalar.
///
/// ```
/// let x = nnc::Tensor::floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!((x.rows(), x.row_len()), (2, 3));
/// assert_eq!(x.clone().reshaped(vec![6])?.shape(), [6]);
///
/// let error = nnc::Tensor::floats(&[2, 3], &[1.0; 5]).unwrap_err();
/// assert_eq!(error.to_string(), "a tensor of shape [2, 3] has 6 elements, not 5");
/// # Ok::<(), nnc::ShapeError>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    elements: Elements,
}

/// A shape that does not fit the number of elements.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ShapeError {
    /// The sizes that were asked for.
    pub shape: Vec<usize>,
    /// The number of elements that there are.
    pub count: usize,
}

/// The name of tensors in the runtime, where a `Tensor` is one of the interpreter of graphs.
pub use self::Tensor as Array;

impl Elements {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Elements::F32(values) => values.len(),
            Elements::F64(values) => values.len(),
            Elements::I32(values) => values.len(),
            Elements::I64(values) => values.len(),
            Elements::U8(values) => values.len(),
            Elements::Bool(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `count` zeros of an element type.
    #[doc(hidden)]
    pub fn zeros(elem: Elem, precision: Precision, count: usize) -> Elements {
        match (elem, precision) {
            (Elem::Float, Precision::F32) => Elements::F32(vec![0.0; count]),
            (Elem::Float, Precision::F64) => Elements::F64(vec![0.0; count]),
            (Elem::Int, _) => Elements::I32(vec![0; count]),
            (Elem::Bool, _) => Elements::Bool(vec![false; count]),
        }
    }

    /// `count` zeros of the type that these elements have.
    pub(crate) fn zeros_alike(&self, count: usize) -> Elements {
        match self {
            Elements::F32(_) => Elements::F32(vec![0.0; count]),
            Elements::F64(_) => Elements::F64(vec![0.0; count]),
            Elements::I32(_) => Elements::I32(vec![0; count]),
            Elements::I64(_) => Elements::I64(vec![0; count]),
            Elements::U8(_) => Elements::U8(vec![0; count]),
            Elements::Bool(_) => Elements::Bool(vec![false; count]),
        }
    }

    /// Copies other elements of the same type to a place among these.
    ///
    /// # Panics
    /// If they reach beyond the end.
    #[doc(hidden)]
    pub fn put(&mut self, at: usize, from: &Elements) {
        let to = at..at + from.len();
        match (self, from) {
            (Elements::F32(target), Elements::F32(from)) => target[to].copy_from_slice(from),
            (Elements::F64(target), Elements::F64(from)) => target[to].copy_from_slice(from),
            (Elements::I32(target), Elements::I32(from)) => target[to].copy_from_slice(from),
            (Elements::I64(target), Elements::I64(from)) => target[to].copy_from_slice(from),
            (Elements::U8(target), Elements::U8(from)) => target[to].copy_from_slice(from),
            (Elements::Bool(target), Elements::Bool(from)) => target[to].copy_from_slice(from),
            _ => {}
        }
    }

    /// Some of the elements.
    ///
    /// # Panics
    /// If they reach beyond the end.
    #[doc(hidden)]
    pub fn part(&self, range: Places<usize>) -> Elements {
        match self {
            Elements::F32(values) => Elements::F32(values[range].to_vec()),
            Elements::F64(values) => Elements::F64(values[range].to_vec()),
            Elements::I32(values) => Elements::I32(values[range].to_vec()),
            Elements::I64(values) => Elements::I64(values[range].to_vec()),
            Elements::U8(values) => Elements::U8(values[range].to_vec()),
            Elements::Bool(values) => Elements::Bool(values[range].to_vec()),
        }
    }

    /// Bytes of one element.
    pub fn size(&self) -> usize {
        match self {
            Elements::F32(_) | Elements::I32(_) => 4,
            Elements::F64(_) | Elements::I64(_) => 8,
            Elements::U8(_) | Elements::Bool(_) => 1,
        }
    }
}

impl Tensor {
    /// A tensor of elements, the last axis running fastest.
    ///
    /// # Errors
    /// If the sizes do not multiply to the number of elements.
    pub fn new(shape: Vec<usize>, elements: Elements) -> Result<Tensor, ShapeError> {
        match element_count(&shape) {
            Some(count) if count == elements.len() => Ok(Tensor { shape, elements }),
            _ => Err(ShapeError { shape, count: elements.len() }),
        }
    }

    /// Of a shape and elements that fit.
    pub(super) fn of_view(shape: &[usize], elements: Elements) -> Tensor {
        Tensor { shape: shape.to_vec(), elements }
    }

    /// Zeros of an element type.
    #[doc(hidden)]
    pub fn zeros(elem: Elem, precision: Precision, shape: Vec<usize>) -> Tensor {
        let elements = Elements::zeros(elem, precision, shape.iter().product());
        Tensor { shape, elements }
    }

    /// Zeros for what a function reads or writes.
    #[doc(hidden)]
    pub fn for_external(external: &External, precision: Precision) -> Tensor {
        Tensor::for_rows(external, precision, external.shape.clone())
    }

    /// The same in another shape.
    #[doc(hidden)]
    pub fn for_rows(external: &External, precision: Precision, shape: Vec<usize>) -> Tensor {
        let zeros = Tensor::zeros(external.elem, precision, shape);
        if external.wide { zeros.widened() } else { zeros }
    }

    /// A tensor of 32-bit floats.
    ///
    /// # Errors
    /// If the sizes do not multiply to the number of values.
    pub fn floats(shape: &[usize], values: &[f32]) -> Result<Tensor, ShapeError> {
        Tensor::new(shape.to_vec(), Elements::F32(values.to_vec()))
    }

    /// A tensor of ints.
    ///
    /// # Errors
    /// If the sizes do not multiply to the number of values.
    pub fn ints(shape: &[usize], values: &[i32]) -> Result<Tensor, ShapeError> {
        Tensor::new(shape.to_vec(), Elements::I32(values.to_vec()))
    }

    /// The sizes of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The same elements in another shape of equally many.
    ///
    /// # Errors
    /// If the sizes do not multiply to their number.
    pub fn reshaped(self, shape: Vec<usize>) -> Result<Tensor, ShapeError> {
        Tensor::new(shape, self.elements)
    }

    /// Its elements, the last index running fastest.
    pub fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The elements for changing; their number and type are to stay.
    pub(crate) fn elements_mut(&mut self) -> &mut Elements {
        &mut self.elements
    }

    /// Its elements without the shape.
    pub fn into_elements(self) -> Elements {
        self.elements
    }

    /// The size of the first axis; 1 for a scalar.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The number of elements of one row.
    pub fn row_len(&self) -> usize {
        element_count(self.shape.get(1..).unwrap_or(&[])).unwrap_or(0)
    }

    /// The elements as 32-bit floats; bools are 0 and 1.
    pub fn to_f32(&self) -> Cow<'_, [f32]> {
        match &self.elements {
            Elements::F32(values) => Cow::Borrowed(values),
            Elements::F64(values) => values.iter().map(|&value| value as f32).collect(),
            Elements::I32(values) => values.iter().map(|&value| value as f32).collect(),
            Elements::I64(values) => values.iter().map(|&value| value as f32).collect(),
            Elements::U8(values) => values.iter().map(|&value| f32::from(value)).collect(),
            Elements::Bool(values) => values.iter().map(|&value| f32::from(u8::from(value))).collect(),
        }
    }

    /// The elements as 64-bit floats; bools are 0 and 1.
    pub fn to_f64(&self) -> Cow<'_, [f64]> {
        match &self.elements {
            Elements::F32(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Elements::F64(values) => Cow::Borrowed(values),
            Elements::I32(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Elements::I64(values) => values.iter().map(|&value| value as f64).collect(),
            Elements::U8(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Elements::Bool(values) => values.iter().map(|&value| f64::from(u8::from(value))).collect(),
        }
    }

    /// One element as a float.
    ///
    /// # Panics
    /// If there is none at this place.
    pub fn number(&self, at: usize) -> f64 {
        match &self.elements {
            Elements::F32(values) => f64::from(values[at]),
            Elements::F64(values) => values[at],
            Elements::I32(values) => f64::from(values[at]),
            Elements::I64(values) => values[at] as f64,
            Elements::U8(values) => f64::from(values[at]),
            Elements::Bool(values) => f64::from(u8::from(values[at])),
        }
    }

    /// The elements as ints.
    ///
    /// # Errors
    /// The position of the first that is not a whole number of 64 bits.
    pub fn to_i64(&self) -> Result<Cow<'_, [i64]>, usize> {
        match &self.elements {
            Elements::F32(values) => whole_numbers(values.iter().map(|&value| f64::from(value))),
            Elements::F64(values) => whole_numbers(values.iter().copied()),
            Elements::I32(values) => Ok(values.iter().map(|&value| i64::from(value)).collect()),
            Elements::I64(values) => Ok(Cow::Borrowed(values)),
            Elements::U8(values) => Ok(values.iter().map(|&value| i64::from(value)).collect()),
            Elements::Bool(values) => Ok(values.iter().map(|&value| i64::from(value)).collect()),
        }
    }

    /// An int tensor with elements of 32 bits, or of 64 if there is one that 32 bits do not hold.
    #[doc(hidden)]
    pub fn whole(shape: Vec<usize>, values: Vec<i64>) -> Result<Tensor, ShapeError> {
        Tensor::new(shape, narrowest(values))
    }

    /// Ints in 32 bits where these hold all; anything else as it is.
    #[doc(hidden)]
    pub fn narrowed(self) -> Tensor {
        let Tensor { shape, elements } = self;
        let elements = match elements {
            Elements::I64(values) => narrowest(values),
            other => other,
        };
        Tensor { shape, elements }
    }

    /// Ints in 64 bits; anything else as it is.
    #[doc(hidden)]
    pub fn widened(self) -> Tensor {
        let Tensor { shape, elements } = self;
        let elements = match elements {
            Elements::I32(values) => Elements::I64(values.into_iter().map(i64::from).collect()),
            other => other,
        };
        Tensor { shape, elements }
    }

    /// The range that its ints lie in. If they have 64 bits, the range is one that needs 64 bits.
    #[doc(hidden)]
    pub fn int_range(&self) -> Option<Range> {
        let range = self.range()?;
        let is_wide = matches!(self.elements, Elements::I64(_));
        Some(if is_wide { range.union(&Range { least: 0, greatest: 1 << 31 }) } else { range })
    }

    /// The least and the greatest of ints, if there are any.
    #[doc(hidden)]
    pub fn range(&self) -> Option<Range> {
        let (least, greatest) = match &self.elements {
            Elements::I32(values) => ((*values.iter().min()?).into(), (*values.iter().max()?).into()),
            Elements::I64(values) => (*values.iter().min()?, *values.iter().max()?),
            Elements::F32(_) | Elements::F64(_) | Elements::U8(_) | Elements::Bool(_) => return None,
        };
        Some(Range { least, greatest })
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShapeError { shape, count } = self;
        match element_count(shape) {
            Some(wanted) => {
                let s = if wanted == 1 { "" } else { "s" };
                write!(f, "a tensor of shape {} has {wanted} element{s}, not {count}", shape_text(shape))
            }
            None => write!(f, "a tensor of shape {} has more elements than memory", shape_text(shape)),
        }
    }
}

impl std::error::Error for ShapeError {}

impl From<Vec<f32>> for Tensor {
    /// One axis.
    fn from(values: Vec<f32>) -> Tensor {
        Tensor { shape: vec![values.len()], elements: Elements::F32(values) }
    }
}

impl From<Vec<f64>> for Tensor {
    /// One axis.
    fn from(values: Vec<f64>) -> Tensor {
        Tensor { shape: vec![values.len()], elements: Elements::F64(values) }
    }
}

impl From<Vec<i32>> for Tensor {
    /// One axis.
    fn from(values: Vec<i32>) -> Tensor {
        Tensor { shape: vec![values.len()], elements: Elements::I32(values) }
    }
}

impl From<Vec<i64>> for Tensor {
    /// One axis.
    fn from(values: Vec<i64>) -> Tensor {
        Tensor { shape: vec![values.len()], elements: narrowest(values) }
    }
}

impl From<Vec<bool>> for Tensor {
    /// One axis.
    fn from(values: Vec<bool>) -> Tensor {
        Tensor { shape: vec![values.len()], elements: Elements::Bool(values) }
    }
}

/// The number of elements of a shape; None if it does not fit into memory's addresses.
pub fn element_count(shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))
}

/// `[1797, 64]`, as messages print it.
pub fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// Ints in 32 bits, if these hold all.
fn narrowest(values: Vec<i64>) -> Elements {
    let narrow: Result<Vec<i32>, _> = values.iter().map(|value| i32::try_from(*value)).collect();
    narrow.map_or(Elements::I64(values), Elements::I32)
}

fn whole_numbers<'a>(values: impl Iterator<Item = f64>) -> Result<Cow<'a, [i64]>, usize> {
    values
        .enumerate()
        .map(|(at, value)| whole_number(value).ok_or(at))
        .collect::<Result<Vec<_>, _>>()
        .map(Cow::Owned)
}

/// The int that a float is, if it is one.
pub fn whole_number(value: f64) -> Option<i64> {
    let number = value as i64;
    // The greatest int is rounded to 2^63, which is none.
    (number as f64 == value && number != i64::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_elements_must_agree() {
        assert!(Tensor::new(vec![2, 3], Elements::F32(vec![0.0; 6])).is_ok());
        assert!(Tensor::new(vec![2, 3], Elements::F32(vec![0.0; 5])).is_err());
        let error = Tensor::new(vec![usize::MAX, 2], Elements::F32(vec![])).unwrap_err();
        assert!(error.to_string().ends_with("more elements than memory"), "{error}");
        let empty = Tensor::new(vec![usize::MAX, 0, 2], Elements::F32(vec![])).unwrap();
        assert_eq!((empty.rows(), empty.row_len()), (usize::MAX, 0));
        let scalar = Tensor::new(vec![], Elements::I32(vec![7])).unwrap();
        assert_eq!((scalar.rows(), scalar.row_len()), (1, 1));
    }

    #[test]
    fn conversions() {
        let array = Tensor::new(vec![3], Elements::F64(vec![1.0, -2.0, 2.5])).unwrap();
        assert_eq!(array.to_i64(), Err(2));
        assert_eq!(array.to_f32().as_ref(), [1.0, -2.0, 2.5]);
        let bools = Tensor::new(vec![2], Elements::Bool(vec![true, false])).unwrap();
        assert_eq!(bools.to_i64().unwrap().as_ref(), [1, 0]);
        let limit = 2f64.powi(63);
        assert_eq!((whole_number(limit), whole_number(-limit)), (None, Some(i64::MIN)));
        assert_eq!(whole_number(f64::NAN), None);
    }
}
