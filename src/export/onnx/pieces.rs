//! Loops that compute one thing before a place of an axis and another behind it, as concatenations do: each piece by
//! itself, then `Concat`.

use std::convert::Infallible;

use crate::ir::scalar::in_order;
use crate::ir::{Affine, BinaryOp, Body, Combine, Dim, Loop, Scalar, ScalarId, Sub, Var};

/// The axis that is in two pieces, and these.
pub fn pieces(body: &Loop) -> Option<(usize, [Loop; 2])> {
    let Scalar::Select(condition, first, second) = &body.body[body.body.result] else { return None };
    let Scalar::Binary(BinaryOp::Lt, place, end) = &body.body[*condition] else { return None };
    let Scalar::Affine(place) = &body.body[*place] else { return None };
    let [(Var::Index(index), coefficient)] = place.terms.as_slice() else { return None };
    let end = match &body.body[*end] {
        Scalar::Int(end) => Dim::number(*end),
        Scalar::Affine(end) if end.is_constant() => end.constant.clone(),
        _ => return None,
    };
    let (index, end) = (*index as usize, &end - &place.constant);
    let rest = &body.domain[index] - &end;
    let axis = (0..body.write.len()).find(|axis| body.write_index(*axis) == Some(index))?;
    let is_cut = coefficient.is_number(1)
        && body.combine == Combine::Set
        && body.shape[axis] == body.domain[index]
        && body.write.iter().all(|sub| matches!(sub, Sub::Affine(_)))
        && end.at_least(&Dim::ONE)
        && rest.at_least(&Dim::ONE);
    if !is_cut {
        return None;
    }
    let piece = |result: ScalarId, size: Dim, from: Dim| {
        let moved = |affine: &Affine| -> Result<Affine, Infallible> {
            Ok(affine.substitute(|var| match var {
                Var::Index(other) if other as usize == index => Affine::var(var).offset(&from),
                _ => Affine::var(var),
            }))
        };
        let mut piece = match body.try_map_sizes(&mut |dim| Ok(dim.clone()), &mut { moved }) {
            Ok(piece) => piece,
            Err(never) => match never {},
        };
        piece.write.clone_from(&body.write);
        piece.domain[index] = size.clone();
        piece.shape[axis] = size;
        let (nodes, ids) = in_order(&piece.body.nodes, &[result]);
        piece.body = Body { nodes, result: ids[result.0 as usize] };
        piece
    };
    Some((axis, [piece(*first, end.clone(), Dim::ZERO), piece(*second, rest, end)]))
}
