//! Derivatives of values by others of the same graph.

use crate::sema::scope::report::limits::LimitError;
use crate::sema::scope::report::parameter_sets::DerivativeError;
use crate::base::Span;
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
            self.report(LimitError::Derivative { operations: needed, at: span });
            return None;
        }
        self.set_origin(span);
        let stable = crate::opt::stabilise(self.graph_mut(), &[of], by);
        let first_step = self.first_free_step();
        let found = crate::grad::gradient_within(self.graph_mut(), &[(stable[0], None)], by, first_step);
        self.count_steps();
        match found {
            Ok(derivatives) => Some(derivatives),
            Err(error) => {
                self.report(DerivativeError::NoDerivative { error, variable: by_span, at: span });
                None
            }
        }
    }

    /// Reports what is differentiated, or by what, if it is not made of floats.
    pub fn is_differentiable(&mut self, tensor: &Tensor, span: Span) -> bool {
        if tensor.ty.elem != Elem::Float {
            self.report(DerivativeError::Elements { elem: tensor.ty.elem, at: span });
            return false;
        }
        true
    }
}
