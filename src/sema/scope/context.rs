//! What expressions are elaborated for, at this place of the program: a value that is handed down to what is
//! elaborated within.
//!
//! An item begins with an [`ItemContext`]. Everything within it has a [`Context`] that is made of the one around by
//! the methods here, which permit less or give more, never the other way round: where `<-` takes no effect, it takes
//! none in whatever is elaborated there. Nobody sets a context and sets it back: [`within`] elaborates something in
//! another one, and the present one holds again afterwards, however that ends.

use crate::base::Span;
use crate::ir::program::{Date, Source, Summary, TextUnits, is_below};
use crate::ir::{Dim, StepId, Type};
use crate::sema::value::{Tensor, Value};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a graph is one of training, from what permits most to what permits least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Mode {
    /// Training, and `<-` takes effect.
    Training,
    /// Training, and `<-` takes no effect: a metric of the batch that is trained on.
    Watching,
    /// The compile-time bool `training` is false, and `<-` takes no effect.
    #[default]
    Evaluation,
}

/// What a call of a model does that was called with these tensors before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ModelCalls {
    /// It gives what is remembered of the call before: a `measure` shares calls with the first loss.
    #[default]
    Shared,
    /// It calls anew, and is remembered: two calls of a network with dropout are two draws.
    Remembered,
}

/// How much is known of sizes, from much to little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Sizes {
    /// What a program runs with.
    #[default]
    Known,
    /// A body is only looked at: what its types leave open stays open, parameters may have open shapes, and errors
    /// are not told with the calls that led to them.
    Open,
    /// As `Open`, and sizes that may become equal are taken for equal: nobody has chosen them yet.
    Unchosen,
}

#[derive(Clone, Debug)]
pub struct Context {
    mode: Mode,
    model_calls: ModelCalls,
    sizes: Sizes,
    step: Option<Value>,
    plateaus: Option<Value>,
    last_step: u64,
    updating: Option<Arc<str>>,
    line_loss: Option<Arc<LineLoss>>,
    draw_path: Option<Arc<str>>,
    trial: Option<Trial>,
    row: Option<Arc<Row>>,
    taken_at: Option<Arc<TakenAt>>,
    /// Layers and parameters that a training leaves as they are, by the beginnings of their paths.
    frozen: Arc<[String]>,
    /// Whether a training is at work, so that there is a step and an epoch.
    is_at_work: bool,
}

/// The context in which an item begins: nothing of the one around holds there.
#[derive(Clone, Debug)]
pub struct ItemContext(Context);

impl ItemContext {
    /// What is no training: data, `print`, settings.
    pub fn file() -> ItemContext {
        ItemContext::of(Mode::Evaluation, 1)
    }

    /// What a training shows while it is at work.
    pub fn interval() -> ItemContext {
        ItemContext(Context { is_at_work: true, ..ItemContext::file().0 })
    }

    /// A training that is sure to reach this step, as far as is known.
    pub fn training(last_step: u64) -> ItemContext {
        ItemContext::of(Mode::Training, last_step)
    }

    fn of(mode: Mode, last_step: u64) -> ItemContext {
        ItemContext(Context {
            mode,
            model_calls: ModelCalls::default(),
            sizes: Sizes::default(),
            step: None,
            plateaus: None,
            last_step,
            updating: None,
            line_loss: None,
            draw_path: None,
            trial: None,
            row: None,
            taken_at: None,
            frozen: Arc::default(),
            is_at_work: false,
        })
    }

    /// Where a training leaves layers and parameters as they are, by the beginnings of their paths.
    pub fn freezing(self, parts: &[String]) -> ItemContext {
        ItemContext(Context { frozen: parts.into(), ..self.0 })
    }
}

/// What holds here.
impl Context {
    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn model_calls(&self) -> ModelCalls {
        self.model_calls
    }

    /// `step`, where it is given: in optimisers and schedules.
    pub fn step(&self) -> Option<&Value> {
        self.step.as_ref()
    }

    /// How many plateaus there were, where the rates of optimisers are made.
    pub fn plateaus(&self) -> Option<&Value> {
        self.plateaus.as_ref()
    }

    /// A step that the training is sure to reach.
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// The parameter whose update is being made.
    pub fn updated_parameter(&self) -> Option<&Arc<str>> {
        self.updating.as_ref()
    }

    /// The path under which random numbers are drawn, if not that of the instance.
    pub fn draw_path(&self) -> Option<&Arc<str>> {
        self.draw_path.as_ref()
    }

    /// A hyperparameter that is being tried; see [`crate::sema::body::trials`].
    pub fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// The row of data that is being read, where a field of a `data` item is elaborated.
    pub fn row(&self) -> Option<&Arc<Row>> {
        self.row.as_ref()
    }

