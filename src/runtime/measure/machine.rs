//! What the machine can do at the most, measured, and what this process takes of it.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::ir::program::Precision;
use crate::runtime::kernels::peak;

/// How long one measurement is: short, so that other processes spoil few of them.
const MOMENT: Duration = Duration::from_micros(500);
/// How many there are; the best counts.
const MOMENTS: usize = 40;

/// Multiply-adds of `threads` threads at once, as operations a second.
pub fn arithmetic(threads: usize, precision: Precision) -> f64 {
    let burn = |rounds| match precision {
        Precision::F32 => peak::multiply_add_f32(rounds),
        Precision::F64 => peak::multiply_add_f64(rounds),
    };
    at_once(threads, || {
        let mut rounds = 1000u32;
        while time(|| burn(rounds)).0 < MOMENT && rounds < 1 << 28 {
            rounds *= 2;
        }
        let rates = (0..MOMENTS).map(|_| {
            let (spent, operations) = time(|| burn(rounds));
            operations / spent.as_secs_f64()
        });
        rates.fold(0.0, f64::max)
    })
}

/// Copies within a run of memory of `bytes`, divided among `threads`: bytes read and written in a second.
pub fn copying(bytes: usize, threads: usize) -> f64 {
    let half = (bytes / threads.max(1) / 2).clamp(4 << 10, 64 << 20);
    at_once(threads, || {
        let (mut a, mut b) = (vec![1u8; half], vec![2u8; half]);
        let mut repeats = 1;
        let mut copy = |repeats: usize| {
            for _ in 0..repeats {
                b.copy_from_slice(&a);
                a[0] = b[half - 1];
                std::hint::black_box((&mut a, &mut b));
            }
        };
        while time(|| copy(repeats)).0 < MOMENT {
            repeats *= 2;
        }
        let rates = (0..MOMENTS).map(|_| {
            let (spent, ()) = time(|| copy(repeats));
            (2 * half * repeats) as f64 / spent.as_secs_f64()
        });
        rates.fold(0.0, f64::max)
    })
}

/// The sum of what threads measure at the same time.
fn at_once(threads: usize, measure: impl Fn() -> f64 + Sync) -> f64 {
    let start = Barrier::new(threads.max(1));
    thread::scope(|scope| {
        let begin = || {
            start.wait();
            measure()
        };
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(begin)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
    })
}

fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed(), result)
}

/// Bytes of memory that this process has, and the most that it ever had, where the system says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resident {
    pub now: u64,
    pub most: u64,
}

/// The memory of this process.
pub fn resident() -> Option<Resident> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    Some(Resident { now: of("VmRSS:")?, most: of("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_computes_and_copies() {
        // The slowest machine that compiles this does more than a million of each.
        assert!(arithmetic(1, Precision::F32) > 1e6);
        assert!(copying(1 << 16, 2) > 1e6);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory() {
        let resident = resident().expect("Linux says it");
        assert!(resident.now > 0 && resident.most >= resident.now);
    }
}
