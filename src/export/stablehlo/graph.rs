//! Graphs: node by node, scans as `while`.

use std::collections::HashMap;
use std::sync::Arc;

use super::Unsupported;
use super::scalars::number;
use super::text::{Kind, Text, Value, type_of};
use crate::export::nodes::{Refusal, values};
use crate::ir::{ConstData, Elem, Graph, InputKey, Op, Scan, StepId, Type, Var};

/// What is known while graphs are written.
pub struct Graphs {
    pub text: Text,
    /// The type of floats.
    pub float: Kind,
    pub seed: u64,
    /// The counters of the scans around.
    pub steps: HashMap<StepId, Value>,
    /// Inputs, parameters and states.
    pub leaves: HashMap<Leaf, Value>,
}

/// What a function is given.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Leaf {
    Input(InputKey),
    Variable(Arc<str>),
}

/// The values around a graph that is the body of a scan.
#[derive(Default)]
struct Around {
    carries: Vec<Value>,
    captures: Vec<Value>,
}

/// What is made of a node: a tensor, or the results of a scan that are used.
#[derive(Clone)]
enum Made {
    Tensor(Value),
    Scan(Arc<[Option<Value>]>),
}

/// Operands as tensors; a scan is one of its results only.
fn tensors(operands: &[Made]) -> Result<Vec<Value>, Unsupported> {
    let tensor = |operand: &Made| match operand {
        Made::Tensor(value) => Ok(value.clone()),
        Made::Scan(_) => Err(Unsupported::Leaf),
    };
    operands.iter().map(tensor).collect()
}

impl Graphs {
    pub fn kind(&self, elem: Elem) -> Kind {
        match elem {
            Elem::Float => self.float,
            Elem::Int => Kind::I64,
            Elem::Bool => Kind::I1,
        }
    }

    /// Writes a graph; the values of its outputs.
    ///
    /// # Errors
    /// If it has what StableHLO cannot say here.
    pub fn outputs(&mut self, graph: &Graph) -> Result<Vec<Value>, Refusal<Unsupported>> {
        self.graph(graph, &Around::default())
    }

    fn graph(&mut self, graph: &Graph, around: &Around) -> Result<Vec<Value>, Refusal<Unsupported>> {
        let made = values(graph, &Unsupported::Leaf, |id, node, operands: &[Made]| match &node.op {
            Op::Scan(scan) => {
                let used = graph.nodes().filter_map(|(_, user)| match user.op {
                    Op::Result(index) if user.operands[0] == id => Some(index),
                    _ => None,
                });
                let used: Vec<u32> = used.collect();
                Ok(Made::Scan(self.scan(scan, tensors(operands)?, &used)?.into()))
            }
            Op::Result(index) => match operands {
                [Made::Scan(results)] => {
                    let result = results.get(*index as usize).cloned().flatten();
                    result.map(Made::Tensor).ok_or(Unsupported::Leaf.into())
                }
                _ => Err(Unsupported::Leaf.into()),
            },
            op => Ok(Made::Tensor(self.tensor(op, &tensors(operands)?, around)?)),
        })?;
        let outputs = graph.outputs.iter().map(|output| match &made[output.node.0 as usize] {
            Some(Made::Tensor(value)) => Ok(value.clone()),
            Some(Made::Scan(_)) | None => Err(Unsupported::Leaf.into()),
        });
        outputs.collect()
    }

    /// The value of an operation that gives one tensor.
    fn tensor(&mut self, op: &Op, operands: &[Value], around: &Around) -> Result<Value, Unsupported> {
        let operand = || operands.first().cloned().ok_or(Unsupported::Leaf);
        Ok(match op {
            Op::Input { name, .. } => self.leaf(&Leaf::Input(name.clone()))?,
            Op::Param { path, .. } | Op::State { path, .. } => self.leaf(&Leaf::Variable(path.clone()))?,
            Op::Const(value) => {
                let shape = value.shape.iter().map(|size| *size as i64).collect();
                let kind = self.kind(value.ty().elem);
                let literals: Vec<String> = match &value.data {
                    ConstData::Float(values) => values.iter().map(|value| kind.literal(value.0)).collect(),
                    ConstData::Int(values) => values.iter().map(ToString::to_string).collect(),
                    ConstData::Bool(values) => values.iter().map(ToString::to_string).collect(),
                };
                self.text.constant(&literals, kind, shape)
            }
            Op::Loop(body) => self.looped(body, operands.to_vec())?,
            Op::Reshape { shape } => {
                let shape = shape.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
                self.text.reshape(&operand()?, shape)
            }
            Op::Mark(_) => operand()?,
            Op::Rand { kind, stream, shape, step, step_axes } => {
                let shape = shape.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
                let mut at = self.text.int(number(&step.constant)?, Kind::I64, Vec::new());
                for (var, factor) in &step.terms {
                    let Var::Step(step) = var else { return Err(Unsupported::Subscript) };
                    let step = self.steps.get(step).cloned().ok_or(Unsupported::Subscript)?;
                    let factor = self.text.int(number(factor)?, Kind::I64, Vec::new());
                    let term = self.text.same("stablehlo.multiply", &[&step, &factor]);
                    at = self.text.same("stablehlo.add", &[&at, &term]);
                }
                self.random(*kind, stream, &shape, &at, *step_axes as usize)?
            }
            Op::Carry { index, .. } => around.carries.get(*index as usize).cloned().ok_or(Unsupported::Leaf)?,
            Op::Capture { index, .. } => around.captures.get(*index as usize).cloned().ok_or(Unsupported::Leaf)?,
            Op::Scan(_) | Op::Result(_) => return Err(Unsupported::Leaf),
        })
    }

