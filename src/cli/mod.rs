//! Rank 9: the command line. Everything here is words, files and exit codes; the work is done below.
//!
//! Exit codes: 0 fine, 1 the program was rejected or failed, or output could not be written, 2 wrong usage,
//! 128 and the number of the signal if the process was asked to end: 130 by Ctrl-C, 129 and 143 by SIGHUP and
//! SIGTERM, 141 if nobody reads its output any more.

mod backend;
mod bench;
mod check;
mod columns;
mod data;
mod derive;
mod doc;
mod drawings;
mod ensemble;
mod eval;
mod explain;
mod export;
mod faults;
mod fmt;
mod folder;
mod generate;
mod init;
mod input;
mod interrupt;
mod ir;
mod json;
mod json_rows;
mod judge;
mod measured;
mod numbers;
mod oddities;
mod output;
mod plot;
mod predict;
mod profile;
mod progress;
mod ranks;
mod page;
mod run;
mod runs;
mod settings;
mod shared_input;
mod sheet;
mod stablehlo;
mod steer;
mod summary;
mod trials;
mod watch;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};

use output::{complain, complain_rendered, say};

use crate::base::render::{Style, render_all};
use crate::runtime::call::MOST_THREADS;
use crate::runtime::program::Diagnostics;

/// A compiler for neural networks: `.nn` text in, native training loops out.
#[derive(Parser)]
#[command(name = "nnc", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  nnc run models/xor.nn                  compile, train, print
  nnc run digits.nn --epochs 5 --save digits.safetensors
  nnc predict penguins.nn --weights penguins.safetensors new.csv -o out.csv
  nnc export runs/penguins --c penguins   the model as one C file
  nnc check digits.nn                    shapes, names, roles; opens no data
  nnc ir digits.nn --stage opt           what the compiler made of it
  nnc bench digits.nn                    how long a step takes
  nnc profile digits.nn                  where its time goes
  nnc derive models/xor.nn               the gradient as mathematics
  nnc explain E0203                      what an error means
  nnc doc Conv2d                         what the library has";

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Predict(predict::Predict),
    Export(export::Export),
    Eval(eval::Eval),
    Importance(eval::Importance),
    Runs(runs::list::Runs),
    Report(page::Report),
    Watch(watch::Watch),
    Cv(trials::cv::Cv),
    Sweep(trials::sweep::Sweep),
    Data(data::Data),
    Init(init::Init),
    Resume(runs::again::Resume),
    Rerun(runs::again::Rerun),
    Check(check::Check),
    Ir(ir::Ir),
    Summary(summary::Summary),
    Generate(generate::Generate),
    Bench(bench::Bench),
    Profile(profile::Profile),
    Derive(derive::Derive),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    Doc(doc::Doc),
}

/// How a command ends that does not end well.
enum Failure {
    /// The program was rejected or failed.
    Program(Box<Diagnostics>),
    /// Something was said already, or there is nothing to say.
    Silent,
    /// The command line asks for something that cannot be.
    Usage(String),
    /// Ended by a signal, which has this exit code.
    Interrupted(u8),
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Failure {
        Failure::Program(Box::new(diagnostics))
    }
}

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    ExitCode::from(command(std::env::args_os()))
}

/// Does what a command line says, whose first word is the name of the command, and gives its exit code.
pub fn command(line: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    faults::report_panics();
    let code = match Arguments::try_parse_from(line) {
        Ok(arguments) => carry_out(arguments.command),
        Err(error) => {
            let printed = error.print();
            if !error.use_stderr() {
                output::remember(printed);
            }
            u8::try_from(error.exit_code()).unwrap_or(2)
        }
    };
    output::exit_code(code)
}

/// Carries out a command and gives its exit code.
fn carry_out(command: Command) -> u8 {
    let outcome = match command {
        Command::Run(command) => command.carry_out(),
        Command::Predict(command) => command.carry_out(),
        Command::Eval(command) => command.carry_out(),
        Command::Importance(command) => command.carry_out(),
        Command::Runs(command) => command.carry_out(),
        Command::Report(command) => command.carry_out(),
        Command::Watch(command) => command.carry_out(),
        Command::Cv(command) => command.carry_out(),
        Command::Sweep(command) => command.carry_out(),
        Command::Data(command) => command.carry_out(),
        Command::Init(command) => command.carry_out(),
        Command::Resume(command) => command.carry_out(),
        Command::Rerun(command) => command.carry_out(),
        Command::Check(command) => command.carry_out(),
        Command::Ir(command) => command.carry_out(),
        Command::Summary(command) => command.carry_out(),
        Command::Generate(command) => command.carry_out(),
        Command::Bench(command) => command.carry_out(),
        Command::Profile(command) => command.carry_out(),
        Command::Derive(command) => command.carry_out(),
        Command::Fmt(command) => command.carry_out(),
        Command::Explain(command) => command.carry_out(),
        Command::Export(command) => command.carry_out(),
        Command::Doc(command) => command.carry_out(),
    };
    match outcome {
        Ok(()) => 0,
        Err(Failure::Program(diagnostics)) => {
            report(&diagnostics);
            1
        }
        Err(Failure::Silent) => 1,
        Err(Failure::Interrupted(code)) => code,
        Err(Failure::Usage(message)) => {
            complain(&format!("error: {message}\n\nFor more information, try '--help'."));
            2
        }
    }
}

/// A number of threads on the command line; 0 stands for as many as there are processors.
fn threads(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(threads) if threads <= MOST_THREADS => Ok(threads),
        _ => Err(format!("a number of threads is a whole number up to {MOST_THREADS}")),
    }
}

/// So many errors and warnings are shown: nobody reads more, and other tools have `--json`.
const MOST_SHOWN: usize = 100;

/// The first error that was shown, in one line.
static FIRST_ERROR: OnceLock<String> = OnceLock::new();

fn first_error() -> Option<String> {
    FIRST_ERROR.get().cloned()
}

/// Shows diagnostics on standard error.
fn report(diagnostics: &Diagnostics) {
    if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        // The first one is kept.
        let _ = FIRST_ERROR.set(format!("{}: {}", error.code, error.message));
    }
    complain_rendered(&reported(diagnostics));
}

/// What is shown of diagnostics.
fn reported(diagnostics: &Diagnostics) -> String {
    let shown = &diagnostics[..diagnostics.len().min(MOST_SHOWN)];
    let mut text = render_all(shown, &diagnostics.sources, style());
    if shown.len() < diagnostics.len() {
        text += &format!("and {} more\n", diagnostics.len() - shown.len());
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if errors > 1 {
        text += &format!("{errors} errors; `nnc explain CODE` tells more about each\n");
    } else if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        text += &format!("`nnc explain {}` tells more\n", error.code);
    }
    text
}

fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    if plain { Style::Plain } else { Style::Colour }
}
