//! `nnc resume` and `nnc rerun`: a run that was kept goes on, or is carried out again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::metrics::{self, Metrics};
use super::record::{changes, data_files, read_info};
use super::sha256;
use serde_json::{Map, Value};

use crate::base::Diagnostic;
use crate::cli::output::{complain, say};
use crate::cli::run::Run;
use crate::cli::{Failure, folder};
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::Program;
use crate::runtime::session::Session;
use crate::runtime::sources::safetensors;

/// Go on with a run that was broken off: the remaining steps, as if it had not been.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc resume runs/penguins-3")]
pub struct Resume {
    /// The folder of the run.
    folder: PathBuf,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::super::threads)]
    threads: Option<usize>,
    /// Print only what the program prints.
    #[arg(long, short)]
    quiet: bool,
}

/// Carry out a run again and compare: the same parameters and metrics, bit by bit.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc rerun runs/penguins-3")]
pub struct Rerun {
    /// The folder of the run.
    folder: PathBuf,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::super::threads)]
    threads: Option<usize>,
}

/// The program of a run.
fn program_of(folder: &Path) -> Result<Program, Failure> {
    Ok(folder::kept_program(folder, &mut |_, _| Vec::new())?)
}

impl Resume {
    pub fn carry_out(self) -> Result<(), Failure> {
        let info = read_info(&self.folder).map_err(folder::failed)?;
        if info.get("result").and_then(|result| result.as_str()) == Some("finished") {
            say(&format!("`{}` is finished: there are no steps left", self.folder.display()));
            return Ok(());
        }
        let program = program_of(&self.folder)?;
        let last = self.folder.join("last.safetensors");
        let init = info.get("init").and_then(|path| path.as_str()).map(PathBuf::from);
        // What was broken off before anything was kept begins again.
        let (resume, init) = if last.is_file() { (Some(last), None) } else { (None, init) };
        Run::again(self.folder, resume, init, self.threads, self.quiet).carry_out_kept(&program)
    }
}

impl Rerun {
    pub fn carry_out(self) -> Result<(), Failure> {
        let info = read_info(&self.folder).map_err(folder::failed)?;
        let shown = self.folder.display();
        let wrong = |code, message: String| folder::failed(Diagnostic::error(code, message));
        if info.get("result").and_then(|result| result.as_str()) != Some("finished") {
            let message = format!("`{shown}` did not come to its end, so there is nothing to compare with");
            return Err(wrong("E0776", message));
        }
        let program = program_of(&self.folder)?;
        let text = std::fs::read(self.folder.join("program.nn")).unwrap_or_default();
        let mut differences = Vec::new();
        if info.get("program_sha256").and_then(|digest| digest.as_str()) != Some(&sha256::of_bytes(&text)) {
            differences.push("program.nn was changed".to_owned());
        }
        for (path, now) in data_files(&program) {
            if info.get("data").and_then(|files| files.get(&path)) != Some(&now) {
                differences.push(format!("the data file `{path}` was changed"));
            }
        }
        for change in info.get("changes").and_then(|changes| changes.as_array()).into_iter().flatten() {
            let name = change["program"].as_str().unwrap_or_default();
            let text = std::fs::read(self.folder.join(name)).unwrap_or_default();
            if change["program_sha256"].as_str() != Some(&sha256::of_bytes(&text)) {
                differences.push(format!("{name} was changed"));
            }
        }
        let mut listener = Rows::default();
        let session = self.repeat(&info, &mut listener)?;
        let file = safetensors::open(&**program.world(), &self.folder.join("last.safetensors")).map_err(folder::failed)?;
        let paths: Vec<String> = session.parameters().map(str::to_owned).collect();
        let (mut arrays, mut numbers) = (0, 0);
        for path in &paths {
            let kept = file.tensor(path).and_then(|stored| stored.load()).map_err(folder::failed)?;
            let made = session.parameter(path);
            if !made.is_some_and(|made| same_bits(made, &kept)) {
                differences.push(format!("`{path}` is another"));
            }
            (arrays, numbers) = (arrays + 1, numbers + kept.elements().len());
        }
        let mut rows = 0;
        for (number, epochs) in listener.trainings.iter().enumerate() {
            let name =
                if number == 0 { "metrics.csv".to_owned() } else { format!("metrics-{}.csv", number + 1) };
            let kept = std::fs::read_to_string(self.folder.join(&name)).unwrap_or_default();
            let kept = metrics::timeless(&kept);
            rows += epochs.len().saturating_sub(1);
            if let Some(at) = (0..kept.len().max(epochs.len())).find(|at| kept.get(*at) != epochs.get(*at)) {
                differences.push(format!("{name} has other numbers from line {} on", at + 1));
            }
        }
        if differences.is_empty() {
            say(&format!(
                "the same bits: {numbers} numbers of {arrays} parameters and states, {rows} rows of metrics"
            ));
            return Ok(());
        }
        let error = Diagnostic::error("E0777", format!("`{shown}` comes out differently now"));
        let mut error = differences.into_iter().fold(error, Diagnostic::note);
        if info.contains_key("together") {
            error = error.note("it was trained together with others (`nnc sweep --together`), which rounds sums otherwise");
        }
        complain("");
        Err(folder::failed(error))
    }
}

