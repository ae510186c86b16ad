//! What a sweep that was broken off has left: trials that have ended are read, the others begin anew.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::crew::{Outcome, Scores};
use crate::base::Diagnostic;
use crate::cli::runs::record::{self, Begun};

/// Columns of `metrics.csv` that are no scores: epoch, step and seconds.
const PLACES: usize = 3;

/// How a trial came out that has ended in an earlier sweep. What was broken off is removed.
///
/// # Errors
/// E0776 if the folder is of another trial, if somebody is at work in it, or if it is damaged.
pub fn earlier(folder: &Path, begun: &Begun<'_>) -> Result<Option<Outcome>, Diagnostic> {
    if !folder.exists() {
        return Ok(None);
    }
    let refuse = |why: &str| {
        let message = format!("`{}` {why}", folder.display());
        Err(Diagnostic::error("E0776", message).help("without `--resume` and in another folder all trials are carried out"))
    };
    if !record::is_abandoned(folder) {
        return refuse("is in use by another process");
    }
    // Broken off before it said what it is.
    if folder.join("program.nn").exists() && folder.join("run.json").exists() {
        if let Some(what) = record::difference(folder, begun)? {
            return refuse(&format!("is of another trial: {what} is not the same"));
        }
        if record::read_info(folder)?.get("result").and_then(Value::as_str) == Some("finished") {
            let text = fs::read_to_string(folder.join("metrics.csv")).unwrap_or_default();
            return match outcome(&text) {
                Some(outcome) => Ok(Some(outcome)),
                None => refuse("has a damaged metrics.csv"),
            };
        }
    }
    fs::remove_dir_all(folder).map_err(|error| {
        Diagnostic::error("E0714", format!("cannot remove `{}`: {error}", folder.display()))
    })?;
    Ok(None)
}

/// The numbers of each epoch out of `metrics.csv`.
fn outcome(text: &str) -> Option<Outcome> {
    let mut lines = text.lines();
    let names = scores_of(lines.next()?)?;
    let epoch = |line: &str| -> Option<Scores> {
        let values = scores_of(line)?;
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
        let numbers = numbers.filter(|numbers| numbers.len() == names.len())?;
        Some(names.iter().cloned().zip(numbers).collect())
    };
    let epochs: Vec<Scores> = lines.map(epoch).collect::<Option<_>>()?;
    Some(Outcome { epochs })
}

/// The cells of a line behind the places of the epoch.
fn scores_of(line: &str) -> Option<Vec<String>> {
    let mut cells = cells(line);
    (cells.len() >= PLACES).then(|| cells.split_off(PLACES))
}

/// The cells of a line of csv, without their quotes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut is_quoted, mut before) = (false, ' ');
    for c in line.chars() {
        match (c, cells.last_mut()) {
            ('"', Some(cell)) => {
                is_quoted = !is_quoted;
                if is_quoted && before == '"' {
                    cell.push('"');
                }
            }
            (',', _) if !is_quoted => cells.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
        before = c;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_were_written() {
        let text = "epoch,step,seconds,loss,\"a, \"\"b\"\"\"\n1,10,0.5,0.1,NaN\n2,20,0.7,1e-7,3\n";
        let read = outcome(text).unwrap();
        assert_eq!(read.epochs[1], [("loss".to_owned(), 1e-7), ("a, \"b\"".to_owned(), 3.0)]);
        assert!(read.epochs[0][1].1.is_nan());
        for damaged in ["", "epoch,step,seconds,loss\n1,10,0.5", "epoch,step,seconds,loss\n1,10,0.5,x"] {
            assert!(outcome(damaged).is_none(), "{damaged}");
        }
    }
}
