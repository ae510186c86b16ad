//! Rewriting of graphs, the bodies of scans included.

use crate::ir::rewrite::copy;
use crate::ir::{Graph, Node, NodeId, Op, Scan};
use std::sync::Arc;

/// Adds a replacement of a node of the old graph to the new graph, given the node's operands in the new graph;
/// `None` copies the node.
pub(super) type Make<'m> = dyn Fn(&mut Graph, (&Graph, NodeId), &Node, Vec<NodeId>) -> Option<NodeId> + 'm;

/// The same outputs, with each node that they need made by `make`.
pub(super) fn rebuild(graph: &Graph, make: &Make<'_>) -> Graph {
    let mut new = Graph::new();
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let places = copy(&mut new, graph, &needed, |new, id, node, operands| {
        make(new, (graph, id), node, operands.clone()).unwrap_or_else(|| {
            let op = match &node.op {
                Op::Scan(scan) => {
                    let body = rebuild(&scan.body, make);
                    Op::Scan(Arc::new(Scan { body, trip: scan.trip.clone(), ..**scan }))
                }
                other => other.clone(),
            };
            new.add(op, operands)
        })
    });
    for output in &graph.outputs {
        new.output(output.name.clone(), places[output.node.0 as usize].expect("outputs are needed"));
    }
    new
}
