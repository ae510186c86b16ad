//! Choosing how a stage runs: which index becomes lanes, in which order the loops stand, how many points
//! are computed side by side.
//!
//! Every choice depends on the stage alone, so a result is made of the same operations in the same order
//! wherever and however often it is computed.

use super::access::{Access, Check, Node, Work};
use super::ir::Kind;
use crate::ir::{BinaryOp, Combine, ScalarId, StepId, UnaryOp};
use std::collections::HashMap;

/// How many accumulators or points are worked on at once, at most.
const MAX_TILE: i64 = 8;
/// Loops of so few rounds are written out.
const MAX_UNROLLED: i64 = 8;

/// One loop.
#[derive(Clone, Debug)]
pub struct Axis {
    pub index: usize,
    pub size: i64,
    /// Points side by side (of `lanes` each).
    pub jam: i64,
    /// More than 1 for the index that becomes lanes.
    pub lanes: u8,
    /// The range in which no access that moves with the lanes is outside of its tensor.
    pub interior: (i64, i64),
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
    /// The index whose reduction has vector accumulators, and how many of them.
    pub fn vector_reduction(&self) -> Option<(usize, usize)> {
        self.reductions.iter().find(|axis| axis.lanes > 1).map(|axis| (axis.index, axis.jam as usize))
    }
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
        Axis { index, size, jam: 1, lanes: 1, interior: (0, size), overlap: false }
    }

    /// The parts of the loop. All but those of the whole tile's size are short.
    pub fn segments(&self) -> Vec<Segment> {
        let mut all = Vec::new();
        let mut push = |from: i64, to: i64, lanes: u8, jam: i64| {
            if to > from {
                all.push(Segment { from, to, lanes, jam });
            }
        };
        if self.lanes == 1 {
            let main = self.size - self.size % self.jam;
            push(0, main, 1, self.jam);
            push(main, self.size, 1, self.size - main);
            return all;
        }
        let (low, high) = self.interior;
        let lanes = i64::from(self.lanes);
        let whole = low + (high - low) / (lanes * self.jam) * (lanes * self.jam);
        let vectors = low + (high - low) / lanes * lanes;
        push(0, low, 1, 1);
        push(low, whole, self.lanes, self.jam);
        if vectors > whole {
            push(whole, vectors, self.lanes, (vectors - whole) / lanes);
        }
        if self.overlap && vectors < self.size && high == self.size && high - low >= lanes {
            push(self.size - lanes, self.size, self.lanes, 1);
        } else {
            push(vectors, self.size, 1, 1);
        }
        all
    }

    /// The same, where the loop is cut into pieces: every part may have any number of rounds.
    pub fn cut_segments(&self) -> Vec<Segment> {
        let mut all = Vec::new();
        for segment in self.segments() {
            if segment.trips() > 1 || segment.jam == self.jam {
                all.push(segment);
            } else {
                all.push(Segment { jam: 1, ..segment });
            }
        }
        all
    }
}

/// For each node, whether it depends on each index.
pub fn dependences(work: &Work) -> Vec<Vec<bool>> {
    let mut all: Vec<Vec<bool>> = Vec::with_capacity(work.nodes.len());
    for node in &work.nodes {
        let mut own = vec![false; work.sizes.len()];
        let mut join = |id: &ScalarId| {
            own.iter_mut().zip(&all[id.0 as usize]).for_each(|(own, its)| *own |= its);
        };
        match node {
            Node::Float(_) | Node::Int(_) | Node::Bool(_) => {}
            Node::Form(form) => {
                own.iter_mut().zip(&form.coefficients).for_each(|(own, factor)| *own |= *factor != 0);
            }
            Node::Read(access) => own = access_dependence(access, &all, work.sizes.len()),
            Node::Unary(_, a) | Node::Same(a) => join(a),
            Node::Binary(_, a, b) => {
                join(a);
                join(b);
            }
            Node::Select(c, a, b) => {
                join(c);
                join(a);
                join(b);
            }
        }
        all.push(own);
    }
    all
}

