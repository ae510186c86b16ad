//! Where nodes are added: names, constants, common subexpressions, the graphs within graphs.
//!
//! A node goes into the outermost graph in which its inputs exist, so that what does not change from step to step of
//! a `Scan` is computed once, before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::graph::{Attribute, Attributes, Declared, Graph, Node, Ty, Value};
use super::simplify;
use crate::ir::Elem;
use crate::ir::interpret::{Data, Tensor};

/// A graph that is being written.
#[derive(Default)]
struct Scope {
    nodes: Vec<Node>,
    /// Which node makes a value.
    producers: BTreeMap<Arc<str>, usize>,
    /// Nodes by everything that they depend on.
    shared: BTreeMap<String, Value>,
}

/// A constant and its elements.
type Constant = (Value, Arc<Tensor<f64>>);

pub struct Writer {
    /// The enclosing graphs, the innermost last.
    scopes: Vec<Scope>,
    constants: BTreeMap<Arc<str>, Constant>,
    /// Constants by the names that were wanted.
    similar: BTreeMap<String, Vec<Value>>,
    /// Constants by their tensors.
    tensors: BTreeMap<(usize, Ty), Constant>,
    /// How often a name was given.
    names: BTreeMap<String, u32>,
    /// The names that were wanted for those that were given.
    wanted: BTreeMap<Arc<str>, String>,
    /// The graph that inputs, carries and steps belong to: 0 is the outermost.
    depths: BTreeMap<Arc<str>, usize>,
    /// Of sums: how many terms each element has.
    counts: BTreeMap<Arc<str>, i64>,
    /// The type of floats.
    pub float: Ty,
    /// The instance whose nodes are written: what their names begin with.
    pub place: String,
}

/// Whether two tensors have the same bits.
fn is_same(a: &Tensor<f64>, b: &Tensor<f64>) -> bool {
    let is_same_data = match (&a.data, &b.data) {
        (Data::Float(a), Data::Float(b)) => a.iter().map(|value| value.to_bits()).eq(b.iter().map(|value| value.to_bits())),
        (a, b) => a == b,
    };
    a.shape == b.shape && is_same_data
}

impl Writer {
    pub fn new(float: Ty) -> Writer {
        Writer {
            scopes: vec![Scope::default()],
            constants: BTreeMap::new(),
            similar: BTreeMap::new(),
            tensors: BTreeMap::new(),
            names: BTreeMap::new(),
            wanted: BTreeMap::new(),
            depths: BTreeMap::new(),
            counts: BTreeMap::new(),
            float,
            place: String::new(),
        }
    }

    /// The type of elements.
    pub fn ty(&self, elem: Elem) -> Ty {
        match elem {
            Elem::Float => self.float,
            Elem::Int => Ty::I64,
            Elem::Bool => Ty::Bool,
        }
    }

    /// A name that nothing has yet.
    pub fn name(&mut self, wanted: &str) -> Arc<str> {
        let name = unused(&mut self.names, wanted);
        self.wanted.insert(name.clone(), wanted.to_owned());
        name
    }

