//! What is known of data sets while they are elaborated, and of the one whose source is being read.

use crate::base::order::PutInOrder;
use crate::base::Span;
use crate::ir::program::{DataSet, SourceColumn};
use crate::ir::{Dim, Type};
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Tensor;
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;

/// What the rest of the program may know of the data sets of the file.
#[derive(Debug, Default)]
pub struct DataTable {
    pub sets: HashMap<Arc<str>, DataInfo>,
    /// The `data` item that is being elaborated.
    pub current: CurrentItem,
    /// Items that nothing has named so far.
    pub waiting: Vec<(Arc<str>, ItemRef)>,
    /// The items that are being elaborated, with their places: each names the next.
    pub open: Vec<(Arc<str>, Span)>,
    /// Finished items, in the order in which they were finished.
    pub made: Vec<DataSet>,
}

/// What is known of a `data` item while it is being elaborated.
#[derive(Debug, Default)]
pub struct CurrentItem {
    /// Its fields: later ones are not known yet.
    pub declared: Vec<ast::DataField>,
    /// Its fields so far, for all rows.
    pub whole: HashMap<Arc<str>, Tensor>,
    /// What is read of its source.
    pub columns: Vec<SourceColumn>,
    /// How many rows behind its own a row of each field looks at.
    pub reaches: HashMap<Arc<str>, usize>,
    /// The same of the windows that the present field has so far; none if it has none.
    pub reach: Option<usize>,
}

impl DataTable {
    /// Whether some data item is being elaborated.
    pub fn is_made(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether this is the data item that is being elaborated.
    pub fn is_open(&self, name: &str) -> bool {
        self.open.last().is_some_and(|(open, _)| &**open == name)
    }

    /// A data set that has a field of this name.
    pub fn set_with_field(&self, field: &str) -> Option<&Arc<str>> {
        let has = |info: &DataInfo| info.fields.iter().any(|known| &*known.name == field);
        let mut sets: Vec<&Arc<str>> =
            self.sets.iter().filter(|(_, info)| has(info)).map(|(name, _)| name).collect();
        sets.put_in_order();
        sets.into_iter().next()
    }
}

#[derive(Clone, Debug)]
pub struct DataInfo {
    pub span: Span,
    /// A number if the item itself says it, else the free dimension `NAME.rows`.
    pub rows: Dim,
    pub parts: Vec<Arc<str>>,
    pub fields: Vec<FieldInfo>,
    /// Whether the item had errors: unknown fields are then not reported.
    pub broken: bool,
}

#[derive(Clone, Debug)]
pub struct FieldInfo {
    pub name: Arc<str>,
    pub row: Type,
    /// Of ints: the values lie in `0 .. below`.
    pub below: Option<Dim>,
    pub span: Span,
}
