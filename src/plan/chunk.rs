//! Tiling over the rows of a batch: runs of steps are executed for a chunk of rows at a time if the values of all
//! rows do not stay in the cache: all layers of a network for some pictures of a batch, then for the next ones.
//! Each chunk makes summands of the sums over rows, which are added up afterwards in one order; a temporary of the
//! run takes the memory of one chunk. So chunks can run at the same time on several threads, each in memory of its
//! own.
//!
//! A run is found by following the data from a step that touches buffers row by row. Steps that the run does not
//! need go before it, those that need all of its rows after it.

mod rows;

use crate::ir::hash::{FastMap, FastSet};
use super::lower::{Lowering, fill_step, sum_step};
use super::touched::Touched;
use super::{Buffer, BufferId, Local, Name, Place, ScanSteps, Step, View};
use crate::ir::program::Precision;
use rows::{BufferUse, Index, Part, indices, uses};
use std::rc::Rc;

const MOST_PARTS: i64 = 64;

/// The thresholds that decide whether a run is divided.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of rows that stay in a third-level cache, or in this process's share of it.
    resident: usize,
    /// Fewer bytes than this stay in the cache anyway.
    large: usize,
    /// How often as much as half of what lives in the run may be fetched again.
    fetched_again: usize,
}

impl Limits {
    pub const USUAL: Limits = Limits { resident: 6 << 20, large: 12 << 20, fetched_again: 1 };
    /// Every run that can be divided is divided.
    #[cfg(test)]
    pub const NONE: Limits = Limits { resident: 1, large: 1, fetched_again: usize::MAX };
}

/// Cuts the runs among the steps of a plan.
pub(super) fn chunk(
    lowering: &mut Lowering,
    steps: Vec<Step>,
    precision: Precision,
    limits: Limits,
) -> Vec<Step> {
    let bytes = |buffer: &Buffer| buffer.len * buffer.elem_bytes(precision);
    let temporaries = lowering.buffers.iter().filter(|buffer| matches!(buffer.place, Place::Arena(_)));
    if temporaries.map(bytes).sum::<usize>() < limits.large {
        return steps;
    }
    let mut done: Vec<Rc<Item>> = Vec::new();
    let mut rest: Vec<Rc<Item>> = steps.into_iter().map(Item::new).collect();
    // A member of a run that was not worth dividing does not begin another run.
    let mut tried: FastSet<BufferId> = FastSet::default();
    while !rest.is_empty() {
        match first_run(lowering, &rest, &done, (precision, limits), &mut tried) {
            Some(found) => {
                done.extend(rest.drain(..found.from));
                done.extend(found.before);
                rest = found.after;
            }
            None => {
                done.append(&mut rest);
            }
        }
    }
    done.into_iter()
        .map(|item| Rc::try_unwrap(item).map_or_else(|item| item.step.clone(), |item| item.step))
        .collect()
}

/// A step and the buffers that it touches.
struct Item {
    step: Step,
    touched: Touched,
}

impl Item {
    fn new(step: Step) -> Rc<Item> {
        Rc::new(Item { touched: Touched::by(&step), step })
    }
}

/// A run that was divided into chunks.
struct Chunked {
    /// The first step of those that it replaces.
    from: usize,
    /// The steps before the run, and the run.
    before: Vec<Rc<Item>>,
    after: Vec<Rc<Item>>,
}

fn first_run(
    lowering: &mut Lowering,
    steps: &[Rc<Item>],
    done: &[Rc<Item>],
    (precision, limits): (Precision, Limits),
    tried: &mut FastSet<BufferId>,
) -> Option<Chunked> {
    for (from, seed) in steps.iter().enumerate() {
        if !seed.touched.writes.is_disjoint(tried) {
            continue;
        }
        for (index, size) in indices(&seed.step) {
            if size < 2 {
                continue;
            }
            let Some(run) = Run::from(seed, index, size, &lowering.buffers) else { continue };
            let run = run.follow(&steps[from + 1..], &lowering.buffers);
            let private = run.private_buffers(&lowering.buffers, done.iter().chain(&steps[..from]));
            if let Some(parts) = run.parts(&lowering.buffers, &private, precision, limits) {
                let (before, after) = run.cut(lowering, parts, &private);
                return Some(Chunked { from, before, after });
            }
            tried.extend(run.members.iter().flat_map(|(item, _)| &item.touched.writes));
        }
    }
    None
}

