//! What can be wrong with layers and models: their instances, parameters and states.

use super::{Cause, Problem, error};
use crate::base::{Diagnostic, SourceMap, Span, foreign, nearest};
use crate::ir::Type;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Axis, Value, show_axes};
use std::sync::Arc;

/// What is made in the body of a layer or model.
#[derive(Clone, Debug)]
pub enum Made {
    Instance(String),
    Repeat(String),
    Parameter,
    State,
}

/// What is wrong with what the body of a layer makes.
#[derive(Clone, Debug)]
pub enum MakingError {
    /// Outside of the bodies of layers and models.
    NotHere { made: Made, at: Span },
    InScan { made: Made, at: Span },
    CalledT { at: Span },
    /// Made again, here or in another turn of a loop.
    Twice { name: String, at: Span, first: Span },
}

/// What is wrong with a parameter or a state.
#[derive(Clone, Debug)]
pub enum VariableError {
    NotFloats { name: Arc<str>, at: Span },
    /// Its shape depends on a size that has no number; said with a reason where it is declared.
    OpenShape { path: Arc<str>, ty: Type, is_declared: bool, at: Span },
    NoStart { path: Arc<str>, at: Span },
    NoType { path: Arc<str>, at: Span },
    /// Two calls need different shapes: the outermost calls that differ.
    DifferentShapes { path: Arc<str>, is_state: bool, known: Type, needed: Vec<Axis>, calls: Option<(Span, Span)>, at: Span },
    /// A starting value depends on an input, or on another computation.
    StartNotKnown { of: Option<Arc<str>>, at: Span },
    /// `<-` of what is no state.
    NotState { name: Arc<str>, bound: Option<(BindingKind, Span)>, at: Span },
    UpdatedInScan { name: Arc<str>, at: Span, declared: Span },
}

/// What is wrong with `base.name`.
#[derive(Clone, Debug)]
pub enum MemberError {
    /// A value that has no fields. A function of the name may be meant.
    NoFields { found: Value, name: Arc<str>, is_function: bool, base: Span, at: Span },
    NoParameter { found: Value, name: String, known: Vec<String>, at: Span },
    /// A set of parameters has no part of this name.
    NotInSet { set: Arc<str>, name: String, paths: Vec<Arc<str>>, at: Span },
}

impl Problem for MakingError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            MakingError::NotHere { made, at } => match made {
                Made::Instance(layer) => not_made_here("an instance", layer, *at),
                Made::Repeat(layer) => not_made_here("`repeat`", layer, *at),
                Made::Parameter | Made::State => {
                    let word = made.word();
                    let label = format!("a {word} stands in the body of a layer or model");
                    error("E0118", format!("a {word} cannot be declared here"), *at, label)
                }
            },
            MakingError::InScan { made, at } => {
                let what = match made {
                    Made::Instance(layer) => format!("an instance of `{layer}` cannot be made in a `scan`"),
                    Made::Repeat(layer) => format!("`repeat` of `{layer}` cannot be made in a `scan`"),
                    Made::Parameter | Made::State => {
                        format!("a {} cannot be declared in a `scan`", made.word())
                    }
                };
                let label = match made {
                    Made::Instance(_) | Made::Repeat(_) => "make it before the scan and call it here",
                    Made::Parameter | Made::State => "declare it before the scan",
                };
                error("E0118", what, *at, label)
            }
            MakingError::CalledT { at } => {
                let message = "no parameter, state or instance may be called `T`";
                error("E0005", message, *at, "`.T` swaps the last two axes")
            }
            MakingError::Twice { name, at, first } => {
                let message = format!("`{name}` is made twice in this body");
                match first == at {
                    true => error("E0128", message, *at, "made in every turn of the loop")
                        .help(format!("in a `for` give each its own name: `{name}{{l}} = …`")),
                    false => error("E0128", message, *at, "made again here")
                        .and_at(*first, "made here")
                        .help("parameters are found by their names: give one of the two another name"),
                }
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            MakingError::NotHere { .. } | MakingError::InScan { .. } => Cause::AnySizes,
            MakingError::CalledT { .. } | MakingError::Twice { .. } => Cause::Program,
        }
    }
}

fn not_made_here(what: &str, layer: &str, at: Span) -> Diagnostic {
    let label = "instances are made in the bodies of layers and models";
    error("E0118", format!("{what} of `{layer}` cannot be made here"), at, label)
}

impl Made {
    fn word(&self) -> &'static str {
        match self {
            Made::Parameter => "parameter",
            Made::State => "state",
            Made::Instance(_) | Made::Repeat(_) => "instance",
        }
    }
}

