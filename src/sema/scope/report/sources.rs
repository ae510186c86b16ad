//! What can be wrong with the source of a `data` item, and with the calls that read columns of it.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::ir::program::Source;
use crate::sema::settings;
use crate::sema::value::Value;
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with `= csv("digits.csv")`.
#[derive(Clone, Debug)]
pub enum SourceError {
    NotCall {
        at: Span,
    },
    /// A call of another name, with a word of advice for formats that are not read.
    Unknown {
        callee: Span,
        meant: MeantSource,
    },
    NotCharacter {
        what: &'static str,
        text: String,
        at: Span,
    },
    /// A character groups digits or separates fractions that stands for itself in numbers.
    OddCharacter {
        character: char,
        at: Span,
    },
    /// The decimal point groups digits, too.
    SamePoint {
        character: char,
        at: Span,
    },
    /// No field reads the file, so nobody knows how many rows there are.
    NotRead {
        data: ast::Name,
        at: Span,
    },
    /// A field has a type and no value, although the rows are read from a file.
    FieldWithoutValue {
        name: ast::Name,
        ty: Option<Span>,
        at: Span,
        source: Span,
    },
    /// A string is needed.
    NotText {
        found: Value,
        at: Span,
    },
}

/// What was probably meant by a source that there is not.
#[derive(Clone, Debug)]
pub enum MeantSource {
    /// A format that has to be converted first, and how.
    Conversion(String),
    /// A name that is spelt almost so.
    Near(&'static str),
    /// What another library calls so.
    Elsewhere(&'static str),
    Nothing,
}

/// What is wrong with `column("age")` and its like.
#[derive(Clone, Debug)]
pub enum ColumnError {
    /// The source has no such columns.
    OtherSource {
        call: &'static str,
        source: Source,
        at: Span,
    },
    /// The file says the shape of a row, which `check` does not open.
    NoShape {
        at: Span,
    },
    Window {
        at: Span,
    },
    NamesNotTexts {
        found: Value,
        at: Span,
    },
    NameTwice {
        name: String,
        at: Span,
    },
    /// Names in a field that holds no classes.
    NamesOfNumbers {
        count: usize,
        at: Span,
    },
    NegativeColumn {
        at: Span,
    },
    NotColumn {
        found: Value,
        at: Span,
    },
    NoEnd {
        at: Span,
    },
    NotRange {
        from: i64,
        to: i64,
        at: Span,
    },
    NotName {
        found: Value,
        at: Span,
    },
}

/// What is wrong with `fill`, `is_missing`, `date`, `category` and `standardize`.
#[derive(Clone, Debug)]
pub enum ReadingError {
    /// `fill(x)`, of what is no column of a table.
    NotColumns {
        call: &'static str,
        at: Span,
    },
    NotFilling {
        found: Value,
        at: Span,
    },
    /// `date("day")`
    NotOneColumn {
        call: &'static str,
        /// Whether it is a string, which may be the name of a column.
        is_text: bool,
        at: Span,
    },
    NotOneOf {
        what: &'static str,
        text: String,
        words: Vec<&'static str>,
        at: Span,
    },
    OutsideData {
        at: Span,
    },
    Nested {
        at: Span,
    },
    /// `standardize("age")`
    NameOfColumn {
        name: Arc<str>,
        at: Span,
    },
}

/// What is wrong with a field `category(…)`, declared as `class(n)`.
#[derive(Clone, Debug)]
pub enum CategoryError {
    /// A text in a field that is no `class(n)[length]`.
    NoTextType { call: &'static str, at: Span },
    TextSizes { call: &'static str, at: Span },
    FewClasses {
        classes: usize,
        at: Span,
    },
    OtherNumberOfNames {
        names: usize,
        classes: usize,
        at: Span,
    },
    /// The n is not known.
    UnknownClasses {
        at: Span,
    },
    /// The field is not declared as `class(n)`.
    NotClasses {
        at: Span,
    },
}

impl Problem for SourceError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            SourceError::NotCall { at } => {
                error("E0604", "a source is a call such as `csv(\"a.csv\")`", *at, "not a source")
            }
            SourceError::Unknown { callee, meant } => {
                let message = format!("`{}` is not a source of data", sources.text(*callee));
                let label = format!("sources are {}", list_names(&settings::names(settings::SOURCES)));
                meant.explain(error("E0604", message, *callee, label), *callee)
            }
            SourceError::NotCharacter { what, text, at } => {
                error("E0604", format!("{what} is one character"), *at, format!("\"{text}\""))
            }
            SourceError::OddCharacter { character, at } => {
                let message = format!("{character:?} can stand for itself in a number");
                unclear_numbers(message, *at)
            }
            SourceError::SamePoint { character, at } => {
                let message = format!("{character:?} is the decimal point and groups digits, too");
                unclear_numbers(message, *at)
            }
            SourceError::NotRead { data, at } => {
                let message = format!("no field of `{data}` reads its file");
                error("E0646", message, *at, "its rows are not looked at")
                    .help("`x = column(\"name\")` and its like read it; made data has `rows = N` and no file")
            }
            SourceError::FieldWithoutValue { name, ty, at, source } => {
                let ty = ty.map_or("", |ty| sources.text(ty));
                let message = format!("`{name}` does not say what of the file it is");
                let advice = format!("say it: `{name}: {ty} = tensor(\"{name}\")`, or `= column(\"{name}\")`");
                error("E0755", message, *at, "a type and no value")
                    .and_at(*source, "the rows are read here")
                    .help(advice)
                    .help("only data without a file may be given by the program that runs this one")
            }
            SourceError::NotText { found, at } => {
                let message = format!("a string is needed here, found {}", found.describe());
                error("E0604", message, *at, "not a string")
            }
        }
    }
}

fn unclear_numbers(message: String, at: Span) -> Diagnostic {
    error("E0650", message, at, "these numbers could not be read")
        .help("`decimal = \",\", thousands = \".\"` reads 1.234,5")
}

impl MeantSource {
    fn explain(&self, error: Diagnostic, callee: Span) -> Diagnostic {
        match self {
            MeantSource::Conversion(advice) => error.help(advice),
            MeantSource::Near(near) => error.suggest(format!("did you mean `{near}`?"), callee, *near),
            MeantSource::Elsewhere(here) => {
                error.suggest(format!("it is called `{here}` here"), callee, *here)
            }
            MeantSource::Nothing => error,
        }
    }
}

impl Problem for ColumnError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let error = |message: String, at: &Span, label: &str| error("E0603", message, *at, label);
        match self {
            ColumnError::OtherSource { call, source, at } => {
                let message = format!("`{call}` does not read {}", settings::kind_of(source).what);
                error(message, at, "not for this source").help(settings::kind_of(source).is_read_by)
            }
            ColumnError::NoShape { at } => {
                let message = "the shape of this field must be declared".to_owned();
                error(message, at, "`check` opens no file, so the shape of one row cannot be seen")
                    .help("declare the field's type: `x: [28, 28] = …`")
            }
            ColumnError::Window { at } => {
                let message = "a window has a length of at least 1 and a shift of at least 0".to_owned();
                error(message, at, "out of range")
            }
            ColumnError::NamesNotTexts { found, at } => {
                let message = format!("`names` is a list of strings, found {}", found.describe());
                error(message, at, "not a list of strings")
                    .help("write the names of the classes in order: `names = [\"cat\", \"dog\"]`")
            }
            ColumnError::NameTwice { name, at } => {
                error(format!("`names` has \"{name}\" twice"), at, "each name is one class")
            }
            ColumnError::NamesOfNumbers { count, at } => {
                let message = "names are numbered in a field of classes only".to_owned();
                error(message, at, "this field holds no classes").help(format!("declare it as `class({count})`"))
            }
            ColumnError::NegativeColumn { at } => {
                error("columns are counted from 0".to_owned(), at, "not a column")
            }
            ColumnError::NotColumn { found, at } => {
                let message = format!("a column is given by number or name, found {}", found.describe());
                error(message, at, "not a column")
            }
            ColumnError::NoEnd { at } => {
                error("the end of the columns is missing".to_owned(), at, "write `columns(0:64)`")
            }
            ColumnError::NotRange { from, to, at } => {
                let label = "columns are counted from 0, the end is not included";
                error(format!("`{from}:{to}` is no range of columns"), at, label)
            }
            ColumnError::NotName { found, at } => {
                let message = format!("columns are a range `0:4` or names, found {}", found.describe());
                error(message, at, "not a name").help("`columns(0:4)` reads four, `column(2)` a single one")
            }
        }
    }
}

