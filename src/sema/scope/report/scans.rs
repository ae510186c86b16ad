//! What can be wrong with recurrences.

use super::shapes::{Shape, explain_axes};
use super::{Cause, Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::Dim;
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with a `carry`.
#[derive(Clone, Debug)]
pub enum CarryError {
    /// Not directly in the body of its scan.
    Misplaced { name: ast::Name, at: Span },
    OutsideScan { at: Span },
    DeclaredTwice { name: ast::Name, first: Span },
    NoStart { name: ast::Name, at: Span },
    NeverChanges { name: ast::Name, scan: Span },
    /// The next value has another shape, or elements that the carry cannot hold.
    OtherType { name: ast::Name, start: Shape, next: Shape, loses: bool, at: Span, declared: Span },
    NoParameters { name: ast::Name, of: Arc<str>, next: Value, at: Span, declared: Span },
}

/// What is wrong with a `scan` and what it collects.
#[derive(Clone, Debug)]
pub enum ScanError {
    CollectOutside { at: Span },
    CollectedTwice { name: ast::Name, first: Span },
    /// The body ends with a value, which is lost.
    BodyValue { at: Span },
    NoSteps { steps: Dim, collected: ast::Name, at: Span },
    Axis { axis: i64, rank: usize, element: Shape, at: Span },
}

impl Problem for CarryError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            CarryError::Misplaced { name, at } => {
                let message = format!("the carry `{name}` does not stand directly in the body of its `scan`");
                error("E0514", message, *at, "inside another block")
                    .help("move it to the beginning of the scan's body")
            }
            CarryError::OutsideScan { at } => {
                error("E0118", "a carry stands in a `scan` only", *at, "there is no `scan` around this")
            }
            CarryError::DeclaredTwice { name, first } => {
                error("E0515", format!("the carry `{name}` is declared twice"), name.span, "declared again")
                    .and_at(*first, "declared here")
            }
            CarryError::NoStart { name, at } => {
                let message = format!("the carry `{name}` has no starting value");
                error("E0516", message, *at, "what is it worth before the first step?")
                    .help(format!("`carry {name}: [...] = 0` starts with zeros"))
            }
            CarryError::NeverChanges { name, scan } => {
                let message = format!("the carry `{name}` never changes");
                error("E0511", message, name.span, "no line of the body gives it a new value")
                    .and_at(*scan, "in this scan")
                    .help(format!(
                        "`{name} = …` gives the next value; what stays the same is bound before the scan"
                    ))
            }
            CarryError::OtherType { name, start, next, loses, at, declared } => {
                let message = format!("the carry `{name}` begins as {start} and becomes {next}");
                let error = error("E0512", message, *at, format!("the next value is {next}"))
                    .and_at(*declared, format!("{start} at the start"));
                let error = explain_axes(error, next, start);
                match loses {
                    true => error.help(format!("declare its type: `carry {name}: float = …`")),
                    false => error.help("a carry has one type in all steps"),
                }
            }
            CarryError::NoParameters { name, of, next, at, declared } => {
                let of = format!("the parameters of `{of}`");
                let message = format!("the carry `{name}` begins as {of} and becomes {}", next.describe());
                error("E0512", message, *at, "the next value")
                    .and_at(*declared, of)
                    .help("a carry has one type in all steps")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            CarryError::OutsideScan { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}

impl Problem for ScanError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ScanError::CollectOutside { at } => {
                error("E0118", "`collect` stands in a `scan` only", *at, "there is no `scan` around this")
            }
            ScanError::CollectedTwice { name, first } => {
                error("E0515", format!("`{name}` is collected twice"), name.span, "collected again")
                    .and_at(*first, "collected here")
                    .help("give one of them another name")
            }
            ScanError::BodyValue { at } => {
                error("E0006", "the body of a `scan` has no value", *at, "this is lost")
                    .help("bind it to a name, or `collect` it")
            }
            ScanError::NoSteps { steps, collected, at } => {
                let message = format!("a `scan` over {steps} steps has nothing to collect");
                error("E0513", message, *at, "no step is carried out")
                    .and_at(collected.span, format!("`{collected}` would be empty"))
            }
            ScanError::Axis { axis, rank, element, at } => {
                let message = format!("axis {axis} of a stack with {}", count(*rank, "axis", "axes"));
                error("E0517", message, *at, format!("the axes are 0 .. {rank}"))
                    .note(format!("each step gives {element}; the stack has one axis more"))
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            ScanError::CollectOutside { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}
