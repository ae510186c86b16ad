//! Gradients of several steps, added up before an update: `accumulate = 4` in a `train`.
//!
//! The graph of a step is the same for every step. Each adds its gradients to the sums of the steps before; what the
//! optimisers and the lines `Teacher <- …` make of them takes effect in every fourth step only, and clears the sums.

use std::sync::Arc;

use crate::base::Span;
use crate::ir::program::Variable;
use crate::ir::{BinaryOp, Dim, Elem, Graph, InputKey, LoopBuilder, NodeId, Op, OutputKey, Type};

/// What updates wait for in the graph of a step.
pub struct Accumulated {
    every: u64,
    /// The number of the update that a step belongs to, from 1.
    pub update: NodeId,
    /// Whether the step is the last one before an update: a bool.
    is_due: NodeId,
    /// The sums, and what they begin with.
    pub states: Vec<Variable>,
    pub init: Graph,
}

impl Accumulated {
    /// Updates take effect after every so many steps.
    pub fn new(graph: &mut Graph, every: u64) -> Accumulated {
        let step = graph.add(Op::Input { name: InputKey::Step, ty: Type::scalar(Elem::Int) }, Vec::new());
        let update = graph.map(&[step], |l, read| {
            let (before, every) = (l.int(every as i64 - 1), l.int(every as i64));
            let rounded = l.binary(BinaryOp::Add, read[0], before);
            l.binary(BinaryOp::FloorDiv, rounded, every)
        });
        let is_due = graph.map(&[step], |l, read| {
            let (every, none) = (l.int(every as i64), l.int(0));
            let left = l.binary(BinaryOp::Mod, read[0], every);
            l.binary(BinaryOp::Eq, left, none)
        });
        Accumulated { every, update, is_due, states: Vec::new(), init: Graph::new() }
    }

    /// The mean of the gradients since the last update, for the parameter of a line. Another sum of these is kept for
    /// the next step.
    pub fn mean(&mut self, graph: &mut Graph, (line, path): (usize, &str), gradient: NodeId, span: Span) -> NodeId {
        let ty = Type::new(Elem::Float, graph.shape(gradient).to_vec());
        let state: Arc<str> = format!("accumulated:{line}:{path}").into();
        let before = graph.add(Op::State { path: state.clone(), ty: ty.clone() }, Vec::new());
        let every = self.every as f64;
        let mean = graph.map(&[before, gradient], |l, read| {
            let every = l.float(every);
            let share = l.binary(BinaryOp::Div, read[1], every);
            l.binary(BinaryOp::Add, read[0], share)
        });
        let none = graph.fill(0.0, ty.shape.clone());
        let kept = self.choose(graph, none, mean);
        graph.output(OutputKey::State(state.clone()), kept);
        let start = self.init.fill(0.0, ty.shape.clone());
        self.init.output(OutputKey::Named(state.clone()), start);
        self.states.push(Variable { path: state, ty, frozen: false, span });
        mean
    }

    /// `new` in a step before an update, `old` in the others.
    pub fn choose(&self, graph: &mut Graph, new: NodeId, old: NodeId) -> NodeId {
        if new == old {
            return new;
        }
        let domain: Vec<Dim> = graph.shape(new).to_vec();
        let rank = domain.len();
        let mut l = LoopBuilder::new(graph, domain);
        let (to_new, to_old): (Vec<_>, Vec<_>) = (0..rank).map(|axis| (l.index(axis), l.index(axis))).unzip();
        let is_due = l.read(self.is_due, Vec::new());
        let (new, old) = (l.read(new, to_new), l.read(old, to_old));
        let chosen = l.select(is_due, new, old);
        let node = l.map(chosen);
        graph.add_loop(node)
    }
}
