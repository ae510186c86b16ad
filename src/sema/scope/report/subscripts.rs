//! What can be wrong with a subscript of a tensor or list, and how it is told.

use super::shapes::Shape;
use super::{Cause, Problem, count};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::{Dim, Elem};
use crate::sema::value::Value;

/// What is wrong with a subscript.
#[derive(Clone, Debug)]
pub enum SubscriptError {
    /// A value that has no elements is subscripted.
    NoElements {
        found: Value,
        base: Span,
    },
    /// An indexed value is subscripted: one number for each index.
    OfIndexed {
        at: Span,
    },
    OutsideList {
        number: i64,
        elements: usize,
        at: Span,
        base: Span,
    },
    /// More subscripts than axes.
    TooMany {
        named: usize,
        found: Shape,
        at: Span,
        base: Span,
        slip: Option<Slip>,
    },
    /// A new axis, as Python writes it.
    NewAxis {
        word: String,
        at: Span,
    },
    /// `...` stands twice.
    TwoRests {
        at: Span,
    },
    /// The step of a slice is not positive.
    Step {
        step: i64,
        at: Span,
    },
    SliceOutside {
        start: Dim,
        end: Dim,
        size: Dim,
        at: Span,
    },
    PlaceOutside {
        place: String,
        size: Dim,
        axis: usize,
        at: Span,
        found: Shape,
        base: Span,
        range: Option<String>,
    },
    /// A tensor of ints, where one place is needed.
    ManyPlaces {
        found: Shape,
        at: Span,
    },
    NotInt {
        found: Value,
        at: Span,
    },
    /// `.T` of fewer than two axes.
    TooFewAxes {
        found: Shape,
        at: Span,
    },
}

/// What a subscript too many probably is.
#[derive(Clone, Debug)]
pub enum Slip {
    /// `[[1, 2] [3, 4]]`: a comma is missing.
    Rows,
    /// `x[:, None]`: another language's word for `new`.
    New(String),
}

impl SubscriptError {
    pub fn code(&self) -> &'static str {
        match self {
            SubscriptError::NoElements { .. } => "E0124",
            SubscriptError::OfIndexed { .. } => "E0126",
            SubscriptError::OutsideList { .. }
            | SubscriptError::SliceOutside { .. }
            | SubscriptError::PlaceOutside { .. } => "E0210",
            SubscriptError::TooMany { .. } | SubscriptError::TwoRests { .. } => "E0211",
            SubscriptError::TooFewAxes { .. } => "E0218",
            SubscriptError::Step { .. } => "E0222",
            SubscriptError::ManyPlaces { .. } 
            | SubscriptError::NotInt { .. }
            | SubscriptError::NewAxis { .. } => "E0223",
        }
    }

    pub fn message(&self) -> String {
        match self {
            SubscriptError::NoElements { found, .. } => format!("{} cannot be subscripted", found.describe()),
            SubscriptError::OfIndexed { .. } => "an indexed value has no axes".to_owned(),
            SubscriptError::OutsideList { number, elements, .. } => {
                format!("element {number} of a list of {elements}")
            }
            SubscriptError::TooMany { named, found, .. } => format!("{named} subscripts for {found}"),
            SubscriptError::NewAxis { word, .. } => format!("`{word}` is no subscript"),
            SubscriptError::TwoRests { .. } => "`...` stands twice".to_owned(),
            SubscriptError::Step { step, .. } => format!("the step of a slice is {step}"),
            SubscriptError::SliceOutside { start, end, size, .. } => {
                format!("the slice {start}:{end} of an axis of size {size}")
            }
            SubscriptError::PlaceOutside { place, size, .. } => {
                format!("subscript {place} of an axis of size {size}")
            }
            SubscriptError::ManyPlaces { found, .. } => format!("a tensor {found} as a subscript"),
            SubscriptError::NotInt { found, .. } => format!("a subscript must be an int, found {}", found.describe()),
            SubscriptError::TooFewAxes { found, .. } => format!("`.T` of {found}"),
        }
    }

}

impl Problem for SubscriptError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let error = Diagnostic::error(self.code(), self.message());
        match self {
            SubscriptError::NoElements { found, base } => {
                let error = error.at(*base, "not a tensor or list");
                match found {
                    Value::Function(_) => error.help("a function is called with parentheses: `f(x)`; a list is one argument: `f([2, 3])`"),
                    _ => error,
                }
            }
            SubscriptError::OfIndexed { at } => {
                error.at(*at, "subscripted here").help("functions of indexed values must be elementwise")
            }
            SubscriptError::OutsideList { elements, at, base, .. } => {
                error.at(*at, "outside the list").and_at(*base, format!("{elements} elements"))
            }
            SubscriptError::TooMany { found, at, base, slip, .. } => {
                let axes = count(found.axes.len(), "axis", "axes");
                let error = error.at(*at, format!("{axes} can be subscripted"));
                let error = error.and_at(*base, format!("this is {}", found.alone()));
                match slip {
                    Some(Slip::Rows) => {
                        error.help("if these are two rows of a matrix, a comma is missing between them")
                    }
                    Some(Slip::New(word)) => {
                        error.help(format!("an axis of size 1 is made by `new`, not `{word}`: `x[:, new]`"))
                    }
                    None => error,
                }
            }
            SubscriptError::NewAxis { at, .. } => {
                error.at(*at, "no place of an axis").suggest("an axis of size 1 is made by", *at, "new")
            }
            SubscriptError::TwoRests { at } => error.at(*at, "it can stand for all axes not named only once"),
            SubscriptError::Step { at, .. } => error.at(*at, "a step is at least 1"),
            SubscriptError::SliceOutside { start, end, size, at } => {
                let is_known = [start, end, size].iter().all(|size| size.as_number().is_some());
                let label = match is_known {
                    true => "reaches outside",
                    false => "may reach outside: it is not proven to lie within",
                };
                error.at(*at, label).note("slices are not clipped: `a:b` needs 0 <= a <= b <= size")
            }
            SubscriptError::PlaceOutside { size, axis, at, found, base, range, .. } => {
                let error = error.at(*at, format!("axis {axis} has the places 0 .. {size}"));
                let error = error.and_at(*base, format!("this is {}", found.alone()));
                match range {
                    Some(range) => error.note(range).help("`clamp(i, 0, n - 1)` keeps it inside"),
                    None => error,
                }
            }
            SubscriptError::ManyPlaces { at, .. } => error
                .at(*at, "one place is needed here")
                .help("index notation takes elements at many places: `y[b, d] = table[ids[b], d]`"),
            SubscriptError::NotInt { found, at } => {
                let error = error.at(*at, "not an int");
                match found {
                    Value::List(_) => error.help(
                        "`concat([x[:, 0:1], x[:, 3:4]], axis = 1)` joins slices; places in a list are taken by index notation: `y[b, j < 2] = x[b, places[j]]`",
                    ),
                    Value::Tensor(tensor) if tensor.ty.elem == Elem::Bool => error.help(
                        "how many elements a condition chooses is not known before it runs; `if x > 0 then x else 0` keeps the shape, and `sum(if c then x else 0) / sum(c)` is the mean of what is chosen",
                    ),
                    Value::Tensor(_) => error.help("`int(x)` drops what is behind the point"),
                    _ => error,
                }
            }
            SubscriptError::TooFewAxes { at, .. } => {
                error.at(*at, "`.T` swaps the last two axes; this has fewer")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            SubscriptError::NoElements { .. } | SubscriptError::OfIndexed { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            SubscriptError::TooMany { found, .. } | SubscriptError::PlaceOutside { found, .. } => vec![found],
            _ => Vec::new(),
        }
    }
}
