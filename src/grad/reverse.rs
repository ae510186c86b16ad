//! The body of a reverse scan: the part of a differentiated body that the adjoints of the carries need.

use super::scans::{Home, Split};
use super::stacks::Source;
use crate::ir::{Affine, Dim, Graph, LoopBuilder, NodeId, Op, OutputKey, StepId, Sub, Var};

/// What the reverse scan does with a node of the differentiated body.
enum Part {
    /// Computes it.
    Copy,
    /// Reads it whole.
    Capture(Source),
    /// Reads the element of this step.
    Slice(Source),
    /// Has it as a carry.
    Carry(usize),
}

fn part(split: &mut Split<'_>, node: NodeId) -> Part {
    let body = split.body;
    if let Some(place) = body.carry_seeds.iter().position(|seed| *seed == node) {
        return Part::Carry(place);
    }
    if let Some((result, _)) = body.collected_seeds.iter().find(|(_, seed)| *seed == node) {
        return Part::Slice(Source::Adjoint(*result));
    }
    let it = &body.graph[node];
    match split.home(node) {
        Home::Reverse => Part::Copy,
        Home::Outside => match &it.op {
            Op::Loop(_) | Op::Const(_) if it.operands.is_empty() => Part::Copy,
            _ => Part::Capture(split.source(node)),
        },
        // Elementwise values are computed again: that is cheaper than to keep them for every step.
        Home::Forward if split.kept[node.0 as usize] => Part::Slice(split.source(node)),
        Home::Forward => Part::Copy,
    }
}

/// The body of the reverse scan: its outputs are the adjoints of the carries, then what it collects.
pub fn body(split: &mut Split<'_>, step: StepId) -> Graph {
    let body = split.body;
    let mut parts: Vec<Option<Part>> = (0..body.graph.len()).map(|_| None).collect();
    let mut waiting: Vec<NodeId> = body.next.iter().copied().chain(split.reverse.iter().copied()).collect();
    while let Some(node) = waiting.pop() {
        if parts[node.0 as usize].is_none() {
            let part = part(split, node);
            if matches!(part, Part::Copy) {
                waiting.extend(&body.graph[node].operands);
            }
            parts[node.0 as usize] = Some(part);
        }
    }
    let mut reverse = Graph::new();
    let mut places: Vec<Option<NodeId>> = vec![None; body.graph.len()];
    for (id, node) in body.graph.nodes() {
        reverse.origin = node.origin.clone();
        let capture = |reverse: &mut Graph, split: &mut Split<'_>, source: Source| {
            let mut ty = node.ty.clone();
            if !matches!(source, Source::Outer(_)) {
                ty.shape.insert(0, split.scan.trip.clone());
            }
            let at = split.captures.iter().position(|it| *it == source).unwrap_or_else(|| {
                split.captures.push(source.clone());
                split.captures.len() - 1
            });
            reverse.add(Op::Capture { index: at as u32, ty }, Vec::new())
        };
        places[id.0 as usize] = match parts[id.0 as usize].take() {
            None => None,
            Some(Part::Carry(place)) => {
                Some(reverse.add(Op::Carry { index: place as u32, ty: node.ty.clone() }, Vec::new()))
            }
            Some(Part::Capture(source)) => Some(capture(&mut reverse, split, source)),
            Some(Part::Slice(source)) => {
                let stack = capture(&mut reverse, split, source);
                Some(slice(&mut reverse, stack, step))
            }
            Some(Part::Copy) => {
                let operands =
                    node.operands.iter().map(|operand| places[operand.0 as usize].expect("needed too"));
                let operands = operands.collect();
                Some(reverse.add(with_step(&node.op, split.scan.step, step), operands))
            }
        };
    }
    let place = |node: &NodeId| places[node.0 as usize].expect("outputs are needed");
    let outputs: Vec<NodeId> = body.next.iter().chain(&split.reverse).map(place).collect();
    for (at, node) in outputs.into_iter().enumerate() {
        // The adjoint of a carry is called like the carry.
        let carry = body.carries.get(at).map(|carry| split.scan.body.outputs[*carry].name.clone());
        reverse.output(carry.unwrap_or_else(|| OutputKey::named(at.to_string())), node);
    }
    reverse
}

/// `stack[step, …]`.
fn slice(graph: &mut Graph, stack: NodeId, step: StepId) -> NodeId {
    let shape: Vec<Dim> = graph.shape(stack)[1..].to_vec();
    let rank = shape.len();
    let mut l = LoopBuilder::new(graph, shape);
    let mut subs = vec![Sub::Affine(Affine::step(step))];
    subs.extend((0..rank).map(|axis| l.index(axis)));
    let value = l.read(stack, subs);
    let node = l.map(value);
    graph.add_loop(node)
}

/// The same op with another name for the step.
fn with_step(op: &Op, from: StepId, to: StepId) -> Op {
    let mut renamed = |affine: &Affine| {
        Ok::<_, std::convert::Infallible>(affine.substitute(|var| match var {
            Var::Step(step) if step == from => Affine::step(to),
            _ => Affine::var(var),
        }))
    };
    match op.try_map_sizes(&mut |dim| Ok(dim.clone()), &mut renamed) {
        Ok(op) => op,
        Err(never) => match never {},
    }
}
