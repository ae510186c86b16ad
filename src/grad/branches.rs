//! A branch that is not taken never contributes to a gradient.
//!
//! Within one expression the rules see to that. But in `if x > 0 then sqrt(x) else 0` on whole tensors `sqrt(x)`
//! is a node of its own: at `x = 0` it would get the adjoint 0 and pass on `0 / 0`. So before differentiating,
//! elementwise nodes whose derivatives need not be finite are written into the branches that read them.
//!
//! What cannot be written there, because a sum or a scan stands in between, gets the adjoint 0 where its branch
//! is not taken: [`masked`] says which nodes those are, and their derivatives make 0 of `0 · ∞`.

use super::flow::{self, Mode};
use super::partial::{differentiable, differentiable_operands};
use crate::ir::compose::{inline, paste, paste_sub, same};
use crate::ir::operators::Slope;
use crate::ir::signs::{Sign, Signs};
use crate::ir::{Body, Elem, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, ScalarId};
use std::collections::HashMap;
use std::sync::Arc;

/// An expression with more scalars than this is not merged any further.
const LARGEST_BODY: usize = 400;

/// Writes into the branches of selects what they read of elementwise nodes between `wrt` and `of`, where those
/// could have infinite derivatives. The nodes keep their numbers and values; what they read changes.
pub fn inline_into_branches(graph: &mut Graph, of: &[NodeId], wrt: &[NodeId]) {
    let depends = flow::dependents(graph, wrt, Mode::Derivative);
    let needed = graph.reachable(of.iter().copied());
    let mut risks =
        Risks { known: HashMap::new(), depends: &depends, variables: wrt, signs: Signs::default() };
    for at in 0..graph.len() {
        let id = NodeId(at as u32);
        if !(depends[at] && needed[at]) {
            continue;
        }
        let Op::Loop(body) = &graph[id].op else { continue };
        let body = body.clone();
        let in_branch = branch_reads(&body.body);
        let operands = graph[id].operands.clone();
        let risky = |risks: &mut Risks<'_>, at: usize| match &body.body.nodes[at] {
            Scalar::Read { operand, .. } => in_branch[at] && risks.of(graph, operands[*operand as usize]),
            _ => false,
        };
        let any = (0..body.body.nodes.len()).any(|at| risky(&mut risks, at));
        if any {
            let (op, operands) = rewritten(graph, &body, &operands, &in_branch, &mut risks);
            graph.replace(id, op, operands);
        }
    }
}

/// The nodes whose adjoints may be the zeros of branches that are not taken: the nodes that branches of the
/// `active` nodes read, and everything that these are computed from. With `all`, the whole graph counts as such a
/// branch.
pub fn masked(graph: &Graph, active: &[bool], all: bool) -> Vec<bool> {
    let mut masked = vec![all; graph.len()];
    for at in (0..graph.len()).rev() {
        if !active[at] {
            continue;
        }
        let node = &graph[NodeId(at as u32)];
        let read: Vec<bool> = match &node.op {
            Op::Loop(body) => {
                let in_branch = branch_reads(&body.body);
                let mut read = vec![false; node.operands.len()];
                for (scalar, inside) in body.body.nodes.iter().zip(in_branch) {
                    if let Scalar::Read { operand, .. } = scalar {
                        read[*operand as usize] |= inside;
                    }
                }
                read
            }
            Op::Scan(scan) => vec![has_branches(&scan.body); node.operands.len()],
            _ => vec![false; node.operands.len()],
        };
        for (operand, read) in node.operands.iter().zip(read) {
            masked[operand.0 as usize] |= read || masked[at];
        }
    }
    masked
}

fn has_branches(graph: &Graph) -> bool {
    graph.nodes().any(|(_, node)| match &node.op {
        Op::Loop(body) => body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Select(..))),
        Op::Scan(scan) => has_branches(&scan.body),
        _ => false,
    })
}

/// Whether the derivative of a loop may be infinite.
pub fn is_risky(signs: &mut Signs, graph: &Graph, body: &Loop, operands: &[NodeId]) -> bool {
    has_risk(signs, graph, body, operands)
}

fn rewritten(
    graph: &Graph,
    body: &Loop,
    operands: &[NodeId],
    in_branch: &[bool],
    risks: &mut Risks<'_>,
) -> (Op, Vec<NodeId>) {
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut size = body.body.nodes.len();
    let values = paste(&mut l, &body.body, operands, &mut same, &mut |l, at, scalar| {
        if in_branch[at] { in_place_of_read(l, graph, scalar, risks, &mut size) } else { l.add(scalar) }
    });
    let write = body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
    let result = values[body.body.result.0 as usize];
    let node = l.finish(body.shape.clone(), write, body.dropping, body.combine, result);
    (Op::Loop(Arc::new(node.body)), node.operands)
}

