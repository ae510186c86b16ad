//! `nnc run`: compile, train, print.

mod kept;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use clap::{Args, ValueEnum};

use super::input::DataFiles;
use super::backend::Choice;
use super::drawings::{Drawings, made};
use super::interrupt::{Interruptible, Requests};
use super::json::Json;
use super::progress::Terminal;
use super::ranks::{self, Joined};
use super::runs::record::{Begun, Folder, trains_on_files};
use super::settings::{Settings, has_train};
use super::steer::{NextRate, Steered};
use super::{Failure, complain, input, output, report};
use crate::base::Diagnostic;
use crate::ir::program::Action;
use crate::runtime::events::{Event, Observer};
use crate::runtime::options::Options;
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::ranks::agree::check_program;
use crate::runtime::session::Session;
use crate::runtime::sources::checkpoint;

/// Compile a program and carry out its train, print and expect lines.
#[derive(Args)]
#[command(after_help = "\
A program that trains on data of a file leaves a folder `runs/NAME-N`: the program as it was run, run.json, metrics.csv,
events for TensorBoard, best.safetensors (where there is a validation) and last.safetensors. `nnc predict`, `nnc eval`,
`nnc resume`, `nnc rerun` and `nnc runs` use it. Programs without data of files, `--quiet`, `--events`, `--save` and
standard input leave none unless `--out` names it.

