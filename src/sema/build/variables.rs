//! The table of parameters and states of all models, by path.

use crate::ir::Op;
use crate::sema::build::Builder;
use crate::sema::value::{LevelId, Tensor};
use crate::base::Span;
use crate::ir::{Graph, OutputKey, Type};
use std::collections::HashMap;
use std::sync::Arc;

/// A parameter or a state that some call has created.
#[derive(Clone, Debug)]
pub struct Variable {
    pub path: Arc<str>,
    pub ty: Type,
    pub stretch: Vec<bool>,
    pub frozen: bool,
    pub is_state: bool,
    /// Its declaration.
    pub span: Span,
    /// The calls that led to its making, outermost first, for messages.
    pub calls: Vec<Span>,
}

/// All variables in order of creation, the graph of their starting values, and their current values in the graph
/// that is being built.
#[derive(Debug, Default)]
pub struct Variables {
    pub list: Vec<Variable>,
    by_path: HashMap<Arc<str>, usize>,
    /// Starting values: an output for each path.
    pub init: Graph,
    pub init_level: Option<LevelId>,
    /// Values that differ from the leaves `Op::Param` and `Op::State`: parameters after a `minimize` line,
    /// states after `<-`. Belongs to one graph: emptied when a new one begins.
    pub current: HashMap<Arc<str>, Tensor>,
}

impl Variables {
    pub fn find(&self, path: &str) -> Option<&Variable> {
        self.by_path.get(path).map(|at| &self.list[*at])
    }

    pub fn insert(&mut self, variable: Variable) {
        self.by_path.insert(variable.path.clone(), self.list.len());
        self.list.push(variable);
    }

    /// Removes all variables but the first `n`.
    pub fn truncate(&mut self, n: usize) {
        for gone in self.list.drain(n..) {
            self.by_path.remove(&gone.path);
            self.init.outputs.retain(|output| output.name != OutputKey::Named(gone.path.clone()));
        }
    }

    /// The variables whose paths begin with `prefix.` (all with an empty prefix).
    pub fn below(&self, prefix: &str) -> impl Iterator<Item = &Variable> {
        self.list.iter().filter(move |variable| {
            prefix.is_empty() || variable.path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
        })
    }
}

impl Builder<'_> {
    /// A leaf of the outermost graph.
    pub fn leaf(&mut self, op: Op, span: Span) -> Tensor {
        self.set_origin(span);
        let origin = self.graph().origin.clone();
        let level = &mut self.levels[0];
        let node = level.graph.add_from(op, Vec::new(), &origin);
        let ty = level.graph.ty(node).clone();
        let stretch = vec![false; ty.rank()];
        Tensor { node, level: level.id, ty, stretch, interval: None, affine: None, field: None, span }
    }
}
