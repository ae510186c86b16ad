//! Sums over windows that are no matrix products, such as depthwise convolutions and pools: they read a copy with
//! zeros around their tensor, and none writes to windows. So their rows, which are often no longer than a few
//! vectors, are not cut where windows reach beyond the tensor.

use super::split::{Operand, Source};
use super::windows::{as_affine, read_instead, surrounded};
use crate::ir::recognise::{Class, collect_factors, indices_of};
use crate::ir::{Affine, Combine, Elem, Graph, Loop, LoopBuilder, NodeId, Scalar, ScalarId, Sub, Var, compose};

/// Longer rows are worth their own loops at the borders.
const LONG_ROWS: i64 = 64;

/// The sum without borders; `None` if it has none, or if they do no harm.
pub(super) fn sum_without_borders(graph: &mut Graph, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    if body.combine != Combine::Add {
        return None;
    }
    let sizes: Vec<i64> = body.domain.iter().map(|size| size.as_number()).collect::<Option<_>>()?;
    if let Some(classes) = places_and_others(body, &sizes) {
        let kind = |index| [true, classes[0].indices[index], classes[1].indices[index]];
        let kinds: Vec<[bool; 3]> = (0..sizes.len()).map(kind).collect();
        let source = Source { body, operands, sizes: &sizes, kinds: &kinds };
        return read_instead(graph, &source, [&classes[0], &classes[1]], &|_| true);
    }
    let source = Source { body, operands, sizes: &sizes, kinds: &[] };
    let mut copies: Vec<(NodeId, &[Sub], Operand)> = Vec::new();
    for scalar in &body.body.nodes {
        let Scalar::Read { operand, subs, padded: true } = scalar else { continue };
        let node = operands[*operand as usize];
        let Some(affine) = subs.iter().map(as_affine).collect::<Option<Vec<Affine>>>() else { continue };
        if graph.elem(node) == Elem::Float
            && has_short_rows(&source, &affine)
            && let Some(copy) = surrounded(graph, &source, (node, affine), &|_| true)
        {
            copies.push((node, subs, copy));
        }
    }
    if copies.is_empty() {
        return None;
    }
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let mut make = |l: &mut LoopBuilder<'_>, _: usize, scalar: Scalar| match &scalar {
        Scalar::Read { operand, subs, padded: true } => {
            let node = l.operands()[*operand as usize];
            match copies.iter().find(|(of, at, _)| *of == node && *at == subs.as_slice()) {
                Some((_, _, copy)) => l.read(copy.node, copy.subs.iter().cloned().map(Sub::Affine).collect()),
                None => l.add(scalar),
            }
        }
        _ => l.add(scalar),
    };
    let places = compose::paste(&mut l, &body.body, operands, &mut compose::same, &mut make);
    let write = body.write.iter().map(|sub| compose::paste_sub(&mut l, sub, &places, &mut compose::same));
    let write = write.collect();
    let value = places[body.body.result.0 as usize];
    let sum = l.finish(body.shape.clone(), write, body.dropping, body.combine, value);
    Some(graph.add_loop(sum))
}

/// Whether windows are read along the last axis of a tensor, at few places.
fn has_short_rows(source: &Source<'_>, subs: &[Affine]) -> bool {
    let Some(last) = subs.last() else { return false };
    let sizes: Vec<i64> = source.live_indices(last).map(|index| source.sizes[index]).collect();
    sizes.len() > 1 && sizes.iter().all(|size| *size <= LONG_ROWS)
}

/// Of a product that is written to windows: the factors with the places of the windows, and the others.
fn places_and_others(body: &Loop, sizes: &[i64]) -> Option<[Class; 2]> {
    let live = |affine: &Affine| -> Vec<usize> {
        let index = |var: &Var| match var {
            Var::Index(index) => Some(*index as usize).filter(|index| sizes[*index] > 1),
            Var::Step(_) => None,
        };
        affine.terms.iter().filter_map(|(var, _)| index(var)).collect()
    };
    let mut meeting = body.write.iter().filter_map(as_affine).map(|affine| live(&affine));
    let place = meeting.find(|indices| indices.len() > 1)?.into_iter().max_by_key(|index| sizes[*index])?;
    let mut factors = Vec::new();
    collect_factors(&body.body, body.body.result, &mut factors);
    let uses = indices_of(&body.body, sizes);
    let (places, others): (Vec<ScalarId>, Vec<ScalarId>) =
        factors.iter().partition(|factor| uses[factor.0 as usize][place]);
    if places.is_empty() || others.is_empty() {
        return None;
    }
    Some([places, others].map(|factors| {
        let has = |index| factors.iter().any(|factor| uses[factor.0 as usize][index]);
        let indices = (0..sizes.len()).map(has).collect();
        Class { factors, indices }
    }))
}
