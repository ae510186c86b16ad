//! Laws of scans: dead carries, captures and collected values are removed.

use super::laws::LawId;
use super::{hoist, optimise_with, round::Round};
use crate::ir::{Affine, Graph, NodeId, Op, Scalar, Scan, Sub, copy};
use std::sync::Arc;

/// The scan with an optimised body. Enters in `round.results` where its results are found.
pub fn rewrite(round: &mut Round<'_>, id: NodeId, scan: &Arc<Scan>, operands: Vec<NodeId>) -> NodeId {
    let used = used_results(round.old, id, scan);
    let carries = live_carries(scan, &used);
    let unused = used.iter().skip(scan.n_carries).chain(&carries).any(|needed| !needed);
    let (used, carries) = if unused && !round.applied.allows(LawId::UnusedCarry) {
        (vec![true; used.len()], vec![true; carries.len()])
    } else {
        (used, carries)
    };
    let mut pruned = prune(round, scan, &used, &carries, &operands);
    pruned.body = optimise_with(&pruned.body, round.applied);
    if hoist::apply(round, scan, &mut pruned) {
        pruned.body = optimise_with(&pruned.body, round.applied);
    }
    round.results.insert(id, pruned.results);
    if is_same(&pruned.body, &scan.body) {
        return round.new.add(Op::Scan(scan.clone()), pruned.operands);
    }
    let scan = Scan { n_carries: pruned.n_carries, body: pruned.body, ..scan.as_ref().clone() };
    round.new.add(Op::Scan(Arc::new(scan)), pruned.operands)
}

/// A scan that is being rewritten.
pub struct Pruned {
    pub body: Graph,
    pub n_carries: usize,
    pub operands: Vec<NodeId>,
    /// Where each old result is found.
    results: Vec<Option<ScanResult>>,
}

/// Where a result of a scan is found after rewriting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanResult {
    Result(u32),
    /// A node outside of the scan.
    Outer(NodeId),
}

/// The source of a transpose, slice or broadcast.
fn plain_view(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let Op::Loop(body) = &graph[id].op else { return None };
    body.as_function()?;
    match body.body.nodes.as_slice() {
        [Scalar::Read { subs, padded: false, .. }]
            if subs.iter().all(|sub| matches!(sub, Sub::Affine(_))) =>
        {
            Some(graph[id].operands[0])
        }
        _ => None,
    }
}

/// The capture `c` if a node of the body is `c[step, …]`, the whole element of this step.
fn sliced_capture(scan: &Scan, node: NodeId) -> Option<usize> {
    let Op::Loop(body) = &scan.body[node].op else { return None };
    let axes = body.as_function()?;
    let [Scalar::Read { subs, padded: false, .. }] = body.body.nodes.as_slice() else { return None };
    let Op::Capture { index, ty } = &scan.body[scan.body[node].operands[0]].op else { return None };
    let (first, rest) = subs.split_first()?;
    let identity = rest.iter().enumerate().all(|(axis, sub)| {
        matches!(sub, Sub::Affine(affine) if affine.as_index().is_some_and(|index| axes[index] == axis))
    });
    let whole = ty.shape.first() == Some(&scan.trip) && ty.shape[1..] == body.shape[..];
    let stepwise = *first == Sub::Affine(Affine::step(scan.step));
    (identity && whole && stepwise).then_some(*index as usize)
}

fn used_results(graph: &Graph, id: NodeId, scan: &Scan) -> Vec<bool> {
    let mut used = vec![false; scan.body.outputs.len()];
    for (_, node) in graph.nodes().skip(id.0 as usize) {
        if let Op::Result(index) = node.op
            && node.operands[0] == id
        {
            used[index as usize] = true;
        }
    }
    used
}

