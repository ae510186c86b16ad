//! `report.html` of a run: one page for whoever wants to know what came out, without a network.

mod html;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::eval::{Judged, Subject};
use super::judge::Judge;
use super::output::say;
use super::plot::{draw, svg};
use super::runs::record::read_info;
use super::sheet::class_name;
use super::{Failure, folder, summary};
use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::ir::program::Source;
use crate::runtime::answers::meaning::Reading;
use crate::runtime::array::Array;
use crate::runtime::data::read::resolve;
use crate::runtime::events::Chart;
use crate::runtime::format::number_text;
use crate::runtime::sources::csv::stream::Stream;
use crate::runtime::world::native::write::write_atomically;
use html::{Page, share};

/// The file in the folder of a run.
const NAME: &str = "report.html";
/// More rows than these are evaluated only if somebody asks for it.
const MOST_ROWS: usize = 10_000;
/// So many rows are evaluated at once.
const BATCH: usize = 64;
/// So many wrong predictions are shown.
const MISTAKES: usize = 12;
/// So many columns of a row are shown.
const COLUMNS: usize = 12;
/// A matrix of more classes than these is not readable.
const MOST_CLASSES: usize = 30;

/// Write `report.html` into the folder of a run: results, curves, mistakes, network, settings on one page.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc report runs/penguins-1
  nnc report runs/penguins-1 -o penguins.html")]
pub struct Report {
    /// The folder of the run.
    run: PathBuf,
    /// Where the page goes [default: report.html in the folder].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub fn carry_out(self) -> Result<(), Failure> {
        let path = self.output.clone().unwrap_or_else(|| self.run.join(NAME));
        write(&self.run, &path, usize::MAX)?;
        say(&format!("wrote {}", path.display()));
        Ok(())
    }
}

/// Writes the page of a run that has just ended, into its folder. That there is none is no failure of the run.
pub fn of_ended(run: &Path) {
    let _ = write(run, &run.join(NAME), MOST_ROWS);
}

fn write(run: &Path, path: &Path, most_rows: usize) -> Result<(), Failure> {
    let page = page(run, most_rows)?;
    write_atomically(path, &mut |out| out.write_all(page.as_bytes())).map_err(|error| {
        folder::failed(Diagnostic::error("E0714", format!("cannot write `{}`: {error}", path.display())))
    })
}

/// The page of a run as it stands now.
pub fn text(run: &Path) -> Result<String, Failure> {
    page(run, MOST_ROWS)
}

/// The page of a run. More rows than `most_rows` are not evaluated.
fn page(run: &Path, most_rows: usize) -> Result<String, Failure> {
    let info = read_info(run).map_err(folder::failed)?;
    let text = std::fs::read_to_string(run.join("program.nn")).unwrap_or_default();
    let file = info.get("program").and_then(Value::as_str).map(Path::new);
    let stem = file.and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
    let mut page = Page::new(&format!("{}: {}", stem.unwrap_or_default(), run.display()));
    page.paragraph(&how_it_ended(&info));
    match Subject::of_run(run).judged_by(BATCH, false) {
        Ok(judged) if judged.rows.len() > most_rows => page.note(&format!(
            "{} rows are not evaluated here: `nnc report {}` does it.",
            judged.rows.len(),
            run.display()
        )),
        Ok(judged) => results(&mut page, judged),
        // What has no one target, or no data any more, is shown by its curves.
        Err(Failure::Program(errors)) => {
            let why = errors.iter().find(|error| error.is_error()).map(|error| error.message.clone()).unwrap_or_default();
            page.note(&format!("There is no evaluation: {why}."));
        }
        Err(_) => {}
    }
    curves(&mut page, run);
    pictures(&mut page, run);
    if let Ok(program) = folder::kept_program(run, &mut |_, _| Vec::new()) {
        page.heading("The network");
        for model in &program.checked().models {
            page.preformatted(&summary::model_text(model, program.checked()));
        }
    }
    page.heading("The program");
    page.preformatted(&text);
    page.heading("How it was made");
    page.pairs(&origin(&info));
    Ok(page.finish())
}

