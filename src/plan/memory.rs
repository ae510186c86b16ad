//! Memory planning by liveness: temporaries that are never alive at the same time share bytes of the arena.

use super::{BufferId, Place, Plan, PlanError, Step, View};
use crate::base::order::PutInOrder;
use crate::ir::Elem;
use crate::ir::program::Precision;

/// Buffers begin at multiples of this many bytes: a cache line.
const ALIGNMENT: usize = 64;

/// What memory that nothing was written to holds: NaN in either precision, as an int larger than any axis.
pub const POISON: u32 = 0x7FF4_DEAD;

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
}

/// Gives every temporary its offset. `same[b]` is the buffer whose bytes b takes over, itself for most.
pub(super) fn place(plan: &mut Plan, same: &[BufferId]) -> Result<(), PlanError> {
    place_scratch(plan);
    let mut lives = lives(plan.buffers.len(), &plan.steps);
    for at in (0..same.len()).rev() {
        let root = same[at].0 as usize;
        if let (true, Some(life_of_alias)) = (root != at, lives[at]) {
            lives[root] = Some(lives[root].map_or(life_of_alias, |life| Life {
                first: life.first.min(life_of_alias.first),
                last: life.last.max(life_of_alias.last),
            }));
        }
    }
    let bytes = |plan: &Plan, at: usize| {
        let buffer = &plan.buffers[at];
        (buffer.len * buffer.elem_bytes(plan.precision)).next_multiple_of(ALIGNMENT)
    };
    let mut waiting: Vec<(usize, Life)> = (0..plan.buffers.len())
        .filter(|at| same[*at].0 as usize == *at && matches!(plan.buffers[*at].place, Place::Arena(_)))
        .filter_map(|at| Some((at, lives[at]?)))
        .collect();
    // The largest first, each into the smallest gap that fits.
    waiting.put_in_order_by_key(|(at, life)| (std::cmp::Reverse(bytes(plan, *at)), life.first, *at));
    let mut placed: Vec<(usize, usize, Life)> = Vec::new();
    let mut end = 0;
    for (at, life) in waiting {
        let size = bytes(plan, at);
        let mut best: Option<(usize, usize)> = None;
        let mut free_from = 0;
        for (from, to, _) in placed.iter().filter(|(_, _, other)| other.meets(life)) {
            if *from >= free_from + size && best.is_none_or(|(gap, _)| from - free_from < gap) {
                best = Some((from - free_from, free_from));
            }
            free_from = free_from.max(*to);
        }
        let offset = best.map_or(free_from, |(_, offset)| offset);
        plan.buffers[at].place = Place::Arena(offset);
        let place = placed.partition_point(|(from, ..)| *from < offset);
        placed.insert(place, (offset, offset + size, life));
        end = end.max(offset + size);
    }
    for (at, root) in same.iter().enumerate().filter(|(at, root)| root.0 as usize != *at) {
        plan.buffers[at].place = plan.buffers[root.0 as usize].place.clone();
    }
    if end as u64 >= 1 << 40 {
        return Err(PlanError::TooLarge(format!("{} GB of intermediate values", end >> 30)));
    }
    plan.arena_bytes = end;
    Ok(())
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
