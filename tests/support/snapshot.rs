//! Snapshots: source, rule, output.

use std::fmt::Write;
use std::path::Path;

use super::Kind;
pub use super::text::check_text;

const RULE: &str = "────────────────────────────────────────";

/// Compares what a case prints with `tests/snapshots/FOLDER@NAME.snap`.
///
/// # Panics
/// If they differ.
pub fn check(folder: &str, path: &Path, source: &str, sections: &[(Kind, String)]) {
    let mut body = source.trim_end().to_owned();
    for (kind, output) in sections {
        let title = if sections.len() > 1 { format!(" {}", kind.name()) } else { String::new() };
        write!(body, "\n{RULE}{title}\n{}", output.trim_end()).expect("strings grow");
    }
    check_text(folder, path, &body);
}
