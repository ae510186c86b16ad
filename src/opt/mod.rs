//! Rank 2: named laws, tensor IR to tensor IR.
