//! Recognises matrix products among sums of products.
//!
//! In `C[..] += A[..] * B[..]` every index is one of four kinds, by which of the three tensors moves with it:
//!
//! | kind | A | B | C |
//! |---|---|---|---|
//! | batch | yes | yes | yes |
//! | m | yes | no | yes |
//! | n | no | yes | yes |
//! | k | yes | yes | no |
//!
//! Indices of one kind merge where they lie next to each other in both tensors that have them, so
//! `[B, T, in] @ W.T` is one product of `B * T` rows. What does not merge becomes a batch axis; so does a second k,
//! whose products add to the same result.
//!
//! Where an operand is read in windows, `x[n, c, 2 i + u, 2 j + v]`, the indices that meet in a subscript are
//! axes of one m, n or k all the same: the product reads the windows where they overlap.

use super::address::{Address, extents};
use super::{Gemm, Name, Step, View};
use crate::base::order::PutInOrder;
use crate::ir::recognise::is_affine;
use crate::ir::{BinaryOp, Combine, Elem, Loop, Scalar, Sub, Var};

/// Products with fewer multiplications are left to compiled loops.
const SMALL: i64 = 1024;
/// So are products with an m, n or k below this: they are sums of few vectors.
const THIN: i64 = 4;
/// Except that a matrix with so many rows is multiplied by one or a few vectors in the kernel, which turns the rows
/// round in registers, if the sums are at least so long.
const MANY_ROWS: i64 = 32;
const LONG_SUM: i64 = 8;

/// So many k of windows stay one sum; of longer ones, outer indices become loops.
const LONG_WINDOWS: i64 = 4096;
/// But sums are not made shorter than this for it.
pub(super) const SHORT_WINDOWS: i64 = 256;

/// One index, or several merged ones: the size and the strides in A, B and C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Axis {
    size: i64,
    strides: [i64; 3],
    /// Whether it meets another index in a subscript.
    is_window: bool,
}

/// A matrix product before it is given to the kernel: each list merged as far as possible.
struct Product {
    addresses: [Address; 3],
    batch: Vec<Axis>,
    /// Outermost first; more than one if an operand is read in windows.
    m: Vec<Axis>,
    n: Vec<Axis>,
    k: Vec<Axis>,
    /// Whether products of the batch are added to one another.
    is_added_up: bool,
}

/// The steps of a loop, if it is a matrix product that is worth a call. Those k over which products are added up are
/// the last axes of the batch.
pub(super) fn gemm(
    body: &Loop,
    operands: &[View],
    elems: &[Elem],
    target: &View,
    name: &Name,
) -> Option<Vec<Step>> {
    let product = classify(body, operands, elems, target)?;
    let Product { addresses, batch, m, n, k, is_added_up } = &product;
    let [m_size, n_size, k_size] = [m, n, k].map(|axes| points(axes));
    if !is_worth_a_call(m_size, n_size, k_size) {
        return None;
    }
    let view = |which: usize, last: [&Vec<Axis>; 2]| {
        let axes: Vec<&Axis> = batch.iter().chain(last.into_iter().flatten()).collect();
        View {
            buffer: addresses[which].buffer,
            offset: addresses[which].offset,
            shape: axes.iter().map(|axis| axis.size).collect(),
            strides: axes.iter().map(|axis| axis.strides[which]).collect(),
            step_strides: addresses[which].step_strides(),
        }
    };
    let sizes = |axes: &[Axis]| axes.iter().map(|axis| axis.size).collect();
    let gemm = Gemm {
        name: name.clone(),
        batch: sizes(batch),
        sides: [sizes(m), sizes(n), sizes(k)],
        a: view(0, [m, k]),
        b: view(1, [k, n]),
        c: view(2, [m, n]),
        accumulate: *is_added_up,
        pieces: 1,
    };
    let zeros = is_added_up.then(|| super::lower::fill_step(target.clone(), name.clone()));
    Some(zeros.into_iter().chain([Step::Gemm(gemm)]).collect())
}

/// Whether a product of these sizes is left to the matrix kernel.
pub(super) fn is_worth_a_call(m: i64, n: i64, k: i64) -> bool {
    let is_tall = m.min(n) < THIN && m.max(n) >= MANY_ROWS && k >= LONG_SUM;
    m.saturating_mul(n).saturating_mul(k) >= SMALL && k >= THIN && (m.min(n) >= THIN || is_tall)
}

