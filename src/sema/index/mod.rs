//! Index notation: definitions `y[b, o] = …`, reducers `sum[i](…)`, subscripts with indices.
//!
//! While a right-hand side is elaborated, an [`IndexFrame`] holds the loop body that is being written; an
//! index is bound in the frame of the call as a [`Value::Indexed`] with kind `BindingKind::Index`. Operators and
//! elementwise functions work on indexed values as on tensors (`super::elementwise`).

use super::elaborator::Elaborator;
use super::value::Value;
use crate::base::Span;
use crate::ir::build::{LoopBuilder, LoopParts};
use crate::syntax::ast;

/// A loop body in the making.
#[derive(Clone, Debug)]
pub struct IndexFrame {
    /// Told apart from all others.
    pub id: u32,
    pub parts: LoopParts,
}

impl Elaborator<'_> {
    /// Works on the loop body of the innermost index frame.
    pub fn with_index_body<R>(&mut self, work: impl FnOnce(&mut LoopBuilder<'_>) -> R) -> Option<R> {
        let mut frame = self.index_frames.pop()?;
        let mut builder = LoopBuilder::resume(self.graph(), std::mem::take(&mut frame.parts));
        let result = work(&mut builder);
        frame.parts = builder.suspend();
        self.index_frames.push(frame);
        Some(result)
    }

    pub fn new_frame_id(&mut self) -> u32 {
        self.next_frame += 1;
        self.next_frame
    }
}

/// `y[b, o] = expr`, `y[dst[e], d] += expr`: binds the new tensor in the frame of the call.
pub fn define(elaborator: &mut Elaborator<'_>, definition: &ast::IndexDefinition) {
    not_yet(elaborator, definition.target_span, "index definitions");
    elaborator.bind_local(&definition.name, Value::Error);
}

/// `sum[i < N, j](body)`
pub fn reduce(elaborator: &mut Elaborator<'_>, reduce: &ast::Reduce, span: Span) -> Value {
    let _ = reduce;
    not_yet(elaborator, span, "reducers")
}

/// A subscript that mentions an index: `x[i, 2*j - 1 else 0]`, inside index notation only. `base` is a tensor.
pub fn subscript(
    elaborator: &mut Elaborator<'_>,
    base: &super::value::Tensor,
    subscripts: &ast::Subscripts,
    span: Span,
) -> Value {
    let _ = (base, subscripts);
    not_yet(elaborator, span, "subscripts with indices")
}

fn not_yet(elaborator: &mut Elaborator<'_>, span: Span, what: &str) -> Value {
    elaborator.error("E0199", format!("{what} are not supported yet"), span, "here")
}
