//! The reference interpreter: the meaning of the tensor IR.
//!
//! - A loop visits the points of its domain in row-major order and combines in that order.
//! - Ints have 64 bits; an operation that overflows is an error. A float becomes an int by rounding towards zero;
//!   one that does not fit becomes the nearest int, NaN becomes 0. Floor division and remainder by 0 give 0.
//! - Floats are rounded after every operation. exp, log, … are those of [`math`](super::math).
//! - A select is lazy: an out-of-bounds read in a branch that is not taken is no error.
//! - `max=` keeps the value it has unless the new one is greater, `min=` unless it is less; the first NaN is taken
//!   and stays. `argmax=` starts from −∞ at index 0 and gives the index of the first NaN if there is one.
//! - Random numbers are those of [`philox`](crate::base::philox).
//!
//! Every failure is an [`EvalError`]: nothing panics on a graph that the verifier accepts.

mod lazy;
mod loops;
mod prepare;
mod real;
mod tensor;
#[cfg(test)]
mod tests;

pub use real::{Real, compare, float_binary, float_unary, int_binary};
pub use tensor::{Data, Tensor};

use super::affine::{Affine, StepId, Var};
use super::graph::{Graph, Node, NodeId, Op, Output, RandKind, Scan};
use super::keys::{InputKey, OutputKey};
use super::types::Type;
use crate::base::Span;
use crate::base::philox::{Draw, stream_of};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// The values on which a graph is evaluated.
#[derive(Clone, Default, Debug)]
pub struct Feed<F> {
    /// Values of [`Op::Input`]. [`InputKey::Step`] may be left out: it is then [`Feed::step`].
    pub inputs: BTreeMap<InputKey, Tensor<F>>,
    /// Values of [`Op::Param`] and [`Op::State`] by path.
    pub variables: BTreeMap<Arc<str>, Tensor<F>>,
    pub seed: u64,
    /// The training step, from 1.
    pub step: u32,
}

/// Why a graph has no value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EvalError {
    /// Nothing was given for an input, parameter or state.
    Missing(Arc<str>),
    /// The value that was given has another type.
    WrongType { name: Arc<str>, expected: String, found: String },
    /// A size of this node is not a number.
    NotStatic(NodeId),
    /// A read that is not padded is out of bounds.
    ReadOutside { node: NodeId, subscripts: Vec<i64>, shape: Vec<usize> },
    /// A write that is not dropping is out of bounds.
    WriteOutside { node: NodeId, subscripts: Vec<i64>, shape: Vec<usize> },
    /// A loop that combines by `Set` writes an element twice.
    WrittenTwice { node: NodeId, element: usize },
    /// An int overflows 64 bits.
    Overflow(NodeId, Span),
    /// The verifier would not have accepted this node.
    Malformed(NodeId),
}

/// The value of every output.
///
/// # Errors
/// If sizes are not numbers, a leaf has no value of its type, or a loop breaks its promises.
pub fn evaluate<F: Real>(
    graph: &Graph,
    feed: &Feed<F>,
) -> Result<BTreeMap<OutputKey, Rc<Tensor<F>>>, EvalError> {
    let mut frame = Frame { feed, steps: Vec::new(), carries: &[], captures: &[] };
    let values = frame.outputs(graph)?;
    Ok(graph.outputs.iter().zip(values).map(|(Output { name, .. }, value)| (name.clone(), value)).collect())
}

/// Where the leaves of a graph get their values.
struct Frame<'a, F> {
    feed: &'a Feed<F>,
    /// The counters of the enclosing scans, outermost first.
    steps: Vec<(StepId, i64)>,
    carries: &'a [Rc<Tensor<F>>],
    captures: &'a [Rc<Tensor<F>>],
}

