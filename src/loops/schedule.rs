//! Choosing how a stage runs: which index becomes lanes, in which order the loops stand, how many points
//! are computed side by side.
//!
//! Every choice depends on the stage alone, so a result is made of the same operations in the same order
//! wherever and however often it is computed.

use super::access::{Node, Work};
use super::cost::Analysis;
use super::regions::{Limit, Ranges, Region, regions};
use crate::base::order::PutInOrder;
use crate::ir::Combine;

/// How many accumulators or points are worked on at once, at most.
const MAX_TILE: i64 = 8;
/// Loops of so few rounds are written out.
pub const MAX_UNROLLED: i64 = 8;

/// One loop.
#[derive(Clone, Debug)]
pub struct Axis {
    pub index: usize,
    pub size: i64,
    /// Points side by side (of `lanes` each).
    pub jam: i64,
    /// More than 1 for the index that becomes lanes.
    pub lanes: u8,
    /// What says whether accesses that move with the lanes are inside of their tensors.
    pub limits: Vec<Limit>,
    /// Whether each point is written out, so that more is known about these accesses.
    pub unrolled: bool,
    /// Whether the last lanes may be computed twice, so that nothing is left over for single points.
    pub overlap: bool,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    /// The loops over unreduced indices of the stage's own, outermost first.
    pub parallel: Vec<Axis>,
    pub reductions: Vec<Axis>,
}

impl Schedule {
    /// The loop whose reduction has vector accumulators.
    pub fn vector_reduction(&self) -> Option<VectorReduction> {
        let axis = self.reductions.iter().find(|axis| axis.lanes > 1)?;
        let mut narrower: Vec<u8> = axis.segments(&[]).iter().map(|segment| segment.lanes).collect();
        narrower.retain(|lanes| *lanes > 1 && *lanes < axis.lanes);
        narrower.dedup();
        if !axis.limits.is_empty() {
            // What is left over depends on where the loops around stand.
            narrower = widths(axis.lanes).skip(1).collect();
        }
        Some(VectorReduction { index: axis.index, lanes: axis.lanes, count: axis.jam as usize, narrower })
    }
}

/// Accumulators in lanes.
#[derive(Clone, Debug)]
pub struct VectorReduction {
    pub index: usize,
    pub lanes: u8,
    /// How many of them stand side by side.
    pub count: usize,
    /// Those for what is left over at the end, one each, from many lanes to few.
    pub narrower: Vec<u8>,
}

/// The numbers of lanes to choose from, where there may be so many.
pub fn widths(most: u8) -> impl Iterator<Item = u8> {
    let fewest = most.min(4);
    std::iter::successors(Some(most), |lanes| Some(lanes / 2))
        .take_while(move |lanes| *lanes >= fewest.max(2))
}

/// A part of a loop that is run in one manner.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub from: i64,
    pub to: i64,
    pub lanes: u8,
    pub jam: i64,
}

impl Segment {
    pub fn step(&self) -> i64 {
        i64::from(self.lanes) * self.jam
    }

    pub fn trips(&self) -> i64 {
        (self.to - self.from) / self.step()
    }
}

impl Axis {
    pub fn plain(index: usize, size: i64) -> Axis {
        Axis { index, size, jam: 1, lanes: 1, limits: Vec::new(), unrolled: false, overlap: false }
    }

    /// The parts of the loop. All but those of the whole tile's size are short.
    pub fn segments(&self, ranges: &Ranges) -> Vec<Segment> {
        let mut all = Vec::new();
        let mut push = |from: i64, to: i64, lanes: u8, jam: i64| {
            if to > from {
                all.push(Segment { from, to, lanes, jam });
            }
        };
        if self.unrolled {
            (0..self.size).for_each(|at| push(at, at + 1, 1, 1));
            return all;
        }
        if self.lanes == 1 {
            let main = self.size - self.size % self.jam;
            push(0, main, 1, self.jam);
            push(main, self.size, 1, self.size - main);
            return all;
        }
        let lanes = i64::from(self.lanes);
        for Region { from, to, decided } in regions(self.index, self.size, &self.limits, ranges) {
            if !decided {
                push(from, to, 1, 1);
                continue;
            }
            let whole = from + (to - from) / (lanes * self.jam) * (lanes * self.jam);
            let vectors = from + (to - from) / lanes * lanes;
            push(from, whole, self.lanes, self.jam);
            if vectors > whole {
                push(whole, vectors, self.lanes, (vectors - whole) / lanes);
            }
            if self.overlap && vectors < to && to - from >= lanes {
                push(to - lanes, to, self.lanes, 1);
                continue;
            }
            let mut done = vectors;
            for narrower in widths(self.lanes).skip(1).map(i64::from) {
                if to - done >= narrower {
                    push(done, done + narrower, narrower as u8, 1);
                    done += narrower;
                }
            }
            push(done, to, 1, 1);
        }
        all
    }

