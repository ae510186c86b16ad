//! Ranks: processes that train together. Each computes some shards of every batch; what they exchange is the same
//! bytes whatever carries them, so a training gives the same bits for any number of ranks.
//!
//! | file | does |
//! |---|---|
//! | [`reduce`] | totals and gathered rows out of what the ranks have |
//! | [`bytes`] | tensors as bytes |
//! | [`agree`] | decisions that all ranks must take alike, and whether they carry out the same program |
//! | [`beside`] | totals that are made beside the computation |
//! | [`threads`] | ranks that are threads of one process |
//!
//! Processes are joined by MPI: `kernels/mpi/`.

pub mod agree;
pub mod beside;
pub mod bytes;
pub mod reduce;
pub mod threads;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::Diagnostic;

/// What joins a process to the others. All ranks call the same functions in the same order.
pub trait Ranks: Send {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// Sends bytes to every rank and receives some from every rank, this one included: `to` has an entry for each, and
    /// `lengths` says how many bytes come from each.
    ///
    /// # Errors
    /// If a rank does not take part.
    fn exchange(&mut self, to: Vec<Arc<Vec<u8>>>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost>;

    /// Whether the functions may be called from any thread, one at a time.
    fn is_movable(&self) -> bool {
        true
    }

    /// How long exchanges have taken so far, and how many bytes this rank has sent; nothing if that is not measured.
    fn spent(&self) -> (Duration, u64) {
        (Duration::ZERO, 0)
    }

    /// Says how this rank ends, and gives how the others do; `None` of those that do not say it in time.
    fn end(&mut self, outcome: &str) -> Vec<Option<String>>;

    /// Leaves the others, after [`Ranks::end`]. If one has not said how it ends, all are ended.
    fn leave(&mut self);
}

/// Ranks that a session and whoever made it share.
pub type Shared = Arc<Mutex<Box<dyn Ranks>>>;

/// A rank that does not take part any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    pub rank: usize,
    pub why: Why,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// It has ended, and said this.
    Ended(String),
    /// Its process is gone.
    Gone(String),
    /// It has said nothing for so many seconds.
    Silent(u64),
    /// The library that joins the ranks has failed.
    Library(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = self.rank;
        match &self.why {
            Why::Ended(said) if said.is_empty() => write!(f, "rank {rank} has ended before the others"),
            Why::Ended(said) => write!(f, "rank {rank} has ended: {said}"),
            Why::Gone(process) => write!(f, "rank {rank} ({process}) is gone: it was killed, or has crashed"),
            Why::Silent(seconds) => write!(f, "rank {rank} has said nothing for {seconds} s"),
            Why::Library(said) => write!(f, "rank {rank} cannot be reached: {said}"),
        }
    }
}

impl From<Lost> for Diagnostic {
    fn from(lost: Lost) -> Diagnostic {
        let error = Diagnostic::error("E0934", lost.to_string());
        let error = match lost.why {
            Why::Silent(_) => error.help("`NNC_RANKS_TIMEOUT=3600` waits for an hour"),
            _ => error,
        };
        error.help("what was saved last is whole: go on from it with `--resume`")
    }
}

/// The same bytes for everyone.
pub fn to_all(ranks: usize, bytes: Vec<u8>) -> Vec<Arc<Vec<u8>>> {
    let bytes = Arc::new(bytes);
    (0..ranks).map(|_| Arc::clone(&bytes)).collect()
}

/// A text of each rank, by the number of the rank.
///
/// # Errors
/// If a rank does not take part.
pub fn texts(ranks: &Shared, text: &str) -> Result<Vec<String>, Lost> {
    let received = gathered(ranks, text.as_bytes().to_vec())?;
    Ok(received.into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect())
}

/// What each rank has to say, as many bytes as it takes.
///
/// # Errors
/// If a rank does not take part.
pub fn gathered(ranks: &Shared, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, Lost> {
    let mut ranks = ranks.lock().unwrap_or_else(PoisonError::into_inner);
    let size = ranks.size();
    let length = (bytes.len() as u64).to_le_bytes().to_vec();
    let number = |bytes: Vec<u8>| bytes.iter().rev().fold(0, |number: usize, byte| number << 8 | usize::from(*byte));
    let lengths = ranks.exchange(to_all(size, length), &vec![8; size])?;
    let lengths: Vec<usize> = lengths.into_iter().map(number).collect();
    ranks.exchange(to_all(size, bytes), &lengths)
}

/// The number of this rank, and how many there are; one without others.
pub fn place(ranks: Option<&Shared>) -> (usize, usize) {
    ranks.map_or((0, 1), |ranks| {
        let ranks = ranks.lock().unwrap_or_else(PoisonError::into_inner);
        (ranks.rank(), ranks.size())
    })
}
