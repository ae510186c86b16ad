//! What the steps of a training depend on beside the numbers in a checkpoint, so that going on with another
//! program, other data or other settings is noticed.
//!
//! A fingerprint is a list of named texts. A text is what is written in the program, or a number that stands for
//! contents (`#9f86d081…`), or both. Names and texts are made for messages.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::array::{Array, Elements};
use super::data::{Column, Rows, Table, data_name};
use super::program::Program;
use super::session::Session;
use crate::base::{Diagnostic, Span};
use crate::ir::Graph;
use crate::ir::program::{Action, Train};
use crate::sema::prelude;
use crate::syntax::{index_items, tokens};

/// Texts longer than this are told apart by a number.
const SHORT: usize = 100;
/// So many rows are looked at of a column that is not in memory.
const SAMPLED_ROWS: usize = 4096;
/// Begins the names of items of the program: they say why the steps are others, and do not matter by themselves.
const ITEM: &str = "item ";
/// The name of the number that stands for all computations of a step.
const STEP: &str = "computation of a step";
/// Begins the names of what is validated on.
const VALIDATION: &str = "validation";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// Of the `train` that is an action of the session's program.
    ///
    /// # Errors
    /// If its data cannot be read.
    pub fn of(session: &mut Session, action: usize) -> Result<Option<Fingerprint>, Diagnostic> {
        let program = session.program.clone();
        let Some(Action::Train(train)) = program.checked().actions.get(action) else { return Ok(None) };
        let mut texts = BTreeMap::new();
        let mut note = |name: &str, text: String| drop(texts.insert(name.to_owned(), text));
        note("precision", format!("{:?}", program.checked().precision).to_lowercase());
        note("seed", train.seed.to_string());
        note("batch", train.batch.to_string());
        note("shuffle", train.shuffle.to_string());
        if let Some((shards, _)) = train.shards {
            note("shards", shards.to_string());
        }
        if let Some(every) = train.validate_every {
            note("validate_every", every.to_string());
        }
        if let Some((every, _)) = train.accumulate {
            note("accumulate", every.to_string());
        }
        if let Some(plateau) = train.plateau {
            note("plateau", plateau.to_string());
        }
        for (number, line) in train.lines.iter().enumerate() {
            note(&format!("`minimize` line {}", number + 1), shortened(&written(&program, line.span)));
        }
        for metric in &train.metrics {
            let of_all_rows = metric.whole.as_ref().map(graph_number).unwrap_or_default();
            note(&format!("metric {}", metric.name), written(&program, metric.span) + &of_all_rows);
        }
        note(STEP, graph_number(&train.step.graph));
        for (name, text) in items(&program) {
            note(&format!("{ITEM}{name}"), text);
        }
        let (table, rows) = session.rows(&train.data, train.span)?;
        note("data", rows_text(&data_name(&train.data), &rows));
        for field in &train.fields {
            let Some(column) = table.fields.get(field) else { continue };
            let number = column_number(session, &table, column)?;
            note(&format!("field {field} of {}", train.data.set), number);
        }
        for companion in &train.companions {
            let (name, data) = (&companion.name, &companion.data);
            let (table, rows) = session.rows(data, companion.span)?;
            note(&format!("data {name}"), rows_text(&data_name(data), &rows));
            note(&format!("shuffle of {name}"), companion.shuffle.to_string());
            for field in &companion.fields {
                let Some(column) = table.fields.get(field) else { continue };
                let number = column_number(session, &table, column)?;
                note(&format!("field {field} of {name}"), number);
            }
        }
        validation(session, train, &mut note)?;
        Ok(Some(Fingerprint(texts)))
    }

    /// Adds something that steps depend on.
    pub fn note(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), text);
    }

    /// What is not the same as elsewhere, each as what follows "on rank 1".
    pub fn disagreements(&self, other: &Fingerprint) -> Vec<String> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differ = names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name));
        let text = |name: &String| {
            let shown = |text: Option<&String>| {
                let text = text.map_or("nothing", |text| text.split('#').next().unwrap_or_default().trim());
                text.to_owned()
            };
            let (here, there) = (shown(self.0.get(name)), shown(other.0.get(name)));
            match here == there || here.is_empty() || there.is_empty() {
                true => format!("{name} is not the same as on rank 0"),
                false => format!("{name} is `{here}`, on rank 0 `{there}`"),
            }
        };
        differ.map(text).collect()
    }

    /// As it is written into a checkpoint.
    pub fn text(&self) -> String {
        json!(self.0).to_string()
    }

    /// From a checkpoint; none if it is not one.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let Value::Object(entries) = serde_json::from_str(text).ok()? else { return None };
        let texts = entries.into_iter().map(|(name, text)| Some((name, text.as_str()?.to_owned())));
        texts.collect::<Option<_>>().map(Fingerprint)
    }

    fn stops_by_validation(&self) -> bool {
        self.0.keys().any(|name| name.starts_with(VALIDATION))
    }

    /// What has changed since a checkpoint was saved, a sentence each.
    pub fn differences_from(&self, saved: &Fingerprint) -> Vec<String> {
        let mut found = Vec::new();
        let (mut reasons, mut other_step) = (Vec::new(), false);
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(saved.0.keys()).collect();
        for name in names {
            let (old, new) = (saved.0.get(name), self.0.get(name));
            // Without `stop` validation decides nothing.
            if old == new || new.is_none() && !self.stops_by_validation() && name.starts_with(VALIDATION) {
                continue;
            }
            match name.strip_prefix(ITEM) {
                // What is only there now or was only there then is missed by what uses it.
                Some(item) if old.is_some() && new.is_some() => reasons.push(difference(item, old, new)),
                Some(_) => {}
                None if name == STEP => other_step = true,
                None => found.push(difference(name, old, new)),
            }
        }
        if other_step || !found.is_empty() {
            found.append(&mut reasons);
        }
        if other_step && found.is_empty() {
            found.push("a step computes something else: the library or the compiler is another".to_owned());
        }
        found
    }
}

