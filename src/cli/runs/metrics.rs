//! `metrics.csv` of a run: a row an epoch, written as the epochs come.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::cli::sheet::{Cell, csv_line};
use crate::runtime::events::{EpochReport, Scores};

/// The columns that say where the training is; the others are numbers that do not depend on the time.
const PLACES: [&str; 3] = ["epoch", "step", "seconds"];

/// An open file of rows.
pub struct Metrics {
    out: BufWriter<File>,
    has_header: bool,
}

impl Metrics {
    /// Begins a file, or goes on with one: rows behind `step` are forgotten.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: &Path, step: u64) -> io::Result<Metrics> {
        let old = if step > 0 { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
        let mut lines = old.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let header = lines.next();
        let is_kept = |line: &&str| {
            line.split(',').nth(1).and_then(|it| it.parse().ok()).is_some_and(|it: u64| it <= step)
        };
        let mut out = BufWriter::new(File::create(path)?);
        for line in header.into_iter().chain(lines.filter(is_kept)) {
            out.write_all(line.as_bytes())?;
        }
        out.flush()?;
        Ok(Metrics { out, has_header: header.is_some() })
    }

    /// Adds an epoch.
    ///
    /// # Errors
    /// Those of the system.
    pub fn add(&mut self, report: &EpochReport, seconds: f64) -> io::Result<()> {
        let with_header = !std::mem::replace(&mut self.has_header, true);
        self.out.write_all(text_of(report, seconds, with_header).as_bytes())
    }

    /// The lines of an epoch, without the time.
    pub fn lines(report: &EpochReport, with_header: bool) -> String {
        text_of(report, 0.0, with_header)
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    /// Those of the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn text_of(report: &EpochReport, seconds: f64, with_header: bool) -> String {
    let values = values(report);
    let mut text = String::new();
    if with_header {
        let names = PLACES.iter().map(|name| (*name).to_owned()).chain(values.iter().map(|it| it.0.clone()));
        let names: Vec<Cell> = names.map(Cell::Text).collect();
        text.push_str(&csv_line(&names, ','));
        text.push('\n');
    }
    text.push_str(&format!("{},{},{seconds:.3}", report.epoch, report.step));
    values.iter().for_each(|(_, value)| text.push_str(&format!(",{value}")));
    text.push('\n');
    text
}

/// The numbers of an epoch by name: `loss`, `accuracy`, `validation loss`, ….
pub fn values(report: &EpochReport) -> Vec<(String, f64)> {
    let mut values = Vec::new();
    let mut add = |before: &str, scores: &Scores| {
        values.push((format!("{before}loss"), scores.loss()));
        if scores.losses.len() > 1 {
            for (number, loss) in scores.losses.iter().enumerate() {
                values.push((format!("{before}loss {}", number + 1), *loss));
            }
        }
        values.extend(scores.metrics.iter().map(|(name, value)| (format!("{before}{name}"), *value)));
    };
    add("", &report.train);
    if let Some(validation) = &report.validation {
        add("validation ", validation);
    }
    values
}

/// The rows of such a file without the time that they took.
pub fn timeless(text: &str) -> Vec<String> {
    let without = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if cells.len() > 2 {
            cells.remove(2);
        }
        cells.join(",")
    };
    text.lines().map(without).collect()
}
