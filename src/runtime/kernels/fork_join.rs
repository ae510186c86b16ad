//! The state that the threads of a pool share: the job at work, and which threads sleep.
//!
//! A thread that finds nothing to do spins for [`SPIN`], then sleeps. To go to sleep it first says
//! so and then looks once more; to wake it one first publishes and then looks who sleeps. All four
//! steps are sequentially consistent, so one of the two always sees the other.
//!
//! Waking costs the caller some microseconds, more when another process keeps the second core
//! busy. If those that were woken did not come in time to take a task, then the next jobs wake
//! nobody: 1 job, then 3, 7, … up to 63, until a job gets help again. Waking a worker is no help either if the
//! system runs it on the caller's own processor. For the same reason a thread never spins while it waits for a
//! thread on its own processor.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::job::{ClosureEnv, JobSlot, MOST_TASKS, TaskFn, call_closure};

/// How long to spin before going to sleep. Waking a sleeping thread of a virtual machine costs about as much, so
/// shorter ones lose the help of the others wherever jobs take some microseconds each (`benches/lstm.nn` took half
/// as long again with 10 µs); longer ones take time from other processes (3 % of the same with 100 µs).
const SPIN: Duration = Duration::from_micros(50);

/// The shared part of a pool.
pub struct ForkJoin {
    slot: JobSlot,
    /// Held by the caller for the length of a job.
    busy: AtomicBool,
    stopping: AtomicBool,
    workers: Vec<Sleeper>,
    /// For how many more jobs nobody is woken, and how many these were at first.
    jobs_without_waking: AtomicU32,
    patience: AtomicU32,
    /// The processors on which the caller and the last worker at work were seen.
    caller_processor: AtomicI32,
    worker_processor: AtomicI32,
    /// The caller, when it sleeps until the last task is done.
    caller: Sleeper,
}

