//! `nnc init`: a program for a csv file, a series or a folder of pictures, to begin with.

mod names;
mod pictures;
mod series;
mod training;

use std::path::{Path, PathBuf};

use clap::Args;

use self::names::{identifier, plain_name, quoted, separator_of};
use self::series::Series;
use self::training::Training;
use super::columns::{Column, Profile, profile, values_text};
use super::output::{complain, put, say};
use super::{Failure, folder, report};
use crate::base::{Diagnostic, SourceMap, nearest};
use crate::runtime::world::native::write::write_atomically;
use crate::runtime::format::number_text;
use crate::runtime::program::Diagnostics;
use crate::runtime::sources::csv::Options;

/// A category has so many names of its own at most.
const MOST_CLASSES: usize = 24;
/// A rare name stands in fewer than one in so many rows.
const RARE: usize = 100;
/// A number with at most so many whole values may be a class.
const FEW: usize = 10;

/// Write a program for a csv file, a series or a folder of pictures: fields, a small network, a training, with comments.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc init penguins.csv                    writes penguins.nn, which predicts the last column
  nnc init houses.csv --target price -o price.nn
  nnc init passengers.csv --series         forecasts the last column out of its past
  nnc init sales.csv --series --target sold --past 28 --future 7
  nnc init photos                          a folder of pictures with a folder for each class")]
pub struct Init {
    /// The csv file, or a folder of pictures.
    data: PathBuf,
    /// The column that is to be predicted [default: the last].
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Where the program goes [default: beside the data, `-` for standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What stands between the fields of a line [default: what the first line says].
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<char>,
    /// The rows are a series, or several: forecast a column out of its own past.
    #[arg(long)]
    series: bool,
    /// With `--series`: rows that a forecast looks at [default: two seasons by the distance of the dates, or 24].
    #[arg(long, value_name = "ROWS", requires = "series", value_parser = clap::value_parser!(u16).range(1..))]
    past: Option<u16>,
    /// With `--series`: rows that it gives [default: a season, or 12].
    #[arg(long, value_name = "ROWS", requires = "series", value_parser = clap::value_parser!(u16).range(1..))]
    future: Option<u16>,
}

impl Init {
    pub fn carry_out(self) -> Result<(), Failure> {
        let path = self.output.clone().unwrap_or_else(|| plain_name(&self.data).with_extension("nn"));
        if path != Path::new("-") && path.exists() {
            return Err(Failure::Usage(format!(
                "`{}` is there already: name another with `-o`",
                path.display()
            )));
        }
        if self.data.is_dir() {
            return self.write(&path, &pictures::program(&self.data, &self.file(&path)).map_err(folder::failed)?);
        }
        let mut warnings = Vec::new();
        let (profile, format) = self.look(&mut |warning| warnings.push(warning)).map_err(folder::failed)?;
        if !warnings.is_empty() {
            report(&Diagnostics { list: warnings, sources: SourceMap::default() });
        }
        if profile.columns.is_empty() {
            let message = format!("`{}` has no rows below its first line", self.data.display());
            return Err(folder::failed(Diagnostic::error("E0710", message)));
        }
        let target = self.target_of(&profile)?;
        let plan = Plan::new(&self, &profile, format, target, &path);
        if self.series {
            let lengths = (self.past.map(usize::from), self.future.map(usize::from));
            let series = Series::new(&plan, lengths.0, lengths.1).map_err(folder::failed)?;
            return self.write(&path, &series.text());
        }
        if [&plan.numbers, &plan.dates, &plan.classes, &plan.texts].iter().all(|columns| columns.is_empty()) {
            let message = format!("`{}` has no column to predict from", self.data.display());
            let reasons = plan.left_out.iter().map(|(at, why)| format!("`{}` {why}", plan.column(*at).name));
            let error = reasons.fold(Diagnostic::error("E0780", message), Diagnostic::note);
            let to_predict = &plan.column(target).name;
            let error = error.note(format!("`{to_predict}` is what is to be predicted; `--target` says another"));
            return Err(folder::failed(error));
        }
        self.write(&path, &plan.text())?;
        if series::is_likely(&plan) {
            complain("each row has a date of its own: `--series` writes a program that forecasts out of the rows before");
        }
        Ok(())
    }

    /// The data as a program calls it that stands in a file.
    fn file(&self, program: &Path) -> String {
        let folder = program.parent().filter(|_| program != Path::new("-"));
        // `photos/` is called `photos`, and lies where that does.
        let data: PathBuf = self.data.components().collect();
        match (folder == data.parent(), data.file_name()) {
            (true, Some(name)) => name.to_string_lossy().into_owned(),
            _ => std::path::absolute(&data).unwrap_or(data).display().to_string(),
        }
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        if path == Path::new("-") {
            put(text);
            return Ok(());
        }
        write_atomically(path, &mut |out| out.write_all(text.as_bytes())).map_err(|error| {
            folder::failed(Diagnostic::error("E0714", format!("cannot write `{}`: {error}", path.display())))
        })?;
        say(&format!("wrote {}", path.display()));
        complain(&format!("train it with `nnc run {}`", path.display()));
        Ok(())
    }

