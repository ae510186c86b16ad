//! Evaluation of a loop: each scalar operation is applied to a chunk of the innermost index at a time.
//!
//! Both branches of a select are computed, which only matters where one of them reads out of bounds: such a chunk
//! is computed again point by point, lazily.

use super::lazy;
use super::prepare::{Access, Linear, Prepared, Step, Subscript, prepare};
use super::real::{compare, float_binary, float_unary, int_binary};
use super::tensor::Cell;
use super::{Data, EvalError, Real, Tensor};
use crate::base::Span;
use crate::ir::affine::StepId;
use crate::ir::graph::{Combine, Loop, NodeId};
use crate::ir::scalar::{BinaryOp, ScalarId, UnaryOp};

/// The longest chunk.
const PIECE: usize = 256;

/// The value of a loop.
pub(super) fn run<F: Real>(
    node: NodeId,
    source: &Loop,
    operands: &[&Tensor<F>],
    counters: &[(StepId, i64)],
) -> Result<Tensor<F>, EvalError> {
    let prepared = prepare(node, source, operands, counters)?;
    let mut target = Target::new(&prepared);
    let mut columns: Vec<Data<F>> =
        prepared.elems.iter().map(|elem| Data::zeros(*elem, PIECE.min(prepared.row()))).collect();
    prepared.for_each_piece(|index, len| {
        if prepared.fill(&mut columns, index, len)? {
            let offset = |access: &Access, at: usize| access.element(&columns, index, at);
            let result = &columns[prepared.result.0 as usize];
            for at in 0..len {
                target.combine(&prepared, index, at, offset(&prepared.write, at), &result.get(at))?;
            }
            return Ok(());
        }
        let mut point = index.to_vec();
        for at in 0..len {
            let (value, element) = lazy::point(&prepared, &point)?;
            target.combine(&prepared, index, at, element, &value)?;
            if let Some(last) = point.last_mut() {
                *last += 1;
            }
        }
        Ok(())
    })?;
    Ok(target.finish(prepared.combine, prepared.shape))
}

impl<F: Real> Prepared<'_, F> {
    /// The extent of the innermost index.
    fn row(&self) -> usize {
        self.domain.last().map_or(1, |size| *size as usize)
    }

    /// Calls `visit` with the first point and the length of each chunk, in row-major order.
    fn for_each_piece(
        &self,
        mut visit: impl FnMut(&[i64], usize) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        if self.domain.iter().any(|size| *size <= 0) {
            return Ok(());
        }
        let mut index = vec![0; self.domain.len()];
        loop {
            let mut start = 0;
            while start < self.row() {
                let len = PIECE.min(self.row() - start);
                if let Some(last) = index.last_mut() {
                    *last = start as i64;
                }
                visit(&index, len)?;
                start += len;
            }
            let outer = self.domain.len().saturating_sub(1);
            let Some(axis) = (0..outer).rev().find(|axis| index[*axis] + 1 < self.domain[*axis]) else {
                return Ok(());
            };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }

    /// Computes all scalars of a chunk; `false` if a read that is not padded is out of bounds, which is no error if
    /// the value is not used.
    ///
    /// # Errors
    /// If an int overflows 64 bits.
    fn fill(&self, columns: &mut [Data<F>], index: &[i64], len: usize) -> Result<bool, EvalError> {
        for (at, step) in self.steps.iter().enumerate() {
            let (before, rest) = columns.split_at_mut(at);
            let of = |id: &ScalarId| &before[id.0 as usize];
            let out = &mut rest[0];
            match step {
                Step::Float(value) => {
                    if let Data::Float(out) = out {
                        out[..len].fill(F::from_f64(*value));
                    }
                }
                Step::Int(value) => {
                    if let Data::Int(out) = out {
                        out[..len].fill(*value);
                    }
                }
                Step::Bool(value) => {
                    if let Data::Bool(out) = out {
                        out[..len].fill(*value);
                    }
                }
                Step::Linear(linear) => {
                    let (start, stride) = (linear.at(index), linear.stride());
                    if let Data::Int(out) = out {
                        let values = out[..len].iter_mut().enumerate();
                        values.for_each(|(k, out)| *out = start + stride * k as i64);
                    }
                }
                Step::Read { operand, access, padded } => {
                    if !read(out, &self.operands[*operand].data, access, *padded, before, index, len) {
                        return Ok(false);
                    }
                }
                Step::Unary(op, a) => {
                    if !unary(*op, of(a), out, len) {
                        return Err(EvalError::Overflow(self.node, Span::NONE));
                    }
                }
                Step::Binary(op, a, b) => {
                    if !binary(*op, of(a), of(b), out, len) {
                        return Err(EvalError::Overflow(self.node, Span::NONE));
                    }
                }
                Step::Select(condition, a, b) => {
                    if let Data::Bool(condition) = of(condition) {
                        select(condition, of(a), of(b), out, len);
                    }
                }
                Step::Same(a) => copy(of(a), out, len),
            }
        }
        Ok(true)
    }
}

