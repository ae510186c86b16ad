//! Graphs to which no law applies any more: optimised or stabilised again, they stay as they are.

use std::path::{Path, PathBuf};

use nnc::compile;
use nnc::ir::{Graph, specialise};
use nnc::opt::{optimise, stabilised};
use nnc::runtime::program::Program;

fn models() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["models", "models/literature"] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let paths = entries.flatten().map(|entry| entry.path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|ending| ending == "nn")));
    }
    found.sort();
    assert!(found.len() > 20, "the programs of `models/`");
    found
}

/// The first line in which two texts differ.
fn difference(once: &Graph, again: &Graph) -> Option<String> {
    let (once, again) = (once.to_string(), again.to_string());
    let pair = once.lines().zip(again.lines()).find(|(a, b)| a != b);
    match pair {
        Some((a, b)) => Some(format!("{a}\n  {b}")),
        None => (once != again).then(|| "one is longer".to_owned()),
    }
}

#[test]
fn what_is_optimised_and_made_stable_is_so_already_the_second_time() {
    let mut faults = Vec::new();
    let mut graphs = 0;
    for path in models() {
        let name = path.display().to_string();
        let Ok(program) = Program::from_file(Path::new(&path)) else { continue };
        for part in compile::parts(program.checked()) {
            let stable = stabilised(part.graph);
            if let Some(difference) = difference(&stable, &stabilised(&stable)) {
                faults.push(format!("{name}, made stable:\n  {difference}"));
            }
            let sizes = compile::sizes(&part, program.checked());
            let Ok(graph) = specialise(&stable, &sizes) else { continue };
            let once = optimise(&graph);
            if let Some(difference) = difference(&once, &optimise(&once)) {
                faults.push(format!("{name}, optimised:\n  {difference}"));
            }
            graphs += 1;
        }
    }
    assert!(graphs > 50, "only {graphs} graphs were looked at");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
