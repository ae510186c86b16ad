//! The derivative of a scan (backpropagation through time): a scan in the opposite direction over stored values.
//!
//! The body is differentiated like any graph, with seeds in place of the adjoints of its outputs. The nodes that
//! this adds are divided among three places:
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
use super::sweep::{self, RuleError, SweepOptions};
use super::{backward, inline_into_branches};
use crate::base::order::PutInOrder;
use crate::ir::{Combine, Graph, Loop, NodeId, Op, OutputKey, Scan, StepId, compact};
use std::sync::Arc;

/// The contributions of the scan `id` to its operands, given the adjoints of its results: pairs of the number
/// of an operand and a part of its adjoint. `wanted` marks the operands that need one.
pub fn differentiate(
    graph: &mut Graph,
    id: NodeId,
    scan: &Scan,
    adjoints: &[Option<NodeId>],
    wanted: &[bool],
    next_step: &mut u32,
    masked: bool,
) -> Result<Vec<(usize, NodeId)>, RuleError> {
    let operands = graph[id].operands.clone();
    let body = differentiate_body(scan, adjoints, wanted, next_step, masked)?;
    let reverse_step = StepId(*next_step);
    *next_step += 1;

    let mut split = Split::new(graph, scan, &body, &operands);
    let lifted = lift_constants(&mut split);
    let reverse_body = reverse::body(&mut split, reverse_step);
    let Split { forward, captures, stacked, .. } = split;

    let forward_stacks = collect_in_forward_scan(graph, id, scan, &body, &forward);
    let mut values = Values { adjoints, forward: forward_stacks, reverse: Vec::new(), stacked: Vec::new() };
    let reverse_scan = Scan {
        step: reverse_step,
        trip: scan.trip.clone(),
        reverse: !scan.reverse,
        n_carries: body.carries.len(),
        body: reverse_body,
    };
    let reverse_id = add_reverse_scan(graph, scan, &body, reverse_scan, &captures, &mut values);
    let mut contributions = Vec::new();
    for (result, carry) in body.carries.iter().enumerate() {
        if wanted[*carry] {
            contributions.push((*carry, graph.add(Op::Result(result as u32), vec![reverse_id])));
        }
    }
    for (node, body_loop, sources) in stacked {
        graph.origin = backward(&body.graph[node].origin);
        let node = stacks::build_stack(graph, &body_loop, &sources, scan, &|source| values.node(source));
        values.stacked.push(node);
    }
    let mut seeds: Vec<(NodeId, NodeId)> = Vec::new();
    for (outside, part, sum) in lifted {
        graph.origin = backward(&body.graph[part].origin);
        let node = stacks::build(graph, sum, scan, &|source| values.node(source));
        seeds.push((outside, node));
    }
    contributions.extend(capture_contributions(graph, scan, &operands, wanted, &seeds, next_step, masked)?);
    Ok(contributions)
}

/// The nodes of the outer graph that hold the values of a body.
struct Values<'a> {
    /// The adjoints of the results of the forward scan.
    adjoints: &'a [Option<NodeId>],
    /// The stacks that the forward scan collects for the reverse scan.
    forward: Vec<NodeId>,
    /// The stacks that the reverse scan collects.
    reverse: Vec<NodeId>,
    /// The stacks that are computed outside of both scans.
    stacked: Vec<NodeId>,
}

impl Values<'_> {
    fn node(&self, source: &Source) -> NodeId {
        let node = match source {
            Source::Outer(node) => Some(*node),
            Source::Forward(at) => self.forward.get(*at).copied(),
            Source::Adjoint(result) => self.adjoints[*result],
            Source::Reverse(at) => self.reverse.get(*at).copied(),
            Source::Stacked(at) => self.stacked.get(*at).copied(),
        };
        node.expect("a value is made before it is read, and only results with an adjoint are read")
    }
}

/// For each node that is the same in every step: its copy outside of the scan, the part of its adjoint in the
/// body, and how this part is summed over all steps.
fn lift_constants(split: &mut Split<'_>) -> Vec<(NodeId, NodeId, stacks::Lifted)> {
    let body = split.body;
    let mut lifted = Vec::new();
    for (constant, parts) in &body.constant_parts {
        let outside = split.copy_outside(*constant);
        for part in parts {
            lifted.push((outside, *part, stacks::lift(split, *part)));
        }
    }
    lifted
}

