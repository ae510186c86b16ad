//! One `train` at work.
//!
//! Steps are taken in series, each one call of native code. A series ends where somebody must look at the
//! parameters or the scores: at the end of an epoch if there is a validation or a `stop`, else only so often
//! that who watches sees progress. What the epochs of a series gave is read from its stored results.

pub mod intervals;

use std::sync::Arc;
use std::time::Duration;

use super::averages::Averages;
use super::batch::results::Results;
use super::batch::{Batches, companions};
use super::order::Order;
use super::{Kept, Progress, Values, blame, evaluate, watch};
use crate::base::Diagnostic;
use crate::ir::program::{PLATEAUS, Precision, Train};
use crate::runtime::array::{Array, Elements};
use crate::ir::ranges::MAX_STEP;
use crate::runtime::call::Moment;
use crate::runtime::data::Rows;
use crate::runtime::report::Problem;
use crate::runtime::report::training::{TrainError, TrainWarning};
use crate::runtime::events::{EpochReport, Event, Observer, Reason, StepReport, Trained};
use crate::runtime::session::Session;

pub mod members;

/// How long a call of native code may take about, so that progress can be shown.
const SERIES_TIME: Duration = Duration::from_millis(80);

/// How many steps the next series may have, after one of `steps` of at most `at_once` has taken so long: more if it
/// was short though nothing else ended it, fewer if it was long.
fn steps_of_next_series(at_once: u64, steps: u64, time: Duration) -> u64 {
    if time < SERIES_TIME / 16 && steps == at_once {
        (at_once * 8).min(blame::KEEP_EVERY)
    } else if time < SERIES_TIME / 4 && steps == at_once {
        (at_once * 2).min(blame::KEEP_EVERY)
    } else if time > SERIES_TIME {
        (at_once / 2).max(1)
    } else {
        at_once
    }
}

pub(super) struct Driver<'a> {
    action: usize,
    train: &'a Train,
    steps: u64,
    /// So many steps are an epoch for whoever watches.
    period: u64,
    order: Order,
    pub batches: Batches<'a>,
    pub validation: Option<(Batches<'a>, Rows)>,
    pub progress: Progress,
    /// What the last series gave, if others have carried it out.
    given: Option<Results>,
    /// The rows of the last series.
    taken: Vec<u32>,
    /// Tensors and step of a moment when all was well, to find out later what went bad.
    safe: Option<blame::Safe>,
    /// Whether the session was left at a safe moment.
    is_back: bool,
    /// The step that it began with, and the last one after which all parameters and states were good.
    first: u64,
    watched: u64,
    /// Whether it was told that scores are no numbers.
    has_warned: bool,
    /// How many steps are taken in one call at most.
    at_once: u64,
    /// Seconds that the steps of the epoch so far took, and how many rows they saw.
    epoch_seconds: f64,
    epoch_rows: usize,
    /// Seconds that all steps and validations took.
    seconds: f64,
}

/// Steps that were taken in one call.
struct Taken {
    before: u64,
    steps: u64,
    /// Rows of each.
    size: usize,
    seconds: f64,
    /// The losses of the step behind these, if they are not all finite.
    bad: Option<Vec<f64>>,
}

impl<'a> Driver<'a> {
    pub fn new(
        action: usize,
        train: &'a Train,
        steps: u64,
        order: Order,
        batches: Batches<'a>,
        validation: Option<(Batches<'a>, Rows)>,
        progress: Progress,
    ) -> Driver<'a> {
        Driver {
            action,
            train,
            steps,
            period: train.validate_every.unwrap_or(order.steps_per_epoch()),
            order,
            batches,
            validation,
            first: progress.step,
            watched: progress.step,
            has_warned: false,
            progress,
            given: None,
            taken: Vec::new(),
            safe: None,
            is_back: false,
            at_once: 1,
            epoch_seconds: 0.0,
            epoch_rows: 0,
            seconds: 0.0,
        }
    }

    pub fn run(&mut self, session: &mut Session, observer: &mut dyn Observer) -> Result<Trained, Diagnostic> {
        let before = session.exchanges();
        let reason = self.all_steps(session, observer).inspect_err(|_| self.go_back(session))?;
        let exchanges = session.exchanges().zip(before).map(|(after, before)| after.since(before));
        Ok(Trained { exchanges, ..self.ended(session, reason) })
    }

