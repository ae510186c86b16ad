//! One batch of a `train`, held in memory. Steps on it are what is measured: forward pass, backward pass and
//! update, without looking for rows.

use super::batch::{Batch, Batches, companions, some_rows};
use super::order::Order;
use super::{begin, count_trained, data_sizes};
use crate::base::Diagnostic;
use crate::compile::{Code, Measures, measures};
use crate::ir::program::{Action, BATCH, Train};
use crate::ir::{Dim, Sizes};
use crate::runtime::call::Moment;
use crate::runtime::data::data_name;
use crate::runtime::events::Silent;
use crate::runtime::int_ranges::note_ints;
use crate::runtime::program::{Diagnostics, Part};
use crate::runtime::session::Session;

/// The first `train` of a program at its first batch.
pub struct Held {
    batch: Batch,
    sizes: Sizes,
    action: usize,
    /// The step that comes next, from 1.
    moment: Moment,
    /// Numbers in trained parameters.
    pub parameters: u64,
}

/// For which code is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Training,
    /// So that every kernel says when it is done.
    Profile,
}

impl Held {
    /// Loads the data, begins the training and compiles its step. `None` if the program has no `train`.
    ///
    /// # Errors
    /// Those of training before its first step.
    pub fn prepare(
        session: &mut Session,
        purpose: Purpose,
    ) -> Result<Option<(Held, Option<Measures>)>, Diagnostics> {
        let program = session.program.clone();
        let mut actions = program.checked().actions.iter().enumerate();
        let first = actions.find_map(|(number, action)| match action {
            Action::Train(train) => Some((number, train)),
            Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_) => None,
        });
        let Some((action, train)) = first else { return Ok(None) };
        Held::of(session, action, train, purpose).map(Some).map_err(|error| program.failed([error]))
    }

    fn of(
        session: &mut Session,
        action: usize,
        train: &Train,
        purpose: Purpose,
    ) -> Result<(Held, Option<Measures>), Diagnostic> {
        let program = session.program.clone();
        let (table, rows) = session.rows(&train.data, train.span)?;
        some_rows(rows.len(), &data_name(&train.data), train.span)?;
        let mut sizes = data_sizes(session, train)?;
        begin(session, action, train, &mut Silent)?;
        let mut order = Order::new(rows, train.batch, train.seed, train.shuffle);
        let size = order.batch();
        let drawn = companions::of_training(session, train, false)?;
        let batches = Batches::new(Part::Step(action), &train.step.graph, train, table, sizes.clone(), drawn);
        sizes.insert(BATCH.into(), Dim::from(size));
        let (mut batch, measures) = match purpose {
            Purpose::Training => (Batch::prepare(session, &batches, size)?, None),
            Purpose::Profile => {
                note_ints(session, &train.step.graph, &batches.table, &mut sizes)?;
                companions::note_ints(&batches.companions, &train.step.graph, &mut sizes);
                let made = program.profiled(&train.step.graph, &sizes);
                let (function, measures) = made.map_err(|error| program.build_failed(&error, train.span))?;
                (Batch::bind(session, &batches, size, function)?, Some(measures))
            }
        };
        let mut taken = Vec::new();
        order.take(0, 1, &mut taken);
        batch.hold(session, &taken)?;
        let parameters = count_trained(session, train);
        let moment = Moment { seed: train.seed, step: 1 };
        Ok((Held { batch, sizes, action, moment, parameters }, measures))
    }

    /// Rows of the batch.
    pub fn rows(&self) -> usize {
        self.batch.size
    }

    /// Takes steps in one call of native code.
    ///
    /// # Errors
    /// E0734 if there is no memory for them.
    pub fn steps(&mut self, session: &mut Session, steps: usize) -> Result<(), Diagnostics> {
        let taken = self.batch.repeat(&session.caller, &mut session.memory, steps, self.moment);
        self.moment.step = self.moment.step.wrapping_add(steps as u32);
        taken.map_err(|error| session.program.failed([error]))
    }

    /// The losses of a step of the last call, from 0.
    pub fn losses(&self, step: usize) -> Vec<f64> {
        self.batch.results.losses(step)
    }

    /// Takes a step, calling `watch` at its beginning and with the number of each kernel when it is done.
    ///
    /// # Errors
    /// E0734 if there is no memory for it.
    pub fn profile(
        &mut self,
        session: &mut Session,
        watch: &dyn Fn(Option<usize>),
    ) -> Result<(), Diagnostics> {
        let taken = self.batch.profile(&session.caller, &mut session.memory, self.moment, watch);
        self.moment.step = self.moment.step.wrapping_add(1);
        taken.map_err(|error| session.program.failed([error]))
    }

    /// Which kernel of [`Measures::works`] each number of [`Held::profile`] is.
    pub fn kernels(&self) -> Vec<usize> {
        match &self.batch.function().code {
            Code::Compiled(code) => code.facts().names.iter().map(|name| name.number as usize).collect(),
            Code::Interpreted(_) => Vec::new(),
        }
    }

    /// What a step has to do.
    ///
    /// # Errors
    /// None that [`Held::prepare`] would not have given.
    pub fn measures(&self, session: &Session) -> Result<Measures, Diagnostics> {
        let program = &session.program;
        let checked = program.checked();
        let Action::Train(train) = &checked.actions[self.action] else { unreachable!("it is a `train`") };
        measures(&train.step.graph, &self.sizes, checked.precision)
            .map_err(|error| program.failed([program.build_failed(&error, train.span)]))
    }

    pub fn release(self, session: &mut Session) {
        self.batch.release(&mut session.memory);
    }
}
