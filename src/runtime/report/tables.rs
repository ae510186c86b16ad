//! What can be wrong with a table as text, with the columns that are asked for, and with what stands in a field.

use super::{Problem, counted, listed};
use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, nearest};
use crate::ir::program::TableFormat;
use crate::runtime::room::size_text;
use crate::runtime::sources::csv::no_number;

/// What is wrong with the text of a table. `file` is how messages call it, `at` a place in it: `a.csv:3:7`.
#[derive(Clone, Debug)]
pub enum TableError {
    Empty {
        file: String,
    },
    /// A header and nothing else.
    NoRows {
        file: String,
    },
    /// What separates columns is no ASCII character.
    Separator(char),
    /// A row has not as many fields as the first line.
    Ragged {
        at: String,
        fields: usize,
        first_line: usize,
        expected: usize,
    },
    UnclosedQuote {
        at: String,
    },
    TextAfterQuote {
        at: String,
    },
    /// A row is longer than any of a table.
    LongRow {
        file: String,
        line: usize,
        most: usize,
    },
    /// A byte that is not UTF-8, in a text that is read piece by piece.
    Byte {
        file: String,
        line: usize,
        byte: u8,
    },
    /// The system says why.
    Unreadable {
        file: String,
        why: String,
    },
    /// The file is not what it was when it was first read.
    Changed {
        file: String,
    },
    /// Ranks do not read the same: what this one does, and what others do, if they read a table at all.
    Ranks {
        size: usize,
        mine: String,
        others: Vec<(usize, Option<String>)>,
    },
    /// Columns of which nobody said how many they are.
    Unshaped,
}

impl Problem for TableError {
    fn diagnostic(&self) -> Diagnostic {
        let quote = |at: &str, what: &str| {
            Diagnostic::error("E0709", format!("{at}: {what}")).note("within a quoted field a quote is written twice")
        };
        match self {
            TableError::Empty { file } => Diagnostic::error("E0710", format!("`{file}` is empty")),
            TableError::NoRows { file } => {
                Diagnostic::error("E0710", format!("`{file}` has a header line and no rows"))
                    .help("if this line is data, say `header = false`")
            }
            TableError::Separator(separator) => Diagnostic::error(
                "E0709",
                format!("the separator of a csv file is one ASCII character, not {separator:?}"),
            ),
            TableError::Ragged { at, fields, first_line, expected } => {
                let fields = counted(*fields, "field");
                Diagnostic::error("E0707", format!("{at} has {fields}, but line {first_line} has {expected}"))
            }
            TableError::UnclosedQuote { at } => quote(at, "this quote is never closed"),
            TableError::TextAfterQuote { at } => {
                quote(at, "text between a closing quote and the next separator")
            }
            TableError::LongRow { file, line, most } => {
                let most = size_text(*most as u64);
                let message = format!("{file}:{line}: a row is longer than {most}, which none of a table is");
                Diagnostic::error("E0709", message)
            }
            TableError::Byte { file, line, byte } => {
                let what = format!("it is not a text in UTF-8: line {line} has the byte {byte:02x}");
                Diagnostic::error("E0701", format!("cannot read `{file}`: {what}"))
            }
            TableError::Unreadable { file, why } => {
                Diagnostic::error("E0701", format!("cannot read `{file}`: {why}"))
            }
            TableError::Changed { file } => Diagnostic::error(
                "E0701",
                format!("cannot read `{file}` any more: it was changed since it was first read"),
            ),
            TableError::Ranks { size, mine, others } => {
                let error = Diagnostic::error("E0933", format!("the {size} ranks do not read the same"));
                let error = others.iter().fold(error.note(format!("this one {mine}")), |error, (rank, other)| {
                    error.note(format!("rank {rank} {}", other.as_deref().unwrap_or("does something else")))
                });
                error.help("all ranks need the same program, files, options and version of nnc")
            }
            TableError::Unshaped => Diagnostic::error("E0710", "columns without a number of columns"),
        }
    }
}

