//! Tiles that read windows where they overlap, without a packed copy.
//!
//! - Rows of `a` are windows: they lie in groups of `S` with one stride, such as the columns of a window, and k goes
//!   through runs, such as the rows of a picture.
//! - Columns of `b` are windows: vectors lie wherever they do, and a table says how far k moves them.
//!
//! The value of an element is the same as in [`super::tile`].

use super::tile::{GROUP, MOST_GROUPS, Tile, opaque, opaque_number, store};
use super::vector::Vector;

/// One call of a tile whose rows are windows. In `tile`, `a` is where the first k of row offset 0 is, and `a_stride`
/// leads from row to row of a group.
pub(super) struct GroupedTile {
    pub tile: Tile,
    /// Where each group begins.
    pub groups: *const isize,
    pub runs: Runs,
}

/// How k moves through `a`: by equal steps in runs, of which the first may be cut short.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Runs {
    pub first: usize,
    pub length: usize,
    pub step: isize,
    /// After each run, from where its next element would be to the next run.
    pub jumps: *const isize,
}

/// One call of a tile whose columns are windows, or of one after another along the columns. In `tile`, `b` is where
/// all offsets count from, and `c` is of the first.
pub(super) struct TableTile {
    pub tile: Tile,
    /// How far each k lies.
    pub table: *const isize,
    /// How far each vector lies: those of one tile after those of the other.
    pub vectors: *const isize,
    pub tiles: usize,
}

pub(super) const MOST_TABLE_VECTORS: usize = 4;
/// The most vectors of a tile that puts each together from two runs.
pub(super) const MOST_HALVED_VECTORS: usize = 2;

/// A vector of two runs of elements, either of which may be empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Halves {
    /// Where lane 0 would be by the first run, and by the last.
    pub places: [isize; 2],
    /// The lane at which the last begins.
    pub split: usize,
}

/// As [`TableTile`], of vectors that have two runs.
pub(super) struct HalvedTile {
    pub tile: Tile,
    pub table: *const isize,
    pub vectors: *const Halves,
    pub tiles: usize,
}

/// # Safety
/// As [`TableFn`].
pub(super) type HalvedFn = unsafe fn(&HalvedTile);

/// # Safety
/// As [`super::tile::TileFn`]; there are as many groups as the tile has.
pub(super) type GroupedFn = unsafe fn(&GroupedTile);

/// # Safety
/// As [`super::tile::TileFn`]; the table has as many numbers as there are k, and there are as many vectors as tiles
/// need.
pub(super) type TableFn = unsafe fn(&TableTile);

/// G groups of S rows; `R` is `G * S`.
///
/// # Safety
/// As [`GroupedFn`].
#[inline(always)]
pub(super) unsafe fn grouped<X: Vector, const R: usize, const S: usize, const V: usize>(call: &GroupedTile) {
    let tile = &call.tile;
    // SAFETY: by the contract.
    unsafe {
        let mask = X::mask(tile.last_lanes);
        let sums = if tile.last_lanes == X::LANES {
            grouped_sums::<X, R, S, V>(call, |from| X::load(from))
        } else {
            grouped_sums::<X, R, S, V>(call, |from| X::load_part(from, mask))
        };
        store(tile, tile.c, &sums);
    }
}

/// # Safety
/// As [`GroupedFn`].
#[inline(always)]
unsafe fn grouped_sums<X: Vector, const R: usize, const S: usize, const V: usize>(
    call: &GroupedTile,
    load_last: impl Fn(*const f32) -> X,
) -> [[X; V]; R] {
    let GroupedTile { tile, runs, .. } = call;
    // SAFETY: by the contract.
    unsafe {
        let mut sums = [[X::zero(); V]; R];
        let mut b = tile.b;
        let mut a = [tile.a; MOST_GROUPS];
        for (group, a) in a.iter_mut().enumerate().take(R / S) {
            *a = tile.a.wrapping_offset(*call.groups.add(group));
        }
        let mut thrice = 3 * tile.a_stride;
        opaque_number(&mut thrice);
        let mut left = tile.k;
        if left == 0 {
            return sums;
        }
        let mut length = runs.first.min(left);
        let mut jumps = runs.jumps;
        loop {
            left -= length;
            // A loop that ends behind its first round: with a test before it sums would be kept in memory.
            loop {
                let mut vectors = [X::zero(); V];
                for (at, vector) in vectors.iter_mut().enumerate() {
                    let from = b.add(at * X::LANES);
                    *vector = if at + 1 < V { X::load(from) } else { load_last(from) };
                }
                for group in 0..R / S {
                    let a = a[group];
                    for at in 0..S {
                        let factor = X::splat(match at {
                            0 => a,
                            1 => a.wrapping_offset(tile.a_stride),
                            2 => a.wrapping_offset(tile.a_stride.wrapping_mul(2)),
                            3 => a.wrapping_offset(thrice),
                            _ => a.wrapping_offset(tile.a_stride.wrapping_mul(4)),
                        });
                        for (sum, vector) in sums[group * S + at].iter_mut().zip(&vectors) {
                            *sum = factor.mul_add(*vector, *sum);
                        }
                    }
                }
                for a in a.iter_mut().take(R / S) {
                    *a = a.wrapping_offset(runs.step);
                    opaque(a);
                }
                b = b.wrapping_offset(tile.b_stride);
                length = length.wrapping_sub(1);
                if length == 0 {
                    break;
                }
            }
            if left == 0 {
                return sums;
            }
            let jump = *jumps;
            jumps = jumps.wrapping_add(1);
            for a in a.iter_mut().take(R / S) {
                *a = a.wrapping_offset(jump);
                opaque(a);
            }
            length = runs.length.min(left);
        }
    }
}

