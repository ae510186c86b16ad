//! One job at a time, whose tasks any number of threads take.
//!
//! A job is a C function, an environment and a number of tasks. One 64-bit word holds the job's
//! number and how many of its tasks nobody has taken yet; a task is taken by lowering that count.
//! The other fields are written only while the count is 0, and a thread reads them before it takes
//! a task: if taking succeeds then the count was never 0 since, and what was read is this job's.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// A task of a job: native code, or [`call_closure`] for a Rust closure.
pub type TaskFn = unsafe extern "C" fn(env: *mut c_void, task: usize);

/// The job that threads take tasks from.
#[derive(Default)]
pub struct JobSlot {
    /// Job number in the upper half, tasks that nobody has taken in the lower.
    state: Aligned<AtomicU64>,
    /// Tasks not yet finished.
    pending: Aligned<AtomicU32>,
    task: AtomicPtr<c_void>,
    env: AtomicPtr<c_void>,
    n_tasks: AtomicU32,
}

/// A cache line of its own, so that threads that wait do not slow down those that work.
#[derive(Default)]
#[repr(align(64))]
struct Aligned<T>(T);

impl JobSlot {
    /// Offers `n_tasks` tasks to all threads.
    ///
    /// # Safety
    ///
    /// The last job must be finished and no other thread may publish before this one is; `task`
    /// must be callable from any thread with `env` and every number below `n_tasks` until then.
    pub unsafe fn publish(&self, task: TaskFn, env: *mut c_void, n_tasks: u32) {
        self.task.store(task as *mut c_void, Ordering::Relaxed);
        self.env.store(env, Ordering::Relaxed);
        self.n_tasks.store(n_tasks, Ordering::Relaxed);
        self.pending.0.store(n_tasks, Ordering::Relaxed);
        let job = (self.state.0.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.state.0.store(job << 32 | u64::from(n_tasks), Ordering::SeqCst);
    }

    /// Whether there are tasks that nobody has taken.
    pub fn has_work(&self) -> bool {
        self.state.0.load(Ordering::SeqCst) as u32 != 0
    }

    /// Whether all tasks are done, and what they wrote can be seen.
    pub fn is_finished(&self) -> bool {
        self.pending.0.load(Ordering::SeqCst) == 0
    }

    /// Takes tasks and carries them out until none is left; true if the last one finished here.
    pub fn work(&self) -> bool {
        let mut finished = false;
        let mut state = self.state.0.load(Ordering::Acquire);
        while state as u32 != 0 {
            let task = self.task.load(Ordering::Relaxed);
            let env = self.env.load(Ordering::Relaxed);
            let n_tasks = self.n_tasks.load(Ordering::Relaxed);
            match self.state.0.compare_exchange_weak(state, state - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: `task` was made from a `TaskFn` by `publish`, it and `env` belong to
                    // the job whose task was just taken (see the head of this file), and that job
                    // is not finished before the count below is lowered.
                    unsafe {
                        let task = std::mem::transmute::<*mut c_void, TaskFn>(task);
                        task(env, (n_tasks - state as u32) as usize);
                    }
                    finished = self.pending.0.fetch_sub(1, Ordering::SeqCst) == 1;
                    state = self.state.0.load(Ordering::Acquire);
                }
                Err(now) => state = now,
            }
        }
        finished
    }
}

/// What [`call_closure`] is called with.
pub struct ClosureEnv<'a> {
    closure: &'a (dyn Fn(usize) + Sync),
    panic: std::sync::Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

impl<'a> ClosureEnv<'a> {
    pub fn new(closure: &'a (dyn Fn(usize) + Sync)) -> ClosureEnv<'a> {
        ClosureEnv { closure, panic: std::sync::Mutex::new(None) }
    }

    /// The pointer with which [`call_closure`] may be called while `self` is borrowed.
    pub fn as_env(&self) -> *mut c_void {
        (&raw const *self).cast_mut().cast()
    }

    /// The first panic of a task.
    pub fn into_panic(self) -> Option<Box<dyn std::any::Any + Send>> {
        self.panic.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Carries out one task of a closure; a panic is kept in the environment.
///
/// # Safety
///
/// `env` must come from [`ClosureEnv::as_env`] and the environment must be alive.
pub unsafe extern "C" fn call_closure(env: *mut c_void, task: usize) {
    // SAFETY: by the contract above; the environment is shared between threads, and is `Sync`.
    let env = unsafe { &*env.cast_const().cast::<ClosureEnv<'_>>() };
    let run = std::panic::AssertUnwindSafe(|| (env.closure)(task));
    if let Err(payload) = std::panic::catch_unwind(run) {
        let mut panic = env.panic.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        panic.get_or_insert(payload);
    }
}
