//! Which tensor was the first to be NaN or infinite.
//!
//! The step that went bad has changed the parameters already, so the tensors of a moment before are kept
//! (sharing memory with what does not change). From there the steps are repeated, and the bad one is carried
//! out once more with every tensor of its forward pass as a result.

use std::sync::Arc;

use super::Progress;
use crate::base::{SourceMap, Span};
use crate::ir::program::{BATCH, Train};
use crate::ir::{Dim, Elem, Graph, InputKey, NodeId, Op, OutputKey, Phase, Sizes};
use crate::runtime::array::{Array, Elements, shape_text};
use crate::runtime::call::Moment;
use crate::runtime::data::Table;
use crate::runtime::memory::Cell;
use crate::runtime::report::training::TrainError;
use crate::runtime::session::{Session, Tensors};

/// How many steps may have to be repeated.
pub const KEEP_EVERY: u64 = 256;
/// Above this many numbers nothing is kept: copies would cost time and memory.
const KEEP_AT_MOST: usize = 1 << 24;

/// A moment when all was well: its tensors, and where the training was.
pub struct Safe {
    pub progress: Progress,
    tensors: Vec<(Cell, Arc<Array>)>,
}

impl Safe {
    /// None if the tensors are too large to be kept.
    pub fn keep(session: &Session, train: &Train, progress: &Progress) -> Option<Safe> {
        let checked = session.program.checked();
        let all = checked.params.iter().chain(&checked.states).chain(&train.step.states);
        let tensors: Vec<(Cell, Arc<Array>)> = all
            .filter_map(|variable| session.memory.find(&variable.path))
            .map(|cell| (cell, session.memory.shared(cell)))
            .collect();
        let count: usize = tensors.iter().map(|(_, array)| array.elements().len()).sum();
        (count <= KEEP_AT_MOST).then(|| Safe { progress: progress.clone(), tensors })
    }

    pub fn step(&self) -> u64 {
        self.progress.step
    }

    pub fn restore(&self, session: &mut Session) {
        self.tensors.iter().for_each(|(cell, array)| session.memory.set(*cell, Arc::clone(array)));
    }
}

/// The error that names a tensor that went bad; the step is the one that made it so, if that is known.
pub fn variable_error(train: &Train, bad: &Bad, step: Option<u64>) -> TrainError {
    let at = train.lines.first().map_or(train.span, |line| line.span);
    let Bad { name, element, value } = bad.clone();
    TrainError::BadVariable { name, element, value, step, at }
}

/// The error that names the step and the loss.
pub fn loss_error(train: &Train, step: u64, line: usize, loss: f64) -> TrainError {
    let at = train.lines.get(line).map_or(train.span, |line| line.span);
    TrainError::BadLoss { step, loss, at }
}

/// The computation that is looked into: of a step, or of a validation, which has no number.
pub struct Looked<'a> {
    pub graph: &'a Graph,
    pub table: &'a Table,
    pub rows: &'a [u32],
    /// The fields of companions.
    pub drawn: Tensors,
    pub sizes: &'a Sizes,
    pub step: Option<u64>,
}

/// What is said of the first tensor of a computation on some rows that has a number that is not finite, or is NaN.
pub fn first_bad(session: &mut Session, train: &Train, looked: Looked<'_>) -> Option<String> {
    let Looked { graph: computation, table, rows, drawn, sizes, step } = looked;
    if let Some(bad) = bad_variable(session, train) {
        return Some(format!("`{}` was bad before the step: element {}", bad.name, bad.element));
    }
    let (graph, shown) = forward_values(computation);
    let mut sizes = sizes.clone();
    sizes.insert(BATCH.into(), Dim::from(rows.len()));
    let number = step.map_or(0, |step| step as u32 + 1);
    let mut inputs = session.batch_inputs(&graph, table, rows, &sizes, number).ok()?;
    inputs.extend(drawn);
    for name in table.fields.keys() {
        let array = inputs.get(&InputKey::Field(name.clone()))?;
        if let Some(at) = first_not_finite(array, false) {
            let row = rows.get(at / array.row_len().max(1))?;
            return Some(format!("the data has it: `{name}` of row {row}"));
        }
    }
    let moment = Moment { seed: train.seed, step: number };
    let values = session.evaluate_once(&graph, &sizes, moment, &inputs, train.span).ok()?;
    // Infinities may be meant (masks), so a NaN is named first, and an infinity only without one.
    let find = |only_nan: bool| {
        shown.iter().find(|(name, _)| {
            values.get(name).is_some_and(|array| first_not_finite(array, only_nan).is_some())
        })
    };
    let (name, id) = find(true).or_else(|| find(false))?;
    let node = &graph[*id];
    let value = values.get(name)?;
    let at = first_not_finite(value, false)?;
    let number = value.to_f64()[at];
    let owner = node.origin.path.as_ref().map(|path| format!(" in `{path}`")).unwrap_or_default();
    let shape = shape_text(value.shape());
    let place = place_text(session.program.sources(), node.origin.span);
    Some(format!("the first tensor that went bad is {shape}{owner}: element {at} is {number}{place}"))
}