/// What is doubtful about the first line of a table.
#[derive(Clone, Debug)]
pub enum HeaderDoubt {
    /// It may be what it is not taken for.
    Verdict { file: String, first: Vec<String>, is_header: bool },
    /// The first column is the index that pandas writes.
    IndexColumn { file: String },
}

impl Problem for HeaderDoubt {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            HeaderDoubt::Verdict { file, first, is_header } => {
                let shown: Vec<&str> = first.iter().take(6).map(String::as_str).collect();
                let more = if first.len() > 6 { ", …" } else { "" };
                let (taken, other) = match is_header {
                    true => ("the names of the columns", "header = false"),
                    false => ("the first row", "header = true"),
                };
                let shown = shown.join(", ");
                let message = format!("the first line of `{file}`, `{shown}{more}`, is taken for {taken}");
                Diagnostic::warning("W0603", message)
                    .help(format!("say `header = {is_header}` if that is right, or `{other}`"))
            }
            HeaderDoubt::IndexColumn { file } => {
                let message =
                    format!("column 0 of `{file}` has no name: it is the number of the row, as pandas writes it");
                Diagnostic::warning("W0608", message)
                    .help("begin with column 1, or write the file with `to_csv(…, index = False)`")
            }
        }
    }
}

/// That a table does not have the columns that are asked for.
#[derive(Clone, Debug)]
pub struct ColumnError {
    pub file: String,
    pub missing: MissingColumn,
    pub cause: Option<FirstLine>,
}

/// Which columns a table does not have.
#[derive(Clone, Debug)]
pub enum MissingColumn {
    Number {
        number: i64,
        count: usize,
    },
    /// A name, of a table without a header.
    NoHeader(String),
    /// A name that two columns have.
    Twice {
        name: String,
        first: usize,
        second: usize,
    },
    Name {
        name: String,
        names: Vec<String>,
    },
    /// From one to another, which is excluded.
    Range {
        first: usize,
        end: usize,
    },
}

/// What the first line of a table with a single column shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstLine {
    /// It has another character in it that separates columns.
    Separator(char),
    /// It looks like a comment.
    Comment,
}

impl Problem for ColumnError {
    fn diagnostic(&self) -> Diagnostic {
        let no_such = |what: String| Diagnostic::error("E0708", format!("`{}` {what}", self.file));
        let error = match &self.missing {
            MissingColumn::Number { number, count } => {
                let columns = counted(*count, "column");
                no_such(format!("has {columns}, so there is no column {number}"))
                    .note(format!("columns are numbered from 0 to {}", count.saturating_sub(1)))
            }
            MissingColumn::NoHeader(name) => {
                no_such(format!("has no header line in which a column could be called `{name}`")).help(
                    "if its first line is a header, say `header = true`; otherwise give the column's number",
                )
            }
            MissingColumn::Twice { name, first, second } => {
                no_such(format!("calls two columns `{name}`: {first} and {second}"))
                    .help("give the column's number")
            }
            MissingColumn::Name { name, names } => {
                let error = no_such(format!("has no column `{name}`"));
                match nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => error.help(format!("it has `{near}`")),
                    None => error.note(format!("its columns are {}", listed(names, 10))),
                }
            }
            MissingColumn::Range { first, end } => {
                no_such(format!("has no columns from {first} up to {end}, which is excluded"))
            }
        };
        match self.cause {
            Some(FirstLine::Separator(found)) => {
                let shown = found.escape_default();
                error.help(format!("its first line has \"{shown}\" in it: say `separator = \"{shown}\"`"))
            }
            Some(FirstLine::Comment) => error.help(
                "a csv file has no comments: its first line has the names of the columns, or is data",
            ),
            None => error,
        }
    }
}

/// What is wrong with a field of a table.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// `a.csv:3:7`
    pub at: String,
    pub column: ColumnName,
    /// What stands there.
    pub text: String,
    pub wrong: WrongField,
    /// The names of the classes of its column, as far as they are known.
    pub names: Vec<String>,
    /// Whether it stands in the first line, of a table without a header.
    pub is_first: bool,
    pub format: TableFormat,
}

