//! Loaded data sets: columns in memory or where they lie in a file, rows by part.
//!
//! | file | does |
//! |---|---|
//! | [`read`] | columns of a source |
//! | [`load`] | fields from columns, their bounds, the division into parts |

pub mod load;
pub mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::array::{Array, Elements};
use super::sources::text::{Text, Windows};
use crate::ir::program::DataRef;

/// A field of all rows of a data set.
#[derive(Clone, Debug)]
pub enum Column {
    Memory(Arc<Array>),
    /// Characters of a text; `targets` are one further.
    Windows {
        windows: Windows,
        targets: bool,
    },
}

/// A `data` item with its rows.
#[derive(Debug)]
pub struct Table {
    pub rows: usize,
    pub fields: BTreeMap<Arc<str>, Column>,
    /// Empty if the data is not split.
    pub parts: Vec<(Arc<str>, Arc<[u32]>)>,
    /// The text that windows are taken from.
    pub text: Option<Text>,
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
            Column::Windows { windows, .. } => windows.rows(),
        }
    }

    /// The shape of one row.
    pub fn row_shape(&self) -> Vec<usize> {
        match self {
            Column::Memory(array) => array.shape()[1..].to_vec(),
            Column::Windows { windows, .. } => vec![windows.length()],
        }
    }

    /// Copies rows into a tensor of as many rows and the same element type.
    pub fn gather(&self, rows: &[u32], into: &mut Array) {
        match self {
            Column::Memory(array) => gather(array, rows, into),
            Column::Windows { windows, targets } => {
                let Elements::I32(out) = into.elements_mut() else { return };
                let rows = rows.iter().map(|row| *row as usize);
                if *targets { windows.read_targets(rows, out) } else { windows.read_inputs(rows, out) }
            }
        }
    }

    /// An empty tensor for some rows of this column.
    pub fn empty(&self, rows: usize) -> Array {
        let shape: Vec<usize> = std::iter::once(rows).chain(self.row_shape()).collect();
        let count = shape.iter().product();
        let elements = match self {
            Column::Memory(array) => match array.elements() {
                Elements::F32(_) => Elements::F32(vec![0.0; count]),
                Elements::F64(_) => Elements::F64(vec![0.0; count]),
                Elements::I32(_) => Elements::I32(vec![0; count]),
                Elements::U8(_) => Elements::U8(vec![0; count]),
                Elements::Bool(_) => Elements::Bool(vec![false; count]),
            },
            Column::Windows { .. } => Elements::I32(vec![0; count]),
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

    /// A whole column, or that of a part, as one tensor.
    pub fn whole(&self, field: &str, part: Option<&str>) -> Option<Arc<Array>> {
        let column = self.fields.get(field)?;
        if let (Column::Memory(array), None) = (column, part) {
            return Some(Arc::clone(array));
        }
        let key: (Arc<str>, Option<Arc<str>>) = (field.into(), part.map(Arc::from));
        let rows = self.rows_of(part)?;
        let mut whole = self.whole.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let array = whole.entry(key).or_insert_with(|| {
            let numbers: Vec<u32> = (0..rows.len()).map(|at| rows.get(at)).collect();
            let mut array = column.empty(rows.len());
            column.gather(&numbers, &mut array);
            Arc::new(array)
        });
        Some(Arc::clone(array))
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
