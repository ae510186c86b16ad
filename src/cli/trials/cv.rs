//! `nnc cv`: a training for each fold of its data, validated on the rows that it did not see.

use std::path::{Path, PathBuf};

use clap::Args;

use super::crew::{self, Failed, Outcome};
use super::begin::{Begins, Place, Start, each_together};
use super::{Entry, Format, csv, fold_text, members, results, show, spread};
use crate::base::Diagnostic;
use crate::cli::output::{complain, complain_rendered};
use crate::cli::ranks::{self, Joined};
use crate::cli::settings::{Settings, has_train};
use crate::cli::input::DataFiles;
use crate::cli::runs::record::trains_on_files;
use crate::cli::{Failure, input, report};
use crate::runtime::options::Options;
use crate::runtime::program::{Diagnostics, Program};

/// Cross-validate: train once for each fold of the data, and validate on the rows that were held out.
#[derive(Args)]
#[command(after_help = "\
The training learns from one part of its data and validates on the other: `data = d.train`, `validate = d.test`. These
two parts become the folds; `stratify` and `group` of the `split` say how rows are dealt out. Scores are those after the
last epoch. The last two rows are the mean over the folds and the standard deviation between them.

Each fold has its folder in `runs/NAME-cv-N`, a run like any other, and `folds.csv` has the table. `nnc predict` of that
folder gives the mean of what the models of all folds say.

Examples:
  nnc cv apples.nn
  nnc cv apples.nn --folds 10 --set train.epochs=30
  nnc cv apples.nn --format csv > folds.csv
  nnc predict runs/apples-cv-1 new.csv           # the mean of five models
  nnc cv apples.nn --resume runs/apples-cv-1     # after it was broken off")]
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
    /// The folder of the folds [default: runs/NAME-cv-N].
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_save")]
    out: Option<PathBuf>,
    /// Keep no folders.
    #[arg(long)]
    no_save: bool,
    /// Go on with a cross-validation that was broken off: folds that have ended are taken as they are.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["out", "no_save"])]
    resume: Option<PathBuf>,
    /// Let folds of equal size take their steps together: the same but for rounding.
    #[arg(long)]
    together: bool,
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
        let settings = self.settings()?;
        if self.together && joined.is_some() {
            return Err(Failure::Usage("`--together` is for one process: each of several takes single folds".into()));
        }
        let input = input::read(&self.file)?;
        let options = Options::new().name(input.name.clone()).folder(input.base.clone());
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
        let written = settings.written_into(&input.text);
        let text = |fold: usize| fold_text::written(&written, &program, count, fold);
        let compiled = |text: &str| {
            Program::compile(text, &options, &mut |_, _| Vec::new()).and_then(|program| self.data.apply(&program))
        };
        let is_first = joined.is_none_or(|joined| joined.rank == 0);
        let is_kept = self.is_kept(&program, text(0).is_some_and(|text| compiled(&text).is_ok()))?;
        let proposed = if is_kept && is_first { self.place().propose()?.display().to_string() } else { String::new() };
        let what = format!("{count} folds {:?}\n{}", self.settings, input.text);
        let path = PathBuf::from(spread::agree(joined, &what, &proposed)?);
        let start = self.start(is_kept.then_some(&*path));
        // What is kept is what stands in the program of its folder.
        let begin = |fold: usize| -> Result<Begins, Diagnostics> {
            match text(fold).filter(|_| is_kept) {
                Some(text) => {
                    let of_fold = compiled(&text)?;
                    of_fold.share_with(&program);
                    start.of(fold, of_fold, &text)
                }
                None => {
                    let program = program.with_fold(count, fold).map_err(|error| program.failed([error]))?;
                    start.of(fold, program, "")
                }
            }
        };
        let carry_out = |fold: usize| match begin(fold)? {
            Begins::Ended(outcome) => Ok(outcome),
            Begins::Waits(one) => crew::carry_out(&one.program, one.folder.as_ref(), None),
        };
        let trial = |fold: usize| carry_out(fold).map_err(Failed::from);
        let mut outcomes: Vec<Outcome> = vec![Outcome::default(); count];
        let mut failed = None;
        let here = joined.map_or(1, |joined| joined.here);
        let jobs = self.jobs.unwrap_or_else(|| (crew::usual() / here).max(1));
        let mut note = |fold: usize, result: Result<Outcome, Failed>, others: &str| match result {
            Ok(outcome) => {
                if is_first {
                    complain(&format!("fold {} of {count} is done{others}", fold + 1));
                }
                outcomes[fold] = outcome;
            }
            Err(error) => failed = failed.take().or(Some(error)),
        };
        if self.together {
            each_together(count, jobs, &begin, &mut note);
        } else {
            spread::each(joined, count, jobs, trial, |fold, result| note(fold, result, ""))?;
        }
        if let Some(error) = failed {
            complain_rendered(&error.shown);
            return Err(Failure::Silent);
        }
        self.finish((is_kept && is_first).then_some(&path), &outcomes)
    }

    /// Shows the folds, and writes what the folder around them has.
    fn finish(&self, path: Option<&PathBuf>, outcomes: &[Outcome]) -> Result<(), Failure> {
        let (names, rows) = table(outcomes);
        let Some(path) = path else {
            show(&names, &rows, self.format);
            return Ok(());
        };
        results::write(&path.join(TABLE), &csv(&names, &rows))?;
        let folders: Vec<String> = (1..=outcomes.len()).map(|fold| format!("fold-{fold}")).collect();
        members::write(path, &folders, folders.len())?;
        show(&names, &rows, self.format);
        complain(&format!("kept in {}", path.display()));
        Ok(())
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::default();
        for text in &self.settings {
            settings.set(text).map_err(Failure::Usage)?;
        }
        Ok(settings)
    }

    fn start<'a>(&'a self, path: Option<&'a Path>) -> Start<'a> {
        Start {
            path,
            word: "fold",
            file: &self.file,
            data: &self.data.files,
            resumes: self.resume.is_some(),
            together: self.together,
        }
    }

    /// Whether folders are kept, as those of a run are: if the program learns from a file. That it cannot be said in
    /// the text of the program which fold is held out, is told.
    fn is_kept(&self, program: &Program, can_be_written: bool) -> Result<bool, Failure> {
        let is_asked = self.out.is_some() || self.resume.is_some();
        if self.no_save || !(is_asked || trains_on_files(program)) {
            return Ok(false);
        }
        if !can_be_written {
            let message = "no folders of the folds are kept: the `split` of the data cannot be written anew";
            let warning = Diagnostic::warning("W0720", message);
            let help = "the two parts of the data are called `train` and `test`, in the file of the program";
            report(&program.failed([warning.help(help)]));
        }
        Ok(can_be_written)
    }

    fn place(&self) -> Place<'_> {
        Place { file: &self.file, out: self.out.as_deref(), resume: self.resume.as_deref(), word: "cv", first: "fold-1" }
    }
}

/// The table of all folds, with their mean and deviation.
const TABLE: &str = "folds.csv";

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
