//! What a training shows while it is at work: `every 10 epochs { … }`.
//!
//! A series of steps ends where something is to be shown, and what is shown changes nothing: the steps of a training
//! with intervals give the same bits as without. It is shown before a checkpoint of the same step is written, so a
//! training that goes on from there goes on behind it.

use super::Driver;
use crate::base::Diagnostic;
use crate::ir::program::{Interval, Length, Train};
use crate::runtime::actions::{self, At};
use crate::runtime::events::Observer;
use crate::runtime::program::Part;
use crate::runtime::report::training::TrainWarning;
use crate::runtime::session::Session;

/// After how many steps each something is shown.
fn steps_of(interval: &Interval, steps_per_epoch: u64) -> u64 {
    match interval.every {
        Length::Steps(steps) => steps,
        Length::Epochs(epochs) => epochs.saturating_mul(steps_per_epoch),
    }
    .max(1)
}

impl Driver<'_> {
    /// How many steps may be taken until something is shown.
    pub(super) fn to_next_interval(&self, step: u64) -> u64 {
        let every = self.train.intervals.iter().map(|interval| steps_of(interval, self.order.steps_per_epoch()));
        every.map(|every| every - step % every).min().unwrap_or(u64::MAX)
    }

    /// Shows what is to be shown after the last step taken.
    pub(super) fn show(&self, session: &mut Session, observer: &mut dyn Observer) -> Result<(), Diagnostic> {
        let (step, per_epoch) = (self.progress.step, self.order.steps_per_epoch());
        for (number, interval) in self.train.intervals.iter().enumerate() {
            if step == 0 || !step.is_multiple_of(steps_of(interval, per_epoch)) {
                continue;
            }
            for (at, shown) in interval.shown.iter().enumerate() {
                let part = Part::While(self.action, number, at);
                actions::show(session, At { part, step, epoch: step.div_ceil(per_epoch) }, shown, observer)?;
            }
            session.tell(observer);
        }
        Ok(())
    }
}

/// Tells of intervals that are longer than the training.
pub fn tell_idle(session: &Session, train: &Train, steps: u64, steps_per_epoch: u64) {
    for interval in &train.intervals {
        let every = steps_of(interval, steps_per_epoch);
        if every > steps {
            session.notices.add(TrainWarning::IdleInterval { steps, every, at: interval.span });
        }
    }
}