Examples:
  nnc run models/xor.nn
  nnc run digits.nn --epochs 5 --seed 3 --save digits.safetensors
  nnc run digits.nn --out runs/first
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
    #[arg(long, requires = "resume", conflicts_with = "init")]
    changed: bool,
    /// Write parameters and everything else that `--resume` needs to a safetensors file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Keep everything about the run in this folder [default: runs/NAME-N, if it trains on data of a file].
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["save", "resume"])]
    out: Option<PathBuf>,
    /// Keep no folder of the run.
    #[arg(long, conflicts_with = "out")]
    no_save: bool,
    /// Set any other line of the train block: train.key=value.
    #[arg(long = "set", value_name = "TRAIN.KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    data: DataFiles,
    /// Print only what the program prints.
    #[arg(long, short, conflicts_with = "events")]
    quiet: bool,
    /// One JSON object a line instead of text: start, step, epoch, print, warning, end.
    #[arg(long, value_name = "FORMAT")]
    events: Option<Format>,
    /// With `--events json`: a step event every N steps.
    #[arg(long, value_name = "N", requires = "events", conflicts_with = "quiet", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// Draw each `plot` of the program into this folder, as an SVG and a PNG file.
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
    /// The processes that share the run.
    #[arg(skip)]
    joined: Option<Joined>,
    /// The number of the training, from 0, that the run goes on with.
    #[arg(skip)]
    first_training: usize,
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
        self.carry_out_joined(Run::carry_out_here)
    }

    /// Carries out this process's share of the run.
    fn carry_out_joined(mut self, work: impl FnOnce(Run) -> Result<(), Failure>) -> Result<(), Failure> {
        let Some(joined) = ranks::join()? else { return work(self) };
        if joined.rank > 0 {
            (self.save, self.out, self.plots, self.events) = (None, None, None, None);
            (self.every, self.no_save, self.quiet) = (None, true, true);
        }
        self.joined = Some(joined.clone());
        joined.end(work(self))
    }

    fn carry_out_here(self) -> Result<(), Failure> {
        let settings = self.settings()?;
        let mut lacks_train = false;
        let input = input::read(&self.file)?;
        let options = Options::new().name(input.name).folder(input.base);
        let program = Program::compile(&input.text, &options, &mut |sources, file| {
            lacks_train = settings.needs_train() && !has_train(file);
            settings.apply(sources, file)
        })?;
        let program = self.data.apply(&program)?;
        program.check_accesses(self.checked);
        self.backend.apply(&program);
        if lacks_train {
            return Err(Failure::Usage("the program has no `train` whose settings could be changed".into()));
        }
        self.check_effects(&program)?;
        if let Some(joined) = &self.joined {
            check_program(&program, joined.size).map_err(|error| program.failed([error]))?;
        }
        let text = settings.written_into(&input.text);
        let begun = Begun { program: &program, text: &text, file: &self.file, init: self.init.as_deref(), data: &self.data.files };
        let folder = self.folder(&begun)?;
        self.carry_out_in(&program, folder)
    }

    /// The folder of the run, if one is kept.
    fn folder(&self, begun: &Begun<'_>) -> Result<Option<Folder>, Failure> {
        let is_asked = self.out.is_some();
        let is_plain = self.save.is_none() && self.resume.is_none() && self.file != Path::new("-");
        let by_default = is_plain && !self.no_save && !self.quiet && self.events.is_none();
        if !(is_asked || by_default && trains_on_files(begun.program)) {
            return Ok(None);
        }
        match Folder::create(self.out.as_deref(), begun) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if is_asked => Err(begun.program.failed([error]).into()),
            // Nobody has asked for it, so it is no reason to train nothing.
            Err(error) => {
                let message = format!("no folder of this run is kept: {}", error.message);
                let warning = Diagnostic::warning("W0616", message).help("`--no-save` asks for none");
                report(&begun.program.failed([warning]));
                Ok(None)
            }
        }
    }

    fn carry_out_in(mut self, program: &Program, mut folder: Option<Folder>) -> Result<(), Failure> {
        let requests = Requests::listen();
        let mut program = program.clone();
        let outcome = loop {
            let next_rate = NextRate::default();
            let outcome = self.part(&program, folder.as_ref(), &requests, &next_rate);
            let rate = next_rate.lock().unwrap_or_else(PoisonError::into_inner).take();
            match (rate, &folder) {
                (Some(rate), Some(before)) if outcome.is_ok() && requests.exit_code().is_none() => {
                    match self.with_rate(&rate, before) {
                        Ok((changed, reopened)) => (program, folder) = (changed, Some(reopened)),
                        Err(failure) => break Err(failure),
                    }
                }
                _ => break outcome,
            }
        };
        if let Some(folder) = &folder {
            let result = match outcome {
                Ok(()) if output::is_closed() => "interrupted",
                Ok(()) => "finished",
                Err(Failure::Interrupted(_)) => "interrupted",
                Err(_) => "failed",
            };
            self.close(folder, result);
        }
        if self.timings {
            complain(&program.timings().to_string());
        }
        outcome
    }

    /// Carries a run out, to its end or until its rate is to be another.
    fn part(
        &mut self,
        program: &Program,
        folder: Option<&Folder>,
        requests: &Arc<Requests>,
        next_rate: &NextRate,
    ) -> Result<(), Failure> {
        if let Some(folder) = folder {
            self.save = Some(folder.last());
            let folder = folder.clone();
            requests.before_exit(move || folder.finish("interrupted"));
        }
        let go_on = self.go_on(folder);
        let (mut session, mut observer) = self.prepare(program, folder, (requests, next_rate), go_on.clone())?;
        let outcome = self.session(&mut session, &mut observer, folder);
        drop(observer);
        self.keep(&mut session, outcome, requests.exit_code(), go_on.as_deref())
    }

    /// What a run needs before it begins: somebody who listens, a place to save to, and the session with its data.
    fn prepare(
        &self,
        program: &Program,
        folder: Option<&Folder>,
        (requests, next_rate): (&Arc<Requests>, &NextRate),
        go_on: Option<String>,
    ) -> Result<(Session, Interruptible), Failure> {
        let mut listener: Box<dyn Observer> = match self.events {
            Some(Format::Json) => Box::new(Json::new(self.every, program.sources().clone())),
            None => {
                let bar = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
                Box::new(Terminal::new(self.quiet, bar, program.sources().clone()))
            }
        };
        if let Some(folder) = folder {
            listener = Box::new(folder.listener(listener));
            let has_plots = program.checked().draws();
            if has_plots && self.plots.is_none() {
                match made(&folder.pictures()) {
                    Ok(()) => {
                        let drawn = self.plots_before(program);
                        let drawings = Drawings::new(listener, &folder.pictures(), Path::new("plot"), drawn);
                        listener = Box::new(drawings.map_err(|error| program.failed([error]))?);
                    }
                    // A training is worth more than its pictures.
                    Err(error) => {
                        let warning = Diagnostic::warning("W0616", format!("no pictures are kept: {}", error.message));
                        listener.event(&Event::Warning(&warning));
                    }
                }
            }
        }
        if let Some(folder) = folder {
            let steered = Steered::new(listener, folder, requests, next_rate);
            listener = Box::new(if self.joined.is_some() { steered.at_one_rate() } else { steered });
        }
        if let Some(plots) = &self.plots {
            let drawings = Drawings::new(listener, plots, &self.file, self.plots_before(program));
            listener = Box::new(drawings.map_err(|error| program.failed([error]))?);
        }
        let mut observer = Interruptible::new(listener, Arc::clone(requests), go_on);
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        if let Some(path) = &self.save {
            checkpoint::is_writable(&**program.world(), path).map_err(|error| program.failed([error]))?;
        }
        let mut session = program.session()?;
        if let Some(joined) = &self.joined {
            session.join(Arc::clone(&joined.shared)).map_err(|error| program.failed([error]))?;
            if self.threads.is_none() {
                // Those on one computer share its processors.
                session.set_threads((program.world().threads() / joined.here).max(1));
            }
        }
        Ok((session, observer))
    }

    /// Notes in the folder how the run ended, and says where that is.
    fn close(&self, folder: &Folder, result: &str) {
        folder.finish(result);
        if result == "finished" && folder.has_parameters() {
            super::page::of_ended(&folder.path);
        }
        let shown = folder.path.display();
        match folder.failure() {
            Some(error) => complain(&format!("`{shown}` is not complete: {error}")),
            None if self.quiet || !folder.has_parameters() => {}
            None => complain(&format!("kept in {shown}")),
        }
    }

    /// An option that changes nothing about this program is a mistake.
    fn check_effects(&self, program: &Program) -> Result<(), Failure> {
        let checked = program.checked();
        let trains = checked.actions.iter().any(|action| matches!(action, Action::Train(_)));
        let plots = checked.draws();
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

    /// How somebody goes on with a training that is broken off.
    fn go_on(&self, folder: Option<&Folder>) -> Option<String> {
        match (folder, &self.save) {
            (Some(folder), _) => Some(format!("nnc resume {}", folder.path.display())),
            (None, Some(save)) => {
                Some(format!("nnc run {} --resume {}", self.file.display(), save.display()))
            }
            (None, None) => None,
        }
    }

    fn session(
        &self,
        session: &mut Session,
        observer: &mut dyn Observer,
        folder: Option<&Folder>,
    ) -> Result<(), Diagnostics> {
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        if let Some(path) = &self.init {
            session.load(path, "", observer)?;
        }
        if let Some(path) = &self.resume {
            if self.changed {
                let warning = session.resume_changed(path)?.filter(|_| folder.is_none());
                warning.iter().for_each(|warning| observer.event(&Event::Warning(warning)));
            } else {
                session.resume(path)?;
            }
        }
        if let Some(path) = &self.save {
            session.save_to(path.clone());
        }
        if let Some(folder) = folder {
            session.save_best_to(folder.best())?;
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
        go_on: Option<&str>,
    ) -> Result<(), Failure> {
        if let Err(diagnostics) = &outcome {
            report(diagnostics);
        }
        let broken_off = asked.is_some() || output::is_closed();
        match &self.save {
            Some(path) if outcome.is_ok() || session.is_trained() => {
                save(session, path)?;
                if broken_off || outcome.is_err() {
                    let (step, go_on) = (session.step(), go_on.unwrap_or_default());
                    complain(&format!("saved step {step}; go on with `{go_on}`"));
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
