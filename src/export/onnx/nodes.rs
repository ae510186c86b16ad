//! The nodes of a tensor graph, one after the other: what depends on parameters alone is computed here, the rest
//! becomes nodes of the model.

use std::sync::Arc;

use super::cx::{Cx, Made};
use super::graph::Value;
use super::reads::Source;
use super::tensors::folded;
use super::{loops, scans};
use crate::export::nodes::{Refusal, values};
use crate::ir::interpret::Tensor;
use crate::ir::{Graph, Node, Op};

/// The value of a node.
#[derive(Clone)]
pub enum Held {
    /// A constant, and what it is called.
    Known(Arc<Tensor<f64>>, Arc<str>),
    Here(Value),
    /// The results of a scan.
    Several(Arc<Vec<Value>>),
}

/// The values of the nodes that outputs need. `leaf` gives those of inputs, parameters, carries and captures.
pub fn graph(
    cx: &mut Cx,
    graph: &Graph,
    leaf: &mut dyn FnMut(&mut Cx, &Node) -> Option<Made<Held>>,
) -> Result<Vec<Option<Held>>, Refusal<String>> {
    values(graph, &"a value that nothing gives".to_owned(), |_, node, operands| {
        let place = cx.writer.place.clone();
        if let Some(path) = node.origin.path.as_ref().filter(|path| !path.is_empty()) {
            cx.writer.place = path.to_string();
        }
        let made = leaf(cx, node).unwrap_or_else(|| self::node(cx, graph, node, operands));
        cx.writer.place = place;
        let held = made?;
        if let Held::Here(value) = &held {
            cx.shapes.insert(value.name.clone(), node.ty.shape.clone());
        }
        Ok(held)
    })
}

/// The value of a node as a tensor of the model.
pub fn value(cx: &mut Cx, held: &Held, wanted: &str) -> Made<Value> {
    match held {
        Held::Known(tensor, name) => {
            let name = if name.is_empty() { wanted } else { name };
            Ok(cx.writer.constant_of(name, tensor))
        }
        Held::Here(value) => Ok(value.clone()),
        Held::Several(_) => Err("a scan as a tensor".to_owned()),
    }
}

fn node(cx: &mut Cx, graph: &Graph, node: &Node, operands: &[Held]) -> Made<Held> {
    let known: Option<Vec<Arc<Tensor<f64>>>> = operands
        .iter()
        .map(|operand| match operand {
            Held::Known(tensor, _) => Some(tensor.clone()),
            _ => None,
        })
        .collect();
    if let Some(tensor) = known.and_then(|known| folded(&node.op, &known)) {
        return Ok(Held::Known(Arc::new(tensor), folded_name(cx, operands)));
    }
    match &node.op {
        Op::Const(value) => Ok(Held::Known(Arc::new(Tensor::from_const(value)), "".into())),
        Op::Loop(body) => {
            let mut sources = Vec::with_capacity(operands.len());
            for (operand, id) in operands.iter().zip(&node.operands) {
                sources.push(Source { value: value(cx, operand, "constant")?, shape: graph.shape(*id) });
            }
            loops::written(cx, body, &sources).map(Held::Here)
        }
        Op::Reshape { shape } => {
            let (Some(operand), Some(id)) = (operands.first(), node.operands.first()) else {
                return Err("a shape of nothing".to_owned());
            };
            let value = value(cx, operand, "constant")?;
            cx.reshape(&value, graph.shape(*id), shape).map(Held::Here)
        }
        Op::Mark(_) => operands.first().cloned().ok_or_else(|| "a mark of nothing".to_owned()),
        Op::Scan(scan) => scans::results(cx, scan, operands).map(|values| Held::Several(Arc::new(values))),
        Op::Result(index) => match operands.first() {
            Some(Held::Several(values)) => {
                values.get(*index as usize).cloned().map(Held::Here).ok_or_else(|| "a result too many".to_owned())
            }
            _ => Err("a result of no scan".to_owned()),
        },
        Op::Rand { .. } => Err("random numbers".to_owned()),
        Op::Input { name, .. } => Err(format!("`{name}`, which no row has")),
        Op::Param { path, .. } | Op::State { path, .. } => Err(format!("`{path}`, which has no value")),
        Op::Carry { .. } | Op::Capture { .. } => Err("a step outside of a scan".to_owned()),
    }
}

/// What a tensor is called that is computed from others: as the only one among them that has a name.
fn folded_name(cx: &Cx, operands: &[Held]) -> Arc<str> {
    let mut names = operands.iter().filter_map(|operand| match operand {
        Held::Known(_, name) if !name.is_empty() => Some(name),
        _ => None,
    });
    match (names.next(), names.next()) {
        (Some(name), None) => name.clone(),
        _ if cx.writer.place.is_empty() => "".into(),
        _ => format!("{}/constant", cx.writer.place).into(),
    }
}
