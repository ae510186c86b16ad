//! Rank 7: what a compiled program needs to run.
//!
//! | module | is about |
//! |---|---|
//! | [`program`], [`session`], [`actions`], [`generate`], [`train`], `predict`, `inputs` | carrying out a program |
//! | [`together`], `twins` | programs that differ in numbers only, and what they share |
//! | [`options`], [`world`] | what a program is compiled with, and where it runs |
//! | `resume`, `fingerprint` | keeping what was learnt, and going on with it |
//! | [`answers`] | predictions for new rows |
//! | [`kept`] | what was learnt from data beside parameters |
//! | [`example`] | a training step looked at closely |
//! | `evaluate` | graphs that are carried out once |
//! | `derived` | gradients as mathematics |
//! | [`report`] | what can be wrong with a run, as data, and how it is told |
//! | `diagnostics` | why a program was rejected or failed |
//! | [`events`] | what a session says while it works |
//! | [`given`], [`given_errors`] | rows that whoever runs a program gives |
//! | [`data`], [`sources`], [`permutation`] | rows, where they come from and in which order |
//! | `int_ranges` | what code is told of the ints that it is given |
//! | [`array`], [`view`], [`memory`], [`room`], [`format`], [`sizes`] | tensors |
//! | [`call`], [`pool`], [`kernels`] | compiled code, threads |
//! | [`ranks`] | processes that train together |
//! | `ndarray` | tensors of that crate |
//! | [`notices`] | warnings on their way to the listener |
//! | [`measure`] | how fast it is |

pub mod actions;
pub mod answers;
pub mod array;
pub mod call;
pub mod data;
mod derived;
mod diagnostics;
mod evaluate;
pub mod events;
pub mod example;
mod fields;
mod fingerprint;
mod folds;
pub mod format;
pub mod generate;
pub mod given;
pub mod given_errors;
mod inputs;
mod int_ranges;
pub mod kept;
pub mod kernels;
#[cfg(feature = "native")]
pub mod measure;
pub mod memory;
#[cfg(feature = "ndarray")]
mod ndarray;
pub mod notices;
pub mod options;
pub mod permutation;
pub mod pool;
mod predict;
pub mod program;
pub mod ranks;
pub mod report;
mod resume;
pub mod room;
pub mod session;
pub mod sizes;
pub mod sources;
pub mod tables;
#[cfg(test)]
mod tests;
pub mod together;
pub mod train;
mod twins;
pub mod view;
pub mod world;
