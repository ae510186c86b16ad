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
}

#[derive(Clone, Debug)]
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
    pub span: Span,
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
    /// The class numbers of an image folder.
    Labels,
    /// Of a text: characters `row + offset .. row + offset + length` as numbers.
    Window { length: usize, offset: usize },
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
        /// Whether the first line is a header; `None`: it is if it has no number in it.
        header: Option<bool>,
        /// Between the fields of a line, usually `,`.
        separator: char,
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
            | Source::Images { path, span }
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
