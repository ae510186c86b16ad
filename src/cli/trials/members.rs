//! Trials that predict together: the folders that a sweep has kept, the best first, or those of all folds.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::results;
use crate::base::Diagnostic;
use crate::cli::{Failure, folder};

/// Says in the folder of a sweep which of its folders have learnt something, the best first, and how many of them
/// predict together if nobody says another number.
pub fn write(path: &Path, folders: &[String], together: usize) -> Result<(), Failure> {
    let members = json!({ "folders": folders, "together": together.min(folders.len()) });
    results::write(&path.join(NAME), &format!("{members}\n"))
}

const NAME: &str = "members.json";

/// The first of the folders that predict together, if a path is that of a sweep or of folds.
pub fn best(path: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(path.join(NAME)).ok()?;
    let known: Value = serde_json::from_str(&text).ok()?;
    known["folders"][0].as_str().map(|name| path.join(name))
}

/// What a path is as a model: the folders that are meant if it is that of a sweep, as many as are asked for; else the
/// path itself.
///
/// # Errors
/// E0774 if none is there, E0775 if fewer are there than are asked for.
pub fn of(path: &Path, best: Option<usize>) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |code, message: String| Err(folder::failed(Diagnostic::error(code, message)));
    let Ok(text) = std::fs::read_to_string(path.join(NAME)) else {
        if path.is_dir() && path.join("trial-1").is_dir() && !path.join("program.nn").exists() {
            let error = format!("the sweep in `{}` has not ended", path.display());
            let error = Diagnostic::error("E0774", error);
            return Err(folder::failed(
                error.help("go on with it by `nnc sweep … --resume`, or name one of its trials"),
            ));
        }
        return match best {
            None => Ok(vec![path.to_path_buf()]),
            Some(_) => Err(Failure::Usage(format!("`--best` is for the folder of a sweep, not `{}`", path.display()))),
        };
    };
    let known: Value = serde_json::from_str(&text).unwrap_or_default();
    let names = known["folders"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let folders: Vec<PathBuf> = names.map(|name| path.join(name)).collect();
    let there: Vec<PathBuf> = folders.into_iter().filter(|folder| folder.is_dir()).collect();
    let wanted = best.or(known["together"].as_u64().map(|count| count as usize)).unwrap_or(1).max(1);
    if there.is_empty() {
        return refuse("E0774", format!("no trial of `{}` is there", path.display()));
    }
    if best.is_some_and(|best| best > there.len()) {
        return refuse("E0775", format!("`{}` has {} trials, not {wanted}", path.display(), there.len()));
    }
    Ok(there.into_iter().take(wanted).collect())
}