impl Problem for VariableError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            VariableError::NotFloats { name, at } => {
                let message = format!("the parameter `{name}` is not made of floats");
                error("E0125", message, *at, "whole numbers cannot be trained")
                    .help("`param … frozen` stays as it is, `state` is updated by `<-`")
            }
            VariableError::OpenShape { path, ty, is_declared, at } => {
                let message = format!("the shape {ty} of `{path}` is not known");
                let error = error("E0221", message, *at, "depends on a free dimension");
                match is_declared {
                    true => error.note(
                        "the sizes of parameters and states are the same for every batch, so they must be numbers",
                    ),
                    false => error,
                }
            }
            VariableError::NoStart { path, at } => {
                let message = format!("the parameter `{path}` has no starting value");
                error("E0125", message, *at, "what is it worth before the first step?")
                    .help("`= uniform(-k, k)` or an init such as `= he()` draws it, `= 0` fills it")
            }
            VariableError::NoType { path, at } => {
                error("E0216", format!("no shape is declared for `{path}`"), *at, "give it a type or a value")
            }
            VariableError::DifferentShapes { path, is_state, known, needed, calls, at } => {
                let word = if *is_state { "state" } else { "parameter" };
                let needed = show_axes(known.elem, needed);
                let message = format!("the {word} `{path}` would be {known} for one call and {needed} for another");
                let error = error("E0220", message, *at, "one parameter has one shape");
                match calls {
                    Some((this, other)) => error
                        .and_at(*other, format!("this call needs {known}"))
                        .and_at(*this, format!("this one needs {needed}")),
                    None => error,
                }
            }
            VariableError::StartNotKnown { of, at } => {
                let error = match of {
                    Some(path) => {
                        let message = format!("the starting value of `{path}` depends on an input");
                        error("E0125", message, *at, "not known before the first step")
                    }
                    None => {
                        let label = "this needs a tensor of another computation";
                        error("E0125", "a value that is not available here", *at, label)
                    }
                };
                error.note(
                    "starting values use compile-time values, makers such as `uniform`, other parameters and states, \
                     and columns of data, not inputs",
                )
            }
            VariableError::NotState { name, bound, at } => {
                let error = error("E0501", format!("`{name}` is not a state"), *at, "`<-` updates states");
                match bound {
                    Some((kind, place)) => {
                        let error = error.and_at(*place, format!("a {}", kind.word()));
                        match kind {
                            BindingKind::Param => error
                                .help("parameters are updated by the optimizer of a `train`, nowhere else"),
                            _ => error.help(how_to_declare(name)),
                        }
                    }
                    None => error.help(how_to_declare(name)),
                }
            }
            VariableError::UpdatedInScan { name, at, declared } => {
                error("E0502", format!("the state `{name}` is updated in a `scan`"), *at, "updated here")
                    .and_at(*declared, "declared here")
                    .help("use a carry, and update the state after the scan")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            VariableError::NoStart { .. } | VariableError::StartNotKnown { .. } => Cause::NoStart,
            _ => Cause::Program,
        }
    }
}

fn how_to_declare(name: &str) -> String {
    format!("`state {name} = …` declares one, `{name} = …` binds a name")
}

impl Problem for MemberError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            MemberError::NoFields { found, name, is_function, base, at } => {
                let message = format!("{} has no field `{name}`", found.describe());
                let error = error("E0129", message, *at, "only layers, models and data have fields");
                let base = sources.text(*base);
                match foreign::find(foreign::METHODS, name) {
                    Some(row) => error.help(row.advice),
                    None if *is_function && base.len() < 40 => {
                        error.help(format!("functions are called with what they work on: `{name}({base})`"))
                    }
                    None => error,
                }
            }
            MemberError::NoParameter { found, name, known, at } => {
                let message = format!("{} has no parameter `{name}`", found.describe());
                let error = error("E0129", message, *at, "not known");
                let near = nearest(name, known.iter().map(String::as_str));
                match (near, foreign::find(foreign::METHODS, name)) {
                    (Some(near), _) => error.suggest(format!("did you mean `{near}`?"), *at, near),
                    (None, Some(row)) => error.help(row.advice),
                    (None, None) if known.is_empty() => error.help(
                        "the shapes of its parameters are known after it has been called; call it above this line",
                    ),
                    (None, None) => error.help(format!("it has {}", known.join(", "))),
                }
            }
            MemberError::NotInSet { set, name, paths, at } => {
                error("E0129", format!("the parameters of `{set}` have no `{name}`"), *at, "not known")
                    .help(format!("they are {}", paths.join(", ")))
            }
        }
    }
}
