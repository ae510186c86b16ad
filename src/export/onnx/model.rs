//! The model as a whole: its inputs are the columns of the data, or the fields that it reads; its outputs are its
//! results.

use std::sync::Arc;

use super::cx::Cx;
use super::graph::{Declared, Model, Size, Ty, Value};
use super::nodes::{self, Held};
use super::scans::shape;
use super::tensors::{as_elem, tensor_of};
use super::writer::Writer;
use crate::export::nodes::Refusal;
use crate::ir::program::Precision;
use crate::ir::{Dim, Graph, InputKey, Node, Op, Sizes, specialise};
use crate::runtime::answers::deployed::{Deployed, DeployedField, Preparation};
use crate::runtime::answers::described::{column_classes, column_name, column_place};
use crate::runtime::answers::meaning::{Probabilities, Reading};

/// What inputs and outputs call the number of rows.
const BATCH: &str = "batch";

pub fn model(deployed: &Deployed) -> Result<Model, Refusal<String>> {
    let float = match deployed.program.checked().precision {
        Precision::F32 => Ty::F32,
        Precision::F64 => Ty::F64,
    };
    let cx = Cx::new(Writer::new(float));
    let mut exporter = Exporter { deployed, cx, float, inputs: Vec::new(), metadata: Vec::new() };
    let fields = match &deployed.preparation {
        Some(preparation) => exporter.prepared(preparation)?,
        None => exporter.given(),
    };
    let outputs = exporter.results(&fields)?;
    let Exporter { cx, inputs, mut metadata, .. } = exporter;
    metadata.extend(described(deployed));
    let graph = cx.writer.finish(&deployed.model, inputs, outputs);
    let doc = format!("The network `{}`.", deployed.model);
    Ok(Model { graph, doc, metadata })
}

struct Exporter<'a> {
    deployed: &'a Deployed,
    cx: Cx,
    /// The floats of the model.
    float: Ty,
    inputs: Vec<Declared>,
    metadata: Vec<(String, String)>,
}

impl Exporter<'_> {
    /// Declares an input for some rows.
    fn input(&mut self, name: &str, ty: Ty, row: &[Dim], doc: String, rows: &Arc<str>) -> Value {
        let value = self.cx.writer.given(name, ty, row.len() + 1);
        let sizes = [Size::Named(BATCH.to_owned())].into_iter().chain(shape(row)).collect();
        self.inputs.push(Declared { value: value.clone(), shape: sizes, doc });
        self.cx.symbols.entry(rows.clone()).or_insert((value.clone(), 0));
        for (at, size) in row.iter().enumerate() {
            if let Some(symbol) = size.as_symbol() {
                self.cx.symbols.entry(symbol.clone()).or_insert((value.clone(), at + 1));
            }
        }
        value
    }

    /// The fields as inputs.
    fn given(&mut self) -> Vec<Value> {
        let deployed = self.deployed;
        let field = |exporter: &mut Self, field: &DeployedField| {
            let ty = exporter.cx.writer.ty(field.row.elem);
            let below = field.below.map(|below| format!("in 0..{below}")).unwrap_or_default();
            if let Some(names) = &field.names {
                exporter.metadata.push((format!("names of {}", field.name), list(names)));
            }
            exporter.input(&field.name, ty, &field.row.shape, below, &deployed.rows)
        };
        deployed.fields.iter().map(|declared| field(self, declared)).collect()
    }

    /// The fields, computed in 64 bits from the columns, which are the inputs.
    fn prepared(&mut self, preparation: &Preparation) -> Result<Vec<Value>, Refusal<String>> {
        let deployed = self.deployed;
        self.cx.writer.float = Ty::F64;
        self.cx.writer.place = "preparation".to_owned();
        let mut columns = Vec::with_capacity(preparation.columns.len());
        for column in &preparation.columns {
            let ty = self.cx.writer.ty(column.row.elem);
            let doc = column_place(column).unwrap_or_default();
            let name = column_name(column);
            if let Some(names) = column_classes(deployed, column) {
                self.metadata.push((format!("names of {name}"), list(&names)));
            }
            let value = self.input(&name, ty, &column.row.shape, doc, &preparation.rows);
            columns.push((column.name.clone(), value));
        }
        let mut sizes = preparation.sizes.clone();
        sizes.remove(&preparation.rows);
        let graph = specialised(&preparation.graph, &sizes)?;
        let held = nodes::graph(&mut self.cx, &graph, &mut |_, node| match &node.op {
            Op::Input { name, ty } => {
                let column = columns.iter().find(|(key, _)| key == name).map(|(_, value)| Held::Here(value.clone()));
                let known = preparation.known.get(name).map(|array| {
                    Held::Known(Arc::new(as_elem(tensor_of(array), ty.elem)), format!("learnt/{name}").into())
                });
                column.or(known).map(Ok)
            }
            _ => None,
        })?;
        let mut fields = Vec::with_capacity(deployed.fields.len());
        for field in &deployed.fields {
            let output = graph.outputs.iter().find(|output| output.name.text() == field.name);
            let held = output.and_then(|output| held[output.node.0 as usize].as_ref());
            let made = match held {
                Some(held) => nodes::value(&mut self.cx, held, &field.name),
                None => Err(format!("the field `{}`, which nothing computes", field.name)),
            };
            let value = made?;
            let ty = if value.ty.is_float() { self.float } else { value.ty };
            fields.push(self.cx.writer.cast(&value, ty));
        }
        if let Some(first) = self.inputs.first() {
            let first = first.value.clone();
            self.cx.symbols.entry(deployed.rows.clone()).or_insert((first, 0));
        }
        self.cx.writer.float = self.float;
        self.cx.writer.place = String::new();
        Ok(fields)
    }

    /// The results of the model.
    fn results(&mut self, fields: &[Value]) -> Result<Vec<(String, Declared)>, Refusal<String>> {
        let deployed = self.deployed;
        let mut sizes = deployed.sizes.clone();
        sizes.remove(&deployed.rows);
        let graph = specialised(&deployed.graph, &sizes)?;
        let held = nodes::graph(&mut self.cx, &graph, &mut |_, node| leaf(deployed, fields, node).map(Ok))?;
        let mut outputs = Vec::new();
        for result in deployed.results() {
            let output = deployed.graph.outputs.iter().position(|output| output.node == result.node);
            let node = output.and_then(|at| graph.outputs.get(at)).map(|output| output.node);
            let held = node.and_then(|node| held[node.0 as usize].as_ref());
            let made = match held {
                Some(held) => nodes::value(&mut self.cx, held, &result.name),
                None => Err("a result that nothing computes".to_owned()),
            };
            let value = made?;
            let rows = result.has_rows.then(|| Size::Named(BATCH.to_owned()));
            let shape = rows.into_iter().chain(shape(&result.row.shape)).collect();
            outputs.push((result.name, Declared { value, shape, doc: String::new() }));
        }
        Ok(outputs)
    }
}

