//! Lowering of scans: which buffers hold the carries and the collected values.
//!
//! A carry that is also collected (its old or its new value) lives in a stack of `trip + 1` rows: step t reads
//! one row and writes the next, so nothing is copied. Any other carry has one buffer that each step overwrites.

use super::lower::{Copy, Frame, Lowering, copy_step, shape_of, size};
use super::order::{self, Update};
use super::{Name, PlanError, ScanSteps, Step, View};
use crate::ir::ranges::Range;
use crate::ir::{Graph, Node, NodeId, Op, Scan};

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

/// A scan that is being lowered.
struct Source<'s> {
    scan: &'s Scan,
    node: &'s Node,
    trip: i64,
    /// The nodes of the next values of the carries.
    next: &'s [NodeId],
    /// The nodes of the collected values.
    collected: &'s [NodeId],
    /// The leaf that reads each carry, where the body reads it.
    old: Vec<Option<NodeId>>,
    /// Which results are read.
    used: Vec<bool>,
}

impl Source<'_> {
    fn name(&self, text: &str) -> Name {
        let origin = &self.node.origin;
        Name { text: text.to_string(), phase: origin.phase, span: origin.span, ..Name::default() }
    }
}

/// Where the values of a scan are kept.
#[derive(Default)]
struct ScanMemory {
    results: Vec<View>,
    /// The stack of each carry that is also collected.
    stacks: Vec<Option<Stack>>,
    /// Where the body reads each carry.
    carries: Vec<View>,
    updates: Vec<Update>,
    /// The nodes of the body that must be written to a view; `None` for a carry that never changes.
    targets: Vec<Option<(NodeId, View)>>,
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
        let outputs: Vec<NodeId> = body.outputs.iter().map(|output| output.node).collect();
        let (next, collected) = outputs.split_at(scan.n_carries);
        let source = Source {
            scan,
            node: &frame.graph[id],
            trip: size(&scan.trip)?,
            next,
            collected,
            old: carry_leaves(body, scan.n_carries),
            used: used_results(frame, id, body.outputs.len()),
        };
        let known = frame.known.body(id);
        let mut memory = ScanMemory::default();
        for k in 0..scan.n_carries {
            let range = frame.known.carry(id, k);
            self.keep_carry(frame, &source, k, range, &mut memory)?;
        }
        for (at, value) in collected.iter().enumerate() {
            if source.used[scan.n_carries + at] {
                self.keep_collected(&source, *value, known.node(*value), &mut memory)?;
            } else {
                // Nothing reads this result: any view will do.
                memory.results.push(View::contiguous(super::BufferId(0), 0, Vec::new()));
            }
        }
        let read = collected.iter().enumerate().filter(|(at, _)| source.used[scan.n_carries + at]);
        let needed = body.reachable(next.iter().copied().chain(read.map(|(_, value)| *value)));
        let order = order::order(body, &needed, &memory.updates);
        let captured = source.node.operands[scan.n_carries..].iter();
        let captures = captured.map(|operand| frame.value(*operand).clone()).collect();
        let mut inner = Frame::new(body, known, memory.carries, captures);
        let mut copies = Vec::new();
        for (target, in_place) in memory.targets.into_iter().zip(&order.in_place) {
            let Some((value, view)) = target else { continue };
            let producer = order::root(body, value);
            if *in_place {
                inner.targets.insert(producer, view.reshaped(shape_of(&body[producer])?));
            } else {
                copies.push(Copy { from: value, to: view, name: source.name("next step of scan") });
            }
        }
        self.lower_nodes(&mut inner, &order.nodes, copies)?;
        frame.steps.push(Step::Scan(ScanSteps {
            step: scan.step,
            trip: source.trip,
            local: None,
            reverse: scan.reverse,
            steps: inner.steps,
        }));
        Ok(memory.results)
    }

    /// Decides where carry `k` is kept, and copies its initial value there.
    fn keep_carry(
        &mut self,
        frame: &mut Frame<'_>,
        source: &Source<'_>,
        k: usize,
        range: Range,
        memory: &mut ScanMemory,
    ) -> Result<(), PlanError> {
        let Source { scan, trip, ref old, .. } = *source;
        let (body, next) = (&scan.body, source.next[k]);
        let shape = shape_of(&body[next])?;
        let elem = body.elem(next);
        let new = order::root(body, next);
        let is_collected = source.collected.iter().enumerate().any(|(at, value)| {
            let value = order::root(body, *value);
            source.used[scan.n_carries + at] && (value == new || Some(value) == old[k])
        });
        let initial = frame.value(source.node.operands[k]).reshaped(shape.clone());
        let (first, last, read, written) = if is_collected {
            let row = shape.iter().product();
            let all = std::iter::once(trip + 1).chain(shape.iter().copied()).collect();
            let stack = Stack { rows: self.temporary(elem, range, all), row, trip, reverse: scan.reverse };
            let views = (
                stack.first(shape.clone()),
                stack.last(shape.clone()),
                stack.row_read(scan, shape.clone()),
                stack.row_written(scan, shape),
            );
            memory.stacks.push(Some(stack));
            // Reading a row and writing another do not collide.
            memory.updates.push(Update { old: None, new });
            views
        } else {
            let slot = self.temporary(elem, range, shape);
            memory.stacks.push(None);
            memory.updates.push(Update { old: old[k], new });
            (slot.clone(), slot.clone(), slot.clone(), slot)
        };
        frame.steps.push(copy_step(initial, first, elem, source.name("start of scan")));
        memory.results.push(last);
        memory.carries.push(read);
        // A carry that never changes is not written; in a stack its value must be copied from row to row.
        memory.targets.push((old[k] != Some(new) || is_collected).then_some((next, written)));
        Ok(())
    }

    /// Decides where the values of a collected node are kept: in the stack of a carry, or in one of their own.
    fn keep_collected(
        &mut self,
        source: &Source<'_>,
        value: NodeId,
        range: Range,
        memory: &mut ScanMemory,
    ) -> Result<(), PlanError> {
        let body = &source.scan.body;
        let root = order::root(body, value);
        let shape = shape_of(&body[value])?;
        let stacked = memory.stacks.iter().enumerate().find_map(|(k, stack)| {
            let stack = stack.as_ref()?;
            let is_old = source.old[k] == Some(root);
            (is_old || order::root(body, source.next[k]) == root).then(|| stack.all(is_old, &shape))
        });
        if let Some(view) = stacked {
            memory.results.push(view);
            return Ok(());
        }
        let row = shape.iter().product();
        let all = std::iter::once(source.trip).chain(shape.iter().copied()).collect();
        let stack = self.temporary(body.elem(value), range, all);
        memory.updates.push(Update { old: None, new: root });
        let view = View::contiguous(stack.buffer, 0, shape).stepping(source.scan.step, row);
        memory.targets.push(Some((value, view)));
        memory.results.push(stack);
        Ok(())
    }
}

/// Which results of a scan are read.
fn used_results(frame: &Frame<'_>, id: NodeId, n_results: usize) -> Vec<bool> {
    let mut used = vec![false; n_results];
    for (_, node) in frame.graph.nodes().filter(|(node, _)| frame.needed[node.0 as usize]) {
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