fn difference(name: &str, old: Option<&String>, new: Option<&String>) -> String {
    // A number that stands for contents says nothing to people.
    let shown = |text: Option<&String>| match text {
        Some(text) => text.split('#').next().unwrap_or_default().trim().to_owned(),
        None => "none".to_owned(),
    };
    match (shown(old), shown(new)) {
        (old, new) if old == new || old.is_empty() || new.is_empty() => format!("{name} has changed"),
        (old, new) => format!("{name} was `{old}` and is `{new}`"),
    }
}

/// Validation matters where it says when the training stops, or what is kept.
fn validation(
    session: &mut Session,
    train: &Train,
    note: &mut dyn FnMut(&str, String),
) -> Result<(), Diagnostic> {
    let decides = train.patience.is_some() || train.keep_best || train.plateau.is_some();
    let (Some(data), Some(graph), true) = (&train.validate, &train.evaluate, decides) else { return Ok(()) };
    let (table, rows) = session.rows(data, train.span)?;
    note(&format!("{VALIDATION} data"), rows_text(&data_name(data), &rows));
    note(&format!("{VALIDATION} computation"), graph_number(graph));
    if data.set != train.data.set {
        for (name, column) in &table.fields {
            note(
                &format!("{VALIDATION} field {name} of {}", data.set),
                column_number(session, &table, column)?,
            );
        }
    }
    Ok(())
}

/// The items of the program's own files that have names, and what is written there.
fn items(program: &Program) -> Vec<(String, String)> {
    let is_library = |name: &str| prelude::FILES.iter().any(|(file, _)| *file == name);
    let files = program.sources().files().filter(|(_, file)| !is_library(&file.name));
    files
        .flat_map(|(_, file)| {
            let named = index_items(&file.text).into_iter().filter_map(|slice| {
                let name = format!("{} {}", slice.keyword, slice.name?);
                Some((name, shortened(&plain(&file.text[slice.start..slice.range.end]))))
            });
            named.collect::<Vec<_>>()
        })
        .collect()
}

