//! Rank 7: what a compiled program needs to run.
//!
//! | module | is about |
//! |---|---|
//! | [`program`], [`session`], [`actions`], [`generate`], [`train`], `predict`, `inputs` | carrying out a program |
//! | `resume`, `fingerprint`, [`files`] | keeping what was learnt, and going on with it |
//! | [`example`] | a training step looked at closely |
//! | [`events`] | what a session says while it works |
//! | [`data`], [`sources`], [`permutation`] | rows, where they come from and in which order |
//! | `int_ranges` | what code is told of the ints that it is given |
//! | [`array`], [`memory`], [`room`], [`format`], [`sizes`] | tensors |
//! | [`call`], [`pool`], [`kernels`] | compiled code, threads |
//! | [`notices`] | warnings on their way to the listener |
//! | [`measure`] | how fast it is |

pub mod actions;
pub mod array;
pub mod call;
pub mod data;
pub mod events;
pub mod example;
mod fields;
pub mod files;
mod fingerprint;
pub mod format;
pub mod generate;
mod inputs;
mod int_ranges;
pub mod kernels;
pub mod measure;
pub mod memory;
pub mod notices;
pub mod permutation;
pub mod pool;
mod predict;
pub mod program;
mod resume;
pub mod room;
pub mod session;
pub mod sizes;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod train;