impl<F: Real> Frame<'_, F> {
    fn outputs(&mut self, graph: &Graph) -> Result<Vec<Rc<Tensor<F>>>, EvalError> {
        let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
        let mut values: Vec<Option<Rc<Tensor<F>>>> = vec![None; graph.len()];
        // The results of scans, by the scan's node.
        let mut scans: BTreeMap<NodeId, Vec<Rc<Tensor<F>>>> = BTreeMap::new();
        for (id, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
            let operands = || -> Result<Vec<Rc<Tensor<F>>>, EvalError> {
                let of = |operand: &NodeId| values[operand.0 as usize].clone();
                node.operands.iter().map(|operand| of(operand).ok_or(EvalError::Malformed(id))).collect()
            };
            let value = match &node.op {
                Op::Scan(scan) => {
                    scans.insert(id, self.scan(id, scan, &operands()?)?);
                    continue;
                }
                Op::Result(index) => {
                    let results = node.operands.first().and_then(|scan| scans.get(scan));
                    let result = results.and_then(|results| results.get(*index as usize));
                    result.ok_or(EvalError::Malformed(id))?.clone()
                }
                _ => self.node(id, node, &operands()?)?,
            };
            values[id.0 as usize] = Some(value);
        }
        let of = |output: &Output| values[output.node.0 as usize].clone();
        graph.outputs.iter().map(|output| of(output).ok_or(EvalError::Malformed(output.node))).collect()
    }

    fn node(&self, id: NodeId, node: &Node, operands: &[Rc<Tensor<F>>]) -> Result<Rc<Tensor<F>>, EvalError> {
        let shape = node.ty.static_shape().ok_or(EvalError::NotStatic(id))?;
        let operand = || operands.first().cloned().ok_or(EvalError::Malformed(id));
        match &node.op {
            Op::Input { name: name @ InputKey::Step, ty } if !self.feed.inputs.contains_key(name) => {
                let step = Tensor { shape: Vec::new(), data: Data::Int(vec![self.feed.step.into()]) };
                given(Some(&Rc::new(step)), &name.text(), ty)
            }
            Op::Input { name, ty } => {
                given(self.feed.inputs.get(name).cloned().map(Rc::new).as_ref(), &name.text(), ty)
            }
            Op::Param { path, ty } | Op::State { path, ty } => {
                given(self.feed.variables.get(path).cloned().map(Rc::new).as_ref(), path, ty)
            }
            Op::Carry { index, ty } => given(self.carries.get(*index as usize), &"carry".into(), ty),
            Op::Capture { index, ty } => given(self.captures.get(*index as usize), &"capture".into(), ty),
            Op::Const(value) => Ok(Rc::new(Tensor::from_const(value))),
            Op::Loop(body) => {
                let operands: Vec<&Tensor<F>> = operands.iter().map(|value| &**value).collect();
                let value = loops::run(id, body, &operands, &self.steps).map_err(|error| match error {
                    EvalError::Overflow(..) => EvalError::Overflow(id, node.origin.span),
                    other => other,
                })?;
                Ok(Rc::new(value))
            }
            Op::Reshape { .. } => {
                let value = operand()?;
                if value.data.len() != shape.iter().product::<usize>() {
                    return Err(EvalError::Malformed(id));
                }
                Ok(Rc::new(Tensor { shape, data: value.data.clone() }))
            }
            Op::Rand { kind, stream, step, step_axes, .. } => {
                let step = self.at_step(step).ok_or(EvalError::NotStatic(id))?;
                Ok(Rc::new(self.random(*kind, stream, step, (*step_axes as usize).min(shape.len()), shape)))
            }
            Op::Mark(_) => operand(),
            Op::Scan(_) | Op::Result(_) => Err(EvalError::Malformed(id)),
        }
    }

    fn random(
        &self,
        kind: RandKind,
        stream: &str,
        step: i64,
        step_axes: usize,
        shape: Vec<usize>,
    ) -> Tensor<F> {
        let per_step: usize = shape[step_axes..].iter().product();
        let count: usize = shape.iter().product();
        let first = Draw {
            seed: self.feed.seed,
            stream: stream_of(stream),
            step: self.feed.step,
            scan_step: step as u32,
        };
        let values = (0..count).map(|at| {
            let scan_step = first.scan_step.wrapping_add((at / per_step) as u32);
            let (draw, element) = (Draw { scan_step, ..first }, (at % per_step) as u64);
            match kind {
                RandKind::Uniform => F::uniform(&draw, element),
                RandKind::Normal => F::normal(&draw, element),
            }
        });
        let data = Data::Float(values.collect());
        Tensor { shape, data }
    }

    fn scan(
        &self,
        id: NodeId,
        scan: &Scan,
        operands: &[Rc<Tensor<F>>],
    ) -> Result<Vec<Rc<Tensor<F>>>, EvalError> {
        let trip = scan.trip.as_number().ok_or(EvalError::NotStatic(id))?;
        if operands.len() < scan.n_carries || scan.body.outputs.len() < scan.n_carries {
            return Err(EvalError::Malformed(id));
        }
        let (initial, captures) = operands.split_at(scan.n_carries);
        let mut carries = initial.to_vec();
        let mut stacks = Vec::new();
        for index in scan.n_carries..scan.body.outputs.len() {
            let ty = scan.result_type(index);
            let shape = ty.static_shape().ok_or(EvalError::NotStatic(id))?;
            stacks.push(Tensor::zeros(ty.elem, shape));
        }
        for number in 0..trip {
            let step = if scan.reverse { trip - 1 - number } else { number };
            let mut steps = self.steps.clone();
            steps.push((scan.step, step));
            let mut frame = Frame { feed: self.feed, steps, carries: &carries, captures };
            let mut values = frame.outputs(&scan.body)?;
            let collected = values.split_off(scan.n_carries);
            for (stack, value) in stacks.iter_mut().zip(&collected) {
                if !stack.data.put(step as usize * value.data.len(), &value.data) {
                    return Err(EvalError::Malformed(id));
                }
            }
            carries = values;
        }
        Ok(carries.into_iter().chain(stacks.into_iter().map(Rc::new)).collect())
    }

    /// The value of an affine expression of scan counters.
    fn at_step(&self, affine: &Affine) -> Option<i64> {
        let mut sum = affine.constant.as_number()?;
        for (var, coefficient) in &affine.terms {
            let Var::Step(step) = var else { return None };
            let (_, at) = self.steps.iter().find(|(counter, _)| counter == step)?;
            sum += coefficient.as_number()? * at;
        }
        Some(sum)
    }
}

