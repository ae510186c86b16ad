//! `nnc run`: compile, train, print.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};

use super::drawings::Drawings;
use super::interrupt::Interruptible;
use super::json::Json;
use super::progress::Terminal;
use super::settings::{Settings, has_train};
use super::{Failure, input, report};
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::Diagnostics;
use crate::runtime::session::Session;
use crate::runtime::sources::checkpoint;

/// Compile a program and carry out its train, print and expect lines.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc run models/xor.nn
  nnc run digits.nn --epochs 5 --seed 3 --save digits.safetensors
  nnc run digits.nn --init digits.safetensors --set train.batch=64
  nnc run digits.nn --events json --every 10 | jq .loss
  nnc run approximate.nn --plots pictures
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
    /// Draw each `plot` of the program into an SVG file in this folder.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
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
        let mut listener: Box<dyn Observer> = match self.events {
            Some(Format::Json) => Box::new(Json::new(self.every, program.sources().clone())),
            None => {
                let bar = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
                Box::new(Terminal::new(self.quiet, bar, program.sources().clone()))
            }
        };
        if let Some(folder) = &self.plots {
            let drawings = Drawings::new(listener, folder, &self.file);
            listener = Box::new(drawings.map_err(|error| program.failed([error]))?);
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        let mut observer = Interruptible::new(listener, Arc::clone(&interrupted));
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        if let Some(path) = &self.save {
            checkpoint::is_writable(path).map_err(|error| program.failed([error]))?;
        }
        let mut session: Session = program.session()?;
        let outcome = self.session(&mut session, &mut observer);
        drop(observer);
        let outcome = self.keep(&session, outcome, interrupted.load(Ordering::Relaxed));
        if self.timings {
            eprintln!("{}", program.timings());
        }
        outcome
    }

    fn session(&self, session: &mut Session, observer: &mut dyn Observer) -> Result<(), Diagnostics> {
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        if let Some(path) = &self.init {
            session.load(path, "", observer)?;
        }
        if let Some(path) = &self.resume {
            session.resume(path)?;
        }
        session.run(observer)
    }

    /// Saves what is worth it: everything after a good end, and what was learnt before a bad one.
    fn keep(
        &self,
        session: &Session,
        outcome: Result<(), Diagnostics>,
        interrupted: bool,
    ) -> Result<(), Failure> {
        if let Err(diagnostics) = &outcome {
            report(diagnostics);
        }
        let file = self.file.display();
        match &self.save {
            Some(path) if outcome.is_ok() || session.is_trained() => {
                save(session, path)?;
                if interrupted || outcome.is_err() {
                    let path = path.display();
                    eprintln!("saved step {}; go on with `nnc run {file} --resume {path}`", session.step());
                }
            }
            Some(_) => {}
            None if interrupted => {
                eprintln!(
                    "interrupted at step {}; with `--save FILE` what was learnt is kept",
                    session.step()
                );
            }
            None => {}
        }
        match outcome {
            Ok(()) if interrupted => Err(Failure::Interrupted),
            Ok(()) => Ok(()),
            Err(_) => Err(Failure::Silent),
        }
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

/// Saves a session; if that fails, in the folder for temporary files rather than not at all.
fn save(session: &Session, path: &Path) -> Result<(), Failure> {
    let Err(error) = session.save(path) else { return Ok(()) };
    let mut name = OsString::from("nnc-rescued-");
    name.push(path.file_name().unwrap_or(OsStr::new("parameters.safetensors")));
    let rescued = std::env::temp_dir().join(name);
    if rescued != path && session.save(&rescued).is_ok() {
        eprintln!("saved to `{}` instead", rescued.display());
    }
    Err(error.into())
}
