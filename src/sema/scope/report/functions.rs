//! What is wrong with the axes and shapes that functions of the language are given.

use super::shapes::Shape;
use super::{Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Dim;

/// What is wrong with an axis.
#[derive(Clone, Debug)]
pub enum AxisError {
    Outside { axis: i64, rank: usize, at: Span },
    NamedTwice { axis: usize, at: Span },
    /// `max` of no elements would be an infinity that nobody asked for.
    NoElements { function: &'static str, at: Span },
    FlattenedScalar { at: Span },
    /// `transpose` with axes that are no order of all of them.
    NotOrder { rank: usize, at: Span },
}

/// What is wrong with a shape that is asked for.
#[derive(Clone, Debug)]
pub enum ReshapeError {
    /// No size fits for the -1.
    NoSize { found: Shape, elements: Dim, rest: Dim, at: Span },
    OtherCount { found: Shape, wanted: Shape, elements: Dim, asked: Dim, at: Span, sizes: Span },
    EmptyList { function: &'static str, at: Span },
    Concat { first: Shape, other: Shape, axis: usize, at: Span },
    Stack { first: Shape, other: Shape, at: Span },
    Split { found: Shape, axis: usize, size: Dim, parts: i64, at: Span, tensor: Span },
    PadWidths { found: Shape, pairs: usize, at: Span, tensor: Span },
}

/// A reduction in a field of data, which is written for one row: a warning.
#[derive(Clone, Debug)]
pub struct OfOneNumber {
    pub function: &'static str,
    pub set: std::sync::Arc<str>,
    pub at: Span,
}

impl Problem for AxisError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            AxisError::Outside { axis, rank, at } => {
                let message = format!("axis {axis} of a tensor with {}", count(*rank, "axis", "axes"));
                let label = match *rank {
                    0 => "a scalar has no axes".to_owned(),
                    rank => format!("axes are 0 to {}, or -{rank} to -1", rank - 1),
                };
                error("E0209", message, *at, label)
            }
            AxisError::NamedTwice { axis, at } => {
                error("E0209", format!("axis {axis} is named twice"), *at, "each axis once")
            }
            AxisError::NoElements { function, at } => {
                error("E0209", format!("`{function}` of no elements"), *at, "the axis has size 0")
            }
            AxisError::FlattenedScalar { at } => {
                error("E0209", "`flatten` of a scalar", *at, "there is no axis 1")
            }
            AxisError::NotOrder { rank, at } => {
                let message = format!("`transpose` of a tensor with {rank} axes needs each of them once");
                error("E0209", message, *at, "not an order of all axes")
            }
        }
    }
}

impl Problem for ReshapeError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ReshapeError::NoSize { found, elements, rest, at } => {
                let message =
                    format!("{found} cannot be reshaped: {elements} elements are not a multiple of {rest}");
                error("E0212", message, *at, "no size fits here")
            }
            ReshapeError::OtherCount { found, wanted, elements, asked, at, sizes } => {
                error("E0212", format!("cannot reshape {found} to {wanted}"), *sizes, format!("{asked} elements"))
                    .and_at(*at, format!("{elements} elements"))
            }
            ReshapeError::EmptyList { function, at } => {
                error("E0213", format!("`{function}` of an empty list"), *at, "at least one tensor is needed")
            }
            ReshapeError::Concat { first, other, axis, at } => {
                let message = format!("cannot concatenate {first} and {other} along axis {axis}");
                error("E0213", message, *at, format!("all axes but axis {axis} must be equal"))
            }
            ReshapeError::Stack { first, other, at } => {
                error("E0213", format!("cannot stack {first} and {other}"), *at, "all shapes must be equal")
            }
            ReshapeError::Split { found, axis, size, parts, at, tensor } => {
                let message = format!("axis {axis} of size {size} cannot be split into {parts} equal parts");
                error("E0214", message, *at, format!("{size} is not a multiple of {parts}"))
                    .and_at(*tensor, format!("this is {}", found.alone()))
            }
            ReshapeError::PadWidths { found, pairs, at, tensor } => {
                let rank = found.axes.len();
                let message = format!("`pad` of a tensor with {rank} axes needs as many pairs, found {pairs}");
                error("E0211", message, *at, "one pair (before, after) for each axis from the first")
                    .and_at(*tensor, format!("this is {}", found.alone()))
            }
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            ReshapeError::Split { found, .. } | ReshapeError::PadWidths { found, .. } => vec![found],
            _ => Vec::new(),
        }
    }
}

impl Problem for OfOneNumber {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let OfOneNumber { function, set, at } = self;
        let advice = format!(
            "over all rows: give the number a field of its own, and write `{function}({set}.FIELD)`"
        );
        Diagnostic::warning("W0640", format!("`{function}` of one number is that number"))
            .at(*at, "a field is written for one row")
            .help(advice)
    }
}
