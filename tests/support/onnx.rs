//! Reads ONNX files back, and computes what they should give by the interpreter of graphs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nnc::base::philox::Draw;
use nnc::ir::interpret::{Data, Feed, Real, Tensor, evaluate};
use nnc::ir::program::Precision;
use nnc::ir::{Dim, Elem, InputKey, Type, specialise};
use nnc::runtime::answers::deployed::{Deployed, Preparation};
use nnc::{Elements, Tensor as Array};

// ------------------------------------------------------------------------------------------- reading the format

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message by their numbers.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = variable(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(variable(&mut bytes)),
            2 => {
                let count = variable(&mut bytes) as usize;
                let (field, rest) = bytes.split_at(count);
                bytes = rest;
                Field::Bytes(field)
            }
            5 => {
                let (field, rest) = bytes.split_at(4);
                bytes = rest;
                Field::Bytes(field)
            }
            form => panic!("a field of the form {form}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn variable(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a number that ends");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn messages<'a>(bytes: &'a [u8], number: u64) -> Vec<&'a [u8]> {
    let is_it = |field: (u64, Field<'a>)| match field {
        (at, Field::Bytes(bytes)) if at == number => Some(bytes),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(is_it).collect()
}

fn texts(bytes: &[u8], number: u64) -> Vec<String> {
    messages(bytes, number)
        .into_iter()
        .map(|text| String::from_utf8(text.to_vec()).expect("a text"))
        .collect()
}

fn text(bytes: &[u8], number: u64) -> String {
    texts(bytes, number).pop().unwrap_or_default()
}

fn numbers(bytes: &[u8], number: u64) -> Vec<i64> {
    let is_it = |field: (u64, Field<'_>)| match field {
        (at, Field::Number(value)) if at == number => Some(value as i64),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(is_it).collect()
}

/// The names of the inputs of a model.
pub fn inputs(file: &[u8]) -> Vec<String> {
    let graph = messages(file, 7).pop().expect("a graph");
    messages(graph, 11).into_iter().map(|input| text(input, 1)).collect()
}

/// The structure of a model: everything but the elements of large constants.
pub fn listing(file: &[u8]) -> String {
    let mut out = String::new();
    let operators = messages(file, 8).pop().expect("a version of the operators");
    writeln!(out, "format {}, operators {}", numbers(file, 1)[0], numbers(operators, 2)[0]).expect("a text");
    for entry in messages(file, 14) {
        writeln!(out, "{}: {}", text(entry, 1), text(entry, 2)).expect("a text");
    }
    graph(messages(file, 7).pop().expect("a graph"), 0, &mut out);
    out
}

fn graph(bytes: &[u8], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for (number, word) in [(11, "input"), (12, "output")] {
        for value in messages(bytes, number) {
            let tensor = messages(messages(value, 2).pop().expect("a type"), 1).pop().expect("a tensor type");
            let shape = messages(tensor, 2).pop().unwrap_or_default();
            let sizes = messages(shape, 1).into_iter().map(|size| match numbers(size, 1).first() {
                Some(number) => number.to_string(),
                None => text(size, 2),
            });
            let sizes: Vec<String> = sizes.collect();
            let ty = ty_name(numbers(tensor, 1)[0]);
            writeln!(out, "{indent}{word} {:?}: {ty}[{}]", text(value, 1), sizes.join(", ")).expect("a text");
        }
    }
    for tensor in messages(bytes, 5) {
        let shape: Vec<String> = numbers(tensor, 1).iter().map(ToString::to_string).collect();
        let (ty, raw) = (numbers(tensor, 2)[0], messages(tensor, 9).pop().unwrap_or_default());
        let all = elements(ty, raw);
        let shown = if all.len() <= 8 { format!(" = {}", all.join(" ")) } else { String::new() };
        writeln!(out, "{indent}constant {:?}: {}[{}]{shown}", text(tensor, 8), ty_name(ty), shape.join(", "))
            .expect("a text");
    }
    for node in messages(bytes, 1) {
        let mut attributes = String::new();
        let mut inner = Vec::new();
        for attribute in messages(node, 5) {
            let name = text(attribute, 1);
            match numbers(attribute, 20)[0] {
                1 => {
                    let bits = messages(attribute, 2).pop().expect("a float");
                    let value = f32::from_le_bytes(bits.try_into().expect("4 bytes"));
                    write!(attributes, " {name}={value}").expect("a text");
                }
                2 => write!(attributes, " {name}={}", numbers(attribute, 3)[0]).expect("a text"),
                3 => write!(attributes, " {name}={}", text(attribute, 4)).expect("a text"),
                5 => inner.push(messages(attribute, 6).pop().expect("a graph")),
                7 => write!(attributes, " {name}={:?}", numbers(attribute, 8)).expect("a text"),
                form => panic!("an attribute of the form {form}"),
            }
        }
        let (outputs, inputs) = (texts(node, 2).join(", "), texts(node, 1).join(", "));
        writeln!(out, "{indent}{outputs} = {}({inputs}){attributes}", text(node, 4)).expect("a text");
        inner.into_iter().for_each(|body| graph(body, depth + 1, out));
    }
}

fn ty_name(number: i64) -> &'static str {
    match number {
        1 => "float",
        7 => "int64",
        9 => "bool",
        11 => "double",
        other => panic!("the type {other}"),
    }
}

