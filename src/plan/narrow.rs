//! Sums that are constant along an axis are computed once and broadcast.
//!
//! The gradient of a mean over time, multiplied by a weight, is the same at each time:
//! `d[b, t, i] += g[b, o] * w[o, i]` becomes `e[b, i] += g[b, o] * w[o, i]` and `d[b, t, i] = e[b, i]`, a view
//! that its readers take over.

use super::address::{extents, reads};
use super::rebuild::rebuild;
use crate::ir::{Affine, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Sub, Var, compose};

/// Removes the axes along which sums are constant.
pub(super) fn narrow(graph: &Graph) -> Graph {
    rebuild(graph, &|new, _, node, operands| match &node.op {
        Op::Loop(body) => narrow_loop(new, body, &operands),
        _ => None,
    })
}

fn narrow_loop(graph: &mut Graph, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    if body.dropping || body.domain.len() <= body.write.len() {
        return None;
    }
    let sizes = extents(body);
    let same: Vec<usize> = (0..body.write.len())
        .filter(|axis| {
            body.write_index(*axis).is_some_and(|index| {
                sizes[index] > 1 && body.domain[index] == body.shape[*axis] && !is_used(body, index, *axis)
            })
        })
        .collect();
    if same.is_empty() {
        return None;
    }
    let left_out: Vec<usize> = same.iter().filter_map(|axis| body.write_index(*axis)).collect();
    let kept: Vec<usize> = (0..sizes.len()).filter(|index| !left_out.contains(index)).collect();
    let axes: Vec<usize> = (0..body.write.len()).filter(|axis| !same.contains(axis)).collect();
    let mut l = LoopBuilder::new(graph, kept.iter().map(|index| body.domain[*index].clone()).collect());
    let mut at = |var: Var| match var {
        Var::Index(index) => match kept.iter().position(|other| *other == index as usize) {
            Some(place) => Sub::Affine(Affine::index(place)),
            None => Sub::Affine(Affine::constant(0i64)),
        },
        Var::Step(_) => compose::same(var),
    };
    let places = compose::paste(&mut l, &body.body, operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let write =
        axes.iter().map(|axis| compose::paste_sub(&mut l, &body.write[*axis], &places, &mut at)).collect();
    let shape = axes.iter().map(|axis| body.shape[*axis].clone()).collect();
    let value = places[body.body.result.0 as usize];
    let sum = l.reduce(shape, write, body.combine, value);
    let sum = graph.add_loop(sum);
    let mut l = LoopBuilder::new(graph, body.shape.clone());
    let subs = axes.iter().map(|axis| l.index(*axis)).collect();
    let value = l.read(sum, subs);
    let view = l.map(value);
    Some(graph.add_loop(view))
}

/// Whether anything but the subscript of `axis` varies with an index.
fn is_used(body: &Loop, index: usize, axis: usize) -> bool {
    let var = Var::Index(index as u32);
    let in_sub = |sub: &Sub| matches!(sub, Sub::Affine(affine) if affine.uses(var));
    let in_writes = body.write.iter().enumerate().any(|(other, sub)| other != axis && in_sub(sub));
    in_writes
        || reads(body).any(|(_, subs, _)| subs.iter().any(in_sub))
        || body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Affine(affine) if affine.uses(var)))
}
