//! Builders of loops.
//!
//! ```
//! use nnc::ir::*;
//! let mut graph = Graph::new();
//! let n = || Dim::symbol("n");
//! let x = graph.add(Op::Input { name: "x".into(), ty: Type::new(Elem::Float, vec![n(), n()]) }, vec![]);
//! // y[i] = sum[j](x[i, j] * x[j, i])
//! let mut l = LoopBuilder::new(&graph, vec![n(), n()]);
//! let (i, j) = (l.index(0), l.index(1));
//! let (a, b) = (l.read(x, vec![i.clone(), j.clone()]), l.read(x, vec![j, i.clone()]));
//! let product = l.binary(BinaryOp::Mul, a, b);
//! let y = l.reduce(vec![n()], vec![i], Combine::Add, product);
//! let y = graph.add_loop(y);
//! assert_eq!(graph.ty(y).to_string(), "[n]");
//! ```

use super::affine::{Affine, StepId};
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, NodeId, Op};
use super::scalar::{self, BinaryOp, BodyBuilder, Number, Scalar, ScalarId, Sub, UnaryOp};
use super::types::{Const, Elem};
use std::sync::Arc;

/// A loop that is being built: its domain, the tensors it reads, its expression.
pub struct LoopBuilder<'g> {
    graph: &'g Graph,
    domain: Vec<Dim>,
    operands: Vec<NodeId>,
    body: BodyBuilder,
}

/// A [`LoopBuilder`] set aside, so that other nodes can be added to the graph: see [`LoopBuilder::suspend`].
#[derive(Clone, Default, Debug)]
pub struct LoopParts {
    domain: Vec<Dim>,
    operands: Vec<NodeId>,
    body: BodyBuilder,
}

impl LoopParts {
    pub fn new(domain: Vec<Dim>) -> LoopParts {
        LoopParts { domain, ..LoopParts::default() }
    }

    pub fn domain(&self) -> &[Dim] {
        &self.domain
    }

    pub fn scalar(&self, id: ScalarId) -> &Scalar {
        self.body.scalar(id)
    }

    pub fn elem(&self, id: ScalarId) -> Elem {
        self.body.elem(id)
    }
}

/// A finished loop with its operands, ready for [`Graph::add_loop`].
pub struct LoopNode {
    pub body: Loop,
    pub operands: Vec<NodeId>,
}

