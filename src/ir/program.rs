//! A checked program: the contract between `sema/`, which makes it, and `compile/` and `runtime/`, which run it.
//!
//! Everything that computes is a [`Graph`]; the rest says where its inputs come from and where its outputs go.
//! Keys tie them together ([`InputKey`](super::InputKey), [`OutputKey`](super::OutputKey)):
//!
//! All graphs are forward graphs: nothing in a program is differentiated yet but what its text differentiates
//! itself, by `grad`. The pipeline after the checker makes a step of training out of the lines of a `train`.
//!
//! - the graph of a line or of an evaluation has an [`Op::Input`](super::Op::Input) for each data field it uses
//!   (`image: [batch, 64]`), and `step` (int, 1 for the first update);
//! - any graph may have one for a whole column (`digits.test.image`), whose first axis is the symbolic dimension
//!   `digits.test.rows`;
//! - `Op::Param` and `Op::State` name variables by path; an output `param:PATH` or `state:PATH` is the new
//!   value of that variable.

mod data;
mod declared;
mod plot;
mod start;
mod sweep;

pub use data::{
    Bound, DataRef, DataSet, Date, DateOrder, DatePart, Division, Field, Fit, Folds, OTHER, Part, Select, Source,
    PADDING, SourceColumn, Summary, TableFormat, TextUnit, TextUnits, UNKNOWN, Windows,
};
pub use declared::Declared;
pub use plot::{Plot, PlotKind};
pub use start::{StartFile, is_below};
pub use sweep::{Axis, RangeError, Sweep, Values};

use super::affine::StepId;
use super::dim::{Dim, DimError, Sizes};
use super::graph::{Graph, NodeId};
use super::keys::OutputKey;
use super::types::Type;
use crate::base::Span;
use std::sync::Arc;

/// The symbolic dimension that is the number of rows of a batch.
pub const BATCH: &str = "batch";

/// The state that counts the plateaus of a training.
pub const PLATEAUS: &str = "plateaus";

/// The symbolic dimension that is the number of rows that a `whole` metric is computed over.
pub const ROWS: &str = "rows";

/// The input that is the number of the epoch, from 1, in what is shown while a training is at work.
pub const EPOCH: &str = "epoch";

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Precision {
    #[default]
    F32,
    F64,
}

impl Precision {
    /// Bytes of a float.
    pub fn bytes(self) -> usize {
        match self {
            Precision::F32 => 4,
            Precision::F64 => 8,
        }
    }
}

/// A program whose trainings are `S`: [`Forward`] as the checker leaves them, [`Step`] once they are differentiated.
#[derive(Clone, Debug)]
pub struct Program<S = Step> {
    pub precision: Precision,
    /// Parameters of all models, in order of creation. Their types are static.
    pub params: Vec<Variable>,
    /// States of all models (running statistics).
    pub states: Vec<Variable>,
    /// Starting values: an output for each path in `params` and `states`; its only input is `seed`-dependent
    /// randomness.
    pub init: Graph,
    /// The seed of `init`: that of the first `train`.
    pub seed: u64,
    pub data: Vec<DataSet>,
    pub models: Vec<Model>,
    /// `train`, `print`, `expect`, `plot` and `generate`, in the order written.
    pub actions: Vec<Action<S>>,
    /// Conditions that are checked before code is generated for given sizes.
    pub requirements: Vec<Requirement>,
    /// What `nnc sweep` tries.
    pub sweep: Option<Sweep>,
}

impl<S> Program<S> {
    pub fn trainings(&self) -> impl Iterator<Item = &Train<S>> {
        self.actions.iter().filter_map(|action| match action {
            Action::Train(train) => Some(&**train),
            Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_) => None,
        })
    }
}

impl<S> Program<S> {
    /// Whether anything of it draws a picture.
    pub fn draws(&self) -> bool {
        self.actions.iter().any(|action| match action {
            Action::Plot(_) => true,
            Action::Train(train) => {
                let mut shown = train.intervals.iter().flat_map(|interval| &interval.shown);
                shown.any(|shown| matches!(shown, Shown::Plot(_)))
            }
            Action::Print(_) | Action::Expect(_) | Action::Generate(_) => false,
        })
    }
}

