//! The order of the nodes of a graph, and which new values may overwrite the old ones.
//!
//! A variable (or the carry of a scan) has one buffer. Its new value is written in place if every other reader of
//! the old value can run before; otherwise it is computed in a buffer of its own and copied at the end.

use crate::ir::hash::FastSet;
use crate::ir::{Graph, Loop, NodeId, Op, Scalar};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A variable or carry that gets a new value.
pub(super) struct Update {
    /// The leaf that reads the old value, if anything does.
    pub old: Option<NodeId>,
    /// The node that makes the new value (see [`root`]).
    pub new: NodeId,
}

pub(super) struct Order {
    pub nodes: Vec<NodeId>,
    /// For each update, whether its new value is written over the old one.
    pub in_place: Vec<bool>,
}

/// The node whose memory `id` is: through reshapes and marks.
pub(super) fn root(graph: &Graph, mut id: NodeId) -> NodeId {
    while let Op::Reshape { .. } | Op::Mark(_) = graph[id].op {
        id = graph[id].operands[0];
    }
    id
}

/// Orders the needed nodes, operands first; where there is a choice, updates first, then in the order of the
/// graph.
pub(super) fn order(graph: &Graph, needed: &[bool], updates: &[Update]) -> Order {
    let n = graph.len();
    let mut successors: Vec<Vec<u32>> = vec![Vec::new(); n];
    for (id, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        node.operands.iter().for_each(|operand| successors[operand.0 as usize].push(id.0));
    }
    let mut taken = FastSet::default();
    let mut in_place = Vec::with_capacity(updates.len());
    for update in updates {
        let allowed = taken.insert(update.new) && may_overwrite(graph, &mut successors, update);
        in_place.push(allowed);
    }
    let mut waiting = vec![0u32; n];
    for at in (0..n).filter(|at| needed[*at]) {
        successors[at].iter().for_each(|next| waiting[*next as usize] += 1);
    }
    // An update in place comes as soon as possible: then the gradient is still in the cache, and its memory is free
    // afterwards.
    let mut later = vec![true; n];
    for (update, _) in updates.iter().zip(&in_place).filter(|(_, in_place)| **in_place) {
        later[update.new.0 as usize] = false;
    }
    let key = |at: u32| Reverse((later[at as usize], at));
    let mut ready: BinaryHeap<Reverse<(bool, u32)>> =
        (0..n as u32).filter(|at| needed[*at as usize] && waiting[*at as usize] == 0).map(key).collect();
    let mut nodes = Vec::new();
    while let Some(Reverse((_, at))) = ready.pop() {
        nodes.push(NodeId(at));
        for next in &successors[at as usize] {
            waiting[*next as usize] -= 1;
            if waiting[*next as usize] == 0 {
                ready.push(key(*next));
            }
        }
    }
    Order { nodes, in_place }
}

/// Whether the new value may be written over the old one; if so, adds the edges that put the readers first.
fn may_overwrite(graph: &Graph, successors: &mut [Vec<u32>], update: &Update) -> bool {
    let Op::Loop(body) = &graph[update.new].op else { return false };
    let Some(old) = update.old else { return true };
    let mut readers = Vec::new();
    let mut aliases = vec![old];
    while let Some(alias) = aliases.pop() {
        for next in &successors[alias.0 as usize] {
            match graph[NodeId(*next)].op {
                Op::Reshape { .. } | Op::Mark(_) => aliases.push(NodeId(*next)),
                Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_) => {}
                Op::Carry { .. } | Op::Capture { .. } => {}
                Op::Loop(_) | Op::Rand { .. } | Op::Scan(_) | Op::Result(_) => readers.push(*next),
            }
        }
    }
    if readers.contains(&update.new.0) && !reads_only_the_element_written(graph, update.new, body, old) {
        return false;
    }
    readers.retain(|reader| *reader != update.new.0);
    if reaches_any(successors, update.new.0, &readers) {
        return false;
    }
    readers.iter().for_each(|reader| successors[*reader as usize].push(update.new.0));
    true
}

/// Whether the loop reads `old`, at each point, only at the element that it writes there.
fn reads_only_the_element_written(graph: &Graph, id: NodeId, body: &Loop, old: NodeId) -> bool {
    let node = &graph[id];
    if !body.is_elementwise() || node.ty != graph[old].ty {
        return false;
    }
    body.body.nodes.iter().all(|scalar| {
        let Scalar::Read { operand, subs, .. } = scalar else { return true };
        let operand = node.operands[*operand as usize];
        root(graph, operand) != old || (graph[operand].ty == node.ty && *subs == body.write)
    })
}

fn reaches_any(successors: &[Vec<u32>], from: u32, goals: &[u32]) -> bool {
    if goals.is_empty() {
        return false;
    }
    let goals: FastSet<u32> = goals.iter().copied().collect();
    let mut seen = FastSet::from_iter([from]);
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        if goals.contains(&at) {
            return true;
        }
        stack.extend(successors[at as usize].iter().copied().filter(|next| seen.insert(*next)));
    }
    false
}