/// Lets the forward scan collect the values of `nodes`. Returns their stacks.
fn collect_in_forward_scan(
    graph: &mut Graph,
    id: NodeId,
    scan: &Scan,
    body: &DifferentiatedBody,
    nodes: &[NodeId],
) -> Vec<NodeId> {
    let mut extended = body.graph.clone();
    let mut results: Vec<usize> = Vec::new();
    for node in nodes {
        let collected = extended.outputs[scan.n_carries..].iter().position(|output| output.node == *node);
        results.push(collected.map(|at| at + scan.n_carries).unwrap_or_else(|| {
            extended.output(OutputKey::named(format!("stack{}", extended.outputs.len())), *node);
            extended.outputs.len() - 1
        }));
    }
    let operands = graph[id].operands.clone();
    let forward_scan = Scan { body: compact(&extended), ..scan.clone() };
    graph.replace(id, Op::Scan(Arc::new(forward_scan)), operands);
    results.iter().map(|result| graph.add(Op::Result(*result as u32), vec![id])).collect()
}

/// Adds the reverse scan, and the stacks that it collects to `values`.
fn add_reverse_scan(
    graph: &mut Graph,
    scan: &Scan,
    body: &DifferentiatedBody,
    reverse: Scan,
    captures: &[Source],
    values: &mut Values<'_>,
) -> NodeId {
    let mut operands = Vec::new();
    for carry in &body.carries {
        let shape = body.graph.shape(scan.body.outputs[*carry].node).to_vec();
        operands.push(values.adjoints[*carry].unwrap_or_else(|| graph.fill(0.0, shape)));
    }
    operands.extend(captures.iter().map(|source| values.node(source)));
    let collected = reverse.n_carries..reverse.body.outputs.len();
    let id = graph.add(Op::Scan(Arc::new(reverse)), operands);
    values.reverse = collected.map(|result| graph.add(Op::Result(result as u32), vec![id])).collect();
    id
}

/// The contributions to the captures, from the adjoints (`seeds`) of what is the same in every step.
fn capture_contributions(
    graph: &mut Graph,
    scan: &Scan,
    operands: &[NodeId],
    wanted: &[bool],
    seeds: &[(NodeId, NodeId)],
    next_step: &mut u32,
    masked: bool,
) -> Result<Vec<(usize, NodeId)>, RuleError> {
    let captured: Vec<usize> = (scan.n_carries..operands.len())
        .filter(|at| wanted[*at] && !operands[scan.n_carries..*at].contains(&operands[*at]))
        .collect();
    let variables: Vec<NodeId> = captured.iter().map(|at| operands[*at]).collect();
    let options = SweepOptions { stop_at_variables: true, masked };
    let parts = sweep::contributions(graph, seeds, &variables, next_step, options);
    let parts = parts.map_err(|error| (error.what, Some(error.origin)))?;
    let pairs = captured.into_iter().zip(parts);
    Ok(pairs.flat_map(|(capture, parts)| parts.into_iter().map(move |part| (capture, part))).collect())
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
    /// The nodes of [`used_constants`] with the parts of their adjoints.
    constant_parts: Vec<(NodeId, Vec<NodeId>)>,
}

