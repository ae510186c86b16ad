//! `nnc resume` and `nnc rerun`: a run that was kept goes on, or is carried out again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::metrics::{self, Metrics};
use super::record::{data_files, read_info};
use super::sha256;
use crate::base::{Diagnostic};
use crate::cli::output::{complain, say};
use crate::cli::run::Run;
use crate::cli::{Failure, folder};
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::Program;
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
        let mut session = program.session()?;
        if let Some(threads) = self.threads {
            session.set_threads(threads);
        }
        let mut listener = Rows::default();
        if let Some(init) = info.get("init").and_then(|path| path.as_str()) {
            session.load(Path::new(init), "", &mut listener)?;
        }
        session.run(&mut listener)?;
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
        let error = differences.into_iter().fold(error, Diagnostic::note);
        complain("");
        Err(folder::failed(error))
    }
}

/// The rows of metrics of each training.
#[derive(Default)]
struct Rows {
    trainings: Vec<Vec<String>>,
}

impl Observer for Rows {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(_) => self.trainings.push(Vec::new()),
            Event::Epoch(report) => {
                let Some(rows) = self.trainings.last_mut() else { return };
                let lines = metrics::timeless(&Metrics::lines(report, rows.is_empty()));
                rows.extend(lines);
            }
            _ => {}
        }
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
