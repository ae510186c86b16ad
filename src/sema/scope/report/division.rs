//! What can be wrong with `drop rows where …` and `split …`.

use super::{Problem, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::sema::value::Value;
use crate::syntax::ast;

/// What is wrong with the parts of a split.
#[derive(Clone, Debug)]
pub enum PartError {
    ShareNotNumber { found: Value, at: Span },
    ShareOutside { part: ast::Name, share: f64, at: Span },
    NameTaken { name: ast::Name },
    /// The shares do not add up to 1.
    Sum { sum: f64, at: Span },
    NoParts { at: Span },
}

/// What is wrong with options of a split that decide which rows belong together.
#[derive(Clone, Debug)]
pub enum FoldError {
    /// Two options that both decide which rows a part has.
    Both { first: ast::Name, second: ast::Name, at: Span, other: Span },
    /// `fold` without `folds`.
    NoFolds { at: Span },
    PartBeside { part: Span, folds: Span },
    Count { count: i64, at: Span },
    NoSuchFold { fold: i64, count: i64, at: Span },
}

/// What is wrong with a condition or a number of all rows.
#[derive(Clone, Debug)]
pub enum DropError {
    /// The data has no rows that could be left out.
    NoTable { at: Span },
    /// It depends on what is computed of all rows.
    Learnt { at: Span },
}

/// What decides about rows, where an expression is none: a help for the error in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decides {
    Drop,
    Class,
    Group,
    Series,
    Order,
}

impl Problem for PartError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            PartError::ShareNotNumber { found, at } => {
                error("E0606", "the share of a part is a number", *at, found.describe())
            }
            PartError::ShareOutside { part, share, at } => {
                let message = format!("the share of `{part}` is {share}");
                let error = error("E0606", message, *at, "shares lie between 0 and 1");
                match *share > 1.0 && *share <= 100.0 {
                    true => error.suggest("if these are per cent", *at, format!("{}", share / 100.0)),
                    false => error,
                }
            }
            PartError::NameTaken { name } => {
                error("E0606", format!("`{name}` cannot name another part"), name.span, "taken")
            }
            PartError::Sum { sum, at } => {
                error("E0606", format!("the parts add up to {sum}, not to 1"), *at, "shares of all rows")
            }
            PartError::NoParts { at } => error("E0606", "a split without parts", *at, "nothing is divided")
                .help("`split train = 0.8, test = 0.2`"),
        }
    }
}

impl Problem for FoldError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            FoldError::Both { first, second, at, other } => {
                let message = format!("`{first}` and `{second}` cannot both decide which rows a part has");
                error("E0654", message, *at, "both are given").and_at(*other, "and this")
            }
            FoldError::NoFolds { at } => {
                let message = "`fold` says which of some folds is held out, but there are none";
                error("E0654", message, *at, "without `folds`").help("`split folds = 5, fold = 1`")
            }
            FoldError::PartBeside { part, folds } => {
                let message = "folds are the parts `train` and `test`, and no others";
                error("E0654", message, *part, "a part beside the folds").and_at(*folds, "folds").help(
                    "write `split folds = 5` alone; `nnc cv --folds 5` makes folds of a program with parts",
                )
            }
            FoldError::Count { count, at } => {
                error("E0654", format!("{count} is no number of folds"), *at, "2 to 10,000")
            }
            FoldError::NoSuchFold { fold, count, at } => {
                error("E0654", format!("there is no fold {fold}"), *at, format!("they are 1 to {count}"))
            }
        }
    }
}

impl Problem for DropError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            DropError::NoTable { at } => {
                let message = "rows are dropped of tables and arrays in files";
                error("E0653", message, *at, "the rows of this data are no such rows")
            }
            DropError::Learnt { at } => {
                let message = "which rows there are cannot depend on what is computed of all of them";
                error("E0653", message, *at, "depends on a statistic, or on other data")
                    .help("compare with a number: `drop rows where column(\"age\") > 100`")
            }
        }
    }
}

impl Decides {
    /// How messages call what is not a field.
    pub fn word(self) -> &'static str {
        match self {
            Decides::Drop => "the condition of drop",
            Decides::Class => "stratify",
            Decides::Group => "group",
            Decides::Series => "series",
            Decides::Order => "order",
        }
    }

    /// What could stand there.
    pub fn help(self) -> &'static str {
        match self {
            Decides::Drop => {
                "a condition for one row: `drop rows where is_missing(column(\"age\")) or column(\"age\") > 100`"
            }
            Decides::Order => "a number for each row: `order = date(column(\"day\"))`",
            Decides::Class | Decides::Group | Decides::Series => {
                "a field of ints, or a column: `stratify = kind`, `group = column(\"user\")`"
            }
        }
    }
}