fn differentiate_body(
    scan: &Scan,
    adjoints: &[Option<NodeId>],
    wanted: &[bool],
    next_step: &mut u32,
    masked: bool,
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
    let first_seed = first_seed(scan, wanted.len());
    // Only the differentiated body shows which carries have an adjoint, and each of them may bring about others. So
    // the body is differentiated again until no carry is added.
    loop {
        let mut graph = scan.body.clone();
        inline_into_branches(&mut graph, &outputs, &leaves);
        let constants = used_constants(&graph, scan, first_seed, &capture_leaves);
        let wrt: Vec<NodeId> = carry_leaves.iter().map(|(_, id)| *id).chain(constants.clone()).collect();
        let seed = |graph: &mut Graph, output: usize| {
            let ty = graph.ty(outputs[output]).clone();
            graph.add(Op::Capture { index: first_seed + output as u32, ty }, Vec::new())
        };
        let carry_seeds: Vec<NodeId> = carries.iter().map(|carry| seed(&mut graph, *carry)).collect();
        let collected_seeds: Vec<(usize, NodeId)> = (scan.n_carries..outputs.len())
            .filter(|output| adjoints[*output].is_some())
            .map(|output| (output, seed(&mut graph, output)))
            .collect();
        let of_carries = carries.iter().map(|carry| outputs[*carry]).zip(carry_seeds.iter().copied());
        let of_collected = collected_seeds.iter().map(|(output, seed)| (outputs[*output], *seed));
        let of: Vec<(NodeId, NodeId)> = of_carries.chain(of_collected).collect();
        let options = SweepOptions { stop_at_variables: true, masked };
        let found = sweep::contributions(&mut graph, &of, &wrt, next_step, options);
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
            carries.put_in_order();
            continue;
        }
        let mut next = Vec::new();
        for carry in &carries {
            let leaf = carry_leaves.iter().position(|(leaf, _)| leaf == carry);
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

/// The nodes that are the same in every step, are used by nodes that are not, and depend on captures that need an
/// adjoint. In the body the derivative stops at these; what they are computed from is differentiated outside of the
/// scan, once instead of in every step.
fn used_constants(graph: &Graph, scan: &Scan, first_seed: u32, captures: &[NodeId]) -> Vec<NodeId> {
    let dependences = dependences(graph, scan.step, first_seed);
    let depends = flow::dependents(graph, captures, Mode::Derivative);
    let mut used = vec![false; graph.len()];
    for (_, node) in graph.nodes().filter(|(id, _)| dependences[id.0 as usize] != DependsOn::Captures) {
        node.operands.iter().for_each(|operand| used[operand.0 as usize] = true);
    }
    graph.outputs.iter().for_each(|output| used[output.node.0 as usize] = true);
    let all =
        (0..graph.len()).filter(|at| dependences[*at] == DependsOn::Captures && depends[*at] && used[*at]);
    all.map(|at| NodeId(at as u32)).collect()
}

/// In a body that is being differentiated, the capture of this number plus `k` is the seed: the adjoint of output
/// `k` of the body. Those with lower numbers are what a scan with so many operands captures.
fn first_seed(scan: &Scan, operands: usize) -> u32 {
    (operands - scan.n_carries) as u32
}

/// A differentiated body that is being divided between the forward scan, the reverse scan and the graph around
/// them.
pub struct Split<'s> {
    /// The graph of the scan.
    pub outer: &'s mut Graph,
    pub scan: &'s Scan,
    pub body: &'s DifferentiatedBody,
    operands: &'s [NodeId],
    dependences: Vec<DependsOn>,
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
    /// For nodes that are the same in every step: their copies outside of the scan.
    outside: Vec<Option<NodeId>>,
}

/// On what a node of a differentiated body depends, and so where it is computed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DependsOn {
    /// On captures alone: it is the same in every step and computed outside of both scans.
    Captures,
    /// On carries or the step: the forward scan computes it.
    Step,
    /// On adjoints: the reverse scan computes it.
    Adjoints,
}

