//! What can be wrong with windows over the rows of data.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};

/// What is wrong with a window, or with the line `windows`.
#[derive(Clone, Debug)]
pub enum WindowError {
    /// Within `standardize` or `fill`.
    InStatistic { at: Span },
    /// What rows there are depends on windows.
    Decides { at: Span },
    /// Rows are divided at random.
    Scattered { split: Span, window: Span },
    /// Rows are left out of series that are put in order.
    Dropped { drop: Span, sorted: Span },
    /// The line `windows` where no field is one.
    Idle { at: Span },
    Stride { stride: i64, at: Span },
}

impl Problem for WindowError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            WindowError::InStatistic { at } => {
                let label = "a window within `standardize` or `fill`";
                error("E0832", "statistics are taken of rows, not of windows", *at, label)
                    .help("turn them around: `window(standardize(column(\"price\")), 24)`")
            }
            WindowError::Decides { at } => {
                let message = "rows are left out and divided one by one, before there are windows";
                error("E0832", message, *at, "asks for a window").help("ask for the column itself")
            }
            WindowError::Scattered { split, window } => {
                let label = "each row is put into a part by itself";
                error("E0831", "rows of windows are not divided at random", *split, label)
                    .and_at(*window, "a window")
                    .note("a window lies in one part, or rows of the test would be seen in training")
                    .help(
                        "`split train = 0.8, test = 0.2, in_order = true` keeps the end for the test; \
                         `group = column(\"station\")` keeps whole series",
                    )
            }
            WindowError::Dropped { drop, sorted } => {
                let message = "rows cannot be left out of series that are put in order";
                error("E0832", message, *drop, "what is left is no longer one after another")
                    .and_at(*sorted, "put in order here")
                    .help(
                        "`fill(column(\"price\"), mean)` gives missing values one, or leave rows out of the file",
                    )
            }
            WindowError::Idle { at } => {
                error("E0833", "`windows` has no effect", *at, "no field of this data is a `window(…)`")
                    .help("`past: [24] = window(column(\"price\"), 24)` has the values of 24 rows")
            }
            WindowError::Stride { stride, at } => {
                error("E0833", format!("`stride` is {stride}"), *at, "at least 1 is needed")
            }
        }
    }
}