fn elements(ty: i64, raw: &[u8]) -> Vec<String> {
    let ints = |raw: &[u8]| raw.try_into().map(i64::from_le_bytes).expect("8 bytes").to_string();
    match ty {
        1 => raw
            .chunks(4)
            .map(|four| f32::from_le_bytes(four.try_into().expect("4 bytes")).to_string())
            .collect(),
        11 => raw
            .chunks(8)
            .map(|eight| f64::from_le_bytes(eight.try_into().expect("8 bytes")).to_string())
            .collect(),
        7 => raw.chunks(8).map(ints).collect(),
        _ => raw.iter().map(ToString::to_string).collect(),
    }
}

// ------------------------------------------------------------------------------------------- what should come out

/// Random rows, and the results of the model on them.
pub struct Expected {
    /// In the order of the inputs.
    pub inputs: Vec<Tensor<f64>>,
    pub results: Vec<Tensor<f64>>,
}

/// Tensors of some fields.
type Rows = Vec<Tensor<f64>>;

/// Random tensors of some types, whose ints lie below a bound.
fn random(stream: usize, ty: &Type, rows: usize, below: i64) -> Tensor<f64> {
    let mut shape = vec![rows];
    shape.extend(ty.shape.iter().map(|size| size.as_number().unwrap_or(5) as usize));
    let draw = Draw { seed: 7, stream: stream as u32, step: 0, scan_step: 0 };
    let count: usize = shape.iter().product();
    let places = 0..count as u64;
    match ty.elem {
        Elem::Float => Tensor::floats(shape, places.map(|at| f64::from(draw.normal_f32(at))).collect()),
        Elem::Int => {
            let int = |at| (draw.uniform_f64(at) * below as f64) as i64;
            Tensor::ints(shape, places.map(int).collect())
        }
        Elem::Bool => Tensor::bools(shape, places.map(|at| draw.uniform_f64(at) < 0.5).collect()),
    }
}

/// What a model gives for random rows, by the interpreter of graphs; `None` if it cannot take so many.
pub fn expected(deployed: &Deployed, rows: usize) -> Option<Expected> {
    let (inputs, fields) = match &deployed.preparation {
        Some(preparation) => prepared(deployed, preparation, rows)?,
        None => {
            let fields = deployed.fields.iter().enumerate();
            let below = |at: usize| deployed.fields[at].below.unwrap_or(3);
            let fields: Vec<Tensor<f64>> =
                fields.map(|(at, field)| random(at, &field.row, rows, below(at))).collect();
            (fields.clone(), fields)
        }
    };
    let results = match deployed.program.checked().precision {
        Precision::F32 => results::<f32>(deployed, &fields, rows)?,
        Precision::F64 => results::<f64>(deployed, &fields, rows)?,
    };
    Some(Expected { inputs, results })
}

