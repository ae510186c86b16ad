//! Training: step after step until the end, with averages, validation, patience and a stop at bad numbers.
//!
//! | file | does |
//! |---|---|
//! | [`driver`] | series of steps, and what happens between them |
//! | [`members`] | the same, of several trainings at once |
//! | [`stack`] | tensors of several members as one |
//! | [`order`] | which rows each step takes |
//! | [`batch`] | the code for a batch size and its tensors |
//! | [`averages`] | losses and metrics over many batches |
//! | [`blame`] | which tensor went bad first |
//! | `watch` | numbers that are none, in data, parameters, states and scores |
//! | [`held`] | one batch, for measurements |
//! | [`portable`] | a training for whoever carries it out elsewhere |

mod advice;
pub mod averages;
pub mod batch;
pub mod blame;
mod driver;
pub mod held;
pub mod order;
pub mod portable;
pub mod stack;
mod watch;

pub use driver::members;

use std::sync::Arc;

use averages::Averages;
use batch::companions::{self, Before};
use batch::{Batch, Batches, some_rows};
use driver::Driver;
use order::Order;

use super::array::Array;
use super::call::Moment;
use super::data::{Rows, data_name};
use super::events::{Event, Observer, Scores, Silent, Start, Trained};
use super::program::Part;
use super::report::data::DataError;
use super::report::training::{ResumeError, TrainWarning};
use super::session::{Session, Tensors};
use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::ir::program::{Action, BATCH, DataRef, Length, Train, Variable};
use crate::ir::{Dim, Graph, InputKey, Node, NodeId, Op, OutputKey, Sizes};

/// Where a training is: all that the next step depends on beside parameters, states and optimiser states.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// The number of the action.
    pub action: usize,
    /// Steps taken.
    pub step: u64,
    /// Of the epoch that is not finished.
    pub averages: Averages,
    /// The least loss that patience has seen, and how many epochs ago.
    pub best: f64,
    pub waited: usize,
    /// How many epochs were no better since the best one, or since the last plateau.
    pub stalled: usize,
    /// Scores of the last epoch that was reported.
    pub last: (Scores, Option<Scores>),
    /// The parameters and states of the best epoch so far, if they are to be kept.
    pub kept: Option<Kept>,
    /// Those after the last step, if the best ones have taken their place.
    pub left: Values,
}

/// Parameters and states by path.
pub type Values = Vec<(Arc<str>, Arc<Array>)>;

/// The parameters and states of an epoch.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub epoch: u64,
    pub values: Values,
}

impl Progress {
    fn new(action: usize) -> Progress {
        Progress {
            action,
            step: 0,
            averages: Averages::default(),
            best: f64::INFINITY,
            waited: 0,
            stalled: 0,
            last: (Scores::default(), None),
            kept: None,
            left: Values::new(),
        }
    }
}

/// Carries out one `train`.
///
/// # Errors
/// If data cannot be read or has no rows, starting parameters do not fit, or a loss is not finite (E0723).
pub fn run(
    session: &mut Session,
    action: usize,
    train: &Train,
    observer: &mut dyn Observer,
) -> Result<Trained, Diagnostic> {
    let (table, rows) = session.rows(&train.data, train.span)?;
    some_rows(rows.len(), &data_name(&train.data), train.span)?;
    let sizes = data_sizes(session, train)?;
    let drawn = companions::of_training(session, train, false)?;
    session.check_ranks(action, train)?;
    let common = session.common.clone().filter(|_| action == 0 && train.shards.is_none());
    if let Some(step) = &common {
        step.put(session);
    }
    let graph = common.as_ref().map_or(&train.step.graph, |step| step.graph());
    let order = Order::new(rows.clone(), train.batch, train.seed, train.shuffle);
    if train.shards.is_none() {
        let permutations = drawn.iter().map(companions::Companion::bytes).sum::<u64>();
        check_room(session, (action, train, graph), &sizes, &order, permutations)?;
    }
    let resumed = session.progress.take().filter(|progress| progress.action == action);
    if resumed.is_none() {
        begin(session, action, train, observer)?;
    }
    let full = order.batch();
    let mut batches = Batches::new(Part::Step(action), graph, train, table, sizes, drawn);
    let accepts_changes = std::mem::take(&mut session.resumed_changed);
    let batch = batches.of_size(session, full)?;
    let mut progress = resumed.unwrap_or_else(|| Progress::new(action));
    if !batch.fits(&progress.averages) {
        if !accepts_changes {
            return Err(ResumeError::OtherEpoch { at: train.span }.into());
        }
        progress.averages = Averages::default();
    }
    let mut driver = started(session, (action, train), (order, rows), batches, progress, observer)?;
    let outcome = driver.run(session, observer);
    driver.batches.release(session);
    if let Some((batches, _)) = driver.validation {
        batches.release(session);
    }
    session.progress = Some(driver.progress);
    let trained = outcome?;
    observer.event(&Event::End(&trained));
    Ok(trained)
}

