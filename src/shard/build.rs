//! The graphs of the parts.
//!
//! Backwards through the step, each node is asked for where it is read; then forwards, it is added to the part that
//! computes it and, as a value that is passed, to those that read it.

use super::local::{loop_of_shard, op_of_shard, rows_of_shard};
use super::places::{Kind, Places, Version};
use super::{How, Of, Part, Passed, Sharded, row_axis, type_of_shard};
use crate::ir::{Combine, Graph, InputKey, NodeId, Op, OutputKey, Type};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A part by its place in the list: even numbers are whole parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct At(u32);

impl At {
    fn whole(level: u32) -> At {
        At(2 * level)
    }

    fn shards(level: u32) -> At {
        At(2 * level + 1)
    }

    fn of(self) -> Of {
        if self.0.is_multiple_of(2) { Of::Whole } else { Of::Shard }
    }
}

/// What a part has of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Had {
    Version(Version),
    /// A shard's summand.
    Summand,
}

const ROWS: Had = Had::Version(Version::Rows);
const WHOLE: Had = Had::Version(Version::Whole);

struct Builder<'a> {
    graph: &'a Graph,
    places: &'a Places,
    /// Where each node is wanted.
    wanted: Vec<BTreeSet<(At, Version)>>,
    parts: Vec<Graph>,
    /// What the parts have.
    nodes: HashMap<(NodeId, Had, At), NodeId>,
    passed: Vec<Passed>,
    numbers: HashMap<(NodeId, Kept), u32>,
}

/// What is passed of a node: it may be both.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kept {
    Whole,
    Rows,
}

pub fn build(graph: &Graph, places: &Places) -> Sharded {
    let mut cx = Builder {
        graph,
        places,
        wanted: vec![BTreeSet::new(); graph.len()],
        parts: vec![Graph::new(); 2 * places.last as usize + 1],
        nodes: HashMap::new(),
        passed: Vec::new(),
        numbers: HashMap::new(),
    };
    let end = At::whole(places.last);
    for output in &graph.outputs {
        cx.wanted[output.node.0 as usize].insert((end, Version::Whole));
    }
    for at in (0..graph.len()).rev() {
        cx.want_operands(NodeId(at as u32));
    }
    for (id, node) in graph.nodes() {
        cx.parts.iter_mut().for_each(|part| part.origin = node.origin.clone());
        cx.add(id);
    }
    for output in &graph.outputs {
        let node = cx.nodes[&(output.node, WHOLE, end)];
        cx.parts[end.0 as usize].output(output.name.clone(), node);
    }
    let parts = cx.parts.into_iter().enumerate();
    let parts = parts.map(|(at, graph)| Part { of: At(at as u32).of(), graph });
    Sharded { parts: parts.filter(|part| !part.graph.outputs.is_empty()).collect(), passed: cx.passed }
}

