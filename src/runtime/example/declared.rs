//! Derivatives that functions declare, compared with finite differences of these functions.
//!
//! Of a function y = f(x, …) and an adjoint c the declared derivative gives what x contributes, g. Along a direction d
//! the sum of c · y changes by Σ g · d, which is compared with differences.

use super::{Rows, STEPS};
use crate::base::{Diagnostic, Span};
use crate::compile::{Function, Use};
use crate::ir::program::{Declared, Line, Train};
use crate::ir::rewrite::copy;
use crate::ir::{Combine, BinaryOp, Graph, InputKey, LoopBuilder, NodeId, Op, OutputKey, Type};
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::Moment;
use crate::runtime::int_ranges::noted;
use crate::runtime::program::Diagnostics;
use crate::runtime::report::training::OtherDerivative;
use crate::runtime::session::{Session, Tensors};
use std::sync::Arc;

/// So many directions are tried of each argument.
const DIRECTIONS: u64 = 2;

/// A derivative that is farther off, relative to itself, is another one.
const OFF: f64 = 1e-3;

/// How a derivative that a function declares agrees with finite differences.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclaredAgreement {
    pub function: Arc<str>,
    pub span: Span,
    /// `|a − d| / max(|a|, |d|)` at the worst direction; none for a call in a scan, which is not compared.
    pub worst: Option<f64>,
    pub is_surrogate: bool,
}

impl DeclaredAgreement {
    /// The warning that a declared derivative is not the true one.
    pub fn warning(&self) -> Option<Diagnostic> {
        let worst = self.worst.filter(|worst| *worst > OFF && !self.is_surrogate)?;
        let (function, at) = (self.function.clone(), self.span);
        Some(OtherDerivative { function, error: worst, at }.into())
    }
}

/// A call of a function as a graph of its own.
struct Call {
    /// Outputs: `sum`, the sum of adjoint times value, and for each argument `slope:0`, …, the declared change along
    /// `direction:0`, …. Inputs: those of the loss, `adjoint`, `argument:0`, … and the directions.
    function: Arc<Function>,
    moment: Moment,
    inputs: Tensors,
    arguments: Vec<Arc<Array>>,
}

impl Session {
    /// Compares the derivatives that functions declare with central differences, wherever a line calls them. For small
    /// differences the program is compiled with 64-bit floats.
    ///
    /// # Errors
    /// As [`Session::values`].
    #[doc(hidden)]
    pub fn compare_declared(
        &mut self,
        train: &Train,
        line: &Line,
        rows: Rows,
    ) -> Result<Vec<DeclaredAgreement>, Diagnostics> {
        let program = self.program.clone();
        let compared = line.declared.iter().map(|declared| {
            let worst = match declared.node {
                Some(node) => Some(self.declared_error(train, line, (declared, node), rows)?),
                None => None,
            };
            let (function, is_surrogate) = (declared.function.clone(), declared.is_surrogate);
            Ok(DeclaredAgreement { function, span: declared.span, worst, is_surrogate })
        });
        compared.collect::<Result<_, Diagnostic>>().map_err(|error| program.failed([error]))
    }

    fn declared_error(
        &mut self,
        train: &Train,
        line: &Line,
        (declared, node): (&Declared, NodeId),
        rows: Rows,
    ) -> Result<f64, Diagnostic> {
        let mut call = self.call(train, line, (declared, node), rows)?;
        let mut worst = 0.0f64;
        for seed in 0..DIRECTIONS {
            for (at, argument) in call.arguments.iter().enumerate() {
                let direction = drawn(argument.shape(), 1 + seed * 100 + at as u64)?;
                call.inputs.insert(named("direction", at), Arc::new(direction));
            }
            let base = self.evaluated(&call, None, declared.span)?;
            for at in 0..call.arguments.len() {
                let slope = base.1[at];
                let mut least = f64::INFINITY;
                for step in STEPS {
                    let above = self.evaluated(&call, Some((at, step)), declared.span)?.0;
                    let below = self.evaluated(&call, Some((at, -step)), declared.span)?.0;
                    let difference = (above - below) / (2.0 * step);
                    let scale = slope.abs().max(difference.abs()).max(1e-6 * base.0.abs().max(1e-3));
                    least = least.min((slope - difference).abs() / scale);
                }
                worst = worst.max(least);
            }
        }
        Ok(worst)
    }

    /// The sum and the declared slopes, with one argument moved along its direction.
    fn evaluated(
        &mut self,
        call: &Call,
        moved: Option<(usize, f64)>,
        span: Span,
    ) -> Result<(f64, Vec<f64>), Diagnostic> {
        let mut inputs = call.inputs.clone();
        if let Some((at, step)) = moved {
            let direction = call.inputs[&named("direction", at)].to_f64();
            let argument = call.arguments[at].to_f64();
            let values = argument.iter().zip(direction.iter()).map(|(value, along)| value + step * along);
            inputs.insert(named("argument", at), Arc::new(array(call.arguments[at].shape(), values.collect())?));
        }
        let found = self.evaluate_function(Arc::clone(&call.function), call.moment, &inputs, span)?;
        let number = |name: OutputKey| found.get(&name).map_or(f64::NAN, |value| value.to_f64()[0]);
        let slopes = (0..call.arguments.len()).map(|at| number(output("slope", at))).collect();
        Ok((number(OutputKey::named("sum")), slopes))
    }

