//! What can be wrong with what the epochs of a training are judged by.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum JudgingError {
    /// A value of `keep` that is neither.
    NotKept { at: Span },
    /// `stop` and `keep` go by different things.
    Both { at: Span },
    NoMetric { by: Arc<str>, known: Vec<Arc<str>>, at: Span },
    /// `validate_every` without `validate`.
    NothingToValidate { at: Span },
    PlateauWithoutSchedule { at: Span },
    ScheduleWithoutPlateau { at: Span },
    /// The training stops at the first plateau.
    StopsBefore { stop: usize, plateau: usize, at: Span },
}

impl Problem for JudgingError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            JudgingError::NotKept { at } => {
                let message = "`keep` says which parameters are there at the end";
                error("E0834", message, *at, "neither `best` nor `last`")
                    .help("write `keep = best`, or `keep = best(by = \"accuracy\", greatest = true)`")
            }
            JudgingError::Both { at } => {
                let message = "`stop` and `keep` judge epochs by different things";
                error("E0834", message, *at, "another is given above").help("say it once: the other goes by the same")
            }
            JudgingError::NoMetric { by, known, at } => {
                let known: Vec<&str> = known.iter().map(|name| &**name).collect();
                let message = format!("no metric of this `train` is called \"{by}\"");
                let error = error("E0834", message, *at, "epochs are judged by it");
                match nearest(by, known.iter().copied()) {
                    Some(near) => error.help(format!("did you mean \"{near}\"?")),
                    None => error.help(format!("there are {}; `measure {by} = …` makes one", list_names(&known))),
                }
            }
            JudgingError::NothingToValidate { at } => {
                let label = "there is nothing to validate on";
                error("E0835", "`validate_every` without `validate`", *at, label).help("add `validate = digits.test`")
            }
            JudgingError::PlateauWithoutSchedule { at } => {
                let label = "no schedule of an optimizer counts plateaus";
                error("E0897", "`plateau` has no effect", *at, label)
                    .help("a rate that falls with them is `Adam(lr = plateau(0.001, gamma = 0.5))`")
            }
            JudgingError::ScheduleWithoutPlateau { at } => {
                let message = "a schedule counts plateaus, and this `train` does not say what one is";
                error("E0897", message, *at, "an argument of the optimizer goes by `plateaus`")
                    .help("add `plateau = patience(5)`: five epochs without a better loss")
            }
            JudgingError::StopsBefore { stop, plateau, at } => {
                let message = format!("`plateau` has no effect: the training stops after {stop} epochs");
                let label = format!("a plateau is {plateau} epochs without a better one");
                error("E0897", message, *at, label).help("a greater patience of `stop`, or a smaller one of `plateau`")
            }
        }
    }
}
