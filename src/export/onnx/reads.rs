//! Elements of a tensor at the places that subscripts name, at all points of a loop's domain.
//!
//! | a subscript | becomes |
//! |---|---|
//! | an index | an axis, in the order of the loop |
//! | `2*i + 1` | `Slice` |
//! | a number, the step of a scan | `Gather` of one element |
//! | `i + j`, computed ints | `Gather` of a table, an axis for each index |
//! | several computed ints, an index twice | `Gather` of the tensor without axes |
//!
//! What lies outside of a tensor and reads as 0 is put there by `Pad`, or chosen by `Where`.

use super::cx::{Cx, Made};
use super::graph::{Ty, Value};
use super::layout::{Domain, Laid};
use crate::base::order::PutInOrder;
use crate::ir::{Affine, Dim, Sub, Var};

/// A tensor that is read.
#[derive(Clone)]
pub struct Source<'a> {
    pub value: Value,
    pub shape: &'a [Dim],
}

/// A subscript, computed ones as the tensor that they are.
pub enum Place<'a> {
    Affine(&'a Affine),
    Value(Laid),
}

/// How elements outside of the tensor are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// There are none.
    Never,
    /// They are not used.
    Unused,
    Zero,
}

/// What becomes of an axis.
enum Axis {
    Kept(usize),
    Slice { index: usize, start: Dim, step: i64 },
    Number(Dim),
    /// The only element of an axis.
    Only,
    Table(Laid),
}

impl Axis {
    fn indices(&self) -> Vec<usize> {
        match self {
            Axis::Kept(index) | Axis::Slice { index, .. } => vec![*index],
            Axis::Number(_) | Axis::Only => Vec::new(),
            Axis::Table(table) => table.axes.clone(),
        }
    }
}

/// By how much subscripts reach beyond the beginning and the end of an axis.
type Reach = (Dim, Dim);

/// The elements at some places.
pub fn read(cx: &mut Cx, domain: &Domain, source: &Source<'_>, places: &[Place<'_>], outside: Outside) -> Made<Laid> {
    let mut reaches = Vec::with_capacity(places.len());
    for (place, size) in places.iter().zip(source.shape) {
        let reach = match place {
            Place::Affine(affine) => reach(cx, domain, affine, size),
            Place::Value(_) if outside == Outside::Never => Some((Dim::ZERO, Dim::ZERO)),
            Place::Value(_) => None,
        };
        match reach {
            Some(reach) => reaches.push(reach),
            None => return anywhere(cx, domain, source, places, outside),
        }
    }
    let mut axes = Vec::with_capacity(places.len());
    for ((place, size), reach) in places.iter().zip(source.shape).zip(&reaches) {
        axes.push(axis(cx, domain, place, size, reach)?);
    }
    let all: Vec<usize> = axes.iter().flat_map(Axis::indices).collect();
    let mut distinct = all.clone();
    distinct.put_in_order();
    distinct.dedup();
    if distinct.len() != all.len() {
        return anywhere(cx, domain, source, places, outside);
    }
    let value = padded(cx, source, &reaches)?;
    let value = sliced(cx, domain, value, &axes)?;
    let value = gathered(cx, value, &axes)?;
    Ok(domain.in_order(cx, &value, &all))
}

/// By how much a subscript reaches beyond its axis; `None` if that is not known.
fn reach(cx: &Cx, domain: &Domain, affine: &Affine, size: &Dim) -> Option<Reach> {
    let (least, greatest) = affine.bounds(|var| match var {
        Var::Index(index) => domain.sizes[index as usize].clone(),
        Var::Step(step) => cx.steps.get(&step).map_or(Dim::ONE, |(_, trip)| trip.clone()),
    })?;
    let before = (&Dim::ZERO - &least).max_with(&Dim::ZERO);
    let after = (&(&greatest + &Dim::ONE) - size).max_with(&Dim::ZERO);
    Some((before, after))
}

