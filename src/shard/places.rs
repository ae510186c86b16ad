//! Where each node of a step is computed: in which part, whole or by the shards.
//!
//! Parts are numbered by levels: between one and the next, sums and rows go from the shards to everybody. A node
//! stands at the lowest level at which all that it reads is there.

use super::forms::{Divided, Division, Form, reshaped};
use super::scans::{self, ScanDivision};
use crate::ir::program::BATCH;
use crate::ir::{Dim, Graph, InputKey, Loop, Node, NodeId, Op, Scalar, Sub};
use std::collections::HashMap;

/// Where a node is computed. The number is the level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Wherever it is read: an input, a constant.
    Leaf,
    /// A field of the data.
    Field,
    /// Wherever it is read, from what is whole: the same elements in another order.
    Copied(u32),
    Whole(u32),
    Rows(u32),
    /// Rows in any part that reads them, all of it in the whole part.
    Free(u32),
    /// Summands in the part of the shards before this level.
    Sum(u32),
}

/// Rows of a shard, or all of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    Rows,
    Whole,
}

pub struct Places {
    pub kinds: Vec<Kind>,
    pub forms: Vec<Form>,
    pub divisions: Vec<Division>,
    pub scans: HashMap<NodeId, ScanDivision>,
    /// The level of the last whole part.
    pub last: u32,
}

impl Kind {
    /// The first level whose parts can be given all of it.
    fn whole_at(self) -> u32 {
        match self {
            Kind::Leaf | Kind::Field => 0,
            Kind::Copied(level) | Kind::Whole(level) | Kind::Free(level) | Kind::Sum(level) => level,
            Kind::Rows(level) => level + 1,
        }
    }

    /// The first level whose shards can have their rows of it.
    fn rows_at(self) -> u32 {
        match self {
            Kind::Rows(level) => level,
            other => other.whole_at(),
        }
    }

    fn at(self, version: Version) -> u32 {
        match version {
            Version::Rows => self.rows_at(),
            Version::Whole => self.whole_at(),
        }
    }
}

pub fn places(graph: &Graph) -> Places {
    let mut places = Places {
        kinds: Vec::new(),
        forms: Vec::new(),
        divisions: Vec::new(),
        scans: HashMap::new(),
        last: 0,
    };
    let used = scans::used_results(graph);
    for (id, node) in graph.nodes() {
        let (form, division) = places.form(graph, id, &used);
        places.forms.push(form);
        places.divisions.push(division);
        let kind = places.kind(graph, id, node);
        places.kinds.push(kind);
    }
    let levels = graph.outputs.iter().map(|output| places.kinds[output.node.0 as usize].whole_at());
    places.last = levels.max().unwrap_or(0);
    places
}

impl Places {
    fn form(&mut self, graph: &Graph, id: NodeId, used: &HashMap<NodeId, Vec<u32>>) -> (Form, Division) {
        let node = &graph[id];
        let form_of = |operand: &NodeId| self.forms[operand.0 as usize];
        let form = match &node.op {
            Op::Input { name: InputKey::Field(_), ty } if ty.shape.first() == Some(&Dim::symbol(BATCH)) => {
                Form::Rows(0)
            }
            Op::Loop(body) => {
                let divided = self.divided(graph, node, body);
                let division = divided.division();
                return (divided.form(division), division);
            }
            Op::Reshape { shape } => {
                let axis = form_of(&node.operands[0])
                    .axis()
                    .and_then(|axis| reshaped(graph.shape(node.operands[0]), axis, shape));
                match (form_of(&node.operands[0]), axis) {
                    (Form::Rows(_), Some(axis)) => Form::Rows(axis),
                    (Form::Free(_), Some(axis)) => Form::Free(axis),
                    _ => Form::Whole,
                }
            }
            Op::Mark(_) => form_of(&node.operands[0]),
            Op::Scan(_) => {
                let forms: Vec<Form> = node.operands.iter().map(form_of).collect();
                let used = used.get(&id).map_or(&[][..], Vec::as_slice);
                let has_rows = forms.iter().any(|form| matches!(form, Form::Rows(_)));
                match has_rows.then(|| scans::divide(graph, id, &forms, used)).flatten() {
                    Some(division) => {
                        self.scans.insert(id, division);
                        Form::Rows(0)
                    }
                    None => Form::Whole,
                }
            }
            Op::Result(index) => match self.scans.get(&node.operands[0]) {
                Some(scan) => scan.results[*index as usize],
                None => Form::Whole,
            },
            _ => Form::Whole,
        };
        (form, Division::Whole)
    }

