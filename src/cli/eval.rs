//! `nnc eval` and `nnc importance`: how good a trained model is on data, and what it looks at.

mod together;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, json};

use super::input::DataFiles;
use super::Failure;
use super::folder::{self, Model};
use super::judge::Judge;
use super::output::say;
use super::progress::Terminal;
use super::trials::members;
use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::ir::program::{Action, DataRef, Select, Train};
use crate::runtime::answers::trained::{Trained, Wish, shown};
use crate::runtime::array::Array;
use crate::runtime::data::{Rows, Table, data_name};
use crate::runtime::events::{Observer, Silent};
use crate::runtime::format::number_text;
use crate::runtime::permutation::split_rows;
use crate::runtime::program::Program;

/// What both commands are told.
#[derive(Args)]
pub struct Subject {
    /// The program, or a folder that `nnc run` has kept.
    model: PathBuf,
    /// A file with the fields of the data, also what is to be predicted [default: the `validate` of the program].
    input: Option<PathBuf>,
    /// The parameters: a file of `nnc run --save` [default: the best of the folder].
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    data: DataFiles,
    /// The model, if the loss calls several.
    #[arg(long = "model", value_name = "NAME")]
    name: Option<String>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::threads)]
    threads: Option<usize>,
}

/// Evaluate: losses and metrics, confusion matrix, precision and recall, calibration of a trained model.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc eval runs/penguins-1
  nnc eval runs/penguins-sweep-1                 # the mean of the trials that `--keep` has kept
  nnc eval penguins.nn --weights p.safetensors held-out.csv --json")]
pub struct Eval {
    #[command(flatten)]
    subject: Subject,
    /// Of a sweep: so many best trials are averaged [default: those that `--keep` has kept, else the best one].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "weights")]
    best: Option<u32>,
}

/// Which inputs matter: how much worse predictions get when the values of one are shuffled among the rows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc importance runs/penguins-1
  nnc importance penguins.nn --weights p.safetensors held-out.csv --repeats 10")]
pub struct Importance {
    #[command(flatten)]
    subject: Subject,
    /// How often each input is shuffled.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// The seed of the shuffles.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// A trained model, its data, and which rows of it are meant.
pub struct Judged {
    pub program: Program,
    pub trained: Trained,
    table: Arc<Table>,
    pub rows: Rows,
    data: DataRef,
    target: Arc<str>,
    /// How messages call the data.
    pub shown: String,
}

impl Subject {
    /// What the folder of a run keeps.
    pub fn of_run(folder: &Path) -> Subject {
        Subject {
            model: folder.to_path_buf(),
            input: None,
            weights: None,
            data: DataFiles::default(),
            name: None,
            json: false,
            threads: None,
        }
    }

    fn judged(&self) -> Result<Judged, Failure> {
        self.judged_by(1, true)
    }

    /// The same; so many rows are computed at once, and warnings are told or not.
    ///
    /// # Errors
    /// Those of reading the program, its parameters and its data, and if it has no one target.
    pub fn judged_by(&self, batch: usize, tells: bool) -> Result<Judged, Failure> {
        self.judged_as(batch, tells, false)
    }

    /// The same of another model.
    fn of_model(&self, model: &Path) -> Subject {
        Subject {
            model: model.to_path_buf(),
            input: self.input.clone(),
            weights: None,
            data: self.data.clone(),
            name: self.name.clone(),
            json: self.json,
            threads: self.threads,
        }
    }

