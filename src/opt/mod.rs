//! Rank 2: named laws, tensor IR to tensor IR.
//!
//! [`optimise`] applies laws until none applies. Each is a small function that says its equation:
//!
//! - [`fold`], [`scalar`], [`sums`], [`logarithm`]: laws of the expressions in loops;
//! - [`reads`]: what is read through views, fills and elementwise nodes;
//! - [`scatters`], [`reductions`]: laws of whole loops;
//! - [`scans`], [`hoist`]: laws of recurrences.
//!
//! Equal nodes are one node by themselves ([`Graph::add`]), and what no output needs is not copied.
//! Every law leaves fewer or cheaper operations, so this ends; a limit makes that certain.

mod fold;
mod hoist;
mod logarithm;
mod reads;
mod reductions;
mod round;
mod scalar;
mod scans;
mod scatters;
mod sums;
#[cfg(test)]
mod tests;

use crate::ir::compose::{inline, paste, paste_sub, same};
use crate::ir::signs::Signs;
use crate::ir::{Graph, Loop, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp, compact};
use scalar::Laws;
use std::sync::Arc;

/// No graph that people write needs nearly as many rounds.
const MOST_ROUNDS: usize = 32;

/// The same outputs, computed with less. `Stop`, `WithSlope` and `Mark` are gone afterwards: take derivatives
/// before.
pub fn optimise(graph: &Graph) -> Graph {
    let mut current = compact(graph);
    let mut dirty = None;
    for _ in 0..MOST_ROUNDS {
        let (next, changed) = round::apply(&current, dirty.as_deref());
        let settled = !changed.iter().any(|changed| *changed);
        // A round over the changed nodes alone proves nothing: all are looked at before the end.
        if settled && dirty.is_none() {
            return next;
        }
        dirty = (!settled).then_some(changed);
        current = next;
    }
    current
}

/// Applies those laws that make derivatives better, before they are taken: those of logarithms, with which the
/// derivatives of `log(softmax(z))` and `log(sigmoid(z))` are finite for every `z`, and `pick`, with which that of
/// one element of it is no sum. Nodes keep their numbers and values; nothing is read through the nodes of `wrt`,
/// whose derivatives are wanted.
pub fn simplify_forward(graph: &mut Graph, of: &[NodeId], wrt: &[NodeId]) {
    let needed = graph.reachable(of.iter().copied());
    let mut uses = vec![0u32; graph.len()];
    for (_, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        node.operands.iter().for_each(|id| uses[id.0 as usize] += 1);
    }
    let opaque: Vec<bool> = (0..graph.len()).map(|at| wrt.contains(&NodeId(at as u32))).collect();
    let mut signs = Signs::default();
    for at in (0..graph.len()).filter(|at| needed[*at]) {
        let id = NodeId(at as u32);
        let Op::Loop(body) = &graph[id].op else { continue };
        let concerned = body.body.nodes.iter().any(|scalar| match scalar {
            Scalar::Unary(UnaryOp::Log, _) => true,
            Scalar::Read { subs, .. } => subs.iter().any(|sub| matches!(sub, Sub::Value(_))),
            _ => false,
        });
        if !concerned {
            continue;
        }
        let body = body.clone();
        if let Some((op, operands)) =
            simplified(graph, &mut signs, &body, &graph[id].operands, &opaque, &uses)
        {
            graph.replace(id, op, operands);
        }
    }
}

fn simplified(
    graph: &Graph,
    signs: &mut Signs,
    body: &Loop,
    operands: &[NodeId],
    opaque: &[bool],
    uses: &[u32],
) -> Option<(Op, Vec<NodeId>)> {
    let mut laws = Laws { graph, signs, strip: false, opaque };
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut any = false;
    let values = paste(&mut l, &body.body, operands, &mut same, &mut |l, _, scalar| {
        made(&mut laws, l, scalar, uses, &mut any)
    });
    if !any {
        return None;
    }
    let write = body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
    let result = values[body.body.result.0 as usize];
    let node = l.finish(body.shape.clone(), write, body.dropping, body.combine, result);
    Some((Op::Loop(Arc::new(node.body)), node.operands))
}

fn made(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    scalar: Scalar,
    uses: &[u32],
    any: &mut bool,
) -> ScalarId {
    if let Scalar::Unary(UnaryOp::Log, a) = scalar
        && let Some(found) = logarithm::of(laws, l, a)
    {
        *any = true;
        return found;
    }
    if let Scalar::Read { operand, subs, padded } = &scalar {
        let (graph, node) = (laws.graph, l.operands()[*operand as usize]);
        if let Op::Loop(producer) = &graph[node].op
            && !laws.opaque[node.0 as usize]
            && uses[node.0 as usize] == 1
            && reads::is_picked(l, producer, subs, *padded)
        {
            let picked =
                inline(l, graph, node, subs, *padded, &mut |l, _, scalar| made(laws, l, scalar, uses, any));
            if let Some(picked) = picked {
                *any = true;
                return picked;
            }
        }
    }
    l.add(scalar)
}
