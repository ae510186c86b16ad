//! What the threads of a pool share: the job, and who sleeps.
//!
//! A thread that finds nothing to do spins for [`SPIN`], then sleeps. To go to sleep it first says
//! so and then looks once more; to wake it one first publishes and then looks who sleeps. All four
//! steps are sequentially consistent, so one of the two always sees the other.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::job::{ClosureEnv, JobSlot, TaskFn, call_closure};

/// How long to spin before going to sleep. Waking a sleeping thread costs about as much.
const SPIN: Duration = Duration::from_micros(10);

/// The shared part of a pool.
pub struct ForkJoin {
    slot: JobSlot,
    /// Held by the caller for the length of a job.
    busy: AtomicBool,
    stopping: AtomicBool,
    workers: Vec<Sleeper>,
    /// The caller, when it sleeps until the last task is done.
    caller: Sleeper,
}

/// A thread that may be asleep.
#[derive(Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

/// `parallel` as native code sees it.
pub type ParallelFn = unsafe extern "C" fn(*const ForkJoin, TaskFn, *mut c_void, usize);

/// Carries out the tasks `0..n_tasks` of native code on a pool and returns when all are done.
///
/// # Safety
///
/// `context` comes from a living `Pool`; `task` may be called from any thread, several at a time,
/// with `env` and each number below `n_tasks`, and does not unwind.
pub unsafe extern "C" fn parallel(context: *const ForkJoin, task: TaskFn, env: *mut c_void, n_tasks: usize) {
    // SAFETY: both by the contract above.
    unsafe { (*context).run(task, env, n_tasks) }
}

impl ForkJoin {
    /// For `workers` threads beside the caller's.
    pub fn new(workers: usize) -> ForkJoin {
        ForkJoin {
            slot: JobSlot::default(),
            busy: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            workers: (0..workers).map(|_| Sleeper::default()).collect(),
            caller: Sleeper::default(),
        }
    }

    /// Calls `task` with every number below `n_tasks`, each once, on any thread, and returns when
    /// all are done. The first panic of a task goes on in the caller.
    pub fn run_closure(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        let env = ClosureEnv::new(task);
        // SAFETY: `run` returns only after the last task, so `env` outlives all of them;
        // `call_closure` catches panics.
        unsafe { self.run(call_closure, env.as_env(), n_tasks) }
        if let Some(payload) = env.into_panic() {
            std::panic::resume_unwind(payload);
        }
    }

    /// As [`parallel`].
    ///
    /// # Safety
    ///
    /// As [`parallel`].
    unsafe fn run(&self, task: TaskFn, env: *mut c_void, n_tasks: usize) {
        let shared = u32::try_from(n_tasks).ok().filter(|&n| n > 1 && !self.workers.is_empty());
        let Some(n_shared) = shared.filter(|_| !self.busy.swap(true, Ordering::Acquire)) else {
            // Too little to share, a job within a job, or another thread's job is running.
            for number in 0..n_tasks {
                // SAFETY: by the contract.
                unsafe { task(env, number) }
            }
            return;
        };
        // SAFETY: `busy` is ours, so the last job is finished and nobody else publishes.
        unsafe { self.slot.publish(task, env, n_shared) }
        for worker in self.workers.iter().take(n_tasks - 1) {
            worker.wake();
        }
        self.slot.work();
        self.caller.wait_until(|| self.slot.is_finished());
        self.busy.store(false, Ordering::Release);
    }

    /// What a worker does from its start to the pool's end.
    pub fn work_until_stopped(&self, worker: usize) {
        while !self.stopping.load(Ordering::SeqCst) {
            if self.slot.work() {
                self.caller.wake();
            }
            self.workers[worker].wait_until(|| self.slot.has_work() || self.stopping.load(Ordering::SeqCst));
        }
    }

    /// Sends all workers home.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for worker in &self.workers {
            worker.wake();
        }
    }
}

impl Sleeper {
    /// Returns when `ready` holds; spins first, then sleeps until [`Sleeper::wake`].
    fn wait_until(&self, ready: impl Fn() -> bool) {
        if spin_until(&ready) {
            return;
        }
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        loop {
            self.asleep.store(true, Ordering::SeqCst);
            if ready() {
                self.asleep.store(false, Ordering::SeqCst);
                return;
            }
            thread::park();
        }
    }

    /// Wakes the thread if it sleeps or is about to.
    fn wake(&self) {
        if self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst) {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(thread) = thread.as_ref() {
                thread.unpark();
            }
        }
    }
}

/// Whether `ready` came to hold within [`SPIN`].
fn spin_until(ready: &impl Fn() -> bool) -> bool {
    let mut start: Option<Instant> = None;
    loop {
        // The clock costs as much as one or two of these rounds.
        for _ in 0..16 {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if start.get_or_insert_with(Instant::now).elapsed() >= SPIN {
            return false;
        }
    }
}
