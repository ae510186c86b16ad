//! One step and one of its indices: which buffers it touches row by row as that index moves, and the step over a
//! part of the index.

use crate::ir::hash::{FastMap, FastSet};
use super::super::address::{Address, extents, leading_bare, reads};
use super::super::{Buffer, BufferId, Gemm, Nest, Stage, Step, View};
use crate::ir::recognise::Scatter;
use crate::ir::{Combine, Dim, Elem, Loop, Scalar, StepId, Sub, Var};
use std::sync::Arc;

/// How a step uses a buffer while one of its indices moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BufferUse {
    /// Cut into as many equal runs of elements as the index has values, each touched with one value.
    Rows,
    /// Read with every value.
    Whole,
    /// Added to with every value.
    Sum,
}

/// An index of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Index {
    /// Of the loop of a nest of one stage.
    Loop(usize),
    /// Of a matrix product: an axis of [`Gemm::sizes`].
    Product(usize),
}

/// The buffers of a step with their uses; each once.
pub(super) type Uses = Vec<(BufferId, BufferUse)>;

/// The indices of a step, with their sizes.
pub(super) fn indices(step: &Step) -> Vec<(Index, i64)> {
    match step {
        Step::Nest(nest) => match nest.stages.as_slice() {
            [stage] => {
                extents(&stage.body).into_iter().enumerate().map(|(at, n)| (Index::Loop(at), n)).collect()
            }
            _ => Vec::new(),
        },
        Step::Gemm(gemm) => product_sizes(gemm),
        Step::Scan(_) | Step::Rand(_) => Vec::new(),
    }
}

fn product_sizes(gemm: &Gemm) -> Vec<(Index, i64)> {
    gemm.sizes().into_iter().enumerate().map(|(at, size)| (Index::Product(at), size)).collect()
}

/// What a step does with its buffers as the index moves; `None` if it cannot be cut there.
pub(super) fn uses(step: &Step, index: Index, buffers: &[Buffer]) -> Option<Uses> {
    let mut uses = Uses::new();
    match (step, index) {
        (Step::Nest(nest), Index::Loop(index)) => {
            nest_uses(nest.stages.first()?, index, buffers, &mut uses)?;
        }
        (Step::Gemm(gemm), Index::Product(at)) => product_uses(gemm, at, buffers, &mut uses)?,
        _ => return None,
    }
    Some(uses)
}

/// Adds a use; `None` if the buffer has another one already.
fn add(uses: &mut Uses, buffer: BufferId, kind: BufferUse) -> Option<()> {
    match uses.iter().find(|(id, _)| *id == buffer) {
        Some((_, other)) => (*other == kind).then_some(()),
        None => {
            uses.push((buffer, kind));
            Some(())
        }
    }
}

fn nest_uses(stage: &Stage, index: usize, buffers: &[Buffer], uses: &mut Uses) -> Option<()> {
    let body = &stage.body;
    let uses_index = |sub: &Sub| matches!(sub, Sub::Affine(affine) if affine.uses(Var::Index(index as u32)));
    let is_number =
        |scalar: &Scalar| matches!(scalar, Scalar::Affine(affine) if affine.uses(Var::Index(index as u32)));
    if Scatter::of(body).is_some() || body.body.nodes.iter().any(is_number) {
        return None;
    }
    let sizes = extents(body);
    match body.write.iter().filter(|sub| uses_index(sub)).count() {
        0 => {
            let is_float = buffers[stage.target.buffer.0 as usize].elem == Elem::Float;
            if body.dropping || body.combine != Combine::Add || !is_float {
                return None;
            }
            add(uses, stage.target.buffer, BufferUse::Sum)?;
        }
        1 if body.dropping && !is_first_axis(&stage.target, &body.write, &sizes, index, buffers) => {
            return None;
        }
        1 if body.dropping || runs_along_rows(&stage.target, &body.write, &sizes, index, buffers) => {
            add(uses, stage.target.buffer, BufferUse::Rows)?;
        }
        _ => return None,
    }
    let mut axes: Vec<Option<usize>> = vec![None; stage.operands.len()];
    for (operand, subs, padded) in reads(body) {
        let view = &stage.operands[operand];
        let kind = match subs.iter().filter(|sub| uses_index(sub)).count() {
            0 => BufferUse::Whole,
            1 if padded && !is_first_axis(view, subs, &sizes, index, buffers) => return None,
            1 if padded || runs_along_rows(view, subs, &sizes, index, buffers) => BufferUse::Rows,
            _ => return None,
        };
        add(uses, view.buffer, kind)?;
        let axis = axis_places(view, subs, sizes[index], index);
        if kind == BufferUse::Rows && axes[operand].is_some() && axes[operand] != axis {
            return None;
        }
        axes[operand] = axis;
    }
    Some(())
}

