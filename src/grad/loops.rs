//! The vector-Jacobian product of a loop: one loop for each read, in which the read and the write have changed
//! places.
//!
//! For `out[W(i)] += e(i)` each read `T[R(i)]` of `e` gives `dT[R(i)] += D(i)`, where `D` is the tangent of `e`
//! when that of the read is `dout[W(i)]`. The out-of-bounds modes change places, too: a padded read becomes a dropping write. For
//! `max` and `min` the seed is 0 but at the winner, for products it is multiplied by the product of the other
//! factors.

use super::NoDerivative;
use super::branches::is_risky;
use super::partial::{differentiable, tangent};
use crate::ir::signs::Signs;
use crate::ir::compose::{normalise, paste, same};
use crate::ir::{
    Affine, BinaryOp, Combine, Dim, Elem, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub,
    UnaryOp, Var,
};
use std::sync::Arc;

/// The contributions of the loop `id`, whose adjoint is `adjoint`, to the adjoints of the operands in `wanted`.
pub fn differentiate(
    graph: &mut Graph,
    id: NodeId,
    body: &Loop,
    adjoint: NodeId,
    wanted: &[bool],
    masked: bool,
    signs: &mut Signs,
) -> Result<Vec<(NodeId, NodeId)>, NoDerivative> {
    let operands = graph[id].operands.clone();
    let needed = differentiable(&body.body);
    let reads: Vec<ScalarId> = (0..body.body.nodes.len())
        .filter(|at| needed[*at])
        .filter(|at| match body.body.nodes[*at] {
            Scalar::Read { operand, .. } => wanted[operand as usize],
            _ => false,
        })
        .map(|at| ScalarId(at as u32))
        .collect();
    let weight = match body.combine {
        Combine::Set | Combine::Add => Weight::One,
        Combine::Max => Weight::Winner(winner(graph, body, &operands, Combine::ArgMax)),
        Combine::Min => Weight::Winner(winner(graph, body, &operands, Combine::ArgMin)),
        Combine::Mul => Weight::Others(product_of_others(graph, body, &operands)),
        Combine::ArgMax | Combine::ArgMin => return Ok(Vec::new()),
    };
    // A term that the write drops, or that is not the greatest, counts as a branch that is not taken.
    let may_be_nothing = body.dropping || matches!(weight, Weight::Winner(_));
    let masked = (masked || may_be_nothing) && is_risky(signs, graph, body, &operands);
    let differentiated = LoopAdjoint { id, body, operands: &operands, adjoint, weight, masked };
    let mut contributions = Vec::new();
    for read in reads {
        if let Some(part) = contribution(graph, &differentiated, read)? {
            let Scalar::Read { operand, .. } = body.body[read] else { continue };
            contributions.push((operands[operand as usize], part));
        }
    }
    Ok(contributions)
}

/// What the adjoint of the result is multiplied with at each point.
enum Weight {
    One,
    /// One at the point whose number this tensor holds, zero elsewhere.
    Winner(NodeId),
    /// The product of the other factors, over the domain.
    Others(NodeId),
}

/// A loop with its adjoint, from which its reads get their contributions.
struct LoopAdjoint<'s> {
    id: NodeId,
    body: &'s Loop,
    operands: &'s [NodeId],
    adjoint: NodeId,
    weight: Weight,
    /// Whether the adjoint may be 0 because a branch is not taken: then a contribution of 0 · ∞ is 0.
    masked: bool,
}

fn contribution(
    graph: &mut Graph,
    differentiated: &LoopAdjoint<'_>,
    read: ScalarId,
) -> Result<Option<NodeId>, NoDerivative> {
    let LoopAdjoint { id, body, operands, adjoint, ref weight, masked } = *differentiated;
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let reusable = reusable_result(body).then_some(body.body.result.0 as usize);
    let values = paste(&mut l, &body.body, operands, &mut same, &mut |l, at, scalar| {
        if reusable == Some(at) {
            // The loop has computed this value already.
            let subs = body.write.clone();
            return l.read(id, subs);
        }
        l.add(scalar)
    });
    let write: Vec<Sub> = body.write.iter().map(|sub| moved(sub, &values)).collect();
    let mut seed =
        if body.dropping { l.read_padded(adjoint, write.clone()) } else { l.read(adjoint, write.clone()) };
    match weight {
        Weight::One => {}
        Weight::Winner(winner) => {
            let winner = if body.dropping { l.read_padded(*winner, write) } else { l.read(*winner, write) };
            let point = l.affine(number_among_reduced(body));
            let won = l.binary(BinaryOp::Eq, winner, point);
            let zero = l.float(0.0);
            seed = l.select(won, seed, zero);
        }
        Weight::Others(others) => {
            let subs = (0..body.domain.len()).map(|index| l.index(index)).collect();
            let others = l.read(*others, subs);
            seed = l.binary(BinaryOp::Mul, seed, others);
        }
    }
    let Some(mut value) = tangent(&mut l, &body.body, &values, read, seed)? else { return Ok(None) };
    if masked {
        value = without_zero_times_infinity(&mut l, seed, value);
    }
    let Scalar::Read { operand, subs, padded } = &body.body[read] else { return Ok(None) };
    let subs = subs.iter().map(|sub| moved(sub, &values)).collect();
    let shape = graph.shape(operands[*operand as usize]).to_vec();
    let node = normalise(l.finish(shape, subs, *padded, Combine::Add, value));
    Ok(Some(graph.add_loop(node)))
}

