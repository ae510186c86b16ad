//! `nnc export --stablehlo`: a training for other engines.

use std::path::Path;

use super::{Failure, say};
use crate::base::Diagnostic;
use crate::export::stablehlo;
use crate::runtime::array::Array;
use crate::runtime::program::Program;
use crate::runtime::sources::checkpoint;
use crate::runtime::train::portable::Portable;
use crate::runtime::world::native::write::write_atomically;

/// Writes a training and its first batches into a folder.
///
/// # Errors
/// If the program has no training, or it cannot be written.
pub fn write(
    program: &Program,
    weights: Option<&Path>,
    folder: &Path,
    mesh: Option<u32>,
    batches: u64,
) -> Result<(), Failure> {
    let mut session = program.session()?;
    if let Some(weights) = weights {
        session.load(weights, "", &mut crate::runtime::events::Silent)?;
    }
    let Some(portable) = Portable::of(&mut session, batches)? else {
        return Err(Failure::Usage("the program has no `train`".to_owned()));
    };
    let files = stablehlo::write(&portable, mesh).map_err(|error| program.failed([error]))?;
    let cannot = |path: &Path, error: &std::io::Error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::from(program.failed([Diagnostic::error("E0714", message)]))
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    let mut texts = vec![("step.mlir".to_owned(), files.step), ("manifest.json".to_owned(), files.manifest)];
    texts.extend(files.predictions.into_iter().map(|(name, text)| (format!("{name}.mlir"), text)));
    for (name, text) in &texts {
        let path = folder.join(name);
        let written = write_atomically(&path, &mut |out| out.write_all(text.as_bytes()));
        written.map_err(|error| cannot(&path, &error))?;
    }
    let starts = portable.starts.iter().map(|(path, array)| (path.to_string(), &**array));
    let columns = portable.columns.iter().map(|(key, array)| (key.to_string(), &**array));
    let starts: Vec<(String, &Array)> = starts.chain(columns).collect();
    let batches: Vec<(String, &Array)> =
        portable.batches.iter().map(|(key, array)| (key.to_string(), array)).collect();
    for (name, arrays) in [("start.safetensors", starts), ("batches.safetensors", batches)] {
        let arrays: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), *array)).collect();
        checkpoint::write(&**program.world(), &folder.join(name), &arrays, &std::collections::BTreeMap::new())
            .map_err(|error| program.failed([error]))?;
    }
    let names: Vec<&str> = texts.iter().map(|(name, _)| name.as_str()).collect();
    say(&format!("{}: {}, start.safetensors, batches.safetensors", folder.display(), names.join(", ")));
    Ok(())
}
