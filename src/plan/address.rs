//! Accesses as linear forms: at which element of a buffer a read or write falls.

use super::{BufferId, View};
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
    /// How far computed subscripts reach.
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

    /// The steps' part as a view has it.
    pub fn step_strides(&self) -> Vec<(StepId, i64)> {
        self.steps.iter().map(|(step, stride)| (*step, *stride)).collect()
    }
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

/// Whether all subscripts are linear.
pub(super) fn is_affine(subs: &[Sub]) -> bool {
    subs.iter().all(|sub| matches!(sub, Sub::Affine(_)))
}
