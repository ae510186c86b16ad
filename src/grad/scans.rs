//! The derivative of a scan: a scan the other way over stored values.
//!
//! The body is differentiated like any graph, with seeds in place of the adjoints of its outputs. What that
//! adds is split up:
//!
//! - what leads from the seeds to the adjoints of the carries becomes the body of the reverse scan, whose
//!   carries are those adjoints;
//! - what it needs of the forward body is read from stacks that the forward scan now collects, or computed
//!   again where it is elementwise;
//! - the contributions to captures are taken out of the scan: each is one loop over the steps too
//!   (see [`super::stacks`]), so a weight's gradient is a single product, not a sum that is carried along.

use super::flow::{self, Mode};
use super::reverse;
use super::stacks::{self, Source};
use super::sweep::{self, RuleError};
use super::{backward, inline_into_branches};
use crate::ir::{Combine, Graph, Loop, NodeId, Op, OutputKey, Scalar, Scan, StepId, Sub, Var, compact};
use std::sync::Arc;

/// The contributions of the scan `id` to its operands, given the adjoints of its results: pairs of an operand's
/// place and the part. `wanted` marks the operands that need one.
pub fn differentiate(
    graph: &mut Graph,
    id: NodeId,
    scan: &Scan,
    adjoints: &[Option<NodeId>],
    wanted: &[bool],
    next_step: &mut u32,
    spared: bool,
) -> Result<Vec<(usize, NodeId)>, RuleError> {
    let operands = graph[id].operands.clone();
    let body = differentiate_body(scan, adjoints, wanted, next_step, spared)?;
    let reverse_step = StepId(*next_step);
    *next_step += 1;

    let mut split = Split::new(graph, scan, &body, &operands);
    let mut lifted: Vec<(NodeId, NodeId, stacks::Lifted)> = Vec::new();
    for (constant, parts) in &body.constant_parts {
        let outside = split.copy_outside(*constant);
        for part in parts {
            lifted.push((outside, *part, stacks::lift(&mut split, *part)));
        }
    }
    let reverse = reverse::body(&mut split, reverse_step);
    let Split { forward, captures, stacked, .. } = split;

    // The forward scan collects what the reverse scan reads.
    let mut extended = body.graph.clone();
    let forward_results: Vec<usize> = forward
        .iter()
        .map(|node| {
            let collected = extended.outputs[scan.n_carries..].iter().position(|output| output.node == *node);
            collected.map(|at| at + scan.n_carries).unwrap_or_else(|| {
                extended.output(OutputKey::named(format!("stack{}", extended.outputs.len())), *node);
                extended.outputs.len() - 1
            })
        })
        .collect();
    let forward_scan = Scan { body: compact(&extended), ..scan.clone() };
    graph.replace(id, Op::Scan(Arc::new(forward_scan)), operands.clone());
    let stacks: Vec<NodeId> =
        forward_results.iter().map(|result| graph.add(Op::Result(*result as u32), vec![id])).collect();

    let outer = |source: &Source| match source {
        Source::Outer(node) => Some(*node),
        Source::Forward(at) => Some(stacks[*at]),
        Source::Adjoint(result) => adjoints[*result],
        Source::Reverse(_) | Source::Stacked(_) => None,
    };
    let mut reverse_operands = Vec::new();
    for carry in &body.carries {
        let shape = body.graph.shape(scan.body.outputs[*carry].node).to_vec();
        reverse_operands.push(adjoints[*carry].unwrap_or_else(|| graph.fill(0.0, shape)));
    }
    reverse_operands.extend(captures.iter().filter_map(&outer));
    let reverse_scan = Scan {
        step: reverse_step,
        trip: scan.trip.clone(),
        reverse: !scan.reverse,
        n_carries: body.carries.len(),
        body: reverse,
    };
    let n_reverse = reverse_scan.body.outputs.len() - reverse_scan.n_carries;
    let reverse_id = graph.add(Op::Scan(Arc::new(reverse_scan)), reverse_operands);
    let reverse_stacks: Vec<NodeId> = (0..n_reverse)
        .map(|at| graph.add(Op::Result((body.carries.len() + at) as u32), vec![reverse_id]))
        .collect();

    let mut found = Vec::new();
    for (place, carry) in body.carries.iter().enumerate() {
        if wanted[*carry] {
            found.push((*carry, graph.add(Op::Result(place as u32), vec![reverse_id])));
        }
    }
    let mut stacked_nodes: Vec<NodeId> = Vec::with_capacity(stacked.len());
    let resolve = |stacked_nodes: &[NodeId], source: &Source| match source {
        Source::Reverse(at) => reverse_stacks[*at],
        Source::Stacked(at) => stacked_nodes[*at],
        Source::Outer(_) | Source::Forward(_) | Source::Adjoint(_) => {
            outer(source).expect("only results with an adjoint are read")
        }
    };
    for (node, body_loop, sources) in stacked {
        graph.origin = backward(&body.graph[node].origin);
        let node = stacks::build_stack(graph, &body_loop, &sources, scan, &|it| resolve(&stacked_nodes, it));
        stacked_nodes.push(node);
    }
    // The adjoints of what is the same in every step, and from there those of the captures.
    let mut seeds: Vec<(NodeId, NodeId)> = Vec::new();
    for (outside, part, lifted) in lifted {
        graph.origin = backward(&body.graph[part].origin);
        let node = stacks::build(graph, lifted, scan, &|it| resolve(&stacked_nodes, it));
        seeds.push((outside, node));
    }
    let captured: Vec<usize> = (scan.n_carries..operands.len())
        .filter(|at| wanted[*at] && !operands[scan.n_carries..*at].contains(&operands[*at]))
        .collect();
    let variables: Vec<NodeId> = captured.iter().map(|at| operands[*at]).collect();
    let parts = sweep::contributions(graph, &seeds, &variables, next_step, true, spared);
    let parts = parts.map_err(|error| (error.what, Some(error.origin)))?;
    for (capture, parts) in captured.into_iter().zip(parts) {
        found.extend(parts.into_iter().map(|part| (capture, part)));
    }
    Ok(found)
}

