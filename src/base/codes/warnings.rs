//! W00xx: warnings.

use super::Code;

pub(super) const CODES: &[Code] = &[];
