//! A training step and a prediction as StableHLO, the language that XLA compiles: for graphics processors, TPUs, and
//! clusters of them.
//!
//! A loop of the tensor IR becomes operations on whole tensors: what is computed for each point of its domain are
//! elementwise operations on a tensor with an axis for each index. A sum of products is a `dot_general` of its two sides
//! ([`crate::ir::recognise`]), other sums are `reduce`; a subscript that is an index is an axis of a `slice`, any other
//! one a place of a `gather`, and what is written at computed places is a `scatter`. Scans are `while`; random numbers are
//! those of `nnc`, made by operations on ints.

mod graph;
mod loops;
mod random;
mod scalars;
mod text;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::base::Diagnostic;
use crate::export::nodes::Refusal;
use crate::ir::program::Precision;
use crate::ir::{Elem, Graph, InputKey, OutputKey, Type};
use crate::runtime::train::portable::Portable;
use graph::{Graphs, Leaf, declared, sharded};
use text::{Kind, Text, Value, type_of};

/// What there is no way to say in StableHLO here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsupported {
    OpenSize,
    Subscript,
    Leaf,
    /// The number of the greatest element, where elements are written at computed places.
    PlaceOfBest,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsupported::OpenSize => "a size is not known before the program runs",
            Unsupported::Subscript => "a subscript depends on what is not there",
            Unsupported::Leaf => "a value is read that nothing gives",
            Unsupported::PlaceOfBest => "`argmax` among elements that are written at computed places",
        })
    }
}

/// The files.
pub struct Files {
    pub step: String,
    /// Of each model whose sizes are known, its name and its text.
    pub predictions: Vec<(Arc<str>, String)>,
    /// What arguments and results are, as JSON.
    pub manifest: String,
}

/// An argument or a result.
struct Port {
    name: String,
    /// `param`, `state`, `field`, `column`, `step`, `loss`, `metric`, `result`.
    role: &'static str,
    leaf: Option<Leaf>,
    ty: Type,
}

/// Writes a training. `mesh`: over so many devices, among which the rows of a batch are divided.
///
/// # Errors
/// E0936 if the step has what cannot be said.
pub fn write(portable: &Portable, mesh: Option<u32>) -> Result<Files, Diagnostic> {
    let failed = |refusal: Refusal<Unsupported>| {
        let part = refusal.part().map_or_else(String::new, |part| format!(", in `{part}`"));
        let message = format!("this training cannot be written as StableHLO: {}{part}", refusal.what);
        let error = Diagnostic::error("E0936", message).at(portable.span, "its step");
        refusal.point_out(error, "this cannot be said")
    };
    let mut takes: Vec<Port> = portable
        .variables
        .iter()
        .map(|(path, is_state, ty)| port(path, if *is_state { "state" } else { "param" }, ty, Leaf::Variable(path.clone())))
        .collect();
    let n_variables = takes.len();
    for (key, ty) in &portable.inputs {
        let role = match key {
            InputKey::Field(_) | InputKey::Companion(..) => "field",
            InputKey::Step => "step",
            _ => "column",
        };
        takes.push(port(&key.to_string(), role, ty, Leaf::Input(key.clone())));
    }
    let (step, gives) = step(portable, &takes, n_variables, mesh).map_err(failed)?;
    let mut predictions = Vec::new();
    for (name, model) in &portable.models {
        // A model with what cannot be said is left out: the training is what was asked for.
        if let Ok(text) = prediction(portable, name, model, &takes[..n_variables]) {
            predictions.push((name.clone(), text));
        }
    }
    let shown = |port: &Port| {
        json!({ "name": port.name, "role": port.role, "type": port.ty.elem.to_string(),
                "shape": port.ty.static_shape().unwrap_or_default() })
    };
    let manifest = json!({
        "format": "nnc StableHLO 1",
        "batch": portable.batch,
        "precision": if portable.precision == Precision::F64 { "f64" } else { "f32" },
        "mesh": mesh.unwrap_or(1),
        "arguments": takes.iter().map(shown).collect::<Vec<_>>(),
        "results": gives.iter().map(shown).collect::<Vec<_>>(),
        "models": predictions.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>(),
    });
    let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
    Ok(Files { step, predictions, manifest })
}

fn port(name: &str, role: &'static str, ty: &Type, leaf: Leaf) -> Port {
    Port { name: name.to_owned(), role, leaf: Some(leaf), ty: ty.clone() }
}

/// The type of what a function is given: ints have 32 bits there.
fn given(cx: &Graphs, ty: &Type) -> Result<(Vec<i64>, Kind), Unsupported> {
    let (shape, kind) = cx.shape_of(ty)?;
    Ok((shape, if kind == Kind::I64 { Kind::I32 } else { kind }))
}

