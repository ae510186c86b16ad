//! What `nnc bench` and `nnc profile` have in common: a program, its settings and its first `train` at its
//! first batch.

use std::path::PathBuf;

use clap::Args;

use super::input::DataFiles;
use super::Failure;
use super::backend::Choice;
use super::input::Input;
use super::settings::{Settings, has_train};
use crate::compile::Measures;
use crate::ir::program::Precision;
use crate::runtime::options::Options;
use crate::runtime::program::Program;
use crate::runtime::session::Session;
use crate::runtime::train::held::{Held, Purpose};

/// What is to be measured, and for how long.
#[derive(Args)]
pub struct Measured {
    /// The program; `-` for standard input. Its first `train` is measured.
    pub file: PathBuf,
    /// Threads to compute with [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::threads)]
    threads: Option<usize>,
    /// How long to measure, about.
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = seconds)]
    pub seconds: f64,
    /// Set a line of the train block: train.key=value.
    #[arg(long = "set", value_name = "TRAIN.KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    pub data: DataFiles,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Check every access of native code against its buffer: slower, the same results.
    #[arg(long)]
    checked: bool,
    #[command(flatten)]
    backend: Choice,
}

/// A program that is ready to take steps.
pub struct Subject {
    pub program: Program,
    pub session: Session,
    pub held: Held,
    /// Of code made for [`Purpose::Profile`].
    pub measures: Option<Measures>,
    pub threads: usize,
}

impl Measured {
    /// Compiles the program; whether it has a `train`.
    pub fn compile(&self, input: &Input) -> Result<(Program, bool), Failure> {
        let mut settings = Settings::default();
        for text in &self.settings {
            settings.set(text).map_err(Failure::Usage)?;
        }
        let mut trains = false;
        let nothing = "the program has no `train` whose settings could be changed";
        let options = Options::new().name(&input.name).folder(&input.base);
        let program = Program::compile(&input.text, &options, &mut |sources, file| {
            trains = has_train(file);
            settings.apply(sources, file)
        })?;
        let program = self.data.apply(&program)?;
        if settings.needs_train() && !trains {
            return Err(Failure::Usage(nothing.into()));
        }
        program.check_accesses(self.checked);
        self.backend.apply(&program);
        Ok((program, trains))
    }

    /// Compiles the program and gathers its first batch.
    pub fn prepare(&self, input: &Input, purpose: Purpose) -> Result<Subject, Failure> {
        let (program, trains) = self.compile(input)?;
        let nothing =
            || Failure::Usage(format!("{} has no `train`: there is no step to measure", input.name));
        if !trains {
            return Err(nothing());
        }
        let threads = self.threads();
        let mut session = program.session()?;
        session.set_threads(threads);
        let (held, measures) = Held::prepare(&mut session, purpose)?.ok_or_else(nothing)?;
        Ok(Subject { program, session, held, measures, threads })
    }

    pub fn threads(&self) -> usize {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.filter(|threads| *threads > 0).unwrap_or_else(available)
    }
}

impl Subject {
    pub fn precision(&self) -> Precision {
        self.program.checked().precision
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
        _ => Err("a time in seconds, such as 2 or 0.5".into()),
    }
}
