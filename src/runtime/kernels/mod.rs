//! The runtime's `unsafe` code: memory maps, the hand-over of tasks to other threads, the counting allocator,
//! vector instructions.

pub mod allocations;
pub mod fork_join;
pub mod job;
pub mod mmap;
pub mod peak;
pub mod unnamed;
