//! Members: graphs that differ in numbers only become one graph with one more index, the member.
//!
//! ```text
//! w[i] = w[i] - 0.1 g[i]   and   w[i] = w[i] - 0.2 g[i]
//! become
//! w[m, i] = w[m, i] - r[m] g[m, i]   with   r = [0.1, 0.2]
//! ```
//!
//! Parameters and states are those of all members, a member each along the new axis. What is the same for all
//! members, such as the rows of a batch that they share, stays without the axis and is computed once. A number that is
//! not the same for all becomes an element of a constant. Every member's elements are computed by the operations of its
//! own graph: the member is an index that no sum runs over.

mod loops;
mod scans;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::affine::Affine;
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, Node, NodeId, Op};
use super::keys::InputKey;
use super::scalar::{Body, Number, Scalar, ScalarId, Sub};
use super::types::{Const, ConstData, Type};
use std::sync::Arc;

/// Where the new axis of a tensor stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Before all others: the tensors of the members lie one behind another.
    First,
    /// Behind all others: elements of all members lie side by side.
    Last,
}

impl Place {
    /// The axis in a tensor that has so many others.
    pub fn axis(self, rank: usize) -> usize {
        match self {
            Place::First => 0,
            Place::Last => rank,
        }
    }
}

/// How members are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub place: Place,
    /// Whether each member has rows of its own: fields have then those of one member behind those of another.
    pub own_rows: bool,
}

/// One graph that each of several programs can be carried out with.
#[derive(Clone, Debug)]
pub struct Common {
    pub graph: Graph,
    /// The numbers in which the programs differ. The graph has them as states, called by [`number_path`].
    pub numbers: Vec<Vec<Number>>,
}

/// What a number of [`Common`] is called.
pub fn number_path(number: usize) -> Arc<str> {
    format!("number {number}").into()
}

/// The graph of all that has, in place of numbers which are not the same in all, scalars that are given. `None` if the
/// graphs differ in more than such numbers.
pub fn common(graphs: &[&Graph]) -> Option<Common> {
    let options = Options { place: Place::First, own_rows: false };
    let mut unite = Unite::new(graphs.to_vec(), options);
    unite.numbers = Some(Vec::new());
    unite.outputs(false)?;
    Some(Common { graph: unite.new, numbers: unite.numbers.unwrap_or_default() })
}

/// One graph for all members. Each output has the new axis. `None` if the graphs differ in more than numbers, or draw
/// random numbers although `own_rows` says that they have nothing in common.
pub fn united(graphs: &[&Graph], options: Options) -> Option<Graph> {
    let first = graphs.first()?;
    if options.own_rows && first.draws_numbers() {
        return None;
    }
    let mut unite = Unite::new(graphs.to_vec(), options);
    unite.outputs(true)?;
    Some(unite.new)
}

/// A node of the new graph.
#[derive(Clone, Copy, Debug)]
struct Made {
    node: NodeId,
    /// Which axis of it is the member; none if it is the same for all.
    axis: Option<usize>,
}

struct Unite<'g> {
    graphs: Vec<&'g Graph>,
    options: Options,
    new: Graph,
    /// By the nodes of all members.
    made: HashMap<Vec<NodeId>, Made>,
    /// Of the bodies of scans: what carries and captures are.
    carries: Vec<Option<usize>>,
    captures: Vec<Option<usize>>,
    /// Of scans in the new graph, which axis of each result is the member.
    results: HashMap<NodeId, Vec<Option<usize>>>,
    /// If no tensor gets an axis: the numbers that are given, each with its value in each graph.
    numbers: Option<Vec<Vec<Number>>>,
}

/// A shape with the members at an axis.
fn longer(shape: &[Dim], axis: usize, members: &Dim) -> Vec<Dim> {
    let mut shape = shape.to_vec();
    shape.insert(axis, members.clone());
    shape
}

fn all_equal<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

impl<'g> Unite<'g> {
    fn new(graphs: Vec<&'g Graph>, options: Options) -> Unite<'g> {
        Unite {
            graphs,
            options,
            new: Graph::new(),
            made: HashMap::new(),
            carries: Vec::new(),
            captures: Vec::new(),
            results: HashMap::new(),
            numbers: None,
        }
    }

    /// Makes all outputs, with the members' axis if `with_axis` says so.
    fn outputs(&mut self, with_axis: bool) -> Option<()> {
        let graphs = self.graphs.clone();
        let first = graphs.first()?;
        if graphs.iter().any(|graph| graph.outputs.len() != first.outputs.len()) {
            return None;
        }
        for (at, output) in first.outputs.iter().enumerate() {
            if graphs.iter().any(|graph| graph.outputs[at].name != output.name) {
                return None;
            }
            let key: Vec<NodeId> = graphs.iter().map(|graph| graph.outputs[at].node).collect();
            let made = self.value(&key)?;
            let made = if with_axis { self.brought(made) } else { made };
            self.new.output(output.name.clone(), made.node);
        }
        Some(())
    }

    fn members(&self) -> Dim {
        Dim::from(self.graphs.len())
    }

    fn nodes(&self, key: &[NodeId]) -> Vec<&'g Node> {
        self.graphs.iter().zip(key).map(|(graph, id)| &graph[*id]).collect()
    }

