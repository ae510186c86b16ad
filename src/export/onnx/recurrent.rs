//! Scans that are an `LSTM`, a `GRU` or an `RNN` of ONNX, told from the nodes of their step.
//!
//! What a gate is a function of is a sum of products with the input of the step, products with the state, and
//! numbers, in whatever order and however they are cut out of larger matrices: a [`Gate`].

use std::sync::Arc;

use super::cx::{Cx, Made};
use super::graph::{Attribute, Attributes, Node, Ty, Value};
use super::writer::Writer;
use crate::ir::Scan;
use crate::ir::interpret::{Data, Tensor};

/// A scan whose step is one of these cells.
pub struct Cell {
    op: &'static str,
    attributes: Attributes,
    /// The sequence, and its axis of steps.
    input: (Value, usize),
    /// In the order of the operator.
    gates: Vec<Gate>,
}

/// The step of a scan as it was written.
pub struct Step<'a> {
    pub carries: &'a [Value],
    pub number: &'a Value,
    pub outputs: &'a [Value],
}

/// `x W + h R + a + b`, a number for each unit.
#[derive(Clone, Default)]
struct Gate {
    /// Products with the input: `[in, units]`.
    input: Option<Matrix>,
    /// Products with the state: `[units, units]`.
    state: Option<Matrix>,
    /// What is added, and what is added to the products with the state.
    bias: Vec<f64>,
    state_bias: Vec<f64>,
}

#[derive(Clone)]
struct Matrix {
    rows: usize,
    values: Vec<f64>,
}

/// What gates are told from.
struct Search<'a> {
    writer: &'a Writer,
    state: &'a Value,
    number: &'a Value,
    units: usize,
    input: Option<(Value, usize)>,
}

/// The cell that a scan is, if the stacks that it collects are its states.
pub fn cell(cx: &Cx, scan: &Scan, step: &Step<'_>) -> Option<Cell> {
    let (state, next) = (step.carries.first()?, step.outputs.first()?);
    let writer = &cx.writer;
    if state.ty != Ty::F32 || state.rank != 2 || step.outputs[step.carries.len()..].iter().any(|stack| stack != next) {
        return None;
    }
    let units = usize::try_from(scan.body.shape(scan.body.outputs.first()?.node).get(1)?.as_number()?).ok()?;
    let mut search = Search { writer, state, number: step.number, units, input: None };
    let (op, gates) = match step.carries {
        [_] => match search.gru(next) {
            Some(gates) => ("GRU", gates),
            None => ("RNN", search.rnn(next)?),
        },
        [_, memory] => ("LSTM", search.lstm(next, memory, step.outputs.get(1)?)?),
        _ => return None,
    };
    let input = search.input.take()?;
    if cx.shapes.get(&input.0.name)?.get(input.1)? != &scan.trip {
        return None;
    }
    let mut attributes = vec![("hidden_size", Attribute::Int(units as i64))];
    if scan.reverse {
        attributes.push(("direction", Attribute::Text("reverse")));
    }
    if op == "GRU" {
        attributes.push(("linear_before_reset", Attribute::Int(1)));
    }
    Some(Cell { op, attributes, input, gates })
}

/// The results of the scan: the last carries, then the stacks.
pub fn results(cx: &mut Cx, cell: Cell, starts: &[Value], stacks: usize) -> Made<Vec<Value>> {
    let Cell { op, attributes, input: (input, axis), gates } = cell;
    let writer = &mut cx.writer;
    let input = if axis == 1 { writer.transpose(&input, &[1, 0, 2]) } else { input };
    let place = if writer.place.is_empty() { "recurrence".to_owned() } else { writer.place.clone() };
    let mut constant = |name: &str, shape: Vec<usize>, values: Vec<f64>| {
        writer.constant(&format!("{place}.{name}"), Arc::new(Tensor::floats(shape, values)))
    };
    let units = gates.first().map_or(0, |gate| gate.bias.len());
    let matrices = |of: &dyn Fn(&Gate) -> Option<&Matrix>| {
        let all: Vec<f64> = gates.iter().filter_map(of).flat_map(|matrix| transposed(matrix, units)).collect();
        (vec![1, gates.len() * units, all.len() / (gates.len() * units).max(1)], all)
    };
    let (shape, values) = matrices(&|gate| gate.input.as_ref());
    let weight = constant("W", shape, values);
    let (shape, values) = matrices(&|gate| gate.state.as_ref());
    let recurrence = constant("R", shape, values);
    let biases = gates.iter().flat_map(|gate| gate.bias.clone());
    let biases: Vec<f64> = biases.chain(gates.iter().flat_map(|gate| gate.state_bias.clone())).collect();
    let bias = constant("B", vec![1, biases.len()], biases);
    let mut inputs = vec![Some(input), Some(weight), Some(recurrence), Some(bias)];
    if !starts.iter().all(|start| is_zero(writer, start)) {
        inputs.push(None);
        inputs.extend(starts.iter().map(|start| Some(writer.unsqueeze(start, &[0]))));
    }
    let outputs: Vec<(Ty, usize)> = [(Ty::F32, 4)].into_iter().chain(starts.iter().map(|_| (Ty::F32, 3))).collect();
    let made = writer.node_of(op, inputs, attributes, &outputs);
    let (Some(stack), last) = (made.first(), made.get(1..).unwrap_or_default()) else {
        return Err("a recurrence without results".to_owned());
    };
    let mut results: Vec<Value> = last.iter().map(|state| writer.squeeze(state, &[0])).collect();
    let stack = writer.squeeze(stack, &[1]);
    results.extend((0..stacks).map(|_| stack.clone()));
    Ok(results)
}