    /// Numbers are in the units of the file, or in those of the field.
    fn judged_as(&self, batch: usize, tells: bool, in_units_of_file: bool) -> Result<Judged, Failure> {
        let Model { program, weights } = folder::model(&self.model, self.weights.as_deref(), &self.data)?;
        let mut terminal = Terminal::new(true, false, program.sources().clone());
        let observer: &mut dyn Observer = if tells { &mut terminal } else { &mut Silent };
        let validated = last_train(&program).and_then(|train| {
            let validate = train.validate.clone()?;
            Some((validate.clone(), validate.set != train.data.set))
        });
        // Another data set is read like a new file.
        let other = validated.as_ref().filter(|(_, is_other)| *is_other && self.input.is_none());
        let other =
            other.and_then(|(data, _)| program.checked().data.iter().find(|set| set.name == data.set));
        let other = other.map(|set| PathBuf::from(shown(&program, set)));
        let input = self.input.clone().or(other);
        let wish = Wish {
            weights: weights.as_deref(),
            model: self.name.as_deref(),
            input: input.as_deref(),
            with_targets: true,
            in_units_of_file,
            batch,
            threads: self.threads,
        };
        let mut trained = Trained::new(&program, &wish, observer)?;
        let failed = |error: Diagnostic| Failure::from(program.failed([error]));
        let table = trained.table().map_err(failed)?;
        let (set, part) = (trained.set.name.clone(), validated.and_then(|(data, _)| data.part));
        let part = part.filter(|_| input.is_none());
        let rows = table.rows_of(part.as_deref()).unwrap_or(Rows::All(table.rows));
        let target = trained.predictor.meaning.target.clone().ok_or_else(|| {
            let error =
                Diagnostic::error("E0771", "the loss does not say what the results are compared with");
            failed(error.help("evaluated is a model whose loss has one target: `mse(Net(x), y)`"))
        })?;
        let data = DataRef { set, part };
        let shown = input.map_or_else(|| data_name(&data), |path| path.display().to_string());
        Ok(Judged { program, trained, table, rows, data, target, shown })
    }
}

fn failed_in(program: &Program) -> impl Fn(Diagnostic) -> Failure + use<> {
    let program = program.clone();
    move |error| program.failed([error]).into()
}

fn last_train(program: &Program) -> Option<&Train> {
    let mut trains = program.checked().actions.iter().filter_map(|action| match action {
        Action::Train(train) => Some(&**train),
        _ => None,
    });
    trains.next_back()
}

impl Judged {
    /// All rows: the fields that the model reads, and what is true.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn fields(&mut self) -> Result<(Vec<Array>, Array), Diagnostic> {
        let rows: Vec<u32> = (0..self.rows.len()).map(|at| self.rows.get(at)).collect();
        let (trained, table) = (&mut self.trained, &self.table);
        let fields = trained.predictor.asked.fields.clone();
        let arrays = fields.iter().map(|field| trained.rows_of(table, field, &rows));
        let arrays = arrays.collect::<Result<Vec<Array>, Diagnostic>>()?;
        let truth = trained.rows_of(table, &self.target, &rows)?;
        Ok((arrays, truth))
    }

    /// The number of a row in the file, where rows may be left out.
    pub fn row_of_file(&self, row: usize) -> usize {
        let known = self.table.rows_of_file.as_ref().and_then(|rows| rows.get(row));
        known.map_or(row, |row| *row as usize)
    }

    fn judge(&mut self, fields: &[Array], truth: &Array) -> Result<Judge, Diagnostic> {
        self.judge_with_results(fields, truth).map(|(judge, _)| judge)
    }

    /// The same with what the model gives for each row.
    ///
    /// # Errors
    /// Those of its code.
    pub fn judge_with_results(
        &mut self,
        fields: &[Array],
        truth: &Array,
    ) -> Result<(Judge, Array), Diagnostic> {
        let Trained { session, predictor, .. } = &mut self.trained;
        let mut judge = Judge::new(predictor);
        let mut results = predictor.results(session, fields, truth.rows())?;
        judge.add(predictor, &results[0], truth);
        Ok((judge, results.swap_remove(0)))
    }

    /// How the elements of a field are called: after the columns that it is read from, if these are as many.
    fn elements(&self, field: &str, count: usize) -> Vec<String> {
        let columns = self.trained.set.columns.iter().filter(|column| &*column.field == field && !column.training_only);
        let names: Vec<String> = columns
            .flat_map(|column| match &column.select {
                Select::Named(names) => names.clone(),
                Select::Columns { from, to } => (*from..*to).map(|at| format!("column {at}")).collect(),
                _ => Vec::new(),
            })
            .collect();
        match (names.len() == count, count) {
            (true, _) => names,
            (false, 1) => vec![field.to_owned()],
            (false, _) => (0..count).map(|at| format!("{field}[{at}]")).collect(),
        }
    }
}

