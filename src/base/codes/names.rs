//! E01xx: names, roles and calls.

use super::Code;

pub(super) const CODES: &[Code] = &[];