    /// Takes steps until the training ends.
    fn all_steps(&mut self, session: &mut Session, observer: &mut dyn Observer) -> Result<Reason, Diagnostic> {
        loop {
            if self.progress.step >= self.steps {
                return Ok(Reason::Finished);
            }
            if self.train.patience.is_some_and(|patience| self.progress.waited >= patience) {
                return Ok(Reason::Patience);
            }
            self.keep_safe(session)?;
            let taken = self.series(session, observer)?;
            let stopped = session.any(observer.stop())?;
            self.look(session, &taken, stopped, observer)?;
            if let Some(losses) = taken.bad {
                return Err(self.blame(session, &losses));
            }
            self.show(session, observer)?;
            observer.event(&Event::Progress { step: self.progress.step, steps: self.steps });
            if stopped || self.progress.step >= self.steps || session.agreed(session.is_save_due().into())? != 0 {
                self.watch(session)?;
            }
            session.keep_up(&self.progress, observer);
            if stopped && self.progress.step < self.steps {
                return Ok(Reason::Stopped);
            }
        }
    }

    /// After an error in the midst of a step or of what follows it: leaves the session at the last moment when all was
    /// whole. What is saved already is not followed by what was before it.
    fn go_back(&mut self, session: &mut Session) {
        if self.is_back || session.damaged {
            return;
        }
        let is_new = |safe: &blame::Safe| {
            safe.step() > self.first && session.saved_step(self.action).is_none_or(|step| step <= safe.step())
        };
        match self.safe.take().filter(is_new) {
            Some(safe) => {
                safe.restore(session);
                self.progress = safe.progress;
            }
            None => session.damaged = true,
        }
    }

    /// Takes the best parameters, if they are to be kept, and says how the training came out.
    fn ended(&mut self, session: &mut Session, reason: Reason) -> Trained {
        let kept = self.take_best(session);
        let (last, validation) = self.progress.last.clone();
        Trained {
            steps: self.progress.step,
            epochs: self.progress.step.div_ceil(self.order.steps_per_epoch()),
            last,
            validation,
            seconds: self.seconds,
            reason,
            kept,
            exchanges: None,
        }
    }

    /// Puts the parameters of the best epoch in place of the last ones, if they are to be kept. Gives the epoch.
    fn take_best(&mut self, session: &mut Session) -> Option<u64> {
        let kept = self.progress.kept.as_ref()?;
        self.progress.left = values(session);
        for (path, value) in &kept.values {
            if let Some(cell) = session.memory.find(path) {
                session.memory.set(cell, Arc::clone(value));
            }
        }
        Some(kept.epoch)
    }

    /// Takes steps of one batch size.
    fn series(&mut self, session: &mut Session, observer: &dyn Observer) -> Result<Taken, Diagnostic> {
        let first = self.progress.step;
        let (size, left) = self.ahead(first, self.is_watched())?;
        let left = left.min(self.to_next_interval(first));
        let batch = self.batches.of_size(session, size)?;
        // Code for a smaller last batch is made when it comes; that is no part of the training.
        let begun = session.now();
        let wished = observer.steps_at_once().unwrap_or(u64::MAX).max(1);
        let steps = left.min(self.at_once).min(batch.steps_at_once()).min(wished);
        // How long a step takes is not the same for all ranks.
        let steps = session.agreed(steps)?;
        self.order.take(first, steps, &mut self.taken);
        let batch = self.batches.of_size(session, size)?;
        let moment = Moment { seed: self.train.seed, step: first as u32 + 1 };
        let taken = batch.run(session, &self.taken, self.order.before(first), moment, true)?;
        let good = taken.steps - usize::from(!taken.finite);
        let bad = (!taken.finite).then(|| batch.results.losses(good));
        self.progress.step += good as u64;
        // Long enough that calls cost nothing, short enough that somebody who watches sees progress.
        let time = session.now().saturating_sub(begun);
        self.at_once = steps_of_next_series(self.at_once, steps, time);
        Ok(Taken { before: first, steps: good as u64, size, seconds: time.as_secs_f64(), bad })
    }

    /// The rows of the next step, and how many steps are like it before the training ends or, if it is watched,
    /// something happens.
    ///
    /// # Errors
    /// E0614 if no step has a number any more.
    fn ahead(&self, first: u64, is_watched: bool) -> Result<(usize, u64), TrainError> {
        let (size, left) = self.order.equal_steps(first);
        let left = if is_watched || !self.order.has_one_size() { left } else { u64::MAX };
        let left = if is_watched { left.min(self.period - first % self.period) } else { left };
        match (MAX_STEP as u64).saturating_sub(first) {
            0 => Err(TrainError::Steps { most: MAX_STEP, at: self.train.span }),
            to_come => Ok((size, left.min(self.steps - first).min(to_come))),
        }
    }

    /// Whether something happens at the end of each epoch that needs its parameters or all of its results.
    fn is_watched(&self) -> bool {
        self.validation.is_some()
            || self.train.patience.is_some()
            || self.train.keep_best
            || self.train.plateau.is_some()
            || self.train.metrics.iter().any(|metric| metric.whole.is_some())
    }