fn is_zero(writer: &Writer, start: &Value) -> bool {
    let filled = writer.made_by(start, "Expand").and_then(|node| node.input(0)).unwrap_or(start);
    writer.known(filled).is_some_and(|tensor| match &tensor.data {
        Data::Float(values) => values.iter().all(|value| *value == 0.0),
        _ => false,
    })
}

/// `[units, rows]` out of `[rows, units]`.
fn transposed(matrix: &Matrix, units: usize) -> Vec<f64> {
    let element = |at: usize| matrix.values[at % matrix.rows * units + at / matrix.rows];
    (0..matrix.rows * units).map(element).collect()
}

impl Search<'_> {
    /// `o tanh(c')` and `c' = f c + i tanh(g)`: the gates i, o, f, g.
    fn lstm(&mut self, next: &Value, memory: &Value, next_memory: &Value) -> Option<Vec<Gate>> {
        let writer = self.writer;
        let (o, inner) = pair(writer, writer.made_by(next, "Mul")?, "Sigmoid", "Tanh")?;
        let sum = writer.made_by(next_memory, "Add")?;
        let products = [writer.made_by(sum.input(0)?, "Mul")?, writer.made_by(sum.input(1)?, "Mul")?];
        let kept = products.iter().position(|node| node.inputs.iter().flatten().any(|value| value == memory))?;
        let forget = products[kept].inputs.iter().flatten().find(|value| *value != memory)?;
        let f = writer.made_by(forget, "Sigmoid")?.input(0)?.clone();
        let (i, g) = pair(writer, products[1 - kept], "Sigmoid", "Tanh")?;
        if &inner != next_memory {
            return None;
        }
        [i, o, f, g].iter().map(|gate| self.gate(gate).filter(|gate| gate.state.is_some())).collect()
    }

    /// `(1 - z) n + z h` and `n = tanh(a + r u)`, where `a` is of the input and `u` of the state: the gates z, r, n.
    fn gru(&mut self, next: &Value) -> Option<Vec<Gate>> {
        let writer = self.writer;
        let sum = writer.made_by(next, "Add")?;
        let products = [writer.made_by(sum.input(0)?, "Mul")?, writer.made_by(sum.input(1)?, "Mul")?];
        let has = |node: &Node, value: &Value| node.inputs.iter().flatten().any(|other| other == value);
        let kept = products.iter().position(|node| has(node, self.state))?;
        let z = products[kept].inputs.iter().flatten().find(|value| *value != self.state)?;
        let fresh = products[1 - kept];
        let [first, second] = [fresh.input(0)?, fresh.input(1)?];
        let (rest, n) = if writer.made_by(first, "Sub").is_some() { (first, second) } else { (second, first) };
        let rest = writer.made_by(rest, "Sub")?;
        if writer.number(rest.input(0)?) != Some(1.0) || rest.input(1)? != z {
            return None;
        }
        let inner = writer.made_by(writer.made_by(n, "Tanh")?.input(0)?, "Add")?;
        let [first, second] = [inner.input(0)?, inner.input(1)?];
        let (a, product) = if writer.made_by(second, "Mul").is_some() { (first, second) } else { (second, first) };
        let product = writer.made_by(product, "Mul")?;
        let [first, second] = [product.input(0)?, product.input(1)?];
        let (r, u) = if writer.made_by(first, "Sigmoid").is_some() { (first, second) } else { (second, first) };
        let [z, r] = [z, r].map(|gate| writer.made_by(gate, "Sigmoid").and_then(|node| node.input(0)).cloned());
        let (z, r) = (self.gate(&z?)?, self.gate(&r?)?);
        let (of_input, of_state) = (self.gate(a)?, self.gate(u)?);
        if of_input.state.is_some() || of_state.input.is_some() {
            return None;
        }
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let n = Gate {
            input: of_input.input,
            state: of_state.state,
            bias: of_input.bias,
            state_bias: add(&of_state.bias, &of_state.state_bias),
        };
        let gates = vec![z, r, n];
        gates.iter().all(|gate| gate.input.is_some() && gate.state.is_some()).then_some(gates)
    }

    /// `tanh` of the only gate.
    fn rnn(&mut self, next: &Value) -> Option<Vec<Gate>> {
        let gate = self.gate(&self.writer.made_by(next, "Tanh")?.input(0)?.clone())?;
        (gate.state.is_some() && gate.input.is_some()).then(|| vec![gate])
    }

    fn gate(&mut self, value: &Value) -> Option<Gate> {
        let mut gate = Gate { bias: vec![0.0; self.units], state_bias: vec![0.0; self.units], ..Gate::default() };
        self.collect(value, (0, self.units), &mut gate)?;
        Some(gate)
    }

    /// Adds some columns of a sum to a gate.
    fn collect(&mut self, value: &Value, (from, to): (usize, usize), gate: &mut Gate) -> Option<()> {
        let writer = self.writer;
        if writer.known(value).is_some() {
            return add_row(writer, value, (from, to), &mut gate.bias);
        }
        let node = writer.producer(value)?;
        match node.op {
            "Add" => {
                self.collect(node.input(0)?, (from, to), gate)?;
                self.collect(node.input(1)?, (from, to), gate)
            }
            "Slice" => {
                let ints = |at: usize| node.input(at).and_then(|value| writer.known_ints(value));
                let (starts, ends, axes, steps) = (ints(1)?, ints(2)?, ints(3)?, ints(4)?);
                let start = usize::try_from(*starts.first()?).ok()?;
                let is_part = axes == [1] && steps == [1] && *ends.first()? as usize >= start + to;
                if is_part { self.collect(node.input(0)?, (start + from, start + to), gate) } else { None }
            }
            "MatMul" | "Gemm" => {
                let (left, matrix) = (node.input(0)?, columns(writer, node.input(1)?, (from, to))?);
                let is_state = left == self.state;
                if let Some(bias) = node.input(2) {
                    let into = if is_state { &mut gate.state_bias } else { &mut gate.bias };
                    add_row(writer, bias, (from, to), into)?;
                }
                if is_state {
                    return gate.state.replace(matrix).is_none().then_some(());
                }
                let element = writer.made_by(left, "Gather")?;
                let found = (element.input(0)?.clone(), usize::try_from(element.int("axis")?).ok()?);
                let is_step = element.input(1)? == self.number && found.0.rank == 3 && found.1 < 2;
                let is_same = self.input.as_ref().is_none_or(|known| *known == found);
                self.input = Some(found);
                (is_step && is_same && gate.input.replace(matrix).is_none()).then_some(())
            }
            _ => None,
        }
    }
}

