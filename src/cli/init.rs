//! `nnc init`: a program for a csv file, to begin with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::columns::{Column, Profile, profile, values_text};
use super::output::{complain, put, say};
use super::{Failure, folder, report};
use crate::base::{Diagnostic, SourceMap, nearest};
use crate::runtime::world::native::write::write_atomically;
use crate::runtime::format::number_text;
use crate::runtime::program::Diagnostics;
use crate::runtime::sources::csv::Options;
use crate::syntax::tokens;

/// Names with more values than these are left out.
const MOST_CLASSES: usize = 50;
/// A number with at most so many whole values may be a class.
const FEW: usize = 10;

/// Write a program for a csv file: its columns as fields, a small network, a training, with comments.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc init penguins.csv                    writes penguins.nn, which predicts the last column
  nnc init houses.csv --target price -o price.nn")]
pub struct Init {
    /// The csv file.
    data: PathBuf,
    /// The column that is to be predicted [default: the last].
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Where the program goes [default: beside the data, `-` for standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands between the fields of a line.
    #[arg(long, value_name = "CHARACTER", default_value = ",")]
    separator: char,
}

impl Init {
    pub fn carry_out(self) -> Result<(), Failure> {
        let path = self.output.clone().unwrap_or_else(|| self.data.with_extension("nn"));
        if path != Path::new("-") && path.exists() {
            return Err(Failure::Usage(format!(
                "`{}` is there already: name another with `-o`",
                path.display()
            )));
        }
        let mut warnings = Vec::new();
        let options = Options { separator: self.separator, ..Options::default() };
        let profile =
            profile(&self.data, options, &mut |warning| warnings.push(warning)).map_err(folder::failed)?;
        if !warnings.is_empty() {
            report(&Diagnostics { list: warnings, sources: SourceMap::default() });
        }
        if profile.columns.is_empty() {
            let message = format!("`{}` has no rows below its first line", self.data.display());
            return Err(folder::failed(Diagnostic::error("E0710", message)));
        }
        let target = self.target_of(&profile)?;
        let plan = Plan::new(&self, &profile, target, &path);
        if plan.numbers.is_empty() && plan.classes.is_empty() {
            let message = format!("`{}` has no column to predict from", self.data.display());
            let reasons = plan.left_out.iter().map(|(at, why)| format!("`{}` {why}", plan.column(*at).name));
            let error = reasons.fold(Diagnostic::error("E0780", message), Diagnostic::note);
            let to_predict = &plan.column(target).name;
            let error = error.note(format!("`{to_predict}` is what is to be predicted; `--target` says another"));
            return Err(folder::failed(error));
        }
        let text = plan.text();
        if path == Path::new("-") {
            put(&text);
            return Ok(());
        }
        write_atomically(&path, &mut |out| out.write_all(text.as_bytes())).map_err(|error| {
            folder::failed(Diagnostic::error("E0714", format!("cannot write `{}`: {error}", path.display())))
        })?;
        say(&format!("wrote {}", path.display()));
        complain(&format!("train it with `nnc run {}`", path.display()));
        Ok(())
    }

