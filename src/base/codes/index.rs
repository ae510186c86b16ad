//! E03xx: index notation.

use super::Code;

pub(super) const CODES: &[Code] = &[];
