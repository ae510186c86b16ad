//! A name that means nothing where it stands, and how it is told.

use crate::base::foreign;
use crate::base::nearest;
use crate::syntax::ast;
use crate::base::foreign::Foreign;
use super::{Problem, list_names};
use crate::base::{Diagnostic, SourceMap, Span};

/// A name that is not known, and what was probably meant by it.
#[derive(Clone, Debug)]
pub struct UnknownName {
    pub name: String,
    pub at: Span,
    pub meant: Option<Meant>,
}

/// What was probably meant by a name.
#[derive(Clone, Debug)]
pub enum Meant {
    /// A constant of the language, written in another way.
    Constant(&'static str),
    /// A name that is spelt almost so.
    Near(String),
    /// One of these, the only names that may stand here: data sets, optimizers.
    OneOf { what: &'static str, names: Vec<String> },
    /// What another language or library calls so.
    Elsewhere { row: &'static Foreign, replaced: Span },
    /// `a'`, the transpose of a.
    Transposed(String),
    /// `torch.nn.Linear`: a name of the library behind a module.
    WithoutModule(String),
    /// A module of another library, with a name that the library has not.
    Module,
    /// A field of the data that is declared below.
    FieldBelow(Span),
    /// A field of a data set, outside of its trainings.
    Column { set: String },
    /// `epoch` where no training is at work.
    Epoch,
    /// The number of the training step.
    Step,
    Plateaus,
    /// The size of an axis, in a type.
    Size,
    /// An index of index notation.
    Index,
    /// What gets its value below, or by the very line that uses it.
    TooEarly { given: Span, how: TooEarly },
}

/// How a name is used before it has its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooEarly {
    /// By a definition of index notation that uses itself.
    InItsDefinition,
    /// By the line of a scan that gives it its value.
    InScan,
    InItsLine,
    Above,
}

impl Problem for UnknownName {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let UnknownName { name, at, meant } = self;
        let error = Diagnostic::error("E0101", format!("`{name}` is not known here")).at(*at, "not known");
        match meant {
            Some(meant) => meant.explain(error, name, *at),
            None => error,
        }
    }
}

impl Meant {
    fn explain(&self, error: Diagnostic, name: &str, at: Span) -> Diagnostic {
        match self {
            Meant::Constant(constant) => {
                let error = error.suggest(format!("it is written `{constant}`"), at, *constant);
                match *constant {
                    "none" => error.help("an axis of size 1 is made by `new`: `x[:, new]`"),
                    _ => error,
                }
            }
            Meant::Near(near) => error.suggest(format!("did you mean `{near}`?"), at, near.as_str()),
            Meant::OneOf { what, names } => match names.as_slice() {
                [] => error.help(format!("the program has no {what}")),
                [only] => error.help(format!("the only {what} is `{only}`")),
                names => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    error.help(format!("{what}s are {}", list_names(&names)))
                }
            },
            Meant::Elsewhere { row, replaced } => called_here(error, row, *replaced),
            Meant::Transposed(name) => {
                error.suggest(format!("the transpose of `{name}` is written"), at, format!("{name}.T"))
            }
            Meant::WithoutModule(same) => {
                error.suggest("the library has no modules: write", at, same.as_str())
            }
            Meant::Module => error.help(
                "the library has no modules, its names stand alone: `Linear(8)`; `nnc doc` lists them",
            ),
            Meant::FieldBelow(field) => {
                error.and_at(*field, "this field stands below").help("a field may use those above it")
            }
            Meant::Column { set } => error
                .help(format!("outside of losses and metrics of this data, `{set}.{name}` is the whole column")),
            Meant::Epoch => error.help("`epoch` is given in the braces of `every`, within a `train`"),
            Meant::Step => error.help("`step` is given in optimisers, schedules, the losses of `minimize` and the braces of `every`"),
            Meant::Plateaus => error.help("`plateaus` is given in schedules that are arguments of optimizers"),
            Meant::Size => {
                error.help("a size is a number, or a name from the type of an input: `x: [B, 4]` gives B")
            }
            Meant::Index => error.help(format!(
                "an index is introduced on the left-hand side, `y[{name}] = …`, or by a reducer, `sum[{name}](…)`"
            )),
            Meant::TooEarly { given, how: TooEarly::InItsDefinition } => error
                .and_at(*given, "this is what is being defined")
                .help("a recurrence is a `scan` with a `carry`"),
            Meant::TooEarly { given, how: TooEarly::InScan } => error
                .and_at(*given, "this line gives it its value")
                .help(format!("`carry {name} = 0` at the top of the scan passes it on from step to step")),
            Meant::TooEarly { given, how: TooEarly::InItsLine } => {
                error.and_at(*given, "this very line gives it its value")
            }
            Meant::TooEarly { given, how: TooEarly::Above } => {
                error.and_at(*given, "it gets its value below")
            }
        }
    }
}

/// Adds what a name from elsewhere is called here.
pub fn called_here(error: Diagnostic, row: &Foreign, span: Span) -> Diagnostic {
    match (row.here, row.advice) {
        ("", advice) => error.help(advice),
        (here, "") => error.suggest(format!("it is called `{here}` here"), span, here),
        (here, advice) => error.note(advice).suggest(format!("it is called `{here}` here"), span, here),
    }
}

/// Completes the report of an argument that a function with these parameters does not have.
pub fn meant_parameter(error: Diagnostic, name: &ast::Name, names: &[&str]) -> Diagnostic {
    let text = name.as_str();
    let same = names.iter().find(|known| foreign::folded(known) == foreign::folded(text));
    let row = foreign::rows(foreign::ARGUMENTS, text)
        .find(|row| row.here.is_empty() || names.contains(&row.here))
        .filter(|_| same.is_none());
    if let Some(row) = row {
        return match row.here {
            "" => error.help(row.advice),
            here => error.suggest(format!("it is called `{here}` here"), name.span, here),
        };
    }
    match nearest(text, names.iter().copied()) {
        Some(near) => error.suggest(format!("did you mean `{near}`?"), name.span, near),
        None if !names.is_empty() => error.help(format!("it has {}", names.join(", "))),
        None => error,
    }
}
