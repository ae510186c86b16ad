//! Code generation for one stage: writes its loops as its schedule says.

use crate::ir::hash::FastMap;
use super::access::{Node, Work};
use super::builder::Builder;
use super::ir::*;
use super::scalar;
use super::schedule::{Axis, Schedule, Segment, VectorReduction};
use crate::ir::{BinaryOp, Combine, ScalarId, StepId};

/// The value of an index at the moment: a loop counter plus a number.
#[derive(Clone, Copy, Default)]
pub struct Cursor {
    pub counter: Option<ValueId>,
    pub offset: i64,
}

/// An open loop that computes several points side by side.
#[derive(Clone, Copy)]
pub struct Jam {
    pub index: usize,
    pub count: i64,
    pub stride: i64,
}

/// The loops that are being written, from the outermost to the innermost.
pub struct Emitter<'b> {
    pub builder: &'b mut Builder,
    pub steps: &'b FastMap<StepId, ValueId>,
    /// The lanes of vectors in the innermost open loop that has any.
    pub lanes: u8,
    pub float: Kind,
    pub cursors: Vec<Cursor>,
    /// The part of each index that the open loops run through.
    pub ranges: Vec<Option<(i64, i64)>>,
    /// The steps of the scans around.
    pub jams: Vec<Jam>,
    /// The index whose values lie in lanes at the moment.
    pub vector: Option<usize>,
    /// The range of the piece, if the given index is cut.
    pub cut: Option<(usize, ValueId, ValueId)>,
    /// For each parameter, whether it is private memory.
    pub private: Vec<bool>,
    pub n_shared: usize,
    /// The parameter for the word of [`BasePlace::Fault`], and what is stored there.
    pub fault: Option<(u32, i64)>,
}

/// Partial results of the points side by side: for each point, for each slot, one value or two.
type Accumulators = Vec<Vec<Vec<ValueId>>>;

