//! Loop fusion: groups nests that run over the same leading indices, so that a row is finished while it is in the
//! cache. Examples are softmax, norms, losses with their gradients, and an optimiser's states with its parameter.
//!
//! Two nests may share their first loops if, for every buffer that one writes and the other touches, each point of
//! the shared loops touches elements of its own. Then the shared loops may also be divided among threads. A
//! temporary that only one group uses shrinks to a row in the worker's memory.

use crate::base::order::PutInOrder;
use crate::ir::hash::{FastMap, FastSet};
use super::address::{Address, extents, reads};
use super::memory::for_each_view;
use super::touched::Touched;
use super::{Buffer, BufferId, Nest, Place, Stage, Step};
use crate::ir::recognise::Scatter;
use crate::ir::{Sub, Var};

/// How many steps back a nest looks for another one to fuse with.
const FAR: usize = 32;
const MOST_STAGES: usize = 16;
/// Rows shorter than this do not fill vectors; loops over all elements at once do better.
const SHORT_ROW: i64 = 8;
/// Elements of one row of all stages together: it has to stay in the first-level cache.
const LONGEST_ROW: i64 = 8192;

/// Groups the nests among the steps of one list, and of the scans in it.
pub(super) fn group(steps: Vec<Step>) -> Vec<Step> {
    let mut grouped: Vec<Option<Member>> = Vec::new();
    for step in steps {
        let mut member = match step {
            Step::Scan(mut scan) => {
                scan.steps = group(std::mem::take(&mut scan.steps));
                Member::new(Step::Scan(scan))
            }
            other => Member::new(other),
        };
        // The nest moves up to an earlier one if no step between them prevents it; else the earlier one moves down.
        for at in (grouped.len().saturating_sub(FAR)..grouped.len()).rev() {
            let Some(other) = &grouped[at] else { continue };
            let Some(shared) = common_shared(other, &member) else { continue };
            let between = || grouped[at + 1..].iter().flatten();
            if between().all(|step| !step.collides(&member)) {
                let other = grouped[at].take().expect("looked at above");
                grouped[at] = Some(join(other, member, shared));
                member = Member::nothing();
                break;
            }
            if between().all(|step| !step.collides(other)) {
                let other = grouped[at].take().expect("looked at above");
                member = join(other, member, shared);
                // A fused nest could be fused with further ones in another round, but one round finds what matters.
                break;
            }
        }
        if !member.is_nothing {
            grouped.push(Some(member));
        }
    }
    grouped.into_iter().flatten().map(|member| member.step).collect()
}

/// A step and the buffers that it touches.
struct Member {
    step: Step,
    touched: Touched,
    is_nothing: bool,
}

impl Member {
    fn new(step: Step) -> Member {
        Member { touched: Touched::by(&step), step, is_nothing: false }
    }

    fn nothing() -> Member {
        let scan =
            super::ScanSteps { step: crate::ir::StepId(0), trip: 0, reverse: false, local: None, steps: Vec::new() };
        Member { is_nothing: true, ..Member::new(Step::Scan(scan)) }
    }

    /// Whether the two may not change places.
    fn collides(&self, other: &Member) -> bool {
        self.touched.collides(&other.touched)
    }
}

fn join(first: Member, second: Member, shared: usize) -> Member {
    let (Step::Nest(mut first), Step::Nest(second)) = (first.step, second.step) else {
        unreachable!("only nests have shared loops in common")
    };
    let words: Vec<&str> = first.name.text.split(" + ").chain(second.name.text.split(" + ")).collect();
    let mut kept: Vec<&str> = Vec::new();
    words.iter().for_each(|word| {
        if !kept.contains(word) {
            kept.push(word)
        }
    });
    first.name.text = kept.join(" + ");
    first.shared = shared;
    first.stages.extend(second.stages);
    Member::new(Step::Nest(first))
}

