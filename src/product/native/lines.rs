//! Packing of operands that no single stride leads through, such as the windows of a convolution: a line is a
//! vector after a vector, each of which comes from one place, or from a few.

use super::vector::Vector;
use super::window_tile::Halves;

/// What a vector takes from one place: the lanes `first .. end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Segment {
    /// From the beginning of the line to where lane 0 would be.
    offset: isize,
    first: usize,
    end: usize,
    /// From lane to lane.
    stride: isize,
}

/// How the vectors of a line are put together.
pub(super) struct Plan {
    segments: Vec<Segment>,
    /// For each vector, the end of its segments.
    ends: Vec<usize>,
    lanes: usize,
}

impl Plan {
    /// A plan for a line whose elements lie at these offsets.
    pub fn new(offsets: &[isize], lanes: usize) -> Plan {
        let mut plan = Plan { segments: Vec::new(), ends: Vec::new(), lanes };
        for vector in offsets.chunks(lanes) {
            let mut first = 0;
            while first < vector.len() {
                let stride = vector.get(first + 1).map_or(1, |next| next - vector[first]);
                let rest = vector[first..].windows(2).take_while(|pair| pair[1] - pair[0] == stride);
                let end = first + 1 + rest.count();
                let offset = vector[first] - first as isize * stride;
                plan.segments.push(Segment { offset, first, end, stride });
                first = end;
            }
            plan.ends.push(plan.segments.len());
        }
        plan
    }

    /// How long it takes to put a line together, in sixteenths of a vector instruction for each element; nothing for
    /// vectors that are read in place.
    pub fn cost(offsets: &[isize], lanes: usize, is_in_place: bool) -> usize {
        let plan = Plan::new(offsets, lanes);
        let vectors = (0..plan.ends.len()).map(|vector| match plan.segments(vector) {
            _ if is_in_place && plan.whole(vector).is_some() => 0,
            [one] if one.stride == 2 && one.end - one.first == lanes => 48,
            runs if is_run(runs) && runs.len() <= 4 => 16 + 16 * runs.len(),
            segments => {
                let gathered = segments.iter().filter(|segment| segment.stride != 1);
                64 * segments.len()
                    + gathered.map(|segment| 16 * (segment.end - segment.first)).sum::<usize>()
            }
        });
        vectors.sum::<usize>() / offsets.len().max(1)
    }

    pub fn vectors(&self) -> usize {
        self.ends.len()
    }

    /// Where lane 0 of a vector is that lies in one piece, so that it need not be copied.
    pub fn whole(&self, vector: usize) -> Option<isize> {
        match self.segments(vector) {
            [Segment { offset, first: 0, stride: 1, .. }] => Some(*offset),
            _ => None,
        }
    }

    /// A vector of one or two runs.
    pub fn halves(&self, vector: usize) -> Option<Halves> {
        match self.segments(vector) {
            runs if !is_run(runs) => None,
            [one] => Some(Halves { places: [one.offset; 2], split: 0 }),
            [first, last] => Some(Halves { places: [first.offset, last.offset], split: last.first }),
            _ => None,
        }
    }

    fn segments(&self, vector: usize) -> &[Segment] {
        let first = if vector == 0 { 0 } else { self.ends[vector - 1] };
        &self.segments[first..self.ends[vector]]
    }
}

/// Lines that are written one behind another.
#[derive(Clone, Copy)]
pub(super) struct Lines<'p> {
    pub from: *const f32,
    /// Where each line begins.
    pub offsets: &'p [isize],
    pub plan: &'p Plan,
    /// The first of the plan's vectors that is written.
    pub first: usize,
    pub vectors: usize,
    pub to: *mut f32,
    /// The distance between the beginnings of two lines in `to`; a line has room for whole vectors.
    pub to_stride: usize,
}

/// # Safety
/// The processor has the instructions; the elements of all lines are there, and there is room for whole vectors.
pub(super) type LinesFn = unsafe fn(&Lines<'_>);

/// Lanes beyond the end of a line become 0.
///
/// # Safety
/// As [`LinesFn`].
#[inline(always)]
pub(super) unsafe fn pack<X: Vector>(lines: &Lines<'_>) {
    for at in 0..lines.vectors {
        let segments = lines.plan.segments(lines.first + at);
        let to = lines.to.wrapping_add(at * lines.plan.lanes);
        // SAFETY: by the contract; a pointer to a lane that is not there is not read from.
        unsafe {
            match *segments {
                [Segment { offset, first: 0, end, stride: 1 }] if end == X::LANES => {
                    each(lines, to, |line| X::load(line.wrapping_offset(offset)));
                }
                [Segment { offset, first: 0, end, stride: 2 }] if end == X::LANES => {
                    each(lines, to, |line| X::load_alternate(line.wrapping_offset(offset)));
                }
                [a] if is_run(&[a]) => each(lines, to, runs::<X, 1>([a])),
                [a, b] if is_run(&[a, b]) => each(lines, to, runs::<X, 2>([a, b])),
                [a, b, c] if is_run(&[a, b, c]) => each(lines, to, runs::<X, 3>([a, b, c])),
                [a, b, c, d] if is_run(&[a, b, c, d]) => each(lines, to, runs::<X, 4>([a, b, c, d])),
                _ => each(lines, to, |line| put_together::<X>(line, segments)),
            }
        }
    }
}

/// Whether elements lie beside each other in all segments.
fn is_run(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| segment.stride == 1)
}

/// What loads a vector of a few runs of elements.
///
/// # Safety
/// As [`LinesFn`].
#[inline(always)]
unsafe fn runs<X: Vector, const N: usize>(segments: [Segment; N]) -> impl Fn(*const f32) -> X {
    // SAFETY: by the contract.
    let mut masks = [unsafe { X::lanes(0, 0) }; N];
    for (mask, segment) in masks.iter_mut().zip(&segments) {
        // SAFETY: by the contract.
        *mask = unsafe { X::lanes(segment.first, segment.end) };
    }
    move |line| {
        // SAFETY: by the contract.
        unsafe {
            let mut vector = X::zero();
            for (segment, mask) in segments.iter().zip(masks) {
                vector = vector.load_lanes(line.wrapping_offset(segment.offset), mask);
            }
            vector
        }
    }
}

/// # Safety
/// As [`LinesFn`].
#[inline(always)]
unsafe fn each<X: Vector>(lines: &Lines<'_>, mut to: *mut f32, load: impl Fn(*const f32) -> X) {
    for offset in lines.offsets {
        // SAFETY: by the contract.
        unsafe { load(lines.from.wrapping_offset(*offset)).store(to) };
        to = to.wrapping_add(lines.to_stride);
    }
}

/// # Safety
/// As [`LinesFn`].
#[inline(always)]
unsafe fn put_together<X: Vector>(line: *const f32, segments: &[Segment]) -> X {
    // SAFETY: by the contract.
    unsafe {
        let mut vector = X::zero();
        for segment in segments {
            let from = line.wrapping_offset(segment.offset);
            let mask = X::lanes(segment.first, segment.end);
            vector = match segment.stride {
                1 => vector.load_lanes(from, mask),
                stride => vector.gather_lanes(from, stride as i32, mask),
            };
        }
        vector
    }
}
