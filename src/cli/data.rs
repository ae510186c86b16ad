//! `nnc data`: what the data sets of a program hold, before anything is trained on them.

use std::path::PathBuf;

use clap::Args;

use super::input::DataFiles;
use super::columns::{Column, Profile, profile, values_text};
use super::output::say;
use super::{Failure, folder, numbers, oddities, report};
use crate::ir::program::{DataSet, Source};
use crate::runtime::data::read::resolve;
use crate::runtime::format::number_text;
use crate::runtime::program::Program;

/// Show the data of a program: rows, columns, missing values, classes, and what looks odd.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc data penguins.nn")]
pub struct Data {
    /// The program; `-` for standard input.
    file: PathBuf,
    #[command(flatten)]
    data: DataFiles,
}

impl Data {
    pub fn carry_out(self) -> Result<(), Failure> {
        let program = folder::model(&self.file, None, &self.data)?.program;
        if program.checked().data.is_empty() {
            return Err(Failure::Usage("the program has no `data`".into()));
        }
        let mut failed = false;
        for (number, set) in program.checked().data.iter().enumerate() {
            if number > 0 {
                say("");
            }
            failed |= show(&program, set)?;
        }
        if failed { Err(Failure::Silent) } else { Ok(()) }
    }
}

/// Shows a data set; whether it cannot be loaded.
fn show(program: &Program, set: &DataSet) -> Result<bool, Failure> {
    say(&format!("data {}", set.name));
    if let Source::Csv { path, format, .. } = &set.source {
        let path = resolve(program.base(), path);
        let found = profile(&path, *format, &mut |_| {}).map_err(|error| program.failed([error]))?;
        table(&found);
        for oddity in oddities::of(program, set, &path, *format, &found).map_err(|error| program.failed([error]))? {
            say(&format!("  odd: {oddity}"));
        }
    }
    let loaded = program.session()?.describe(&set.name);
    match loaded {
        Ok(description) => {
            let parts: Vec<String> = description
                .parts
                .iter()
                .map(|(name, rows)| format!("{name} {}", numbers::count(*rows as u64)))
                .collect();
            let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            say(&format!("  fields of {} rows{parts}", numbers::count(description.rows as u64)));
            for field in &description.fields {
                say(&format!("    {}", field));
            }
            Ok(false)
        }
        Err(errors) => {
            report(&errors);
            Ok(true)
        }
    }
}

fn table(profile: &Profile) {
    let header = if profile.has_header { "" } else { ", no names of columns" };
    let (rows, columns) = (numbers::count(profile.rows as u64), profile.columns.len());
    say(&format!("  {rows} rows, {columns} columns{header}"));
    let width = profile.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    for (at, column) in profile.columns.iter().enumerate() {
        let blanks = " ".repeat(width - column.name.chars().count());
        let first: Vec<&str> =
            profile.first.iter().filter_map(|row| row.get(at).map(String::as_str)).collect();
        say(&format!("    {}{blanks}  {}; first {}", column.name, describe(column), first.join(", ")));
    }
}

fn describe(column: &Column) -> String {
    let mut text = if column.holds_numbers() {
        let kind = if column.is_whole { "whole numbers" } else { "numbers" };
        let (least, greatest) = (number_text(column.least), number_text(column.greatest));
        format!("{kind} from {least} to {greatest}, mean {}", number_text(column.mean()))
    } else if let [order, ..] = column.date_orders().as_slice() {
        format!("dates, written {order}")
    } else if column.holds_names() && column.values.len() <= 12 {
        values_text(column, 12)
    } else if column.holds_names() {
        format!("{} names: {}", column.values.len(), values_text(column, 3))
    } else {
        String::new()
    };
    if column.missing > 0 {
        text.push_str(&format!("; {} missing", column.missing));
    }
    if let Some(oddity) = column.oddity() {
        text.push_str(&format!("; odd: it {oddity}"));
    }
    text.trim_start_matches("; ").to_owned()
}
