//! Fork and join: a few threads that carry out the tasks of one job after another.
//!
//! Threads wait for work by spinning for some microseconds, then sleep; the caller takes tasks as
//! well. A thread that the system does not let run takes no task, and nobody waits for it: with
//! another process on the second core a job takes about what it takes on one.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::kernels::fork_join::ForkJoin;
use super::kernels::forks;

/// A pool of threads; the thread that calls [`Pool::run`] is one of them.
pub struct Pool {
    shared: Arc<ForkJoin>,
    workers: Vec<JoinHandle<()>>,
    /// The process that has the threads.
    generation: u32,
}

impl Pool {
    /// A pool of `threads` threads, the caller's included. If the system does not give as many,
    /// the pool has fewer.
    pub fn new(threads: usize) -> Pool {
        let n_workers = threads.saturating_sub(1);
        let shared = Arc::new(ForkJoin::new(n_workers));
        let spawn = |worker: usize| {
            let shared = Arc::clone(&shared);
            let name = format!("nnc-{}", worker + 1);
            thread::Builder::new().name(name).spawn(move || shared.work_until_stopped(worker)).ok()
        };
        let workers = (0..n_workers).map_while(spawn).collect();
        Pool { shared, workers, generation: forks::generation() }
    }

    /// The number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `task` with every number below `n_tasks`, each once, on any thread, and returns when
    /// all are done. The first panic of a task goes on in the caller. A job within a job, or a
    /// second one at the same time, is carried out by the thread that asks for it.
    pub fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        if self.is_inherited() {
            (0..n_tasks).for_each(task);
        } else {
            self.shared.run_closure(n_tasks, task);
        }
    }

    /// Whether this process is a fork of the one that has the threads: here there are none.
    pub fn is_inherited(&self) -> bool {
        self.generation != forks::generation()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Nobody could be waited for.
            let _ = ManuallyDrop::new(std::mem::take(&mut self.workers));
            return;
        }
        self.shared.stop();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks, so there is nothing to learn from its end.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn every_task_is_carried_out_once() {
        for threads in [0, 1, 2, 3, 5] {
            let pool = Pool::new(threads);
            assert_eq!(pool.threads(), threads.max(1));
            for n_tasks in [0, 1, 2, 3, 17, 1000, 65_535, 65_536, 200_001] {
                let counts: Vec<AtomicUsize> = (0..n_tasks).map(|_| AtomicUsize::new(0)).collect();
                pool.run(n_tasks, &|task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn many_short_jobs_with_and_without_sleep() {
        let pool = Pool::new(3);
        let sum = AtomicUsize::new(0);
        for job in 0..20_000 {
            pool.run(job % 7, &|task| {
                sum.fetch_add(task + 1, Ordering::Relaxed);
            });
            if job % 500 == 0 {
                thread::sleep(Duration::from_micros(100));
            }
        }
        let expected: usize = (0..20_000).map(|job| (1..=job % 7).sum::<usize>()).sum();
        assert_eq!(sum.into_inner(), expected);
    }

    #[test]
    fn what_tasks_wrote_is_seen_by_the_caller() {
        let pool = Pool::new(2);
        let cells: Vec<std::sync::Mutex<u64>> = (0..64).map(|_| std::sync::Mutex::new(0)).collect();
        for round in 1..500 {
            pool.run(cells.len(), &|task| *cells[task].lock().unwrap() += task as u64);
            assert!(cells.iter().enumerate().all(|(at, cell)| *cell.lock().unwrap() == round * at as u64));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(2);
        for panicking in [0, 5, 9] {
            let done = AtomicUsize::new(0);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                pool.run(10, &|task| {
                    if task == panicking {
                        std::panic::resume_unwind(Box::new("on purpose"));
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
            assert_eq!(done.into_inner(), 9);
        }
    }

    #[test]
    fn jobs_within_jobs_and_from_several_threads() {
        let pool = Pool::new(2);
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        pool.run(4, &|_| {
                            pool.run(3, &|_| {
                                count.fetch_add(1, Ordering::Relaxed);
                            })
                        });
                    }
                });
            }
        });
        assert_eq!(count.into_inner(), 3 * 200 * 4 * 3);
    }

    /// `cargo test --release --lib pool -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn fork_join_overhead() {
        let work = |duration: Duration| {
            let start = Instant::now();
            while start.elapsed() < duration {
                std::hint::spin_loop();
            }
        };
        for threads in [1, 2] {
            let pool = Pool::new(threads);
            for half in [0.0, 2.5, 25.0] {
                let half = Duration::from_nanos((half * 1000.0) as u64);
                let mut times: Vec<Duration> = (0..20_000)
                    .map(|_| {
                        let start = Instant::now();
                        pool.run(2, &|_| {
                            if !half.is_zero() {
                                work(half)
                            }
                        });
                        start.elapsed()
                    })
                    .collect();
                times.sort_unstable();
                let at = |share: usize| times[times.len() * share / 100].as_nanos();
                println!(
                    "{threads} threads, 2 x {half:?}: p50 {} ns, p90 {} ns, p99 {} ns",
                    at(50),
                    at(90),
                    at(99)
                );
            }
        }
    }

    /// How long a line of memory takes from one thread to another, ten times in two seconds. Two cores of one complex
    /// need about 50 ns, of two complexes 200 ns; the host of a virtual machine changes its processors from one to the
    /// other. Steps with two threads are slower then (see docs/performance.md).
    ///
    /// `cargo test --release --lib pool -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn line_between_threads() {
        let turn = AtomicUsize::new(0);
        let (first, second, over) = (0, 1, 2);
        thread::scope(|scope| {
            scope.spawn(|| {
                while turn.load(Ordering::Acquire) != over {
                    let _ = turn.compare_exchange(second, first, Ordering::AcqRel, Ordering::Relaxed);
                }
            });
            for _ in 0..10 {
                let (start, mut rounds) = (Instant::now(), 0);
                while start.elapsed() < Duration::from_millis(200) {
                    for _ in 0..100 {
                        turn.store(second, Ordering::Release);
                        while turn.load(Ordering::Acquire) == second {}
                    }
                    rounds += 100;
                }
                println!("{} ns", start.elapsed().as_nanos() / (2 * rounds));
            }
            turn.store(over, Ordering::Release);
        });
    }
}
