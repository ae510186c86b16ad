//! Scans whose steps are computed row by row: recurrent networks, whose carries have a row for each row of the batch.

use super::forms::{Divided, Division, Form, reshaped};
use super::local::{loop_of_shard, op_of_shard};
use super::row_axis;
use crate::ir::{Graph, NodeId, Op, Scan};
use std::collections::HashMap;
use std::sync::Arc;

/// How a scan is computed for the rows of a shard.
#[derive(Clone, Debug)]
pub struct ScanDivision {
    /// Whether it takes a shard's rows of each operand.
    pub of_rows: Vec<bool>,
    /// Of each result.
    pub results: Vec<Form>,
    nodes: Vec<(Form, Division)>,
    scans: HashMap<NodeId, ScanDivision>,
}

/// Which results of the scans of a graph are used.
pub fn used_results(graph: &Graph) -> HashMap<NodeId, Vec<u32>> {
    let mut used: HashMap<NodeId, Vec<u32>> = HashMap::new();
    for (_, node) in graph.nodes() {
        if let Op::Result(index) = node.op {
            used.entry(node.operands[0]).or_default().push(index);
        }
    }
    used
}

/// The division of a scan, if all of its steps can be computed row by row. `operands` are the forms of its operands.
pub fn divide(graph: &Graph, id: NodeId, operands: &[Form], used: &[u32]) -> Option<ScanDivision> {
    let node = &graph[id];
    let Op::Scan(scan) = &node.op else { return None };
    let carries = (0..scan.n_carries).map(|at| match operands[at].axis() {
        Some(axis) => Form::Rows(axis),
        None => row_axis(graph.shape(node.operands[at])).map_or(Form::Whole, Form::Rows),
    });
    let captures = operands[scan.n_carries..].iter().map(|form| form.axis().map_or(Form::Whole, Form::Rows));
    let given: Vec<Form> = carries.chain(captures).collect();
    let mut division =
        ScanDivision { of_rows: Vec::new(), results: Vec::new(), nodes: Vec::new(), scans: HashMap::new() };
    let of_body = used_results(&scan.body);
    for (inner, _) in scan.body.nodes() {
        let found = division.node(scan, inner, &given, &of_body)?;
        division.nodes.push(found);
    }
    for (at, output) in scan.body.outputs.iter().enumerate() {
        let form = division.nodes[output.node.0 as usize].0;
        let form = match (form.axis(), given.get(at).filter(|_| at < scan.n_carries)) {
            (Some(axis), Some(Form::Rows(carry))) if axis == *carry => Form::Rows(axis),
            (_, Some(Form::Whole)) if !matches!(form, Form::Rows(_)) => Form::Whole,
            (_, Some(_)) => return None,
            (Some(axis), None) => Form::Rows(axis + 1),
            (None, None) => Form::Whole,
        };
        division.results.push(form);
    }
    // What is the same for all shards must come from where everything is computed.
    if used.iter().any(|result| division.results[*result as usize] == Form::Whole) {
        return None;
    }
    division.of_rows = given.iter().map(|form| form.axis().is_some()).collect();
    Some(division)
}

impl ScanDivision {
    fn form(&self, id: NodeId) -> Form {
        self.nodes[id.0 as usize].0
    }

