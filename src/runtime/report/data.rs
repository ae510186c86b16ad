//! What can be wrong with the rows of a data set, once its file could be read: numbers of rows, values, names of
//! classes, divisions and windows.

use std::sync::Arc;

use super::{Problem, backticked};
use crate::base::{Diagnostic, Span, nearest};
use crate::ir::Type;
use crate::ir::ranges::Range;
use crate::runtime::array::shape_text;

/// What is wrong with the rows of a data set.
#[derive(Clone, Debug)]
pub enum RowsError {
    /// Two fields have different numbers of rows.
    Lengths { set: Arc<str>, first: (usize, Span), other: (usize, Span) },
    /// The program says another number than the source.
    Declared { set: Arc<str>, declared: u64, found: usize, at: Span },
    /// More than can be numbered.
    TooMany { set: Arc<str>, rows: usize, at: Span },
    /// Fewer rows or groups than there are folds.
    Folds { set: Arc<str>, count: usize, of: Counted, folds: u32, at: Span },
    AllDropped { set: Arc<str>, rows: usize, at: Span },
    /// A window has more rows than lie together anywhere in a set or a part.
    Window { name: String, needed: usize, longest: usize, at: Span },
    /// A part has none.
    None { name: String, at: Span },
    /// A part gets none of the rows that there are.
    EmptyPart {
        set: Arc<str>,
        part: Arc<str>,
        rows: usize,
        at: Span,
    },
    /// A row is of another shape than declared.
    Shape { row: Type, found: Vec<usize>, at: Span },
    /// Other columns are read than a row is declared to have.
    Columns { row: Type, found: usize, at: Span },
    /// Pixels are read into what is no image.
    NoImage { name: String, row: Type, at: Span },
}

/// What folds are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    Rows,
    Groups,
}

impl Problem for RowsError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            RowsError::Lengths { set, first, other } => {
                let message = format!("the fields of `{set}` have different numbers of rows");
                Diagnostic::error("E0721", message)
                    .at(other.1, format!("this has {} rows", other.0))
                    .and_at(first.1, format!("this has {} rows", first.0))
            }
            RowsError::Declared { set, declared, found, at } => {
                let message = format!("`{set}` says it has {declared} rows, its source has {found}");
                Diagnostic::error("E0721", message).at(*at, "")
            }
            RowsError::TooMany { set, rows, at } => {
                let message = format!("`{set}` has {rows} rows; at most {} can be visited", u32::MAX);
                Diagnostic::error("E0721", message).at(*at, "")
            }
            RowsError::Folds { set, count, of, folds, at } => {
                let what = match of {
                    Counted::Rows => "rows",
                    Counted::Groups => "groups",
                };
                let message = format!("`{set}` has {count} {what}, too few for {folds} folds");
                Diagnostic::error("E0761", message).at(*at, "each fold has at least one")
            }
            RowsError::AllDropped { set, rows, at } => {
                let message = format!("all {rows} rows of `{set}` are dropped");
                Diagnostic::error("E0761", message).at(*at, "no row is left")
            }
            RowsError::Window { name, needed, longest, at } => {
                let message =
                    format!("a window of `{name}` needs {needed} rows, but at most {longest} lie together");
                Diagnostic::error("E0830", message)
                    .at(*at, "a window")
                    .note("the rows of a window follow one another in one series and one part")
                    .help("shorter windows, a longer series, or a larger share of the rows for this part")
            }
            RowsError::None { name, at } => Diagnostic::error("E0725", format!("`{name}` has no rows"))
                .at(*at, "a part is its share of the rows, rounded down"),
            RowsError::EmptyPart { set, part, rows, at } => {
                let message = format!("the part `{part}` of `{set}` has no row: the data has {rows}");
                Diagnostic::error("E0725", message)
                    .at(*at, "divided here")
                    .help("give the part a larger share, or leave it out")
            }
            RowsError::Shape { row, found, at } => {
                let message = format!("a row is declared as {row}, but the array is {}", shape_text(found));
                Diagnostic::error("E0722", message)
                    .at(*at, "this is read")
                    .note("the first axis of an array is the rows; the others are those of a row")
            }
            RowsError::Columns { row, found, at } => {
                let message = format!("a row is declared as {row}, but {found} columns are read");
                Diagnostic::error("E0722", message).at(*at, "this is read")
            }
            RowsError::NoImage { name, row, at } => {
                Diagnostic::error("E0722", format!("`{name}` is {row}, which is no image"))
                    .at(*at, "an image is [height, width] or [3, height, width]")
            }
        }
    }
}

/// An int that does not lie below its bound.
#[derive(Clone, Debug)]
pub struct BoundError {
    pub set: Arc<str>,
    pub field: Arc<str>,
    pub below: i64,
    /// The field.
    pub at: Span,
    /// What asks for the bound.
    pub asked: Span,
    pub outside: Outside,
}

/// What lies outside of a bound.
#[derive(Clone, Debug)]
pub enum Outside {
    /// A value, and between which all lie.
    Value { row: usize, value: i64, all: Range },
    /// A text has more characters.
    Characters(usize),
}

