//! Copies of blocks of the operands, in the order in which tiles read them.

use super::blocks::{Tiles, Work, strips};
use super::copy::{Block, Store};
use super::lines::Lines;
use super::strategy::Source;
use std::ops::Range;

/// The number of k that are packed at a time.
const COPIED_K: usize = 16;

impl Work<'_> {
    /// From row to row of a copy of `a` in lines: whole vectors, and one more, so that not all rows begin at the
    /// same place of a page.
    pub fn a_row(&self, k: usize) -> usize {
        let lanes = self.product.isa.lanes;
        k.next_multiple_of(lanes) + lanes
    }

    /// The first element of a block of `a`, copied if need be: tile after tile, in each the rows of one k.
    ///
    /// # Safety
    /// As [`Product::piece`].
    pub unsafe fn a_block(&self, depth: usize, k: usize, row: usize, m: usize) -> *const f32 {
        let product = self.product;
        if product.a_source == Source::Lines {
            // SAFETY: by the contract; there is room for rows of whole vectors.
            return unsafe { self.a_lines(depth, k, row, m) };
        }
        if let Some(offsets) = product.offsets.as_ref().filter(|_| product.a_source == Source::Grouped) {
            return self.a.wrapping_offset(offsets.sides[0][1][depth]);
        }
        let (by_row, by_k) = product.shape.a;
        let from = self.a.wrapping_offset(row as isize * by_row + depth as isize * by_k);
        if product.a_source == Source::InPlace {
            return from;
        }
        // A few rows of k at a time: more would not stay in the first cache from tile to tile.
        for start in (0..k).step_by(COPIED_K) {
            let rows = (k - start).min(COPIED_K);
            for tile in Tiles::new(m, product.rows) {
                let from = from.wrapping_offset(tile.start as isize * by_row + start as isize * by_k);
                let to = self.scratch_a().wrapping_add(tile.start * k + start * tile.len());
                // SAFETY: by the contract; the copy of a block has at most as many elements as there is room.
                unsafe {
                    if product.a_source == Source::Straight {
                        (product.isa.straight)(&Block {
                            from,
                            from_stride: by_k,
                            rows,
                            columns: tile.len(),
                            to,
                            to_stride: tile.len() as isize,
                            store: Store::Exact,
                        });
                    } else {
                        for at in 0..rows * tile.len() {
                            let (depth, row) = (at / tile.len(), at % tile.len());
                            *to.add(at) = *from.offset(depth as isize * by_k + row as isize * by_row);
                        }
                    }
                }
            }
        }
        self.scratch_a()
    }

    /// A block of a scattered `a`: row after row.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn a_lines(&self, depth: usize, k: usize, row: usize, m: usize) -> *const f32 {
        let product = self.product;
        if let Some(offsets) = &product.offsets {
            // SAFETY: by the contract.
            unsafe {
                (product.isa.lines)(&Lines {
                    from: self.a,
                    offsets: &offsets.sides[0][0][row..row + m],
                    plan: &offsets.a_lines[depth / product.k_block],
                    first: 0,
                    vectors: k.div_ceil(product.isa.lanes),
                    to: self.scratch_a(),
                    to_stride: self.a_row(k),
                });
            }
        }
        self.scratch_a()
    }

    /// A block of a scattered `b`: strip after strip, in each the vectors of one k.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn b_lines(&self, depth: usize, k: usize, columns: Range<usize>, to: *mut f32) {
        let product = self.product;
        let lanes = product.isa.lanes;
        let Some(offsets) = &product.offsets else { return };
        for strip in strips(columns.len(), product.vectors * lanes) {
            let vectors = strip.len().div_ceil(lanes);
            let first = (columns.start + strip.start) / lanes;
            if product.in_place(first..first + vectors).is_some() {
                continue;
            }
            // SAFETY: by the contract; pieces and blocks of columns begin with a strip.
            unsafe {
                (product.isa.lines)(&Lines {
                    from: self.b,
                    offsets: &offsets.sides[1][0][depth..depth + k],
                    plan: &offsets.b_lines,
                    first: (columns.start + strip.start) / lanes,
                    vectors,
                    to: to.wrapping_add(strip.start * k),
                    to_stride: vectors * lanes,
                });
            }
        }
    }

    /// The first element of a block of `b`, copied if need be: strip after strip, in each the vectors of one k.
    ///
    /// # Safety
    /// As [`Product::piece`].
    pub unsafe fn b_block(&self, depth: usize, k: usize, column: usize, n: usize) -> *const f32 {
        let product = self.product;
        let (by_k, by_column) = product.shape.b;
        let from = |depth: usize, column: usize| {
            self.b.wrapping_offset(depth as isize * by_k + column as isize * by_column)
        };
        if product.b_source == Source::InPlace {
            return from(depth, column);
        }
        let lanes = product.isa.lanes;
        let copy = if self.stays {
            self.scratch.wrapping_add(depth * n.next_multiple_of(lanes))
        } else {
            self.scratch
        };
        if depth < self.held_k {
            return copy;
        }
        if product.b_source == Source::Lines {
            // SAFETY: by the contract; the copy of a block has at most as many elements as there is room.
            unsafe { self.b_lines(depth, k, column..column + n, copy) };
            return copy;
        }
        let from = from(depth, column);
        if product.b_source == Source::Straight {
            // SAFETY: by the contract; the copy of a block has at most as many elements as there is room.
            unsafe {
                (product.isa.into_strips)(&Block {
                    from,
                    from_stride: by_k,
                    rows: k,
                    columns: n,
                    to: copy,
                    to_stride: (product.vectors * lanes) as isize,
                    store: Store::Padded,
                });
            }
            return copy;
        }
        for strip in strips(n, product.vectors * lanes) {
            let from = from.wrapping_offset(strip.start as isize * by_column);
            let to = copy.wrapping_add(strip.start * k);
            let width = strip.len().div_ceil(lanes) * lanes;
            // SAFETY: by the contract; the copy of a block has at most as many elements as there is room.
            unsafe {
                if product.b_source == Source::Transposed {
                    (product.isa.transpose)(&Block {
                        from,
                        from_stride: by_column,
                        rows: strip.len(),
                        columns: k,
                        to,
                        to_stride: width as isize,
                        store: Store::Padded,
                    });
                    continue;
                }
                for at in 0..k * width {
                    let (depth, column) = (at / width, at % width);
                    let from = from.wrapping_offset(depth as isize * by_k + column as isize * by_column);
                    *to.add(at) = if column < strip.len() { *from } else { 0.0 };
                }
            }
        }
        copy
    }
}
