//! Rows that are computed from their neighbours in the batch, although the order of rows is drawn anew each epoch.

use crate::ir::affine::Var;
use crate::ir::program::{BATCH, Forward, Train};
use crate::grad::dependents;
use crate::ir::{BinaryOp, Combine, Dim, Graph, Loop, Node, NodeId, Op, Scalar, ScalarId, Scan, Sub};
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
                Op::Scan(scan) => scan.trip == batch && scan.n_carries > 0 && !only_combines(scan),
                _ => false,
            }
    });
    neighbours.map(|(id, _)| id)
}

/// Whether the steps of a scan may come in any order: each carry is the sum or the product of what the steps give by
/// themselves.
fn only_combines(scan: &Scan) -> bool {
    let body = &scan.body;
    let is_carry = |node: &Node| matches!(node.op, Op::Carry { .. });
    let carries: Vec<NodeId> = body.nodes().filter(|(_, node)| is_carry(node)).map(|(id, _)| id).collect();
    let depends = dependents(body, &carries);
    let (next, collected) = body.outputs.split_at(scan.n_carries);
    let is_next = |id: NodeId| next.iter().any(|output| output.node == id);
    body.nodes().all(|(id, node)| !depends[id.0 as usize] || is_carry(node) || is_next(id))
        && collected.iter().all(|output| !depends[output.node.0 as usize])
        && next.iter().enumerate().all(|(at, output)| combines(body, at as u32, output.node, &depends))
}

/// Whether a node is a carry combined, element by element, with what depends on no carry.
fn combines(body: &Graph, carry: u32, next: NodeId, depends: &[bool]) -> bool {
    let is_own = |id: NodeId| matches!(body[id].op, Op::Carry { index, .. } if index == carry);
    let Op::Loop(made) = &body[next].op else { return is_own(next) };
    let operands = &body[next].operands;
    if made.combine != Combine::Set || operands.iter().any(|id| depends[id.0 as usize] && !is_own(*id)) {
        return false;
    }
    let reads = made.body.nodes.iter().filter(
        |scalar| matches!(scalar, Scalar::Read { operand, .. } if is_own(operands[*operand as usize])),
    );
    let is_own_element = |at: ScalarId| match &made.body.nodes[at.0 as usize] {
        Scalar::Read { operand, subs, .. } => {
            let in_place = |(axis, sub): (usize, &Sub)| {
                matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(axis))
            };
            is_own(operands[*operand as usize]) && subs.iter().enumerate().all(in_place)
        }
        _ => false,
    };
    let op = match &made.body.nodes[made.body.result.0 as usize] {
        Scalar::Binary(op, a, b) if is_own_element(*a) != is_own_element(*b) => op,
        _ => return false,
    };
    reads.count() == 1 && matches!(op, BinaryOp::Add | BinaryOp::Mul)
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