/// How many leading indices two nests can share so that fusion pays.
fn common_shared(first: &Member, second: &Member) -> Option<usize> {
    let (Step::Nest(a), Step::Nest(b)) = (&first.step, &second.step) else { return None };
    if a.stages.len() + b.stages.len() > MOST_STAGES {
        return None;
    }
    // Either one reads values of the other, or both read the same elements at every point.
    let (Touched { reads, writes }, other) = (&first.touched, &second.touched);
    let linked = !writes.is_disjoint(&other.reads) || !reads.is_disjoint(&other.writes);
    if !linked && reads.is_disjoint(&other.reads) {
        return None;
    }
    let sizes = (extents(&a.stages[0].body), extents(&b.stages[0].body));
    let most = a.shared.min(b.shared);
    let most = (0..most).take_while(|index| sizes.0[*index] == sizes.1[*index]).count();
    let least = if linked { 1 } else { a.shared.max(b.shared) };
    (least..=most).rev().find(|shared| *shared > 0 && pays(a, b, *shared) && may_share(a, b, *shared))
}

/// Whether loops over rows are no slower than the separate nests.
fn pays(a: &Nest, b: &Nest, shared: usize) -> bool {
    let stages = || a.stages.iter().chain(&b.stages);
    // A scatter goes from row to row of its target, whichever the indices before those of its rows are.
    if stages().any(|stage| Scatter::of(&stage.body).is_some()) {
        return false;
    }
    let row = |stage: &Stage| extents(&stage.body)[shared..].iter().product::<i64>();
    let points: i64 = extents(&a.stages[0].body)[..shared].iter().product();
    let whole_before = [a, b].iter().any(|nest| {
        nest.shared > shared && nest.stages.iter().all(|stage| stage.body.domain.len() == nest.shared)
    });
    if stages().map(row).sum::<i64>() > LONGEST_ROW {
        return false;
    }
    if stages().all(|stage| row(stage) == 1) {
        return true;
    }
    // Fusion takes its long vectors from a nest over all elements, and too few rows cannot occupy the threads.
    let short = stages().any(|stage| row(stage) > 1 && row(stage) < SHORT_ROW);
    let total: i64 = stages().map(|stage| row_cost(stage, row(stage))).sum();
    let empty: i64 = stages().filter(|stage| row(stage) < LANES).map(lost_lanes).sum();
    points > 1 && !(whole_before && short) && empty * WORTH_LANES <= total
}

/// Lanes of the widest vectors.
const LANES: i64 = 16;
/// What an elementary function costs, in additions.
const FUNCTION: i64 = 16;
/// If elementary functions at a few points of each row are more than this part of a row's work, they are left to
/// loops over all rows at once, which fill vectors with them.
const WORTH_LANES: i64 = 8;

/// A rough cost of a stage for one row, in operations on vectors.
fn row_cost(stage: &Stage, points: i64) -> i64 {
    let operations = stage.body.body.nodes.len() as i64 + FUNCTION * functions(stage);
    operations * (points as u64).div_ceil(LANES as u64) as i64
}

/// The cost of a stage with short rows that a loop over all rows would save.
fn lost_lanes(stage: &Stage) -> i64 {
    if stage.body.is_elementwise() { FUNCTION * functions(stage) } else { 0 }
}

/// How many elementary functions a stage evaluates at each point.
fn functions(stage: &Stage) -> i64 {
    stage.body.body.nodes.iter().filter(|scalar| scalar.is_function()).count() as i64
}

fn may_share(a: &Nest, b: &Nest, shared: usize) -> bool {
    a.stages.iter().all(|first| b.stages.iter().all(|second| stages_may_share(first, second, shared)))
}

fn stages_may_share(first: &Stage, second: &Stage, shared: usize) -> bool {
    let sizes = (extents(&first.body), extents(&second.body));
    let touched = |stage: &Stage| {
        let mut all = accesses(stage);
        // At each point the part of the target that belongs to it is filled, too.
        all.extend(stage.is_filled().then(|| (Address::of_fill(stage, shared), true)));
        all
    };
    touched(first).iter().all(|(a, a_written)| {
        touched(second).iter().all(|(b, b_written)| {
            a.buffer != b.buffer
                || !(*a_written || *b_written)
                || same_point(a, &sizes.0, b, &sizes.1, shared)
        })
    })
}

