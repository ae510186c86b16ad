//! What may stand in the body that is being elaborated.

use crate::base::{Diagnostic, Span};
use crate::sema::scope::Scope;
use crate::sema::scope::frames::{Frame, FrameKind};
use crate::sema::value::Value;
use crate::syntax::ast;

impl Scope<'_> {
    /// Whether an activation or an optimizer is being elaborated: only elementwise operations stand in them.
    pub fn in_elementwise_body(&self) -> bool {
        self.frames.iter().any(is_elementwise)
    }

    pub fn not_elementwise(&mut self, what: &str, span: Span) -> Value {
        let around = self.frames.iter().rev().find(|frame| is_elementwise(frame));
        let is_optimizer = around.is_some_and(|frame| matches!(frame.kind, FrameKind::Optimizer));
        let item = around.and_then(|frame| frame.item.clone());
        let name = item.as_ref().map_or(String::new(), |item| item.name().to_string());
        let (code, word, declared) = match is_optimizer {
            true => ("E0620", "optimizer", "declared as an optimizer"),
            false => ("E0111", "activation", "declared as an activation"),
        };
        let mut error = Diagnostic::error(code, format!("the {word} `{name}` is not elementwise"));
        error = error.at(span, format!("{what} looks at more than one element"));
        if let Some(item) = &item {
            error = error.and_at(item.name_span(), declared);
        }
        self.report(match is_optimizer {
            true => error.help(format!(
                "`optimizer {name}(…)(param: [m, n]) {{ … }}` sees whole parameters; `clip_norm = 1` behind it scales by \
                 the norm of all gradients"
            )),
            false => error.help("`fn` declares a function of whole tensors"),
        });
        Value::Error
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
