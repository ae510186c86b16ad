//! The runtime's `unsafe` code: files without names, the hand-over of tasks to other threads, the counting allocator,
//! vector instructions.

#[cfg(feature = "system")]
pub mod allocations;
pub mod fork_join;
pub mod job;
pub mod peak;
#[cfg(feature = "system")]
pub mod unnamed;
