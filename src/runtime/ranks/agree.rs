//! Decisions that all ranks must take alike, and whether they carry out the same program on the same data.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Lost, Shared, to_all};
use crate::base::Diagnostic;
use crate::ir::program::Train;
use crate::runtime::data::data_name;
use crate::runtime::events::Exchanges;
use crate::runtime::fingerprint::Fingerprint;
use crate::runtime::program::Program;
use crate::runtime::session::Session;

/// So many of the things that are not the same are told.
const MOST_TOLD: usize = 4;

impl Session {
    /// Trains together with other ranks from now on: all of them carry out the same program. Data-parallel training
    /// needs `shards` in each `train`.
    ///
    /// # Errors
    /// E0930 if a `train` has no `shards`, E0931 if it has fewer than there are ranks.
    #[doc(hidden)]
    pub fn join(&mut self, ranks: Shared) -> Result<(), Diagnostic> {
        let size = ranks.lock().unwrap_or_else(PoisonError::into_inner).size();
        check_program(&self.program, size)?;
        self.ranks = Some(ranks);
        Ok(())
    }

    /// The number of this rank, and how many there are.
    pub(crate) fn place_among_ranks(&self) -> (usize, usize) {
        super::place(self.ranks.as_ref())
    }

    /// What the first rank has decided.
    pub(crate) fn agreed(&self, number: u64) -> Result<u64, Diagnostic> {
        let numbers = self.numbers(number)?;
        Ok(numbers.first().copied().unwrap_or(number))
    }

    /// Whether any rank says so.
    pub(crate) fn any(&self, says: bool) -> Result<bool, Diagnostic> {
        Ok(self.numbers(u64::from(says))?.into_iter().any(|number| number != 0))
    }

    /// A number of each rank.
    fn numbers(&self, number: u64) -> Result<Vec<u64>, Lost> {
        let (_, size) = self.place_among_ranks();
        let received = self.exchanged(number.to_le_bytes().to_vec(), &vec![8; size])?;
        let of = |bytes: &Vec<u8>| {
            bytes.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
        };
        Ok(received.iter().map(of).collect())
    }

    /// What each rank has sent to everybody, so many bytes.
    pub(crate) fn exchanged(&self, bytes: Vec<u8>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost> {
        let Some(ranks) = &self.ranks else { return Ok(vec![bytes]) };
        let begun = self.now();
        let received = ranks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .exchange(to_all(lengths.len(), bytes), lengths);
        self.note_waiting(begun);
        received
    }

    /// The list of the first rank that has one.
    pub(crate) fn first_list(&self, numbers: &[u64]) -> Result<Vec<u64>, Lost> {
        let text = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let texts = self.texts(&text)?;
        let first = texts.iter().find(|text| !text.is_empty());
        Ok(first.map(|text| text.split(' ').filter_map(|number| number.parse().ok()).collect()).unwrap_or_default())
    }

    /// Notes that this rank has waited for others until now.
    pub(crate) fn note_waiting(&self, since: Duration) {
        if self.ranks.is_some() {
            let nanoseconds = self.now().saturating_sub(since).as_nanos();
            self.waited.fetch_add(nanoseconds as u64, Ordering::Relaxed);
        }
    }

    /// How long this rank has waited, and what exchanges have taken; none if it is alone.
    pub(crate) fn exchanges(&self) -> Option<Exchanges> {
        let ranks = self.ranks.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let (took, sent) = ranks.spent();
        let waited = Duration::from_nanos(self.waited.load(Ordering::Relaxed)).as_secs_f64();
        Some(Exchanges { ranks: ranks.size(), waited, took: took.as_secs_f64(), sent })
    }

    /// A text of each rank.
    fn texts(&self, text: &str) -> Result<Vec<String>, Lost> {
        let lengths: Vec<usize> =
            self.numbers(text.len() as u64)?.into_iter().map(|length| length as usize).collect();
        let received = self.exchanged(text.as_bytes().to_vec(), &lengths)?;
        Ok(received.into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect())
    }

    /// Before a training: that all ranks begin with the same.
    ///
    /// # Errors
    /// E0933 on all ranks, if they do not.
    pub(crate) fn check_ranks(&mut self, action: usize, train: &Train) -> Result<(), Diagnostic> {
        let (rank, size) = self.place_among_ranks();
        if size == 1 {
            return Ok(());
        }
        let Some(mut mine) = Fingerprint::of(self, action)? else { return Ok(()) };
        mine.note("version of nnc", env!("CARGO_PKG_VERSION").to_owned());
        mine.note("vectors of the processor", vectors(&self.program));
        mine.note("length of the training", format!("{:?}", train.length).to_lowercase());
        mine.note("stop", format!("{:?}", train.patience));
        mine.note("number of the action", action.to_string());
        mine.note("step to begin with", self.step().to_string());
        mine.note("parameters", self.variables_number());
        let texts = self.texts(&mine.text())?;
        let first = texts.first().and_then(|text| Fingerprint::parse(text));
        let mut notes = Vec::new();
        for (other, text) in texts.iter().enumerate().skip(1) {
            let (Some(first), Some(found)) = (&first, Fingerprint::parse(text)) else { continue };
            notes.extend(found.disagreements(first).into_iter().map(|what| format!("on rank {other} {what}")));
        }
        if notes.is_empty() {
            return Ok(());
        }
        let more = notes.len().saturating_sub(MOST_TOLD);
        notes.truncate(MOST_TOLD);
        notes.extend((more > 0).then(|| format!("and {more} more")));
        let message = format!("the {size} ranks do not train the same on `{}`", data_name(&train.data));
        let error = Diagnostic::error("E0933", message).at(train.span, format!("as rank {rank} sees it"));
        let error = notes.into_iter().fold(error, Diagnostic::note);
        Err(error.help("all ranks need the same program, files, options and version of nnc"))
    }
}

/// Whether so many ranks can share all trainings of a program.
///
/// # Errors
/// E0930 if a `train` has no `shards`, E0931 if it has fewer than there are ranks.
pub fn check_program(program: &Program, size: usize) -> Result<(), Diagnostic> {
    program.checked().trainings().try_for_each(|train| check_shards(train, size))
}

fn check_shards(train: &Train, size: usize) -> Result<(), Diagnostic> {
    let Some(shards) = train.shards.map(|(shards, _)| shards).filter(|_| size > 1) else {
        if size < 2 {
            return Ok(());
        }
        let message = format!("{size} ranks cannot share this training: it has no `shards`");
        let error = Diagnostic::error("E0930", message)
            .at(train.span, "a step sums over the rows of a batch in one order, that of one process")
            .note("with `shards = N` a batch is N parts, summed in an order that does not depend on how many ranks compute them");
        let wanted = size.next_power_of_two().max(8);
        return Err(error.help(format!(
            "add `shards = {wanted}` to this `train`, or `--set train.shards={wanted}`: the same bits for 1 to {wanted} ranks"
        )));
    };
    if shards >= size {
        return Ok(());
    }
    let message = format!("{size} ranks are more than the {shards} shards of this training");
    let span = train.shards.map_or(train.span, |(_, span)| span);
    let error = Diagnostic::error("E0931", message).at(span, "a rank computes one shard at least");
    Err(error.help(format!("begin {shards} ranks at most, or say `shards = {size}`: another order of sums, so other last bits")))
}

/// The vectors of a program's code, which the last bits of results depend on.
fn vectors(program: &Program) -> String {
    let mode = program.mode();
    let target = mode.backend().target(mode.precision);
    format!("{} lanes, {:?}", target.lanes, target.features)
}