    /// The length of the longest part that may be run in lanes.
    pub fn room(&self) -> i64 {
        let regions = regions(self.index, self.size, &self.limits, &[]);
        regions.iter().filter(|region| region.decided).map(|region| region.to - region.from).max().unwrap_or(0)
    }

    /// The same, where the loop is cut into pieces: every part may have any number of rounds.
    pub fn cut_segments(&self, ranges: &Ranges) -> Vec<Segment> {
        let mut all = Vec::new();
        for segment in self.segments(ranges) {
            if segment.trips() > 1 || segment.jam == self.jam {
                all.push(segment);
            } else {
                all.push(Segment { jam: 1, ..segment });
            }
        }
        all
    }
}
/// The loops of a kernel.
pub struct Loops {
    /// Around all stages, outermost first.
    pub shared: Vec<Axis>,
    /// Of each stage's own.
    pub stages: Vec<Schedule>,
}

/// The transformations that a schedule may use.
#[derive(Clone, Copy)]
pub struct Freedom {
    /// The most of a float vector; 1 to do without.
    pub lanes: u8,
    /// The index that pieces divide: its loop stays outermost.
    pub cut: Option<usize>,
    /// Whether it does no harm to compute a point twice.
    pub repeatable: bool,
}

/// Schedules the stages of a nest.
pub fn schedule(stages: &[Work], freedom: Freedom) -> Loops {
    let n_shared = stages[0].shared;
    let pure = n_shared > 0 && stages.iter().all(|work| work.has_no_parallel_loops());
    if pure {
        return shared_points(stages, freedom);
    }
    let shared = (0..n_shared).map(|index| Axis::plain(index, stages[0].sizes[index])).collect();
    let cut = freedom.cut.filter(|_| n_shared == 0);
    let freedom = Freedom { cut, ..freedom };
    Loops { shared, stages: stages.iter().map(|work| loops_of_stage(work, freedom)).collect() }
}

/// The loops of one stage over its own indices.
fn loops_of_stage(work: &Work, freedom: Freedom) -> Schedule {
    let analysis = Analysis::new(work, freedom);
    let separate = work.shared..work.sizes.len();
    let parallel: Vec<usize> = separate.clone().filter(|&index| !work.reduced[index]).collect();
    let reductions: Vec<usize> = separate.filter(|&index| work.reduced[index]).collect();
    let (_, vector) = analysis.best_vector(parallel.iter().rev().chain(reductions.iter().rev()).copied());
    let axis = |index: &usize| analysis.axis(*index, vector);
    let mut parallel: Vec<Axis> = parallel.iter().map(axis).collect();
    let mut reductions: Vec<Axis> = reductions.iter().map(axis).collect();
    // The index that is cut stays outermost, the lanes go innermost: or outside of the others, if what they
    // gather need not be gathered again.
    let hoists = analysis.gathers_hoist(vector.map(|(index, _)| index), &reductions);
    if work.is_scatter {
        // Each row that a computed subscript names is added to from end to end: the same sums in the same order,
        // since an element belongs to one point of the other indices.
        parallel.put_in_order_by_key(|axis| (!analysis.moves_write_by_value(axis.index), axis.lanes > 1));
    } else {
        parallel.put_in_order_by_key(|axis| (freedom.cut != Some(axis.index), (axis.lanes > 1) != hoists));
    }
    reductions.put_in_order_by_key(|axis| axis.lanes > 1);
    let mut schedule = Schedule { parallel, reductions };
    if work.is_scatter {
        if let Some(axis) = schedule.parallel.last_mut().filter(|axis| axis.lanes > 1) {
            axis.jam = (axis.room() / i64::from(axis.lanes)).clamp(1, MAX_TILE / 2);
        }
    } else if !work.combines_points() {
        analysis.tile(&mut schedule, analysis.weight_of_all(), 0.0);
    }
    if let Some((index, _)) = vector {
        analysis.unroll(&mut schedule, index);
    }
    schedule
}

