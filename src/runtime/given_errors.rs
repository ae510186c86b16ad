//! What can be wrong with rows that a host program gives, beyond their names: host programs whose tables have missing
//! values and names look at them before there is a tensor.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use super::program::{Diagnostics, Program};
use super::report::given::GivenProblem;
use crate::ir::Sizes;
use crate::ir::program::DataSet;

/// What is wrong with the rows of a field that a host program has, and that no tensor can hold.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum GivenError {
    /// Values are missing.
    Missing {
        /// How many.
        count: usize,
        /// The first row with one, from 0.
        row: usize,
    },
    /// There are more names than classes, or names where there are none.
    Names {
        /// All names.
        names: Vec<String>,
    },
    /// The values are no numbers, truth values or names.
    Type {
        /// What they are, as the host program calls it.
        found: String,
    },
}

impl Program {
    /// The error, at the declaration of the field.
    pub fn given_error(&self, data: &str, field: &str, error: &GivenError) -> Diagnostics {
        let set = self.checked().data.iter().find(|set| &*set.name == data);
        let column = set.and_then(|set| set.columns.iter().find(|column| &*column.field == field));
        let at = column.map(|column| column.span).or(set.map(|set| set.span));
        let (set_name, field_name) = (data.to_owned(), field.to_owned());
        let problem = match error {
            GivenError::Missing { count, row } => {
                let (count, row) = (*count, *row);
                GivenProblem::NoValue { set: set_name, field: field_name, count, row, at }
            }
            GivenError::Names { names } => {
                let (names, classes) = (names.clone(), set.and_then(|set| classes(set, field)));
                GivenProblem::Names { set: set_name, field: field_name, names, classes, at }
            }
            GivenError::Type { found } => {
                let found = found.clone();
                GivenProblem::NoNumbers { set: set_name, field: field_name, found, at }
            }
        };
        self.failed([problem.into()])
    }

    /// The number of classes of a field that is declared as `class(n)`.
    pub fn classes_of(&self, data: &str, field: &str) -> Option<u64> {
        let set = self.checked().data.iter().find(|set| &*set.name == data)?;
        classes(set, field)
    }
}

fn classes(set: &DataSet, field: &str) -> Option<u64> {
    let field = set.fields.iter().find(|found| &*found.name == field)?;
    let declared = field.bounds.iter().find(|bound| bound.is_declared)?;
    declared.below.evaluate(&Sizes::new()).ok().and_then(|count| u64::try_from(count).ok())
}
