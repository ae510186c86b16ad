//! Shape errors that are found where all sizes are numbers, and the names of these sizes in their messages.

use super::{Report, ReportKey};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Dim;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Value;
use std::sync::Arc;

/// Values by the names of parameters.
pub type Values = Vec<(Arc<str>, Value)>;

/// A shape error in the body of a definition of the user's, and what that body was elaborated on.
#[derive(Clone, Debug)]
pub struct Numeric {
    pub key: ReportKey,
    /// The definition in whose body the error is.
    pub item: ItemRef,
    pub hyper: Values,
    pub inputs: Values,
    /// The sizes of the names of dimensions.
    pub dims: Vec<(Arc<str>, Dim)>,
}

impl Scope<'_> {
    /// Remembers the call in which a shape error was found.
    pub fn remember_sizes(&mut self, error: &Diagnostic) {
        let Some(place) = error.primary_span() else { return };
        if self.context.is_looking() {
            return;
        }
        let frame = self.frames.iter().rev().find(|frame| {
            frame.item.as_ref().is_some_and(|item| item.item.span.holds(place) && item.definition().is_some())
        });
        let Some((frame, item)) = frame.and_then(|frame| Some((frame, frame.item.clone()?))) else { return };
        let values_of = |kind: BindingKind| -> Values {
            let bindings = frame.bindings.iter().filter(|binding| binding.kind == kind);
            bindings.map(|binding| (binding.name.clone(), binding.value.clone())).collect()
        };
        let dims = frame.bindings.iter().filter_map(|binding| match (binding.kind, &binding.value) {
            (BindingKind::Dim { .. }, Value::Int(size)) => Some((binding.name.clone(), size.clone())),
            _ => None,
        });
        let dims = dims.collect();
        let (hyper, inputs) = (values_of(BindingKind::Hyper), values_of(BindingKind::Input));
        self.numeric.push(Numeric { key: ReportKey::of(error), item, hyper, inputs, dims });
    }

    /// Whether two sizes with symbolic dimensions may be equal once these have numbers.
    pub fn may_fit(&self, a: &Dim, b: &Dim) -> bool {
        self.context.sizes_may_fit() && (a - b).as_number().is_none_or(|difference| difference == 0)
    }
}

impl Report {
    /// Puts names beside the numbers of a shape error. `named` is the same error on symbolic sizes, `dims` are the
    /// sizes that these have here.
    pub fn name_sizes(&mut self, named: &mut Report, dims: &[(Arc<str>, Dim)], sources: &SourceMap) {
        let (Some(problem), Some(other)) = (&mut self.problem, &mut named.problem) else { return };
        let mut symbols: Vec<Arc<str>> = Vec::new();
        // Each label that changes: its place, and its texts before and after.
        let mut changes: Vec<(Span, String, String)> = Vec::new();
        let before = problem.diagnostic(sources);
        for (shape, other) in problem.shapes_mut().into_iter().zip(other.shapes_mut()) {
            shape.name_as(other, &mut symbols);
        }
        let after = problem.diagnostic(sources);
        for (numbers, names) in before.labels.into_iter().zip(after.labels) {
            changes.push((numbers.span, numbers.message, names.message));
        }
        for input in &mut self.inputs {
            let Some(other) = named.inputs.iter().find(|other| other.at == input.at) else { continue };
            let before = input.label();
            input.shape.name_as(&other.shape, &mut symbols);
            changes.push((input.at, before, input.label()));
        }
        for (span, before, after) in changes {
            // What was made outside of the body keeps its numbers.
            let is_inside = named.diagnostic.labels.iter().any(|label| label.span == span);
            let mut labels = self.diagnostic.labels.iter_mut();
            if let Some(label) = labels.find(|label| is_inside && label.span == span && label.message == before) {
                label.message = after;
            }
        }
        if let Some(note) = sizes_of(&symbols, dims) {
            self.diagnostic.notes.insert(0, note);
        }
    }
}

/// "here B = 5, H = W = 28": the sizes of names.
fn sizes_of(names: &[Arc<str>], dims: &[(Arc<str>, Dim)]) -> Option<String> {
    let mut groups: Vec<(&Dim, Vec<&str>)> = Vec::new();
    for (name, size) in dims.iter().filter(|(name, size)| names.contains(name) && size.to_string() != **name) {
        match groups.iter_mut().find(|(known, _)| *known == size) {
            Some((_, names)) => names.push(name),
            None => groups.push((size, vec![name])),
        }
    }
    let texts: Vec<String> =
        groups.into_iter().map(|(size, names)| format!("{} = {size}", names.join(" = "))).collect();
    (!texts.is_empty()).then(|| format!("here {}", texts.join(", ")))
}
