//! The runtime's `unsafe` code: memory maps, the hand-over of tasks to other threads.

pub mod fork_join;
pub mod job;
pub mod mmap;
