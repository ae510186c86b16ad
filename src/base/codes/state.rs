//! E05xx: recurrences, states and random numbers.

use super::Code;

pub(super) const CODES: &[Code] = &[];
