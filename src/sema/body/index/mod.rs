//! Index notation: definitions `y[b, o] = …`, reducers `sum[i](…)`, subscripts with indices.
//!
//! ```text
//! y[b, o] = sum[i](w[o, i] * x[b, i]) + bias[o]
//!   names    which names are indices           uses     where they stand bare: their ranges
//!   define   both sides                        write    the map over (b, o)
//!   reduce   the loop over (b, o, i) it reads  read     subscripts and what lies outside
//!   bounds   proofs about reads                regions  proofs about writes
//! ```
//!
//! While a right-hand side is elaborated, an [`IndexFrame`] holds the loop body that is being written; an
//! index is bound in the frame of the call as a [`Value::Indexed`] with kind [`BindingKind::Index`]. Operators
//! and elementwise functions work on indexed values as on tensors (`crate::sema::build::elementwise`). A reducer opens a
//! frame of its own, whose domain begins with the indices around it; those that its body does not use are
//! left out when it becomes a loop.

mod define;
mod names;
mod read;
mod reduce;
mod uses;

#[cfg(test)]
mod tests;

pub use define::define;
pub use read::subscript;
pub use reduce::reduce;
