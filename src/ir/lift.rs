//! Lifting (vectorisation over the steps): values of a scan's body that do not depend on the carries are computed
//! for all steps at once.
//!
//! A lifted node has a new first axis, the step: its loop gets a new first index in the place of
//! `Var::Step(step)`. A node that does not vary with the step is copied as it is.

use super::LoopBuilder;
use super::affine::{Affine, StepId, Var};
use super::dim::Dim;
use super::graph::{Graph, Loop, Node, NodeId, Op};
use super::scalar::{Body, Scalar, Sub};
use std::sync::Arc;

/// The copy of a node of the body in the outer graph.
#[derive(Clone, Copy)]
struct BodyCopy {
    node: NodeId,
    /// Whether its first axis is the step.
    lifted: bool,
}

/// Makes `nodes` of `body` in `outer`, for all `trip` values of `step`: each result has the shape
/// `[trip, …]`. `capture` gives the outer node of each `Op::Capture`.
///
/// `None` if one of them depends on a carry, or on a scan that varies with the step.
pub fn lift(
    outer: &mut Graph,
    body: &Graph,
    nodes: &[NodeId],
    step: StepId,
    trip: &Dim,
    capture: impl Fn(usize) -> NodeId,
) -> Option<Vec<NodeId>> {
    let needed = body.reachable(nodes.iter().copied());
    let mut copies: Vec<Option<BodyCopy>> = vec![None; body.len()];
    let previous_origin = outer.origin.clone();
    let mut possible = true;
    for (id, node) in body.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        let operands: Option<Vec<BodyCopy>> =
            node.operands.iter().map(|operand| copies[operand.0 as usize]).collect();
        outer.origin = node.origin.clone();
        let copy = operands.and_then(|operands| lift_node(outer, node, &operands, step, trip, &capture));
        possible &= copy.is_some();
        if !possible {
            break;
        }
        copies[id.0 as usize] = copy;
    }
    let results = nodes.iter().map(|node| {
        let copy = copies[node.0 as usize]?;
        Some(if copy.lifted { copy.node } else { repeat(outer, copy.node, trip) })
    });
    let results = if possible { results.collect() } else { None };
    outer.origin = previous_origin;
    results
}

fn lift_node(
    outer: &mut Graph,
    node: &Node,
    operands: &[BodyCopy],
    step: StepId,
    trip: &Dim,
    capture: &impl Fn(usize) -> NodeId,
) -> Option<BodyCopy> {
    let varies = operands.iter().any(|operand| operand.lifted);
    let plain: Vec<NodeId> = operands.iter().map(|operand| operand.node).collect();
    let longer =
        |shape: &[Dim]| std::iter::once(trip.clone()).chain(shape.iter().cloned()).collect::<Vec<Dim>>();
    let fixed =
        |outer: &mut Graph, plain| Some(BodyCopy { node: outer.add(node.op.clone(), plain), lifted: false });
    match &node.op {
        Op::Capture { index, .. } => Some(BodyCopy { node: capture(*index as usize), lifted: false }),
        Op::Carry { .. } => None,
        Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_) => fixed(outer, plain),
        Op::Loop(body) => {
            if !varies && !body.uses_step(step) {
                return fixed(outer, plain);
            }
            let lifted: Vec<bool> = operands.iter().map(|operand| operand.lifted).collect();
            let body = lift_loop(body, &lifted, step, trip);
            Some(BodyCopy { node: outer.add(Op::Loop(Arc::new(body)), plain), lifted: true })
        }
        Op::Reshape { shape } if varies => {
            Some(BodyCopy { node: outer.add(Op::Reshape { shape: longer(shape) }, plain), lifted: true })
        }
        Op::Reshape { .. } => fixed(outer, plain),
        // A declared derivative has the shapes of the node inside of the scan and does not fit a lifted one.
        Op::Mark(_) if plain.len() > 1 && varies => None,
        Op::Mark(_) => Some(BodyCopy { node: outer.add(node.op.clone(), plain), lifted: varies }),
        Op::Rand { kind, stream, shape, step: count, step_axes } => {
            let coefficient = count.coefficient(Var::Step(step));
            if coefficient.is_number(0) {
                return fixed(outer, plain);
            }
            // The axes that already count the steps of inner scans must follow this counter without a gap.
            if coefficient != Dim::product(&shape[..*step_axes as usize]) {
                return None;
            }
            let rest = count.substitute(|var| {
                if var == Var::Step(step) { Affine::constant(0i64) } else { Affine::var(var) }
            });
            let op = Op::Rand {
                kind: *kind,
                stream: stream.clone(),
                shape: longer(shape),
                step: rest,
                step_axes: step_axes + 1,
            };
            Some(BodyCopy { node: outer.add(op, plain), lifted: true })
        }
        Op::Scan(scan) => {
            let fits = !varies && !graph_uses_step(&scan.body, step);
            if fits { fixed(outer, plain) } else { None }
        }
        Op::Result(_) => fixed(outer, plain),
    }
}

