//! Nodes rewritten for a shard.

use super::forms::{Divided, Division};
use super::{FIRST, of_shard, rows_in};
use crate::ir::{Affine, Dim, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Sub, Type, Var};
use std::sync::Arc;

/// A loop for the rows of a shard. `rows` and `whole` are what each operand is in the new graph, as far as it is read in
/// that form.
pub fn loop_of_shard(
    divided: &Divided<'_>,
    division: Division,
    rows: &[Option<NodeId>],
    whole: &[Option<NodeId>],
) -> Option<(Op, Vec<NodeId>)> {
    let index = division.index()?;
    let body = divided.body;
    let moved = |affine: &Affine| from_first(affine, index, &body.domain[index]);
    let mut operands: Vec<NodeId> = Vec::new();
    let mut number = |node: NodeId| {
        let at = operands.iter().position(|known| *known == node).unwrap_or_else(|| {
            operands.push(node);
            operands.len() - 1
        });
        at as u32
    };
    let mut result = Loop::clone(body);
    for scalar in &mut result.body.nodes {
        *scalar = match &*scalar {
            Scalar::Read { operand, subs, padded } => {
                let at = *operand as usize;
                let is_local = divided.is_local(at, subs, index);
                let row_axis = divided.forms[at].axis().filter(|_| is_local);
                let node = if is_local { rows[at] } else { whole[at] };
                let subs = subs.iter().enumerate().map(|(axis, sub)| match sub {
                    Sub::Affine(affine) if row_axis != Some(axis) => Sub::Affine(moved(affine)),
                    other => other.clone(),
                });
                Scalar::Read { operand: number(node?), subs: subs.collect(), padded: *padded }
            }
            other => other.map_affine(moved),
        };
    }
    result.domain[index] = of_shard(&body.domain[index]);
    if let Division::Map { axis, .. } = division {
        result.shape[axis] = of_shard(&body.shape[axis]);
    }
    Some((Op::Loop(Arc::new(result)), operands))
}

/// An affine expression in the number of a row of a shard, that was one in the number of a row of the batch.
fn from_first(affine: &Affine, index: usize, domain: &Dim) -> Affine {
    let var = Var::Index(index as u32);
    let times = rows_in(domain).unwrap_or(Dim::ONE);
    let first = &affine.coefficient(var) * &(&times * &Dim::symbol(FIRST));
    if first.is_number(0) { affine.clone() } else { affine.offset(&first) }
}

/// The rows of a shard of a tensor that is there whole.
pub fn rows_of_shard(graph: &mut Graph, whole: NodeId, axis: usize) -> NodeId {
    let ty = graph.ty(whole).clone();
    let mut domain = ty.shape.clone();
    let times = rows_in(&domain[axis]).unwrap_or(Dim::ONE);
    domain[axis] = of_shard(&domain[axis]);
    let rank = domain.len();
    let mut l = LoopBuilder::new(graph, domain);
    let first = &times * &Dim::symbol(FIRST);
    let subs = (0..rank).map(|at| {
        let index = Affine::index(at);
        Sub::Affine(if at == axis { index.offset(&first) } else { index })
    });
    let subs = subs.collect();
    let value = l.read(whole, subs);
    let body = l.map(value);
    graph.add_loop(body)
}

/// A leaf or a reshape with the rows of a shard along an axis.
pub fn op_of_shard(op: &Op, axis: usize) -> Op {
    let shorter = |ty: &Type| super::type_of_shard(ty, axis);
    match op {
        Op::Input { name, ty } => Op::Input { name: name.clone(), ty: shorter(ty) },
        Op::Carry { index, ty } => Op::Carry { index: *index, ty: shorter(ty) },
        Op::Capture { index, ty } => Op::Capture { index: *index, ty: shorter(ty) },
        Op::Reshape { shape } => {
            let mut shape = shape.clone();
            shape[axis] = of_shard(&shape[axis]);
            Op::Reshape { shape }
        }
        other => other.clone(),
    }
}
