//! The verifier: what is true of every graph, whoever made it. It runs after every pass in tests and debug
//! builds, and each [`Problem`] names one rule.
//!
//! Of graphs:
//! - Operands stand before their users; each op has as many as it takes.
//! - The type of a node is what its op gives. Sizes that are numbers are not negative.
//! - Outputs exist, have different names, and are not scans.
//! - Inputs, parameters and states of one name have one type.
//! - A scan is used by `result` only, and `result` by scans only.
//! - A reshape keeps the number of elements.
//! - A constant has as many values as its shape says.
//! - Of random numbers, the axes that count steps are axes; affine expressions vary with scans around them only.
//!
//! Of scans:
//! - There is an initial value for each carry, and an output for each carry of exactly that type.
//! - In the body, carries and captures are the only leaves from outside, with the types of the operands.
//!   Outside of scans there are none.
//! - The counter is not that of a scan around it.
//!
//! Of loops:
//! - Scalars stand after what they use; types fit; reads have a subscript for each axis of the operand, and the
//!   write one for each axis of the result. Computed subscripts are ints.
//! - Affine expressions vary with indices of the domain and with scans around the loop only.
//! - The values can be combined: sums and products are of numbers. `argmax=` and `argmin=` write by affine
//!   subscripts.
//! - Where sizes are numbers: reads that are not padded and writes that are not dropped, by affine subscripts, lie
//!   within the tensor for all points of the domain, whatever selects are around them.
//! - Where it can be decided, `=` writes no element twice.

mod loops;
#[cfg(test)]
mod tests;

use super::affine::{Affine, StepId, Var};
use super::dim::Dim;
use super::graph::{Graph, Node, NodeId, Op, Scan};
use super::text;
use super::types::Type;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A rule that a graph breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The node or output in the text form, preceded by the enclosing scans.
    pub place: String,
    pub problem: Problem,
}

/// Which rule, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// An operand does not stand before its user.
    OperandOrder(NodeId),
    OperandCount {
        expected: usize,
        found: usize,
    },
    WrongType {
        expected: Type,
    },
    NegativeSize(Dim),
    NoSuchNode(NodeId),
    OutputTwice,
    LeafTypes(Type),
    /// A scan where a tensor is needed, or a tensor where a scan is needed.
    ScanAsTensor(NodeId),
    NoSuchResult,
    ReshapeCount {
        from: Dim,
        to: Dim,
    },
    ConstantCount {
        expected: usize,
        found: usize,
    },
    StepAxes {
        axes: u32,
        rank: usize,
    },
    NoSuchVariable(Affine),
    NoOutputForCarry(usize),
    /// The output for a carry differs in type.
    CarryChanges {
        index: usize,
        from: Type,
        to: Type,
    },
    /// A carry or capture that the enclosing scan does not have, or has with another type.
    NoSuchLeaf,
    /// An input, parameter or state in the body of a scan.
    OuterLeafInScan,
    StepTwice(StepId),
    /// A scalar that does not stand before its user, or does not exist.
    ScalarOrder(u32),
    /// The operands of a scalar have types that it does not take.
    ScalarTypes(u32),
    NoSuchOperand(u32),
    /// A read or the write has more or fewer subscripts than there are axes.
    SubscriptCount {
        expected: usize,
        found: usize,
    },
    /// A computed subscript that is not an int.
    SubscriptType,
    /// The values cannot be combined in this way.
    CombineType,
    ReadOutside {
        subscript: Affine,
        size: i64,
    },
    WriteOutside {
        subscript: Affine,
        size: i64,
    },
    WrittenTwice,
}

/// Everything that is wrong with a graph.
pub fn verify(graph: &Graph) -> Result<(), Vec<Fault>> {
    let mut verifier = Verifier::default();
    verifier.graph(graph, None);
    if verifier.faults.is_empty() { Ok(()) } else { Err(verifier.faults) }
}

