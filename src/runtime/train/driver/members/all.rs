//! The code and the tensors of all members.

use std::sync::Arc;
use std::time::Duration;

use super::{Running, Source, State};
use crate::base::Diagnostic;
use crate::ir::Graph;
use crate::ir::members::Options;
use crate::ir::program::{Train, Variable};
use crate::runtime::array::Array;
use crate::runtime::call::Moment;
use crate::runtime::events::Reason;
use crate::runtime::program::Part;
use crate::runtime::session::Session;
use crate::runtime::train::batch::companions::Before;
use crate::runtime::train::batch::results::Results;
use crate::runtime::train::batch::{Batch, Batches};
use crate::runtime::train::driver::{Taken, steps_of_next_series};
use crate::runtime::train::stack::{part, parts, stacked};

/// How often those who watch are told that steps are taken.
const TELL_EVERY: Duration = Duration::from_millis(200);

pub struct All<'a> {
    session: Session,
    /// For each size of a member's batch.
    batches: Vec<(usize, Batches<'a>)>,
    variables: Vec<Variable>,
    options: Options,
    count: usize,
    /// The rows of a member in the table of all, if each has its own.
    of_member: u32,
    /// What the last series gave.
    results: Option<Results>,
    /// How many steps are taken in one call at most.
    at_once: u64,
    step: u64,
    told: Duration,
}

