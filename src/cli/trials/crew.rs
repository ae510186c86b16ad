//! Carries out trials, several at a time, each with one thread: what a trial gives does not depend on the others.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use crate::cli::reported;
use crate::cli::runs::metrics;
use crate::cli::runs::record::Folder;
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::session::Session;
use crate::runtime::together::Own as Given;

/// The numbers of an epoch by name.
pub type Scores = Vec<(String, f64)>;

/// How a trial came out: the numbers of each epoch.
#[derive(Clone, Default, Debug)]
pub struct Outcome {
    pub epochs: Vec<Scores>,
}

impl Outcome {
    /// The numbers after the last epoch.
    pub fn last(&self) -> Option<&Scores> {
        self.epochs.last()
    }

    /// The number and the numbers of the epoch with the least loss of the validation, or of the last without one:
    /// that of the parameters which the folder of a run keeps as the best.
    pub fn kept(&self) -> Option<(usize, &Scores)> {
        let loss = |scores: &Scores| value(scores, "validation loss");
        let mut best = self.epochs.len().checked_sub(1)?;
        if loss(&self.epochs[best]).is_some() {
            for (at, scores) in self.epochs.iter().enumerate() {
                let is_less = match (loss(scores), loss(&self.epochs[best])) {
                    (Some(new), Some(old)) => new < old || new == old && at < best || old.is_nan() && !new.is_nan(),
                    _ => false,
                };
                if is_less {
                    best = at;
                }
            }
        }
        Some((best + 1, &self.epochs[best]))
    }
}

/// Whether trials are to be broken off: nobody will ask for their results.
pub static BROKEN_OFF: AtomicBool = AtomicBool::new(false);

/// Why a trial has no outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The code of the first error.
    pub code: String,
    pub messages: Vec<String>,
    /// What is shown of it.
    pub shown: String,
}

impl From<Diagnostics> for Failed {
    fn from(diagnostics: Diagnostics) -> Failed {
        let code = diagnostics.iter().find(|error| error.is_error()).map_or("failed", |error| error.code).to_owned();
        let messages = diagnostics.iter().map(|error| error.message.clone()).collect();
        Failed { code, messages, shown: reported(&diagnostics) }
    }
}

/// A number by name.
pub fn value(scores: &Scores, name: &str) -> Option<f64> {
    scores.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
}

/// Collects the numbers of the first training.
#[derive(Default)]
struct Collector {
    trainings: usize,
    outcome: Outcome,
}

impl Observer for Collector {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(_) => self.trainings += 1,
            Event::Epoch(report) if self.trainings == 1 => self.outcome.epochs.push(metrics::values(report)),
            _ => {}
        }
    }
}

/// Shares a collector with the listener of a folder.
struct Shared(Arc<Mutex<Collector>>);

impl Observer for Shared {
    fn event(&mut self, event: &Event<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).event(event);
    }

    fn stop(&mut self) -> bool {
        BROKEN_OFF.load(Ordering::Relaxed)
    }
}

/// Who hears of the numbers of a trial.
pub struct Watched(Arc<Mutex<Collector>>);

impl Watched {
    /// An observer that notes them, in the folder of the trial as well.
    pub fn observer(&self, folder: Option<&Folder>) -> Box<dyn Observer> {
        let observer: Box<dyn Observer> = Box::new(Shared(Arc::clone(&self.0)));
        match folder {
            Some(folder) => Box::new(folder.listener(observer)),
            None => observer,
        }
    }
}

/// A session for a trial, which keeps what is learnt in a folder if there is one.
///
/// # Errors
/// Those of the program.
pub fn prepared(program: &Program, folder: Option<&Folder>) -> Result<(Session, Watched), Diagnostics> {
    let mut session = program.session()?;
    session.set_threads(1);
    if let Some(folder) = folder {
        session.save_to(folder.last());
        session.save_best_to(folder.best())?;
    }
    Ok((session, Watched(Arc::default())))
}

/// Closes the folder of a trial that has ended, and gives its numbers.
///
/// # Errors
/// Those that it ended with, and of writing what was learnt.
pub fn finished(
    session: &mut Session,
    ended: Result<(), Diagnostics>,
    watched: &Watched,
    folder: Option<&Folder>,
) -> Result<Outcome, Diagnostics> {
    if let Some(folder) = folder {
        if ended.is_ok() && !session.is_saved() {
            session.save(folder.last())?;
        }
        folder.finish(match &ended {
            Err(_) => "failed",
            Ok(()) if BROKEN_OFF.load(Ordering::Relaxed) => "interrupted",
            Ok(()) => "finished",
        });
    }
    ended?;
    let collector = watched.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(collector.outcome.clone())
}

/// Carries out one trial, and keeps it in a folder if there is one; with a step that it has in common with others.
///
/// # Errors
/// Those of the program.
pub fn carry_out(
    program: &Program,
    folder: Option<&Folder>,
    step: Option<Arc<Given>>,
) -> Result<Outcome, Diagnostics> {
    let (mut session, watched) = prepared(program, folder)?;
    if let Some(step) = step {
        session.train_by(step);
    }
    let ended = session.run(&mut *watched.observer(folder));
    finished(&mut session, ended, &watched, folder)
}

/// Carries out trials by number, `at_once` at a time, and hands each result on as soon as it is there.
pub fn each<T: Send>(
    count: usize,
    at_once: usize,
    trial: impl Fn(usize) -> T + Sync,
    mut done: impl FnMut(usize, T),
) {
    let waiting = Mutex::new((0..count).collect::<VecDeque<usize>>());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..at_once.clamp(1, count.max(1)) {
            let sender = sender.clone();
            let (next, trial) = (&next, &trial);
            scope.spawn(move || {
                while let Some(number) = next() {
                    if sender.send((number, trial(number))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        receiver.into_iter().for_each(|(number, result)| done(number, result));
    });
}

/// How many trials are carried out at a time, if nobody says it.
pub fn usual() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