    fn leaf(&self, leaf: &Leaf) -> Result<Value, Unsupported> {
        self.leaves.get(leaf).cloned().ok_or(Unsupported::Leaf)
    }

    /// The type of a tensor as text.
    pub fn shape_of(&self, ty: &Type) -> Result<(Vec<i64>, Kind), Unsupported> {
        let shape = ty.shape.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
        Ok((shape, self.kind(ty.elem)))
    }

    /// A scan: the results that are used.
    fn scan(&mut self, scan: &Scan, operands: Vec<Value>, used: &[u32]) -> Result<Vec<Option<Value>>, Refusal<Unsupported>> {
        let trip = number(&scan.trip)?;
        let (carries, captures) = operands.split_at(scan.n_carries);
        let collected = scan.n_carries..scan.body.outputs.len();
        let kept: Vec<usize> = collected.filter(|at| used.contains(&(*at as u32))).collect();
        let mut state: Vec<Value> = vec![self.text.int(0, Kind::I64, Vec::new())];
        state.extend(carries.iter().cloned());
        for at in &kept {
            let (mut shape, kind) = self.shape_of(scan.body.ty(scan.body.outputs[*at].node))?;
            shape.insert(0, trip);
            state.push(self.text.splat(0.0, kind, shape));
        }
        let inner: Vec<Value> = state.iter().map(|value| Value { name: self.text.fresh(), ..value.clone() }).collect();
        let name = self.text.fresh();
        let binds: Vec<String> =
            inner.iter().zip(&state).map(|(inner, outer)| format!("{} = {}", inner.name, outer.name)).collect();
        let types: Vec<String> = state.iter().map(Value::ty).collect();
        let types = types.join(", ");
        let count = state.len();
        self.text.line(&format!("{name}:{count} = stablehlo.while({}) : {types}", binds.join(", ")));
        self.text.line("cond {");
        self.text.indent();
        let end = self.text.int(trip, Kind::I64, Vec::new());
        let more = self.text.compare("LT", &inner[0], &end);
        self.text.line(&format!("stablehlo.return {} : tensor<i1>", more.name));
        self.text.outdent();
        self.text.line("} do {");
        self.text.indent();
        let at = if scan.reverse {
            let last = self.text.int(trip - 1, Kind::I64, Vec::new());
            self.text.same("stablehlo.subtract", &[&last, &inner[0]])
        } else {
            inner[0].clone()
        };
        self.steps.insert(scan.step, at.clone());
        let around = Around { carries: inner[1..=scan.n_carries].to_vec(), captures: captures.to_vec() };
        let made = self.graph(&scan.body, &around)?;
        let one = self.text.int(1, Kind::I64, Vec::new());
        let mut next = vec![self.text.same("stablehlo.add", &[&inner[0], &one])];
        next.extend(made[..scan.n_carries].iter().cloned());
        for (stack, kept) in inner[1 + scan.n_carries..].iter().zip(&kept) {
            next.push(self.put(stack, &made[*kept], &at));
        }
        let names: Vec<&str> = next.iter().map(|value| value.name.as_str()).collect();
        self.text.line(&format!("stablehlo.return {} : {types}", names.join(", ")));
        self.text.outdent();
        self.text.line("}");
        let results = state.into_iter().enumerate();
        let mut results = results.map(|(at, value)| Value { name: format!("{name}#{at}"), ..value }).skip(1);
        let mut made: Vec<Option<Value>> = results.by_ref().take(scan.n_carries).map(Some).collect();
        made.resize(scan.body.outputs.len(), None);
        kept.into_iter().zip(results).for_each(|(at, value)| made[at] = Some(value));
        Ok(made)
    }

    /// A stack with the value at a place.
    fn put(&mut self, stack: &Value, value: &Value, at: &Value) -> Value {
        let mut shape = value.shape.clone();
        shape.insert(0, 1);
        let row = self.text.reshape(value, shape);
        let zero = self.text.int(0, Kind::I64, Vec::new());
        let places: Vec<&str> = std::iter::once(at.name.as_str())
            .chain(value.shape.iter().map(|_| zero.name.as_str()))
            .collect();
        let types: Vec<&str> = places.iter().map(|_| "tensor<i64>").collect();
        let text = format!(
            "stablehlo.dynamic_update_slice {}, {}, {} : ({}, {}, {}) -> {}",
            stack.name,
            row.name,
            places.join(", "),
            stack.ty(),
            row.ty(),
            types.join(", "),
            stack.ty()
        );
        self.text.add(&text, stack.kind, stack.shape.clone())
    }

    /// Returns from a function.
    pub fn give(&mut self, values: &[Value]) {
        let names: Vec<&str> = values.iter().map(|value| value.name.as_str()).collect();
        let types: Vec<String> = values.iter().map(Value::ty).collect();
        self.text.line(&format!("return {} : {}", names.join(", "), types.join(", ")));
    }
}

/// The type of a value that runs along the rows of a mesh.
pub fn sharded(shape: &[i64], is_along_rows: bool) -> String {
    let axes: Vec<&str> =
        (0..shape.len()).map(|axis| if axis == 0 && is_along_rows { "{\"rows\"}" } else { "{}" }).collect();
    format!(" {{sdy.sharding = #sdy.sharding<@mesh, [{}]>}}", axes.join(", "))
}

/// `tensor<…>` and its sharding, if there is a mesh.
pub fn declared(value: &Value, mesh: Option<u32>, is_along_rows: bool) -> String {
    let ty = type_of(&value.shape, value.kind);
    match mesh {
        Some(_) => ty + &sharded(&value.shape, is_along_rows),
        None => ty,
    }
}
