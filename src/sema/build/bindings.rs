//! Names that are bound to values, which the graph keeps notes of.

use crate::base::Span;
use crate::ir::{Elem, Op};
use crate::sema::build::Builder;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

impl Builder<'_> {
    /// Binds a name in the body.
    pub fn bind_local(&mut self, name: &ast::Name, value: Value) {
        self.bind_name(name.text.clone(), value, name.span, BindingKind::Local);
    }

    /// Binds a name; a value by which the body differentiates is marked.
    pub fn bind_name(&mut self, name: Arc<str>, value: Value, span: Span, kind: BindingKind) {
        let value = if self.frame().marked.contains(&name) { self.mark(value, span) } else { value };
        self.note_binding(&name, &value, kind);
        self.frame_mut().bind(name, value, span, kind);
    }

    /// Gives a value a name of its own, so that a derivative by it counts what is computed from it only.
    pub fn mark(&mut self, value: Value, span: Span) -> Value {
        if let Value::Parameters(set) = value {
            return self.mark_set(set, span);
        }
        if !(value.is_number() || matches!(value, Value::Tensor(_) | Value::List(_))) {
            return value;
        }
        let Some(tensor) = self.to_tensor(&value, span) else { return Value::Error };
        if tensor.ty.elem != Elem::Float && matches!(value, Value::Tensor(_)) {
            return value;
        }
        let Some(tensor) = self.with_elem(tensor, Elem::Float, span) else { return Value::Error };
        let Some(node) = self.node(&tensor, span) else { return Value::Error };
        self.ids.mark += 1;
        let marked = self.add(span, Op::Mark(self.ids.mark), vec![node]);
        Value::Tensor(Tensor { stretch: tensor.stretch, span: tensor.span, ..marked })
    }
}
