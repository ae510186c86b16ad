//! The settings of items and the calls that read data, a line each: name, what it takes, default, meaning.
//!
//! Everything about them is made from these tables: which there are, what messages offer, which arguments are
//! taken, and the page `docs/settings.md`. An argument that the table does not have never gets past
//! [`Elaborator::arguments`], and a setting never past [`Elaborator::setting`].

mod tables;

use crate::sema::body::elaborator::Elaborator;
use super::items::columns::list_names;
use crate::sema::scope::report::names::called_here;
use crate::base::{Diagnostic, Span, foreign, nearest};
use crate::syntax::ast;

pub use tables::{COLUMNS, DATA, GENERATE, GROUPS, MINIMIZE, PLOT, SOURCES, SPLIT, TRAIN, VALUES};

/// What a setting or an argument takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// A whole number of at least 1.
    Count,
    /// A whole number.
    Whole,
    /// A number above 0.
    Positive,
    /// `true` or `false`.
    Flag,
    Text,
    /// A string of one character.
    Character,
    /// A list of strings.
    Texts,
    /// A data set, or a part of one.
    Data,
    /// `patience(n)`
    Patience,
    /// `safetensors("file")`
    Parameters,
    /// The number or the name of a column.
    Column,
    /// `0:4`, or names.
    ColumnRange,
    /// `mean`, `median`, `mode`, or a number.
    Filling,
    /// An int for each row of data.
    RowNumber,
    /// Any expression.
    Expression,
}

/// A setting of an item, or a parameter of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub takes: Takes,
    pub default: Default,
    /// One line, without a full stop.
    pub doc: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// It must be given.
    Needed,
    /// Without it there is nothing of the kind.
    Nothing,
    /// What it is if it is not given.
    Is(&'static str),
}

/// The settings of one kind of item.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// `train`
    pub item: &'static str,
    /// What they are called.
    pub word: &'static str,
    /// The code of an error about its settings.
    pub code: &'static str,
    pub settings: &'static [Setting],
}

/// A call that is no function of the language: a source, a reader of columns, a value of a setting.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub name: &'static str,
    /// In order; those from `named_only` on are given by name only.
    pub parameters: &'static [Setting],
    pub named_only: usize,
    /// Whether the last parameter that has no name takes all further arguments.
    pub repeats: bool,
    pub code: &'static str,
    pub doc: &'static str,
}

/// The line of a table with this name.
pub fn find(table: &'static [Call], name: &str) -> Option<&'static Call> {
    table.iter().find(|call| call.name == name)
}

/// The names in a table of calls.
pub fn names(table: &'static [Call]) -> Vec<&'static str> {
    table.iter().map(|call| call.name).collect()
}

impl Group {
    pub fn names(&self) -> Vec<&'static str> {
        self.settings.iter().map(|setting| setting.name).collect()
    }
}

/// The arguments of a call, each with its parameter.
pub struct Arguments<'a> {
    given: Vec<(&'static str, &'a ast::Arg)>,
}

impl<'a> Arguments<'a> {
    /// The argument of a parameter.
    pub fn get(&self, name: &str) -> Option<&'a ast::Expr> {
        self.all(name).next()
    }

    /// The arguments of a parameter that repeats.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a ast::Expr> {
        self.given.iter().filter(move |(cx, _)| *cx == name).map(|(_, arg)| &arg.value)
    }
}

