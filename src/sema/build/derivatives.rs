//! Derivatives of values by others of the same graph.

use crate::base::{Diagnostic, Span};
use crate::ir::{Elem, NodeId};
use crate::sema::build::Builder;
use crate::sema::value::Tensor;

/// Values of more operations than this are not differentiated: high orders grow without end.
const MAX_DIFFERENTIATED: usize = 5_000;

impl Builder<'_> {
    /// The derivatives of a node by others of the same graph; `None` for what it does not depend on. The outer
    /// `None` is reported.
    pub fn derivatives(
        &mut self,
        of: NodeId,
        by: &[NodeId],
        by_span: Span,
        span: Span,
    ) -> Option<Vec<Option<NodeId>>> {
        let needed = self.graph().reachable([of]).into_iter().filter(|needed| *needed).count();
        if needed > MAX_DIFFERENTIATED {
            let message = format!("the derivative of a value of {needed} operations");
            let error = Diagnostic::error("E0122", message).at(span, "it would unfold into too much");
            self.report(error.note(
                "each order of a derivative has two to three times the operations of the one before",
            ));
            return None;
        }
        self.set_origin(span);
        let stable = crate::opt::stabilise(self.graph_mut(), &[of], by);
        match crate::grad::gradient(self.graph_mut(), &[(stable[0], None)], by) {
            Ok(found) => Some(found),
            Err(error) => {
                let diagnostic = error.diagnostic(self.text(by_span));
                self.report(diagnostic.and_at(span, "the derivative is asked for here"));
                None
            }
        }
    }

    /// Reports what is differentiated, or by what, if it is not made of floats.
    pub fn is_differentiable(&mut self, tensor: &Tensor, span: Span) -> bool {
        if tensor.ty.elem != Elem::Float {
            let message = format!("`grad` of {}s", tensor.ty.elem);
            let error = Diagnostic::error("E0405", message).at(span, "only floats have derivatives");
            self.report(error);
            return false;
        }
        true
    }
}
