//! Derivatives that functions declare, where a loss calls these functions.

use crate::base::Span;
use crate::ir::NodeId;
use std::sync::Arc;

/// A call of a function that declares its derivative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declared {
    /// The node `mark value, adjoint, result, x, g, …` of the forward graph; none if the call stands in a scan.
    pub node: Option<NodeId>,
    pub function: Arc<str>,
    /// Whether it is said to be another derivative than the true one.
    pub is_surrogate: bool,
    /// The call.
    pub span: Span,
}