fn axis(cx: &mut Cx, domain: &Domain, place: &Place<'_>, size: &Dim, reach: &Reach) -> Made<Axis> {
    let affine = match place {
        Place::Value(laid) => return Ok(Axis::Table(laid.clone())),
        Place::Affine(affine) => affine.offset(&reach.0),
    };
    let is_padded = !reach.0.is_number(0) || !reach.1.is_number(0);
    if affine.is_constant() {
        let is_only = !is_padded && size.is_number(1);
        return Ok(if is_only { Axis::Only } else { Axis::Number(affine.constant) });
    }
    if let [(Var::Index(index), coefficient)] = affine.terms.as_slice()
        && let Some(step) = coefficient.as_number()
    {
        let index = *index as usize;
        if step == 1 && affine.constant.is_number(0) && domain.sizes[index] == *size && !is_padded {
            return Ok(Axis::Kept(index));
        }
        let last = last(domain, index, &affine.constant, step);
        if step > 0 || last.as_number().is_some() {
            return Ok(Axis::Slice { index, start: affine.constant, step });
        }
    }
    Ok(Axis::Table(domain.affine(cx, &affine)?))
}

/// The last place of a slice.
fn last(domain: &Domain, index: usize, start: &Dim, step: i64) -> Dim {
    start + &(&Dim::number(step) * &(&domain.sizes[index] - &Dim::ONE))
}

/// The tensor with zeros around it.
fn padded(cx: &mut Cx, source: &Source<'_>, reaches: &[Reach]) -> Made<Value> {
    if reaches.iter().all(|(before, after)| before.is_number(0) && after.is_number(0)) {
        return Ok(source.value.clone());
    }
    let (before, after): (Vec<Dim>, Vec<Dim>) = reaches.iter().cloned().unzip();
    let widths: Vec<Dim> = before.into_iter().chain(after).collect();
    let widths = cx.sizes(&widths)?;
    Ok(cx.writer.pad(&source.value, &widths, None))
}

fn sliced(cx: &mut Cx, domain: &Domain, value: Value, axes: &[Axis]) -> Made<Value> {
    let (mut starts, mut ends, mut places, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, axis) in axes.iter().enumerate() {
        let Axis::Slice { index, start, step } = axis else { continue };
        let last = last(domain, *index, start, *step);
        starts.push(start.clone());
        // Before the first element there is no place that could be named: the end is as far as can be.
        ends.push(match (*step > 0, last.as_number()) {
            (true, _) => &last + &Dim::ONE,
            (false, Some(last)) if last > 0 => Dim::number(last - 1),
            (false, _) => Dim::number(i64::MIN + 1),
        });
        places.push(at as i64);
        steps.push(*step);
    }
    if places.is_empty() {
        return Ok(value);
    }
    let (starts, ends) = (cx.sizes(&starts)?, cx.sizes(&ends)?);
    Ok(cx.writer.slice(&value, &starts, &ends, &places, &steps))
}

/// Single elements and tables, from the last axis to the first, so that the places of axes stay.
fn gathered(cx: &mut Cx, mut value: Value, axes: &[Axis]) -> Made<Value> {
    for (at, axis) in axes.iter().enumerate().rev() {
        match axis {
            Axis::Kept(_) | Axis::Slice { .. } | Axis::Only => {}
            Axis::Number(number) => {
                let number = cx.size_scalar(number)?;
                value = cx.writer.gather(&value, &number, at);
            }
            Axis::Table(table) => value = cx.writer.gather(&value, &table.value, at),
        }
    }
    let (mut place, mut only) = (0, Vec::new());
    for axis in axes {
        match axis {
            Axis::Only => only.push(place),
            Axis::Number(_) => continue,
            _ => {}
        }
        place += if let Axis::Table(table) = axis { table.axes.len() } else { 1 };
    }
    Ok(cx.writer.squeeze(&value, &only))
}