    fn target_of(&self, profile: &Profile) -> Result<usize, Failure> {
        let Some(wanted) = &self.target else { return Ok(profile.columns.len().saturating_sub(1)) };
        let found = profile.columns.iter().position(|column| column.name == *wanted);
        found.ok_or_else(|| {
            let error =
                Diagnostic::error("E0708", format!("`{}` has no column `{wanted}`", self.data.display()));
            let names = profile.columns.iter().map(|column| column.name.as_str());
            folder::failed(match nearest(wanted, names) {
                Some(near) => error.help(format!("it has `{near}`")),
                None => error,
            })
        })
    }
}

/// What the program consists of.
struct Plan<'a> {
    init: &'a Init,
    profile: &'a Profile,
    target: usize,
    /// The name of the data, and the file as the program names it.
    name: String,
    file: String,
    numbers: Vec<usize>,
    classes: Vec<usize>,
    left_out: Vec<(usize, String)>,
    /// The names of fields by column.
    fields: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(init: &'a Init, profile: &'a Profile, target: usize, path: &Path) -> Plan<'a> {
        let stem = init.data.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = path.parent().filter(|_| path != Path::new("-"));
        let same_folder = folder == init.data.parent();
        let file = match (same_folder, init.data.file_name()) {
            (true, Some(name)) => name.to_string_lossy().into_owned(),
            _ => std::path::absolute(&init.data).unwrap_or_else(|_| init.data.clone()).display().to_string(),
        };
        let mut taken = vec!["x".to_owned(), "rows".to_owned(), "train".to_owned(), "test".to_owned()];
        let name = identifier(&stem, &mut taken);
        let fields = profile.columns.iter().map(|column| identifier(&column.name, &mut taken)).collect();
        let mut plan = Plan {
            init,
            profile,
            target,
            name,
            file,
            numbers: Vec::new(),
            classes: Vec::new(),
            left_out: Vec::new(),
            fields,
        };
        for (at, column) in profile.columns.iter().enumerate().filter(|(at, _)| *at != target) {
            if let Some(oddity) = column.oddity() {
                plan.left_out.push((at, oddity));
            } else if column.missing * 2 > profile.rows {
                plan.left_out.push((at, format!("lacks {} of {} values", column.missing, profile.rows)));
            } else if column.holds_numbers() {
                plan.numbers.push(at);
            } else if column.values.len() + column.gaps.len() <= MOST_CLASSES && !column.has_more_values {
                plan.classes.push(at);
            } else {
                plan.left_out.push((at, format!("has {} different names", column.values.len())));
            }
        }
        plan
    }

    fn column(&self, at: usize) -> &Column {
        &self.profile.columns[at]
    }

    /// How the program reads a column: by name, or by number.
    fn read(&self, at: usize) -> String {
        match self.profile.has_header {
            true => quoted(&self.column(at).name),
            false => at.to_string(),
        }
    }

    /// How many classes a column of names has.
    fn classes_of(&self, at: usize) -> usize {
        self.column(at).values.len() + self.column(at).gaps.len()
    }

    /// The number of classes of the target, if it has classes.
    fn target_classes(&self) -> Option<usize> {
        let column = self.column(self.target);
        let count = column.values.len();
        let is_number_of_class = column.is_whole
            && column.least == 0.0
            && column.greatest == count as f64 - 1.0
            && (2..=FEW).contains(&count);
        (column.holds_names() || is_number_of_class).then_some(count)
    }

    fn text(&self) -> String {
        let (rows, columns) = (self.profile.rows, self.profile.columns.len());
        let mut text =
            format!("# Written by `nnc init`: {rows} rows, {columns} columns. Change what you like.\n\n");
        text.push_str(&self.data());
        text.push_str(&self.model());
        text.push_str(&self.train());
        text
    }

    fn data(&self) -> String {
        let separator = match self.init.separator {
            ',' => String::new(),
            '\t' => ", separator = \"\\t\"".to_owned(),
            other => format!(", separator = \"{other}\""),
        };
        let mut text = format!("data {} = csv({}{separator}) {{\n", self.name, quoted(&self.file));
        if !self.numbers.is_empty() {
            text.push_str(
                "    # Numbers, less their mean, by their standard deviation, those of the training part.\n",
            );
            let read: Vec<String> = self.numbers.iter().map(|at| self.read(*at)).collect();
            let columns = match (self.profile.has_header, self.numbers.as_slice()) {
                (true, _) => format!("columns({})", read.join(", ")),
                (false, [first, .., last]) if last - first + 1 == self.numbers.len() => {
                    format!("columns({first}:{})", last + 1)
                }
                _ => {
                    let column = |at: &String| format!("fill(column({at}), mean)");
                    format!("[{}]", read.iter().map(column).collect::<Vec<_>>().join(", "))
                }
            };
            let is_list = columns.starts_with('[');
            let missing: usize = self.numbers.iter().map(|at| self.column(*at).missing).sum();
            let columns = match missing {
                0 => columns,
                _ if is_list => columns,
                _ => {
                    text.push_str(&format!("    # {missing} are missing: the mean stands in for these.\n"));
                    format!("fill({columns}, mean)")
                }
            };
            text.push_str(&format!("    x: [{}] = standardize({columns})\n", self.numbers.len()));
        }
        for at in &self.classes {
            let column = self.column(*at);
            let values = values_text(column, 4);
            let (field, count, read) = (&self.fields[*at], self.classes_of(*at), self.read(*at));
            text.push_str(&format!("    # {values}\n"));
            // Where values are missing, that they are is a class of its own, which must be named.
            let names = if column.gaps.is_empty() {
                String::new()
            } else {
                let names: Vec<String> =
                    column.values.keys().chain(&column.gaps).map(|name| quoted(name)).collect();
                format!(", names = [{}]", names.join(", "))
            };
            text.push_str(&format!("    {field}: class({count}) = column({read}{names})\n"));
        }
        let column = self.column(self.target);
        let (field, read) = (&self.fields[self.target], self.read(self.target));
        text.push_str("    # What is to be predicted");
        match self.target_classes() {
            Some(count) => {
                text.push_str(&format!(
                    ": {}\n    {field}: class({count}) = column({read})\n",
                    values_text(column, 6)
                ));
            }
            None => {
                let (least, greatest) = (number_text(column.least), number_text(column.greatest));
                let mean = number_text(column.mean());
                text.push_str(&format!(
                    ": from {least} to {greatest}, {mean} in the mean\n    {field}: [1] = column({read})\n"
                ));
            }
        }
        if column.missing > 0 {
            text.push_str(&format!("    # Rows without it must be removed: {}.\n", column.missing));
        }
        for (at, why) in &self.left_out {
            text.push_str(&format!("    # Left out: {} {why}.\n", quoted(&self.column(*at).name)));
        }
        text.push_str("    split train = 0.8, test = 0.2\n}\n\n");
        text
    }

    fn model(&self) -> String {
        let mut inputs = Vec::new();
        let mut parts = Vec::new();
        if !self.numbers.is_empty() {
            inputs.push(format!("x: [B, {}]", self.numbers.len()));
            parts.push("x".to_owned());
        }
        for at in &self.classes {
            let (field, count) = (&self.fields[*at], self.classes_of(*at));
            inputs.push(format!("{field}: int[B]"));
            parts.push(format!("one_hot({field}, {count})"));
        }
        let joined = match parts.as_slice() {
            [only] => only.clone(),
            _ => format!("concat([{}], axis = 1)", parts.join(", ")),
        };
        let outputs = self.target_classes().unwrap_or(1);
        let last = match self.target_classes() {
            Some(_) => "Linear({outputs})".replace("{outputs}", &outputs.to_string()),
            None => format!("Linear(1) |> scaled({}, {})", self.scale().0, self.scale().1),
        };
        let mut text = String::new();
        if self.target_classes().is_none() {
            text.push_str("# So that the network starts near the numbers that it is to find.\n");
            text.push_str("fn scaled(z, mean, spread) = mean + spread * z\n\n");
        }
        text.push_str(&format!("model Net({}) -> [B, {outputs}] {{\n", inputs.join(", ")));
        text.push_str(&format!("    {joined} |> Linear(32) |> relu |> {last}\n}}\n\n"));
        text
    }

    /// Mean and a quarter of the range of the target, rounded.
    fn scale(&self) -> (String, String) {
        let column = self.column(self.target);
        let rounded = |value: f64| if value == 0.0 { "1.0".to_owned() } else { format!("{value:.3e}") };
        (rounded(column.mean()), rounded((column.greatest - column.least) / 4.0))
    }

    fn train(&self) -> String {
        let mut given: Vec<&str> = Vec::new();
        if !self.numbers.is_empty() {
            given.push("x");
        }
        given.extend(self.classes.iter().map(|at| self.fields[*at].as_str()));
        let call = format!("Net({})", given.join(", "));
        let target = &self.fields[self.target];
        let (loss, metric) = match self.target_classes() {
            Some(_) => (
                format!("cross_entropy({call}, {target})"),
                format!("    measure  accuracy({call}, {target})\n"),
            ),
            None => {
                let spread = self.scale().1;
                (
                    format!("mse({call} / {spread}, {target} / {spread})"),
                    format!("    measure  error = l1({call}, {target})\n"),
                )
            }
        };
        let name = &self.name;
        format!(
            "train {{\n    data     = {name}.train\n    minimize {loss} with Adam(lr = 0.005)\n{metric}    \
             validate = {name}.test\n    batch    = 32\n    epochs   = 200\n    # Ends when the validation has not \
             become better for so many epochs.\n    stop     = patience(30)\n}}\n"
        )
    }
}

/// A string of the language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "{{"))
}

/// A name of the language that is like a text, and not yet taken.
fn identifier(text: &str, taken: &mut Vec<String>) -> String {
    let plain: String =
        text.trim().chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let plain = plain.trim_matches('_').to_owned();
    let starts_well = plain.chars().next().is_some_and(char::is_alphabetic);
    let base = if starts_well && tokens::is_name(&plain) { plain } else { format!("c_{plain}") };
    let base = if tokens::is_name(&base) { base } else { "field".to_owned() };
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{base}{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}
