//! A run of a program: its parameters, and what is done with them.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::array::{Tensor, Elements, shape_text};
use super::call::{Caller, Moment};
use super::data::{Table, read};
use super::events::{Event, Observer, Scores, Silent, Trained};
use super::fingerprint::Fingerprint;
use super::given::Given;
use super::kept::Kept;
use super::memory::Memory;
use super::notices::Notices;
use super::predict::{self, Predictions};
use super::program::{Diagnostics, Part, Program};
use super::ranks::Shared;
use super::report::programs::ParameterError;
use super::together::Own;
use super::resume::Keeper;
use super::room::{self, Need};
use super::sources::checkpoint::{self, Wanted};
use super::sources::safetensors;
use super::train::{self, Progress};
use super::view::{TensorView, with_views};
use super::actions::Came;
use super::{actions, generate};
use crate::base::{Diagnostic, nearest};
use crate::ir::program::{Action, Precision, StartFile, Variable};
use crate::ir::{Elem, InputKey, OutputKey, Sizes};

/// Parameters and states of a program, and the way through its actions.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("nnc-session-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let file = folder.join("line.safetensors");
/// let program = nnc::compile("
///     model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)
///     data line {
///         x = [[0], [1], [2], [3]]
///         y = [[1], [3], [5], [7]]
///     }
///     train {
///         data     = line
///         minimize mse(Line(x), y) with SGD(lr = 0.1)
///         validate = line
///         batch    = 4
///         epochs   = 300
///     }
/// ")?;
/// let mut session = program.session()?;
/// session.train(&mut nnc::Silent)?;
/// assert!(session.evaluate("line")?.loss() < 0.01);
/// session.save(&file)?;
///
/// // What was learnt, in another session.
/// let mut again = program.session()?;
/// again.load(&file, "", &mut nnc::Silent)?;
/// assert_eq!(again.parameter("linear1.weight"), session.parameter("linear1.weight"));
///
/// // Predictions share the session, and may be written where there is room for them.
/// let x = nnc::Tensor::floats(&[1, 1], &[4.0])?;
/// let y = again.predict("Line", &[&x])?;
/// assert!((y[0].number(0) - 9.0).abs() < 0.2);
/// let mut results = [nnc::Tensor::floats(&[1, 1], &[0.0])?];
/// again.predict_into("Line", &[&x], &mut results)?;
/// assert_eq!(results[0], y[0]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), nnc::Diagnostics>(())
/// ```
pub struct Session {
    pub(super) program: Program,
    pub(super) memory: Memory,
    pub(super) caller: Caller,
    /// Where a `train` is, for checkpoints; and where one is to go on from.
    pub(super) progress: Option<Progress>,
    /// The action that [`Session::run`] begins with.
    pub(super) first_action: usize,
    /// Whether the parameters are those of a training that went bad, with no better ones to go back to.
    pub(super) damaged: bool,
    /// Whether the checkpoint that it goes on from was saved by another training.
    pub(super) resumed_changed: bool,
    /// What the training of an action depends on, for its checkpoints.
    pub(super) fingerprint: Option<(usize, Fingerprint)>,
    /// The file in which what was learnt is kept.
    pub(super) keeper: Option<Keeper>,
    /// What predictions so far needed.
    pub(super) predictions: Predictions,
    /// Warnings that were not told yet.
    pub(super) notices: Notices,
    /// Whether parameters were read from a file or set from outside.
    pub(super) given: bool,
    /// The rows that this session was given.
    pub(super) rows_given: Given,
    /// The data sets of a program whose rows are given, as far as they are loaded: not the same in all sessions.
    pub(super) tables: BTreeMap<Arc<str>, Arc<Table>>,
    /// What the file of the parameters has kept of the data that they were trained on: the data sets are then those
    /// of the session, too.
    pub(super) kept: Option<Arc<Kept>>,
    /// Whether it predicts: then what was kept decides, and other names are errors.
    pub(super) is_aimed: bool,
    /// The step of the first training that other programs have code of, too.
    pub(super) common: Option<Arc<Own>>,
    /// The processes that train together, if this is one of several.
    pub(super) ranks: Option<Shared>,
    /// For how many nanoseconds this one has waited for the others.
    pub(super) waited: AtomicU64,
}

/// What graphs are given.
#[doc(hidden)]
pub type Tensors = BTreeMap<InputKey, Arc<Tensor>>;

/// What graphs give.
#[doc(hidden)]
pub type Results = BTreeMap<OutputKey, Tensor>;

