//! Tensors of several members as one tensor, and the part of it that belongs to a member.

use crate::ir::members::Place;
use crate::runtime::array::{Array, Elements};

/// An array of the shape `[before, members, after]`.
#[derive(Clone, Copy)]
struct Form {
    before: usize,
    members: usize,
    after: usize,
}

impl Form {
    /// Of tensors of one shape, `repeats` of them one behind another.
    fn of(repeats: usize, count: usize, members: usize, place: Place) -> Form {
        match place {
            Place::First => Form { before: repeats, members, after: count },
            Place::Last => Form { before: repeats * count, members, after: 1 },
        }
    }
}

/// The tensors of all members as one. They are of one shape and type.
pub fn stacked(arrays: &[&Array], place: Place) -> Option<Array> {
    let first = arrays.first()?;
    let count = first.elements().len();
    let form = Form::of(1, count, arrays.len(), place);
    let mut all = first.elements().zeros_alike(count * arrays.len());
    for (member, array) in arrays.iter().enumerate() {
        if array.shape() != first.shape() || !put(&mut all, array.elements(), form, member) {
            return None;
        }
    }
    let mut shape = first.shape().to_vec();
    shape.insert(place.axis(shape.len()), arrays.len());
    Array::new(shape, all).ok()
}

/// What a member has of such a tensor.
pub fn part(all: &Array, members: usize, place: Place, member: usize) -> Option<Array> {
    let mut shape = all.shape().to_vec();
    let axis = place.axis(shape.len().checked_sub(1)?);
    shape.remove(axis);
    let count = shape.iter().product();
    let elements = taken(all.elements(), Form::of(1, count, members, place), member);
    Array::new(shape, elements).ok()
}

/// What a member has of `steps` such tensors, each of `count` elements for a member, one behind another.
pub fn parts(all: &Elements, steps: usize, count: usize, members: usize, place: Place, member: usize) -> Elements {
    taken(all, Form::of(steps, count, members, place), member)
}

fn taken(all: &Elements, form: Form, member: usize) -> Elements {
    match all {
        Elements::F32(values) => Elements::F32(take(values, form, member)),
        Elements::F64(values) => Elements::F64(take(values, form, member)),
        Elements::I32(values) => Elements::I32(take(values, form, member)),
        Elements::I64(values) => Elements::I64(take(values, form, member)),
        Elements::U8(values) => Elements::U8(take(values, form, member)),
        Elements::Bool(values) => Elements::Bool(take(values, form, member)),
    }
}

fn take<T: Copy>(values: &[T], form: Form, member: usize) -> Vec<T> {
    let Form { before, members, after } = form;
    if after == 1 {
        return values[..before * members].iter().skip(member).step_by(members).copied().collect();
    }
    let mut part = Vec::with_capacity(before * after);
    for at in 0..before {
        part.extend_from_slice(&values[(at * members + member) * after..][..after]);
    }
    part
}

/// Whether both are of one type.
fn put(all: &mut Elements, from: &Elements, form: Form, member: usize) -> bool {
    match (all, from) {
        (Elements::F32(all), Elements::F32(from)) => spread(all, from, form, member),
        (Elements::F64(all), Elements::F64(from)) => spread(all, from, form, member),
        (Elements::I32(all), Elements::I32(from)) => spread(all, from, form, member),
        (Elements::I64(all), Elements::I64(from)) => spread(all, from, form, member),
        (Elements::U8(all), Elements::U8(from)) => spread(all, from, form, member),
        (Elements::Bool(all), Elements::Bool(from)) => spread(all, from, form, member),
        _ => return false,
    }
    true
}

fn spread<T: Copy>(all: &mut [T], from: &[T], form: Form, member: usize) {
    for (at, part) in from.chunks_exact(form.after.max(1)).enumerate() {
        all[(at * form.members + member) * form.after..][..form.after].copy_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_was_stacked() {
        let arrays: Vec<Array> = (0..3)
            .map(|member| {
                let values: Vec<f32> = (0..4).map(|at| (10 * member + at) as f32).collect();
                Array::floats(&[2, 2], &values).expect("four numbers")
            })
            .collect();
        for place in [Place::First, Place::Last] {
            let all = stacked(&arrays.iter().collect::<Vec<_>>(), place).expect("tensors of one shape");
            assert_eq!(all.shape(), if place == Place::First { [3, 2, 2] } else { [2, 2, 3] });
            for (member, array) in arrays.iter().enumerate() {
                assert_eq!(part(&all, 3, place, member).as_ref(), Some(array));
            }
        }
        // Two steps with two numbers for each of three members.
        let steps = Elements::F32((0..12).map(|at| at as f32).collect());
        assert_eq!(parts(&steps, 2, 2, 3, Place::First, 1), Elements::F32(vec![2.0, 3.0, 8.0, 9.0]));
        assert_eq!(parts(&steps, 2, 2, 3, Place::Last, 1), Elements::F32(vec![1.0, 4.0, 7.0, 10.0]));
    }
}
