//! Graphs: lists of nodes, operands before users (static single assignment).

use super::affine::{Affine, StepId};
use super::dim::Dim;
use super::hash::Interner;
use super::keys::{InputKey, OutputKey};
use super::scalar::{Body, Scalar, Sub};
use super::types::{Const, Elem, Type};
use crate::base::Span;
use std::sync::Arc;

/// A node of a [`Graph`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub u32);

/// What a node computes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A tensor that the caller gives: a batch of a data field, the number of the step.
    Input {
        name: InputKey,
        ty: Type,
    },
    /// A trained parameter, by path.
    Param {
        path: Arc<str>,
        ty: Type,
    },
    /// A tensor that is kept between steps but not trained: running statistics, the moments of an optimiser.
    State {
        path: Arc<str>,
        ty: Type,
    },
    Const(Arc<Const>),
    Loop(Arc<Loop>),
    /// The operand with another shape of equally many elements; an alias.
    Reshape {
        shape: Vec<Dim>,
    },
    /// Random numbers of the counter-based generator.
    Rand {
        kind: RandKind,
        stream: Arc<str>,
        shape: Vec<Dim>,
        step: Affine,
        step_axes: u32,
    },
    /// The first operand itself, as a node that is not merged with equal ones: the variable of a `grad`. With further
    /// operands, `adjoint, result, x, g, …`, its derivative is declared: where its adjoint is `adjoint` and its value
    /// `result`, nodes that keep the places, each x has the contribution g, and nothing else has any.
    Mark(u32),
    /// A recurrence. Operands: the initial carries, then the captures. Its results are read by [`Op::Result`].
    Scan(Arc<Scan>),
    /// The k-th result of a scan: the last values of the carries, then the stacks of what was collected.
    Result(u32),
    /// In a scan's body: the k-th carry at the start of the step.
    Carry {
        index: u32,
        ty: Type,
    },
    /// In a scan's body: the k-th tensor from outside.
    Capture {
        index: u32,
        ty: Type,
    },
}

/// `out[write(i)] combine= body(i)` for all `i` of `domain`, in row-major order of `i`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Loop {
    pub domain: Vec<Dim>,
    /// The shape of the result.
    pub shape: Vec<Dim>,
    /// One subscript for each axis of the result.
    pub write: Vec<Sub>,
    /// The out-of-bounds mode of the write: `true` drops it; otherwise all writes are in bounds.
    pub dropping: bool,
    pub combine: Combine,
    pub body: Body,
}

/// How several values that are written to one element are combined. An element that is never written has the
/// identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Combine {
    /// No element is written twice; identity 0.
    Set,
    /// Identity 0.
    Add,
    /// Identity 1.
    Mul,
    /// Identity −∞ (of ints the least, false); on bools "any". A NaN is passed over.
    Max,
    /// Identity +∞ (of ints the greatest, true); on bools "all". A NaN is passed over.
    Min,
    /// The index of the first greatest value: the row-major number of its point among the indices that `write` does
    /// not use; 0 if nothing was written.
    ArgMax,
    /// The same of the first least value.
    ArgMin,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum RandKind {
    /// Uniform in [0, 1).
    Uniform,
    /// Mean 0, standard deviation 1.
    Normal,
}

/// A body applied `trip` times. In the body [`Op::Carry`] and [`Op::Capture`] are the leaves, and
/// subscripts may use `Var::Step(step)`, which runs from 0 to `trip - 1`, or down if `reverse`.
/// The outputs of the body are the next carries, then what is collected; result k of a collected value has
/// a new first axis of size `trip` with step t at index t.
#[derive(Clone, Debug)]
pub struct Scan {
    pub step: StepId,
    pub trip: Dim,
    pub reverse: bool,
    pub n_carries: usize,
    pub body: Graph,
}

impl PartialEq for Scan {
    /// A scan is only equal to itself: step ids are unique in a graph.
    fn eq(&self, other: &Scan) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Scan {}

impl std::hash::Hash for Scan {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.step.hash(state);
    }
}

/// Where a node comes from: for messages and profiles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    pub span: Span,
    /// The layer instance (`fc1`); in an update the parameter; outside of models the function that is called
    /// (`cross_entropy`).
    pub path: Option<Arc<str>>,
    pub phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Phase {
    #[default]
    Forward,
    Backward,
    Update,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub op: Op,
    pub operands: Vec<NodeId>,
    pub ty: Type,
    pub origin: Origin,
}

/// A named result of a graph.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    pub name: OutputKey,
    pub node: NodeId,
}

#[derive(Clone, Default, Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    interned: Interner,
    pub outputs: Vec<Output>,
    /// The origin of the nodes that are added from now on.
    pub origin: Origin,
}

impl std::ops::Index<NodeId> for Graph {
    type Output = Node;
    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

impl Graph {
    pub fn new() -> Graph {
        Graph::default()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(at, node)| (NodeId(at as u32), node))
    }

    pub fn ty(&self, id: NodeId) -> &Type {
        &self[id].ty
    }

    pub fn elem(&self, id: NodeId) -> Elem {
        self[id].ty.elem
    }

    pub fn shape(&self, id: NodeId) -> &[Dim] {
        &self[id].ty.shape
    }