fn lift_loop(body: &Loop, lifted: &[bool], step: StepId, trip: &Dim) -> Loop {
    let shift = |affine: &Affine| {
        affine.substitute(|var| match var {
            Var::Index(index) => Affine::index(index as usize + 1),
            Var::Step(counter) if counter == step => Affine::index(0),
            Var::Step(_) => Affine::var(var),
        })
    };
    let nodes = body.body.nodes.iter().map(|scalar| match scalar.map_affine(shift) {
        Scalar::Read { operand, mut subs, padded } => {
            if lifted[operand as usize] {
                subs.insert(0, Sub::Affine(Affine::index(0)));
            }
            Scalar::Read { operand, subs, padded }
        }
        other => other,
    });
    let nodes = nodes.collect();
    let write = body.write.iter().map(|sub| match sub {
        Sub::Affine(affine) => Sub::Affine(shift(affine)),
        Sub::Value(id) => Sub::Value(*id),
    });
    Loop {
        write: std::iter::once(Sub::Affine(Affine::index(0))).chain(write).collect(),
        domain: std::iter::once(trip.clone()).chain(body.domain.iter().cloned()).collect(),
        shape: std::iter::once(trip.clone()).chain(body.shape.iter().cloned()).collect(),
        dropping: body.dropping,
        combine: body.combine,
        body: Body { nodes, result: body.body.result },
    }
}

/// The same value for every step.
fn repeat(outer: &mut Graph, node: NodeId, trip: &Dim) -> NodeId {
    let shape: Vec<Dim> = std::iter::once(trip.clone()).chain(outer.shape(node).iter().cloned()).collect();
    let rank = shape.len();
    let mut l = LoopBuilder::new(outer, shape);
    let subs = (1..rank).map(|axis| l.index(axis)).collect();
    let value = l.read(node, subs);
    let body = l.map(value);
    outer.add_loop(body)
}

fn graph_uses_step(graph: &Graph, step: StepId) -> bool {
    graph.nodes().any(|(_, node)| match &node.op {
        Op::Loop(body) => body.uses_step(step),
        Op::Rand { step: count, .. } => count.uses(Var::Step(step)),
        Op::Scan(scan) => graph_uses_step(&scan.body, step),
        Op::Input { .. }
        | Op::Param { .. }
        | Op::State { .. }
        | Op::Const(_)
        | Op::Reshape { .. }
        | Op::Mark(_)
        | Op::Result(_)
        | Op::Carry { .. }
        | Op::Capture { .. } => false,
    })
}

impl Loop {
    /// Whether a subscript or value varies with the step of a scan.
    pub fn uses_step(&self, step: StepId) -> bool {
        self.write_affines().chain(self.body.affines()).any(|affine| affine.uses(Var::Step(step)))
    }

    /// The affine subscripts of the write.
    fn write_affines(&self) -> impl Iterator<Item = &Affine> {
        self.write.iter().filter_map(|sub| match sub {
            Sub::Affine(affine) => Some(affine),
            Sub::Value(_) => None,
        })
    }
}

impl Body {
    /// Whether a subscript or value varies with the step of some scan.
    pub fn uses_any_step(&self) -> bool {
        self.affines().flat_map(|affine| &affine.terms).any(|(var, _)| matches!(var, Var::Step(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{BinaryOp, Elem, Type};

    #[test]
    fn a_slice_by_the_step_becomes_the_whole() {
        let (n, rows) = (Dim::number(3), Dim::symbol("rows"));
        let step = StepId(0);
        let mut outer = Graph::new();
        let ty = Type::new(Elem::Float, vec![rows.clone(), n.clone()]);
        let x = outer.add(Op::Input { name: "x".into(), ty: ty.clone() }, vec![]);
        let mut body = Graph::new();
        let captured = body.add(Op::Capture { index: 0, ty }, vec![]);
        let mut l = LoopBuilder::new(&body, vec![n]);
        let subs = vec![Sub::Affine(Affine::step(step)), l.index(0)];
        let row = l.read(captured, subs);
        let row = l.map(row);
        let row = body.add_loop(row);
        let doubled = body.map(&[row], |l, read| l.binary(BinaryOp::Add, read[0], read[0]));
        let lifted = lift(&mut outer, &body, &[doubled], step, &rows, |_| x).expect("no carries");
        assert_eq!(outer.ty(lifted[0]).to_string(), "[rows, 3]");
    }
}
