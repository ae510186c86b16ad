//! From a piece of a product to tiles: block by block, so that what is read again is still in a cache.
//!
//! Copies of blocks are made in memory that each thread keeps.

use super::copy::{Block, Store};
use super::strategy::{InPlace, Product, Sink, Source};
use super::tile::Tile;
use super::vector::MOST_LANES;
use super::window_tile::{GroupedTile, HalvedTile, TableTile};
use super::{Run, Shape};
use std::cell::RefCell;
use std::ops::Range;

/// Elements of `b` copied at a time: half of a usual second cache.
const B_ELEMENTS: usize = 128 * 1024;
/// Elements of `a` that are used with them.
const A_ELEMENTS: usize = 64 * 1024;
/// Elements of a scattered `a` that are copied at a time: half of a usual first cache.
const A_LINES: usize = 6 * 1024;
/// Elements of the result that are copied at a time, of at least as many rows as a tile has.
const C_ELEMENTS: usize = 1536;

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
pub(super) struct Work<'p> {
    pub product: &'p Product,
    pub a: *const f32,
    pub b: *const f32,
    c: *mut f32,
    pub scratch: *mut f32,
    /// Whether each block of `b` is copied to a place of its own.
    pub stays: bool,
    /// The number of k of `b` that are packed already: all or none.
    pub held_k: usize,
}

