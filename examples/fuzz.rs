//! Random programs, mutated texts and mutated files through everything that must hold of them, for as long as one
//! likes:
//!
//! ```text
//! cargo run --release --example fuzz -- programs --count 100000
//! cargo run --release --example fuzz -- texts --count 10000000
//! cargo run --release --example fuzz -- graphs --count 1000000
//! cargo run --release --example fuzz -- files --count 1000000
//! cargo run --release --example fuzz -- show programs 17          # the case of a number
//! cargo run --release --example fuzz -- check programs FAULT.nn   # what is wrong with a case that was kept
//! cargo run --release --example fuzz -- seeds fuzz/seeds          # files for `.ci/fuzz` to begin with
//! ```
//!
//! `--first N` begins with another number, `--jobs N` says how many processes work, `--keep FOLDER` where faulty
//! cases are put, made smaller (`target/faults`).

#[path = "../tests/generated/mod.rs"]
mod generated;
#[path = "../tests/support"]
mod support {
    pub mod backends;
    pub mod expected;
    pub mod rounding;
}

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use generated::case::{Kind, Seeds};
use generated::drive;

const USAGE: &str = "fuzz programs|texts|graphs|files [--count N] [--first N] [--jobs N] [--keep FOLDER]
fuzz show KIND NUMBER
fuzz check KIND FILE
fuzz seeds FOLDER";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let kind = words.iter().find_map(|word| Kind::from_name(word));
    match (&words[..], kind) {
        (["worker", _, from, to, keep], Some(kind)) => {
            if let (Ok(from), Ok(to)) = (from.parse(), to.parse()) {
                drive::work(kind, from, to, Path::new(keep));
            }
            ExitCode::SUCCESS
        }
        (["check", _, path, ..], Some(kind)) => check(kind, Path::new(path)),
        (["show", _, number], Some(kind)) => {
            let seeds = Seeds::of(kind);
            let case = seeds.case(kind, number.parse().unwrap_or(1));
            // Whoever does not listen does not want it.
            let _ = std::io::stdout().write_all(&case.bytes());
            ExitCode::SUCCESS
        }
        (["seeds", folder], _) => seeds(Path::new(folder)),
        ([word, ..], Some(kind)) if *word == kind.name() => {
            let option = |name: &str| words.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
            let number = |name, usual: u64| option(name).and_then(|word| word.parse().ok()).unwrap_or(usual);
            let keep = PathBuf::from(option("--keep").unwrap_or("target/faults"));
            let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
            let jobs = number("--jobs", processors).max(1);
            let tally = drive::run(kind, number("--first", 1), number("--count", 1000), jobs, &keep);
            tally.print();
            if tally.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// Of the graphs that mutated ones are made from so many are written, and none that is longer.
const GRAPHS: usize = 60;
const LONGEST: usize = 1_500;

/// Writes the right files and graphs that mutated ones are made from, as the targets of `fuzz/` take them: in front of
/// a file the number of its format.
fn seeds(folder: &Path) -> ExitCode {
    let formats = generated::files::formats();
    let files = formats.iter().enumerate().flat_map(|(number, format)| {
        let with_number = move |seed: &Vec<u8>| [&[number as u8], &seed[..]].concat();
        let named = format.seeds.iter().enumerate();
        named.map(move |(at, seed)| (format!("file/{}-{at}", format.name), with_number(seed)))
    });
    let graphs: Vec<String> = generated::texts::graph_seeds(&generated::texts::seeds());
    let short: Vec<String> = graphs.into_iter().filter(|graph| graph.len() <= LONGEST).collect();
    let step = short.len().div_ceil(GRAPHS).max(1);
    let graphs = short.into_iter().step_by(step).enumerate();
    let graphs = graphs.map(|(at, text)| (format!("graph/{at}.ir"), text.into_bytes()));
    for (name, bytes) in files.chain(graphs) {
        let path = folder.join(name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = written.and_then(|()| std::fs::write(&path, bytes)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn check(kind: Kind, path: &Path) -> ExitCode {
    match std::fs::read(path) {
        Ok(bytes) => {
            let seeds = Seeds::of(kind);
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            println!("{:#?}", seeds.verdict(kind, &seeds.kept(kind, ending, bytes)));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
