//! The numbers from a least to a greatest one, which is what is known of values before anything runs.
//!
//! Two analyses find such intervals, since they are asked different questions:
//!
//! | | [`ranges`](super::ranges) | [`values`](super::values) |
//! |---|---|---|
//! | of | ints, exactly, in whole numbers of 64 bits | elements of any type, as real numbers |
//! | in | static graphs and the code that is made for them | graphs with free sizes, while they are elaborated |
//! | for | code: what is narrow, what needs a test when it runs | advice: whether a loss is given what it expects |
//! | a mistake would | change results | give a wrong warning |

/// `least ..= greatest`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval<N> {
    pub least: N,
    pub greatest: N,
}

impl<N: Copy + PartialOrd> Interval<N> {
    pub const fn new(least: N, greatest: N) -> Interval<N> {
        Interval { least, greatest }
    }

    pub fn contains(&self, other: &Interval<N>) -> bool {
        self.least <= other.least && other.greatest <= self.greatest
    }

    /// The least interval that has both.
    pub fn union(&self, other: &Interval<N>) -> Interval<N> {
        Interval {
            least: if other.least < self.least { other.least } else { self.least },
            greatest: if other.greatest > self.greatest { other.greatest } else { self.greatest },
        }
    }
}
