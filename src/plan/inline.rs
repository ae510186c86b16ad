//! Producer-consumer fusion: inlines elementwise loops into the loops that read them, so that their values never go
//! to memory.
//!
//! A loop that is a map (each element is an expression of its subscripts) is put in place of its reads if that
//! costs little: its only reader computes each element once, or it is so cheap (a transpose, a broadcast, a
//! constant) that memory would cost more. Operands of matrix products stay tensors.

use super::address::{extents, reads};
use super::pieces::loop_ns;
use super::rebuild::rebuild;
use super::split::is_product;
use crate::ir::{Affine, Dim, Graph, Loop, LoopBuilder, Node, NodeId, Op, Scalar, Sub, Var, compose};
use std::cell::RefCell;
use std::collections::HashMap;

/// Expressions do not grow beyond this many scalars, or this many operands.
const MOST_SCALARS: usize = 96;
const MOST_OPERANDS: usize = 12;
/// Nanoseconds for one element below which computing it again costs no more than reading it.
const CHEAP_NS: f64 = 0.35;

/// Inlines what is worth it.
pub(super) fn inline(graph: &Graph) -> Graph {
    // The numbers of uses are counted once for each graph: the outermost one and the bodies of scans.
    let counts: RefCell<HashMap<*const Graph, Vec<u32>>> = RefCell::default();
    rebuild(graph, &|new, (old, _), node, operands| match &node.op {
        Op::Loop(body) => {
            let mut counts = counts.borrow_mut();
            let counts = counts.entry(std::ptr::from_ref(old)).or_insert_with(|| count_uses(old));
            inline_into(new, node, body, &operands, counts)
        }
        _ => None,
    })
}

/// How often each node is an operand or output.
pub(super) fn count_uses(graph: &Graph) -> Vec<u32> {
    let mut counts = vec![0; graph.len()];
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    for (_, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        node.operands.iter().for_each(|operand| counts[operand.0 as usize] += 1);
    }
    graph.outputs.iter().for_each(|output| counts[output.node.0 as usize] += 1);
    counts
}

fn inline_into(
    graph: &mut Graph,
    node: &Node,
    body: &Loop,
    operands: &[NodeId],
    counts: &[u32],
) -> Option<NodeId> {
    let product = is_product(body);
    // What a product in windows reads lies as it should already.
    let reads_windows = !reads_one_index_each(body);
    let in_windows = product && reads_windows;
    let points: f64 = extents(body).iter().map(|size| *size as f64).product();
    let mut inlined = vec![false; operands.len()];
    let (mut scalars, mut n_operands) = (body.body.nodes.len(), operands.len());
    for (at, operand) in operands.iter().enumerate() {
        let Some((producer, extra_operands)) = function_of(graph, *operand) else { continue };
        let mut places: Vec<&[Sub]> = Vec::new();
        for (_, subs, _) in reads(body).filter(|(operand, ..)| *operand == at) {
            if !places.contains(&subs) {
                places.push(subs);
            }
        }
        let padded = reads(body).any(|(operand, _, padded)| operand == at && padded);
        let elements: f64 = extents(producer).iter().map(|size| *size as f64).product();
        let element_ns = if elements > 0.0 { loop_ns(producer) / elements } else { 0.0 };
        let times = points * places.len() as f64 / elements.max(1.0);
        let only_use = counts[node.operands[at].0 as usize] == 1;
        let view = producer.is_view() && reads_by_place(producer);
        let worth = if product {
            !in_windows && view && !padded && reads_one_index_each(producer)
        } else if only_use {
            times <= 1.0 || element_ns <= CHEAP_NS || (view && reads_by_place(producer))
        } else {
            element_ns <= CHEAP_NS / 2.0 && (view || producer.body.nodes.len() <= 2)
        };
        let grown = scalars + places.len() * producer.body.nodes.len();
        // A copy with zeros around it is there so that windows need not be tested.
        let surrounds = reads(producer).any(|(_, _, padded)| padded) && reads_windows;
        if !worth || padded || surrounds || grown > MOST_SCALARS || n_operands + extra_operands > MOST_OPERANDS {
            continue;
        }
        inlined[at] = true;
        scalars = grown;
        n_operands += extra_operands;
    }
    if !inlined.contains(&true) {
        return None;
    }
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut failed = false;
    let mut make = |l: &mut LoopBuilder<'_>, _: usize, scalar: Scalar| {
        if let Scalar::Read { operand, subs, padded: false } = &scalar {
            let node = l.operands()[*operand as usize];
            let slot = operands.iter().position(|operand| *operand == node);
            if slot.is_some_and(|slot| inlined[slot]) {
                match read_inlined(l, graph, node, subs) {
                    Some(value) => return value,
                    None => failed = true,
                }
            }
        }
        l.add(scalar)
    };
    let places = compose::paste(&mut l, &body.body, operands, &mut compose::same, &mut make);
    if failed {
        return None;
    }
    let write = body.write.iter().map(|sub| compose::paste_sub(&mut l, sub, &places, &mut compose::same));
    let write = write.collect();
    let value = places[body.body.result.0 as usize];
    let made = l.finish(body.shape.clone(), write, body.dropping, body.combine, value);
    Some(graph.add_loop(made))
}

