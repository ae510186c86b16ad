//! Many trainings of one program: `nnc cv` goes through folds, `nnc sweep` through settings.
//!
//! | file | does |
//! |---|---|
//! | [`cv`] | cross-validation |
//! | `fold_text` | which fold is held out, as the text of a program |
//! | [`sweep`] | settings that are tried |
//! | [`space`] | which values: lists and ranges |
//! | [`plan`] | what the program and the command line say of them |
//! | [`place`] | where in the text of a program a value stands |
//! | [`crew`] | carries trials out, several at a time |
//! | [`spread`] | the same with several processes |
//! | `begin` | where trials have their folders |
//! | `groups` | trials that are trained together |
//! | `again` | what a sweep that was broken off has left |
//! | [`members`] | which trials predict together, and how |
//! | [`results`] | the table of trials, and what is kept of them |
//! | `picture` | trials as parallel coordinates |

mod again;
mod begin;
pub mod crew;
pub mod cv;
mod fold_text;
mod groups;
mod picture;
pub mod members;
pub mod place;
pub mod plan;
pub mod results;
pub mod space;
pub mod spread;
pub mod sweep;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::output::say;
use super::sheet::{Cell, csv_line};
use crate::runtime::format::number_text;

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

/// What stands in a cell of a table of trials.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    Number(f64),
    Text(String),
    Nothing,
}

impl Entry {
    fn text(&self, is_short: bool) -> String {
        match self {
            Entry::Number(number) if is_short => number_text(*number),
            Entry::Number(number) => number.to_string(),
            Entry::Text(text) => text.clone(),
            Entry::Nothing => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Entry::Number(number) => json!(number),
            Entry::Text(text) => json!(text),
            Entry::Nothing => Value::Null,
        }
    }
}

/// A table of trials as csv.
pub fn csv(names: &[String], rows: &[Vec<Entry>]) -> String {
    let line = |cells: Vec<String>| {
        let cells: Vec<Cell> = cells.into_iter().map(Cell::Text).collect();
        csv_line(&cells, ',') + "\n"
    };
    let rows = rows.iter().map(|row| line(row.iter().map(|entry| entry.text(false)).collect()));
    std::iter::once(line(names.to_vec())).chain(rows).collect()
}

/// Writes a table of trials to standard output.
pub fn show(names: &[String], rows: &[Vec<Entry>], format: Format) {
    match format {
        Format::Csv => csv(names, rows).lines().for_each(say),
        Format::Json => {
            for row in rows {
                let pairs = names.iter().cloned().zip(row.iter().map(Entry::json));
                say(&Value::Object(pairs.collect::<Map<String, Value>>()).to_string());
            }
        }
        Format::Table => {
            let mut lines = vec![names.to_vec()];
            lines.extend(rows.iter().map(|row| row.iter().map(|entry| entry.text(true)).collect()));
            let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..names.len()).map(width).collect();
            for line in &lines {
                let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
                say(padded.collect::<Vec<_>>().join("  ").trim_end());
            }
        }
    }
}
