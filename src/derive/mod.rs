//! Rank 3: the gradient as mathematics, from the differentiated graph.
//!
//! ```text
//! a step's graph ──names──▶ values with names ──cut──▶ one small graph for each ──write──▶ formulas ──▶ page
//! ```
//!
//! - [`names`]: which values are written down, and what they are called;
//! - [`cut`]: differentiates by all of them and cuts the graph there, so that the laws simplify each equation;
//! - [`equations`]: the page of one `minimize` line, from the loss down;
//! - [`build`], [`whole`], [`indexed`]: formulas from nodes, of whole tensors or of their elements;
//! - `scans`: recurrences, as equations in t;
//! - [`term`], [`notation`]: formulas, and what textbooks call parts of them;
//! - [`script`]: how formulas are written; [`text`], [`page`], [`latex`]: in signs of text, and of LaTeX.
//!
//! Nothing here knows a layer, a loss or an activation: what is printed is determined by the graph alone.

pub mod build;
pub mod cut;
pub mod equations;
pub mod indexed;
pub mod latex;
pub mod names;
pub mod notation;
pub mod page;
mod scans;
pub mod script;
pub mod term;
pub mod text;
pub mod whole;

pub use equations::{Derivation, Equation, GivenTensor, derive};
pub use names::Symbol;
