//! The backward sweep from the results to the variables, and the vector-Jacobian products that are one line each.

use crate::ir::hash::{FastMap, FastSet};
use super::flow::{self, Mode};
use super::{GradError, NoDerivative, backward, branches, declared, loops, scans};
use crate::ir::signs::Signs;
use crate::ir::{BinaryOp, Elem, Graph, LoopBuilder, NodeId, Op};

/// How a sweep through the body of a scan differs from one through a whole graph.
#[derive(Clone, Copy, Default)]
pub struct SweepOptions {
    /// The sweep does not go on from a variable to the nodes that it is computed from.
    pub stop_at_variables: bool,
    /// A seed may be 0 because it belongs to a branch that is not taken.
    pub masked: bool,
}

/// For each node of `wrt` the parts whose sum is the derivative of `Σ seed · of` by it. `next_step` is the number
/// of the next scan.
/// A new node has the origin of the node whose derivative it computes, with phase `Backward`.
pub fn contributions(
    graph: &mut Graph,
    of: &[(NodeId, NodeId)],
    wrt: &[NodeId],
    next_step: &mut u32,
    options: SweepOptions,
) -> Result<Vec<Vec<NodeId>>, GradError> {
    let results: Vec<NodeId> = of.iter().map(|(node, _)| *node).collect();
    let depends = flow::dependents(graph, wrt, Mode::Derivative);
    let needed = graph.reachable(results.iter().copied());
    let active: Vec<bool> =
        depends.iter().zip(&needed).map(|(depends, needed)| *depends && *needed).collect();
    let masked = branches::masked(graph, &active, options.masked);
    let mut sweep = Sweep { parts: FastMap::default(), scan_results: FastMap::default(), active, masked, signs: Signs::default() };
    for (node, seed) in of {
        sweep.contribute(graph, *node, *seed);
    }
    let variables: FastSet<NodeId> = wrt.iter().copied().collect();
    let first = wrt.iter().map(|id| id.0).min().unwrap_or(0);
    let last = results.iter().map(|id| id.0).max().unwrap_or(0);
    for at in (first..=last).rev() {
        let id = NodeId(at);
        if !sweep.active[at as usize] || graph[id].operands.is_empty() {
            continue;
        }
        if options.stop_at_variables && variables.contains(&id) {
            continue;
        }
        graph.origin = backward(&graph[id].origin);
        sweep.visit(graph, id, next_step).map_err(|(what, node)| GradError {
            node: id,
            origin: node.unwrap_or_else(|| graph[id].origin.clone()),
            what,
            wrt: None,
        })?;
    }
    Ok(wrt.iter().map(|id| sweep.parts.remove(id).unwrap_or_default()).collect())
}

/// Why a rule fails. The origin is given if the reason lies inside of the node, in the body of a scan.
pub type RuleError = (NoDerivative, Option<crate::ir::Origin>);

struct Sweep {
    /// The parts of the adjoint of each node that have been found so far.
    parts: FastMap<NodeId, Vec<NodeId>>,
    /// The adjoints of the results of each scan.
    scan_results: FastMap<NodeId, Vec<Option<NodeId>>>,
    /// The nodes between the variables and the results.
    active: Vec<bool>,
    /// The nodes whose adjoints may be 0 because a branch is not taken.
    masked: Vec<bool>,
    /// Of the nodes so far: the sweep adds nodes and changes none, so a sign that is known stays.
    signs: Signs,
}

impl Sweep {
    fn contribute(&mut self, graph: &Graph, to: NodeId, part: NodeId) {
        debug_assert_eq!(graph.shape(to), graph.shape(part), "an adjoint has the shape of its node");
        if self.active.get(to.0 as usize).is_some_and(|active| *active) {
            self.parts.entry(to).or_default().push(part);
        }
    }

    fn visit(&mut self, graph: &mut Graph, id: NodeId, next_step: &mut u32) -> Result<(), RuleError> {
        if let Op::Scan(scan) = &graph[id].op {
            let scan = scan.clone();
            let Some(results) = self.scan_results.remove(&id) else { return Ok(()) };
            let operands = graph[id].operands.clone();
            let active: Vec<bool> = operands.iter().map(|operand| self.active[operand.0 as usize]).collect();
            let masked = self.masked[id.0 as usize];
            for (operand, part) in
                scans::differentiate(graph, id, &scan, &results, &active, next_step, masked)?
            {
                self.contribute(graph, operands[operand], part);
            }
            return Ok(());
        }
        let Some(parts) = self.parts.get(&id) else { return Ok(()) };
        let adjoint = sum(graph, parts);
        self.parts.insert(id, vec![adjoint]);
        let operand = graph[id].operands[0];
        match &graph[id].op {
            Op::Loop(body) => {
                let body = body.clone();
                let wanted: Vec<bool> = graph[id]
                    .operands
                    .iter()
                    .map(|operand| self.active[operand.0 as usize] && graph.elem(*operand) == Elem::Float)
                    .collect();
                let masked = self.masked[id.0 as usize];
                let found =
                    loops::differentiate(graph, id, &body, adjoint, &wanted, masked, &mut self.signs);
                for (operand, part) in found.map_err(|what| (what, None))? {
                    self.contribute(graph, operand, part);
                }
            }
            Op::Reshape { .. } => {
                let shape = graph.shape(operand).to_vec();
                let part = graph.add(Op::Reshape { shape }, vec![adjoint]);
                self.contribute(graph, operand, part);
            }
            Op::Mark(_) if graph[id].operands.len() > 1 => {
                let is_wanted = |argument: NodeId| self.active[argument.0 as usize];
                for (argument, part) in declared::contributions(graph, id, adjoint, is_wanted, next_step) {
                    self.contribute(graph, argument, part);
                }
            }
            Op::Mark(_) => self.contribute(graph, operand, adjoint),
            Op::Result(index) => {
                let index = *index as usize;
                let Op::Scan(scan) = &graph[operand].op else { return Ok(()) };
                let n_results = scan.body.outputs.len();
                let results = self.scan_results.entry(operand).or_insert_with(|| vec![None; n_results]);
                results[index] = Some(adjoint);
            }
            // Leaves have no operands; scans were handled above.
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Rand { .. }
            | Op::Carry { .. }
            | Op::Capture { .. }
            | Op::Scan(_) => {}
        }
        Ok(())
    }
}

/// The elementwise sum of tensors of one shape, in one loop.
pub fn sum(graph: &mut Graph, parts: &[NodeId]) -> NodeId {
    if let [only] = parts {
        return *only;
    }
    let shape = graph.shape(parts[0]).to_vec();
    let rank = shape.len();
    let mut l = LoopBuilder::new(graph, shape);
    let mut total = None;
    for part in parts {
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let value = l.read(*part, subs);
        total = Some(match total {
            Some(total) => l.binary(BinaryOp::Add, total, value),
            None => value,
        });
    }
    let total = total.unwrap_or_else(|| l.float(0.0));
    let node = l.map(total);
    graph.add_loop(node)
}