    /// The parameters that networks are taken at, in place of their own.
    pub fn taken_at(&self) -> Option<&Arc<TakenAt>> {
        self.taken_at.as_ref()
    }

    /// The loss of the line whose optimiser sees all parameters as one vector.
    pub fn line_loss(&self) -> Option<&Arc<LineLoss>> {
        self.line_loss.as_ref()
    }

    /// Whether a training is at work while this is shown.
    pub fn is_at_work(&self) -> bool {
        self.is_at_work
    }

    /// Whether a training leaves the instance or parameter of this path as it is.
    pub fn freezes(&self, path: &str) -> bool {
        self.frozen.iter().any(|part| is_below(path, part))
    }

    /// Whether parameters may have shapes with open sizes, because a body is looked at, not run.
    pub fn is_looking(&self) -> bool {
        self.sizes >= Sizes::Open
    }

    pub fn sizes_may_fit(&self) -> bool {
        self.sizes == Sizes::Unchosen
    }
}

/// Contexts for what is elaborated within. None of them permits what this one does not.
impl Context {
    /// Where what happens in training is only watched.
    pub fn watching(&self) -> Context {
        Context { mode: self.mode.max(Mode::Watching), ..self.clone() }
    }

    /// Where nothing is trained.
    pub fn evaluating(&self) -> Context {
        Context { mode: Mode::Evaluation, ..self.clone() }
    }

    /// Where calls of models are made anew and remembered.
    pub fn remembering_calls(&self) -> Context {
        Context { model_calls: ModelCalls::Remembered, ..self.clone() }
    }

    /// Where a body is looked at on open sizes, in evaluation mode. Sizes that nobody has chosen stay so.
    pub fn looking(&self) -> Context {
        let sizes = self.sizes.max(Sizes::Open);
        Context { mode: Mode::Evaluation, sizes, ..self.clone() }
    }

    /// Where sizes that may become equal are taken for equal.
    pub fn with_unchosen_sizes(&self) -> Context {
        Context { sizes: Sizes::Unchosen, ..self.clone() }
    }

    pub fn at_step(&self, step: Value) -> Context {
        Context { step: Some(step), ..self.clone() }
    }

    /// Where the arguments of optimisers are elaborated: `step` counts what changes parameters, at least so often.
    pub fn counting(&self, plateaus: Value, updates: u64) -> Context {
        Context { plateaus: Some(plateaus), last_step: self.last_step.min(updates), ..self.clone() }
    }

    /// Where the update of a parameter is made.
    pub fn updating(&self, parameter: Arc<str>) -> Context {
        Context { updating: Some(parameter), ..self.clone() }
    }

    /// Where an optimiser may ask for the loss of its line at other parameters.
    pub fn minimising(&self, loss: Arc<LineLoss>) -> Context {
        Context { line_loss: Some(loss), ..self.clone() }
    }

    /// Where the loss of a line is made: as in training, but `<-` takes no effect, and it is that of no optimiser.
    pub fn of_loss(&self) -> Context {
        Context { line_loss: None, updating: None, ..self.watching() }
    }

    /// Where the starting value of a variable is made.
    pub fn drawing_for(&self, variable: Arc<str>) -> Context {
        Context { draw_path: Some(variable), ..self.clone() }
    }

    pub fn trying(&self, trial: Trial) -> Context {
        Context { trial: Some(trial), ..self.clone() }
    }

    /// Where networks are taken at given parameters.
    pub fn at(&self, taken: Arc<TakenAt>) -> Context {
        Context { taken_at: Some(taken), ..self.clone() }
    }

    /// Where a field of a `data` item is elaborated.
    pub fn reading(&self, row: Row) -> Context {
        Context { row: Some(Arc::new(row)), ..self.clone() }
    }

    /// Where the training part alone is read, for statistics; `step` counts its rows.
    pub fn in_training_rows(&self, step: StepId) -> Context {
        self.with_row(|row| Row { step, rows: row.training_rows.clone(), training_only: true, ..row })
    }

    /// Where all rows are read beside those that are read around; `step` counts them.
    pub fn in_rows_counted_by(&self, step: StepId) -> Context {
        self.with_row(|row| Row { step, ..row })
    }

    /// Where values may be missing in what is read.
    pub fn with_gaps(&self) -> Context {
        self.with_row(|row| Row { may_miss: true, ..row })
    }

    /// Where points in time are read.
    pub fn of_dates(&self, date: Date) -> Context {
        self.with_row(|row| Row { date: Some(date), ..row })
    }

    /// Where texts are read.
    pub fn of_texts(&self, units: TextUnits) -> Context {
        self.with_row(|row| Row { text: Some(units), ..row })
    }

    /// Where names are read of which some have a class: which, if the program says it.
    pub fn of_categories(&self, names: Option<Vec<String>>) -> Context {
        self.with_row(|row| Row { category: Some(names), ..row })
    }

