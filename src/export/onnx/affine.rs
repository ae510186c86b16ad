//! Constants that are multiplied with and added to what an operator gives: they become its weights.
//!
//! | written | becomes |
//! |---|---|
//! | `Conv(x, w) · a + b`, a number for each channel | `Conv(x, a w, b)` |
//! | `MatMul(x, w) + b` of matrices | `Gemm(x, w, b)` |
//! | `(x - m) / s · a + b` of anything | `x · (a / s) + (b - m a / s)` |

use super::graph::Value;
use super::tensors::elementwise;
use super::writer::Writer;
use crate::ir::interpret::{Data, Tensor};
use std::sync::Arc;

pub fn simplified(writer: &mut Writer, op: &str, a: &Value, b: &Value) -> Option<Value> {
    match (writer.known(a).is_some(), writer.known(b).is_some()) {
        (false, true) => of_constant(writer, op, a, b),
        (true, false) if matches!(op, "Add" | "Mul") => of_constant(writer, op, b, a),
        _ => None,
    }
}

fn of_constant(writer: &mut Writer, op: &str, x: &Value, constant: &Value) -> Option<Value> {
    convolved(writer, op, x, constant).or_else(|| product(writer, op, x, constant)).or_else(|| chain(writer, op, x, constant))
}

/// The inverse operation's constant: what is subtracted is added with the other sign.
fn turned(op: &str, constant: &Tensor<f64>) -> Option<(&'static str, Tensor<f64>)> {
    let Data::Float(values) = &constant.data else { return None };
    let of = |f: &dyn Fn(f64) -> f64| {
        Tensor::floats(constant.shape.clone(), values.iter().map(|value| f(*value)).collect())
    };
    match op {
        "Add" => Some(("Add", constant.clone())),
        "Sub" => Some(("Add", of(&|value| -value))),
        "Mul" => Some(("Mul", constant.clone())),
        "Div" if values.iter().all(|value| *value != 0.0) => Some(("Mul", of(&|value| 1.0 / value))),
        _ => None,
    }
}

fn convolved(writer: &mut Writer, op: &str, x: &Value, constant: &Value) -> Option<Value> {
    let node = writer.producer(x)?.clone();
    if node.op != "Conv" {
        return None;
    }
    let (data, weight) = (node.input(0)?, node.input(1)?);
    let kernel = writer.known(weight)?.clone();
    let (op, constant) = turned(op, writer.known(constant)?)?;
    let maps = *kernel.shape.first()?;
    let values = by_channel(&constant, maps, x.rank)?;
    let bias = match node.input(2) {
        Some(bias) => writer.known(bias)?.clone(),
        None => Arc::new(Tensor::floats(vec![maps], vec![0.0; maps])),
    };
    let channels = Tensor::floats(vec![maps], values.clone());
    let wanted = format!("{}.bias", stem(&writer.base(&weight.name)));
    let bias = writer.constant(&wanted, Arc::new(elementwise(op, &bias, &channels)?));
    let weight = match op {
        "Mul" => {
            let mut shape = vec![1; kernel.shape.len()];
            shape[0] = maps;
            let scaled = elementwise("Mul", &kernel, &Tensor::floats(shape, values))?;
            writer.constant(&weight.name, Arc::new(scaled))
        }
        _ => weight.clone(),
    };
    Some(writer.node("Conv", &[data, &weight, &bias], node.attributes.clone(), x.ty, x.rank))
}

/// `conv1.weight` without its last part.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The number for each channel, if a constant has one for each: of shape `[C, 1, 1]`, `[1, C, 1, 1]`, or one for all.
fn by_channel(constant: &Tensor<f64>, channels: usize, rank: usize) -> Option<Vec<f64>> {
    let Data::Float(values) = &constant.data else { return None };
    if let [one] = values.as_slice() {
        return (constant.shape.len() <= rank).then(|| vec![*one; channels]);
    }
    let mut shape = vec![1; rank.checked_sub(constant.shape.len())?];
    shape.extend(&constant.shape);
    let is_channel = shape.iter().enumerate().all(|(axis, size)| *size == if axis == 1 { channels } else { 1 });
    is_channel.then(|| values.clone())
}

/// `MatMul(x, w) + b` of two matrices.
fn product(writer: &mut Writer, op: &str, x: &Value, constant: &Value) -> Option<Value> {
    let node = writer.made_by(x, "MatMul")?.clone();
    let (a, b) = (node.input(0)?, node.input(1)?);
    let is_row = writer.known(constant)?.shape.len() <= 1;
    let is_gemm = op == "Add" && a.rank == 2 && b.rank == 2 && is_row && writer.known(b).is_some();
    (is_gemm && x.ty.is_float()).then(|| writer.node("Gemm", &[a, b, constant], Vec::new(), x.ty, 2))
}

/// `x · a + b`, which stays of this form.
fn chain(writer: &mut Writer, op: &str, x: &Value, constant: &Value) -> Option<Value> {
    let node = writer.producer(x)?.clone();
    let (inner, other) = (node.input(0)?, node.input(1)?);
    let before = writer.known(other)?.clone();
    if !matches!(node.op, "Add" | "Sub" | "Mul" | "Div") || !x.ty.is_float() {
        return None;
    }
    // A constant with more axes than x changes the shape of what comes out.
    let after = writer.known(constant)?.clone();
    if after.shape.len() > inner.rank || before.shape.len() > inner.rank {
        return None;
    }
    let (first, before) = turned(node.op, &before)?;
    let (second, after) = turned(op, &after)?;
    match (first, second) {
        ("Mul", "Mul") | ("Add", "Add") => {
            let both = writer.constant(&other.name, Arc::new(elementwise(first, &before, &after)?));
            Some(writer.binary(first, inner, &both))
        }
        // (x + b) a = x a + b a
        ("Add", "Mul") => {
            let shift = writer.constant(&other.name, Arc::new(elementwise("Mul", &before, &after)?));
            let factor = writer.constant(&constant.name, Arc::new(after));
            let product = writer.binary("Mul", inner, &factor);
            Some(writer.binary("Add", &product, &shift))
        }
        _ => None,
    }
}