#[derive(Default)]
struct Verifier {
    faults: Vec<Fault>,
    /// The enclosing scans: their counters and trip counts.
    steps: Vec<(StepId, Dim)>,
    /// The lines of the enclosing scans, for the location of a fault.
    around: String,
}

/// The leaves that a scan gives its body.
struct ScanLeaves<'a> {
    carries: Vec<&'a Type>,
    captures: Vec<&'a Type>,
}

impl Verifier {
    fn fault(&mut self, graph: &Graph, id: NodeId, problem: Problem) {
        let place = format!("{}{}", self.around, text::line(graph, id));
        self.faults.push(Fault { place, problem });
    }

    fn graph(&mut self, graph: &Graph, around: Option<&ScanLeaves<'_>>) {
        let mut leaves: HashMap<(u8, Arc<str>), &Type> = HashMap::new();
        for (id, node) in graph.nodes() {
            let before = self.faults.len();
            for operand in &node.operands {
                if operand >= &id {
                    self.fault(graph, id, Problem::OperandOrder(*operand));
                } else if matches!(graph[*operand].op, Op::Scan(_)) != matches!(node.op, Op::Result(_)) {
                    self.fault(graph, id, Problem::ScanAsTensor(*operand));
                }
            }
            if let Some(expected) = operand_count(&node.op)
                && expected != node.operands.len()
            {
                let found = node.operands.len();
                self.fault(graph, id, Problem::OperandCount { expected, found });
            }
            // The following checks read the operands, which must be sound.
            if self.faults.len() > before {
                continue;
            }
            self.node(graph, id, node, around);
            let leaf = match &node.op {
                Op::Input { name, ty } => Some((0, name.text(), ty)),
                Op::Param { path, ty } => Some((1, path.clone(), ty)),
                Op::State { path, ty } => Some((2, path.clone(), ty)),
                _ => None,
            };
            if let Some((kind, name, ty)) = leaf {
                if around.is_some() {
                    self.fault(graph, id, Problem::OuterLeafInScan);
                }
                let first = *leaves.entry((kind, name)).or_insert(ty);
                if first != ty {
                    self.fault(graph, id, Problem::LeafTypes(first.clone()));
                }
            }
        }
        for (at, output) in graph.outputs.iter().enumerate() {
            let problem = if output.node.0 as usize >= graph.len() {
                Problem::NoSuchNode(output.node)
            } else if matches!(graph[output.node].op, Op::Scan(_)) {
                Problem::ScanAsTensor(output.node)
            } else if around.is_none() && graph.outputs[..at].iter().any(|other| other.name == output.name) {
                Problem::OutputTwice
            } else {
                continue;
            };
            let place = format!("{}out {:?} = {}", self.around, output.name.to_string(), output.node);
            self.faults.push(Fault { place, problem });
        }
    }

