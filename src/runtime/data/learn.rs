//! The statistics that fields use, kept beside the fields: what a file of parameters needs to have of the data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{Evaluate, Inputs, input_names};
use super::making::Fields;
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Precision};
use crate::ir::{Graph, Output, OutputKey, compact};
use crate::runtime::array::{Array, Elements};
use crate::runtime::kept::statistics::statistics;

/// Statistics over rows by name.
pub type Learnt = BTreeMap<String, Arc<Array>>;

/// The statistics in a graph of fields as outputs of it.
pub fn outputs(set: &DataSet, graph: &Graph) -> Vec<Output> {
    let mut found: BTreeMap<String, Output> = BTreeMap::new();
    for statistic in statistics(set, graph) {
        // The same formula of the same columns, in another field, has the same value.
        found.entry(statistic.name.clone()).or_insert(Output { name: OutputKey::named(statistic.name), node: statistic.node });
    }
    found.into_values().collect()
}

impl Fields<'_> {
    /// Keeps the statistics of fields that are made in one piece, computed as these are.
    pub(super) fn learn(
        &self,
        fields: &Graph,
        is_wide: bool,
        inputs: &Inputs,
        learnt: &mut Learnt,
        evaluate: &mut dyn Evaluate,
    ) -> Result<(), Diagnostic> {
        let found = outputs(self.set, fields);
        if found.is_empty() {
            return Ok(());
        }
        let mut of = fields.clone();
        of.outputs = found;
        let of = compact(&of);
        let values = match is_wide {
            true => evaluate.wide(&of, self.sizes, inputs)?,
            false => evaluate.once(&of, self.sizes, inputs)?,
        };
        learnt.extend(values.into_iter().map(|(name, array)| (name.text().to_string(), array.into())));
        Ok(())
    }

    /// Keeps the statistics that settling the graph of fields has found, which now depend on nothing else.
    pub(super) fn learn_settled(
        &self,
        outputs: Vec<Output>,
        graph: &Graph,
        known: &Inputs,
        learnt: &mut Learnt,
        evaluate: &mut dyn Evaluate,
    ) -> Result<(), Diagnostic> {
        let mut of = graph.clone();
        for output in outputs {
            of.outputs = vec![output];
            if input_names(&of).iter().all(|name| known.contains_key(name)) {
                let values = evaluate.once(&compact(&of), self.sizes, known)?;
                learnt
                    .extend(values.into_iter().map(|(name, array)| (name.text().to_string(), array.into())));
            }
        }
        Ok(())
    }

    /// A kept statistic in the floats of the program.
    pub(super) fn narrowed(&self, array: &Arc<Array>) -> Arc<Array> {
        match (array.elements(), self.precision) {
            (Elements::F64(values), Precision::F32) => {
                let values = Elements::F32(values.iter().map(|value| *value as f32).collect());
                Array::new(array.shape().to_vec(), values).map_or_else(|_| Arc::clone(array), Arc::new)
            }
            (_, Precision::F64) => widened(Arc::clone(array)),
            _ => Arc::clone(array),
        }
    }
}

/// Floats in 64 bits.
pub fn widened(array: Arc<Array>) -> Arc<Array> {
    match array.elements() {
        Elements::F32(_) => {
            let values = Elements::F64(array.to_f64().into_owned());
            Array::new(array.shape().to_vec(), values).map_or(array, Arc::new)
        }
        _ => array,
    }
}
