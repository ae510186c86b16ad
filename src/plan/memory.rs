//! Where temporaries lie in the arena.

use super::{Place, Plan, PlanError};
use crate::ir::Elem;
use crate::ir::program::Precision;

/// Buffers begin at multiples of this many bytes: a cache line.
const ALIGNMENT: usize = 64;

/// The bytes of one element.
pub fn elem_bytes(elem: Elem, precision: Precision) -> usize {
    match (elem, precision) {
        (Elem::Float, Precision::F32) | (Elem::Int, _) => 4,
        (Elem::Float, Precision::F64) => 8,
        (Elem::Bool, _) => 1,
    }
}

/// Gives every temporary its offset.
pub(super) fn place(plan: &mut Plan) -> Result<(), PlanError> {
    let mut end = 0;
    for buffer in &mut plan.buffers {
        if let Place::Arena(offset) = &mut buffer.place {
            *offset = end;
            end += (buffer.len * elem_bytes(buffer.elem, plan.precision)).next_multiple_of(ALIGNMENT);
        }
    }
    if end >= 1 << 40 {
        return Err(PlanError::TooLarge(format!("{} GB of intermediate values", end >> 30)));
    }
    plan.arena_bytes = end;
    Ok(())
}
