//! Recurrences: `scan t < T { … }`.

use super::elaborator::Elaborator;
use crate::base::Span;
use crate::syntax::ast;

/// Carries out a scan statement: binds the carries and what is collected in the frame of the call.
pub fn scan(elaborator: &mut Elaborator<'_>, scan: &ast::Scan, span: Span) {
    let _ = span;
    elaborator.error("E0199", "scans are not supported yet", scan.header_span, "here");
}
