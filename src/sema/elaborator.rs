//! The abstract interpreter that makes graphs of a program.
//!
//! An [`Elaborator`] elaborates bodies on [`Value`]s: compile-time values are computed, run-time values
//! become nodes of the graph that is being built. Functions are expanded at each call; a layer's body is
//! elaborated at each call of an instance.
//!
//! Errors are collected. A failed expression is worth [`Value::Error`], which silences what follows from it,
//! and elaboration goes on, so that one error never hides another.

use super::graphs::Level;
use super::index::IndexFrame;
use super::instance::LayerCall;
use super::module::{ItemRef, ModuleId, Modules};
use super::scope::{Frame, FrameKind};
use super::value::{Axis, Instance, LevelId, Tensor, Value};
use super::variables::Variables;
use crate::base::{Diagnostic, Diagnostics, SourceMap, Span};
use crate::ir::program::{Bound, NamedValue};
use crate::ir::{Elem, NodeId, Type};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many expressions may be elaborated for one program: a bound on loops, rows of layers and expansions.
const MAX_WORK: u64 = 300_000;
/// How many nodes one graph may have.
const MAX_NODES: usize = 100_000;
/// How deep expressions and calls may nest.
const MAX_DEPTH: usize = 600;
/// How a note begins that repeats a message for another call.
const OTHER_SIZES: &str = "for another call: ";
/// How deep calls may nest.
pub const MAX_CALLS: usize = 64;

/// What the context declares: the shape and element type handed down to numbers and makers.
#[derive(Clone, PartialEq, Debug)]
pub struct Expected {
    pub elem: Option<Elem>,
    pub axes: Vec<Axis>,
}

/// What a graph is built for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    /// The compile-time bool `training`.
    pub training: bool,
    /// Whether `<-` takes effect.
    pub updates: bool,
}

/// A call of a model, remembered so that a `measure` can share it with a `minimize` line.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ModelCall {
    pub path: Arc<str>,
    pub args: Vec<NodeId>,
}

pub struct Elaborator<'a> {
    pub sources: &'a SourceMap,
    pub modules: Modules,
    pub diagnostics: Diagnostics,
    pub mode: Mode,
    /// The graph that is being built, outermost first; there is always one. See [`super::graphs`].
    pub levels: Vec<Level>,
    /// The levels around those, of which no tensors can be used: those of a body whose parameters are being made.
    pub(super) suspended: Vec<Vec<Level>>,
    /// The loops that are being written in index notation, outermost first.
    pub index_frames: Vec<IndexFrame>,
    /// The calls in progress, outermost first. There is always one.
    pub frames: Vec<Frame>,
    /// Parameters and states of all models.
    pub variables: Variables,
    /// All instances made so far, by path.
    pub instances: HashMap<Arc<str>, Arc<Instance>>,
    /// Models called since this was last emptied, by name: which models a loss calls.
    pub called_models: Vec<ItemRef>,
    /// In a `minimize` line: calls to remember. See [`super::instance`].
    pub remember_calls: bool,
    pub remembered: HashMap<ModelCall, Value>,
    /// Finished calls of instances in the present graph, inner ones first.
    pub layer_calls: Vec<LayerCall>,
    /// Names of values of the present graph; see [`super::notes`].
    pub named_values: Vec<NamedValue>,
    /// The data sets of the file.
    pub data: super::items::DataTable,
    /// The types of the inputs of each model's first call.
    pub model_inputs: HashMap<Arc<str>, Vec<Type>>,
    /// Whether a parameter's shape may depend on a symbolic dimension: where a model is looked at, not run.
    pub allow_open_shapes: bool,
    /// Variables whose shape depended on a symbolic dimension, with their places.
    pub open_shapes: Vec<(Arc<str>, Type, Span)>,
    /// Starting values that depend on an open size, or, if no size is open, wrongly on an input.
    pub open_starts: Diagnostics,
    /// The path under which random numbers are drawn, if not that of the instance.
    pub draw_path: Option<Arc<str>>,
    /// `step`, where it is given: in optimisers and schedules.
    pub step: Option<Value>,
    /// A step that the training is sure to reach, as far as is known.
    pub last_step: u64,
    /// Conditions that subscripts put on int fields of the data, by path (`digits.label`).
    pub field_bounds: Vec<(Arc<str>, Bound)>,
    /// Conditions on sizes that wait until symbolic dimensions have their numbers.
    pub requirements: Vec<crate::ir::program::Requirement>,
    /// The recurrences whose bodies are being elaborated, outermost first.
    pub scans: Vec<super::scan::Open>,
    /// The parameter whose update is being made.
    pub updating: Option<Arc<str>>,
    /// Random draws made so far in the present graph, by the path around them.
    pub draws: HashMap<Arc<str>, usize>,
    /// Shape errors found so far, to be found again with names for the sizes; see [`super::free`].
    pub numeric: Vec<super::free::Numeric>,
    /// Whether a body is elaborated on symbolic sizes, to look what is wrong with it.
    pub looking: bool,
    /// A hyperparameter that is being tried; see [`super::trials`].
    pub trial: Option<super::trials::Trial>,
    /// Whether sizes that may become equal are taken for equal: where nobody has chosen them yet.
    pub sizes_may_fit: bool,
    /// Items whose bodies were elaborated, by place.
    carried_out: HashSet<Span>,
    /// Marks given to variables of `grad`.
    pub next_mark: u32,
    pub(super) next_level: u32,
    pub(super) next_step: u32,
    pub(super) next_frame: u32,
    pub(super) constants: HashMap<(ModuleId, Arc<str>), Value>,
    /// Constants that are tensors, by the graph that they were made in.
    pub(super) tensor_constants: HashMap<(LevelId, ModuleId, Arc<str>), Value>,
    /// Constants that are being worked out: for circles.
    pub(super) open_constants: Vec<(ModuleId, Arc<str>)>,
    pub(super) depth: usize,
    work: u64,
    exhausted: bool,
}