/// Steps that can be executed for a chunk of rows at a time.
struct Run {
    members: Vec<(Rc<Item>, Index)>,
    uses: FastMap<BufferId, BufferUse>,
    /// A common divisor of the sizes of all members' indices.
    common: i64,
    before: Vec<Rc<Item>>,
    after: Vec<Rc<Item>>,
    /// The buffers that the members touch.
    touched: Touched,
}

impl Run {
    fn from(seed: &Rc<Item>, index: Index, size: i64, buffers: &[Buffer]) -> Option<Run> {
        let uses_of_seed = uses(&seed.step, index, buffers)?;
        let mut run = Run {
            members: Vec::new(),
            uses: FastMap::default(),
            common: size,
            before: Vec::new(),
            after: Vec::new(),
            touched: Touched::default(),
        };
        let is_rows = uses_of_seed.iter().filter(|(_, kind)| *kind == BufferUse::Rows).count() > 1;
        is_rows.then(|| run.add(seed, index, size, uses_of_seed)).map(|()| run)
    }

    fn add(&mut self, item: &Rc<Item>, index: Index, size: i64, uses: rows::Uses) {
        self.uses.extend(uses);
        self.common = greatest_divisor(self.common, size);
        self.touched.extend(&item.touched);
        self.members.push((item.clone(), index));
    }

    /// Adds those of the following steps that can join the run.
    fn follow(mut self, steps: &[Rc<Item>], buffers: &[Buffer]) -> Run {
        let mut late = Touched::default();
        for item in steps {
            let waits = item.touched.collides(&late);
            let belongs =
                item.touched.reads.iter().any(|buffer| self.uses.get(buffer) == Some(&BufferUse::Rows));
            let place = if waits || !belongs { None } else { self.place(&item.step, buffers) };
            if let Some((index, size, uses)) = place {
                self.add(item, index, size, uses);
            } else if !waits && !item.touched.collides(&self.touched) {
                self.before.push(item.clone());
            } else {
                late.extend(&item.touched);
                self.after.push(item.clone());
            }
        }
        self
    }

    /// The index by which a step can join.
    fn place(&self, step: &Step, buffers: &[Buffer]) -> Option<(Index, i64, rows::Uses)> {
        indices(step).into_iter().find_map(|(index, size)| {
            let common = greatest_divisor(self.common, size);
            // A single step must not make the chunks much larger.
            if common < 2 || common < self.common.min(16) {
                return None;
            }
            let uses_of_step = uses(step, index, buffers)?;
            let fits = uses_of_step.iter().all(|(buffer, kind)| match self.uses.get(buffer) {
                Some(known) => known == kind && *kind != BufferUse::Sum,
                None => true,
            });
            fits.then_some((index, size, uses_of_step))
        })
    }

    /// Into how many parts to cut the run, if that is worth it.
    fn parts(
        &self,
        buffers: &[Buffer],
        private: &FastSet<BufferId>,
        precision: Precision,
        limits: Limits,
    ) -> Option<i64> {
        let (mut rows, mut inner, mut again) = (0, 0, 0);
        for (id, kind) in &self.uses {
            let buffer = &buffers[id.0 as usize];
            let bytes = buffer.len * buffer.elem_bytes(precision);
            match kind {
                BufferUse::Rows if private.contains(id) => (rows, inner) = (rows + bytes, inner + bytes),
                BufferUse::Rows => rows += bytes,
                BufferUse::Whole => again += bytes,
                BufferUse::Sum => again += 2 * bytes,
            }
        }
        if rows < limits.large || self.members.len() < 2 {
            return None;
        }
        let mut divisors = (2..=self.common.min(MOST_PARTS)).filter(|parts| self.common % parts == 0);
        let parts = divisors
            .clone()
            .find(|parts| rows / *parts as usize <= limits.resident)
            .or(divisors.next_back())?;
        // Values that all chunks need are fetched again for each of them.
        let worth = inner.saturating_mul(limits.fetched_again) / 2;
        (again * (parts - 1) as usize <= worth).then_some(parts)
    }

