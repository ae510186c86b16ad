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

/// The job that threads take tasks from. What a thread reads to begin lies on one cache line, and
/// what it writes at the end on another.
#[derive(Default)]
pub struct JobSlot {
    open: Aligned<OpenJob>,
    /// Tasks not yet finished.
    pending: Aligned<AtomicU32>,
}

#[derive(Default)]
struct OpenJob {
    /// Job number in the upper half, tasks that nobody has taken in the lower.
    state: AtomicU64,
    task: AtomicPtr<c_void>,
    env: AtomicPtr<c_void>,
    n_tasks: AtomicU32,
}

/// What came of a thread's help with a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worked {
    /// The number of tasks it took.
    pub taken: u32,
    /// Whether it finished the last one of all.
    pub finished: bool,
}

/// Cache lines of its own (two, because they are fetched in pairs).
#[derive(Default)]
#[repr(align(128))]
struct Aligned<T>(T);

impl JobSlot {
    /// Offers `n_tasks` tasks to all threads.
    ///
    /// # Safety
    ///
    /// The last job must be finished and no other thread may publish before this one is; `task`
    /// must be callable from any thread with `env` and every number below `n_tasks` until then.
    pub unsafe fn publish(&self, task: TaskFn, env: *mut c_void, n_tasks: u32) {
        let open = &self.open.0;
        open.task.store(task as *mut c_void, Ordering::Relaxed);
        open.env.store(env, Ordering::Relaxed);
        open.n_tasks.store(n_tasks, Ordering::Relaxed);
        self.pending.0.store(n_tasks, Ordering::Relaxed);
        let job = (open.state.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        open.state.store(job << 32 | u64::from(n_tasks), Ordering::SeqCst);
    }

    /// Whether there are tasks that nobody has taken.
    pub fn has_work(&self) -> bool {
        self.open.0.state.load(Ordering::SeqCst) as u32 != 0
    }

    /// Whether all tasks are done, and what they wrote can be seen.
    pub fn is_finished(&self) -> bool {
        self.pending.0.load(Ordering::SeqCst) == 0
    }

    /// Takes tasks and carries them out until none is left.
    pub fn work(&self) -> Worked {
        let open = &self.open.0;
        let mut taken = 0;
        let mut state = open.state.load(Ordering::Acquire);
        while state as u32 != 0 {
            let task = open.task.load(Ordering::Relaxed);
            let env = open.env.load(Ordering::Relaxed);
            let n_tasks = open.n_tasks.load(Ordering::Relaxed);
            match open.state.compare_exchange_weak(state, state - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: `task` was made from a `TaskFn` by `publish`, it and `env` belong to
                    // the job whose task was just taken (see the head of this file), and that job
                    // is not finished before the count below is lowered.
                    unsafe {
                        let task = std::mem::transmute::<*mut c_void, TaskFn>(task);
                        task(env, (n_tasks - state as u32) as usize);
                    }
                    taken += 1;
                    state = open.state.load(Ordering::Acquire);
                }
                Err(now) => state = now,
            }
        }
        // While a task that was taken here counts as unfinished, no other job can begin: all of
        // them belong to one.
        let finished = taken > 0 && self.pending.0.fetch_sub(taken, Ordering::SeqCst) == taken;
        Worked { taken, finished }
    }
}

/// The environment that [`call_closure`] is called with.
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