impl Session {
    pub(super) fn new(program: Program, given: Given) -> Result<Session, Diagnostics> {
        let memory = Memory::new(program.checked().precision);
        let caller = Caller::new(program.world().threads());
        let mut session = Session {
            program,
            memory,
            caller,
            progress: None,
            first_action: 0,
            damaged: false,
            resumed_changed: false,
            fingerprint: None,
            keeper: None,
            predictions: Predictions::default(),
            notices: Notices::default(),
            given: false,
            rows_given: Given::new(),
            tables: BTreeMap::new(),
            kept: None,
            is_aimed: false,
            common: None,
            ranks: None,
            waited: AtomicU64::new(0),
        };
        let program = session.program.clone();
        session
            .take_given(given)
            .and_then(|()| session.initialise())
            .map_err(|error| program.failed([error]))?;
        Ok(session)
    }

    fn initialise(&mut self) -> Result<(), Diagnostic> {
        let program = self.program.clone();
        let checked = program.checked();
        let variables = || checked.params.iter().chain(&checked.states);
        self.need_of(variables()).check().map_err(|error| {
            let largest = variables().max_by_key(|variable| self.need_of(std::iter::once(*variable)).total());
            largest.map_or(error.clone(), |largest| error.at(largest.span, "the largest is declared here"))
        })?;
        let moment = Moment { seed: checked.seed, step: 0 };
        let span = checked.params.first().or(checked.states.first()).map(|variable| variable.span);
        let mut values =
            self.evaluate_graph(Part::Init, &checked.init, &Sizes::new(), moment, &Tensors::new(), span)?;
        for variable in checked.params.iter().chain(&checked.states) {
            let array = match values.remove(&OutputKey::Named(variable.path.clone())) {
                Some(array) => array,
                None => zeros(variable, checked.precision),
            };
            self.memory.add_named(variable.path.clone(), array);
        }
        Ok(())
    }