/// The value, but 0 where the seed is 0 and the value is NaN: the value is a product of the seed and something that
/// may be infinite there.
fn without_zero_times_infinity(l: &mut LoopBuilder<'_>, seed: ScalarId, value: ScalarId) -> ScalarId {
    let zero = l.float(0.0);
    let nothing = l.binary(BinaryOp::Eq, seed, zero);
    let is_number = l.binary(BinaryOp::Eq, value, value);
    let is_none = l.unary(UnaryOp::Not, is_number);
    let spoiled = l.binary(BinaryOp::And, nothing, is_none);
    l.select(spoiled, zero, value)
}

fn moved(sub: &Sub, values: &[ScalarId]) -> Sub {
    match sub {
        Sub::Affine(affine) => Sub::Affine(affine.clone()),
        Sub::Value(id) => Sub::Value(values[id.0 as usize]),
    }
}

/// Whether the derivative is better computed from the loop's result than from its operands: the result is that
/// of an operation whose derivative uses it.
fn reusable_result(body: &Loop) -> bool {
    body.as_function().is_some()
        && match &body.body[body.body.result] {
            Scalar::Unary(op, _) => op.properties().reuses_result,
            Scalar::Binary(op, ..) => op.properties().reuses_result,
            _ => false,
        }
}

/// The indices that no subscript of the write uses.
fn reduced(body: &Loop) -> Vec<usize> {
    let used = |index: usize| {
        body.write.iter().any(|sub| match sub {
            Sub::Affine(affine) => affine.uses(Var::Index(index as u32)),
            Sub::Value(_) => false,
        })
    };
    (0..body.domain.len()).filter(|index| !used(*index)).collect()
}

/// The row-major number of a point among the reduced indices: what `ArgMax` gives for it.
fn number_among_reduced(body: &Loop) -> Affine {
    reduced(body).iter().fold(Affine::constant(0i64), |number, index| {
        number.scale(&body.domain[*index]).add(&Affine::index(*index))
    })
}

fn winner(graph: &mut Graph, body: &Loop, operands: &[NodeId], combine: Combine) -> NodeId {
    let search = Loop { combine, ..body.clone() };
    graph.add(Op::Loop(Arc::new(search)), operands.to_vec())
}

/// For each point of the domain of a product the product of the other factors of the same result:
/// `others[i] = Π_j (if j is i then 1 else e(j))`, right for factors that are zero, to any order.
fn product_of_others(graph: &mut Graph, body: &Loop, operands: &[NodeId]) -> NodeId {
    let rank = body.domain.len();
    // An index that is a subscript of the result by itself has one value for each element of the result; the
    // others run over their range a second time, for the other factors.
    let bare = |index: usize| (0..body.write.len()).any(|axis| body.write_index(axis) == Some(index));
    let again: Vec<usize> = (0..rank).filter(|index| !bare(*index)).collect();
    let mut domain = body.domain.clone();
    domain.extend(again.iter().map(|index| body.domain[*index].clone()));
    let second = |index: usize| match again.iter().position(|other| *other == index) {
        Some(place) => Affine::index(rank + place),
        None => Affine::index(index),
    };
    let mut l = LoopBuilder::new(graph, domain);
    let mut at = |var: Var| match var {
        Var::Index(index) => Sub::Affine(second(index as usize)),
        Var::Step(_) => same(var),
    };
    let values = paste(&mut l, &body.body, operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let factor = values[body.body.result.0 as usize];
    let number = |index: &dyn Fn(usize) -> Affine| {
        again.iter().fold(Affine::constant(0i64), |number, i| number.scale(&body.domain[*i]).add(&index(*i)))
    };
    let (first, other) = (number(&Affine::index), number(&second));
    let (first, other) = (l.affine(first), l.affine(other));
    let mut leave_out = l.binary(BinaryOp::Eq, first, other);
    // Points with different subscripts belong to different elements of the result, so they are no factors of this
    // one either. (Subscripts that are single indices agree already.)
    let plain = paste(&mut l, &body.body, operands, &mut same, &mut |l, _, scalar| l.add(scalar));
    for (axis, sub) in body.write.iter().enumerate() {
        if body.write_index(axis).is_some() || matches!(sub, Sub::Affine(affine) if affine.is_constant()) {
            continue;
        }
        let here = crate::ir::compose::paste_sub(&mut l, sub, &plain, &mut same);
        let there = crate::ir::compose::paste_sub(&mut l, sub, &values, &mut at);
        let (here, there) = (as_int(&mut l, here), as_int(&mut l, there));
        let equal = l.binary(BinaryOp::Eq, here, there);
        let elsewhere = l.unary(UnaryOp::Not, equal);
        leave_out = l.binary(BinaryOp::Or, leave_out, elsewhere);
    }
    let one = l.float(1.0);
    let factor = l.select(leave_out, one, factor);
    let shape: Vec<Dim> = body.domain.clone();
    let write = (0..rank).map(|index| l.index(index)).collect();
    debug_assert_eq!(l.elem(factor), Elem::Float);
    let node = l.reduce(shape, write, Combine::Mul, factor);
    graph.add_loop(node)
}

fn as_int(l: &mut LoopBuilder<'_>, sub: Sub) -> ScalarId {
    match sub {
        Sub::Affine(affine) => l.affine(affine),
        Sub::Value(id) => id,
    }
}
