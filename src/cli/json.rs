//! `nnc run --events json`: one JSON object a line.

use serde_json::{Map, Value, json};

use super::lines::Lines;
use crate::base::SourceMap;
use crate::base::render::to_json;
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Event, Observer, Scores};

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
            Event::End(trained) => json!({
                "event": "end",
                "reason": trained.reason.name(),
                "steps": trained.steps,
                "epochs": trained.epochs,
                "train": scores(&trained.last),
                "validation": trained.validation.as_ref().map(scores),
                "seconds": trained.seconds,
            }),
            Event::Print(text) => json!({ "event": "print", "text": text }),
            Event::Plot(chart) => {
                let columns: Map<String, Value> =
                    chart.columns.iter().map(|(name, array)| (name.to_string(), numbers(array))).collect();
                json!({ "event": "plot", "title": chart.title, "series": chart.series, "columns": columns })
            }
            Event::Warning(diagnostic) => {
                json!({ "event": "warning", "diagnostic": to_json(diagnostic, &self.sources) })
            }
        };
        match event {
            Event::Step(_) => self.lines.say_soon(&value.to_string(), 0.0),
            Event::Epoch(report) => self.lines.say_soon(&value.to_string(), report.seconds),
            _ => self.lines.say(&value.to_string()),
        }
    }

    fn every(&self) -> Option<u64> {
        self.every
    }
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
        Elements::Bool(values) => json!(values),
        Elements::F32(_) | Elements::F64(_) | Elements::U8(_) => json!(array.to_f64()),
    }
}
