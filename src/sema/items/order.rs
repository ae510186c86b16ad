//! Rows that are computed from their neighbours in the batch, although the order of rows is drawn anew each epoch.

use crate::ir::affine::Var;
use crate::ir::program::{BATCH, Forward, Train};
use crate::ir::{Dim, Graph, Loop, NodeId, Op, Scalar, Sub};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::training::TrainWarning;

/// Warns of the first formula of a shuffled training in which a row of the batch meets rows at some distance.
pub fn tell_neighbours(cx: &mut Elaborator<'_>, train: &Train<Forward>) {
    if !train.shuffle {
        return;
    }
    for line in &train.lines {
        let Some(node) = first_of_neighbours(&line.forward, line.loss) else { continue };
        let is_recurrence = matches!(line.forward[node].op, Op::Scan(_));
        let at = cx.user_place(line.forward[node].origin.span);
        cx.report(TrainWarning::Neighbours { is_recurrence, at, train: train.span });
        return;
    }
}

/// The first node that the loss needs and that depends on the order of the rows.
fn first_of_neighbours(graph: &Graph, loss: NodeId) -> Option<NodeId> {
    let needed = graph.reachable([loss]);
    let batch = Dim::symbol(BATCH);
    let neighbours = graph.nodes().find(|(id, node)| {
        needed[id.0 as usize]
            && match &node.op {
                Op::Loop(body) => reads_neighbours(graph, body, &node.operands, &batch),
                Op::Scan(scan) => scan.trip == batch && scan.n_carries > 0,
                _ => false,
            }
    });
    neighbours.map(|(id, _)| id)
}

/// Whether a loop reads an axis of the batch at an index and a distance, such as `x[b + u - 1]`.
fn reads_neighbours(graph: &Graph, body: &Loop, operands: &[NodeId], batch: &Dim) -> bool {
    body.body.nodes.iter().any(|scalar| {
        let Scalar::Read { operand, subs, .. } = scalar else { return false };
        let shape = graph.shape(operands[*operand as usize]);
        subs.iter().zip(shape).any(|(sub, size)| {
            let Sub::Affine(affine) = sub else { return false };
            let runs = affine.terms.iter().any(|(var, factor)| {
                matches!(var, Var::Index(index) if body.domain[*index as usize] == *batch)
                    && factor.is_number(1)
            });
            size == batch && runs && affine.as_index().is_none()
        })
    })
}
