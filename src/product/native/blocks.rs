//! From a piece of a product to tiles: block by block, so that what is read again is still in a cache.
//!
//! Copies of blocks are made in memory that each thread keeps.

use super::copy::{Block, Store};
use super::strategy::{Product, Sink, Source};
use super::tile::Tile;
use super::vector::MOST_LANES;
use super::{Run, Shape};
use std::cell::RefCell;
use std::ops::Range;

/// Elements of `b` copied at a time: half of a usual second cache.
const B_ELEMENTS: usize = 128 * 1024;
/// Elements of `a` that are used with them.
const A_ELEMENTS: usize = 64 * 1024;
/// Elements of the result that are copied at a time, of at least as many rows as a tile has.
const C_ELEMENTS: usize = 1536;
/// The number of k that are packed at a time.
const COPIED_K: usize = 16;

/// Computes the part of a product in these rows and columns; addresses are those of the whole operands.
///
/// # Safety
/// As [`Product::piece`].
pub(super) unsafe fn run(
    product: &Product,
    run: Run,
    (a, b, c): (*const f32, *const f32, *mut f32),
    rows: Range<usize>,
    columns: Range<usize>,
) {
    SCRATCH.with_borrow_mut(|scratch| {
        let scratch = scratch.get_or_insert_with(Scratch::new);
        let n = columns.len().next_multiple_of(product.vectors * product.isa.lanes);
        // All blocks of `b` stay where they are if there is room for them.
        let stays = product.shape.k * n <= B_ELEMENTS;
        let key = Some(Key { run, b, start: columns.start, end: columns.end });
        if !stays || run == Run::ALONE || scratch.holds != key {
            scratch.held_k = 0;
        }
        scratch.holds = key.filter(|_| stays);
        let held_k = if product.b_source == Source::InPlace { 0 } else { scratch.held_k };
        if stays && product.b_source != Source::InPlace {
            scratch.held_k = product.shape.k;
        }
        // SAFETY: by the contract.
        unsafe { Work { product, a, b, c, scratch: scratch.start(), stays, held_k }.run(rows, columns) }
    });
}

/// One piece of a product.
struct Work<'p> {
    product: &'p Product,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    scratch: *mut f32,
    /// Whether each block of `b` is copied to a place of its own.
    stays: bool,
    /// The number of k of `b` that are packed already: all or none.
    held_k: usize,
}

