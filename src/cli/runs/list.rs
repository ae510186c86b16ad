//! `nnc runs`: the runs that were kept, compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::record::{is_abandoned, read_info};
use crate::base::order::PutInOrder;
use crate::base::{SourceMap, Span};
use crate::cli::Failure;
use crate::cli::output::say;
use crate::cli::sheet::{Cell, csv_line};
use crate::runtime::format::number_text;
use crate::syntax;

/// List the runs that were kept: results, metrics, and the settings in which they differ.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc runs
  nnc runs --sort 'validation loss'
  nnc runs experiments --format csv > runs.csv")]
pub struct Runs {
    /// Folders of runs, or folders with such folders in them.
    #[arg(default_value = "runs")]
    folders: Vec<PathBuf>,
    /// The column to sort by, the least first.
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// How to write them.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// A run as a row.
struct Row {
    folder: String,
    info: Map<String, Value>,
    settings: BTreeMap<String, String>,
}

impl Runs {
    pub fn carry_out(self) -> Result<(), Failure> {
        let mut rows: Vec<Row> =
            self.folders.iter().flat_map(|folder| found(folder)).filter_map(row).collect();
        if rows.is_empty() {
            let shown: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
            return Err(Failure::Usage(format!("there are no runs in {}", shown.join(", "))));
        }
        let differing = differing(&rows);
        let metrics = metrics(&rows);
        let mut names =
            vec!["run".to_owned(), "result".to_owned(), "epochs".to_owned(), "seconds".to_owned()];
        names.extend(metrics.iter().cloned());
        names.extend(differing.iter().cloned());
        if let Some(sort) = &self.sort {
            if !names.contains(sort) {
                return Err(Failure::Usage(format!(
                    "there is no column `{sort}`; there are {}",
                    names.join(", ")
                )));
            }
            rows.put_in_order_by(|a, b| compared(&value(a, sort), &value(b, sort)));
        }
        match self.format {
            Format::Json => {
                for row in &rows {
                    let object: Map<String, Value> =
                        names.iter().map(|name| (name.clone(), value(row, name))).collect();
                    say(&Value::Object(object).to_string());
                }
            }
            Format::Csv => {
                let header: Vec<Cell> = names.iter().cloned().map(Cell::Text).collect();
                say(&csv_line(&header, ','));
                for row in &rows {
                    let cells: Vec<Cell> =
                        names.iter().map(|name| Cell::Text(text(&value(row, name), false))).collect();
                    say(&csv_line(&cells, ','));
                }
            }
            Format::Table => table(&names, &rows),
        }
        Ok(())
    }
}

/// The folders of runs that a path means.
fn found(path: &Path) -> Vec<PathBuf> {
    if path.join("run.json").is_file() {
        return vec![path.to_path_buf()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("run.json").is_file()).collect();
    // `a-10` comes behind `a-9`.
    folders.put_in_order_by_key(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name.rsplit_once('-').and_then(|(stem, number)| Some((stem.to_owned(), number.parse().ok()?))) {
            Some((stem, number)) => (stem, number, name),
            None => (name.clone(), 0usize, name),
        }
    });
    folders
}

fn row(folder: PathBuf) -> Option<Row> {
    let mut info = read_info(&folder).ok()?;
    if info.get("result").and_then(Value::as_str) == Some("running") && is_abandoned(&folder) {
        info.insert("result".to_owned(), json!("killed"));
    }
    let text = std::fs::read_to_string(folder.join("program.nn")).unwrap_or_default();
    Some(Row { folder: folder.display().to_string(), info, settings: settings(&text) })
}

/// The settings of a program's trainings, as they are written.
fn settings(text: &str) -> BTreeMap<String, String> {
    let mut sources = SourceMap::default();
    let id = sources.add("program.nn", text);
    let (file, _) = syntax::parse(id, text);
    let mut found = BTreeMap::new();
    let written = |span: Span| text.get(span.start as usize..span.end as usize).unwrap_or_default();
    for (number, train) in file.trainings().into_iter().enumerate() {
        let of = |name: &str| if number == 0 { name.to_owned() } else { format!("{name} {}", number + 1) };
        for setting in &train.settings {
            found.insert(of(setting.name.as_str()), written(setting.value.span).to_owned());
        }
        for (line, minimize) in train.minimize.iter().enumerate() {
            let name = if line == 0 { "minimize".to_owned() } else { format!("minimize {}", line + 1) };
            found.insert(of(&name), written(minimize.span).to_owned());
        }
    }
    found
}

/// The settings that are not the same in all runs.
fn differing(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(|row| row.settings.keys().cloned()).collect();
    names.put_in_order();
    names.dedup();
    names.retain(|name| rows.iter().any(|row| row.settings.get(name) != rows[0].settings.get(name)));
    let seeds = rows.iter().any(|row| row.info.get("seed") != rows[0].info.get("seed"));
    if seeds && !names.iter().any(|name| name == "seed") {
        names.push("seed".to_owned());
    }
    names
}

/// The metrics that some run has, losses first.
fn metrics(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let last = row.info.get("last").and_then(Value::as_object);
        for name in last.into_iter().flat_map(Map::keys) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names.put_in_order_by_key(|name| (!name.ends_with("loss"), name.clone()));
    names
}

fn value(row: &Row, name: &str) -> Value {
    match name {
        "run" => json!(row.folder),
        "result" | "epochs" | "seconds" => row.info.get(name).cloned().unwrap_or(Value::Null),
        _ => {
            let metric = row.info.get("last").and_then(|last| last.get(name)).cloned();
            let setting = || row.settings.get(name).map(|text| json!(text));
            metric.or_else(setting).or_else(|| row.info.get(name).cloned()).unwrap_or(Value::Null)
        }
    }
}

fn text(value: &Value, is_short: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if is_short => number.as_f64().map_or(number.to_string(), number_text),
        other => other.to_string(),
    }
}

fn compared(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => text(a, false).cmp(&text(b, false)),
    }
}

/// Columns under each other, numbers to the right.
fn table(names: &[String], rows: &[Row]) {
    let mut lines: Vec<Vec<String>> = vec![names.to_vec()];
    lines.extend(rows.iter().map(|row| names.iter().map(|name| text(&value(row, name), true)).collect()));
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let is_number: Vec<bool> =
        names.iter().map(|name| rows.iter().all(|row| !value(row, name).is_string())).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).zip(&is_number).map(|((cell, width), is_number)| {
            let blanks = " ".repeat(width - cell.chars().count());
            if *is_number { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        });
        say(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
