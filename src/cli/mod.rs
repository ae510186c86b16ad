//! Rank 8: the command line. Everything here is words, files and exit codes; the work is done below.
//!
//! Exit codes: 0 fine, 1 the program was rejected or failed, 2 wrong usage, 130 ended by Ctrl-C.

mod bench;
mod check;
mod derive;
mod doc;
mod drawings;
mod explain;
mod fmt;
mod generate;
mod input;
mod interrupt;
mod ir;
mod json;
mod lines;
mod measured;
mod numbers;
mod plot;
mod profile;
mod progress;
mod run;
mod settings;
mod summary;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::base::render::{Style, render_all};
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
    /// Ended by Ctrl-C.
    Interrupted,
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Failure {
        Failure::Program(Box::new(diagnostics))
    }
}

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Run(command) => command.carry_out(),
        Command::Check(command) => command.carry_out(),
        Command::Ir(command) => command.carry_out(),
        Command::Summary(command) => command.carry_out(),
        Command::Generate(command) => command.carry_out(),
        Command::Bench(command) => command.carry_out(),
        Command::Profile(command) => command.carry_out(),
        Command::Derive(command) => command.carry_out(),
        Command::Fmt(command) => command.carry_out(),
        Command::Explain(command) => command.carry_out(),
        Command::Doc(command) => command.carry_out(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Program(diagnostics)) => {
            report(&diagnostics);
            ExitCode::from(1)
        }
        Err(Failure::Silent) => ExitCode::from(1),
        Err(Failure::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}\n\nFor more information, try '--help'.");
            ExitCode::from(2)
        }
    }
}

/// Shows diagnostics on standard error.
fn report(diagnostics: &Diagnostics) {
    eprint!("{}", render_all(diagnostics, &diagnostics.sources, style()));
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if errors > 1 {
        eprintln!("{errors} errors; `nnc explain CODE` tells more about each");
    } else if let Some(error) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        eprintln!("`nnc explain {}` tells more", error.code);
    }
}

fn style() -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal();
    if plain { Style::Plain } else { Style::Colour }
}

/// Writes a line to standard output. Nobody listening any more is no error.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
