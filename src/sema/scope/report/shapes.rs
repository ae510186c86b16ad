//! Shapes that do not fit.
//!
//! A shape error is found where all sizes are numbers; if the body that it is in is elaborated again on symbolic
//! sizes, the same error knows what these are called. A [`Shape`] holds both.

use super::{Cause, Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::{Dim, Elem};
use crate::sema::value::{Axis, Tensor, show_axes};
use std::fmt;
use std::sync::Arc;

/// A shape in a message; printed as it is known in numbers.
#[derive(Clone, Debug)]
pub struct Shape {
    pub elem: Elem,
    pub axes: Vec<Axis>,
    /// The same with symbolic sizes.
    named: Option<Vec<Axis>>,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_axes(self.elem, &self.axes))
    }
}

impl Shape {
    pub fn new(elem: Elem, axes: &[Axis]) -> Shape {
        Shape { elem, axes: axes.to_vec(), named: None }
    }

    pub fn of(tensor: &Tensor) -> Shape {
        Shape::new(tensor.ty.elem, &tensor.axes())
    }

    /// Takes the names of the sizes from the same shape on symbolic sizes. The symbols of what is new in messages
    /// are added to `symbols`.
    pub fn name_as(&mut self, other: &Shape, symbols: &mut Vec<Arc<str>>) {
        if self.to_string() != other.to_string() {
            let mut new = Vec::new();
            other.axes.iter().for_each(|axis| axis.size.symbols(&mut new));
            symbols.extend(new.into_iter().map(|symbol| symbol.to_string().into()));
            self.named = Some(other.axes.clone());
        }
    }

    /// Where it stands alone: `[B, 2] = [5, 2]`.
    pub fn alone(&self) -> String {
        match &self.named {
            Some(named) => format!("{} = {self}", show_axes(self.elem, named)),
            None => self.to_string(),
        }
    }

    /// Beside others that it is compared with: `[B, 2]`.
    pub fn beside(&self) -> String {
        show_axes(self.elem, self.named.as_ref().unwrap_or(&self.axes))
    }

    /// `[B, out] = [5, 10]`, where the text of a type and its sizes differ.
    pub fn as_declared(&self, text: &str) -> String {
        let sizes = self.to_string();
        if text == sizes || !text.contains('[') {
            return self.alone();
        }
        match self.beside() {
            named if named == text => format!("{text} = {sizes}"),
            named => format!("{text} = {named}"),
        }
    }

    /// Whether some size is computed of others, `H - 2`, and so may change with what a call is given.
    fn has_computed_size(&self) -> bool {
        self.axes.iter().any(|axis| axis.size.as_number().is_none() && axis.size.as_symbol().is_none())
    }
}

/// An operand of an operation whose shapes do not fit.
#[derive(Clone, Debug)]
pub struct Operand {
    pub shape: Shape,
    pub at: Span,
    /// Where its value was made, if that is another place of the same file.
    pub made: Option<Span>,
}

impl Operand {
    /// `whole` is the operation.
    pub fn new(tensor: &Tensor, at: Span, whole: Span) -> Operand {
        let is_elsewhere = tensor.span != at && tensor.span != whole && tensor.span.file == at.file;
        Operand { shape: Shape::of(tensor), at, made: is_elsewhere.then_some(tensor.span) }
    }

    fn label_where_made(&self, error: Diagnostic) -> Diagnostic {
        match self.made {
            Some(made) => error.and_at(made, format!("gives {}", self.shape.alone())),
            None => error,
        }
    }
}

