//! Tensors that lie at another place in each step of a series.

use super::memory::Aligned;
use crate::backend::series::{Batch, Series};
use crate::backend::{Binding, CodeError, Facts};

/// An external whose place is another one in each step.
pub enum Moving {
    Each { at: usize, start: *mut u8, step_bytes: usize },
    Rows { at: usize, column: *const u8, rows: usize, row_bytes: usize, batch: usize, target: *mut u8 },
}

impl Moving {
    /// For an external that is given as values of each step, or as rows of a column; where the latter are gathered
    /// is allocated in `memory`. `None` if it stays where it is.
    ///
    /// # Errors
    /// If memory is short.
    pub fn of(
        facts: &Facts,
        at: usize,
        binding: &mut Binding<'_>,
        memory: &mut Option<Aligned>,
    ) -> Result<Option<Moving>, CodeError> {
        let bytes = facts.elem_bytes(at);
        let shape = &facts.externals[at].shape;
        Ok(match binding {
            Binding::Read(_) | Binding::Write(_) | Binding::StepNumber => None,
            Binding::Each(tensor) => {
                Some(Moving::Each { at, start: tensor.pointer(), step_bytes: facts.external_bytes(at) })
            }
            Binding::Rows(column) => {
                let row = shape.iter().skip(1).product::<usize>();
                if row == 0 {
                    return Ok(None);
                }
                let batch = shape.first().copied().unwrap_or(1);
                let gathered = match memory.take() {
                    Some(gathered) => gathered,
                    None => Aligned::new(batch * row * bytes)?,
                };
                let target = memory.insert(gathered).as_mut_ptr();
                let (column, rows) = (column.pointer(), column.len() / row);
                Some(Moving::Rows { at, column, rows, row_bytes: row * bytes, batch, target })
            }
        })
    }

    /// Sets the pointer for step `number` of the series, gathering rows where they do not lie in order.
    ///
    /// # Safety
    /// It was made of a binding that was checked for this series, whose tensors are still there.
    pub unsafe fn place(&self, number: usize, series: &Series<'_>, pointers: &mut [*mut u8]) {
        match *self {
            Moving::Each { at, start, step_bytes } => {
                // SAFETY: the tensor has room for each step.
                pointers[at] = unsafe { start.add(number * step_bytes) }
            }
            Moving::Rows { at, column, rows, row_bytes, batch, target } => {
                let taken = series.rows_of(number, batch, rows);
                if let Batch::Run(start) = taken {
                    // SAFETY: the row numbers were checked; inputs are never written.
                    pointers[at] = unsafe { column.add(start * row_bytes) }.cast_mut();
                    return;
                }
                pointers[at] = target;
                taken.for_each(batch, |from, to| {
                    // SAFETY: the row numbers were checked; `target` has room for the batch.
                    unsafe {
                        let (from, to) = (column.add(from * row_bytes), target.add(to * row_bytes));
                        std::ptr::copy_nonoverlapping(from, to, row_bytes);
                    }
                });
            }
        }
    }
}