    /// The name that was wanted for this one.
    pub fn base(&self, name: &str) -> String {
        self.wanted.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// A value that the innermost graph is given.
    pub fn given(&mut self, wanted: &str, ty: Ty, rank: usize) -> Value {
        let name = self.name(wanted);
        self.depths.insert(name.clone(), self.scopes.len() - 1);
        Value { name, ty, rank }
    }

    /// Notes how many terms each element of a sum has.
    pub fn note_count(&mut self, sum: &Value, count: i64) {
        self.counts.insert(sum.name.clone(), count);
    }

    pub fn count_of(&self, sum: &Value) -> Option<i64> {
        self.counts.get(&sum.name).copied()
    }

    // --------------------------------------------------------------------------------------------- constants

    /// A constant, which gets a name like the one that is wanted. Equal ones with equal names are one.
    pub fn constant(&mut self, wanted: &str, tensor: Arc<Tensor<f64>>) -> Value {
        let ty = self.ty(tensor.data.elem());
        let wanted = &self.base(wanted);
        let key = format!("{ty:?} {wanted}");
        let known = self.similar.get(&key).into_iter().flatten();
        let mut known = known.filter(|value| {
            self.constants.get(&value.name).is_some_and(|(_, other)| is_same(other, &tensor))
        });
        if let Some(known) = known.next() {
            return known.clone();
        }
        let value = Value { name: self.name(wanted), ty, rank: tensor.shape.len() };
        self.constants.insert(value.name.clone(), (value.clone(), tensor));
        self.similar.entry(key).or_default().push(value.clone());
        value
    }

    /// The constant that a tensor is; each tensor becomes one.
    pub fn constant_of(&mut self, wanted: &str, tensor: &Arc<Tensor<f64>>) -> Value {
        let key = (Arc::as_ptr(tensor) as usize, self.float);
        if let Some((known, _)) = self.tensors.get(&key) {
            return known.clone();
        }
        let value = self.constant(wanted, tensor.clone());
        // The tensor is kept, so that no other one comes to stand in its place.
        self.tensors.insert(key, (value.clone(), tensor.clone()));
        value
    }

    pub fn ints(&mut self, values: &[i64]) -> Value {
        self.constant("ints", Arc::new(Tensor::ints(vec![values.len()], values.to_vec())))
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.constant("int", Arc::new(Tensor::ints(Vec::new(), vec![value])))
    }

    pub fn float(&mut self, value: f64) -> Value {
        self.constant("number", Arc::new(Tensor::floats(Vec::new(), vec![value])))
    }

    pub fn bool(&mut self, value: bool) -> Value {
        self.constant("truth", Arc::new(Tensor::bools(Vec::new(), vec![value])))
    }

    /// The elements of a value, if it is a constant.
    pub fn known(&self, value: &Value) -> Option<&Arc<Tensor<f64>>> {
        self.constants.get(&value.name).map(|(_, tensor)| tensor)
    }

    /// The number, if a value is a constant of one float.
    pub fn number(&self, value: &Value) -> Option<f64> {
        match &self.known(value)?.data {
            Data::Float(values) if values.len() == 1 => values.first().copied(),
            _ => None,
        }
    }

    /// The ints, if a value is a constant.
    pub fn known_ints(&self, value: &Value) -> Option<Vec<i64>> {
        match &self.known(value)?.data {
            Data::Int(values) => Some(values.clone()),
            _ => None,
        }
    }

    // ------------------------------------------------------------------------------------------------- nodes

    /// The graph that a value belongs to.
    fn depth(&self, name: &Arc<str>) -> usize {
        self.depths.get(name).copied().unwrap_or(0)
    }

    /// The node that makes a value.
    pub fn producer(&self, value: &Value) -> Option<&Node> {
        let scope = self.scopes.get(self.depth(&value.name))?;
        scope.producers.get(&value.name).map(|at| &scope.nodes[*at])
    }

    /// The node that makes a value, if it is of this kind.
    pub fn made_by(&self, value: &Value, op: &str) -> Option<&Node> {
        self.producer(value).filter(|node| node.op == op)
    }

    /// The value of a node with these inputs: an equal one that is there, a simpler one, or a new one.
    pub fn node(&mut self, op: &'static str, inputs: &[&Value], attributes: Attributes, ty: Ty, rank: usize) -> Value {
        if let Some(simpler) = simplify::simplified(self, op, inputs) {
            return simpler;
        }
        let inputs: Vec<Option<Value>> = inputs.iter().map(|input| Some((*input).clone())).collect();
        let names: Vec<&str> = inputs.iter().flatten().map(|input| &*input.name).collect();
        let key = format!("{op} {names:?} {attributes:?}");
        for scope in self.scopes.iter().rev() {
            if let Some(known) = scope.shared.get(&key) {
                return known.clone();
            }
        }
        let depth = inputs.iter().flatten().map(|input| self.depth(&input.name)).max().unwrap_or(0);
        let made = self.push(depth, op, inputs, attributes, &[(ty, rank)]);
        let Some(value) = made.into_iter().next() else { unreachable!("a node has as many values as were asked for") };
        self.scopes[depth].shared.insert(key, value.clone());
        value
    }

    /// A node of several values, or with inputs that are left out.
    pub fn node_of(
        &mut self,
        op: &'static str,
        inputs: Vec<Option<Value>>,
        attributes: Attributes,
        outputs: &[(Ty, usize)],
    ) -> Vec<Value> {
        let mut depth = 0;
        let mut deepest = |name: &Arc<str>| depth = self.depth(name).max(depth).min(self.scopes.len() - 1);
        inputs.iter().flatten().for_each(|input| deepest(&input.name));
        for (_, attribute) in &attributes {
            // What the graph within a node makes itself lies deeper than all scopes that are open.
            if let Attribute::Graph(graph) = attribute {
                graph.for_each_use(&mut |name| {
                    if self.depth(name) < self.scopes.len() {
                        deepest(name);
                    }
                });
            }
        }
        self.push(depth, op, inputs, attributes, outputs)
    }

    fn push(
        &mut self,
        depth: usize,
        op: &'static str,
        inputs: Vec<Option<Value>>,
        attributes: Attributes,
        outputs: &[(Ty, usize)],
    ) -> Vec<Value> {
        let wanted = if self.place.is_empty() { op.to_owned() } else { format!("{}/{op}", self.place) };
        let mut values = Vec::with_capacity(outputs.len());
        for (ty, rank) in outputs {
            let name = self.name(&wanted);
            self.depths.insert(name.clone(), depth);
            values.push(Value { name, ty: *ty, rank: *rank });
        }
        let scope = &mut self.scopes[depth];
        for value in &values {
            scope.producers.insert(value.name.clone(), scope.nodes.len());
        }
        let name = values.first().map_or_else(|| op.into(), |value| value.name.clone());
        scope.nodes.push(Node { op, name, inputs, outputs: values.clone(), attributes });
        values
    }

    // ------------------------------------------------------------------------------------------------ graphs

    /// Begins the graph within a node.
    pub fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Ends the innermost graph. Its outputs are made anew where they are no values of nodes of this graph.
    pub fn close(&mut self, name: &str, inputs: Vec<Declared>, outputs: Vec<Declared>) -> Graph {
        let depth = self.scopes.len() - 1;
        let mut seen = BTreeSet::new();
        let mut finished = Vec::with_capacity(outputs.len());
        for output in outputs {
            let value = &output.value;
            let is_of_graph = self.scopes[depth].producers.contains_key(&value.name);
            let value = match is_of_graph && seen.insert(value.name.clone()) {
                true => value.clone(),
                false => {
                    let (ty, rank) = (value.ty, value.rank);
                    let made = self.push(depth, "Identity", vec![Some(value.clone())], Vec::new(), &[(ty, rank)]);
                    made.into_iter().next().unwrap_or_else(|| value.clone())
                }
            };
            finished.push(Declared { value, ..output });
        }
        let scope = self.scopes.pop().unwrap_or_default();
        let mut graph =
            Graph { name: name.to_owned(), nodes: scope.nodes, initializers: Vec::new(), inputs, outputs: finished };
        without_unused(&mut graph);
        graph
    }

    /// Ends the outermost graph. Its outputs get names like those that are wanted.
    pub fn finish(mut self, name: &str, inputs: Vec<Declared>, outputs: Vec<(String, Declared)>) -> Graph {
        let (wanted, outputs): (Vec<String>, Vec<Declared>) = outputs.into_iter().unzip();
        let mut graph = self.close(name, inputs, outputs);
        let mut used = BTreeSet::new();
        graph.for_each_use(&mut |name| {
            used.insert(name.clone());
        });
        let constants = std::mem::take(&mut self.constants);
        graph.initializers = constants.into_values().filter(|(value, _)| used.contains(&value.name)).collect();
        // What is left out has left gaps in the numbers of names.
        let (mut names, mut renamed) = (BTreeMap::new(), BTreeMap::new());
        for input in &graph.inputs {
            renamed.insert(input.value.name.clone(), unused(&mut names, &self.base(&input.value.name)));
        }
        for (output, wanted) in graph.outputs.iter().zip(wanted) {
            renamed.insert(output.value.name.clone(), unused(&mut names, &wanted));
        }
        graph.for_each_value(&mut |value| {
            let name = &value.name;
            if !renamed.contains_key(name) {
                renamed.insert(name.clone(), unused(&mut names, &self.base(name)));
            }
        });
        rename(&mut graph, &renamed);
        graph
    }
}

/// A name that is not among those that were given, like the one that is wanted.
fn unused(names: &mut BTreeMap<String, u32>, wanted: &str) -> Arc<str> {
    loop {
        let count = names.entry(wanted.to_owned()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { wanted.to_owned() } else { format!("{wanted}_{count}") };
        if *count == 1 || names.insert(name.clone(), 1).is_none() {
            return name.into();
        }
    }
}

/// Leaves out the nodes that nothing needs.
fn without_unused(graph: &mut Graph) {
    let mut needed: BTreeSet<Arc<str>> = graph.outputs.iter().map(|output| output.value.name.clone()).collect();
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes).into_iter().rev() {
        if node.outputs.iter().any(|output| needed.contains(&output.name)) {
            node.for_each_use(&mut |name| {
                needed.insert(name.clone());
            });
            kept.push(node);
        }
    }
    kept.reverse();
    graph.nodes = kept;
}

/// Gives values other names, in the graphs within nodes, too; nodes are called as their first values.
fn rename(graph: &mut Graph, names: &BTreeMap<Arc<str>, Arc<str>>) {
    let new = |value: &mut Value| {
        if let Some(name) = names.get(&value.name) {
            value.name = name.clone();
        }
    };
    graph.initializers.iter_mut().for_each(|(value, _)| new(value));
    graph.inputs.iter_mut().chain(&mut graph.outputs).for_each(|declared| new(&mut declared.value));
    for node in &mut graph.nodes {
        node.inputs.iter_mut().flatten().for_each(new);
        node.outputs.iter_mut().for_each(new);
        if let Some(first) = node.outputs.first() {
            node.name = first.name.clone();
        }
        for (_, attribute) in &mut node.attributes {
            if let Attribute::Graph(body) = attribute {
                rename(body, names);
            }
        }
    }
}
