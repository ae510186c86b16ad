//! Dependence between nodes (activity analysis): along differentiable paths only, or along all paths.

use super::partial::differentiable;
use crate::ir::{Body, Elem, Graph, Loop, NodeId, Op, Scalar, Scan, Sub, UnaryOp};
use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Paths through floats, by operations that have derivatives or for which a missing derivative is an error.
    Derivative,
    /// All paths that no `stop_gradient` interrupts: through conditions and ints, too.
    Value,
}

/// For each node whether it depends on one of `from`, themselves included.
pub fn dependents(graph: &Graph, from: &[NodeId], mode: Mode) -> Vec<bool> {
    let mut marked = vec![false; graph.len()];
    from.iter().for_each(|id| marked[id.0 as usize] = true);
    let first = from.iter().min().map_or(graph.len(), |id| id.0 as usize);
    let mut scans: HashMap<NodeId, Vec<bool>> = HashMap::new();
    for (id, node) in graph.nodes().skip(first) {
        let at = id.0 as usize;
        if marked[at] || node.operands.is_empty() {
            continue;
        }
        marked[at] = match &node.op {
            Op::Result(index) => scans.get(&node.operands[0]).is_some_and(|results| results[*index as usize]),
            _ if !node.operands.iter().any(|operand| marked[operand.0 as usize]) => false,
            Op::Loop(body) => {
                let through = loop_operands(body, node.ty.elem, mode);
                node.operands.iter().zip(&through).any(|(operand, through)| {
                    *through
                        && marked[operand.0 as usize]
                        && (mode == Mode::Value || graph.elem(*operand) == Elem::Float)
                })
            }
            Op::Reshape { .. } | Op::Mark(_) => mode == Mode::Value || node.ty.elem == Elem::Float,
            Op::Scan(scan) => {
                let operands: Vec<bool> =
                    node.operands.iter().map(|operand| marked[operand.0 as usize]).collect();
                let results = scan_results(scan, &operands, mode);
                let any = results.iter().any(|result| *result);
                scans.insert(id, results);
                any
            }
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Rand { .. }
            | Op::Carry { .. }
            | Op::Capture { .. } => false,
        };
    }
    marked
}

/// Whether one of `to` depends on one of `from`.
pub fn reaches(graph: &Graph, from: &[NodeId], to: &[NodeId], mode: Mode) -> bool {
    let marked = dependents(graph, from, mode);
    to.iter().any(|id| marked[id.0 as usize])
}

/// The first node on a path from `from` to `to` that depends on `from` but has no derivative by it. `None` if there
/// is no path, or `stop_gradient` interrupts all of them.
pub fn first_block(graph: &Graph, from: NodeId, to: &[NodeId]) -> Option<NodeId> {
    let value = dependents(graph, &[from], Mode::Value);
    if !to.iter().any(|id| value[id.0 as usize]) {
        return None;
    }
    let derivative = dependents(graph, &[from], Mode::Derivative);
    let needed = graph.reachable(to.iter().copied());
    let blocked = |id: &NodeId| {
        let at = id.0 as usize;
        value[at] && !derivative[at] && needed[at]
    };
    graph.nodes().map(|(id, _)| id).find(blocked)
}

/// For each operand of a loop whether the result depends on it.
pub fn loop_operands(body: &Loop, elem: Elem, mode: Mode) -> Vec<bool> {
    let needed = match mode {
        Mode::Derivative if elem != Elem::Float => return vec![false; count_operands(&body.body)],
        Mode::Derivative => differentiable(&body.body),
        Mode::Value => not_stopped(body),
    };
    let mut through = vec![false; count_operands(&body.body)];
    for (scalar, _) in body.body.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
        if let Scalar::Read { operand, .. } = scalar {
            through[*operand as usize] = true;
        }
    }
    through
}

fn count_operands(body: &Body) -> usize {
    let reads = body.nodes.iter().filter_map(|scalar| match scalar {
        Scalar::Read { operand, .. } => Some(*operand as usize + 1),
        _ => None,
    });
    reads.max().unwrap_or(0)
}

/// For each scalar whether the result or a subscript of the write depends on it by a path without `Stop`.
fn not_stopped(body: &Loop) -> Vec<bool> {
    let mut needed = vec![false; body.body.nodes.len()];
    needed[body.body.result.0 as usize] = true;
    for sub in &body.write {
        if let Sub::Value(id) = sub {
            needed[id.0 as usize] = true;
        }
    }
    for at in (0..needed.len()).rev() {
        let scalar = &body.body.nodes[at];
        if needed[at] && !matches!(scalar, Scalar::Unary(UnaryOp::Stop, _)) {
            scalar.for_each_operand(|id| needed[id.0 as usize] = true);
        }
    }
    needed
}

/// For each carry whether it depends on one of the marked operands, at any step.
pub fn scan_carries(scan: &Scan, operands: &[bool], mode: Mode) -> Vec<bool> {
    let mut carries = operands[..scan.n_carries].to_vec();
    loop {
        let marked = body_dependents(scan, operands, &carries, mode);
        let next: Vec<bool> = (0..scan.n_carries)
            .map(|carry| carries[carry] || marked[scan.body.outputs[carry].node.0 as usize])
            .collect();
        if next == carries {
            return carries;
        }
        carries = next;
    }
}

fn scan_results(scan: &Scan, operands: &[bool], mode: Mode) -> Vec<bool> {
    let carries = scan_carries(scan, operands, mode);
    let marked = body_dependents(scan, operands, &carries, mode);
    let collected = scan.body.outputs[scan.n_carries..].iter().map(|output| marked[output.node.0 as usize]);
    carries.iter().copied().chain(collected).collect()
}

fn body_dependents(scan: &Scan, operands: &[bool], carries: &[bool], mode: Mode) -> Vec<bool> {
    let leaves: Vec<NodeId> = scan
        .body
        .nodes()
        .filter(|(_, node)| match node.op {
            Op::Carry { index, .. } => carries[index as usize],
            Op::Capture { index, .. } => operands[scan.n_carries + index as usize],
            _ => false,
        })
        .map(|(id, _)| id)
        .collect();
    dependents(&scan.body, &leaves, mode)
}