/// A thread that may be asleep.
#[derive(Default)]
struct Sleeper {
    asleep: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl ForkJoin {
    /// For `workers` threads beside the caller's.
    pub fn new(workers: usize) -> ForkJoin {
        ForkJoin {
            slot: JobSlot::new(workers + 1),
            busy: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            workers: (0..workers).map(|_| Sleeper::default()).collect(),
            jobs_without_waking: AtomicU32::new(0),
            patience: AtomicU32::new(0),
            caller_processor: AtomicI32::new(NO_PROCESSOR),
            worker_processor: AtomicI32::new(NO_PROCESSOR),
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

    /// Calls `task` with `env` and every number below `n_tasks`, each once, on any thread, and
    /// returns when all are done.
    ///
    /// # Safety
    ///
    /// `task` must be callable with `env` and these numbers, from any thread and from several at a
    /// time, until this returns.
    unsafe fn run(&self, task: TaskFn, env: *mut c_void, n_tasks: usize) {
        let few = u32::try_from(n_tasks).ok().filter(|&n| n <= MOST_TASKS);
        let Some(n_shared) = few else {
            let blocks = Blocks { task, env, n_tasks, size: n_tasks.div_ceil(MOST_TASKS as usize) };
            let env = (&raw const blocks).cast_mut().cast();
            // SAFETY: by the contract; `blocks` outlives the call.
            return unsafe { self.run(run_block, env, n_tasks.div_ceil(blocks.size)) };
        };
        let shared = n_shared > 1 && !self.workers.is_empty();
        if !shared || self.busy.swap(true, Ordering::Acquire) {
            // Too little to share, a job within a job, or another thread's job is running.
            for number in 0..n_tasks {
                // SAFETY: by the contract.
                unsafe { task(env, number) }
            }
            return;
        }
        let processor = current_processor();
        note(processor, &self.caller_processor);
        // SAFETY: `busy` is ours, so the last job is finished and nobody else publishes.
        unsafe { self.slot.publish(task, env, n_shared) }
        let woken = self.wake_workers(n_tasks - 1);
        let helped = self.slot.work(CALLER).taken < n_shared;
        let alone = is_same(processor, &self.worker_processor);
        self.caller.wait_until(!alone, || self.slot.is_finished());
        self.learn(woken, helped && !alone);
        self.busy.store(false, Ordering::Release);
    }

    /// Wakes up to `wanted` workers that sleep, and returns whether any did.
    fn wake_workers(&self, wanted: usize) -> bool {
        // Only the holder of `busy` touches these counters.
        let skip = self.jobs_without_waking.load(Ordering::Relaxed);
        let workers = || self.workers.iter().take(wanted);
        if skip > 0 && workers().any(Sleeper::is_asleep) {
            self.jobs_without_waking.store(skip - 1, Ordering::Relaxed);
            return false;
        }
        // Not `any`, which would stop at the first.
        workers().filter(|worker| worker.wake()).count() > 0
    }

    /// Decides from the job that is over whether it was worth waking anybody.
    fn learn(&self, woken: bool, helped: bool) {
        const MOST: u32 = 63;
        if helped {
            self.patience.store(0, Ordering::Relaxed);
            self.jobs_without_waking.store(0, Ordering::Relaxed);
        } else if woken {
            let patience = (2 * self.patience.load(Ordering::Relaxed) + 1).min(MOST);
            self.patience.store(patience, Ordering::Relaxed);
            self.jobs_without_waking.store(patience, Ordering::Relaxed);
        }
    }

    /// What a worker does from its start to the pool's end.
    pub fn work_until_stopped(&self, worker: usize) {
        while !self.stopping.load(Ordering::SeqCst) {
            let processor = current_processor();
            note(processor, &self.worker_processor);
            let seen = self.slot.job_number();
            if self.slot.work(worker + 1).finished {
                self.caller.wake();
            }
            let spin = !is_same(processor, &self.caller_processor);
            let has_work = || self.slot.job_number() != seen;
            self.workers[worker].wait_until(spin, || has_work() || self.stopping.load(Ordering::SeqCst));
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
    /// Returns when `ready` holds; spins first, if so wished, then sleeps until [`Sleeper::wake`].
    fn wait_until(&self, spin: bool, ready: impl Fn() -> bool) {
        if ready() || spin && spin_until(&ready) {
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

    fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    /// Wakes the thread if it sleeps or is about to, and returns whether it did.
    fn wake(&self) -> bool {
        let asleep = self.is_asleep() && self.asleep.swap(false, Ordering::SeqCst);
        if asleep {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(thread) = thread.as_ref() {
                thread.unpark();
            }
        }
        asleep
    }
}

/// The lane of the thread that publishes the jobs; those of the workers follow.
const CALLER: usize = 0;

/// The tasks of a job that has too many, as fewer tasks that each carry out `size` of them.
struct Blocks {
    task: TaskFn,
    env: *mut c_void,
    n_tasks: usize,
    size: usize,
}

/// Carries out one block.
///
/// # Safety
///
/// `blocks` must point to [`Blocks`] that are alive, whose `task` may be called with its `env` and
/// all numbers of this block.
unsafe extern "C" fn run_block(blocks: *mut c_void, number: usize) {
    // SAFETY: by the contract above.
    let blocks = unsafe { &*blocks.cast_const().cast::<Blocks>() };
    let start = number * blocks.size;
    for task in start..(start + blocks.size).min(blocks.n_tasks) {
        // SAFETY: by the contract above.
        unsafe { (blocks.task)(blocks.env, task) }
    }
}

/// Where the system does not say on which processor a thread runs.
const NO_PROCESSOR: i32 = -1;

/// The processor on which the calling thread runs just now.
#[cfg(target_os = "linux")]
fn current_processor() -> i32 {
    unsafe extern "C" {
        safe fn sched_getcpu() -> std::ffi::c_int;
    }
    sched_getcpu().max(NO_PROCESSOR)
}

#[cfg(not(target_os = "linux"))]
fn current_processor() -> i32 {
    NO_PROCESSOR
}

/// Writes only what is new: the other threads read this often.
fn note(processor: i32, place: &AtomicI32) {
    if place.load(Ordering::Relaxed) != processor {
        place.store(processor, Ordering::Relaxed);
    }
}

/// Whether two threads were seen on the same processor.
fn is_same(processor: i32, other: &AtomicI32) -> bool {
    processor != NO_PROCESSOR && processor == other.load(Ordering::Relaxed)
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