fn begun(portable: &Portable) -> Graphs {
    let float = if portable.precision == Precision::F64 { Kind::F64 } else { Kind::F32 };
    let (text, steps, leaves) = (Text::default(), HashMap::new(), HashMap::new());
    Graphs { text, float, seed: portable.seed, steps, leaves }
}

/// Declares what a function takes; its signature.
fn declare(cx: &mut Graphs, takes: &[Port], mesh: Option<u32>) -> Result<String, Unsupported> {
    let mut signature = Vec::new();
    for (at, port) in takes.iter().enumerate() {
        let (shape, kind) = given(cx, &port.ty)?;
        let value = Value { name: format!("%arg{at}"), kind, shape };
        signature.push(format!("{}: {}", value.name, declared(&value, mesh, port.role == "field")));
        let value = if port.ty.elem == Elem::Int { cx.text.convert(&value, Kind::I64) } else { value };
        cx.leaves.extend(port.leaf.clone().map(|leaf| (leaf, value)));
    }
    Ok(signature.join(", "))
}

fn step(
    portable: &Portable,
    takes: &[Port],
    n_variables: usize,
    mesh: Option<u32>,
) -> Result<(String, Vec<Port>), Refusal<Unsupported>> {
    let mut cx = begun(portable);
    let signature = declare(&mut cx, takes, mesh)?;
    let values = cx.outputs(&portable.step)?;
    let made: HashMap<&OutputKey, &Value> =
        portable.step.outputs.iter().map(|output| &output.name).zip(&values).collect();
    let mut gives: Vec<(Port, Value)> = Vec::new();
    for port in &takes[..n_variables] {
        let path: Arc<str> = port.name.as_str().into();
        let new = made.get(&OutputKey::Param(path.clone())).or_else(|| made.get(&OutputKey::State(path.clone())));
        let value = match (new, cx.leaves.get(&Leaf::Variable(path))) {
            (Some(value), _) => (*value).clone(),
            (None, Some(value)) => value.clone(),
            (None, None) => return Err(Unsupported::Leaf.into()),
        };
        gives.push((Port { name: port.name.clone(), role: port.role, leaf: None, ty: port.ty.clone() }, value));
    }
    for (output, value) in portable.step.outputs.iter().zip(&values) {
        let (name, role) = match &output.name {
            OutputKey::Loss(line) => (line.to_string(), "loss"),
            OutputKey::Metric(name) => (name.to_string(), "metric"),
            _ => continue,
        };
        let ty = portable.step.ty(output.node).clone();
        gives.push((Port { name, role, leaf: None, ty }, value.clone()));
    }
    let (ports, values): (Vec<Port>, Vec<Value>) = gives.into_iter().unzip();
    let values: Vec<Value> = values
        .iter()
        .map(|value| if value.kind == Kind::I64 { cx.text.convert(value, Kind::I32) } else { value.clone() })
        .collect();
    Ok((function(cx, "step", &signature, &values, mesh), ports))
}

fn prediction(portable: &Portable, name: &str, model: &Graph, variables: &[Port]) -> Result<String, Refusal<Unsupported>> {
    let mut cx = begun(portable);
    let mut takes: Vec<Port> = variables
        .iter()
        .map(|port| Port { name: port.name.clone(), role: port.role, leaf: port.leaf.clone(), ty: port.ty.clone() })
        .collect();
    takes.retain(|port| !port.name.contains(':'));
    for (key, ty) in crate::runtime::train::portable::inputs_of(model) {
        takes.push(port(&key.to_string(), "field", &ty, Leaf::Input(key)));
    }
    let signature = declare(&mut cx, &takes, None)?;
    let values = cx.outputs(model)?;
    let values: Vec<Value> = values
        .iter()
        .map(|value| if value.kind == Kind::I64 { cx.text.convert(value, Kind::I32) } else { value.clone() })
        .collect();
    Ok(function(cx, name, &signature, &values, None))
}

/// A module with one function.
fn function(mut cx: Graphs, name: &str, signature: &str, values: &[Value], mesh: Option<u32>) -> String {
    cx.give(values);
    let results: Vec<String> = values
        .iter()
        .map(|value| type_of(&value.shape, value.kind) + &mesh.map(|_| sharded(&value.shape, false)).unwrap_or_default())
        .collect();
    let (attributes, mesh) = match mesh {
        Some(count) => (
            format!(" attributes {{mhlo.num_partitions = {count} : i32, mhlo.num_replicas = 1 : i32}}"),
            format!("  sdy.mesh @mesh = <[\"rows\"={count}]>\n"),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        "module @{name}{attributes} {{\n{mesh}  func.func public @main({signature}) -> ({}) {{\n{}  }}\n}}\n",
        results.join(", "),
        cx.text.lines
    )
}