/// The loop behind an operand, through reshapes, if it is a map; and how many operands it has.
fn function_of(graph: &Graph, id: NodeId) -> Option<(&Loop, usize)> {
    let node = &graph[id];
    match &node.op {
        Op::Loop(body) => body.as_function().map(|_| (body.as_ref(), node.operands.len())),
        Op::Reshape { .. } => {
            merged_axes(graph.shape(node.operands[0]), graph.shape(id))?;
            function_of(graph, node.operands[0])
        }
        _ => None,
    }
}

/// The element `node[subs]` as an expression of what the loop behind it reads.
fn read_inlined(
    l: &mut LoopBuilder<'_>,
    graph: &Graph,
    node: NodeId,
    subs: &[Sub],
) -> Option<crate::ir::ScalarId> {
    if let Op::Reshape { .. } = graph[node].op {
        let inner = graph[node].operands[0];
        let axes = merged_axes(graph.shape(inner), graph.shape(node))?;
        let subs = through_reshape(&axes, graph.shape(node), subs)?;
        return read_inlined(l, graph, inner, &subs);
    }
    compose::inline(l, graph, node, subs, false, &mut |l, _, scalar| l.add(scalar))
}

/// For each axis before a reshape the axes after it that it was split into; `None` if axes were joined.
fn merged_axes(from: &[Dim], to: &[Dim]) -> Option<Vec<std::ops::Range<usize>>> {
    let mut next = 0;
    let mut axes = Vec::with_capacity(from.len());
    for size in from {
        let (start, mut product) = (next, 1);
        let size = size.as_number()?;
        while product < size && next < to.len() {
            product *= to[next].as_number()?;
            next += 1;
        }
        if product != size {
            return None;
        }
        axes.push(start..next);
    }
    to[next..].iter().all(|size| size.is_number(1)).then_some(axes)
}

fn through_reshape(axes: &[std::ops::Range<usize>], to: &[Dim], subs: &[Sub]) -> Option<Vec<Sub>> {
    let joined = axes.iter().map(|range| {
        if range.len() == 1 {
            return Some(subs[range.start].clone());
        }
        let mut sum = Affine::constant(0i64);
        for axis in range.clone() {
            let Sub::Affine(sub) = &subs[axis] else { return None };
            sum = sum.scale(&to[axis]).add(sub);
        }
        Some(Sub::Affine(sum))
    });
    joined.collect()
}

/// Whether no subscript of a view has two indices. (A view with windows cannot be an operand of a matrix product.)
fn reads_one_index_each(body: &Loop) -> bool {
    reads(body).all(|(_, subs, _)| {
        subs.iter().all(|sub| matches!(sub, Sub::Affine(affine) if affine.terms.len() <= 1))
    })
}

/// Whether all subscripts of a body's reads are affine, so that it is a view with strides.
fn reads_by_place(body: &Loop) -> bool {
    reads(body).all(|(_, subs, padded)| {
        !padded
            && subs.iter().all(|sub| match sub {
                Sub::Affine(affine) => affine.terms.iter().all(|(var, _)| matches!(var, Var::Index(_))),
                Sub::Value(_) => false,
            })
    })
}
