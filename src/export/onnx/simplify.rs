//! Nodes that need not be written: what an operator of ONNX computes at once is that operator.
//!
//! | a node of | is |
//! |---|---|
//! | constants | a constant |
//! | a view of a view | a view |
//! | `x <= 0 ? 0 : x`, `1 / (1 + exp(-x))`, `exp(x - max) / sum` … | `Relu`, `Sigmoid`, `Softmax` … |
//! | what [`affine`](super::affine) and [`normalise`](super::normalise) say | `Conv`, `Gemm`, `LayerNormalization` |

use super::graph::{Attribute, Node, Value};
use super::tensors::elementwise;
use super::writer::Writer;
use super::{affine, normalise};
use crate::ir::interpret::Tensor;
use std::sync::Arc;

/// A value that is equal to that of a node with these inputs, if there is a simpler one.
pub fn simplified(writer: &mut Writer, op: &str, inputs: &[&Value]) -> Option<Value> {
    match (op, inputs) {
        ("Unsqueeze", [a, axes]) => unsqueezed(writer, a, axes),
        ("Squeeze", [a, axes]) => squeezed(writer, a, axes),
        ("Where", [condition, then, otherwise]) => chosen(writer, condition, then, otherwise),
        ("Add" | "Sub" | "Mul" | "Div", [a, b]) => computed(writer, op, a, b),
        ("Less" | "LessOrEqual" | "GreaterOrEqual" | "Equal" | "And" | "Or", [a, b]) => {
            let (left, right) = (writer.known(a)?.clone(), writer.known(b)?.clone());
            let made = elementwise(op, &left, &right)?;
            Some(writer.constant("truths", Arc::new(made)))
        }
        _ => None,
    }
}

// ------------------------------------------------------------------------------------------------------- views

/// A constant with other axes, a view of a view, a reduction that keeps its axes.
fn unsqueezed(writer: &mut Writer, a: &Value, axes: &Value) -> Option<Value> {
    let wanted = writer.known_ints(axes)?;
    if let Some(tensor) = writer.known(a).cloned() {
        let mut shape = tensor.shape.clone();
        for axis in &wanted {
            shape.insert(usize::try_from(*axis).ok().filter(|axis| *axis <= shape.len())?, 1);
        }
        let viewed = Tensor { shape, data: tensor.data.clone() };
        return Some(writer.constant(&a.name, Arc::new(viewed)));
    }
    let node = writer.producer(a)?.clone();
    if node.op == "Squeeze" && writer.known_ints(node.input(1)?)? == wanted {
        return node.input(0).cloned();
    }
    moved(writer, a, &node, &wanted, true)
}

/// What is made element by element of a reduction, of the same reduction that keeps its axes, or does not.
fn moved(writer: &mut Writer, a: &Value, node: &Node, wanted: &[i64], keep: bool) -> Option<Value> {
    if !is_of_reduction(writer, a, wanted) {
        return None;
    }
    if node.op.starts_with("Reduce") {
        return reduced_anew(writer, a, node, wanted, keep);
    }
    let axes: Vec<usize> = wanted.iter().map(|axis| *axis as usize).collect();
    let operand = match keep {
        true => writer.unsqueeze(node.input(0)?, &axes),
        false => writer.squeeze(node.input(0)?, &axes),
    };
    match node.input(1) {
        Some(number) => Some(writer.binary(node.op, &operand, number)),
        None => Some(writer.unary(node.op, &operand)),
    }
}

/// Whether a value is made of a reduction over these axes, and numbers.
fn is_of_reduction(writer: &Writer, value: &Value, axes: &[i64]) -> bool {
    let Some(node) = writer.producer(value) else { return false };
    let Some(operand) = node.input(0) else { return false };
    match node.op {
        "Sqrt" | "Exp" | "Log" | "Neg" | "Tanh" | "Sigmoid" => is_of_reduction(writer, operand, axes),
        "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" => {
            let is_number = node.input(1).is_some_and(|other| other.rank == 0);
            is_number && is_of_reduction(writer, operand, axes)
        }
        op => op.starts_with("Reduce") && writer.reduced_axes(node).is_some_and(|of| of == axes),
    }
}

