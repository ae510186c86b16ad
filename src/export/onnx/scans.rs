//! Recurrences as `Scan`: the carries are its states, the numbers of the steps what it scans over. A step that is one
//! of ONNX's cells becomes this cell ([`recurrent`]).

use super::cx::{Cx, Made};
use super::graph::{Attribute, Declared, Size, Ty, Value};
use super::nodes::{self, Held};
use super::recurrent::{self, Step};
use crate::ir::{Dim, Op, Scan};

/// The results of a scan: the last carries, then the stacks.
pub fn results(cx: &mut Cx, scan: &Scan, operands: &[Held]) -> Made<Vec<Value>> {
    let mut carries = Vec::with_capacity(scan.n_carries);
    for (at, operand) in operands.iter().take(scan.n_carries).enumerate() {
        carries.push(nodes::value(cx, operand, &format!("start_{at}"))?);
    }
    let numbers = step_numbers(cx, scan)?;
    let place = cx.writer.place.clone();
    cx.writer.open();
    let outer = cx.steps.clone();
    let made = body(cx, scan, operands);
    cx.steps = outer;
    let body = match made {
        Ok(body) => body,
        Err(error) => {
            cx.writer.close("abandoned", Vec::new(), Vec::new());
            return Err(error);
        }
    };
    let made: Vec<Value> = body.outputs.iter().map(|output| output.value.clone()).collect();
    let step = Step { carries: &body.carries, number: &body.number, outputs: &made };
    if let Some(cell) = recurrent::cell(cx, scan, &step) {
        cx.writer.close("abandoned", Vec::new(), Vec::new());
        cx.writer.place = place;
        return recurrent::results(cx, cell, &carries, made.len() - scan.n_carries);
    }
    let Body { inputs, outputs, .. } = body;
    let results: Vec<(Ty, usize)> = outputs
        .iter()
        .enumerate()
        .map(|(at, output)| (output.value.ty, output.value.rank + usize::from(at >= scan.n_carries)))
        .collect();
    let graph = cx.writer.close("step", inputs, outputs);
    cx.writer.place = place;
    let directions = vec![i64::from(scan.reverse); results.len() - scan.n_carries];
    let mut attributes = vec![("num_scan_inputs", Attribute::Int(1))];
    if !directions.is_empty() {
        attributes.push(("scan_output_directions", Attribute::Ints(directions)));
    }
    attributes.push(("body", Attribute::Graph(Box::new(graph))));
    let inputs = carries.into_iter().chain([numbers]).map(Some).collect();
    Ok(cx.writer.node_of("Scan", inputs, attributes, &results))
}

/// The number of each step, in the order in which they are carried out.
fn step_numbers(cx: &mut Cx, scan: &Scan) -> Made<Value> {
    let numbers = cx.range(&scan.trip)?;
    if !scan.reverse {
        return Ok(numbers);
    }
    let last = cx.size_scalar(&(&scan.trip - &Dim::ONE))?;
    Ok(cx.writer.binary("Sub", &last, &numbers))
}

/// The graph of a step.
struct Body {
    inputs: Vec<Declared>,
    outputs: Vec<Declared>,
    carries: Vec<Value>,
    /// The number of the step.
    number: Value,
}

fn body(cx: &mut Cx, scan: &Scan, operands: &[Held]) -> Made<Body> {
    let mut inputs = Vec::new();
    let mut carries = Vec::with_capacity(scan.n_carries);
    for (_, node) in scan.body.nodes() {
        if let Op::Carry { index, ty } = &node.op {
            carries.push((*index as usize, ty.clone()));
        }
    }
    let mut given = Vec::with_capacity(scan.n_carries);
    for (at, output) in scan.body.outputs.iter().take(scan.n_carries).enumerate() {
        // A carry that the body does not read has the type of what follows it.
        let ty = carries.iter().find(|(index, _)| *index == at).map(|(_, ty)| ty.clone());
        let ty = ty.unwrap_or_else(|| scan.body.ty(output.node).clone());
        let elem = cx.writer.ty(ty.elem);
        let value = cx.writer.given("carry", elem, ty.rank());
        inputs.push(Declared { value: value.clone(), shape: shape(&ty.shape), doc: String::new() });
        given.push(value);
    }
    let step = cx.writer.given("step", Ty::I64, 0);
    inputs.push(Declared { value: step.clone(), shape: Vec::new(), doc: String::new() });
    cx.steps.insert(scan.step, (step.clone(), scan.trip.clone()));
    let held = nodes::graph(cx, &scan.body, &mut |_, node| match &node.op {
        Op::Carry { index, .. } => given.get(*index as usize).cloned().map(Held::Here).map(Ok),
        Op::Capture { index, .. } => operands.get(scan.n_carries + *index as usize).cloned().map(Ok),
        _ => None,
    })
    .map_err(|error| error.what)?;
    let mut outputs = Vec::with_capacity(scan.body.outputs.len());
    for output in &scan.body.outputs {
        let Some(held) = &held[output.node.0 as usize] else { return Err("an output without a value".to_owned()) };
        let value = nodes::value(cx, held, "result")?;
        let shape = shape(scan.body.shape(output.node));
        outputs.push(Declared { value, shape, doc: String::new() });
    }
    Ok(Body { inputs, outputs, carries: given, number: step })
}

/// Sizes as they are declared.
pub fn shape(dims: &[Dim]) -> Vec<Size> {
    dims.iter().map(|dim| dim.as_number().map_or_else(|| Size::Named(dim.to_string()), Size::Number)).collect()
}
