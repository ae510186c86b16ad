//! A validation that several processes share: each computes some of its batches, and all get the results of all, in the
//! order of the batches. So averages and whole metrics are those of one process.

use super::companions::Before;
use super::Batch;
use super::results::resize;
use crate::base::Diagnostic;
use crate::runtime::call::Moment;
use crate::runtime::ranks::bytes::{append, take};
use crate::runtime::session::Session;
use crate::shard::tree;

impl Batch {
    /// Computes the results of some batches, as [`Batch::run`] does.
    ///
    /// # Errors
    /// Those of [`Batch::run`]; E0934 if a rank does not take part.
    pub fn run_shared(
        &mut self,
        session: &mut Session,
        rows: &[u32],
        before: Before,
        first: Moment,
    ) -> Result<(), Diagnostic> {
        let (rank, ranks) = session.place_among_ranks();
        let steps = rows.len() / self.size.max(1);
        if ranks == 1 || steps < 2 {
            return self.run(session, rows, before, first, false).map(drop);
        }
        let mine = tree::rows_of(rank, ranks, steps);
        let moment = Moment { step: first.step.wrapping_add(mine.start as u32), ..first };
        let rows_of_mine = &rows[mine.start * self.size..mine.end * self.size];
        self.run(session, rows_of_mine, before.after(mine.start, self.size), moment, false)?;
        let counts: Vec<usize> = self.results_of_step();
        let mut bytes = Vec::new();
        for result in &self.results.arrays {
            append(&mut bytes, result.elements());
        }
        let of_step: usize =
            self.results.arrays.iter().zip(&counts).map(|(result, count)| result.elements().size() * count).sum();
        let steps_of = |rank: usize| tree::rows_of(rank, ranks, steps);
        let lengths: Vec<usize> = (0..ranks).map(|rank| steps_of(rank).len() * of_step).collect();
        let received = session.exchanged(bytes, &lengths)?;
        for (result, count) in self.results.arrays.iter_mut().zip(&counts) {
            resize(result, steps * count);
        }
        for (rank, bytes) in received.iter().enumerate() {
            let (mut rest, theirs) = (bytes.as_slice(), steps_of(rank));
            for (result, count) in self.results.arrays.iter_mut().zip(&counts) {
                let like = result.elements().zeros_alike(0);
                let elements = take(&mut rest, theirs.len() * count, &like);
                result.elements_mut().put(theirs.start * count, &elements);
            }
        }
        Ok(())
    }
}
