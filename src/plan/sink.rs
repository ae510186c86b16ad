//! Moves sums that a scan collects out of it, and joins sums of sums.
//!
//! The gradient of a recurrent weight is a sum over all steps of products, one in each step:
//! `dW[j, i] += dz[t, b, j] * h[t, b, i]`. If the scan collects `dz` instead of the products, they become one
//! product over the stacked steps, and nothing as large as the weight is kept for each step.

use super::inline::count_uses;
use super::rebuild::rebuild;
use crate::ir::recognise::Scatter;
use crate::ir::{
    Affine, Combine, Graph, Loop, LoopBuilder, NodeId, Op, OutputKey, Scalar, Scan, Sub, Var, compose,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// How much larger than a sum its operands may be where they are to be collected in its place: one large
/// product is worth some memory.
const LARGER: i64 = 8;

/// Moves collected sums out of scans (of the outermost, where scans that have some are nested).
pub(super) fn sink_sums(graph: &Graph) -> Graph {
    rebuild(graph, &|new, (old, _), node, operands| match &node.op {
        Op::Scan(scan) => {
            let Sunk { extra, .. } = Sunk::of(scan)?;
            let mut body = scan.body.clone();
            for (at, node) in extra.iter().enumerate() {
                body.output(OutputKey::named(format!("stack:{at}")), *node);
            }
            let scan = Scan { body, trip: scan.trip.clone(), ..**scan };
            Some(new.add(Op::Scan(Arc::new(scan)), operands))
        }
        Op::Result(index) => {
            let Op::Scan(scan) = &old[node.operands[0]].op else { return None };
            let sunk = Sunk::of(scan)?;
            sunk.outputs.contains(&(*index as usize)).then(|| outside(new, scan, &sunk, *index, operands[0]))
        }
        _ => None,
    })
}

/// The sums that are moved out of a scan.
struct Sunk {
    /// The collected outputs that are computed outside.
    outputs: Vec<usize>,
    /// The nodes of the body that they need and that are collected for it, after all other outputs.
    extra: Vec<NodeId>,
}

impl Sunk {
    /// `None` if nothing is worth it.
    fn of(scan: &Scan) -> Option<Sunk> {
        let body = &scan.body;
        let uses = count_uses(body);
        let mut sunk = Sunk { outputs: Vec::new(), extra: Vec::new() };
        for (at, output) in body.outputs.iter().enumerate().skip(scan.n_carries) {
            let node = &body[output.node];
            let Op::Loop(sum) = &node.op else { continue };
            let reduces = sum.combine == Combine::Add && sum.domain.len() > sum.write.len();
            if !reduces || uses[output.node.0 as usize] != 1 {
                continue;
            }
            let size = |id: NodeId| body[id].ty.count().as_number().unwrap_or(i64::MAX);
            let cheap = node.operands.iter().all(|operand| match &body[*operand].op {
                Op::Capture { .. } => true,
                Op::Const(_) | Op::Scan(_) => false,
                _ => is_collected(scan, *operand).is_some() || size(*operand) / LARGER <= size(output.node),
            });
            if !cheap {
                continue;
            }
            sunk.outputs.push(at);
            for operand in &node.operands {
                let is_there = is_collected(scan, *operand).is_some() || sunk.extra.contains(operand);
                if !matches!(body[*operand].op, Op::Capture { .. }) && !is_there {
                    sunk.extra.push(*operand);
                }
            }
        }
        (!sunk.outputs.is_empty()).then_some(sunk)
    }

    /// The result that is the stack of a node's values.
    fn stack_of(&self, scan: &Scan, node: NodeId) -> Option<usize> {
        let extra = || self.extra.iter().position(|other| *other == node).map(|at| scan.body.outputs.len() + at);
        is_collected(scan, node).or_else(extra)
    }
}

/// The number of the output that collects a node.
fn is_collected(scan: &Scan, node: NodeId) -> Option<usize> {
    (scan.n_carries..scan.body.outputs.len()).find(|at| scan.body.outputs[*at].node == node)
}

/// The loop over all steps that gives what the scan collected.
fn outside(graph: &mut Graph, scan: &Scan, sunk: &Sunk, index: u32, new_scan: NodeId) -> NodeId {
    let body = &scan.body;
    let node = &body[body.outputs[index as usize].node];
    let Op::Loop(sum) = &node.op else { unreachable!("only loops are sunk") };
    let mut stacked = vec![false; node.operands.len()];
    let mut operands = Vec::with_capacity(node.operands.len());
    for (at, operand) in node.operands.iter().enumerate() {
        operands.push(match &body[*operand].op {
            Op::Capture { index, .. } => graph[new_scan].operands[scan.n_carries + *index as usize],
            _ => {
                stacked[at] = true;
                let result = sunk.stack_of(scan, *operand).expect("collected for this");
                graph.add(Op::Result(result as u32), vec![new_scan])
            }
        });
    }
    let domain = std::iter::once(scan.trip.clone()).chain(sum.domain.iter().cloned()).collect();
    let mut l = LoopBuilder::new(graph, domain);
    let mut at = |var: Var| match var {
        Var::Index(index) => Sub::Affine(Affine::index(index as usize + 1)),
        Var::Step(step) if step == scan.step => Sub::Affine(Affine::index(0)),
        Var::Step(_) => compose::same(var),
    };
    let mut make =
        |l: &mut LoopBuilder<'_>, place: usize, scalar: Scalar| match (&sum.body.nodes[place], scalar) {
            (Scalar::Read { operand, .. }, Scalar::Read { operand: new, subs, padded })
                if stacked[*operand as usize] =>
            {
                let subs = std::iter::once(l.index(0)).chain(subs).collect();
                l.add(Scalar::Read { operand: new, subs, padded })
            }
            (_, scalar) => l.add(scalar),
        };
    let places = compose::paste(&mut l, &sum.body, &operands, &mut at, &mut make);
    let write = sum.write.iter().map(|sub| compose::paste_sub(&mut l, sub, &places, &mut at));
    let write: Vec<Sub> = std::iter::once(Sub::Affine(Affine::index(0))).chain(write).collect();
    let shape = std::iter::once(scan.trip.clone()).chain(sum.shape.iter().cloned()).collect();
    let value = places[sum.body.result.0 as usize];
    let made = l.finish(shape, write, sum.dropping, sum.combine, value);
    graph.add_loop(made)
}