impl Access {
    /// The number of the element at a point of a chunk; `None` if it is out of bounds.
    fn element<F: Real>(&self, columns: &[Data<F>], index: &[i64], at: usize) -> Option<usize> {
        if let Some(direct) = &self.direct {
            return Some((direct.at(index) + direct.stride() * at as i64) as usize);
        }
        self.checked(|sub| match sub {
            Subscript::Linear(linear) => linear.at(index) + linear.stride() * at as i64,
            Subscript::Value(id) => match &columns[id.0 as usize] {
                Data::Int(values) => values[at],
                Data::Float(_) | Data::Bool(_) => -1,
            },
        })
    }

    pub fn checked(&self, mut value: impl FnMut(&Subscript) -> i64) -> Option<usize> {
        let mut sum = 0;
        for ((sub, size), stride) in self.subs.iter().zip(&self.shape).zip(&self.strides) {
            let value = value(sub);
            if value < 0 || value >= *size {
                return None;
            }
            sum += value * stride;
        }
        Some(sum as usize)
    }
}

/// Reads a chunk; `false` if it is out of bounds and not padded.
fn read<F: Real>(
    out: &mut Data<F>,
    source: &Data<F>,
    access: &Access,
    padded: bool,
    before: &[Data<F>],
    index: &[i64],
    len: usize,
) -> bool {
    fn gather<T: Copy + Default>(
        out: &mut [T],
        source: &[T],
        direct: Option<&Linear>,
        padded: bool,
        index: &[i64],
        mut element: impl FnMut(usize) -> Option<usize>,
    ) -> bool {
        if let Some(direct) = direct {
            let (start, stride) = (direct.at(index), direct.stride());
            if stride == 1 {
                out.copy_from_slice(&source[start as usize..start as usize + out.len()]);
            } else {
                let places = out.iter_mut().enumerate();
                places.for_each(|(k, out)| *out = source[(start + stride * k as i64) as usize]);
            }
            return true;
        }
        for (k, out) in out.iter_mut().enumerate() {
            *out = match element(k) {
                Some(at) => source[at],
                None if padded => T::default(),
                None => return false,
            };
        }
        true
    }
    let direct = access.direct.as_ref();
    let element = |at| access.element(before, index, at);
    match (out, source) {
        (Data::Float(out), Data::Float(source)) => {
            gather(&mut out[..len], source, direct, padded, index, element)
        }
        (Data::Int(out), Data::Int(source)) => {
            gather(&mut out[..len], source, direct, padded, index, element)
        }
        (Data::Bool(out), Data::Bool(source)) => {
            gather(&mut out[..len], source, direct, padded, index, element)
        }
        _ => false,
    }
}

fn map<A: Copy, T>(a: &[A], out: &mut [T], len: usize, f: impl Fn(A) -> T) {
    out[..len].iter_mut().zip(a).for_each(|(out, a)| *out = f(*a));
}

fn zip<A: Copy, T>(a: &[A], b: &[A], out: &mut [T], len: usize, f: impl Fn(A, A) -> T) {
    out[..len].iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = f(*a, *b));
}

/// Puts results in place; `false` if 64 bits do not hold one.
fn put_whole(out: &mut [i64], len: usize, mut results: impl Iterator<Item = Option<i64>>) -> bool {
    out[..len].iter_mut().all(|out| match results.next().flatten() {
        Some(value) => {
            *out = value;
            true
        }
        None => false,
    })
}

