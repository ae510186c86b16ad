//! Simplification of subscripts with static sizes: an index of size 1 is replaced by 0 in sums with others, and a
//! read or write that is always in bounds needs no bounds check.

use super::rebuild::rebuild;
use crate::ir::{Affine, Dim, Graph, Loop, NodeId, Op, Scalar, Sub, Var};
use std::sync::Arc;

/// Simplifies the subscripts of all loops.
pub(super) fn trim(graph: &Graph) -> Graph {
    rebuild(graph, &|new, _, node, operands| match &node.op {
        Op::Loop(body) => {
            let trimmed = trim_loop(new, body, &operands)?;
            Some(new.add(Op::Loop(Arc::new(trimmed)), operands))
        }
        _ => None,
    })
}

/// `None` if there is nothing to do.
fn trim_loop(graph: &Graph, body: &Loop, operands: &[NodeId]) -> Option<Loop> {
    let mut trimmed = body.clone();
    for scalar in &mut trimmed.body.nodes {
        if let Scalar::Read { operand, subs, padded } = scalar {
            subs.iter_mut().for_each(|sub| trim_sub(sub, &body.domain));
            *padded = *padded && !stays_inside(subs, graph.shape(operands[*operand as usize]), &body.domain);
        }
    }
    trimmed.write.iter_mut().for_each(|sub| trim_sub(sub, &body.domain));
    trimmed.dropping = trimmed.dropping && !stays_inside(&trimmed.write, &body.shape, &body.domain);
    (trimmed != *body).then_some(trimmed)
}

/// Removes indices of size 1 from subscripts, unless one is a subscript by itself.
fn trim_sub(sub: &mut Sub, domain: &[Dim]) {
    if let Sub::Affine(affine) = sub
        && affine.as_index().is_none()
    {
        *affine = affine.substitute(|var| match var {
            Var::Index(index) if domain[index as usize].is_number(1) => Affine::constant(0i64),
            Var::Index(_) | Var::Step(_) => Affine::var(var),
        });
    }
}

fn stays_inside(subs: &[Sub], shape: &[Dim], domain: &[Dim]) -> bool {
    subs.iter().zip(shape).all(|(sub, size)| {
        let Sub::Affine(affine) = sub else { return false };
        if affine.terms.iter().any(|(var, _)| matches!(var, Var::Step(_))) {
            return false;
        }
        let extent = |var| match var {
            Var::Index(index) => domain[index as usize].clone(),
            Var::Step(_) => Dim::ONE,
        };
        affine.bounds(extent).is_some_and(|(least, greatest)| {
            least.at_least(&Dim::ZERO) && (size - &Dim::ONE).at_least(&greatest)
        })
    })
}