fn access_dependence(access: &Access, nodes: &[Vec<bool>], rank: usize) -> Vec<bool> {
    let mut own = vec![false; rank];
    let mut mark = |factors: &[i64]| {
        own.iter_mut().zip(factors).for_each(|(own, factor)| *own |= *factor != 0);
    };
    mark(&access.form.coefficients);
    access.checks.iter().for_each(|check| mark(&check.form.coefficients));
    let values =
        access.values.iter().map(|(id, _)| id).chain(access.checks.iter().filter_map(|c| c.value.as_ref()));
    for id in values {
        own.iter_mut().zip(&nodes[id.0 as usize]).for_each(|(own, its)| *own |= its);
    }
    own
}

/// What it costs to compute a node once, in operations.
fn weight(node: &Node) -> f64 {
    match node {
        Node::Float(_) | Node::Int(_) | Node::Bool(_) | Node::Same(_) => 0.0,
        Node::Form(_) | Node::Read(_) | Node::Select(..) => 1.0,
        Node::Unary(op, _) => match op {
            UnaryOp::Exp => 14.0,
            UnaryOp::Log => 18.0,
            UnaryOp::Sin | UnaryOp::Cos | UnaryOp::Tanh | UnaryOp::Erf => 22.0,
            UnaryOp::Sqrt => 4.0,
            _ => 1.0,
        },
        Node::Binary(op, ..) => match op {
            BinaryOp::Pow => 40.0,
            BinaryOp::Div => 4.0,
            BinaryOp::FloorDiv | BinaryOp::Mod => 20.0,
            _ => 1.0,
        },
    }
}

struct Analysis<'w> {
    work: &'w Work,
    depends: Vec<Vec<bool>>,
    trips: &'w HashMap<StepId, i64>,
    lanes: u8,
    cut: Option<usize>,
    repeatable: bool,
}

/// The loops of a kernel.
pub struct Loops {
    /// Around all stages, outermost first.
    pub shared: Vec<Axis>,
    /// Of each stage's own.
    pub stages: Vec<Schedule>,
}

/// What a schedule may do.
#[derive(Clone, Copy)]
pub struct Freedom<'t> {
    /// Of a float vector; 1 to do without.
    pub lanes: u8,
    /// The steps of the scans around.
    pub trips: &'t HashMap<StepId, i64>,
    /// The index that pieces divide: its loop stays outermost.
    pub cut: Option<usize>,
    /// Whether it does no harm to compute a point twice.
    pub repeatable: bool,
}

/// Schedules the stages of a nest.
pub fn schedule(stages: &[Work], freedom: Freedom<'_>) -> Loops {
    let n_shared = stages[0].shared;
    let pure = n_shared > 0 && stages.iter().all(|work| work.has_no_parallel_loops());
    if pure {
        return shared_points(stages, freedom);
    }
    let shared = (0..n_shared).map(|index| Axis::plain(index, stages[0].sizes[index])).collect();
    let cut = freedom.cut.filter(|_| n_shared == 0);
    let own = Freedom { cut, ..freedom };
    Loops { shared, stages: stages.iter().map(|work| own_loops(work, own)).collect() }
}

/// The loops of one stage over its own indices.
fn own_loops(work: &Work, freedom: Freedom<'_>) -> Schedule {
    let analysis = Analysis::new(work, freedom);
    let own = work.shared..work.sizes.len();
    let parallel: Vec<usize> = own.clone().filter(|&index| !work.reduced[index]).collect();
    let reductions: Vec<usize> = own.filter(|&index| work.reduced[index]).collect();
    let (_, vector) = analysis.best_vector(parallel.iter().rev().chain(reductions.iter().rev()).copied());
    let axis = |index: &usize| analysis.axis(*index, vector == Some(*index));
    let mut parallel: Vec<Axis> = parallel.iter().map(axis).collect();
    let mut reductions: Vec<Axis> = reductions.iter().map(axis).collect();
    // The index that is cut stays outermost, the lanes go innermost: or outside of the others, if what they
    // gather need not be gathered again.
    let hoists = analysis.gathers_hoist(vector, &reductions);
    parallel.sort_by_key(|axis| (freedom.cut != Some(axis.index), (axis.lanes > 1) != hoists));
    reductions.sort_by_key(|axis| axis.lanes > 1);
    let mut schedule = Schedule { parallel, reductions };
    if !work.is_scatter() {
        analysis.tile(&mut schedule, analysis.weight_of_all(), 0.0);
    }
    schedule
}