fn how_it_ended(info: &Map<String, Value>) -> String {
    let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| info.get(key).and_then(Value::as_f64).map(number_text).unwrap_or_default();
    format!(
        "Begun {}, {} after {} seconds and {} epochs ({} steps).",
        text("started").replace('T', " ").replace('Z', " UTC"),
        text("result"),
        number("seconds"),
        number("epochs"),
        number("steps")
    )
}

/// Machine, versions, files: what somebody needs who makes it again.
fn origin(info: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let mut pairs = Vec::new();
    for (key, name) in [
        ("command", "command"),
        ("program", "program"),
        ("program_sha256", "SHA-256 of the program"),
        ("seed", "seed"),
        ("precision", "floats"),
        ("nnc", "version of nnc"),
    ] {
        pairs.extend(info.get(key).map(|value| (name.to_owned(), text(value))));
    }
    for (path, file) in info.get("data").and_then(Value::as_object).into_iter().flatten() {
        let hash = file.get("sha256").and_then(Value::as_str).unwrap_or("not taken");
        pairs.push((format!("data {path}"), format!("SHA-256 {hash}")));
    }
    for (key, value) in info.get("machine").and_then(Value::as_object).into_iter().flatten() {
        pairs.push((format!("machine: {key}"), text(value)));
    }
    pairs
}

/// What `metrics.csv` has as charts: a number and that of the validation in one.
fn curves(page: &mut Page, run: &Path) {
    let text = std::fs::read_to_string(run.join("metrics.csv")).unwrap_or_default();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let Some(header) = lines.next() else { return };
    let rows: Vec<Vec<&str>> = lines.collect();
    let column = |name: &str| -> Option<Vec<f64>> {
        let at = header.iter().position(|word| *word == name)?;
        Some(rows.iter().map(|row| row.get(at).and_then(|cell| cell.parse().ok()).unwrap_or(f64::NAN)).collect())
    };
    if rows.len() < 2 {
        return;
    }
    page.heading("Learning curves");
    let epochs = column("epoch").unwrap_or_default();
    for name in header.iter().skip(3).filter(|name| !name.starts_with("validation ")) {
        let training = column(name).map(|values| ("training".to_owned(), values));
        let held = column(&format!("validation {name}")).map(|values| ("validation".to_owned(), values));
        let series: Vec<_> = training.into_iter().chain(held).collect();
        page.picture(&chart(name, ("epoch", &epochs), &series));
    }
}

/// A picture of curves over one axis.
fn chart(title: &str, (x_label, x): (&str, &[f64]), series: &[(String, Vec<f64>)]) -> String {
    let mut chart = Chart::curves(title, x, series);
    x_label.clone_into(&mut chart.x_label);
    svg(&draw(&chart))
}

/// The pictures of the program's `plot` lines.
fn pictures(page: &mut Page, run: &Path) {
    let files = std::fs::read_dir(run.join("pictures")).into_iter().flatten().flatten().map(|entry| entry.path());
    let number = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        name.rsplit('-').next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0)
    };
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|ending| ending == "svg")).collect();
    files.put_in_order_by_key(number);
    let texts: Vec<String> = files.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    if !texts.is_empty() {
        page.heading("Pictures");
        texts.iter().for_each(|text| page.picture(text));
    }
}

/// How good it is on the rows of the validation.
fn results(page: &mut Page, mut judged: Judged) {
    let Ok((fields, truth)) = judged.fields() else { return };
    let Ok((judge, results)) = judged.judge_with_results(&fields, &truth) else { return };
    page.heading("Results");
    let rows = format!("{} rows of {}", judge.rows, judged.shown);
    match judge.accuracy() {
        Some(accuracy) => page.headline(&format!("{} of the {rows} are predicted rightly.", share(accuracy))),
        None => page.headline(&format!("Evaluated on {rows}.")),
    }
    let numbers = judge.summary().into_iter().map(|(name, value)| (name.to_owned(), number_text(value)));
    page.pairs(&numbers.collect::<Vec<_>>());
    let predictor = &judged.trained.predictor;
    match predictor.meaning.reading {
        Reading::Classes(count, _) if count <= MOST_CLASSES => {
            let names: Vec<String> = (0..count).map(|class| class_name(predictor, class)).collect();
            page.confusion(&names, &judge.confusion);
        }
        Reading::Truth(_) => page.confusion(&["0".to_owned(), "1".to_owned()], &judge.confusion),
        Reading::Classes(..) => page.note("There are too many classes for a table."),
        Reading::Numbers => {
            let values = |array: &Array| array.to_f64().into_owned();
            let title = format!("{}: predicted over true", predictor.target);
            page.picture(&chart(&title, ("true", &values(&truth)), &[("predicted".to_owned(), values(&results))]));
        }
    }
    mistakes(page, &judged, &judge, &results, &truth);
}

