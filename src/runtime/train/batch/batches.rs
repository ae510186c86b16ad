//! The code of a step, or of an evaluation, for all batch sizes that occur.

use std::sync::Arc;

use super::companions::Companion;
use super::divided::{self, Divided};
use super::Batch;
use crate::base::Diagnostic;
use crate::ir::program::Train;
use crate::ir::{Graph, Sizes};
use crate::runtime::data::Table;
use crate::runtime::program::Part;
use crate::runtime::session::Session;
use crate::shard::Sharded;

/// The code for the batch sizes that occur: the usual one and a smaller last one.
pub struct Batches<'a> {
    pub part: Part,
    pub graph: &'a Graph,
    pub train: &'a Train,
    pub table: Arc<Table>,
    pub sizes: Sizes,
    /// What is drawn from beside the rows.
    pub companions: Vec<Companion>,
    ready: Vec<Batch>,
    /// The parts of a step that is divided among shards.
    parts: Option<Sharded>,
}

impl<'a> Batches<'a> {
    pub fn new(
        part: Part,
        graph: &'a Graph,
        train: &'a Train,
        table: Arc<Table>,
        sizes: Sizes,
        companions: Vec<Companion>,
    ) -> Batches<'a> {
        let is_divided = train.shards.is_some() && matches!(part, Part::Step(_));
        let parts = is_divided.then(|| divided::parts(graph));
        Batches { part, graph, train, table, sizes, companions, ready: Vec::new(), parts }
    }

    /// The code for a size, made now if it is the first of this size.
    ///
    /// # Errors
    /// As [`Batch::prepare`].
    pub fn of_size(&mut self, session: &mut Session, size: usize) -> Result<&mut Batch, Diagnostic> {
        let at = match self.ready.iter().position(|batch| batch.size == size) {
            Some(at) => at,
            None => {
                let batch = match &self.parts {
                    Some(parts) => Divided::prepare(session, self, parts, size)?,
                    None => Batch::prepare(session, self, size)?,
                };
                self.ready.push(batch);
                self.ready.len() - 1
            }
        };
        Ok(&mut self.ready[at])
    }

    pub fn release(self, session: &mut Session) {
        self.ready.into_iter().for_each(|batch| batch.release(&mut session.memory));
    }
}
