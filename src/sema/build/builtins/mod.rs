//! The functions that the language itself gives, in a table. Everything that can be written in the language
//! is in the prelude instead.

mod known;
mod makers;
mod math;
mod reductions;
mod shapes;
pub mod special;
mod whole;

use crate::sema::build::Builder;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::report::calls::ArgumentError;
use crate::sema::scope::report::functions::AxisError;
use crate::sema::scope::report::values::ValueError;
use crate::sema::value::{Builtin as Function, Given, Value};
use crate::base::Span;

/// A line of the table: a function, and what it does.
#[derive(Debug)]
pub struct Builtin {
    pub function: Function,
    pub run: fn(&mut Builder<'_>, &Arguments) -> Value,
}

const fn builtin(
    name: &'static str,
    parameters: &'static str,
    doc: &'static str,
    run: fn(&mut Builder<'_>, &Arguments) -> Value,
) -> Builtin {
    Builtin { function: Function { name, parameters, doc, elementwise: false, special: None }, run }
}

const fn elementwise(
    name: &'static str,
    parameters: &'static str,
    doc: &'static str,
    run: fn(&mut Builder<'_>, &Arguments) -> Value,
) -> Builtin {
    Builtin { function: Function { name, parameters, doc, elementwise: true, special: None }, run }
}

/// The arguments of a call of a builtin, by parameter.
pub struct Arguments {
    pub builtin: &'static Function,
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

pub fn find(name: &str) -> Option<&'static Function> {
    line(name).map(|builtin| &builtin.function)
}

fn line(name: &str) -> Option<&'static Builtin> {
    TABLES.into_iter().flatten().find(|builtin| builtin.function.name == name)
}

pub fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.into_iter().flatten().map(|builtin| &builtin.function)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|builtin| builtin.name)
}

/// Puts the arguments in order and evaluates the function.
pub fn call(
    cx: &mut Builder<'_>,
    builtin: &'static Function,
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
        let (function, next) = (builtin.name, names[n_positional]);
        return cx.report(ArgumentError::Named { function, takes: n_positional, next, at: extra.span });
    }
    let Some(places) = cx.place_arguments(&names, given, builtin.name, Span::NONE) else {
        return Value::Error;
    };
    for ((text, name), place) in declared.iter().zip(&names).zip(&places) {
        if place.is_none() && !text.contains('=') {
            return cx.report(ArgumentError::MissingOf { function: builtin, parameter: name, at: span });
        }
    }
    if places.iter().flatten().any(|given| given.value.is_error()) {
        return Value::Error;
    }
    let values = names.into_iter().zip(places).collect();
    let arguments = Arguments { builtin, values, span, expected: expected.cloned() };
    line(builtin.name).map_or(Value::Error, |line| (line.run)(cx, &arguments))
}

impl Arguments {
    pub fn get(&self, name: &str) -> Option<&Given> {
        let given = self.values.iter().find(|(parameter, _)| *parameter == name)?.1.as_ref();
        given.filter(|given| !matches!(given.value, Value::None))
    }

    /// A required argument.
    pub fn arg(&self, name: &str) -> Arg<'_> {
        match self.get(name) {
            Some(given) => Arg { value: &given.value, span: given.span },
            None => Arg { value: &Value::None, span: self.span },
        }
    }

    /// A compile-time bool, `false` if it is not given. `None` is reported.
    pub fn flag(&self, cx: &mut Builder<'_>, name: &str) -> Option<bool> {
        match self.get(name) {
            None => Some(false),
            Some(given) => match given.value.as_bool() {
                Some(value) => Some(value),
                None => {
                    let (parameter, found) = (name.to_owned(), given.value.clone());
                    cx.report(ValueError::NotFlag { parameter, found, at: given.span });
                    None
                }
            },
        }
    }
}

impl Builder<'_> {
    /// An axis number; negative ones count from the end. `None` is reported.
    pub fn axis(&mut self, value: &Value, rank: usize, span: Span) -> Option<usize> {
        let Some(axis) = value.as_int() else {
            self.whole_error(value, "an axis", span);
            return None;
        };
        let place = if axis < 0 { axis + rank as i64 } else { axis };
        if !(0..rank as i64).contains(&place) {
            self.report(AxisError::Outside { axis, rank, at: span });
            return None;
        }
        Some(place as usize)
    }
}

impl Builder<'_> {
    pub fn call_builtin(
        &mut self,
        builtin: &'static Function,
        given: Vec<Given>,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        if given.iter().any(|given| matches!(given.value, Value::Parameters(_)))
            && let Some(value) = self.set_builtin(builtin, &given, span)
        {
            return value;
        }
        if !builtin.elementwise
            && self.in_elementwise_body()
            && given.iter().any(|given| given.value.is_run_time())
        {
            return self.not_elementwise(&format!("`{}`", builtin.name), span);
        }
        let kept = given.clone();
        let value = call(self, builtin, given, span, expected);
        self.note_call(builtin.name, &kept, &value);
        value
    }
}
