//! The strategy of a product (operand order, packing, block sizes), decided once from its shape.
//!
//! One of the two outer sides lies in the lanes of vectors: the side called n here, after the operands have been
//! exchanged if that is cheaper. An operand that tiles cannot read fast in place is packed (copied) first.

use super::blocks;
use super::dot::Dots;
use super::isa::Isa;
use super::{Piece, Reuse, Shape};
use crate::product::MOST_K;
use std::ops::Range;

/// A `b` that reaches over so many elements stays in the first cache, and is read where it is.
const IN_PLACE: usize = 8 * 1024;

/// How an operand is packed for the tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// Where it is.
    InPlace,
    /// Copied in vectors along the tile's side.
    Straight,
    /// Copied in vectors along k.
    Transposed,
    /// Copied element by element.
    Gathered,
}

/// How tiles write the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sink {
    InPlace,
    Transposed,
    Scattered,
}

/// A product and the strategy for it.
pub struct Product {
    pub(super) isa: &'static Isa,
    /// After the operands have changed places, if so.
    pub(super) shape: Shape,
    swapped: bool,
    pub(super) a_source: Source,
    /// Whether k is contiguous in `a` as tiles read it; otherwise rows are.
    pub(super) by_row: bool,
    pub(super) b_source: Source,
    pub(super) c_sink: Sink,
    /// Vectors lie along k: see [`super::dot`].
    along_k: bool,
    /// Length of the blocks of k.
    pub(super) k_block: usize,
    /// Vectors of a strip, and rows of its tiles at most.
    pub(super) vectors: usize,
    pub(super) rows: usize,
}

impl Product {
    /// `None` if the processor has no vectors that this can use.
    pub fn new(shape: Shape, reuse: Reuse) -> Option<Product> {
        Some(Product::with(Isa::of_this_processor()?, shape, reuse))
    }

    /// With AVX2, whatever else the processor has.
    #[cfg(test)]
    pub fn narrow(shape: Shape, reuse: Reuse) -> Option<Product> {
        Some(Product::with(Isa::narrow()?, shape, reuse))
    }

    fn with(isa: &'static Isa, shape: Shape, reuse: Reuse) -> Product {
        let shape = shape.tidy();
        let turned = turn(shape);
        let swapped = cost(isa, &turned, reuse.a) < cost(isa, &shape, reuse.b);
        let shape = if swapped { turned } else { shape };
        let vectors = match shape.n.div_ceil(isa.lanes) {
            1 => 1,
            n if n > 8 && shape.m <= isa.most_rows(16) => 16,
            n if n > 4 && shape.m <= isa.most_rows(8) => 8,
            n if n > 2 && shape.m <= isa.most_rows(4) => 4,
            _ => 2,
        };
        let rows = isa.most_rows(vectors);
        let k_block = shape.k_block();
        let (a_source, by_row) = match shape.a {
            (_, 1) => (Source::InPlace, true),
            (1, _) if shape.n > 2 * vectors * isa.lanes => (Source::Straight, false),
            (1, _) => (Source::InPlace, false),
            _ => (Source::Gathered, false),
        };
        let b_source = match shape.b {
            (_, 1) if shape.m <= 4 * rows || shape.k * shape.b.0 as usize <= IN_PLACE => Source::InPlace,
            (_, 1) => Source::Straight,
            (1, _) => Source::Transposed,
            _ => Source::Gathered,
        };
        let c_sink = match shape.c {
            (_, 1) => Sink::InPlace,
            (1, _) => Sink::Transposed,
            _ => Sink::Scattered,
        };
        let along_k = shape.is_along_k();
        Product { isa, shape, swapped, a_source, by_row, b_source, c_sink, along_k, k_block, vectors, rows }
    }

    /// The number of tasks for so many threads: a few for each, so that the others take over the share of a thread
    /// that is late.
    pub fn pieces(most: usize, threads: usize) -> usize {
        if threads > 1 { most.min(4 * threads) } else { 1 }
    }

    fn is_cut_by_columns(&self, pieces: usize) -> bool {
        let strip = self.vectors * self.isa.lanes;
        self.shape.n >= 2 * pieces * strip || self.shape.n >= self.shape.m
    }

    /// Computes one of several pieces of the product, which write to distinct elements.
    ///
    /// # Safety
    /// The addresses are those of the first elements of the operands, which reach as far as the shape says;
    /// `c` overlaps neither `a` nor `b`.
    pub unsafe fn piece(&self, a: *const f32, b: *const f32, c: *mut f32, piece: Piece) {
        let Shape { m, n, .. } = self.shape;
        let (a, b) = if self.swapped { (b, a) } else { (a, b) };
        let strip = self.vectors * self.isa.lanes;
        let (mut rows, mut columns) = (0..m, 0..n);
        let Piece { number, of: pieces, run } = piece;
        if pieces > 1 {
            let part = |units: usize, unit: usize, most: usize| {
                (units * number / pieces * unit).min(most)..(units * (number + 1) / pieces * unit).min(most)
            };
            if self.is_cut_by_columns(pieces) {
                columns = part(n.div_ceil(strip), strip, n);
            } else {
                rows = part(m.div_ceil(4), 4, m);
            }
        }
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        // SAFETY: by the contract.
        unsafe {
            if self.along_k {
                self.dots(a, b, c, rows, columns);
            } else {
                blocks::run(self, run, (a, b, c), rows, columns);
            }
        }
    }

    /// # Safety
    /// As [`Product::piece`].
    unsafe fn dots(
        &self,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        let Shape { k, a: (a_stride, _), b: (_, b_stride), c: c_strides, accumulate, .. } = self.shape;
        let (row, column) = (rows.start as isize, columns.start as isize);
        let dots = Dots {
            m: rows.len(),
            n: columns.len(),
            k,
            a: a.wrapping_offset(row * a_stride),
            a_stride,
            b: b.wrapping_offset(column * b_stride),
            b_stride,
            c: c.wrapping_offset(row * c_strides.0 + column * c_strides.1),
            c_strides,
            add: accumulate,
        };
        // SAFETY: by the contract.
        unsafe { (self.isa.dots)(&dots) }
    }
}

/// The same product of the transposed matrices.
fn turn(shape: Shape) -> Shape {
    let turned = |(row, column)| (column, row);
    Shape { m: shape.n, n: shape.m, a: turned(shape.b), b: turned(shape.a), c: turned(shape.c), ..shape }
}

/// Roughly how long a product takes as it stands, if a copy of `b` serves so many.
fn cost(isa: &Isa, shape: &Shape, reuse_b: usize) -> usize {
    let Shape { m, n, k, .. } = *shape;
    let vectors = n.div_ceil(isa.lanes);
    // In sixteenths of a vector instruction.
    let product = 8 * vectors * m * k;
    let copy = |strides: (isize, isize), elements: usize| match strides {
        (_, 1) => 0,
        (1, _) => 4 * elements,
        _ => 32 * elements,
    };
    let a = if shape.a.0 == 1 || shape.a.1 == 1 { 0 } else { 32 * m * k };
    product + a + copy(shape.b, k * n) / reuse_b.max(1) + copy(shape.c, m * n * k.div_ceil(MOST_K))
}
