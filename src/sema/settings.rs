//! The settings of items and the calls that read data, a line each: name, what it takes, default, meaning.
//!
//! Everything about them is made from these tables: which there are, what messages offer, which arguments are
//! taken, and the page `docs/settings.md`. An argument that the table does not have never gets past
//! [`Scope::arguments`], and a setting never past [`Scope::setting`].

mod sources;
mod tables;

use crate::base::foreign::Foreign;
use crate::sema::scope::Scope;
use crate::sema::scope::report::settings::{ArgumentError, SettingError};
use crate::syntax::ast;

pub use sources::kind_of;
pub use tables::{
    COLUMNS, COMPANION, DATA, GENERATE, GROUPS, MINIMIZE, PLOT, ROW_WINDOW, SOURCES, SPLIT, SWEEP, TRAIN, TRIED, VALUES,
    WINDOWS,
};

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
    /// `best`, `best(by = "accuracy", greatest = true)`
    Kept,
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
    /// What users of other libraries write among them.
    pub foreign: Option<&'static [Foreign]>,
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
        self.given.iter().filter(move |(parameter, _)| *parameter == name).map(|(_, arg)| &arg.value)
    }
}

impl Scope<'_> {
    /// Puts the arguments of a call to the parameters of its table. Whatever has no place there is an error, and so
    /// is a parameter that is given twice or missing. `None` is reported.
    pub fn arguments<'a>(&mut self, call: &'static Call, args: &'a ast::Args) -> Option<Arguments<'a>> {
        let mut placed = Arguments { given: Vec::new() };
        let mut position = 0;
        for arg in &args.args {
            let parameter = match &arg.name {
                Some(name) => call.parameters.iter().find(|parameter| parameter.name == name.as_str()),
                None => {
                    let at = if call.repeats { position.min(call.named_only - 1) } else { position };
                    position += 1;
                    call.parameters.get(at).filter(|_| at < call.named_only)
                }
            };
            let Some(parameter) = parameter else {
                self.report(match &arg.name {
                    Some(name) => ArgumentError::Unknown { call, name: name.clone() },
                    None => ArgumentError::TooMany { call, at: arg.span },
                });
                return None;
            };
            let parameter = parameter.name;
            let first = placed.given.iter().find(|(name, _)| *name == parameter);
            if let Some((_, first)) = first
                && !(call.repeats && arg.name.is_none() && first.name.is_none())
            {
                self.report(ArgumentError::GivenTwice { call, parameter, at: arg.span, first: first.span });
                return None;
            }
            placed.given.push((parameter, arg));
        }
        let missing = call.parameters.iter().find(|parameter| {
            parameter.default == Default::Needed && placed.get(parameter.name).is_none()
        });
        if let Some(parameter) = missing {
            self.report(ArgumentError::Missing { call, parameter, at: args.span });
            return None;
        }
        Some(placed)
    }

    /// The line of a group's table for a setting: `None`, reported, if there is none or it was given before.
    pub fn setting(
        &mut self,
        group: &'static Group,
        given: &ast::Setting,
        before: &[ast::Setting],
    ) -> Option<&'static Setting> {
        let name = given.name.clone();
        if let Some(first) = before.iter().find(|earlier| earlier.name.as_str() == name.as_str()) {
            self.report(SettingError::SetTwice { group, name, first: first.name.span });
            return None;
        }
        let setting = group.settings.iter().find(|setting| setting.name == name.as_str());
        if setting.is_none() {
            self.report(SettingError::Unknown { group, name, optimizer: None });
        }
        setting
    }

    /// A constant in a `data` item under the name of a setting that stands elsewhere is no field: reported.
    pub fn is_setting_of_another(&mut self, field: &ast::DataField) -> bool {
        use ast::ExprKind::{Constant, Float, Int, Str};
        let name = field.name.as_str();
        if field.ty.is_none() && field.value.is_some() && name == "split" {
            self.report(SettingError::SplitAsField { at: field.name.span });
            return true;
        }
        let is_constant = |value: &ast::Expr| matches!(value.kind, Int(_) | Float(_) | Str(_) | Constant(_));
        if field.ty.is_some() || !field.value.as_ref().is_some_and(is_constant) {
            return false;
        }
        let group = GROUPS.iter().find(|group| group.names().contains(&name)).map(|group| group.item);
        let has_option = |call: &&Call| call.names()[call.named_only..].contains(&name);
        let call = SOURCES.iter().chain(COLUMNS).find(has_option).map(|call| call.name);
        let Some(place) = group.or(call) else { return false };
        self.report(SettingError::SettingAsField { name: field.name.clone(), place });
        true
    }
}

impl Setting {
    /// What is missing where it is.
    pub fn word(&self) -> &'static str {
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
            Takes::Kept => "best",
            Takes::Parameters => "safetensors(\"start.safetensors\")",
            Takes::ColumnRange => "0:4",
            Takes::Expression => "columns(0:4)",
            Takes::Filling => "mean",
            Takes::RowNumber => "kind",
        }
    }
}

impl Call {
    /// All that it takes: `csv(path, header = …, separator = …)`.
    pub fn form(&self) -> String {
        let named = |(at, parameter): (usize, &Setting)| match at < self.named_only && parameter.default == Default::Needed {
            true => parameter.name.to_owned(),
            false => format!("{} = …", parameter.name),
        };
        let parameters: Vec<String> = self.parameters.iter().enumerate().map(named).collect();
        format!("{}({})", self.name, parameters.join(", "))
    }

    /// The names of its parameters.
    pub fn names(&self) -> Vec<&'static str> {
        self.parameters.iter().map(|parameter| parameter.name).collect()
    }

    /// `window(64)`
    pub fn example(&self) -> String {
        let needed = self.parameters.iter().filter(|parameter| parameter.default == Default::Needed);
        let arguments: Vec<&str> = needed.map(Setting::example).collect();
        format!("{}({})", self.name, arguments.join(", "))
    }
}
