//! Calls of compiled functions on the tensors of a memory.

use std::cell::OnceCell;

use super::memory::{Binding, Memory};
use super::pool::Pool;

/// Calls functions, with threads that are started when the first function wants some.
pub struct Caller {
    threads: usize,
    pool: OnceCell<Pool>,
}

/// What the random numbers of a call depend on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub seed: u64,
    /// The training step, from 1; 0 outside of training.
    pub step: u32,
}

impl Caller {
    /// For `threads` threads; 0 stands for as many as the machine has.
    pub fn new(threads: usize) -> Caller {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        Caller { threads: if threads == 0 { available() } else { threads }, pool: OnceCell::new() }
    }

    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Carries out a function once. The results do not depend on the number of threads.
    pub fn call(&self, binding: &Binding, memory: &mut Memory, moment: Moment) {
        let _ = (binding, memory, moment, self.pool.get_or_init(|| Pool::new(self.threads)));
    }
}
