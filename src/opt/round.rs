//! One pass over a graph, operands before users, with all laws at each node.

use super::laws::{Applied, LawId};
use super::scalar::Laws;
use super::{operand_first, reads, reductions, scans, scatters};
use crate::ir::build::LoopNode;
use crate::ir::compose::normalise;
use crate::ir::signs::Signs;
use crate::ir::{Dim, Graph, Loop, LoopBuilder, Node, NodeId, Op, Scalar, Sub, UnaryOp};
use std::collections::HashMap;
use std::sync::Arc;

/// The state of one pass.
pub struct Round<'g> {
    pub old: &'g Graph,
    pub new: Graph,
    /// For each old node the new node that computes it.
    places: Vec<NodeId>,
    /// How many uses each new node has, as far as is known.
    uses: Vec<u32>,
    signs: Signs,
    pub applied: &'g Applied,
    /// For each result of the old scans where it is found.
    pub results: HashMap<NodeId, Vec<Option<scans::ScanResult>>>,
}

/// The graph after one pass, without nodes that no output needs; and for each of its nodes whether a law may apply
/// to it in the next pass, because the node itself, an operand or the number of its users has changed. `dirty`
/// marks those nodes of `old`; without it all nodes are looked at.
pub fn apply(old: &Graph, dirty: Option<&[bool]>, applied: &Applied) -> (Graph, Vec<bool>) {
    let mut round = Round {
        old,
        new: Graph::new(),
        places: Vec::with_capacity(old.len()),
        uses: Vec::new(),
        signs: Signs::default(),
        applied,
        results: HashMap::new(),
    };
    let old_uses = count_uses(old);
    let mut changed_new: Vec<bool> = Vec::new();
    for (id, node) in old.nodes() {
        let operands: Vec<NodeId> = node.operands.iter().map(|id| round.places[id.0 as usize]).collect();
        round.new.origin = node.origin.clone();
        let before = round.new.len();
        let look = dirty.is_none_or(|dirty| dirty[id.0 as usize]);
        let place = if look {
            round.node(id, node, operands.clone())
        } else {
            round.copy(id, node, operands.clone())
        };
        let same = is_same(&round.new[place], &node.op, &operands);
        changed_new.resize(round.new.len(), true);
        if same && place.0 as usize >= before {
            changed_new[place.0 as usize] = false;
        } else if !same {
            changed_new[place.0 as usize] = true;
        }
        round.uses.resize(round.new.len(), 0);
        round.uses[place.0 as usize] += old_uses[id.0 as usize];
        round.places.push(place);
    }
    round.new.origin = old.origin.clone();
    for output in &old.outputs {
        let place = round.places[output.node.0 as usize];
        round.new.output(output.name.clone(), place);
    }
    finish(round.new, &changed_new)
}

/// Removes nodes that no output needs, and marks the nodes to look at in the next pass.
fn finish(new: Graph, changed: &[bool]) -> (Graph, Vec<bool>) {
    let needed = new.reachable(new.outputs.iter().map(|output| output.node));
    let mut compacted = Graph::new();
    let mut was_changed = Vec::new();
    let places = crate::ir::copy(&mut compacted, &new, &needed, |graph, id, node, operands| {
        was_changed.push(changed[id.0 as usize]);
        graph.add(node.op.clone(), operands)
    });
    compacted.origin = new.origin.clone();
    for output in &new.outputs {
        let place = places[output.node.0 as usize].expect("outputs are needed");
        compacted.output(output.name.clone(), place);
    }
    // A node that has only one user left may be fused into it.
    let dropped: Vec<bool> = lost_users(&new, &needed, &places, compacted.len());
    let near: Vec<bool> = compacted
        .nodes()
        .map(|(id, node)| {
            let at = id.0 as usize;
            was_changed[at]
                || node.operands.iter().any(|id| was_changed[id.0 as usize] || dropped[id.0 as usize])
        })
        .collect();
    (compacted, near)
}

fn lost_users(new: &Graph, needed: &[bool], places: &[Option<NodeId>], count: usize) -> Vec<bool> {
    let mut lost = vec![false; count];
    for (id, node) in new.nodes() {
        if !needed[id.0 as usize] {
            for operand in &node.operands {
                if let Some(place) = places[operand.0 as usize] {
                    lost[place.0 as usize] = true;
                }
            }
        }
    }
    lost
}

/// How many nodes and outputs use each node.
fn count_uses(graph: &Graph) -> Vec<u32> {
    let mut uses = vec![0; graph.len()];
    for (_, node) in graph.nodes() {
        for (at, operand) in node.operands.iter().enumerate() {
            if !node.operands[..at].contains(operand) {
                uses[operand.0 as usize] += 1;
            }
        }
    }
    graph.outputs.iter().for_each(|output| uses[output.node.0 as usize] += 1);
    uses
}

fn is_same(node: &Node, op: &Op, operands: &[NodeId]) -> bool {
    node.op == *op && node.operands == operands
}

