//! Laws that are applied before derivatives are taken.

use super::laws::{Applied, LawId, Purpose};
use super::scalar::Laws;
use super::stabilise::stabilise_values;
use super::{logarithm, powers, reads};
use crate::ir::compose::{inline, paste, paste_sub, same};
use crate::ir::signs::Signs;
use crate::ir::{BinaryOp, Graph, Loop, LoopBuilder, NodeId, Op, OutputKey, Phase, Scalar, ScalarId, Sub, UnaryOp};
use std::sync::Arc;

/// A graph with the logarithms that [`stabilise`](super::stabilise) makes where derivatives are wanted, so that a loss
/// is the same number whether it is trained or only printed, alone or beside its derivative. The derivatives stay as
/// they are: they belong to values in this form already. So does all of a step of a training, whose losses and metrics
/// are made stable before its derivatives are taken.
pub fn stabilised(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    let has_derivatives = graph.nodes().any(|(_, node)| node.origin.phase == Phase::Backward);
    let has_updates = graph.outputs.iter().any(|output| matches!(output.name, OutputKey::Param(_)));
    if !(has_derivatives && has_updates) {
        let outputs: Vec<NodeId> = graph.outputs.iter().map(|output| output.node).collect();
        let stable = stabilise_values(&mut graph, &outputs);
        graph.outputs.iter_mut().zip(stable).for_each(|(output, node)| output.node = node);
    }
    graph
}

/// Applies, before derivatives are taken, the laws that make derivatives stable or cheap. With those of logarithms
/// the derivatives of `log(softmax(z))` and `log(sigmoid(z))` are finite for every `z`; with `pick` the derivative
/// of one element of them is no sum. Nodes keep their numbers and values. Nothing is read through the nodes of
/// `wrt`, by which derivatives are wanted.
pub fn simplify_forward(graph: &mut Graph, of: &[NodeId], wrt: &[NodeId]) {
    simplify_forward_with(graph, of, wrt, Concerned::All, &Applied::new(Purpose::Differentiate));
}

/// The nodes that laws before derivatives change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Concerned {
    All,
    /// Those that are no part of a derivative.
    Values,
}

impl Concerned {
    /// Which nodes are needed for the values of `of`, and concerned.
    pub(super) fn needed(self, graph: &Graph, of: &[NodeId]) -> Vec<bool> {
        let mut needed = graph.reachable(of.iter().copied());
        if self == Concerned::Values {
            for (id, node) in graph.nodes() {
                needed[id.0 as usize] &= node.origin.phase != Phase::Backward;
            }
        }
        needed
    }
}

pub(super) fn simplify_forward_with(
    graph: &mut Graph,
    of: &[NodeId],
    wrt: &[NodeId],
    concerned: Concerned,
    applied: &Applied,
) {
    let needed = graph.reachable(of.iter().copied());
    let mut uses = vec![0u32; graph.len()];
    for (_, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        node.operands.iter().for_each(|id| uses[id.0 as usize] += 1);
    }
    let opaque: Vec<bool> = (0..graph.len()).map(|at| wrt.contains(&NodeId(at as u32))).collect();
    let mut signs = Signs::default();
    let needed = concerned.needed(graph, of);
    for at in (0..graph.len()).filter(|at| needed[*at]) {
        let id = NodeId(at as u32);
        if let Op::Scan(scan) = &graph[id].op {
            let mut scan = scan.as_ref().clone();
            let outputs: Vec<NodeId> = scan.body.outputs.iter().map(|output| output.node).collect();
            simplify_forward_with(&mut scan.body, &outputs, &[], concerned, applied);
            let operands = graph[id].operands.clone();
            graph.replace(id, Op::Scan(Arc::new(scan)), operands);
            continue;
        }
        let Op::Loop(body) = &graph[id].op else { continue };
        let is_concerned = body.body.nodes.iter().any(|scalar| match scalar {
            Scalar::Unary(UnaryOp::Log, _) | Scalar::WithSlope { .. } => true,
            Scalar::Binary(BinaryOp::Sub, a, _) => {
                matches!(body.body.nodes[a.0 as usize], Scalar::Float(one) if one.0 == 1.0)
            }
            Scalar::Read { subs, .. } => subs.iter().any(|sub| matches!(sub, Sub::Value(_))),
            _ => false,
        });
        if !is_concerned {
            continue;
        }
        let body = body.clone();
        if let Some((op, operands)) =
            simplified(graph, &mut signs, &body, &graph[id].operands, &opaque, &uses, applied)
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
    applied: &Applied,
) -> Option<(Op, Vec<NodeId>)> {
    let mut laws = Laws { graph, signs, strip: false, opaque, applied, logs: None };
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
    if let Scalar::Binary(BinaryOp::Sub, a, b) = scalar
        && let Some(found) = powers::one_minus_power(laws, l, a, b)
    {
        *any = true;
        return found;
    }
    if let Scalar::WithSlope { value, arg, slope } = scalar
        && let Some(found) = logarithm::of_log1p(laws, l, value, arg, slope)
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
            && laws.applied.allows(LawId::Pick)
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