    /// A call with the values that its arguments have for some rows.
    fn call(
        &mut self,
        train: &Train,
        line: &Line,
        (declared, node): (&Declared, NodeId),
        rows: Rows,
    ) -> Result<Call, Diagnostic> {
        let operands = &line.forward[node].operands;
        let (value, adjoint, pairs) = (operands[0], operands[1], operands[3..].chunks_exact(2));
        let pairs: Vec<(NodeId, NodeId)> = pairs.map(|pair| (pair[0], pair[1])).collect();
        let mut before = line.forward.clone();
        before.outputs.clear();
        for (at, (argument, _)) in pairs.iter().enumerate() {
            before.output(output("argument", at), *argument);
        }
        before.output(OutputKey::named("value"), value);
        let example = self.example(train, &before, rows)?;
        let found = self.evaluate_once(&before, &example.sizes, example.moment, &example.inputs, declared.span)?;
        let missing = || Diagnostic::fault("a value of a declared derivative is missing");
        let mut inputs = example.inputs.clone();
        let shape = found.get(&OutputKey::named("value")).ok_or_else(missing)?.shape().to_vec();
        inputs.insert(named("adjoint", 0), Arc::new(drawn(&shape, 7)?));
        let mut arguments = Vec::new();
        for at in 0..pairs.len() {
            let argument = Arc::new(found.get(&output("argument", at)).ok_or_else(missing)?.clone());
            inputs.insert(named("argument", at), Arc::clone(&argument));
            inputs.insert(named("direction", at), Arc::clone(&argument));
            arguments.push(argument);
        }
        let graph = alone(&line.forward, value, adjoint, &pairs);
        let program = self.program.clone();
        let sizes = noted(&graph, &example.sizes, &inputs, true);
        let function = program.build(&graph, &sizes, Use::Often);
        let function = Arc::new(function.map_err(|error| program.build_failed(&error, declared.span))?);
        Ok(Call { function, moment: example.moment, inputs, arguments })
    }
}

/// The graph of [`Call`].
fn alone(forward: &Graph, value: NodeId, adjoint: NodeId, pairs: &[(NodeId, NodeId)]) -> Graph {
    let needed = forward.reachable(std::iter::once(value).chain(pairs.iter().flat_map(|pair| [pair.0, pair.1])));
    let mut graph = Graph::new();
    let places = copy(&mut graph, forward, &needed, |new, id, node, operands| {
        let ty = || forward.ty(id).clone();
        match pairs.iter().position(|(argument, _)| *argument == id) {
            Some(at) => new.add(Op::Input { name: named("argument", at), ty: ty() }, Vec::new()),
            None if id == adjoint => new.add(Op::Input { name: named("adjoint", 0), ty: ty() }, Vec::new()),
            None => new.add(node.op.clone(), operands),
        }
    });
    let place = |node: NodeId| places[node.0 as usize].unwrap_or(node);
    let ty = Type::new(crate::ir::Elem::Float, forward.shape(value).to_vec());
    let adjoint = graph.add(Op::Input { name: named("adjoint", 0), ty }, Vec::new());
    let sum = product(&mut graph, place(value), adjoint);
    graph.output(OutputKey::named("sum"), sum);
    for (at, (argument, contribution)) in pairs.iter().enumerate() {
        let ty = forward.ty(*argument).clone();
        let direction = graph.add(Op::Input { name: named("direction", at), ty }, Vec::new());
        let slope = product(&mut graph, place(*contribution), direction);
        graph.output(output("slope", at), slope);
    }
    graph
}

/// The sum of the products of two tensors of one shape.
fn product(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let domain = graph.shape(a).to_vec();
    let rank = domain.len();
    let mut l = LoopBuilder::new(graph, domain);
    let (of_a, of_b) = (0..rank).map(|axis| (l.index(axis), l.index(axis))).unzip();
    let (a, b) = (l.read(a, of_a), l.read(b, of_b));
    let product = l.binary(BinaryOp::Mul, a, b);
    let sum = l.reduce(Vec::new(), Vec::new(), Combine::Add, product);
    graph.add_loop(sum)
}

fn named(word: &str, at: usize) -> InputKey {
    InputKey::field(format!("{word}:{at}"))
}

fn output(word: &str, at: usize) -> OutputKey {
    OutputKey::named(format!("{word}:{at}"))
}

fn array(shape: &[usize], values: Vec<f64>) -> Result<Array, Diagnostic> {
    Array::new(shape.to_vec(), Elements::F64(values)).map_err(|_| Diagnostic::fault("an argument has changed its shape"))
}

/// Numbers between -1 and 1, the same each time.
fn drawn(shape: &[usize], seed: u64) -> Result<Array, Diagnostic> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    array(shape, (0..shape.iter().product()).map(|_| next()).collect())
}
