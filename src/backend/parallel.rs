//! Threads, as code sees them.

/// What keeps a trait from being implemented elsewhere.
pub(crate) mod sealed {
    pub trait Sealed {}
}

/// Carries out the tasks of one job on several threads. A pool of threads is one; so is [`Alone`]. Native code
/// writes where the number of its task says, so whoever implements it is believed to call each task once: it is
/// only implemented in this crate.
pub trait Parallel: Sync + sealed::Sealed {
    /// Calls `task` with each number below `n_tasks`, in any order and on any thread; returns when all are done.
    fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync));

    /// How many threads there are. What is computed must not depend on it, only how it is cut.
    fn threads(&self) -> usize;
}

/// No other thread.
#[derive(Clone, Copy, Default, Debug)]
pub struct Alone;

impl sealed::Sealed for Alone {}

impl Parallel for Alone {
    fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..n_tasks).for_each(task);
    }

    fn threads(&self) -> usize {
        1
    }
}