/// A differentiated body.
pub struct DifferentiatedBody {
    /// The forward body and behind it the derivative.
    pub graph: Graph,
    /// The carries that have an adjoint.
    pub carries: Vec<usize>,
    /// Leaves: the adjoint of the next value of each of those carries.
    pub carry_seeds: Vec<NodeId>,
    /// Leaves: the adjoints of what is collected, with the number of the result.
    pub collected_seeds: Vec<(usize, NodeId)>,
    /// The adjoint of each of those carries at the start of the step.
    pub next: Vec<NodeId>,
    /// For what is the same in every step, where others begin to use it: the parts of its adjoint.
    constant_parts: Vec<(NodeId, Vec<NodeId>)>,
}

fn differentiate_body(
    scan: &Scan,
    adjoints: &[Option<NodeId>],
    wanted: &[bool],
    next_step: &mut u32,
    spared: bool,
) -> Result<DifferentiatedBody, RuleError> {
    let active = flow::scan_carries(scan, wanted, Mode::Derivative);
    let mut carries: Vec<usize> =
        (0..scan.n_carries).filter(|carry| active[*carry] && adjoints[*carry].is_some()).collect();
    let mut carry_leaves = Vec::new();
    let mut capture_leaves = Vec::new();
    for (id, node) in scan.body.nodes() {
        match node.op {
            Op::Carry { index, .. } if active[index as usize] => carry_leaves.push((index as usize, id)),
            Op::Capture { index, .. } if wanted[scan.n_carries + index as usize] => {
                capture_leaves.push(id);
            }
            _ => {}
        }
    }
    let leaves: Vec<NodeId> = carry_leaves.iter().map(|(_, id)| *id).chain(capture_leaves.clone()).collect();
    let outputs: Vec<NodeId> = scan.body.outputs.iter().map(|output| output.node).collect();
    // Which carries have an adjoint is known only when all is differentiated: each attempt may add some.
    loop {
        let mut graph = scan.body.clone();
        inline_into_branches(&mut graph, &outputs, &leaves);
        let constants = used_constants(&graph, scan, &capture_leaves);
        let wrt: Vec<NodeId> = carry_leaves.iter().map(|(_, id)| *id).chain(constants.clone()).collect();
        let seed = |graph: &mut Graph, output: usize| {
            let ty = graph.ty(outputs[output]).clone();
            graph.add(Op::Capture { index: FIRST_SEED + output as u32, ty }, Vec::new())
        };
        let carry_seeds: Vec<NodeId> = carries.iter().map(|carry| seed(&mut graph, *carry)).collect();
        let collected_seeds: Vec<(usize, NodeId)> = (scan.n_carries..outputs.len())
            .filter(|output| adjoints[*output].is_some())
            .map(|output| (output, seed(&mut graph, output)))
            .collect();
        let of_carries = carries.iter().map(|carry| outputs[*carry]).zip(carry_seeds.iter().copied());
        let of_collected = collected_seeds.iter().map(|(output, seed)| (outputs[*output], *seed));
        let of: Vec<(NodeId, NodeId)> = of_carries.chain(of_collected).collect();
        let found = sweep::contributions(&mut graph, &of, &wrt, next_step, true, spared);
        let mut found = found.map_err(|error| (error.what, Some(error.origin)))?;
        let constant_parts = found.split_off(carry_leaves.len());
        let grown: Vec<usize> = carry_leaves
            .iter()
            .zip(&found)
            .filter(|((carry, _), parts)| !parts.is_empty() && !carries.contains(carry))
            .map(|((carry, _), _)| *carry)
            .collect();
        if !grown.is_empty() {
            carries.extend(grown);
            carries.sort_unstable();
            continue;
        }
        let mut next = Vec::new();
        for carry in &carries {
            let leaf = carry_leaves.iter().position(|(it, _)| it == carry);
            next.push(match leaf {
                Some(at) if !found[at].is_empty() => sweep::sum(&mut graph, &found[at]),
                _ => {
                    let shape = graph.shape(outputs[*carry]).to_vec();
                    graph.fill(0.0, shape)
                }
            });
        }
        let constant_parts = constants.into_iter().zip(constant_parts).collect();
        return Ok(DifferentiatedBody { graph, carries, carry_seeds, collected_seeds, next, constant_parts });
    }
}