/// Stages that have no parallel loops of their own: the shared loops give lanes and points side by side.
fn shared_points(stages: &[Work], freedom: Freedom) -> Loops {
    let analyses: Vec<Analysis<'_>> = stages.iter().map(|work| Analysis::new(work, freedom)).collect();
    let n_shared = stages[0].shared;
    let reductions = |work: &Work| (work.shared..work.sizes.len()).collect::<Vec<usize>>();
    // What a point costs without lanes of the shared loops.
    let alone: f64 =
        analyses.iter().map(|analysis| analysis.best_vector(reductions(analysis.work).into_iter().rev()).0 * analysis.rounds()).sum();
    let mut best = (alone, None);
    let candidates = (0..n_shared).rev().flat_map(|index| widths(freedom.lanes).map(move |width| (index, width)));
    for (index, lanes) in candidates {
        let cost =
            analyses.iter().map(|analysis| Some(analysis.vector_cost(index, lanes)? * analysis.rounds())).sum::<Option<f64>>();
        if let Some(cost) = cost
            && cost < best.0
        {
            best = (cost, Some((index, lanes)));
        }
    }
    let vector = best.1;
    let mut shared: Vec<Axis> = (0..n_shared).map(|index| analyses[0].axis(index, vector)).collect();
    for axis in shared.iter_mut().filter(|axis| axis.lanes > 1) {
        axis.limits = analyses.iter().flat_map(|analysis| analysis.limits(axis.index)).collect();
        if axis.room() < i64::from(axis.lanes) {
            *axis = Axis::plain(axis.index, axis.size);
        }
    }
    let vector = vector.filter(|_| shared.iter().any(|axis| axis.lanes > 1));
    let by_value = |index: usize| analyses.iter().any(|analysis| analysis.moves_write_by_value(index));
    if stages.iter().any(|work| work.is_scatter) {
        shared.put_in_order_by_key(|axis| (!by_value(axis.index), axis.lanes > 1));
    } else {
        shared.put_in_order_by_key(|axis| (freedom.cut != Some(axis.index), axis.lanes > 1));
    }
    let inner = Freedom { lanes: if vector.is_some() { 1 } else { freedom.lanes }, cut: None, ..freedom };
    let mut schedules: Vec<Schedule> = stages.iter().map(|work| loops_of_stage(work, inner)).collect();
    // The stage that does most decides about points side by side.
    let heaviest = (0..stages.len()).max_by(|a, b| analyses[*a].rounds().total_cmp(&analyses[*b].rounds()));
    let heaviest = heaviest.unwrap_or(0);
    let total: f64 = analyses.iter().map(Analysis::weight_of_all).sum();
    let reductions = std::mem::take(&mut schedules[heaviest].reductions);
    let mut joint = Schedule { parallel: shared, reductions };
    let weight_of_heaviest = analyses[heaviest].weight_of_all();
    let weight = if joint.reductions.is_empty() { total } else { weight_of_heaviest };
    if stages.iter().all(|work| !work.combines_points()) {
        analyses[heaviest].tile(&mut joint, weight, total - weight_of_heaviest);
    }
    schedules[heaviest].reductions = joint.reductions;
    Loops { shared: joint.parallel, stages: schedules }
}

