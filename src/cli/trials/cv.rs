//! `nnc cv`: a training for each fold of its data, validated on the rows that it did not see.

use std::path::PathBuf;

use clap::Args;

use super::crew::{self, Failed, Outcome};
use super::{Entry, Format, show, spread};
use crate::cli::output::{complain, complain_rendered};
use crate::cli::ranks::{self, Joined};
use crate::cli::settings::{Settings, has_train};
use crate::cli::input::DataFiles;
use crate::cli::{Failure, input};
use crate::runtime::options::Options;
use crate::runtime::program::Program;

/// Cross-validate: train once for each fold of the data, and validate on the rows that were held out.
#[derive(Args)]
#[command(after_help = "\
The training learns from one part of its data and validates on the other: `data = d.train`, `validate = d.test`. These
two parts become the folds; `stratify` and `group` of the `split` say how rows are dealt out. Scores are those after the
last epoch. The last two rows are the mean over the folds and the standard deviation between them.

Examples:
  nnc cv apples.nn
  nnc cv apples.nn --folds 10 --set train.epochs=30
  nnc cv apples.nn --format csv > folds.csv")]
pub struct Cv {
    /// The program.
    file: PathBuf,
    /// How many folds [default: those of the program's `split folds = …`, else 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    folds: Option<u32>,
    /// Set a line of the train block: train.key=value.
    #[arg(long = "set", value_name = "TRAIN.KEY=VALUE")]
    settings: Vec<String>,
    /// So many folds at a time [default: as many as there are processors].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    data: DataFiles,
    /// How results are written.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

impl Cv {
    pub fn carry_out(self) -> Result<(), Failure> {
        match ranks::join()? {
            Some(joined) => joined.clone().end(self.carry_out_here(Some(&joined))),
            None => self.carry_out_here(None),
        }
    }

    /// Carries out the share of this process in the folds.
    fn carry_out_here(self, joined: Option<&Joined>) -> Result<(), Failure> {
        let mut settings = Settings::default();
        for text in &self.settings {
            settings.set(text).map_err(Failure::Usage)?;
        }
        let input = input::read(&self.file)?;
        let options = Options::new().name(input.name).folder(input.base);
        let mut lacks_train = false;
        let program = Program::compile(&input.text, &options, &mut |sources, file| {
            lacks_train = !has_train(file);
            settings.apply(sources, file)
        })?;
        let program = self.data.apply(&program)?;
        if lacks_train {
            return Err(Failure::Usage("the program has no `train`".into()));
        }
        let count = self.folds.map(|folds| folds as usize).or(program.folds()).unwrap_or(5);
        // What is wrong with all folds is told once.
        program.with_fold(count, 0).map_err(|error| program.failed([error]))?;
        let mut outcomes: Vec<Outcome> = vec![Outcome::default(); count];
        let mut failed = None;
        let carry_out = |fold: usize| {
            let program = program.with_fold(count, fold).map_err(|error| program.failed([error]))?;
            crew::carry_out(&program, None, None)
        };
        let trial = |fold: usize| carry_out(fold).map_err(Failed::from);
        let what = format!("{count} folds {:?}\n{}", self.settings, input.text);
        spread::agree(joined, &what, "")?;
        let here = joined.map_or(1, |joined| joined.here);
        let jobs = self.jobs.unwrap_or_else(|| (crew::usual() / here).max(1));
        spread::each(joined, count, jobs, trial, |fold, result| match result {
            Ok(outcome) => {
                if joined.is_none_or(|joined| joined.rank == 0) {
                    complain(&format!("fold {} of {count} is done", fold + 1));
                }
                outcomes[fold] = outcome;
            }
            Err(error) => failed = failed.take().or(Some(error)),
        })?;
        if let Some(error) = failed {
            complain_rendered(&error.shown);
            return Err(Failure::Silent);
        }
        let (names, rows) = table(&outcomes);
        show(&names, &rows, self.format);
        Ok(())
    }
}

/// A row for each fold, their mean and their standard deviation.
fn table(outcomes: &[Outcome]) -> (Vec<String>, Vec<Vec<Entry>>) {
    let scores: Vec<_> = outcomes.iter().filter_map(Outcome::last).collect();
    let columns: Vec<String> =
        scores.first().map(|first| first.iter().map(|(name, _)| name.clone()).collect()).unwrap_or_default();
    let mut names = vec!["fold".to_owned(), "epochs".to_owned()];
    names.extend(columns.iter().cloned());
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    for (fold, outcome) in outcomes.iter().enumerate() {
        let Some(last) = outcome.last() else { continue };
        let mut row = vec![Entry::Text((fold + 1).to_string()), Entry::Number(outcome.epochs.len() as f64)];
        row.extend(last.iter().map(|(_, value)| Entry::Number(*value)));
        rows.push(row);
    }
    let column = |name: &str| -> Vec<f64> { scores.iter().filter_map(|score| crew::value(score, name)).collect() };
    for (word, statistic) in [("mean", mean as fn(&[f64]) -> f64), ("deviation", deviation)] {
        let mut row = vec![Entry::Text(word.to_owned()), Entry::Nothing];
        row.extend(columns.iter().map(|name| Entry::Number(statistic(&column(name)))));
        rows.push(row);
    }
    (names, rows)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Of a sample: divided by one less than there are.
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len().saturating_sub(1).max(1) as f64).sqrt()
}
