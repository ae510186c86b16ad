//! A program and its parameters, as commands name them: a file and `--weights`, or a folder that `nnc run` has kept.

use std::path::{Path, PathBuf};

use super::input::DataFiles;
use super::trials::members;
use super::{Failure, input};
use crate::base::{Diagnostic, SourceMap};
use crate::runtime::answers::asked::validate_somewhere;
use crate::runtime::options::Options;
use crate::runtime::program::{self, Adjust, Program, read_program};
use crate::runtime::world;
use crate::syntax::ast;

/// A program that knows its losses in evaluation mode, and where its parameters are.
pub struct Model {
    pub program: Program,
    pub weights: Option<PathBuf>,
}

/// What a path and `--weights` mean.
pub fn model(path: &Path, weights: Option<&Path>, data: &DataFiles) -> Result<Model, Failure> {
    let adjust = &mut |_: &mut SourceMap, file: &mut ast::File| {
        validate_somewhere(file);
        Vec::new()
    };
    if !path.is_dir() {
        let program = data.apply(&input::compile(path, adjust)?)?;
        return Ok(Model { program, weights: weights.map(Path::to_path_buf) });
    }
    if let Some(best) = members::best(path) {
        let message = format!("`{}` is the folder of several trainings, and this asks for one model", path.display());
        let error = Diagnostic::error("E0775", message);
        return Err(failed(error.help(format!("name one of them: `{}`", best.display()))));
    }
    let found = ["best.safetensors", "last.safetensors"].iter().map(|name| path.join(name));
    let kept = weights.map(Path::to_path_buf).or_else(|| found.into_iter().find(|file| file.is_file()));
    let program = kept_program(path, adjust)?;
    if kept.is_none() {
        let message = format!("`{}` has no parameters yet", path.display());
        return Err(program.failed([Diagnostic::error("E0774", message)]).into());
    }
    Ok(Model { program, weights: kept })
}

/// The program in the folder of a run, with the files that its data was given by.
pub fn kept_program(folder: &Path, adjust: Adjust<'_>) -> Result<Program, program::Diagnostics> {
    earlier_program(folder, "program.nn", adjust)
}

/// The program in one of the files of such a folder.
pub fn earlier_program(folder: &Path, name: &str, adjust: Adjust<'_>) -> Result<Program, program::Diagnostics> {
    let file = folder.join(name);
    let text = read_program(&*world::usual(), &file)?;
    program_of_text(folder, &file, &text, adjust)
}

/// What would be the program in such a folder.
pub fn program_of_text(
    folder: &Path,
    file: &Path,
    text: &str,
    adjust: Adjust<'_>,
) -> Result<Program, program::Diagnostics> {
    let base = base_of(folder).unwrap_or_else(|| folder.to_path_buf());
    let options = Options::new().name(file.display().to_string()).folder(base);
    Program::compile(text, &options, adjust)?.with_data_files(&data_files_of(folder))
}

/// The files of `--data` that a run was begun with.
fn data_files_of(folder: &Path) -> Vec<(String, PathBuf)> {
    let text = std::fs::read_to_string(folder.join("run.json")).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let files = value["given"].as_object().into_iter().flatten();
    files.filter_map(|(name, path)| Some((name.clone(), PathBuf::from(path.as_str()?)))).collect()
}

/// The folder that paths in the program of a run are relative to.
pub fn base_of(folder: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(folder.join("run.json")).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value["base"].as_str().map(PathBuf::from)
}

/// The errors of a command that has no program yet.
pub fn failed(error: Diagnostic) -> Failure {
    program::Diagnostics { list: vec![error], sources: SourceMap::default() }.into()
}
