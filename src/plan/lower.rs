//! From the nodes of a static graph to steps over buffers, one step for each node that computes.
//!
//! Every value is a view of a buffer, which is chosen here: a tensor of the caller, a constant, the row of a scan's
//! stack, or a temporary, which [`super::memory`] places in the arena.

use crate::ir::hash::FastMap;
use super::address::leading_bare;
use super::order::{self, Update};
use super::product;
use super::{Buffer, BufferId, External, Name, Nest, Place, PlanError, Rand, Stage, Step, View};
use crate::base::philox::stream_of;
use crate::ir::ranges::{self, OfGraph, Range};
use crate::ir::{
    Affine, Combine, Dim, Elem, ExternalKey, Graph, Loop, Node, NodeId, Op, Scalar, ScalarId, Sub,
};
use crate::ir::{Body, Number, Phase, Sizes, StepId, rewrite};
use std::sync::Arc;

/// The buffers and external tensors so far.
#[derive(Default)]
pub(super) struct Lowering {
    pub buffers: Vec<Buffer>,
    pub externals: Vec<External>,
    slots: FastMap<ExternalKey, BufferId>,
    /// The first unused step id.
    next_step: u32,
    /// Whether matrix products are recognised.
    products: bool,
}

/// The values of a graph: the whole one, or the body of a scan.
pub(super) struct Frame<'g> {
    pub graph: &'g Graph,
    /// The ranges of its ints.
    pub known: OfGraph,
    /// The nodes that the outputs need.
    pub needed: Vec<bool>,
    pub values: Vec<Option<View>>,
    pub results: FastMap<NodeId, Vec<View>>,
    pub carries: Vec<View>,
    pub captures: Vec<View>,
    /// The views that nodes must write their values to, if that is decided beforehand.
    pub targets: FastMap<NodeId, View>,
    pub steps: Vec<Step>,
}

/// A copy of a value that is made at the end.
pub(super) struct Copy {
    pub from: NodeId,
    pub to: View,
    pub name: Name,
}

/// Lowers a whole graph; every temporary is still at offset 0 of the arena.
///
/// `sizes` may contain notes about the ranges of int inputs: see [`ranges::note_input`].
pub(super) fn lower(
    graph: &Graph,
    products: bool,
    sizes: &Sizes,
) -> Result<(Lowering, Vec<Step>), PlanError> {
    let mut lowering = Lowering { next_step: rewrite::fresh_step(graph).0, products, ..Lowering::default() };
    let known = ranges::of_graph(graph, &|input| ranges::range_of_input(sizes, input));
    let mut frame = Frame::new(graph, known, Vec::new(), Vec::new());
    let needed = frame.needed.clone();
    for (id, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        if let Some(key) = leaf_key(&node.op) {
            lowering.external(&key, node, frame.known.node(id), false)?;
        }
    }
    let mut updates = Vec::new();
    let mut targets = Vec::new();
    for output in &graph.outputs {
        let new = order::root(graph, output.node);
        let variable = output.name.variable();
        let old = variable.as_ref().and_then(|variable| {
            let is_old = |op: &Op| leaf_key(op).as_ref() == Some(variable);
            graph.nodes().find_map(|(id, node)| (needed[id.0 as usize] && is_old(&node.op)).then_some(id))
        });
        let name = variable.unwrap_or_else(|| ExternalKey::Output(output.name.clone()));
        if old == Some(new) {
            continue;
        }
        let buffer = lowering.external(&name, &graph[output.node], frame.known.node(output.node), true)?;
        updates.push(Update { old, new });
        targets.push((output.node, View::contiguous(buffer, 0, shape_of(&graph[output.node])?), name));
    }
    let order = order::order(graph, &needed, &updates);
    let mut copies = Vec::new();
    for ((node, view, name), in_place) in targets.into_iter().zip(&order.in_place) {
        let producer = order::root(graph, node);
        if *in_place {
            frame.targets.insert(producer, view.reshaped(shape_of(&graph[producer])?));
        } else {
            let origin = &graph[producer].origin;
            copies.push(Copy {
                from: node,
                to: view,
                name: Name {
                    text: format!("copy to {name}"),
                    phase: origin.phase,
                    span: origin.span,
                    ..Name::default()
                },
            });
        }
    }
    lowering.lower_nodes(&mut frame, &order.nodes, copies)?;
    Ok((lowering, frame.steps))
}