    /// Where what stands for the rows of the training part is read in place of the rows.
    pub fn summarising(&self, summary: Summary) -> Context {
        self.with_row(|row| Row { summary: Some(summary), ..row })
    }

    fn with_row(&self, change: impl FnOnce(Row) -> Row) -> Context {
        let row = self.row.as_deref().map(|row| Arc::new(change(row.clone())));
        Context { row, ..self.clone() }
    }
}

/// The present context, which only this file changes.
#[derive(Debug)]
pub struct Present(Context);

impl Default for Present {
    fn default() -> Present {
        Present(ItemContext::file().0)
    }
}

impl std::ops::Deref for Present {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.0
    }
}

/// Elaborates something in another context.
pub fn within<Room: AsMut<Present>, R>(
    cx: &mut Room,
    context: Context,
    elaborate: impl FnOnce(&mut Room) -> R,
) -> R {
    let around = std::mem::replace(&mut cx.as_mut().0, context);
    let result = elaborate(cx);
    cx.as_mut().0 = around;
    result
}

/// Elaborates an item, wherever it is asked for.
pub fn in_item<Room: AsMut<Present>, R>(
    cx: &mut Room,
    ItemContext(context): ItemContext,
    elaborate: impl FnOnce(&mut Room) -> R,
) -> R {
    within(cx, context, elaborate)
}

/// The row of a `data` item that is being read.
#[derive(Clone, Debug)]
pub struct Row {
    pub set: Arc<str>,
    /// The field that is elaborated.
    pub field: Arc<str>,
    pub source: Source,
    /// The counter of the rows, and how many there are.
    pub step: StepId,
    pub rows: Dim,
    /// The free dimension that is the number of rows of the training part.
    pub training_rows: Dim,
    /// Whether the training part alone is read.
    pub training_only: bool,
    /// Whether values may be missing.
    pub may_miss: bool,
    /// What of points in time is read.
    pub date: Option<Date>,
    /// What texts are taken apart into.
    pub text: Option<TextUnits>,
    /// Whether names are read of which some have a class: which, if the program says it.
    pub category: Option<Option<Vec<String>>>,
    /// What stands for the rows of the training part, if not the rows are read.
    pub summary: Option<Summary>,
}

/// The parameters that an expression is taken at, in place of those that its networks have.
#[derive(Debug)]
pub struct TakenAt {
    pub tensors: HashMap<Arc<str>, Tensor>,
    /// The path of the instance that they belong to.
    pub root: Arc<str>,
    pub was_read: AtomicBool,
    /// Of an `at` around this one.
    pub outer: Option<Arc<TakenAt>>,
}

impl TakenAt {
    /// What a parameter is worth here, if a set gives it.
    pub fn value(&self, path: &str) -> Option<Tensor> {
        match self.tensors.get(path) {
            Some(tensor) => {
                self.was_read.store(true, Ordering::Relaxed);
                Some(tensor.clone())
            }
            None => self.outer.as_ref()?.value(path),
        }
    }

    /// Whether the parameters of the instance of this path are given.
    pub fn covers(&self, path: &str) -> bool {
        *self.root == *path || self.outer.as_ref().is_some_and(|outer| outer.covers(path))
    }
}

/// The loss of a `minimize` line, which its optimiser may ask for at other parameters.
#[derive(Clone, Debug)]
pub struct LineLoss {
    pub line: ast::Minimize,
    /// Where the training begins.
    pub keyword: Span,
    /// How many frames were open where the line stands.
    pub n_frames: usize,
    /// The parameters that the optimiser sees as one vector, with their types.
    pub of: Arc<[(Arc<str>, Type)]>,
}

/// A hyperparameter that is given to one call besides what stands there.
#[derive(Clone, Debug)]
pub struct Trial {
    pub call: Span,
    pub name: Arc<str>,
    pub value: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elaborated_within_permits_no_more() {
        let begin = |mode| ItemContext::of(mode, 1).0;
        let mut contexts: Vec<Context> =
            [Mode::Training, Mode::Watching, Mode::Evaluation].map(begin).to_vec();
        for _ in 0..3 {
            let within = |context: &Context| {
                [
                    context.watching(),
                    context.evaluating(),
                    context.remembering_calls(),
                    context.looking(),
                    context.with_unchosen_sizes(),
                    context.at_step(Value::int(1)),
                    context.updating("w".into()),
                    context.drawing_for("w".into()),
                ]
            };
            let inner = contexts.iter().flat_map(|outer| {
                let inner = within(outer);
                for inner in &inner {
                    assert!(inner.mode >= outer.mode && inner.sizes >= outer.sizes);
                }
                inner
            });
            contexts = inner.collect();
        }
    }
}
