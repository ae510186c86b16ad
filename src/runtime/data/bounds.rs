//! What the ints of a field must lie in: declared (`class(10)`) or asked for by a subscript.

use std::sync::Arc;

use crate::base::{Diagnostic, Span};
use crate::ir::Sizes;
use crate::ir::program::{DataSet, Field};
use crate::runtime::array::{Array, Elements};

/// The bounds of one field.
#[derive(Clone, Debug)]
pub struct Bounds {
    set: Arc<str>,
    field: Arc<str>,
    span: Span,
    /// Each with what asks for it.
    below: Vec<(i64, Span)>,
}

impl Bounds {
    pub fn new(set: &DataSet, field: &Field, sizes: &Sizes) -> Bounds {
        let below =
            field.bounds.iter().filter_map(|bound| Some((bound.below.evaluate(sizes).ok()?, bound.span)));
        Bounds { set: set.name.clone(), field: field.name.clone(), span: field.span, below: below.collect() }
    }

    /// Checks rows; `row_of` gives the number of a row in the data set.
    ///
    /// # Errors
    /// E0720 names the first row that is out of bounds.
    pub fn check(&self, array: &Array, row_of: impl Fn(usize) -> usize) -> Result<(), Diagnostic> {
        let Elements::I32(values) = array.elements() else { return Ok(()) };
        for (below, span) in &self.below {
            let Some(at) = values.iter().position(|value| *value < 0 || i64::from(*value) >= *below) else {
                continue;
            };
            let row = row_of(at / array.row_len().max(1));
            let message = format!(
                "row {row} of `{}.{}` has the value {}, but it must lie in 0..{below}",
                self.set, self.field, values[at]
            );
            let error = Diagnostic::error("E0720", message).at(self.span, "rows are counted from 0");
            let same = *span == self.span;
            return Err(if same { error } else { error.and_at(*span, format!("needs 0..{below}")) });
        }
        Ok(())
    }
    /// A text has all characters of its vocabulary, so their number is the bound of its windows' values.
    ///
    /// # Errors
    /// E0720.
    pub fn check_vocabulary(&self, vocabulary: &[char]) -> Result<(), Diagnostic> {
        for (below, span) in &self.below {
            if vocabulary.len() as i64 <= *below {
                continue;
            }
            let message = format!(
                "the text of `{}` has {} different characters, but the numbers of `{}` must lie in 0..{below}",
                self.set,
                vocabulary.len(),
                self.field
            );
            let error = Diagnostic::error("E0720", message).at(self.span, "numbers of characters");
            let same = *span == self.span;
            return Err(if same { error } else { error.and_at(*span, format!("needs 0..{below}")) });
        }
        Ok(())
    }
}