impl Elaborator<'_> {
    /// Puts the arguments of a call to the parameters of its table. Whatever has no place there is an error, and so
    /// is a parameter that is given twice or missing. `None` is reported.
    pub fn arguments<'a>(&mut self, call: &'static Call, args: &'a ast::Args) -> Option<Arguments<'a>> {
        let mut placed = Arguments { given: Vec::new() };
        let mut position = 0;
        for arg in &args.args {
            let parameter = match &arg.name {
                Some(name) => call.parameters.iter().find(|it| it.name == name.as_str()),
                None => {
                    let at = if call.repeats { position.min(call.named_only - 1) } else { position };
                    position += 1;
                    call.parameters.get(at).filter(|_| at < call.named_only)
                }
            };
            let Some(parameter) = parameter else {
                self.not_taken(call, arg);
                return None;
            };
            let first = placed.given.iter().find(|(name, _)| *name == parameter.name);
            if let Some((_, first)) = first
                && !(call.repeats && arg.name.is_none() && first.name.is_none())
            {
                let message = format!("`{}` of `{}` is given twice", parameter.name, call.name);
                let error = Diagnostic::error(call.code, message).at(arg.span, "given again");
                self.report(error.and_at(first.span, "given first"));
                return None;
            }
            placed.given.push((parameter.name, arg));
        }
        let needed = call.parameters.iter().find(|it| {
            it.default == Default::Needed && !placed.given.iter().any(|(name, _)| *name == it.name)
        });
        if let Some(needed) = needed {
            let message = format!("`{}` needs {}", call.name, needed.word());
            let error = Diagnostic::error(call.code, message).at(args.span, format!("no `{}`", needed.name));
            self.report(error.help(format!("write `{}`", call.example())));
            return None;
        }
        Some(placed)
    }

    fn not_taken(&mut self, call: &'static Call, arg: &ast::Arg) {
        let names: Vec<&str> = call.parameters.iter().map(|it| it.name).collect();
        let Some(name) = &arg.name else {
            let message = match call.named_only {
                0 => format!("`{}` takes no argument without a name", call.name),
                1 => format!("`{}` takes one argument without a name", call.name),
                several => format!("`{}` takes {several} arguments", call.name),
            };
            let error = Diagnostic::error(call.code, message).at(arg.span, "one too many");
            let options = &names[call.named_only..];
            self.report(match options {
                _ if call.name == "column" => error.help("`columns(\"a\", \"b\")` reads several columns"),
                [] => error,
                [..] => error.help(format!("further ones are given by name: {}", list_names(options))),
            });
            return;
        };
        let error = Diagnostic::error(call.code, format!("`{}` has no option `{name}`", call.name));
        let error = error.at(name.span, "not an option");
        let begins =
            names.iter().copied().find(|it| name.as_str().len() > 2 && it.starts_with(name.as_str()));
        let near = begins.or_else(|| nearest(name.as_str(), names.iter().copied()));
        self.report(match (near, names.as_slice()) {
            (Some(near), _) => error.suggest(format!("did you mean `{near}`?"), name.span, near),
            (None, []) => error.help("it takes nothing"),
            (None, names) => error.help(format!("it takes {}", list_names(names))),
        });
    }

    /// The line of a group's table for a setting: `None`, reported, if there is none or it was given before.
    pub fn setting(
        &mut self,
        group: &'static Group,
        given: &ast::Setting,
        before: &[ast::Setting],
    ) -> Option<&'static Setting> {
        let name = given.name.as_str();
        if let Some(first) = before.iter().find(|it| it.name.as_str() == name) {
            self.given_twice(group, &given.name, first.name.span);
            return None;
        }
        let found = group.settings.iter().find(|it| it.name == name);
        if found.is_none() {
            let error = self.unknown_setting(group, &given.name);
            self.report(error);
        }
        found
    }

    /// A constant in a `data` item under the name of a setting that stands elsewhere is no field: reported.
    pub fn is_setting_of_another(&mut self, field: &ast::DataField) -> bool {
        use ast::ExprKind::{Constant, Float, Int, Str};
        let name = field.name.as_str();
        if field.ty.is_none() && field.value.is_some() && name == "split" {
            let error = Diagnostic::error("E0606", "the parts of a split have names");
            let error = error.at(field.name.span, "a line of its own, not a field");
            self.report(error.help("write `split train = 0.8, test = 0.2`"));
            return true;
        }
        let is_constant = |value: &ast::Expr| matches!(value.kind, Int(_) | Float(_) | Str(_) | Constant(_));
        if field.ty.is_some() || !field.value.as_ref().is_some_and(is_constant) {
            return false;
        }
        let group = GROUPS.iter().find(|group| group.names().contains(&name)).map(|group| group.item);
        let has_option = |call: &&Call| call.parameters[call.named_only..].iter().any(|it| it.name == name);
        let call = SOURCES.iter().chain(COLUMNS).find(has_option).map(|call| call.name);
        let Some(place) = group.or(call) else { return false };
        let message = format!("`{name}` is an option of `{place}`, not a field");
        let error = Diagnostic::error("E0637", message).at(field.name.span, "one constant for all rows");
        self.report(error.help(match place {
            "split" => format!("write it in the line `split train = 0.8, test = 0.2, {name} = …`"),
            "csv" | "column" | "labels" => format!("write it in the call: `{place}(\"…\", {name} = …)`"),
            _ => {
                format!("write it in the `{place}`, or give a field of this name its type: `{name}: [] = …`")
            }
        }));
        true
    }

    pub fn given_twice(&mut self, group: &'static Group, name: &ast::Name, first: Span) {
        let error = Diagnostic::error(group.code, format!("`{name}` is set twice"));
        self.report(error.at(name.span, "set again here").and_at(first, "set here"));
    }

    /// That an item has no such setting: the near one, that of another item, or all.
    pub fn unknown_setting(&self, group: &'static Group, name: &ast::Name) -> Diagnostic {
        let message = format!("`{name}` is not {} of `{}`", article(group.word), group.item);
        let error =
            Diagnostic::error(group.code, message).at(name.span, format!("not {}", article(group.word)));
        let names = group.names();
        let foreign = match group.item {
            "train" => foreign::find(foreign::SETTINGS, name.as_str()),
            "minimize" => foreign::find(foreign::CLAUSES, name.as_str()),
            _ => None,
        };
        if let Some(row) = foreign {
            return called_here(error, row, name.span);
        }
        if let Some(near) = nearest(name.as_str(), names.iter().copied()) {
            return error.suggest(format!("did you mean `{near}`?"), name.span, near);
        }
        let other = GROUPS.iter().find(|other| other.names().contains(&name.as_str()));
        match (other, names.as_slice()) {
            (Some(other), _) => error.help(format!("it is one of `{}`", other.item)),
            (None, [one]) => error.help(format!("the only {} is `{one}`", group.word)),
            (None, names) => error.help(format!("{}s are {}", group.word, list_names(names))),
        }
    }
}

