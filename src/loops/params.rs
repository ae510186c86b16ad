//! The memory of a kernel: which buffers become its parameters, and where they lie.

use super::LoopError;
use super::trips::Trips;
use super::ir::{Base, BasePlace, Extent, Kind, Linear, Param, ValueId};
use crate::base::order::PutInOrder;
use crate::ir::program::Precision;
use crate::ir::{Const, Elem, StepId};
use crate::plan::{Place, Plan, View};
use std::sync::Arc;

/// The parameters of a kernel in the making.
pub struct Params<'p> {
    plan: &'p Plan,
    scratch_start: i64,
    pieces: usize,
    pub bases: Vec<Base>,
    pub params: Vec<Param>,
    /// Where each parameter's buffer lies: what kind of memory, from which byte to which.
    extents: Vec<(BasePlace, i64, i64)>,
    /// Scan counters that are used as numbers.
    pub steps: Vec<StepId>,
    /// How many steps each scan around has.
    trips: Trips,
    /// Parameters in private memory.
    pub is_scratch: Vec<bool>,
}

/// The kind of an element in memory; `wide` of ints that 32 bits may not hold.
pub fn kind_of(elem: Elem, wide: bool, precision: Precision) -> Kind {
    match (elem, precision) {
        (Elem::Int, _) if wide => Kind::I64,
        (Elem::Float, Precision::F32) => Kind::F32,
        (Elem::Float, Precision::F64) => Kind::F64,
        (Elem::Int, _) => Kind::I32,
        (Elem::Bool, _) => Kind::Bool,
    }
}

impl<'p> Params<'p> {
    /// `scratch_start`: the byte of the arena where the private memory of piece 0 begins.
    pub fn new(plan: &'p Plan, scratch_start: i64, pieces: usize, trips: Trips) -> Params<'p> {
        Params {
            plan,
            scratch_start,
            pieces,
            bases: Vec::new(),
            params: Vec::new(),
            extents: Vec::new(),
            steps: Vec::new(),
            trips,
            is_scratch: Vec::new(),
        }
    }

    pub fn kind(&self, view: &View) -> Kind {
        let buffer = &self.plan.buffers[view.buffer.0 as usize];
        kind_of(buffer.elem, buffer.is_wide(), self.plan.precision)
    }

    pub fn plan(&self) -> &'p Plan {
        self.plan
    }

    pub fn trips(&self) -> &Trips {
        &self.trips
    }

    /// The parameter for a view whose first element lies `offset` elements further, moving with `steps`.
    pub fn param(&mut self, view: &View, offset: i64, steps: &[(StepId, i64)]) -> Result<u32, LoopError> {
        let kind = self.kind(view);
        let (base, extent) = base_of(self.plan, self.scratch_start, view, offset, steps)?;
        if let Some(at) =
            (0..self.bases.len()).find(|&at| self.bases[at] == base && self.params[at].kind == kind)
        {
            return Ok(at as u32);
        }
        let buffer = &self.plan.buffers[view.buffer.0 as usize];
        let is_scratch = matches!(buffer.place, Place::Scratch(_));
        let piece_stride = if is_scratch && self.pieces > 1 { scratch_stride(self.plan) } else { 0 };
        self.bases.push(base);
        self.params.push(Param { kind, written: false, piece_stride });
        self.extents.push(extent);
        self.is_scratch.push(is_scratch);
        Ok(self.bases.len() as u32 - 1)
    }

    /// The parameter for the word in which a kernel stores that an int has left 64 bits.
    pub fn fault(&mut self) -> u32 {
        self.bases.push(Base { place: BasePlace::Fault, offset: 0, steps: Vec::new() });
        self.params.push(Param { kind: Kind::I64, written: true, piece_stride: 0 });
        self.extents.push((BasePlace::Fault, 0, 8));
        self.is_scratch.push(false);
        self.bases.len() as u32 - 1
    }

    /// Notes the scan counters that addresses move with, so that the kernel is given them.
    pub fn need_steps_of_bases(&mut self) {
        for (step, _) in self.bases.iter().flat_map(|base| &base.steps) {
            if !self.steps.contains(step) {
                self.steps.push(*step);
            }
        }
    }

    /// The buffer of each parameter. `steps`: the values of the scan counters that are used as numbers.
    pub fn extents_in_elements(&self, steps: &[ValueId]) -> Result<Vec<Extent>, LoopError> {
        let all = self.bases.iter().zip(&self.params).zip(&self.extents);
        all.map(|((base, param), (_, start, end))| {
            let bytes = param.kind.bytes();
            let whole = |moved: i64| match moved % bytes {
                0 => Ok(moved / bytes),
                _ => Err(LoopError("an address that is not that of an element".into())),
            };
            let mut origin = Linear::number(whole(base.offset - start)?);
            for (step, factor) in &base.steps {
                let at = self.steps.iter().position(|other| other == step);
                let value = at.and_then(|at| steps.get(at));
                let value = value.ok_or_else(|| LoopError("a scan counter that the kernel lacks".into()))?;
                origin.add_term(*value, whole(*factor)?);
            }
            Ok(Extent { origin, elements: (end - start) / bytes })
        })
        .collect()
    }