/// The nodes that are the same in every step and used by ones that are not, as far as they depend on captures
/// that need an adjoint. The scan is differentiated up to these, the rest outside of it.
fn used_constants(graph: &Graph, scan: &Scan, captures: &[NodeId]) -> Vec<NodeId> {
    let homes = homes(graph, scan.step);
    let depends = flow::dependents(graph, captures, Mode::Derivative);
    let mut used = vec![false; graph.len()];
    for (_, node) in graph.nodes().filter(|(id, _)| homes[id.0 as usize] != Home::Outside) {
        node.operands.iter().for_each(|operand| used[operand.0 as usize] = true);
    }
    graph.outputs.iter().for_each(|output| used[output.node.0 as usize] = true);
    let all = (0..graph.len()).filter(|at| homes[*at] == Home::Outside && depends[*at] && used[*at]);
    all.map(|at| NodeId(at as u32)).collect()
}

/// Captures from here on stand for adjoints in a body that is being differentiated.
const FIRST_SEED: u32 = 1 << 30;

/// Where each part of a differentiated body is computed.
pub struct Split<'s> {
    /// The graph of the scan.
    pub outer: &'s mut Graph,
    pub scan: &'s Scan,
    pub body: &'s DifferentiatedBody,
    operands: &'s [NodeId],
    homes: Vec<Home>,
    /// Nodes of the body that the forward scan collects.
    pub forward: Vec<NodeId>,
    /// Nodes of the body that the reverse scan collects.
    pub reverse: Vec<NodeId>,
    /// What the reverse scan captures.
    pub captures: Vec<Source>,
    /// Loops of the body that are computed for all steps at once from stacks, operands before users.
    pub stacked: Vec<(NodeId, Loop, Vec<Source>)>,
    /// The nodes that the adjoints of the carries need.
    in_reverse: Vec<bool>,
    /// The nodes that the reverse scan reads from stacks, if it needs them.
    pub kept: Vec<bool>,
    /// The copies outside of nodes that are the same in every step.
    outside: Vec<Option<NodeId>>,
}

/// On what a node of a differentiated body depends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// On captures alone: it is the same in every step.
    Outside,
    /// On carries or the step.
    Forward,
    /// On adjoints.
    Reverse,
}