impl<'g> Frame<'g> {
    pub fn new(graph: &'g Graph, known: OfGraph, carries: Vec<View>, captures: Vec<View>) -> Frame<'g> {
        let values = vec![None; graph.len()];
        let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
        let (results, targets) = (FastMap::default(), FastMap::default());
        Frame { graph, known, needed, values, results, carries, captures, targets, steps: Vec::new() }
    }

    pub fn value(&self, id: NodeId) -> &View {
        self.values[id.0 as usize].as_ref().expect("operands come first")
    }
}

impl Lowering {
    pub fn lower_nodes(
        &mut self,
        frame: &mut Frame<'_>,
        nodes: &[NodeId],
        copies: Vec<Copy>,
    ) -> Result<(), PlanError> {
        let graph = frame.graph;
        // Leaves have their buffers already; one that is overwritten before it is read is copied at the beginning.
        for id in nodes {
            if let Some(view) = self.leaf(frame, *id)? {
                frame.values[id.0 as usize] = Some(view);
            }
        }
        let overwritten: Vec<BufferId> = frame
            .targets
            .values()
            .map(|view| view.buffer)
            .chain(copies.iter().map(|copy| copy.to.buffer))
            .collect();
        let mut at_end = Vec::new();
        for copy in copies {
            let source = &frame.values[order::root(graph, copy.from).0 as usize];
            let early = source.as_ref().filter(|view| overwritten.contains(&view.buffer));
            if let Some(view) = early {
                let elem = graph.elem(copy.from);
                let kept = self.temporary(elem, frame.known.node(copy.from), view.shape.clone());
                frame.steps.push(copy_step(view.clone(), kept.clone(), elem, copy.name.clone()));
                at_end.push((Some(kept), copy));
            } else {
                at_end.push((None, copy));
            }
        }
        for id in nodes {
            if frame.values[id.0 as usize].is_none() {
                self.lower_node(frame, *id)?;
            }
        }
        for (kept, copy) in at_end {
            let source = kept.unwrap_or_else(|| frame.value(copy.from).clone());
            let source = source.reshaped(copy.to.shape.clone());
            frame.steps.push(copy_step(source, copy.to, graph.elem(copy.from), copy.name));
        }
        Ok(())
    }

    fn leaf(&mut self, frame: &Frame<'_>, id: NodeId) -> Result<Option<View>, PlanError> {
        let (node, range) = (&frame.graph[id], frame.known.node(id));
        Ok(match &node.op {
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } => {
                let key = leaf_key(&node.op).expect("a leaf is given by the caller");
                let buffer = self.external(&key, node, range, false)?;
                Some(View::contiguous(buffer, 0, shape_of(node)?))
            }
            Op::Const(value) => {
                let shape = shape_of(node)?;
                let len = shape.iter().product::<i64>() as usize;
                let buffer = self.add_buffer(node.ty.elem, range, len, Place::Const(value.clone()));
                Some(View::contiguous(buffer, 0, shape))
            }
            Op::Carry { index, .. } => Some(frame.carries[*index as usize].clone()),
            Op::Capture { index, .. } => Some(frame.captures[*index as usize].clone()),
            Op::Loop(_) | Op::Reshape { .. } | Op::Rand { .. } | Op::Mark(_) => None,
            Op::Scan(_) | Op::Result(_) => None,
        })
    }