impl Rerun {
    /// Carries all out again: the program, or the programs that were at work one after the other.
    fn repeat(&self, info: &Map<String, Value>, listener: &mut Rows) -> Result<Session, Failure> {
        let kept = Temporary(std::env::temp_dir().join(format!("nnc-rerun-{}.safetensors", std::process::id())));
        let mut goes_on = false;
        let changes = changes(info).into_iter().map(|(training, step, name)| (name, Some((training, step))));
        for (name, until) in changes.chain([("program.nn".to_owned(), None)]) {
            let program = folder::earlier_program(&self.folder, &name, &mut |_, _| Vec::new())?;
            let mut session = program.session()?;
            if let Some(threads) = self.threads {
                session.set_threads(threads);
            }
            if goes_on {
                session.resume_changed(&kept.0)?;
                listener.go_on(session.trainings_before(), session.step());
            } else if let Some(init) = info.get("init").and_then(Value::as_str) {
                session.load(Path::new(init), "", listener)?;
            }
            listener.until = until;
            session.run(listener)?;
            if until.is_none() {
                return Ok(session);
            }
            session.save(&kept.0)?;
            goes_on = true;
        }
        Err(Failure::Silent)
    }
}

/// A file that goes with the value.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It lies where files are removed anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The rows of metrics of each training.
#[derive(Default)]
struct Rows {
    trainings: Vec<Vec<String>>,
    /// The training at work, from 1, and its steps so far.
    training: usize,
    step: u64,
    /// The training, from 0, and the step after which it ends.
    until: Option<(usize, u64)>,
}

impl Rows {
    /// Another session goes on with a training.
    fn go_on(&mut self, training: usize, step: u64) {
        (self.training, self.step) = (training, step);
    }

    fn left(&self) -> Option<u64> {
        let (training, step) = self.until?;
        (self.training == training + 1).then(|| step.saturating_sub(self.step))
    }
}

impl Observer for Rows {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(_) => {
                self.training += 1;
                if self.trainings.len() < self.training {
                    self.trainings.push(Vec::new());
                    self.step = 0;
                }
            }
            Event::Progress { step, .. } => self.step = *step,
            Event::Epoch(report) => {
                let Some(rows) = self.trainings.last_mut() else { return };
                // An epoch that was broken off has a row, and gets another when it is complete.
                if rows.last().is_some_and(|row| row.split(',').next() == Some(&report.epoch.to_string())) {
                    rows.pop();
                }
                let lines = metrics::timeless(&Metrics::lines(report, rows.is_empty()));
                rows.extend(lines);
            }
            _ => {}
        }
    }

    fn steps_at_once(&self) -> Option<u64> {
        self.left().map(|left| left.saturating_sub(1).max(1))
    }

    fn stop(&mut self) -> bool {
        // It is asked behind a series and before this is told of, so the last step is a series by itself.
        self.left().is_some_and(|left| left <= 1)
    }

    fn leave(&mut self) -> bool {
        self.left().is_some_and(|left| left == 0)
    }
}

fn same_bits(a: &Array, b: &Array) -> bool {
    a.shape() == b.shape()
        && match (a.elements(), b.elements()) {
            (Elements::F32(a), Elements::F32(b)) => {
                a.iter().map(|number| number.to_bits()).eq(b.iter().map(|number| number.to_bits()))
            }
            (Elements::F64(a), Elements::F64(b)) => {
                a.iter().map(|number| number.to_bits()).eq(b.iter().map(|number| number.to_bits()))
            }
            (a, b) => a == b,
        }
}
