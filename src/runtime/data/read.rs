//! Columns of a source, as tensors of the types that the program says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Column;
use super::lazy::{Lazy, Origin, no_code};
use crate::base::{Diagnostic, Span};
use crate::ir::Elem;
use crate::ir::program::{DataSet, Precision, Select, Source, SourceColumn};
use crate::runtime::array::{Array, Elements, shape_text};
use crate::runtime::sources::images::{Images, Size};
use crate::runtime::sources::stored::StoredArray;
use crate::runtime::sources::text::Text;
use crate::runtime::sources::{csv, idx, npy, npz, safetensors};

/// The columns of a data set, in order. Paths are relative to `base`. Arrays that would take more than `limit`
/// bytes together stay in their file, except for the small ones.
///
/// # Errors
/// Those of the readers, at the source's place in the text; E0722 if a row has another shape than declared.
pub fn columns(
    set: &DataSet,
    base: &Path,
    precision: Precision,
    limit: usize,
) -> Result<Vec<Column>, Diagnostic> {
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
        Source::Npy { .. } => {
            stored(set, |column| npy::open(&beside(&path, column)), precision, limit, span)?
        }
        Source::Idx { .. } => {
            stored(set, |column| idx::open(&beside(&path, column)), precision, limit, span)?
        }
        Source::Npz { .. } => {
            let file = npz::open(&path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, limit, span)?
        }
        Source::Safetensors { .. } => {
            let file = safetensors::open(&path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, limit, span)?
        }
        Source::Parquet { .. } => return Err(not_read(span)),
        Source::Images { .. } => return images(set, &path, precision, limit, span),
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

fn not_read(span: Span) -> Diagnostic {
    Diagnostic::error("E0727", "parquet files are not read")
        .at(span, "")
        .help("convert the data to `csv`, `npz` or `safetensors`")
}

/// The file of a column: that of the source, or for `tensor("name")` one in its folder.
fn beside(path: &Path, column: &SourceColumn) -> PathBuf {
    match &column.select {
        Select::Tensor(name) if path.is_dir() => path.join(name),
        Select::Tensor(name) => path.with_file_name(name),
        Select::Columns { .. }
        | Select::Named(_)
        | Select::Whole
        | Select::Labels
        | Select::Window { .. } => path.to_path_buf(),
    }
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
    limit: usize,
    span: Span,
) -> Result<Vec<Column>, Diagnostic> {
    let arrays = set.columns.iter().map(|column| open(column).map_err(|error| placed(error, span)));
    let arrays = arrays.collect::<Result<Vec<StoredArray>, Diagnostic>>()?;
    let bytes = |array: &StoredArray| array.rows().saturating_mul(array.row_len()).saturating_mul(4);
    let total = arrays.iter().map(bytes).fold(0, usize::saturating_add);
    let columns = set.columns.iter().zip(arrays);
    columns
        .map(|(column, array)| {
            let is_large = total > limit && bytes(&array) > limit / 4 && array.is_on_disk();
            match column.row.static_shape().filter(|_| is_large) {
                Some(row) => {
                    fits(array.shape(), column)?;
                    let (elem, span) = (column.row.elem, column.span);
                    // Ints with bounds are checked when they are read, so 32 bits hold them.
                    let field = set.fields.iter().find(|field| field.name == column.name);
                    let is_bounded = field.is_some_and(|field| !field.bounds.is_empty());
                    let wide = elem == Elem::Int && array.element().is_long() && !is_bounded;
                    let origin = Origin::File(array);
                    Ok(Column::Lazy(Arc::new(Lazy { origin, row, elem, wide, precision, span })))
                }
                None => loaded(&array, column, precision),
            }
        })
        .collect()
}

fn loaded(array: &StoredArray, column: &SourceColumn, precision: Precision) -> Result<Column, Diagnostic> {
    let shape = array.shape().to_vec();
    if column.row.elem == Elem::Int && array.element().is_long() {
        let values = array.load_as().map_err(|e| placed(e, column.span))?;
        let array = Array::whole(shape, values).ok_or_else(|| wrong_shape(column, &[]))?;
        return in_rows(array, column).map(|array| Column::Memory(array.into()));
    }
    let elements = match (column.row.elem, precision) {
        (Elem::Float, Precision::F32) => Elements::F32(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Float, Precision::F64) => Elements::F64(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Int, _) => Elements::I32(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Bool, _) => {
            let bytes: Vec<u8> = array.load_as().map_err(|e| placed(e, column.span))?;
            Elements::Bool(bytes.into_iter().map(|byte| byte != 0).collect())
        }
    };
    let array = Array::new(shape, elements).ok_or_else(|| wrong_shape(column, &[]))?;
    in_rows(array, column).map(|array| Column::Memory(array.into()))
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
            (Elem::Int | Elem::Bool, _) => csv::Want::Int,
        },
    };
    let requests: Vec<csv::Request> = set.columns.iter().map(request).collect();
    let table = csv::read(path, options, &requests).map_err(|error| placed(error, span))?;
    let columns = table.columns.into_iter().zip(&set.columns);
    columns
        .map(|(read, column)| {
            let array = match (column.row.elem, read.array.elements()) {
                (Elem::Bool, Elements::I64(values)) => {
                    let bools = values.iter().map(|value| *value != 0).collect();
                    Array::new(read.array.shape().to_vec(), Elements::Bool(bools))
                        .ok_or_else(|| wrong_shape(column, read.array.shape()))?
                }
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
    let shift = |column: &SourceColumn| match column.select {
        Select::Window { offset, .. } => offset,
        _ => 0,
    };
    let reach = set.columns.iter().map(shift).max().unwrap_or(0);
    let column = |column: &SourceColumn| {
        let Select::Window { length, offset } = column.select else {
            return Err(wrong_shape(column, &[text.len()]));
        };
        let windows = text.windows(length, offset, reach).map_err(|error| placed(error, column.span))?;
        Ok(Column::Windows(windows))
    };
    set.columns.iter().map(column).collect()
}

fn images(
    set: &DataSet,
    path: &Path,
    precision: Precision,
    limit: usize,
    span: Span,
) -> Result<Vec<Column>, Diagnostic> {
    let images = Arc::new(Images::open(path).map_err(|error| placed(error, span))?);
    let column = |column: &SourceColumn| {
        if column.select == Select::Labels {
            let labels = images.labels().map_err(|error| placed(error, column.span))?;
            let array = Array::ints(&[labels.len()], labels).ok_or_else(|| wrong_shape(column, &[]))?;
            return Ok(Column::Memory(array.into()));
        }
        let row = column.row.static_shape().unwrap_or_default();
        let (channels, height, width) = match *row.as_slice() {
            [height, width] => (1, height, width),
            [channels @ (1 | 3 | 4), height, width] => (channels, height, width),
            _ => {
                let message = format!("`{}` is {}, which is no image", column.name, column.row);
                let error = Diagnostic::error("E0722", message);
                return Err(error.at(column.span, "an image is [height, width] or [3, height, width]"));
            }
        };
        let origin = Origin::Images(Arc::clone(&images), Size { channels, height, width });
        let (elem, span) = (column.row.elem, column.span);
        let bytes = row.iter().product::<usize>().saturating_mul(images.rows()).saturating_mul(4);
        let lazy = Column::Lazy(Arc::new(Lazy { origin, row, elem, wide: false, precision, span }));
        if bytes > limit { Ok(lazy) } else { lazy.whole(&mut no_code).map(Column::Memory) }
    };
    set.columns.iter().map(column).collect()
}

/// The array with rows of the declared shape.
fn in_rows(array: Array, column: &SourceColumn) -> Result<Array, Diagnostic> {
    let Some(row) = column.row.static_shape() else { return Ok(array) };
    let found = array.shape().to_vec();
    fits(&found, column)?;
    let shape: Vec<usize> = std::iter::once(array.rows()).chain(row).collect();
    array.reshaped(shape).ok_or_else(|| wrong_shape(column, &found))
}

/// Whether a row of an array of this shape has as many elements as declared. A single column or channel may be
/// declared without its axis of size 1.
fn fits(found: &[usize], column: &SourceColumn) -> Result<(), Diagnostic> {
    let Some((_, own)) = found.split_first() else { return Err(wrong_shape(column, found)) };
    let declared = column.row.static_shape().map(|row| row.iter().product::<usize>());
    let count: usize = own.iter().product();
    if declared.is_none_or(|declared| declared == count) { Ok(()) } else { Err(wrong_shape(column, found)) }
}

fn wrong_shape(column: &SourceColumn, found: &[usize]) -> Diagnostic {
    let found = shape_text(found);
    let message = format!("a row is declared as {}, but the array in the file is {found}", column.row);
    Diagnostic::error("E0722", message)
        .at(column.span, "this is read")
        .note("the first axis of an array is the rows; the others are those of a row")
}
