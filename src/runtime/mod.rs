//! Rank 7: what a compiled program needs to run: data, random order, threads, sessions.

pub mod array;
pub mod kernels;
pub mod permutation;
pub mod pool;
pub mod sources;