/// Stages that have no parallel loops of their own: the shared loops give lanes and points side by side.
fn shared_points(stages: &[Work], freedom: Freedom<'_>) -> Loops {
    let analyses: Vec<Analysis<'_>> = stages.iter().map(|work| Analysis::new(work, freedom)).collect();
    let n_shared = stages[0].shared;
    let reductions = |work: &Work| (work.shared..work.sizes.len()).collect::<Vec<usize>>();
    // What a point costs without lanes of the shared loops.
    let alone: f64 = analyses
        .iter()
        .map(|own| own.best_vector(reductions(own.work).into_iter().rev()).0 * own.rounds())
        .sum();
    let mut best = (alone, None);
    for index in (0..n_shared).rev().filter(|_| freedom.lanes > 1) {
        let cost =
            analyses.iter().map(|own| Some(own.vector_cost(index)? * own.rounds())).sum::<Option<f64>>();
        if let Some(cost) = cost
            && cost < best.0
            && (freedom.cut != Some(index) || n_shared == 1)
        {
            best = (cost, Some(index));
        }
    }
    let vector = best.1;
    let mut shared: Vec<Axis> =
        (0..n_shared).map(|index| analyses[0].axis(index, vector == Some(index))).collect();
    for axis in shared.iter_mut().filter(|axis| axis.lanes > 1) {
        for own in &analyses {
            let (low, high) = own.interior(axis.index);
            axis.interior = (axis.interior.0.max(low), axis.interior.1.min(high));
        }
        if axis.interior.1 - axis.interior.0 < i64::from(axis.lanes) {
            (axis.lanes, axis.interior, axis.overlap) = (1, (0, axis.size), false);
        }
    }
    let vector = vector.filter(|_| shared.iter().any(|axis| axis.lanes > 1));
    shared.sort_by_key(|axis| (freedom.cut != Some(axis.index), axis.lanes > 1));
    let inner = Freedom { lanes: if vector.is_some() { 1 } else { freedom.lanes }, cut: None, ..freedom };
    let mut schedules: Vec<Schedule> = stages.iter().map(|work| own_loops(work, inner)).collect();
    // The stage that does most decides about points side by side.
    let heaviest = (0..stages.len()).max_by(|a, b| analyses[*a].rounds().total_cmp(&analyses[*b].rounds()));
    let heaviest = heaviest.unwrap_or(0);
    let total: f64 = analyses.iter().map(Analysis::weight_of_all).sum();
    let reductions = std::mem::take(&mut schedules[heaviest].reductions);
    let mut joint = Schedule { parallel: shared, reductions };
    let own = analyses[heaviest].weight_of_all();
    let weight = if joint.reductions.is_empty() { total } else { own };
    if stages.iter().all(|work| !work.is_scatter()) {
        analyses[heaviest].tile(&mut joint, weight, total - own);
    }
    schedules[heaviest].reductions = joint.reductions;
    Loops { shared: joint.parallel, stages: schedules }
}

