//! `nnc run`: compile, train, print.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::backend::Choice;
use super::drawings::Drawings;
use super::interrupt::{Interruptible, Requests};
use super::json::Json;
use super::progress::Terminal;
use super::settings::{Settings, has_train};
use super::{Failure, complain, input, output, report};
use crate::ir::program::Action;
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::{Diagnostics, Program};
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
    #[arg(long, value_name = "N", value_parser = super::threads)]
    threads: Option<usize>,
    /// Start from the parameters in a safetensors file.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Go on where a file of `--save` was written.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// With `--resume`: go on though program, data or settings have changed since the file was saved.
    #[arg(long, requires = "resume")]
    changed: bool,
    /// Write parameters and everything else that `--resume` needs to a safetensors file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Set any other line of the train block: train.key=value.
    #[arg(long = "set", value_name = "TRAIN.KEY=VALUE")]
    settings: Vec<String>,
    /// Give the rows of a data set whose fields have no values: an npz or safetensors file.
    #[arg(long, value_name = "NAME=FILE", value_parser = input::data_file)]
    data: Vec<(String, PathBuf)>,
    /// Print only what the program prints.
    #[arg(long, short, conflicts_with = "events")]
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
    /// Check every access of native code against its buffer: slower, the same results.
    #[arg(long)]
    checked: bool,
    #[command(flatten)]
    backend: Choice,
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
        program.check_accesses(self.checked);
        self.backend.apply(&program);
        if lacks_train {
            return Err(Failure::Usage("the program has no `train` whose settings could be changed".into()));
        }
        self.check_effects(&program)?;
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
        let requests = Requests::listen();
        let mut observer =
            Interruptible::new(listener, Arc::clone(&requests), self.file.clone(), self.save.clone());
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        if let Some(path) = &self.save {
            checkpoint::is_writable(&**program.world(), path).map_err(|error| program.failed([error]))?;
        }
        let mut session: Session = program.session_with(input::given(&program, &self.data)?)?;
        let outcome = self.session(&mut session, &mut observer);
        drop(observer);
        let outcome = self.keep(&mut session, outcome, requests.exit_code());
        if self.timings {
            complain(&program.timings().to_string());
        }
        outcome
    }

    /// An option that changes nothing about this program is a mistake.
    fn check_effects(&self, program: &Program) -> Result<(), Failure> {
        let checked = program.checked();
        let trains = checked.actions.iter().any(|action| matches!(action, Action::Train(_)));
        let plots = checked.actions.iter().any(|action| matches!(action, Action::Plot(_)));
        let variables = !(checked.params.is_empty() && checked.states.is_empty());
        let options = [
            ("--plots", self.plots.is_some(), plots, "`plot`"),
            ("--every", self.every.is_some(), trains, "`train`"),
            ("--resume", self.resume.is_some(), trains, "`train`"),
            ("--init", self.init.is_some(), variables, "parameters"),
            ("--save", self.save.is_some(), variables, "parameters"),
        ];
        match options.iter().find(|(_, given, has_effect, _)| *given && !has_effect) {
            Some((option, .., missing)) => {
                Err(Failure::Usage(format!("`{option}` has no effect: the program has no {missing}")))
            }
            None => Ok(()),
        }
    }

    fn session(&self, session: &mut Session, observer: &mut dyn Observer) -> Result<(), Diagnostics> {
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        if let Some(path) = &self.init {
            session.load(path, "", observer)?;
        }
        if let Some(path) = &self.resume {
            if self.changed {
                let warning = session.resume_changed(path)?;
                warning.iter().for_each(|warning| observer.event(&Event::Warning(warning)));
            } else {
                session.resume(path)?;
            }
        }
        if let Some(path) = &self.save {
            session.save_to(path.clone());
        }
        session.run(observer)
    }

    /// Saves what is worth it: everything after a good end, and what was learnt before a bad one. `asked` is the
    /// exit code if somebody asked the process to end.
    fn keep(
        &self,
        session: &mut Session,
        outcome: Result<(), Diagnostics>,
        asked: Option<u8>,
    ) -> Result<(), Failure> {
        if let Err(diagnostics) = &outcome {
            report(diagnostics);
        }
        let file = self.file.display();
        let broken_off = asked.is_some() || output::is_closed();
        match &self.save {
            Some(path) if outcome.is_ok() || session.is_trained() => {
                save(session, path)?;
                if broken_off || outcome.is_err() {
                    let (step, path) = (session.step(), path.display());
                    complain(&format!("saved step {step}; go on with `nnc run {file} --resume {path}`"));
                }
            }
            None if asked.is_some() => {
                let step = session.step();
                complain(&format!("interrupted at step {step}; with `--save FILE` what was learnt is kept"));
            }
            Some(_) | None => {}
        }
        match (outcome, asked) {
            (Err(_), _) => Err(Failure::Silent),
            (Ok(()), Some(code)) => Err(Failure::Interrupted(code)),
            (Ok(()), None) => Ok(()),
        }
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        let numbers =
            [("epochs", self.epochs), ("steps", self.steps), ("batch", self.batch), ("seed", self.seed)];
        for (key, value) in numbers {
            value.map_or(Ok(()), |value| settings.add(key, value.to_string())).map_err(Failure::Usage)?;
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
fn save(session: &mut Session, path: &Path) -> Result<(), Failure> {
    if session.is_saved() {
        return Ok(());
    }
    let Err(error) = session.save(path) else { return Ok(()) };
    if let Ok(rescued) = session.rescue(path) {
        complain(&format!("saved to `{}` instead", rescued.display()));
    }
    Err(error.into())
}
