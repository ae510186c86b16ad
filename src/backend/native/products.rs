//! Matrix products that a step calls: in hand-written vector code where there is some, else by a library.

use super::frame::Shared;
use crate::backend::Parallel;
use crate::loops::{Gemm, Kind};
use crate::product::{Piece, Product, Reuse, Run, Side};

/// A product of the step, or a batch of them.
pub struct MatrixProduct {
    gemm: Gemm,
    n_batch: usize,
    /// How many of the batch, one after another, are added to one result.
    n_added: usize,
    /// How one of the batch is carried out; by the library if `None`.
    blocked: Option<Product>,
}

impl MatrixProduct {
    pub fn new(gemm: &Gemm) -> MatrixProduct {
        let n_batch = gemm.batch.iter().map(|(size, _)| *size as usize).product();
        let added = gemm.batch.iter().rev().take_while(|(_, strides)| strides[2] == 0);
        let n_added = added.map(|(size, _)| *size as usize).product();
        let reuse = Reuse { a: repeats(gemm, 0), b: repeats(gemm, 1) };
        let is_ours = gemm.kind != Kind::F64;
        let blocked = is_ours.then(|| Product::of_sides(gemm.shape(), &gemm.sides, reuse)).flatten();
        MatrixProduct { gemm: gemm.clone(), n_batch, n_added, blocked }
    }

    /// # Safety
    /// The addresses are those of the operands, with as many elements as the sizes and strides reach.
    pub unsafe fn run(&self, parallel: &dyn Parallel, a: *const u8, b: *const u8, c: *mut u8) {
        // SAFETY: by the contract.
        unsafe {
            match (&self.blocked, self.gemm.kind) {
                (Some(blocked), _) => self.run_blocked(blocked, parallel, a.cast(), b.cast(), c.cast()),
                (None, Kind::F64) => {
                    self.run_library::<f64>(parallel, a.cast(), b.cast(), c.cast(), 1.0);
                }
                (None, _) => self.run_library::<f32>(parallel, a.cast(), b.cast(), c.cast(), 1.0),
            }
        }
    }

    /// # Safety
    /// As [`MatrixProduct::run`].
    unsafe fn run_blocked(
        &self,
        blocked: &Product,
        parallel: &dyn Parallel,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
    ) {
        let pieces = Product::pieces(self.gemm.pieces, parallel.threads());
        let n_results = self.n_batch / self.n_added.max(1);
        let by_batch = n_results >= pieces;
        // Each piece packs one side of every product that is added up.
        let pieces = if by_batch || self.n_added == 1 { pieces } else { pieces.min(2 * parallel.threads()) };
        let run = if pieces > 1 || self.n_batch > 1 { Run::new() } else { Run::ALONE };
        let (a, b, c) = (Shared(a.cast_mut()), Shared(b.cast_mut()), Shared(c));
        let task = |piece: usize| {
            let (batch, part) = if by_batch {
                let first = |piece: usize| n_results * piece / pieces * self.n_added;
                (first(piece)..first(piece + 1), Piece { number: 0, of: 1, run })
            } else {
                (0..self.n_batch, Piece { number: piece, of: pieces, run })
            };
            for at in batch {
                let [a_at, b_at, c_at] = self.offsets(at);
                // SAFETY: by the contract; pieces write to distinct elements.
                unsafe {
                    blocked.piece(a.get().offset(a_at), b.get().offset(b_at), c.get().offset(c_at), part);
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
        let sides = [[gemm.m, gemm.k], [gemm.k, gemm.n], [gemm.m, gemm.n]];
        let is_scattered = |side: &Side| side.stride().is_none();
        if gemm.sides.iter().flatten().any(is_scattered) {
            // Scattered operands as matrices, one product after another.
            let mut dense = MatrixProduct { gemm: gemm.clone(), n_batch: 1, n_added: 1, blocked: None };
            dense.gemm.batch.clear();
            dense.gemm.sides = sides.map(|[m, n]| [Side::new(vec![(m, n)]), Side::new(vec![(n, 1)])]);
            for at in 0..self.n_batch {
                let [a_at, b_at, c_at] = self.offsets(at);
                // SAFETY: by the contract.
                unsafe {
                    let (a, b, c) = (a.offset(a_at), b.offset(b_at), c.offset(c_at).cast_const());
                    let (a, b, mut result) = (gathered(a, &gemm.sides[0]), gathered(b, &gemm.sides[1]), gathered(c, &gemm.sides[2]));
                    dense.run_library(parallel, a.as_ptr(), b.as_ptr(), result.as_mut_ptr(), one);
                    scattered(&result, c.cast_mut(), &gemm.sides[2]);
                }
            }
            return;
        }
        let (a, b, c) = (Shared(a.cast_mut()), Shared(b.cast_mut()), Shared(c));
        let n_results = self.n_batch / self.n_added.max(1);
        let by_batch = n_results >= gemm.pieces && gemm.pieces > 1;
        let stride = |side: &Side| side.stride().unwrap_or(0);
        let strides = gemm.sides.each_ref().map(|[row, column]| (stride(row), stride(column)));
        let [(a_row, a_column), (b_row, b_column), (c_row, c_column)] = strides;
        let task = |piece: usize| {
            let (mut batch, mut rows, mut columns) = ((0, self.n_batch as i64), (0, gemm.m), (0, gemm.n));
            if by_batch {
                let (first, end) = part(n_results as i64, gemm.pieces, 1, piece);
                batch = (first * self.n_added as i64, end * self.n_added as i64);
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

/// The elements of a matrix, row by row.
///
/// # Safety
/// All of them are there.
unsafe fn gathered<T: Copy>(from: *const T, [rows, columns]: &[Side; 2]) -> Vec<T> {
    let columns = columns.offsets();
    let places = rows.offsets().into_iter().flat_map(|row| columns.iter().map(move |column| row + column));
    // SAFETY: by the contract.
    places.map(|place| unsafe { *from.offset(place as isize) }).collect()
}

/// Writes the elements of a matrix, row by row, to where they belong.
///
/// # Safety
/// As [`gathered`].
unsafe fn scattered<T: Copy>(values: &[T], to: *mut T, [rows, columns]: &[Side; 2]) {
    let columns = columns.offsets();
    let places = rows.offsets().into_iter().flat_map(|row| columns.iter().map(move |column| row + column));
    for (value, place) in values.iter().zip(places) {
        // SAFETY: by the contract.
        unsafe { *to.offset(place as isize) = *value };
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
