//! The functions that the language itself gives, in a table. Everything that can be written in the language
//! is in the prelude instead.

mod known;
mod makers;
mod math;
mod reductions;
mod shapes;
pub mod special;
mod whole;

use crate::sema::body::elaborator::{Elaborator, Expected};
use crate::sema::build::elementwise::Arg;
use crate::sema::build::tensors::count;
use crate::sema::value::Value;
use crate::base::{Diagnostic, Span};
use crate::syntax::ast;
use std::sync::Arc;

/// A function of the language.
#[derive(Debug)]
pub struct Builtin {
    pub name: &'static str,
    /// As a user would declare them: `x, axis = none`; those after `*` are always named.
    pub parameters: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Element by element: may stand in activations and hands a declared shape down to its arguments.
    pub elementwise: bool,
    pub run: fn(&mut Elaborator<'_>, &Arguments) -> Value,
    /// For those that need their arguments unevaluated.
    pub special: Option<Special>,
}

/// A line of the table.
const fn builtin(
    name: &'static str,
    parameters: &'static str,
    doc: &'static str,
    run: fn(&mut Elaborator<'_>, &Arguments) -> Value,
) -> Builtin {
    Builtin { name, parameters, doc, elementwise: false, run, special: None }
}

const fn elementwise(
    name: &'static str,
    parameters: &'static str,
    doc: &'static str,
    run: fn(&mut Elaborator<'_>, &Arguments) -> Value,
) -> Builtin {
    Builtin { elementwise: true, ..builtin(name, parameters, doc, run) }
}

pub type Special = fn(&mut Elaborator<'_>, &ast::Args, Span, Option<&Arc<str>>) -> Value;

/// An argument that was worked out.
#[derive(Clone, Debug)]
pub struct Given {
    pub name: Option<ast::Name>,
    pub value: Value,
    pub span: Span,
}

/// The arguments of a call of a builtin, by parameter.
pub struct Arguments {
    pub builtin: &'static Builtin,
    values: Vec<(&'static str, Option<Given>)>,
    pub span: Span,
    pub expected: Option<Expected>,
}

const TABLES: [&[Builtin]; 7] = [
    math::BUILTINS,
    whole::BUILTINS,
    reductions::BUILTINS,
    shapes::BUILTINS,
    makers::BUILTINS,
    known::BUILTINS,
    special::BUILTINS,
];

pub fn find(name: &str) -> Option<&'static Builtin> {
    all().find(|builtin| builtin.name == name)
}

pub fn all() -> impl Iterator<Item = &'static Builtin> {
    TABLES.into_iter().flatten()
}

pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|builtin| builtin.name)
}

/// Puts the arguments in order and evaluates the function.
pub fn call(
    elaborator: &mut Elaborator<'_>,
    builtin: &'static Builtin,
    given: Vec<Given>,
    span: Span,
    expected: Option<&Expected>,
) -> Value {
    let (positional, named) = match builtin.parameters.split_once("*") {
        Some((before, after)) => (before.trim_end_matches(", ").trim_end(), after.trim_start_matches(", ")),
        None => (builtin.parameters, ""),
    };
    let split = |text: &'static str| text.split(", ").filter(|part| !part.is_empty());
    let declared: Vec<&'static str> = split(positional).chain(split(named)).collect();
    let n_positional = split(positional).count();
    let names: Vec<&'static str> =
        declared.iter().map(|text| text.split(" =").next().unwrap_or(text)).collect();
    let many = given.iter().filter(|given| given.name.is_none()).nth(n_positional);
    if let (Some(extra), true) = (many, n_positional < names.len()) {
        let message = format!(
            "`{}` takes {}",
            builtin.name,
            count(n_positional, "positional argument", "positional arguments")
        );
        let error = Diagnostic::error("E0106", message).at(extra.span, "one too many");
        let text = elaborator.text(extra.span);
        let help = format!("{} is named: `{} = {text}`", names[n_positional], names[n_positional]);
        elaborator.report(error.help(help));
        return Value::Error;
    }
    let Some(places) = elaborator.place_arguments(&names, given, builtin.name, Span::default()) else {
        return Value::Error;
    };
    for ((text, name), place) in declared.iter().zip(&names).zip(&places) {
        if place.is_none() && !text.contains('=') {
            let message = format!("`{}` needs `{name}`", builtin.name);
            let error = Diagnostic::error("E0107", message).at(span, format!("`{name}` is missing"));
            elaborator.report(error.note(format!("`{}({})`", builtin.name, builtin.parameters)));
            return Value::Error;
        }
    }
    if places.iter().flatten().any(|given| given.value.is_error()) {
        return Value::Error;
    }
    let values = names.into_iter().zip(places).collect();
    let arguments = Arguments { builtin, values, span, expected: expected.cloned() };
    (builtin.run)(elaborator, &arguments)
}

impl Arguments {
    pub fn get(&self, name: &str) -> Option<&Given> {
        let found = self.values.iter().find(|(it, _)| *it == name)?.1.as_ref();
        found.filter(|given| !matches!(given.value, Value::None))
    }

    /// A required argument.
    pub fn arg(&self, name: &str) -> Arg<'_> {
        match self.get(name) {
            Some(given) => Arg { value: &given.value, span: given.span },
            None => Arg { value: &Value::None, span: self.span },
        }
    }

    /// A compile-time bool, `false` if it is not given. `None` is reported.
    pub fn flag(&self, elaborator: &mut Elaborator<'_>, name: &str) -> Option<bool> {
        match self.get(name) {
            None => Some(false),
            Some(given) => match given.value.as_bool() {
                Some(value) => Some(value),
                None => {
                    let message = format!("`{name}` must be true or false, found {}", given.value.describe());
                    elaborator.error("E0116", message, given.span, "not a compile-time bool");
                    None
                }
            },
        }
    }
}

impl Elaborator<'_> {
    /// An axis number; negative ones count from the end. `None` is reported.
    pub fn axis(&mut self, value: &Value, rank: usize, span: Span) -> Option<usize> {
        let Some(axis) = value.as_int() else {
            self.whole_error(value, "an axis", span);
            return None;
        };
        let place = if axis < 0 { axis + rank as i64 } else { axis };
        if !(0..rank as i64).contains(&place) {
            let message = format!("axis {axis} of a tensor with {}", count(rank, "axis", "axes"));
            let label = if rank == 0 {
                "a scalar has no axes".to_string()
            } else {
                format!("axes are 0 to {}, or -{rank} to -1", rank - 1)
            };
            self.error("E0209", message, span, label);
            return None;
        }
        Some(place as usize)
    }
}
