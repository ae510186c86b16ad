//! `nnc run`: compile, train, print.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::json::Json;
use super::progress::Terminal;
use super::settings::{Settings, has_train};
use super::{Failure, input, report};
use crate::runtime::events::{Event, Observer};
use crate::runtime::session::Session;

/// Compile a program and carry out its train, print and expect lines.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc run models/xor.nn
  nnc run digits.nn --epochs 5 --seed 3 --save digits.safetensors
  nnc run digits.nn --init digits.safetensors --set train.batch=64
  nnc run digits.nn --events json --every 10 | jq .loss
  cat xor.nn | nnc run -")]
pub struct Run {
    /// The program; `-` for standard input.
    file: PathBuf,
    /// Train for so many epochs, whatever the file says.
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    epochs: Option<u64>,
    /// Train for so many steps.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Rows of a batch.
    #[arg(long, value_name = "N")]
    batch: Option<u64>,
    /// The seed of parameters, order of rows and random numbers of the training.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Start from the parameters in a safetensors file.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Go on where a file of `--save` was written.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Write parameters and everything else that `--resume` needs to a safetensors file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Set any other line of the train block: train.key=value.
    #[arg(long = "set", value_name = "TRAIN.KEY=VALUE")]
    settings: Vec<String>,
    /// Print only what the program prints.
    #[arg(long, short)]
    quiet: bool,
    /// One JSON object a line instead of text: start, step, epoch, print, warning, end.
    #[arg(long, value_name = "FORMAT")]
    events: Option<Format>,
    /// With `--events json`: a step event every N steps.
    #[arg(long, value_name = "N", requires = "events")]
    every: Option<u64>,
    /// Compute with floats of this width.
    #[arg(long, value_name = "TYPE")]
    precision: Option<Width>,
    /// Say how long each pass of the compiler took.
    #[arg(long)]
    timings: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum Width {
    F32,
    F64,
}

impl Run {
    pub fn carry_out(self) -> Result<(), Failure> {
        let settings = self.settings()?;
        let mut lacks_train = false;
        let program = input::compile(&self.file, &mut |sources, file| {
            lacks_train = settings.needs_train() && !has_train(file);
            settings.apply(sources, file)
        })?;
        if lacks_train {
            return Err(Failure::Usage("the program has no `train` whose settings could be changed".into()));
        }
        let mut observer: Box<dyn Observer> = match self.events {
            Some(Format::Json) => Box::new(Json::new(self.every, program.sources().clone())),
            None => {
                let bar = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
                Box::new(Terminal::new(self.quiet, bar, program.sources().clone()))
            }
        };
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        let outcome = self.session(&program, &mut *observer);
        drop(observer);
        if self.timings {
            eprintln!("{}", program.timings());
        }
        outcome
    }

    fn session(
        &self,
        program: &crate::runtime::program::Program,
        observer: &mut dyn Observer,
    ) -> Result<(), Failure> {
        let mut session: Session = program.session()?;
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        if let Some(path) = &self.init {
            session.load(path, "", observer)?;
        }
        if let Some(path) = &self.resume {
            session.resume(path)?;
        }
        let outcome = session.run(observer);
        // A run that failed behind its training (an `expect`) has parameters worth keeping.
        if let (Some(path), true) = (&self.save, outcome.is_ok() || session.is_trained()) {
            if let Err(diagnostics) = &outcome {
                report(diagnostics);
            }
            session.save(path)?;
            return if outcome.is_ok() { Ok(()) } else { Err(Failure::Silent) };
        }
        Ok(outcome?)
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        let numbers =
            [("epochs", self.epochs), ("steps", self.steps), ("batch", self.batch), ("seed", self.seed)];
        for (key, value) in numbers {
            settings.train.extend(value.map(|value| (key.to_owned(), value.to_string())));
        }
        for text in &self.settings {
            settings.set(text).map_err(Failure::Usage)?;
        }
        settings.precision = self.precision.map(|width| match width {
            Width::F32 => "f32".to_owned(),
            Width::F64 => "f64".to_owned(),
        });
        Ok(settings)
    }
}