    /// Looks at the table, and finds out how it is written: the way in which most columns are numbers.
    fn look(&self, tell: &mut dyn FnMut(Diagnostic)) -> Result<(Profile, Options), Diagnostic> {
        let separator = self.separator.unwrap_or_else(|| separator_of(&self.data));
        let plain = Options { separator, ..Options::default() };
        let mut warnings = Vec::new();
        let mut best = (profile(&self.data, plain, &mut |warning| warnings.push(warning))?, plain);
        let numbers = |profile: &Profile| profile.columns.iter().filter(|column| column.holds_numbers()).count();
        let is_open = |column: &Column| !column.holds_numbers() && column.date_orders().is_empty();
        for (decimal, thousands) in [(',', None), (',', Some('.')), ('.', Some(','))] {
            let has_candidates = best.0.columns.iter().any(|column| {
                is_open(column) && column.values.keys().any(|value| value.contains(',') && value.contains(|c: char| c.is_ascii_digit()))
            });
            if !has_candidates {
                break;
            }
            let format = Options { decimal, thousands, ..plain };
            let mut others = Vec::new();
            let other = profile(&self.data, format, &mut |warning| others.push(warning))?;
            if numbers(&other) > numbers(&best.0) {
                (best, warnings) = ((other, format), others);
            }
        }
        warnings.into_iter().for_each(tell);
        Ok(best)
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
    format: Options,
    profile: &'a Profile,
    target: usize,
    /// The name of the data, and the file as the program names it.
    name: String,
    file: String,
    numbers: Vec<usize>,
    dates: Vec<usize>,
    classes: Vec<usize>,
    texts: Vec<usize>,
    left_out: Vec<(usize, String)>,
    /// The names of fields by column.
    fields: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(init: &Init, profile: &'a Profile, format: Options, target: usize, path: &Path) -> Plan<'a> {
        let stem = plain_name(&init.data).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let file = init.file(path);
        let mut taken = vec!["x".to_owned(), "rows".to_owned(), "train".to_owned(), "test".to_owned()];
        let name = identifier(&stem, &mut taken);
        let fields = profile.columns.iter().map(|column| identifier(&column.name, &mut taken)).collect();
        let mut plan = Plan {
            format,
            profile,
            target,
            name,
            file,
            numbers: Vec::new(),
            dates: Vec::new(),
            classes: Vec::new(),
            texts: Vec::new(),
            left_out: Vec::new(),
            fields,
        };
        for (at, column) in profile.columns.iter().enumerate().filter(|(at, _)| *at != target) {
            if column.is_text() && column.missing * 2 <= profile.rows {
                plan.texts.push(at);
            } else if let Some(oddity) = column.oddity() {
                plan.left_out.push((at, oddity));
            } else if column.missing * 2 > profile.rows {
                plan.left_out.push((at, format!("lacks {} of {} values", column.missing, profile.rows)));
            } else if column.holds_numbers() {
                plan.numbers.push(at);
            } else if !column.date_orders().is_empty() {
                plan.dates.push(at);
            } else if plan.own_names(at) > 0 {
                plan.classes.push(at);
            } else {
                plan.left_out.push((at, format!("has {} names, none of them frequent", column.values.len())));
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

    /// How many names of a column have a class of their own, a missing value among them.
    fn own_names(&self, at: usize) -> usize {
        let column = self.column(at);
        let few = column.values.len() <= MOST_CLASSES / 2 && !column.has_more_values;
        let frequent = if few { column.values.len() } else { column.frequent(self.profile.rows.div_ceil(RARE).max(2)) };
        frequent.min(MOST_CLASSES) + usize::from(!column.gaps.is_empty())
    }

    /// How many classes a column of names has: one for all other names.
    fn classes_of(&self, at: usize) -> usize {
        self.own_names(at) + 1
    }

    /// How many different numbers the words of a column of texts become, and how many of them each text has.
    fn words_of(&self, at: usize) -> (usize, usize) {
        let column = self.column(at);
        let length = column.most_words.next_multiple_of(8).clamp(8, 64);
        ((column.repeated_words() + 2).clamp(3, 2000), length)
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
        let separator = self.options();
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
        text.push_str(&self.dates_text());
        if !self.classes.is_empty() {
            text.push_str("    # The last class of each is for all other names, also those that only later files have.\n");
        }
        for at in &self.classes {
            let column = self.column(*at);
            let values = values_text(column, 4);
            let (field, count, read) = (&self.fields[*at], self.classes_of(*at), self.read(*at));
            text.push_str(&format!("    # {values}\n"));
            text.push_str(&format!("    {field}: class({count}) = category(column({read}))\n"));
        }
        text.push_str(&self.texts_text());
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
            let rows = if column.missing == 1 { "row lacks" } else { "rows lack" };
            text.push_str(&format!("    # {} {rows} it.\n", column.missing));
            text.push_str(&format!("    drop rows where is_missing(column({read}))\n"));
        }
        for (at, why) in &self.left_out {
            text.push_str(&format!("    # Left out: {} {why}.\n", quoted(&self.column(*at).name)));
        }
        let stratify = match self.target_classes() {
            Some(_) => format!(", stratify = {field}"),
            None => String::new(),
        };
        text.push_str(&format!("    split train = 0.8, test = 0.2{stratify}\n}}\n\n"));
        text
    }

    /// The fields of texts.
    fn texts_text(&self) -> String {
        let mut text = String::new();
        if !self.texts.is_empty() {
            text.push_str("    # Texts as numbers of their words: 0 behind the end, 1 for words that are not frequent.\n");
        }
        for at in &self.texts {
            let ((most, length), field, read) = (self.words_of(*at), &self.fields[*at], self.read(*at));
            text.push_str(&format!("    {field}: class({most})[{length}] = words(column({read}))\n"));
        }
        text
    }

    /// What `csv` is told beside the file.
    fn options(&self) -> String {
        let mut options = match self.format.separator {
            ',' => String::new(),
            '\t' => ", separator = \"\\t\"".to_owned(),
            other => format!(", separator = \"{other}\""),
        };
        if self.format.decimal != '.' {
            options.push_str(&format!(", decimal = \"{}\"", self.format.decimal));
        }
        if let Some(thousands) = self.format.thousands {
            options.push_str(&format!(", thousands = \"{thousands}\""));
        }
        options
    }

    /// The fields of dates: days, standardised.
    fn dates_text(&self) -> String {
        let mut text = String::new();
        for at in &self.dates {
            let orders = self.column(*at).date_orders();
            let order = match orders.as_slice() {
                ["ymd", ..] | [] => String::new(),
                [order, ..] => format!(", order = \"{order}\""),
            };
            text.push_str("    # Days since 1970. `part = \"month\"`, `\"weekday\"` and others tell what comes again.\n");
            if orders.len() > 1 && !order.is_empty() {
                text.push_str("    # Each of these dates could have the month in front, too: then say \"mdy\".\n");
            }
            let date = format!("date(column({}){order})", self.read(*at));
            let date = if self.column(*at).missing > 0 { format!("fill({date}, median)") } else { date };
            text.push_str(&format!("    {}: [] = standardize({date})\n", self.fields[*at]));
        }
        text
    }

    fn model(&self) -> String {
        let mut inputs = Vec::new();
        let mut parts = Vec::new();
        if !self.numbers.is_empty() {
            inputs.push(format!("x: [B, {}]", self.numbers.len()));
            parts.push("x".to_owned());
        }
        for at in &self.dates {
            let field = &self.fields[*at];
            inputs.push(format!("{field}: [B]"));
            parts.push(format!("{field}[:, new]"));
        }
        for at in &self.classes {
            let (field, count) = (&self.fields[*at], self.classes_of(*at));
            inputs.push(format!("{field}: int[B]"));
            parts.push(format!("one_hot({field}, {count})"));
        }
        for at in &self.texts {
            let ((most, length), field) = (self.words_of(*at), &self.fields[*at]);
            inputs.push(format!("{field}: int[B, {length}]"));
            parts.push(format!("({field} |> Words({most}, 16))"));
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
        if !self.texts.is_empty() {
            text.push_str(
                "## The mean of what stands for the words before the end of each text.\n\
                 layer Words(most, width)(text: int[B, T]) -> [B, width] {\n    \
                 there = if text > 0 then 1 else 0\n    \
                 words = text |> Embedding(most, width)\n    \
                 sum(words * there[:, :, new], axis = 1) / max(sum(there, axis = 1), 1)[:, new]\n}\n\n",
            );
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
        given.extend(self.dates.iter().chain(&self.classes).chain(&self.texts).map(|at| self.fields[*at].as_str()));
        let call = format!("Net({})", given.join(", "));
        let target = &self.fields[self.target];
        let (loss, measure) = match self.target_classes() {
            Some(_) => (
                format!("cross_entropy({call}, {target})"),
                format!("accuracy({call}, {target})"),
            ),
            None => {
                let spread = self.scale().1;
                (
                    format!("mse({call} / {spread}, {target} / {spread})"),
                    format!("error = l1({call}, {target})"),
                )
            }
        };
        let (minimize, data) = (format!("{loss} with Adam(lr = 0.005)"), self.name.as_str());
        let (minimize, measure) = (minimize.as_str(), measure.as_str());
        Training { data, minimize, measure, epochs: 200, patience: 30, keeps_best: false }.to_string()
    }
}
