//! The third room: the abstract interpreter that makes graphs of a program.
//!
//! An [`Elaborator`] elaborates bodies on values: compile-time values are computed, run-time values become nodes of
//! the graph that is being built. Functions are expanded at each call; a layer's body is elaborated at each call of
//! an instance.
//!
//! Errors are collected. A failed expression is worth [`Value::Error`], which silences
//! what follows from it, and elaboration goes on, so that one error never hides another.

use crate::base::SourceMap;
use crate::ir::Graph;
use crate::sema::body::free::OpenVariables;
use crate::sema::body::instance::ModelTable;
use crate::sema::body::names::Constants;
use crate::sema::body::scan::Open;
use crate::sema::build::Builder;
use crate::sema::build::graphs::Level;
use crate::sema::body::data_table::DataTable;
use crate::sema::scope::Scope;
use crate::sema::scope::report::Problem;
use crate::sema::scope::context::{self, Context, ItemContext, Present};
use crate::sema::scope::frames::Frame;
use crate::sema::scope::module::Modules;
use crate::sema::value::{LevelId, Value};
use std::ops::{Deref, DerefMut};

/// A [`Builder`] that has bodies to elaborate, with the tables of what these declare.
pub struct Elaborator<'a> {
    builder: Builder<'a>,
    pub(in crate::sema) constants: Constants,
    /// The recurrences whose bodies are being elaborated, outermost first.
    pub scans: Vec<Open>,
    pub models: ModelTable,
    pub open: OpenVariables,
    /// The data sets of the file.
    pub data: DataTable,
}

impl<'a> Deref for Elaborator<'a> {
    type Target = Builder<'a>;
    fn deref(&self) -> &Builder<'a> {
        &self.builder
    }
}

impl<'a> DerefMut for Elaborator<'a> {
    fn deref_mut(&mut self) -> &mut Builder<'a> {
        &mut self.builder
    }
}

impl AsMut<Present> for Elaborator<'_> {
    fn as_mut(&mut self) -> &mut Present {
        &mut self.builder.context
    }
}

impl<'a> Elaborator<'a> {
    pub fn new(sources: &'a SourceMap, modules: Modules) -> Elaborator<'a> {
        Elaborator {
            builder: Builder::new(Scope::new(sources, modules)),
            constants: Constants::default(),
            scans: Vec::new(),
            models: ModelTable::default(),
            open: OpenVariables::default(),
            data: DataTable::default(),
        }
    }

    /// [`Scope::report`], of a problem that may be made of what is known here.
    pub fn report(&mut self, problem: impl Problem) -> Value {
        (**self).report(problem)
    }

    /// Elaborates something in another context, which is made of the present one.
    pub fn within<R>(&mut self, context: Context, elaborate: impl FnOnce(&mut Elaborator<'a>) -> R) -> R {
        context::within(self, context, elaborate)
    }

    /// Elaborates an item in its own context, wherever it is asked for.
    pub fn in_item<R>(&mut self, item: ItemContext, elaborate: impl FnOnce(&mut Elaborator<'a>) -> R) -> R {
        context::in_item(self, item, elaborate)
    }

    /// Elaborates a call.
    pub fn in_frame<R>(&mut self, mut frame: Frame, elaborate: impl FnOnce(&mut Elaborator<'a>) -> R) -> R {
        frame.levels = self.levels.len();
        self.enter_frame(frame);
        let result = elaborate(self);
        self.leave_frame();
        result
    }
}

impl Elaborator<'_> {
    /// Runs `run` in the outermost graph, also from within the body of a scan.
    pub fn in_outermost_level<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        let inner = self.levels.split_off(1);
        let result = run(self);
        self.levels.truncate(1);
        self.levels.extend(inner);
        result
    }

    /// Builds a graph of its own: what `build` adds goes there. Tensors made before cannot be used in it.
    pub fn in_new_graph<R>(&mut self, build: impl FnOnce(&mut Self) -> R) -> (Graph, R) {
        let (graph, result) = self.in_graph(Graph::new(), build);
        (graph, result)
    }

    /// The same, going on with a graph.
    pub fn in_graph<R>(&mut self, graph: Graph, build: impl FnOnce(&mut Self) -> R) -> (Graph, R) {
        let id = self.new_level_id();
        self.in_level(id, graph, build)
    }

    /// The same, with the level under which tensors of that graph are known.
    pub fn in_level<R>(
        &mut self,
        id: LevelId,
        graph: Graph,
        build: impl FnOnce(&mut Self) -> R,
    ) -> (Graph, R) {
        let level = Level { id, graph, step: None, captures: Vec::new() };
        let levels = std::mem::replace(&mut self.levels, vec![level]);
        self.suspended.push(levels);
        let index_frames = std::mem::take(&mut self.index_frames);
        let result = build(self);
        self.index_frames = index_frames;
        let levels = self.suspended.pop().unwrap_or_else(|| vec![Level::compile_time()]);
        let mut finished = std::mem::replace(&mut self.levels, levels);
        (finished.swap_remove(0).graph, result)
    }
}