    /// The bytes of its place that the buffer of each parameter has.
    pub fn buffers(&self) -> Vec<(i64, i64)> {
        self.extents.iter().map(|(_, start, end)| (*start, *end)).collect()
    }

    /// Takes over the parameters of another kernel.
    pub fn adopt(&mut self, other: &Params<'_>) {
        self.bases = other.bases.clone();
        self.params = other.params.clone();
        self.extents = other.extents.clone();
        self.is_scratch = other.is_scratch.clone();
    }

    /// For each parameter, those whose memory may overlap its own.
    pub fn aliases(&self) -> Vec<Vec<u32>> {
        let overlap =
            |a: &(BasePlace, i64, i64), b: &(BasePlace, i64, i64)| a.0 == b.0 && a.1 < b.2 && b.1 < a.2;
        let all = 0..self.extents.len();
        all.clone()
            .map(|a| {
                let overlapping = all.clone().filter(|&b| overlap(&self.extents[a], &self.extents[b]));
                overlapping.map(|b| b as u32).collect()
            })
            .collect()
    }
}

/// Bytes from one piece's private memory to the next one's.
pub fn scratch_stride(plan: &Plan) -> i64 {
    plan.scratch_bytes.next_multiple_of(64) as i64
}

/// The address of an element of a view, and which bytes its buffer occupies.
pub fn base_of(
    plan: &Plan,
    scratch_start: i64,
    view: &View,
    offset: i64,
    steps: &[(StepId, i64)],
) -> Result<(Base, (BasePlace, i64, i64)), LoopError> {
    let buffer = &plan.buffers[view.buffer.0 as usize];
    let bytes = kind_of(buffer.elem, buffer.is_wide(), plan.precision).bytes();
    let len = buffer.len as i64 * bytes;
    let (place, start) = match &buffer.place {
        Place::Arena(at) => (BasePlace::Arena, *at as i64),
        Place::Scratch(at) => (BasePlace::Arena, scratch_start + *at as i64),
        Place::External(slot) => (BasePlace::External(*slot), 0),
        Place::Const(value) => (BasePlace::Constants, constant_offset(plan, value)?),
    };
    let mut all_steps: Vec<(StepId, i64)> = Vec::new();
    for (step, factor) in view.step_strides.iter().chain(steps) {
        match all_steps.iter_mut().find(|(other, _)| other == step) {
            Some((_, known)) => *known += factor * bytes,
            None => all_steps.push((*step, factor * bytes)),
        }
    }
    all_steps.retain(|(_, factor)| *factor != 0);
    all_steps.put_in_order_by_key(|(step, _)| *step);
    let base = Base { place, offset: start + (view.offset + offset) * bytes, steps: all_steps };
    Ok((base, (place, start, start + len.max(1))))
}

/// Makes sure that the elements of a view at `sizes` places along its axes lie in its buffer, in all steps of the
/// scans around.
pub fn within_buffer(
    plan: &Plan,
    view: &View,
    sizes: &[i64],
    trips: &Trips,
) -> Result<(), LoopError> {
    let (mut least, mut greatest) = trips.bounds(view.offset, &view.step_strides)?;
    if trips.is_empty() || sizes.iter().any(|size| *size <= 0) {
        return Ok(());
    }
    for (stride, size) in view.strides.iter().zip(sizes) {
        let reach = stride * (size - 1);
        least += reach.min(0);
        greatest += reach.max(0);
    }
    let len = plan.buffers[view.buffer.0 as usize].len as i64;
    if least < 0 || greatest >= len {
        return Err(LoopError(format!("elements {least} to {greatest} of a buffer of {len}")));
    }
    Ok(())
}

/// The byte at which a constant starts among all constants of the plan, in order of the buffers.
fn constant_offset(plan: &Plan, wanted: &Arc<Const>) -> Result<i64, LoopError> {
    constants(plan)
        .into_iter()
        .find(|(_, value, _)| Arc::ptr_eq(value, wanted))
        .map(|(offset, _, _)| offset as i64)
        .ok_or_else(|| LoopError("a constant has no place".into()))
}

/// Every constant with its offset and length in bytes.
pub fn constants(plan: &Plan) -> Vec<(usize, &Arc<Const>, usize)> {
    let mut end = 0;
    let mut all: Vec<(usize, &Arc<Const>, usize)> = Vec::new();
    for buffer in &plan.buffers {
        if let Place::Const(value) = &buffer.place
            && !all.iter().any(|(_, known, _)| Arc::ptr_eq(known, value))
        {
            let len = buffer.len * kind_of(buffer.elem, buffer.is_wide(), plan.precision).bytes() as usize;
            all.push((end, value, len));
            end += len.next_multiple_of(64);
        }
    }
    all
}
