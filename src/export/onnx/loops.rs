//! A loop as nodes: its scalars over the domain, combined over the indices that the result does not have, and put in
//! the places that the result's subscripts name.

use std::convert::Infallible;

use super::cx::{Cx, Made};
use super::graph::{Attribute, Ty, Value};
use super::layout::{Domain, Laid};
use super::reads::{Source, zero_of};
use super::scalars::Scalars;
use super::{pieces, products, scatters, transposed, windows};
use crate::ir::recognise::{Kind, recognise};
use crate::ir::{Affine, Combine, Dim, Loop, Sub, Var};

/// The result of a loop.
pub fn written(cx: &mut Cx, body: &Loop, sources: &[Source<'_>]) -> Made<Value> {
    let body = &without_single_indices(body);
    if let Some((axis, pieces)) = pieces::pieces(body) {
        let made = pieces.iter().map(|piece| written(cx, piece, sources)).collect::<Made<Vec<Value>>>()?;
        return Ok(cx.writer.concat(&made, axis as i64));
    }
    let Some(places) = places(body) else {
        return match transposed::written(cx, body, sources)? {
            Some(made) => Ok(made),
            None => scatters::written(cx, body, sources),
        };
    };
    let first: Vec<usize> = places.iter().filter_map(Place::index).collect();
    let domain = Domain::new(&body.domain, &first);
    let made = match recognise(body) {
        Kind::Contraction(product) => match windows::pointwise(cx, &domain, body, sources, &product)? {
            Some(made) => Some(made),
            None => products::sum(cx, &domain, body, sources, &product)?,
        },
        Kind::Window(window) => match windows::sum(cx, &domain, body, sources, &window)? {
            Some(made) => Some(made),
            None => match &window.product {
                Some(product) if !window.is_transposed => products::sum(cx, &domain, body, sources, product)?,
                _ => None,
            },
        },
        _ => None,
    };
    let combined = match made {
        Some(made) => made,
        None => {
            let mut scalars = Scalars::new(&domain, &body.body, sources, &[body.body.result]);
            let value = scalars.value(cx, body.body.result)?;
            combined(cx, &domain, body, &first, &value)?
        }
    };
    put(cx, &domain, body, &places, &combined)
}

/// The loop without the indices that have one value.
fn without_single_indices(body: &Loop) -> Loop {
    let is_single = |var: &Var| match var {
        Var::Index(index) => body.domain[*index as usize].is_number(1),
        Var::Step(_) => false,
    };
    let without = |affine: &Affine| -> Result<Affine, Infallible> {
        Ok(affine.substitute(|var| if is_single(&var) { Affine::constant(0i64) } else { Affine::var(var) }))
    };
    match body.try_map_sizes(&mut |dim| Ok(dim.clone()), &mut { without }) {
        Ok(body) => body,
        Err(never) => match never {},
    }
}

/// Where a loop writes along an axis of its result.
enum Place {
    /// Everywhere.
    Whole(usize),
    /// From a place on, forwards or backwards.
    Part { index: usize, start: Dim, is_reversed: bool },
    At(Dim),
}

impl Place {
    fn index(&self) -> Option<usize> {
        match self {
            Place::Whole(index) | Place::Part { index, .. } => Some(*index),
            Place::At(_) => None,
        }
    }
}

/// The places, if they are a box within the result.
fn places(body: &Loop) -> Option<Vec<Place>> {
    let mut seen = Vec::new();
    let mut places = Vec::with_capacity(body.write.len());
    for (sub, size) in body.write.iter().zip(&body.shape) {
        let Sub::Affine(affine) = sub else { return None };
        if body.dropping {
            let (least, greatest) = affine.bounds(|var| match var {
                Var::Index(index) => body.domain[index as usize].clone(),
                Var::Step(_) => Dim::ONE,
            })?;
            if !least.at_least(&Dim::ZERO) || !size.at_least(&(&greatest + &Dim::ONE)) {
                return None;
            }
        }
        places.push(match affine.terms.as_slice() {
            [] => Place::At(affine.constant.clone()),
            [(Var::Index(index), coefficient)] => {
                let index = *index as usize;
                if seen.contains(&index) {
                    return None;
                }
                seen.push(index);
                let domain = &body.domain[index];
                match coefficient.as_number() {
                    Some(1) if affine.constant.is_number(0) && domain == size => Place::Whole(index),
                    Some(1) => Place::Part { index, start: affine.constant.clone(), is_reversed: false },
                    Some(-1) => {
                        let start = &affine.constant - &(domain - &Dim::ONE);
                        Place::Part { index, start, is_reversed: true }
                    }
                    _ => return None,
                }
            }
            _ => return None,
        });
    }
    Some(places)
}

/// The tensor combined over the indices that are not among `kept`.
fn combined(cx: &mut Cx, domain: &Domain, body: &Loop, kept: &[usize], value: &Laid) -> Made<Laid> {
    let live = |index: &usize| !body.domain[*index].is_number(1);
    let summed: Vec<usize> = (0..body.domain.len()).filter(|index| !kept.contains(index)).filter(live).collect();
    if matches!(body.combine, Combine::ArgMax | Combine::ArgMin) {
        return place_of_extreme(cx, domain, body, &summed, value);
    }
    let (there, missing): (Vec<usize>, Vec<usize>) = summed.iter().partition(|index| value.axes.contains(index));
    let mut value = value.clone();
    if !missing.is_empty() {
        let count = Dim::product(missing.iter().map(|index| &body.domain[*index]));
        match body.combine {
            Combine::Add => {
                let ty = value.value.ty;
                let count = cx.size_scalar(&count)?;
                let count = Laid::scalar(cx.writer.cast(&count, ty));
                value = domain.binary(cx, "Mul", &value, &count);
            }
            Combine::Mul => {
                let all = domain.union([value.axes.as_slice(), &missing]);
                value = domain.spread(cx, &value, &all)?;
            }
            _ => {}
        }
    }
    let there = if body.combine == Combine::Mul { summed } else { there };
    let axes: Vec<usize> =
        value.axes.iter().enumerate().filter(|(_, index)| there.contains(index)).map(|(at, _)| at).collect();
    let op = match body.combine {
        Combine::Set | Combine::Add => "ReduceSum",
        Combine::Mul => "ReduceProd",
        Combine::Max => "ReduceMax",
        Combine::Min => "ReduceMin",
        Combine::ArgMax | Combine::ArgMin => return Err("the place of an extreme".to_owned()),
    };
    let ty = value.value.ty;
    let counted = if ty == Ty::Bool && !axes.is_empty() { cx.writer.cast(&value.value, Ty::I64) } else { value.value };
    let reduced = cx.writer.reduce(op, &counted, &axes, false);
    let count = Dim::product(there.iter().map(|index| &body.domain[*index])).as_number();
    if let (Combine::Add, Some(count), false) = (body.combine, count, axes.is_empty()) {
        cx.writer.note_count(&reduced, count);
    }
    let reduced = cx.writer.cast(&reduced, ty);
    let axes = value.axes.into_iter().filter(|index| !there.contains(index)).collect();
    Ok(Laid { value: reduced, axes })
}

/// The number of the first greatest or least element among all points of the summed indices.
fn place_of_extreme(cx: &mut Cx, domain: &Domain, body: &Loop, summed: &[usize], value: &Laid) -> Made<Laid> {
    if summed.is_empty() {
        let zero = cx.writer.int(0);
        return Ok(Laid::scalar(zero));
    }
    let all = domain.union([value.axes.as_slice(), summed]);
    let spread = domain.spread(cx, value, &all)?;
    let kept: Vec<usize> = all.iter().copied().filter(|index| !summed.contains(index)).collect();
    let shape = |indices: &[usize]| indices.iter().map(|index| body.domain[*index].clone()).collect::<Vec<Dim>>();
    // What is kept stands before what is summed; the summed indices are in the order of the domain.
    let ordered: Vec<usize> = kept.iter().chain(summed).copied().collect();
    let order: Vec<usize> =
        ordered.iter().filter_map(|index| all.iter().position(|other| other == index)).collect();
    let moved = cx.writer.transpose(&spread.value, &order);
    let mut merged = shape(&kept);
    merged.push(Dim::product(&shape(summed)));
    let merged = cx.reshape(&moved, &shape(&ordered), &merged)?;
    let comparable = match merged.ty {
        Ty::I64 => cx.writer.cast(&merged, Ty::F64),
        Ty::Bool => cx.writer.cast(&merged, Ty::F32),
        Ty::F32 | Ty::F64 => merged,
    };
    let op = if body.combine == Combine::ArgMax { "ArgMax" } else { "ArgMin" };
    let attributes = vec![("axis", Attribute::Int(kept.len() as i64)), ("keepdims", Attribute::Int(0))];
    let value = cx.writer.node(op, &[&comparable], attributes, Ty::I64, kept.len());
    Ok(Laid { value, axes: kept })
}

/// The tensor at its places in the result.
fn put(cx: &mut Cx, domain: &Domain, body: &Loop, places: &[Place], laid: &Laid) -> Made<Value> {
    let mut missing = Vec::new();
    let (mut before, mut after, mut is_part, mut is_short) = (Vec::new(), Vec::new(), false, false);
    let mut full = Vec::new();
    let mut reversed = Vec::new();
    for (at, (place, size)) in places.iter().zip(&body.shape).enumerate() {
        let (start, extent) = match place {
            Place::Whole(_) => (Dim::ZERO, size.clone()),
            Place::Part { index, start, .. } => (start.clone(), body.domain[*index].clone()),
            Place::At(start) => (start.clone(), Dim::ONE),
        };
        let is_there = place.index().is_some_and(|index| laid.axes.contains(&index));
        if !is_there {
            missing.push(at);
            is_short |= !extent.is_number(1);
        } else if matches!(place, Place::Part { is_reversed: true, .. }) {
            reversed.push(at as i64);
        }
        let rest = &(size - &start) - &extent;
        is_part |= !start.is_number(0) || !rest.is_number(0);
        before.push(start);
        after.push(rest);
        full.push(extent);
    }
    debug_assert_eq!(domain.places.len(), body.domain.len());
    let mut value = laid.value.clone();
    if is_short {
        // Axes at the beginning come by themselves.
        let leading = missing.iter().enumerate().take_while(|(at, axis)| at == *axis).count();
        let inner: Vec<usize> = missing[leading..].iter().map(|axis| axis - leading).collect();
        value = cx.writer.unsqueeze(&value, &inner);
        value = cx.expand(&value, &full)?;
    } else {
        value = cx.writer.unsqueeze(&value, &missing);
    }
    if !reversed.is_empty() {
        let (starts, ends) = (vec![-1; reversed.len()], vec![i64::MIN + 1; reversed.len()]);
        let (starts, ends) = (cx.writer.ints(&starts), cx.writer.ints(&ends));
        value = cx.writer.slice(&value, &starts, &ends, &reversed, &vec![-1; reversed.len()]);
    }
    if is_part {
        let widths: Vec<Dim> = before.into_iter().chain(after).collect();
        let widths = cx.sizes(&widths)?;
        let around = identity(cx, body.combine, value.ty);
        value = cx.writer.pad(&value, &widths, around.as_ref());
    }
    Ok(value)
}

/// What an element has that is never written; `None` for zeros.
pub fn identity(cx: &mut Cx, combine: Combine, ty: Ty) -> Option<Value> {
    match (combine, ty) {
        (Combine::Set | Combine::Add | Combine::ArgMax | Combine::ArgMin, _) | (Combine::Max, Ty::Bool) => None,
        (Combine::Mul, Ty::I64) => Some(cx.writer.int(1)),
        (Combine::Mul, _) => Some(cx.writer.float(1.0)),
        (Combine::Max, Ty::I64) => Some(cx.writer.int(i64::MIN)),
        (Combine::Max, _) => Some(cx.writer.float(f64::NEG_INFINITY)),
        (Combine::Min, Ty::I64) => Some(cx.writer.int(i64::MAX)),
        (Combine::Min, Ty::Bool) => Some(cx.writer.bool(true)),
        (Combine::Min, _) => Some(cx.writer.float(f64::INFINITY)),
    }
}

/// What an element has that is never written.
pub fn identity_value(cx: &mut Cx, combine: Combine, ty: Ty) -> Value {
    match identity(cx, combine, ty) {
        Some(value) => value,
        None => zero_of(cx, ty),
    }
}