impl<'w> Analysis<'w> {
    fn new(work: &'w Work, freedom: Freedom<'w>) -> Analysis<'w> {
        let Freedom { lanes, trips, cut, repeatable } = freedom;
        Analysis { work, depends: dependences(work), trips, lanes, cut, repeatable }
    }

    /// The cheapest of some indices to become lanes, with the cost of one point; `None` for no lanes.
    fn best_vector(&self, indices: impl Iterator<Item = usize>) -> (f64, Option<usize>) {
        let mut best = (self.scalar_cost(), None);
        for index in indices.filter(|_| self.lanes > 1) {
            if let Some(cost) = self.vector_cost(index)
                && cost < best.0
            {
                best = (cost, Some(index));
            }
        }
        best
    }

    fn axis(&self, index: usize, is_vector: bool) -> Axis {
        let mut axis = Axis::plain(index, self.work.sizes[index]);
        if is_vector {
            axis.lanes = self.lanes;
            axis.interior = self.interior(index);
            axis.overlap = self.repeatable && self.cut != Some(index) && !self.work.reduced[index];
        }
        axis
    }

    /// Points of the stage's own loops.
    fn rounds(&self) -> f64 {
        self.work.sizes[self.work.shared..].iter().product::<i64>() as f64
    }

    /// Whether gathered reads stay the same in the loops beside that of the lanes, because the reductions
    /// are written out.
    fn gathers_hoist(&self, vector: Option<usize>, reductions: &[Axis]) -> bool {
        let Some(index) = vector else { return false };
        if self.work.reduced[index] || reductions.iter().map(|axis| axis.size).product::<i64>() > MAX_UNROLLED
        {
            return false;
        }
        let others =
            (self.work.shared..self.work.sizes.len()).filter(|&own| own != index && !self.work.reduced[own]);
        let others: Vec<usize> = others.collect();
        self.work.nodes.iter().zip(&self.depends).any(|(node, depends)| match node {
            Node::Read(access) => {
                let gathered = !matches!(access.form.coefficients[index], 0 | 1);
                gathered && others.iter().any(|other| !depends[*other])
            }
            _ => false,
        })
    }
}

