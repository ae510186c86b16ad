//! What a case prints.

use std::error::Error;
use std::path::Path;

use nnc::base::render::{Style, render_all};
use nnc::base::{Diagnostics, SourceMap};
use nnc::compile;

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
        Kind::Fmt | Kind::Run | Kind::Errors => Ok(None),
    }
}

/// All diagnostics as the user sees them.
pub fn report(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    render_all(diagnostics, sources, Style::Plain)
}