impl Problem for ReadingError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            ReadingError::NotColumns { call, at } => {
                let example = match *call {
                    "fill" => "fill(column(\"age\"), mean)",
                    _ => "is_missing(column(\"age\"))",
                };
                let message = format!("`{call}` takes columns of a table");
                error("E0603", message, *at, "not `column(…)` or `columns(…)`")
                    .help(format!("what is computed of a column is computed of `{example}`"))
            }
            ReadingError::NotFilling { found, at } => {
                let message = "missing values are filled with `mean`, `median`, `mode` or a number";
                error("E0603", message, *at, found.describe()).help("`fill(column(\"age\"), mean)`")
            }
            ReadingError::NotOneColumn { call, is_text, at } => {
                let code = match *call {
                    "date" => "E0652",
                    "category" => "E0651",
                    _ => "E0836",
                };
                let error = error(code, format!("`{call}` takes a column of a table"), *at, "not `column(…)`");
                match is_text {
                    true => error.suggest("write", *at, format!("column({})", sources.text(*at))),
                    false => error.help(format!("write `{call}(column(\"name\"))`")),
                }
            }
            ReadingError::NotOneOf { what, text, words, at } => {
                let error = error("E0652", format!("{what} is not \"{text}\""), *at, "none of them")
                    .help(format!("it is one of {}", list_names(words)));
                match nearest(text, words.iter().copied()) {
                    Some(near) => error.suggest("did you mean", *at, format!("\"{near}\"")),
                    None => error,
                }
            }
            ReadingError::OutsideData { at } => {
                error("E0603", "`standardize` stands in a `data` item only", *at, "there are no rows here")
            }
            ReadingError::Nested { at } => {
                error("E0603", "`standardize` is not nested", *at, "inside another `standardize`")
            }
            ReadingError::NameOfColumn { name, at } => {
                error("E0603", "`standardize` takes values, found the name of a column", *at, "a name").suggest(
                    "`column` reads it",
                    *at,
                    format!("column(\"{name}\")"),
                )
            }
        }
    }
}

