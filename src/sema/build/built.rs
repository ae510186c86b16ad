//! What is known of the graph that is being built beside its nodes, and ends with it.

use crate::ir::Type;
use crate::ir::program::{Requirement, ValueAdvice};
use crate::ir::program::Bound;
use crate::sema::value::IntSource;
use crate::sema::value::LevelId;
use crate::sema::build::Builder;
use crate::sema::build::graphs::Level;
use crate::sema::build::index::IndexFrame;
use crate::sema::value::Tensor;
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Value;
use crate::ir::NodeId;
use crate::ir::program::{Declared, NamedValue};
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
    /// Calls of functions that declare their derivatives.
    pub declared: Vec<Declared>,
    /// What models gave since this was last emptied, in order of the calls.
    pub answers: Vec<(Arc<str>, Vec<NodeId>)>,
    /// Random draws made so far, by the path around them.
    pub draws: HashMap<Arc<str>, usize>,
}

/// What is being built at one time, beside its graphs: those are suspended.
#[derive(Debug)]
pub struct Construction {
    index_frames: Vec<IndexFrame>,
    built: Built,
    current: HashMap<Arc<str>, Tensor>,
}

impl Builder<'_> {
    /// Puts aside what is being built, for something that has nothing to do with it.
    pub fn begin_construction(&mut self) -> Construction {
        let levels = std::mem::replace(&mut self.levels, vec![Level::compile_time()]);
        self.suspended.push(levels);
        Construction {
            index_frames: std::mem::take(&mut self.index_frames),
            built: std::mem::take(&mut self.built),
            current: std::mem::take(&mut self.variables.current),
        }
    }

    /// Goes on with what was put aside.
    pub fn go_on_with(&mut self, construction: Construction) {
        self.levels = self.suspended.pop().unwrap_or_else(|| vec![Level::compile_time()]);
        self.index_frames = construction.index_frames;
        self.built = construction.built;
        self.variables.current = construction.current;
    }

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

/// What a program asks of what is known later.
#[derive(Debug, Default)]
pub struct Conditions {
    /// Conditions that subscripts put on ints of the data and on inputs of models.
    pub ints: Vec<(IntSource, Bound)>,
    /// Conditions on sizes that wait until free dimensions have their numbers.
    pub sizes: Vec<Requirement>,
    /// What bodies advise of the values of the data of the training at hand.
    pub values: Vec<ValueAdvice>,
}

/// A finished call of an instance, for summaries.
#[derive(Clone, Debug)]
pub struct LayerCall {
    pub path: Arc<str>,
    /// `Linear`
    pub layer: Arc<str>,
    pub output: Vec<Type>,
    /// The nodes that the call added to the graph, those of inner calls included.
    pub nodes: std::ops::Range<usize>,
}

/// A call of a model, remembered so that a `measure` can share it with a `minimize` line.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ModelCall {
    pub path: Arc<str>,
    /// The graph that the arguments are nodes of.
    pub level: LevelId,
    pub args: Vec<NodeId>,
}