impl<S> Default for Program<S> {
    fn default() -> Program<S> {
        Program {
            precision: Precision::default(),
            params: Vec::new(),
            states: Vec::new(),
            init: Graph::new(),
            seed: 0,
            data: Vec::new(),
            models: Vec::new(),
            actions: Vec::new(),
            requirements: Vec::new(),
            sweep: None,
        }
    }
}

/// A condition on sizes that waits until the symbolic dimensions in it have their numbers: a subscript that was
/// not proven to lie within its axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Requirement {
    /// Must not be negative.
    pub value: Dim,
    pub span: Span,
    /// What is wrong if it does not hold.
    pub message: String,
}

impl Requirement {
    /// Whether these sizes break it. A size that is not given breaks nothing.
    pub fn is_broken_by(&self, sizes: &Sizes) -> bool {
        match self.value.evaluate(sizes) {
            Ok(value) => value < 0,
            Err(DimError::Unbound(_)) => false,
            Err(DimError::NotWhole(..) | DimError::Negative(_) | DimError::TooLarge) => true,
        }
    }
}

/// A tensor that lives from step to step.
#[derive(Clone, Debug)]
pub struct Variable {
    pub path: Arc<str>,
    pub ty: Type,
    pub frozen: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub name: Arc<str>,
    pub inputs: Vec<(Arc<str>, Type)>,
    /// What ints in the inputs must lie in, by input: declared, or asked for by a subscript.
    pub bounds: Vec<(Arc<str>, Bound)>,
    /// In evaluation mode: inputs by name, outputs `0`, `1`, … in order of the result. `None` if a size that
    /// fixes a parameter's shape is open because nothing calls the model.
    pub forward: Option<Graph>,
    /// The layer instances in order of call, for summaries.
    pub layers: Vec<LayerSummary>,
}

#[derive(Clone, Debug)]
pub struct LayerSummary {
    /// `fc1`, `blocks.0.attn`; empty for the model itself.
    pub path: Arc<str>,
    /// The layer's name (`Linear`).
    pub layer: Arc<str>,
    pub output: Vec<Type>,
    /// Paths of the parameters that this instance itself declares.
    pub params: Vec<Arc<str>>,
    /// Multiplications followed by additions of one call for one row, children not counted, as a size.
    pub multiply_adds: Dim,
}

#[derive(Clone, Debug)]
pub enum Action<S = Step> {
    Train(Box<Train<S>>),
    Print(Print),
    Expect(Expect),
    Plot(Plot),
    Generate(Generate),
}

#[derive(Clone, Debug)]
pub struct Train<S = Step> {
    pub span: Span,
    pub data: DataRef,
    pub validate: Option<DataRef>,
    /// Data that each step draws rows of beside `data`.
    pub companions: Vec<Companion>,
    pub batch: usize,
    /// Where `batch` is set, if it is.
    pub batch_span: Option<Span>,
    /// Into how many parts the rows of a batch are divided, each summed by itself, and where that is set.
    pub shards: Option<(usize, Span)>,
    pub length: Length,
    pub seed: u64,
    pub shuffle: bool,
    /// Stop after so many epochs that are no better.
    pub patience: Option<usize>,
    /// What epochs are judged by.
    pub judged: Judged,
    /// Whether the parameters of the best epoch are taken at the end.
    pub keep_best: bool,
    /// So many steps are an epoch for scores, validation and `patience`, if not all rows once.
    pub validate_every: Option<u64>,
    /// Parameters change after so many steps, by the mean of their gradients.
    pub accumulate: Option<(u64, Span)>,
    /// So many epochs that are no better are a plateau, which schedules count.
    pub plateau: Option<usize>,
    /// Layers and parameters that stay as they are, by the beginnings of their paths.
    pub frozen: Vec<String>,
    pub init: Option<StartFile>,
    /// Whether what it trains begins with starting values that are drawn anew.
    pub anew: bool,
    /// What is carried out while it trains.
    pub intervals: Vec<Interval>,
    /// What is looked at in the values of the data before the first step.
    pub advice: Vec<ValueAdvice>,
    /// Carried out one after the other in each step.
    pub lines: Vec<Line>,
    /// All losses and metrics in evaluation mode, for `validate`: outputs `loss:K`, `metric:NAME`, `whole:NAME:K`.
    pub evaluate: Option<Graph>,
    pub metrics: Vec<Metric>,
    pub step: S,
    /// Fields of the data that the lines or `evaluate` read.
    pub fields: Vec<Arc<str>>,
    /// What the models give where the losses of `evaluate` call them, in order of the calls.
    pub answers: Vec<Answer>,
}

