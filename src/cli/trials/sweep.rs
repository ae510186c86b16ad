//! `nnc sweep`: a training for each combination of settings.

use std::path::{Path, PathBuf};

use clap::Args;

use super::crew::{self, Failed, Outcome};
use super::plan::{Plan, Said};
use super::results::{self, Trial};
use super::begin::{Begins, Place, Start, each_together};
use super::{Format, place, spread};
use crate::cli::output::{complain, complain_rendered};
use crate::cli::ranks::{self, Joined};
use crate::cli::input::DataFiles;
use crate::cli::{Failure, input};
use crate::runtime::options::Options;
use crate::runtime::program::{Diagnostics, Program};
use crate::ir::program;
use crate::runtime::together;
use crate::syntax;
use crate::base::SourceMap;


/// Train with many settings: lists and ranges of values, all combinations or some at random.
#[derive(Args)]
#[command(after_help = "\
A name is a constant of the program (`const WIDTH = 32`), a setting of `train` (batch, seed, epochs, …) or an argument
of an optimizer (lr, weight_decay, …). Its values are a list, or a range: `:log` on a logarithmic scale, `:int` of whole
numbers. Without `--trials` all combinations are tried, ranges at `--points` points; with it so many at random.

All of this may stand in the program, in a `sweep { … }`; what the command line says takes its place, name by name.

Each trial has its folder in `runs/NAME-sweep-N`, where `sweep.csv` has all of them and `sweep.svg` draws a line for each. The scores of a trial are those of
the epoch with the least loss of the validation, whose parameters are in its best.safetensors.

Examples:
  nnc sweep apples.nn                                                # what its `sweep` says
  nnc sweep apples.nn lr=0.1,0.01,0.001 batch=16,64
  nnc sweep apples.nn lr=1e-4..1e-1:log WIDTH=8..128:int --trials 32
  nnc sweep apples.nn lr=1e-4..1e-1:log --trials 32 --by 'validation accuracy' --greatest --keep 5
  nnc sweep apples.nn lr=0.1,0.01 batch=16,64 --resume runs/apples-sweep-1   # after it was broken off
  nnc predict runs/apples-sweep-1/trial-7 new.csv
  nnc predict runs/apples-sweep-1 new.csv                            # the mean of the trials that `--keep` has kept")]
pub struct Sweep {
    /// The program.
    file: PathBuf,
    /// What is tried: NAME=VALUE,VALUE,… or NAME=FROM..TO [default: what the program's `sweep` says].
    #[arg(value_name = "NAME=VALUES")]
    axes: Vec<String>,
    /// So many combinations at random.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    trials: Option<u64>,
    /// Of `--trials`: another seed tries other values.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many values of a range are tried without `--trials` [default: 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=1000), conflicts_with = "trials")]
    points: Option<u64>,
    /// What trials are ordered by [default: the loss of the validation, or the loss].
    #[arg(long, value_name = "SCORE")]
    by: Option<String>,
    /// The greatest score is the best, not the least.
    #[arg(long)]
    greatest: bool,
    /// Keep the folders of so many best trials only [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    keep: Option<u64>,
    /// The folder of the sweep [default: runs/NAME-sweep-N].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Go on with a sweep that was broken off: trials that have ended are taken as they are, with the same table.
    #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// So many trials at a time [default: as many as there are processors].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Let trials that differ in numbers only take their steps together: the same but for rounding.
    #[arg(long)]
    together: bool,
    #[command(flatten)]
    data: DataFiles,
    /// How results are written.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

impl Sweep {
    pub fn carry_out(self) -> Result<(), Failure> {
        match ranks::join()? {
            Some(joined) => joined.clone().end(self.carry_out_here(Some(&joined))),
            None => self.carry_out_here(None),
        }
    }