/// The expression to put in place of a read in a branch, if the node that is read could have an infinite
/// derivative.
fn in_place_of_read(
    l: &mut LoopBuilder<'_>,
    graph: &Graph,
    scalar: Scalar,
    risks: &mut Risks<'_>,
    size: &mut usize,
) -> ScalarId {
    if let Scalar::Read { operand, subs, padded } = &scalar {
        let node = l.operands()[*operand as usize];
        if risks.of(graph, node)
            && let Op::Loop(producer) = &graph[node].op
            && *size + producer.body.nodes.len() <= LARGEST_BODY
        {
            *size += producer.body.nodes.len();
            let mut deeper =
                |l: &mut LoopBuilder<'_>, _, scalar| in_place_of_read(l, graph, scalar, risks, size);
            if let Some(value) = inline(l, graph, node, subs, *padded, &mut deeper) {
                return value;
            }
        }
    }
    l.add(scalar)
}

/// For each scalar whether it is a read on which a branch of a select depends differentiably.
fn branch_reads(body: &Body) -> Vec<bool> {
    let mut inside = vec![false; body.nodes.len()];
    for at in (0..body.nodes.len()).rev() {
        if inside[at] || matches!(body.nodes[at], Scalar::Select(..)) {
            differentiable_operands(&body.nodes[at])
                .into_iter()
                .flatten()
                .for_each(|id| inside[id.0 as usize] = true);
        }
    }
    inside
}

/// Finds out which nodes could have an infinite derivative, or a finite one that is computed from an infinite
/// factor.
struct Risks<'d> {
    known: HashMap<NodeId, bool>,
    depends: &'d [bool],
    variables: &'d [NodeId],
    signs: Signs,
}

impl Risks<'_> {
    fn of(&mut self, graph: &Graph, id: NodeId) -> bool {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        // Chains of elementwise nodes may be long, so they are followed without recursion.
        let mut waiting = vec![id];
        while let Some(top) = waiting.last().copied() {
            let open: Vec<NodeId> = self.sources(graph, top);
            let open: Vec<NodeId> =
                open.into_iter().filter(|source| !self.known.contains_key(source)).collect();
            if open.is_empty() {
                let risk = match self.elementwise(graph, top).cloned() {
                    Some(body) => has_risk(&mut self.signs, graph, &body, &graph[top].operands),
                    None => false,
                } || self.sources(graph, top).iter().any(|source| self.known[source]);
                self.known.insert(top, risk);
                waiting.pop();
            } else {
                waiting.extend(open);
            }
        }
        self.known[&id]
    }

    /// The loop, if it can be written into another and has a derivative.
    fn elementwise<'g>(&self, graph: &'g Graph, id: NodeId) -> Option<&'g Loop> {
        let depends = self.depends.get(id.0 as usize).is_some_and(|depends| *depends);
        if !depends || self.variables.contains(&id) || graph.elem(id) != Elem::Float {
            return None;
        }
        match &graph[id].op {
            Op::Loop(body) if body.as_function().is_some() => Some(body),
            _ => None,
        }
    }

    fn sources(&self, graph: &Graph, id: NodeId) -> Vec<NodeId> {
        if self.elementwise(graph, id).is_some() { graph[id].operands.clone() } else { Vec::new() }
    }
}

/// Whether some operation of a loop can have an infinite derivative.
fn has_risk(signs: &mut Signs, graph: &Graph, body: &Loop, operands: &[NodeId]) -> bool {
    let signs = signs.of_scalars(graph, &body.body.nodes, operands, &body.domain);
    let positive = |id: ScalarId| signs[id.0 as usize] == Sign::Bounded;
    let constant = |id: ScalarId| matches!(body.body[id], Scalar::Float(value) if value.0 != 0.0);
    let needed = differentiable(&body.body);
    body.body.nodes.iter().zip(needed).filter(|(_, needed)| *needed).any(|(scalar, _)| match scalar {
        Scalar::Unary(op, a) => match op.properties().slope {
            Slope::Finite => false,
            Slope::InfiniteAtZero => !positive(*a),
            Slope::Overflows => true,
        },
        Scalar::Binary(op, _, b) => match op.properties().slope {
            Slope::Finite => false,
            Slope::InfiniteAtZero => !positive(*b) && !constant(*b),
            Slope::Overflows => true,
        },
        _ => false,
    })
}
