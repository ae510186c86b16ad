//! What the role of a definition promises and its body does not keep; what is required and does not hold.

use super::shapes::Shape;
use super::{Cause, Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::sema::value::Value;
use crate::syntax::ast::{self, Role};

/// A body that is not what its role promises.
#[derive(Clone, Debug)]
pub enum RoleError {
    /// More than one element is looked at, in a body that is for one at a time.
    NotElementwise { what: String, is_optimizer: bool, name: String, declared: Option<Span>, at: Span },
    /// An init makes another shape than it is asked for.
    OtherShape { init: ast::Name, found: Shape, wanted: Shape, at: Span, asked: Span },
    NoInput { activation: ast::Name },
    /// A parameter of an activation that is known at run time only.
    RunTimeParameter { activation: ast::Name, parameter: ast::Name, declared: Span, found: Value, at: Span },
    /// An activation gives another shape than it is given.
    ShapeNotKept { activation: ast::Name, result: Value, argument: Value, at: Span },
    /// A loss, metric or schedule that is no scalar.
    NotScalar { role: Role, name: ast::Name, found: Value, at: Span },
}

/// A condition of `require` or `advise` that does not hold.
#[derive(Clone, Debug)]
pub enum RequirementError {
    Fails {
        text: String,
        at: Span,
        /// The call, and the name of what it calls.
        call: Option<(Span, String)>,
        why: Option<Reason>,
    },
    /// `advise`: a warning.
    Advice { text: String, at: Span },
}

/// Why a condition does not hold.
#[derive(Clone, Debug)]
pub enum Reason {
    /// It fails at this step of the training.
    Step(u64),
    /// It compares sizes that are not known: in these words.
    OpenSizes(String),
}

impl Problem for RoleError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            RoleError::NotElementwise { what, is_optimizer, name, declared, at } => {
                let (code, word, label) = match is_optimizer {
                    true => ("E0620", "optimizer", "declared as an optimizer"),
                    false => ("E0111", "activation", "declared as an activation"),
                };
                let message = format!("the {word} `{name}` is not elementwise");
                let error = error(code, message, *at, format!("{what} looks at more than one element"));
                let error = match declared {
                    Some(declared) => error.and_at(*declared, label),
                    None => error,
                };
                match is_optimizer {
                    true => error.help(format!(
                        "`optimizer {name}(…)(param: [m, n]) {{ … }}` sees whole parameters; `clip_norm = 1` behind \
                         it scales by the norm of all gradients"
                    )),
                    false => error.help("`fn` declares a function of whole tensors"),
                }
            }
            RoleError::OtherShape { init, found, wanted, at, asked } => {
                let message = format!("the init `{init}` makes {found} where {wanted} is asked for");
                error("E0114", message, *at, format!("this is {found}"))
                    .and_at(*asked, format!("{wanted} is asked for here"))
            }
            RoleError::NoInput { activation } => {
                let message = format!("the activation `{activation}` has no input");
                error("E0111", message, activation.span, "its first parameter is the value")
            }
            RoleError::RunTimeParameter { activation, parameter, declared, found, at } => {
                let message = format!(
                    "`{parameter}` of the activation `{activation}` must be a compile-time number, found {}",
                    found.describe()
                );
                error("E0111", message, *at, "known at run time only").and_at(*declared, "declared here")
            }
            RoleError::ShapeNotKept { activation, result, argument, at } => {
                let message = format!("the activation `{activation}` does not keep the shape");
                error("E0111", message, *at, format!("gives {}", result.describe()))
                    .note(format!("its argument is {}", argument.describe()))
                    .help("`fn` declares a function of whole tensors")
            }
            RoleError::NotScalar { role, name, found, at } => {
                let code = match role {
                    Role::Loss => "E0112",
                    Role::Metric => "E0113",
                    _ => "E0115",
                };
                let (role, found) = (role.keyword(), found.describe());
                let message = format!("the {role} `{name}` must be a scalar, found {found}");
                error(code, message, *at, format!("this is {found}"))
                    .and_at(name.span, format!("declared as a {role}"))
                    .help("`mean(…)` or `sum(…)` makes one number of it")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            RoleError::NotElementwise { is_optimizer: true, .. } | RoleError::OtherShape { .. } => Cause::Program,
            RoleError::NotScalar { role, .. } if !matches!(role, Role::Loss | Role::Metric) => Cause::Program,
            _ => Cause::AnySizes,
        }
    }
}

impl Problem for RequirementError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            RequirementError::Fails { text, at, call, why } => {
                let error = error("E0120", text, *at, "this does not hold");
                // Where the values come from is where the mistake is.
                let error = match call {
                    Some((call, name)) => error.and_at(*call, format!("required by `{name}`")),
                    None => error,
                };
                match why {
                    Some(Reason::Step(step)) => error.note(format!("it fails at step {step} of the training")),
                    Some(Reason::OpenSizes(why)) => error.note(why),
                    None => error,
                }
            }
            RequirementError::Advice { text, at } => {
                Diagnostic::warning("W0611", text).at(*at, "this does not hold")
            }
        }
    }
}
