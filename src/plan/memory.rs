//! Memory planning by liveness: temporaries that are never alive at the same time share bytes of the arena.

use super::{BufferId, Local, Place, Plan, PlanError, Step, View};
use crate::base::order::PutInOrder;
use crate::ir::{Elem, StepId};
use crate::ir::program::Precision;

/// Buffers begin at multiples of this many bytes: a cache line.
const ALIGNMENT: usize = 64;

/// The memory of one iteration of a scan is a multiple of this many bytes: pairs of cache lines, which processors
/// fetch together.
const LOCAL_ALIGNMENT: usize = 128;

/// What memory that nothing was written to holds: NaN in either precision, as an int larger than any axis.
const POISON: u32 = 0x7FF4_DEAD;

/// Makes memory unusable until something is written there: NaN as floats, too large for a subscript as ints.
pub fn fill_with_poison(memory: &mut [u8]) {
    let word = POISON.to_le_bytes();
    memory.chunks_mut(word.len()).for_each(|part| part.copy_from_slice(&word[..part.len()]));
}

/// The bytes of one element; `wide` of ints that 32 bits may not hold.
pub fn elem_bytes(elem: Elem, wide: bool, precision: Precision) -> usize {
    match (elem, precision) {
        (Elem::Int, _) if wide => 8,
        (Elem::Float, Precision::F32) | (Elem::Int, _) => 4,
        (Elem::Float, Precision::F64) => 8,
        (Elem::Bool, _) => 1,
    }
}

/// The first and the last step, in order of execution, that touch a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Life {
    pub first: u32,
    pub last: u32,
}

