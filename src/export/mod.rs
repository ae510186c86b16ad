//! Rank 8: trained models in other forms than programs of nnc.
//!
//! | folder | form |
//! |---|---|
//! | [`c`] | a file of C99 and its header, without dependencies |
//! | [`onnx`] | an ONNX file |
//! | [`stablehlo`] | a training step in the language of XLA |
//!
//! `nodes` goes through the graphs of those that are written node by node.
//!
//! What is written is a [`Deployed`](crate::runtime::answers::deployed::Deployed): graphs and arrays. Nothing here
//! touches files; the command line writes the texts.

pub mod c;
mod nodes;
pub mod onnx;
pub mod stablehlo;