/// `every 10 epochs { … }`: what is carried out after so many epochs or steps each.
#[derive(Clone, Debug)]
pub struct Interval {
    pub every: Length,
    /// `print`, `expect`, `plot` and `generate`. Their graphs may have the inputs `step` and `epoch`.
    pub shown: Vec<Shown>,
    pub span: Span,
}

/// What shows something of the parameters as they are.
#[derive(Clone, Debug)]
pub enum Shown {
    Print(Print),
    Expect(Expect),
    Plot(Plot),
    Generate(Generate),
}

/// Data of which each step of a training draws rows of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Companion {
    /// What the training calls it.
    pub name: Arc<str>,
    pub data: DataRef,
    /// Rows of each batch; if it is none, as many as the batch of the training's own data has.
    pub batch: Option<usize>,
    /// Whether rows come in a new permutation each time that all were drawn.
    pub shuffle: bool,
    /// The fields that the lines or `evaluate` read.
    pub fields: Vec<Arc<str>>,
    pub span: Span,
}

/// A condition on values of the data, which a body advises: `advise y >= 0, "…"`.
#[derive(Clone, Debug)]
pub struct ValueAdvice {
    /// Of fields of a batch; its output `holds` is true where the condition holds.
    pub graph: Graph,
    pub span: Span,
    /// What is wrong if it does not hold.
    pub message: String,
}

/// What epochs are judged by: scores of the validation, or of the training without one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    /// A metric; the loss if it is none.
    pub by: Option<Arc<str>>,
    /// Whether more of it is better.
    pub greatest: bool,
}

/// What a model gives where a loss calls it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub model: Arc<str>,
    /// The number of the `minimize` line whose loss calls it.
    pub line: u32,
    /// The results of the call, nodes of [`Train::evaluate`].
    pub results: Vec<NodeId>,
}

/// What the checker knows of the step of a training beside its lines.
#[derive(Clone, Debug, Default)]
pub struct Forward {
    /// States of the optimisers, and their starting values as outputs by path.
    pub states: Vec<OptimizerState>,
    pub init: Graph,
    /// `Teacher <- …`, in order.
    pub assignments: Vec<Assignment>,
}

/// Parameters that a line of a training computes of others.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// How many `minimize` lines are carried out before it.
    pub after: usize,
    /// The new values, as outputs `param:PATH`.
    pub graph: Graph,
}

/// A state of an optimiser.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    /// The number of the `minimize` line.
    pub line: usize,
    /// What it belongs to: one parameter, or all that the optimiser sees as one vector.
    pub parameters: Vec<Arc<str>>,
    /// Called `0:fc1.weight.m`: line, parameter, state.
    pub variable: Variable,
}

/// The step of a training with gradients and updates.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// All lines in order. Outputs: `loss:K` of line K, `metric:NAME`, `whole:NAME:K`, `param:PATH`, `state:PATH`.
    pub graph: Graph,
    /// Of each line, the parameters that it changes: those that the loss has a gradient by.
    pub trained: Vec<Vec<Arc<str>>>,
    /// The parameters that other lines compute: `Teacher <- …`.
    pub assigned: Vec<Arc<str>>,
    /// States of the optimisers, and their starting values as outputs by path.
    pub states: Vec<Variable>,
    pub init: Graph,
}