impl<'a> Elaborator<'a> {
    pub fn new(sources: &'a SourceMap, modules: Modules) -> Elaborator<'a> {
        Elaborator {
            sources,
            modules,
            diagnostics: Vec::new(),
            mode: Mode { training: false, updates: false },
            levels: vec![Level::compile_time()],
            suspended: Vec::new(),
            index_frames: Vec::new(),
            frames: vec![Frame::new(FrameKind::File, None, ModuleId::MAIN, Span::default())],
            variables: Variables::default(),
            instances: HashMap::new(),
            called_models: Vec::new(),
            remember_calls: false,
            remembered: HashMap::new(),
            layer_calls: Vec::new(),
            named_values: Vec::new(),
            data: super::items::DataTable::default(),
            model_inputs: HashMap::new(),
            allow_open_shapes: false,
            open_shapes: Vec::new(),
            open_starts: Vec::new(),
            draw_path: None,
            step: None,
            last_step: 1,
            field_bounds: Vec::new(),
            requirements: Vec::new(),
            scans: Vec::new(),
            updating: None,
            draws: HashMap::new(),
            numeric: Vec::new(),
            looking: false,
            trial: None,
            sizes_may_fit: false,
            carried_out: HashSet::new(),
            next_mark: 0,
            next_level: 0,
            next_step: 0,
            next_frame: 0,
            constants: HashMap::new(),
            tensor_constants: HashMap::new(),
            open_constants: Vec::new(),
            depth: 0,
            work: 0,
            exhausted: false,
        }
    }

    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("there is always a frame")
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("there is always a frame")
    }

    /// Carries out `run` in a frame of its own.
    pub fn in_frame<R>(&mut self, frame: Frame, run: impl FnOnce(&mut Self) -> R) -> R {
        if let Some(item) = &frame.item {
            self.carried_out.insert(item.item.span);
        }
        self.frames.push(frame);
        let result = run(self);
        self.frames.pop();
        result
    }

    /// Whether a body was elaborated at least once.
    pub fn was_carried_out(&self, item: &ItemRef) -> bool {
        self.carried_out.contains(&item.item.span)
    }

    /// The path of the layer instance around, if there is one.
    pub fn instance_path(&self) -> Option<Arc<str>> {
        self.instance().map(|instance| instance.path.clone())
    }

    /// The layer instance whose body is being elaborated, also inside functions called there.
    pub fn instance(&self) -> Option<&Arc<Instance>> {
        self.frames.iter().rev().find_map(|frame| match &frame.kind {
            FrameKind::Layer(instance) => Some(instance),
            FrameKind::File | FrameKind::Function | FrameKind::Activation | FrameKind::Optimizer => None,
        })
    }

    // ---------------------------------------------------------------------------------- reporting

