//! Formulas of the nodes of a cut graph: the parts that both notations share.
//!
//! A node is written as a formula of whole tensors if it has one ([`super::whole`]), and in index notation
//! otherwise ([`super::indexed`]), which always works. The formula of a node without a name is written out where
//! the node is used, if it is small or used once; other nodes get a name and an equation.

use std::collections::{HashMap, HashSet};

use super::names::{Moment, Symbol};
use super::term::{Reduction, Relation, Term};
use crate::ir::program::BATCH;
use crate::ir::{BinaryOp, Body, Combine, Dim, Graph, Loop, NodeId, Op, ScalarId, UnaryOp};

/// Writes the nodes of one graph.
pub struct Writer<'g> {
    pub graph: &'g Graph,
    /// The symbols of nodes.
    pub named: HashMap<NodeId, Symbol>,
    /// Tensors whose first axis is the steps of a recurrence.
    pub stacks: HashSet<NodeId>,
    /// The nodes of a recurrence's body that differ from step to step.
    pub varying: HashSet<NodeId>,
    uses: Vec<u32>,
    /// Nodes that got a name here, in order; their equations are still to be written.
    pub pending: Vec<NodeId>,
    /// The number of names that were given out.
    pub counter: usize,
    /// Whether an element outside of a tensor was read, which counts as 0.
    pub padded: bool,
    /// Whether a tensor is written in part only.
    pub partial: bool,
    /// The name of the step, if the body of a scan is written.
    pub step: Option<String>,
}

/// The left side of an equation and the right one.
#[derive(Clone, PartialEq, Debug)]
pub struct Formula {
    pub left: Term,
    /// Whether elements are added up: `+=`.
    pub adds: bool,
    pub right: Term,
}

