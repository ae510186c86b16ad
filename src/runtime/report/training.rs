//! What can go wrong in a training, what is told of its settings, and why it cannot go on from a checkpoint.

use std::sync::Arc;

use super::{Problem, counted};
use crate::base::{Diagnostic, Severity, Span};

/// What ends a training.
#[derive(Clone, Debug)]
pub enum TrainError {
    /// A parameter or state became NaN or infinite; in which step, counted from 0, if that is known.
    BadVariable {
        name: Arc<str>,
        element: usize,
        value: f64,
        step: Option<u64>,
        at: Span,
    },
    /// A loss became NaN or infinite in a step, counted from 0.
    BadLoss {
        step: u64,
        loss: f64,
        at: Span,
    },
    /// More steps than have numbers.
    Steps {
        most: i64,
        at: Span,
    },
}

impl Problem for TrainError {
    fn diagnostic(&self) -> Diagnostic {
        let what = |value: &f64| if value.is_nan() { "not a number" } else { "infinite" };
        let help = "a smaller learning rate, `clip_norm = 1`, or inputs of mean 0 and deviation 1 often help";
        match self {
            TrainError::BadVariable { name, element, value, step, at } => {
                let when = step.map_or(String::new(), |step| format!(" in step {}", step + 1));
                Diagnostic::error("E0723", format!("`{name}` became {}{when}", what(value)))
                    .note(format!("element {element} is {value}"))
                    .at(*at, "the loss does not show it")
                    .help(help)
            }
            TrainError::BadLoss { step, loss, at } => {
                let message = format!("the loss became {} in step {}", what(loss), step + 1);
                Diagnostic::error("E0723", message).at(*at, format!("this loss is {loss}")).help(help)
            }
            TrainError::Steps { most, at } => {
                Diagnostic::error("E0614", format!("this training goes beyond {most} steps"))
                    .at(*at, "at most 2^30 are possible")
            }
        }
    }
}

/// What is told of a training that goes on.
#[derive(Clone, Debug)]
pub enum TrainWarning {
    /// A batch is larger than the data.
    LargeBatch { batch: usize, data: String, rows: usize, taken: usize, at: Span },
    /// `stop` or `plateau` waits for longer than the training lasts.
    IdlePatience { setting: &'static str, patience: usize, epochs: u64, at: Span },
    /// The last steps, or all, are too few to change parameters, which change after every so many.
    IdleSteps { steps: u64, every: u64, at: Span },
    /// An interval is longer than the training.
    IdleInterval { steps: u64, every: u64, at: Span },
    /// Rows of a field have values that are no numbers; the first of them.
    BadValues { field: Arc<str>, set: Arc<str>, rows: usize, first: (usize, f64), at: Span },
    /// Scores of an epoch are no numbers; what the first of them comes from, as far as it was found.
    BadScores { epoch: u64, score: BadScore, at: Span, cause: Option<String> },
    /// A value of the data is not as a body advises; the fields of its row that are short enough to be shown.
    Advice { message: String, set: Arc<str>, row: usize, fields: Vec<(Arc<str>, String)>, at: Span },
}

/// A score that is no number.
#[derive(Clone, Debug)]
pub enum BadScore {
    ValidationLoss(f64),
    ValidationMetric(Arc<str>),
    Metric(Arc<str>),
}

impl Problem for TrainWarning {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            TrainWarning::LargeBatch { batch, data, rows, taken, at } => {
                Diagnostic::warning("W0614", format!("`batch` is {batch}, but `{data}` has {rows} rows"))
                    .at(*at, format!("batches have {taken} rows"))
            }
            TrainWarning::IdlePatience { setting, patience, epochs, at } => {
                let message =
                    format!("`{setting}` has no effect: it waits for {patience} epochs without a better loss");
                let epochs = counted(*epochs as usize, "epoch");
                Diagnostic::warning("W0609", message)
                    .at(*at, format!("this trains for {epochs}"))
                    .help(format!("train for longer, or leave `{setting}` out"))
            }
            TrainWarning::IdleSteps { steps, every, at } => idle_steps(*steps, *every, *at),
            TrainWarning::IdleInterval { steps, every, at } => {
                let message =
                    format!("nothing is shown: the training takes {steps} steps, and this is after {every}");
                Diagnostic::warning("W0881", message).at(*at, "longer than the training")
            }
            TrainWarning::BadValues { field, set, rows, first: (row, value), at } => {
                let rows = if *rows == 1 { "1 row has".to_owned() } else { format!("{rows} rows have") };
                let message = format!("`{field}` of `{set}` has values that are no numbers");
                Diagnostic::warning("W0736", message)
                    .at(*at, "this training uses it")
                    .note(format!("{rows} some; row {row} has {value}"))
            }
            TrainWarning::BadScores { epoch, score, at, cause } => {
                let what = match score {
                    BadScore::ValidationLoss(loss) => format!("the validation's loss is {loss}"),
                    BadScore::ValidationMetric(name) => {
                        format!("the validation's metric `{name}` is not a number")
                    }
                    BadScore::Metric(name) => format!("the metric `{name}` is not a number"),
                };
                let warning = Diagnostic::warning("W0735", format!("{what} in epoch {epoch}"))
                    .at(*at, "")
                    .note("training goes on; this is told once");
                cause.iter().fold(warning, |warning, cause| warning.note(cause.as_str()))
            }
            TrainWarning::Advice { message, set, row, fields, at } => {
                let said: Vec<String> =
                    fields.iter().map(|(name, value)| format!("`{name}` is {value}")).collect();
                let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
                Diagnostic::warning("W0690", message.clone())
                    .at(*at, format!("asked of the values of `{set}`"))
                    .note(format!("row {row} is the first that is otherwise{said}"))
            }
        }
    }
}