/// Applies an operation to a chunk; `false` if an int overflows 64 bits. Here and below the types fit, which
/// `prepare` has checked.
pub(super) fn unary<F: Real>(op: UnaryOp, a: &Data<F>, out: &mut Data<F>, len: usize) -> bool {
    match (a, out) {
        (Data::Int(a), Data::Int(out)) if op == UnaryOp::Neg => {
            return put_whole(out, len, a.iter().map(|a| a.checked_neg()));
        }
        (Data::Float(a), Data::Float(out)) => {
            if let Some(f) = float_unary::<F>(op) {
                map(a, out, len, f);
            }
        }
        (Data::Float(a), Data::Int(out)) => map(a, out, len, F::to_i64),
        (Data::Int(a), Data::Int(out)) => map(a, out, len, |a| a),
        (Data::Int(a), Data::Float(out)) => map(a, out, len, F::from_i64),
        (Data::Bool(a), Data::Float(out)) => map(a, out, len, |a| F::from_i64(i64::from(a))),
        (Data::Bool(a), Data::Int(out)) => map(a, out, len, i64::from),
        (Data::Bool(a), Data::Bool(out)) if op == UnaryOp::Not => map(a, out, len, |a| !a),
        (Data::Bool(a), Data::Bool(out)) => map(a, out, len, |a| a),
        (Data::Float(_) | Data::Int(_), Data::Bool(_)) => {}
    }
    true
}

pub(super) fn binary<F: Real>(op: BinaryOp, a: &Data<F>, b: &Data<F>, out: &mut Data<F>, len: usize) -> bool {
    match (a, b, out) {
        (Data::Float(a), Data::Float(b), Data::Float(out)) => match op {
            BinaryOp::Add => zip(a, b, out, len, |a, b| a + b),
            BinaryOp::Mul => zip(a, b, out, len, |a, b| a * b),
            _ => {
                if let Some(f) = float_binary::<F>(op) {
                    zip(a, b, out, len, f);
                }
            }
        },
        (Data::Float(a), Data::Float(b), Data::Bool(out)) => {
            if let Some(f) = compare::<F>(op) {
                zip(a, b, out, len, |a, b| f(&a, &b));
            }
        }
        (Data::Int(a), Data::Int(b), Data::Int(out)) => {
            if let Some(f) = int_binary(op) {
                return put_whole(out, len, a.iter().zip(b).map(|(a, b)| f(*a, *b)));
            }
        }
        (Data::Int(a), Data::Int(b), Data::Bool(out)) => {
            if let Some(f) = compare::<i64>(op) {
                zip(a, b, out, len, |a, b| f(&a, &b));
            }
        }
        (Data::Bool(a), Data::Bool(b), Data::Bool(out)) => match op {
            BinaryOp::And => zip(a, b, out, len, |a, b| a && b),
            BinaryOp::Or => zip(a, b, out, len, |a, b| a || b),
            _ => zip(a, b, out, len, |a, b| a == b),
        },
        _ => {}
    }
    true
}

fn select<F: Real>(condition: &[bool], a: &Data<F>, b: &Data<F>, out: &mut Data<F>, len: usize) {
    fn choose<T: Copy>(condition: &[bool], a: &[T], b: &[T], out: &mut [T]) {
        for (((out, condition), a), b) in out.iter_mut().zip(condition).zip(a).zip(b) {
            *out = if *condition { *a } else { *b };
        }
    }
    match (a, b, out) {
        (Data::Float(a), Data::Float(b), Data::Float(out)) => choose(condition, a, b, &mut out[..len]),
        (Data::Int(a), Data::Int(b), Data::Int(out)) => choose(condition, a, b, &mut out[..len]),
        (Data::Bool(a), Data::Bool(b), Data::Bool(out)) => choose(condition, a, b, &mut out[..len]),
        _ => {}
    }
}

fn copy<F: Real>(a: &Data<F>, out: &mut Data<F>, len: usize) {
    match (a, out) {
        (Data::Float(a), Data::Float(out)) => out[..len].copy_from_slice(&a[..len]),
        (Data::Int(a), Data::Int(out)) => out[..len].copy_from_slice(&a[..len]),
        (Data::Bool(a), Data::Bool(out)) => out[..len].copy_from_slice(&a[..len]),
        _ => {}
    }
}

/// The result of a loop while it is computed.
struct Target<F> {
    /// For ArgMax and ArgMin the best values so far.
    values: Data<F>,
    /// Their row-major numbers.
    winners: Vec<i64>,
    /// For Set, which elements are written.
    written: Vec<bool>,
}