fn prepared(deployed: &Deployed, preparation: &Preparation, rows: usize) -> Option<(Rows, Rows)> {
    let mut feed = Feed::default();
    let mut inputs = Vec::new();
    for (at, column) in preparation.columns.iter().enumerate() {
        let field = deployed.fields.iter().find(|field| field.name == column.field);
        let names = field.and_then(|field| field.names.as_ref().map(|names| names.len() as i64));
        let names = names.or(column.names.as_ref().map(|names| names.len() as i64));
        let below = names.or(field.and_then(|field| field.below)).unwrap_or(3);
        let tensor = random(at, &column.row, rows, below);
        feed.inputs.insert(column.name.clone(), tensor.clone());
        inputs.push(tensor);
    }
    for (key, array) in &preparation.known {
        feed.inputs.insert(key.clone(), convert(array, Elem::Float));
    }
    let mut sizes = preparation.sizes.clone();
    sizes.insert(preparation.rows.clone(), Dim::from(rows));
    let graph = specialise(&preparation.graph, &sizes).ok()?;
    for (_, node) in graph.nodes() {
        if let nnc::ir::Op::Input { name, ty } = &node.op
            && let Some(tensor) = feed.inputs.get_mut(name)
            && let (Data::Float(values), Elem::Int) = (&tensor.data, ty.elem)
        {
            tensor.data = Data::Int(values.iter().map(|value| *value as i64).collect());
        }
    }
    let values = evaluate(&graph, &feed).ok()?;
    let field = |name: &str| {
        values.iter().find(|(key, _)| &*key.text() == name).map(|(_, value)| value.as_ref().clone())
    };
    let fields: Option<Vec<Tensor<f64>>> =
        deployed.fields.iter().map(|declared| field(&declared.name)).collect();
    Some((inputs, fields?))
}

fn results<F: Real>(deployed: &Deployed, fields: &[Tensor<f64>], rows: usize) -> Option<Vec<Tensor<f64>>> {
    let mut feed: Feed<F> = Feed::default();
    for (field, tensor) in deployed.fields.iter().zip(fields) {
        feed.inputs.insert(InputKey::Field(field.name.clone()), real(tensor));
    }
    for (key, array) in &deployed.columns {
        feed.inputs.insert(InputKey::Column(key.clone()), real(&convert(array, Elem::Float)));
    }
    for (path, array) in &deployed.variables {
        feed.variables.insert(path.clone(), real(&convert(array, Elem::Float)));
    }
    let mut sizes = deployed.sizes.clone();
    sizes.insert(deployed.rows.clone(), Dim::from(rows));
    for field in &deployed.fields {
        for size in &field.row.shape {
            if let Some(symbol) = size.as_symbol() {
                sizes.insert(symbol.clone(), Dim::number(5));
            }
        }
    }
    let graph = specialise(&deployed.graph, &sizes).ok()?;
    for (_, node) in graph.nodes() {
        let (tensor, ty) = match &node.op {
            nnc::ir::Op::Input { name, ty } => (feed.inputs.get_mut(name), ty),
            nnc::ir::Op::Param { path, ty } | nnc::ir::Op::State { path, ty } => {
                (feed.variables.get_mut(path), ty)
            }
            _ => continue,
        };
        if let Some(tensor) = tensor
            && let (Data::Float(values), Elem::Int) = (&tensor.data, ty.elem)
        {
            tensor.data = Data::Int(values.iter().map(|value| value.to_f64() as i64).collect());
        }
    }
    let values = evaluate(&graph, &feed).ok()?;
    let numbered: BTreeMap<usize, Tensor<f64>> = values
        .iter()
        .filter_map(|(key, value)| {
            let data = match &value.data {
                Data::Float(values) => Data::Float(values.iter().map(|value| value.to_f64()).collect()),
                Data::Int(values) => Data::Int(values.clone()),
                Data::Bool(values) => Data::Bool(values.clone()),
            };
            Some((key.text().parse().ok()?, Tensor { shape: value.shape.clone(), data }))
        })
        .collect();
    Some(numbered.into_values().collect())
}

fn real<F: Real>(tensor: &Tensor<f64>) -> Tensor<F> {
    let data = match &tensor.data {
        Data::Float(values) => Data::Float(values.iter().map(|value| F::from_f64(*value)).collect()),
        Data::Int(values) => Data::Int(values.clone()),
        Data::Bool(values) => Data::Bool(values.clone()),
    };
    Tensor { shape: tensor.shape.clone(), data }
}

fn convert(array: &Array, elem: Elem) -> Tensor<f64> {
    let shape = array.shape().to_vec();
    match (array.elements(), elem) {
        (Elements::Bool(values), _) => Tensor::bools(shape, values.clone()),
        _ => Tensor::floats(shape, array.to_f64().into_owned()),
    }
}
