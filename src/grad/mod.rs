//! Rank 2: symbolic differentiation (automatic differentiation by source transformation), tensor IR to tensor IR.
//!
//! [`gradient`] is reverse mode: it walks the graph from the results back to the variables and adds to the adjoints
//! of each node's operands the vector-Jacobian product of the node. The rules add nodes of the same ops to the same
//! graph, so a gradient can be differentiated again. There is one rule for each op ([`sweep`], [`loops`],
//! [`scans`]) and one for each scalar operation ([`partial`]).
//!
//! Bools and ints are constants for derivatives: conditions, masks, subscripts, the winners of `argmax`.
//! So is the value of a `Stop`, because the program says so (`stop_gradient`). Where a derivative by the argument
//! of `floor`, `ceil` or `round` is needed, that is an error.

mod algebra;
pub mod branches;
pub mod check;
mod declared;
mod flow;
mod loops;
mod partial;
mod report;
mod reverse;
mod scans;
mod stacks;
mod sweep;

use crate::ir::{Graph, NodeId, Op, Origin, Phase, StepId, fresh_step};
pub use branches::inline_into_branches;
use flow::Mode;
use sweep::SweepOptions;

/// Why there is no derivative.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GradError {
    /// The node at which the derivative ends. In a scan's body `node` is the scan; `origin` is exact.
    pub node: NodeId,
    pub origin: Origin,
    pub what: NoDerivative,
    /// The variable that has no derivative, if the error concerns one variable only.
    pub wrt: Option<usize>,
}

/// The operation that has no derivative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoDerivative {
    Floor,
    Ceil,
    Round,
    /// The variable reaches the result, but only through conditions, whole numbers or the places of greatest
    /// values, whose derivatives are zero everywhere; this is the first such place.
    OnlyThroughConditions,
}

/// The derivative of `Σ seed · of` with respect to each node of `wrt`; a seed that is not given is all ones.
/// If a node of `wrt` is computed from another one, the derivative by the other one includes the path through it.
///
/// The derivatives are added to the graph with phase [`Phase::Backward`] and the places and paths of the
/// nodes they belong to. The nodes of the graph keep their numbers and values, but some are computed in another way
/// afterwards (see [`inline_into_branches`]), and scans collect more values.
///
/// `None`: the result does not depend on the variable, or only through `stop_gradient`.
///
/// # Errors
/// [`GradError`] at the first node on the way that has no derivative.
pub fn gradient(
    graph: &mut Graph,
    of: &[(NodeId, Option<NodeId>)],
    wrt: &[NodeId],
) -> Result<Vec<Option<NodeId>>, GradError> {
    let first_step = fresh_step(graph);
    gradient_within(graph, of, wrt, first_step)
}

/// As [`gradient`], in the body of a scan: scans of the derivatives are numbered from `first_step` on, which no scan in
/// the graph or around it has.
///
/// # Errors
/// As [`gradient`].
pub fn gradient_within(
    graph: &mut Graph,
    of: &[(NodeId, Option<NodeId>)],
    wrt: &[NodeId],
    first_step: StepId,
) -> Result<Vec<Option<NodeId>>, GradError> {
    let results: Vec<NodeId> = of.iter().map(|(node, _)| *node).collect();
    let previous_origin = graph.origin.clone();
    inline_into_branches(graph, &results, wrt);
    let seeds: Vec<(NodeId, NodeId)> = of
        .iter()
        .map(|(node, seed)| {
            let seed = seed.unwrap_or_else(|| {
                graph.origin = backward(&graph[*node].origin);
                graph.fill(1.0, graph.shape(*node).to_vec())
            });
            (*node, seed)
        })
        .collect();
    let mut next_step = first_step.0;
    let found = sweep::contributions(graph, &seeds, wrt, &mut next_step, SweepOptions::default());
    graph.origin = previous_origin.clone();
    let found = found?;
    let mut derivatives = Vec::with_capacity(wrt.len());
    for (at, (variable, parts)) in wrt.iter().zip(found).enumerate() {
        graph.origin = backward(&graph[*variable].origin);
        derivatives.push(if !parts.is_empty() {
            Some(sweep::sum(graph, &parts))
        } else if flow::reaches(graph, &[*variable], &results, Mode::Derivative) {
            // It depends on the variable, and the derivative is zero.
            Some(graph.fill(0.0, graph.shape(*variable).to_vec()))
        } else if let Some(node) = flow::first_block(graph, *variable, &results) {
            let origin = graph[node].origin.clone();
            graph.origin = previous_origin;
            return Err(GradError { node, origin, what: NoDerivative::OnlyThroughConditions, wrt: Some(at) });
        } else {
            None
        });
    }
    graph.origin = previous_origin;
    Ok(derivatives)
}

/// For each node whether a derivative leads from one of `from` to it.
pub fn dependents(graph: &Graph, from: &[NodeId]) -> Vec<bool> {
    flow::dependents(graph, from, Mode::Derivative)
}

/// The origin that the derivative of a node gets.
fn backward(origin: &Origin) -> Origin {
    Origin { phase: Phase::Backward, ..origin.clone() }
}

/// The trained parameters that the nodes `from` depend on, in the order of the graph.
pub fn parameters(graph: &Graph, from: &[NodeId]) -> Vec<NodeId> {
    let needed = graph.reachable(from.iter().copied());
    let params =
        graph.nodes().filter(|(id, node)| needed[id.0 as usize] && matches!(node.op, Op::Param { .. }));
    params.map(|(id, _)| id).collect()
}
