//! What may stand in the body that is being elaborated.

use crate::base::Span;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::{Frame, FrameKind};
use crate::sema::scope::report::roles::RoleError;
use crate::sema::value::Value;
use crate::syntax::ast;

impl Scope<'_> {
    /// Whether an activation or an optimizer is being elaborated: only elementwise operations stand in them.
    pub fn in_elementwise_body(&self) -> bool {
        self.frames.iter().any(is_elementwise)
    }

    pub fn not_elementwise(&mut self, what: &str, at: Span) -> Value {
        let around = self.frames.iter().rev().find(|frame| is_elementwise(frame));
        let is_optimizer = around.is_some_and(|frame| matches!(frame.kind, FrameKind::Optimizer));
        let item = around.and_then(|frame| frame.item.clone());
        let name = item.as_ref().map_or(String::new(), |item| item.name().to_string());
        let declared = item.map(|item| item.name_span());
        self.report(RoleError::NotElementwise { what: what.to_owned(), is_optimizer, name, declared, at })
    }
}

/// Whether the body of a frame sees one element at a time.
fn is_elementwise(frame: &Frame) -> bool {
    match frame.kind {
        FrameKind::Activation => true,
        FrameKind::Optimizer => {
            let definition = frame.item.as_ref().and_then(|item| item.definition());
            !definition.is_some_and(is_whole)
        }
        FrameKind::File | FrameKind::Function | FrameKind::Layer(_) => false,
    }
}

/// Whether an optimiser's body is for whole parameters: it declares what it takes, `(param: [m, n])`.
pub fn is_whole(definition: &ast::Definition) -> bool {
    definition.hyper.is_some() && definition.inputs.is_some()
}

/// Whether an optimiser's body is for all its parameters at once: `(parameters: [n])`.
pub fn sees_all(definition: &ast::Definition) -> bool {
    let inputs = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
    is_whole(definition) && matches!(inputs, [one] if one.name.as_str() == "parameters")
}
