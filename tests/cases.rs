//! Tests as data: every `tests/cases/STAGE/NAME.nn` is a case, and the folder says what of it is kept in
//! `tests/snapshots/STAGE@NAME.snap`.
//!
//! | folder | the snapshot holds |
//! |---|---|
//! | `parse` | the syntax tree |
//! | `fmt` | the formatted text |
//! | `ir grad opt plan loops clif avx2 avx512` | the program at that stage, as `nnc ir --stage` prints it |
//! | `derive` | the derivation of every loss; its gradient is compared with finite differences |
//! | `latex` | the same as a LaTeX document |
//! | `run` | what `nnc run` prints, floats rounded |
//! | `errors` | the report of every error and warning; the name begins with the code: `E0203_add.nn` |
//!
//! A first line `# test: grad opt` prints more stages into the same snapshot. Outside of `errors` any
//! error fails the case. `tests/wrong` and `tests/right` hold many programs in a file: see `support::many`. The checks of `support::checks` run over every case without a snapshot.

mod support;

use std::error::Error;
use std::path::Path;

use support::{Kind, cases, checks, snapshot};

type Outcome = Result<(), Box<dyn Error>>;

fn case(path: &Path, text: String) -> Outcome {
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let folder = folder.ok_or("a case lies in a folder of its stage")?;
    let kind = Kind::from_name(folder).ok_or_else(|| format!("no stage is called `{folder}`"))?;
    let mut sections = Vec::new();
    for kind in std::iter::once(kind).chain(cases::more_kinds(&text)?) {
        sections.push((kind, cases::output(kind, path, &text)?));
    }
    snapshot::check(folder, path, &text, &sections);
    if kind != Kind::Errors {
        checks::all(path, &text)?;
    }
    Ok(())
}

/// The programs of `models/` run, and what they `expect` holds.
fn model(path: &Path, text: String) -> Outcome {
    cases::compile(path, &text)?.session()?.run(&mut nnc::Silent)?;
    Ok(())
}

/// Programs that take long or need data that is not here are right; they are not run.
fn large(path: &Path, text: String) -> Outcome {
    cases::compile(path, &text)?;
    Ok(())
}

/// The programs that speed is measured on are right, and nothing about them is doubtful.
fn workload(path: &Path, text: String) -> Outcome {
    let program = cases::compile(path, &text)?;
    if let Some(warning) = program.warnings().first() {
        return Err(format!("{}: {}", warning.code, warning.message).into());
    }
    Ok(())
}

fn wrong(path: &Path, text: String) -> Outcome {
    support::many::check(path, &text, false)
}

fn right(path: &Path, text: String) -> Outcome {
    support::many::check(path, &text, true)
}

datatest_stable::harness! {
    { test = wrong, root = "tests/wrong", pattern = r"^[^/]+\.nn$" },
    { test = right, root = "tests/right", pattern = r"^[^/]+\.nn$" },
    { test = case, root = "tests/cases", pattern = r"^[^/]+/[^/]+\.nn$" },
    { test = model, root = "models", pattern = r"^[^/]+\.nn$" },
    { test = large, root = "models/large", pattern = r"^[^/]+\.nn$" },
    { test = workload, root = "benches", pattern = r"^(sizes/)?[^/]+\.nn$" },
}