/// The operands of two functions whose values a node multiplies.
fn pair(writer: &Writer, product: &Node, first: &str, second: &str) -> Option<(Value, Value)> {
    let (a, b) = (product.input(0)?, product.input(1)?);
    let (a, b) = if writer.made_by(a, first).is_some() { (a, b) } else { (b, a) };
    Some((writer.made_by(a, first)?.input(0)?.clone(), writer.made_by(b, second)?.input(0)?.clone()))
}

/// Some columns of a constant matrix.
fn columns(writer: &Writer, value: &Value, (from, to): (usize, usize)) -> Option<Matrix> {
    let tensor = writer.known(value)?;
    let (Data::Float(values), [rows, width]) = (&tensor.data, tensor.shape.as_slice()) else { return None };
    if to > *width {
        return None;
    }
    let values = (0..*rows).flat_map(|row| values[row * width + from..row * width + to].iter().copied()).collect();
    Some(Matrix { rows: *rows, values })
}

/// Adds some elements of a constant, or its only one, to numbers.
fn add_row(writer: &Writer, value: &Value, (from, to): (usize, usize), into: &mut [f64]) -> Option<()> {
    let tensor = writer.known(value)?;
    let Data::Float(values) = &tensor.data else { return None };
    let is_row = tensor.shape.iter().rev().skip(1).all(|size| *size == 1);
    if !is_row || values.len() > 1 && to > values.len() {
        return None;
    }
    for (at, into) in into.iter_mut().enumerate() {
        *into += if let [one] = values.as_slice() { *one } else { values[from + at] };
    }
    Some(())
}