    /// Tells about the steps and epochs of a series.
    fn look(
        &mut self,
        session: &mut Session,
        taken: &Taken,
        stopped: bool,
        observer: &mut dyn Observer,
    ) -> Result<(), Diagnostic> {
        let every = observer.every();
        let per_epoch = self.period;
        let end = taken.before + taken.steps;
        let step_seconds = taken.seconds / taken.steps.max(1) as f64;
        let mut at = taken.before;
        self.seconds += taken.seconds;
        while at < end {
            let to = ((at / per_epoch + 1) * per_epoch).min(end);
            let steps = (at - taken.before) as usize..(to - taken.before) as usize;
            let results = match &self.given {
                Some(given) => given,
                None => &self.batches.of_size(session, taken.size)?.results,
            };
            if let Some(every) = every {
                for number in steps.clone() {
                    let step = taken.before + number as u64 + 1;
                    if step.is_multiple_of(every.max(1)) {
                        observer.event(&Event::Step(&StepReport { step, losses: results.losses(number) }));
                    }
                }
            }
            self.epoch_seconds += step_seconds * steps.len() as f64;
            self.epoch_rows += steps.len() * taken.size;
            self.progress.averages.add(results, steps);
            let complete = to.is_multiple_of(per_epoch);
            let ended = to == end && (stopped || end == self.steps);
            if complete || ended {
                let report = self.epoch(session, to)?;
                observer.event(&Event::Epoch(&report));
                if report.validation.is_some() {
                    session.note_validation(self.action, report.epoch, self.judge(&report));
                }
                self.watch_scores(session, &report, observer)?;
                // Whoever breaks a training off must not keep a whole epoch from being counted.
                if complete {
                    self.count_epoch(session, &report);
                }
                self.progress.last = (report.train, report.validation);
            }
            at = to;
        }
        Ok(())
    }

    /// What the epoch gave up to `step`, and validation.
    fn epoch(&mut self, session: &mut Session, step: u64) -> Result<EpochReport, Diagnostic> {
        let per_epoch = self.period;
        // An epoch that was broken off may be gone on with.
        let mut averages = if step.is_multiple_of(per_epoch) {
            std::mem::take(&mut self.progress.averages)
        } else {
            Averages::clone(&self.progress.averages)
        };
        let train = averages.finish(session, self.train, self.action)?;
        let validation = match &mut self.validation {
            Some((batches, rows)) => {
                let begun = session.now();
                let scores = evaluate(session, batches, rows, (self.train, self.action), step)?;
                self.seconds += session.now().saturating_sub(begun).as_secs_f64();
                Some(scores)
            }
            None => None,
        };
        let seconds = std::mem::take(&mut self.epoch_seconds);
        let rows = std::mem::take(&mut self.epoch_rows);
        Ok(EpochReport {
            epoch: step.div_ceil(per_epoch),
            every: self.train.validate_every,
            epochs: self.steps.div_ceil(per_epoch),
            step,
            steps: self.steps,
            train,
            validation,
            seconds,
            examples_per_second: rows as f64 / seconds.max(1e-9),
        })
    }

    /// What is less for better epochs; no number if there is no such metric.
    fn judge(&self, report: &EpochReport) -> f64 {
        let scores = report.validation.as_ref().unwrap_or(&report.train);
        let judged = &self.train.judged;
        let score = match &judged.by {
            None => scores.loss(),
            Some(by) => {
                scores.metrics.iter().find(|(name, _)| name == by).map_or(f64::NAN, |(_, value)| *value)
            }
        };
        if judged.greatest { -score } else { score }
    }

    /// Counts an epoch for `stop = patience(n)`, `keep = best` and `plateau = patience(n)`.
    fn count_epoch(&mut self, session: &mut Session, report: &EpochReport) {
        if self.train.patience.is_none() && !self.train.keep_best && self.train.plateau.is_none() {
            return;
        }
        let watched = self.judge(report);
        if watched < self.progress.best {
            (self.progress.best, self.progress.waited, self.progress.stalled) = (watched, 0, 0);
            if self.train.keep_best {
                self.progress.kept = Some(Kept { epoch: report.epoch, values: values(session) });
            }
        } else {
            self.progress.waited += 1;
            self.progress.stalled += 1;
        }
        if self.train.plateau.is_some_and(|plateau| self.progress.stalled >= plateau) {
            self.progress.stalled = 0;
            count_plateau(session);
        }
    }

    /// Remembers the tensors every so many steps, if they are good.
    fn keep_safe(&mut self, session: &mut Session) -> Result<(), Diagnostic> {
        if self.progress.step >= self.watched + blame::KEEP_EVERY || self.progress.step == self.first {
            self.watch(session)?;
            self.safe = blame::Safe::keep(session, self.train, &self.progress);
        }
        Ok(())
    }

    /// Looks at all parameters and states.
    fn watch(&mut self, session: &mut Session) -> Result<(), Diagnostic> {
        if let Some(bad) = blame::bad_variable(session, self.train) {
            return Err(self.blame_variable(session, &bad));
        }
        self.watched = self.progress.step;
        Ok(())
    }

