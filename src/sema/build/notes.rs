//! Notes about the names that the program gives to values of a graph, for derivations and profiles.
//!
//! A binding in the user's files names its value; so do the carries of scans. The result of an instance is
//! called after the instance, that of a function of one tensor after the function, if a layer's body or the
//! user's file calls it.

use crate::sema::value::Given;
use crate::sema::build::Builder;
use crate::sema::scope::module::{ItemRef, ModuleId};
use crate::sema::scope::frames::{BindingKind, FrameKind};
use crate::sema::value::{Tensor, Value};
use crate::ir::graph::Output;
use crate::ir::program::{NamedValue, ValueName};
use crate::ir::rewrite::copy;
use crate::ir::{Elem, Graph, NodeId, StepId};
use std::sync::Arc;

impl Builder<'_> {
    /// `name = value`, or a carry.
    pub(in crate::sema) fn note_binding(&mut self, name: &Arc<str>, value: &Value, kind: BindingKind) {
        let is_carry = kind == BindingKind::Carry;
        let is_binding = matches!(kind, BindingKind::Local | BindingKind::Declared);
        let is_body = matches!(self.frame().kind, FrameKind::Layer(_) | FrameKind::Function);
        let is_read = self.is_users() || self.in_scan() && is_body;
        if is_carry || is_binding && is_read {
            self.note(value, ValueName::Binding(name.clone()));
        }
    }

    /// The result of the instance `path`.
    pub(in crate::sema) fn note_instance(&mut self, path: &Arc<str>, value: &Value) {
        let tensors = match value {
            Value::Tuple(items) => items.iter().filter_map(|item| self.noted(item)).collect(),
            value => Vec::from_iter(self.noted(value)),
        };
        for node in tensors {
            self.add_note(node, path.clone(), ValueName::Instance);
        }
    }

    /// What a model gives, if that are floats of the graph that is being built.
    pub(in crate::sema) fn note_answer(&mut self, model: &ItemRef, value: &Value) {
        let results: Option<Vec<NodeId>> = match value {
            Value::Tuple(items) => items.iter().map(|item| self.noted(item)).collect(),
            value => self.noted(value).map(|node| vec![node]),
        };
        if self.level().step.is_none() {
            self.built.answers.extend(results.map(|results| (model.name().into(), results)));
        }
    }

    /// `function(given)`
    pub(in crate::sema) fn note_call(&mut self, function: &str, given: &[Given], value: &Value) {
        if !(self.is_users() || matches!(self.frame().kind, FrameKind::Layer(_))) {
            return;
        }
        let mut tensors = given.iter().filter_map(|given| match &given.value {
            Value::Tensor(tensor) => Some(tensor.clone()),
            _ => None,
        });
        if let (Some(of), None) = (tensors.next(), tensors.next())
            && of.level == self.level().id
            && matches!(value, Value::Tensor(result) if result.ty.shape == of.ty.shape)
        {
            self.note(value, ValueName::Call { function: function.into(), of: of.node });
        }
    }

    /// The body of a scan with only the nodes that its outputs need; the notes go along.
    pub(in crate::sema) fn compact_body(&mut self, body: &Graph, step: StepId) -> Graph {
        let mut new = Graph::new();
        let needed = body.reachable(body.outputs.iter().map(|output| output.node));
        let places = copy(&mut new, body, &needed, |new, _, node, operands| {
            new.add_from(node.op.clone(), operands, &node.origin)
        });
        let place = |node: NodeId| places[node.0 as usize];
        for output in &body.outputs {
            new.outputs.extend(place(output.node).map(|node| Output { name: output.name.clone(), node }));
        }
        self.built.named_values.retain_mut(|note| {
            if note.within != Some(step) {
                return true;
            }
            if let ValueName::Call { of, .. } = &mut note.name {
                let Some(moved) = place(*of) else { return false };
                *of = moved;
            }
            place(note.node).map(|moved| note.node = moved).is_some()
        });
        new
    }

    /// Whether the body that is elaborated is of the user's files. Activations are looked at as a whole.
    fn is_users(&self) -> bool {
        let frame = self.frame();
        frame.module != ModuleId::PRELUDE
            && matches!(frame.kind, FrameKind::File | FrameKind::Function | FrameKind::Layer(_))
    }

    fn note(&mut self, value: &Value, name: ValueName) {
        if let Some(node) = self.noted(value) {
            let path = self.instance_path().unwrap_or_else(|| "".into());
            self.add_note(node, path, name);
        }
    }

    fn add_note(&mut self, node: NodeId, path: Arc<str>, name: ValueName) {
        let within = self.level().step.as_ref().map(|(step, _)| *step);
        self.built.named_values.push(NamedValue { node, within, path, name });
    }

    /// The node of a float tensor of the graph that is being built.
    fn noted(&self, value: &Value) -> Option<NodeId> {
        let is_own = |tensor: &&Tensor| {
            tensor.ty.elem == Elem::Float && self.levels.last().is_some_and(|level| level.id == tensor.level)
        };
        match value {
            Value::Tensor(tensor) => Some(tensor).filter(is_own).map(|tensor| tensor.node),
            _ => None,
        }
    }
}