/// Joins a sum that reads nothing but another sum with it.
pub(super) fn join_sums(graph: &Graph) -> Graph {
    let counts: RefCell<HashMap<*const Graph, Vec<u32>>> = RefCell::default();
    rebuild(graph, &|new, (old, _), node, operands| {
        let Op::Loop(body) = &node.op else { return None };
        let [operand] = operands.as_slice() else { return None };
        let mut counts = counts.borrow_mut();
        let counts = counts.entry(std::ptr::from_ref(old)).or_insert_with(|| count_uses(old));
        if counts[node.operands[0].0 as usize] != 1 {
            return None;
        }
        let Op::Loop(inner) = &new[*operand].op else { return None };
        let inner = inner.clone();
        let inner_operands = new[*operand].operands.clone();
        join(new, body, &inner, &inner_operands)
    })
}

fn join(graph: &mut Graph, outer: &Loop, inner: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    let is_sum = |body: &Loop| body.combine == Combine::Add && !body.dropping;
    let Scalar::Read { subs, padded: false, .. } = &outer.body[outer.body.result] else { return None };
    if !is_sum(outer) || !is_sum(inner) || inner.as_function().is_some() {
        return None;
    }
    if Scatter::of(outer).is_some() {
        return None;
    }
    // Each axis of the inner sum is written by an index of its own and read by one of the outer sum's own.
    let mut reads: HashMap<usize, usize> = HashMap::new();
    for (axis, sub) in subs.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return None };
        let index = inner.write_index(axis)?;
        if inner.domain[index] != inner.shape[axis] || reads.insert(index, affine.as_index()?).is_some() {
            return None;
        }
    }
    let mut domain = outer.domain.clone();
    let mut new_place = vec![0; inner.domain.len()];
    for (index, size) in inner.domain.iter().enumerate() {
        new_place[index] = match reads.get(&index) {
            Some(known) => *known,
            None => {
                domain.push(size.clone());
                domain.len() - 1
            }
        };
    }
    let mut l = LoopBuilder::new(graph, domain);
    let mut at = |var: Var| match var {
        Var::Index(index) => Sub::Affine(Affine::index(new_place[index as usize])),
        Var::Step(_) => compose::same(var),
    };
    let places = compose::paste(&mut l, &inner.body, operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let value = places[inner.body.result.0 as usize];
    let made = l.finish(outer.shape.clone(), outer.write.clone(), false, Combine::Add, value);
    Some(graph.add_loop(made))
}
