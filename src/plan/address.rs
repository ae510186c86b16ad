//! Accesses as affine expressions (dependence analysis): which element of a buffer a read or write accesses, and
//! which elements the writes of a loop cover. Passes that leave out a fill, divide work or fuse loops ask here.

use super::{BufferId, Stage, View};
use crate::ir::{Loop, Scalar, StepId, Sub, Var};
use std::collections::BTreeMap;

/// `buffer[offset + Σ index[i] · i + Σ steps · t]`, plus `0 ..= spread` for subscripts that are computed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    pub buffer: BufferId,
    pub offset: i64,
    /// One coefficient for each index of the domain.
    pub index: Vec<i64>,
    pub steps: BTreeMap<StepId, i64>,
    /// The range of the part that comes from computed subscripts.
    pub spread: i64,
}

impl Address {
    /// The address of `view[subs]` in a loop with `n_indices` indices.
    pub fn new(view: &View, subs: &[Sub], n_indices: usize) -> Address {
        let mut address = Address {
            buffer: view.buffer,
            offset: view.offset,
            index: vec![0; n_indices],
            steps: BTreeMap::new(),
            spread: 0,
        };
        for (step, stride) in &view.step_strides {
            *address.steps.entry(*step).or_insert(0) += stride;
        }
        for ((sub, stride), size) in subs.iter().zip(&view.strides).zip(&view.shape) {
            match sub {
                Sub::Affine(affine) => {
                    address.offset += stride * affine.constant.as_number().unwrap_or(0);
                    for (var, coefficient) in &affine.terms {
                        let coefficient = stride * coefficient.as_number().unwrap_or(0);
                        match var {
                            Var::Index(index) => address.index[*index as usize] += coefficient,
                            Var::Step(step) => *address.steps.entry(*step).or_insert(0) += coefficient,
                        }
                    }
                }
                Sub::Value(_) => address.spread += stride.abs() * (size - 1).max(0),
            }
        }
        address.steps.retain(|_, coefficient| *coefficient != 0);
        address
    }

    /// What is set to the identity at one point of the first `shared` indices before a stage writes its part.
    pub fn of_fill(stage: &Stage, shared: usize) -> Address {
        let view = &stage.target;
        let mut fill = Address {
            buffer: view.buffer,
            offset: view.offset,
            index: vec![0; stage.body.domain.len()],
            steps: view.step_strides.iter().copied().collect(),
            spread: 0,
        };
        let axes = divided_axes(&stage.body, shared).into_iter().zip(view.strides.iter().zip(&view.shape));
        for (index, (stride, size)) in axes {
            let reach = stride * (size - 1).max(0);
            match index {
                Some(index) => fill.index[index] += stride,
                None => {
                    fill.offset += reach.min(0);
                    fill.spread += reach.abs();
                }
            }
        }
        fill
    }

    /// The terms of scan counters, as in a view.
    pub fn step_strides(&self) -> Vec<(StepId, i64)> {
        self.steps.iter().map(|(step, stride)| (*step, *stride)).collect()
    }
}

/// Which elements a loop writes, as far as its subscripts show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// No two points of the indices that the write uses go to one element.
    pub injective: bool,
    /// Every element is written (or would be, where a write outside is dropped).
    pub covering: bool,
}

/// What the write of a static loop covers.
pub fn coverage(body: &Loop) -> Coverage {
    let mut taken = vec![false; body.domain.len()];
    let mut coverage = Coverage { injective: true, covering: !body.dropping };
    for (axis, sub) in body.write.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return Coverage { injective: false, covering: false } };
        let mut indices = affine.terms.iter().filter_map(|(var, _)| match var {
            Var::Index(index) => Some(*index as usize),
            Var::Step(_) => None,
        });
        match (indices.next(), indices.next()) {
            (None, _) => coverage.covering &= body.shape[axis].as_number() == Some(1),
            (Some(index), None) if !taken[index] => {
                taken[index] = true;
                coverage.covering &= runs_along(body, axis) == Some(index);
            }
            // Two indices in one subscript, or one index in two subscripts (a diagonal).
            _ => return Coverage { injective: false, covering: false },
        }
    }
    coverage
}

/// The index that is one subscript of the write by itself and runs along that whole axis.
fn runs_along(body: &Loop, axis: usize) -> Option<usize> {
    body.write_index(axis).filter(|index| body.domain[*index] == body.shape[axis])
}

/// How many of the first indices of the domain run along a whole axis of the target each: only then every
/// element belongs to one point of these indices, and no point lies beside all elements.
pub(super) fn leading_bare(body: &Loop) -> usize {
    let bare = |index: usize| (0..body.write.len()).any(|axis| runs_along(body, axis) == Some(index));
    (0..body.domain.len()).take_while(|index| bare(*index)).count()
}

/// For each axis of the target, the index among the first `shared` that it is divided by: what is at one place
/// of the axis belongs to the point of that index. An index that runs along several axes, as of a diagonal
/// `[i0, i0]`, divides the first of them; an axis that it does not run along from end to end, never.
pub fn divided_axes(body: &Loop, shared: usize) -> Vec<Option<usize>> {
    let mut axes: Vec<Option<usize>> = Vec::with_capacity(body.write.len());
    for axis in 0..body.write.len() {
        let index = runs_along(body, axis).filter(|index| *index < shared);
        axes.push(index.filter(|_| !axes.contains(&index)));
    }
    axes
}

/// The sizes of a static domain.
pub(super) fn extents(body: &Loop) -> Vec<i64> {
    body.domain.iter().map(|size| size.as_number().unwrap_or(0)).collect()
}

/// The reads of a body: operand, subscripts, whether padded.
pub(super) fn reads(body: &Loop) -> impl Iterator<Item = (usize, &[Sub], bool)> {
    body.body.nodes.iter().filter_map(|scalar| match scalar {
        Scalar::Read { operand, subs, padded } => Some((*operand as usize, subs.as_slice(), *padded)),
        _ => None,
    })
}