    fn node(&mut self, graph: &Graph, id: NodeId, node: &Node, around: Option<&ScanLeaves<'_>>) {
        for size in &node.ty.shape {
            if size.as_number().is_some_and(|size| size < 0) {
                self.fault(graph, id, Problem::NegativeSize(size.clone()));
            }
        }
        match &node.op {
            Op::Input { ty, .. } | Op::Param { ty, .. } | Op::State { ty, .. } => {
                self.expect_type(graph, id, ty.clone());
            }
            Op::Carry { index, ty } | Op::Capture { index, ty } => {
                let leaves = around.map(|around| match node.op {
                    Op::Carry { .. } => &around.carries,
                    _ => &around.captures,
                });
                if leaves.and_then(|leaves| leaves.get(*index as usize)) != Some(&ty) {
                    self.fault(graph, id, Problem::NoSuchLeaf);
                }
                self.expect_type(graph, id, ty.clone());
            }
            Op::Const(value) => {
                let expected = value.shape.iter().product();
                let found = match &value.data {
                    super::ConstData::Float(values) => values.len(),
                    super::ConstData::Int(values) => values.len(),
                    super::ConstData::Bool(values) => values.len(),
                };
                if expected != found {
                    self.fault(graph, id, Problem::ConstantCount { expected, found });
                }
                self.expect_type(graph, id, value.ty());
            }
            Op::Loop(source) => {
                let operands: Vec<&Type> = node.operands.iter().map(|operand| graph.ty(*operand)).collect();
                let mut problems = Vec::new();
                let elem = loops::verify(source, &operands, &self.steps, &mut problems);
                problems.into_iter().for_each(|problem| self.fault(graph, id, problem));
                if let Some(elem) = elem {
                    self.expect_type(graph, id, Type::new(elem, source.shape.clone()));
                }
            }
            Op::Reshape { shape } => {
                let operand = graph.ty(node.operands[0]);
                self.expect_type(graph, id, Type::new(operand.elem, shape.clone()));
                let (from, to) = (operand.count(), node.ty.count());
                if from != to {
                    self.fault(graph, id, Problem::ReshapeCount { from, to });
                }
            }
            Op::Rand { shape, step, step_axes, .. } => {
                self.expect_type(graph, id, Type::new(super::Elem::Float, shape.clone()));
                if *step_axes as usize > shape.len() {
                    let (axes, rank) = (*step_axes, shape.len());
                    self.fault(graph, id, Problem::StepAxes { axes, rank });
                }
                let known = |var: &Var| match var {
                    Var::Index(_) => false,
                    Var::Step(step) => self.steps.iter().any(|(counter, _)| counter == step),
                };
                if !step.terms.iter().all(|(var, _)| known(var)) {
                    self.fault(graph, id, Problem::NoSuchVariable(step.clone()));
                }
            }
            Op::Mark(_) => self.mark(graph, id, node),
            Op::Scan(scan) => self.scan(graph, id, node, scan),
            Op::Result(index) => {
                // The check of operands has made sure that this is a scan.
                let Op::Scan(scan) = &graph[node.operands[0]].op else { return };
                let output = scan.body.outputs.get(*index as usize);
                if output.is_some_and(|output| (output.node.0 as usize) < scan.body.len()) {
                    self.expect_type(graph, id, scan.result_type(*index as usize));
                } else {
                    self.fault(graph, id, Problem::NoSuchResult);
                }
            }
        }
    }

    fn expect_type(&mut self, graph: &Graph, id: NodeId, expected: Type) {
        if graph[id].ty != expected {
            self.fault(graph, id, Problem::WrongType { expected });
        }
    }

    /// One operand, or with a declared derivative also the places of adjoint and result and pairs of an argument and
    /// what it contributes.
    fn mark(&mut self, graph: &Graph, id: NodeId, node: &Node) {
        let of = |at: usize| graph.ty(node.operands[at]);
        let count = node.operands.len();
        if count.is_multiple_of(2) {
            self.fault(graph, id, Problem::OperandCount { expected: count + 1, found: count });
            return;
        }
        self.expect_type(graph, id, of(0).clone());
        let pairs = (2..count.div_ceil(2)).map(|pair| (2 * pair - 1, 2 * pair));
        let kept = (1..count.min(3)).map(|place| (0, place));
        for (first, second) in pairs.chain(kept) {
            if of(first) != of(second) {
                let expected = of(first).clone();
                self.fault(graph, id, Problem::WrongType { expected });
            }
        }
    }