    /// The temporaries that only the run touches. `outside`: the steps before the run.
    fn private_buffers<'s>(
        &'s self,
        buffers: &[Buffer],
        outside: impl Iterator<Item = &'s Rc<Item>>,
    ) -> FastSet<BufferId> {
        let mut others: FastSet<BufferId> = FastSet::default();
        for item in outside.chain(&self.before).chain(&self.after) {
            others.extend(item.touched.reads.iter().chain(&item.touched.writes));
        }
        let is_private = |id: &BufferId| {
            self.uses[id] == BufferUse::Rows
                && self.touched.writes.contains(id)
                && !others.contains(id)
                && matches!(buffers[id.0 as usize].place, Place::Arena(_))
        };
        self.uses.keys().copied().filter(is_private).collect()
    }

    /// The steps up to the end of the run, and those after it.
    fn cut(
        self,
        lowering: &mut Lowering,
        parts: i64,
        private: &FastSet<BufferId>,
    ) -> (Vec<Rc<Item>>, Vec<Rc<Item>>) {
        let step = lowering.fresh_step();
        let mut summands: FastMap<BufferId, BufferId> = FastMap::default();
        let mut sums = Vec::new();
        for (member, _) in &self.members {
            let Some((target, name, accumulates)) = self.sum_of(&member.step) else { continue };
            let Buffer { elem, range, len, .. } = lowering.buffers[target.buffer.0 as usize].clone();
            let all = lowering.add_buffer(elem, range, len * parts as usize, Place::Arena(0));
            summands.insert(target.buffer, all);
            let from = View { buffer: all, ..target.clone() };
            sums.push(Item::new(sum_step(&from, (parts, len as i64), target.buffer, accumulates, name)));
        }
        let part = Part { step, parts, buffers: &lowering.buffers, uses: &self.uses, private, summands: &summands };
        let mut steps = Vec::new();
        for (member, index) in &self.members {
            let cut = part.of(&member.step, *index);
            steps.extend(start_of_summand(&cut, &summands));
            steps.push(cut);
        }
        let local = Some(Local::default());
        let mut before = self.before;
        before.push(Item::new(Step::Scan(ScanSteps { step, trip: parts, reverse: false, local, steps })));
        before.extend(sums);
        for id in private {
            lowering.buffers[id.0 as usize].len /= parts as usize;
        }
        (before, self.after)
    }

    /// The target of a step that adds over the rows, its name, and whether the target holds a value already.
    fn sum_of<'s>(&self, step: &'s Step) -> Option<(&'s View, Name, bool)> {
        let (target, name, accumulates) = match step {
            Step::Nest(nest) => (&nest.stages[0].target, &nest.name, nest.stages[0].accumulate),
            Step::Gemm(gemm) => (&gemm.c, &gemm.name, gemm.accumulate),
            Step::Scan(_) | Step::Rand(_) => return None,
        };
        let is_sum = self.uses.get(&target.buffer) == Some(&BufferUse::Sum);
        is_sum.then(|| (target, name.clone(), accumulates))
    }
}

/// Sets a summand to zero to which several products of a batch are added.
fn start_of_summand(step: &Step, summands: &FastMap<BufferId, BufferId>) -> Option<Step> {
    let Step::Gemm(gemm) = step else { return None };
    let is_summand = summands.values().any(|summand| *summand == gemm.c.buffer);
    (gemm.accumulate && is_summand).then(|| fill_step(gemm.c.without_repeats(), gemm.name.clone()))
}

fn greatest_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}
