//! The bytes of a model: the messages of `onnx.proto` in the wire format of protocol buffers.
//!
//! A message is a list of fields. A field begins with its number and the form of what follows: a number of variable
//! length (0), 4 bytes (5), or bytes with their count before them (2), which may be a message in turn.

use super::graph::{Attribute, Declared, Graph, Model, Node, Size, Ty, Value};
use crate::ir::interpret::{Data, Tensor};

/// The version of the format.
const IR_VERSION: i64 = 8;
/// The version of the operators.
pub const OPSET: i64 = 17;

/// A message that is being written.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn variable(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn int(&mut self, field: u64, value: i64) {
        self.variable(field << 3);
        self.variable(value as u64);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.variable(field << 3 | 5);
        self.bytes.extend(value.to_le_bytes());
    }

    fn raw(&mut self, field: u64, bytes: &[u8]) {
        self.variable(field << 3 | 2);
        self.variable(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.raw(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.raw(field, &message.bytes);
    }
}

/// The bytes of a `.onnx` file.
pub fn bytes(model: &Model) -> Vec<u8> {
    let mut message = Message::default();
    message.int(1, IR_VERSION);
    message.text(2, "nnc");
    message.text(3, env!("CARGO_PKG_VERSION"));
    message.text(6, &model.doc);
    message.message(7, &graph(&model.graph));
    let mut operators = Message::default();
    operators.text(1, "");
    operators.int(2, OPSET);
    message.message(8, &operators);
    for (key, value) in &model.metadata {
        let mut entry = Message::default();
        entry.text(1, key);
        entry.text(2, value);
        message.message(14, &entry);
    }
    message.bytes
}

fn graph(graph: &Graph) -> Message {
    let mut message = Message::default();
    for node in &graph.nodes {
        message.message(1, &self::node(node));
    }
    message.text(2, &graph.name);
    for (value, tensor) in &graph.initializers {
        message.message(5, &self::tensor(value, tensor));
    }
    for input in &graph.inputs {
        message.message(11, &declared(input));
    }
    for output in &graph.outputs {
        message.message(12, &declared(output));
    }
    message
}

fn node(node: &Node) -> Message {
    let mut message = Message::default();
    for input in &node.inputs {
        message.text(1, input.as_ref().map_or("", |value| &value.name));
    }
    for output in &node.outputs {
        message.text(2, &output.name);
    }
    message.text(3, &node.name);
    message.text(4, node.op);
    for (name, attribute) in &node.attributes {
        message.message(5, &self::attribute(name, attribute));
    }
    message
}

fn attribute(name: &str, attribute: &Attribute) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    let form = match attribute {
        Attribute::Float(value) => {
            message.float(2, *value);
            1
        }
        Attribute::Int(value) => {
            message.int(3, *value);
            2
        }
        Attribute::Text(text) => {
            message.text(4, text);
            3
        }
        Attribute::Graph(body) => {
            message.message(6, &graph(body));
            5
        }
        Attribute::Ints(values) => {
            values.iter().for_each(|value| message.int(8, *value));
            7
        }
    };
    message.int(20, form);
    message
}

fn tensor(value: &Value, tensor: &Tensor<f64>) -> Message {
    let mut message = Message::default();
    tensor.shape.iter().for_each(|size| message.int(1, *size as i64));
    message.int(2, value.ty.number());
    message.text(8, &value.name);
    message.raw(9, &elements(value.ty, &tensor.data));
    message
}

/// Elements one after the other, the least byte of each first.
fn elements(ty: Ty, data: &Data<f64>) -> Vec<u8> {
    match (ty, data) {
        (Ty::F64, Data::Float(values)) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        (_, Data::Float(values)) => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
        (_, Data::Int(values)) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        (_, Data::Bool(values)) => values.iter().map(|value| u8::from(*value)).collect(),
    }
}

fn declared(declared: &Declared) -> Message {
    let mut shape = Message::default();
    for size in &declared.shape {
        let mut axis = Message::default();
        match size {
            Size::Number(number) => axis.int(1, *number),
            Size::Named(name) => axis.text(2, name),
        }
        shape.message(1, &axis);
    }
    let mut tensor = Message::default();
    tensor.int(1, declared.value.ty.number());
    tensor.message(2, &shape);
    let mut ty = Message::default();
    ty.message(1, &tensor);
    let mut message = Message::default();
    message.text(1, &declared.value.name);
    message.message(2, &ty);
    if !declared.doc.is_empty() {
        message.text(3, &declared.doc);
    }
    message
}