impl<'s> Split<'s> {
    fn new(
        outer: &'s mut Graph,
        scan: &'s Scan,
        body: &'s DifferentiatedBody,
        operands: &'s [NodeId],
    ) -> Split<'s> {
        let dependences = dependences(&body.graph, scan.step, first_seed(scan, operands.len()));
        let in_reverse = body.graph.reachable(body.next.iter().copied());
        let kept = kept(&body.graph, &dependences);
        let outside = vec![None; body.graph.len()];
        Split {
            outer,
            scan,
            body,
            operands,
            dependences,
            forward: Vec::new(),
            reverse: Vec::new(),
            captures: Vec::new(),
            stacked: Vec::new(),
            in_reverse,
            kept,
            outside,
        }
    }

    pub fn depends_on(&self, node: NodeId) -> DependsOn {
        self.dependences[node.0 as usize]
    }

    /// Where the value of a node in each step is found from outside of both scans.
    pub fn source(&mut self, node: NodeId) -> Source {
        if let Some((result, _)) = self.body.collected_seeds.iter().find(|(_, seed)| *seed == node) {
            return Source::Adjoint(*result);
        }
        match self.depends_on(node) {
            DependsOn::Captures => Source::Outer(self.copy_outside(node)),
            DependsOn::Step => Source::Forward(position_or_push(&mut self.forward, node)),
            DependsOn::Adjoints => match &self.body.graph[node].op {
                // What the reverse scan itself does not need is computed outside of it: one large product instead
                // of many small ones.
                Op::Loop(body) if !self.in_reverse[node.0 as usize] && body.as_function().is_none() => {
                    if let Some(at) = self.stacked.iter().position(|(stacked, ..)| *stacked == node) {
                        return Source::Stacked(at);
                    }
                    let (body, sources) = stacks::with_sources(self, node, body);
                    self.stacked.push((node, body, sources));
                    Source::Stacked(self.stacked.len() - 1)
                }
                _ => Source::Reverse(position_or_push(&mut self.reverse, node)),
            },
        }
    }

    /// A node that is the same in every step, computed before the scan.
    fn copy_outside(&mut self, node: NodeId) -> NodeId {
        let mut waiting = vec![node];
        while let Some(top) = waiting.last().copied() {
            let old = &self.body.graph[top];
            let open: Vec<NodeId> =
                old.operands.iter().copied().filter(|id| self.outside[id.0 as usize].is_none()).collect();
            if !open.is_empty() {
                waiting.extend(open);
                continue;
            }
            waiting.pop();
            let copy = match &old.op {
                Op::Capture { index, .. } => self.operands[self.scan.n_carries + *index as usize],
                op => {
                    let operands =
                        old.operands.iter().map(|id| self.outside[id.0 as usize].expect("copied before"));
                    let operands = operands.collect();
                    self.outer.add_from(op.clone(), operands, &old.origin)
                }
            };
            self.outside[top.0 as usize] = Some(copy);
        }
        self.outside[node.0 as usize].expect("copied above")
    }
}

/// The position of a node in a list, which gets it if it lacks it.
fn position_or_push(list: &mut Vec<NodeId>, node: NodeId) -> usize {
    list.iter().position(|other| *other == node).unwrap_or_else(|| {
        list.push(node);
        list.len() - 1
    })
}

/// On what each node of a body depends, whose captures are seeds from `first_seed` on.
fn dependences(graph: &Graph, step: StepId, first_seed: u32) -> Vec<DependsOn> {
    let mut dependences: Vec<DependsOn> = Vec::with_capacity(graph.len());
    for (_, node) in graph.nodes() {
        let by_itself = match &node.op {
            Op::Capture { index, .. } if *index >= first_seed => DependsOn::Adjoints,
            Op::Carry { .. } | Op::Rand { .. } | Op::Scan(_) | Op::Result(_) => DependsOn::Step,
            Op::Loop(body) if body.uses_step(step) => DependsOn::Step,
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Loop(_)
            | Op::Reshape { .. }
            | Op::Mark(_)
            | Op::Capture { .. } => DependsOn::Captures,
        };
        let of_operands = node.operands.iter().map(|id| dependences[id.0 as usize]);
        dependences.push(of_operands.fold(by_itself, DependsOn::max));
    }
    dependences
}

/// Which forward values the forward scan collects for the reverse scan: all that are not elementwise, and
/// elementwise ones that read several of those. The other elementwise ones are computed again (recomputation is
/// cheaper than memory).
fn kept(graph: &Graph, dependences: &[DependsOn]) -> Vec<bool> {
    let mut kept: Vec<bool> = Vec::with_capacity(graph.len());
    for (id, node) in graph.nodes() {
        let stacked = node.operands.iter().filter(|operand| kept[operand.0 as usize]).count();
        kept.push(
            dependences[id.0 as usize] == DependsOn::Step
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
