//! Derivatives that a program declares: nodes `mark value, adjoint, result, x, g, …`.
//!
//! `g` is what x contributes to a derivative where the adjoint of the node is `adjoint` and its value `result`: nodes that
//! keep the places for these. In a sweep what lies between them and g is made again, with the adjoint that there is and
//! the node itself, so derivatives of higher order are by the declared derivative, too.

use super::reverse::with_step;
use crate::ir::{Graph, NodeId, Op, Scan, StepId, rewrite};
use std::sync::Arc;

/// The arguments of a node with a declared derivative, and what each contributes, for this adjoint.
pub fn contributions(
    graph: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    is_wanted: impl Fn(NodeId) -> bool,
    next_step: &mut u32,
) -> Vec<(NodeId, NodeId)> {
    let operands = graph[id].operands.clone();
    let pairs = operands[3..].chunks_exact(2).filter(|pair| is_wanted(pair[0]));
    let known = [(operands[1], adjoint), (operands[2], id)];
    pairs.map(|pair| (pair[0], replaced(graph, pair[1], known, next_step))).collect()
}

/// The node `of`, computed from others in place of two nodes.
fn replaced(graph: &mut Graph, of: NodeId, known: [(NodeId, NodeId); 2], next_step: &mut u32) -> NodeId {
    let needed = graph.reachable([of]);
    let mut places: Vec<Option<NodeId>> = vec![None; graph.len()];
    for (what, by) in known {
        places[what.0 as usize] = Some(by);
    }
    for at in 0..=of.0 {
        let node = &graph[NodeId(at)];
        let changes = node.operands.iter().any(|operand| places[operand.0 as usize].is_some());
        if !needed[at as usize] || !changes || places[at as usize].is_some() {
            continue;
        }
        let operands = node.operands.iter().map(|operand| places[operand.0 as usize].unwrap_or(*operand)).collect();
        let op = renewed(&node.op, next_step);
        places[at as usize] = Some(graph.add(op, operands));
    }
    places[of.0 as usize].unwrap_or(of)
}

/// The same op; a scan gets counters of its own, also those in its body.
fn renewed(op: &Op, next_step: &mut u32) -> Op {
    let Op::Scan(scan) = op else { return op.clone() };
    let step = StepId(*next_step);
    *next_step += 1;
    let body = rewrite(&scan.body, |new, node, operands| {
        let op = renewed(&with_step(&node.op, scan.step, step), next_step);
        new.add(op, operands)
    });
    Op::Scan(Arc::new(Scan { step, trip: scan.trip.clone(), reverse: scan.reverse, n_carries: scan.n_carries, body }))
}