/// R rows, in which k is contiguous, and V vectors.
///
/// # Safety
/// As [`TableFn`].
#[inline(always)]
pub(super) unsafe fn by_table<X: Vector, const R: usize, const V: usize>(call: &TableTile) {
    let tile = &call.tile;
    // SAFETY: by the contract.
    unsafe {
        if tile.last_lanes == X::LANES {
            for at in 0..call.tiles {
                let vectors = call.vectors.wrapping_add(at * V);
                let sums = table_sums::<X, R, V>(call, vectors, |from| X::load(from));
                store(tile, tile.c.wrapping_add(at * V * X::LANES), &sums);
            }
            return;
        }
        let mask = X::mask(tile.last_lanes);
        let sums = table_sums::<X, R, V>(call, call.vectors, |from| X::load_part(from, mask));
        store(tile, tile.c, &sums);
    }
}

/// The same where each vector is put together from two runs.
///
/// # Safety
/// As [`HalvedFn`].
#[inline(always)]
pub(super) unsafe fn by_halves<X: Vector, const R: usize, const V: usize>(call: &HalvedTile) {
    let tile = &call.tile;
    // SAFETY: by the contract.
    unsafe {
        for number in 0..call.tiles {
            let mut b = [[tile.b; 2]; V];
            let mut masks = [[X::lanes(0, 0); 2]; V];
            for at in 0..V {
                let Halves { places, split } = *call.vectors.add(number * V + at);
                let end = if at + 1 < V { X::LANES } else { tile.last_lanes };
                b[at] = [tile.b.wrapping_offset(places[0]), tile.b.wrapping_offset(places[1])];
                masks[at] = [X::lanes(0, split), X::lanes(split, end)];
            }
            let sums = sums_by_table::<X, R, V>(tile, call.table, |at, offset| {
                let first = X::zero().load_lanes(b[at][0].wrapping_offset(offset), masks[at][0]);
                first.load_lanes(b[at][1].wrapping_offset(offset), masks[at][1])
            });
            store(tile, tile.c.wrapping_add(number * V * X::LANES), &sums);
        }
    }
}

/// # Safety
/// As [`TableFn`].
#[inline(always)]
unsafe fn table_sums<X: Vector, const R: usize, const V: usize>(
    call: &TableTile,
    vectors: *const isize,
    load_last: impl Fn(*const f32) -> X,
) -> [[X; V]; R] {
    let tile = &call.tile;
    // SAFETY: by the contract.
    unsafe {
        let mut b = [tile.b; V];
        for (at, b) in b.iter_mut().enumerate() {
            *b = tile.b.wrapping_offset(*vectors.add(at));
            opaque(b);
        }
        sums_by_table::<X, R, V>(tile, call.table, |at, offset| {
            let from = b[at].wrapping_offset(offset);
            if at + 1 < V { X::load(from) } else { load_last(from) }
        })
    }
}

/// `load` gives a vector of the k that lies so far.
///
/// # Safety
/// As [`TableFn`].
#[inline(always)]
unsafe fn sums_by_table<X: Vector, const R: usize, const V: usize>(
    tile: &Tile,
    table: *const isize,
    load: impl Fn(usize, isize) -> X,
) -> [[X; V]; R] {
    // SAFETY: by the contract.
    unsafe {
        let mut sums = [[X::zero(); V]; R];
        let mut a = [tile.a; MOST_GROUPS];
        for (group, a) in a.iter_mut().enumerate().take(R.div_ceil(GROUP)) {
            *a = tile.a.wrapping_offset((group * GROUP) as isize * tile.a_stride);
        }
        let mut thrice = 3 * tile.a_stride;
        opaque_number(&mut thrice);
        for depth in 0..tile.k {
            let offset = *table.add(depth);
            let mut vectors = [X::zero(); V];
            for (at, vector) in vectors.iter_mut().enumerate() {
                *vector = load(at, offset);
            }
            for (at, row) in sums.iter_mut().enumerate() {
                let a = a[at / GROUP];
                let factor = X::splat(match at % GROUP {
                    0 => a,
                    1 => a.wrapping_offset(tile.a_stride),
                    2 => a.wrapping_offset(tile.a_stride.wrapping_mul(2)),
                    _ => a.wrapping_offset(thrice),
                });
                for (sum, vector) in row.iter_mut().zip(&vectors) {
                    *sum = factor.mul_add(*vector, *sum);
                }
            }
            for a in a.iter_mut().take(R.div_ceil(GROUP)) {
                *a = a.wrapping_add(1);
                opaque(a);
            }
        }
        sums
    }
}