impl<'g> LoopBuilder<'g> {
    pub fn new(graph: &'g Graph, domain: Vec<Dim>) -> LoopBuilder<'g> {
        LoopBuilder { graph, domain, operands: Vec::new(), body: BodyBuilder::default() }
    }

    /// The graph that the operands are of.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// Releases the graph; [`LoopBuilder::resume`] continues the loop.
    pub fn suspend(self) -> LoopParts {
        LoopParts { domain: self.domain, operands: self.operands, body: self.body }
    }

    pub fn resume(graph: &'g Graph, parts: LoopParts) -> LoopBuilder<'g> {
        LoopBuilder { graph, domain: parts.domain, operands: parts.operands, body: parts.body }
    }

    /// The subscript that is index number `index` alone.
    pub fn index(&self, index: usize) -> Sub {
        Sub::Affine(Affine::index(index))
    }

    /// Adds an index to the domain; returns its number.
    pub fn add_index(&mut self, size: Dim) -> usize {
        self.domain.push(size);
        self.domain.len() - 1
    }

    pub fn domain(&self) -> &[Dim] {
        &self.domain
    }

    pub fn elem(&self, id: ScalarId) -> Elem {
        self.body.elem(id)
    }

    pub fn scalar(&self, id: ScalarId) -> &Scalar {
        self.body.scalar(id)
    }

    /// All scalars so far.
    pub fn scalars(&self) -> &[Scalar] {
        self.body.scalars()
    }

    /// The number of an operand, which is added if it is new.
    pub fn operand(&mut self, node: NodeId) -> u32 {
        let at = self.operands.iter().position(|other| *other == node).unwrap_or_else(|| {
            self.operands.push(node);
            self.operands.len() - 1
        });
        at as u32
    }

    pub fn operands(&self) -> &[NodeId] {
        &self.operands
    }

    /// Adds a scalar whose operands are in this builder. Reads name operands by [`LoopBuilder::operand`].
    pub fn add(&mut self, scalar: Scalar) -> ScalarId {
        let (graph, operands) = (self.graph, &self.operands);
        self.body.add(scalar, |operand| graph.elem(operands[operand as usize]))
    }

    /// `node[subs]`; the subscripts must be in bounds.
    pub fn read(&mut self, node: NodeId, subs: Vec<Sub>) -> ScalarId {
        let operand = self.operand(node);
        self.add(Scalar::Read { operand, subs, padded: false })
    }

    /// `node[subs]`, or 0 where the subscripts are out of bounds.
    pub fn read_padded(&mut self, node: NodeId, subs: Vec<Sub>) -> ScalarId {
        let operand = self.operand(node);
        self.add(Scalar::Read { operand, subs, padded: true })
    }

    pub fn float(&mut self, value: f64) -> ScalarId {
        self.add(Scalar::Float(Number(value)))
    }

    pub fn int(&mut self, value: i64) -> ScalarId {
        self.add(Scalar::Int(value))
    }

    pub fn bool(&mut self, value: bool) -> ScalarId {
        self.add(Scalar::Bool(value))
    }

    pub fn affine(&mut self, affine: Affine) -> ScalarId {
        self.add(Scalar::Affine(affine))
    }

    /// A size as an int.
    pub fn size(&mut self, dim: &Dim) -> ScalarId {
        self.add(scalar::size(dim))
    }

    pub fn unary(&mut self, op: UnaryOp, a: ScalarId) -> ScalarId {
        self.add(Scalar::Unary(op, a))
    }

    pub fn binary(&mut self, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
        self.add(Scalar::Binary(op, a, b))
    }

    pub fn select(&mut self, condition: ScalarId, then: ScalarId, otherwise: ScalarId) -> ScalarId {
        self.add(Scalar::Select(condition, then, otherwise))
    }

    /// The value converted to a float if it is none.
    pub fn to_float(&mut self, a: ScalarId) -> ScalarId {
        match self.elem(a) {
            Elem::Float => a,
            Elem::Int | Elem::Bool => self.unary(UnaryOp::ToFloat, a),
        }
    }

    /// `out[i] = value` over the whole domain.
    pub fn map(self, value: ScalarId) -> LoopNode {
        let write = (0..self.domain.len()).map(|index| self.index(index)).collect();
        let shape = self.domain.clone();
        self.finish(shape, write, false, Combine::Set, value)
    }

    /// `out[write] combine= value`; all writes are in bounds of `shape`.
    pub fn reduce(self, shape: Vec<Dim>, write: Vec<Sub>, combine: Combine, value: ScalarId) -> LoopNode {
        self.finish(shape, write, false, combine, value)
    }

    /// The general form of a loop.
    pub fn finish(
        self,
        shape: Vec<Dim>,
        write: Vec<Sub>,
        dropping: bool,
        combine: Combine,
        value: ScalarId,
    ) -> LoopNode {
        let in_write: Vec<ScalarId> = write
            .iter()
            .filter_map(|sub| match sub {
                Sub::Affine(_) => None,
                Sub::Value(id) => Some(*id),
            })
            .collect();
        let (mut body, moved) = self.body.finish(value, &in_write);
        let mut moved = moved.into_iter();
        let write = write
            .into_iter()
            .map(|sub| match sub {
                Sub::Affine(affine) => Sub::Affine(affine),
                Sub::Value(_) => Sub::Value(moved.next().expect("one place for each subscript")),
            })
            .collect();
        // Operands without a read are left out, the others are numbered in order of their first read.
        let mut operands = Vec::new();
        for scalar in &mut body.nodes {
            if let Scalar::Read { operand, .. } = scalar {
                let node = self.operands[*operand as usize];
                let at = operands.iter().position(|other| *other == node).unwrap_or_else(|| {
                    operands.push(node);
                    operands.len() - 1
                });
                *operand = at as u32;
            }
        }
        LoopNode { body: Loop { domain: self.domain, shape, write, dropping, combine, body }, operands }
    }
}

impl Graph {
    pub fn add_loop(&mut self, node: LoopNode) -> NodeId {
        self.add(Op::Loop(Arc::new(node.body)), node.operands)
    }

    pub fn constant(&mut self, value: Const) -> NodeId {
        self.add(Op::Const(Arc::new(value)), Vec::new())
    }

    /// A float tensor of one value.
    pub fn fill(&mut self, value: f64, shape: Vec<Dim>) -> NodeId {
        let mut l = LoopBuilder::new(self, shape);
        let value = l.float(value);
        let node = l.map(value);
        self.add_loop(node)
    }

    /// `out[i] = f(x[i])` elementwise over tensors of one shape.
    pub fn map(
        &mut self,
        inputs: &[NodeId],
        f: impl FnOnce(&mut LoopBuilder<'_>, &[ScalarId]) -> ScalarId,
    ) -> NodeId {
        let shape = self.shape(inputs[0]).to_vec();
        let rank = shape.len();
        let mut l = LoopBuilder::new(self, shape);
        let reads: Vec<ScalarId> = inputs
            .iter()
            .map(|input| {
                let subs = (0..rank).map(|axis| l.index(axis)).collect();
                l.read(*input, subs)
            })
            .collect();
        let value = f(&mut l, &reads);
        let node = l.map(value);
        self.add_loop(node)
    }

    /// The element of a stack that belongs to the current step of a scan: `stack[step, …]`.
    pub fn element_at(&mut self, stack: NodeId, step: StepId) -> NodeId {
        let shape: Vec<Dim> = self.shape(stack)[1..].to_vec();
        let rank = shape.len();
        let mut l = LoopBuilder::new(self, shape);
        let mut subs = vec![Sub::Affine(Affine::step(step))];
        subs.extend((0..rank).map(|axis| l.index(axis)));
        let value = l.read(stack, subs);
        let node = l.map(value);
        self.add_loop(node)
    }

    /// The counter of a scan as an int scalar.
    pub fn step_value(&mut self, step: StepId) -> NodeId {
        let mut l = LoopBuilder::new(self, Vec::new());
        let value = l.affine(Affine::step(step));
        let node = l.map(value);
        self.add_loop(node)
    }

    /// The sum of two tensors of one shape.
    pub fn sum_of(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.map(&[a, b], |l, reads| l.binary(BinaryOp::Add, reads[0], reads[1]))
    }
}
