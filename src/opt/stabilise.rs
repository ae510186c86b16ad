//! Laws of logarithms that need nodes of their own: the logarithm of a sum, a product, a reshaped tensor or parts put
//! together, where a law says how the logarithms of its elements are computed.
//!
//! A node stands before its users, so a node that reads a new one is added anew, and so is what reads that. The old
//! ones stay as they are for whoever else needs them.

use super::exponentials::{self, counted_exponent, depends_on, finished, finite_or_zero, parts, shifted_term};
use super::forward::{Concerned, simplify_forward_with};
use super::laws::{Applied, LawId, Purpose};
use super::logarithm;
use super::scalar::Laws;
use crate::ir::compose::{paste, paste_sub, same};
use crate::ir::signs::Signs;
use crate::ir::{
    Combine, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp, compact,
};
use crate::ir::build::LoopNode;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Logarithms of whole nodes.
#[derive(Default, Debug)]
pub struct Logs {
    /// For a node that was looked at: its logarithm, if a law says how that is computed.
    known: HashMap<NodeId, Option<NodeId>>,
    /// Nodes whose logarithms are needed and that were not looked at.
    wanted: Vec<NodeId>,
}

impl Logs {
    /// The node of the logarithm of a node. If that is not known yet, it is remembered as wanted.
    pub fn of(&mut self, node: NodeId) -> Option<NodeId> {
        match self.known.get(&node) {
            Some(found) => *found,
            None => {
                self.wanted.push(node);
                None
            }
        }
    }
}

/// At most so many logarithms of nodes are made one of another.
const DEEPEST: usize = 6;

/// Applies, before derivatives are taken, the laws that make values and derivatives stable, those of
/// [`simplify_forward`](super::simplify_forward) first. Returns for each node of `of` the node that has its value
/// now; the old nodes stay. Nothing is read through the nodes of `wrt`, by which derivatives are wanted.
pub fn stabilise(graph: &mut Graph, of: &[NodeId], wrt: &[NodeId]) -> Vec<NodeId> {
    stabilise_with(graph, of, wrt, Concerned::All, &Applied::new(Purpose::Differentiate))
}

/// The same of what is no part of a derivative. A derivative that reads such a value reads the new one.
pub(super) fn stabilise_values(graph: &mut Graph, of: &[NodeId]) -> Vec<NodeId> {
    stabilise_with(graph, of, &[], Concerned::Values, &Applied::new(Purpose::Differentiate))
}

fn stabilise_with(
    graph: &mut Graph,
    of: &[NodeId],
    wrt: &[NodeId],
    concerned: Concerned,
    applied: &Applied,
) -> Vec<NodeId> {
    simplify_forward_with(graph, of, wrt, concerned, applied);
    let needed = graph.reachable(of.iter().copied());
    let concerns = concerned.needed(graph, of);
    let opaque: Vec<bool> = (0..graph.len()).map(|at| wrt.contains(&NodeId(at as u32))).collect();
    let pass = Pass { opaque, applied, logs: RefCell::default() };
    let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
    for at in (0..needed.len()).filter(|at| needed[*at] && !pass.opaque[*at]) {
        let id = NodeId(at as u32);
        let operands: Vec<NodeId> =
            graph[id].operands.iter().map(|operand| moved.get(operand).copied().unwrap_or(*operand)).collect();
        let changed = match &graph[id].op {
            _ if !concerns[at] => None,
            Op::Scan(scan) if has_log(&scan.body) => {
                let mut scan = scan.as_ref().clone();
                stabilise_outputs(&mut scan.body, concerned, applied).then(|| (Op::Scan(Arc::new(scan)), operands.clone()))
            }
            Op::Loop(body) if is_log(body) => {
                let body = body.clone();
                pass.simplified(graph, &body, &operands)
            }
            _ => None,
        };
        let (op, operands) = match changed {
            Some(changed) => changed,
            None if operands != graph[id].operands => (graph[id].op.clone(), operands),
            None => continue,
        };
        let origin = graph[id].origin.clone();
        let new = graph.add_from(op, operands, &origin);
        moved.insert(id, new);
    }
    of.iter().map(|id| moved.get(id).copied().unwrap_or(*id)).collect()
}

