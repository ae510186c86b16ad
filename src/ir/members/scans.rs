//! Recurrences of all members as one. A carry has the members' axis if it begins with one or gets one in some step.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Made, Unite, all_equal};
use crate::ir::graph::{Graph, Node, NodeId, Op, Scan};

impl<'g> Unite<'g> {
    pub(super) fn scan(&mut self, nodes: &[&'g Node], operands: &[Made]) -> Option<Made> {
        let scans = nodes.iter().map(|node| match &node.op {
            Op::Scan(scan) => Some(&**scan),
            _ => None,
        });
        let scans: Vec<&'g Scan> = scans.collect::<Option<_>>()?;
        let first = scans[0];
        let head = |scan: &Scan| (scan.step, scan.trip.clone(), scan.reverse, scan.n_carries, scan.body.outputs.len());
        if !all_equal(scans.iter().map(|scan| head(scan))) {
            return None;
        }
        if self.numbers.is_some() {
            let same = scans.iter().all(|scan| scan.body.computes_as(&first.body));
            let inputs = operands.iter().map(|operand| operand.node).collect();
            let results = vec![None; first.body.outputs.len()];
            let made = same.then(|| self.shared(&nodes[0].op, inputs))?;
            self.results.insert(made.node, results);
            return Some(made);
        }
        let (starts, captured) = operands.split_at(first.n_carries);
        let place = self.options.place;
        let rank = |made: &Made, new: &Graph| new.shape(made.node).len() - usize::from(made.axis.is_some());
        let usual: Vec<usize> = starts.iter().map(|start| place.axis(rank(start, &self.new))).collect();
        let mut carries: Vec<Option<usize>> =
            starts.iter().zip(&usual).map(|(start, axis)| start.axis.map(|_| *axis)).collect();
        let captures: Vec<Option<usize>> = captured.iter().map(|capture| capture.axis).collect();
        // With each round more carries have the axis, or it was the last.
        let (body, collected) = loop {
            let mut inner = Unite {
                graphs: scans.iter().map(|scan| &scan.body).collect(),
                options: self.options,
                new: Graph::new(),
                made: HashMap::new(),
                carries: carries.clone(),
                captures: captures.clone(),
                results: HashMap::new(),
                // Nothing but carries and captures comes from outside.
                numbers: None,
            };
            let mut outputs = Vec::new();
            for at in 0..first.body.outputs.len() {
                let key: Vec<NodeId> = scans.iter().map(|scan| scan.body.outputs[at].node).collect();
                outputs.push(inner.value(&key)?);
            }
            let mut is_settled = true;
            for at in 0..first.n_carries {
                if outputs[at].axis.is_some() && carries[at].is_none() {
                    carries[at] = Some(usual[at]);
                    is_settled = false;
                }
            }
            if !is_settled {
                continue;
            }
            for (output, carry) in outputs.iter_mut().zip(&carries) {
                if carry.is_some() {
                    *output = inner.brought(*output);
                }
            }
            for (output, made) in first.body.outputs.iter().zip(&outputs) {
                inner.new.output(output.name.clone(), made.node);
            }
            // A stack has the steps before all else.
            let axes = outputs[first.n_carries..].iter().map(|made| made.axis.map(|axis| axis + 1));
            break (inner.new, axes.collect::<Vec<_>>());
        };
        let mut inputs = Vec::with_capacity(operands.len());
        for (start, carry) in starts.iter().zip(&carries) {
            inputs.push(if carry.is_some() { self.brought(*start).node } else { start.node });
        }
        inputs.extend(captured.iter().map(|capture| capture.node));
        let Scan { step, trip, reverse, n_carries, .. } = first;
        let scan =
            Scan { step: *step, trip: trip.clone(), reverse: *reverse, n_carries: *n_carries, body };
        let node = self.new.add(Op::Scan(Arc::new(scan)), inputs);
        self.results.insert(node, carries.into_iter().chain(collected).collect());
        Some(Made { node, axis: None })
    }
}
