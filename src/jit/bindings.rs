//! Tensors of the caller.

use super::JitError;
use crate::ir::Elem;
use crate::ir::program::Precision;
use crate::plan::External;

/// A tensor that is read, row-major.
#[derive(Clone, Copy, Debug)]
pub enum TensorRef<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    Bool(&'a [bool]),
}

/// A tensor that may be written.
#[derive(Debug)]
pub enum TensorMut<'a> {
    F32(&'a mut [f32]),
    F64(&'a mut [f64]),
    I32(&'a mut [i32]),
    I64(&'a mut [i64]),
    Bool(&'a mut [bool]),
}

/// What is given for an external of a plan.
#[derive(Debug)]
pub enum Binding<'a> {
    Read(TensorRef<'a>),
    Write(TensorMut<'a>),
    /// In a series of steps: rows are taken from this column, as [`Rows`](super::Rows) says.
    Rows(TensorRef<'a>),
    /// In a series of steps: each step's value goes behind the one before.
    Each(TensorMut<'a>),
    /// The number of the step, an int scalar.
    StepNumber,
}

impl TensorRef<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            TensorRef::F32(values) => values.len(),
            TensorRef::F64(values) => values.len(),
            TensorRef::I32(values) => values.len(),
            TensorRef::I64(values) => values.len(),
            TensorRef::Bool(values) => values.len(),
        }
    }

    pub(super) fn pointer(&self) -> *const u8 {
        match self {
            TensorRef::F32(values) => values.as_ptr().cast(),
            TensorRef::F64(values) => values.as_ptr().cast(),
            TensorRef::I32(values) => values.as_ptr().cast(),
            TensorRef::I64(values) => values.as_ptr().cast(),
            TensorRef::Bool(values) => values.as_ptr().cast(),
        }
    }

    fn fits(&self, elem: Elem, wide: bool, precision: Precision) -> bool {
        match (self, elem) {
            (TensorRef::F32(_), Elem::Float) => precision == Precision::F32,
            (TensorRef::F64(_), Elem::Float) => precision == Precision::F64,
            (TensorRef::I32(_), Elem::Int) => !wide,
            (TensorRef::I64(_), Elem::Int) => wide,
            (TensorRef::Bool(_), Elem::Bool) => true,
            _ => false,
        }
    }
}

impl TensorMut<'_> {
    pub(super) fn as_ref(&self) -> TensorRef<'_> {
        match self {
            TensorMut::F32(values) => TensorRef::F32(values),
            TensorMut::F64(values) => TensorRef::F64(values),
            TensorMut::I32(values) => TensorRef::I32(values),
            TensorMut::I64(values) => TensorRef::I64(values),
            TensorMut::Bool(values) => TensorRef::Bool(values),
        }
    }

    pub(super) fn pointer(&mut self) -> *mut u8 {
        match self {
            TensorMut::F32(values) => values.as_mut_ptr().cast(),
            TensorMut::F64(values) => values.as_mut_ptr().cast(),
            TensorMut::I32(values) => values.as_mut_ptr().cast(),
            TensorMut::I64(values) => values.as_mut_ptr().cast(),
            TensorMut::Bool(values) => values.as_mut_ptr().cast(),
        }
    }
}

/// Checks that a binding is of the external's type and large enough for `steps` steps.
pub(super) fn check(
    external: &External,
    binding: &Binding<'_>,
    precision: Precision,
    steps: Option<usize>,
) -> Result<(), JitError> {
    let count: usize = external.shape.iter().product();
    let name = &external.name;
    let (tensor, least, exact) = match binding {
        Binding::Read(tensor) if !external.written => (*tensor, count, true),
        Binding::Write(tensor) => (tensor.as_ref(), count, true),
        Binding::Rows(column) if !external.written && steps.is_some() => {
            let row = external.shape.iter().skip(1).product::<usize>();
            let is_whole = match row {
                // Rows without elements are as many as are asked for.
                0 => column.len() == 0,
                row => column.len().is_multiple_of(row) && column.len() > 0,
            };
            if !is_whole || external.shape.is_empty() {
                return Err(JitError::new(format!("`{name}`: a column of {} elements", column.len())));
            }
            (*column, 0, false)
        }
        Binding::Each(tensor) if let Some(steps) = steps => (tensor.as_ref(), count * steps, false),
        Binding::StepNumber if external.elem == Elem::Int && count == 1 && !external.written => return Ok(()),
        Binding::Read(_) | Binding::Rows(_) | Binding::Each(_) | Binding::StepNumber => {
            return Err(JitError::new(format!("`{name}` cannot be given like this")));
        }
    };
    if !tensor.fits(external.elem, external.wide, precision) {
        return Err(JitError::new(format!("`{name}` is given as another type than {}", external.elem)));
    }
    if tensor.len() < least || exact && tensor.len() != least {
        return Err(JitError::new(format!("`{name}` has {count} elements, {} are given", tensor.len())));
    }
    Ok(())
}
