//! What the ints of a field must lie in: declared (`class(10)`) or asked for by a subscript.
//!
//! A bound may be a number of rows of the data set itself, which is known when it is loaded, or one that is only
//! known when code is made that reads the field: the rows of a batch, or of another data set. The first are
//! checked when the data is loaded, the others by [`Bounds::at`] when a field is given to code.

use std::sync::Arc;

use crate::base::{Diagnostic, Span};
use crate::ir::program::{DataSet, Field};
use crate::ir::ranges::Range;
use crate::ir::{Dim, Sizes};
use crate::runtime::array::{Array, Elements};
use crate::runtime::report::data::{BoundError, Outside};

/// The bounds of one field.
#[derive(Clone, Debug)]
pub struct Bounds {
    set: Arc<str>,
    field: Arc<str>,
    span: Span,
    /// Each with what asks for it.
    below: Vec<(i64, Span)>,
    /// Bounds that are not numbers yet.
    open: Vec<(Dim, Span)>,
}

impl Bounds {
    pub fn new(set: &DataSet, field: &Field, sizes: &Sizes) -> Bounds {
        let mut bounds = Bounds {
            set: set.name.clone(),
            field: field.name.clone(),
            span: field.span,
            below: Vec::new(),
            open: Vec::new(),
        };
        for bound in &field.bounds {
            match bound.below.evaluate(sizes) {
                Ok(below) => bounds.below.push((below, bound.span)),
                Err(_) => bounds.open.push((bound.below.clone(), bound.span)),
            }
        }
        bounds
    }

    /// Whether something is left to be checked once sizes are known.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The bounds in code for these sizes. A size that the code does not have is not that of an axis in it.
    pub fn at(&self, sizes: &Sizes) -> Bounds {
        let known = |(below, span): &(Dim, Span)| Some((below.evaluate(sizes).ok()?, *span));
        let below = self.below.iter().copied().chain(self.open.iter().filter_map(known)).collect();
        Bounds { below, open: Vec::new(), ..self.clone() }
    }

    /// What the ints lie in.
    pub fn range(&self) -> Option<Range> {
        let below = self.below.iter().map(|(below, _)| *below).min()?;
        Some(Range { least: 0, greatest: below - 1 })
    }

    /// Checks rows; `row_of` gives the number of a row in the data set.
    ///
    /// # Errors
    /// E0720 names the first row that is out of bounds.
    pub fn check(&self, array: &Array, row_of: impl Fn(usize) -> usize) -> Result<(), Diagnostic> {
        let narrow = |value: &i32| i64::from(*value);
        let outside = |value: i64, below: i64| value < 0 || value >= below;
        for (below, span) in &self.below {
            let found = match array.elements() {
                Elements::I32(values) => {
                    values.iter().map(narrow).enumerate().find(|value| outside(value.1, *below))
                }
                Elements::I64(values) => values.iter().copied().enumerate().find(|value| outside(value.1, *below)),
                _ => None,
            };
            let Some((at, value)) = found else { continue };
            let row = row_of(at / array.row_len().max(1));
            let all = array.range().unwrap_or(Range { least: 0, greatest: 0 });
            return Err(self.error(*below, *span, Outside::Value { row, value, all }).into());
        }
        Ok(())
    }

    fn error(&self, below: i64, asked: Span, outside: Outside) -> BoundError {
        let (set, field) = (self.set.clone(), self.field.clone());
        BoundError { set, field, below, at: self.span, asked, outside }
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
            return Err(self.error(*below, *span, Outside::Characters(vocabulary.len())).into());
        }
        Ok(())
    }
}