impl Work<'_> {
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn run(&self, rows: Range<usize>, columns: Range<usize>) {
        let product = self.product;
        let Shape { k, accumulate, .. } = product.shape;
        let strip = product.vectors * product.isa.lanes;
        let most_columns = B_ELEMENTS / product.k_block / strip * strip;
        let a_rows = match product.a_source {
            Source::Lines => A_LINES / self.a_row(product.k_block),
            _ => A_ELEMENTS / product.k_block,
        };
        let most_rows = (a_rows / product.rows * product.rows).max(product.rows);
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
                        self.block(BlockRange { row, m, column, n, depth, k: k_size, add }, a, b);
                        row += m;
                    }
                }
                depth += product.k_block;
            }
            column += n;
        }
    }

    pub fn scratch_a(&self) -> *mut f32 {
        self.scratch.wrapping_add(B_ELEMENTS)
    }

    fn scratch_c(&self) -> *mut f32 {
        self.scratch.wrapping_add(B_ELEMENTS + A_ELEMENTS)
    }

    /// # Safety
    /// As [`Product::piece`]; `a` and `b` are the first elements of blocks.
    unsafe fn block(&self, part: BlockRange, a: *const f32, b: *const f32) {
        let product = self.product;
        let lanes = product.isa.lanes;
        let is_b_copied = product.b_source != Source::InPlace;
        let mut done = 0;
        for strip in strips(part.n, product.vectors * lanes) {
            if strip.start < done {
                continue;
            }
            let vectors = strip.len().div_ceil(lanes);
            let first = (part.column + strip.start) / lanes;
            if let Some(source) = product.in_place(first..first + vectors) {
                // SAFETY: by the contract.
                done = unsafe { self.strips_in_place(&part, strip, a, source) };
                continue;
            }
            let (b, b_stride) = if is_b_copied {
                (b.wrapping_add(strip.start * part.k), (vectors * lanes) as isize)
            } else {
                (b.wrapping_add(strip.start), product.shape.b.0)
            };
            for (vectors, columns) in widths(&strip, vectors, lanes) {
                let first = (columns.start - strip.start) as isize;
                let b = Columns::Matrix(b.wrapping_offset(first), b_stride);
                // SAFETY: by the contract.
                unsafe { self.strip(&part, columns, vectors, a, b) }
            }
        }
    }

    /// A strip whose vectors are read where they are, and those after it that one call computes with it; returns
    /// where they end.
    ///
    /// # Safety
    /// As [`Product::piece`]; `a` is the first element of a block.
    unsafe fn strips_in_place(
        &self,
        part: &BlockRange,
        strip: Range<usize>,
        a: *const f32,
        source: InPlace<'_>,
    ) -> usize {
        let product = self.product;
        let lanes = product.isa.lanes;
        let width = product.vectors.min(source.most_vectors());
        let first = |column: usize| (part.column + column) / lanes;
        // Where there is one tile in each, as many as lie in the same way.
        let mut end = strip.end;
        if part.m <= product.rows && product.c_sink == Sink::InPlace && strip.len() == product.vectors * lanes
        {
            let is_alike = |end: &usize| {
                let next = product.in_place(first(*end)..first(end + strip.len()));
                end + strip.len() <= part.n && next.is_some_and(|next| next.is_like(&source))
            };
            while is_alike(&end) {
                end += strip.len();
            }
            if let Some(source) = product.in_place(first(strip.start)..first(end)) {
                let columns = strip.start..strip.start + width * lanes;
                // SAFETY: by the contract.
                unsafe { self.strip(part, columns, width, a, Columns::InPlace(source.from(part.depth))) }
            }
            return end;
        }
        for (vectors, columns) in widths(&strip, width, lanes) {
            if let Some(source) = product.in_place(first(columns.start)..first(columns.start) + vectors) {
                // SAFETY: by the contract.
                unsafe { self.strip(part, columns, vectors, a, Columns::InPlace(source.from(part.depth))) }
            }
        }
        end
    }

    /// All tiles of a strip of `width` vectors, or of strips one after another that are read by table.
    ///
    /// # Safety
    /// As [`Product::piece`]; `a` and `b` are the first elements of blocks.
    unsafe fn strip(
        &self,
        part: &BlockRange,
        columns: Range<usize>,
        width: usize,
        a: *const f32,
        b: Columns<'_>,
    ) {
        let product = self.product;
        let shape = &product.shape;
        let lanes = product.isa.lanes;
        let place = |row: usize| {
            let (row, column) = ((part.row + row) as isize, (part.column + columns.start) as isize);
            self.c.wrapping_offset(row * shape.c.0 + column * shape.c.1)
        };
        let is_in_place = product.c_sink == Sink::InPlace;
        let is_scattered = product.offsets.is_some() && product.c_sink == Sink::Scattered;
        let deliver = |waiting: &Range<usize>| {
            let stride = (width * lanes) as isize;
            // SAFETY: by the contract.
            unsafe {
                if is_scattered {
                    let column = part.column + columns.start;
                    let rows = part.row + waiting.start..part.row + waiting.end;
                    return self.scatter(rows, column..column + columns.len(), stride, part.add);
                }
                self.deliver(place(waiting.start), waiting.len(), columns.len(), stride, part.add);
            }
        };
        let stride = (width * lanes) as isize;
        // Rows whose results are in the copy.
        let mut waiting = 0..0;
        let unit = product.unit();
        for units in Tiles::new(part.m / unit, product.rows / unit) {
            let rows = units.start * unit..units.end * unit;
            if !is_in_place && (rows.end - waiting.start) * width * lanes > C_ELEMENTS {
                deliver(&waiting);
                waiting.start = waiting.end;
            }
            let (a, a_stride) = match product.a_source {
                Source::InPlace if product.by_row => {
                    (a.wrapping_offset(rows.start as isize * shape.a.0), shape.a.0)
                }
                Source::InPlace => (a.wrapping_add(rows.start), shape.a.1),
                Source::Lines => {
                    let stride = self.a_row(part.k);
                    (a.wrapping_add(rows.start * stride), stride as isize)
                }
                Source::Grouped => (a, product.groups().map_or(0, |groups| groups.stride)),
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
                b: b.first(self.b),
                b_stride: b.stride(),
                c,
                c_stride,
                last_lanes: columns.len() - (width - 1) * lanes,
                add: part.add && is_in_place,
            };
            // SAFETY: by the contract; what waits fits its room.
            unsafe { self.tile(part, rows.clone(), width, tile, b) }
            waiting.end = rows.end;
        }
        if !is_in_place {
            deliver(&waiting);
        }
    }

    /// One tile, of the kind that the product has.
    ///
    /// # Safety
    /// As [`Product::piece`]; the tile is that of these rows and columns.
    unsafe fn tile(
        &self,
        part: &BlockRange,
        rows: Range<usize>,
        width: usize,
        tile: Tile,
        columns: Columns<'_>,
    ) {
        let isa = self.product.isa;
        // SAFETY: by the contract.
        unsafe {
            match columns {
                Columns::InPlace(InPlace::Whole { table, vectors }) => {
                    let (tiles, table, vectors) = (vectors.len() / width, table.as_ptr(), vectors.as_ptr());
                    return isa.table_tile(rows.len(), width)(&TableTile { tile, table, vectors, tiles });
                }
                Columns::InPlace(InPlace::Halves { table, vectors }) => {
                    let (tiles, table, vectors) = (vectors.len() / width, table.as_ptr(), vectors.as_ptr());
                    return isa.halved_tile(rows.len(), width)(&HalvedTile { tile, table, vectors, tiles });
                }
                Columns::Matrix(..) => {}
            }
            if let Some(groups) = self.product.groups() {
                let first = (part.row + rows.start) / groups.of;
                let call = GroupedTile {
                    tile,
                    groups: groups.offsets[first..].as_ptr(),
                    runs: groups.runs(part.depth),
                };
                return isa.grouped_tile(rows.len() / groups.of, groups.of, width)(&call);
            }
            isa.tile(rows.len(), width, self.product.by_row)(&tile);
        }
    }

    /// Writes the copy of a part of the result to places that no stride leads through.
    ///
    /// # Safety
    /// As [`Product::piece`].
    unsafe fn scatter(&self, rows: Range<usize>, columns: Range<usize>, stride: isize, add: bool) {
        let Some(offsets) = &self.product.offsets else { return };
        let [by_row, by_column] = &offsets.sides[2];
        for (row, to_row) in by_row[rows].iter().enumerate() {
            for (column, to_column) in by_column[columns.clone()].iter().enumerate() {
                // SAFETY: by the contract.
                unsafe {
                    let to = self.c.offset(to_row + to_column);
                    let sum = *self.scratch_c().offset(row as isize * stride + column as isize);
                    *to = if add { *to + sum } else { sum };
                }
            }
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

/// Where the vectors of a strip are.
#[derive(Clone, Copy)]
enum Columns<'p> {
    /// The first, and from k to k.
    Matrix(*const f32, isize),
    /// Of one strip, or of strips one after another.
    InPlace(InPlace<'p>),
}

impl Columns<'_> {
    fn first(&self, b: *const f32) -> *const f32 {
        match self {
            Columns::Matrix(first, _) => *first,
            Columns::InPlace(..) => b,
        }
    }

    fn stride(&self) -> isize {
        match self {
            Columns::Matrix(_, stride) => *stride,
            Columns::InPlace(..) => 0,
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
    /// The first k.
    depth: usize,
    k: usize,
    add: bool,
}

/// The strips of `n` columns.
pub(super) fn strips(n: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).step_by(width).map(move |start| start..(start + width).min(n))
}

/// A strip in parts of a power of two of vectors, at most so many: three vectors are computed as two and one.
fn widths(strip: &Range<usize>, most: usize, lanes: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut strip = strip.clone();
    std::iter::from_fn(move || {
        let left = strip.len().div_ceil(lanes).min(most);
        let vectors = 1 << left.checked_ilog2()?;
        let columns = strip.start..strip.end.min(strip.start + vectors * lanes);
        strip.start = columns.end;
        Some((vectors, columns))
    })
}

/// `m` rows in tiles of nearly the same size.
pub(super) struct Tiles {
    at: usize,
    left: usize,
    base: usize,
    larger: usize,
}

impl Tiles {
    pub fn new(m: usize, most: usize) -> Tiles {
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