    fn scan(&mut self, graph: &Graph, id: NodeId, node: &Node, scan: &Scan) {
        if node.operands.len() < scan.n_carries {
            let (expected, found) = (scan.n_carries, node.operands.len());
            self.fault(graph, id, Problem::OperandCount { expected, found });
            return;
        }
        if scan.trip.as_number().is_some_and(|trip| trip < 0) {
            self.fault(graph, id, Problem::NegativeSize(scan.trip.clone()));
        }
        if self.steps.iter().any(|(step, _)| *step == scan.step) {
            self.fault(graph, id, Problem::StepTwice(scan.step));
        }
        let types = |operands: &[NodeId]| operands.iter().map(|operand| graph.ty(*operand)).collect();
        let (carries, captures) = node.operands.split_at(scan.n_carries);
        let inner = ScanLeaves { carries: types(carries), captures: types(captures) };
        for (index, from) in inner.carries.iter().copied().enumerate() {
            match scan.body.outputs.get(index) {
                None => self.fault(graph, id, Problem::NoOutputForCarry(index)),
                Some(output) if (output.node.0 as usize) < scan.body.len() => {
                    let to = scan.body.ty(output.node);
                    if to != from {
                        let (from, to) = (from.clone(), to.clone());
                        self.fault(graph, id, Problem::CarryChanges { index, from, to });
                    }
                }
                // A type mismatch inside the body is reported by the body's own verification.
                Some(_) => {}
            }
        }
        let line = format!("{}{} > ", self.around, text::line(graph, id));
        let outside = std::mem::replace(&mut self.around, line);
        self.steps.push((scan.step, scan.trip.clone()));
        self.graph(&scan.body, Some(&inner));
        self.steps.pop();
        self.around = outside;
    }
}

/// How many operands an op has; `None` where that depends.
fn operand_count(op: &Op) -> Option<usize> {
    match op {
        Op::Input { .. } | Op::Param { .. } | Op::State { .. } | Op::Const(_) | Op::Rand { .. } => Some(0),
        Op::Carry { .. } | Op::Capture { .. } => Some(0),
        Op::Reshape { .. } | Op::Result(_) => Some(1),
        Op::Loop(_) | Op::Scan(_) | Op::Mark(_) => None,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    {}", self.place, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::OperandOrder(operand) => write!(f, "{operand} does not stand before it"),
            Problem::OperandCount { expected, found } => {
                write!(f, "{found} operands where there should be {expected}")
            }
            Problem::WrongType { expected } => write!(f, "the type should be {expected}"),
            Problem::NegativeSize(size) => write!(f, "the size {size} is negative"),
            Problem::NoSuchNode(node) => write!(f, "there is no {node}"),
            Problem::OutputTwice => write!(f, "there is another output of that name"),
            Problem::LeafTypes(other) => write!(f, "the same name is {other} elsewhere"),
            Problem::ScanAsTensor(node) => write!(f, "{node} should be a tensor, or it should be a scan"),
            Problem::NoSuchResult => write!(f, "the scan has no such result"),
            Problem::ReshapeCount { from, to } => write!(f, "{from} elements become {to}"),
            Problem::ConstantCount { expected, found } => {
                write!(f, "{found} values where there should be {expected}")
            }
            Problem::StepAxes { axes, rank } => write!(f, "{axes} axes of steps among {rank}"),
            Problem::NoSuchVariable(affine) => write!(f, "a variable of {affine} is not there"),
            Problem::NoOutputForCarry(index) => write!(f, "there is no next value of carry {index}"),
            Problem::CarryChanges { index, from, to } => {
                write!(f, "carry {index} is {from} and becomes {to}")
            }
            Problem::NoSuchLeaf => write!(f, "the scan around it has no such carry or capture of this type"),
            Problem::OuterLeafInScan => write!(f, "it should be captured"),
            Problem::StepTwice(step) => write!(f, "{} counts a scan around it", Var::Step(*step)),
            Problem::ScalarOrder(at) => write!(f, "scalar {at} uses one that is not before it"),
            Problem::ScalarTypes(at) => write!(f, "scalar {at} has operands of types that it does not take"),
            Problem::NoSuchOperand(operand) => write!(f, "operand {operand} is read and not there"),
            Problem::SubscriptCount { expected, found } => {
                write!(f, "{found} subscripts for {expected} axes")
            }
            Problem::SubscriptType => write!(f, "a subscript is not an int"),
            Problem::CombineType => write!(f, "such values cannot be combined so"),
            Problem::ReadOutside { subscript, size } => write!(f, "reads at {subscript} of {size}"),
            Problem::WriteOutside { subscript, size } => write!(f, "writes at {subscript} of {size}"),
            Problem::WrittenTwice => write!(f, "writes an element twice"),
        }
    }
}

impl std::error::Error for Fault {}
