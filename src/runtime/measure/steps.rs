//! How long a step takes: forward pass, backward pass and update on a batch that is in memory.

use std::time::{Duration, Instant};

use super::machine::{Resident, resident};
use crate::base::order::PutInOrder;
use crate::runtime::program::Diagnostics;
use crate::runtime::session::Session;
use crate::runtime::train::held::Held;

/// A call of native code shorter than this is a series of several steps, so that neither the call nor the
/// clock is seen in the figure.
const SHORTEST_CALL: Duration = Duration::from_micros(200);
/// Steps before anything is measured.
const WARM_UP: usize = 4;
/// Calls at least, however long they take.
const FEWEST_CALLS: usize = 5;
const MOST_STEPS_A_CALL: usize = 4096;

/// Times of steps, in seconds, in order of size: one for each call, divided by its steps.
#[derive(Clone, Debug)]
pub struct Times {
    sorted: Vec<f64>,
    pub steps_a_call: usize,
    /// Losses of the first step and the last.
    pub losses: [Vec<f64>; 2],
    /// The memory of the process behind the warm-up and at the end.
    pub resident: [Option<Resident>; 2],
}

impl Times {
    /// Takes steps for about so many seconds.
    ///
    /// # Errors
    /// E0734 if there is no memory for them.
    pub fn measure(session: &mut Session, held: &mut Held, seconds: f64) -> Result<Times, Diagnostics> {
        held.steps(session, 1)?;
        let first = held.losses(0);
        for _ in 0..WARM_UP {
            held.steps(session, 1)?;
        }
        let steps = steps_a_call(session, held)?;
        held.steps(session, steps)?;
        let before = resident();
        let begun = Instant::now();
        let mut times = Vec::new();
        while begun.elapsed().as_secs_f64() < seconds || times.len() < FEWEST_CALLS {
            let call = Instant::now();
            held.steps(session, steps)?;
            times.push(call.elapsed().as_secs_f64() / steps as f64);
        }
        let after = resident();
        times.put_in_order_by(f64::total_cmp);
        let last = held.losses(steps - 1);
        Ok(Times { sorted: times, steps_a_call: steps, losses: [first, last], resident: [before, after] })
    }

    /// Times of single calls of something else.
    pub fn of_calls(mut times: Vec<f64>) -> Times {
        times.put_in_order_by(f64::total_cmp);
        let resident = [None, resident()];
        Times { sorted: times, steps_a_call: 1, losses: [Vec::new(), Vec::new()], resident }
    }

    /// The time that this share of the calls is faster than.
    pub fn quantile(&self, share: f64) -> f64 {
        let at = (self.sorted.len() as f64 * share) as usize;
        self.sorted.get(at.min(self.sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn calls(&self) -> usize {
        self.sorted.len()
    }
}

/// So many that a call is long enough.
fn steps_a_call(session: &mut Session, held: &mut Held) -> Result<usize, Diagnostics> {
    let mut steps = 1;
    loop {
        let call = Instant::now();
        held.steps(session, steps)?;
        if call.elapsed() >= SHORTEST_CALL || steps >= MOST_STEPS_A_CALL {
            return Ok(steps);
        }
        steps *= 2;
    }
}