impl<'s> Split<'s> {
    fn new(
        outer: &'s mut Graph,
        scan: &'s Scan,
        body: &'s DifferentiatedBody,
        operands: &'s [NodeId],
    ) -> Split<'s> {
        let homes = homes(&body.graph, scan.step);
        let in_reverse = body.graph.reachable(body.next.iter().copied());
        let kept = kept(&body.graph, &homes);
        let outside = vec![None; body.graph.len()];
        Split {
            outer,
            scan,
            body,
            operands,
            homes,
            forward: Vec::new(),
            reverse: Vec::new(),
            captures: Vec::new(),
            stacked: Vec::new(),
            in_reverse,
            kept,
            outside,
        }
    }

    pub fn home(&self, node: NodeId) -> Home {
        self.homes[node.0 as usize]
    }

    /// Where a value of each step is found from outside of both scans.
    pub fn source(&mut self, node: NodeId) -> Source {
        if let Some((result, _)) = self.body.collected_seeds.iter().find(|(_, seed)| *seed == node) {
            return Source::Adjoint(*result);
        }
        match self.home(node) {
            Home::Outside => Source::Outer(self.copy_outside(node)),
            Home::Forward => Source::Forward(place_of(&mut self.forward, node)),
            Home::Reverse => match &self.body.graph[node].op {
                // What the reverse scan does not need itself is a large product outside of it instead of many
                // small ones.
                Op::Loop(body) if !self.in_reverse[node.0 as usize] && body.as_function().is_none() => {
                    if let Some(at) = self.stacked.iter().position(|(it, ..)| *it == node) {
                        return Source::Stacked(at);
                    }
                    let (body, sources) = stacks::with_sources(self, node, body);
                    self.stacked.push((node, body, sources));
                    Source::Stacked(self.stacked.len() - 1)
                }
                _ => Source::Reverse(place_of(&mut self.reverse, node)),
            },
        }
    }

    /// A node that is the same in every step, computed before the scan.
    fn copy_outside(&mut self, node: NodeId) -> NodeId {
        let mut waiting = vec![node];
        while let Some(top) = waiting.last().copied() {
            let it = &self.body.graph[top];
            let open: Vec<NodeId> =
                it.operands.iter().copied().filter(|id| self.outside[id.0 as usize].is_none()).collect();
            if !open.is_empty() {
                waiting.extend(open);
                continue;
            }
            waiting.pop();
            let copy = match &it.op {
                Op::Capture { index, .. } => self.operands[self.scan.n_carries + *index as usize],
                op => {
                    let operands =
                        it.operands.iter().map(|id| self.outside[id.0 as usize].expect("copied before"));
                    let operands = operands.collect();
                    self.outer.add_from(op.clone(), operands, &it.origin)
                }
            };
            self.outside[top.0 as usize] = Some(copy);
        }
        self.outside[node.0 as usize].expect("copied above")
    }
}

fn place_of(list: &mut Vec<NodeId>, node: NodeId) -> usize {
    list.iter().position(|it| *it == node).unwrap_or_else(|| {
        list.push(node);
        list.len() - 1
    })
}

fn homes(graph: &Graph, step: StepId) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::with_capacity(graph.len());
    for (_, node) in graph.nodes() {
        let operands = node.operands.iter().map(|id| homes[id.0 as usize]);
        let of_operands = operands.fold(Home::Outside, |most, home| match (most, home) {
            (Home::Reverse, _) | (_, Home::Reverse) => Home::Reverse,
            (Home::Forward, _) | (_, Home::Forward) => Home::Forward,
            (Home::Outside, Home::Outside) => Home::Outside,
        });
        let it = match &node.op {
            Op::Capture { index, .. } if *index >= FIRST_SEED => Home::Reverse,
            Op::Carry { .. } | Op::Rand { .. } | Op::Scan(_) | Op::Result(_) => Home::Forward,
            Op::Loop(body) if uses_step(body, step) => Home::Forward,
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Loop(_)
            | Op::Reshape { .. }
            | Op::Mark(_)
            | Op::Capture { .. } => Home::Outside,
        };
        homes.push(match (it, of_operands) {
            (Home::Reverse, _) | (_, Home::Reverse) => Home::Reverse,
            (Home::Forward, _) | (_, Home::Forward) => Home::Forward,
            (Home::Outside, Home::Outside) => Home::Outside,
        });
    }
    homes
}

/// Which forward values are stacked rather than computed again: all that are not elementwise, and elementwise
/// ones of several of those.
fn kept(graph: &Graph, homes: &[Home]) -> Vec<bool> {
    let mut kept: Vec<bool> = Vec::with_capacity(graph.len());
    for (id, node) in graph.nodes() {
        let stacked = node.operands.iter().filter(|operand| kept[operand.0 as usize]).count();
        kept.push(
            homes[id.0 as usize] == Home::Forward
                && match &node.op {
                    Op::Loop(body) if body.combine == Combine::Set => stacked > 1,
                    Op::Reshape { .. } | Op::Mark(_) | Op::Scan(_) => false,
                    Op::Input { .. }
                    | Op::Param { .. }
                    | Op::State { .. }
                    | Op::Const(_)
                    | Op::Loop(_)
                    | Op::Rand { .. }
                    | Op::Result(_)
                    | Op::Carry { .. }
                    | Op::Capture { .. } => true,
                },
        );
    }
    kept
}

fn uses_step(body: &Loop, step: StepId) -> bool {
    let in_sub = |sub: &Sub| matches!(sub, Sub::Affine(affine) if affine.uses(Var::Step(step)));
    body.write.iter().any(in_sub)
        || body.body.nodes.iter().any(|scalar| match scalar {
            Scalar::Affine(affine) => affine.uses(Var::Step(step)),
            Scalar::Read { subs, .. } => subs.iter().any(in_sub),
            _ => false,
        })
}
