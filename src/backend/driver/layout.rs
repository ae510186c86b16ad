//! Where everything lies in the memory of a step.

use crate::backend::facts::write_constants;
use crate::backend::{Binding, CodeError, Facts, Series};
use crate::loops::{BasePlace, VerifiedModule};
use crate::plan::External;
use std::ops::Range;

/// The bytes of the words that kernels report with: two of a check, one of an overflow.
pub const WORDS: usize = 24;
/// Everything begins at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// The first byte of each place.
pub struct Layout {
    constants: usize,
    arena: usize,
    externals: Vec<usize>,
    pub bytes: usize,
}

impl Layout {
    /// # Errors
    /// If the machine has no addresses for so much memory.
    pub fn of(module: &VerifiedModule, facts: &Facts) -> Result<Layout, CodeError> {
        let most = match module.target.pointer_bits {
            bits @ 0..64 => (1u64 << bits) - 1,
            _ => i64::MAX as u64,
        };
        let mut end = WORDS.next_multiple_of(ALIGNMENT);
        let mut place = |bytes: usize| {
            let start = end;
            end = bytes.checked_next_multiple_of(ALIGNMENT).and_then(|bytes| end.checked_add(bytes))?;
            (end as u64 <= most).then_some(start)
        };
        let constants = place(module.constant_bytes);
        let arena = place(module.arena_bytes);
        let externals = (0..facts.externals.len()).map(|at| place(facts.external_bytes(at))).collect();
        match (constants, arena, externals) {
            (Some(constants), Some(arena), Some(externals)) => {
                Ok(Layout { constants, arena, externals, bytes: end })
            }
            _ => Err(CodeError::no_memory("for a step: its tensors have more bytes than there are addresses")),
        }
    }

    /// The memory with its constants.
    pub fn memory(&self, module: &VerifiedModule, facts: &Facts) -> Result<Vec<u8>, CodeError> {
        let mut memory = Vec::new();
        let bytes = self.bytes;
        memory
            .try_reserve_exact(bytes)
            .map_err(|error| CodeError::no_memory(format!("for {bytes} bytes: {error}")))?;
        memory.resize(bytes, 0);
        write_constants(module, part(&mut memory, self.constants..self.arena)?)?;
        debug_assert_eq!(self.externals.len(), facts.externals.len());
        Ok(memory)
    }

    /// The first byte of a place.
    pub fn start(&self, place: BasePlace) -> Result<i64, CodeError> {
        let start = match place {
            BasePlace::Report => Some(0),
            BasePlace::Fault => Some(16),
            BasePlace::Constants => Some(self.constants),
            BasePlace::Arena => Some(self.arena),
            BasePlace::External(slot) => self.externals.get(slot as usize).copied(),
        };
        start.map(|at| at as i64).ok_or_else(|| CodeError::internal("an external that is not there"))
    }

    pub fn arena(&self, facts: &Facts) -> Range<usize> {
        self.arena..self.arena + facts.arena_bytes
    }

    pub fn external(&self, facts: &Facts, at: usize) -> Range<usize> {
        let start = self.externals[at];
        start..start + facts.external_bytes(at)
    }
}

/// Some bytes of a memory.
///
/// # Errors
/// If they are not there: an address of the loop IR is wrong.
pub fn part(memory: &mut [u8], range: Range<usize>) -> Result<&mut [u8], CodeError> {
    let bytes = memory.len();
    let outside = || CodeError::internal(format!("bytes {range:?} of a memory of {bytes}"));
    memory.get_mut(range.clone()).ok_or_else(outside)
}

/// The words that kernels report with: of a check its number and element, the number of an overflow.
pub fn words(memory: &[u8]) -> Result<[u64; 3], CodeError> {
    let words = memory.first_chunk::<WORDS>().ok_or_else(|| CodeError::internal("a memory without words"))?;
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&words[at..at + 8]);
        u64::from_ne_bytes(bytes)
    };
    Ok([word(0), word(8), word(16)])
}

/// Puts what an external is in a step of a series into its memory, if it is another one in each.
pub fn place(
    external: &External,
    binding: &Binding<'_>,
    number: usize,
    step: u32,
    series: &Series<'_>,
    target: &mut [u8],
) -> Result<(), CodeError> {
    match binding {
        Binding::StepNumber => target.copy_from_slice(&(step as i32).to_ne_bytes()),
        Binding::Rows(column) => {
            let Some((&batch, row)) = external.shape.split_first() else { return Ok(()) };
            let row: usize = row.iter().product();
            if row == 0 || batch == 0 {
                return Ok(());
            }
            let row_bytes = target.len() / batch;
            let mut copied = Ok(());
            series.rows_of(number, batch, column.len() / row).for_each(batch, |from, to| {
                if copied.is_ok() {
                    copied = column.copy_to(from * row, &mut target[to * row_bytes..(to + 1) * row_bytes]);
                }
            });
            copied?;
        }
        Binding::Read(_) | Binding::Write(_) | Binding::Each(_) => {}
    }
    Ok(())
}