/// What goes through the steps of a training, which has been announced to the observer.
fn started<'a>(
    session: &mut Session,
    (action, train): (usize, &'a Train),
    (order, rows): (Order, Rows),
    batches: Batches<'a>,
    progress: Progress,
    observer: &mut dyn Observer,
) -> Result<Driver<'a>, Diagnostic> {
    let (full, steps_per_epoch) = (order.batch(), order.steps_per_epoch());
    let steps = steps_of(train, steps_per_epoch);
    let validation = validation(session, action, train, &batches.sizes)?;
    tell_idle_steps(session, train, steps);
    driver::intervals::tell_idle(session, train, steps, steps_per_epoch);
    tell_idle_patience(session, train, steps, train.validate_every.unwrap_or(steps_per_epoch));
    if let Some(span) = train.batch_span.filter(|_| train.batch > rows.len()) {
        let (batch, data, rows) = (train.batch, data_name(&train.data), rows.len());
        session.notices.add(TrainWarning::LargeBatch { batch, data, rows, taken: full, at: span });
    }
    session.tell(observer);
    let (table, sizes) = (Arc::clone(&batches.table), batches.sizes.clone());
    let driver = Driver::new(action, train, steps, order, batches, validation, progress);
    let program = &session.program;
    observer.event(&Event::Start(&Start {
        parameters: count_trained(session, train),
        rows: rows.len(),
        batch: full,
        steps_per_epoch,
        steps,
        compile_seconds: program.world().now().saturating_sub(program.begun()).as_secs_f64(),
    }));
    watch::data(train, &table, &rows, observer);
    advice::look(train, &table, &rows, &sizes, observer);
    Ok(driver)
}

/// Tells if the training ends before `stop` could end it, or before there can be a plateau.
fn tell_idle_patience(session: &Session, train: &Train, steps: u64, steps_per_epoch: u64) {
    for (setting, patience) in [("stop", train.patience), ("plateau", train.plateau)] {
        // The first epoch is better than nothing, so the first that can be the last is number `patience` + 1.
        let is_idle = |patience: &usize| {
            steps <= (*patience as u64).saturating_add(1).saturating_mul(steps_per_epoch)
        };
        let Some(patience) = patience.filter(is_idle) else { continue };
        let epochs = steps.div_ceil(steps_per_epoch);
        session.notices.add(TrainWarning::IdlePatience { setting, patience, epochs, at: train.span });
    }
}

/// Tells if the last steps, or all, change no parameter.
fn tell_idle_steps(session: &Session, train: &Train, steps: u64) {
    let Some((every, span)) = train.accumulate else { return };
    if !steps.is_multiple_of(every) {
        session.notices.add(TrainWarning::IdleSteps { steps, every, at: span });
    }
}