impl Round<'_> {
    fn copy(&mut self, id: NodeId, node: &Node, operands: Vec<NodeId>) -> NodeId {
        if let Op::Scan(scan) = &node.op {
            let kept =
                (0..scan.body.outputs.len()).map(|at| Some(scans::ScanResult::Result(at as u32))).collect();
            self.results.insert(id, kept);
        }
        self.new.add(node.op.clone(), operands)
    }

    fn node(&mut self, id: NodeId, node: &Node, operands: Vec<NodeId>) -> NodeId {
        match &node.op {
            Op::Loop(body) => self.loop_node(LoopNode { body: body.as_ref().clone(), operands }),
            Op::Reshape { shape } => self.reshaped(shape, operands[0]),
            // A mark names a variable of `grad`; after differentiation it has no use.
            Op::Mark(_) if self.applied.allows(LawId::Strip) => operands[0],
            Op::Scan(scan) => scans::rewrite(self, id, scan, operands),
            Op::Result(index) => {
                let kept = &self.results[&node.operands[0]];
                match kept[*index as usize].expect("a result that is used is kept") {
                    scans::ScanResult::Result(index) => self.new.add(Op::Result(index), operands),
                    scans::ScanResult::Outer(node) => node,
                }
            }
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Rand { .. }
            | Op::Carry { .. }
            | Op::Mark(_)
            | Op::Capture { .. } => self.new.add(node.op.clone(), operands),
        }
    }

    /// reshape(reshape(x)) = reshape(x), reshape to the same shape = x, a fill of another shape is a fill.
    fn reshaped(&mut self, shape: &[Dim], operand: NodeId) -> NodeId {
        let mut source = operand;
        while let Op::Reshape { .. } = &self.new[source].op
            && self.applied.allows(LawId::Reshape)
        {
            source = self.new[source].operands[0];
        }
        if self.new.shape(source) == shape && self.applied.allows(LawId::Reshape) {
            return source;
        }
        match self.fill_value(source) {
            Some(value) if self.applied.allows(LawId::Reshape) => self.new.fill(value, shape.to_vec()),
            _ => self.new.add(Op::Reshape { shape: shape.to_vec() }, vec![source]),
        }
    }

    fn fill_value(&self, id: NodeId) -> Option<f64> {
        let Op::Loop(body) = &self.new[id].op else { return None };
        match body.body.nodes.as_slice() {
            [Scalar::Float(value)] if body.as_function().is_some() => Some(value.0),
            _ => None,
        }
    }

    /// Adds a loop after applying the laws to it.
    pub fn loop_node(&mut self, node: LoopNode) -> NodeId {
        let mut node = self.simplified(node);
        loop {
            let next = scatters::to_view(&self.new, self.applied, &node)
                .or_else(|| scatters::to_select(&self.new, self.applied, &node))
                .or_else(|| reductions::drop_index(&self.new, self.applied, &node));
            match next {
                Some(next) => node = self.simplified(next),
                None => break,
            }
        }
        if let Some(source) = copied(&self.new, &node.body, &node.operands)
            && self.applied.allows(LawId::Copy)
        {
            return source;
        }
        if let Some(transposed) = scatters::write_transposed(&self.new, self.applied, &self.uses, &node) {
            return self.new.add(Op::Loop(Arc::new(transposed.body)), transposed.operands);
        }
        // Each of the following laws makes a loop with fewer factors or signs, so the recursion ends.
        if let Some(positive) = reductions::sum_of_negated(&self.laws(), &node) {
            let sum = self.loop_node(positive);
            let mut l = LoopBuilder::new(&self.new, self.new.shape(sum).to_vec());
            let subs = (0..l.domain().len()).map(|axis| l.index(axis)).collect();
            let value = l.read(sum, subs);
            let value = l.unary(UnaryOp::Neg, value);
            let negated = l.map(value);
            return self.loop_node(negated);
        }
        if let Some((inner, outer)) = reductions::factor_out(&mut self.laws(), &node) {
            let inner = self.loop_node(inner);
            let outer = outer.around(&mut self.laws(), inner);
            return self.loop_node(outer);
        }
        if let Some((operand, rest)) = operand_first::split(&self.laws(), &node) {
            let operand = self.loop_node(operand);
            let rest = rest.around(&self.new, operand);
            return self.loop_node(rest);
        }
        self.new.add(Op::Loop(Arc::new(node.body)), node.operands)
    }

    fn laws(&mut self) -> Laws<'_, '_> {
        let applied = self.applied;
        Laws { graph: &self.new, signs: &mut self.signs, strip: true, opaque: &[], applied, logs: None }
    }

    fn simplified(&mut self, node: LoopNode) -> LoopNode {
        let applied = self.applied;
        let mut laws = Laws { graph: &self.new, signs: &mut self.signs, strip: true, opaque: &[], applied, logs: None };
        normalise(reads::simplified(&mut laws, &self.uses, &node.body, &node.operands))
    }
}

/// Law `copy`: a loop that gives each element of a tensor of the same shape is that tensor.
fn copied(graph: &Graph, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    let axes = body.as_function()?;
    let Scalar::Read { operand, subs, padded: false } = &body.body[body.body.result] else { return None };
    let source = operands[*operand as usize];
    let plain = subs.iter().enumerate().all(|(axis, sub)| match sub {
        Sub::Affine(affine) => affine.as_index().is_some_and(|index| axes[index] == axis),
        Sub::Value(_) => false,
    });
    (plain && graph.shape(source) == body.shape.as_slice()).then_some(source)
}