impl<'a> All<'a> {
    pub fn new(
        session: Session,
        graphs: &'a [(usize, Graph)],
        trains: &[&'a Train],
        source: &Source,
        action: usize,
        options: Options,
    ) -> All<'a> {
        let train = trains[0];
        let of_size = |(size, graph): &'a (usize, Graph)| {
            let (table, sizes) = (Arc::clone(&source.table), source.sizes.clone());
            (*size, Batches::new(Part::Step(action), graph, train, table, sizes, Vec::new()))
        };
        let checked = session.program.checked();
        let variables = checked.params.iter().chain(&checked.states).chain(&train.step.states).cloned().collect();
        let batches = graphs.iter().map(of_size).collect();
        let (count, told) = (trains.len(), session.now());
        let of_member = source.of_member;
        let mut all = All { session, batches, variables, options, count, of_member, results: None, at_once: 1, step: 0, told };
        all.make_room();
        all
    }

    /// Tensors of all members, without values yet.
    fn make_room(&mut self) {
        for variable in &self.variables {
            let mut shape = variable.ty.static_shape().unwrap_or_default();
            shape.insert(self.options.place.axis(shape.len()), self.count);
            let zeros = Array::zeros(variable.ty.elem, self.session.memory.precision, shape);
            self.session.memory.add_named(variable.path.clone(), zeros);
        }
    }

    /// The code for a size of a member's batch, made now if it is the first of this size.
    pub fn batch(&mut self, size: usize) -> Result<(&mut Batch, &mut Session), Diagnostic> {
        let rows = if self.options.own_rows { size * self.count } else { size };
        match self.batches.iter_mut().find(|(known, _)| *known == size) {
            Some((_, batches)) => {
                let batch = batches.of_size(&mut self.session, rows)?;
                Ok((batch, &mut self.session))
            }
            None => Err(Diagnostic::fault("a batch of a size that does not occur")),
        }
    }

    /// Takes the tensors of all members. `None` if one has others.
    pub fn gather(&mut self, running: &[Running<'_, '_>]) -> Option<()> {
        for variable in &self.variables {
            let of_member = |one: &Running<'_, '_>| {
                let memory = &one.member.session.memory;
                Some(memory.shared(memory.find(&variable.path)?))
            };
            let arrays: Vec<Arc<Array>> = running.iter().map(of_member).collect::<Option<_>>()?;
            let arrays: Vec<&Array> = arrays.iter().map(|array| &**array).collect();
            let cell = self.session.memory.find(&variable.path)?;
            self.session.memory.set(cell, stacked(&arrays, self.options.place)?);
        }
        Some(())
    }

    /// Gives a member its tensors.
    pub fn scatter(&self, number: usize, session: &mut Session) {
        for variable in &self.variables {
            let Some(all) = self.session.parameter(&variable.path) else { continue };
            let tensor = part(all, self.count, self.options.place, number);
            if let (Some(tensor), Some(cell)) = (tensor, session.memory.find(&variable.path)) {
                session.memory.set(cell, tensor);
            }
        }
    }

    /// What the last series gave to a member.
    pub fn results(&self, number: usize, taken: &Taken) -> Results {
        let all = self.results.as_ref().expect("a series has been carried out");
        let place = self.options.place;
        let without_members = |shape: &Vec<usize>| {
            let mut shorter = shape.clone();
            shorter.remove(place.axis(shape.len() - 1));
            shorter
        };
        let shapes: Vec<Vec<usize>> = all.shapes.iter().map(without_members).collect();
        let steps = taken.steps as usize;
        let of_member = |(array, shape): (&Array, &Vec<usize>)| {
            let count: usize = shape.iter().product();
            let elements = parts(array.elements(), steps, count, self.count, place, number);
            Array::new(vec![steps * count], elements).expect("what a member has of each step")
        };
        let arrays = all.arrays.iter().zip(&shapes).map(of_member).collect();
        let (losses, metrics, gathered) = (all.losses.clone(), all.metrics.clone(), all.gathered.clone());
        Results { size: taken.size, arrays, shapes, losses, metrics, gathered }
    }

    pub fn train(&mut self, running: &mut [Running<'a, '_>]) {
        loop {
            for (number, one) in running.iter_mut().enumerate().filter(|(_, one)| one.is_active()) {
                let (steps, patience) = (one.driver.steps, one.driver.train.patience);
                if self.step >= steps {
                    one.end(self, number, Reason::Finished);
                } else if patience.is_some_and(|patience| one.driver.progress.waited >= patience) {
                    one.end(self, number, Reason::Patience);
                }
            }
            if !running.iter().any(Running::is_active) {
                break;
            }
            // What is wrong with a series is told by each member alone.
            if self.series(running).is_err() {
                running.iter_mut().filter(|one| one.is_active()).for_each(|one| one.state = State::Left);
            }
        }
        let batches = std::mem::take(&mut self.batches);
        batches.into_iter().for_each(|(_, batches)| batches.release(&mut self.session));
    }

    /// Takes steps, and tells each member about them.
    fn series(&mut self, running: &mut [Running<'a, '_>]) -> Result<(), Diagnostic> {
        let first = self.step;
        let (size, steps) = self.length(running)?;
        let rows = self.rows(running, steps, size);
        let begun = self.session.now();
        let moment = Moment { seed: running[0].driver.train.seed, step: first as u32 + 1 };
        let (batch, session) = self.batch(size)?;
        batch.run(session, &rows, Before::default(), moment, false)?;
        let results = batch.results.clone();
        self.results = Some(results);
        let now = self.session.now();
        let time = now.saturating_sub(begun);
        self.at_once = steps_of_next_series(self.at_once, steps, time);
        self.step += steps;
        let active = running.iter().filter(|one| one.is_active()).count().max(1);
        let tell = now.saturating_sub(self.told) >= TELL_EVERY;
        if tell {
            self.told = now;
        }
        let seconds = time.as_secs_f64() / active as f64;
        for (number, one) in running.iter_mut().enumerate().filter(|(_, one)| one.is_active()) {
            let taken = Taken { before: first, steps, size, seconds, bad: None };
            one.look(self, number, &taken, tell);
        }
        Ok(())
    }

    /// The size of the next batches, and how many of them are taken in one call.
    fn length(&mut self, running: &[Running<'a, '_>]) -> Result<(usize, u64), Diagnostic> {
        let is_watched = running.iter().any(|one| one.is_active() && one.driver.is_watched());
        let (size, left) = running[0].driver.ahead(self.step, is_watched)?;
        let wishes = running.iter().filter_map(|one| one.member.observer.steps_at_once());
        let wished = wishes.min().unwrap_or(u64::MAX).max(1);
        let at_once = self.at_once;
        let (batch, _) = self.batch(size)?;
        Ok((size, left.min(at_once).min(batch.steps_at_once()).min(wished)))
    }

    /// The rows of some steps: for each step those that all share, or those of each member.
    fn rows(&self, running: &mut [Running<'a, '_>], steps: u64, size: usize) -> Vec<u32> {
        let mut rows = Vec::new();
        if !self.options.own_rows {
            running[0].driver.order.take(self.step, steps, &mut rows);
            return rows;
        }
        let of_each = running.iter_mut().zip(0..).map(|(one, number)| {
            let mut taken = Vec::new();
            one.driver.order.take(self.step, steps, &mut taken);
            let first = number * self.of_member;
            taken.iter_mut().for_each(|row| *row += first);
            taken
        });
        let of_each: Vec<Vec<u32>> = of_each.collect();
        for step in 0..steps as usize {
            of_each.iter().for_each(|taken| rows.extend(&taken[step * size..(step + 1) * size]));
        }
        rows
    }
}