/// How a column is called: by its name, if the table has a header.
#[derive(Clone, Debug)]
pub enum ColumnName {
    Name(String),
    Number(usize),
}

/// Why a field cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WrongField {
    Missing,
    NotANumber,
    NotFinite,
    NotWhole,
    TooLarge,
    /// A name in a column that began with numbers.
    NameAmongNumbers,
    /// A number in a column that began with names.
    NumberAmongNames,
    /// A name that is none of those given.
    UnknownName,
    NotABool,
    NoDate(NoDate),
}

/// Why a text is no point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoDate {
    /// Of another form.
    Form,
    /// Day and month stand in front, and the program does not say which is which.
    Order,
    /// There is no such day or time.
    Range,
}

const FILL_IN: &str = "leave the row out by `drop rows where is_missing(column(…))`, or fill in a value: a number by \
                       `fill(column(…), mean)`";

impl Problem for FieldError {
    fn diagnostic(&self) -> Diagnostic {
        let shown: String = self.text.chars().take(40).collect();
        let column = match &self.column {
            ColumnName::Name(name) => format!("column `{name}`"),
            ColumnName::Number(number) => format!("column {number}"),
        };
        let error =
            |code: &'static str, what: String| Diagnostic::error(code, format!("{}: {column} {what}", self.at));
        match &self.wrong {
            WrongField::Missing if self.text.is_empty() => {
                error("E0705", "has no value".to_owned()).help(FILL_IN)
            }
            WrongField::Missing => {
                let error = error("E0705", format!("has no value but `{shown}`")).help(FILL_IN);
                match self.names.is_empty() {
                    true => error,
                    false => {
                        error.help(format!("if it is a class, name all of them: `names = [\"{shown}\", …]`"))
                    }
                }
            }
            WrongField::UnknownName => {
                let error = error("E0754", format!("is `{shown}`, which is none of the names of its classes"));
                match nearest(&shown, self.names.iter().map(String::as_str)) {
                    Some(near) => error.help(format!("one of them is `{near}`")),
                    None => {
                        let mut names = self.names.clone();
                        names.put_in_order();
                        error.note(format!("they are {}", listed(&names, 12)))
                    }
                }
            }
            WrongField::NotABool => {
                error("E0706", format!("is `{shown}`, which is neither true nor false")).help(
                    "a bool is written true or false, yes or no, 1 or 0; other names are read as `class(2)`",
                )
            }
            WrongField::NotANumber => error("E0706", format!("is `{shown}`, which is not a number"))
                .help(no_number(&shown, self.is_first, &self.format)),
            WrongField::NoDate(why) => why.told(error, &shown),
            WrongField::NotFinite => error("E0706", format!("is `{shown}`, which is not a finite number")),
            WrongField::NotWhole => error("E0712", format!("is {shown}, but the field is an int"))
                .help("declare the field as a float, without `int` or `class`"),
            WrongField::TooLarge => {
                error("E0712", format!("is {shown}, which does not fit the type of the field"))
            }
            WrongField::NameAmongNumbers => {
                error("E0706", format!("is `{shown}`, but it began with numbers"))
            }
            WrongField::NumberAmongNames => {
                error("E0706", format!("is the number {shown}, but it began with names"))
                    .help("a column is read as classes of names if all its fields are names")
            }
        }
    }
}

impl NoDate {
    fn told(self, error: impl Fn(&'static str, String) -> Diagnostic, shown: &str) -> Diagnostic {
        let error = |what: &str| error("E0760", format!("is `{shown}`, {what}"));
        match self {
            NoDate::Form => error("which is no date")
                .help("dates are written 2024-02-29, 2024-02-29 12:30, 29.02.2024 or 02/29/2024"),
            NoDate::Order => error("in which day and month could be either")
                .help("say how dates are written: `date(column(…), order = \"dmy\")`, or \"mdy\""),
            NoDate::Range => error("and there is no such day or time")
                .help("if the month stands before the day, say `order = \"mdy\"`"),
        }
    }
}
