//! What a graph reads beside parameters and states, for those who carry it out once.

use std::sync::Arc;

use super::array::Array;
use super::data::Table;
use super::session::{Session, Tensors};
use crate::base::Diagnostic;
use crate::compile::symbols;
use crate::ir::program::DataRef;
use crate::ir::{Dim, Graph, InputKey, Sizes, columns_of};

impl Session {
    /// Adds the whole columns that a graph reads, as far as they are not given.
    pub(super) fn add_columns(
        &mut self,
        graph: &Graph,
        sizes: &Sizes,
        inputs: &mut Tensors,
    ) -> Result<(), Diagnostic> {
        for key in columns_of(graph) {
            let name = InputKey::Column(key.clone());
            if !inputs.contains_key(&name)
                && let Some(column) = self.column(&key, sizes)?
            {
                inputs.insert(name, column);
            }
        }
        Ok(())
    }

    /// Adds the numbers of rows that a graph mentions, as far as they are not given.
    pub(super) fn add_row_sizes(&mut self, graph: &Graph, sizes: &mut Sizes) -> Result<(), Diagnostic> {
        for symbol in symbols(graph) {
            if sizes.contains_key(&symbol) {
                continue;
            }
            let Some(data) = DataRef::with_rows(&symbol) else { continue };
            if let Some(rows) = self.table(&data.set)?.rows_of(data.part.as_deref()) {
                sizes.insert(symbol, Dim::from(rows.len()));
            }
        }
        Ok(())
    }

    /// The numbers of rows that graphs mention.
    pub(super) fn row_sizes<'g>(
        &mut self,
        graphs: impl Iterator<Item = &'g Graph>,
    ) -> Result<Sizes, Diagnostic> {
        let mut sizes = Sizes::new();
        for graph in graphs {
            self.add_row_sizes(graph, &mut sizes)?;
        }
        Ok(sizes)
    }

    /// The inputs of a graph of a training for some rows of its data: their fields, whole columns of other data,
    /// the number of the step.
    pub(super) fn batch_inputs(
        &mut self,
        graph: &Graph,
        table: &Table,
        rows: &[u32],
        sizes: &Sizes,
        step: u32,
    ) -> Result<Tensors, Diagnostic> {
        let mut inputs = Tensors::new();
        self.add_columns(graph, sizes, &mut inputs)?;
        for name in table.fields.keys() {
            let mut carry = |code: &_, sizes: &_, inputs: &_| self.compute(code, sizes, inputs);
            if let Some(array) = table.rows(name, rows, sizes, &mut carry)? {
                inputs.insert(InputKey::Field(name.clone()), Arc::new(array));
            }
        }
        if let Ok(step) = Array::ints(&[], &[step as i32]) {
            inputs.insert(InputKey::Step, Arc::new(step));
        }
        Ok(inputs)
    }
}
