//! What a session says while it works. The terminal, files and clocks are the listener's business.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::sync::Arc;

use super::array::{Elements, Tensor};
use crate::base::Diagnostic;
use crate::ir::program::PlotKind;

/// Listens to a session. Only [`Observer::event`] must be there.
///
/// ```
/// use nnc::{Event, Observer};
///
/// /// Stops as soon as an epoch is good enough.
/// struct GoodEnough {
///     reached: bool,
/// }
///
/// impl Observer for GoodEnough {
///     fn event(&mut self, event: &Event<'_>) {
///         if let Event::Epoch(report) = event {
///             self.reached = report.train.loss() < 0.1;
///         }
///     }
///     fn stop(&mut self) -> bool {
///         self.reached
///     }
/// }
/// ```
pub trait Observer {
    /// Something has happened.
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
#[derive(Clone, Copy, Default, Debug)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}

/// What a session says. There will be more kinds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A `train` begins.
    Start(&'a Start),
    /// After a few steps: so many are taken.
    Progress {
        /// Steps so far.
        step: u64,
        /// Steps that there will be at most.
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
    /// A `plot`.
    Plot(&'a Chart),
    /// Something that is probably not meant.
    Warning(&'a Diagnostic),
}

/// How a `train` begins.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Start {
    /// Numbers in all trained parameters together.
    pub parameters: u64,
    /// Rows to learn from.
    pub rows: usize,
    /// Rows of one step.
    pub batch: usize,
    /// Steps in which all rows are seen once.
    pub steps_per_epoch: u64,
    /// Steps that there will be at most.
    pub steps: u64,
    /// Seconds from the beginning of the compilation to this event.
    pub compile_seconds: f64,
}

/// One step of a training.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct StepReport {
    /// From 1.
    pub step: u64,
    /// The loss of each `minimize` line before the step's update.
    pub losses: Vec<f64>,
}

/// Averages over rows.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Scores {
    /// One for each `minimize` line.
    pub losses: Vec<f64>,
    /// By name, in the order of the program.
    pub metrics: Vec<(Arc<str>, f64)>,
}

/// One time through all rows.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct EpochReport {
    /// From 1.
    pub epoch: u64,
    /// The steps that count as an epoch, if the program says so and they are not all rows once.
    pub every: Option<u64>,
    /// How many there will be at most.
    pub epochs: u64,
    /// Steps so far.
    pub step: u64,
    /// Steps that there will be at most.
    pub steps: u64,
    /// Averages over the rows that were learnt from, as they were seen.
    pub train: Scores,
    /// Averages over the rows of `validate`.
    pub validation: Option<Scores>,
    /// Seconds that the steps took.
    pub seconds: f64,
    /// Rows learnt from in a second.
    pub examples_per_second: f64,
}

/// How a `train` ended.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Trained {
    /// Steps that were taken.
    pub steps: u64,
    /// Epochs that were begun.
    pub epochs: u64,
    /// Averages over the last epoch.
    pub last: Scores,
    /// Those of the last validation.
    pub validation: Option<Scores>,
    /// Seconds that steps and validation took, without what listeners do.
    pub seconds: f64,
    /// Why it ended.
    pub reason: Reason,
    /// The epoch whose parameters are there now, if not the last one's.
    pub kept: Option<u64>,
    /// What the processes that share the training have exchanged, if there are several.
    pub exchanges: Option<Exchanges>,
}

/// What processes that share a training exchange, as one of them has seen it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Exchanges {
    /// How many processes there are.
    pub ranks: usize,
    /// Seconds in which it had nothing to do but to wait for the others.
    pub waited: f64,
    /// Seconds that exchanges took, also those beside the computation.
    pub took: f64,
    /// Bytes that it sent.
    pub sent: u64,
}

impl Exchanges {
    /// What was exchanged since a moment before.
    pub(crate) fn since(self, before: Exchanges) -> Exchanges {
        let (waited, took) = (self.waited - before.waited, self.took - before.took);
        Exchanges { waited, took, sent: self.sent - before.sent, ..self }
    }
}

/// Why a `train` ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// All steps were taken.
    Finished,
    /// `stop = patience(n)`.
    Patience,
    /// The observer asked for it.
    Stopped,
}

impl Reason {
    /// The reason in one word: `finished`, `patience`, `stopped`.
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
#[non_exhaustive]
pub struct Chart {
    /// What it is called.
    pub title: String,
    /// What it is made of.
    pub kind: PlotKind,
    /// What stands along the axes.
    pub x_label: String,
    /// What stands along the axis that goes up.
    pub y_label: String,
    /// The names of the curves, if the program gives them.
    pub names: Vec<String>,
    /// The names of bars, images, classes, or rows and columns.
    pub labels: Vec<String>,
    /// Into how many parts a histogram divides its numbers.
    pub bins: Option<usize>,
    /// The outputs of the plot by name: `x`, `y0`, ….
    pub columns: Vec<(Arc<str>, Tensor)>,
    /// The names of the series: of the tensors behind the first.
    pub series: Vec<String>,
}

impl Chart {
    /// Named curves over one axis.
    pub fn curves(title: &str, x: &[f64], series: &[(String, Vec<f64>)]) -> Chart {
        let array = |values: &[f64]| {
            let elements = Elements::F64(values.to_vec());
            Tensor::new(vec![values.len()], elements).expect("as many numbers as there are")
        };
        let mut columns = vec![("x".into(), array(x))];
        columns.extend(series.iter().enumerate().map(|(at, (_, y))| (format!("y{at}").into(), array(y))));
        let names: Vec<String> = series.iter().map(|(name, _)| name.clone()).collect();
        let (title, kind) = (title.to_owned(), PlotKind::Curves);
        let (x_label, y_label, labels) = (String::new(), String::new(), Vec::new());
        Chart { title, kind, x_label, y_label, names: names.clone(), labels, bins: None, columns, series: names }
    }

    /// An output of the plot.
    pub fn column(&self, name: &str) -> Option<&Tensor> {
        self.columns.iter().find(|(column, _)| &**column == name).map(|(_, array)| array)
    }
}

impl Scores {
    /// All losses together: what `patience` watches.
    pub fn loss(&self) -> f64 {
        self.losses.iter().sum()
    }
}