fn place_text(sources: &SourceMap, span: Span) -> String {
    let Some((_, file)) = sources.files().find(|(id, _)| *id == span.file) else { return String::new() };
    let (line, column) = sources.line_column(span.file, span.start);
    let text = sources.text(span).lines().next().unwrap_or_default().trim();
    format!(", computed by `{text}` at {}:{line}:{column}", file.name)
}

/// A parameter or state with a number that is none.
#[derive(Clone, PartialEq, Debug)]
pub struct Bad {
    pub name: Arc<str>,
    pub element: usize,
    pub value: f64,
}

/// The first parameter that training has made NaN or infinite, or state that is NaN: states may begin with
/// infinities, as the least value so far does.
pub fn bad_variable(session: &Session, train: &Train) -> Option<Bad> {
    let checked = session.program.checked();
    let all = checked.params.iter().chain(&checked.states).chain(&train.step.states);
    all.into_iter().find_map(|variable| {
        let array = session.memory.get(session.memory.find(&variable.path)?);
        let is_trained = train.step.trains(&variable.path);
        let element = first_not_finite(array, !is_trained)?;
        Some(Bad { name: variable.path.clone(), element, value: array.to_f64()[element] })
    })
}

/// The graph with every float tensor of the forward pass as an output, in order.
fn forward_values(step: &Graph) -> (Graph, Vec<(OutputKey, NodeId)>) {
    let mut graph = step.clone();
    let losses: Vec<NodeId> = step
        .outputs
        .iter()
        .filter(|output| matches!(output.name, OutputKey::Loss(_)))
        .map(|output| output.node)
        .collect();
    let needed = step.reachable(losses);
    graph.outputs.clear();
    let mut shown = Vec::new();
    for (id, node) in step.nodes() {
        let computed = matches!(node.op, Op::Loop(_) | Op::Result(_));
        if needed[id.0 as usize]
            && computed
            && node.ty.elem == Elem::Float
            && node.origin.phase == Phase::Forward
        {
            let name = OutputKey::named(format!("value:{}", id.0));
            graph.output(name.clone(), id);
            shown.push((name, id));
        }
    }
    (graph, shown)
}

/// The first element that is NaN, or infinite where that counts.
pub fn first_not_finite(array: &Array, only_nan: bool) -> Option<usize> {
    match array.elements() {
        Elements::F32(values) if only_nan => first(values, |value| value.is_nan()),
        Elements::F32(values) => first(values, |value| !value.is_finite()),
        Elements::F64(values) if only_nan => first(values, |value| value.is_nan()),
        Elements::F64(values) => first(values, |value| !value.is_finite()),
        Elements::I32(_) | Elements::I64(_) | Elements::U8(_) | Elements::Bool(_) => None,
    }
}

/// The first place where something holds. Whole blocks are asked without branches, which vectors can do.
fn first<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Option<usize> {
    const BLOCK: usize = 1 << 12;
    let blocks = &mut values.chunks(BLOCK).enumerate();
    let (number, block) =
        blocks.find(|(_, block)| block.iter().fold(false, |found, value| found | holds(*value)))?;
    block.iter().position(|value| holds(*value)).map(|at| number * BLOCK + at)
}