/// All accesses of a stage, and whether they write.
pub(super) fn accesses(stage: &Stage) -> Vec<(Address, bool)> {
    let n = stage.body.domain.len();
    let mut all: Vec<(Address, bool)> = reads(&stage.body)
        .map(|(operand, subs, _)| (Address::new(&stage.operands[operand], subs, n), false))
        .collect();
    all.push((Address::new(&stage.target, &stage.body.write, n), true));
    all
}

/// Whether two accesses can only meet at one and the same point of the first `shared` indices.
fn same_point(a: &Address, a_sizes: &[i64], b: &Address, b_sizes: &[i64], shared: usize) -> bool {
    if a.index[..shared] != b.index[..shared] || a.steps != b.steps {
        return false;
    }
    let (a_low, a_high) = reach(a, a_sizes, shared);
    let (b_low, b_high) = reach(b, b_sizes, shared);
    let mut width = a_high.max(b_high) - a_low.min(b_low) + 1;
    // Each shared index must step over all that the ones within it can reach.
    let mut steps: Vec<(i64, i64)> = (0..shared)
        .filter(|index| a_sizes[*index] > 1)
        .map(|index| (a.index[index].abs(), a_sizes[index]))
        .collect();
    steps.put_in_order();
    steps.into_iter().all(|(step, size)| {
        let clear = step >= width;
        width += step * (size - 1);
        clear
    })
}

/// The least and greatest element for the indices from `shared` on, the others at 0.
fn reach(address: &Address, sizes: &[i64], shared: usize) -> (i64, i64) {
    let (mut low, mut high) = (address.offset, address.offset + address.spread);
    for (coefficient, size) in address.index.iter().zip(sizes).skip(shared) {
        let reach = coefficient * (size - 1);
        low += reach.min(0);
        high += reach.max(0);
    }
    (low, high)
}

/// Shrinks temporaries that only one nest uses to a row of the worker's memory.
pub(super) fn shrink_rows(buffers: &mut [Buffer], steps: &mut [Step]) {
    let mut users: FastMap<BufferId, u32> = FastMap::default();
    count_users(steps, &mut users);
    shrink_in(buffers, steps, &users);
}

/// For each buffer the number of steps that touch it.
fn count_users(steps: &[Step], users: &mut FastMap<BufferId, u32>) {
    for step in steps {
        if let Step::Scan(scan) = step {
            count_users(&scan.steps, users);
            continue;
        }
        let mut seen = FastSet::default();
        for_each_view(step, &mut |view, _| {
            if seen.insert(view.buffer) {
                *users.entry(view.buffer).or_insert(0) += 1;
            }
        });
    }
}

fn shrink_in(buffers: &mut [Buffer], steps: &mut [Step], users: &FastMap<BufferId, u32>) {
    for step in steps {
        match step {
            Step::Scan(scan) => shrink_in(buffers, &mut scan.steps, users),
            Step::Nest(nest) if nest.stages.len() > 1 => {
                let targets: Vec<BufferId> = nest.stages.iter().map(|stage| stage.target.buffer).collect();
                for (at, buffer) in targets.iter().enumerate() {
                    let is_temporary = matches!(buffers[buffer.0 as usize].place, Place::Arena(_));
                    if is_temporary && users.get(buffer) == Some(&1) && !targets[..at].contains(buffer) {
                        shrink(&mut buffers[buffer.0 as usize], nest, *buffer);
                    }
                }
            }
            Step::Nest(_) | Step::Gemm(_) | Step::Rand(_) => {}
        }
    }
}

