//! The memory of a step: an array for each kind of element, so that no memory is read as another kind than it was
//! written, which C forbids.
//!
//! Buffers keep the places in the arena that the plan has given them, without the gaps between those of one kind.

use crate::base::order::PutInOrder;
use crate::loops::{Kind, kind_of};
use crate::plan::{Place, Plan};

/// All kinds that have an array, in the order of the struct.
pub const KINDS: [Kind; 5] = [Kind::F64, Kind::I64, Kind::F32, Kind::I32, Kind::Bool];

/// Of each kind, the parts of the arena that it has: first byte, end, and the element at which it begins.
#[derive(Default)]
pub struct Memory {
    parts: [Vec<(i64, i64, i64)>; 5],
}

impl Memory {
    pub fn of(plan: &Plan) -> Memory {
        let scratch = (plan.arena_bytes as i64 + 63) / 64 * 64;
        let mut memory = Memory::default();
        let mut spans: [Vec<(i64, i64)>; 5] = Default::default();
        for buffer in &plan.buffers {
            let kind = kind_of(buffer.elem, buffer.is_wide(), plan.precision);
            let start = match buffer.place {
                Place::Arena(at) => at as i64,
                Place::Scratch(at) => scratch + at as i64,
                Place::External(_) | Place::Const(_) => continue,
            };
            spans[number(kind)].push((start, start + buffer.len as i64 * kind.bytes()));
        }
        for (kind, mut spans) in KINDS.into_iter().zip(spans) {
            spans.put_in_order();
            let parts = &mut memory.parts[number(kind)];
            for (start, end) in spans.into_iter().filter(|(start, end)| start < end) {
                match parts.last_mut() {
                    Some((_, last, _)) if *last >= start => *last = (*last).max(end),
                    _ => parts.push((start, end, 0)),
                }
            }
            let mut elements = 0;
            for (start, end, first) in parts {
                *first = elements;
                elements += (*end - *start) / kind.bytes();
            }
        }
        memory
    }

    /// The element that a byte of the arena is, read as this kind.
    pub fn element(&self, kind: Kind, byte: i64) -> Option<i64> {
        let part = self.parts[number(kind)].iter().rfind(|(start, ..)| *start <= byte)?;
        Some(part.2 + (byte - part.0) / kind.bytes())
    }

    /// How many elements of a kind there are.
    pub fn elements(&self, kind: Kind) -> i64 {
        self.parts[number(kind)].last().map_or(0, |(start, end, first)| first + (end - start) / kind.bytes())
    }

    pub fn bytes(&self) -> i64 {
        KINDS.into_iter().map(|kind| self.elements(kind) * kind.bytes()).sum()
    }
}

fn number(kind: Kind) -> usize {
    KINDS.iter().position(|other| *other == kind).unwrap_or(0)
}

/// The member of the struct that holds this kind.
pub fn member(kind: Kind) -> &'static str {
    match kind {
        Kind::F32 => "floats",
        Kind::F64 => "doubles",
        Kind::I32 => "ints",
        Kind::I64 => "longs",
        Kind::Bool => "bools",
    }
}