/// Whether an access goes on by one of equal runs of the buffer with each value of the index, and stays within.
fn runs_along_rows(view: &View, subs: &[Sub], sizes: &[i64], index: usize, buffers: &[Buffer]) -> bool {
    if axis_places(view, subs, sizes[index], index).is_none() {
        return false;
    }
    let address = Address::new(view, subs, sizes.len());
    let row = address.index[index];
    let others = (0..sizes.len()).filter(|other| *other != index);
    let reach = others.map(|other| (address.index[other], sizes[other]));
    let reach = reach.chain([(1, address.spread + 1)]);
    address.steps.is_empty() && is_within(row, sizes[index], address.offset, reach, view, buffers)
}

/// The axis that an index runs along, if it alone takes it from one end to the other.
fn axis_places(view: &View, subs: &[Sub], size: i64, index: usize) -> Option<usize> {
    let var = Var::Index(index as u32);
    let axis = subs.iter().position(|sub| matches!(sub, Sub::Affine(affine) if affine.uses(var)))?;
    let Sub::Affine(affine) = &subs[axis] else { return None };
    (affine.coefficient(var).as_number()? * size == view.shape[axis]).then_some(axis)
}

fn is_within(
    row: i64,
    size: i64,
    offset: i64,
    others: impl Iterator<Item = (i64, i64)>,
    view: &View,
    buffers: &[Buffer],
) -> bool {
    let (mut low, mut high) = (offset, offset);
    for (stride, size) in others {
        let reach = stride * (size - 1).max(0);
        low += reach.min(0);
        high += reach.max(0);
    }
    row > 0 && row * size == buffers[view.buffer.0 as usize].len as i64 && low >= 0 && high < row
}

/// Whether the index alone is the subscript of the outermost axis of a whole buffer: so that a read which may fall
/// outside of the others stays in its row. So does a write that is left out there.
fn is_first_axis(view: &View, subs: &[Sub], sizes: &[i64], index: usize, buffers: &[Buffer]) -> bool {
    let first = view.shape.iter().position(|size| *size != 1);
    let is_whole = view.offset == 0
        && view.is_contiguous()
        && view.step_strides.is_empty()
        && view.count() == buffers[view.buffer.0 as usize].len as i64;
    is_whole
        && first.is_some_and(|axis| {
            let bare = matches!(&subs[axis], Sub::Affine(affine) if affine.as_index() == Some(index));
            bare && view.shape[axis] == sizes[index]
        })
}

fn product_uses(
    gemm: &Gemm,
    at: usize,
    buffers: &[Buffer],
    uses: &mut Uses,
) -> Option<()> {
    for (operand, view) in gemm.views().into_iter().enumerate() {
        let axis = gemm.axis(at, operand).filter(|axis| view.strides[*axis] != 0);
        let kind = match axis {
            Some(axis) => {
                let axes = (0..view.shape.len()).filter(|other| *other != axis);
                let others = axes.map(|other| (view.strides[other], view.shape[other]));
                if !view.step_strides.is_empty() {
                    return None;
                }
                if !is_within(view.strides[axis], view.shape[axis], view.offset, others, view, buffers) {
                    return None;
                }
                BufferUse::Rows
            }
            None if operand < 2 => BufferUse::Whole,
            // Elements of the result that many values of the index add to.
            None if gemm.is_summed(at) => BufferUse::Sum,
            None => return None,
        };
        add(uses, view.buffer, kind)?;
    }
    Some(())
}

