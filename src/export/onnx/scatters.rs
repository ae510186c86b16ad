//! Loops that write to places that are no box: computed ones, every second element, sums that meet.

use super::cx::{Cx, Made};
use super::graph::{Attribute, Value};
use super::layout::{Domain, Laid};
use super::loops::identity_value;
use super::reads::{Place, Source, linear, places, within};
use super::scalars::Scalars;
use crate::ir::{Combine, Dim, Loop, ScalarId, Sub};

/// The result: the elements of a tensor with one axis, by their numbers. What is dropped goes to one element more.
pub fn written(cx: &mut Cx, body: &Loop, sources: &[Source<'_>]) -> Made<Value> {
    let reduction = match body.combine {
        Combine::Set => "none",
        Combine::Add => "add",
        Combine::Mul => "mul",
        _ => return Err("the greatest or least of what is written to computed places".to_owned()),
    };
    let domain = Domain::new(&body.domain, &[]);
    let computed = body.write.iter().filter_map(|sub| match sub {
        Sub::Value(id) => Some(*id),
        Sub::Affine(_) => None,
    });
    let roots: Vec<ScalarId> = computed.chain([body.body.result]).collect();
    let mut scalars = Scalars::new(&domain, &body.body, sources, &roots);
    let made = roots.iter().map(|root| scalars.value(cx, *root)).collect::<Made<Vec<Laid>>>()?;
    let found = |id: ScalarId| roots.iter().position(|root| *root == id).map(|at| made[at].clone());
    let mut inside: Option<Laid> = None;
    let mut numbers = Vec::with_capacity(body.write.len());
    for (place, size) in places(&body.write, &found)?.into_iter().zip(&body.shape) {
        let number = match place {
            Place::Affine(affine) => domain.affine(cx, affine)?,
            Place::Value(laid) => laid,
        };
        if body.dropping {
            let (zero, end) = (Laid::scalar(cx.writer.int(0)), Laid::scalar(cx.size_scalar(size)?));
            inside = Some(within(cx, &domain, inside, &number, [&zero, &end]));
        }
        numbers.push(number);
    }
    let count = Dim::product(&body.shape);
    let mut number = linear(cx, &domain, &numbers, &body.shape)?;
    let room = if inside.is_some() { &count + &Dim::ONE } else { count.clone() };
    if let Some(inside) = &inside {
        let last = Laid::scalar(cx.size_scalar(&count)?);
        number = domain.choose(cx, inside, &number, &last);
    }
    let value = made.last().cloned().ok_or("a loop without a value")?;
    let all = domain.union([value.axes.as_slice(), &number.axes]);
    // An index that neither has counts, too: its points are written to one element.
    let counted: Vec<usize> = (0..body.domain.len()).filter(|index| !body.domain[*index].is_number(1)).collect();
    let all = if body.combine == Combine::Set { all } else { counted };
    let shape: Vec<Dim> = all.iter().map(|index| body.domain[*index].clone()).collect();
    let flat = [Dim::product(&shape)];
    let (value, number) = (domain.spread(cx, &value, &all)?, domain.spread(cx, &number, &all)?);
    let value = cx.reshape(&value.value, &shape, &flat)?;
    let number = cx.reshape(&number.value, &shape, &flat)?;
    let neutral = identity_value(cx, body.combine, value.ty);
    let empty = cx.expand(&neutral, &[room])?;
    let attributes = vec![("axis", Attribute::Int(0)), ("reduction", Attribute::Text(reduction))];
    let mut result = cx.writer.node("ScatterElements", &[&empty, &number, &value], attributes, value.ty, 1);
    if inside.is_some() {
        let (start, end) = (cx.writer.ints(&[0]), cx.size(&count)?);
        result = cx.writer.slice(&result, &start, &end, &[0], &[1]);
    }
    cx.reshape(&result, &[count], &body.shape)
}
