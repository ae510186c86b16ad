//! Columns that stay where they are: rows are read from the file, and fields computed of them, when a batch
//! needs them. So data may be larger than memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Column;
use super::read::placed;
use crate::base::{Diagnostic, Span};
use crate::compile::Cache;
use crate::ir::program::Precision;
use crate::ir::{Dim, Elem, Graph, Sizes};
use crate::runtime::array::{Array, Elements};
use crate::runtime::sources::images::{Images, Size};
use crate::runtime::sources::stored::StoredArray;

/// A column that is not in memory.
pub struct Lazy {
    pub origin: Origin,
    /// The shape of one row.
    pub row: Vec<usize>,
    pub elem: Elem,
    pub precision: Precision,
    pub span: Span,
}

/// Where the rows come from.
pub enum Origin {
    /// A file.
    File(StoredArray),
    /// A folder of images.
    Images(Arc<Images>, Size),
    /// Rows of other columns, by a graph that computes each row from the same row of these alone.
    Computed(Computed),
}

/// A field computed batch by batch.
pub struct Computed {
    /// Inputs by name, one output.
    pub graph: Graph,
    pub inputs: BTreeMap<Arc<str>, Column>,
    /// The free dimension that is the number of rows, and all others.
    pub rows: Arc<str>,
    pub sizes: Sizes,
    pub n_rows: usize,
    /// Code by number of rows.
    pub functions: Cache<()>,
}

/// Carries out a function on inputs by name; gives the outputs by name.
pub type Carry<'a> = dyn FnMut(&Computed, &Sizes, &BTreeMap<Arc<str>, Arc<Array>>) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic>
    + 'a;

/// Columns of a source are not computed.
pub fn no_code(
    _: &Computed,
    _: &Sizes,
    _: &BTreeMap<Arc<str>, Arc<Array>>,
) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic> {
    Ok(BTreeMap::new())
}

impl Lazy {
    pub fn n_rows(&self) -> usize {
        match &self.origin {
            Origin::File(array) => array.rows(),
            Origin::Images(images, _) => images.rows(),
            Origin::Computed(computed) => computed.n_rows,
        }
    }

    /// Reads rows into a tensor of as many rows and the same element type.
    ///
    /// # Errors
    /// E0701 if the file cannot be read any more, E0712 if a number does not fit, and those of `carry`.
    pub fn gather(&self, rows: &[u32], into: &mut Array, carry: &mut Carry<'_>) -> Result<(), Diagnostic> {
        match &self.origin {
            Origin::File(array) => self.read(array, rows, into).map_err(|error| placed(error, self.span)),
            Origin::Images(images, size) => {
                decoded(images, *size, rows, into).map_err(|error| placed(error, self.span))
            }
            Origin::Computed(computed) => {
                let mut inputs = BTreeMap::new();
                for (name, column) in &computed.inputs {
                    let mut array = column.empty(rows.len());
                    column.gather(rows, &mut array, carry)?;
                    inputs.insert(name.clone(), Arc::new(array));
                }
                let mut sizes = computed.sizes.clone();
                sizes.insert(computed.rows.clone(), Dim::from(rows.len()));
                if let Some((_, array)) = carry(computed, &sizes, &inputs)?.into_iter().next() {
                    *into = array;
                }
                Ok(())
            }
        }
    }

    fn read(&self, array: &StoredArray, rows: &[u32], into: &mut Array) -> Result<(), Diagnostic> {
        match into.elements_mut() {
            Elements::F32(out) => array.fetch_rows(rows, out),
            Elements::F64(out) => array.fetch_rows(rows, out),
            Elements::I32(out) => array.fetch_rows(rows, out),
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

/// Pixels as numbers from 0 to 255.
fn decoded(images: &Images, size: Size, rows: &[u32], into: &mut Array) -> Result<(), Diagnostic> {
    let mut bytes = vec![0u8; into.elements().len()];
    images.read(rows, size, &mut bytes)?;
    match into.elements_mut() {
        Elements::F32(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::F64(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
        Elements::I32(out) => out.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte.into()),
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
