//! Bindings: the tensors of the caller that a call of code works on.

use super::{CodeError, Series};
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

    #[cfg(feature = "native")]
    pub(super) fn pointer(&self) -> *const u8 {
        match self {
            TensorRef::F32(values) => values.as_ptr().cast(),
            TensorRef::F64(values) => values.as_ptr().cast(),
            TensorRef::I32(values) => values.as_ptr().cast(),
            TensorRef::I64(values) => values.as_ptr().cast(),
            TensorRef::Bool(values) => values.as_ptr().cast(),
        }
    }

    /// Writes elements from the first one on into memory, as many as it takes.
    ///
    /// # Errors
    /// If there are too few.
    pub(super) fn copy_to(&self, first: usize, target: &mut [u8]) -> Result<(), CodeError> {
        fn copy<T: Copy, const N: usize>(
            values: &[T],
            first: usize,
            target: &mut [u8],
            bytes: impl Fn(T) -> [u8; N],
        ) -> bool {
            let Some(values) = values.get(first..first + target.len() / N) else { return false };
            target.chunks_exact_mut(N).zip(values).for_each(|(to, from)| to.copy_from_slice(&bytes(*from)));
            true
        }
        let copied = match self {
            TensorRef::F32(values) => copy(values, first, target, f32::to_ne_bytes),
            TensorRef::F64(values) => copy(values, first, target, f64::to_ne_bytes),
            TensorRef::I32(values) => copy(values, first, target, i32::to_ne_bytes),
            TensorRef::I64(values) => copy(values, first, target, i64::to_ne_bytes),
            TensorRef::Bool(values) => copy(values, first, target, |value| [u8::from(value)]),
        };
        if copied {
            Ok(())
        } else {
            Err(CodeError::internal("a tensor is shorter than it was checked to be"))
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
    /// Takes elements out of memory, from the element on that lies at byte `first` of the tensor.
    ///
    /// # Errors
    /// If there is no room for them.
    pub(super) fn take_from(&mut self, first: usize, bytes: &[u8]) -> Result<(), CodeError> {
        fn take<T, const N: usize>(
            values: &mut [T],
            first: usize,
            bytes: &[u8],
            value: impl Fn([u8; N]) -> T,
        ) -> bool {
            let at = first / N;
            let Some(values) = values.get_mut(at..at + bytes.len() / N) else { return false };
            let (parts, _) = bytes.as_chunks::<N>();
            values.iter_mut().zip(parts).for_each(|(to, from)| *to = value(*from));
            true
        }
        let taken = match self {
            TensorMut::F32(values) => take(values, first, bytes, f32::from_ne_bytes),
            TensorMut::F64(values) => take(values, first, bytes, f64::from_ne_bytes),
            TensorMut::I32(values) => take(values, first, bytes, i32::from_ne_bytes),
            TensorMut::I64(values) => take(values, first, bytes, i64::from_ne_bytes),
            TensorMut::Bool(values) => take(values, first, bytes, |[byte]| byte != 0),
        };
        if taken { Ok(()) } else { Err(CodeError::internal("a tensor is shorter than it was checked to be")) }
    }

    pub(super) fn as_ref(&self) -> TensorRef<'_> {
        match self {
            TensorMut::F32(values) => TensorRef::F32(values),
            TensorMut::F64(values) => TensorRef::F64(values),
            TensorMut::I32(values) => TensorRef::I32(values),
            TensorMut::I64(values) => TensorRef::I64(values),
            TensorMut::Bool(values) => TensorRef::Bool(values),
        }
    }

    #[cfg(feature = "native")]
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

/// Checks that a binding is of the external's type and large enough for the steps of a series.
pub(super) fn check(
    external: &External,
    binding: &Binding<'_>,
    precision: Precision,
    series: &Series<'_>,
) -> Result<(), CodeError> {
    let count: usize = external.shape.iter().product();
    let name = &external.name;
    let (tensor, least, exact) = match binding {
        Binding::Read(tensor) if !external.written => (*tensor, count, true),
        Binding::Write(tensor) => (tensor.as_ref(), count, true),
        Binding::Rows(column) if !external.written => {
            check_column(external, *column, series)?;
            (*column, 0, false)
        }
        Binding::Each(tensor) => (tensor.as_ref(), count * series.steps, false),
        Binding::StepNumber
            if external.elem == Elem::Int && count == 1 && !external.wide && !external.written =>
        {
            return Ok(());
        }
        Binding::Read(_) | Binding::Rows(_) | Binding::StepNumber => {
            return Err(CodeError::new(format!("`{name}` cannot be given like this")));
        }
    };
    if !tensor.fits(external.elem, external.wide, precision) {
        return Err(CodeError::new(format!("`{name}` is given as another type than {}", external.elem)));
    }
    if tensor.len() < least || exact && tensor.len() != least {
        return Err(CodeError::new(format!("`{name}` has {count} elements, {} are given", tensor.len())));
    }
    Ok(())
}

/// Checks that rows for a series can be taken from a column.
fn check_column(external: &External, column: TensorRef<'_>, series: &Series<'_>) -> Result<(), CodeError> {
    let name = &external.name;
    let Some((batch, row)) = external.shape.split_first() else {
        return Err(CodeError::new(format!("`{name}` is a number: it has no rows")));
    };
    let row = row.iter().product::<usize>();
    let is_whole = match row {
        // Rows without elements are as many as are asked for.
        0 => {
            return if column.len() == 0 {
                Ok(())
            } else {
                Err(CodeError::new(format!("`{name}` is empty")))
            };
        }
        row => column.len().is_multiple_of(row) && column.len() > 0,
    };
    if !is_whole {
        return Err(CodeError::new(format!("`{name}`: a column of {} elements", column.len())));
    }
    series.check_rows(*batch, column.len() / row, name)
}
