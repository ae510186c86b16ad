//! The second room of elaboration: values become nodes of graphs.

pub mod builtins;
pub mod built;
pub mod constants;
pub mod elementwise;
pub mod graphs;
pub mod notes;
pub mod numbers;
pub mod operators;
pub mod products;
pub mod starts;
pub mod tensors;
pub mod variables;
