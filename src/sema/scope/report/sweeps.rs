//! What can be wrong with a `sweep`.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::ir::program::RangeError;
use crate::sema::settings::TRAIN;
use crate::syntax::ast;

#[derive(Clone, Debug)]
pub enum SweepError {
    /// A second `sweep`.
    Second { at: Span, first: Span },
    /// The program trains nothing.
    NoTraining { at: Span },
    /// No line says what is tried.
    Nothing { at: Span },
    /// A setting that changes nothing, and why.
    Idle { setting: &'static str, why: IdleSetting, at: Span },
    OutOfRange { setting: &'static str, least: i64, found: i64, at: Span },
    /// A score that no training of the program has.
    NoScore { by: String, known: Vec<String>, at: Span },
    /// A name that nothing of the file has.
    NoPlace { name: ast::Name, constants: Vec<String> },
    /// Neither a range nor a list in brackets.
    NotList { at: Span },
    EmptyList { at: Span },
    /// `log` or `whole` of a list.
    ListWithScale { at: Span },
    NotNumber { at: Span },
    Range { why: RangeError, at: Span },
}

/// Why a setting changes nothing.
#[derive(Clone, Copy, Debug)]
pub enum IdleSetting {
    /// All combinations are tried.
    NoTrials,
    /// Combinations are tried at random.
    Trials,
    /// Lists have as many values as they have.
    NoRange,
    /// What the greatest of is the best is not said.
    NoScore,
}

impl Problem for SweepError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            SweepError::Second { at, first } => {
                error("E0789", "there is a second `sweep`", *at, "a program has one")
                    .and_at(*first, "the first")
                    .help("put all that is tried into one: `nnc sweep` tries all combinations")
            }
            SweepError::NoTraining { at } => {
                error("E0789", "there is nothing to sweep: the program has no `train`", *at, "tries trainings")
            }
            SweepError::Nothing { at } => error("E0789", "nothing is tried", *at, "no line names what is tried")
                .help("`lr in [0.1, 0.01]` tries two rates, `lr in 1e-4..1e-1, log = true` some of a range"),
            SweepError::Idle { setting, why, at } => {
                let (label, help) = match why {
                    IdleSetting::NoTrials => ("all combinations are tried", "`trials = 32` tries some at random"),
                    IdleSetting::Trials => ("`trials` says how many values are tried", "leave out one of the two"),
                    IdleSetting::NoRange => ("lists are tried as they are", "`lr in 1e-4..1e-1` is a range"),
                    IdleSetting::NoScore => ("of what is not said", "add `by = \"validation accuracy\"`"),
                };
                error("E0786", format!("`{setting}` has no effect"), *at, label).help(help)
            }
            SweepError::OutOfRange { setting, least, found, at } => {
                error("E0786", format!("`{setting}` is {found}"), *at, format!("at least {least} is needed"))
            }
            SweepError::NoScore { by, known, at } => {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let error = error("E0786", format!("there is no score \"{by}\""), *at, "trials are ordered by it");
                match nearest(by, names.iter().copied()) {
                    Some(near) => error.help(format!("did you mean \"{near}\"?")),
                    None => error.help(format!("there are {}", list_names(&names))),
                }
            }
            SweepError::NoPlace { name, constants } => {
                let known = constants.iter().map(String::as_str).chain(TRAIN.names());
                let label = "neither a constant nor a setting of `train` nor an argument of an optimizer";
                let message = format!("nothing in this file is called `{name}`");
                let error = error("E0787", message, name.span, label);
                match nearest(name.as_str(), known) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error
                        .help(format!("give it a place: `const {name} = …`, or `{name} = …` in `with Adam(…)`")),
                }
            }
            SweepError::NotList { at } => {
                error("E0788", "what is tried is a list or a range", *at, "neither of them")
                    .help("write `[0.1, 0.01]` or `0.01..0.1`")
            }
            SweepError::EmptyList { at } => error("E0788", "there is nothing to try", *at, "a list without values"),
            SweepError::ListWithScale { at } => {
                error("E0786", "this has no effect", *at, "a list is tried as it is")
                    .help("`1e-4..1e-1, log = true` is a range")
            }
            SweepError::NotNumber { at } => {
                error("E0788", "the ends of a range are numbers", *at, "no number that is known here")
            }
            SweepError::Range { why, at } => match why {
                RangeError::Empty => {
                    error("E0788", "the range is empty", *at, "its first end is not less than its second")
                }
                RangeError::NoLogarithm => {
                    let message = "a range on a logarithmic scale begins above 0";
                    error("E0788", message, *at, "it begins at 0 or below")
                }
                RangeError::NotWhole => {
                    error("E0788", "a range of whole numbers has whole ends", *at, "an end has a fraction")
                }
            },
        }
    }
}