impl Problem for CategoryError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            CategoryError::NoTextType { call, at } => {
                let message = format!("`{call}` is a field of its own, declared with its vocabulary and length");
                error("E0836", message, *at, "neither is said").help(format!(
                    "`text: class(2_000)[32] = {call}(column(\"text\"))` has 2,000 different numbers, and 32 of them \
                     for each text"
                ))
            }
            CategoryError::TextSizes { call, at } => {
                let message = format!("`{call}` cannot have such a vocabulary or length");
                error("E0836", message, *at, "out of range")
                    .help("class(3) at least, for what is unknown, the end and one more; and a length of at least 1")
            }
            CategoryError::FewClasses { classes, at } => {
                let message = format!("a category is class(2) or more, not class({classes})");
                error("E0651", message, *at, "a name and the others at least")
            }
            CategoryError::OtherNumberOfNames { names, classes, at } => {
                let message = format!("{names} names and one class for all others are no class({classes})");
                error("E0651", message, *at, format!("{names} names"))
                    .help(format!("declare the field as `class({})`", names + 1))
            }
            CategoryError::UnknownClasses { at } => {
                error("E0651", "the number of classes must be known", *at, "it is not")
            }
            CategoryError::NotClasses { at } => {
                let message = "a category is a field of its own, declared as classes";
                error("E0651", message, *at, "how many classes it has is not said").help(
                    "`city: class(9) = category(column(\"city\"))` has the eight most frequent names, and one \
                     class for all others",
                )
            }
        }
    }
}