/// Elements by their numbers in the tensor as a whole.
fn anywhere(cx: &mut Cx, domain: &Domain, source: &Source<'_>, places: &[Place<'_>], outside: Outside) -> Made<Laid> {
    let mut inside: Option<Laid> = None;
    let mut numbers = Vec::with_capacity(places.len());
    for (place, size) in places.iter().zip(source.shape) {
        let (mut number, is_sure) = match place {
            Place::Affine(affine) => {
                let reach = reach(cx, domain, affine, size);
                let is_sure = reach.is_some_and(|(before, after)| before.is_number(0) && after.is_number(0));
                (domain.affine(cx, affine)?, is_sure)
            }
            Place::Value(laid) => (laid.clone(), outside == Outside::Never),
        };
        if !is_sure {
            let (zero, end) = (Laid::scalar(cx.writer.int(0)), Laid::scalar(cx.size_scalar(size)?));
            if outside == Outside::Zero {
                inside = Some(within(cx, domain, inside, &number, [&zero, &end]));
            }
            let last = Laid::scalar(cx.size_scalar(&(size - &Dim::ONE))?);
            number = domain.binary(cx, "Min", &number, &last);
            number = domain.binary(cx, "Max", &number, &zero);
        }
        numbers.push(number);
    }
    let number = linear(cx, domain, &numbers, source.shape)?;
    let flat = flat(cx, &source.value, source.shape)?;
    let value = cx.writer.gather(&flat, &number.value, 0);
    let found = Laid { value, axes: number.axes };
    Ok(match inside {
        Some(inside) => {
            let zero = Laid::scalar(zero_of(cx, source.value.ty));
            domain.choose(cx, &inside, &found, &zero)
        }
        None => found,
    })
}

/// What held before, if anything did, and that a number lies from `zero` to before `end`.
pub fn within(cx: &mut Cx, domain: &Domain, before: Option<Laid>, number: &Laid, [zero, end]: [&Laid; 2]) -> Laid {
    let is_below = domain.compare(cx, "Less", number, end);
    let is_above = domain.compare(cx, "GreaterOrEqual", number, zero);
    let is_below = match before {
        Some(before) => domain.compare(cx, "And", &before, &is_below),
        None => is_below,
    };
    domain.compare(cx, "And", &is_below, &is_above)
}

/// The row-major number of the element with these subscripts.
pub fn linear(cx: &mut Cx, domain: &Domain, numbers: &[Laid], shape: &[Dim]) -> Made<Laid> {
    let mut sum: Option<Laid> = None;
    for (at, number) in numbers.iter().enumerate() {
        let stride = Dim::product(&shape[at + 1..]);
        let mut term = number.clone();
        if !stride.is_number(1) {
            let stride = Laid::scalar(cx.size_scalar(&stride)?);
            term = domain.binary(cx, "Mul", &term, &stride);
        }
        sum = Some(match sum {
            Some(sum) => domain.binary(cx, "Add", &sum, &term),
            None => term,
        });
    }
    match sum {
        Some(sum) => Ok(sum),
        None => Ok(Laid::scalar(cx.writer.int(0))),
    }
}

/// The tensor with one axis.
pub fn flat(cx: &mut Cx, value: &Value, shape: &[Dim]) -> Made<Value> {
    cx.reshape(value, shape, &[Dim::product(shape)])
}

pub fn zero_of(cx: &mut Cx, ty: Ty) -> Value {
    match ty {
        Ty::F32 | Ty::F64 => cx.writer.float(0.0),
        Ty::I64 => cx.writer.int(0),
        Ty::Bool => cx.writer.bool(false),
    }
}

/// The subscripts of a read or write, with the computed ones as tensors.
pub fn places<'a>(subs: &'a [Sub], computed: &dyn Fn(crate::ir::ScalarId) -> Option<Laid>) -> Made<Vec<Place<'a>>> {
    let place = |sub: &'a Sub| match sub {
        Sub::Affine(affine) => Ok(Place::Affine(affine)),
        Sub::Value(id) => match computed(*id) {
            Some(laid) => Ok(Place::Value(laid)),
            None => Err("a subscript without a value".to_owned()),
        },
    };
    subs.iter().map(place).collect()
}
