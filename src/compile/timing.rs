//! How long each pass took, over a whole compilation.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::pipeline::{PIPELINE, PassId};

/// Tells the time since some moment in the past.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Nanoseconds of each pass; none by default, since only the world has a clock.
#[derive(Default)]
pub struct Timings {
    clock: Option<Clock>,
    spent: [AtomicU64; PIPELINE.len()],
}

impl Timings {
    /// With a clock.
    pub fn of(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Timings {
        Timings { clock: Some(Box::new(clock)), ..Timings::default() }
    }

    /// Carries out a part of a pass.
    pub fn time<T>(&self, pass: PassId, work: impl FnOnce() -> T) -> T {
        let Some(now) = &self.clock else { return work() };
        let start = now();
        let result = work();
        let spent = now().saturating_sub(start);
        self.spent[pass as usize].fetch_add(spent.as_nanos() as u64, Ordering::Relaxed);
        result
    }

    /// Of one pass.
    pub fn seconds_of(&self, pass: PassId) -> f64 {
        self.spent[pass as usize].load(Ordering::Relaxed) as f64 * 1e-9
    }

    /// Of all passes.
    pub fn seconds(&self) -> f64 {
        self.spent.iter().map(|spent| spent.load(Ordering::Relaxed) as f64).sum::<f64>() * 1e-9
    }
}

impl fmt::Display for Timings {
    /// A line for each pass, in milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (pass, spent) in PIPELINE.iter().zip(&self.spent) {
            writeln!(f, "{:>10.3} ms  {}", spent.load(Ordering::Relaxed) as f64 * 1e-6, pass.name)?;
        }
        write!(f, "{:>10.3} ms  all", self.seconds() * 1e3)
    }
}
