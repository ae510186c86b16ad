//! Turns the results of reductions the way their only reader reads them.
//!
//! The gradient of `x @ w.T` comes as `[in, out]` and is subtracted from a weight of `[out, in]`. Summing it
//! into `[out, in]` in the first place costs nothing, and then both lie in the same order.

use super::inline::count_uses;
use super::rebuild::rebuild;
use crate::ir::compose;
use crate::ir::{Affine, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Sub, Var};
use std::cell::RefCell;
use std::collections::HashMap;

/// Turns what is read in another order than it is written.
pub(super) fn align(graph: &Graph) -> Graph {
    let counts: RefCell<HashMap<*const Graph, Vec<u32>>> = RefCell::default();
    rebuild(graph, &|new, (old, _), node, operands| match &node.op {
        Op::Loop(body) => {
            let mut counts = counts.borrow_mut();
            let counts = counts.entry(std::ptr::from_ref(old)).or_insert_with(|| count_uses(old));
            let only: Vec<bool> =
                node.operands.iter().map(|operand| counts[operand.0 as usize] == 1).collect();
            align_operands(new, body, &operands, &only)
        }
        _ => None,
    })
}

fn align_operands(graph: &mut Graph, body: &Loop, operands: &[NodeId], only: &[bool]) -> Option<NodeId> {
    let axes = body.as_function()?;
    let mut turned = operands.to_vec();
    // For each operand, which of its old axes each new one is.
    let mut orders: Vec<Option<Vec<usize>>> = vec![None; operands.len()];
    for at in (0..operands.len()).filter(|at| only[*at]) {
        let Some(order) = reading_order(body, &axes, at) else { continue };
        let Op::Loop(producer) = &graph[operands[at]].op else { continue };
        let producer = producer.clone();
        if producer.as_function().is_some()
            || (0..order.len()).any(|axis| producer.write_index(axis).is_none())
        {
            continue;
        }
        let origin = graph[operands[at]].origin.clone();
        turned[at] = turn(graph, &producer, operands[at], &order, &origin);
        orders[at] = Some(order);
    }
    if orders.iter().all(Option::is_none) {
        return None;
    }
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut make =
        |l: &mut LoopBuilder<'_>, index: usize, scalar: Scalar| match (&body.body.nodes[index], scalar) {
            (Scalar::Read { operand, .. }, Scalar::Read { operand: new, subs, padded }) => {
                let subs = match &orders[*operand as usize] {
                    Some(order) => order.iter().map(|axis| subs[*axis].clone()).collect(),
                    None => subs,
                };
                l.add(Scalar::Read { operand: new, subs, padded })
            }
            (_, scalar) => l.add(scalar),
        };
    let places = compose::paste(&mut l, &body.body, &turned, &mut compose::same, &mut make);
    let value = places[body.body.result.0 as usize];
    let made = l.finish(body.shape.clone(), body.write.clone(), false, body.combine, value);
    Some(graph.add_loop(made))
}

/// If all reads of an operand are by all indices of the loop, each once, and not in the order of the result:
/// the operand's axes in the order of the result.
fn reading_order(body: &Loop, axes: &[usize], at: usize) -> Option<Vec<usize>> {
    let mut all = super::address::reads(body).filter(|(operand, ..)| *operand == at);
    let (_, subs, padded) = all.next()?;
    if padded || all.any(|(_, other, padded)| padded || other != subs) || subs.len() != axes.len() {
        return None;
    }
    let mut order = vec![usize::MAX; subs.len()];
    for (axis, sub) in subs.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return None };
        order[axes[affine.as_index()?]] = axis;
    }
    let is_turned = order.iter().enumerate().any(|(new, old)| new != *old);
    (is_turned && !order.contains(&usize::MAX)).then_some(order)
}

/// The same loop with its result's axes in another order.
fn turn(
    graph: &mut Graph,
    producer: &Loop,
    id: NodeId,
    order: &[usize],
    origin: &crate::ir::Origin,
) -> NodeId {
    let operands = graph[id].operands.clone();
    // The indices that are written come in the new order of the axes, then the others.
    let written = order.iter().filter_map(|axis| producer.write_index(*axis));
    let mut domain: Vec<usize> = Vec::new();
    written.chain(0..producer.domain.len()).for_each(|index| {
        if !domain.contains(&index) {
            domain.push(index)
        }
    });
    let mut l = LoopBuilder::new(graph, domain.iter().map(|index| producer.domain[*index].clone()).collect());
    let mut at = |var: Var| match var {
        Var::Index(index) => {
            let place = domain.iter().position(|own| *own == index as usize);
            Sub::Affine(Affine::index(place.expect("every index has a place")))
        }
        Var::Step(_) => compose::same(var),
    };
    let places =
        compose::paste(&mut l, &producer.body, &operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let write: Vec<Sub> = order
        .iter()
        .map(|axis| compose::paste_sub(&mut l, &producer.write[*axis], &places, &mut at))
        .collect();
    let shape = order.iter().map(|axis| producer.shape[*axis].clone()).collect();
    let value = places[producer.body.result.0 as usize];
    let made = l.finish(shape, write, producer.dropping, producer.combine, value);
    graph.add_from(Op::Loop(std::sync::Arc::new(made.body)), made.operands, origin)
}