    /// Reports an error or a warning. In the body of a library function the place shown first is the user's
    /// call. The same error at the same place is reported once, however often the place is reached.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.exhausted {
            return;
        }
        let here = diagnostic.primary_span();
        if self.is_known(&diagnostic) {
            return;
        }
        let library = here.is_some_and(|span| self.modules.prelude.has_file(span.file));
        let calls: Vec<(Span, String)> = self
            .frames
            .iter()
            .filter(|frame| frame.item.is_some() && frame.call != Span::default())
            .map(|frame| {
                (frame.call, frame.item.as_ref().map_or(String::new(), |item| item.name().to_string()))
            })
            .collect();
        if library {
            if let Some((span, name)) =
                calls.iter().rev().find(|(span, _)| !self.modules.prelude.has_file(span.file))
            {
                diagnostic.labels.retain(|label| label.span != *span);
                for label in &mut diagnostic.labels {
                    label.primary = false;
                }
                diagnostic = diagnostic.at(*span, format!("in this call of `{name}`"));
                diagnostic.labels.rotate_right(1);
                for (place, text) in self.given_by_user(*span) {
                    if !diagnostic.labels.iter().any(|label| label.span == place) {
                        diagnostic = diagnostic.and_at(place, text);
                    }
                }
                if self.is_known(&diagnostic) {
                    return;
                }
            }
        } else if let Some((span, name)) = calls.last()
            && here.is_some_and(|here| {
                !(span.start <= here.start && here.end <= span.end && span.file == here.file)
            })
            && !diagnostic.labels.iter().any(|label| label.span == *span)
            && !self.looking
        {
            diagnostic = diagnostic.and_at(*span, format!("in this call of `{name}`"));
        }
        self.remember_sizes(&diagnostic);
        self.diagnostics.push(diagnostic);
    }

    /// What the user has given to the library at this call: places, and what stands there.
    fn given_by_user(&self, call: Span) -> Vec<(Span, String)> {
        let Some(frame) = self.frames.iter().rev().find(|frame| frame.call == call) else {
            return Vec::new();
        };
        let inputs = frame.bindings.iter().filter(|cx| {
            cx.kind == super::scope::BindingKind::Input && cx.span.file == call.file && cx.span != call
        });
        let described = inputs.filter_map(|cx| match &cx.value {
            Value::Tensor(tensor) => Some((cx, super::value::show_axes(tensor.ty.elem, &tensor.axes()))),
            Value::Str(_) | Value::Instance(_) | Value::List(_) => Some((cx, cx.value.describe())),
            _ => None,
        });
        described.map(|(cx, text)| (cx.span, format!("`{}` is {text}", cx.name))).collect()
    }

    /// Whether this error was reported at this place before. With other sizes it becomes a note there.
    fn is_known(&mut self, new: &Diagnostic) -> bool {
        let here = new.primary_span();
        let known = self.diagnostics.iter_mut().find(|cx| cx.code == new.code && cx.primary_span() == here);
        let Some(known) = known.filter(|_| here.is_some()) else { return false };
        if !self.looking
            && known.message != new.message
            && !known.notes.iter().any(|note| note.starts_with(OTHER_SIZES))
        {
            known.notes.push(format!("{OTHER_SIZES}{}", new.message));
        }
        true
    }

    pub fn error(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Value {
        self.report(Diagnostic::error(code, message).at(span, label));
        Value::Error
    }

    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The innermost place in the user's own files: `span` itself, or the call that led into the library.
    pub fn user_place(&self, span: Span) -> Span {
        if !self.modules.prelude.has_file(span.file) {
            return span;
        }
        let calls = self.frames.iter().rev().map(|frame| frame.call);
        calls.into_iter().find(|call| !self.modules.prelude.has_file(call.file)).unwrap_or(span)
    }

    /// The text of a place.
    pub fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    // ------------------------------------------------------------------------------------- limits

    /// Counts one unit of work. `false` once the program has used up what it may use, which is reported.
    pub fn work(&mut self, span: Span) -> bool {
        self.work += 1;
        if self.exhausted {
            return false;
        }
        let nodes = self.levels.last().map_or(0, |level| level.graph.len());
        if self.work > MAX_WORK || nodes > MAX_NODES {
            let error = Diagnostic::error("E0122", "the program unfolds into too much");
            let error = error.at(span, "the limit was reached here");
            self.report(error.note(format!(
                "a program may unfold into {} thousand expressions, one of its graphs into {} thousand \
                 operations; compile-time loops, `repeat` and calls count each time",
                MAX_WORK / 1000,
                MAX_NODES / 1000
            )));
            self.exhausted = true;
        }
        !self.exhausted
    }

    /// How much has been counted.
    #[cfg(test)]
    pub fn work_done(&self) -> u64 {
        self.work
    }

    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Enters one level of nesting; `false` (reported) if there are too many. Call [`Elaborator::leave`] after.
    pub(super) fn enter(&mut self, span: Span) -> bool {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.error("E0123", "expressions and calls nest too deeply", span, "the limit was reached here");
            return false;
        }
        true
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

impl Expected {
    pub fn of(tensor: &Tensor) -> Expected {
        Expected { elem: Some(tensor.ty.elem), axes: tensor.axes() }
    }

    /// The same shape with elements of any type.
    pub fn of_any_type(&self) -> Expected {
        Expected { elem: None, axes: self.axes.clone() }
    }

    pub fn shape(&self) -> Vec<crate::ir::Dim> {
        self.axes.iter().map(|axis| axis.size.clone()).collect()
    }
}
