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
//! `[B, T, in] @ W.T` is one product of `B * T` rows. What does not merge becomes a batch axis; a second k
//! becomes a loop of products that add to the same result.

use super::address::{Address, extents};
use super::{Gemm, Name, ScanSteps, Step, View};
use crate::ir::recognise::is_affine;
use crate::ir::{BinaryOp, Combine, Elem, Loop, Scalar, StepId, Sub};

/// Products with fewer multiplications are left to compiled loops.
const SMALL: i64 = 1024;
/// So are products with an m, n or k below this: they are sums of few vectors.
const THIN: i64 = 4;
/// Except that a matrix with so many rows is multiplied by one or a few vectors in the kernel, which turns the rows
/// round in registers, if the sums are at least so long.
const MANY_ROWS: i64 = 32;
const LONG_SUM: i64 = 8;

/// One index, or several merged ones: the size and the strides in A, B and C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Axis {
    size: i64,
    strides: [i64; 3],
}

/// A matrix product before it is given to the kernel: each list merged as far as possible.
struct Product {
    addresses: [Address; 3],
    batch: Vec<Axis>,
    m: Axis,
    n: Axis,
    /// The innermost first; the others are loops.
    k: Vec<Axis>,
}

/// The steps of a loop, if it is a matrix product that is worth a call.
/// `fresh` gives step ids for loops over a second k.
pub(super) fn gemm(
    body: &Loop,
    operands: &[View],
    elems: &[Elem],
    target: &View,
    name: &Name,
    fresh: &mut dyn FnMut() -> StepId,
) -> Option<Vec<Step>> {
    let product = classify(body, operands, elems, target)?;
    let Product { addresses, batch, m, n, k } = &product;
    if !is_worth_a_call(m.size, n.size, k[0].size) {
        return None;
    }
    let loops: Vec<(StepId, &Axis)> = k[1..].iter().map(|axis| (fresh(), axis)).collect();
    let view = |which: usize, last: [&Axis; 2]| {
        let axes: Vec<&Axis> = batch.iter().chain(last).collect();
        let mut view = View {
            buffer: addresses[which].buffer,
            offset: addresses[which].offset,
            shape: axes.iter().map(|axis| axis.size).collect(),
            strides: axes.iter().map(|axis| axis.strides[which]).collect(),
            step_strides: addresses[which].step_strides(),
        };
        let strides = loops.iter().map(|(step, axis)| (*step, axis.strides[which]));
        view.step_strides.extend(strides.filter(|(_, stride)| *stride != 0));
        view
    };
    let gemm = Gemm {
        name: name.clone(),
        batch: batch.iter().map(|axis| axis.size).collect(),
        m: m.size,
        n: n.size,
        k: k[0].size,
        a: view(0, [m, &k[0]]),
        b: view(1, [&k[0], n]),
        c: view(2, [m, n]),
        accumulate: !loops.is_empty(),
        pieces: 1,
    };
    if loops.is_empty() {
        return Some(vec![Step::Gemm(gemm)]);
    }
    let mut steps = vec![Step::Gemm(gemm)];
    for (step, axis) in &loops {
        steps = vec![Step::Scan(ScanSteps { step: *step, trip: axis.size, reverse: false, steps })];
    }
    steps.insert(0, super::lower::fill_step(target.clone(), name.clone()));
    Some(steps)
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
    let (mut batch, mut m, mut n, mut k) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, size) in sizes.iter().enumerate().filter(|(_, size)| **size != 1) {
        let strides = [0, 1, 2].map(|which| addresses[which].index[index]);
        let axis = Axis { size: *size, strides };
        match strides.map(|stride| stride != 0) {
            [true, true, true] => batch.push(axis),
            [true, false, true] => m.push(axis),
            [false, true, true] => n.push(axis),
            [true, true, false] => k.push(axis),
            _ => return None,
        }
    }
    let k = merge(k, 0);
    let (mut m, mut n) = (merge(m, 2), merge(n, 2));
    let mut batch = merge(batch, 2);
    let one = |strides| Axis { size: 1, strides };
    let k = best_first(k)?;
    let m_axis = take_best(&mut m).unwrap_or(one([1, 0, 1]));
    let n_axis = take_best(&mut n).unwrap_or(one([0, 1, 1]));
    batch.extend(m);
    batch.extend(n);
    let batch = merge(batch, 2);
    Some(Product { addresses, batch, m: m_axis, n: n_axis, k })
}

/// Merges the axes that are contiguous in all tensors, outermost (by the strides in `by`) first.
fn merge(mut axes: Vec<Axis>, by: usize) -> Vec<Axis> {
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.strides[by].abs()));
    let mut merged: Vec<Axis> = Vec::new();
    for axis in axes {
        match merged.last_mut() {
            Some(outer) if (0..3).all(|t| outer.strides[t] == axis.strides[t] * axis.size) => {
                *outer = Axis { size: outer.size * axis.size, strides: axis.strides };
            }
            _ => merged.push(axis),
        }
    }
    merged
}

/// The candidates, the best one first.
fn best_first(mut axes: Vec<Axis>) -> Option<Vec<Axis>> {
    let best = take_best(&mut axes)?;
    axes.insert(0, best);
    Some(axes)
}

/// The axis of those that do not merge whose products are the fastest: the largest, but one whose elements are
/// neighbours in a tensor need not be as large.
fn take_best(axes: &mut Vec<Axis>) -> Option<Axis> {
    const NEIGHBOURS: i64 = 16;
    let weight = |axis: &Axis| if axis.strides.contains(&1) { NEIGHBOURS * axis.size } else { axis.size };
    let at = (0..axes.len()).max_by_key(|at| (weight(&axes[*at]), std::cmp::Reverse(*at)))?;
    Some(axes.remove(at))
}
