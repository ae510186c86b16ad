//! What is known of the graph that is being built beside its nodes, and ends with it.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::instance::{LayerCall, ModelCall};
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Value;
use crate::ir::NodeId;
use crate::ir::program::NamedValue;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Built {
    /// Models called, by name: which models a loss calls.
    pub called_models: Vec<ItemRef>,
    /// Calls that others share; see [`crate::sema::scope::context::ModelCalls`].
    pub remembered: HashMap<ModelCall, Value>,
    /// Finished calls of instances, inner ones first.
    pub layer_calls: Vec<LayerCall>,
    /// Names of values; see [`crate::sema::build::notes`].
    pub named_values: Vec<NamedValue>,
    /// What models gave since this was last emptied, in order of the calls.
    pub answers: Vec<(Arc<str>, Vec<NodeId>)>,
    /// Random draws made so far, by the path around them.
    pub draws: HashMap<Arc<str>, usize>,
}

impl Elaborator<'_> {
    /// Begins a graph that has nothing to do with the one before.
    pub fn begin_graph(&mut self) {
        self.built = Built::default();
        self.variables.current.clear();
    }

    /// Begins another graph of the same step: random draws go on being counted, so that no two are the same.
    pub fn begin_next_graph(&mut self) {
        let draws = std::mem::take(&mut self.built.draws);
        self.begin_graph();
        self.built.draws = draws;
    }
}
