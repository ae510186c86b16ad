//! Rank 1: `.nn` text to syntax tree.

pub mod ast;
