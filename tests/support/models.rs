//! The models of a program, for exporters.

use std::path::{Path, PathBuf};

use nnc::Silent;
use nnc::runtime::answers::asked::validate_somewhere;
use nnc::runtime::answers::deployed::Deployed;
use nnc::runtime::program::Program;

/// The models of a program, with parameters as they are before training.
pub fn deployed(text: &str, path: &Path) -> Vec<(String, Deployed)> {
    let folder = path.parent().expect("a folder");
    let options = nnc::Options::new().name(path.display().to_string()).folder(folder);
    let adjust = &mut |_: &mut nnc::SourceMap, file: &mut nnc::syntax::ast::File| {
        validate_somewhere(file);
        Vec::new()
    };
    let program = match Program::compile(text, &options, adjust) {
        Ok(program) => program,
        Err(errors) => {
            eprintln!("{} has no model to export: {errors}", path.display());
            return Vec::new();
        }
    };
    let weights = scratch(&path.file_stem().expect("a name").to_string_lossy()).join("w.safetensors");
    let Ok(mut session) = program.session() else { return Vec::new() };
    session.save(&weights).unwrap_or_else(|errors| panic!("{errors}"));
    let models = program.checked().models.iter().map(|model| model.name.clone());
    let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let deployed = models.filter_map(|model| {
        let deployed = Deployed::new(&program, Some(&weights), Some(&model), &mut Silent).ok()?;
        Some((format!("{stem}_{model}"), deployed))
    });
    deployed.collect()
}

/// A folder for the files of a test.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
