//! The graphs that are being built: the one of a step or an output, and inside it those of scan bodies.
//!
//! A level is one graph. A tensor of an outer level that is used in an inner one (the body of a scan) becomes
//! a capture there. A tensor of a level that is not open belongs to another graph: using it is an error.
//!
//! Some level is always open. Outside of every graph of the program it is that of compile time: the settings of
//! items are elaborated there. Run-time operations in a setting add nodes that nothing will run, and what
//! asks for a compile-time value reports the tensor that they give.

use crate::sema::build::Builder;
use crate::sema::value::{Interval, LevelId, Tensor, Value};
use crate::sema::scope::report::layers::VariableError;
use crate::base::Span;
use crate::ir::build::LoopNode;
use crate::ir::{Affine, Dim, Graph, NodeId, Op, Origin, Phase, StepId, fresh_step};
use std::sync::Arc;

/// The level of what is computed at compile time.
const COMPILE_TIME: LevelId = LevelId(0);

/// The last numbers given out.
#[derive(Debug, Default)]
pub struct Ids {
    /// Of the variables of `grad`.
    pub mark: u32,
    pub level: u32,
    pub step: u32,
    /// Of frames of index notation.
    pub frame: u32,
}

/// One graph that is being built.
#[derive(Debug)]
pub struct Level {
    pub id: LevelId,
    pub graph: Graph,
    /// Of a scan's body: its step and the number of steps.
    pub step: Option<(StepId, Dim)>,
    /// Of a scan's body: the nodes of the level around it that it uses, in the order of `Op::Capture`.
    pub captures: Vec<NodeId>,
}

impl Level {
    /// The level that is open where no graph of the program is being built.
    pub fn compile_time() -> Level {
        Level { id: COMPILE_TIME, graph: Graph::new(), step: None, captures: Vec::new() }
    }
}

impl Builder<'_> {
    /// Whether no graph of the program is being built: a run-time value can serve nothing here.
    pub fn is_compile_time(&self) -> bool {
        self.levels[0].id == COMPILE_TIME
    }

    /// Opens the graph of a scan's body. [`Builder::close_level`] ends it.
    pub fn open_level(&mut self, step: StepId, trip: Dim) -> LevelId {
        let id = self.new_level_id();
        self.levels.push(Level { id, graph: Graph::new(), step: Some((step, trip)), captures: Vec::new() });
        id
    }

    pub fn close_level(&mut self) -> Option<Level> {
        if self.levels.len() > 1 { self.levels.pop() } else { None }
    }

    pub fn new_level_id(&mut self) -> LevelId {
        self.ids.level += 1;
        LevelId(self.ids.level)
    }

    pub fn new_step_id(&mut self) -> StepId {
        self.ids.step += 1;
        StepId(self.ids.step - 1)
    }

    /// The number that the next scan gets: no scan in an open graph has it.
    pub fn first_free_step(&self) -> StepId {
        StepId(self.ids.step)
    }

    /// Counts the scans in the graph that others have added to it.
    pub fn count_steps(&mut self) {
        self.ids.step = self.ids.step.max(fresh_step(self.graph()).0);
    }

    /// The level that is being built.
    pub fn level(&self) -> &Level {
        self.levels.last().expect("there is always a level")
    }

    pub fn graph(&self) -> &Graph {
        &self.level().graph
    }

    pub fn graph_mut(&mut self) -> &mut Graph {
        &mut self.levels.last_mut().expect("there is always a level").graph
    }

    /// Whether the body of a scan is being built.
    pub fn in_scan(&self) -> bool {
        self.levels.len() > 1
    }

    /// Whether a `scan` of the present body is being built: parameters and instances cannot be made in it. Those of
    /// a layer that the scan calls are the same in each step.
    pub fn in_scan_of_body(&self) -> bool {
        self.levels.len() > self.frame().levels
    }

    /// The node of a tensor in the level that is being built.
    pub fn node(&mut self, tensor: &Tensor, span: Span) -> Option<NodeId> {
        let known = self.levels.iter().position(|level| level.id == tensor.level).map(|at| (at, tensor.node));
        let known = known.or_else(|| self.started(tensor).map(|node| (0, node)));
        let Some((at, mut node)) = known else {
            let of = self.context.draw_path().filter(|_| self.in_starts()).cloned();
            self.report(VariableError::StartNotKnown { of, at: span });
            return None;
        };
        for inner in &mut self.levels[at + 1..] {
            let index = inner.captures.iter().position(|capture| *capture == node).unwrap_or_else(|| {
                inner.captures.push(node);
                inner.captures.len() - 1
            });
            node = inner.graph.add(Op::Capture { index: index as u32, ty: tensor.ty.clone() }, Vec::new());
        }
        Some(node)
    }

    /// Adds a node with its origin.
    pub fn add(&mut self, span: Span, op: Op, operands: Vec<NodeId>) -> Tensor {
        self.set_origin(span);
        let node = self.graph_mut().add(op, operands);
        self.tensor(node, span)
    }

    pub fn add_loop(&mut self, span: Span, node: LoopNode) -> Tensor {
        self.set_origin(span);
        let node = self.graph_mut().add_loop(node);
        self.tensor(node, span)
    }

    /// A node of the level that is being built, as a value without stretchable axes.
    pub fn tensor(&self, node: NodeId, span: Span) -> Tensor {
        let ty = self.graph().ty(node).clone();
        let stretch = vec![false; ty.rank()];
        let level = self.level().id;
        Tensor { node, level, ty, stretch, interval: None, affine: None, field: None, span }
    }

    /// The counter of a scan.
    pub fn step_tensor(&mut self, step: StepId, trip: &Dim, span: Span) -> Value {
        self.set_origin(span);
        let node = self.graph_mut().step_value(step);
        let mut tensor = self.tensor(node, span);
        tensor.interval = Some(Interval::below(trip));
        tensor.affine = Some(Affine::step(step));
        Value::Tensor(tensor)
    }

    /// The number of the innermost scan step, counting through nested scans, and 0 outside of scans.
    pub fn scan_step(&self) -> Affine {
        let mut count = Affine::constant(0i64);
        for (step, trip) in self.levels.iter().filter_map(|level| level.step.as_ref()) {
            count = count.scale(trip).add(&Affine::step(*step));
        }
        count
    }

    pub fn set_origin(&mut self, span: Span) {
        let span = self.user_place(span);
        let (path, phase) = match (self.context.updated_parameter(), self.instance_path()) {
            (Some(parameter), _) => (Some(parameter.clone()), Phase::Update),
            (None, Some(path)) => (Some(path).filter(|path| !path.is_empty()), Phase::Forward),
            (None, None) => (self.outermost_call(), Phase::Forward),
        };
        self.graph_mut().origin = Origin { span, path, phase };
    }

    /// The function that is called outside of any layer: the loss, the metric.
    fn outermost_call(&self) -> Option<Arc<str>> {
        let item = self.frames.iter().find_map(|frame| frame.item.as_ref())?;
        item.item.kind.name().map(|name| name.text.clone())
    }
}

impl Builder<'_> {
    /// Counts one unit of work. `false` once the program has used up what it may use, which is reported.
    pub fn work(&mut self, span: Span) -> bool {
        let nodes = self.graph().len();
        self.count_work(nodes, span)
    }
}
