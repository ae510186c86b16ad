//! Loaded data sets: columns in memory or where they lie in a file, rows by part.
//!
//! | file | does |
//! |---|---|
//! | [`read`] | columns of a source |
//! | [`load`], `making` | fields from columns |
//! | [`parts`] | the number of rows, the division into parts |
//! | [`bounds`] | what ints must lie in |
//! | [`classes`] | the numbers of names and characters, the same in all data |
//! | [`sorted`], [`division`] | rows that are left out, and which of the others belong to which part |
//! | [`category`], [`summaries`] | names that have a class, and medians, learnt from the training part |
//! | [`texts`] | columns of texts as numbers of words, characters, or parts of words |
//! | `windows` | rows that are several rows of a series |
//! | [`digits`] | floats of 32 bits, and what they lose |
//! | [`lazy`], [`rowwise`] | columns that stay in their file, and fields computed of them batch by batch |
//! | `learn` | the statistics that fields use |
//! | [`drawn`] | random numbers of fields |
//! | [`statistics`] | sums over the rows of columns that are not in memory |

pub mod bounds;
mod category;
pub mod classes;
mod digits;
mod division;
mod drawn;
pub mod joined;
pub mod lazy;
mod learn;
pub mod load;
mod making;
mod parts;
pub mod read;
pub mod rowwise;
mod sorted;
pub mod statistics;
mod summaries;
pub mod texts;
mod windows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use self::bounds::Bounds;
use self::lazy::{Carry, Lazy};
use super::array::{Array, Elements};
use super::room::{self, Need};
use super::sources::text::{Text, Windows};
use crate::base::Diagnostic;
use crate::ir::Sizes;
use crate::ir::program::DataRef;
use crate::ir::ranges::Range;

/// A field of all rows of a data set.
#[derive(Clone, Debug)]
pub enum Column {
    Memory(Arc<Array>),
    /// Characters of a text.
    Windows(Windows),
    /// Rows that are read or computed when they are needed.
    Lazy(Arc<Lazy>),
}

/// A `data` item with its rows.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: usize,
    pub fields: BTreeMap<Arc<str>, Column>,
    /// What is checked of fields when they are given to code: all bounds of those that are read batch by batch,
    /// and of the others what was not known when they were loaded.
    pub bounds: BTreeMap<Arc<str>, Bounds>,
    /// The row of the file that each row is, if they are not the same; of a window its last.
    pub rows_of_file: Option<Arc<[u32]>>,
    /// Of windows: whether each is the last one of its series. Empty if rows are no windows.
    pub is_last: Vec<bool>,
    /// Empty if the data is not split.
    pub parts: Vec<(Arc<str>, Arc<[u32]>)>,
    /// The text that windows are taken from.
    pub text: Option<Text>,
    /// Statistics over rows that fields use, by name; see [`statistics`](crate::runtime::kept::statistics).
    pub learnt: BTreeMap<String, Arc<Array>>,
    /// The names of the classes, in order, of fields that are read from columns of names.
    pub names: BTreeMap<Arc<str>, Arc<[String]>>,
    /// Columns and parts of columns that were asked for as one tensor.
    whole: Mutex<BTreeMap<ColumnPart, Arc<Array>>>,
}

/// A column, and the part whose rows are meant if it is one.
type ColumnPart = (Arc<str>, Option<Arc<str>>);

/// The rows of a data set or of one part of it.
#[derive(Clone, Debug)]
pub enum Rows {
    All(usize),
    Some(Arc<[u32]>),
}