impl Problem for BoundError {
    fn diagnostic(&self) -> Diagnostic {
        let BoundError { set, field, below, at, asked, outside } = self;
        let error = match outside {
            Outside::Value { row, value, all } => {
                let message =
                    format!("row {row} of `{set}.{field}` has the value {value}, but it must lie in 0..{below}");
                let error = Diagnostic::error("E0720", message).at(*at, "rows are counted from 0");
                error.help(advice(field, *below, all))
            }
            Outside::Characters(count) => {
                let message = format!(
                    "the text of `{set}` has {count} different characters, but the numbers of `{field}` must lie \
                     in 0..{below}"
                );
                Diagnostic::error("E0720", message).at(*at, "numbers of characters")
            }
        };
        if asked == at { error } else { error.and_at(*asked, format!("needs 0..{below}")) }
    }
}

/// What the values as a whole suggest: classes counted from 1, or a bound that is too low.
fn advice(field: &str, below: i64, all: &Range) -> String {
    let Range { least, greatest } = *all;
    if least == 1 && greatest == below {
        return format!(
            "classes are counted from 0, these from 1: subtract it, `{field}: class({below}) = … - 1`"
        );
    }
    if least < 0 {
        return format!("the least value is {least}; numbers of classes and rows are not negative");
    }
    format!("the greatest value is {greatest}: at least {} are needed", i128::from(greatest) + 1)
}

/// What is wrong with the names of classes, beyond a single field of a table.
#[derive(Clone, Debug)]
pub enum ClassError {
    /// Data sets that share a field list other names for its classes.
    OtherNames { field: Arc<str>, first: Span, other: Span },
    /// Data sets that share a field have more names together than it has classes.
    TooMany { field: Arc<str>, all: usize, declared: usize, at: Span, sets: Vec<NamesOfSet> },
    /// A folder that is none of the classes.
    Folder { folder: String, names: Vec<String>, at: Span },
    /// A name where numbers were learnt from.
    NameForNumber { source: String, name: String },
}

/// The names that a data set has of a field.
#[derive(Clone, Debug)]
pub struct NamesOfSet {
    pub set: Arc<str>,
    /// Those that no other set has.
    pub only: Vec<String>,
    pub at: Span,
}

/// What to do with fields that have nothing to do with each other.
const APART: &str = "fields that have nothing to do with each other have different names";

impl Problem for ClassError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ClassError::OtherNames { field, first, other } => {
                Diagnostic::error("E0753", format!("`{field}` lists other names here than there"))
                    .at(*other, "one number means one class")
                    .and_at(*first, "other names")
                    .help(APART)
            }
            ClassError::TooMany { field, all, declared, at, sets } => {
                let together = backticked(sets.iter().map(|names| &names.set)).join(" and ");
                let message =
                    format!("`{field}` has {all} names in {together} together, but is class({declared})");
                let mut error = Diagnostic::error("E0753", message);
                for NamesOfSet { set, only, at } in sets {
                    if !only.is_empty() {
                        let only = backticked(only.iter().take(8)).join(", ");
                        error = error.note(format!("only `{set}` has {only}"));
                    }
                    error = error.and_at(*at, "names are read here");
                }
                error.help(APART).at(*at, "declared here")
            }
            ClassError::Folder { folder, names, at } => {
                let message = format!("the folder `{folder}` is none of the names of the classes");
                let error = Diagnostic::error("E0754", message).at(*at, "labels are read here");
                match nearest(folder, names.iter().map(String::as_str)) {
                    Some(near) => error.help(format!("one of them is `{near}`")),
                    None => error.note(format!("they are {}", names.join(", "))),
                }
            }
            ClassError::NameForNumber { source, name } => {
                let message = format!("`{source}` has the name `{name}` where the model knows numbers");
                Diagnostic::error("E0754", message)
                    .help("classes have the numbers that they had in training")
            }
        }
    }
}

/// What is told of data that is read nevertheless.
#[derive(Clone, Debug)]
pub enum DataWarning {
    /// Fewer names than classes.
    FewNames { field: Arc<str>, declared: (usize, Span), names: Vec<String>, at: Span },
    /// Folders that are called by numbers which are not those of their classes.
    Numbers { folder: String, class: usize, at: Span },
    /// A number has more digits than 32 bits hold.
    Digits { field: Arc<str>, row: usize, value: f64, at: Span },
    /// A column has no value in any row that is learnt from.
    NoValues { field: Arc<str>, rows: usize, at: Span },
    /// Texts that are longer than their field.
    LongTexts { field: Arc<str>, count: usize, rows: usize, length: usize, longest: usize, at: Span },
    /// All dates are written so that no order need be said.
    IdleOrder {
        at: Span,
    },
    /// A vocabulary that is never full.
    SmallVocabulary { field: Arc<str>, declared: usize, found: usize, at: Span },
}

