//! Packing kernels: copies of blocks, transposed or not, into the order in which tiles read operands, and of
//! results out of it.

use super::vector::{MOST_LANES, Vector};

/// Rows that are cut into strips together.
const ROWS_AT_A_TIME: usize = 16;

/// How the target is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// Whole vectors are written; lanes beyond the block become 0.
    Padded,
    /// Exactly the block is written.
    Exact,
    /// The block is added to.
    Add,
}

/// `from` holds `rows` rows of `columns` contiguous elements.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub from: *const f32,
    pub from_stride: isize,
    pub rows: usize,
    pub columns: usize,
    pub to: *mut f32,
    pub to_stride: isize,
    pub store: Store,
}

/// # Safety
/// The processor has the instructions; the pointers reach all elements of the block.
pub(super) type CopyFn = unsafe fn(&Block);

/// Element (row, column) goes to (column, row). With [`Store::Padded`] at most one vector of rows.
///
/// # Safety
/// As [`CopyFn`].
#[inline(always)]
pub(super) unsafe fn transpose<X: Vector>(block: &Block) {
    // SAFETY: by the contract.
    unsafe {
        let mut row = 0;
        while row < block.rows {
            let rows = (block.rows - row).min(X::LANES);
            let from = block.from.offset(row as isize * block.from_stride);
            let mut column = 0;
            while column < block.columns {
                let columns = (block.columns - column).min(X::LANES);
                let to = block.to.offset(column as isize * block.to_stride).add(row);
                if rows == X::LANES && columns == X::LANES {
                    square::<X>(block, from.add(column), to);
                } else {
                    edge::<X>(block, from.add(column), to, rows, columns);
                }
                column += X::LANES;
            }
            row += X::LANES;
        }
    }
}

/// A block of as many rows and columns as there are lanes.
///
/// # Safety
/// As [`CopyFn`].
#[inline(always)]
unsafe fn square<X: Vector>(block: &Block, from: *const f32, to: *mut f32) {
    // SAFETY: by the contract.
    unsafe {
        let mut vectors = [X::zero(); MOST_LANES];
        for (at, vector) in vectors.iter_mut().enumerate().take(X::LANES) {
            *vector = X::load(from.offset(at as isize * block.from_stride));
        }
        X::transpose(&mut vectors);
        if block.store == Store::Add {
            for (at, vector) in vectors.iter_mut().enumerate().take(X::LANES) {
                *vector = X::load(to.offset(at as isize * block.to_stride)).add(*vector);
            }
        }
        for (at, vector) in vectors.iter().enumerate().take(X::LANES) {
            vector.store(to.offset(at as isize * block.to_stride));
        }
    }
}

/// A block at the edge.
///
/// # Safety
/// As [`CopyFn`].
#[inline(always)]
unsafe fn edge<X: Vector>(block: &Block, from: *const f32, to: *mut f32, rows: usize, columns: usize) {
    // SAFETY: by the contract.
    unsafe {
        let mask = X::mask(columns);
        let mut vectors = [X::zero(); MOST_LANES];
        for (at, vector) in vectors.iter_mut().enumerate().take(X::LANES) {
            if at < rows {
                *vector = X::load_part(from.offset(at as isize * block.from_stride), mask);
            }
        }
        X::transpose(&mut vectors);
        let mask = X::mask(rows);
        for (at, vector) in vectors.iter().enumerate().take(X::LANES) {
            if at < columns {
                let place = to.offset(at as isize * block.to_stride);
                match block.store {
                    Store::Padded => vector.store(place),
                    Store::Exact => vector.store_part(place, mask),
                    Store::Add => X::load_part(place, mask).add(*vector).store_part(place, mask),
                }
            }
        }
    }
}

/// Element (row, column) goes to (row, column).
///
/// # Safety
/// As [`CopyFn`].
#[inline(always)]
pub(super) unsafe fn straight<X: Vector>(block: &Block) {
    // SAFETY: by the contract.
    unsafe {
        for row in 0..block.rows as isize {
            let from = block.from.offset(row * block.from_stride);
            let to = block.to.offset(row * block.to_stride);
            line::<X>(from, to, block.columns, block.store);
        }
    }
}

/// # Safety
/// As [`CopyFn`].
#[inline(always)]
unsafe fn line<X: Vector>(from: *const f32, to: *mut f32, columns: usize, store: Store) {
    // SAFETY: by the contract.
    unsafe {
        let full = columns / X::LANES * X::LANES;
        let mut column = 0;
        while column < full {
            X::load(from.add(column)).store(to.add(column));
            column += X::LANES;
        }
        if full < columns {
            let mask = X::mask(columns - full);
            let last = X::load_part(from.add(full), mask);
            match store {
                Store::Padded => last.store(to.add(full)),
                _ => last.store_part(to.add(full), mask),
            }
        }
    }
}

/// Rows are cut into strips of `to_stride` columns, whole vectors; a strip is its rows one behind another, and
/// strips follow each other. A few rows at a time, so that memory is read nearly in its order, and written to few
/// places.
///
/// # Safety
/// As [`CopyFn`]; there is room for whole vectors.
#[inline(always)]
pub(super) unsafe fn into_strips<X: Vector>(block: &Block) {
    // SAFETY: by the contract.
    unsafe {
        let most_width = block.to_stride as usize;
        let mut first = 0;
        while first < block.rows {
            let end = block.rows.min(first + ROWS_AT_A_TIME);
            let mut column = 0;
            while column < block.columns {
                let columns = most_width.min(block.columns - column);
                let width = columns.div_ceil(X::LANES) * X::LANES;
                let mut from = block.from.offset(first as isize * block.from_stride).add(column);
                let mut to = block.to.add(column * block.rows + first * width);
                for _ in first..end {
                    line::<X>(from, to, columns, Store::Padded);
                    from = from.wrapping_offset(block.from_stride);
                    to = to.wrapping_add(width);
                }
                column += most_width;
            }
            first = end;
        }
    }
}