    /// What a node of each member becomes, with all that it needs. Graphs are deep, so no call is made for each node.
    fn value(&mut self, key: &[NodeId]) -> Option<Made> {
        let mut pending = vec![key.to_vec()];
        while let Some(key) = pending.last().cloned() {
            if self.made.contains_key(&key) {
                pending.pop();
                continue;
            }
            let nodes = self.nodes(&key);
            let count = nodes[0].operands.len();
            if nodes.iter().any(|node| node.operands.len() != count) {
                return None;
            }
            let operands = (0..count).map(|at| nodes.iter().map(|node| node.operands[at]).collect::<Vec<NodeId>>());
            let missing: Vec<Vec<NodeId>> =
                operands.clone().filter(|operand| !self.made.contains_key(operand)).collect();
            if !missing.is_empty() {
                pending.extend(missing.into_iter().rev());
                continue;
            }
            let operands: Vec<Made> = operands.map(|operand| self.made[&operand]).collect();
            self.new.origin = nodes[0].origin.clone();
            let made = self.node(&nodes, &operands)?;
            self.made.insert(key, made);
            pending.pop();
        }
        self.made.get(key).copied()
    }

    fn node(&mut self, nodes: &[&'g Node], operands: &[Made]) -> Option<Made> {
        let op = &nodes[0].op;
        let same = all_equal(nodes.iter().map(|node| &node.op));
        match op {
            Op::Const(_) => self.constant(nodes),
            Op::Loop(_) => self.joined_loop(nodes, operands),
            Op::Scan(_) => self.scan(nodes, operands),
            _ if !same => None,
            Op::Input { name: InputKey::Field(_) | InputKey::Companion(..), ty } if self.options.own_rows => {
                Some(self.rows(op, ty))
            }
            Op::Input { .. } | Op::Rand { .. } => Some(self.shared(op, Vec::new())),
            Op::Param { .. } | Op::State { .. } if self.numbers.is_some() => Some(self.shared(op, Vec::new())),
            Op::Param { path, ty } => {
                let (ty, axis) = self.wider(ty);
                Some(self.of_members(Op::Param { path: path.clone(), ty }, axis))
            }
            Op::State { path, ty } => {
                let (ty, axis) = self.wider(ty);
                Some(self.of_members(Op::State { path: path.clone(), ty }, axis))
            }
            Op::Reshape { shape } => Some(self.reshaped(shape, operands[0])),
            // Derivatives have been taken, so a mark is its operand.
            Op::Mark(_) => operands.first().copied(),
            Op::Result(index) => {
                let axis = self.results.get(&operands[0].node)?.get(*index as usize).copied()?;
                let node = self.new.add(Op::Result(*index), vec![operands[0].node]);
                Some(Made { node, axis })
            }
            Op::Carry { index, ty } => {
                let axis = *self.carries.get(*index as usize)?;
                let ty = self.with_axis(ty, axis);
                let node = self.new.add(Op::Carry { index: *index, ty }, Vec::new());
                Some(Made { node, axis })
            }
            Op::Capture { index, ty } => {
                let axis = *self.captures.get(*index as usize)?;
                let ty = self.with_axis(ty, axis);
                let node = self.new.add(Op::Capture { index: *index, ty }, Vec::new());
                Some(Made { node, axis })
            }
        }
    }

    fn shared(&mut self, op: &Op, operands: Vec<NodeId>) -> Made {
        Made { node: self.new.add(op.clone(), operands), axis: None }
    }

    fn of_members(&mut self, op: Op, axis: usize) -> Made {
        Made { node: self.new.add(op, Vec::new()), axis: Some(axis) }
    }

    fn with_axis(&self, ty: &Type, axis: Option<usize>) -> Type {
        match axis {
            Some(axis) => Type::new(ty.elem, longer(&ty.shape, axis, &self.members())),
            None => ty.clone(),
        }
    }

    /// A type with the members at the usual axis.
    fn wider(&self, ty: &Type) -> (Type, usize) {
        let axis = self.options.place.axis(ty.rank());
        (self.with_axis(ty, Some(axis)), axis)
    }

    /// Rows of all members, one member's behind another's.
    fn rows(&mut self, op: &Op, ty: &Type) -> Made {
        let Some(rows) = ty.shape.first() else { return self.shared(op, Vec::new()) };
        let mut all = ty.clone();
        all.shape[0] = rows * &self.members();
        let op = match op {
            Op::Input { name, .. } => Op::Input { name: name.clone(), ty: all },
            other => other.clone(),
        };
        let node = self.new.add(op, Vec::new());
        let shape = longer(&ty.shape, 0, &self.members());
        Made { node: self.new.add(Op::Reshape { shape }, vec![node]), axis: Some(0) }
    }

    /// A tensor that is known: one for all, or that of each member.
    fn constant(&mut self, nodes: &[&Node]) -> Option<Made> {
        let constants = nodes.iter().map(|node| match &node.op {
            Op::Const(constant) => Some(&**constant),
            _ => None,
        });
        let constants: Vec<&Const> = constants.collect::<Option<_>>()?;
        if all_equal(constants.iter()) {
            return Some(self.shared(&nodes[0].op, Vec::new()));
        }
        if self.numbers.is_some() {
            return None;
        }
        if !all_equal(constants.iter().map(|constant| (&constant.shape, constant.ty().elem))) {
            return None;
        }
        let mut shape = constants[0].shape.clone();
        shape.insert(0, constants.len());
        let data = match &constants[0].data {
            ConstData::Float(_) => ConstData::Float(gathered(&constants, |data| match data {
                ConstData::Float(values) => Some(values),
                _ => None,
            })?),
            ConstData::Int(_) => ConstData::Int(gathered(&constants, |data| match data {
                ConstData::Int(values) => Some(values),
                _ => None,
            })?),
            ConstData::Bool(_) => ConstData::Bool(gathered(&constants, |data| match data {
                ConstData::Bool(values) => Some(values),
                _ => None,
            })?),
        };
        Some(self.of_members(Op::Const(Arc::new(Const { shape, data })), 0))
    }

    fn reshaped(&mut self, shape: &[Dim], operand: Made) -> Made {
        let Some(axis) = operand.axis else {
            return self.shared(&Op::Reshape { shape: shape.to_vec() }, vec![operand.node]);
        };
        let rank = self.new.shape(operand.node).len() - 1;
        // Members stay apart if their axis is at an end.
        let (operand, is_first) = match (axis == 0, axis == rank) {
            (true, true) => (operand, self.options.place == Place::First),
            (true, false) => (operand, true),
            (false, true) => (operand, false),
            (false, false) => (self.brought(operand), self.options.place == Place::First),
        };
        let axis = if is_first { 0 } else { shape.len() };
        let shape = longer(shape, axis, &self.members());
        Made { node: self.new.add(Op::Reshape { shape }, vec![operand.node]), axis: Some(axis) }
    }

    /// A tensor with the members at the usual axis; what is the same for all is repeated.
    fn brought(&mut self, made: Made) -> Made {
        let shape = self.new.shape(made.node).to_vec();
        let rank = shape.len() - usize::from(made.axis.is_some());
        let to = self.options.place.axis(rank);
        if made.axis == Some(to) {
            return made;
        }
        let mut plain = shape;
        if let Some(axis) = made.axis {
            plain.remove(axis);
        }
        let shape = longer(&plain, to, &self.members());
        let indices: Vec<Sub> = (0..shape.len()).map(|index| Sub::Affine(Affine::index(index))).collect();
        let mut subs = indices.clone();
        let member = subs.remove(to);
        if let Some(axis) = made.axis {
            subs.insert(axis, member);
        }
        let read = Scalar::Read { operand: 0, subs, padded: false };
        let body = Body { nodes: vec![read], result: ScalarId(0) };
        let copy = Loop { domain: shape.clone(), shape, write: indices, dropping: false, combine: Combine::Set, body };
        let node = self.new.add(Op::Loop(Arc::new(copy)), vec![made.node]);
        Made { node, axis: Some(to) }
    }
}

/// The elements of constants, one behind another.
fn gathered<T: Clone>(constants: &[&Const], of: impl Fn(&ConstData) -> Option<&Vec<T>>) -> Option<Vec<T>> {
    let parts: Option<Vec<&Vec<T>>> = constants.iter().map(|constant| of(&constant.data)).collect();
    Some(parts?.into_iter().flatten().cloned().collect())
}
