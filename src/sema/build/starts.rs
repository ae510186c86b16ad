//! Starting values that are made of others: a parameter that begins as a copy of another, a state that begins as the
//! mean of the data.
//!
//! All starting values are outputs of one graph. A tensor of the graph around a declaration may serve there if it
//! is made of nothing but parameters and states, whole columns of data and constants: what makes it is then made
//! again of the starting values. What depends on an input, or is drawn in training, is not known before.

use crate::sema::build::Builder;
use crate::sema::build::graphs::Level;
use crate::sema::scope::frames::{BindingKind, FrameKind};
use crate::sema::value::{Tensor, Value};
use crate::base::Span;
use crate::ir::{Graph, InputKey, NodeId, Op, OutputKey, copy};
use std::sync::Arc;

impl Builder<'_> {
    /// Whether starting values of parameters and states are being made.
    pub fn in_starts(&self) -> bool {
        self.variables.init_level == Some(self.levels[0].id)
    }

    /// The graph of starting values. It is open where a starting value asks for the parameters of a network that
    /// nothing has called yet: theirs are made in between, in the same graph.
    pub fn starts(&mut self) -> &mut Graph {
        let level = self.variables.init_level;
        let suspended = self.suspended.iter_mut().rev().flatten();
        match self.levels.iter_mut().chain(suspended).find(|open| Some(open.id) == level) {
            Some(open) => &mut open.graph,
            None => &mut self.variables.init,
        }
    }

    /// The starting value of a variable, where starting values are made.
    pub fn start_of(&self, path: &Arc<str>, span: Span) -> Option<Tensor> {
        let graph = &self.levels[0].graph;
        let node = graph.find_output(OutputKey::Named(path.clone()))?;
        let ty = graph.ty(node).clone();
        let stretch = vec![false; ty.rank()];
        let level = self.levels[0].id;
        Some(Tensor { node, level, ty, stretch, interval: None, affine: None, field: None, span })
    }

    /// A tensor of the graph around a declaration, made again of starting values. `None` if it depends on more.
    pub fn started(&mut self, tensor: &Tensor) -> Option<NodeId> {
        if !self.in_starts() {
            return None;
        }
        let levels = self.suspended.iter().rev().flatten();
        let around = levels.into_iter().find(|level| level.id == tensor.level)?;
        let needed = around.graph.reachable([tensor.node]);
        if self.inputs_of_layers(around).any(|input| needed[input.0 as usize]) {
            return None;
        }
        if !is_known_before(around, &needed, &self.levels[0].graph) {
            return None;
        }
        let source = around.graph.clone();
        let starts = &mut self.levels[0].graph;
        let places = copy(starts, &source, &needed, |starts, _, node, operands| match &node.op {
            Op::Param { path, .. } | Op::State { path, .. } => {
                let start = starts.find_output(OutputKey::Named(path.clone()));
                start.unwrap_or_else(|| starts.add_from(node.op.clone(), operands, &node.origin))
            }
            op => starts.add_from(op.clone(), operands, &node.origin),
        });
        places[tensor.node.0 as usize]
    }
}

impl Builder<'_> {
    /// The nodes that are given to the layers whose bodies are being elaborated.
    fn inputs_of_layers(&self, around: &Level) -> impl Iterator<Item = NodeId> {
        let frames = self.frames.iter().filter(|frame| matches!(frame.kind, FrameKind::Layer(_)));
        let inputs = frames.flat_map(|frame| &frame.bindings).filter(|binding| binding.kind == BindingKind::Input);
        inputs.filter_map(|binding| match &binding.value {
            Value::Tensor(input) if input.level == around.id => Some(input.node),
            _ => None,
        })
    }
}

/// Whether the needed nodes of a graph are made of what is known before the first step.
fn is_known_before(around: &Level, needed: &[bool], starts: &Graph) -> bool {
    around.step.is_none()
        && around.graph.nodes().filter(|(id, _)| needed[id.0 as usize]).all(|(_, node)| match &node.op {
            Op::Param { path, .. } | Op::State { path, .. } => {
                starts.find_output(OutputKey::Named(path.clone())).is_some()
            }
            Op::Input { name, .. } => matches!(name, InputKey::Column(_)),
            Op::Rand { .. } | Op::Carry { .. } | Op::Capture { .. } => false,
            Op::Scan(scan) => !draws(&scan.body),
            Op::Const(_) | Op::Loop(_) | Op::Reshape { .. } | Op::Mark(_) | Op::Result(_) => true,
        })
}

/// Whether random numbers are drawn in the body of a scan.
fn draws(body: &Graph) -> bool {
    body.nodes().any(|(_, node)| match &node.op {
        Op::Rand { .. } => true,
        Op::Scan(scan) => draws(&scan.body),
        _ => false,
    })
}
