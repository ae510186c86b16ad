//! What is known of data sets while they are elaborated, and of the one whose source is being read.

use crate::base::Span;
use crate::ir::program::{DataSet, Date, Source, SourceColumn, Summary};
use crate::ir::{Dim, StepId, Type};
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Tensor;
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;

/// What the rest of the program may know of the data sets of the file.
#[derive(Debug, Default)]
pub struct DataTable {
    pub sets: HashMap<Arc<str>, DataInfo>,
    /// The `data` item that is being elaborated, if one is.
    pub reading: Option<Reading>,
    /// The fields of that item: later ones are not known yet.
    pub declared: Vec<ast::DataField>,
    /// Its fields so far, for all rows.
    pub whole: HashMap<Arc<str>, Tensor>,
    /// Items that nothing has named so far.
    pub waiting: Vec<(Arc<str>, ItemRef)>,
    /// The items that are being elaborated, with their places: each names the next.
    pub open: Vec<(Arc<str>, Span)>,
    /// Finished items, in the order in which they were finished.
    pub made: Vec<DataSet>,
}

impl DataTable {
    /// Whether a data item is being elaborated.
    pub fn is_made(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether this is the data item that is being elaborated.
    pub fn is_own(&self, name: &str) -> bool {
        self.open.last().is_some_and(|(open, _)| &**open == name)
    }

    /// A data set that has a field of this name.
    pub fn set_with_field(&self, field: &str) -> Option<&Arc<str>> {
        let has = |info: &DataInfo| info.fields.iter().any(|cx| &*cx.name == field);
        let mut sets: Vec<&Arc<str>> =
            self.sets.iter().filter(|(_, info)| has(info)).map(|(name, _)| name).collect();
        sets.sort();
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

/// The state of elaborating the rows of a `data` item.
#[derive(Clone, Debug)]
pub struct Reading {
    pub name: Arc<str>,
    /// The field that is being worked out.
    pub field: Arc<str>,
    pub source: Source,
    /// The counter of the rows, and how many there are.
    pub step: StepId,
    pub rows: Dim,
    /// Whether the training part alone is read, for statistics.
    pub training_only: bool,
    /// Whether values may be missing in what is read.
    pub may_miss: bool,
    /// What of points in time is read.
    pub date: Option<Date>,
    /// Whether names are read of which some have a class: which, if the program says it.
    pub category: Option<Option<Vec<String>>>,
    /// What stands for the rows of the training part, if not the rows are read.
    pub summary: Option<Summary>,
    /// The free dimension that is the number of rows of the training part.
    pub training_rows: Dim,
    pub columns: Vec<SourceColumn>,
}
