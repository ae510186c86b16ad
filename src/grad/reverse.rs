//! The body of a reverse scan: the part of a differentiated body that the adjoints of the carries need.

use super::scans::{DependsOn, Split};
use super::stacks::Source;
use crate::ir::{Affine, Graph, NodeId, Op, OutputKey, StepId, Var};

/// What the reverse scan does with a node of the differentiated body.
enum Role {
    /// It computes the node.
    Copy,
    /// It reads the whole tensor from outside.
    Capture(Source),
    /// It reads the element of this step from a stack.
    Slice(Source),
    /// The node is a carry of the reverse scan.
    Carry(usize),
}

fn role(split: &mut Split<'_>, node: NodeId) -> Role {
    let body = split.body;
    if let Some(place) = body.carry_seeds.iter().position(|seed| *seed == node) {
        return Role::Carry(place);
    }
    if let Some((result, _)) = body.collected_seeds.iter().find(|(_, seed)| *seed == node) {
        return Role::Slice(Source::Adjoint(*result));
    }
    let old = &body.graph[node];
    match split.depends_on(node) {
        DependsOn::Adjoints => Role::Copy,
        DependsOn::Captures => match &old.op {
            Op::Loop(_) | Op::Const(_) if old.operands.is_empty() => Role::Copy,
            _ => Role::Capture(split.source(node)),
        },
        // Elementwise values are computed again, which is cheaper than keeping them for every step.
        DependsOn::Step if split.kept[node.0 as usize] => Role::Slice(split.source(node)),
        DependsOn::Step => Role::Copy,
    }
}

/// The body of the reverse scan: its outputs are the adjoints of the carries, then what it collects.
pub fn body(split: &mut Split<'_>, step: StepId) -> Graph {
    let body = split.body;
    let mut roles: Vec<Option<Role>> = (0..body.graph.len()).map(|_| None).collect();
    let mut waiting: Vec<NodeId> = body.next.iter().copied().chain(split.reverse.iter().copied()).collect();
    while let Some(node) = waiting.pop() {
        if roles[node.0 as usize].is_none() {
            let role = role(split, node);
            if matches!(role, Role::Copy) {
                waiting.extend(&body.graph[node].operands);
            }
            roles[node.0 as usize] = Some(role);
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
            let at = split.captures.iter().position(|other| *other == source).unwrap_or_else(|| {
                split.captures.push(source.clone());
                split.captures.len() - 1
            });
            reverse.add(Op::Capture { index: at as u32, ty }, Vec::new())
        };
        places[id.0 as usize] = match roles[id.0 as usize].take() {
            None => None,
            Some(Role::Carry(place)) => {
                Some(reverse.add(Op::Carry { index: place as u32, ty: node.ty.clone() }, Vec::new()))
            }
            Some(Role::Capture(source)) => Some(capture(&mut reverse, split, source)),
            Some(Role::Slice(source)) => {
                let stack = capture(&mut reverse, split, source);
                Some(reverse.element_at(stack, step))
            }
            Some(Role::Copy) => {
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
        // The adjoint of a carry gets the name of the carry.
        let carry = body.carries.get(at).map(|carry| split.scan.body.outputs[*carry].name.clone());
        reverse.output(carry.unwrap_or_else(|| OutputKey::named(at.to_string())), node);
    }
    reverse
}

/// The same op with another name for the step.
pub fn with_step(op: &Op, from: StepId, to: StepId) -> Op {
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