    fn node(
        &mut self,
        scan: &Scan,
        id: NodeId,
        given: &[Form],
        used: &HashMap<NodeId, Vec<u32>>,
    ) -> Option<(Form, Division)> {
        let graph = &scan.body;
        let node = &graph[id];
        let forms: Vec<Form> = node.operands.iter().map(|operand| self.form(*operand)).collect();
        let form = match &node.op {
            Op::Carry { index, .. } => given[*index as usize],
            Op::Capture { index, .. } => given[scan.n_carries + *index as usize],
            Op::Loop(body) => {
                let shapes = node.operands.iter().map(|operand| graph.shape(*operand)).collect();
                let divided = Divided { body, forms, shapes };
                let division = divided.division();
                let needs_others = node.operands.iter().enumerate().any(|(at, operand)| {
                    divided.wanted(at, division).1 && matches!(self.form(*operand), Form::Rows(_))
                });
                if needs_others || matches!(division, Division::Sum { .. }) {
                    return None;
                }
                return Some((divided.form(division), division));
            }
            Op::Reshape { shape } => match forms[0].axis() {
                Some(axis) => Form::Rows(reshaped(graph.shape(node.operands[0]), axis, shape)?),
                None => Form::Whole,
            },
            Op::Mark(_) => forms[0],
            Op::Scan(_) if forms.iter().any(|form| matches!(form, Form::Rows(_))) => {
                let used = used.get(&id).map_or(&[][..], Vec::as_slice);
                let inner = divide(graph, id, &forms, used)?;
                self.scans.insert(id, inner);
                Form::Rows(0)
            }
            Op::Result(index) => match self.scans.get(&node.operands[0]) {
                Some(inner) => inner.results[*index as usize],
                None => Form::Whole,
            },
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_) | Op::Rand { .. } => {
                Form::Whole
            }
            Op::Scan(_) => Form::Whole,
        };
        Some((form, Division::Whole))
    }

    /// The scan for the rows of a shard.
    pub fn scan(&self, scan: &Scan) -> Option<Scan> {
        let mut body = Graph::new();
        let mut rows: Vec<Option<NodeId>> = Vec::new();
        let mut whole: Vec<Option<NodeId>> = Vec::new();
        for (id, node) in scan.body.nodes() {
            let (form, division) = self.nodes[id.0 as usize];
            let of = |places: &[Option<NodeId>]| -> Vec<Option<NodeId>> {
                node.operands.iter().map(|operand| places[operand.0 as usize]).collect()
            };
            let (rows_of, whole_of) = (of(&rows), of(&whole));
            let all_whole: Option<Vec<NodeId>> = whole_of.iter().copied().collect();
            let has_whole = !matches!(form, Form::Rows(_));
            body.origin = node.origin.clone();
            let mut add = |(op, operands): (Op, Vec<NodeId>)| body.add(op, operands);
            let local = form.axis().and_then(|axis| self.node_of_shard(scan, id, axis, division, &rows_of, &whole_of));
            rows.push(local.map(&mut add));
            whole.push(all_whole.filter(|_| has_whole).map(|operands| add((node.op.clone(), operands))));
        }
        for (at, output) in scan.body.outputs.iter().enumerate() {
            let place = output.node.0 as usize;
            let node = if self.results[at] == Form::Whole { whole[place] } else { rows[place] };
            body.output(output.name.clone(), node?);
        }
        Some(Scan { body, ..scan.clone() })
    }

    fn node_of_shard(
        &self,
        scan: &Scan,
        id: NodeId,
        axis: usize,
        division: Division,
        rows: &[Option<NodeId>],
        whole: &[Option<NodeId>],
    ) -> Option<(Op, Vec<NodeId>)> {
        let node = &scan.body[id];
        match &node.op {
            Op::Loop(body) => {
                let forms = node.operands.iter().map(|operand| self.form(*operand)).collect();
                let shapes = node.operands.iter().map(|operand| scan.body.shape(*operand)).collect();
                loop_of_shard(&Divided { body, forms, shapes }, division, rows, whole)
            }
            Op::Scan(inner) => {
                let division = self.scans.get(&id)?;
                let operands = division.of_rows.iter().zip(rows.iter().zip(whole));
                let operands = operands.map(|(of_rows, (rows, whole))| if *of_rows { *rows } else { *whole });
                Some((Op::Scan(Arc::new(division.scan(inner)?)), operands.collect::<Option<_>>()?))
            }
            op => Some((op_of_shard(op, axis), rows.iter().copied().collect::<Option<_>>()?)),
        }
    }
}
