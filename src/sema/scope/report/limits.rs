//! What is too much: programs that unfold without bounds, and what would take all memory.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};

/// A limit that a program has reached.
#[derive(Clone, Debug)]
pub enum LimitError {
    /// Expressions and nodes, in thousands.
    Work { expressions: u64, operations: usize, at: Span },
    Nesting { at: Span },
    Calls { at: Span },
    String { most: usize, at: Span },
    List { elements: usize, most: usize, at: Span },
    Turns { turns: i64, at: Span },
    Copies { copies: i64, most: i64, at: Span },
    /// A value whose derivative would unfold into too much.
    Derivative { operations: usize, at: Span },
}

impl Problem for LimitError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            LimitError::Work { expressions, operations, at } => {
                error("E0122", "the program unfolds into too much", *at, "the limit was reached here").note(format!(
                    "a program may unfold into {expressions} thousand expressions, one of its graphs into \
                     {operations} thousand operations; compile-time loops, `repeat` and calls count each time"
                ))
            }
            LimitError::Nesting { at } => {
                error("E0123", "expressions and calls nest too deeply", *at, "the limit was reached here")
            }
            LimitError::Calls { at } => {
                error("E0123", "calls nest too deeply", *at, "the limit was reached here")
            }
            LimitError::String { most, at } => {
                let label = "strings in strings have become too long";
                error("E0122", format!("a string of more than {most} bytes"), *at, label)
            }
            LimitError::List { elements, most, at } => {
                let message = format!("a list of {elements} elements, counting those of its lists");
                error("E0122", message, *at, format!("at most {most} are possible"))
            }
            LimitError::Turns { turns, at } => {
                error("E0122", format!("a compile-time loop of {turns} turns"), *at, "every turn is written out")
                    .help("for long recurrences use `scan`, which is not written out")
            }
            LimitError::Copies { copies, most, at } => {
                let message = format!("{copies} copies of a layer");
                error("E0122", message, *at, format!("at most {most} are possible"))
            }
            LimitError::Derivative { operations, at } => {
                let message = format!("the derivative of a value of {operations} operations");
                error("E0122", message, *at, "it would unfold into too much").note(
                    "each order of a derivative has two to three times the operations of the one before",
                )
            }
        }
    }
}
