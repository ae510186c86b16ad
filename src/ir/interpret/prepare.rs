//! A loop that is prepared for interpretation: sizes and scan counters are numbers, subscripts are strides.

use super::{EvalError, Real, Tensor};
use crate::ir::affine::{Affine, StepId, Var};
use crate::ir::graph::{Combine, Loop, NodeId};
use crate::ir::scalar::{BinaryOp, Scalar, ScalarId, Sub, UnaryOp};
use crate::ir::types::Elem;

/// `constant + Σ coefficients[k] · index[k]`.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub constant: i64,
    pub coefficients: Vec<i64>,
}

/// One subscript.
#[derive(Clone, Debug)]
pub(super) enum Subscript {
    Linear(Linear),
    Value(ScalarId),
}

/// The element of a tensor that subscripts name.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub subs: Vec<Subscript>,
    pub shape: Vec<i64>,
    pub strides: Vec<i64>,
    /// The row-major number of the element, if the subscripts are affine and in bounds over the whole domain.
    pub direct: Option<Linear>,
}

#[derive(Debug)]
pub(super) enum Step {
    Float(f64),
    Int(i64),
    Bool(bool),
    Linear(Linear),
    Read {
        operand: usize,
        access: Access,
        padded: bool,
    },
    Unary(UnaryOp, ScalarId),
    Binary(BinaryOp, ScalarId, ScalarId),
    Select(ScalarId, ScalarId, ScalarId),
    /// The same value: that of a `WithSlope`, whose slope matters to derivatives only.
    Same(ScalarId),
}

pub(super) struct Prepared<'a, F> {
    pub node: NodeId,
    pub domain: Vec<i64>,
    pub shape: Vec<usize>,
    pub steps: Vec<Step>,
    /// The element type of each step.
    pub elems: Vec<Elem>,
    pub result: ScalarId,
    pub operands: &'a [&'a Tensor<F>],
    pub write: Access,
    pub dropping: bool,
    pub combine: Combine,
    /// The number that ArgMax and ArgMin record.
    pub place: Linear,
}

pub(super) fn prepare<'a, F: Real>(
    node: NodeId,
    source: &Loop,
    operands: &'a [&'a Tensor<F>],
    counters: &[(StepId, i64)],
) -> Result<Prepared<'a, F>, EvalError> {
    let number = |dim: &crate::ir::Dim| dim.as_number().ok_or(EvalError::NotStatic(node));
    let domain: Vec<i64> = source.domain.iter().map(number).collect::<Result<_, _>>()?;
    let shape: Vec<i64> = source.shape.iter().map(number).collect::<Result<_, _>>()?;
    let linear = |affine: &Affine| linear(affine, domain.len(), counters).ok_or(EvalError::NotStatic(node));
    let access = |subs: &[Sub], shape: Vec<i64>| -> Result<Access, EvalError> {
        if subs.len() != shape.len() {
            return Err(EvalError::Malformed(node));
        }
        let places = subs.iter().map(|sub| match sub {
            Sub::Affine(affine) => Ok(Subscript::Linear(linear(affine)?)),
            Sub::Value(id) => Ok(Subscript::Value(*id)),
        });
        Ok(Access::new(places.collect::<Result<_, EvalError>>()?, shape, &domain))
    };

    let mut steps = Vec::with_capacity(source.body.nodes.len());
    let mut elems: Vec<Elem> = Vec::with_capacity(source.body.nodes.len());
    for (at, scalar) in source.body.nodes.iter().enumerate() {
        let mut in_order = true;
        scalar.for_each_operand(|id| in_order &= (id.0 as usize) < at);
        if !in_order {
            return Err(EvalError::Malformed(node));
        }
        let elem_of = |id: &ScalarId| elems[id.0 as usize];
        let (step, elem) = match scalar {
            Scalar::Float(value) => (Step::Float(value.0), Some(Elem::Float)),
            Scalar::Int(value) => (Step::Int(*value), Some(Elem::Int)),
            Scalar::Bool(value) => (Step::Bool(*value), Some(Elem::Bool)),
            Scalar::Affine(affine) => (Step::Linear(linear(affine)?), Some(Elem::Int)),
            Scalar::Read { operand, subs, padded } => {
                let operand = *operand as usize;
                let tensor = operands.get(operand).ok_or(EvalError::Malformed(node))?;
                let access = access(subs, tensor.shape.iter().map(|size| *size as i64).collect())?;
                (Step::Read { operand, access, padded: *padded }, Some(tensor.data.elem()))
            }
            Scalar::Unary(op, a) => (Step::Unary(*op, *a), op.result(elem_of(a))),
            Scalar::Binary(op, a, b) => {
                let elem = op.result(elem_of(a)).filter(|_| elem_of(a) == elem_of(b));
                (Step::Binary(*op, *a, *b), elem)
            }
            Scalar::Select(condition, a, b) => {
                let fits = elem_of(condition) == Elem::Bool && elem_of(a) == elem_of(b);
                (Step::Select(*condition, *a, *b), Some(elem_of(a)).filter(|_| fits))
            }
            Scalar::WithSlope { value, .. } => (Step::Same(*value), Some(elem_of(value))),
        };
        steps.push(step);
        elems.push(elem.ok_or(EvalError::Malformed(node))?);
    }
    let values = |subs: &[Subscript]| {
        subs.iter().all(|sub| match sub {
            Subscript::Linear(_) => true,
            Subscript::Value(id) => elems.get(id.0 as usize) == Some(&Elem::Int),
        })
    };
    let write = access(&source.write, shape.clone())?;
    let reads_fit = steps.iter().all(|step| match step {
        Step::Read { access, .. } => values(&access.subs),
        _ => true,
    });
    if source.body.result.0 as usize >= steps.len() || !values(&write.subs) || !reads_fit {
        return Err(EvalError::Malformed(node));
    }
    let place = reduced_place(source, &domain);
    let shape = shape.into_iter().map(|size| size as usize).collect();
    let (result, dropping, combine) = (source.body.result, source.dropping, source.combine);
    Ok(Prepared { node, domain, shape, steps, elems, result, operands, write, dropping, combine, place })
}