impl Step {
    /// Whether a line changes this parameter.
    pub fn trains(&self, path: &Arc<str>) -> bool {
        self.trained.iter().any(|line| line.contains(path)) || self.assigned.contains(path)
    }
}

/// A `minimize` line: what is minimised, by which parameters, and how these are updated.
#[derive(Clone, Debug)]
pub struct Line {
    pub span: Span,
    /// The loss as it is written.
    pub loss_span: Span,
    /// The loss, in training mode. Parameters and states are what the lines before have made of them. Outputs:
    /// `loss:K`, and the states that the loss updates; of the first line also `metric:NAME` for the metrics of a
    /// batch and `whole:NAME:K` for the arguments of whole metrics.
    pub forward: Graph,
    /// The loss in that graph.
    pub loss: NodeId,
    /// What the loss is computed from, as the text calls it.
    pub values: Vec<NamedValue>,
    /// The calls of functions that declare their derivatives.
    pub declared: Vec<Declared>,
    /// Paths of the parameters that the loss is differentiated by, none of them frozen.
    pub over: Vec<Arc<str>>,
    /// How the gradients are limited before the optimiser sees them, in this order.
    pub clips: Vec<Clip>,
    /// The optimiser: `param:PATH` and the optimiser's `state:PATH` out of the parameter, its gradient (the input
    /// `gradient:PATH`), the optimiser's states and the step. Its settings may use what the loss uses.
    pub update: Graph,
}

/// A limit on gradients.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clip {
    pub by: ClipBy,
    pub limit: f64,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClipBy {
    /// Each element lies between the negative limit and the limit.
    Value,
    /// All gradients of a line together have at most this Euclidean norm.
    Norm,
}

/// A value that the text of the program gives a name to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedValue {
    pub node: NodeId,
    /// If it is computed in the body of a scan: that scan. `node` is one of the body's.
    pub within: Option<StepId>,
    /// The instance in whose body it stands.
    pub path: Arc<str>,
    pub name: ValueName,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueName {
    /// `h = …`, or the carry of a scan.
    Binding(Arc<str>),
    /// The result of calling the instance `path`.
    Instance,
    /// The result of a function of one tensor: `tanh(of)`.
    Call { function: Arc<str>, of: NodeId },
}

#[derive(Clone, Debug)]
pub struct Metric {
    pub name: Arc<str>,
    pub span: Span,
    /// For a metric computed once an epoch: inputs `0`, `1`, … (the gathered arguments, first axis the free
    /// dimension `rows`), output `value`. `None` for a metric averaged over batches.
    pub whole: Option<Graph>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    Epochs(u64),
    Steps(u64),
}

#[derive(Clone, Debug)]
pub struct Print {
    pub span: Span,
    pub graph: Graph,
    pub parts: Vec<PrintPart>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrintPart {
    Text(String),
    /// An output of the graph.
    Value(OutputKey),
}

#[derive(Clone, Debug)]
pub struct Expect {
    pub span: Span,
    /// Outputs: `holds` (bool, any shape); for a comparison also `left` and `right`.
    pub graph: Graph,
    /// The condition as the user wrote it.
    pub condition: String,
    pub message: Vec<PrintPart>,
}

/// A text that a model continues, one character at a time (autoregressive sampling).
#[derive(Clone, Debug)]
pub struct Generate {
    pub span: Span,
    /// The data set whose text gives the characters their numbers.
    pub data: Arc<str>,
    pub prompt: String,
    pub prompt_span: Span,
    /// How many characters are added.
    pub length: usize,
    /// `None`: that of the program.
    pub seed: Option<u64>,
    /// How many characters the model sees.
    pub window: usize,
    /// Whether the model scores what follows each character; otherwise only what follows the last.
    pub scores_each: bool,
    /// How many characters it scores.
    pub classes: usize,
    /// Inputs `characters` (`int[1, window]`) and `place` (int), the last of them that counts; outputs `next`
    /// (int) and `scores` (`[classes]`).
    pub graph: Graph,
}
