//! E02xx: shapes, types and broadcasting.

use super::Code;

pub(super) const CODES: &[Code] = &[];
