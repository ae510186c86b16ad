//! The abstract interpreter that makes graphs of a program.
//!
//! An [`Elaborator`] elaborates bodies on [`Value`]s: compile-time values are computed, run-time values
//! become nodes of the graph that is being built. Functions are expanded at each call; a layer's body is
//! elaborated at each call of an instance.
//!
//! Errors are collected. A failed expression is worth [`Value::Error`], which silences what follows from it,
//! and elaboration goes on, so that one error never hides another.

use crate::sema::build::built::Built;
use crate::sema::build::constants::Constants;
use crate::sema::scope::context::Present;
use crate::sema::body::free::OpenVariables;
use crate::sema::build::graphs::{Ids, Level};
use crate::sema::body::index::IndexFrame;
use crate::sema::body::instance::ModelTable;
use crate::sema::scope::limits::Limits;
use crate::sema::scope::module::{ItemRef, ModuleId, Modules};
use crate::sema::body::requirements::Conditions;
use crate::sema::scope::frames::{Frame, FrameKind};
use crate::sema::value::{Axis, Instance, Tensor};
use crate::sema::build::variables::Variables;
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Elem;
use std::collections::HashSet;
use std::sync::Arc;

/// What the context declares: the shape and element type handed down to numbers and makers.
#[derive(Clone, PartialEq, Debug)]
pub struct Expected {
    pub elem: Option<Elem>,
    pub axes: Vec<Axis>,
}

/// All that is known while a program is elaborated. What belongs together stands together:
///
/// | field | what | where |
/// |---|---|---|
/// | `modules`, `frames`, `constants` | names and their scopes | [`crate::sema::scope::module`], [`crate::sema::scope::frames`] |
/// | `context` | what is elaborated for | [`crate::sema::scope::context`] |
/// | `levels`, `suspended`, `scans`, `ids` | the graphs that are being built | [`crate::sema::build::graphs`] |
/// | `index_frames` | index notation | [`crate::sema::body::index`] |
/// | `built` | what else is known of the graph that is being built | [`crate::sema::build::built`] |
/// | `variables`, `models`, `open` | parameters, instances, and those whose sizes are open | [`crate::sema::build::variables`] |
/// | `data`, `conditions`, `last_step` | data sets, and what is asked of data and sizes | [`crate::sema::items`] |
/// | `diagnostics`, `numeric`, `limits` | what is wrong, and what is too much | [`crate::sema::scope::report`], [`crate::sema::scope::limits`] |
pub struct Elaborator<'a> {
    pub sources: &'a SourceMap,
    pub modules: Modules,
    pub diagnostics: Vec<Diagnostic>,
    /// What is elaborated for; see [`Elaborator::within`].
    pub context: Present,
    /// The graph that is being built, outermost first; there is always one. See [`crate::sema::build::graphs`].
    pub levels: Vec<Level>,
    /// The levels around those, of which no tensors can be used: those of a body whose parameters are being made.
    pub(in crate::sema) suspended: Vec<Vec<Level>>,
    /// The recurrences whose bodies are being elaborated, outermost first.
    pub scans: Vec<crate::sema::body::scan::Open>,
    /// The loops that are being written in index notation, outermost first.
    pub index_frames: Vec<IndexFrame>,
    /// The calls in progress, outermost first. There is always one.
    pub frames: Vec<Frame>,
    pub built: Built,
    /// Parameters and states of all models.
    pub variables: Variables,
    pub models: ModelTable,
    pub open: OpenVariables,
    /// The data sets of the file.
    pub data: crate::sema::items::DataTable,
    pub conditions: Conditions,
    /// A step that the training is sure to reach, as far as is known.
    pub last_step: u64,
    /// Shape errors found so far, to be found again with names for the sizes; see [`crate::sema::body::free`].
    pub numeric: Vec<crate::sema::body::free::Numeric>,
    pub(in crate::sema) constants: Constants,
    pub(in crate::sema) ids: Ids,
    pub(in crate::sema) limits: Limits,
    /// Items whose bodies were elaborated, by place.
    elaborated: HashSet<Span>,
}

impl<'a> Elaborator<'a> {
    pub fn new(sources: &'a SourceMap, modules: Modules) -> Elaborator<'a> {
        Elaborator {
            sources,
            modules,
            diagnostics: Vec::new(),
            context: Present::default(),
            levels: vec![Level::compile_time()],
            suspended: Vec::new(),
            scans: Vec::new(),
            index_frames: Vec::new(),
            frames: vec![Frame::new(FrameKind::File, None, ModuleId::MAIN, Span::default())],
            built: Built::default(),
            variables: Variables::default(),
            models: ModelTable::default(),
            open: OpenVariables::default(),
            data: crate::sema::items::DataTable::default(),
            conditions: Conditions::default(),
            last_step: 1,
            numeric: Vec::new(),
            constants: Constants::default(),
            ids: Ids::default(),
            limits: Limits::default(),
            elaborated: HashSet::new(),
        }
    }

    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("there is always a frame")
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("there is always a frame")
    }

    /// Carries out `run` in a frame of its own.
    pub fn in_frame<R>(&mut self, mut frame: Frame, run: impl FnOnce(&mut Self) -> R) -> R {
        if let Some(item) = &frame.item {
            self.elaborated.insert(item.item.span);
        }
        frame.levels = self.levels.len();
        self.frames.push(frame);
        let result = run(self);
        self.frames.pop();
        result
    }

    /// Whether a body was elaborated at least once.
    pub fn was_carried_out(&self, item: &ItemRef) -> bool {
        self.elaborated.contains(&item.item.span)
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
