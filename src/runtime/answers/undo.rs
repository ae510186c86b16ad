//! Predictions in the units of the file: what a field makes of its column, undone element by element.
//!
//! A field such as `standardize(log(column("price")))` is a chain of operations on one element of a column, each of
//! which has an inverse where its other operand is the same for all rows. The chain is read off the graph of the field;
//! where it is none, nothing is undone.

use super::meaning::Reading;
use super::predictor::Predictor;
use crate::ir::program::DataSet;
use crate::ir::{
    Affine, BinaryOp, Combine, ConstData, Graph, InputKey, Loop, NodeId, Op, OutputKey, Scalar, ScalarId, Sub, UnaryOp,
    Var,
};
use crate::runtime::array::{Array, Elements};
use crate::runtime::data::load::Inputs;
use crate::runtime::kept::Kept;

/// How each element of a row becomes one of the column.
pub struct Undo(Vec<Vec<Step>>);

/// An operation on a number `v`; what is undone is the last of them first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// `v + c`
    Add(f64),
    /// `v c`
    Multiply(f64),
    /// `c - v`
    From(f64),
    /// `c / v`
    Over(f64),
    Exp,
    Log,
    Sqrt,
}

/// What an element of a node is.
enum Element {
    /// The same for all rows.
    Number(f64),
    /// What these operations make of an element of a column.
    Of(Vec<Step>),
}

impl Undo {
    /// For the target of a model; none if its field is a column as it stands, or what is done to it has no inverse.
    /// `kept` is what was learnt from the rows of the data set.
    pub fn of(predictor: &Predictor, set: &DataSet, kept: &Kept) -> Option<Undo> {
        let meaning = &predictor.meaning;
        let target = meaning.target.as_ref().filter(|_| meaning.reading == Reading::Numbers && meaning.is_of_target)?;
        if predictor.asked.graph.outputs.len() != 1 {
            return None;
        }
        let row = set.fields.iter().find(|field| field.name == *target)?.row.static_shape()?;
        let (graph, known) = kept.put_into(set);
        let output = graph.find_output(OutputKey::Named(target.clone()))?;
        let walk = Walk { graph: &graph, known: &known };
        let count: usize = row.iter().product();
        let steps = |at: usize| match walk.element(output, &place(at, &row))? {
            Element::Of(steps) => Some(steps),
            Element::Number(_) => None,
        };
        let all = (0..count).map(steps).collect::<Option<Vec<Vec<Step>>>>()?;
        all.iter().any(|steps| !steps.is_empty()).then_some(Undo(all))
    }

    /// Turns results back, row by row.
    pub fn apply(&self, results: &mut Array) {
        let width = self.0.len();
        let undone = |(at, value): (usize, f64)| self.0[at % width].iter().rev().fold(value, |value, step| step.undo(value));
        let values: Vec<f64> = results.to_f64().iter().copied().enumerate().map(undone).collect();
        match results.elements_mut() {
            Elements::F32(old) => old.iter_mut().zip(values).for_each(|(old, new)| *old = new as f32),
            Elements::F64(old) => old.copy_from_slice(&values),
            _ => {}
        }
    }
}

impl Step {
    fn undo(self, value: f64) -> f64 {
        match self {
            Step::Add(by) => value - by,
            Step::Multiply(by) => value / by,
            Step::From(by) => by - value,
            Step::Over(by) => by / value,
            Step::Exp => value.ln(),
            Step::Log => value.exp(),
            Step::Sqrt => value * value,
        }
    }
}

/// The place of an element of the first row.
fn place(mut at: usize, row: &[usize]) -> Vec<i64> {
    let mut place = vec![0; row.len() + 1];
    for (axis, size) in row.iter().enumerate().rev() {
        place[axis + 1] = (at % size) as i64;
        at /= size;
    }
    place
}

struct Walk<'a> {
    graph: &'a Graph,
    known: &'a Inputs,
}