    fn lower_node(&mut self, frame: &mut Frame<'_>, id: NodeId) -> Result<(), PlanError> {
        let graph = frame.graph;
        let node = &graph[id];
        let view = match &node.op {
            Op::Loop(body) => {
                let operands: Vec<View> =
                    node.operands.iter().map(|operand| frame.value(*operand).clone()).collect();
                let target = self.target(frame, id)?;
                let elems: Vec<Elem> = node.operands.iter().map(|operand| graph.elem(*operand)).collect();
                let name = name_of(node, "matmul");
                let gemm = self.products.then(|| product::gemm(body, &operands, &elems, &target, &name));
                match gemm.flatten() {
                    Some(steps) => frame.steps.extend(steps),
                    None => {
                        let body = body.clone();
                        let name = name_of(node, &describe(&body));
                        let stage = Stage { body, operands, target: target.clone(), accumulate: false };
                        frame.steps.push(Step::Nest(nest(stage, name)));
                    }
                }
                target
            }
            Op::Reshape { .. } | Op::Mark(_) => frame.value(node.operands[0]).reshaped(shape_of(node)?),
            Op::Rand { kind, stream, step, step_axes, .. } => {
                let target = self.target(frame, id)?;
                frame.steps.push(Step::Rand(Rand {
                    name: name_of(node, "random numbers"),
                    kind: *kind,
                    stream: stream_of(stream),
                    target: target.clone(),
                    step_axes: *step_axes as usize,
                    step: step.clone(),
                }));
                target
            }
            Op::Scan(scan) => {
                let results = self.lower_scan(frame, id, scan)?;
                frame.results.insert(id, results);
                // A scan has no value of its own; its view only marks that it was lowered.
                return Ok(());
            }
            Op::Result(index) => frame.results[&node.operands[0]][*index as usize].clone(),
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_) => return Ok(()),
            Op::Carry { .. } | Op::Capture { .. } => return Ok(()),
        };
        frame.values[id.0 as usize] = Some(view);
        Ok(())
    }

    fn target(&mut self, frame: &mut Frame<'_>, id: NodeId) -> Result<View, PlanError> {
        let node = &frame.graph[id];
        match frame.targets.remove(&id) {
            Some(view) => Ok(view),
            None => Ok(self.temporary(node.ty.elem, frame.known.node(id), shape_of(node)?)),
        }
    }

    pub fn fresh_step(&mut self) -> StepId {
        self.next_step += 1;
        StepId(self.next_step - 1)
    }

    /// A new temporary in the arena.
    pub fn temporary(&mut self, elem: Elem, range: Range, shape: Vec<i64>) -> View {
        let len = shape.iter().product::<i64>() as usize;
        View::contiguous(self.add_buffer(elem, range, len, Place::Arena(0)), 0, shape)
    }

    pub fn add_buffer(&mut self, elem: Elem, range: Range, len: usize, place: Place) -> BufferId {
        self.buffers.push(Buffer { elem, range, len, place });
        BufferId(self.buffers.len() as u32 - 1)
    }

    fn external(
        &mut self,
        name: &ExternalKey,
        node: &Node,
        range: Range,
        written: bool,
    ) -> Result<BufferId, PlanError> {
        if let Some(buffer) = self.slots.get(name) {
            if let Place::External(slot) = self.buffers[buffer.0 as usize].place {
                self.externals[slot as usize].written |= written;
            }
            return Ok(*buffer);
        }
        let shape: Vec<usize> = shape_of(node)?.into_iter().map(|size| size as usize).collect();
        let slot = self.externals.len() as u32;
        let elem = node.ty.elem;
        let buffer = self.add_buffer(elem, range, shape.iter().product(), Place::External(slot));
        let wide = self.buffers[buffer.0 as usize].is_wide();
        self.externals.push(External { name: name.clone(), elem, wide, shape, written });
        self.slots.insert(name.clone(), buffer);
        Ok(buffer)
    }
}

/// As what the caller gives the tensor of a leaf.
fn leaf_key(op: &Op) -> Option<ExternalKey> {
    match op {
        Op::Input { name, .. } => Some(ExternalKey::Input(name.clone())),
        Op::Param { path, .. } => Some(ExternalKey::Param(path.clone())),
        Op::State { path, .. } => Some(ExternalKey::State(path.clone())),
        Op::Const(_) | Op::Loop(_) | Op::Reshape { .. } | Op::Rand { .. } | Op::Mark(_) => None,
        Op::Scan(_) | Op::Result(_) | Op::Carry { .. } | Op::Capture { .. } => None,
    }
}

/// The sizes of a node's value, with a bound on their product.
pub(super) fn shape_of(node: &Node) -> Result<Vec<i64>, PlanError> {
    let shape: Vec<i64> = node.ty.shape.iter().map(size).collect::<Result<_, _>>()?;
    let count = shape.iter().try_fold(1i64, |product, size| product.checked_mul(*size));
    match count {
        Some(count) if count < 1 << 40 => Ok(shape),
        _ => Err(PlanError::TooLarge(node.ty.to_string())),
    }
}

pub(super) fn size(dim: &Dim) -> Result<i64, PlanError> {
    match dim.as_number() {
        Some(size) if size >= 0 => Ok(size),
        _ => Err(PlanError::Open(dim.to_string())),
    }
}

/// One loop as a nest: the leading indices that the target has bare are shared.
fn nest(stage: Stage, name: Name) -> Nest {
    let shared = leading_bare(&stage.body);
    Nest { name, shared, stages: vec![stage], pieces: 1 }
}

