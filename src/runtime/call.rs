//! Calls of compiled functions on the tensors of a memory.

use std::sync::{Arc, OnceLock};

use super::array::{Array, Elements};
use super::memory::{Binding, Cell, Memory};
use super::pool::Pool;
use super::report::Problem;
use super::report::programs::Overflown;
use super::room;
use super::train::batch::Taken;
use crate::backend::{
    self, Call, CodeError, Outcome, Parallel, Rows, RunContext, TensorMut, TensorRef, Workspace,
};
use crate::base::{Diagnostic, Span};
use crate::compile::{Code, Function};
use crate::ir::interpret::{Data, EvalError, Feed, Real, Tensor, evaluate};
use crate::ir::program::Precision;
use crate::ir::{ExternalKey, Graph};
use crate::plan::External;

/// Calls functions, with threads that are started when the first function wants some.
pub struct Caller {
    threads: usize,
    pool: OnceLock<Pool>,
}

/// What the random numbers of a call depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub seed: u64,
    /// The training step, from 1; 0 outside of training.
    pub step: u32,
}

/// What is given for an external of a function in a series of steps.
pub enum Argument<'a> {
    Cell(Cell),
    /// A batch of the rows of a column.
    Rows(&'a Array),
    /// The number of the step.
    Step,
    /// The results of the steps, from this element on.
    Each(&'a mut Array, usize),
}

/// Steps to be taken one after another.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pub steps: usize,
    /// As many as the batch's size for each step.
    pub rows: &'a [u32],
    /// The number of the first step.
    pub first: Moment,
    /// Externals given as [`Argument::Each`] that must stay finite.
    pub watched: &'a [usize],
}

/// More threads than this help nowhere, and systems do not give them.
pub const MOST_THREADS: usize = 1024;

/// The error E0745: an int has left 64 bits.
pub fn overflown(span: Span) -> Diagnostic {
    Overflown { at: span }.into()
}

