//! Random programs of items and data: what `check` accepts, runs.
//!
//! A program is made of a seed: data sets that use fields and statistics of one another, parameters and states that
//! start from others, carries with a class, slices, settings, several `minimize` lines and trainings. If it is
//! accepted, it is run, derived and shown at all stages; whatever goes wrong then must be about the numbers of the
//! program (a loss that is not finite), not about `nnc` itself.
//!
//! ```text
//! cargo test --test programs                                        # some hundred, with fixed seeds
//! NNC_PROGRAMS=10000 NNC_FIRST=0 cargo test --release --test programs -- --ignored long_run
//! ```

mod make;
mod read;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nnc::Silent;
use nnc::base::SourceMap;
use nnc::compile::{Stage, show};
use nnc::derive::derive;
use nnc::ir::program::Action;
use nnc::runtime::example::Rows;
use nnc::runtime::options::Options;
use nnc::runtime::program::{Files, Program};

/// How many programs every test run makes.
const QUICK: u64 = 150;

/// What may go wrong in a program that was accepted: an expectation, a loss that is not finite, and rows or sizes
/// that only the data decides.
const ABOUT_NUMBERS: [&str; 4] = ["E0720", "E0723", "E0724", "E0728"];

/// What became of a program.
enum Outcome {
    Refused,
    Ran,
}

fn carried_out(text: &str) -> Result<Outcome, String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let compiled =
        Program::compile(text, &Options::new().name("generated.nn").folder(base), &mut |_, _| Vec::new());
    let Ok(program) = compiled else { return Ok(Outcome::Refused) };
    let wrong = |errors: &nnc::Diagnostics| {
        let about_nnc = |error: &&nnc::base::Diagnostic| !ABOUT_NUMBERS.contains(&error.code);
        errors.iter().find(about_nnc).map(|error| format!("{}: {}", error.code, errors))
    };
    let mut session = match program.session() {
        Ok(session) => session,
        Err(errors) => return wrong(&errors).map_or(Ok(Outcome::Ran), Err),
    };
    if let Err(errors) = session.run(&mut Silent)
        && let Some(message) = wrong(&errors)
    {
        return Err(message);
    }
    for action in &program.checked().actions {
        let Action::Train(train) = action else { continue };
        for (line, trained) in train.lines.iter().zip(&train.step.trained) {
            let it = derive(line, trained).map_err(|error| format!("derive: {error:?}"))?;
            let count = train.batch;
            if let Err(errors) = session.values(train, &it, Rows { first: 0, count })
                && let Some(message) = wrong(&errors)
            {
                return Err(format!("derive: {message}"));
            }
        }
    }
    for stage in [Stage::Ir, Stage::Opt, Stage::Plan, Stage::Loops] {
        let mut sources = SourceMap::default();
        let file = sources.add("generated.nn", text);
        show(&mut sources, file, &mut Files::default(), stage)
            .map_err(|errors| format!("{stage:?}: {errors:?}"))?;
    }
    Ok(Outcome::Ran)
}

/// Makes and carries out programs; how many were accepted, and what went wrong.
fn check(make: fn(u64) -> String, seeds: impl Iterator<Item = u64>) -> (usize, Vec<String>) {
    let (mut accepted, mut faults) = (0, Vec::new());
    for seed in seeds {
        let text = make(seed);
        match catch_unwind(AssertUnwindSafe(|| carried_out(&text))) {
            Ok(Ok(Outcome::Ran)) => accepted += 1,
            Ok(Ok(Outcome::Refused)) => {}
            Ok(Err(message)) => faults.push(format!("seed {seed}: {message}\n{text}")),
            Err(_) => faults.push(format!("seed {seed}: panic\n{text}")),
        }
    }
    (accepted, faults)
}

#[test]
fn what_is_accepted_runs() {
    let (accepted, faults) = check(make::program, 0..QUICK);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n\n"));
    assert!(accepted * 2 > QUICK as usize, "only {accepted} of {QUICK} programs are accepted");
}

/// The same of programs whose rows are texts, names, dates and pictures.
#[test]
fn what_reads_files_runs() {
    let (accepted, faults) = check(read::program, 0..QUICK / 3);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n\n"));
    assert!(accepted * 2 > QUICK as usize / 3, "only {accepted} of {} programs are accepted", QUICK / 3);
}

#[test]
#[ignore = "a long run: NNC_PROGRAMS says how many, NNC_FIRST from which seed"]
fn long_run_of_files() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (first, count) = (number("NNC_FIRST", QUICK), number("NNC_PROGRAMS", 2_000));
    let (accepted, faults) = check(read::program, first..first + count);
    println!("{accepted} of {count} programs are accepted and run; {} faults", faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
#[ignore = "a long run: NNC_PROGRAMS says how many, NNC_FIRST from which seed"]
fn long_run() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (first, count) = (number("NNC_FIRST", QUICK), number("NNC_PROGRAMS", 2_000));
    let (accepted, faults) = check(make::program, first..first + count);
    println!("{accepted} of {count} programs are accepted and run; {} faults", faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Prints the program of a seed.
#[test]
#[ignore = "prints the program of the seed NNC_FIRST"]
fn shown() {
    let seed = std::env::var("NNC_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    println!("{}", make::program(seed));
}