impl Walk<'_> {
    fn element(&self, id: NodeId, at: &[i64]) -> Option<Element> {
        let node = &self.graph[id];
        match &node.op {
            Op::Input { name, ty } => match (self.known.get(name), name) {
                (Some(array), _) => Some(Element::Number(array.number(flat(array.shape(), at)?))),
                (None, InputKey::Source(_)) => {
                    // Without an axis of rows it stands for the rows of the training.
                    let has_rows = ty.shape.first().is_some_and(|size| size.as_number().is_none());
                    has_rows.then_some(Element::Of(Vec::new()))
                }
                (None, _) => None,
            },
            Op::Const(value) => {
                let place = flat(&value.shape, at)?;
                Some(Element::Number(match &value.data {
                    ConstData::Float(values) => values.get(place)?.0,
                    ConstData::Int(values) => *values.get(place)? as f64,
                    ConstData::Bool(_) => return None,
                }))
            }
            Op::Mark(_) => self.element(*node.operands.first()?, at),
            Op::Loop(body) if body.combine == Combine::Set => {
                let plain = |(axis, sub): (usize, &Sub)| matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(axis));
                if body.write.len() != body.domain.len() || !body.write.iter().enumerate().all(plain) {
                    return None;
                }
                self.scalar(body, &node.operands, body.body.result, at)
            }
            _ => None,
        }
    }

    fn scalar(&self, of: &Loop, operands: &[NodeId], id: ScalarId, at: &[i64]) -> Option<Element> {
        let again = |id: ScalarId| self.scalar(of, operands, id, at);
        match of.body.nodes.get(id.0 as usize)? {
            Scalar::Float(number) => Some(Element::Number(number.0)),
            Scalar::Int(number) => Some(Element::Number(*number as f64)),
            Scalar::Affine(form) => Some(Element::Number(value(form, at)? as f64)),
            Scalar::Read { operand, subs, .. } => {
                let place = |sub: &Sub| match sub {
                    Sub::Affine(form) => value(form, at),
                    Sub::Value(_) => None,
                };
                let place = subs.iter().map(place).collect::<Option<Vec<i64>>>()?;
                self.element(*operands.get(*operand as usize)?, &place)
            }
            Scalar::Unary(op, a) => unary(*op, again(*a)?),
            Scalar::Binary(op, a, b) => binary(*op, again(*a)?, again(*b)?),
            // `fill`: the value, or a number in the place of a missing one.
            Scalar::Select(condition, then, otherwise) => match (again(*then)?, again(*otherwise)?) {
                (Element::Of(steps), Element::Number(_)) if self.is_there(of, *condition) => Some(Element::Of(steps)),
                _ => None,
            },
            Scalar::Bool(_) | Scalar::WithSlope { .. } => None,
        }
    }

    /// Whether a condition asks if a value is given: missing values are infinite.
    fn is_there(&self, of: &Loop, condition: ScalarId) -> bool {
        let Some(Scalar::Binary(BinaryOp::Lt, _, limit)) = of.body.nodes.get(condition.0 as usize) else {
            return false;
        };
        matches!(of.body.nodes.get(limit.0 as usize), Some(Scalar::Float(limit)) if limit.0 == f64::INFINITY)
    }
}

fn unary(op: UnaryOp, of: Element) -> Option<Element> {
    let step = match op {
        UnaryOp::Neg => Step::Multiply(-1.0),
        UnaryOp::Exp => Step::Exp,
        UnaryOp::Log => Step::Log,
        UnaryOp::Sqrt => Step::Sqrt,
        UnaryOp::ToFloat => return Some(of),
        _ => return None,
    };
    Some(match of {
        Element::Of(steps) => Element::Of(steps.into_iter().chain([step]).collect()),
        Element::Number(number) => Element::Number(match step {
            Step::Exp => number.exp(),
            Step::Log => number.ln(),
            Step::Sqrt => number.sqrt(),
            _ => -number,
        }),
    })
}

fn binary(op: BinaryOp, a: Element, b: Element) -> Option<Element> {
    let with = |steps: Vec<Step>, step: Step| Some(Element::Of(steps.into_iter().chain([step]).collect()));
    match (op, a, b) {
        (BinaryOp::Add, Element::Number(a), Element::Number(b)) => Some(Element::Number(a + b)),
        (BinaryOp::Sub, Element::Number(a), Element::Number(b)) => Some(Element::Number(a - b)),
        (BinaryOp::Mul, Element::Number(a), Element::Number(b)) => Some(Element::Number(a * b)),
        (BinaryOp::Div, Element::Number(a), Element::Number(b)) => Some(Element::Number(a / b)),
        // Adding 0 and multiplying by 1 change nothing, so there is nothing to undo.
        (BinaryOp::Add, Element::Number(0.0), of) | (BinaryOp::Add | BinaryOp::Sub, of, Element::Number(0.0)) => Some(of),
        (BinaryOp::Mul, Element::Number(1.0), of) | (BinaryOp::Mul | BinaryOp::Div, of, Element::Number(1.0)) => Some(of),
        (_, Element::Of(_), Element::Of(_)) => None,
        (BinaryOp::Add, Element::Of(steps), Element::Number(c)) | (BinaryOp::Add, Element::Number(c), Element::Of(steps)) => {
            with(steps, Step::Add(c))
        }
        (BinaryOp::Sub, Element::Of(steps), Element::Number(c)) => with(steps, Step::Add(-c)),
        (BinaryOp::Sub, Element::Number(c), Element::Of(steps)) => with(steps, Step::From(c)),
        (BinaryOp::Mul, Element::Of(steps), Element::Number(c)) | (BinaryOp::Mul, Element::Number(c), Element::Of(steps)) => {
            (c != 0.0).then(|| with(steps, Step::Multiply(c))).flatten()
        }
        (BinaryOp::Div, Element::Of(steps), Element::Number(c)) => with(steps, Step::Multiply(1.0 / c)),
        (BinaryOp::Div, Element::Number(c), Element::Of(steps)) => with(steps, Step::Over(c)),
        _ => None,
    }
}

/// The value of an affine form where the indices are numbers.
fn value(form: &Affine, at: &[i64]) -> Option<i64> {
    form.terms.iter().try_fold(form.constant.as_number()?, |sum, (var, coefficient)| match var {
        Var::Index(index) => {
            let product = at.get(*index as usize)?.checked_mul(coefficient.as_number()?)?;
            sum.checked_add(product)
        }
        Var::Step(_) => None,
    })
}

/// The number of an element among all.
fn flat(shape: &[usize], at: &[i64]) -> Option<usize> {
    (shape.len() == at.len()).then_some(())?;
    shape.iter().zip(at).try_fold(0, |sum, (size, at)| {
        let at = usize::try_from(*at).ok().filter(|at| at < size)?;
        Some(sum * size + at)
    })
}
