//! Rank 2: symbolic differentiation, tensor IR to tensor IR.
