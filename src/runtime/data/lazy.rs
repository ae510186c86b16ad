//! Columns that are not in memory: rows are read from a file, or drawn, and fields computed of them, when a
//! batch needs them. So data may be larger than memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Column;
use super::drawn::Drawn;
use super::load::{Columns, Inputs, Outputs};
use super::read::placed;
use crate::base::{Diagnostic, Span};
use crate::compile::Cache;
use crate::ir::program::Precision;
use crate::ir::{Dim, Elem, Graph, Sizes};
use crate::runtime::array::{Array, Elements, element_count};
use crate::runtime::sources::csv::stored::StoredTable;
use crate::runtime::sources::images::{Images, Size};
use crate::runtime::sources::stored::StoredArray;

/// How many elements are made at once where all rows are wanted.
pub const BLOCK: usize = 1 << 16;

/// A column that is not in memory.
pub struct Lazy {
    pub origin: Origin,
    /// The shape of one row.
    pub row: Vec<usize>,
    pub elem: Elem,
    /// Whether its ints have 64 bits.
    pub wide: bool,
    pub precision: Precision,
    pub span: Span,
}

/// Where the rows come from.
pub enum Origin {
    /// A file.
    File(StoredArray),
    /// A request of a table.
    Table(Arc<StoredTable>, usize),
    /// A folder of images.
    Images(Arc<Images>, Size),
    /// Random numbers of so many rows.
    Drawn(Drawn, usize),
    /// Some rows of a column.
    Part(Column, Arc<[u32]>),
    /// Rows of other columns, by a graph that computes each row from the same row of these alone.
    Computed(Computed),
}

/// A field that is computed batch by batch.
pub struct Computed {
    /// Inputs by name; if it is a field, one output.
    pub graph: Graph,
    pub inputs: Columns,
    /// Inputs that are the same for all rows.
    pub known: Inputs,
    /// The free dimension that is the number of rows, and all others.
    pub rows: Arc<str>,
    pub sizes: Sizes,
    pub n_rows: usize,
    /// Code by number of rows.
    pub functions: Cache<()>,
}

/// Carries out a function on inputs by name; gives the outputs by name.
pub type Carry<'a> = dyn FnMut(&Computed, &Sizes, &Inputs) -> Result<Outputs, Diagnostic> + 'a;

/// Columns of a source are not computed.
pub fn no_code(_: &Computed, _: &Sizes, _: &Inputs) -> Result<Outputs, Diagnostic> {
    Ok(BTreeMap::new())
}

impl Lazy {
    pub fn n_rows(&self) -> usize {
        match &self.origin {
            Origin::File(array) => array.rows(),
            Origin::Table(table, _) => table.rows(),
            Origin::Images(images, _) => images.rows(),
            Origin::Drawn(_, rows) => *rows,
            Origin::Part(_, rows) => rows.len(),
            Origin::Computed(computed) => computed.n_rows,
        }
    }

    /// Some rows of it.
    pub fn part(self: &Arc<Lazy>, rows: &[u32]) -> Lazy {
        let Lazy { row, elem, wide, precision, span, .. } = &**self;
        let origin = Origin::Part(Column::Lazy(Arc::clone(self)), rows.into());
        Lazy { origin, row: row.clone(), elem: *elem, wide: *wide, precision: *precision, span: *span }
    }

    /// Reads rows into a tensor of as many rows and the same element type.
    ///
    /// # Errors
    /// E0701 if the file cannot be read any more, E0712 if a number does not fit, and those of `carry`.
    pub fn gather(&self, rows: &[u32], into: &mut Array, carry: &mut Carry<'_>) -> Result<(), Diagnostic> {
        match &self.origin {
            Origin::File(array) => self.read(array, rows, into).map_err(|error| placed(error, self.span)),
            Origin::Table(table, request) => {
                of_table(table, *request, rows, into).map_err(|error| placed(error, self.span))
            }
            Origin::Images(images, size) => {
                decoded(images, *size, rows, into).map_err(|error| placed(error, self.span))
            }
            Origin::Drawn(drawn, _) => {
                drawn.gather(rows, into);
                Ok(())
            }
            Origin::Part(column, part) => {
                let rows: Vec<u32> = rows.iter().map(|row| part[*row as usize]).collect();
                column.gather(&rows, into, carry)
            }
            Origin::Computed(computed) => {
                if let Some((_, array)) = computed.of_rows(rows, carry)?.into_iter().next() {
                    *into = if self.wide { array.widened() } else { array.narrowed() };
                }
                Ok(())
            }
        }
    }

    /// Zeros of its type.
    pub fn zeros(&self, shape: Vec<usize>) -> Array {
        let zeros = Array::zeros(self.elem, self.precision, shape);
        if self.wide { zeros.widened() } else { zeros }
    }

