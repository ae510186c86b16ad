//! The microkernel: one register tile of the result, accumulated over k.
//!
//! A tile has R rows and V vectors. For each k it loads V vectors of `b`, and each of the R elements of `a`
//! into all lanes. The value of an element does not depend on the tile that computes it.

use super::vector::Vector;
use std::arch::asm;

/// One call of a tile.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub k: usize,
    pub a: *const f32,
    /// Of `a`: from row to row if its k is contiguous, from k to k if its rows are.
    pub a_stride: isize,
    pub b: *const f32,
    /// From k to k.
    pub b_stride: isize,
    pub c: *mut f32,
    /// From row to row.
    pub c_stride: isize,
    /// How many lanes of the last vector are within the result.
    pub last_lanes: usize,
    /// Whether what is in `c` already is kept and added to.
    pub add: bool,
}

/// # Safety
/// The processor has the instructions; the pointers reach as many elements as the tile has.
pub(super) type TileFn = unsafe fn(&Tile);

/// Rows whose elements are addressed from one pointer: multiples 0 to 3 of the stride.
pub(super) const GROUP: usize = 4;
pub(super) const MOST_GROUPS: usize = 6;

/// `BY_ROW`: k is contiguous in `a`; else rows are.
///
/// # Safety
/// As [`TileFn`].
#[inline(always)]
pub(super) unsafe fn tile<X: Vector, const R: usize, const V: usize, const BY_ROW: bool>(tile: &Tile) {
    // SAFETY: by the contract.
    unsafe {
        let mask = X::mask(tile.last_lanes);
        let sums = if tile.last_lanes == X::LANES {
            sums::<X, R, V, BY_ROW>(tile, |from| X::load(from))
        } else {
            sums::<X, R, V, BY_ROW>(tile, |from| X::load_part(from, mask))
        };
        store(tile, tile.c, &sums);
    }
}

/// Writes the sums of a tile to the result, which begins at `c`, or adds them to it.
///
/// # Safety
/// As [`TileFn`].
#[inline(always)]
pub(super) unsafe fn store<X: Vector, const R: usize, const V: usize>(
    tile: &Tile,
    mut c: *mut f32,
    sums: &[[X; V]; R],
) {
    // SAFETY: by the contract.
    unsafe {
        let mask = X::mask(tile.last_lanes);
        let is_full = tile.last_lanes == X::LANES;
        for row in sums {
            for (at, sum) in row.iter().enumerate() {
                let place = c.add(at * X::LANES);
                match (at + 1 < V || is_full, tile.add) {
                    (true, false) => sum.store(place),
                    (true, true) => X::load(place).add(*sum).store(place),
                    (false, false) => sum.store_part(place, mask),
                    (false, true) => X::load_part(place, mask).add(*sum).store_part(place, mask),
                }
            }
            c = c.wrapping_offset(tile.c_stride);
        }
    }
}

/// # Safety
/// As [`TileFn`].
#[inline(always)]
unsafe fn sums<X: Vector, const R: usize, const V: usize, const BY_ROW: bool>(
    tile: &Tile,
    load_last: impl Fn(*const f32) -> X,
) -> [[X; V]; R] {
    // SAFETY: by the contract.
    unsafe {
        let mut sums = [[X::zero(); V]; R];
        let mut b = tile.b;
        let mut a = [tile.a; MOST_GROUPS];
        if BY_ROW {
            for (group, a) in a.iter_mut().enumerate().take(R.div_ceil(GROUP)) {
                *a = tile.a.offset((group * GROUP) as isize * tile.a_stride);
            }
        }
        let mut thrice = 3 * tile.a_stride;
        opaque_number(&mut thrice);
        for _ in 0..tile.k {
            let mut vectors = [X::zero(); V];
            for (at, vector) in vectors.iter_mut().enumerate() {
                let from = b.add(at * X::LANES);
                *vector = if at + 1 < V { X::load(from) } else { load_last(from) };
            }
            for (at, row) in sums.iter_mut().enumerate() {
                let from = if BY_ROW {
                    let a = a[at / GROUP];
                    match at % GROUP {
                        0 => a,
                        1 => a.offset(tile.a_stride),
                        2 => a.offset(tile.a_stride.wrapping_mul(2)),
                        _ => a.offset(thrice),
                    }
                } else {
                    a[0].add(at)
                };
                let factor = X::splat(from);
                for (sum, vector) in row.iter_mut().zip(&vectors) {
                    *sum = factor.mul_add(*vector, *sum);
                }
            }
            if BY_ROW {
                for a in a.iter_mut().take(R.div_ceil(GROUP)) {
                    *a = a.wrapping_add(1);
                    opaque(a);
                }
            } else {
                a[0] = a[0].wrapping_offset(tile.a_stride);
            }
            b = b.wrapping_offset(tile.b_stride);
        }
        sums
    }
}

/// Keeps the compiler from computing one address from another: it would need more registers than there are.
#[inline(always)]
#[expect(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written there")]
pub(super) fn opaque(pointer: &mut *const f32) {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0} */", inout(reg) * pointer, options(pure, nomem, nostack, preserves_flags)) }
}

#[inline(always)]
pub(super) fn opaque_number(number: &mut isize) {
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0} */", inout(reg) * number, options(pure, nomem, nostack, preserves_flags)) }
}
