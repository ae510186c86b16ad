//! Rank 4: from kernels to loop IR.