impl<'g> Writer<'g> {
    pub fn new(graph: &'g Graph, named: HashMap<NodeId, Symbol>) -> Writer<'g> {
        let mut uses = vec![0; graph.len()];
        for (_, node) in graph.nodes() {
            node.operands.iter().for_each(|operand| uses[operand.0 as usize] += 1);
        }
        Writer {
            graph,
            named,
            stacks: HashSet::new(),
            varying: HashSet::new(),
            uses,
            pending: Vec::new(),
            counter: 0,
            padded: false,
            partial: false,
            step: None,
        }
    }

    /// The equation of a node under its name.
    pub fn formula(&mut self, node: NodeId, symbol: &Symbol) -> Formula {
        let (pending, counter) = self.mark();
        if let Some(right) = self.whole_definition(node) {
            return Formula { left: Term::Symbol(symbol.clone()), adds: false, right };
        }
        self.forget(pending, counter);
        self.indexed_definition(node, symbol)
    }

    /// The names given so far, for [`Writer::forget`].
    pub fn mark(&self) -> (usize, usize) {
        (self.pending.len(), self.counter)
    }

    /// Takes back the names that an attempt has given out.
    pub fn forget(&mut self, pending: usize, counter: usize) {
        for given in self.pending.drain(pending..) {
            self.named.remove(&given);
        }
        self.counter = counter;
    }

    /// The name of a node that has none yet; its line is pending from now on.
    pub fn auxiliary(&mut self, node: NodeId) -> Symbol {
        if let Some(symbol) = self.named.get(&node) {
            return symbol.clone();
        }
        self.counter += 1;
        let name = match &self.graph[node].op {
            Op::Rand { .. } => "ξ",
            Op::Const(_) => "C",
            _ => "q",
        };
        let at = self.varying.contains(&node).then_some(Moment::Step(0));
        let symbol = Symbol { layer: Some(self.counter.to_string().into()), at, ..Symbol::new(name) };
        self.named.insert(node, symbol.clone());
        self.pending.push(node);
        symbol
    }

    pub fn is_used_once(&self, node: NodeId) -> bool {
        self.uses[node.0 as usize] <= 1
    }

    /// Whether a node without a name is written out where it is used.
    pub fn is_written_out(&self, node: NodeId) -> bool {
        match &self.graph[node].op {
            Op::Loop(body) => body.body.nodes.len() <= 6 || self.uses[node.0 as usize] <= 1,
            Op::Reshape { .. } | Op::Mark(_) => true,
            _ => false,
        }
    }
}

/// The formula of a scalar operation on formulas.
pub fn unary(op: UnaryOp, a: Term) -> Term {
    match op {
        UnaryOp::Neg => a.negated(),
        UnaryOp::ToFloat | UnaryOp::Stop => a,
        UnaryOp::ToInt => Term::call("int", a),
        UnaryOp::Not => Term::call("not", a),
        UnaryOp::Sqrt => Term::call("√", a),
        // Functions are called by their names.
        op => Term::call(op.name(), a),
    }
}

pub fn binary(op: BinaryOp, a: Term, b: Term) -> Term {
    let relation = |sign, a, b| Term::Relation(sign, Box::new(a), Box::new(b));
    match op {
        BinaryOp::Add => a.plus(b),
        BinaryOp::Sub => a.minus(b),
        BinaryOp::Mul => a.times(b),
        BinaryOp::Div => a.over(b),
        BinaryOp::Pow => Term::Power(Box::new(a), Box::new(b)),
        BinaryOp::FloorDiv => Term::call("floor", Term::Ratio(Box::new(a), Box::new(b))),
        BinaryOp::Mod => Term::Call("mod".to_owned(), vec![a, b]),
        // 0 < z is read z > 0.
        BinaryOp::Lt => relation(Relation::Less, a, b),
        BinaryOp::Le => relation(Relation::LessOrEqual, a, b),
        BinaryOp::Eq => relation(Relation::Equal, a, b),
        BinaryOp::And => relation(Relation::And, a, b),
        BinaryOp::Or => relation(Relation::Or, a, b),
    }
}

pub fn reduction(combine: Combine) -> Option<Reduction> {
    match combine {
        Combine::Set => None,
        Combine::Add => Some(Reduction::Sum),
        Combine::Mul => Some(Reduction::Product),
        Combine::Max => Some(Reduction::Max),
        Combine::Min => Some(Reduction::Min),
        Combine::ArgMax => Some(Reduction::ArgMax),
        Combine::ArgMin => Some(Reduction::ArgMin),
    }
}

/// A size as a formula: the number of rows of a batch is B.
pub fn size(dim: &Dim) -> Term {
    match dim.as_number() {
        Some(number) => Term::Number(number as f64),
        None => {
            let text = size_text(dim);
            // 20 B is a product, whose number takes part in fractions.
            match text.split_once(' ').and_then(|(first, rest)| Some((first.parse::<u32>().ok()?, rest))) {
                Some((number, rest)) if !rest.contains(['+', '-']) => Term::Product {
                    scalars: vec![Term::Number(number.into()), Term::Plain(rest.to_owned())],
                    tensors: Vec::new(),
                },
                _ => Term::Plain(text),
            }
        }
    }
}

pub fn size_text(dim: &Dim) -> String {
    dim.to_string().replace(BATCH, "B").replace('*', " ")
}

/// The factors of a product, nested products taken apart.
pub fn factors(body: &Body, id: ScalarId, into: &mut Vec<ScalarId>) {
    match &body[id] {
        crate::ir::Scalar::Binary(BinaryOp::Mul, a, b) => {
            factors(body, *a, into);
            factors(body, *b, into);
        }
        _ => into.push(id),
    }
}

/// Letters for the indices of a loop: `n` counts the examples.
pub struct Letters {
    taken: Vec<String>,
}

impl Letters {
    pub fn new(taken: &[String]) -> Letters {
        Letters { taken: taken.to_vec() }
    }

    pub fn next(&mut self, dim: &Dim) -> String {
        const LETTERS: [&str; 14] = ["i", "j", "k", "l", "m", "u", "v", "w", "r", "s", "α", "β", "γ", "λ"];
        let is_batch = dim.as_symbol().is_some_and(|symbol| &**symbol == BATCH);
        let first = is_batch.then_some("n").into_iter().chain(LETTERS);
        let free = first.map(str::to_owned).chain((1..).map(|number| format!("i{number}")));
        let letter = free.into_iter().find(|letter| !self.taken.contains(letter)).unwrap_or_default();
        self.taken.push(letter.clone());
        letter
    }
}

/// The indices of a loop that its result does not have.
pub fn reduced(body: &Loop) -> Vec<usize> {
    let written = |index: usize| {
        body.write.iter().any(|sub| match sub {
            crate::ir::Sub::Affine(affine) => affine.uses(crate::ir::Var::Index(index as u32)),
            crate::ir::Sub::Value(_) => false,
        })
    };
    (0..body.domain.len()).filter(|index| !written(*index)).collect()
}
