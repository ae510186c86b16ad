//! E04xx: differentiation.

use super::Code;

pub(super) const CODES: &[Code] = &[];
