//! Gathers and scatters: subscripts that are computed from elements, not from indices.

use crate::ir::{Combine, Loop, Scalar, ScalarId, Sub};

/// A loop that reads elements which computed subscripts name: `out[b, d] = table[x[b], d]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gather {
    /// The reads with computed subscripts, in the order of the body.
    pub reads: Vec<ComputedRead>,
}

/// A read at a computed place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComputedRead {
    /// The read in the loop's body.
    pub scalar: ScalarId,
    /// Which operand it reads.
    pub operand: usize,
    /// The axes of the operand with a computed subscript, each with the scalar that is the subscript.
    pub axes: Vec<(usize, ScalarId)>,
    /// The out-of-bounds mode: `true` gives 0 outside, otherwise every subscript is in bounds.
    pub is_padded: bool,
}

/// A loop that writes to elements which computed subscripts name: `out[x[b], d] += g[b, d]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scatter {
    /// The axes of the result with a computed subscript, each with the scalar that is the subscript.
    pub axes: Vec<(usize, ScalarId)>,
    /// How values that are written to one element are combined.
    pub combine: Combine,
    /// The out-of-bounds mode: `true` drops what is written outside, otherwise every subscript is in bounds.
    pub is_dropping: bool,
    /// Whether the other subscripts of the result are different indices, so that whole rows are written.
    pub is_of_rows: bool,
}

impl Gather {
    /// The reads at computed places, if a loop has any.
    pub fn of(body: &Loop) -> Option<Gather> {
        let reads: Vec<ComputedRead> = body.body.nodes.iter().enumerate().filter_map(computed_read).collect();
        (!reads.is_empty()).then_some(Gather { reads })
    }
}

impl Scatter {
    /// The writes to computed places, if a loop has any.
    pub fn of(body: &Loop) -> Option<Scatter> {
        let axes = computed_axes(&body.write);
        if axes.is_empty() {
            return None;
        }
        let mut seen = Vec::new();
        let is_of_rows = body.write.iter().all(|sub| match sub {
            Sub::Value(_) => true,
            Sub::Affine(affine) => affine.as_index().is_some_and(|index| {
                let is_new = !seen.contains(&index);
                seen.push(index);
                is_new
            }),
        });
        Some(Scatter { axes, combine: body.combine, is_dropping: body.dropping, is_of_rows })
    }
}

/// Whether all subscripts are affine, so that none is computed.
pub fn is_affine(subs: &[Sub]) -> bool {
    subs.iter().all(|sub| matches!(sub, Sub::Affine(_)))
}

fn computed_read((at, scalar): (usize, &Scalar)) -> Option<ComputedRead> {
    let Scalar::Read { operand, subs, padded } = scalar else { return None };
    let axes = computed_axes(subs);
    let read = ComputedRead {
        scalar: ScalarId(at as u32),
        operand: *operand as usize,
        axes,
        is_padded: *padded,
    };
    (!read.axes.is_empty()).then_some(read)
}

/// The axes with a computed subscript, and that subscript.
fn computed_axes(subs: &[Sub]) -> Vec<(usize, ScalarId)> {
    let computed = |(axis, sub): (usize, &Sub)| match sub {
        Sub::Value(id) => Some((axis, *id)),
        Sub::Affine(_) => None,
    };
    subs.iter().enumerate().filter_map(computed).collect()
}
