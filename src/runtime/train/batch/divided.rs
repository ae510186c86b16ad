//! The step of a training with `shards`: carried out part by part, those of the shards once for each shard that this
//! process computes. See [`crate::shard`].

mod make;
mod sums;

use std::sync::Arc;

use super::companions::{Before, Companion};
use super::{Batch, Batches, Gathered, Taken};
use crate::base::Diagnostic;
use crate::ir::Graph;
use crate::opt;
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::Moment;
use crate::runtime::data::Column;
use crate::runtime::data::bounds::Bounds;
use crate::runtime::memory::{Binding, Cell, Memory};
use crate::runtime::ranks::beside::Totals;
use crate::runtime::ranks::reduce::Shards;
use crate::runtime::session::Session;
use crate::shard::{self, Sharded};
use sums::{Passing, Sums, widened};

/// A divided step, ready to be carried out for one batch size.
pub struct Divided {
    shards: Shards,
    totals: Totals,
    parts: Vec<Ready>,
    fields: Vec<Filled>,
    /// What is drawn from other data, whole: which data, a column of it and its tensor.
    companions: Vec<Companion>,
    drawn: Vec<(usize, Column, Gathered)>,
    /// The tensors that hold the number of the step.
    numbers: Vec<Cell>,
    /// All tensors that are given back in the end, outputs excepted.
    cells: Vec<Cell>,
    /// The results of a step, in the order of those of the batch.
    results: Vec<Cell>,
    /// Which of them are losses.
    losses: Vec<usize>,
}

/// A part with the tensors that it works on, and what happens after it.
struct Ready {
    bindings: Vec<Binding>,
    /// Whether the code of the last binding gives sums as soon as they are finished.
    gives: bool,
    sums: Sums,
    gathers: Vec<Gather>,
}

/// Rows that everybody gets of all shards.
struct Gather {
    parts: Vec<Cell>,
    whole: Option<Cell>,
    like: Elements,
    outer: usize,
    row: usize,
}

/// A field for the rows of a shard, or of the whole batch.
struct Filled {
    column: Column,
    cell: Cell,
    bounds: Option<Bounds>,
    rows: std::ops::Range<usize>,
}

/// The step of a training in parts.
pub fn parts(graph: &Graph) -> Sharded {
    shard::divide(&opt::optimise(&opt::stabilised(graph)))
}

impl Divided {
    /// Makes the code of all parts for a batch size, and their tensors.
    ///
    /// # Errors
    /// If there is no code for this size.
    pub fn prepare(
        session: &mut Session,
        of: &Batches<'_>,
        sharded: &Sharded,
        size: usize,
    ) -> Result<Batch, Diagnostic> {
        let (rank, ranks) = session.place_among_ranks();
        let count = of.train.shards.map_or(1, |(shards, _)| shards);
        let shards = Shards { count, rows: size, ranks: session.ranks.clone(), rank, size: ranks };
        let totals = Totals::here(shards.clone());
        let (fields, numbers, cells, parts) = Default::default();
        let (results, losses, drawn) = Default::default();
        let companions = of.companions.clone();
        let divided =
            Divided { shards, totals, parts, fields, companions, drawn, numbers, cells, results, losses };
        make::made(session, of, sharded, divided)
    }

    /// Takes steps, as [`Batch::run`] does.
    ///
    /// # Errors
    /// As [`Batch::run`]; E0934 if a rank does not take part.
    pub fn run(
        &mut self,
        session: &mut Session,
        results: &mut [Array],
        rows: &[u32],
        before: Before,
        first: Moment,
        watch: bool,
    ) -> Result<Taken, Diagnostic> {
        let size = self.shards.rows.max(1);
        for (step, rows) in rows.chunks_exact(size).enumerate() {
            let moment = Moment { step: first.step.wrapping_add(step as u32), ..first };
            self.draw(session, before.after(step, size))?;
            self.step(session, rows, moment)?;
            for (cell, results) in self.results.iter().zip(results.iter_mut()) {
                let made = session.memory.get(*cell).elements();
                results.elements_mut().put(step * made.len(), made);
            }
            let is_finite = |number: &usize| session.memory.get(self.results[*number]).number(0).is_finite();
            if watch && !self.losses.iter().all(is_finite) {
                return Ok(Taken { steps: step + 1, finite: false });
            }
        }
        Ok(Taken { steps: rows.len() / size, finite: true })
    }

    /// Gathers what a step reads of other data.
    fn draw(&mut self, session: &mut Session, before: Before) -> Result<(), Diagnostic> {
        let size = self.shards.rows;
        let rows: Vec<Vec<u32>> =
            self.companions.iter_mut().map(|companion| companion.take(before, size)).collect();
        self.drawn.iter().try_for_each(|(at, column, gathered)| gathered.fill(session, column, &rows[*at]))
    }

    fn step(&mut self, session: &mut Session, rows: &[u32], moment: Moment) -> Result<(), Diagnostic> {
        for field in &self.fields {
            let rows = &rows[field.rows.clone()];
            let mut array = session.memory.take_one(field.cell);
            let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
            field.column.gather(rows, Arc::make_mut(&mut array), &mut carry)?;
            if let Some(bounds) = &field.bounds {
                bounds.check(&array, |at| rows[at] as usize)?;
            }
            session.memory.set(field.cell, array);
        }
        for cell in &self.numbers {
            match session.memory.get_mut(*cell).elements_mut() {
                Elements::I32(values) => values.fill(moment.step as i32),
                Elements::I64(values) => values.fill(i64::from(moment.step)),
                _ => {}
            }
        }
        for part in &self.parts {
            let passing = Passing::new(&part.sums, &mut self.totals);
            part.carry_out(passing, session, moment)?;
            for gather in &part.gathers {
                gather.pass(self.totals.shards(), session)?;
            }
        }
        Ok(())
    }

    pub fn release(self, memory: &mut Memory) {
        for binding in self.parts.iter().flat_map(|part| &part.bindings) {
            memory.release(binding);
        }
        self.cells.into_iter().for_each(|cell| memory.remove(cell));
    }
}

impl Ready {
    /// Carries the part out in all shards of this process, and puts the sums of all shards in their places.
    fn carry_out(
        &self,
        mut passing: Passing<'_>,
        session: &mut Session,
        moment: Moment,
    ) -> Result<(), Diagnostic> {
        let last = self.bindings.len().checked_sub(1);
        for (at, binding) in self.bindings.iter().enumerate() {
            let Session { caller, memory, .. } = session;
            if Some(at) == last && self.gives {
                passing.last_shard(|give| caller.call_giving(binding, memory, moment, Some(give)))?;
                continue;
            }
            caller.call(binding, memory, moment)?;
            if Some(at) != last {
                passing.shard(at, memory);
            }
        }
        if self.sums.is_empty() {
            return Ok(());
        }
        let begun = session.now();
        let outcome = passing.finish(last, &mut session.memory);
        session.note_waiting(begun);
        Ok(outcome?)
    }
}

impl Gather {
    /// Puts the rows of all shards together.
    fn pass(&self, shards: &Shards, session: &mut Session) -> Result<(), Diagnostic> {
        let begun = session.now();
        let mine = self.parts.iter().map(|cell| widened(session.memory.get(*cell).elements())).collect();
        let whole = shards.gathered(mine, &self.like, self.outer, self.row);
        session.note_waiting(begun);
        let whole = whole?;
        if let Some(cell) = self.whole {
            *session.memory.get_mut(cell).elements_mut() = whole;
        }
        Ok(())
    }
}
