//! The values of scalars at all points of a loop's domain, as tensors.
//!
//! A scalar moves with some of the loop's indices. Its tensor has an axis for each of these and no other, in an order
//! of the indices that is fixed for the loop. Tensors with different axes are brought together by axes of size 1.

use super::cx::{Cx, Made};
use super::graph::Value;
use crate::base::order::PutInOrder;
use crate::ir::{Affine, Dim, Var};

/// A tensor whose axes are indices of the loop.
#[derive(Clone, Debug)]
pub struct Laid {
    pub value: Value,
    /// The index of each axis, in the order of the domain.
    pub axes: Vec<usize>,
}

impl Laid {
    pub fn scalar(value: Value) -> Laid {
        Laid { value, axes: Vec::new() }
    }
}

/// The indices of a loop, and the order in which tensors have them.
#[derive(Clone)]
pub struct Domain {
    pub sizes: Vec<Dim>,
    /// The place of each index in the order.
    pub places: Vec<usize>,
}

impl Domain {
    /// The order begins with some indices; the others follow.
    pub fn new(sizes: &[Dim], first: &[usize]) -> Domain {
        let rest = (0..sizes.len()).filter(|index| !first.contains(index));
        let mut places = vec![0; sizes.len()];
        for (place, index) in first.iter().copied().chain(rest).enumerate() {
            places[index] = place;
        }
        Domain { sizes: sizes.to_vec(), places }
    }

    /// All the axes of some tensors, in order.
    pub fn union<'a>(&self, all: impl IntoIterator<Item = &'a [usize]>) -> Vec<usize> {
        let mut axes: Vec<usize> = all.into_iter().flatten().copied().collect();
        axes.put_in_order_by_key(|index| self.places[*index]);
        axes.dedup();
        axes
    }

    /// A tensor whose axes are these indices, in the order of the domain.
    pub fn in_order(&self, cx: &mut Cx, value: &Value, axes: &[usize]) -> Laid {
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.put_in_order_by_key(|at| self.places[axes[*at]]);
        let value = cx.writer.transpose(value, &order);
        Laid { value, axes: order.into_iter().map(|at| axes[at]).collect() }
    }

    /// The tensor with axes of size 1, so that it can be combined with one that has all these axes.
    pub fn aligned(&self, cx: &mut Cx, laid: &Laid, all: &[usize]) -> Value {
        let Some(first) = laid.axes.first() else { return laid.value.clone() };
        let begin = all.iter().position(|index| index == first).unwrap_or(0);
        let missing: Vec<usize> = all[begin..]
            .iter()
            .enumerate()
            .filter(|(_, index)| !laid.axes.contains(index))
            .map(|(at, _)| at)
            .collect();
        cx.writer.unsqueeze(&laid.value, &missing)
    }

    /// The tensor with all these axes in full size.
    pub fn spread(&self, cx: &mut Cx, laid: &Laid, all: &[usize]) -> Made<Laid> {
        if laid.axes == all {
            return Ok(laid.clone());
        }
        let aligned = self.aligned(cx, laid, all);
        let shape: Vec<Dim> = all.iter().map(|index| self.sizes[*index].clone()).collect();
        let value = cx.expand(&aligned, &shape)?;
        Ok(Laid { value, axes: all.to_vec() })
    }

    pub fn binary(&self, cx: &mut Cx, op: &'static str, a: &Laid, b: &Laid) -> Laid {
        let axes = self.union([a.axes.as_slice(), &b.axes]);
        let (a, b) = (self.aligned(cx, a, &axes), self.aligned(cx, b, &axes));
        Laid { value: cx.writer.binary(op, &a, &b), axes }
    }

    pub fn compare(&self, cx: &mut Cx, op: &'static str, a: &Laid, b: &Laid) -> Laid {
        let axes = self.union([a.axes.as_slice(), &b.axes]);
        let (a, b) = (self.aligned(cx, a, &axes), self.aligned(cx, b, &axes));
        Laid { value: cx.writer.compare(op, &a, &b), axes }
    }

    pub fn choose(&self, cx: &mut Cx, condition: &Laid, then: &Laid, otherwise: &Laid) -> Laid {
        let axes = self.union([condition.axes.as_slice(), &then.axes, &otherwise.axes]);
        let all = [condition, then, otherwise].map(|laid| self.aligned(cx, laid, &axes));
        Laid { value: cx.writer.choose(&all[0], &all[1], &all[2]), axes }
    }

    /// The values of an affine expression.
    pub fn affine(&self, cx: &mut Cx, affine: &Affine) -> Made<Laid> {
        let mut sum: Option<Laid> = None;
        for (var, coefficient) in &affine.terms {
            let mut term = match var {
                Var::Index(index) => {
                    let index = *index as usize;
                    Laid { value: cx.range(&self.sizes[index])?, axes: vec![index] }
                }
                Var::Step(step) => match cx.steps.get(step) {
                    Some((value, _)) => Laid::scalar(value.clone()),
                    None => return Err("the step of a scan outside of it".to_owned()),
                },
            };
            if !coefficient.is_number(1) {
                let factor = Laid::scalar(cx.size_scalar(coefficient)?);
                term = self.binary(cx, "Mul", &term, &factor);
            }
            sum = Some(match sum {
                Some(sum) => self.binary(cx, "Add", &sum, &term),
                None => term,
            });
        }
        let constant = Laid::scalar(cx.size_scalar(&affine.constant)?);
        Ok(match sum {
            Some(sum) if affine.constant.is_number(0) => sum,
            Some(sum) => self.binary(cx, "Add", &sum, &constant),
            None => constant,
        })
    }
}
