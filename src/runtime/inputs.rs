//! What a graph reads beside parameters and states, for those who carry it out once.

use std::sync::Arc;

use super::array::Array;
use super::data::Table;
use super::session::{Session, Tensors};
use crate::base::Diagnostic;
use crate::compile::symbols;
use crate::ir::{Dim, Graph, Op, Sizes};

impl Session {
    /// The whole columns that a graph reads, `digits.test.image`, by name.
    pub(super) fn columns_of(&mut self, graph: &Graph, sizes: &Sizes) -> Result<Tensors, Diagnostic> {
        let mut columns = Tensors::new();
        for (_, node) in graph.nodes() {
            let Op::Input { name, .. } = &node.op else { continue };
            if let Some(column) = self.column(name, sizes)? {
                columns.insert(name.clone(), column);
            }
        }
        Ok(columns)
    }

    /// The numbers of rows that graphs mention.
    pub(super) fn row_sizes<'g>(
        &mut self,
        graphs: impl Iterator<Item = &'g Graph>,
    ) -> Result<Sizes, Diagnostic> {
        let mut sizes = Sizes::new();
        for symbol in graphs.flat_map(symbols) {
            let Some(path) = symbol.strip_suffix(".rows") else { continue };
            let (set, part) = path.split_once('.').map_or((path, None), |(set, part)| (set, Some(part)));
            if let Some(rows) = self.table(set)?.rows_of(part) {
                sizes.insert(symbol.clone(), Dim::from(rows.len()));
            }
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
        let mut inputs = self.columns_of(graph, sizes)?;
        for name in table.fields.keys() {
            let mut carry = |code: &_, sizes: &_, inputs: &_| self.compute(code, sizes, inputs);
            if let Some(array) = table.rows(name, rows, sizes, &mut carry)? {
                inputs.insert(name.clone(), Arc::new(array));
            }
        }
        if let Some(step) = Array::ints(&[], &[step as i32]) {
            inputs.insert("step".into(), Arc::new(step));
        }
        Ok(inputs)
    }
}
