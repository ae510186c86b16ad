//! Columns of a source, as tensors of the types that the program says.

use std::path::{Path, PathBuf};

use super::Column;
use crate::base::{Diagnostic, Span};
use crate::ir::Elem;
use crate::ir::program::{DataSet, Precision, Select, Source, SourceColumn};
use crate::runtime::array::{Array, Elements, shape_text};
use crate::runtime::sources::stored::StoredArray;
use crate::runtime::sources::text::Text;
use crate::runtime::sources::{csv, idx, npy, npz, safetensors};

/// The columns of a data set, in order. Paths are relative to `base`.
///
/// # Errors
/// Those of the readers, at the source's place in the text; E0722 if a row has another shape than declared.
pub fn columns(set: &DataSet, base: &Path, precision: Precision) -> Result<Vec<Column>, Diagnostic> {
    let (path, span) = match &set.source {
        Source::None => return Ok(Vec::new()),
        Source::Csv { path, span, .. }
        | Source::Npy { path, span }
        | Source::Npz { path, span }
        | Source::Safetensors { path, span }
        | Source::Idx { path, span }
        | Source::Parquet { path, span }
        | Source::Images { path, span }
        | Source::Text { path, span } => (resolve(base, path), *span),
    };
    let found = match &set.source {
        Source::None => Vec::new(),
        Source::Csv { header, separator, .. } => {
            let options = csv::Options { header: *header, separator: *separator };
            return table(set, &path, &options, precision, span);
        }
        Source::Text { .. } => return text(set, &path, span),
        Source::Npy { .. } => stored(set, |_| npy::open(&path), precision, span)?,
        Source::Idx { .. } => stored(set, |_| idx::open(&path), precision, span)?,
        Source::Npz { .. } => {
            let file = npz::open(&path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, span)?
        }
        Source::Safetensors { .. } => {
            let file = safetensors::open(&path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, span)?
        }
        Source::Parquet { .. } => return Err(unsupported("parquet files", span)),
        Source::Images { .. } => return Err(unsupported("folders of images", span)),
    };
    Ok(found)
}

/// The path that a program means.
pub fn resolve(base: &Path, path: &str) -> PathBuf {
    base.join(path)
}

/// The diagnostic with a place, if it has none.
pub fn placed(diagnostic: Diagnostic, span: Span) -> Diagnostic {
    if diagnostic.labels.is_empty() { diagnostic.at(span, "") } else { diagnostic }
}

fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0727", format!("{what} are not read yet"))
        .at(span, "")
        .help("convert the data to `npy`, `npz`, `safetensors` or `csv`")
}

fn tensor_name(column: &SourceColumn) -> &str {
    match &column.select {
        Select::Tensor(name) => name,
        Select::Columns { .. }
        | Select::Named(_)
        | Select::Whole
        | Select::Labels
        | Select::Window { .. } => &column.name,
    }
}

fn stored(
    set: &DataSet,
    open: impl Fn(&SourceColumn) -> Result<StoredArray, Diagnostic>,
    precision: Precision,
    span: Span,
) -> Result<Vec<Column>, Diagnostic> {
    let read = |column: &SourceColumn| -> Result<Column, Diagnostic> {
        let array = open(column).map_err(|error| placed(error, span))?;
        let shape = array.shape().to_vec();
        let elements = match (column.row.elem, precision) {
            (Elem::Float, Precision::F32) => {
                Elements::F32(array.load_as().map_err(|e| placed(e, column.span))?)
            }
            (Elem::Float, Precision::F64) => {
                Elements::F64(array.load_as().map_err(|e| placed(e, column.span))?)
            }
            (Elem::Int, _) => Elements::I32(array.load_as().map_err(|e| placed(e, column.span))?),
            (Elem::Bool, _) => {
                let bytes: Vec<u8> = array.load_as().map_err(|e| placed(e, column.span))?;
                Elements::Bool(bytes.into_iter().map(|byte| byte != 0).collect())
            }
        };
        let array = Array::new(shape, elements).ok_or_else(|| wrong_shape(column, &[]))?;
        in_rows(array, column).map(|array| Column::Memory(array.into()))
    };
    set.columns.iter().map(read).collect()
}

fn table(
    set: &DataSet,
    path: &Path,
    options: &csv::Options,
    precision: Precision,
    span: Span,
) -> Result<Vec<Column>, Diagnostic> {
    let request = |column: &SourceColumn| csv::Request {
        selection: match &column.select {
            Select::Columns { from, to } => {
                csv::Selection::Range { start: Some(*from as i64), end: Some(*to as i64) }
            }
            Select::Named(names) => {
                csv::Selection::List(names.iter().cloned().map(csv::ColumnRef::Name).collect())
            }
            Select::Tensor(_) | Select::Whole | Select::Labels | Select::Window { .. } => {
                csv::Selection::Range { start: None, end: None }
            }
        },
        want: match (column.row.elem, precision) {
            (Elem::Float, Precision::F32) => csv::Want::F32,
            (Elem::Float, Precision::F64) => csv::Want::F64,
            (Elem::Int | Elem::Bool, _) => csv::Want::I32,
        },
    };
    let requests: Vec<csv::Request> = set.columns.iter().map(request).collect();
    let table = csv::read(path, options, &requests).map_err(|error| placed(error, span))?;
    let columns = table.columns.into_iter().zip(&set.columns);
    columns
        .map(|(read, column)| {
            let array = match (column.row.elem, read.array.elements()) {
                (Elem::Bool, Elements::I32(values)) => {
                    let bools = values.iter().map(|value| *value != 0).collect();
                    Array::new(read.array.shape().to_vec(), Elements::Bool(bools))
                        .ok_or_else(|| wrong_shape(column, read.array.shape()))?
                }
                _ => read.array,
            };
            in_rows(array, column).map(|array| Column::Memory(array.into()))
        })
        .collect()
}

fn text(set: &DataSet, path: &Path, span: Span) -> Result<Vec<Column>, Diagnostic> {
    let text = Text::open(path).map_err(|error| placed(error, span))?;
    let column = |column: &SourceColumn| {
        let Select::Window { length, offset } = &column.select else {
            return Err(wrong_shape(column, &[text.len()]));
        };
        let windows = text.windows(*length, 1).map_err(|error| placed(error, column.span))?;
        Ok(Column::Windows { windows, targets: *offset > 0 })
    };
    set.columns.iter().map(column).collect()
}

/// The array with rows of the declared shape.
fn in_rows(array: Array, column: &SourceColumn) -> Result<Array, Diagnostic> {
    let Some(row) = column.row.static_shape() else { return Ok(array) };
    let found = array.shape().to_vec();
    let (rows, count): (usize, usize) = (array.rows(), row.iter().product());
    // A single column or channel may be declared without its axis of size 1, never the other way round
    // with a different number of elements.
    if found.is_empty() || array.row_len() != count {
        return Err(wrong_shape(column, &found));
    }
    let shape: Vec<usize> = std::iter::once(rows).chain(row).collect();
    array.reshaped(shape).ok_or_else(|| wrong_shape(column, &found))
}

fn wrong_shape(column: &SourceColumn, found: &[usize]) -> Diagnostic {
    let message = format!("`{}` is {} for a row, but the file has other sizes", column.name, column.row);
    Diagnostic::error("E0722", message)
        .at(column.span, format!("the array in the file is {} (rows first)", shape_text(found)))
}
