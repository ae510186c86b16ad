//! Totals that are made beside the computation: a thread combines and exchanges what is finished while the rest of the
//! step is computed. It takes one task after another, so all ranks make the same totals in the same order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::Lost;
use super::reduce::Shards;
use crate::ir::Combine;
use crate::runtime::array::Elements;

/// What summands are: for each, the elements' type and number, and how they are combined.
#[derive(Default, Debug)]
pub struct Summands {
    pub like: Vec<(Elements, usize)>,
    pub ways: Vec<Combine>,
}

/// The summands of all shards of this rank.
pub type Mine = Vec<Vec<Elements>>;

/// Totals in the order in which their summands are handed over.
pub struct Totals {
    shards: Shards,
    /// Those that were made at once, if there is no thread.
    made: Vec<Result<Vec<Elements>, Lost>>,
    thread: Option<Beside>,
}

struct Beside {
    tasks: Option<Sender<(Arc<Summands>, Mine)>>,
    totals: Receiver<Result<Vec<Elements>, Lost>>,
    thread: Option<JoinHandle<()>>,
}

impl Totals {
    /// Made where they are handed over.
    pub fn here(shards: Shards) -> Totals {
        Totals { shards, made: Vec::new(), thread: None }
    }

    /// Made by a thread, if the system gives one and what joins the ranks may be called from there.
    pub fn beside(shards: Shards) -> Totals {
        let is_movable = |ranks: &super::Shared| {
            ranks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_movable()
        };
        let thread = shards.ranks.as_ref().is_some_and(is_movable).then(|| Beside::begin(shards.clone())).flatten();
        Totals { shards, made: Vec::new(), thread }
    }

    pub fn shards(&self) -> &Shards {
        &self.shards
    }

    /// Whether something else can be computed in the meantime.
    pub fn is_beside(&self) -> bool {
        self.thread.is_some()
    }

    /// Hands summands over.
    pub fn begin(&mut self, summands: &Arc<Summands>, mine: Mine) {
        match self.thread.as_ref().and_then(|beside| beside.tasks.as_ref()) {
            // If the thread is gone, that is noticed where its total is asked for.
            Some(tasks) => drop(tasks.send((Arc::clone(summands), mine))),
            None => self.made.push(self.shards.total(mine, &summands.like, &summands.ways)),
        }
    }

    /// The totals of so many summands, the first that were handed over first.
    ///
    /// # Errors
    /// If a rank does not take part.
    pub fn take(&mut self, count: usize) -> Result<Vec<Vec<Elements>>, Lost> {
        let Some(beside) = &self.thread else { return self.made.drain(..).collect() };
        let gone = || Lost { rank: self.shards.rank, why: super::Why::Gone("the thread that exchanges".to_owned()) };
        (0..count).map(|_| beside.totals.recv().map_err(|_| gone()).flatten()).collect()
    }
}

impl Beside {
    fn begin(shards: Shards) -> Option<Beside> {
        let (tasks, to_do) = channel::<(Arc<Summands>, Mine)>();
        let (give, totals) = channel();
        let work = move || {
            for (summands, mine) in to_do {
                let total = shards.total(mine, &summands.like, &summands.ways);
                let is_lost = total.is_err();
                if give.send(total).is_err() || is_lost {
                    return;
                }
            }
        };
        let thread = Builder::new().name("nnc-ranks".to_owned()).spawn(work).ok()?;
        Some(Beside { tasks: Some(tasks), totals, thread: Some(thread) })
    }
}

impl Drop for Beside {
    /// Waits for what was handed over: the other ranks have handed it over, too, or will, or say that they end. So
    /// nothing is exchanged any more when this rank says how it ends.
    fn drop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
