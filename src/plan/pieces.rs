//! Division of kernels into tasks for threads: by their size alone, so that results do not depend on the number of
//! threads.

use super::address::extents;
use super::{Gemm, Nest, Step};
use crate::ir::recognise::Scatter;
use crate::ir::{Loop, Scalar};

/// Nanoseconds of work below which a task is not worth waking a thread for.
const PIECE_NS: f64 = 5_000.0;
/// The most tasks; more would not balance the load any better.
const MOST_PIECES: i64 = 32;
/// Each piece of a scatter goes through all subscripts again, so there are few, and none is so narrow that two
/// threads write to one cache line often.
const SCATTER_PIECES: usize = 8;
const SCATTER_COLUMNS: i64 = 32;
/// Multiply-adds per nanosecond of a matrix product on one core.
const GEMM_RATE: f64 = 40.0;

/// Decides the number of tasks of all kernels.
pub(super) fn divide(steps: &mut [Step]) {
    for step in steps {
        match step {
            Step::Nest(nest) => nest.pieces = nest_pieces(nest),
            Step::Gemm(gemm) => gemm.pieces = gemm_pieces(gemm),
            Step::Rand(_) => {}
            Step::Scan(scan) => divide(&mut scan.steps),
        }
    }
}

fn nest_pieces(nest: &Nest) -> usize {
    if nest.shared == 0 {
        return 1;
    }
    let work: f64 = nest.stages.iter().map(|stage| loop_ns(&stage.body)).sum();
    let first = extents(&nest.stages[0].body)[0];
    if nest.stages.iter().any(|stage| Scatter::of(&stage.body).is_some()) {
        return pieces(work, first / SCATTER_COLUMNS).min(SCATTER_PIECES);
    }
    pieces(work, first)
}

fn gemm_pieces(gemm: &Gemm) -> usize {
    let batch: i64 = gemm.batch.iter().product();
    let work = (batch * gemm.m()) as f64 * (gemm.n() * gemm.k()) as f64 / GEMM_RATE;
    // At least 16 rows or columns, with which the kernel is still efficient.
    pieces(work, gemm.results().max(gemm.m() / 16).max(gemm.n() / 16))
}

fn pieces(work_ns: f64, most: i64) -> usize {
    let wanted = (work_ns / PIECE_NS) as i64;
    if wanted < 2 { 1 } else { wanted.min(MOST_PIECES).min(most).max(1) as usize }
}

/// A rough time for one loop on one core, vectorised.
pub(super) fn loop_ns(body: &Loop) -> f64 {
    let points: f64 = extents(body).iter().map(|size| *size as f64).product();
    points * body.body.nodes.iter().map(scalar_ns).sum::<f64>()
}

/// A rough time for one scalar operation in vectorised code.
pub(super) fn scalar_ns(scalar: &Scalar) -> f64 {
    match scalar {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) => 0.0,
        Scalar::Read { .. } => 0.15,
        Scalar::Unary(op, _) => op.properties().nanoseconds,
        Scalar::Binary(op, ..) => op.properties().nanoseconds,
        Scalar::Select(..) => 0.1,
        Scalar::WithSlope { .. } => 0.0,
    }
}
