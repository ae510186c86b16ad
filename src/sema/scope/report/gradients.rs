//! What can be wrong with derivatives that functions declare.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with a function that has a `gradient`.
#[derive(Clone, Debug)]
pub enum GradientError {
    /// The result of the function.
    NotOneTensor { found: Value, at: Span },
    /// More values than arguments with derivatives.
    TooMany { found: usize, wanted: usize, function: ast::Name, at: Span },
    /// Of parameters as an argument.
    NotParameters { name: Arc<str>, found: Value, at: Span },
    /// The function depends on parameters that are no argument of it.
    ReadsParameters { path: Arc<str>, function: ast::Name, at: Span },
}

impl Problem for GradientError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            GradientError::NotOneTensor { found, at } => {
                let message = format!("a function with a `gradient` gives one tensor of floats, not {}", found.describe());
                error("E0893", message, *at, "this has no `adjoint`")
            }
            GradientError::TooMany { found, wanted, function, at } => {
                let message = format!("{found} values for {wanted} arguments of `{function}` that have derivatives");
                error("E0894", message, *at, "one for each, in the order of the parameters")
                    .and_at(function.span, "declared here")
                    .note("whole numbers, numbers known at compile time, functions and networks have none")
            }
            GradientError::NotParameters { name, found, at } => {
                let message = format!("the gradient of `{name}` must be parameters, found {}", found.describe());
                error("E0894", message, *at, "no parameters").help(format!("`grad(…, {name})` gives a value like `{name}`"))
            }
            GradientError::ReadsParameters { path, function, at } => {
                let message = format!("`{function}` declares its derivative, and depends on the parameter `{path}`");
                error("E0895", message, *at, format!("`{path}` would have no gradient"))
                    .and_at(function.span, "its `gradient` is by its arguments only")
                    .help("give the parameters as an argument, `w = cell.parameters`, and take the network `at w`; or say `stop_gradient`")
            }
        }
    }
}
