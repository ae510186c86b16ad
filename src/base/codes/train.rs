//! E06xx: optimisers, data and train declarations.

use super::Code;

pub(super) const CODES: &[Code] = &[];
