//! Measurements: how long a step takes and what it does in that time, kernel by kernel, against what the
//! machine can do.
//!
//! | file | measures |
//! |---|---|
//! | [`machine`] | the most arithmetic and copying that the machine does, and the memory of this process |
//! | [`steps`] | steps of a `train` |
//! | [`kernels`] | the kernels of a step |
//! | [`answers`] | answers of a model |

pub mod answers;
pub mod kernels;
pub mod machine;
pub mod steps;