/// The rows that are predicted worst.
fn mistakes(page: &mut Page, judged: &Judged, judge: &Judge, results: &Array, truth: &Array) {
    let predictor = &judged.trained.predictor;
    let len = results.row_len();
    let mut worst: Vec<(f64, usize, String, String)> = Vec::new();
    for row in 0..results.rows() {
        let values: Vec<f64> = (row * len..(row + 1) * len).map(|at| results.number(at)).collect();
        let (class, probabilities) = predictor.meaning.read(&values);
        let is = truth.number(row * truth.row_len());
        match predictor.meaning.reading {
            Reading::Classes(..) if class != is as usize => {
                let p = probabilities.and_then(|row| row.get(class).copied()).unwrap_or(0.0);
                let said = format!("{} ({})", class_name(predictor, class), share(p));
                worst.push((p, row, class_name(predictor, is as usize), said));
            }
            Reading::Numbers if len == 1 => {
                let said = values[0];
                worst.push(((said - is).abs(), row, number_text(is), number_text(said)));
            }
            _ => {}
        }
    }
    let is_number = matches!(predictor.meaning.reading, Reading::Numbers);
    if worst.is_empty() {
        if judge.accuracy() == Some(1.0) {
            page.note("There are no mistakes.");
        }
        return;
    }
    worst.put_in_order_by(|a, b| b.0.total_cmp(&a.0));
    let (count, shown) = (worst.len(), worst.len().min(MISTAKES));
    worst.truncate(MISTAKES);
    page.heading(if is_number { "The largest errors" } else { "Mistakes, the most certain first" });
    if !is_number {
        page.note(&format!("{shown} of {count}."));
    }
    let numbers: Vec<usize> =
        worst.iter().map(|(_, row, ..)| judged.row_of_file(judged.rows.get(*row) as usize)).collect();
    let (names, texts) = rows_of_table(judged, &numbers);
    let mut header = vec!["row".to_owned(), format!("{} is", predictor.target), "predicted".to_owned()];
    header.extend(names);
    let lines = worst.into_iter().zip(numbers).map(|((_, _, is, said), number)| {
        let mut cells = vec![(number + 1).to_string(), is, said];
        cells.extend(texts.get(&number).cloned().unwrap_or_default());
        cells
    });
    page.table(&header, &lines.collect::<Vec<_>>());
}

/// What stands in some rows of the table that the data comes from, by row; nothing if it is no plain table.
fn rows_of_table(judged: &Judged, wanted: &[usize]) -> (Vec<String>, BTreeMap<usize, Vec<String>>) {
    let set = &judged.trained.set;
    let Source::Csv { path, format, .. } = &set.source else { return Default::default() };
    let path = resolve(judged.program.base(), path);
    let Ok(file) = std::fs::File::open(&path) else { return Default::default() };
    if path.extension().is_some_and(|ending| ending == "gz") {
        return Default::default();
    }
    let mut stream = Stream::new(Box::new(file), path.display().to_string(), *format, Vec::new());
    let (mut found, mut before) = (BTreeMap::new(), 0);
    while let Ok(Some(block)) = stream.next(1000, &mut |_| {}) {
        for (at, mut fields) in block.fields.into_iter().enumerate() {
            if wanted.contains(&(before + at)) {
                fields.truncate(COLUMNS);
                found.insert(before + at, fields);
            }
        }
        before += block.rows;
    }
    let mut names = match stream.header() {
        Some(names) => names.to_vec(),
        None => (0..stream.n_columns()).map(|at| format!("column {at}")).collect(),
    };
    names.truncate(COLUMNS);
    (names, found)
}
