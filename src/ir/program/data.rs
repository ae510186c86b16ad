//! The data sets of a program: where their columns come from, what their fields are made of.

use crate::base::Span;
use crate::ir::dim::{Dim, Symbol};
use crate::ir::graph::Graph;
use crate::ir::keys::InputKey;
use crate::ir::types::Type;
use std::sync::Arc;

/// A `data` item.
#[derive(Clone, Debug)]
pub struct DataSet {
    pub name: Arc<str>,
    pub span: Span,
    pub source: Source,
    /// The number of rows, if the item itself says it (inline literals, made data).
    pub rows: Option<u64>,
    /// What `graph` reads of the source: an input `name` each, `[NAME.rows, ...]`; with `training_only` only
    /// the rows of the training part, `[NAME.PART.rows, ...]` (for statistics such as `standardize`).
    pub columns: Vec<SourceColumn>,
    /// Outputs: each field by name, `[NAME.rows, ...]`.
    pub graph: Graph,
    pub fields: Vec<Field>,
    /// In order; the last takes the rest of the rows. Empty if the data is not split.
    pub parts: Vec<Part>,
    pub in_order: bool,
    pub seed: u64,
    /// What is computed of all rows before they are divided: which are left out, and what the division asks for.
    pub division: Division,
    /// If fields have windows over rows: which windows there are.
    pub windows: Option<Windows>,
}

/// Fields are computed of all rows. Then the rows are those where a window begins that lies within one series and one
/// part. A row's number of rows in a window is that of the field that looks furthest ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows {
    /// How many rows lie between the beginnings of windows; the last window ends with the last row.
    pub stride: usize,
    /// Whether windows may lie in several parts: of new rows, which are in none.
    pub cross_parts: bool,
    /// Where the program says that there are windows.
    pub span: Span,
}

/// Which rows are left out, and how the others are divided into parts.
#[derive(Clone, Debug, Default)]
pub struct Division {
    /// Reads columns as the graph of fields does. Outputs, each `[NAME.rows]`: `drop` (bool), if rows are left
    /// out; `class` or `group` (int), by which the division goes; `series` (int) and `order` (float) of data with
    /// windows.
    pub graph: Graph,
    /// If the parts are folds.
    pub folds: Option<Folds>,
}

/// Rows in so many folds: one is the last part, the others are the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Folds {
    pub count: u32,
    /// The number of the fold that is held out, from 0.
    pub held: u32,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SourceColumn {
    /// The input of the graph that it is.
    pub name: InputKey,
    /// The field that reads it.
    pub field: Arc<str>,
    pub select: Select,
    /// The names of the classes in the order of their numbers, if the program says them.
    pub names: Option<Vec<String>>,
    /// The type of one row.
    pub row: Type,
    pub training_only: bool,
    /// Whether values may be missing, which are then NaN.
    pub may_miss: bool,
    /// Whether names that are not among the classes are the last class, which is called [`OTHER`].
    pub has_other: bool,
    /// If it has points in time: what of them is read.
    pub date: Option<Date>,
    /// If it has texts: what they are taken apart into.
    pub text: Option<TextUnits>,
    /// If not the rows are read but one value of each column that stands for those of the training part. The input
    /// of the graph has then no axis of rows.
    pub summary: Option<Summary>,
    pub span: Span,
}

/// The name of the class of all names that have no class of their own.
pub const OTHER: &str = "other";

/// A text as numbers of its parts: [`PADDING`] behind the last, [`UNKNOWN`] for what the vocabulary does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextUnits {
    pub unit: TextUnit,
    /// How many numbers a text becomes.
    pub length: usize,
    /// How many different numbers there are at most.
    pub most: usize,
}

/// The number behind the end of a text.
pub const PADDING: i32 = 0;
/// The number of what the vocabulary does not have.
pub const UNKNOWN: i32 = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextUnit {
    /// Runs of letters and digits in small letters, and other characters one by one.
    Words,
    Characters,
    /// Parts of words that are frequent (byte-pair encoding of characters).
    Pairs,
}

/// What stands for the values of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Summary {
    /// The value in the middle, or the mean of the two there.
    Median,
    /// The value that is there most often, of several the least.
    Mode,
}