/// The losses and metrics of the last `train` on other data.
///
/// # Errors
/// E0728 if there is no such data, or no `train` with an evaluation.
pub fn evaluate_on(session: &mut Session, data: &str) -> Result<Scores, Diagnostic> {
    let program = session.program.clone();
    let trains = program.checked().actions.iter().enumerate().rev().filter_map(|(at, action)| match action {
        Action::Train(train) => Some((at, train)),
        Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_) => None,
    });
    let Some((action, train, graph)) =
        trains.filter_map(|(at, train)| Some((at, train, train.evaluate.as_ref()?))).next()
    else {
        return Err(DataError::NothingToMeasure.into());
    };
    let (set, part) = data.split_once('.').map_or((data, None), |(set, part)| (set, Some(part)));
    let data_ref = DataRef { set: set.into(), part: part.map(Into::into) };
    let (table, rows) = session.rows(&data_ref, train.span)?;
    some_rows(rows.len(), data, train.span)?;
    let missing = train.fields.iter().find(|field| !table.fields.contains_key(*field));
    if let Some(field) = missing {
        let (field, fields) = (field.clone(), table.fields.keys().cloned().collect());
        return Err(DataError::NoField { data: data.to_owned(), field, fields }.into());
    }
    let sizes = data_sizes(session, train)?;
    let drawn = companions::of_training(session, train, true)?;
    let mut batches = Batches::new(Part::Evaluate(action), graph, train, table, sizes, drawn);
    // A loss that depends on the step is that of the last one.
    let uses_step = |(_, node): (NodeId, &Node)| matches!(&node.op, Op::Input { name: InputKey::Step, .. });
    let last = match graph.nodes().any(uses_step) {
        true => steps_of(train, session.rows(&train.data, train.span)?.1.len().div_ceil(train.batch) as u64),
        false => 0,
    };
    let scores = evaluate(session, &mut batches, &rows, (train, action), last);
    batches.release(session);
    scores
}

/// Whether there is memory for all that a training needs at the same time.
fn check_room(
    session: &Session,
    (action, train, graph): (usize, &Train, &Graph),
    sizes: &Sizes,
    order: &Order,
    permutations: u64,
) -> Result<(), Diagnostic> {
    let program = &session.program;
    let mut sizes = sizes.clone();
    sizes.insert(BATCH.into(), Dim::from(order.batch()));
    // What is wrong with the code is told where it is made for the batch.
    let Ok(function) = program.function(Part::Step(action), graph, &sizes) else { return Ok(()) };
    // On going on after a break, the states are there already.
    let states = train.step.states.iter().filter(|state| session.memory.find(&state.path).is_none());
    let bytes = session.need_of(states).total();
    Batch::need(&function, order.batch())
        .and("states of the optimisers", bytes)
        .and("the order of the rows", order.bytes() + permutations)
        .check()
        .map_err(|error| error.at(train.span, "this training"))
}

/// What training starts from: the optimisers' states and the start file.
fn begin(
    session: &mut Session,
    action: usize,
    train: &Train,
    observer: &mut dyn Observer,
) -> Result<(), Diagnostic> {
    let program = session.program.clone();
    // The states of an earlier training's optimisers are over.
    for other in &program.checked().actions {
        let Action::Train(other) = other else { continue };
        for state in &other.step.states {
            if let Some(cell) = session.memory.find(&state.path) {
                session.memory.remove(cell);
            }
        }
    }
    let moment = Moment { seed: train.seed, step: 0 };
    let graph = &train.step.init;
    let part = Part::OptimizerInit(action);
    let mut values =
        session.evaluate_graph(part, graph, &Sizes::new(), moment, &Tensors::new(), Some(train.span))?;
    for state in &train.step.states {
        let precision = session.memory.precision;
        let shape = state.ty.static_shape().unwrap_or_default();
        let array = values
            .remove(&OutputKey::Named(state.path.clone()))
            .unwrap_or_else(|| Array::zeros(state.ty.elem, precision, shape));
        session.memory.add_named(state.path.clone(), array);
    }
    if train.anew {
        draw_anew(session, train)?;
    }
    if let Some(start) = &train.init {
        let used = variables_of(session, train);
        let used: Vec<&Variable> = used.iter().collect();
        session.load_start(start, &used, observer)?;
    }
    Ok(())
}

/// The parameters and states that a training takes from a file when it begins.
///
/// # Errors
/// If the file cannot be read, or its tensors do not fit.
pub fn values_of_file(session: &mut Session, train: &Train) -> Result<Values, Diagnostic> {
    let Some(start) = &train.init else { return Ok(Values::new()) };
    let used = variables_of(session, train);
    let used: Vec<&Variable> = used.iter().collect();
    session.load_start(start, &used, &mut Silent)?;
    let read = used.iter().filter(|variable| start.has(&variable.path));
    let values = read.filter_map(|variable| {
        let cell = session.memory.find(&variable.path)?;
        Some((variable.path.clone(), session.memory.shared(cell)))
    });
    Ok(values.collect())
}