    pub fn divided<'a>(&self, graph: &'a Graph, node: &'a Node, body: &'a Loop) -> Divided<'a> {
        let forms = node.operands.iter().map(|operand| self.forms[operand.0 as usize]).collect();
        let shapes = node.operands.iter().map(|operand| graph.shape(*operand)).collect();
        Divided { body, forms, shapes }
    }

    fn kind(&self, graph: &Graph, id: NodeId, node: &Node) -> Kind {
        let at = id.0 as usize;
        let (form, division) = (self.forms[at], self.divisions[at]);
        let level_of = |reads: Vec<(NodeId, Version)>| {
            let levels = reads.iter().map(|(operand, version)| self.kinds[operand.0 as usize].at(*version));
            levels.max().unwrap_or(0)
        };
        let whole = || level_of(node.operands.iter().map(|operand| (*operand, Version::Whole)).collect());
        match (&node.op, form) {
            (Op::Input { .. }, Form::Rows(_)) => Kind::Field,
            (Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_), _) => Kind::Leaf,
            (_, Form::Rows(_)) => Kind::Rows(level_of(self.reads(graph, id))),
            (_, Form::Free(_)) => Kind::Free(level_of(self.reads(graph, id))),
            (Op::Loop(_), Form::Whole) if matches!(division, Division::Sum { .. }) => {
                Kind::Sum(level_of(self.reads(graph, id)) + 1)
            }
            (Op::Loop(_), Form::Whole) if node.operands.is_empty() => Kind::Leaf,
            (Op::Loop(body), Form::Whole) if is_rearrangement(body) => Kind::Copied(whole()),
            (Op::Reshape { .. } | Op::Mark(_), Form::Whole) => Kind::Copied(whole()),
            _ => Kind::Whole(whole()),
        }
    }

    /// What a node reads where shards compute it.
    pub fn reads(&self, graph: &Graph, id: NodeId) -> Vec<(NodeId, Version)> {
        let node = &graph[id];
        let mut reads = Vec::new();
        match &node.op {
            Op::Loop(body) => {
                let divided = self.divided(graph, node, body);
                for (at, operand) in node.operands.iter().enumerate() {
                    let (rows, whole) = divided.wanted(at, self.divisions[id.0 as usize]);
                    reads.extend(rows.then_some((*operand, Version::Rows)));
                    reads.extend(whole.then_some((*operand, Version::Whole)));
                }
            }
            Op::Scan(_) => {
                let of_rows = self.scans.get(&id).map_or(&[][..], |scan| &scan.of_rows);
                reads.extend(node.operands.iter().zip(of_rows).map(|(operand, of_rows)| {
                    (*operand, if *of_rows { Version::Rows } else { Version::Whole })
                }));
            }
            _ => reads.extend(node.operands.iter().map(|operand| (*operand, Version::Rows))),
        }
        reads
    }
}

/// Whether each element of the result is an element of the operand, in a place that does not depend on data.
fn is_rearrangement(body: &Loop) -> bool {
    let is_affine = |sub: &Sub| matches!(sub, Sub::Affine(_));
    match body.body.nodes.as_slice() {
        [Scalar::Read { subs, .. }] => subs.iter().chain(&body.write).all(is_affine) && body.write.len() == body.domain.len(),
        _ => false,
    }
}
