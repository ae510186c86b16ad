//! Index set splitting: cuts a loop into parts in which it is known whether accesses lie inside of their tensors.
//!
//! `y[i] = a[i - 4 else 0] + b[i else 0]` reads only `b` for the first four points, then both: cut there, the
//! loop needs no tests, and each part may be run in lanes.

use crate::base::order::PutInOrder;
use super::access::{Access, Check};

/// A loop is not cut into more parts than this: they would not be worth their code.
const MOST_REGIONS: usize = 14;

/// A check that compares no value of the program: `0 <= low.. high + Σ coefficient · index < size`.
#[derive(Clone, Debug)]
pub struct Limit {
    coefficients: Vec<i64>,
    /// The sizes of the indices, for those whose loops are not open.
    sizes: Vec<i64>,
    /// The constant, and what the counters of scans add at the least and at the most.
    low: i64,
    high: i64,
    size: i64,
}

/// A range of an index; `decided` if every limit that moves with it holds in all of it, or nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    pub from: i64,
    pub to: i64,
    pub decided: bool,
}

/// What is known of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    Always,
    Never,
    Open,
}

/// For each index, the range that it moves in at the moment, if its loop is open.
pub type Ranges = [Option<(i64, i64)>];

impl Limit {
    /// The limit of a check, unless it compares a value of the program.
    pub fn new(check: &Check, sizes: &[i64]) -> Option<Limit> {
        if check.value.is_some() {
            return None;
        }
        let (low, high) = check.constant;
        let coefficients = check.form.coefficients.clone();
        Some(Limit { coefficients, sizes: sizes.to_vec(), low, high, size: check.size })
    }

    pub fn moves_with(&self, index: usize) -> bool {
        self.coefficients.get(index).is_some_and(|factor| *factor != 0)
    }

    /// The least and the greatest that it can be, without one index.
    fn bounds(&self, ranges: &Ranges, without: Option<usize>) -> (i64, i64) {
        let factors = self.coefficients.iter().enumerate().filter(|(index, _)| Some(*index) != without);
        bounds((self.low, self.high), factors, &self.sizes, ranges)
    }

    /// Where it surely holds and where it can hold.
    fn ranges_of(&self, index: usize, length: i64, ranges: &Ranges) -> [(i64, i64); 2] {
        let (least, greatest) = self.bounds(ranges, Some(index));
        let factor = self.coefficients[index];
        [(least, greatest), (greatest, least)].map(|(low, high)| {
            // factor · at + low >= 0 and factor · at + high < size
            let (from, to) = if factor > 0 {
                ((-low + factor - 1).div_euclid(factor), (self.size - 1 - high).div_euclid(factor) + 1)
            } else {
                ((high - self.size).div_euclid(-factor) + 1, low.div_euclid(-factor) + 1)
            };
            let from = from.clamp(0, length);
            (from, to.clamp(from, length))
        })
    }
}

/// What is known of a check in the loops that are open. It is asked for each access of each point, so no
/// [`Limit`] is made for the answer.
pub fn known(check: &Check, sizes: &[i64], ranges: &Ranges) -> Known {
    if check.size <= 0 {
        return Known::Never;
    }
    if check.value.is_some() {
        return Known::Open;
    }
    let factors = check.form.coefficients.iter().enumerate();
    let (least, greatest) = bounds(check.constant, factors, sizes, ranges);
    if least >= 0 && greatest < check.size {
        Known::Always
    } else if greatest < 0 || least >= check.size {
        Known::Never
    } else {
        Known::Open
    }
}

/// The least and the greatest that a constant with multiples of indices can be.
fn bounds<'a>(
    (mut least, mut greatest): (i64, i64),
    factors: impl Iterator<Item = (usize, &'a i64)>,
    sizes: &[i64],
    ranges: &Ranges,
) -> (i64, i64) {
    for (index, factor) in factors.filter(|(_, factor)| **factor != 0) {
        let (from, to) = ranges.get(index).copied().flatten().unwrap_or((0, sizes[index]));
        let ends = (factor * from, factor * (to - 1));
        least += ends.0.min(ends.1);
        greatest += ends.0.max(ends.1);
    }
    (least, greatest)
}

/// The limits of accesses that move with an index.
pub fn limits<'a>(
    accesses: impl Iterator<Item = &'a Access>,
    index: usize,
    sizes: &[i64],
) -> Vec<Limit> {
    let all = accesses.flat_map(|access| &access.checks).filter_map(|check| Limit::new(check, sizes));
    all.filter(|limit| limit.moves_with(index)).collect()
}

/// The parts of `0..length` of an index, in order.
pub fn regions(index: usize, length: i64, limits: &[Limit], ranges: &Ranges) -> Vec<Region> {
    if length == 0 {
        return Vec::new();
    }
    let parts: Vec<[(i64, i64); 2]> =
        limits.iter().map(|limit| limit.ranges_of(index, length, ranges)).collect();
    let mut breaks: Vec<i64> = parts.iter().flatten().flat_map(|(from, to)| [*from, *to]).collect();
    breaks.extend([0, length]);
    breaks.put_in_order();
    breaks.dedup();
    if breaks.len() > MOST_REGIONS + 1 {
        // One part in which all limits hold, and what is before and behind it.
        let low = parts.iter().map(|[(from, _), _]| *from).max().unwrap_or(0);
        let high = parts.iter().map(|[(_, to), _]| *to).min().unwrap_or(length).max(low);
        breaks = vec![0, low, high, length];
        breaks.dedup();
    }
    let decided = |from: i64, to: i64| {
        parts.iter().all(|[surely, possibly]| {
            surely.0 <= from && to <= surely.1 || to <= possibly.0 || possibly.1 <= from
        })
    };
    breaks
        .windows(2)
        .map(|ends| Region { from: ends[0], to: ends[1], decided: decided(ends[0], ends[1]) })
        .collect()
}
