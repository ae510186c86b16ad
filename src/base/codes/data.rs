//! E07xx: loading of data and what happens at run time.

use super::Code;

pub(super) const CODES: &[Code] = &[];