/// What is wrong with the operands of an operation.
#[derive(Clone, Debug)]
pub enum OperandError {
    /// Shapes that do not broadcast; `is_binary` if these are all operands, with an operator in between.
    Broadcast { verb: &'static str, left: Operand, right: Operand, whole: Span, is_binary: bool },
    /// `a @ b`: the inner axes differ.
    Inner { left: Operand, right: Operand, whole: Span },
    /// `a @ b`: the leading axes differ.
    Batch { left: Operand, right: Operand, whole: Span },
    ScalarInProduct { at: Span },
}

impl Problem for OperandError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            OperandError::Broadcast { verb, left, right, whole, is_binary } => {
                let operator = match is_binary {
                    true => operator_between(sources, *whole, [left.at, right.at]),
                    false => None,
                };
                broadcast(verb, left, right, (*whole, operator), sources)
            }
            OperandError::Inner { left, right, whole } => inner(left, right, *whole, sources),
            OperandError::Batch { left, right, whole } => {
                let message = format!("cannot multiply {} @ {}", left.shape, right.shape);
                error("E0204", message, *whole, "the leading axes must be equal, or missing on one side")
                    .and_at(left.at, left.shape.alone())
                    .and_at(right.at, right.shape.alone())
            }
            OperandError::ScalarInProduct { at } => {
                error("E0204", "`@` needs vectors or matrices, found a scalar", *at, "a scalar")
                    .help("`*` multiplies by a number")
            }
        }
    }

    fn cause(&self) -> Cause {
        Cause::AnySizes
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            OperandError::Broadcast { left, right, .. }
            | OperandError::Inner { left, right, .. }
            | OperandError::Batch { left, right, .. } => vec![&mut left.shape, &mut right.shape],
            OperandError::ScalarInProduct { .. } => Vec::new(),
        }
    }

    fn makers(&self) -> Vec<Span> {
        let OperandError::Broadcast { left, right, .. } = self else { return Vec::new() };
        let computed = [left, right].into_iter().filter(|operand| operand.shape.has_computed_size());
        computed.map(|operand| operand.made.unwrap_or(operand.at)).collect()
    }
}

/// Functions that drop an axis unless they are told to keep it.
const REDUCTIONS: [&str; 9] = ["sum", "mean", "var", "std", "prod", "max", "min", "logsumexp", "norm"];

fn broadcast(
    verb: &str,
    left: &Operand,
    right: &Operand,
    (whole, operator): (Span, Option<Span>),
    sources: &SourceMap,
) -> Diagnostic {
    let (a, b) = (&left.shape.axes, &right.shape.axes);
    let joint = if verb == "compare" { "with" } else { "and" };
    let message = format!("cannot {verb} {} {joint} {}", left.shape, right.shape);
    let Some((at, x, y)) = differing_axis(a, b) else { return Diagnostic::error("E0203", message) };
    let from_end = a.len().max(b.len()) - at;
    let axis = if a.len() == b.len() { format!("axis {at}") } else { from_last(from_end) };
    let sizes = format!("{axis} is {x} on the left and {y} on the right");
    let mut error = match operator {
        Some(place) => {
            let operator = sources.text(place);
            let label = format!("{} {operator} {}: {sizes}", left.shape.beside(), right.shape.beside());
            error("E0203", message, place, label)
        }
        None => error("E0203", message, whole, sizes),
    };
    for operand in [left, right] {
        if operator.is_none() {
            error = error.and_at(operand.at, operand.shape.alone());
        }
        error = operand.label_where_made(error);
    }
    let has_one = x.is_number(1) || y.is_number(1);
    if has_one {
        error = error.note("a dimension of size 1 does not stretch by itself");
    } else if a.len() != b.len() {
        error = error.note("shapes are aligned at their last axes; only leading axes may be missing");
    }
    match with_kept_axis(error, left, right, sources) {
        Ok(error) => error,
        Err(error) if has_one => {
            error.help("`keep = true` on a reduction or `x[:, new]` makes a dimension that stretches")
        }
        Err(error) => error,
    }
}

/// The axis in which two shapes differ, counted from the first of the longer one, and the sizes there.
pub fn differing_axis<'s>(a: &'s [Axis], b: &'s [Axis]) -> Option<(usize, &'s Dim, &'s Dim)> {
    let rank = a.len().max(b.len());
    (0..rank).find_map(|at| {
        let x = a.get((at + a.len()).checked_sub(rank)?)?;
        let y = b.get((at + b.len()).checked_sub(rank)?)?;
        (!x.stretch && !y.stretch && x.size != y.size).then_some((at, &x.size, &y.size))
    })
}

/// Suggests what fits shapes of which one has one axis more: to drop the axis of a column, or to keep that of a
/// reduction. The error as it was if there is nothing to suggest.
fn with_kept_axis(
    error: Diagnostic,
    left: &Operand,
    right: &Operand,
    sources: &SourceMap,
) -> Result<Diagnostic, Diagnostic> {
    for (long, short) in [(left, right), (right, left)] {
        let (axes, rest) = (&long.shape.axes, &short.shape.axes);
        let fits_without = |at: usize| {
            let mut others = axes.iter().enumerate().filter(|(axis, _)| *axis != at).map(|(_, axis)| &axis.size);
            axes.len() == rest.len() + 1 && rest.iter().all(|axis| others.next() == Some(&axis.size))
        };
        let text = sources.text(short.at);
        let is_reduction = text.split_once('(').is_some_and(|(name, arguments)| {
            REDUCTIONS.contains(&name) && arguments.contains("axis") && !arguments.contains("keep")
        });
        if is_reduction && text.ends_with(')') && (0..axes.len()).any(fits_without) {
            let end = Span { start: short.at.end - 1, end: short.at.end - 1, ..short.at };
            return Ok(error.suggest("a reduction can keep its axis, which then stretches", end, ", keep = true"));
        }
        let is_column = axes.last().is_some_and(|axis| axis.size.is_number(1)) && fits_without(axes.len() - 1);
        if is_column {
            return Ok(error.help("`x[:, 0]` of a column [n, 1] is a list [n], `x[:, new]` of a list is a column"));
        }
    }
    Err(error)
}

