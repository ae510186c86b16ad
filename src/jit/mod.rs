//! Rank 5: from loop IR to native code.