impl Caller {
    /// For `threads` threads, at most [`MOST_THREADS`].
    pub fn new(threads: usize) -> Caller {
        Caller { threads: threads.clamp(1, MOST_THREADS), pool: OnceLock::new() }
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether its threads are those of the process that this one is a fork of. Then all is computed by the thread
    /// that calls.
    pub fn is_inherited(&self) -> bool {
        self.pool.get().is_some_and(Pool::is_inherited)
    }

    /// Carries out a function once. The results do not depend on the number of threads.
    ///
    /// # Errors
    /// E0745 if an int leaves 64 bits. If tensors do not fit the function, which [`Memory::bind`] has checked, or memory
    /// is short.
    pub fn call(&self, binding: &Binding, memory: &mut Memory, moment: Moment) -> Result<(), Diagnostic> {
        self.call_giving(binding, memory, moment, None)
    }

    /// The same; results are given as soon as they are finished, by code that was made for that: see
    /// [`RunContext::results`].
    ///
    /// # Errors
    /// As [`Caller::call`]. What was given before means nothing then.
    pub fn call_giving(
        &self,
        binding: &Binding,
        memory: &mut Memory,
        moment: Moment,
        results: Option<&backend::Give<'_>>,
    ) -> Result<(), Diagnostic> {
        let mut tensors = memory.take(&binding.cells);
        let externals = &binding.function.externals;
        let outcome = match &binding.function.code {
            Code::Compiled(code) => {
                let given = externals.iter().zip(&mut tensors);
                let mut bindings: Vec<backend::Binding<'_>> =
                    given.map(|(external, array)| given_to(array, external.written)).collect();
                let once = backend::Series::once(Call { step: moment.step, seed: moment.seed });
                let cx = RunContext { parallel: self, watch: None, results };
                let work = |workspace: &mut Workspace| code.run(workspace, &mut bindings, once, cx);
                match binding.function.with_workspace(&**code, work) {
                    Ok(Outcome::Overflow { site, .. }) => Err(overflown(code.facts().place_of(site).span)),
                    Ok(Outcome::Done | Outcome::Interrupted { .. } | Outcome::NotFinite { .. }) => Ok(()),
                    Err(error) => Err(failed(&binding.function, &error)),
                }
            }
            Code::Interpreted(graph) => match memory.precision {
                Precision::F32 => interpret::<f32>(graph, externals, &mut tensors, moment),
                Precision::F64 => interpret::<f64>(graph, externals, &mut tensors, moment),
            },
        };
        memory.put_back(&binding.cells, tensors);
        outcome
    }

    /// Takes steps one after another, in one call of native code.
    ///
    /// # Errors
    /// E0745 if an int leaves 64 bits; E0734 if memory is short; or arguments do not fit the function, or rows are
    /// beyond a column.
    pub fn series(
        &self,
        function: &Function,
        arguments: Vec<Argument<'_>>,
        memory: &mut Memory,
        series: Series<'_>,
    ) -> Result<Taken, Diagnostic> {
        let steps = backend::Series {
            first: Call { step: series.first.step, seed: series.first.seed },
            steps: series.steps,
            rows: Rows::Order(series.rows),
            watched: series.watched,
            interrupted: None,
        };
        let outcome = self.bound(function, arguments, memory, |code, workspace, bindings| {
            code.series(workspace, bindings, steps, self)
        })?;
        Ok(match outcome {
            Outcome::Done => Taken { steps: series.steps, finite: true },
            Outcome::Interrupted { steps } => Taken { steps, finite: true },
            Outcome::NotFinite { steps, .. } => Taken { steps, finite: false },
            Outcome::Overflow { steps, site } => {
                let Code::Compiled(code) = &function.code else { unreachable!("steps are compiled") };
                let step = series.first.step.wrapping_add(steps as u32).wrapping_sub(1);
                return Err(overflown(code.facts().place_of(site).span).note(format!("in step {step}")));
            }
        })
    }

    /// Takes one step with code that was made to be watched: see [`RunContext::watch`]. Results are
    /// given as [`Argument::Cell`].
    ///
    /// # Errors
    /// As [`Caller::series`].
    pub fn profile(
        &self,
        function: &Function,
        arguments: Vec<Argument<'_>>,
        memory: &mut Memory,
        moment: Moment,
        watch: &dyn Fn(Option<usize>),
    ) -> Result<(), Diagnostic> {
        let call = Call { step: moment.step, seed: moment.seed };
        self.bound(function, arguments, memory, |code, workspace, bindings| {
            let cx = RunContext { parallel: self, watch: Some(watch), results: None };
            code.run(workspace, bindings, backend::Series::once(call), cx).map(drop)
        })
    }

    /// Carries out `work` with arguments bound to the externals of a function.
    fn bound<T>(
        &self,
        function: &Function,
        arguments: Vec<Argument<'_>>,
        memory: &mut Memory,
        work: impl FnOnce(&dyn backend::Code, &mut Workspace, &mut [backend::Binding<'_>]) -> Result<T, CodeError>,
    ) -> Result<T, Diagnostic> {
        let cells: Vec<Cell> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Cell(cell) => Some(*cell),
                Argument::Rows(_) | Argument::Step | Argument::Each(..) => None,
            })
            .collect();
        let mut tensors = memory.take(&cells);
        let mut next = tensors.iter_mut();
        let mut bindings = Vec::with_capacity(arguments.len());
        for (external, argument) in function.externals.iter().zip(arguments) {
            bindings.push(match argument {
                Argument::Cell(_) => given_to(next.next().expect("a tensor for each cell"), external.written),
                Argument::Rows(array) => backend::Binding::Rows(tensor_ref(array.elements())),
                Argument::Step => backend::Binding::StepNumber,
                Argument::Each(array, from) => backend::Binding::Each(tensor_mut(array.elements_mut(), from)),
            });
        }
        let Code::Compiled(code) = &function.code else { unreachable!("steps are compiled") };
        let outcome = function.with_workspace(&**code, |workspace| work(&**code, workspace, &mut bindings));
        memory.put_back(&cells, tensors);
        outcome.map_err(|error| failed(function, &error))
    }
}

impl backend::sealed::Sealed for Caller {}

impl Parallel for Caller {
    fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        if self.threads <= 1 || n_tasks <= 1 {
            (0..n_tasks).for_each(task);
        } else {
            self.pool.get_or_init(|| Pool::new(self.threads)).run(n_tasks, task);
        }
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

/// Why a call was not carried out.
fn failed(function: &Function, error: &CodeError) -> Diagnostic {
    match error.is_no_memory() {
        true => room::exhausted("what a call keeps", function.temporary_bytes() as u64),
        false => error.diagnostic(),
    }
}

fn given_to(array: &mut Arc<Array>, written: bool) -> backend::Binding<'_> {
    if written {
        backend::Binding::Write(tensor_mut(Arc::make_mut(array).elements_mut(), 0))
    } else {
        backend::Binding::Read(tensor_ref(array.elements()))
    }
}

/// Carries out a graph with the interpreter.
fn interpret<F: Float>(
    graph: &Graph,
    externals: &[External],
    tensors: &mut [Arc<Array>],
    moment: Moment,
) -> Result<(), Diagnostic> {
    let mut feed = Feed::<F> { seed: moment.seed, step: moment.step, ..Feed::default() };
    for (external, array) in externals.iter().zip(tensors.iter()) {
        if matches!(external.name, ExternalKey::Output(_)) {
            continue;
        }
        let data = match array.elements() {
            Elements::F32(_) | Elements::F64(_) => Data::Float(F::of(array)),
            Elements::I32(values) => Data::Int(values.iter().map(|value| i64::from(*value)).collect()),
            Elements::I64(values) => Data::Int(values.clone()),
            Elements::U8(values) => Data::Bool(values.iter().map(|value| *value != 0).collect()),
            Elements::Bool(values) => Data::Bool(values.clone()),
        };
        let tensor = Tensor { shape: external.shape.clone(), data };
        match &external.name {
            ExternalKey::Input(name) => drop(feed.inputs.insert(name.clone(), tensor)),
            ExternalKey::Param(path) | ExternalKey::State(path) => {
                feed.variables.insert(path.clone(), tensor);
            }
            ExternalKey::Output(_) => {}
        }
    }
    let mut results = evaluate(graph, &feed).map_err(|error| match error {
        EvalError::Overflow(_, span) => overflown(span),
        other => Diagnostic::fault(format!("{other:?}")),
    })?;
    for (external, array) in externals.iter().zip(tensors) {
        let ExternalKey::Output(name) = &external.name else { continue };
        let Some(result) = results.remove(name) else { continue };
        let elements = match &result.data {
            Data::Float(values) => F::elements(values),
            Data::Int(values) => Elements::I64(values.clone()),
            Data::Bool(values) => Elements::Bool(values.clone()),
        };
        let result = Array::new(array.shape().to_vec(), elements);
        let other_shape = || Diagnostic::fault("a result of another shape");
        *array = result.map_err(|_| other_shape())?.narrowed().into();
    }
    Ok(())
}

/// The floats of arrays.
trait Float: Real {
    fn of(array: &Array) -> Vec<Self>;
    fn elements(values: &[Self]) -> Elements;
}

impl Float for f32 {
    fn of(array: &Array) -> Vec<f32> {
        array.to_f32().into_owned()
    }
    fn elements(values: &[f32]) -> Elements {
        Elements::F32(values.to_vec())
    }
}

impl Float for f64 {
    fn of(array: &Array) -> Vec<f64> {
        array.to_f64().into_owned()
    }
    fn elements(values: &[f64]) -> Elements {
        Elements::F64(values.to_vec())
    }
}

/// As native code is given it.
#[doc(hidden)]
pub fn tensor_ref(elements: &Elements) -> TensorRef<'_> {
    match elements {
        Elements::F32(values) => TensorRef::F32(values),
        Elements::F64(values) => TensorRef::F64(values),
        Elements::I32(values) => TensorRef::I32(values),
        Elements::I64(values) => TensorRef::I64(values),
        Elements::Bool(values) => TensorRef::Bool(values),
        Elements::U8(_) => unreachable!("fields, variables and results are floats, ints or bools"),
    }
}

/// The same, to be written, from an element on.
#[doc(hidden)]
pub fn tensor_mut(elements: &mut Elements, from: usize) -> TensorMut<'_> {
    match elements {
        Elements::F32(values) => TensorMut::F32(&mut values[from..]),
        Elements::F64(values) => TensorMut::F64(&mut values[from..]),
        Elements::I32(values) => TensorMut::I32(&mut values[from..]),
        Elements::I64(values) => TensorMut::I64(&mut values[from..]),
        Elements::Bool(values) => TensorMut::Bool(&mut values[from..]),
        Elements::U8(_) => unreachable!("variables and results are floats, ints or bools"),
    }
}
