//! Snapshots of texts.

use std::path::Path;

/// Compares a text with `tests/snapshots/FOLDER@NAME.snap`.
///
/// # Panics
/// If they differ.
pub fn check_text(folder: &str, path: &Path, body: &str) {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots"));
    settings.set_snapshot_suffix(name);
    settings.bind(|| insta::assert_snapshot!(folder.to_owned(), body));
}