    /// The bytes that all rows would take.
    pub fn bytes(&self) -> usize {
        let element = self.zeros(vec![0]).elements().size();
        let row = element_count(&self.row).unwrap_or(usize::MAX).saturating_mul(element);
        self.n_rows().saturating_mul(row)
    }

    /// Whether no file is needed: it is made of random numbers and columns in memory.
    pub fn is_made(&self) -> bool {
        match &self.origin {
            Origin::File(_) | Origin::Table(..) | Origin::Images(..) => false,
            Origin::Drawn(..) => true,
            Origin::Part(column, _) => column.is_made(),
            Origin::Computed(computed) => computed.inputs.values().all(Column::is_made),
        }
    }

    /// All rows. What is computed is made block by block, each put into its place, so that what it is computed of
    /// is never there for all rows.
    ///
    /// # Errors
    /// As [`Lazy::gather`].
    pub fn whole(&self, carry: &mut Carry<'_>) -> Result<Array, Diagnostic> {
        let (count, row_len) = (self.n_rows(), element_count(&self.row).unwrap_or(0));
        let block = match self.origin {
            Origin::Computed(_) => (BLOCK / row_len.max(1)).clamp(1, count.max(1)),
            Origin::File(_) | Origin::Table(..) | Origin::Images(..) | Origin::Drawn(..) | Origin::Part(..) => count,
        };
        let tensor =
            |rows: usize| self.zeros(std::iter::once(rows).chain(self.row.iter().copied()).collect());
        let rows_from = |from: usize| (from as u32..(from + block) as u32).collect::<Vec<u32>>();
        let mut all = tensor(count);
        if block == count {
            self.gather(&rows_from(0), &mut all, carry)?;
            return Ok(all);
        }
        let mut made = tensor(block);
        for start in (0..count).step_by(block) {
            // The last block begins earlier instead of being smaller: one number of rows needs one code.
            let from = start.min(count - block);
            self.gather(&rows_from(from), &mut made, carry)?;
            all.elements_mut().put(from * row_len, made.elements());
        }
        Ok(all)
    }

    fn read(&self, array: &StoredArray, rows: &[u32], into: &mut Array) -> Result<(), Diagnostic> {
        match into.elements_mut() {
            Elements::F32(out) => array.fetch_rows(rows, out),
            Elements::F64(out) => array.fetch_rows(rows, out),
            Elements::I32(out) => array.fetch_rows(rows, out),
            Elements::I64(out) => array.fetch_rows(rows, out),
            Elements::U8(out) => array.fetch_rows(rows, out),
            Elements::Bool(out) => {
                let mut bytes = vec![0u8; out.len()];
                array.fetch_rows(rows, &mut bytes)?;
                out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte != 0);
                Ok(())
            }
        }
    }
}

impl Computed {
    /// The outputs for some rows.
    ///
    /// # Errors
    /// Those of [`Lazy::gather`] and of `carry`.
    pub fn of_rows(&self, rows: &[u32], carry: &mut Carry<'_>) -> Result<Outputs, Diagnostic> {
        let mut inputs = self.known.clone();
        for (name, column) in &self.inputs {
            inputs.insert(name.clone(), Arc::new(column.rows_of(rows, carry)?));
        }
        let mut sizes = self.sizes.clone();
        sizes.insert(self.rows.clone(), Dim::from(rows.len()));
        carry(self, &sizes, &inputs)
    }
}

/// Rows of a table; its columns in a file are floats.
fn of_table(table: &StoredTable, request: usize, rows: &[u32], into: &mut Array) -> Result<(), Diagnostic> {
    let width = table.row_len(request);
    match into.elements_mut() {
        Elements::F32(out) => table.read_rows(request, rows, &mut |at, numbers| {
            let places = &mut out[at * width..at * width + numbers.len()];
            places.iter_mut().zip(numbers).for_each(|(place, number)| *place = *number as f32);
        }),
        Elements::F64(out) => table.read_rows(request, rows, &mut |at, numbers| {
            out[at * width..at * width + numbers.len()].copy_from_slice(numbers);
        }),
        _ => Err(Diagnostic::fault("a column of floats of a table is read as something else")),
    }
}

/// Pixels as numbers from 0 to 255.
fn decoded(images: &Images, size: Size, rows: &[u32], into: &mut Array) -> Result<(), Diagnostic> {
    let mut bytes = vec![0u8; into.elements().len()];
    images.read(rows, size, &mut bytes)?;
    match into.elements_mut() {
        Elements::F32(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::F64(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::I32(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::I64(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::U8(out) => out.copy_from_slice(&bytes),
        Elements::Bool(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte != 0),
    }
    Ok(())
}

impl std::fmt::Debug for Lazy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lazy").field("row", &self.row).field("rows", &self.n_rows()).finish_non_exhaustive()
    }
}
