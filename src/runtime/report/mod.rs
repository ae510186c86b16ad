//! How errors and warnings of a run are told.
//!
//! What is wrong is data, a [`Problem`]: an enum for each subject, whose variants hold the names, numbers and places
//! that a message needs. Its code and its words stand in the file of the subject, in this folder and nowhere else. Who
//! finds a problem gives it back as an error (`?` makes a diagnostic of it) or hands it on as a warning.

pub mod answers;
pub mod arrays;
pub mod data;
pub mod files;
pub mod given;
pub mod images;
pub mod programs;
pub mod tables;
pub mod training;

use std::fmt;

use crate::base::Diagnostic;

/// Something that is wrong with a run, or doubtful, as data.
pub trait Problem {
    /// How it is told.
    fn diagnostic(&self) -> Diagnostic;
}

impl<P: Problem> From<P> for Diagnostic {
    fn from(problem: P) -> Diagnostic {
        problem.diagnostic()
    }
}

/// "1 row", "3 rows"
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// "`a`", "`b`"
fn backticked(names: impl IntoIterator<Item = impl fmt::Display>) -> Vec<String> {
    names.into_iter().map(|name| format!("`{name}`")).collect()
}

/// "`a`, `b`", and whether there are more than so many.
fn listed(names: &[impl fmt::Display], most: usize) -> String {
    let shown = backticked(names.iter().take(most)).join(", ");
    if names.len() > most { format!("{shown} and others") } else { shown }
}
