//! The graphs of a data set's fields, carried out by a session.

use std::sync::Arc;

use super::call::Moment;
use super::data::lazy::Computed;
use super::data::{Column, Rows, load};
use super::ranks::Shared;
use super::session::{Results, Session, Tensors};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Precision};
use crate::ir::{ColumnKey, Graph, Sizes};

/// Carries out the graphs of a data set's fields.
pub(super) struct FieldsOf<'s> {
    pub session: &'s mut Session,
    pub set: &'s DataSet,
}

impl load::Evaluate for FieldsOf<'_> {
    fn column(&mut self, key: &ColumnKey, sizes: &Sizes) -> Result<Option<(Column, Rows)>, Diagnostic> {
        let table = self.session.table(&key.set)?;
        // What must lie in bounds is checked as a whole.
        if table.bounds.contains_key(&key.field) {
            let whole = self.session.column(key, sizes)?;
            return Ok(whole.map(|array| (Column::Memory(Arc::clone(&array)), Rows::All(array.rows()))));
        }
        let column = table.fields.get(&key.field).cloned();
        Ok(column.zip(table.rows_of(key.part.as_deref())))
    }

    fn names(&mut self, set: &str, field: &str) -> Result<Option<Arc<[String]>>, Diagnostic> {
        Ok(self.session.table(set)?.names.get(field).cloned())
    }

    fn add_row_sizes(&mut self, graph: &Graph, sizes: &mut Sizes) -> Result<(), Diagnostic> {
        self.session.add_row_sizes(graph, sizes)
    }

    fn once(&mut self, graph: &Graph, sizes: &Sizes, inputs: &Tensors) -> Result<Results, Diagnostic> {
        let moment = Moment { seed: self.set.seed, step: 0 };
        self.session.evaluate_once(graph, sizes, moment, inputs, self.set.span)
    }

    fn wide(&mut self, graph: &Graph, sizes: &Sizes, inputs: &Tensors) -> Result<Results, Diagnostic> {
        let moment = Moment { seed: self.set.seed, step: 0 };
        let precision = std::mem::replace(&mut self.session.memory.precision, Precision::F64);
        let outputs = self.session.evaluate_once(graph, sizes, moment, inputs, self.set.span);
        self.session.memory.precision = precision;
        outputs
    }

    fn rows(&mut self, computed: &Computed, sizes: &Sizes, inputs: &Tensors) -> Result<Results, Diagnostic> {
        self.session.compute(computed, sizes, inputs)
    }

    fn ranks(&self) -> Option<Shared> {
        self.session.ranks.clone()
    }
}
