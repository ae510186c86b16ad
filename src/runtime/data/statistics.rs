//! Statistics over the rows of columns that are not in memory: sums, products, least and greatest values.
//!
//! They are taken in passes over the rows, block by block; each pass takes those that need no other that is not
//! known yet. A known statistic stands in the graph as an input, so a field that uses it is computed row by row.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::lazy::{BLOCK, Computed};
use super::load;
use super::load::{Columns, Evaluate, input_names};
use super::rowwise::{Kind, Names, kinds, mentions, sums_rows};
use crate::base::Diagnostic;
use crate::compile::Cache;
use crate::ir::program::Precision;
use crate::ir::{Combine, Elem, Graph, InputKey, NodeId, Op, Output, OutputKey, Sizes, compact, copy};
use crate::runtime::array::{Array, Elements};
use crate::runtime::ranks;
use crate::shard::tree;

/// Ranks share a pass if its results are so many times smaller than what they are made of.
const SENT: usize = 64;

/// What statistics are taken of.
pub struct Rows<'a> {
    /// The free dimensions that are numbers of rows, with these numbers.
    pub counts: &'a [(Arc<str>, usize)],
    pub columns: &'a Columns,
    pub sizes: &'a Sizes,
    pub precision: Precision,
}

impl Rows<'_> {
    /// The graph with its statistics as inputs, as far as they can be taken block by block, and their values beside
    /// those that are `known`, whose numbers are the first.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn settle(
        &self,
        graph: Graph,
        known: load::Inputs,
        evaluate: &mut dyn Evaluate,
    ) -> Result<(Graph, load::Inputs), Diagnostic> {
        let (mut graph, mut known) = (compact(&graph), known);
        loop {
            let before = known.len();
            let ready = self.depend_on_known(&graph, &known);
            if !ready.is_empty() {
                let (part, outputs) = outputs_of(&graph, &ready, known.len());
                let code = self.code(part, "", 0, &known);
                let values = evaluate.rows(&code, self.sizes, &known)?;
                let known_now = |(name, value)| Some((statistic(&name)?, Arc::new(value)));
                known.extend(values.into_iter().filter_map(known_now));
                graph = with_inputs(&graph, &outputs);
            }
            for (rows, count) in self.counts.iter().filter(|(_, count)| *count > 0) {
                let kinds = kinds(&graph, rows, &Names { columns: self.columns, known: &known });
                let is_sum = |(id, node): (NodeId, &crate::ir::Node)| {
                    let of = |operand: &NodeId| kinds[operand.0 as usize];
                    let operands: Vec<Kind> = node.operands.iter().map(of).collect();
                    let Op::Loop(body) = &node.op else { return None };
                    let sums = node.ty.elem == Elem::Float && sums_rows(body, rows, &operands);
                    sums.then_some((id, body.combine))
                };
                let sums: Vec<(NodeId, Combine)> = graph.nodes().filter_map(is_sum).collect();
                if sums.is_empty() {
                    continue;
                }
                let ids: Vec<NodeId> = sums.iter().map(|(id, _)| *id).collect();
                let (part, outputs) = outputs_of(&graph, &ids, known.len());
                let combines: BTreeMap<OutputKey, Combine> = ids
                    .iter()
                    .zip(&sums)
                    .map(|(id, (_, combine))| (OutputKey::Statistic(outputs[id]), *combine))
                    .collect();
                let code = self.code(part, rows, *count, &known);
                let values = self.pass(&code, &combines, evaluate)?;
                known.extend(values);
                graph = with_inputs(&graph, &outputs);
            }
            if known.len() == before {
                return Ok((graph, known));
            }
        }
    }

    /// The nodes without rows that are made of known values and of the numbers of rows alone, of which the latter
    /// are others when only some rows are computed: those that something else needs.
    fn depend_on_known(&self, graph: &Graph, known: &load::Inputs) -> Vec<NodeId> {
        let free = |sizes: &[crate::ir::Dim]| {
            !sizes.iter().any(|size| self.counts.iter().any(|(rows, _)| mentions(size, rows)))
        };
        let mut counts_rows = vec![false; graph.len()];
        for (rows, _) in self.counts {
            let kinds = kinds(graph, rows, &Names { columns: self.columns, known });
            counts_rows.iter_mut().zip(kinds).for_each(|(counts, kind)| *counts |= kind == Kind::Other);
        }
        let mut is_known = vec![false; graph.len()];
        let mut needed = vec![false; graph.len()];
        let reachable = graph.reachable(graph.outputs.iter().map(|output| output.node));
        for (id, node) in graph.nodes().filter(|(id, _)| reachable[id.0 as usize]) {
            let operands = || node.operands.iter().map(|operand| operand.0 as usize);
            let all = operands().all(|operand| is_known[operand]);
            is_known[id.0 as usize] = match &node.op {
                Op::Input { name, .. } => known.contains_key(name),
                Op::Const(_) => true,
                Op::Loop(body) => all && free(&body.domain) && free(&body.shape),
                Op::Reshape { shape } => all && free(shape),
                Op::Mark(_) => all,
                _ => false,
            };
            if !is_known[id.0 as usize] {
                operands().for_each(|operand| needed[operand] = true);
            }
        }
        let wanted = |id: &NodeId| [&is_known, &needed, &counts_rows].iter().all(|marks| marks[id.0 as usize]);
        graph.nodes().map(|(id, _)| id).filter(wanted).collect()
    }

    fn code(&self, graph: Graph, rows: &str, n_rows: usize, known: &load::Inputs) -> Computed {
        let names = input_names(&graph);
        let inputs = names.iter().filter_map(|name| Some((name.clone(), self.columns.get(name)?.clone())));
        let known = known.iter().filter(|(name, _)| names.contains(name));
        Computed {
            inputs: inputs.collect(),
            known: known.map(|(name, value)| (name.clone(), Arc::clone(value))).collect(),
            graph,
            rows: rows.into(),
            sizes: self.sizes.clone(),
            n_rows,
            functions: Cache::default(),
        }
    }

    /// One pass over all rows, of several ranks each over some blocks. Sums are added up in 64 bits, block by block in
    /// order.
    fn pass(
        &self,
        code: &Computed,
        combines: &BTreeMap<OutputKey, Combine>,
        evaluate: &mut dyn Evaluate,
    ) -> Result<load::Inputs, Diagnostic> {
        let widest = code.inputs.values().map(|column| column.row_shape().iter().product::<usize>()).max();
        let widest = widest.unwrap_or(1).max(1);
        let block = (BLOCK / widest).max(1);
        let count = code.n_rows.div_ceil(block);
        let first = of_block(code, 0..block.min(code.n_rows), evaluate)?;
        let shapes: Vec<(OutputKey, Vec<usize>)> =
            first.iter().map(|(name, part)| (name.clone(), part.shape().to_vec())).collect();
        let first = values_of(&first);
        let combine = |name: &OutputKey| combines.get(name).copied().unwrap_or(Combine::Add);
        let ways: Vec<Combine> =
            shapes.iter().flat_map(|(name, shape)| vec![combine(name); shape.iter().product()]).collect();
        let mut total: Vec<f64> = ways.iter().map(|way| identity(*way)).collect();
        let mut add = |values: &[f64]| {
            let pairs = total.iter_mut().zip(values).zip(&ways);
            pairs.for_each(|((total, value), way)| *total = joined(*way, *total, *value));
        };
        add(&first);
        // What all blocks give must be little beside what they are made of, to be sent around.
        let ranks = evaluate.ranks().filter(|_| first.len() * SENT <= block * widest);
        let (rank, size) = ranks::place(ranks.as_ref());
        let mine = tree::rows_of(rank, size, count.saturating_sub(1));
        let mut sent = Vec::new();
        for number in mine {
            let start = (number + 1) * block;
            let values = values_of(&of_block(code, start..(start + block).min(code.n_rows), evaluate)?);
            match &ranks {
                Some(_) => sent.extend(values.iter().flat_map(|value| value.to_le_bytes())),
                None => add(&values),
            }
        }
        if let Some(ranks) = &ranks {
            let received = ranks::gathered(ranks, sent)?.concat();
            let values: Vec<f64> = received.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
            values.chunks(first.len().max(1)).for_each(&mut add);
        }
        let mut rest = total.as_slice();
        let of = |(name, shape): (OutputKey, Vec<usize>)| {
            let (values, others) = rest.split_at(shape.iter().product());
            rest = others;
            let elements = match self.precision {
                Precision::F32 => Elements::F32(values.iter().map(|value| *value as f32).collect()),
                Precision::F64 => Elements::F64(values.to_vec()),
            };
            Some((statistic(&name)?, Arc::new(Array::new(shape, elements).ok()?)))
        };
        Ok(shapes.into_iter().filter_map(of).collect())
    }
}

