//! Graphs that a session carries out on tensors of its own, once or for some rows of data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::Moment;
use super::data::lazy::Computed;
use super::int_ranges::noted;
use super::memory::{Binding, Memory};
use super::program::Part;
use super::room::{self, Need};
use super::session::{Results, Session, Tensors};
use crate::base::{Diagnostic, Span};
use crate::compile::{Function, Use};
use crate::ir::{ExternalKey, Graph, Sizes};

impl Session {
    /// Carries out the code of a field that is computed batch by batch.
    pub(super) fn compute(
        &mut self,
        computed: &Computed,
        sizes: &Sizes,
        inputs: &Tensors,
    ) -> Result<Results, Diagnostic> {
        let program = self.program.clone();
        let sizes = noted(&computed.graph, sizes, inputs, false);
        let make = || program.build(&computed.graph, &sizes, Use::Often).map(Arc::new);
        let function = computed.functions.get((), &sizes, make);
        let function = function.map_err(|error| program.build_failed(&error, Span::NONE))?;
        self.evaluate_function(function, Moment { seed: 0, step: 0 }, inputs, Span::NONE)
    }

    /// Carries out a graph once, with parameters and states as they are. Whole columns of data and numbers of rows
    /// need not be given.
    pub(super) fn evaluate_graph(
        &mut self,
        part: Part,
        graph: &Graph,
        sizes: &Sizes,
        moment: Moment,
        inputs: &Tensors,
        span: Option<Span>,
    ) -> Result<Results, Diagnostic> {
        if graph.outputs.is_empty() {
            return Ok(BTreeMap::new());
        }
        let span = span.unwrap_or_default();
        let (mut sizes, mut inputs) = (sizes.clone(), inputs.clone());
        self.add_row_sizes(graph, &mut sizes)?;
        self.add_columns(graph, &sizes, &mut inputs)?;
        let program = self.program.clone();
        let sizes = noted(graph, &sizes, &inputs, true);
        let function =
            program.function(part, graph, &sizes).map_err(|error| program.build_failed(&error, span))?;
        self.evaluate_function(function, moment, &inputs, span)
    }

    /// As [`Session::evaluate_graph`], for a graph that is carried out once and whose code is not kept.
    pub(super) fn evaluate_once(
        &mut self,
        graph: &Graph,
        sizes: &Sizes,
        moment: Moment,
        inputs: &Tensors,
        span: Span,
    ) -> Result<Results, Diagnostic> {
        let program = self.program.clone();
        let sizes = noted(graph, sizes, inputs, true);
        let function = program.build_in(self.memory.precision, graph, &sizes, Use::Once);
        let function = function.map_err(|error| program.build_failed(&error, span))?;
        self.evaluate_function(Arc::new(function), moment, inputs, span)
    }

    pub(super) fn evaluate_function(
        &mut self,
        function: Arc<Function>,
        moment: Moment,
        inputs: &Tensors,
        span: Span,
    ) -> Result<Results, Diagnostic> {
        let is_output = |external: &&crate::plan::External| matches!(external.name, ExternalKey::Output(_));
        let outputs = function.externals.iter().filter(is_output);
        let bytes = outputs.fold(0, |sum: u64, external| {
            sum.saturating_add(room::bytes_of(&external.shape, self.memory.precision.bytes()))
        });
        let need = Need::of("temporaries of a computation", function.temporary_bytes() as u64);
        need.and("its results", bytes).check().map_err(|error| error.at(span, "asked for here"))?;
        let mut added = Vec::new();
        let binding = self.memory.bind(function, |memory, external| match &external.name {
            ExternalKey::Input(name) => {
                let cell = memory.add(Arc::clone(inputs.get(name)?));
                added.push(cell);
                Some(cell)
            }
            ExternalKey::Param(path) | ExternalKey::State(path) => memory.find(path),
            ExternalKey::Output(_) => None,
        });
        let binding = binding.map_err(|name| unbound(&name, span))?;
        let called = self.caller.call(&binding, &mut self.memory, moment);
        let results = take_outputs(&binding, &mut self.memory);
        self.memory.release(&binding);
        added.into_iter().for_each(|cell| self.memory.remove(cell));
        called.map_err(|error| if error.labels.is_empty() { error.at(span, "") } else { error })?;
        Ok(results)
    }
}

/// Moves the outputs out of the memory.
fn take_outputs(binding: &Binding, memory: &mut Memory) -> Results {
    let externals = binding.function.externals.iter().zip(&binding.cells);
    externals
        .filter_map(|(external, cell)| {
            let ExternalKey::Output(name) = &external.name else { return None };
            let array = Arc::unwrap_or_clone(memory.take_one(*cell));
            Some((name.clone(), array.reshaped(external.shape.clone()).ok()?))
        })
        .collect()
}

/// A function asks for a tensor that the session does not have: graphs and variables do not fit together.
pub(super) fn unbound(name: &ExternalKey, span: Span) -> Diagnostic {
    let message = format!("the compiled code needs `{name}`, which the program does not have in that shape");
    let fault = Diagnostic::fault(message);
    if span.is_none() { fault } else { fault.at(span, "") }
}
