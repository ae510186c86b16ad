//! What forms that are written node by node have in common: the order of nodes, the values of their operands, and
//! where in the program the node is that a form cannot say.

use std::sync::Arc;

use crate::base::{Diagnostic, Span};
use crate::ir::{Graph, Node, NodeId};

/// Something that a form cannot say, and the node that needs it.
#[derive(Clone, Debug)]
pub struct Refusal<What> {
    pub what: What,
    pub span: Span,
    /// The part of the model that the node belongs to.
    pub path: Option<Arc<str>>,
}

/// At no node, or at one that is not known yet.
impl<What> From<What> for Refusal<What> {
    fn from(what: What) -> Refusal<What> {
        Refusal { what, span: Span::NONE, path: None }
    }
}

impl<What> Refusal<What> {
    /// At this node, if none within it is known.
    fn at(self, node: &Node) -> Refusal<What> {
        match self.span.is_none() {
            true => Refusal { span: node.origin.span, path: node.origin.path.clone(), ..self },
            false => self,
        }
    }

    /// The part of the model, for a message.
    pub fn part(&self) -> Option<&str> {
        self.path.as_deref().filter(|path| !path.is_empty())
    }

    /// Shows the place, if there is one.
    pub fn point_out(&self, error: Diagnostic, label: &str) -> Diagnostic {
        if self.span.is_none() { error } else { error.at(self.span, label) }
    }
}

/// The values of the nodes that outputs need, in their order. `value` makes that of a node from those of its operands;
/// `missing` is what a form says of a value that nothing gives.
///
/// # Errors
/// The first node that has no value in this form.
pub fn values<Value: Clone, What: Clone>(
    graph: &Graph,
    missing: &What,
    mut value: impl FnMut(NodeId, &Node, &[Value]) -> Result<Value, Refusal<What>>,
) -> Result<Vec<Option<Value>>, Refusal<What>> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let mut made: Vec<Option<Value>> = vec![None; graph.len()];
    for (id, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        let operands: Option<Vec<Value>> =
            node.operands.iter().map(|operand| made[operand.0 as usize].clone()).collect();
        let new = match operands {
            Some(operands) => value(id, node, &operands),
            None => Err(missing.clone().into()),
        };
        made[id.0 as usize] = Some(new.map_err(|refusal| refusal.at(node))?);
    }
    Ok(made)
}