impl Rows {
    pub fn len(&self) -> usize {
        match self {
            Rows::All(rows) => *rows,
            Rows::Some(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row of the data set at a place of this part.
    pub fn get(&self, at: usize) -> u32 {
        match self {
            Rows::All(_) => at as u32,
            Rows::Some(rows) => rows[at],
        }
    }
}

impl Column {
    pub fn rows(&self) -> usize {
        match self {
            Column::Memory(array) => array.rows(),
            Column::Windows(windows) => windows.rows(),
            Column::Lazy(lazy) => lazy.n_rows(),
        }
    }

    /// Whether its rows come from no file.
    pub fn is_made(&self) -> bool {
        match self {
            Column::Memory(_) | Column::Windows(_) => true,
            Column::Lazy(lazy) => lazy.is_made(),
        }
    }

    /// What the ints of it lie in; none if it has none.
    pub fn int_range(&self) -> Option<Range> {
        match self {
            Column::Memory(array) => array.int_range(),
            Column::Windows(windows) => {
                let count = windows.text().vocabulary().len() as i64;
                Some(Range { least: 0, greatest: (count - 1).max(0) })
            }
            Column::Lazy(lazy) => lazy.wide.then_some(Range::ALL),
        }
    }

    /// What all rows would take, if they are not in memory.
    pub fn lazy_bytes(&self) -> usize {
        match self {
            Column::Memory(_) | Column::Windows(_) => 0,
            Column::Lazy(lazy) => lazy.bytes(),
        }
    }

    /// The shape of one row.
    pub fn row_shape(&self) -> Vec<usize> {
        match self {
            Column::Memory(array) => array.shape()[1..].to_vec(),
            Column::Windows(windows) => vec![windows.length()],
            Column::Lazy(lazy) => lazy.row.clone(),
        }
    }

    /// Copies rows into a tensor of as many rows and the same element type. `carry` carries out the code of
    /// computed columns.
    ///
    /// # Errors
    /// Those of [`Lazy::gather`].
    pub fn gather(&self, rows: &[u32], into: &mut Array, carry: &mut Carry<'_>) -> Result<(), Diagnostic> {
        match self {
            Column::Memory(array) => gather(array, rows, into),
            Column::Windows(windows) => {
                let Elements::I32(out) = into.elements_mut() else { return Ok(()) };
                windows.read(rows.iter().map(|row| *row as usize), out);
            }
            Column::Lazy(lazy) => return lazy.gather(rows, into, carry),
        }
        Ok(())
    }

    /// Some rows as a tensor.
    ///
    /// # Errors
    /// As [`Column::gather`].
    pub fn rows_of(&self, rows: &[u32], carry: &mut Carry<'_>) -> Result<Array, Diagnostic> {
        let mut array = self.empty(rows.len());
        self.gather(rows, &mut array, carry)?;
        Ok(array)
    }

    /// All rows as a tensor.
    ///
    /// # Errors
    /// As [`Column::gather`].
    pub fn whole(&self, carry: &mut Carry<'_>) -> Result<Arc<Array>, Diagnostic> {
        match self {
            Column::Memory(array) => Ok(Arc::clone(array)),
            Column::Lazy(lazy) => lazy.whole(carry).map(Arc::new),
            Column::Windows(windows) => {
                let bytes = room::bytes_of(&[windows.rows(), windows.length()], 4);
                Need::of("all windows of a text", bytes).check()?;
                let rows: Vec<u32> = (0..self.rows() as u32).collect();
                self.rows_of(&rows, carry).map(Arc::new)
            }
        }
    }

    /// An empty tensor for some rows of this column.
    pub fn empty(&self, rows: usize) -> Array {
        let shape: Vec<usize> = std::iter::once(rows).chain(self.row_shape()).collect();
        let count = shape.iter().product();
        let elements = match self {
            Column::Memory(array) => array.elements().zeros_alike(count),
            Column::Windows(_) => Elements::I32(vec![0; count]),
            Column::Lazy(lazy) => return lazy.zeros(shape),
        };
        Array::new(shape, elements).expect("as many elements as the shape has")
    }
}

impl Table {
    /// The rows of a part; none if there is no such part.
    pub fn rows_of(&self, part: Option<&str>) -> Option<Rows> {
        let Some(part) = part else { return Some(Rows::All(self.rows)) };
        let found = self.parts.iter().find(|(name, _)| &**name == part)?;
        Some(Rows::Some(Arc::clone(&found.1)))
    }

    /// A whole column, or that of a part, as one tensor for code of these sizes; none if there is none of this
    /// name.
    ///
    /// # Errors
    /// As [`Table::rows`].
    pub fn whole(
        &self,
        field: &str,
        part: Option<&str>,
        sizes: &Sizes,
        carry: &mut Carry<'_>,
    ) -> Result<Option<Arc<Array>>, Diagnostic> {
        let Some(rows) = self.rows_of(part) else { return Ok(None) };
        let Some(array) = self.gathered(field, part, &rows, carry)? else { return Ok(None) };
        if let Some(bounds) = self.bounds.get(field) {
            bounds.at(sizes).check(&array, |at| rows.get(at) as usize)?;
        }
        Ok(Some(array))
    }

    fn gathered(
        &self,
        field: &str,
        part: Option<&str>,
        rows: &Rows,
        carry: &mut Carry<'_>,
    ) -> Result<Option<Arc<Array>>, Diagnostic> {
        let Some(column) = self.fields.get(field) else { return Ok(None) };
        if let (Column::Memory(array), None) = (column, part) {
            return Ok(Some(Arc::clone(array)));
        }
        let key: ColumnPart = (field.into(), part.map(Arc::from));
        let mut known = self.whole.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(array) = known.get(&key) {
            return Ok(Some(Arc::clone(array)));
        }
        let numbers: Vec<u32> = (0..rows.len()).map(|at| rows.get(at)).collect();
        let array = Arc::new(column.rows_of(&numbers, carry)?);
        known.insert(key, Arc::clone(&array));
        Ok(Some(array))
    }

    /// Some rows of a field for code of these sizes; none if there is no such field.
    ///
    /// # Errors
    /// As [`Column::gather`]; E0720 if a value is out of a bound that was not checked before.
    pub fn rows(
        &self,
        field: &str,
        rows: &[u32],
        sizes: &Sizes,
        carry: &mut Carry<'_>,
    ) -> Result<Option<Array>, Diagnostic> {
        let Some(column) = self.fields.get(field) else { return Ok(None) };
        let array = column.rows_of(rows, carry)?;
        if let Some(bounds) = self.bounds.get(field) {
            bounds.at(sizes).check(&array, |at| rows[at] as usize)?;
        }
        Ok(Some(array))
    }

    /// Checks what was not known of a field when it was loaded, of all its rows if they are in memory; gives what
    /// is to be checked of every batch.
    ///
    /// # Errors
    /// E0720.
    pub fn bounds_at(&self, field: &str, sizes: &Sizes) -> Result<Option<Bounds>, Diagnostic> {
        let Some(bounds) = self.bounds.get(field).map(|bounds| bounds.at(sizes)) else { return Ok(None) };
        match self.fields.get(field) {
            Some(Column::Memory(array)) => bounds.check(array, |at| at)?,
            Some(Column::Windows(windows)) => bounds.check_vocabulary(windows.text().vocabulary())?,
            Some(Column::Lazy(_)) | None => return Ok(Some(bounds)),
        }
        Ok(None)
    }
}

/// `digits`, `digits.test`
pub fn data_name(data: &DataRef) -> String {
    match &data.part {
        Some(part) => format!("{}.{part}", data.set),
        None => data.set.to_string(),
    }
}

fn gather(from: &Array, rows: &[u32], into: &mut Array) {
    let len = from.row_len();
    match (from.elements(), into.elements_mut()) {
        (Elements::F32(from), Elements::F32(into)) => copy_rows(from, rows, len, into),
        (Elements::F64(from), Elements::F64(into)) => copy_rows(from, rows, len, into),
        (Elements::I32(from), Elements::I32(into)) => copy_rows(from, rows, len, into),
        (Elements::I64(from), Elements::I64(into)) => copy_rows(from, rows, len, into),
        (Elements::U8(from), Elements::U8(into)) => copy_rows(from, rows, len, into),
        (Elements::Bool(from), Elements::Bool(into)) => copy_rows(from, rows, len, into),
        _ => {}
    }
}

fn copy_rows<T: Copy>(from: &[T], rows: &[u32], len: usize, into: &mut [T]) {
    if len == 1 {
        for (place, row) in into.iter_mut().zip(rows) {
            *place = from[*row as usize];
        }
        return;
    }
    for (place, row) in into.chunks_exact_mut(len.max(1)).zip(rows) {
        let start = *row as usize * len;
        place.copy_from_slice(&from[start..start + len]);
    }
}
