//! A run that several processes share, begun by `mpirun` or its like. The first of them, rank 0, writes, prints and
//! saves; the others are silent, unless one has something to say that the first does not know.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Failure, first_error, output, report};
use crate::runtime::ranks::Shared;

/// How long what a rank says last may take to be written before all are ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// This process, as one of several.
#[derive(Clone)]
pub struct Joined {
    pub shared: Shared,
    pub rank: usize,
    pub size: usize,
    /// How many of them run on this computer.
    pub here: usize,
}

/// Joins the other processes, if a launcher has begun several.
///
/// # Errors
/// If there is no library for it, or another process does not join.
pub fn join() -> Result<Option<Joined>, Failure> {
    joined_process()
}

#[cfg(target_os = "linux")]
fn joined_process() -> Result<Option<Joined>, Failure> {
    use crate::runtime::kernels::mpi;
    use crate::runtime::program::Diagnostics;
    use crate::runtime::ranks::Ranks;
    if mpi::launched_rank().is_some_and(|rank| rank > 0) {
        output::mute();
    }
    let Some(process) = mpi::join().map_err(|error| Failure::from(Diagnostics::from(error)))? else {
        return Ok(None);
    };
    let (rank, size) = (process.rank(), process.size());
    let shared: Shared = std::sync::Arc::new(std::sync::Mutex::new(Box::new(process)));
    Ok(Some(Joined { shared, rank, size, here: mpi::ranks_here() }))
}

/// The libraries are called as they are on Linux.
#[cfg(not(target_os = "linux"))]
fn joined_process() -> Result<Option<Joined>, Failure> {
    Ok(None)
}

impl Joined {
    /// Ends the part of this process: all ranks hear how it ended, and one whose end the first does not share says why.
    pub fn end(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let outcome = match outcome {
            Err(Failure::Program(diagnostics)) => {
                report(&diagnostics);
                Err(Failure::Silent)
            }
            other => other,
        };
        let said = match &outcome {
            Ok(()) => String::new(),
            Err(Failure::Usage(message)) => message.clone(),
            Err(_) => first_error().unwrap_or_else(|| "it was asked to end".to_owned()),
        };
        let mut ranks = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = ranks.end(&said);
        if self.rank > 0 && outcome.is_err() && ends.first().and_then(Option::as_ref) != Some(&said) {
            output::unmute(&format!("rank {}", self.rank));
        }
        if ends.iter().any(Option::is_none) {
            std::thread::sleep(LAST_WORDS);
        }
        ranks.leave();
        outcome
    }
}