fn squeezed(writer: &mut Writer, a: &Value, axes: &Value) -> Option<Value> {
    let wanted = writer.known_ints(axes)?;
    if let Some(tensor) = writer.known(a).cloned() {
        let is_kept = |axis: &usize| !wanted.contains(&(*axis as i64));
        let shape = (0..tensor.shape.len()).filter(is_kept).map(|axis| tensor.shape[axis]).collect();
        let viewed = Tensor { shape, data: tensor.data.clone() };
        return Some(writer.constant(&a.name, Arc::new(viewed)));
    }
    let node = writer.producer(a)?.clone();
    if node.op == "Unsqueeze" && writer.known_ints(node.input(1)?)? == wanted {
        return node.input(0).cloned();
    }
    moved(writer, a, &node, &wanted, false)
}

/// The same reduction, which keeps its axes as ones of size 1, or does not.
fn reduced_anew(writer: &mut Writer, a: &Value, node: &Node, wanted: &[i64], keep: bool) -> Option<Value> {
    let is_reduction = node.op.starts_with("Reduce") && node.int("keepdims") == Some(i64::from(!keep));
    if !is_reduction || writer.reduced_axes(node)? != wanted {
        return None;
    }
    let axes: Vec<usize> = wanted.iter().map(|axis| *axis as usize).collect();
    let made = writer.reduce(node.op, node.input(0)?, &axes, keep);
    if let Some(count) = writer.count_of(a) {
        writer.note_count(&made, count);
    }
    Some(made)
}

// ------------------------------------------------------------------------------------------------- activations

fn chosen(writer: &mut Writer, condition: &Value, then: &Value, otherwise: &Value) -> Option<Value> {
    let test = writer.producer(condition)?.clone();
    let (left, right) = (test.input(0)?, test.input(1)?);
    match test.op {
        // x <= c ? c : x, and c <= x ? c : x
        "LessOrEqual" if right == then && left == otherwise => match writer.number(then) {
            Some(0.0) => Some(writer.unary("Relu", left)),
            Some(_) => Some(writer.binary("Max", left, right)),
            None => None,
        },
        "LessOrEqual" if left == then && right == otherwise && writer.number(then).is_some() => {
            Some(writer.binary("Min", right, left))
        }
        // x <= 0 ? 0 : min(x, c)
        "LessOrEqual" if right == then && writer.number(then) == Some(0.0) => {
            let inner = writer.made_by(otherwise, "Min")?;
            let (x, most) = (inner.input(0)?.clone(), inner.input(1)?.clone());
            let is_clip = x == *left && writer.number(&most)? > 0.0;
            is_clip.then(|| writer.node("Clip", &[&x, then, &most], Vec::new(), x.ty, x.rank))
        }
        // x > 0 ? x : c x
        "Less" if right == then && writer.number(left) == Some(0.0) => {
            let inner = writer.made_by(otherwise, "Mul")?.clone();
            let (a, b) = (inner.input(0)?, inner.input(1)?);
            let slope = if a == then { writer.number(b)? } else { writer.number(a)? };
            let is_scaled = a == then || b == then;
            let attributes = vec![("alpha", Attribute::Float(slope as f32))];
            is_scaled.then(|| writer.node("LeakyRelu", &[then], attributes, then.ty, then.rank))
        }
        // x < 0 ? -x : x == 0 ? 0 : x
        "Less" if writer.number(right) == Some(0.0) && writer.made_by(then, "Neg")?.input(0) == Some(left) => {
            let inner = writer.made_by(otherwise, "Where")?;
            let is_same = otherwise == left || inner.input(2) == Some(left) && inner.input(1) == Some(right);
            let is_zero = writer.made_by(inner.input(0)?, "Equal")?.input(0) == Some(left);
            (is_same && is_zero).then(|| writer.unary("Abs", left))
        }
        _ => None,
    }
}

// -------------------------------------------------------------------------------------------------- arithmetic

fn computed(writer: &mut Writer, op: &str, a: &Value, b: &Value) -> Option<Value> {
    if let (Some(left), Some(right)) = (writer.known(a).cloned(), writer.known(b).cloned()) {
        let made = elementwise(op, &left, &right)?;
        let wanted = if right.data.len() > left.data.len() { &b.name } else { &a.name };
        return Some(writer.constant(wanted, Arc::new(made)));
    }
    let found = match op {
        "Div" => sigmoid(writer, a, b).or_else(|| softmax(writer, a, b)).or_else(|| quotient(writer, a, b)),
        "Sub" => log_softmax(writer, a, b),
        "Mul" => gelu(writer, a, b).or_else(|| gelu(writer, b, a)),
        _ => None,
    };
    found.or_else(|| normalise::simplified(writer, op, a, b)).or_else(|| affine::simplified(writer, op, a, b))
}

