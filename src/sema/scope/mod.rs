//! The first room: which names are in sight, the calls in progress, what is elaborated for, and what has been told.
//!
//! Everything in `sema/scope` works on a [`Scope`] alone: it builds no graph and elaborates nothing.

pub mod arguments;
pub mod bodies;
pub mod candidates;
pub mod context;
pub mod frames;
pub mod limits;
pub mod module;
pub mod prelude;
pub mod recursion;
pub mod report;

use crate::base::{SourceMap, Span};
use crate::sema::value::Instance;
use context::Present;
use frames::{Frame, FrameKind};
use limits::Limits;
use module::{Found, ItemRef, ModuleId, Modules};
use report::Report;
use report::sizes::Numeric;
use std::collections::HashSet;
use std::sync::Arc;

#[derive(Debug)]
pub struct Scope<'a> {
    pub sources: &'a SourceMap,
    pub modules: Modules,
    /// The calls in progress, outermost first. There is always one.
    pub frames: Vec<Frame>,
    /// What is elaborated for.
    pub context: Present,
    /// What is wrong so far, in the order in which it was found.
    pub reports: Vec<Report>,
    /// Shape errors found so far, to be found again with names for the sizes.
    pub numeric: Vec<Numeric>,
    pub(in crate::sema) limits: Limits,
    /// Items whose bodies were elaborated, by place.
    elaborated: HashSet<Span>,
}

impl<'a> Scope<'a> {
    pub fn new(sources: &'a SourceMap, modules: Modules) -> Scope<'a> {
        Scope {
            sources,
            modules,
            frames: vec![Frame::uncalled(FrameKind::File, None, ModuleId::MAIN)],
            context: Present::default(),
            reports: Vec::new(),
            numeric: Vec::new(),
            limits: Limits::default(),
            elaborated: HashSet::new(),
        }
    }

    /// What a name means in a file, its imports and the library.
    pub fn find_item(&mut self, module: ModuleId, name: &str) -> Option<Found> {
        self.modules.find(module, name, &mut self.reports)
    }

    pub fn frame(&self) -> &Frame {
        self.frames.last().expect("there is always a frame")
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("there is always a frame")
    }

    /// Begins a call. [`Scope::leave_frame`] ends it.
    pub fn enter_frame(&mut self, frame: Frame) {
        if let Some(item) = &frame.item {
            self.elaborated.insert(item.item.span);
        }
        self.frames.push(frame);
    }

    pub fn leave_frame(&mut self) {
        self.frames.pop();
    }

    /// Whether a body was elaborated at least once.
    pub fn was_elaborated(&self, item: &ItemRef) -> bool {
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