    /// Carries out the share of this process in the sweep.
    fn carry_out_here(self, joined: Option<&Joined>) -> Result<(), Failure> {
        if self.together && joined.is_some() {
            return Err(Failure::Usage("`--together` is for one process: each of several takes single trials".into()));
        }
        let input = input::read(&self.file)?;
        let options = Options::new().name(input.name.clone()).folder(input.base.clone());
        let compiled = |text: &str| {
            Program::compile(text, &options, &mut |_, _| Vec::new()).and_then(|program| self.data.apply(&program))
        };
        let plan = Plan::new(sweep_of(&input.text, &compiled)?, &self.said())?;
        let combinations = &plan.combinations;
        let names: Vec<&str> = plan.names.iter().map(String::as_str).collect();
        let text = |values: &[String]| place::written(&input.text, &names, values);
        // What is wrong with all trials is told once, before anything is trained.
        let first = text(&combinations[0]).map_err(Failure::Usage)?;
        let program = compiled(&first)?;
        if program.checked().trainings().next().is_none() {
            return Err(Failure::Usage("the program has no `train`".into()));
        }
        together::read_data(&program);
        let is_first = joined.is_none_or(|joined| joined.rank == 0);
        let proposed = if is_first { self.place().propose()?.display().to_string() } else { String::new() };
        let what = format!("{names:?} {combinations:?}\n{}", input.text);
        let path = PathBuf::from(spread::agree(joined, &what, &proposed)?);
        let start = self.start(&path);
        let begin = |number: usize| -> Result<Begins, Diagnostics> {
            let text = text(&combinations[number]).unwrap_or_default();
            let trial = compiled(&text)?;
            trial.share_with(&program);
            start.of(number, trial, &text)
        };
        let carry_out = |number: usize| match begin(number)? {
            Begins::Ended(outcome) => Ok(outcome),
            Begins::Waits(one) => {
                let step = together::step_in_common(&program, &one.program);
                crew::carry_out(&one.program, one.folder.as_ref(), step)
            }
        };
        let trial = |number: usize| carry_out(number).map_err(Failed::from);
        let mut trials: Vec<Option<Trial>> = combinations.iter().map(|_| None).collect();
        let (count, mut done) = (combinations.len(), 0);
        // Many trials fail for one reason.
        let mut told: Vec<Vec<String>> = Vec::new();
        let here = joined.map_or(1, |joined| joined.here);
        let jobs = self.jobs.unwrap_or_else(|| (crew::usual() / here).max(1));
        let mut note = |number: usize, result: Result<Outcome, Failed>, others: &str| {
            done += 1;
            let outcome = result.map_err(|failed| {
                if is_first && !told.contains(&failed.messages) {
                    complain_rendered(&failed.shown);
                    told.push(failed.messages);
                }
                failed.code
            });
            let values = combinations[number].clone();
            let shown: Vec<String> = names.iter().zip(&values).map(|(name, value)| format!("{name} = {value}")).collect();
            if is_first {
                complain(&format!("{done} of {count}: trial {}, {}{others}", number + 1, shown.join(", ")));
            }
            trials[number] = Some(Trial { values, outcome });
            // Whoever breaks off keeps what is there. That nothing can be written is told at the end.
            let so_far: Vec<(usize, &Trial)> =
                trials.iter().enumerate().filter_map(|(at, trial)| Some((at, trial.as_ref()?))).collect();
            if is_first && let Ok(table) = results::table(&plan, &so_far) {
                drop(table.write(&path));
            }
        };
        if self.together {
            each_together(count, jobs, &begin, &mut note);
        } else {
            spread::each(joined, count, jobs, trial, |number, result| note(number, result, ""))?;
        }
        if !is_first {
            return Ok(());
        }
        let trials: Vec<(usize, &Trial)> =
            trials.iter().enumerate().filter_map(|(at, trial)| Some((at, trial.as_ref()?))).collect();
        results::finish(&self.file, &path, &plan, &trials, self.format)
    }

    fn place(&self) -> Place<'_> {
        Place { file: &self.file, out: self.out.as_deref(), resume: self.resume.as_deref(), word: "sweep", first: "trial-1" }
    }

    fn start<'a>(&'a self, path: &'a Path) -> Start<'a> {
        Start {
            path: Some(path),
            word: "trial",
            file: &self.file,
            data: &self.data.files,
            resumes: self.resume.is_some(),
            together: self.together,
        }
    }

    fn said(&self) -> Said<'_> {
        Said {
            axes: &self.axes,
            trials: self.trials,
            seed: self.seed,
            points: self.points,
            by: self.by.as_deref(),
            greatest: self.greatest,
            keep: self.keep,
        }
    }

}

/// The `sweep` of a program, which is compiled for it only if it has one.
fn sweep_of(
    text: &str,
    compiled: &dyn Fn(&str) -> Result<Program, Diagnostics>,
) -> Result<Option<program::Sweep>, Diagnostics> {
    let id = SourceMap::default().add("program", text);
    let (file, _) = syntax::parse(id, text);
    match file.sweep() {
        Some(_) => Ok(compiled(text)?.checked().sweep.clone()),
        None => Ok(None),
    }
}