impl Analysis<'_> {
    /// Decides how many points are computed side by side.
    /// `weight`: of what one point computes; `company`: of other stages at the same points.
    fn tile(&self, schedule: &mut Schedule, weight: f64, company: f64) {
        let cut = self.cut;
        let largest = if company > 12.0 { MAX_TILE / 2 } else { MAX_TILE };
        let lanes = |axis: &Axis| i64::from(axis.lanes);
        if schedule.reductions.is_empty() {
            // Writing out a few points of a light loop hides its own cost.
            let jam = if weight <= 4.0 {
                4
            } else if weight <= 10.0 {
                2
            } else {
                1
            };
            if let Some(axis) = schedule.parallel.last_mut() {
                let vectors = axis.room() / lanes(axis);
                axis.jam =
                    if vectors <= 4 && weight <= 24.0 { vectors.max(1) } else { jam.min(vectors).max(1) };
            }
            return;
        }
        let mut tile = 1;
        if weight <= 8.0 && !matches!(self.work.combine, Combine::ArgMax | Combine::ArgMin) {
            // Reads that an index leaves alone are shared by the points side by side along it.
            let mut gains: Vec<(usize, usize)> = Vec::new();
            for (at, axis) in schedule.parallel.iter().enumerate() {
                if axis.lanes == 1 && axis.size > 1 && cut != Some(axis.index) {
                    gains.push((self.shared_reads(axis.index), at));
                }
            }
            gains.put_in_order_by_key(|(gain, at)| (std::cmp::Reverse(*gain), std::cmp::Reverse(*at)));
            let vector_is_parallel = schedule.parallel.iter().any(|axis| axis.lanes > 1);
            let most = if vector_is_parallel { largest / 2 } else { largest };
            for (gain, at) in gains {
                let axis = &mut schedule.parallel[at];
                let wanted = if gain > 0 { 4.min(most / tile) } else { 1 };
                axis.jam = best_jam(axis.size, wanted);
                tile *= axis.jam;
            }
            if let Some(axis) = schedule.parallel.iter_mut().find(|axis| axis.lanes > 1) {
                let vectors = axis.room() / lanes(axis);
                axis.jam = best_jam(vectors, largest / tile.max(2));
                tile *= axis.jam;
            }
        }
        if let Some(axis) = schedule.reductions.last_mut() {
            let rounds = axis.room() / lanes(axis);
            let wanted = if axis.lanes > 1 {
                (MAX_TILE / 2 / tile).max(1)
            } else if rounds <= MAX_UNROLLED && tile as f64 * rounds as f64 * weight <= 160.0 {
                rounds
            } else {
                1
            };
            axis.jam = wanted.min(rounds).max(1);
        }
    }

    /// Writes out short loops around the lanes where that decides which lanes are inside of their tensors: the
    /// columns of a window around every place of a row.
    fn unroll(&self, schedule: &mut Schedule, vector: usize) {
        let limits = self.limits(vector);
        let mut room = MAX_UNROLLED;
        for axis in &mut schedule.parallel {
            let helps = axis.index != vector && limits.iter().any(|limit| limit.moves_with(axis.index));
            if helps && axis.jam == 1 && axis.size <= room && self.cut != Some(axis.index) {
                axis.unrolled = self.weight_of_all() <= 12.0;
                room /= axis.size.max(1);
            }
        }
    }

    /// How many reads of the body do not move with `index`.
    fn shared_reads(&self, index: usize) -> usize {
        let nodes = self.work.nodes.iter().zip(&self.depends);
        nodes.filter(|(node, depends)| matches!(node, Node::Read(_)) && !depends[index]).count()
    }
}

/// At most `wanted`, preferring what divides the size.
fn best_jam(size: i64, wanted: i64) -> i64 {
    let wanted = wanted.min(size).max(1);
    if size % wanted == 0 {
        return wanted;
    }
    (wanted / 2 + 1..=wanted).rev().find(|jam| size % jam == 0).unwrap_or(wanted)
}

impl Work {
    /// Whether values of several points of the unreduced indices may be combined in one element.
    pub fn combines_points(&self) -> bool {
        !self.injective && self.combine != Combine::Set
    }

    /// Whether all indices of its own are reduced.
    pub fn has_no_parallel_loops(&self) -> bool {
        let plain_store = !self.accumulate && self.write.checks.is_empty();
        let all_reduced = self.reduced[self.shared..].iter().all(|reduced| *reduced);
        all_reduced && !self.combines_points() && (plain_store || !self.private_target)
    }

    /// Whether the target is a place that one point of the nest writes and reads: a register.
    pub fn write_is_private(&self) -> bool {
        self.private_target && self.has_no_parallel_loops()
    }
}