/// What is written at a place of the program.
fn written(program: &Program, span: Span) -> String {
    let is_there = program.sources().files().any(|(id, _)| id == span.file);
    if is_there { plain(program.sources().text(span)) } else { String::new() }
}

/// A text without comments, line ends and its own spacing.
fn plain(text: &str) -> String {
    let tokens = tokens::tokens(text).into_iter();
    let words = tokens
        .filter(|token| !matches!(token.kind, tokens::TokenKind::Newline | tokens::TokenKind::Comment))
        .map(|token| token.text(text));
    words.collect::<Vec<_>>().join(" ")
}

impl Session {
    /// The number of all parameters and states as they are now.
    pub(super) fn variables_number(&self) -> String {
        let mut number = Number::new();
        let checked = self.program.checked();
        for variable in checked.params.iter().chain(&checked.states) {
            if let Some(cell) = self.memory.find(&variable.path) {
                number.add_array(self.memory.get(cell));
            }
        }
        number.text()
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHORT && !text.contains('#') {
        return text.to_owned();
    }
    let mut number = Number::new();
    number.add_bytes(text.as_bytes());
    number.text()
}

fn rows_text(name: &str, rows: &Rows) -> String {
    let mut number = Number::new();
    if let Rows::Some(rows) = rows {
        rows.iter().for_each(|row| number.add(u64::from(*row)));
    }
    format!("{name}, {} rows {}", rows.len(), number.text())
}

/// The number of all that a graph computes, whose text form says it.
fn graph_number(graph: &Graph) -> String {
    let mut number = Number::new();
    // Writing to a number does not fail.
    let _ = write!(number, "{graph}");
    number.text()
}

fn column_number(session: &mut Session, table: &Table, column: &Column) -> Result<String, Diagnostic> {
    let mut number = Number::new();
    match column {
        Column::Memory(array) => number.add_array(array),
        Column::Windows(windows) => {
            number.add(windows.rows() as u64);
            number.add(windows.length() as u64);
            if let Some(text) = &table.text {
                text.vocabulary().iter().for_each(|character| number.add(u64::from(*character)));
                text.classes(0..text.len()).for_each(|class| number.add(class as u64));
            }
        }
        Column::Lazy(_) => {
            let step = column.rows().div_ceil(SAMPLED_ROWS).max(1);
            let rows: Vec<u32> = (0..column.rows()).step_by(step).map(|row| row as u32).collect();
            number.add(column.rows() as u64);
            // Some at a time: rows may be large.
            for rows in rows.chunks(64) {
                let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
                number.add_array(&column.rows_of(rows, &mut carry)?);
            }
        }
    }
    Ok(number.text())
}

/// A number of 64 bits that other contents would hardly have.
struct Number(u64);

impl Number {
    fn new() -> Number {
        Number(0x243f_6a88_85a3_08d3)
    }

    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add(u64::from(*byte)));
    }

    fn add_array(&mut self, array: &Array) {
        array.shape().iter().for_each(|size| self.add(*size as u64));
        match array.elements() {
            Elements::F32(values) => values.iter().for_each(|value| self.add(u64::from(value.to_bits()))),
            Elements::F64(values) => values.iter().for_each(|value| self.add(value.to_bits())),
            Elements::I32(values) => values.iter().for_each(|value| self.add(*value as u64)),
            Elements::I64(values) => values.iter().for_each(|value| self.add(*value as u64)),
            Elements::U8(values) => self.add_bytes(values),
            Elements::Bool(values) => values.iter().for_each(|value| self.add(u64::from(*value))),
        }
    }

    fn text(&self) -> String {
        // The upper bits depend on all that was added.
        format!("#{:016x}", self.0 ^ self.0 >> 29)
    }
}

impl Write for Number {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.add_bytes(text.as_bytes());
        Ok(())
    }
}