impl Eval {
    pub fn carry_out(mut self) -> Result<(), Failure> {
        let mut paths = members::of(&self.subject.model, self.best.map(|best| best as usize))?;
        if paths.len() > 1 {
            return together::carry_out(&self.subject, &paths);
        }
        self.subject.model = paths.remove(0);
        let mut judged = self.subject.judged()?;
        let program = judged.program.clone();
        let failed = |error: Diagnostic| Failure::from(program.failed([error]));
        let (fields, truth) = judged.fields().map_err(failed)?;
        let judge = judged.judge(&fields, &truth).map_err(failed)?;
        let scores = judged.trained.session.evaluate(&data_name(&judged.data))?;
        let predictor = &judged.trained.predictor;
        if self.subject.json {
            let metrics: Map<String, serde_json::Value> =
                scores.metrics.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
            let mut value = judge.json(predictor);
            value["loss"] = json!(scores.loss());
            value["metrics"] = json!(metrics);
            value["data"] = json!(judged.shown);
            say(&value.to_string());
            return Ok(());
        }
        say(&format!("{} rows of {}", judge.rows, judged.shown));
        say(&format!("loss {}", number_text(scores.loss())));
        for (name, value) in &scores.metrics {
            say(&format!("{name} {}", number_text(*value)));
        }
        for (name, value) in judge.summary() {
            if !scores.metrics.iter().any(|(known, _)| &**known == name) {
                say(&format!("{name} {}", number_text(value)));
            }
        }
        if !judge.confusion.is_empty() {
            say(&format!("\n{}", judge.matrix(predictor)));
        }
        if judge.has_probabilities() {
            say(&format!("\n{}", judge.calibration()));
        }
        Ok(())
    }
}

impl Importance {
    pub fn carry_out(self) -> Result<(), Failure> {
        let mut judged = self.subject.judged()?;
        let program = judged.program.clone();
        let failed = |error: Diagnostic| Failure::from(program.failed([error]));
        let (fields, truth) = judged.fields().map_err(failed)?;
        let before = judged.judge(&fields, &truth).map_err(failed)?.badness();
        let Some((measure, before)) = before else {
            return Err(failed(Diagnostic::error("E0771", "there is nothing to compare predictions with")));
        };
        let mut found: Vec<(String, f64)> = Vec::new();
        let names = judged.trained.predictor.asked.fields.clone();
        for (at, name) in names.iter().enumerate() {
            let count = fields[at].row_len();
            for (element, shown) in judged.elements(name, count).into_iter().enumerate() {
                let mut sum = 0.0;
                for repeat in 0..self.repeats {
                    let mut shuffled = fields.to_vec();
                    let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(repeat));
                    shuffled[at] = shuffle(&fields[at], element, seed);
                    let after = judged.judge(&shuffled, &truth).map_err(failed)?.badness();
                    sum += after.map_or(0.0, |(_, after)| after - before);
                }
                found.push((shown, sum / f64::from(self.repeats)));
            }
        }
        found.put_in_order_by(|a, b| b.1.total_cmp(&a.1));
        if self.subject.json {
            let inputs: Vec<_> =
                found.iter().map(|(name, by)| json!({ "input": name, "worse_by": by })).collect();
            say(&json!({ "measure": measure, "value": before, "data": judged.shown, "inputs": inputs })
                .to_string());
            return Ok(());
        }
        say(&format!("{measure} {} on {} rows of {}", number_text(before), truth.rows(), judged.shown));
        let width = found.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, by) in found {
            say(&format!("{name}{}  worse by {}", " ".repeat(width - name.chars().count()), number_text(by)));
        }
        Ok(())
    }
}

/// The array with one element of its rows in another order.
fn shuffle(array: &Array, element: usize, seed: u64) -> Array {
    let (rows, len) = (array.rows(), array.row_len());
    let order = split_rows(rows as u32, &[1.0], seed, false).into_iter().flatten();
    let mut shuffled = array.clone();
    for (to, from) in order.enumerate() {
        let at = from as usize * len + element;
        let part = array.elements().part(at..at + 1);
        shuffled.elements_mut().put(to * len + element, &part);
    }
    shuffled
}