/// `1 / (1 + exp(-x))`
fn sigmoid(writer: &mut Writer, a: &Value, b: &Value) -> Option<Value> {
    let sum = writer.made_by(b, "Add")?.clone();
    let one = sum.inputs.iter().flatten().position(|term| writer.number(term) == Some(1.0))?;
    let power = writer.made_by(sum.input(1 - one)?, "Exp")?.clone();
    let x = writer.made_by(power.input(0)?, "Neg")?.input(0)?.clone();
    (writer.number(a) == Some(1.0)).then(|| writer.unary("Sigmoid", &x))
}

/// `c x / c`, and a sum divided by the number of its terms.
fn quotient(writer: &mut Writer, a: &Value, b: &Value) -> Option<Value> {
    let divisor = writer.number(b)?;
    let node = writer.producer(a)?.clone();
    if node.op == "Mul" && writer.number(node.input(1)?) == Some(divisor) && divisor != 0.0 {
        return node.input(0).cloned();
    }
    if node.op != "ReduceSum" || writer.count_of(a)? as f64 != divisor {
        return None;
    }
    let axes: Vec<usize> = writer.reduced_axes(&node)?.iter().map(|axis| *axis as usize).collect();
    let made = writer.reduce("ReduceMean", node.input(0)?, &axes, node.int("keepdims") == Some(1));
    writer.note_count(&made, divisor as i64);
    Some(made)
}

/// The axis of a reduction over one axis, which it keeps.
fn kept_axis(writer: &Writer, node: &Node) -> Option<i64> {
    let axes = writer.reduced_axes(node)?;
    (axes.len() == 1 && node.int("keepdims") == Some(1)).then(|| axes[0])
}

/// x and the axis, if `z` is `x - max(x)`.
fn below_greatest(writer: &Writer, z: &Value) -> Option<(Value, i64)> {
    let difference = writer.made_by(z, "Sub")?;
    let x = difference.input(0)?;
    let greatest = writer.made_by(difference.input(1)?, "ReduceMax")?;
    (greatest.input(0)? == x).then_some((x.clone(), kept_axis(writer, greatest)?))
}

/// `exp(z) / sum(exp(z))` of `z = x - max(x)`
fn softmax(writer: &mut Writer, a: &Value, b: &Value) -> Option<Value> {
    let sum = writer.made_by(b, "ReduceSum")?;
    let axis = kept_axis(writer, sum)?;
    let power = writer.made_by(a, "Exp")?;
    let (x, other) = below_greatest(writer, power.input(0)?)?;
    let is_softmax = sum.input(0)? == a && axis == other;
    is_softmax.then(|| writer.node("Softmax", &[&x], vec![("axis", Attribute::Int(axis))], x.ty, x.rank))
}

/// `z - log(sum(exp(z)))` of `z = x - max(x)`
fn log_softmax(writer: &mut Writer, a: &Value, b: &Value) -> Option<Value> {
    let logarithm = writer.made_by(b, "Log")?;
    let sum = writer.made_by(logarithm.input(0)?, "ReduceSum")?;
    let axis = kept_axis(writer, sum)?;
    let power = writer.made_by(sum.input(0)?, "Exp")?;
    let (x, other) = below_greatest(writer, a)?;
    let is_softmax = power.input(0)? == a && axis == other;
    is_softmax.then(|| writer.node("LogSoftmax", &[&x], vec![("axis", Attribute::Int(axis))], x.ty, x.rank))
}

/// `x ((1 + erf(x / √2)) / 2)` in the order in which runtimes look for it: `(x (1 + erf(x / √2))) / 2`.
fn gelu(writer: &mut Writer, x: &Value, cdf: &Value) -> Option<Value> {
    let half = writer.made_by(cdf, "Mul")?.clone();
    let (sum, factor) = (half.input(0)?, half.input(1)?);
    let error = writer.made_by(sum, "Add")?.input(0)?.clone();
    let scaled = writer.made_by(&error, "Erf")?.input(0)?.clone();
    let is_of_x = writer.made_by(&scaled, "Div")?.input(0)? == x;
    (writer.number(factor) == Some(0.5) && is_of_x).then(|| {
        let product = writer.binary("Mul", x, sum);
        writer.binary("Mul", &product, factor)
    })
}