fn idle_steps(steps: u64, every: u64, at: Span) -> Diagnostic {
    let left = steps % every;
    let (message, help) = if steps < every {
        let message = format!("no parameter changes: they do after every {every} steps");
        (message, format!("train for {every} steps or more: each is a batch"))
    } else {
        let plural = if left == 1 { "step changes" } else { "steps change" };
        let message = format!("the last {left} {plural} nothing: parameters change after every {every} steps");
        (message, format!("train for {} steps", steps - left))
    };
    let trained = counted(steps as usize, "step");
    Diagnostic::warning("W0890", message).at(at, format!("this trains for {trained}")).help(help)
}

/// Why a training cannot go on from a checkpoint.
#[derive(Clone, Debug)]
pub enum ResumeError {
    NoTraining { file: String },
    /// What the file says of the training cannot be read.
    Unreadable { file: String },
    /// The program has no `train` in that place.
    NoTrain { file: String },
    /// What the file has of an unfinished epoch is of another training.
    OtherEpoch { at: Span },
    /// What was learnt from data cannot be read.
    Damaged { file: String, metadata: &'static str },
    /// The file was saved by another training, which differs so; whether that is a warning only.
    OtherTraining { file: String, differences: Vec<String>, is_allowed: bool },
}

const ANEW: &str = "`--init` starts anew from the parameters of any safetensors file";

impl Problem for ResumeError {
    fn diagnostic(&self) -> Diagnostic {
        let wrong = |file: &str, what: &str| {
            Diagnostic::error("E0730", format!("cannot go on from `{file}`: {what}")).help(ANEW)
        };
        match self {
            ResumeError::NoTraining { file } => wrong(file, "it has no training in it"),
            ResumeError::Unreadable { file } => wrong(file, "what it says about the training cannot be read"),
            ResumeError::NoTrain { file } => wrong(file, "the program has no `train` in that place"),
            ResumeError::OtherEpoch { at } => {
                let message = "what the checkpoint has of the unfinished epoch is of another training";
                Diagnostic::error("E0730", message).at(*at, "")
            }
            ResumeError::Damaged { file, metadata } => {
                Diagnostic::error("E0730", format!("the metadata `{metadata}` of `{file}` is damaged"))
            }
            ResumeError::OtherTraining { file, differences, is_allowed } => {
                let error = Diagnostic::error("E0733", format!("`{file}` was saved by another training"));
                let error = differences.iter().fold(error, |error, what| error.note(what.as_str()));
                match is_allowed {
                    true => Diagnostic { severity: Severity::Warning, ..error },
                    false => error.help("undo the change, or go on in spite of it with `--changed`").help(ANEW),
                }
            }
        }
    }
}

/// Why a program cannot be cross-validated.
#[derive(Clone, Copy, Debug)]
pub enum FoldError {
    /// It has no `train`, or several.
    Trainings,
    /// Its training does not learn from one part and validate on the other.
    NotDivided { at: Span },
}

impl Problem for FoldError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            FoldError::Trainings => {
                Diagnostic::error("E0762", "a program that is cross-validated has one `train`")
            }
            FoldError::NotDivided { at } => Diagnostic::error(
                "E0762",
                "the training does not learn from one part of its data and validate on the other",
            )
            .at(*at, "which rows are held out is not said")
            .help("`split train = 0.8, test = 0.2` in the data, `data = d.train` and `validate = d.test` here"),
        }
    }
}

/// A derivative that a function declares is not that of its value: it is off by so much of itself.
#[derive(Clone, Debug)]
pub struct OtherDerivative {
    pub function: Arc<str>,
    pub error: f64,
    pub at: Span,
}

impl Problem for OtherDerivative {
    fn diagnostic(&self) -> Diagnostic {
        let message = format!("the derivative that `{}` declares is not that of its value", self.function);
        Diagnostic::warning("W0715", message)
            .at(self.at, format!("off by {:.1e} of itself here", self.error))
            .help("if another derivative is meant, write `surrogate` in place of `gradient`")
    }
}