fn classify(body: &Loop, operands: &[View], elems: &[Elem], target: &View) -> Option<Product> {
    if body.combine != Combine::Add || body.dropping || !is_affine(&body.write) {
        return None;
    }
    let Scalar::Binary(BinaryOp::Mul, a, b) = body.body[body.body.result] else { return None };
    let sizes = extents(body);
    let address = |id| match &body.body[id] {
        Scalar::Read { operand, subs, padded: false }
            if is_affine(subs) && elems[*operand as usize] == Elem::Float =>
        {
            Some(Address::new(&operands[*operand as usize], subs, sizes.len()))
        }
        _ => None,
    };
    let addresses = [address(a)?, address(b)?, Address::new(target, &body.write, sizes.len())];
    // Every element of the target must be written, each by a point of the written indices of its own.
    let mut written: Vec<usize> = Vec::new();
    for sub in &body.write {
        let Sub::Affine(affine) = sub else { return None };
        match affine.as_index() {
            Some(index) if !written.contains(&index) => written.push(index),
            Some(_) => return None,
            None if affine.is_constant() => {}
            None => return None,
        }
    }
    if written.iter().map(|index| sizes[*index]).product::<i64>() != target.count() {
        return None;
    }
    let meets = [a, b].map(|id| meeting(&body.body[id]));
    let (mut batch, mut m, mut n, mut k) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, size) in sizes.iter().enumerate().filter(|(_, size)| **size != 1) {
        let strides = [0, 1, 2].map(|which| addresses[which].index[index]);
        let is_window = meets.iter().any(|indices| indices.contains(&index));
        let axis = Axis { size: *size, strides, is_window };
        match strides.map(|stride| stride != 0) {
            [true, true, true] => batch.push(axis),
            [true, false, true] => m.push(axis),
            [false, true, true] => n.push(axis),
            [true, true, false] => k.push(axis),
            _ => return None,
        }
    }
    let one = |strides| vec![Axis { size: 1, strides, is_window: false }];
    let with_windows = [0, 1].into_iter().find(|side| !meets[*side].is_empty());
    let (k, loops) = match with_windows {
        Some(side) => k_of_windows(k, 1 - side),
        None => {
            let mut k = merge(k, 0);
            (vec![take_best(&mut k)?], k)
        }
    };
    let ((m, more_m), (n, more_n)) = (side_of(m), side_of(n));
    let mut batch = merge(batch, 2);
    batch.extend(more_m);
    batch.extend(more_n);
    let batch: Vec<Axis> = merge(batch, 2).into_iter().chain(loops.iter().copied()).collect();
    let is_added_up = !loops.is_empty();
    let or_one = |axes: Vec<Axis>, strides| if axes.is_empty() { one(strides) } else { axes };
    let (m, n) = (or_one(m, [1, 0, 1]), or_one(n, [0, 1, 1]));
    (!k.is_empty()).then_some(Product { addresses, batch, m, n, k, is_added_up })
}

fn points(axes: &[Axis]) -> i64 {
    axes.iter().map(|axis| axis.size).product()
}

/// The indices that meet another one in a subscript of a read.
fn meeting(read: &Scalar) -> Vec<usize> {
    let Scalar::Read { subs, .. } = read else { return Vec::new() };
    let index = |var: &Var| match var {
        Var::Index(index) => Some(*index as usize),
        Var::Step(_) => None,
    };
    let indices = subs.iter().map(|sub| match sub {
        Sub::Affine(affine) => affine.terms.iter().filter_map(|(var, _)| index(var)).collect(),
        Sub::Value(_) => Vec::new(),
    });
    indices.filter(|indices: &Vec<usize>| indices.len() > 1).flatten().collect()
}

/// The k of windows in the order of the operand `by`, and those over which products are better added up: where it is
/// long, or no stride of `by` leads on.
fn k_of_windows(k: Vec<Axis>, by: usize) -> (Vec<Axis>, Vec<Axis>) {
    let (mut k, mut loops) = (merge(k, by), Vec::new());
    let leads_on = |pair: &[Axis]| pair[0].strides[by] == pair[1].strides[by] * pair[1].size;
    while (points(&k) > LONG_WINDOWS || !k.windows(2).all(leads_on)) && points(&k[1..]) >= SHORT_WINDOWS {
        loops.push(k.remove(0));
    }
    (k, loops)
}

/// The axes of m or n, and those that become axes of the batch. What is read in windows belongs to the product, and
/// so does what lies next to it in the result.
fn side_of(axes: Vec<Axis>) -> (Vec<Axis>, Vec<Axis>) {
    let mut axes = merge(axes, 2);
    if !axes.iter().any(|axis| axis.is_window) {
        let best = take_best(&mut axes);
        return (best.into_iter().collect(), axes);
    }
    let (mut side, mut others): (Vec<Axis>, Vec<Axis>) = (Vec::new(), Vec::new());
    for axis in axes.into_iter().rev() {
        let continues = |inner: &Axis| axis.strides[2] == inner.strides[2] * inner.size;
        let list = if axis.is_window || side.first().is_some_and(continues) { &mut side } else { &mut others };
        list.insert(0, axis);
    }
    (side, others)
}

/// Merges the axes that are contiguous in all tensors, outermost (by the strides in `by`) first.
fn merge(mut axes: Vec<Axis>, by: usize) -> Vec<Axis> {
    axes.put_in_order_by_key(|axis| std::cmp::Reverse(axis.strides[by].abs()));
    let mut merged: Vec<Axis> = Vec::new();
    for axis in axes {
        match merged.last_mut() {
            Some(outer) if (0..3).all(|t| outer.strides[t] == axis.strides[t] * axis.size) => {
                let is_window = outer.is_window || axis.is_window;
                *outer = Axis { size: outer.size * axis.size, strides: axis.strides, is_window };
            }
            _ => merged.push(axis),
        }
    }
    merged
}

/// The axis of those that do not merge whose products are the fastest: the largest, but one whose elements are
/// neighbours in a tensor need not be as large.
fn take_best(axes: &mut Vec<Axis>) -> Option<Axis> {
    const NEIGHBOURS: i64 = 16;
    let weight = |axis: &Axis| if axis.strides.contains(&1) { NEIGHBOURS * axis.size } else { axis.size };
    let at = (0..axes.len()).max_by_key(|at| (weight(&axes[*at]), std::cmp::Reverse(*at)))?;
    Some(axes.remove(at))
}