    /// Looks at what an epoch gave; bad scores may come from bad parameters.
    fn watch_scores(
        &mut self,
        session: &mut Session,
        report: &EpochReport,
        observer: &mut dyn Observer,
    ) -> Result<(), Diagnostic> {
        let found = watch::bad_score(self.train, &report.train, report.validation.as_ref());
        let Some((score, at)) = found.filter(|_| !self.has_warned) else { return Ok(()) };
        self.has_warned = true;
        self.watch(session)?;
        let cause = match (&mut self.validation, &report.validation) {
            (Some((batches, rows)), Some(_)) => {
                watch::first_bad_of_validation(session, self.train, batches, rows)
            }
            _ => None,
        };
        let warning = TrainWarning::BadScores { epoch: report.epoch, score, at, cause };
        observer.event(&Event::Warning(&warning.diagnostic()));
        Ok(())
    }

    /// Goes back to the last safe moment and repeats the steps until a parameter or state is bad; then as
    /// [`Driver::blame`].
    fn blame_variable(&mut self, session: &mut Session, bad: &blame::Bad) -> Diagnostic {
        let Some(safe) = self.safe.take() else {
            // Nothing was learnt by this training, or there is nothing to go back to.
            session.damaged = true;
            return blame::variable_error(self.train, bad, None).into();
        };
        let end = self.progress.step;
        safe.restore(session);
        let found = (safe.step()..end).find_map(|step| {
            self.repeat(session, step)?;
            Some((step, blame::bad_variable(session, self.train)?))
        });
        safe.restore(session);
        let (step, error) = match found {
            Some((step, bad)) => (step, blame::variable_error(self.train, &bad, Some(step))),
            None => (end, blame::variable_error(self.train, bad, None)),
        };
        let note = self.first_bad(session, safe.step(), step);
        safe.restore(session);
        (self.progress, self.is_back) = (safe.progress, true);
        note.into_iter().fold(error.into(), Diagnostic::note)
    }

    /// Takes one step again.
    fn repeat(&mut self, session: &mut Session, step: u64) -> Option<()> {
        self.order.take(step, 1, &mut self.taken);
        let batch = self.batches.of_size(session, self.taken.len()).ok()?;
        let moment = Moment { seed: self.train.seed, step: step as u32 + 1 };
        batch.run(session, &self.taken, self.order.before(step), moment, false).ok().map(drop)
    }

    /// Goes back to the last safe moment, repeats the steps up to the bad one and looks into that. The session
    /// is left at the safe moment, if there is one.
    fn blame(&mut self, session: &mut Session, losses: &[f64]) -> Diagnostic {
        let bad_step = self.progress.step;
        let line = losses.iter().position(|loss| !loss.is_finite()).unwrap_or(0);
        let error = blame::loss_error(self.train, bad_step, line, losses[line]);
        let Some(safe) = self.safe.take() else {
            session.damaged = true;
            return error.into();
        };
        safe.restore(session);
        let note = self.first_bad(session, safe.step(), bad_step);
        safe.restore(session);
        (self.progress, self.is_back) = (safe.progress, true);
        note.into_iter().fold(error.into(), Diagnostic::note)
    }

    fn first_bad(&mut self, session: &mut Session, safe_step: u64, bad_step: u64) -> Option<String> {
        for step in safe_step..bad_step {
            self.repeat(session, step)?;
        }
        self.order.take(bad_step, 1, &mut self.taken);
        let place = (self.order.before(bad_step), self.taken.len());
        let graph = &self.train.step.graph;
        let Batches { table, sizes, companions, .. } = &mut self.batches;
        let drawn = companions::inputs(session, companions, graph, sizes, place).ok()?;
        let looked = blame::Looked { graph, table, rows: &self.taken, drawn, sizes, step: Some(bad_step) };
        blame::first_bad(session, self.train, looked)
    }
}

/// Schedules see one plateau more from the next step on.
fn count_plateau(session: &mut Session) {
    if let Some(cell) = session.memory.find(PLATEAUS) {
        let plateaus = session.memory.shared(cell).number(0) + 1.0;
        let elements = match session.memory.precision {
            Precision::F32 => Elements::F32(vec![plateaus as f32]),
            Precision::F64 => Elements::F64(vec![plateaus]),
        };
        session.memory.set(cell, Array::of_view(&[], elements));
    }
}

/// All parameters and states.
fn values(session: &Session) -> Values {
    let checked = session.program.checked();
    let all = checked.params.iter().chain(&checked.states);
    let found = all.filter_map(|variable| Some((variable.path.clone(), session.memory.find(&variable.path)?)));
    found.map(|(path, cell)| (path, session.memory.shared(cell))).collect()
}