/// The row-major number of a point among the indices that no subscript of the write uses.
fn reduced_place(source: &Loop, domain: &[i64]) -> Linear {
    let used = |index: usize| {
        source.write.iter().any(|sub| match sub {
            Sub::Affine(affine) => affine.uses(Var::Index(index as u32)),
            Sub::Value(_) => false,
        })
    };
    let mut coefficients = vec![0; domain.len()];
    let mut stride = 1;
    for index in (0..domain.len()).rev().filter(|index| !used(*index)) {
        coefficients[index] = stride;
        stride *= domain[index];
    }
    Linear { constant: 0, coefficients }
}

fn linear(affine: &Affine, rank: usize, counters: &[(StepId, i64)]) -> Option<Linear> {
    let mut result = Linear { constant: affine.constant.as_number()?, coefficients: vec![0; rank] };
    for (var, coefficient) in &affine.terms {
        let coefficient = coefficient.as_number()?;
        match var {
            Var::Index(index) => *result.coefficients.get_mut(*index as usize)? += coefficient,
            Var::Step(step) => {
                let (_, at) = counters.iter().find(|(counter, _)| counter == step)?;
                result.constant += coefficient * at;
            }
        }
    }
    Some(result)
}

impl Linear {
    pub fn at(&self, index: &[i64]) -> i64 {
        self.coefficients
            .iter()
            .zip(index)
            .fold(self.constant, |sum, (c, i)| sum.wrapping_add(c.wrapping_mul(*i)))
    }

    /// The step from one point to the next along the last index.
    pub fn stride(&self) -> i64 {
        self.coefficients.last().copied().unwrap_or(0)
    }

    fn lies_within(&self, size: i64, domain: &[i64]) -> bool {
        let (mut least, mut greatest) = (self.constant, self.constant);
        for (coefficient, extent) in self.coefficients.iter().zip(domain) {
            let reach = coefficient.saturating_mul((extent - 1).max(0));
            if reach > 0 {
                greatest = greatest.saturating_add(reach);
            } else {
                least = least.saturating_add(reach);
            }
        }
        least >= 0 && greatest < size
    }
}

impl Access {
    fn new(subs: Vec<Subscript>, shape: Vec<i64>, domain: &[i64]) -> Access {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let mut direct = Some(Linear { constant: 0, coefficients: vec![0; domain.len()] });
        for ((sub, size), stride) in subs.iter().zip(&shape).zip(&strides) {
            direct = match (sub, direct) {
                (Subscript::Linear(sub), Some(mut sum)) if sub.lies_within(*size, domain) => {
                    sum.constant += sub.constant * stride;
                    for (total, coefficient) in sum.coefficients.iter_mut().zip(&sub.coefficients) {
                        *total += coefficient * stride;
                    }
                    Some(sum)
                }
                _ => None,
            };
        }
        Access { subs, shape, strides, direct }
    }
}
