//! What must hold of every text, be it a program or not.

use std::path::Path;

use nnc::base::{FileId, SourceMap};
use nnc::compile::{self, Loader, Timings};
use nnc::{ir, syntax};

use super::random::Random;

/// Files that a text imports are not there.
struct Nothing;

impl Loader for Nothing {
    fn load(&mut self, _: &str, path: &str) -> Result<(String, String), String> {
        Err(format!("there is no file `{path}`"))
    }
}

/// Of the texts that are no programs by their grammar one in so many is checked all the same: what the checker makes
/// of what is left of them is a matter of its own.
const BROKEN_CHECKED: usize = 8;

/// Checks a text, and formats it: the result means the same and is its own format. Says what is wrong.
///
/// # Errors
/// What does not hold.
pub fn program(text: &str) -> Result<bool, String> {
    let (tree, errors) = syntax::parse(FileId(0), text);
    let mut sources = SourceMap::default();
    let file = sources.add("program.nn", text);
    if !errors.is_empty() && Random::named(0, text).below(BROKEN_CHECKED) > 0 {
        drop(nnc::base::render::render_all(&errors, &sources, nnc::base::render::Style::Plain));
        return Ok(false);
    }
    if errors.is_empty() {
        same_formatted(text, &syntax::print::print(&tree))?;
    }
    let mut unchanged = |_: &mut SourceMap, _: &mut syntax::ast::File| Vec::new();
    let (program, diagnostics) =
        compile::check(&mut sources, file, &mut Nothing, &mut unchanged, &Timings::default());
    // People see them: their places are places of the text.
    let report = nnc::base::render::render_all(&diagnostics, &sources, nnc::base::render::Style::Plain);
    if diagnostics.iter().any(|diagnostic| diagnostic.code == "E0799") {
        return Err(report);
    }
    Ok(program.is_some())
}

/// A text formatted has the tree that it had before, and formatted again is the same text.
///
/// # Errors
/// What does not hold.
pub fn same_formatted(text: &str, printed: &str) -> Result<(), String> {
    let formatted = syntax::format(text).map_err(|_| "what is right is not formatted".to_owned())?;
    if formatted == text {
        return Ok(());
    }
    if syntax::print::print(&syntax::parse(FileId(0), &formatted).0) != printed {
        return Err("the formatted text means something else".into());
    }
    match syntax::format(&formatted) {
        Ok(again) if again == formatted => Ok(()),
        Ok(_) => Err("formatting twice is not formatting once".into()),
        Err(_) => Err("the formatted text is wrong".into()),
    }
}

/// Reads the text of a graph: a good one is printed and read as the same, and simplifying keeps it good.
///
/// # Errors
/// What does not hold.
pub fn graph(text: &str) -> Result<bool, String> {
    let Ok(graph) = ir::text::parse(text) else { return Ok(false) };
    if ir::verify(&graph).is_err() {
        return Ok(false);
    }
    let printed = graph.to_string();
    match ir::text::parse(&printed) {
        Ok(again) if again.to_string() == printed => Ok(true),
        Ok(again) => Err(format!("{printed}\nis read as\n{again}")),
        Err(error) => Err(format!("{error}\n{printed}")),
    }
}

/// The programs of the repository, those of files with many taken apart.
pub fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open: Vec<_> = ["tests/cases", "tests/right", "tests/wrong", "models", "src/prelude"]
        .iter()
        .map(|folder| root.join(folder))
        .collect();
    while let Some(folder) = open.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "nn") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let programs = text.split("#### ").map(|part| part.to_owned());
                found.extend(programs.filter(|program| (10..6_000).contains(&program.len())));
            }
        }
    }
    found
}

/// Texts of graphs: those of the programs that the seeds hold.
pub fn graph_seeds(programs: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for program in programs.iter().step_by(7) {
        let mut sources = SourceMap::default();
        let file = sources.add("program.nn", program.as_str());
        let shown = compile::show(&mut sources, file, &mut Nothing, compile::Stage::Grad);
        found.extend(shown.ok().filter(|text| text.len() < 6_000 && !text.contains("\n# ")));
    }
    found
}