    /// Adds a node, or finds the equal one that is there.
    ///
    /// # Panics
    /// If the op cannot have these operands: a mistake of the caller, which the verifier would report.
    pub fn add(&mut self, op: Op, operands: Vec<NodeId>) -> NodeId {
        let is_equal = |place: u32| {
            let node = &self.nodes[place as usize];
            node.op == op && node.operands == operands
        };
        let slot = match self.interned.find(&(&op, &operands), is_equal) {
            Ok(place) => return NodeId(place),
            Err(slot) => slot,
        };
        let ty = self.infer(&op, &operands);
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { op, operands, ty, origin: self.origin.clone() });
        self.interned.enter(slot, id.0);
        id
    }

    /// Whether an output depends on random numbers.
    pub fn draws_numbers(&self) -> bool {
        let needed = self.reachable(self.outputs.iter().map(|output| output.node));
        self.nodes().any(|(id, node)| match &node.op {
            _ if !needed[id.0 as usize] => false,
            Op::Rand { .. } => true,
            Op::Scan(scan) => scan.body.draws_numbers(),
            _ => false,
        })
    }

    /// Adds a node with the origin of another graph's node.
    pub fn add_from(&mut self, op: Op, operands: Vec<NodeId>, origin: &Origin) -> NodeId {
        let previous = std::mem::replace(&mut self.origin, origin.clone());
        let id = self.add(op, operands);
        self.origin = previous;
        id
    }

    /// Lets a node compute the same value in another way. Its users stay as they are.
    ///
    /// # Panics
    /// In debug builds, if the operands do not stand before the node: a mistake of the caller.
    pub fn replace(&mut self, id: NodeId, op: Op, operands: Vec<NodeId>) {
        debug_assert!(operands.iter().all(|operand| *operand < id), "operands stand before users");
        let is_equal = |place: u32| {
            let node = &self.nodes[place as usize];
            node.op == op && node.operands == operands
        };
        // The node's old entry stays in the table; no new node is equal to it any more.
        if let Err(slot) = self.interned.find(&(&op, &operands), is_equal) {
            self.interned.enter(slot, id.0);
        }
        let node = &mut self.nodes[id.0 as usize];
        node.op = op;
        node.operands = operands;
    }

    pub fn output(&mut self, name: impl Into<OutputKey>, node: NodeId) {
        self.outputs.push(Output { name: name.into(), node });
    }

    pub fn find_output(&self, name: impl Into<OutputKey>) -> Option<NodeId> {
        let name = name.into();
        self.outputs.iter().find(|output| output.name == name).map(|output| output.node)
    }

    fn infer(&self, op: &Op, operands: &[NodeId]) -> Type {
        match op {
            Op::Input { ty, .. } | Op::Param { ty, .. } | Op::State { ty, .. } => ty.clone(),
            Op::Carry { ty, .. } | Op::Capture { ty, .. } => ty.clone(),
            Op::Const(value) => value.ty(),
            Op::Loop(body) => Type::new(self.loop_elem(body, operands), body.shape.clone()),
            Op::Reshape { shape } => Type::new(self.elem(operands[0]), shape.clone()),
            Op::Rand { shape, .. } => Type::new(Elem::Float, shape.clone()),
            Op::Mark(_) => self.ty(operands[0]).clone(),
            // A scan has no value of its own.
            Op::Scan(_) => Type::scalar(Elem::Bool),
            Op::Result(index) => match &self[operands[0]].op {
                Op::Scan(scan) => scan.result_type(*index as usize),
                _ => panic!("a result of what is not a scan"),
            },
        }
    }

    fn loop_elem(&self, body: &Loop, operands: &[NodeId]) -> Elem {
        match body.combine {
            Combine::ArgMax | Combine::ArgMin => Elem::Int,
            Combine::Set | Combine::Add | Combine::Mul | Combine::Max | Combine::Min => {
                body.body.elem_of(body.body.result, &|operand| self.elem(operands[operand as usize]))
            }
        }
    }

    /// For each node whether one of the given nodes depends on it, themselves included.
    pub fn reachable(&self, from: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        from.into_iter().for_each(|id| needed[id.0 as usize] = true);
        for at in (0..self.nodes.len()).rev() {
            if needed[at] {
                self.nodes[at].operands.iter().for_each(|id| needed[id.0 as usize] = true);
            }
        }
        needed
    }
}

impl Scan {
    pub fn result_type(&self, index: usize) -> Type {
        let value = self.body.ty(self.body.outputs[index].node);
        if index < self.n_carries {
            return value.clone();
        }
        let shape = std::iter::once(self.trip.clone()).chain(value.shape.iter().cloned()).collect();
        Type::new(value.elem, shape)
    }
}

impl Body {
    /// The type of a scalar, given the types of the operands.
    pub fn elem_of(&self, id: super::ScalarId, read: &dyn Fn(u32) -> Elem) -> Elem {
        match &self[id] {
            Scalar::Float(_) => Elem::Float,
            Scalar::Int(_) | Scalar::Affine(_) => Elem::Int,
            Scalar::Bool(_) => Elem::Bool,
            Scalar::Read { operand, .. } => read(*operand),
            Scalar::Unary(op, a) => {
                op.result(self.elem_of(*a, read)).expect("a unary op on a type it has not")
            }
            Scalar::Binary(op, a, _) => {
                op.result(self.elem_of(*a, read)).expect("a binary op on a type it has not")
            }
            Scalar::Select(_, a, _) => self.elem_of(*a, read),
            Scalar::WithSlope { value, .. } => self.elem_of(*value, read),
        }
    }
}

impl Loop {
    /// The index that subscripts an axis of the result by itself, if there is one.
    pub fn write_index(&self, axis: usize) -> Option<usize> {
        match &self.write[axis] {
            Sub::Affine(affine) => affine.as_index(),
            Sub::Value(_) => None,
        }
    }
}