impl Problem for DataWarning {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            DataWarning::FewNames { field, declared: (declared, span), names, at } => {
                let (count, names) = (names.len(), backticked(names.iter().take(8)).join(", "));
                let message = format!("`{field}` is class({declared}), but its names are {count}: {names}");
                Diagnostic::warning("W0604", message)
                    .at(*span, format!("{declared} classes"))
                    .and_at(*at, "read here")
                    .help("if there are more that this file lacks, list all: `names = [\"a\", \"b\", …]`")
            }
            DataWarning::Numbers { folder, class, at } => {
                let message =
                    format!("the folder `{folder}` is class {class}: folders are numbered in order of their names");
                Diagnostic::warning("W0613", message)
                    .at(*at, "labels are read here")
                    .help("`names = [\"0\", \"1\", …]` says which number each has")
            }
            DataWarning::Digits { field, row, value, at } => {
                let rounded = f64::from(*value as f32);
                let message = format!("`{field}` loses digits: {value} in row {row} becomes {rounded}");
                Diagnostic::warning("W0607", message).at(*at, "floats have 32 bits here").help(
                    "subtract what is large in the `data` item, where files are computed with in 64 bits (`column(0) - \
                     1_700_000_000`, `standardize(column(0))`), or write `precision = f64`",
                )
            }
            DataWarning::NoValues { field, rows, at } => {
                let message =
                    format!("a column of `{field}` has no value in any of the {rows} rows that are learnt from");
                Diagnostic::warning("W0691", message)
                    .at(*at, "its mean, median and mode are 0")
                    .help("leave the column out, or say what stands there: `fill(column(\"age\"), 0)`")
            }
            DataWarning::LongTexts { field, count, rows, length, longest, at } => {
                let message = format!(
                    "{count} of {rows} texts of `{field}` are longer than {length}, the longest has {longest}"
                );
                Diagnostic::warning("W0830", message)
                    .at(*at, "what is beyond is left out")
                    .help("a longer field has more of them: `class(n)[length]`")
            }
            DataWarning::IdleOrder { at } => {
                let message = "`order` has no effect: all dates are written from the year to the day";
                Diagnostic::warning("W0693", message).at(*at, "read here")
            }
            DataWarning::SmallVocabulary { field, declared, found, at } => {
                let message = format!("`{field}` is class({declared}), but its texts have {found} numbers");
                Diagnostic::warning("W0831", message)
                    .at(*at, "the end and what is unknown are two of them")
                    .help(format!("`class({found})` is enough"))
            }
        }
    }
}

/// What is wrong with what is asked of the data of a program.
#[derive(Clone, Debug)]
pub enum DataError {
    /// There is no data of this name; those that there are.
    Unknown { name: String, sets: Vec<Arc<str>> },
    /// There is no part of this name; where it is asked for.
    NoPart { name: String, at: Span },
    /// The data to be measured on lacks a field of the training.
    NoField { data: String, field: Arc<str>, fields: Vec<Arc<str>> },
    /// The data has not so many rows.
    NoRow { row: usize, rows: usize, at: Span },
    /// No `train` says what is to be measured.
    NothingToMeasure,
}

impl Problem for DataError {
    fn diagnostic(&self) -> Diagnostic {
        let error = |message: String| Diagnostic::error("E0728", message);
        match self {
            DataError::Unknown { name, sets } => {
                let error = error(format!("there is no data `{name}`"));
                match nearest(name, sets.iter().map(|set| &**set)) {
                    Some(near) => error.help(format!("there is `{near}`")),
                    None => error,
                }
            }
            DataError::NoPart { name, at } => error(format!("there is no data `{name}`")).at(*at, ""),
            DataError::NoField { data, field, fields } => {
                let error = error(format!("`{data}` has no field `{field}`"));
                match nearest(field, fields.iter().map(|field| &**field)) {
                    Some(near) => error.help(format!("it has `{near}`")),
                    None => error,
                }
            }
            DataError::NoRow { row, rows, at } => {
                error(format!("there is no row {row}: the data has {rows} rows"))
                    .at(*at, "rows are counted from 0")
            }
            DataError::NothingToMeasure => error("no `train` of the program has a `validate`".to_owned())
                .help("add `validate = …` to say what is to be measured"),
        }
    }
}

/// What parameters know of the data that they were trained on, and the data does not bear out.
#[derive(Clone, Debug)]
pub enum LearntWarning {
    /// Names of classes are others; what reading them gave.
    OtherNames { set: Arc<str>, found: String, at: Span },
    /// A file of parameters has not kept what was learnt.
    NotKept { file: String, set: Arc<str>, at: Span },
}

impl Problem for LearntWarning {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            LearntWarning::OtherNames { set, found, at } => {
                let message =
                    format!("the names in `{set}` are not those that the parameters were trained with");
                Diagnostic::warning("W0617", message)
                    .at(*at, "its classes are numbered anew")
                    .note(found.as_str())
            }
            LearntWarning::NotKept { file, set, at } => {
                let message =
                    format!("`{file}` has not kept what was learnt from `{set}`: it is learnt from its file again");
                Diagnostic::warning("W0615", message)
                    .at(*at, "read for its statistics and names")
                    .help("train again, or save with `nnc run --init … --save …`")
            }
        }
    }
}
