//! Few long rows times few long columns: vectors lie along k, and nothing is copied.
//!
//! An element is sixteen sums, each over every sixteenth k, which are then added by halves: the same on vectors of
//! any width.

use super::vector::{MOST_LANES, Vector};

/// A part of a product whose operands are both contiguous along k.
#[derive(Clone, Copy)]
pub(super) struct Dots {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: *const f32,
    /// From row to row.
    pub a_stride: isize,
    pub b: *const f32,
    /// From column to column.
    pub b_stride: isize,
    pub c: *mut f32,
    pub c_strides: (isize, isize),
    pub add: bool,
}

/// # Safety
/// The processor has the instructions; the pointers reach all elements.
pub(super) type DotsFn = unsafe fn(&Dots);

/// In tiles of R rows and R columns, or of a single one; `PARTS` vectors are sixteen lanes.
///
/// # Safety
/// As [`DotsFn`].
#[inline(always)]
pub(super) unsafe fn dots<X: Vector, const R: usize, const PARTS: usize>(dots: &Dots) {
    // SAFETY: by the contract.
    unsafe {
        match (dots.m, dots.n) {
            (1, _) => tiles::<X, 1, R, PARTS>(dots),
            (_, 1) => tiles::<X, R, 1, PARTS>(dots),
            _ => tiles::<X, R, R, PARTS>(dots),
        }
    }
}

/// In tiles of M rows and N columns.
///
/// # Safety
/// As [`DotsFn`].
#[inline(always)]
unsafe fn tiles<X: Vector, const M: usize, const N: usize, const PARTS: usize>(dots: &Dots) {
    // SAFETY: by the contract.
    unsafe {
        let mut column = 0;
        while column < dots.n {
            let columns = (dots.n - column).min(N);
            let mut row = 0;
            while row < dots.m {
                let rows = (dots.m - row).min(M);
                // At the edge the last row or column is computed several times.
                let (mut a, mut b) = ([dots.a; M], [dots.b; N]);
                for (at, a) in a.iter_mut().enumerate() {
                    *a = a.wrapping_offset((row + at.min(rows - 1)) as isize * dots.a_stride);
                }
                for (at, b) in b.iter_mut().enumerate() {
                    *b = b.wrapping_offset((column + at.min(columns - 1)) as isize * dots.b_stride);
                }
                let sums = sums::<X, M, N, PARTS>(a, b, dots.k);
                let c = dots
                    .c
                    .wrapping_offset(row as isize * dots.c_strides.0 + column as isize * dots.c_strides.1);
                for (i, sums) in sums.iter().enumerate().take(rows) {
                    for (j, sum) in sums.iter().enumerate().take(columns) {
                        let place = c.offset(i as isize * dots.c_strides.0 + j as isize * dots.c_strides.1);
                        *place = if dots.add { *place + *sum } else { *sum };
                    }
                }
                row += M;
            }
            column += N;
        }
    }
}

/// # Safety
/// As [`DotsFn`].
#[inline(always)]
unsafe fn sums<X: Vector, const M: usize, const N: usize, const PARTS: usize>(
    a: [*const f32; M],
    b: [*const f32; N],
    k: usize,
) -> [[f32; N]; M] {
    // SAFETY: by the contract.
    unsafe {
        let mut sums = [[[X::zero(); N]; M]; PARTS];
        let full = k / MOST_LANES * MOST_LANES;
        let mut depth = 0;
        while depth < full {
            for (part, sums) in sums.iter_mut().enumerate() {
                let at = depth + part * X::LANES;
                let mut columns = [X::zero(); N];
                for (column, b) in columns.iter_mut().zip(&b) {
                    *column = X::load(b.add(at));
                }
                for (row, a) in sums.iter_mut().zip(&a) {
                    let factor = X::load(a.add(at));
                    for (sum, column) in row.iter_mut().zip(&columns) {
                        *sum = factor.mul_add(*column, *sum);
                    }
                }
            }
            depth += MOST_LANES;
        }
        if depth < k {
            for (part, sums) in sums.iter_mut().enumerate() {
                let at = depth + part * X::LANES;
                let mask = X::mask(k.saturating_sub(at).min(X::LANES));
                let mut columns = [X::zero(); N];
                for (column, b) in columns.iter_mut().zip(&b) {
                    *column = X::load_part(b.wrapping_add(at), mask);
                }
                for (row, a) in sums.iter_mut().zip(&a) {
                    let factor = X::load_part(a.wrapping_add(at), mask);
                    for (sum, column) in row.iter_mut().zip(&columns) {
                        *sum = factor.mul_add(*column, *sum);
                    }
                }
            }
        }
        let mut results = [[0.0; N]; M];
        for (i, results) in results.iter_mut().enumerate() {
            for (j, result) in results.iter_mut().enumerate() {
                let mut half = PARTS / 2;
                while half > 0 {
                    for part in 0..half {
                        sums[part][i][j] = sums[part][i][j].add(sums[part + half][i][j]);
                    }
                    half /= 2;
                }
                *result = sums[0][i][j].sum();
            }
        }
        results
    }
}