impl Work<'_> {
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn run(&self, rows: Range<usize>, columns: Range<usize>) {
        let product = self.product;
        let Shape { k, accumulate, .. } = product.shape;
        let strip = product.vectors * product.isa.lanes;
        let most_columns = B_ELEMENTS / product.k_block / strip * strip;
        let most_rows = (A_ELEMENTS / product.k_block / product.rows * product.rows).max(product.rows);
        let mut column = columns.start;
        while column < columns.end {
            let n = (columns.end - column).min(most_columns);
            let mut depth = 0;
            // A product without any k still writes zeros.
            while depth < k || depth == 0 {
                let k_size = (k - depth).min(product.k_block);
                let add = accumulate || depth > 0;
                // SAFETY: by the contract.
                unsafe {
                    let b = self.b_block(depth, k_size, column, n);
                    let mut row = rows.start;
                    while row < rows.end {
                        let m = (rows.end - row).min(most_rows);
                        let a = self.a_block(depth, k_size, row, m);
                        self.block(BlockRange { row, m, column, n, k: k_size, add }, a, b);
                        row += m;
                    }
                }
                depth += product.k_block;
            }
            column += n;
        }
    }

    fn scratch_a(&self) -> *mut f32 {
        self.scratch.wrapping_add(B_ELEMENTS)
    }

    fn scratch_c(&self) -> *mut f32 {
        self.scratch.wrapping_add(B_ELEMENTS + A_ELEMENTS)
    }

    /// The first element of a block of `a`, copied if need be: tile after tile, in each the rows of one k.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn a_block(&self, depth: usize, k: usize, row: usize, m: usize) -> *const f32 {
        let product = self.product;
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

    /// The first element of a block of `b`, copied if need be: strip after strip, in each the vectors of one k.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn b_block(&self, depth: usize, k: usize, column: usize, n: usize) -> *const f32 {
        let product = self.product;
        let (by_k, by_column) = product.shape.b;
        let from = self.b.wrapping_offset(depth as isize * by_k + column as isize * by_column);
        if product.b_source == Source::InPlace {
            return from;
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

    /// # Safety
    /// As [`Product::piece`]; `a` and `b` are the first elements of blocks.
    unsafe fn block(&self, part: BlockRange, a: *const f32, b: *const f32) {
        let product = self.product;
        let lanes = product.isa.lanes;
        let is_b_copied = product.b_source != Source::InPlace;
        for strip in strips(part.n, product.vectors * lanes) {
            let vectors = strip.len().div_ceil(lanes);
            let (b, b_stride) = if is_b_copied {
                (b.wrapping_add(strip.start * part.k), (vectors * lanes) as isize)
            } else {
                (b.wrapping_add(strip.start), product.shape.b.0)
            };
            // A strip of three vectors is computed as two and one.
            let mut first = 0;
            while first < vectors {
                let width = 1 << (vectors - first).ilog2();
                let start = strip.start + first * lanes;
                let columns = start..strip.end.min(start + width * lanes);
                let b = b.wrapping_add(first * lanes);
                // SAFETY: by the contract.
                unsafe { self.strip(&part, columns, width, a, (b, b_stride)) }
                first += width;
            }
        }
    }

    /// All tiles of a strip of `width` vectors.
    ///
    /// # Safety
    /// As [`Product::piece`]; `a` and `b` are the first elements of blocks.
    unsafe fn strip(
        &self,
        part: &BlockRange,
        columns: Range<usize>,
        width: usize,
        a: *const f32,
        b: (*const f32, isize),
    ) {
        let product = self.product;
        let shape = &product.shape;
        let lanes = product.isa.lanes;
        let place = |row: usize| {
            let (row, column) = ((part.row + row) as isize, (part.column + columns.start) as isize);
            self.c.wrapping_offset(row * shape.c.0 + column * shape.c.1)
        };
        let is_in_place = product.c_sink == Sink::InPlace;
        let stride = (width * lanes) as isize;
        // Rows whose results are in the copy.
        let mut waiting = 0..0;
        for rows in Tiles::new(part.m, product.rows) {
            if !is_in_place && (rows.end - waiting.start) * width * lanes > C_ELEMENTS {
                // SAFETY: by the contract.
                unsafe { self.deliver(place(waiting.start), waiting.len(), columns.len(), stride, part.add) }
                waiting.start = waiting.end;
            }
            let (a, a_stride) = match product.a_source {
                Source::InPlace if product.by_row => {
                    (a.wrapping_offset(rows.start as isize * shape.a.0), shape.a.0)
                }
                Source::InPlace => (a.wrapping_add(rows.start), shape.a.1),
                _ => (a.wrapping_add(rows.start * part.k), rows.len() as isize),
            };
            let (c, c_stride) = if is_in_place {
                (place(rows.start), shape.c.0)
            } else {
                (self.scratch_c().wrapping_offset((rows.start - waiting.start) as isize * stride), stride)
            };
            let tile = Tile {
                k: part.k,
                a,
                a_stride,
                b: b.0,
                b_stride: b.1,
                c,
                c_stride,
                last_lanes: columns.len() - (width - 1) * lanes,
                add: part.add && is_in_place,
            };
            // SAFETY: by the contract; what waits fits its room.
            unsafe { product.isa.tile(rows.len(), width, product.by_row)(&tile) }
            waiting.end = rows.end;
        }
        if !is_in_place {
            // SAFETY: by the contract.
            unsafe { self.deliver(place(waiting.start), waiting.len(), columns.len(), stride, part.add) }
        }
    }

    /// Writes the copy of a part of the result to where it belongs.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn deliver(&self, to: *mut f32, rows: usize, columns: usize, stride: isize, add: bool) {
        let product = self.product;
        let (by_row, by_column) = product.shape.c;
        let from = self.scratch_c();
        // SAFETY: by the contract.
        unsafe {
            if product.c_sink == Sink::Transposed {
                let store = if add { Store::Add } else { Store::Exact };
                let block =
                    Block { from, from_stride: stride, rows, columns, to, to_stride: by_column, store };
                return (product.isa.transpose)(&block);
            }
            for row in 0..rows as isize {
                for column in 0..columns as isize {
                    let to = to.offset(row * by_row + column * by_column);
                    let sum = *from.offset(row * stride + column);
                    *to = if add { *to + sum } else { sum };
                }
            }
        }
    }
}

/// A block of rows and columns, and the block of k for it.
#[derive(Clone, Copy)]
struct BlockRange {
    row: usize,
    m: usize,
    column: usize,
    n: usize,
    k: usize,
    add: bool,
}

/// The strips of `n` columns.
fn strips(n: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(width).map(move |start| start..(start + width).min(n))
}

/// `m` rows in tiles of nearly the same size.
struct Tiles {
    at: usize,
    left: usize,
    base: usize,
    larger: usize,
}

impl Tiles {
    fn new(m: usize, most: usize) -> Tiles {
        let left = m.div_ceil(most);
        Tiles { at: 0, left, base: m / left, larger: m % left }
    }
}

impl Iterator for Tiles {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let size = self.base + usize::from(self.larger > 0);
        self.larger = self.larger.saturating_sub(1);
        let start = self.at;
        self.at += size;
        Some(start..self.at)
    }
}

/// Which operand the memory holds a copy of.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    run: Run,
    b: *const f32,
    start: usize,
    end: usize,
}

/// Memory for copies of blocks, one for each thread.
struct Scratch {
    memory: Vec<f32>,
    holds: Option<Key>,
    held_k: usize,
}

impl Scratch {
    fn new() -> Scratch {
        let memory = vec![0.0; B_ELEMENTS + A_ELEMENTS + C_ELEMENTS + MOST_LANES];
        Scratch { memory, holds: None, held_k: 0 }
    }

    /// At the beginning of a cache line.
    fn start(&mut self) -> *mut f32 {
        let start = self.memory.as_mut_ptr();
        start.wrapping_add(start.align_offset(64).min(MOST_LANES))
    }
}

thread_local! {
    static SCRATCH: RefCell<Option<Scratch>> = const { RefCell::new(None) };
}