/// What is read of a point in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    pub part: DatePart,
    pub order: DateOrder,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatePart {
    /// Days since 1 January 1970, with fractions.
    Days,
    Year,
    /// From 1.
    Month,
    /// Of the month, from 1.
    Day,
    /// Of the week, Monday is 0.
    Weekday,
    /// Of the year, from 1.
    YearDay,
    Hour,
    Minute,
    Second,
}

/// In which order day, month and year are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOrder {
    YearMonthDay,
    DayMonthYear,
    MonthDayYear,
}

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableFormat {
    /// Whether the first line has the names of the columns; none: it is looked at.
    pub header: Option<bool>,
    /// Between the fields of a line.
    pub separator: char,
    /// Between the whole part of a number and its fraction.
    pub decimal: char,
    /// Between groups of three digits, if they are told apart.
    pub thousands: Option<char>,
}

impl Default for TableFormat {
    fn default() -> TableFormat {
        TableFormat { header: None, separator: ',', decimal: '.', thousands: None }
    }
}

/// Which part of the source a column is.
#[derive(Clone, PartialEq, Debug)]
pub enum Select {
    /// Columns `from .. to` of a table.
    Columns { from: usize, to: usize },
    /// Columns of a table by header name.
    Named(Vec<String>),
    /// A tensor of a safetensors or npz file, by name.
    Tensor(String),
    /// All of an npy or idx file, or an image folder's pixels.
    Whole,
    /// The pixels of an image folder, scaled to the size of the field.
    Scaled(Fit),
    /// The class numbers of an image folder.
    Labels,
    /// Of a text: characters `row + offset .. row + offset + length` as numbers.
    Window { length: usize, offset: usize },
}

/// How an image is brought to another size. It is scaled, as it looks from further away or nearer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Until it covers the new size; what is beyond is cut off on both sides.
    Cover,
    /// Until it lies within the new size; beside it is black.
    Contain,
    /// By as much as each side needs.
    Stretch,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// Literals and made data: the graph has no inputs.
    None,
    /// Tensors that whoever runs the program gives, by the names of fields. The place is the first such field.
    Given {
        span: Span,
    },
    Csv {
        path: String,
        format: TableFormat,
        span: Span,
    },
    Npy {
        path: String,
        span: Span,
    },
    Npz {
        path: String,
        span: Span,
    },
    Safetensors {
        path: String,
        span: Span,
    },
    Idx {
        path: String,
        span: Span,
    },
    Images {
        path: String,
        /// Whether images in folders within the folders of the classes are read, too.
        nested: bool,
        span: Span,
    },
    Text {
        path: String,
        span: Span,
    },
}

impl Source {
    /// The path of the file or folder as the program has it, and where; of what is in no file, nothing.
    pub fn file(&self) -> Option<(&str, Span)> {
        match self {
            Source::None | Source::Given { .. } => None,
            Source::Csv { path, span, .. }
            | Source::Npy { path, span }
            | Source::Npz { path, span }
            | Source::Safetensors { path, span }
            | Source::Idx { path, span }
            | Source::Images { path, span, .. }
            | Source::Text { path, span } => Some((path, *span)),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: Arc<str>,
    /// The type of one row.
    pub row: Type,
    /// Ints must lie in `0 .. bound`: declared (`class(10)`) or asked for by a subscript somewhere.
    pub bounds: Vec<Bound>,
    /// How many rows behind its own a row looks at.
    pub reach: usize,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Bound {
    pub below: Dim,
    /// What asks for it.
    pub span: Span,
    /// Whether `class(n)` says it.
    pub is_declared: bool,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub name: Arc<str>,
    pub share: f64,
}

/// All of a data set, or one part of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DataRef {
    pub set: Arc<str>,
    pub part: Option<Arc<str>>,
}

impl DataRef {
    /// The free dimension that is the number of rows of a data set or a part of it: `digits.rows`,
    /// `digits.test.rows`.
    pub fn rows_of(set: &str, part: Option<&str>) -> Symbol {
        match part {
            Some(part) => format!("{set}.{part}.rows").into(),
            None => format!("{set}.rows").into(),
        }
    }

    /// The data whose number of rows a free dimension is.
    pub fn with_rows(symbol: &Symbol) -> Option<DataRef> {
        let path = symbol.strip_suffix(".rows")?;
        let (set, part) = path.split_once('.').map_or((path, None), |(set, part)| (set, Some(part)));
        Some(DataRef { set: set.into(), part: part.map(Arc::from) })
    }
}