    /// The memory that parameters and states take.
    pub(super) fn need_of<'v>(&self, variables: impl Iterator<Item = &'v Variable>) -> Need {
        variables.fold(Need::default(), |need, variable| {
            let shape = variable.ty.static_shape().unwrap_or_default();
            let bytes = room::bytes_of(&shape, self.memory.precision.bytes());
            need.and(format!("`{}` {}", variable.path, shape_text(&shape)), bytes)
        })
    }

    /// The time by the clock of its world.
    pub(super) fn now(&self) -> Duration {
        self.program.world().now()
    }

    /// Computes with this many threads from now on; 0 stands for as many as the machine has.
    /// The results do not depend on it.
    pub fn set_threads(&mut self, threads: usize) {
        let threads = if threads == 0 { self.program.world().threads() } else { threads };
        self.caller = Caller::new(threads);
    }

    /// Starts threads anew if this process is a fork of the one that started them. Without it a session works after a
    /// fork, too, but by one thread.
    pub fn after_fork(&mut self) {
        if self.caller.is_inherited() {
            self.caller = Caller::new(self.caller.threads());
        }
    }

    /// Carries out every `train`, `print`, `expect`, `plot` and `generate` in order.
    ///
    /// # Errors
    /// What went wrong: data that cannot be read, a loss that is not finite, an `expect` that does not hold.
    /// An `expect` that fails does not keep what follows from being carried out, up to the next `train`.
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result<(), Diagnostics> {
        self.carry_out(observer, |_| true).map(drop)
    }

    /// Carries out every `train` in order, and nothing else. Gives the last one's outcome.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn train(&mut self, observer: &mut dyn Observer) -> Result<Option<Trained>, Diagnostics> {
        self.carry_out(observer, |action| matches!(action, Action::Train(_)))
    }

    /// Carries out every `generate` in order, and nothing else.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn generate(&mut self, observer: &mut dyn Observer) -> Result<(), Diagnostics> {
        self.carry_out(observer, |action| matches!(action, Action::Generate(_))).map(drop)
    }

    fn carry_out(
        &mut self,
        observer: &mut dyn Observer,
        wanted: impl Fn(&Action) -> bool,
    ) -> Result<Option<Trained>, Diagnostics> {
        let program = self.program.clone();
        let mut came = Came::default();
        let first = std::mem::take(&mut self.first_action);
        for (number, action) in program.checked().actions.iter().enumerate().skip(first) {
            if wanted(action) && self.act(number, observer, &mut came).is_break() {
                break;
            }
        }
        if came.failures.is_empty() { Ok(came.last) } else { Err(program.failed(came.failures)) }
    }

    /// Carries out one action; whether others follow.
    pub(super) fn act(&mut self, number: usize, observer: &mut dyn Observer, came: &mut Came) -> ControlFlow<()> {
        let program = self.program.clone();
        let Some(action) = program.checked().actions.get(number) else { return ControlFlow::Break(()) };
        let outcome = match action {
            Action::Train(_) if !came.failures.is_empty() => return ControlFlow::Break(()),
            Action::Train(item) => train::run(self, number, item, observer).map(|end| {
                came.last = Some(end);
                self.keep_all(observer);
                observer.event(&Event::Kept);
            }),
            Action::Print(item) => {
                actions::tell_untrained(self, &item.graph, item.span);
                actions::print(self, actions::At::action(number), item).map(|text| observer.event(&Event::Print(&text)))
            }
            Action::Expect(item) => actions::expect(self, actions::At::action(number), item),
            Action::Plot(item) => {
                actions::tell_untrained(self, &item.graph, item.span);
                actions::plot(self, actions::At::action(number), item).map(|chart| observer.event(&Event::Plot(&chart)))
            }
            Action::Generate(item) => {
                actions::tell_untrained(self, &item.graph, item.span);
                generate::generate(self, Part::Next(number), item).map(|text| observer.event(&Event::Print(&text)))
            }
        };
        self.tell(observer);
        if let Err(error) = outcome {
            came.failures.push(error);
            if !matches!(action, Action::Expect(_)) {
                return ControlFlow::Break(());
            }
        }
        match self.any(observer.leave()) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(error) => {
                came.failures.push(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Tells what has been found since the last time.
    pub(super) fn tell(&self, observer: &mut dyn Observer) {
        self.notices.take().iter().for_each(|warning| observer.event(&Event::Warning(warning)));
    }

    /// The losses and metrics of the last `train` on other data, in evaluation mode: `digits`, `digits.test`.
    ///
    /// # Errors
    /// E0728 if there is no such data, or the program has no `train` with a `validate`.
    pub fn evaluate(&mut self, data: &str) -> Result<Scores, Diagnostics> {
        let program = self.program.clone();
        train::evaluate_on(self, data).map_err(|error| program.failed([error]))
    }

    /// The results of a model, in evaluation mode, for inputs in the order of its signature.
    ///
    /// # Errors
    /// E0731 if there is no such model, or the inputs do not fit its signature.
    pub fn predict(&self, model: &str, inputs: &[&Tensor]) -> Result<Vec<Tensor>, Diagnostics> {
        with_views(inputs, |inputs| self.predict_views(model, inputs))
    }

    /// As [`Session::predict`], for inputs in memory that is not a tensor's. They are not copied if their elements are
    /// those of the program: floats of its precision, ints of 32 bits, bools.
    ///
    /// # Errors
    /// As [`Session::predict`].
    pub fn predict_views(&self, model: &str, inputs: &[TensorView<'_>]) -> Result<Vec<Tensor>, Diagnostics> {
        predict::predict(self, model, inputs).map_err(|error| self.program.failed([error]))
    }

    /// As [`Session::predict`], into tensors that are there already. Nothing is allocated if there was a prediction for
    /// inputs of these shapes before, and their elements are those of the program: floats of its precision, ints of 32
    /// bits, bools.
    ///
    /// # Errors
    /// As [`Session::predict`]; E0731 if the results are others in number, shape or elements.
    pub fn predict_into(
        &self,
        model: &str,
        inputs: &[&Tensor],
        results: &mut [Tensor],
    ) -> Result<(), Diagnostics> {
        with_views(inputs, |inputs| predict::predict_into(self, model, inputs, results))
            .map_err(|error| self.program.failed([error]))
    }

    /// A session with the same tensors and rows, for what must not change this one.
    pub(super) fn aside(&self) -> Session {
        Session {
            program: self.program.clone(),
            memory: self.memory.clone(),
            caller: Caller::new(self.caller.threads()),
            progress: None,
            first_action: 0,
            damaged: self.damaged,
            resumed_changed: false,
            fingerprint: None,
            keeper: None,
            predictions: Predictions::default(),
            notices: self.notices.clone(),
            given: self.given,
            rows_given: self.rows_given.clone(),
            tables: self.tables.clone(),
            kept: self.kept.clone(),
            is_aimed: self.is_aimed,
            common: None,
            ranks: None,
            waited: AtomicU64::new(0),
        }
    }

    /// The paths of all parameters and states.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.program.checked().params.iter().chain(&self.program.checked().states).map(|param| &*param.path)
    }

    /// A parameter or state by path (`fc1.weight`).
    pub fn parameter(&self, path: &str) -> Option<&Tensor> {
        self.memory.find(path).map(|cell| self.memory.get(cell))
    }

    /// Replaces a parameter or state.
    ///
    /// # Errors
    /// E0713 if there is none of this path, or it has another shape.
    pub fn set_parameter(&mut self, path: &str, value: &Tensor) -> Result<(), Diagnostics> {
        let program = self.program.clone();
        let wrong = |error: ParameterError| program.failed([error.into()]);
        let Some(cell) = self.memory.find(path) else {
            let near = nearest(path, self.parameters()).map(str::to_owned);
            return Err(wrong(ParameterError::Unknown { path: path.to_owned(), near }));
        };
        let known = self.memory.get(cell);
        if known.shape() != value.shape() {
            let (known, given) = (known.shape().to_vec(), value.shape().to_vec());
            return Err(wrong(ParameterError::Shape { path: path.to_owned(), known, given }));
        }
        let elem = elem_of(known);
        let array = convert(value, elem, self.memory.precision)
            .ok_or_else(|| wrong(ParameterError::Elements { path: path.to_owned(), elem }))?;
        self.memory.set(cell, array);
        self.given = true;
        Ok(())
    }

    /// Starts from the parameters and states in a safetensors file, under a prefix and their paths.
    ///
    /// # Errors
    /// E0713 lists all that are missing or have another shape; those of opening the file.
    pub fn load(
        &mut self,
        path: impl AsRef<Path>,
        prefix: &str,
        observer: &mut dyn Observer,
    ) -> Result<(), Diagnostics> {
        let path = path.as_ref();
        let program = self.program.clone();
        let all: Vec<&Variable> = program.checked().params.iter().chain(&program.checked().states).collect();
        self.load_variables(path, prefix, &all, None, observer).map_err(|error| program.failed([error]))
    }

    pub(super) fn load_start(
        &mut self,
        start: &StartFile,
        variables: &[&Variable],
        observer: &mut dyn Observer,
    ) -> Result<(), Diagnostic> {
        let path = read::resolve(self.program.base(), &start.path);
        let variables: Vec<&Variable> =
            variables.iter().copied().filter(|variable| start.has(&variable.path)).collect();
        let listener: &mut dyn Observer = if start.is_partial() { &mut Silent } else { observer };
        self.load_variables(&path, &start.prefix, &variables, Some(start), listener)
    }

    fn load_variables(
        &mut self,
        path: &Path,
        prefix: &str,
        variables: &[&Variable],
        call: Option<&StartFile>,
        observer: &mut dyn Observer,
    ) -> Result<(), Diagnostic> {
        let placed = |error: Diagnostic| match call {
            Some(call) => read::placed(error, call.span),
            None => error,
        };
        self.given = true;
        let wanted: Vec<Wanted> = variables.iter().map(|variable| Wanted::of(variable)).collect();
        let file = safetensors::open(&**self.program.world(), path).map_err(placed)?;
        let (arrays, warnings) = checkpoint::find(&file, prefix, &wanted, call).map_err(placed)?;
        if call.is_none() {
            self.kept = Kept::of_file(&file)?.map(Arc::new);
        }
        for warning in warnings {
            observer.event(&Event::Warning(&placed(warning)));
        }
        for (variable, stored) in variables.iter().zip(arrays) {
            let array = stored.load().map_err(placed)?;
            let array = convert(&array, variable.ty.elem, self.memory.precision).ok_or_else(|| {
                let (path, elem) = (variable.path.clone(), variable.ty.elem);
                placed(ParameterError::OfFile { path, elem }.into())
            })?;
            match self.memory.find(&variable.path) {
                Some(cell) => self.memory.set(cell, array),
                None => drop(self.memory.add_named(variable.path.clone(), array)),
            }
        }
        Ok(())
    }
}

fn zeros(variable: &Variable, precision: Precision) -> Tensor {
    Tensor::zeros(variable.ty.elem, precision, variable.ty.static_shape().unwrap_or_default())
}

fn elem_of(array: &Tensor) -> Elem {
    match array.elements() {
        Elements::F32(_) | Elements::F64(_) => Elem::Float,
        Elements::I32(_) | Elements::I64(_) => Elem::Int,
        Elements::U8(_) | Elements::Bool(_) => Elem::Bool,
    }
}

/// The tensor with elements of the type asked for; none if they are not all numbers of that type.
pub(super) fn convert(array: &Tensor, elem: Elem, precision: Precision) -> Option<Arc<Tensor>> {
    let elements = match (elem, precision) {
        (Elem::Float, Precision::F32) => Elements::F32(array.to_f32().into_owned()),
        (Elem::Float, Precision::F64) => Elements::F64(array.to_f64().into_owned()),
        (Elem::Int, _) => {
            let whole = Tensor::whole(array.shape().to_vec(), array.to_i64().ok()?.into_owned());
            return whole.map(Arc::new).ok();
        }
        (Elem::Bool, _) => Elements::Bool(array.to_i64().ok()?.iter().map(|value| *value != 0).collect()),
    };
    Tensor::new(array.shape().to_vec(), elements).map(Arc::new).ok()
}
