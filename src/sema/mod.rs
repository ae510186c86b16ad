//! Rank 3: from the AST to a checked program.
