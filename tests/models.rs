//! Every program of `models/` runs, and what it expects of itself (`expect`) holds.

use std::path::Path;

use nnc::runtime::events::Silent;
use nnc::runtime::program::Program;

datatest_stable::harness! {
    { test = run, root = "models", pattern = r"^[a-z0-9_]+\.nn$" },
}

fn run(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    assert!(text.lines().any(|line| line.starts_with("expect ")), "the program checks its own numbers");
    let program = Program::from_file(path).map_err(|errors| errors.to_string())?;
    let mut session = program.session().map_err(|errors| errors.to_string())?;
    session.run(&mut Silent).map_err(|errors| errors.to_string())?;
    Ok(())
}