impl Analysis<'_> {
    fn scalar_cost(&self) -> f64 {
        self.work.nodes.iter().map(weight).sum::<f64>() + 1.0
    }

    fn weight_of_all(&self) -> f64 {
        self.work.nodes.iter().map(weight).sum()
    }

    fn varies(&self, id: ScalarId, index: usize) -> bool {
        self.depends[id.0 as usize][index]
    }

    /// The cost of one point if `index` becomes lanes; `None` if it cannot.
    fn vector_cost(&self, index: usize) -> Option<f64> {
        let work = self.work;
        let is_reduction = work.reduced[index];
        if is_reduction {
            let sums = matches!(work.combine, Combine::Add | Combine::Mul | Combine::Max | Combine::Min);
            if !sums || work.kinds[work.result.0 as usize] == Kind::Bool {
                return None;
            }
        }
        let mut cost = 0.0;
        for (at, node) in work.nodes.iter().enumerate() {
            if !self.depends[at][index] {
                // A scalar that is put into all lanes.
                cost += if matches!(node, Node::Read(_)) { 1.5 } else { 0.2 };
                continue;
            }
            if work.kinds[at] == Kind::I32 && self.lanes != 4 {
                return None;
            }
            cost += match node {
                Node::Binary(BinaryOp::FloorDiv | BinaryOp::Mod, ..) => return None,
                Node::Read(access) => self.read_cost(access, index),
                other => weight(other),
            };
        }
        let mut rounds = work.sizes.iter().zip(&work.reduced).filter(|(_, reduced)| **reduced);
        let rounds = rounds.by_ref().map(|(size, _)| *size).product::<i64>() as f64;
        let write = &work.write;
        if is_reduction {
            cost += 14.0 * f64::from(self.lanes) / rounds;
        } else {
            let moves_by_value = write.values.iter().any(|(id, _)| self.varies(*id, index))
                || write.checks.iter().filter_map(|check| check.value).any(|id| self.varies(id, index));
            let stride = write.form.coefficients[index];
            if moves_by_value || stride == 0 && !work.write_is_private() {
                return None;
            }
            if work.target_kind == Kind::I32 && self.lanes != 4 {
                return None;
            }
            cost += if stride == 1 { 1.0 } else { 6.0 } / rounds;
        }
        let (low, high) = self.interior(index);
        let lanes = i64::from(self.lanes);
        let in_lanes = ((high - low) / lanes * lanes).max(0);
        if in_lanes == 0 {
            return None;
        }
        let mut single = work.sizes[index] - in_lanes;
        let mut in_lanes = in_lanes;
        if self.repeatable
            && !is_reduction
            && self.cut != Some(index)
            && (low, high) == (0, work.sizes[index])
        {
            in_lanes += if single > 0 { lanes } else { 0 };
            single = 0;
        }
        let total = in_lanes as f64 / lanes as f64 * cost + single as f64 * self.scalar_cost();
        Some(total / work.sizes[index] as f64)
    }

    fn read_cost(&self, access: &Access, index: usize) -> f64 {
        let by_value = access.values.iter().any(|(id, _)| self.varies(*id, index))
            || access.checks.iter().filter_map(|check| check.value).any(|id| self.varies(id, index));
        let checks = access.checks.iter().filter(|check| check.form.coefficients[index] == 0).count() as f64;
        // A gather is shared by the points side by side that it does not move with.
        let depends = access_dependence(access, &self.depends, self.work.sizes.len());
        let is_parallel = |other: &usize| !self.work.reduced[*other] && *other != index;
        let repeats = (0..depends.len()).filter(is_parallel).filter(|other| !depends[*other]);
        let shared = repeats.map(|other| self.work.sizes[other]).max().unwrap_or(1).min(4) as f64;
        let gather = if by_value { 12.0 } else { 7.0 / shared };
        let load = if !by_value && access.form.coefficients[index] == 1 { 1.0 } else { gather };
        load + checks
    }

    /// The range of `index` in which the checks that move with it always hold, whatever the other indices.
    fn interior(&self, index: usize) -> (i64, i64) {
        let (mut low, mut high) = (0, self.work.sizes[index]);
        let reads = self.work.nodes.iter().filter_map(|node| match node {
            Node::Read(access) => Some(access),
            _ => None,
        });
        for check in reads.chain([&self.work.write]).flat_map(|access| &access.checks) {
            (low, high) = self.narrow(check, index, (low, high));
        }
        if low >= high { (0, 0) } else { (low, high) }
    }

    fn narrow(&self, check: &Check, index: usize, (mut low, mut high): (i64, i64)) -> (i64, i64) {
        let factor = check.form.coefficients[index];
        if factor == 0 || check.value.is_some() {
            return (low, high);
        }
        let mut others = check.form.clone();
        others.coefficients[index] = 0;
        let (least, greatest) = others.bounds(&self.work.sizes, self.trips);
        let holds = |at: i64| factor * at + least >= 0 && factor * at + greatest < check.size;
        while low < high && !holds(low) {
            low += 1;
        }
        while low < high && !holds(high - 1) {
            high -= 1;
        }
        (low, high)
    }

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
                let vectors = (axis.interior.1 - axis.interior.0) / lanes(axis);
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
            gains.sort_by_key(|(gain, at)| (std::cmp::Reverse(*gain), std::cmp::Reverse(*at)));
            let vector_is_parallel = schedule.parallel.iter().any(|axis| axis.lanes > 1);
            let most = if vector_is_parallel { largest / 2 } else { largest };
            for (gain, at) in gains {
                let axis = &mut schedule.parallel[at];
                let wanted = if gain > 0 { 4.min(most / tile) } else { 1 };
                axis.jam = best_jam(axis.size, wanted);
                tile *= axis.jam;
            }
            if let Some(axis) = schedule.parallel.iter_mut().find(|axis| axis.lanes > 1) {
                let vectors = (axis.interior.1 - axis.interior.0) / lanes(axis);
                axis.jam = best_jam(vectors, largest / tile.max(2));
                tile *= axis.jam;
            }
        }
        if let Some(axis) = schedule.reductions.last_mut() {
            let rounds = (axis.interior.1 - axis.interior.0) / lanes(axis);
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
    fn is_scatter(&self) -> bool {
        !self.injective && self.combine != Combine::Set
    }

    /// Whether all indices of its own are reduced.
    fn has_no_parallel_loops(&self) -> bool {
        let plain_store = !self.accumulate && self.write.checks.is_empty();
        let all_reduced = self.reduced[self.shared..].iter().all(|reduced| *reduced);
        all_reduced && !self.is_scatter() && (plain_store || !self.private_target)
    }

    /// Whether the target is a place that one point of the nest writes and reads: a register.
    pub fn write_is_private(&self) -> bool {
        self.private_target && self.has_no_parallel_loops()
    }
}
