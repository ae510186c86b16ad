//! The runtime's `unsafe` code: files without names, forks, the hand-over of tasks to other threads, the counting allocator,
//! vector instructions, messages to other processes.

#[cfg(feature = "system")]
pub mod allocations;
pub mod fork_join;
pub mod forks;
pub mod job;
#[cfg(all(feature = "system", target_os = "linux"))]
pub mod mpi;
pub mod peak;
#[cfg(feature = "system")]
pub mod unnamed;
