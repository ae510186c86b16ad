//! Whether a subscript lies within its axis: proven, disproven, or to be seen when a symbolic dimension has its number.

use crate::sema::build::Builder;
use crate::sema::value::Interval;
use crate::base::Span;
use crate::ir::program::Requirement;
use crate::ir::{Affine, Dim, Var};

/// What is known of `dim >= 0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    Always,
    /// It depends on symbolic dimensions.
    Open,
    Never,
}

/// Which ends of the axis a subscript is known to keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fits {
    pub lower: Fit,
    pub upper: Fit,
}

impl Fits {
    pub fn always(&self) -> bool {
        self.lower == Fit::Always && self.upper == Fit::Always
    }

    pub fn never(&self) -> bool {
        self.lower == Fit::Never || self.upper == Fit::Never
    }
}

/// Where a place lies, counted from the start of an axis: a negative number counts from its end. This is the one rule
/// for elements and slices of tensors and of lists.
pub fn from_start(place: &Dim, size: &Dim) -> Dim {
    let is_from_end = place.as_number().is_some_and(|number| number < 0);
    if is_from_end { size + place } else { place.clone() }
}

/// Whether `dim >= 0`, each symbolic dimension being at least 1.
pub fn not_negative(dim: &Dim) -> Fit {
    if dim.at_least(&Dim::ZERO) {
        Fit::Always
    } else if !dim.is_exact() {
        Fit::Open
    } else if dim.as_number().is_some() || (-dim).at_least(&Dim::ONE) {
        Fit::Never
    } else {
        Fit::Open
    }
}

/// Whether an interval lies in `0 .. size`.
pub fn within(interval: &Interval, size: &Dim) -> Fits {
    let room = &(size - &interval.greatest) - &Dim::ONE;
    Fits { lower: not_negative(&interval.least), upper: not_negative(&room) }
}

/// Whether an open condition is one that large sizes meet: `n - 3 >= 0`, not `1 - n >= 0`. Others do not wait.
pub fn grows(dim: &Dim) -> bool {
    let mut names = Vec::new();
    dim.symbols(&mut names);
    let sizes = |size: i64| names.iter().map(|name| (name.clone(), Dim::number(size))).collect();
    // Sizes with many divisors, so that quotients come out whole.
    [720_720i64, 720_720_000].into_iter().all(|size| dim.evaluate(&sizes(size)).is_ok_and(|value| value >= 0))
}

impl Builder<'_> {
    /// The values that an affine expression of indices and scan steps takes in the innermost frame.
    pub fn affine_interval(&self, affine: &Affine) -> Option<Interval> {
        let domain = self.index_frames.last().map_or(&[][..], |frame| frame.parts.domain());
        let size = |var: Var| match var {
            Var::Index(index) => domain.get(index as usize).cloned().unwrap_or(Dim::ONE),
            Var::Step(step) => {
                let found =
                    self.levels.iter().filter_map(|level| level.step.as_ref()).find(|open| open.0 == step);
                found.map_or(Dim::ONE, |(_, trip)| trip.clone())
            }
        };
        let (least, greatest) = affine.bounds(size)?;
        Some(Interval { least, greatest })
    }

    /// Notes a condition that waits for the numbers of symbolic dimensions.
    pub fn defer(&mut self, value: Dim, span: Span, message: String) {
        let requirement = Requirement { value, span: self.user_place(span), message };
        if !self.conditions.sizes.contains(&requirement) {
            self.conditions.sizes.push(requirement);
        }
    }
}