/// Gives what a training runs the values that it has at the start of a program with the seed of the training.
fn draw_anew(session: &mut Session, train: &Train) -> Result<(), Diagnostic> {
    let program = session.program.clone();
    let moment = Moment { seed: train.seed, step: 0 };
    let start = &program.checked().init;
    let mut drawn =
        session.evaluate_graph(Part::Init, start, &Sizes::new(), moment, &Tensors::new(), Some(train.span))?;
    for variable in variables_of(session, train) {
        let value = drawn.remove(&OutputKey::Named(variable.path.clone()));
        if let (Some(cell), Some(value)) = (session.memory.find(&variable.path), value) {
            session.memory.set(cell, value);
        }
    }
    Ok(())
}

/// The parameters and states of the models that a training runs.
fn variables_of(session: &Session, train: &Train) -> Vec<Variable> {
    let read = |variable: &&Variable| {
        train.step.graph.nodes().any(|(_, node)| match &node.op {
            Op::Param { path, .. } | Op::State { path, .. } => *path == variable.path,
            _ => false,
        })
    };
    let checked = session.program.checked();
    checked.params.iter().chain(&checked.states).filter(read).cloned().collect()
}

fn count_trained(session: &Session, train: &Train) -> u64 {
    let mut paths: Vec<&Arc<str>> = train.step.trained.iter().flatten().collect();
    paths.put_in_order();
    paths.dedup();
    let count = |path: &&Arc<str>| session.parameter(path).map_or(0, |array| array.elements().len() as u64);
    paths.iter().map(count).sum()
}

/// The numbers of rows that the graphs of a training mention.
fn data_sizes(session: &mut Session, train: &Train) -> Result<Sizes, Diagnostic> {
    session.row_sizes(std::iter::once(&train.step.graph).chain(&train.evaluate))
}

fn validation<'a>(
    session: &mut Session,
    action: usize,
    train: &'a Train,
    sizes: &Sizes,
) -> Result<Option<(Batches<'a>, Rows)>, Diagnostic> {
    let (Some(data), Some(graph)) = (&train.validate, &train.evaluate) else { return Ok(None) };
    let (table, rows) = session.rows(data, train.span)?;
    some_rows(rows.len(), &data_name(data), train.span)?;
    let drawn = companions::of_training(session, train, true)?;
    Ok(Some((Batches::new(Part::Evaluate(action), graph, train, table, sizes.clone(), drawn), rows)))
}

/// How many steps a training takes.
fn steps_of(train: &Train, steps_per_epoch: u64) -> u64 {
    match train.length {
        Length::Epochs(epochs) => epochs.saturating_mul(steps_per_epoch),
        Length::Steps(steps) => steps,
    }
}

/// Losses and metrics over rows in order, as they are after so many steps of the training.
fn evaluate(
    session: &mut Session,
    batches: &mut Batches<'_>,
    rows: &Rows,
    (train, action): (&Train, usize),
    step: u64,
) -> Result<Scores, Diagnostic> {
    let size = train.batch.min(rows.len()).max(1);
    let whole = rows.len() / size;
    let mut averages = Averages::default();
    let mut at = 0;
    let mut before = Before::default();
    while at < rows.len() {
        let batch = batches.of_size(session, size.min(rows.len() - at))?;
        let left = if at < whole * size { whole - at / size } else { 1 };
        // The step is the same for all batches, so a series that counts steps is one batch long.
        let at_once = if batch.uses_step() { 1 } else { batch.steps_at_once() as usize };
        let steps = left.min(at_once);
        let taken: Vec<u32> = (at..at + steps * batch.size).map(|at| rows.get(at)).collect();
        let step = if batch.uses_step() { step as u32 } else { 0 };
        let moment = Moment { seed: train.seed, step };
        batch.run_shared(session, &taken, before, moment)?;
        before = before.after(steps, batch.size);
        averages.add(&batch.results, 0..steps);
        at += steps * batch.size;
    }
    averages.finish(session, train, action)
}