/// The value of a leaf of the model's graph.
fn leaf(deployed: &Deployed, fields: &[Value], node: &Node) -> Option<Held> {
    match &node.op {
        Op::Input { name: InputKey::Field(name), .. } => {
            let at = deployed.fields.iter().position(|field| field.name == *name)?;
            fields.get(at).cloned().map(Held::Here)
        }
        Op::Input { name: InputKey::Column(key), ty } => {
            let (_, array) = deployed.columns.iter().find(|(known, _)| known == key)?;
            Some(Held::Known(Arc::new(as_elem(tensor_of(array), ty.elem)), key.to_string().into()))
        }
        Op::Param { path, ty } | Op::State { path, ty } => {
            let (_, array) = deployed.variables.iter().find(|(known, _)| known == path)?;
            Some(Held::Known(Arc::new(as_elem(tensor_of(array), ty.elem)), path.clone()))
        }
        _ => None,
    }
}

fn specialised(graph: &Graph, sizes: &Sizes) -> Result<Graph, Refusal<String>> {
    specialise(graph, sizes).map_err(|_| "a size that does not come out whole".to_owned().into())
}

/// What users of the model may want to know of its results.
fn described(deployed: &Deployed) -> Vec<(String, String)> {
    let mut metadata = Vec::new();
    if let Some(target) = &deployed.target {
        metadata.push(("target".to_owned(), target.clone()));
    }
    if let Some(names) = &deployed.names {
        metadata.push(("classes".to_owned(), list(names)));
    }
    let text = deployed.meaning.as_ref().map(|meaning| match meaning.reading {
        Reading::Classes(_, Probabilities::OfScores) | Reading::Truth(Probabilities::OfScores) => {
            if meaning.row.iter().product::<usize>() > 1 && matches!(meaning.reading, Reading::Classes(..)) {
                "scores of classes: their softmax are probabilities"
            } else {
                "scores: their sigmoids are probabilities"
            }
        }
        Reading::Classes(_, Probabilities::Themselves) | Reading::Truth(Probabilities::Themselves) => "probabilities",
        Reading::Classes(_, Probabilities::Unknown) | Reading::Truth(Probabilities::Unknown) => "scores of classes",
        Reading::Numbers => "numbers",
    });
    metadata.extend(text.map(|text| ("results".to_owned(), text.to_owned())));
    metadata
}

/// Texts as a list of JSON.
fn list(texts: &[String]) -> String {
    let quoted = |text: &String| {
        let mut quoted = String::from("\"");
        for character in text.chars() {
            match character {
                '"' | '\\' => quoted.extend(['\\', character]),
                character if (character as u32) < 0x20 => quoted.push_str(&format!("\\u{:04x}", character as u32)),
                character => quoted.push(character),
            }
        }
        quoted + "\""
    };
    let quoted: Vec<String> = texts.iter().map(quoted).collect();
    format!("[{}]", quoted.join(", "))
}
