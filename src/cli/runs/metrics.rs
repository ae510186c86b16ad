//! `metrics.csv` of a run: a row an epoch, written as the epochs come.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::cli::sheet::{Cell, csv_line};
use crate::runtime::events::{EpochReport, Scores};

/// The columns that say where the training is; the others are numbers that do not depend on the time.
const PLACES: [&str; 3] = ["epoch", "step", "seconds"];

/// An open file of rows.
pub struct Metrics {
    out: BufWriter<File>,
    has_header: bool,
    /// The last row of a training that is gone on with: its epoch, and where the row begins. An epoch that was
    /// broken off has a row, and gets another when it is complete.
    last: Option<(u64, u64)>,
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
            line.split(',').nth(1).and_then(|word| word.parse().ok()).is_some_and(|done: u64| done <= step)
        };
        let mut out = BufWriter::new(File::create(path)?);
        let (mut length, mut last) = (0, None);
        for line in header.into_iter().chain(lines.filter(is_kept)) {
            out.write_all(line.as_bytes())?;
            let epoch = line.split(',').next().and_then(|number| number.parse().ok());
            last = epoch.map(|epoch| (epoch, length));
            length += line.len() as u64;
        }
        out.flush()?;
        Ok(Metrics { out, has_header: header.is_some(), last })
    }

    /// Adds an epoch.
    ///
    /// # Errors
    /// Those of the system.
    pub fn add(&mut self, report: &EpochReport, seconds: f64) -> io::Result<()> {
        if let Some((epoch, start)) = self.last.take()
            && epoch == report.epoch
        {
            self.out.flush()?;
            self.out.get_mut().set_len(start)?;
            self.out.seek(SeekFrom::Start(start))?;
        }
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
        let names = PLACES.iter().map(|name| (*name).to_owned()).chain(values.iter().map(|value| value.0.clone()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(epoch: u64, step: u64, loss: f64) -> EpochReport {
        EpochReport {
            epoch,
            every: None,
            epochs: 9,
            step,
            steps: 90,
            train: Scores { losses: vec![loss], metrics: Vec::new() },
            validation: None,
            seconds: 0.0,
            examples_per_second: 0.0,
        }
    }

    /// Broken off within an epoch and gone on with, a training has one row of it.
    #[test]
    fn an_epoch_has_one_row() {
        let path = std::env::temp_dir().join(format!("nnc-metrics-{}.csv", std::process::id()));
        let write = |step, reports: &[EpochReport]| {
            let mut metrics = Metrics::open(&path, step).unwrap();
            reports.iter().for_each(|report| metrics.add(report, 0.5).unwrap());
            metrics.flush().unwrap();
            std::fs::read_to_string(&path).unwrap()
        };
        let all = [report(1, 10, 4.0), report(2, 20, 2.0), report(3, 30, 1.0)];
        let whole = write(0, &all);
        assert_eq!(whole.lines().count(), 4);
        // Ended at step 13 by somebody, and within epoch 3 by a crash that wrote half a row.
        write(0, &[report(1, 10, 4.0), report(2, 13, 2.5)]);
        assert_eq!(write(13, &all[1..]), whole);
        std::fs::write(&path, format!("{whole}4,3")).unwrap();
        assert_eq!(write(20, &all[2..]), whole);
        std::fs::remove_file(path).unwrap();
    }
}
