//! Lazy evaluation of one point of a loop, for loops in which a branch that is not taken reads out of bounds.

use super::loops::{binary, unary};
use super::prepare::{Access, Prepared, Step, Subscript};
use super::tensor::Cell;
use super::{Data, EvalError, Real};
use crate::base::Span;
use crate::ir::scalar::ScalarId;

/// The value at a point and the number of the element that it is written to, `None` if that is out of bounds.
pub(super) fn point<F: Real>(
    prepared: &Prepared<'_, F>,
    index: &[i64],
) -> Result<(Cell<F>, Option<usize>), EvalError> {
    let value = scalar(prepared, index, prepared.result)?;
    let subscripts = subscripts(prepared, &prepared.write, index)?;
    Ok((value, element(&prepared.write, &subscripts)))
}

pub(super) fn subscripts<F: Real>(
    prepared: &Prepared<'_, F>,
    access: &Access,
    index: &[i64],
) -> Result<Vec<i64>, EvalError> {
    let values = access.subs.iter().map(|sub| match sub {
        Subscript::Linear(linear) => Ok(linear.at(index)),
        Subscript::Value(id) => match scalar(prepared, index, *id)? {
            Cell::Int(value) => Ok(value),
            Cell::Float(_) | Cell::Bool(_) => Err(EvalError::Malformed(prepared.node)),
        },
    });
    values.collect()
}

fn element(access: &Access, subscripts: &[i64]) -> Option<usize> {
    let mut values = subscripts.iter();
    access.checked(|_| values.next().copied().unwrap_or(-1))
}

fn scalar<F: Real>(prepared: &Prepared<'_, F>, index: &[i64], id: ScalarId) -> Result<Cell<F>, EvalError> {
    let at = id.0 as usize;
    let of = |id: &ScalarId| scalar(prepared, index, *id);
    Ok(match &prepared.steps[at] {
        Step::Float(value) => Cell::Float(F::from_f64(*value)),
        Step::Int(value) => Cell::Int(*value),
        Step::Bool(value) => Cell::Bool(*value),
        Step::Linear(linear) => Cell::Int(linear.at(index)),
        Step::Read { operand, access, padded } => {
            let subscripts = subscripts(prepared, access, index)?;
            let tensor = prepared.operands[*operand];
            match element(access, &subscripts) {
                Some(element) => tensor.data.get(element),
                None if *padded => Cell::zero(tensor.data.elem()),
                None => {
                    let (node, shape) = (prepared.node, tensor.shape.clone());
                    return Err(EvalError::ReadOutside { node, subscripts, shape });
                }
            }
        }
        Step::Unary(op, a) => {
            let mut out = Data::zeros(prepared.elems[at], 1);
            if !unary(*op, &single(of(a)?), &mut out, 1) {
                return Err(EvalError::Overflow(prepared.node, Span::NONE));
            }
            out.get(0)
        }
        Step::Binary(op, a, b) => {
            let mut out = Data::zeros(prepared.elems[at], 1);
            if !binary(*op, &single(of(a)?), &single(of(b)?), &mut out, 1) {
                return Err(EvalError::Overflow(prepared.node, Span::NONE));
            }
            out.get(0)
        }
        Step::Select(condition, a, b) => match of(condition)? {
            Cell::Bool(true) => of(a)?,
            Cell::Bool(false) => of(b)?,
            Cell::Float(_) | Cell::Int(_) => return Err(EvalError::Malformed(prepared.node)),
        },
        Step::Same(a) => of(a)?,
    })
}

fn single<F: Real>(cell: Cell<F>) -> Data<F> {
    match cell {
        Cell::Float(value) => Data::Float(vec![value]),
        Cell::Int(value) => Data::Int(vec![value]),
        Cell::Bool(value) => Data::Bool(vec![value]),
    }
}
