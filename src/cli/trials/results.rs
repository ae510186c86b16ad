//! What came out of a sweep: its table, its picture, and which trials are kept.

use std::path::Path;

use super::crew::{Outcome, value};
use super::picture::{self, Trials};
use super::plan::Plan;
use super::{Entry, Format, csv, members, show};
use crate::base::Diagnostic;
use crate::base::order::PutInOrder;
use crate::cli::output::complain;
use crate::cli::plot::svg;
use crate::cli::{Failure, folder};
use crate::runtime::world::native::write::write_atomically;

/// A trial: its values and how it came out.
pub struct Trial {
    pub values: Vec<String>,
    pub outcome: Result<Outcome, String>,
}

/// What came out so far.
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<Entry>>,
    /// The numbers of the trials, from 0, the best first.
    order: Vec<usize>,
    /// Their scores, in this order.
    scores: Vec<f64>,
    /// What they are ordered by.
    by: String,
}

/// The table of all trials.
pub const TABLE: &str = "sweep.csv";

impl Table {
    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        write(&path.join(TABLE), &csv(&self.header, &self.rows))
    }
}

/// Writes a file of the folder.
pub fn write(file: &Path, text: &str) -> Result<(), Failure> {
    write_atomically(file, &mut |out| out.write_all(text.as_bytes())).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", file.display());
        folder::failed(Diagnostic::error("E0714", message))
    })
}

/// The trials that have ended, each with its number from 0, the best first.
pub fn table(plan: &Plan, trials: &[(usize, &Trial)]) -> Result<Table, Failure> {
    let scores: Vec<Option<_>> =
        trials.iter().map(|(_, trial)| trial.outcome.as_ref().ok().and_then(Outcome::kept)).collect();
    let Some((_, known)) = scores.iter().flatten().next() else {
        return Err(Failure::Silent);
    };
    let has = |name: &str| value(known, name).is_some();
    let by = match &plan.by {
        Some(by) if has(by) => by.clone(),
        Some(by) => {
            let there: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Failure::Usage(format!("there is no score `{by}`; there are {}", there.join(", "))));
        }
        None if has("validation loss") => "validation loss".to_owned(),
        None => "loss".to_owned(),
    };
    let score = |number: usize| scores[number].and_then(|(_, scores)| value(scores, &by)).unwrap_or(f64::NAN);
    // Of equal scores that with the least loss is the better one.
    let loss_name = if has("validation loss") { "validation loss" } else { "loss" };
    let loss = |number: usize| scores[number].and_then(|(_, measures)| value(measures, loss_name)).unwrap_or(f64::NAN);
    let mut order: Vec<usize> = (0..trials.len()).collect();
    // What is no number comes last.
    order.put_in_order_by(|a, b| {
        let tie = loss(*a).total_cmp(&loss(*b));
        let (a, b) = (score(*a), score(*b));
        let ordered = if plan.greatest { b.total_cmp(&a) } else { a.total_cmp(&b) };
        a.is_nan().cmp(&b.is_nan()).then(ordered).then(tie)
    });
    let mut header = vec!["trial".to_owned()];
    header.extend(plan.names.iter().cloned());
    header.push("epoch".to_owned());
    header.extend(known.iter().map(|(name, _)| name.clone()));
    let row = |number: &usize| {
        let (named, trial) = trials[*number];
        let mut row = vec![Entry::Text((named + 1).to_string())];
        row.extend(trial.values.iter().cloned().map(Entry::Text));
        match (&scores[*number], &trial.outcome) {
            (Some((epoch, scores)), _) => {
                row.push(Entry::Number(*epoch as f64));
                row.extend(scores.iter().map(|(_, value)| Entry::Number(*value)));
            }
            (None, Err(code)) => row.push(Entry::Text(code.clone())),
            (None, Ok(_)) => {}
        }
        row.resize(header.len(), Entry::Nothing);
        row
    };
    let rows: Vec<Vec<Entry>> = order.iter().map(row).collect();
    let sorted = order.iter().map(|at| score(*at)).collect();
    let order = order.iter().map(|at| trials[*at].0).collect();
    Ok(Table { header, rows, order, scores: sorted, by })
}

/// Shows the trials, and forgets those that are not to be kept.
pub fn finish(
    file: &Path,
    path: &Path,
    plan: &Plan,
    trials: &[(usize, &Trial)],
    format: Format,
) -> Result<(), Failure> {
    let table = table(plan, trials)?;
    table.write(path)?;
    let Table { header, rows, order, scores, by } = table;
    let values = |number: &usize| trials.iter().find(|(at, _)| at == number).map(|(_, trial)| &*trial.values);
    let lines = order.iter().zip(&scores).filter_map(|(number, score)| Some((values(number)?, *score)));
    let title = format!("{}: {} trials by {by}, the best in orange", file.display(), trials.len());
    let names: Vec<&str> = plan.names.iter().map(String::as_str).collect();
    let drawing = picture::draw(&Trials { title: &title, names: &names, by: &by, rows: lines.collect() });
    write(&path.join("sweep.svg"), &svg(&drawing))?;
    // A trial that has no score has learnt nothing that could predict.
    let ended = order.iter().zip(&scores).filter(|(_, score)| !score.is_nan());
    let ended: Vec<String> = ended.map(|(number, _)| format!("trial-{}", number + 1)).collect();
    let kept = plan.keep.map_or(ended.len(), |keep| (keep as usize).min(ended.len()));
    members::write(path, &ended[..kept], plan.keep.map_or(1, |keep| keep as usize))?;
    if let Some(keep) = plan.keep {
        for number in order.iter().skip(keep as usize) {
            // A folder that stays costs room and nothing else.
            std::fs::remove_dir_all(path.join(format!("trial-{}", number + 1))).unwrap_or_default();
        }
    }
    show(&header, &rows, format);
    let best = path.join(format!("trial-{}", order[0] + 1));
    complain(&format!("kept in {}; the best by {by} is {}", path.display(), best.display()));
    Ok(())
}