/// Makes the axes that the shared indices run over zero steps apart, if all accesses agree on them.
fn shrink(buffer: &mut Buffer, nest: &mut Nest, id: BufferId) {
    let Some(first) = nest.stages.iter().find(|stage| stage.target.buffer == id) else { return };
    let view = first.target.clone();
    if view.offset != 0 || !view.is_contiguous() || !view.step_strides.is_empty() {
        return;
    }
    let shared_axis = |subs: &[Sub], axis: usize| match &subs[axis] {
        Sub::Affine(affine) => affine.as_index().filter(|index| *index < nest.shared),
        Sub::Value(_) => None,
    };
    let axes: Vec<Option<usize>> =
        (0..view.shape.len()).map(|axis| shared_axis(&first.body.write, axis)).collect();
    let uses_shared = |sub: &Sub| match sub {
        Sub::Affine(affine) => affine
            .terms
            .iter()
            .any(|(var, _)| matches!(var, Var::Index(index) if (*index as usize) < nest.shared)),
        Sub::Value(_) => false,
    };
    let agrees = |subs: &[Sub]| {
        subs.len() == axes.len()
            && (0..subs.len()).all(|axis| match axes[axis] {
                Some(index) => shared_axis(subs, axis) == Some(index),
                None => !uses_shared(&subs[axis]),
            })
    };
    let all_agree = nest.stages.iter().all(|stage| {
        let same_view = stage.operands.iter().chain([&stage.target]).all(|operand| operand.buffer != id || *operand == view);
        let same_axes = reads(&stage.body)
            .filter(|(operand, ..)| stage.operands[*operand].buffer == id)
            .all(|(_, subs, padded)| !padded && agrees(subs));
        same_view && same_axes && (stage.target.buffer != id || agrees(&stage.body.write))
    });
    if !all_agree || axes.iter().all(Option::is_none) {
        return;
    }
    let mut strides = vec![0; view.shape.len()];
    let mut len = 1;
    for axis in (0..view.shape.len()).rev().filter(|axis| axes[*axis].is_none()) {
        strides[axis] = len;
        len *= view.shape[axis];
    }
    buffer.len = len as usize;
    buffer.place = Place::Scratch(0);
    for stage in &mut nest.stages {
        for used in stage.operands.iter_mut().chain([&mut stage.target]).filter(|used| used.buffer == id) {
            used.strides = strides.clone();
        }
    }
}

/// For each buffer the one whose bytes it may take over: a nest that reads an element for the last time and
/// then writes the same place of another buffer can write it over the first.
pub(super) fn take_over(buffers: &[Buffer], steps: &[Step]) -> Vec<BufferId> {
    let mut same: Vec<BufferId> = (0..buffers.len() as u32).map(BufferId).collect();
    let lives = super::memory::lives(buffers.len(), steps);
    let mut at = 0;
    take_over_in(buffers, steps, &lives, &mut at, &mut same);
    same
}

fn take_over_in(
    buffers: &[Buffer],
    steps: &[Step],
    lives: &[Option<super::memory::Life>],
    at: &mut u32,
    same: &mut [BufferId],
) {
    for step in steps {
        *at += 1;
        match step {
            Step::Scan(scan) => {
                take_over_in(buffers, &scan.steps, lives, at, same);
                *at += 1;
            }
            Step::Nest(nest) => {
                if let [stage] = nest.stages.as_slice() {
                    take_over_stage(buffers, stage, lives, *at, same);
                }
            }
            Step::Gemm(_) | Step::Rand(_) => {}
        }
    }
}

fn take_over_stage(
    buffers: &[Buffer],
    stage: &Stage,
    lives: &[Option<super::memory::Life>],
    now: u32,
    same: &mut [BufferId],
) {
    let target = stage.target.buffer;
    let place = |id: BufferId| &buffers[id.0 as usize];
    let starts_here = lives[target.0 as usize].is_some_and(|life| life.first == now);
    if !starts_here || !matches!(place(target).place, Place::Arena(_)) || !stage.body.is_elementwise() {
        return;
    }
    let all = accesses(stage);
    let (write, _) = all.last().expect("a stage writes");
    let candidate = stage.operands.iter().map(|view| view.buffer).find(|source| {
        *source != target
            && matches!(place(*source).place, Place::Arena(_))
            && place(*source).elem == place(target).elem
            && place(*source).is_wide() == place(target).is_wide()
            && place(*source).len >= place(target).len
            && lives[source.0 as usize].is_some_and(|life| life.last == now)
            && all.iter().filter(|(read, _)| read.buffer == *source).all(|(read, _)| {
                read.index == write.index && read.offset == write.offset && read.steps == write.steps && read.spread == 0
            })
            // A padded read has the same coefficients but may be out of bounds.
            && reads(&stage.body).all(|(operand, subs, padded)| {
                stage.operands[operand].buffer != *source || (!padded && subs == stage.body.write.as_slice())
            })
    });
    if let Some(source) = candidate {
        same[target.0 as usize] = same[source.0 as usize];
    }
}