impl<'b> Emitter<'b> {
    pub fn new(
        builder: &'b mut Builder,
        steps: &'b FastMap<StepId, ValueId>,
        lanes: u8,
        float: Kind,
        rank: usize,
    ) -> Emitter<'b> {
        let cursors = vec![Cursor::default(); rank];
        Emitter {
            builder,
            steps,
            lanes,
            float,
            cursors,
            ranges: vec![None; rank],
            jams: Vec::new(),
            vector: None,
            cut: None,
            private: Vec::new(),
            n_shared: 0,
            fault: None,
        }
    }

    /// Opens the loops of `axes` one in another and calls `leaf` inside.
    pub fn loops(&mut self, axes: &[Axis], leaf: &mut dyn FnMut(&mut Self)) {
        let Some((axis, rest)) = axes.split_first() else { return leaf(self) };
        let cut = self.cut.filter(|(index, _, _)| *index == axis.index);
        let segments =
            if cut.is_some() { axis.cut_segments(&self.ranges) } else { axis.segments(&self.ranges) };
        for segment in segments {
            self.ranges[axis.index] = Some((segment.from, segment.to));
            let (from, to) = match cut {
                None => (Bound::Number(segment.from), Bound::Number(segment.to)),
                Some((_, start, end)) => {
                    let low = self.builder.int(Kind::I64, segment.from);
                    let high = self.builder.int(Kind::I64, segment.to);
                    let low = self.builder.binary(Binary::Max, low, start);
                    let high = self.builder.binary(Binary::Min, high, end);
                    (Bound::Value(low), Bound::Value(high))
                }
            };
            if cut.is_none() && segment.trips() == 1 {
                self.cursors[axis.index] = Cursor { counter: None, offset: segment.from };
                self.within(axis, segment, |emitter| emitter.loops(rest, leaf));
            } else {
                let (counter, _) = self.builder.begin_for(from, to, segment.step(), &[]);
                self.cursors[axis.index] = Cursor { counter: Some(counter), offset: 0 };
                self.within(axis, segment, |emitter| emitter.loops(rest, leaf));
                self.builder.end_for(&[]);
            }
        }
        self.ranges[axis.index] = None;
    }

    /// Calls `inner` with the lanes and the points side by side of a segment.
    fn within<R>(&mut self, axis: &Axis, segment: Segment, inner: impl FnOnce(&mut Self) -> R) -> R {
        let (vector, lanes) = (self.vector, self.lanes);
        if axis.lanes > 1 {
            self.vector = (segment.lanes > 1).then_some(axis.index);
            self.lanes = segment.lanes;
        }
        let jammed = segment.jam > 1;
        if jammed {
            self.jams.push(Jam { index: axis.index, count: segment.jam, stride: i64::from(segment.lanes) });
        }
        let result = inner(self);
        if jammed {
            self.jams.pop();
        }
        (self.vector, self.lanes) = (vector, lanes);
        result
    }

    /// All combinations of the points side by side from jam `first` on, as offsets of each index.
    fn points(&self, first: usize) -> Vec<Vec<i64>> {
        let mut points = vec![vec![0; self.cursors.len()]];
        for jam in &self.jams[first..] {
            points = points
                .into_iter()
                .flat_map(|point| {
                    (0..jam.count).map(move |at| {
                        let mut point = point.clone();
                        point[jam.index] += at * jam.stride;
                        point
                    })
                })
                .collect();
        }
        points
    }

    /// One stage at one point of the shared loops.
    pub fn stage(&mut self, work: &Work, schedule: &Schedule) {
        let mut leaf = |emitter: &mut Self| emitter.leaf(work, schedule);
        self.loops(&schedule.parallel, &mut leaf);
    }

    /// Stages without loops of their own: all of them at one point, then all at the next, since what one
    /// hands to another may have one place for all points.
    pub fn pointwise(&mut self, works: &[Work], written: &[u32]) {
        for point in self.points(0) {
            for work in works {
                self.builder.begin_stage(written, None);
                self.write_point(work, &point);
            }
        }
    }

    /// Writes the loops over the indices that are not reduced.
    fn write_point(&mut self, work: &Work, point: &[i64]) {
        let reads_back = work.combine != Combine::Set && (work.accumulate || !work.injective);
        let value = match work.combine {
            Combine::ArgMax | Combine::ArgMin => self.builder.int(work.target_kind, 0),
            _ => self.value_of(work, point),
        };
        self.test(work, point, None);
        self.write(work, point, value, reads_back);
    }

    fn leaf(&mut self, work: &Work, schedule: &Schedule) {
        let points = self.points(0);
        let reads_back = work.combine != Combine::Set && (work.accumulate || !work.injective);
        if schedule.reductions.is_empty() {
            points.iter().for_each(|point| self.write_point(work, point));
            return;
        }
        let vector_reduction = schedule.vector_reduction();
        let start = self.start(work, points.len(), vector_reduction.as_ref());
        let depth = self.jams.len();
        let end = self.reduce(work, &schedule.reductions, vector_reduction.as_ref(), depth, &points, start);
        for (point, slots) in points.iter().zip(end) {
            let value = self.finish(work, vector_reduction.as_ref(), slots);
            self.write(work, point, value, reads_back);
        }
    }

    fn start(
        &mut self,
        work: &Work,
        n_points: usize,
        vector_reduction: Option<&VectorReduction>,
    ) -> Accumulators {
        let kind = work.value_kind();
        let identity = scalar::identity(self.builder, work.combine, kind);
        let mut slots = Vec::new();
        match vector_reduction {
            Some(VectorReduction { lanes, count, narrower, .. }) => {
                let wide = self.builder.splat(identity, *lanes);
                slots.extend((0..*count).map(|_| vec![wide]));
                slots.extend(narrower.iter().map(|lanes| vec![self.builder.splat(identity, *lanes)]));
                slots.push(vec![identity]);
            }
            None => {
                let lanes = if self.vector.is_some() { self.lanes } else { 1 };
                let wide = self.builder.splat(identity, lanes);
                slots.push(vec![wide]);
                if matches!(work.combine, Combine::ArgMax | Combine::ArgMin) {
                    let zero = self.builder.int(work.target_kind, 0);
                    slots[0].push(self.builder.splat(zero, lanes));
                    if kind.is_float() {
                        slots[0].push(scalar::no_number(self.builder, work.target_kind, lanes));
                    }
                }
            }
        }
        vec![slots; n_points]
    }

    fn reduce(
        &mut self,
        work: &Work,
        axes: &[Axis],
        vector_reduction: Option<&VectorReduction>,
        depth: usize,
        points: &[Vec<i64>],
        mut accumulators: Accumulators,
    ) -> Accumulators {
        let Some((axis, rest)) = axes.split_first() else {
            self.accumulate(work, vector_reduction, depth, points, &mut accumulators);
            return accumulators;
        };
        for segment in axis.segments(&self.ranges) {
            self.ranges[axis.index] = Some((segment.from, segment.to));
            if segment.trips() == 1 {
                self.cursors[axis.index] = Cursor { counter: None, offset: segment.from };
                accumulators = self.within(axis, segment, |emitter| {
                    emitter.reduce(work, rest, vector_reduction, depth, points, accumulators)
                });
                continue;
            }
            let (from, to) = (Bound::Number(segment.from), Bound::Number(segment.to));
            let flat: Vec<ValueId> = accumulators.iter().flatten().flatten().copied().collect();
            let (counter, currents) = self.builder.begin_for(from, to, segment.step(), &flat);
            self.cursors[axis.index] = Cursor { counter: Some(counter), offset: 0 };
            let inner = like(&accumulators, &currents);
            let next = self
                .within(axis, segment, |emitter| emitter.reduce(work, rest, vector_reduction, depth, points, inner));
            let flat: Vec<ValueId> = next.iter().flatten().flatten().copied().collect();
            let results = self.builder.end_for(&flat);
            accumulators = like(&accumulators, &results);
        }
        self.ranges[axis.index] = None;
        accumulators
    }

    /// Adds the values of the points under the open loops to their accumulators.
    fn accumulate(
        &mut self,
        work: &Work,
        vector_reduction: Option<&VectorReduction>,
        depth: usize,
        points: &[Vec<i64>],
        accumulators: &mut Accumulators,
    ) {
        let terms = self.points(depth);
        for (point, slots) in points.iter().zip(accumulators) {
            for term in &terms {
                let at: Vec<i64> = point.iter().zip(term).map(|(a, b)| a + b).collect();
                let slot = match vector_reduction {
                    Some(axis) if self.vector != Some(axis.index) => axis.count + axis.narrower.len(),
                    Some(axis) if self.lanes == axis.lanes => {
                        (term[axis.index] / i64::from(self.lanes)) as usize
                    }
                    Some(axis) => {
                        let place = axis.narrower.iter().position(|lanes| *lanes == self.lanes);
                        axis.count + place.unwrap_or(axis.narrower.len())
                    }
                    None => 0,
                };
                slots[slot] = self.combine_term(work, &at, &slots[slot]);
            }
        }
    }

    fn combine_term(&mut self, work: &Work, point: &[i64], old: &[ValueId]) -> Vec<ValueId> {
        if let (Combine::Add, Some((a, b))) = (work.combine, work.product()) {
            let mut memo = vec![None; work.nodes.len()];
            let a = self.eval(work, a, point, &mut memo);
            let b = self.eval(work, b, point, &mut memo);
            return vec![self.builder.fma(a, b, old[0])];
        }
        let value = self.value_of(work, point);
        let overflow = match old {
            [total] => self.combine_overflows(work, *total, value),
            _ => None,
        };
        self.test(work, point, overflow);
        if let [best, place, first_nan @ ..] = old {
            // Every comparison with NaN is false, so the best value is a number. The place of the first NaN is
            // found by a second reduction: testing whether the best value is a number would make each term wait
            // for the one before it.
            let (low, high) = if work.combine == Combine::ArgMax { (*best, value) } else { (value, *best) };
            let better = self.builder.binary(Binary::Lt, low, high);
            let number = self.form(&work.reduced_number, point, work.target_kind);
            let mut new =
                vec![self.builder.select(better, value, *best), self.builder.select(better, number, *place)];
            for first in first_nan {
                let is_number = self.builder.binary(Binary::Eq, value, value);
                let lanes = self.builder.ty(*first).lanes;
                let none = scalar::no_number(self.builder, work.target_kind, lanes);
                let place = self.builder.select(is_number, none, number);
                new.push(self.builder.binary(Binary::Min, *first, place));
            }
            return new;
        }
        vec![scalar::combine(self.builder, work.combine, old[0], value)]
    }

    /// Reduces the slots of a point to one value.
    fn finish(
        &mut self,
        work: &Work,
        reduction: Option<&VectorReduction>,
        slots: Vec<Vec<ValueId>>,
    ) -> ValueId {
        let Some(reduction) = reduction else {
            return match slots.first().map(Vec::as_slice) {
                Some([_, place, first_nan]) => {
                    let lanes = self.builder.ty(*first_nan).lanes;
                    let none = scalar::no_number(self.builder, work.target_kind, lanes);
                    let found = self.builder.binary(Binary::Lt, *first_nan, none);
                    self.builder.select(found, *first_nan, *place)
                }
                Some([.., last]) => *last,
                _ => self.builder.broken("a reduction without a value"),
            };
        };
        let mut wide: Vec<ValueId> = slots[..reduction.count].iter().map(|slot| slot[0]).collect();
        while wide.len() > 1 {
            let half = wide.len().div_ceil(2);
            for at in 0..wide.len() - half {
                wide[at] = scalar::combine(self.builder, work.combine, wide[at], wide[at + half]);
            }
            wide.truncate(half);
        }
        let (mut sum, mut width) = (wide[0], reduction.lanes);
        while width > 4 {
            width /= 2;
            let ty = Ty { lanes: width, ..self.builder.ty(sum) };
            let lower = self.builder.add(ty, Expr::Half(sum, false));
            let upper = self.builder.add(ty, Expr::Half(sum, true));
            sum = scalar::combine(self.builder, work.combine, lower, upper);
            if let Some(at) = reduction.narrower.iter().position(|lanes| *lanes == width) {
                sum = scalar::combine(self.builder, work.combine, sum, slots[reduction.count + at][0]);
            }
        }
        let mut lanes: Vec<ValueId> = (0..width).map(|lane| self.builder.extract(sum, lane)).collect();
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            for at in 0..half {
                lanes[at] = scalar::combine(self.builder, work.combine, lanes[at], lanes[at + half]);
            }
            lanes.truncate(half);
        }
        let single = slots[slots.len() - 1][0];
        scalar::combine(self.builder, work.combine, lanes[0], single)
    }
}

/// The values in the shape of `pattern`.
fn like(pattern: &Accumulators, values: &[ValueId]) -> Accumulators {
    let mut values = values.iter().copied();
    let mut slot = |slot: &Vec<ValueId>| slot.iter().filter_map(|_| values.next()).collect();
    pattern.iter().map(|slots| slots.iter().map(&mut slot).collect()).collect()
}

impl Work {
    /// The factors, if the result is a product of floats.
    fn product(&self) -> Option<(ScalarId, ScalarId)> {
        let mut at = self.result;
        loop {
            match &self.nodes[at.0 as usize] {
                Node::Same(a) => at = *a,
                Node::Binary(BinaryOp::Mul, a, b) if self.kinds[at.0 as usize].is_float() => {
                    return Some((*a, *b));
                }
                _ => return None,
            }
        }
    }
}