/// What some rows give.
fn of_block(code: &Computed, rows: Range<usize>, evaluate: &mut dyn Evaluate) -> Result<load::Outputs, Diagnostic> {
    let rows: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
    code.of_rows(&rows, &mut |code, sizes, inputs| evaluate.rows(code, sizes, inputs))
}

/// All numbers, in order of their names.
fn values_of(outputs: &load::Outputs) -> Vec<f64> {
    outputs.values().flat_map(|part| part.to_f64().into_owned()).collect()
}

/// Where nothing has been combined yet.
fn identity(combine: Combine) -> f64 {
    match combine {
        Combine::Mul => 1.0,
        Combine::Max => f64::NEG_INFINITY,
        Combine::Min => f64::INFINITY,
        Combine::Set | Combine::Add | Combine::ArgMax | Combine::ArgMin => 0.0,
    }
}

fn joined(combine: Combine, total: f64, value: f64) -> f64 {
    match combine {
        Combine::Mul => total * value,
        Combine::Max | Combine::Min if total.is_nan() || value.is_nan() => f64::NAN,
        Combine::Max => total.max(value),
        Combine::Min => total.min(value),
        Combine::Set | Combine::Add | Combine::ArgMax | Combine::ArgMin => total + value,
    }
}

/// The input that a statistic is from now on.
fn statistic(output: &OutputKey) -> Option<InputKey> {
    match output {
        OutputKey::Statistic(number) => Some(InputKey::Statistic(*number)),
        _ => None,
    }
}

/// A graph that gives some nodes as statistics, numbered from `first`; and these numbers.
fn outputs_of(graph: &Graph, ids: &[NodeId], first: usize) -> (Graph, HashMap<NodeId, u32>) {
    let mut part = graph.clone();
    part.outputs.clear();
    let mut names = HashMap::new();
    for (number, id) in ids.iter().enumerate() {
        let number = (first + number) as u32;
        part.outputs.push(Output { name: OutputKey::Statistic(number), node: *id });
        names.insert(*id, number);
    }
    (compact(&part), names)
}

/// The graph with inputs in place of some nodes.
pub fn with_inputs(graph: &Graph, numbers: &HashMap<NodeId, u32>) -> Graph {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let mut new = Graph::new();
    let places = copy(&mut new, graph, &needed, |new, id, node, operands| match numbers.get(&id) {
        Some(number) => {
            let name = InputKey::Statistic(*number);
            new.add(Op::Input { name, ty: node.ty.clone() }, Vec::new())
        }
        None => new.add(node.op.clone(), operands),
    });
    for output in &graph.outputs {
        new.output(output.name.clone(), places[output.node.0 as usize].expect("outputs are needed"));
    }
    compact(&new)
}