impl<F: Real> Target<F> {
    fn new(prepared: &Prepared<'_, F>) -> Target<F> {
        let count: usize = prepared.shape.iter().product();
        let elem = prepared.elems[prepared.result.0 as usize];
        let values = Data::identity(prepared.combine, elem, count);
        let (winners, written) = match prepared.combine {
            Combine::ArgMax | Combine::ArgMin => (vec![0; count], Vec::new()),
            Combine::Set => (Vec::new(), vec![false; count]),
            Combine::Add | Combine::Mul | Combine::Max | Combine::Min => (Vec::new(), Vec::new()),
        };
        Target { values, winners, written }
    }

    /// Puts the value of point `index` + `at` along the last index to an element, or nowhere.
    fn combine(
        &mut self,
        prepared: &Prepared<'_, F>,
        index: &[i64],
        at: usize,
        element: Option<usize>,
        value: &Cell<F>,
    ) -> Result<(), EvalError> {
        let Some(element) = element else {
            if prepared.dropping {
                return Ok(());
            }
            let mut point = index.to_vec();
            point.last_mut().into_iter().for_each(|last| *last += at as i64);
            let subscripts = lazy::subscripts(prepared, &prepared.write, &point)?;
            return Err(EvalError::WriteOutside {
                node: prepared.node,
                subscripts,
                shape: prepared.shape.clone(),
            });
        };
        if prepared.combine == Combine::Set && std::mem::replace(&mut self.written[element], true) {
            return Err(EvalError::WrittenTwice { node: prepared.node, element });
        }
        let overflow = || EvalError::Overflow(prepared.node, Span::NONE);
        let replaced = match (&mut self.values, value) {
            (Data::Float(elements), Cell::Float(value)) => {
                let target = &mut elements[element];
                let before = *target;
                *target = match prepared.combine {
                    Combine::Set => *value,
                    Combine::Add => before + *value,
                    Combine::Mul => before * *value,
                    Combine::Max | Combine::ArgMax | Combine::Min | Combine::ArgMin => {
                        let greatest = matches!(prepared.combine, Combine::Max | Combine::ArgMax);
                        let better = is_better(*value, before, greatest);
                        if better {
                            *target = *value;
                        }
                        return self.note_winner(prepared, index, at, element, better);
                    }
                };
                false
            }
            (Data::Int(elements), Cell::Int(value)) => {
                let target = &mut elements[element];
                let before = *target;
                *target = match prepared.combine {
                    Combine::Set => *value,
                    Combine::Add => before.checked_add(*value).ok_or_else(overflow)?,
                    Combine::Mul => before.checked_mul(*value).ok_or_else(overflow)?,
                    Combine::Max | Combine::ArgMax => before.max(*value),
                    Combine::Min | Combine::ArgMin => before.min(*value),
                };
                *target != before
            }
            (Data::Bool(elements), Cell::Bool(value)) => {
                let target = &mut elements[element];
                let before = *target;
                *target = match prepared.combine {
                    Combine::Set => *value,
                    Combine::Add | Combine::Max | Combine::ArgMax => before | *value,
                    Combine::Mul | Combine::Min | Combine::ArgMin => before & *value,
                };
                *target != before
            }
            _ => return Err(EvalError::Malformed(prepared.node)),
        };
        self.note_winner(prepared, index, at, element, replaced)
    }

    /// Records the number of the point whose value `ArgMax` or `ArgMin` has taken.
    fn note_winner(
        &mut self,
        prepared: &Prepared<'_, F>,
        index: &[i64],
        at: usize,
        element: usize,
        replaced: bool,
    ) -> Result<(), EvalError> {
        if replaced && matches!(prepared.combine, Combine::ArgMax | Combine::ArgMin) {
            let place = prepared.place.at(index) + prepared.place.stride() * at as i64;
            self.winners[element] = place;
        }
        Ok(())
    }

    fn finish(self, combine: Combine, shape: Vec<usize>) -> Tensor<F> {
        let data = match combine {
            Combine::ArgMax | Combine::ArgMin => Data::Int(self.winners),
            Combine::Set | Combine::Add | Combine::Mul | Combine::Max | Combine::Min => self.values,
        };
        Tensor { shape, data }
    }
}

/// Whether a value takes the place of the greatest (or least) one so far: if it is above (below) it, or if it is
/// the first NaN.
fn is_better<F: Real>(value: F, best: F, greatest: bool) -> bool {
    let is_nan = |number: F| number.partial_cmp(&number).is_none();
    let beyond = if greatest { value > best } else { value < best };
    beyond || (is_nan(value) && !is_nan(best))
}
