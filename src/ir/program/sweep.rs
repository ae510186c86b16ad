//! What a sweep tries, and how its trials are judged.

/// A `sweep` of a program. What is not said is left to whoever carries it out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sweep {
    pub axes: Vec<Axis>,
    /// So many combinations at random; without a number all of them.
    pub trials: Option<u64>,
    /// Of the random combinations.
    pub seed: Option<u64>,
    /// How many values of a range are tried where all combinations are.
    pub points: Option<u64>,
    /// The score by which trials are ordered.
    pub by: Option<String>,
    pub greatest: bool,
    /// So many best trials stay, and predict together.
    pub keep: Option<u64>,
}

/// What one name is tried with.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    pub name: String,
    pub values: Values,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// As they are written.
    List(Vec<String>),
    /// Both ends are among the values.
    Range { from: f64, to: f64, is_log: bool, is_whole: bool },
}

/// Why a range has no values.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RangeError {
    /// The first end is not less than the second.
    Empty,
    /// It is on a logarithmic scale and does not begin above 0.
    NoLogarithm,
    /// It is one of whole numbers, and an end is none.
    NotWhole,
}

impl Values {
    /// A range.
    ///
    /// # Errors
    /// If it has no values.
    pub fn range(from: f64, to: f64, is_log: bool, is_whole: bool) -> Result<Values, RangeError> {
        let is_ascending = from < to;
        if !is_ascending {
            return Err(RangeError::Empty);
        }
        if is_log && from <= 0.0 {
            return Err(RangeError::NoLogarithm);
        }
        if is_whole && (from.fract() != 0.0 || to.fract() != 0.0) {
            return Err(RangeError::NotWhole);
        }
        Ok(Values::Range { from, to, is_log, is_whole })
    }
}
