//! Scans: where the carries are kept and the collected values go.
//!
//! A carry that is also collected (its old or its new value) lives in a stack of `trip + 1` rows: step t reads
//! one row and writes the next, so nothing is copied. Any other carry has one place that each step overwrites.

use super::lower::{Copy, Frame, Lowering, copy_step, shape_of, size};
use super::order::{self, Update};
use super::{Name, PlanError, ScanSteps, Step, View};
use crate::ir::{Graph, NodeId, Op, Scan};

/// A stack of rows, one for each step and one more.
struct Stack {
    /// All `trip + 1` rows.
    rows: View,
    row: i64,
    trip: i64,
    reverse: bool,
}

impl Stack {
    /// The row at step t, `ahead` rows on.
    fn at_step(&self, scan: &Scan, ahead: i64, shape: Vec<i64>) -> View {
        View::contiguous(self.rows.buffer, ahead * self.row, shape).stepping(scan.step, self.row)
    }

    fn row_read(&self, scan: &Scan, shape: Vec<i64>) -> View {
        self.at_step(scan, i64::from(self.reverse), shape)
    }

    fn row_written(&self, scan: &Scan, shape: Vec<i64>) -> View {
        self.at_step(scan, i64::from(!self.reverse), shape)
    }

    fn row_at(&self, row: i64, shape: Vec<i64>) -> View {
        View::contiguous(self.rows.buffer, row * self.row, shape)
    }

    fn first(&self, shape: Vec<i64>) -> View {
        self.row_at(if self.reverse { self.trip } else { 0 }, shape)
    }

    fn last(&self, shape: Vec<i64>) -> View {
        self.row_at(if self.reverse { 0 } else { self.trip }, shape)
    }

    /// The rows of the old (or new) values of all steps.
    fn all(&self, old: bool, shape: &[i64]) -> View {
        let shape = std::iter::once(self.trip).chain(shape.iter().copied()).collect();
        self.row_at(i64::from(old == self.reverse), shape)
    }
}

impl Lowering {
    /// Adds the steps of a scan to the frame; returns the views of its results.
    pub fn lower_scan(
        &mut self,
        frame: &mut Frame<'_>,
        id: NodeId,
        scan: &Scan,
    ) -> Result<Vec<View>, PlanError> {
        let body = &scan.body;
        let node = &frame.graph[id];
        let used = used_results(frame, id, body.outputs.len());
        let known = frame.known.body(id);
        let trip = size(&scan.trip)?;
        let outputs: Vec<NodeId> = body.outputs.iter().map(|output| output.node).collect();
        let (next, collected) = outputs.split_at(scan.n_carries);
        let old = carry_leaves(body, scan.n_carries);
        let (phase, span) = (node.origin.phase, node.origin.span);
        let name = |text: &str| Name { text: text.to_string(), phase, span, ..Name::default() };

        let mut results = Vec::new();
        let mut stacks: Vec<Option<Stack>> = Vec::new();
        let mut carries = Vec::new();
        let mut updates = Vec::new();
        let mut places = Vec::new();
        for (k, next) in next.iter().enumerate() {
            let range = frame.known.carry(id, k);
            let shape = shape_of(&body[*next])?;
            let elem = body.elem(*next);
            let new = order::root(body, *next);
            let is_collected = collected.iter().enumerate().any(|(at, value)| {
                let value = order::root(body, *value);
                used[scan.n_carries + at] && (value == new || Some(value) == old[k])
            });
            let initial = frame.value(node.operands[k]).reshaped(shape.clone());
            let (first, last, view, place) = if is_collected {
                let row = shape.iter().product();
                let all = std::iter::once(trip + 1).chain(shape.iter().copied()).collect();
                let stack =
                    Stack { rows: self.temporary(elem, range, all), row, trip, reverse: scan.reverse };
                let views = (
                    stack.first(shape.clone()),
                    stack.last(shape.clone()),
                    stack.row_read(scan, shape.clone()),
                    stack.row_written(scan, shape.clone()),
                );
                stacks.push(Some(stack));
                // Reading a row and writing another do not collide.
                updates.push(Update { old: None, new });
                views
            } else {
                let slot = self.temporary(elem, range, shape);
                stacks.push(None);
                updates.push(Update { old: old[k], new });
                (slot.clone(), slot.clone(), slot.clone(), slot)
            };
            frame.steps.push(copy_step(initial, first, elem, name("start of scan")));
            results.push(last);
            carries.push(view);
            // A carry that never changes stays where it is; in a stack it has to be handed on.
            places.push((old[k] != Some(new) || is_collected).then_some((*next, place)));
        }
        let mut kept = next.to_vec();
        for (at, value) in collected.iter().enumerate() {
            if !used[scan.n_carries + at] {
                // Nothing reads it: any view will do.
                results.push(View::contiguous(super::BufferId(0), 0, Vec::new()));
                continue;
            }
            kept.push(*value);
            let value_root = order::root(body, *value);
            let shape = shape_of(&body[*value])?;
            let stacked = stacks.iter().enumerate().find_map(|(k, stack)| {
                let stack = stack.as_ref()?;
                let is_old = old[k] == Some(value_root);
                (is_old || order::root(body, next[k]) == value_root).then(|| stack.all(is_old, &shape))
            });
            if let Some(view) = stacked {
                results.push(view);
                continue;
            }
            let row = shape.iter().product();
            let all = std::iter::once(trip).chain(shape.iter().copied()).collect();
            let stack = self.temporary(body.elem(*value), known.node(*value), all);
            updates.push(Update { old: None, new: value_root });
            let place = View::contiguous(stack.buffer, 0, shape).stepping(scan.step, row);
            places.push(Some((*value, place)));
            results.push(stack);
        }

        let needed = body.reachable(kept);
        let order = order::order(body, &needed, &updates);
        let captures =
            node.operands[scan.n_carries..].iter().map(|operand| frame.value(*operand).clone()).collect();
        let mut inner = Frame::new(body, known, carries, captures);
        let mut copies = Vec::new();
        for (place, in_place) in places.into_iter().zip(&order.in_place) {
            let Some((value, view)) = place else { continue };
            let producer = order::root(body, value);
            if *in_place {
                inner.targets.insert(producer, view.reshaped(shape_of(&body[producer])?));
            } else {
                copies.push(Copy { from: value, to: view, name: name("next step of scan") });
            }
        }
        self.lower_nodes(&mut inner, &order.nodes, copies)?;
        frame.steps.push(Step::Scan(ScanSteps {
            step: scan.step,
            trip,
            reverse: scan.reverse,
            steps: inner.steps,
        }));
        Ok(results)
    }
}

/// Which results of a scan are read.
fn used_results(frame: &Frame<'_>, id: NodeId, n_results: usize) -> Vec<bool> {
    let mut used = vec![false; n_results];
    for (_, node) in frame.graph.nodes().filter(|(it, _)| frame.needed[it.0 as usize]) {
        if let Op::Result(index) = node.op
            && node.operands[0] == id
        {
            used[index as usize] = true;
        }
    }
    used
}

/// The leaf that reads each carry, where the body reads it.
fn carry_leaves(body: &Graph, n_carries: usize) -> Vec<Option<NodeId>> {
    let mut leaves = vec![None; n_carries];
    for (id, node) in body.nodes() {
        if let Op::Carry { index, .. } = node.op {
            leaves[index as usize] = Some(id);
        }
    }
    leaves
}