/// Law `unused-carry`: a carry is live only if its last value is used, or a live carry or a collected value depends
/// on it.
fn live_carries(scan: &Scan, used: &[bool]) -> Vec<bool> {
    let mut live = used[..scan.n_carries].to_vec();
    loop {
        let outputs = scan.body.outputs.iter().enumerate();
        let roots = outputs
            .filter(|(at, _)| if *at < scan.n_carries { live[*at] } else { used[*at] })
            .map(|(_, output)| output.node);
        let needed = scan.body.reachable(roots);
        let mut grown = false;
        for (id, node) in scan.body.nodes() {
            if let Op::Carry { index, .. } = node.op
                && needed[id.0 as usize]
                && !live[index as usize]
            {
                live[index as usize] = true;
                grown = true;
            }
        }
        if !grown {
            return live;
        }
    }
}

fn prune(round: &Round<'_>, scan: &Scan, used: &[bool], live: &[bool], operands: &[NodeId]) -> Pruned {
    let kept = |at: usize| if at < scan.n_carries { live[at] } else { used[at] };
    let outputs: Vec<usize> = (0..scan.body.outputs.len()).filter(|at| kept(*at)).collect();
    let needed = scan.body.reachable(outputs.iter().map(|at| scan.body.outputs[*at].node));
    let mut captures: Vec<NodeId> = Vec::new();
    let mut body = Graph::new();
    let places = copy(&mut body, &scan.body, &needed, |body, _, node, inner| match &node.op {
        Op::Carry { index, ty } => {
            let index = live[..*index as usize].iter().filter(|live| **live).count() as u32;
            body.add(Op::Carry { index, ty: ty.clone() }, inner)
        }
        Op::Capture { index, ty } => {
            let outer = operands[scan.n_carries + *index as usize];
            // Law `capture-fill`: a captured tensor that is computed from nothing is computed inside of the body
            // instead.
            if let Op::Loop(fill) = &round.new[outer].op
                && !fill.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Read { .. }))
                && round.applied.allows(LawId::CaptureFill)
            {
                return body.add(round.new[outer].op.clone(), Vec::new());
            }
            // Law `capture-view`: the source of a view is captured instead of the view, so that readers in the body
            // can read through it.
            let view = plain_view(&round.new, outer).filter(|_| round.applied.allows(LawId::CaptureView));
            let (outer, ty) = match view {
                Some(source) => (source, round.new.ty(source).clone()),
                None => (outer, ty.clone()),
            };
            let op = view.map(|_| round.new[operands[scan.n_carries + *index as usize]].op.clone());
            let index = captures.iter().position(|other| *other == outer).unwrap_or_else(|| {
                captures.push(outer);
                captures.len() - 1
            });
            let leaf = body.add(Op::Capture { index: index as u32, ty }, inner);
            op.map_or(leaf, |op| body.add(op, vec![leaf]))
        }
        op => body.add(op.clone(), inner),
    });
    let mut results: Vec<Option<ScanResult>> = vec![None; scan.body.outputs.len()];
    let n_carries = live.iter().filter(|live| **live).count();
    for at in outputs {
        let output = &scan.body.outputs[at];
        let node = places[output.node.0 as usize].expect("kept outputs are needed");
        // A value that is collected twice is collected once.
        let earlier =
            (n_carries..body.outputs.len()).find(|output| at >= scan.n_carries && body.outputs[*output].node == node);
        // Law `collected-slice`: the stack of the slices of a stack is that stack.
        if at >= scan.n_carries
            && let Some(capture) = sliced_capture(scan, output.node)
            && round.applied.allows(LawId::CollectedSlice)
        {
            results[at] = Some(ScanResult::Outer(operands[scan.n_carries + capture]));
            continue;
        }
        let place = earlier.unwrap_or_else(|| {
            body.output(output.name.clone(), node);
            body.outputs.len() - 1
        });
        results[at] = Some(ScanResult::Result(place as u32));
    }
    let kept_carries = (0..scan.n_carries).filter(|at| live[*at]).map(|at| operands[at]);
    let operands = kept_carries.chain(captures).collect();
    Pruned { body, n_carries, operands, results }
}

fn is_same(a: &Graph, b: &Graph) -> bool {
    a.len() == b.len()
        && a.outputs.len() == b.outputs.len()
        && a.outputs.iter().zip(&b.outputs).all(|(a, b)| a.node == b.node)
        && a.nodes().zip(b.nodes()).all(|((_, a), (_, b))| a.op == b.op && a.operands == b.operands)
}
