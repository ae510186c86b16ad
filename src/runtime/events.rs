//! What a session says while it works. The terminal, files and clocks are the listener's business.

use std::sync::Arc;

use super::array::Array;
use crate::base::Diagnostic;

/// Listens to a session. Everything is optional.
pub trait Observer {
    fn event(&mut self, event: &Event<'_>);

    /// After how many steps each a [`Event::Step`] is wanted; none by default.
    fn every(&self) -> Option<u64> {
        None
    }

    /// Asked between steps: whether training is to stop here, as if this were its last step.
    fn stop(&mut self) -> bool {
        false
    }

    /// How many steps may be taken at most before [`Observer::stop`] is asked again; by default as many as take
    /// a twentieth of a second.
    fn steps_at_once(&self) -> Option<u64> {
        None
    }

    /// Asked after each action of the program: whether what follows it is to be left out.
    fn leave(&mut self) -> bool {
        false
    }
}

/// Listens to nothing.
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}

#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A `train` begins.
    Start(&'a Start),
    /// After a few steps: so many are taken.
    Progress {
        step: u64,
        steps: u64,
    },
    /// After a step, every so many steps.
    Step(&'a StepReport),
    /// The rows were all seen once more, or the last step was taken.
    Epoch(&'a EpochReport),
    /// A `train` ended.
    End(&'a Trained),
    /// A `train` is over, and what it learnt is in its file, if one was wished for: from here on nothing is
    /// lost if the process ends.
    Kept,
    /// A `print`: its text, without a line end.
    Print(&'a str),
    Plot(&'a Chart),
    Warning(&'a Diagnostic),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    /// Numbers in all trained parameters together.
    pub parameters: u64,
    pub rows: usize,
    pub batch: usize,
    pub steps_per_epoch: u64,
    pub steps: u64,
    /// From the beginning of the compilation to here.
    pub compile_seconds: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct StepReport {
    /// From 1.
    pub step: u64,
    /// The loss of each `minimize` line before the step's update.
    pub losses: Vec<f64>,
}

/// Averages over rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scores {
    /// One for each `minimize` line.
    pub losses: Vec<f64>,
    pub metrics: Vec<(Arc<str>, f64)>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct EpochReport {
    /// From 1.
    pub epoch: u64,
    /// How many there will be at most.
    pub epochs: u64,
    /// Steps so far.
    pub step: u64,
    pub steps: u64,
    pub train: Scores,
    pub validation: Option<Scores>,
    pub seconds: f64,
    pub examples_per_second: f64,
}

/// How a `train` ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Trained {
    pub steps: u64,
    pub epochs: u64,
    pub last: Scores,
    pub validation: Option<Scores>,
    /// That steps and validation took; what listeners do is not counted.
    pub seconds: f64,
    pub reason: Reason,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// All steps were taken.
    Finished,
    /// `stop = patience(n)`.
    Patience,
    /// The observer asked for it.
    Stopped,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Finished => "finished",
            Reason::Patience => "patience",
            Reason::Stopped => "stopped",
        }
    }
}

/// What a `plot` shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    pub title: String,
    /// The outputs of the plot by name: `x`, `y0`, ….
    pub columns: Vec<(Arc<str>, Array)>,
    pub series: Vec<String>,
}

impl Scores {
    /// All losses together: what `patience` watches.
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum()
    }
}