fn inner(left: &Operand, right: &Operand, whole: Span, sources: &SourceMap) -> Diagnostic {
    let (a, b) = (&left.shape.axes, &right.shape.axes);
    let (m, n) = (&a[a.len() - 1].size, &b[b.len().saturating_sub(2)].size);
    let which = if b.len() >= 2 { "second-to-last" } else { "only" };
    let sizes = format!("the last axis of the left is {m}, the {which} of the right is {n}");
    let message = format!("cannot multiply {} @ {}", left.shape, right.shape);
    let error = match operator_between(sources, whole, [left.at, right.at]) {
        Some(place) => {
            let label = format!("{} @ {}: {sizes}", left.shape.beside(), right.shape.beside());
            error("E0204", message, place, label)
        }
        None => error("E0204", message, whole, sizes)
            .and_at(left.at, left.shape.alone())
            .and_at(right.at, right.shape.alone()),
    };
    let error = right.label_where_made(left.label_where_made(error));
    let text = sources.text(right.at);
    let is_simple = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '\''));
    match b.len() >= 2 && b[b.len() - 1].size == *m {
        true if is_simple => error.suggest("the transpose fits", right.at, format!("{text}.T")),
        true => error.help("the transpose of the right side fits: `(…).T`"),
        false => error,
    }
}

/// The place of the operator between two operands.
fn operator_between(sources: &SourceMap, whole: Span, [left, right]: [Span; 2]) -> Option<Span> {
    let text = sources.text(whole);
    let (start, end) = (left.end.checked_sub(whole.start)?, right.start.checked_sub(whole.start)?);
    let between = text.get(start as usize..end as usize)?;
    let operator = between.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let known = ["+", "-", "*", "/", "@", "^", "==", "!=", "<", ">", "<=", ">=", "and", "or"];
    let offset = whole.start + start + between.find(operator)? as u32;
    known.contains(&operator).then(|| Span { start: offset, end: offset + operator.len() as u32, ..whole })
}

/// The name of an axis counted from the last, which is 1.
fn from_last(place: usize) -> String {
    match place {
        1 => "the last axis".to_owned(),
        2 => "the second-to-last axis".to_owned(),
        _ => format!("axis {place} from the last"),
    }
}

/// Adds to a message which axis differs.
pub fn explain_axes(error: Diagnostic, found: &Shape, wanted: &Shape) -> Diagnostic {
    let elements = |shape: &Shape| {
        let mut sizes = shape.axes.iter().map(|axis| axis.size.as_number());
        sizes.try_fold(1i64, |product, size| product.checked_mul(size?))
    };
    let fits = elements(found).is_some_and(|count| Some(count) == elements(wanted));
    let (found, wanted) = (&found.axes, &wanted.axes);
    if found.len() != wanted.len() {
        let sizes: Vec<String> = wanted.iter().map(|axis| axis.size.to_string()).collect();
        let error = match fits {
            true => error.help(format!("`reshape(…, [{}])` divides its elements into these axes", sizes.join(", "))),
            false if wanted.len() == 2 && found.len() > 2 => {
                error.help("`flatten(x)` joins all axes but the first, and `x[:, -1]` is the last step of a sequence: before the layer that gives the result")
            }
            false => error,
        };
        let is = if wanted.len() == 1 { "is" } else { "are" };
        let (found, wanted) = (count(found.len(), "axis", "axes"), count(wanted.len(), "axis", "axes"));
        return error.note(format!("{found} where {wanted} {is} declared"));
    }
    match found.iter().zip(wanted).position(|(a, b)| a.size != b.size) {
        Some(at) => error.note(format!("axis {at} is {} instead of {}", found[at].size, wanted[at].size)),
        None => error,
    }
}
