//! `nnc run --events json`: one JSON object a line.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::output::Lines;
use crate::base::SourceMap;
use crate::base::render::to_json;
use crate::base::visible::visible;
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Event, Observer, Exchanges, Scores, Trained};

/// Writes for programs.
pub struct Json {
    every: Option<u64>,
    sources: SourceMap,
    lines: Lines,
}

impl Json {
    pub fn new(every: Option<u64>, sources: SourceMap) -> Json {
        Json { every, sources, lines: Lines::new() }
    }
}

impl Observer for Json {
    fn event(&mut self, event: &Event<'_>) {
        let value = match event {
            Event::Start(start) => json!({
                "event": "start",
                "parameters": start.parameters,
                "rows": start.rows,
                "batch": start.batch,
                "steps_per_epoch": start.steps_per_epoch,
                "steps": start.steps,
                "compile_seconds": start.compile_seconds,
            }),
            Event::Progress { .. } => return self.lines.flush(),
            Event::Kept => return,
            Event::Step(step) => json!({
                "event": "step",
                "step": step.step,
                "loss": step.losses.iter().sum::<f64>(),
                "losses": step.losses,
            }),
            Event::Epoch(report) => json!({
                "event": "epoch",
                "epoch": report.epoch,
                "epochs": report.epochs,
                "step": report.step,
                "train": scores(&report.train),
                "validation": report.validation.as_ref().map(scores),
                "seconds": report.seconds,
                "examples_per_second": report.examples_per_second,
            }),
            Event::End(trained) => end(trained),
            Event::Print(text) => json!({ "event": "print", "text": text }),
            Event::Plot(chart) => {
                let columns: Map<String, Value> =
                    chart.columns.iter().map(|(name, array)| (name.to_string(), numbers(array))).collect();
                json!({
                    "event": "plot", "title": chart.title, "kind": chart.kind.name(), "names": chart.names,
                    "labels": chart.labels, "series": chart.series, "columns": columns,
                })
            }
            Event::Warning(diagnostic) => {
                json!({ "event": "warning", "diagnostic": to_json(diagnostic, &self.sources) })
            }
        };
        let text = json_text(&value);
        match event {
            Event::Step(_) => self.lines.say_soon(&text, 0.0),
            Event::Epoch(report) => self.lines.say_soon(&text, report.seconds),
            _ => self.lines.say(&text),
        }
    }

    fn every(&self) -> Option<u64> {
        self.every
    }
}

/// The value on one line, with what a terminal would obey in JSON's own spelling.
pub fn json_text(value: &Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        match visible(character.encode_utf8(&mut [0; 4])) {
            Cow::Borrowed(_) => text.push(character),
            Cow::Owned(_) => text.push_str(&format!("\\u{:04x}", u32::from(character))),
        }
    }
    text
}

fn end(trained: &Trained) -> Value {
    let mut value = json!({
        "event": "end",
        "reason": trained.reason.name(),
        "steps": trained.steps,
        "epochs": trained.epochs,
        "train": scores(&trained.last),
        "validation": trained.validation.as_ref().map(scores),
        "seconds": trained.seconds,
    });
    if let Some(exchanges) = &trained.exchanges {
        let Exchanges { ranks, waited, took, sent, .. } = exchanges;
        value["exchanges"] = json!({ "ranks": ranks, "waited": waited, "took": took, "sent": sent });
    }
    value
}

fn scores(scores: &Scores) -> Value {
    let mut value = Map::new();
    value.insert("loss".into(), json!(scores.loss()));
    if scores.losses.len() > 1 {
        value.insert("losses".into(), json!(scores.losses));
    }
    for (name, metric) in &scores.metrics {
        value.insert(name.to_string(), json!(metric));
    }
    Value::Object(value)
}

/// The elements in a row; what is not finite is null.
fn numbers(array: &Array) -> Value {
    match array.elements() {
        Elements::I32(values) => json!(values),
        Elements::I64(values) => json!(values),
        Elements::Bool(values) => json!(values),
        Elements::F32(_) | Elements::F64(_) | Elements::U8(_) => json!(array.to_f64()),
    }
}
