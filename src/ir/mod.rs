//! Rank 1: the tensor IR, the noun in the middle of the compiler. It is in static single assignment form,
//! hash-consed, with symbolic dimensions.
//!
//! A [`Graph`] is a list of [`Node`]s, operands before users. Almost every node is a [`Loop`]:
//! `out[W(i)] (= | += | max= …) e(i)` for all points `i` of a rectangular domain, where `e` is a scalar
//! expression ([`Body`]) over elements `T[R(i)]` of the operands. Map, broadcast, transpose, slice,
//! concatenation, reduction, matrix product, convolution, gather and scatter-add are all loops, and the
//! vector-Jacobian product of a loop is again loops, in which read and write subscripts have changed places.
//! Subscripts are affine expressions of the indices or computed ints; the out-of-bounds mode of a read is "fill
//! with 0" (*padded*) or "not allowed", that of a write is "drop" (*dropping*) or "not allowed".
//!
//! Sizes are [`Dim`]s: polynomials in symbolic dimensions, usually the batch. Specialising turns them into
//! numbers; everything from `plan/` down is static.
//!
//! There is one way to make a node, [`Graph::add`] (with [`LoopBuilder`] to write loops): it infers the
//! type, checks the operands and hash-conses.

pub mod affine;
pub mod build;
pub mod compose;
pub mod dim;
#[cfg(test)]
mod dim_tests;
mod draws;
pub mod graph;
pub(crate) mod hash;
pub mod interpret;
pub mod interval;
pub mod keys;
pub mod lift;
pub mod math;
pub mod members;
pub mod operators;
pub mod program;
#[cfg(test)]
pub mod random;
#[cfg(test)]
mod random_tests;
pub mod ranges;
pub mod recognise;
pub mod rewrite;
pub mod scalar;
pub mod signs;
pub mod specialise;
pub mod text;
pub mod types;
pub mod values;
pub mod verify;
pub mod work;

pub use affine::{Affine, StepId, Var};
pub use build::LoopBuilder;
pub use dim::{Atom, Dim, DimError, Sizes, Symbol};
pub use graph::{Combine, Graph, Loop, Node, NodeId, Op, Origin, Output, Phase, RandKind, Scan};
pub use keys::{ColumnKey, ExternalKey, InputKey, OutputKey, columns_of};
pub use rewrite::{compact, copy, fresh_step, rewrite, splice};
pub use scalar::{BinaryOp, Body, IndexSet, Number, Scalar, ScalarId, Sub, UnaryOp};
pub use specialise::specialise;
pub use types::{Const, ConstData, Elem, Type};
pub use verify::verify;
