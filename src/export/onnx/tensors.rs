//! Constants: views of them, and what a node makes of constants.

use std::sync::Arc;

use crate::ir::interpret::{Data, Feed, Tensor, evaluate};
use crate::ir::{Dim, Elem, Graph, InputKey, Op, OutputKey, Type};
use crate::runtime::array::{Array, Elements};

/// What a node makes of constants may have so many elements, or twice as many as these.
const MOST: usize = 1 << 16;

/// An array of the runtime as a constant.
pub fn tensor_of(array: &Array) -> Tensor<f64> {
    let shape = array.shape().to_vec();
    match array.elements() {
        Elements::F32(values) => Tensor::floats(shape, values.iter().map(|value| f64::from(*value)).collect()),
        Elements::F64(values) => Tensor::floats(shape, values.clone()),
        Elements::I32(values) => Tensor::ints(shape, values.iter().map(|value| i64::from(*value)).collect()),
        Elements::I64(values) => Tensor::ints(shape, values.clone()),
        Elements::U8(values) => Tensor::ints(shape, values.iter().map(|value| i64::from(*value)).collect()),
        Elements::Bool(values) => Tensor::bools(shape, values.clone()),
    }
}

/// The array with the elements that a graph declares: what was kept as numbers may be floats there.
pub fn as_elem(tensor: Tensor<f64>, elem: Elem) -> Tensor<f64> {
    let data = match (tensor.data, elem) {
        (Data::Int(values), Elem::Float) => Data::Float(values.iter().map(|value| *value as f64).collect()),
        (Data::Int(values), Elem::Bool) => Data::Bool(values.iter().map(|value| *value != 0).collect()),
        (data, _) => data,
    };
    Tensor { shape: tensor.shape, data }
}

/// The axes in another order.
pub fn permuted(tensor: &Tensor<f64>, order: &[usize]) -> Tensor<f64> {
    let shape: Vec<usize> = order.iter().map(|axis| tensor.shape[*axis]).collect();
    let mut strides = vec![1; tensor.shape.len()];
    for axis in (1..tensor.shape.len()).rev() {
        strides[axis - 1] = strides[axis] * tensor.shape[axis];
    }
    let strides: Vec<usize> = order.iter().map(|axis| strides[*axis]).collect();
    let count = shape.iter().product();
    let mut places = Vec::with_capacity(count);
    let mut at = vec![0; shape.len()];
    let mut place = 0;
    for _ in 0..count {
        places.push(place);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            place += strides[axis];
            if at[axis] < shape[axis] {
                break;
            }
            place -= at[axis] * strides[axis];
            at[axis] = 0;
        }
    }
    let data = match &tensor.data {
        Data::Float(values) => Data::Float(places.iter().map(|place| values[*place]).collect()),
        Data::Int(values) => Data::Int(places.iter().map(|place| values[*place]).collect()),
        Data::Bool(values) => Data::Bool(places.iter().map(|place| values[*place]).collect()),
    };
    Tensor { shape, data }
}

/// What an operation makes of constants, if it depends on nothing else and is not large.
pub fn folded(op: &Op, operands: &[Arc<Tensor<f64>>]) -> Option<Tensor<f64>> {
    match op {
        Op::Loop(body) if !body.body.uses_any_step() => {
            let is_step = |sub: &crate::ir::Sub| match sub {
                crate::ir::Sub::Affine(affine) => {
                    affine.terms.iter().any(|(var, _)| matches!(var, crate::ir::Var::Step(_)))
                }
                crate::ir::Sub::Value(_) => false,
            };
            if body.write.iter().any(is_step) {
                return None;
            }
            let points = Dim::product(&body.domain).as_number()?;
            let read: usize = operands.iter().map(|operand| operand.data.len()).sum();
            let count = Dim::product(&body.shape).as_number()?;
            let most = MOST.max(2 * read) as i64;
            if count > most || points > 64 * most {
                return None;
            }
        }
        Op::Reshape { .. } | Op::Mark(_) => {}
        _ => return None,
    }
    let mut graph = Graph::new();
    let mut feed = Feed::default();
    let mut nodes = Vec::with_capacity(operands.len());
    for (at, operand) in operands.iter().enumerate() {
        let name = InputKey::field(at.to_string());
        let shape = operand.shape.iter().map(|size| Dim::from(*size)).collect();
        nodes.push(graph.add(Op::Input { name: name.clone(), ty: Type::new(operand.data.elem(), shape) }, Vec::new()));
        feed.inputs.insert(name, operand.as_ref().clone());
    }
    let made = graph.add(op.clone(), nodes);
    graph.output(OutputKey::named("value"), made);
    let values = evaluate(&graph, &feed).ok()?;
    values.into_values().next().map(|value| value.as_ref().clone())
}

/// Two constants combined element by element, each spread over the axes of the other.
pub fn elementwise(op: &str, a: &Tensor<f64>, b: &Tensor<f64>) -> Option<Tensor<f64>> {
    let rank = a.shape.len().max(b.shape.len());
    let padded = |tensor: &Tensor<f64>| {
        let mut shape = vec![1; rank - tensor.shape.len()];
        shape.extend(&tensor.shape);
        shape
    };
    let (left, right) = (padded(a), padded(b));
    let mut shape = Vec::with_capacity(rank);
    for (left, right) in left.iter().zip(&right) {
        shape.push(match (*left, *right) {
            (one, other) if one == other => one,
            (1, other) => other,
            (one, 1) => one,
            _ => return None,
        });
    }
    let count: usize = shape.iter().product();
    if count > MOST.max(a.data.len()).max(b.data.len()) {
        return None;
    }
    let places = |of: &[usize]| {
        let place = |at: usize| {
            let (mut rest, mut stride, mut place) = (at, 1, 0);
            for (axis, size) in shape.iter().enumerate().rev() {
                let index = rest % size;
                rest /= size;
                place += if of[axis] == 1 { 0 } else { index * stride };
                stride *= of[axis];
            }
            place
        };
        (0..count).map(place).collect::<Vec<usize>>()
    };
    let pairs = places(&left).into_iter().zip(places(&right));
    let data = match (&a.data, &b.data) {
        (Data::Float(a), Data::Float(b)) => {
            let float: fn(f64, f64) -> f64 = match op {
                "Add" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                _ => return None,
            };
            Data::Float(pairs.map(|(left, right)| float(a[left], b[right])).collect())
        }
        (Data::Int(a), Data::Int(b)) if matches!(op, "Less" | "LessOrEqual" | "GreaterOrEqual" | "Equal") => {
            let compare: fn(&i64, &i64) -> bool = match op {
                "Less" => i64::lt,
                "LessOrEqual" => i64::le,
                "GreaterOrEqual" => i64::ge,
                _ => i64::eq,
            };
            Data::Bool(pairs.map(|(left, right)| compare(&a[left], &b[right])).collect())
        }
        (Data::Bool(a), Data::Bool(b)) => match op {
            "And" => Data::Bool(pairs.map(|(left, right)| a[left] && b[right]).collect()),
            "Or" => Data::Bool(pairs.map(|(left, right)| a[left] || b[right]).collect()),
            _ => return None,
        },
        (Data::Int(a), Data::Int(b)) => {
            let int: fn(i64, i64) -> Option<i64> = match op {
                "Add" => i64::checked_add,
                "Sub" => i64::checked_sub,
                "Mul" => i64::checked_mul,
                _ => return None,
            };
            Data::Int(pairs.map(|(left, right)| int(a[left], b[right])).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(Tensor { shape, data })
}