fn given<F: Real>(
    value: Option<&Rc<Tensor<F>>>,
    name: &Arc<str>,
    ty: &Type,
) -> Result<Rc<Tensor<F>>, EvalError> {
    let value = value.ok_or_else(|| EvalError::Missing(name.clone()))?;
    let found = value.ty();
    if &found != ty || value.data.len() != value.shape.iter().product::<usize>() {
        let (expected, found) = (ty.to_string(), found.to_string());
        return Err(EvalError::WrongType { name: name.clone(), expected, found });
    }
    Ok(value.clone())
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Missing(name) => write!(f, "nothing is given for `{name}`"),
            EvalError::WrongType { name, expected, found } => {
                write!(f, "`{name}` is {found} and should be {expected}")
            }
            EvalError::NotStatic(node) => write!(f, "a size of %{} is not known", node.0),
            EvalError::ReadOutside { node, subscripts, shape } => {
                write!(f, "%{} reads element {subscripts:?} of a tensor of shape {shape:?}", node.0)
            }
            EvalError::WriteOutside { node, subscripts, shape } => {
                write!(f, "%{} writes element {subscripts:?} of a tensor of shape {shape:?}", node.0)
            }
            EvalError::WrittenTwice { node, element } => {
                write!(f, "%{} writes element {element} twice", node.0)
            }
            EvalError::Overflow(node, _) => write!(f, "an int of %{} does not fit into 64 bits", node.0),
            EvalError::Malformed(node) => write!(f, "%{} is not a valid node", node.0),
        }
    }
}

impl std::error::Error for EvalError {}
