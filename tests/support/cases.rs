//! What a case prints.

use std::error::Error;
use std::path::Path;

use nnc::base::render::{Style, render_all};
use nnc::base::{Diagnostics, SourceMap};
use nnc::compile::{self, Loader, Timings};
use nnc::syntax::format;

use super::Kind;

/// The kinds that a first line `# test: grad opt` asks for.
pub fn more_kinds(text: &str) -> Result<Vec<Kind>, String> {
    let Some(words) = text.lines().next().and_then(|line| line.strip_prefix("# test:")) else {
        return Ok(Vec::new());
    };
    let kind = |word: &str| Kind::from_name(word).ok_or_else(|| format!("no stage is called `{word}`"));
    words.split_whitespace().map(kind).collect()
}

/// What the case prints; `None` while its stage is not built yet.
pub fn output(kind: Kind, path: &Path, text: &str) -> Result<Option<String>, Box<dyn Error>> {
    let mut sources = SourceMap::default();
    let file = sources.add(path.to_string_lossy(), text);
    match kind {
        Kind::Stage(stage) => {
            compile::show(&mut sources, file, stage).map_err(|errors| report(&sources, &errors).into())
        }
        Kind::Fmt => format(text).map(Some).map_err(|errors| report(&sources, &errors).into()),
        Kind::Errors => {
            let (_, errors) = compile::check(&mut sources, file, &mut Files, &Timings::default());
            Ok((!errors.is_empty()).then(|| report(&sources, &errors)))
        }
        Kind::Run => Ok(None),
    }
}

/// Imports of a case are files beside it.
struct Files;

impl Loader for Files {
    fn load(&mut self, from: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(from).with_file_name(path);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok((path.to_string_lossy().into_owned(), text))
    }
}

/// All diagnostics as the user sees them.
pub fn report(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    render_all(diagnostics, sources, Style::Plain)
}