impl Life {
    pub(super) fn meets(self, other: Life) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// From the first of both to the last.
    fn joined(self, other: Life) -> Life {
        Life { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// Gives every temporary its offset. `same[b]` is the buffer whose bytes b takes over, itself for most. What lives
/// within one iteration of an independent scan lies together, as [`Local`] says.
pub(super) fn place(plan: &mut Plan, same: &[BufferId]) -> Result<(), PlanError> {
    place_scratch(plan);
    let mut lives = lives(plan.buffers.len(), &plan.steps);
    for at in (0..same.len()).rev() {
        let root = same[at].0 as usize;
        if let (true, Some(life_of_alias)) = (root != at, lives[at]) {
            lives[root] = Some(lives[root].map_or(life_of_alias, |life| life.joined(life_of_alias)));
        }
    }
    let waiting: Vec<Waiting> = (0..plan.buffers.len())
        .filter(|at| same[*at].0 as usize == *at && matches!(plan.buffers[*at].place, Place::Arena(_)))
        .filter_map(|at| {
            let buffer = &plan.buffers[at];
            let bytes = (buffer.len * buffer.elem_bytes(plan.precision)).next_multiple_of(ALIGNMENT);
            Some(Waiting { what: at, bytes, life: lives[at]? })
        })
        .collect();
    let scans = independent_scans(&plan.steps);
    let homes = homes(plan, same);
    let is_local = |one: &Waiting| matches!(homes[one.what], Home::Scan(_));
    let mut outer: Vec<Waiting> = waiting.iter().filter(|one| !is_local(one)).copied().collect();
    let mut inner = Vec::new();
    for (number, life) in scans.iter().enumerate() {
        let is_here = |one: &&Waiting| homes[one.what] == Home::Scan(number as u32);
        let locals = waiting.iter().filter(is_here).copied().collect();
        let (offsets, bytes) = fit(locals);
        let bytes = bytes.next_multiple_of(LOCAL_ALIGNMENT);
        outer.push(Waiting { what: plan.buffers.len() + number, bytes, life: *life });
        inner.push(offsets);
    }
    let (offsets, end) = fit(outer);
    let mut locals = vec![Local::default(); scans.len()];
    for (what, offset, bytes) in offsets {
        let Some(scan) = what.checked_sub(plan.buffers.len()) else {
            plan.buffers[what].place = Place::Arena(offset);
            continue;
        };
        locals[scan] = Local { start: offset, bytes };
        for (local, within, _) in &inner[scan] {
            plan.buffers[*local].place = Place::Arena(offset + within);
        }
    }
    let independent = plan.steps.iter_mut().filter_map(|step| match step {
        Step::Scan(scan) => scan.local.as_mut(),
        Step::Nest(_) | Step::Gemm(_) | Step::Rand(_) => None,
    });
    independent.zip(locals).for_each(|(local, placed)| *local = placed);
    for (at, root) in same.iter().enumerate().filter(|(at, root)| root.0 as usize != *at) {
        plan.buffers[at].place = plan.buffers[root.0 as usize].place.clone();
    }
    if end as u64 >= 1 << 40 {
        return Err(PlanError::TooLarge(format!("{} GB of intermediate values", end >> 30)));
    }
    plan.arena_bytes = end;
    Ok(())
}

/// What is to be placed: a buffer, or the memory of one iteration of a scan.
#[derive(Clone, Copy)]
struct Waiting {
    what: usize,
    bytes: usize,
    life: Life,
}

/// Gives each its offset, the largest first, each in the smallest gap that fits: `(what, offset, bytes)`, and how
/// many bytes that takes.
fn fit(mut waiting: Vec<Waiting>) -> (Vec<(usize, usize, usize)>, usize) {
    waiting.put_in_order_by_key(|one| (std::cmp::Reverse(one.bytes), one.life.first, one.what));
    let mut placed: Vec<(usize, usize, Life)> = Vec::new();
    let mut offsets = Vec::with_capacity(waiting.len());
    let mut end = 0;
    for Waiting { what, bytes, life } in waiting {
        let mut best: Option<(usize, usize)> = None;
        let mut free_from = 0;
        for (from, to, _) in placed.iter().filter(|(_, _, other)| other.meets(life)) {
            if *from >= free_from + bytes && best.is_none_or(|(gap, _)| from - free_from < gap) {
                best = Some((from - free_from, free_from));
            }
            free_from = free_from.max(*to);
        }
        let offset = best.map_or(free_from, |(_, offset)| offset);
        offsets.push((what, offset, bytes));
        let place = placed.partition_point(|(from, ..)| *from < offset);
        placed.insert(place, (offset, offset + bytes, life));
        end = end.max(offset + bytes);
    }
    (offsets, end)
}

/// The life of each independent scan. They are not within other scans.
fn independent_scans(steps: &[Step]) -> Vec<Life> {
    let (mut now, mut scans) = (0, Vec::new());
    for step in steps {
        now += 1;
        if let Step::Scan(scan) = step {
            let last = now + count(&scan.steps) + 1;
            if scan.local.is_some() {
                scans.push(Life { first: now, last });
            }
            now = last;
        }
    }
    scans
}

/// Where a buffer is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Nowhere,
    /// Within the iterations of this independent scan only, of which each has the whole buffer.
    Scan(u32),
    Elsewhere,
}

/// The homes of the buffers that keep bytes of their own; aliases count for the buffer whose bytes they take.
fn homes(plan: &Plan, same: &[BufferId]) -> Vec<Home> {
    let mut homes = vec![Home::Nowhere; plan.buffers.len()];
    let mut number = 0;
    for step in &plan.steps {
        let scan = match step {
            Step::Scan(scan) if scan.local.is_some() => Some(scan.step),
            Step::Scan(_) | Step::Nest(_) | Step::Gemm(_) | Step::Rand(_) => None,
        };
        for_each_view(step, &mut |view, _| {
            let stays = |scan: &StepId| view.step_strides.iter().all(|(other, _)| other != scan);
            let here = if scan.as_ref().is_some_and(stays) { Home::Scan(number) } else { Home::Elsewhere };
            let home = &mut homes[same[view.buffer.0 as usize].0 as usize];
            *home = if *home == Home::Nowhere || *home == here { here } else { Home::Elsewhere };
        });
        number += u32::from(scan.is_some());
    }
    homes
}

/// No buffer takes over the bytes of another.
pub(super) fn all_distinct(plan: &Plan) -> Vec<BufferId> {
    (0..plan.buffers.len() as u32).map(BufferId).collect()
}

/// Rows of a nest lie one after another in the worker's memory; nests share it.
fn place_scratch(plan: &mut Plan) {
    let Plan { buffers, steps, precision, scratch_bytes, .. } = plan;
    for_each_step(steps, &mut |step| {
        let mut end = 0;
        let mut seen: Vec<BufferId> = Vec::new();
        for_each_view(step, &mut |view, _| {
            let buffer = &mut buffers[view.buffer.0 as usize];
            if let (Place::Scratch(offset), false) = (&mut buffer.place, seen.contains(&view.buffer)) {
                *offset = end;
                end += (buffer.len * buffer.elem_bytes(*precision)).next_multiple_of(ALIGNMENT);
                seen.push(view.buffer);
            }
        });
        *scratch_bytes = (*scratch_bytes).max(end);
    });
}

/// The life of each buffer; `None` if no step touches it.
pub(super) fn lives(n_buffers: usize, steps: &[Step]) -> Vec<Option<Life>> {
    let mut uses = Uses { of: vec![Vec::new(); n_buffers], paths: vec![Vec::new()], now: 0 };
    uses.visit(steps, 0);
    uses.of
        .iter()
        .map(|of| {
            // A buffer that is used within a scan and around it lives through the whole scan.
            let (_, first_path) = *of.first()?;
            let mut common = uses.paths[first_path].len();
            for (_, path) in of {
                let shared =
                    uses.paths[*path].iter().zip(&uses.paths[first_path]).take_while(|(a, b)| a == b);
                common = common.min(shared.count());
            }
            let mut life: Option<Life> = None;
            for (at, path) in of {
                let (first, last) = uses.paths[*path].get(common).copied().unwrap_or((*at, *at));
                life = Some(life.map_or(Life { first, last }, |life| Life {
                    first: life.first.min(first),
                    last: life.last.max(last),
                }));
            }
            life
        })
        .collect()
}

impl Plan {
    /// The buffers of the arena that come to life with each step: numbered in the order of execution, a scan
    /// before its steps. Those that take over the bytes of a buffer which the same step reads are left out.
    pub fn born(&self) -> Vec<Vec<BufferId>> {
        let lives = lives(self.buffers.len(), &self.steps);
        let (mut born, mut at) = (Vec::new(), 0);
        self.born_in(&self.steps, &lives, &mut at, &mut born);
        born
    }

    fn born_in(&self, steps: &[Step], lives: &[Option<Life>], at: &mut u32, born: &mut Vec<Vec<BufferId>>) {
        for step in steps {
            *at += 1;
            let mut views: Vec<BufferId> = Vec::new();
            for_each_view(step, &mut |view, _| views.push(view.buffer));
            let place = |id: BufferId| &self.buffers[id.0 as usize].place;
            let is_born = |id: &BufferId| {
                let starts = lives[id.0 as usize].is_some_and(|life| life.first == *at);
                let taken = views.iter().any(|other| other != id && place(*other) == place(*id));
                starts && !taken && matches!(place(*id), Place::Arena(_))
            };
            let mut buffers: Vec<BufferId> = views.iter().copied().filter(is_born).collect();
            buffers.put_in_order();
            buffers.dedup();
            born.push(buffers);
            if let Step::Scan(scan) = step {
                self.born_in(&scan.steps, lives, at, born);
                *at += 1;
            }
        }
    }
}

struct Uses {
    /// For each buffer: the position of the step and the path of scans around it.
    of: Vec<Vec<(u32, usize)>>,
    /// The spans of the scans around a place, outermost first.
    paths: Vec<Vec<(u32, u32)>>,
    now: u32,
}

impl Uses {
    fn visit(&mut self, steps: &[Step], path: usize) {
        for step in steps {
            self.now += 1;
            if let Step::Scan(scan) = step {
                let first = self.now;
                let last = first + count(&scan.steps) + 1;
                let inner = self.paths.len();
                let spans = self.paths[path].iter().copied().chain([(first, last)]).collect();
                self.paths.push(spans);
                self.visit(&scan.steps, inner);
                self.now = last;
                continue;
            }
            let now = self.now;
            for_each_view(step, &mut |view, _| {
                let of = &mut self.of[view.buffer.0 as usize];
                if of.last() != Some(&(now, path)) {
                    of.push((now, path));
                }
            });
        }
    }
}

/// The positions that steps take up.
fn count(steps: &[Step]) -> u32 {
    steps
        .iter()
        .map(|step| match step {
            Step::Scan(scan) => count(&scan.steps) + 2,
            Step::Nest(_) | Step::Gemm(_) | Step::Rand(_) => 1,
        })
        .sum()
}

/// All steps, those of scans included.
pub(super) fn for_each_step(steps: &[Step], visit: &mut impl FnMut(&Step)) {
    for step in steps {
        visit(step);
        if let Step::Scan(scan) = step {
            for_each_step(&scan.steps, visit);
        }
    }
}

/// All views of a step, and whether they are written; those of a scan's steps too.
pub(super) fn for_each_view(step: &Step, visit: &mut impl FnMut(&View, bool)) {
    match step {
        Step::Nest(nest) => nest.stages.iter().for_each(|stage| {
            stage.operands.iter().for_each(|view| visit(view, false));
            visit(&stage.target, true);
        }),
        Step::Gemm(gemm) => {
            visit(&gemm.a, false);
            visit(&gemm.b, false);
            visit(&gemm.c, true);
        }
        Step::Rand(rand) => visit(&rand.target, true),
        Step::Scan(scan) => scan.steps.iter().for_each(|step| for_each_view(step, visit)),
    }
}
