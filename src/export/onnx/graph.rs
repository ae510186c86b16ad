//! The parts of an ONNX model, as the format has them.

use std::sync::Arc;

use crate::ir::interpret::Tensor;

/// The types of elements that models have here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Ty {
    F32,
    F64,
    I64,
    Bool,
}

/// A tensor of the graph, by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Value {
    pub name: Arc<str>,
    pub ty: Ty,
    pub rank: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Attribute {
    Float(f32),
    Int(i64),
    Ints(Vec<i64>),
    Text(&'static str),
    Graph(Box<Graph>),
}

/// The attributes of a node, by name.
pub type Attributes = Vec<(&'static str, Attribute)>;

#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    pub op: &'static str,
    pub name: Arc<str>,
    /// None for an optional input that is left out.
    pub inputs: Vec<Option<Value>>,
    pub outputs: Vec<Value>,
    pub attributes: Attributes,
}

/// The size of an axis of an input or output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Size {
    Number(i64),
    Named(String),
}

/// What is declared of an input or output.
#[derive(Clone, PartialEq, Debug)]
pub struct Declared {
    pub value: Value,
    pub shape: Vec<Size>,
    pub doc: String,
}

#[derive(Clone, PartialEq, Default, Debug)]
pub struct Graph {
    pub name: String,
    pub nodes: Vec<Node>,
    /// Constants; floats are rounded to the type of the value.
    pub initializers: Vec<(Value, Arc<Tensor<f64>>)>,
    pub inputs: Vec<Declared>,
    pub outputs: Vec<Declared>,
}

pub struct Model {
    pub graph: Graph,
    pub doc: String,
    /// Names and texts that users of the model may ask for.
    pub metadata: Vec<(String, String)>,
}

impl Ty {
    /// Its number in the format.
    pub fn number(self) -> i64 {
        match self {
            Ty::F32 => 1,
            Ty::I64 => 7,
            Ty::Bool => 9,
            Ty::F64 => 11,
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Ty::F32 | Ty::F64)
    }
}

impl Node {
    /// The attribute of this name, if it is a list of ints.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attributes.iter().find_map(|(known, attribute)| match attribute {
            Attribute::Ints(values) if *known == name => Some(values.as_slice()),
            _ => None,
        })
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.attributes.iter().find_map(|(known, attribute)| match attribute {
            Attribute::Int(value) if *known == name => Some(*value),
            _ => None,
        })
    }

    /// The input at a place, if it is there.
    pub fn input(&self, at: usize) -> Option<&Value> {
        self.inputs.get(at).and_then(Option::as_ref)
    }
}

impl Graph {
    /// Calls `visit` with the names of values that nodes read, those of the graphs within nodes as well.
    pub fn for_each_use(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        for node in &self.nodes {
            node.for_each_use(visit);
        }
        self.outputs.iter().for_each(|output| visit(&output.value.name));
    }
}

impl Graph {
    /// Calls `visit` with every value that is declared or made: inputs, constants, then those of nodes in order.
    pub fn for_each_value(&self, visit: &mut dyn FnMut(&Value)) {
        self.inputs.iter().for_each(|input| visit(&input.value));
        self.initializers.iter().for_each(|(value, _)| visit(value));
        for node in &self.nodes {
            for (_, attribute) in &node.attributes {
                if let Attribute::Graph(graph) = attribute {
                    graph.for_each_value(visit);
                }
            }
            node.outputs.iter().for_each(&mut *visit);
        }
    }
}

impl Node {
    pub fn for_each_use(&self, visit: &mut dyn FnMut(&Arc<str>)) {
        self.inputs.iter().flatten().for_each(|value| visit(&value.name));
        for (_, attribute) in &self.attributes {
            if let Attribute::Graph(graph) = attribute {
                graph.for_each_use(visit);
            }
        }
    }
}