/// Makes the outputs of a graph stable; whether any has changed.
fn stabilise_outputs(graph: &mut Graph, concerned: Concerned, applied: &Applied) -> bool {
    let of: Vec<NodeId> = graph.outputs.iter().map(|output| output.node).collect();
    let new = stabilise_with(graph, &of, &[], concerned, applied);
    if new == of {
        return false;
    }
    graph.outputs.iter_mut().zip(new).for_each(|(output, node)| output.node = node);
    *graph = compact(graph);
    true
}

fn has_log(graph: &Graph) -> bool {
    graph.nodes().any(|(_, node)| match &node.op {
        Op::Loop(body) => is_log(body),
        Op::Scan(scan) => has_log(&scan.body),
        _ => false,
    })
}

fn is_log(body: &Loop) -> bool {
    body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Unary(UnaryOp::Log, _)))
}

struct Pass<'a> {
    opaque: Vec<bool>,
    applied: &'a Applied,
    logs: RefCell<Logs>,
}

impl Pass<'_> {
    /// A loop with its logarithms computed by the laws, if any applies.
    fn simplified(
        &self,
        graph: &mut Graph,
        body: &Loop,
        operands: &[NodeId],
    ) -> Option<(Op, Vec<NodeId>)> {
        let found = self.tried(graph, 0, |laws, l| {
            let mut any = false;
            let values = paste(l, &body.body, operands, &mut same, &mut |l, _, scalar| match scalar {
                Scalar::Unary(UnaryOp::Log, a) => match logarithm::of(laws, l, a) {
                    Some(found) => {
                        any = true;
                        found
                    }
                    None => l.add(scalar),
                },
                _ => l.add(scalar),
            });
            any.then_some(values)
        }, body)?;
        Some((Op::Loop(Arc::new(found.body)), found.operands))
    }

    /// Makes a loop over the domain of `body` that writes as `body` does, out of the scalars that `make` gives for
    /// those of `body`; again, as long as that asks for logarithms of nodes that were not looked at.
    fn tried(
        &self,
        graph: &mut Graph,
        depth: usize,
        mut make: impl FnMut(&mut Laws<'_, '_>, &mut LoopBuilder<'_>) -> Option<Vec<ScalarId>>,
        body: &Loop,
    ) -> Option<LoopNode> {
        loop {
            let mut signs = Signs::default();
            let mut laws = Laws {
                graph,
                signs: &mut signs,
                strip: false,
                opaque: &self.opaque,
                applied: self.applied,
                logs: Some(&self.logs),
            };
            let mut l = LoopBuilder::new(graph, body.domain.clone());
            let found = make(&mut laws, &mut l).map(|values| {
                let write: Vec<Sub> =
                    body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
                let result = values[body.body.result.0 as usize];
                l.finish(body.shape.clone(), write, body.dropping, body.combine, result)
            });
            let wanted = std::mem::take(&mut self.logs.borrow_mut().wanted);
            if wanted.is_empty() {
                return found;
            }
            for node in wanted {
                let log = if depth < DEEPEST { self.log_of_node(graph, node, depth + 1) } else { None };
                self.logs.borrow_mut().known.insert(node, log);
            }
        }
    }

    /// Adds the logarithm of a node, if a law says how its elements' are computed.
    fn log_of_node(&self, graph: &mut Graph, id: NodeId, depth: usize) -> Option<NodeId> {
        if self.opaque.get(id.0 as usize) == Some(&true) {
            return None;
        }
        let origin = graph[id].origin.clone();
        let operands = graph[id].operands.clone();
        match graph[id].op.clone() {
            op @ (Op::Reshape { .. } | Op::Mark(_)) => {
                let inner = self.log_of_node(graph, operands[0], depth)?;
                Some(graph.add_from(op, vec![inner], &origin))
            }
            Op::Loop(body) if body.combine == Combine::Add => {
                let previous = std::mem::replace(&mut graph.origin, origin);
                let found = self.log_of_sum(graph, &body, &operands);
                graph.origin = previous;
                found
            }
            Op::Loop(body) => self.log_of_each(graph, &body, &operands, depth),
            _ => None,
        }
    }

    /// log(Π x) = Σ log x, log(max x) = max log x, log(min x) = min log x, and the logarithm of a map.
    fn log_of_each(
        &self,
        graph: &mut Graph,
        body: &Loop,
        operands: &[NodeId],
        depth: usize,
    ) -> Option<NodeId> {
        let mut of_logs = body.clone();
        match body.combine {
            Combine::Mul => of_logs.combine = Combine::Add,
            Combine::Max | Combine::Min if !body.dropping => {}
            Combine::Set if body.as_function().is_some() => {}
            _ => return None,
        }
        let result = body.body.result.0 as usize;
        let found = self.tried(graph, depth, |laws, l| {
            let mut values = paste(l, &body.body, operands, &mut same, &mut |l, _, scalar| l.add(scalar));
            values[result] = logarithm::of(laws, l, values[result])?;
            Some(values)
        }, &of_logs)?;
        (body.combine == Combine::Set || self.applied.allows(LawId::LogReduction)).then(|| graph.add_loop(found))
    }

    /// log(Σ w exp u) = m + log(Σ w exp(u - m)), where m is the greatest u of a term that is not 0.
    fn log_of_sum(&self, graph: &mut Graph, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
        // What is left out has no place whose greatest exponent could be read.
        if body.dropping {
            return None;
        }
        let bare = |index: usize| (0..body.write.len()).any(|axis| body.write_index(axis) == Some(index));
        let summed: Vec<usize> = (0..body.domain.len()).filter(|index| !bare(*index)).collect();
        let greatest = self.term(graph, body, operands, Combine::Max, |laws, l, term, _| {
            // Otherwise exponentials that are shared would be computed again and again, as in a matrix product.
            let each = (0..l.domain().len()).all(|index| depends_on(l, term.exponent, index));
            (each && !exponentials::is_shifted(laws, l, term, &summed)).then(|| counted_exponent(l, term))
        })?;
        if !self.applied.allows(LawId::LogSumExp) {
            return None;
        }
        let greatest = graph.add_loop(greatest);
        let map = |graph: &mut Graph, make: &dyn Fn(&mut LoopBuilder<'_>, Vec<Sub>) -> ScalarId| {
            let mut l = LoopBuilder::new(graph, body.shape.clone());
            let subs = (0..body.shape.len()).map(|index| l.index(index)).collect();
            let value = make(&mut l, subs);
            let node = l.map(value);
            graph.add_loop(node)
        };
        let greatest = map(graph, &|l, subs| {
            let greatest = l.read(greatest, subs);
            l.unary(UnaryOp::Stop, greatest)
        });
        let shift = map(graph, &|l, subs| {
            let greatest = l.read(greatest, subs);
            finite_or_zero(l, greatest)
        });
        let total = self.term(graph, body, operands, Combine::Add, |_, l, term, write| {
            let shift = l.read(shift, write);
            Some(shifted_term(l, term, shift))
        })?;
        let total = graph.add_loop(total);
        Some(map(graph, &|l, subs| {
            let (total, shift) = (l.read(total, subs.clone()), l.read(shift, subs.clone()));
            let (log, greatest) = (l.unary(UnaryOp::Log, total), l.read(greatest, subs));
            finished(l, greatest, shift, log)
        }))
    }

    /// A loop that writes what `make` gives of the parts of each term, and the place that the term is added to.
    fn term(
        &self,
        graph: &Graph,
        body: &Loop,
        operands: &[NodeId],
        combine: Combine,
        make: impl FnOnce(
            &Laws<'_, '_>,
            &mut LoopBuilder<'_>,
            exponentials::Parts,
            Vec<Sub>,
        ) -> Option<ScalarId>,
    ) -> Option<LoopNode> {
        let mut signs = Signs::default();
        let laws = Laws {
            graph,
            signs: &mut signs,
            strip: false,
            opaque: &self.opaque,
            applied: self.applied,
            logs: None,
        };
        let mut l = LoopBuilder::new(graph, body.domain.clone());
        let values = paste(&mut l, &body.body, operands, &mut same, &mut |l, _, scalar| l.add(scalar));
        let term = parts(&laws, &mut l, values[body.body.result.0 as usize])?;
        let write: Vec<Sub> =
            body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
        let value = make(&laws, &mut l, term, write.clone())?;
        Some(l.finish(body.shape.clone(), write, false, combine, value))
    }
}
