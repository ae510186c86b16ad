//! What can be wrong with settings of items, and with the arguments of the calls that read data.

use super::names::called_here;
use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, foreign, nearest};
use crate::sema::settings::{Call, Group, Setting};
use crate::syntax::ast;
use std::sync::Arc;

/// A call of a table of [`crate::sema::settings`] whose arguments do not fit its parameters.
#[derive(Clone, Debug)]
pub enum ArgumentError {
    GivenTwice {
        call: &'static Call,
        parameter: &'static str,
        at: Span,
        first: Span,
    },
    Missing {
        call: &'static Call,
        parameter: &'static Setting,
        at: Span,
    },
    /// An argument by position too many.
    TooMany {
        call: &'static Call,
        at: Span,
    },
    /// An argument of a name that the call has not.
    Unknown {
        call: &'static Call,
        name: ast::Name,
    },
}

/// A line of an item that is none of its settings.
#[derive(Clone, Debug)]
pub enum SettingError {
    SetTwice {
        group: &'static Group,
        name: ast::Name,
        first: Span,
    },
    Unknown {
        group: &'static Group,
        name: ast::Name,
        /// The optimizer of the same item, if it has a hyperparameter of this name.
        optimizer: Option<Arc<str>>,
    },
    /// The table has it, and nothing reads it: a mistake of the compiler.
    NotRead {
        name: ast::Name,
    },
    /// `split = …` in a `data` item.
    SplitAsField {
        at: Span,
    },
    /// A field of a `data` item that holds a constant has the name of a setting of `place`.
    SettingAsField {
        name: ast::Name,
        place: &'static str,
    },
}

impl Problem for ArgumentError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ArgumentError::GivenTwice { call, parameter, at, first } => {
                let message = format!("`{parameter}` of `{}` is given twice", call.name);
                error(call.code, message, *at, "given again").and_at(*first, "given first")
            }
            ArgumentError::Missing { call, parameter, at } => {
                let message = format!("`{}` needs {}", call.name, parameter.word());
                error(call.code, message, *at, format!("no `{}`", parameter.name))
                    .help(format!("write `{}`", call.example()))
            }
            ArgumentError::TooMany { call, at } => {
                let message = match call.named_only {
                    0 => format!("`{}` takes no argument without a name", call.name),
                    1 => format!("`{}` takes one argument without a name", call.name),
                    several => format!("`{}` takes {several} arguments", call.name),
                };
                let error = error(call.code, message, *at, "one too many");
                let named = &call.names()[call.named_only..];
                match named {
                    _ if call.name == "column" => error.help("`columns(\"a\", \"b\")` reads several columns"),
                    [] => error,
                    [..] => error.help(format!("further ones are given by name: {}", list_names(named))),
                }
            }
            ArgumentError::Unknown { call, name } => unknown_argument(call, name),
        }
    }
}

fn unknown_argument(call: &Call, name: &ast::Name) -> Diagnostic {
    let names = call.names();
    let message = format!("`{}` has no option `{name}`", call.name);
    let error = error(call.code, message, name.span, "not an option");
    let begins = names.iter().copied().find(|known| name.as_str().len() > 2 && known.starts_with(name.as_str()));
    let near = begins.or_else(|| nearest(name.as_str(), names.iter().copied()));
    match (near, names.as_slice()) {
        (Some(near), _) => error.suggest(format!("did you mean `{near}`?"), name.span, near),
        (None, []) => error.help("it takes nothing"),
        (None, names) => error.help(format!("it takes {}", list_names(names))),
    }
}

impl Problem for SettingError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            SettingError::SetTwice { group, name, first } => {
                error(group.code, format!("`{name}` is set twice"), name.span, "set again here")
                    .and_at(*first, "set here")
            }
            SettingError::Unknown { group, name, optimizer } => unknown_setting(group, name, optimizer.as_deref()),
            SettingError::NotRead { name } => {
                Diagnostic::fault(format!("the setting `{}` is not read", name.text)).at(name.span, "")
            }
            SettingError::SplitAsField { at } => {
                let label = "a line of its own, not a field";
                error("E0606", "the parts of a split have names", *at, label)
                    .help("write `split train = 0.8, test = 0.2`")
            }
            SettingError::SettingAsField { name, place } => {
                let message = format!("`{name}` is an option of `{place}`, not a field");
                error("E0637", message, name.span, "one constant for all rows").help(match *place {
                    "split" => format!("write it in the line `split train = 0.8, test = 0.2, {name} = …`"),
                    "csv" | "column" | "labels" => {
                        format!("write it in the call: `{place}(\"…\", {name} = …)`")
                    }
                    _ => format!(
                        "write it in the `{place}`, or give a field of this name its type: `{name}: [] = …`"
                    ),
                })
            }
        }
    }
}

/// An item has no such setting: what is near, where else there is one, or all that there are.
fn unknown_setting(group: &'static Group, name: &ast::Name, optimizer: Option<&str>) -> Diagnostic {
    let kind = with_article(group.word);
    let message = format!("`{name}` is not {kind} of `{}`", group.item);
    let error = error(group.code, message, name.span, format!("not {kind}"));
    if let Some(optimizer) = optimizer {
        return error.help(format!("it belongs to the optimizer: `{optimizer}({name} = …)`"));
    }
    let names = group.names();
    if let Some(row) = group.foreign.and_then(|rows| foreign::find(rows, name.as_str())) {
        return called_here(error, row, name.span);
    }
    if let Some(near) = nearest(name.as_str(), names.iter().copied()) {
        return error.suggest(format!("did you mean `{near}`?"), name.span, near);
    }
    let other = crate::sema::settings::GROUPS.iter().find(|other| other.names().contains(&name.as_str()));
    match (other, names.as_slice()) {
        (Some(other), _) => error.help(format!("it is one of `{}`", other.item)),
        (None, [one]) => error.help(format!("the only {} is `{one}`", group.word)),
        (None, names) => error.help(format!("{}s are {}", group.word, list_names(names))),
    }
}

/// "a setting", "an option"
fn with_article(word: &str) -> String {
    let an = if word.starts_with('o') { "an" } else { "a" };
    format!("{an} {word}")
}
