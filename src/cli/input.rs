//! The program that a command is about: a file, or standard input as `-`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::base::{Diagnostic, SourceMap};
use crate::runtime::options::Options;
use crate::runtime::program::{Adjust, Diagnostics, Program, read_program};
use crate::runtime::world;
use crate::runtime::world::read::text_of;

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
    Ok(Input { name: path.display().to_string(), text: read_program(&*world::usual(), path)?, base })
}

/// Compiles what a path means, after `adjust`ing its settings.
pub fn compile(path: &Path, adjust: Adjust<'_>) -> Result<Program, Diagnostics> {
    let input = read(path)?;
    let options = Options::new().name(input.name).folder(input.base);
    Program::compile(&input.text, &options, adjust)
}

/// Files with the rows of data sets whose fields have no values.
#[derive(Args, Clone, Default)]
pub struct DataFiles {
    /// The rows of a data set whose fields have no values: an npz or safetensors file with an array for each field.
    #[arg(long = "data", value_name = "NAME=FILE", value_parser = data_file)]
    pub files: Vec<(String, PathBuf)>,
}

impl DataFiles {
    /// The program with these files.
    pub fn apply(&self, program: &Program) -> Result<Program, Diagnostics> {
        program.with_data_files(&self.files)
    }
}

/// `NAME=FILE` of `--data`.
fn data_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("write it as NAME=FILE, for example points=points.npz".to_owned()),
    }
}