/// Adds up `count` tensors that are `distance` elements apart, to the view of the first but in another buffer.
pub(super) fn sum_step(
    from: &View,
    (count, distance): (i64, i64),
    to: BufferId,
    accumulate: bool,
    name: Name,
) -> Step {
    let first = from.without_repeats();
    let to = View { buffer: to, ..first.clone() };
    let with = |one: i64, others: &[i64]| std::iter::once(one).chain(others.iter().copied()).collect();
    let all = View { shape: with(count, &first.shape), strides: with(distance, &first.strides), ..first };
    let sizes: Vec<Dim> = to.shape.iter().map(|size| Dim::number(*size)).collect();
    let index = |at: usize| Sub::Affine(Affine::index(at));
    let write: Vec<Sub> = (0..sizes.len()).map(index).collect();
    let subs = std::iter::once(index(sizes.len())).chain(write.clone()).collect();
    let nodes = vec![Scalar::Read { operand: 0, subs, padded: false }];
    let body = Body { nodes, result: ScalarId(0) };
    let domain = sizes.iter().cloned().chain([Dim::number(count)]).collect();
    let body = Loop { domain, shape: sizes, write, dropping: false, combine: Combine::Add, body };
    let stage = Stage { body: Arc::new(body), operands: vec![all], target: to, accumulate };
    Step::Nest(nest(stage, name))
}

/// Sets all elements to 0.
pub(super) fn fill_step(to: View, name: Name) -> Step {
    let shape: Vec<Dim> = to.shape.iter().map(|size| Dim::number(*size)).collect();
    let write: Vec<Sub> = (0..shape.len()).map(|axis| Sub::Affine(Affine::index(axis))).collect();
    let body = Body { nodes: vec![Scalar::Float(Number(0.0))], result: ScalarId(0) };
    let body = Loop { domain: shape.clone(), shape, write, dropping: false, combine: Combine::Set, body };
    let stage = Stage { body: Arc::new(body), operands: Vec::new(), target: to, accumulate: false };
    Step::Nest(nest(stage, name))
}

pub(super) fn copy_step(from: View, to: View, elem: Elem, name: Name) -> Step {
    let shape: Vec<Dim> = to.shape.iter().map(|size| Dim::number(*size)).collect();
    let write: Vec<Sub> = (0..shape.len()).map(|axis| Sub::Affine(Affine::index(axis))).collect();
    debug_assert!(matches!(elem, Elem::Float | Elem::Int | Elem::Bool));
    let nodes = vec![Scalar::Read { operand: 0, subs: write.clone(), padded: false }];
    let body = Body { nodes, result: ScalarId(0) };
    let body = Loop { domain: shape.clone(), shape, write, dropping: false, combine: Combine::Set, body };
    let stage = Stage { body: Arc::new(body), operands: vec![from], target: to, accumulate: false };
    Step::Nest(nest(stage, name))
}

pub(super) fn name_of(node: &Node, what: &str) -> Name {
    let phase: Phase = node.origin.phase;
    let text = match &node.origin.path {
        Some(path) if !path.is_empty() => format!("{path} {what}"),
        _ => what.to_string(),
    };
    Name { text, phase, span: node.origin.span, ..Name::default() }
}

/// A word or two for what a loop does.
pub(super) fn describe(body: &Loop) -> String {
    let reduces =
        body.write.iter().filter(|sub| matches!(sub, Sub::Affine(affine) if affine.as_index().is_some()));
    let reduces = reduces.count() < body.domain.len();
    let word = match body.combine {
        Combine::Set => expression_word(&body.body),
        Combine::Add if reduces => "sum",
        Combine::Add => "add",
        Combine::Mul => "product",
        Combine::Max => "max",
        Combine::Min => "min",
        Combine::ArgMax => "argmax",
        Combine::ArgMin => "argmin",
    };
    word.to_string()
}

/// The most characteristic operation of an expression.
fn expression_word(body: &Body) -> &'static str {
    let mut word = "copy";
    for scalar in &body.nodes {
        match scalar {
            Scalar::Unary(op, _) if word == "copy" || !op.name().is_empty() => word = op.name(),
            Scalar::Binary(op, ..) if word == "copy" => word = op.name(),
            Scalar::Select(..) if word == "copy" => word = "select",
            _ => {}
        }
    }
    match &body[body.result] {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) => "fill",
        Scalar::Affine(_) => "indices",
        Scalar::Read { .. } | Scalar::Unary(..) | Scalar::Binary(..) => word,
        Scalar::Select(..) | Scalar::WithSlope { .. } => word,
    }
}
