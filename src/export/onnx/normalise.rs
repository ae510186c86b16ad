//! `LayerNormalization`: what is normalised over the last axis, and then scaled and shifted.

use super::graph::{Attribute, Value};
use super::writer::Writer;
use crate::ir::interpret::{Data, Tensor};
use std::sync::Arc;

pub fn simplified(writer: &mut Writer, op: &str, a: &Value, b: &Value) -> Option<Value> {
    match op {
        "Div" => normalised(writer, a, b),
        "Mul" => scaled(writer, a, b).or_else(|| scaled(writer, b, a)),
        "Add" => shifted(writer, a, b).or_else(|| shifted(writer, b, a)),
        _ => None,
    }
}

/// `c / sqrt(mean(c²) + eps)` of `c = x - mean(x)`
fn normalised(writer: &mut Writer, c: &Value, deviation: &Value) -> Option<Value> {
    let root = writer.made_by(deviation, "Sqrt")?;
    let sum = writer.made_by(root.input(0)?, "Add")?;
    let epsilon = writer.number(sum.input(1)?)?;
    let variance = writer.made_by(sum.input(0)?, "ReduceMean")?;
    let square = writer.made_by(variance.input(0)?, "Mul")?;
    let is_square = square.input(0)? == c && square.input(1)? == c;
    let centred = writer.made_by(c, "Sub")?;
    let (x, mean) = (centred.input(0)?.clone(), centred.input(1)?);
    let count = writer.count_of(mean)?;
    let mean = writer.made_by(mean, "ReduceMean")?;
    let last = [x.rank as i64 - 1];
    let is_last = |node: &super::graph::Node| node.ints("axes") == Some(&last) && node.int("keepdims") == Some(1);
    if !(is_square && mean.input(0)? == &x && is_last(mean) && is_last(variance)) {
        return None;
    }
    let ones = Tensor::floats(vec![count as usize], vec![1.0; count as usize]);
    let ones = writer.constant("ones", Arc::new(ones));
    let attributes = vec![("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(epsilon as f32))];
    Some(writer.node("LayerNormalization", &[&x, &ones], attributes, x.ty, x.rank))
}

/// A constant with an element for each of the last axis.
fn is_of_last_axis(writer: &Writer, scale: &Value, value: &Value) -> bool {
    let shape = |value| writer.known(value).map(|tensor| tensor.shape.clone());
    shape(value).is_some_and(|of| of.len() == 1) && shape(value) == shape(scale)
}

fn scaled(writer: &mut Writer, a: &Value, weight: &Value) -> Option<Value> {
    let node = writer.made_by(a, "LayerNormalization")?.clone();
    let scale = node.input(1)?;
    let Data::Float(values) = &writer.known(scale)?.data else { return None };
    let is_plain = node.inputs.len() == 2 && values.iter().all(|value| *value == 1.0);
    let is_scale = is_plain && is_of_last_axis(writer, scale, weight);
    let x = node.input(0)?;
    is_scale.then(|| writer.node(node.op, &[x, weight], node.attributes.clone(), a.ty, a.rank))
}

fn shifted(writer: &mut Writer, a: &Value, bias: &Value) -> Option<Value> {
    let node = writer.made_by(a, "LayerNormalization")?.clone();
    let (x, scale) = (node.input(0)?, node.input(1)?);
    let is_shift = node.inputs.len() == 2 && is_of_last_axis(writer, scale, bias);
    is_shift.then(|| writer.node(node.op, &[x, scale, bias], node.attributes.clone(), a.ty, a.rank))
}
