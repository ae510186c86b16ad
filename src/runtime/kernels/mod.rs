//! The runtime's `unsafe` code: files without names, the hand-over of tasks to other threads, the counting allocator,
//! vector instructions.

pub mod allocations;
pub mod fork_join;
pub mod job;
pub mod peak;
pub mod unnamed;