/// One of `parts` parts of a step: of the indices that it has at one value of a new step.
pub(super) struct Part<'b> {
    pub step: StepId,
    pub parts: i64,
    pub buffers: &'b [Buffer],
    pub uses: &'b FastMap<BufferId, BufferUse>,
    /// The buffers of which all that is left is the rows of one part.
    pub private: &'b FastSet<BufferId>,
    /// Of each buffer that is added to, the one that holds the summands of all parts, one after another.
    pub summands: &'b FastMap<BufferId, BufferId>,
}

impl Part<'_> {
    pub fn of(&self, step: &Step, index: Index) -> Step {
        match (step, index) {
            (Step::Nest(nest), Index::Loop(index)) => Step::Nest(self.nest(nest, index)),
            (Step::Gemm(gemm), Index::Product(at)) => Step::Gemm(self.product(gemm, at)),
            _ => step.clone(),
        }
    }

    fn nest(&self, nest: &Nest, index: usize) -> Nest {
        let stage = &nest.stages[0];
        let body = &stage.body;
        let mut domain = body.domain.clone();
        domain[index] = Dim::number(extents(body)[index] / self.parts);
        let mut target = self.view(&stage.target);
        let mut shape = body.shape.clone();
        if let Some(axis) = self.shorten(&mut target, &body.write, extents(body)[index], index) {
            shape[axis] = Dim::number(target.shape[axis]);
        }
        let mut operands: Vec<View> = stage.operands.iter().map(|view| self.view(view)).collect();
        for (operand, view) in operands.iter_mut().enumerate() {
            let read_of_operand = reads(body).find(|(read, ..)| *read == operand);
            if let Some((_, subs, _)) = read_of_operand {
                self.shorten(view, subs, extents(body)[index], index);
            }
        }
        let body = Loop { domain, shape, ..Loop::clone(body) };
        let shared = leading_bare(&body);
        let accumulate = stage.accumulate && !self.is(BufferUse::Sum, &stage.target);
        let stage = Stage { body: Arc::new(body), operands, target, accumulate };
        Nest { name: nest.name.clone(), shared, stages: vec![stage], pieces: nest.pieces }
    }

    /// Leaves the axis that the index runs along as many places as a part has; returns it.
    fn shorten(&self, view: &mut View, subs: &[Sub], size: i64, index: usize) -> Option<usize> {
        let axis = axis_places(view, subs, size, index)?;
        view.shape[axis] /= self.parts;
        Some(axis)
    }

    fn product(&self, gemm: &Gemm, at: usize) -> Gemm {
        let [a, b, c] = [&gemm.a, &gemm.b, &gemm.c].map(|view| self.view(view));
        let mut part = Gemm { a, b, c, ..gemm.clone() };
        if let Some(size) = part.size_mut(at) {
            *size /= self.parts;
        }
        for (operand, view) in [&mut part.a, &mut part.b, &mut part.c].into_iter().enumerate() {
            if let Some(axis) = gemm.axis(at, operand) {
                view.shape[axis] /= self.parts;
            }
        }
        if self.is(BufferUse::Sum, &gemm.c) {
            // Products of a batch that are added to one another need a summand of zeros to begin with.
            part.accumulate = (0..part.batch.len()).any(|at| part.batch[at] > 1 && part.is_summed(at));
        }
        part
    }

    fn is(&self, kind: BufferUse, view: &View) -> bool {
        self.uses.get(&view.buffer) == Some(&kind)
    }

    /// A view that moves on with the new step, if its buffer is touched row by row, or is of summands.
    fn view(&self, view: &View) -> View {
        if let Some(summands) = self.summands.get(&view.buffer) {
            let len = self.buffers[view.buffer.0 as usize].len as i64;
            return View { buffer: *summands, ..view.clone() }.stepping(self.step, len);
        }
        if !self.is(BufferUse::Rows, view) || self.private.contains(&view.buffer) {
            return view.clone();
        }
        let stride = self.buffers[view.buffer.0 as usize].len as i64 / self.parts;
        view.clone().stepping(self.step, stride)
    }
}
