//! The program that a command is about: a file, or standard input as `-`.

use std::path::{Path, PathBuf};

use crate::base::{Diagnostic, SourceMap};
use crate::runtime::files::input::text_of;
use crate::runtime::program::{Adjust, Diagnostics, Program, read_program};

/// A program's text and how messages call it.
pub struct Input {
    pub name: String,
    pub text: String,
    /// The folder that paths in it are relative to.
    pub base: PathBuf,
}

/// Reads a file, or standard input for `-`.
pub fn read(path: &Path) -> Result<Input, Diagnostics> {
    if path == Path::new("-") {
        let text = text_of(std::io::stdin().lock()).map_err(|error| {
            let message = format!("cannot read standard input: {error}");
            Diagnostics { list: vec![Diagnostic::error("E0701", message)], sources: SourceMap::default() }
        })?;
        return Ok(Input { name: "standard input".into(), text, base: PathBuf::new() });
    }
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(Input { name: path.display().to_string(), text: read_program(path)?, base })
}

/// Compiles what a path means, after `adjust`ing its settings.
pub fn compile(path: &Path, adjust: Adjust<'_>) -> Result<Program, Diagnostics> {
    let input = read(path)?;
    Program::compile(&input.name, &input.text, input.base, adjust)
}