impl Builder<'_> {
    fn kind(&self, id: NodeId) -> Kind {
        self.places.kinds[id.0 as usize]
    }

    /// Where and what is computed of a node, given where it is wanted.
    fn computed(&self, id: NodeId) -> BTreeSet<(At, Had)> {
        let mut sites = BTreeSet::new();
        for (at, version) in &self.wanted[id.0 as usize] {
            sites.extend(match (self.kind(id), version) {
                (Kind::Field, Version::Rows) => Some((*at, ROWS)),
                (Kind::Field, Version::Whole) => None,
                (Kind::Rows(level), _) => Some((At::shards(level), ROWS)),
                (Kind::Free(_), Version::Rows) => Some((*at, ROWS)),
                (Kind::Leaf | Kind::Copied(_), _) => Some((*at, WHOLE)),
                (Kind::Whole(level) | Kind::Free(level), _) => Some((At::whole(level), WHOLE)),
                (Kind::Sum(level), _) => Some((At::shards(level.saturating_sub(1)), Had::Summand)),
            });
        }
        sites
    }

    /// Asks for what a node needs where it is computed.
    fn want_operands(&mut self, id: NodeId) {
        for (at, had) in self.computed(id) {
            let reads = match had {
                ROWS | Had::Summand => self.places.reads(self.graph, id),
                Had::Version(Version::Whole) => {
                    self.graph[id].operands.iter().map(|operand| (*operand, Version::Whole)).collect()
                }
            };
            for (operand, version) in reads {
                self.wanted[operand.0 as usize].insert((at, version));
            }
        }
    }

    /// Adds a node to the parts.
    fn add(&mut self, id: NodeId) {
        for (at, had) in self.computed(id) {
            let node = match had {
                Had::Version(Version::Whole) => self.add_whole(id, at),
                ROWS | Had::Summand => self.add_of_shard(id, at),
            };
            self.nodes.insert((id, had, at), node);
        }
        for (at, version) in self.wanted[id.0 as usize].clone() {
            if self.nodes.contains_key(&(id, Had::Version(version), at)) {
                continue;
            }
            let is_whole = !matches!(self.kind(id), Kind::Rows(_) | Kind::Field | Kind::Free(_));
            let node = match version {
                Version::Rows if is_whole => {
                    let whole = self.get_whole(id, at);
                    let axis = row_axis(self.graph.shape(id)).unwrap_or(0);
                    rows_of_shard(&mut self.parts[at.0 as usize], whole, axis)
                }
                Version::Rows => self.receive(id, Kept::Rows, at),
                Version::Whole => self.receive(id, Kept::Whole, at),
            };
            self.nodes.insert((id, Had::Version(version), at), node);
        }
    }

    /// All of a node that is computed whole, in a part.
    fn get_whole(&mut self, id: NodeId, at: At) -> NodeId {
        if let Some(node) = self.nodes.get(&(id, WHOLE, at)) {
            return *node;
        }
        let node = self.receive(id, Kept::Whole, at);
        self.nodes.insert((id, WHOLE, at), node);
        node
    }

    fn add_whole(&mut self, id: NodeId, at: At) -> NodeId {
        let node = &self.graph[id];
        let operands = node.operands.iter().map(|operand| self.nodes[&(*operand, WHOLE, at)]).collect();
        self.parts[at.0 as usize].add(node.op.clone(), operands)
    }

    fn add_of_shard(&mut self, id: NodeId, at: At) -> NodeId {
        let (graph, places) = (self.graph, self.places);
        let node = &graph[id];
        let of = |nodes: &HashMap<(NodeId, Had, At), NodeId>, version: Version| -> Vec<Option<NodeId>> {
            let operands = node.operands.iter();
            operands.map(|operand| nodes.get(&(*operand, Had::Version(version), at)).copied()).collect()
        };
        let (rows, whole) = (of(&self.nodes, Version::Rows), of(&self.nodes, Version::Whole));
        let axis = places.forms[id.0 as usize].axis().unwrap_or(0);
        let made = match &node.op {
            Op::Loop(body) => {
                let divided = places.divided(graph, node, body);
                loop_of_shard(&divided, places.divisions[id.0 as usize], &rows, &whole)
            }
            Op::Scan(scan) => places.scans.get(&id).and_then(|division| {
                let operands = division.of_rows.iter().zip(rows.iter().zip(&whole));
                let operands = operands.map(|(of_rows, (rows, whole))| if *of_rows { *rows } else { *whole });
                Some((Op::Scan(Arc::new(division.scan(scan)?)), operands.collect::<Option<_>>()?))
            }),
            op => rows.iter().copied().collect::<Option<Vec<_>>>().map(|rows| (op_of_shard(op, axis), rows)),
        };
        let (op, operands) = made.expect("a node is only given to shards with what it reads there");
        self.parts[at.0 as usize].add(op, operands)
    }

    /// A value that another part makes.
    fn receive(&mut self, id: NodeId, version: Kept, at: At) -> NodeId {
        let number = match self.numbers.get(&(id, version)) {
            Some(number) => *number,
            None => self.pass(id, version),
        };
        let ty = self.passed[number as usize].ty.clone();
        let ty = match (version, self.places.forms[id.0 as usize].axis()) {
            (Kept::Rows, Some(axis)) => type_of_shard(&ty, axis),
            _ => ty,
        };
        self.parts[at.0 as usize].add(Op::Input { name: InputKey::Passed(number), ty }, Vec::new())
    }

    /// Lets the part that makes a value pass it on.
    fn pass(&mut self, id: NodeId, version: Kept) -> u32 {
        let axis = self.places.forms[id.0 as usize].axis().unwrap_or(0);
        let node = &self.graph[id];
        let (how, home) = match (self.kind(id), version) {
            (Kind::Rows(level), Kept::Rows) => (How::Rows, Some((At::shards(level), ROWS))),
            (Kind::Rows(level), Kept::Whole) => (How::Gathered(axis), Some((At::shards(level), ROWS))),
            (Kind::Sum(level), _) => {
                let home = (At::shards(level.saturating_sub(1)), Had::Summand);
                (How::Sum(combination(&node.op)), Some(home))
            }
            (Kind::Whole(level) | Kind::Free(level) | Kind::Copied(level), _) => {
                (How::Whole, Some((At::whole(level), WHOLE)))
            }
            (Kind::Field | Kind::Leaf, _) => match &node.op {
                Op::Input { name: InputKey::Field(name), .. } => (How::Field(name.clone()), None),
                _ => (How::Whole, None),
            },
        };
        let number = self.passed.len() as u32;
        let ty: Type = node.ty.clone();
        self.passed.push(Passed { how, ty });
        self.numbers.insert((id, version), number);
        if let Some((at, had)) = home {
            let made = self.nodes[&(id, had, at)];
            self.parts[at.0 as usize].output(OutputKey::Passed(number), made);
        }
        number
    }
}

/// How the summands of shards are combined.
fn combination(op: &Op) -> Combine {
    match op {
        Op::Loop(body) => body.combine,
        _ => Combine::Add,
    }
}
