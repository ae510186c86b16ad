//! One job at a time, whose tasks any number of threads take.
//!
//! A job is a C function, an environment and a number of tasks. The tasks are divided into
//! *lanes*, one for each thread: a run of neighbouring tasks, of which the thread takes the first
//! one first. A thread whose lane is empty takes the last task of another lane. So the same thread
//! works on the same rows in one job after the other, and finds in its own cache what it wrote
//! before. Where two cores share no cache, fetching it from the other costs more than half of a
//! training step (a line between two complexes of a server's cores takes 200 ns, within one 50 ns).
//!
//! The 64-bit word of a lane holds the number of the job, the first task nobody has taken and the
//! end of these; a task is taken by moving one of the two. What else belongs to a job is written
//! only while all lanes are empty, and a thread reads it before it takes a task: if taking
//! succeeds then the lane was never empty since, and what was read is this job's.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// A task of a job: native code, or [`call_closure`] for a Rust closure.
pub type TaskFn = unsafe extern "C" fn(env: *mut c_void, task: usize);

/// The most tasks of a job.
pub const MOST_TASKS: u32 = u16::MAX as u32;

/// The job that threads take tasks from. What a thread reads to begin lies on cache lines that
/// nobody writes while it works, and what it writes on others.
pub struct JobSlot {
    open: Aligned<OpenJob>,
    /// One for each thread, the caller's first.
    lanes: Box<[Aligned<AtomicU64>]>,
    /// Tasks not yet finished.
    pending: Aligned<AtomicU32>,
}

#[derive(Default)]
struct OpenJob {
    /// The number of the last job that was published.
    number: AtomicU32,
    task: AtomicPtr<c_void>,
    env: AtomicPtr<c_void>,
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

/// The tasks of a lane that nobody has taken, and the job that they belong to.
#[derive(Clone, Copy)]
struct Lane {
    job: u32,
    first: u16,
    end: u16,
}

impl Lane {
    fn from_word(word: u64) -> Lane {
        Lane { job: (word >> 32) as u32, first: (word >> 16) as u16, end: word as u16 }
    }

    fn to_word(self) -> u64 {
        u64::from(self.job) << 32 | u64::from(self.first) << 16 | u64::from(self.end)
    }

    /// A task, and what is left without it: the first one for the lane's own thread, the last one
    /// for any other.
    fn split(self, is_ours: bool) -> Option<(u16, Lane)> {
        if self.first >= self.end {
            None
        } else if is_ours {
            Some((self.first, Lane { first: self.first + 1, ..self }))
        } else {
            Some((self.end - 1, Lane { end: self.end - 1, ..self }))
        }
    }
}

impl JobSlot {
    /// For `n_threads` threads, at least one.
    pub fn new(n_threads: usize) -> JobSlot {
        JobSlot {
            open: Aligned::default(),
            lanes: (0..n_threads.max(1)).map(|_| Aligned::default()).collect(),
            pending: Aligned::default(),
        }
    }

    /// Offers `n_tasks` tasks, at most [`MOST_TASKS`], to all threads.
    ///
    /// # Safety
    ///
    /// The last job must be finished and no other thread may publish before this one is; `task`
    /// must be callable from any thread with `env` and every number below `n_tasks` until then.
    pub unsafe fn publish(&self, task: TaskFn, env: *mut c_void, n_tasks: u32) {
        let open = &self.open.0;
        let job = open.number.load(Ordering::Relaxed).wrapping_add(1);
        open.task.store(task as *mut c_void, Ordering::Relaxed);
        open.env.store(env, Ordering::Relaxed);
        self.pending.0.store(n_tasks, Ordering::Relaxed);
        // A lane with no task keeps the word of an earlier job, which is as empty.
        let n_lanes = (self.lanes.len() as u32).min(n_tasks);
        let start = |lane: u32| (u64::from(lane) * u64::from(n_tasks) / u64::from(n_lanes)) as u16;
        for (number, lane) in (0..n_lanes).zip(&self.lanes) {
            let tasks = Lane { job, first: start(number), end: start(number + 1) };
            lane.0.store(tasks.to_word(), Ordering::Release);
        }
        open.number.store(job, Ordering::SeqCst);
    }

    /// The number of the last job, with which a thread notices that there is another.
    pub fn job_number(&self) -> u32 {
        self.open.0.number.load(Ordering::SeqCst)
    }

    /// Whether all tasks are done, and what they wrote can be seen.
    pub fn is_finished(&self) -> bool {
        self.pending.0.load(Ordering::SeqCst) == 0
    }

    /// Takes tasks and carries them out until none is left: those of lane `ours` first.
    pub fn work(&self, ours: usize) -> Worked {
        let n_lanes = self.lanes.len();
        let taken = (0..n_lanes).map(|k| self.work_on((ours + k) % n_lanes, k == 0)).sum();
        // While a task that was taken here counts as unfinished, no other job can begin: all of
        // them belong to one.
        let finished = taken > 0 && self.pending.0.fetch_sub(taken, Ordering::SeqCst) == taken;
        Worked { taken, finished }
    }

    /// Takes the tasks of one lane, and returns how many.
    fn work_on(&self, lane: usize, is_ours: bool) -> u32 {
        let word = &self.lanes[lane].0;
        let mut taken = 0;
        let mut before = word.load(Ordering::Acquire);
        while let Some((number, rest)) = Lane::from_word(before).split(is_ours) {
            let task = self.open.0.task.load(Ordering::Relaxed);
            let env = self.open.0.env.load(Ordering::Relaxed);
            match word.compare_exchange_weak(before, rest.to_word(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: `task` was made from a `TaskFn` by `publish`, it and `env` belong to
                    // the job whose task was just taken (see the head of this file), and that job
                    // is not finished before the count in `work` is lowered.
                    unsafe {
                        let task = std::mem::transmute::<*mut c_void, TaskFn>(task);
                        task(env, usize::from(number));
                    }
                    taken += 1;
                    before = word.load(Ordering::Acquire);
                }
                Err(now) => before = now,
            }
        }
        taken
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
