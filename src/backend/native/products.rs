//! Matrix products that a step calls: in hand-written vector code where there is some, else by a library.

use super::frame::Shared;
use crate::backend::Parallel;
use crate::loops::{Gemm, Kind};
use crate::product::{Piece, Product, Reuse, Run, Shape};

/// A product of the step, or a batch of them.
pub struct MatrixProduct {
    gemm: Gemm,
    n_batch: usize,
    /// How one of the batch is carried out; by the library if `None`.
    it: Option<Product>,
}

impl MatrixProduct {
    pub fn new(gemm: &Gemm) -> MatrixProduct {
        let n_batch = gemm.batch.iter().map(|(size, _)| *size as usize).product();
        let [a, b, c] = gemm.strides.map(|(row, column)| (row as isize, column as isize));
        let (m, n, k) = (gemm.m as usize, gemm.n as usize, gemm.k as usize);
        let shape = Shape { m, n, k, a, b, c, accumulate: gemm.accumulate };
        let reuse = Reuse { a: repeats(gemm, 0), b: repeats(gemm, 1) };
        let it = if gemm.kind == Kind::F64 { None } else { Product::new(shape, reuse) };
        MatrixProduct { gemm: gemm.clone(), n_batch, it }
    }

    /// # Safety
    /// The addresses are those of the operands, with as many elements as the sizes and strides reach.
    pub unsafe fn run(&self, parallel: &dyn Parallel, a: *const u8, b: *const u8, c: *mut u8) {
        // SAFETY: by the contract.
        unsafe {
            match (&self.it, self.gemm.kind) {
                (Some(it), _) => self.run_own(it, parallel, a.cast(), b.cast(), c.cast()),
                (None, Kind::F64) => {
                    self.run_library::<f64>(parallel, a.cast(), b.cast(), c.cast(), 1.0);
                }
                (None, _) => self.run_library::<f32>(parallel, a.cast(), b.cast(), c.cast(), 1.0),
            }
        }
    }

    /// # Safety
    /// As [`MatrixProduct::run`].
    unsafe fn run_own(
        &self,
        it: &Product,
        parallel: &dyn Parallel,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
    ) {
        let pieces = Product::pieces(self.gemm.pieces, parallel.threads());
        let by_batch = self.n_batch >= pieces;
        let run = if pieces > 1 || self.n_batch > 1 { Run::new() } else { Run::ALONE };
        let (a, b, c) = (Shared(a.cast_mut()), Shared(b.cast_mut()), Shared(c));
        let task = |piece: usize| {
            let (batch, part) = if by_batch {
                let batch = self.n_batch * piece / pieces..self.n_batch * (piece + 1) / pieces;
                (batch, Piece { number: 0, of: 1, run })
            } else {
                (0..self.n_batch, Piece { number: piece, of: pieces, run })
            };
            for at in batch {
                let [a_at, b_at, c_at] = self.offsets(at);
                // SAFETY: by the contract; pieces write to distinct elements.
                unsafe {
                    it.piece(a.get().offset(a_at), b.get().offset(b_at), c.get().offset(c_at), part);
                }
            }
        };
        if pieces > 1 { parallel.run(pieces, &task) } else { task(0) }
    }

    /// Where the operands of one product of the batch begin.
    fn offsets(&self, at: usize) -> [isize; 3] {
        let (mut rest, mut offsets) = (at as i64, [0; 3]);
        for (size, strides) in self.gemm.batch.iter().rev() {
            offsets
                .iter_mut()
                .zip(strides)
                .for_each(|(offset, stride)| *offset += (rest % size * stride) as isize);
            rest /= size;
        }
        offsets
    }

    /// The pieces are those of the plan: the library rounds differently if a product is cut differently.
    ///
    /// # Safety
    /// As [`MatrixProduct::run`].
    unsafe fn run_library<T: Copy + Send + Sync + 'static>(
        &self,
        parallel: &dyn Parallel,
        a: *const T,
        b: *const T,
        c: *mut T,
        one: T,
    ) {
        let gemm = &self.gemm;
        let (a, b, c) = (Shared(a.cast_mut()), Shared(b.cast_mut()), Shared(c));
        let by_batch = self.n_batch >= gemm.pieces && gemm.pieces > 1;
        let [(a_row, a_column), (b_row, b_column), (c_row, c_column)] = gemm.strides;
        let task = |piece: usize| {
            let (mut batch, mut rows, mut columns) = ((0, self.n_batch as i64), (0, gemm.m), (0, gemm.n));
            if by_batch {
                batch = part(batch.1, gemm.pieces, 1, piece);
            } else if gemm.m >= gemm.n {
                rows = part(gemm.m, gemm.pieces, 16, piece);
            } else {
                columns = part(gemm.n, gemm.pieces, 16, piece);
            }
            if rows.0 >= rows.1 || columns.0 >= columns.1 {
                return;
            }
            for at in batch.0..batch.1 {
                let offsets = self.offsets(at as usize);
                let a_at = offsets[0] + (rows.0 * a_row) as isize;
                let b_at = offsets[1] + (columns.0 * b_column) as isize;
                let c_at = offsets[2] + (rows.0 * c_row + columns.0 * c_column) as isize;
                // SAFETY: by the contract; pieces write to distinct rows, columns or matrices.
                unsafe {
                    ::gemm::gemm(
                        (rows.1 - rows.0) as usize,
                        (columns.1 - columns.0) as usize,
                        gemm.k as usize,
                        c.get().offset(c_at),
                        c_column as isize,
                        c_row as isize,
                        gemm.accumulate,
                        a.get().offset(a_at),
                        a_column as isize,
                        a_row as isize,
                        b.get().offset(b_at),
                        b_column as isize,
                        b_row as isize,
                        one,
                        one,
                        false,
                        false,
                        false,
                        ::gemm::Parallelism::None,
                    );
                }
            }
        };
        if gemm.pieces > 1 { parallel.run(gemm.pieces, &task) } else { task(0) }
    }
}

/// How many products in a row have an operand in common.
fn repeats(gemm: &Gemm, operand: usize) -> usize {
    let axes = gemm.batch.iter().rev();
    axes.take_while(|(_, strides)| strides[operand] == 0).map(|(size, _)| *size as usize).product()
}

/// A range of one piece: `size` cut into equal parts of a multiple of `unit`.
fn part(size: i64, pieces: usize, unit: i64, piece: usize) -> (i64, i64) {
    let chunk = (size + pieces as i64 - 1) / pieces as i64;
    let chunk = (chunk + unit - 1) / unit * unit;
    ((piece as i64 * chunk).min(size), ((piece as i64 + 1) * chunk).min(size))
}
