//! `print`, `expect` and `plot`: graphs over whole columns, with the parameters as they are.

use std::sync::Arc;

use super::array::{Array, Elements};
use super::call::Moment;
use super::events::{Chart, Event, Observer, Trained};
use super::format::array_text;
use super::program::Part;
use super::report::programs::{NotExpected, Untrained};
use super::session::{Results, Session, Tensors};
use super::generate;
use crate::base::{Diagnostic, Span};
use crate::ir::program::{Action, EPOCH, Expect, Plot, Print, PrintPart, Shown};
use crate::ir::{Graph, InputKey, Op, OutputKey, Sizes};

/// How the actions of a program came out so far.
#[derive(Default)]
pub(super) struct Came {
    pub failures: Vec<Diagnostic>,
    /// Of the last training.
    pub last: Option<Trained>,
}

/// What a `print` prints, without a line end.
///
/// # Errors
/// If data cannot be read, or a size does not come out.
pub fn print(session: &mut Session, at: At, item: &Print) -> Result<String, Diagnostic> {
    let values = evaluate(session, at, &item.graph, item.span)?;
    Ok(text_of(&item.parts, &values))
}

/// # Errors
/// E0724 if the condition does not hold everywhere, with both sides; as [`print`].
pub fn expect(session: &mut Session, at: At, item: &Expect) -> Result<(), Diagnostic> {
    let values = evaluate(session, at, &item.graph, item.span)?;
    let Some(Elements::Bool(holds)) = values.get(&"holds".into()).map(Array::elements) else { return Ok(()) };
    let Some(first) = holds.iter().position(|holds| !holds) else { return Ok(()) };
    let message = text_of(&item.message, &values);
    let what = if message.is_empty() { item.condition.clone() } else { message };
    let sides = ["left", "right"].into_iter();
    let sides = sides.filter_map(|side| values.get(&side.into()).map(|array| labelled(side, array)));
    let wrong = holds.iter().filter(|holds| !**holds).count();
    let (elements, sides, at) = (holds.len(), sides.collect(), item.span);
    Err(NotExpected { what, elements, wrong, first, sides, at }.into())
}

/// The numbers of a `plot`.
///
/// # Errors
/// As [`print`].
pub fn plot(session: &mut Session, at: At, item: &Plot) -> Result<Chart, Diagnostic> {
    let mut values = evaluate(session, at, &item.graph, item.span)?;
    let columns = item
        .graph
        .outputs
        .iter()
        .filter_map(|output| values.remove(&output.name).map(|array| (output.name.text(), array)));
    Ok(Chart {
        title: item.title.clone(),
        kind: item.kind,
        x_label: item.x_label.clone(),
        y_label: item.y_label.clone(),
        names: item.names.clone(),
        labels: item.labels.clone(),
        bins: item.bins,
        columns: columns.collect(),
        series: item.series.clone(),
    })
}

fn labelled(side: &str, array: &Array) -> String {
    let text = array_text(array);
    let indent = " ".repeat(side.len() + 2);
    format!("{side}: {}", text.replace('\n', &format!("\n{indent}")))
}

fn text_of(parts: &[PrintPart], values: &Results) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            PrintPart::Text(text) => out.push_str(text),
            PrintPart::Value(name) => {
                let text = values.get(name).map(array_text).unwrap_or_default();
                // The rows of a matrix stay under each other behind a text.
                let column = out.rsplit('\n').next().unwrap_or("").chars().count();
                out.push_str(&text.replace('\n', &format!("\n{}", " ".repeat(column))));
            }
        }
    }
    out
}

/// When something is shown, and which part of the program it is.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub part: Part,
    /// Of the training at work; 0 outside of trainings.
    pub step: u64,
    pub epoch: u64,
}

impl At {
    /// An action of the program.
    pub fn action(number: usize) -> At {
        At { part: Part::Shown(number), step: 0, epoch: 0 }
    }
}

/// Carries out a graph of which all inputs are whole columns, and the step and epoch of a training at work.
fn evaluate(session: &mut Session, at: At, graph: &Graph, span: Span) -> Result<Results, Diagnostic> {
    let moment = Moment { seed: session.program.checked().seed, step: at.step as u32 };
    let mut inputs = Tensors::new();
    if at.epoch > 0 {
        // Steps are fewer than 2^30, and so are epochs.
        for (key, number) in [(InputKey::Step, at.step), (InputKey::field(EPOCH), at.epoch)] {
            let number = Array::new(Vec::new(), Elements::I32(vec![number as i32]));
            inputs.extend(number.ok().map(|number| (key, Arc::new(number))));
        }
    }
    session.evaluate_graph(at.part, graph, &Sizes::new(), moment, &inputs, Some(span))
}

/// What a training shows while it is at work.
///
/// # Errors
/// As [`print`], [`expect`], [`plot`] and [`generate::generate`].
pub fn show(session: &mut Session, at: At, shown: &Shown, observer: &mut dyn Observer) -> Result<(), Diagnostic> {
    match shown {
        Shown::Print(item) => print(session, at, item).map(|text| observer.event(&Event::Print(&text))),
        Shown::Expect(item) => {
            let place = format!("in epoch {}, after step {} of the training", at.epoch, at.step);
            expect(session, at, item).map_err(|error| error.note(place))
        }
        Shown::Plot(item) => plot(session, at, item).map(|chart| observer.event(&Event::Plot(&chart))),
        Shown::Generate(item) => {
            generate::generate(session, at.part, item).map(|text| observer.event(&Event::Print(&text)))
        }
    }
}

/// Tells if what is shown depends on parameters that were drawn and are never trained, nor read from a file.
pub fn tell_untrained(session: &Session, graph: &Graph, span: Span) {
    if session.given {
        return;
    }
    let program = session.program.clone();
    let checked = program.checked();
    let is_trained = |path: &Arc<str>| {
        checked.actions.iter().any(|action| match action {
            Action::Train(train) => train.step.trains(path),
            _ => false,
        })
    };
    let is_frozen = |path: &Arc<str>| checked.params.iter().any(|param| param.path == *path && param.frozen);
    let is_drawn = |path: &Arc<str>| {
        let mut start = checked.init.clone();
        start.outputs.retain(|output| output.name == OutputKey::Named(path.clone()));
        start.draws_numbers()
    };
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let untrained = graph.nodes().find_map(|(id, node)| match &node.op {
        Op::Param { path, .. } if !needed[id.0 as usize] || is_frozen(path) || is_trained(path) => None,
        Op::Param { path, .. } => Some(path).filter(|path| is_drawn(path)),
        _ => None,
    });
    if let Some(path) = untrained {
        session.notices.add(Untrained { path: path.clone(), at: span });
    }
}