/// "a setting", "an option"
fn article(word: &str) -> String {
    let an = if word.starts_with('o') { "an" } else { "a" };
    format!("{an} {word}")
}

impl Setting {
    /// What is missing where it is.
    fn word(&self) -> &'static str {
        match (self.name, self.takes) {
            ("path", _) => "the path of a file",
            (_, Takes::Count | Takes::Whole) => "a whole number",
            (_, Takes::Column) => "a column, by number or name",
            (_, Takes::ColumnRange) => "a range or names",
            _ => "an argument",
        }
    }

    /// A value as it is written.
    pub fn example(&self) -> &'static str {
        match self.takes {
            Takes::Count | Takes::Whole => "64",
            Takes::Positive => "1",
            Takes::Flag => "true",
            Takes::Text | Takes::Column => "\"name\"",
            Takes::Character => "\";\"",
            Takes::Texts => "[\"a\", \"b\"]",
            Takes::Data => "digits.train",
            Takes::Patience => "patience(5)",
            Takes::Parameters => "safetensors(\"start.safetensors\")",
            Takes::ColumnRange => "0:4",
            Takes::Expression => "columns(0:4)",
            Takes::Filling => "mean",
            Takes::RowNumber => "kind",
        }
    }
}

impl Call {
    /// `window(64)`
    pub fn example(&self) -> String {
        let needed = self.parameters.iter().filter(|it| it.default == Default::Needed);
        let arguments: Vec<&str> = needed.map(Setting::example).collect();
        format!("{}({})", self.name, arguments.join(", "))
    }
}
