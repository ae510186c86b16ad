//! Layout: the results of reductions are stored in the order of axes in which their readers read them.
//!
//! The gradient of `x @ w.T` comes as `[in, out]` and is subtracted from a weight of `[out, in]`. Summing it
//! into `[out, in]` in the first place costs nothing, and then both lie in the same order.

use crate::ir::hash::FastMap;
use super::rebuild::rebuild;
use crate::ir::compose;
use crate::ir::{Affine, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Sub, Var};
use std::cell::RefCell;

/// For each node the order in which all its readers read its axes, if they agree on another than its own.
type Orders = FastMap<NodeId, Vec<usize>>;

/// Transposes the results of loops whose readers agree on another order of the axes.
pub(super) fn align(graph: &Graph) -> Graph {
    let orders: RefCell<FastMap<*const Graph, Orders>> = RefCell::default();
    rebuild(graph, &|new, (old, _), node, operands| match &node.op {
        Op::Loop(body) => {
            let mut orders = orders.borrow_mut();
            let orders = orders.entry(std::ptr::from_ref(old)).or_insert_with(|| orders_of(old));
            let operand_orders: Vec<Option<&Vec<usize>>> =
                node.operands.iter().map(|operand| orders.get(operand)).collect();
            align_operands(new, body, &operands, &operand_orders)
        }
        _ => None,
    })
}

fn orders_of(graph: &Graph) -> Orders {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let mut wanted: FastMap<NodeId, Option<Vec<usize>>> = FastMap::default();
    for output in &graph.outputs {
        wanted.insert(output.node, None);
    }
    for (_, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        for (at, operand) in node.operands.iter().enumerate() {
            let order = match &node.op {
                Op::Loop(body) => body.as_function().and_then(|axes| reading_order(body, &axes, at)),
                _ => None,
            };
            let agreed = wanted.entry(*operand).or_insert_with(|| order.clone());
            if *agreed != order {
                *agreed = None;
            }
        }
    }
    let turnable = |id: &NodeId, order: &[usize]| match &graph[*id].op {
        Op::Loop(producer) => {
            producer.as_function().is_none()
                && (0..order.len()).all(|axis| producer.write_index(axis).is_some())
        }
        _ => false,
    };
    wanted
        .into_iter()
        .filter_map(|(id, order)| Some((id, order?)))
        .filter(|(id, order)| turnable(id, order))
        .collect()
}

fn align_operands(
    graph: &mut Graph,
    body: &Loop,
    operands: &[NodeId],
    orders: &[Option<&Vec<usize>>],
) -> Option<NodeId> {
    if orders.iter().all(Option::is_none) {
        return None;
    }
    let mut turned = operands.to_vec();
    for (at, order) in orders.iter().enumerate() {
        if let (Some(order), Op::Loop(producer)) = (order, &graph[operands[at]].op) {
            let (producer, origin) = (producer.clone(), graph[operands[at]].origin.clone());
            turned[at] = turn(graph, &producer, operands[at], order, &origin);
        }
    }
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut make =
        |l: &mut LoopBuilder<'_>, index: usize, scalar: Scalar| match (&body.body.nodes[index], scalar) {
            (Scalar::Read { operand, .. }, Scalar::Read { operand: new, subs, padded }) => {
                let subs = match orders[*operand as usize] {
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
            let place = domain.iter().position(|other| *other == index as usize);
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
