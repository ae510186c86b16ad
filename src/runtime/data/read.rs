//! Columns of a source, as tensors of the types that the program says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Column;
use super::classes::{self, Classes};
use super::lazy::{Lazy, Origin, no_code};
use crate::base::{Diagnostic, Span};
use crate::ir::program::{DataSet, Precision, Select, Source, SourceColumn};
use crate::ir::{Elem, Op, OutputKey};
use crate::runtime::array::{Array, Elements};
use crate::runtime::given::{self, Given};
use crate::runtime::kept::Kept;
use crate::runtime::notices::Notices;
use crate::runtime::ranks::Shared;
use crate::runtime::report::data::{ClassError, DataWarning, RowsError};
use crate::runtime::sources::images::{Images, Size};
use crate::runtime::sources::stored::{StoredArray, StoredType};
use crate::runtime::sources::text::Text;
use crate::runtime::sources::{csv, idx, npy, npz, safetensors};
use crate::runtime::world::World;

/// Where a program stands, and what its data sets have in common.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Where its files are.
    pub world: &'a Arc<dyn World>,
    /// What paths are relative to.
    pub base: &'a Path,
    pub classes: &'a Classes,
    /// The rows that are given.
    pub given: &'a Given,
    /// What a file of parameters has kept of the data that they were trained on.
    pub kept: Option<&'a Kept>,
    /// The rows of the data set that are left out; none if it is empty.
    pub dropped: &'a [bool],
    /// Where warnings go.
    pub notices: &'a Notices,
    /// The processes that read the same, each a part of a large table.
    pub ranks: Option<&'a Shared>,
}

/// A column, and in a program of 32-bit floats its numbers in 64 bits, if the file has more digits than these.
pub struct Read {
    pub column: Column,
    pub wide: Option<Arc<Array>>,
    /// The names of its classes, if it consists of names.
    pub names: Option<Arc<[String]>>,
}

impl From<Column> for Read {
    fn from(column: Column) -> Read {
        Read { column, wide: None, names: None }
    }
}

/// An array of at most so many elements is read in 64 bits, too.
const WIDE: usize = 1 << 24;

/// The columns of a data set, in order. Arrays that would take more than `limit` bytes together stay in their file,
/// except for the small ones.
///
/// # Errors
/// Those of the readers, at the source's place in the text; E0722 if a row has another shape than declared; E0753 if
/// its classes do not fit those of other data sets.
pub fn columns(
    set: &DataSet,
    around: Around<'_>,
    precision: Precision,
    limit: usize,
) -> Result<Vec<Read>, Diagnostic> {
    around.classes.check(set)?;
    let (world, base) = (&**around.world, around.base);
    if let Source::Given { span } = &set.source {
        let fields = around.given.of(set)?;
        return stored(set, |column| given::stored(set, fields, &column.field), precision, limit, *span);
    }
    let Some((path, span)) = set.source.file() else { return Ok(Vec::new()) };
    let path = resolve(base, path);
    let found = match &set.source {
        Source::None | Source::Given { .. } => Vec::new(),
        Source::Csv { format, .. } => return table(set, &path, format, precision, limit, span, around),
        Source::Text { .. } => return text(set, &path, span, around),
        Source::Npy { .. } => {
            stored(set, |column| npy::open(world, &beside(world, &path, column)), precision, limit, span)?
        }
        Source::Idx { .. } => {
            stored(set, |column| idx::open(world, &beside(world, &path, column)), precision, limit, span)?
        }
        Source::Npz { .. } => {
            let file = npz::open(world, &path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, limit, span)?
        }
        Source::Safetensors { .. } => {
            let file = safetensors::open(world, &path).map_err(|error| placed(error, span))?;
            stored(set, |column| file.tensor(tensor_name(column)), precision, limit, span)?
        }
        Source::Images { .. } => return images(set, &path, precision, limit, span, around),
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

/// The file of a column: that of the source, or for `tensor("name")` one in its folder.
fn beside(world: &dyn World, path: &Path, column: &SourceColumn) -> PathBuf {
    match &column.select {
        Select::Tensor(name) if world.is_folder(path) => path.join(name),
        Select::Tensor(name) => path.with_file_name(name),
        Select::Columns { .. }
        | Select::Named(_)
        | Select::Whole
        | Select::Scaled(_)
        | Select::Labels
        | Select::Window { .. } => path.to_path_buf(),
    }
}

/// The name of a tensor in its file; the checker gives no other columns to such files.
fn tensor_name(column: &SourceColumn) -> &str {
    match &column.select {
        Select::Tensor(name) => name,
        Select::Columns { .. }
        | Select::Named(_)
        | Select::Whole
        | Select::Scaled(_)
        | Select::Labels
        | Select::Window { .. } => "",
    }
}

fn stored(
    set: &DataSet,
    open: impl Fn(&SourceColumn) -> Result<StoredArray, Diagnostic>,
    precision: Precision,
    limit: usize,
    span: Span,
) -> Result<Vec<Read>, Diagnostic> {
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
                    let is_bounded = set.fields.iter().any(|field| {
                        let node = set.graph.find_output(OutputKey::Named(field.name.clone()));
                        let is_column =
                            |op: &Op| matches!(op, Op::Input { name, .. } if *name == column.name);
                        !field.bounds.is_empty() && node.is_some_and(|node| is_column(&set.graph[node].op))
                    });
                    let wide = elem == Elem::Int && array.element().is_long() && !is_bounded;
                    let origin = Origin::File(array);
                    Ok(Column::Lazy(Arc::new(Lazy { origin, row, elem, wide, precision, span })).into())
                }
                None => loaded(&array, column, precision),
            }
        })
        .collect()
}

fn loaded(array: &StoredArray, column: &SourceColumn, precision: Precision) -> Result<Read, Diagnostic> {
    let shape = array.shape().to_vec();
    if column.row.elem == Elem::Int && array.element().is_long() {
        let values = array.load_as().map_err(|e| placed(e, column.span))?;
        let array = Array::whole(shape, values).map_err(|_| wrong_shape(column, &[]))?;
        return in_rows(array, column).map(|array| Column::Memory(array.into()).into());
    }
    let has_more_digits = match array.element() {
        StoredType::F64 | StoredType::I64 | StoredType::U64 | StoredType::I32 | StoredType::U32 => true,
        StoredType::F16
        | StoredType::Bf16
        | StoredType::F32
        | StoredType::I8
        | StoredType::I16
        | StoredType::U8
        | StoredType::U16
        | StoredType::Bool => false,
    };
    let is_small = array.rows().saturating_mul(array.row_len()) <= WIDE;
    let wide = if has_more_digits && is_small && (column.row.elem, precision) == (Elem::Float, Precision::F32)
    {
        let values = Elements::F64(array.load_as().map_err(|e| placed(e, column.span))?);
        let wide = Array::new(shape.clone(), values).map_err(|_| wrong_shape(column, &[]))?;
        Some(in_rows(wide, column)?.into())
    } else {
        None
    };
    let elements = match (column.row.elem, precision) {
        (Elem::Float, Precision::F32) => Elements::F32(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Float, Precision::F64) => Elements::F64(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Int, _) => Elements::I32(array.load_as().map_err(|e| placed(e, column.span))?),
        (Elem::Bool, _) => {
            let bytes: Vec<u8> = array.load_as().map_err(|e| placed(e, column.span))?;
            Elements::Bool(bytes.into_iter().map(|byte| byte != 0).collect())
        }
    };
    let array = Array::new(shape, elements).map_err(|_| wrong_shape(column, &[]))?;
    Ok(Read { column: Column::Memory(in_rows(array, column)?.into()), wide, names: None })
}

pub(super) fn csv_selection(select: &Select) -> csv::Selection {
    match select {
        Select::Columns { from, to } => {
            csv::Selection::Range { start: Some(*from as i64), end: Some(*to as i64) }
        }
        Select::Named(names) => {
            csv::Selection::List(names.iter().cloned().map(csv::ColumnRef::Name).collect())
        }
        Select::Tensor(_) | Select::Whole | Select::Scaled(_) | Select::Labels | Select::Window { .. } => {
            csv::Selection::Range { start: None, end: None }
        }
    }
}

/// What is read of a table for a column.
pub fn csv_request(
    set: &DataSet,
    column: &SourceColumn,
    classes: &Classes,
    precision: Precision,
) -> csv::Request {
    csv::Request {
        selection: csv_selection(&column.select),
        want: match (column.row.elem, precision) {
            (Elem::Bool, _) if column.may_miss => csv::Want::Missing,
            (Elem::Float, Precision::F32) => csv::Want::Wide,
            (Elem::Float, Precision::F64) => csv::Want::F64,
            (Elem::Int, _) => csv::Want::Int,
            (Elem::Bool, _) => csv::Want::Bool,
        },
        classes: classes.names(set, column).filter(|_| column.text.is_none()),
        may_miss: column.may_miss,
        is_category: column.has_other || column.text.is_some(),
        date: column.date,
    }
}

/// A file of more bytes than these is read piece by piece.
const LARGE_TABLE: usize = 1 << 28;

fn table(
    set: &DataSet,
    path: &Path,
    options: &csv::Options,
    precision: Precision,
    limit: usize,
    span: Span,
    around: Around<'_>,
) -> Result<Vec<Read>, Diagnostic> {
    let request = |column: &SourceColumn| csv_request(set, column, around.classes, precision);
    let requests: Vec<csv::Request> = set.columns.iter().map(request).collect();
    let (world, dropped) = (&**around.world, around.dropped);
    let tell = |warnings: Vec<Diagnostic>| {
        warnings.into_iter().for_each(|warning| around.notices.add(placed(warning, span)));
    };
    let large = csv::stored::rows_if_large(world, path, limit.min(LARGE_TABLE)).map_err(|error| placed(error, span))?;
    let Some(rows) = large else {
        let table = csv::read_without(world, path, options, &requests, dropped).map_err(|error| placed(error, span))?;
        tell(table.warnings);
        let columns = table.columns.into_iter().zip(&set.columns);
        return columns.map(|(read, column)| of_table(set, read, column, precision, around.notices)).collect();
    };
    let width = |column: &SourceColumn| column.row.static_shape().map(|row| row.iter().product::<usize>());
    let is_float = |column: &SourceColumn| column.row.elem == Elem::Float && column.summary.is_none();
    let widths = set.columns.iter().filter(|column| is_float(column)).filter_map(width);
    let bytes = widths.fold(0, usize::saturating_add).saturating_mul(rows).saturating_mul(4);
    let stays: Vec<bool> =
        set.columns.iter().map(|column| bytes > limit && is_float(column) && width(column).is_some()).collect();
    let table = csv::stored::read(world, path, options, &requests, (&stays, dropped), around.ranks);
    let table = table.map_err(|error| placed(error, span))?;
    tell(table.warnings);
    let columns = table.columns.into_iter().zip(&set.columns);
    columns
        .map(|(held, column)| match held {
            csv::stored::Held::InMemory(read) => of_table(set, read, column, precision, around.notices),
            csv::stored::Held::InFile(request) => {
                fits(&[table.rows, table.stored.row_len(request)], column)?;
                let origin = Origin::Table(Arc::clone(&table.stored), request);
                let row = column.row.static_shape().unwrap_or_default();
                let (elem, span) = (column.row.elem, column.span);
                Ok(Column::Lazy(Arc::new(Lazy { origin, row, elem, wide: false, precision, span })).into())
            }
        })
        .collect()
}

/// A column of a table that is in memory.
fn of_table(
    set: &DataSet,
    read: csv::Columns,
    column: &SourceColumn,
    precision: Precision,
    notices: &Notices,
) -> Result<Read, Diagnostic> {
    if column.text.is_some() {
        // The texts that there are, and which of them each row has: they are numbered when it is known which
        // rows are learnt from.
        let column = Column::Memory(read.array.into());
        return Ok(Read { column, wide: None, names: read.classes.map(Arc::from) });
    }
    if let Some(names) = read.classes.as_ref().filter(|_| !column.has_other) {
        tell_missing_names(set, column, names, notices);
    }
    if read.idle_order {
        notices.add(DataWarning::IdleOrder { at: column.span });
    }
    let names = read.classes.map(Arc::from);
    let array = in_rows(read.array, column)?;
    match array.elements() {
        Elements::F64(values) if precision == Precision::F32 => {
            let narrow = values.iter().map(|value| *value as f32).collect();
            let narrow = Array::new(array.shape().to_vec(), Elements::F32(narrow))
                .map_err(|_| wrong_shape(column, array.shape()))?;
            Ok(Read { column: Column::Memory(narrow.into()), wide: Some(array.into()), names })
        }
        _ => Ok(Read { column: Column::Memory(array.into()), wide: None, names }),
    }
}

/// A field `class(n)` with fewer names than n.
fn tell_missing_names(set: &DataSet, column: &SourceColumn, names: &[String], notices: &Notices) {
    let Some((declared, span)) = classes::declared(set, &column.field) else { return };
    if column.training_only || names.len() >= declared {
        return;
    }
    let (field, names) = (column.field.clone(), names.to_vec());
    notices.add(DataWarning::FewNames { field, declared: (declared, span), names, at: column.span });
}

fn text(set: &DataSet, path: &Path, span: Span, around: Around<'_>) -> Result<Vec<Read>, Diagnostic> {
    let text = match around.classes.vocabulary(set) {
        Some(vocabulary) => Text::open_numbered(&**around.world, path, vocabulary),
        None => Text::open(&**around.world, path),
    };
    let text = text.map_err(|error| placed(error, span))?;
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
        Ok(Column::Windows(windows).into())
    };
    set.columns.iter().map(column).collect()
}

fn images(
    set: &DataSet,
    path: &Path,
    precision: Precision,
    limit: usize,
    span: Span,
    around: Around<'_>,
) -> Result<Vec<Read>, Diagnostic> {
    let nested = matches!(set.source, Source::Images { nested: true, .. });
    let images =
        Images::open(around.world, path, nested, around.notices, span).map_err(|error| placed(error, span))?;
    let images = Arc::new(images);
    let column = |column: &SourceColumn| {
        if column.select == Select::Labels {
            let labels = images.labels().map_err(|error| placed(error, column.span))?;
            let labels = match around.classes.names(set, column) {
                Some(names) => renumbered(labels, images.classes(), &names, column)?,
                None => labels.to_vec(),
            };
            let names = around.classes.names(set, column);
            let names = names.unwrap_or_else(|| images.classes().into());
            tell_missing_names(set, column, &names, around.notices);
            tell_numbers(column, &names, around.notices);
            let array = Array::ints(&[labels.len()], &labels).map_err(|_| wrong_shape(column, &[]))?;
            return Ok(Read { column: Column::Memory(array.into()), wide: None, names: Some(names) });
        }
        let row = column.row.static_shape().unwrap_or_default();
        let (channels, height, width) = match *row.as_slice() {
            [height, width] => (1, height, width),
            [channels @ (1 | 3 | 4), height, width] => (channels, height, width),
            _ => {
                let (name, row) = (column.name.to_string(), column.row.clone());
                return Err(RowsError::NoImage { name, row, at: column.span }.into());
            }
        };
        let fit = match column.select {
            Select::Scaled(fit) => Some(fit),
            _ => None,
        };
        let origin = Origin::Images(Arc::clone(&images), Size { channels, height, width, fit });
        let (elem, span) = (column.row.elem, column.span);
        let bytes = row.iter().product::<usize>().saturating_mul(images.rows()).saturating_mul(4);
        let lazy = Column::Lazy(Arc::new(Lazy { origin, row, elem, wide: false, precision, span }));
        if bytes > limit { Ok(lazy.into()) } else { Ok(Column::Memory(lazy.whole(&mut no_code)?).into()) }
    };
    set.columns.iter().map(column).collect()
}

/// Folders that are called by numbers which are not those of their classes.
fn tell_numbers(column: &SourceColumn, names: &[String], notices: &Notices) {
    let numbers: Option<Vec<usize>> = names.iter().map(|name| name.parse().ok()).collect();
    let Some(numbers) = numbers else { return };
    let Some(class) = numbers.iter().enumerate().position(|(class, number)| class != *number) else { return };
    notices.add(DataWarning::Numbers { folder: names[class].clone(), class, at: column.span });
}

/// Labels by the names of their folders, with the numbers that these names have in `names`.
fn renumbered(
    labels: &[i32],
    folders: &[String],
    names: &[String],
    column: &SourceColumn,
) -> Result<Vec<i32>, Diagnostic> {
    let number = |folder: &String| {
        let found = names.iter().position(|name| name == folder);
        let (folder, names) = (folder.clone(), names.to_vec());
        found.map(|at| at as i32).ok_or(ClassError::Folder { folder, names, at: column.span })
    };
    let numbers = folders.iter().map(number).collect::<Result<Vec<i32>, ClassError>>()?;
    Ok(labels.iter().map(|label| numbers[*label as usize]).collect())
}

/// The array with rows of the declared shape.
fn in_rows(array: Array, column: &SourceColumn) -> Result<Array, Diagnostic> {
    let Some(row) = column.row.static_shape() else { return Ok(array) };
    let found = array.shape().to_vec();
    fits(&found, column)?;
    let shape: Vec<usize> = std::iter::once(array.rows()).chain(row).collect();
    array.reshaped(shape).map_err(|_| wrong_shape(column, &found))
}

/// Whether a row of an array of this shape has as many elements as declared. A single column or channel may be
/// declared without its axis of size 1.
fn fits(found: &[usize], column: &SourceColumn) -> Result<(), Diagnostic> {
    let Some((_, row)) = found.split_first() else { return Err(wrong_shape(column, found)) };
    let declared = column.row.static_shape().map(|row| row.iter().product::<usize>());
    let count: usize = row.iter().product();
    if declared.is_none_or(|declared| declared == count) { Ok(()) } else { Err(wrong_shape(column, found)) }
}

fn wrong_shape(column: &SourceColumn, found: &[usize]) -> Diagnostic {
    RowsError::Shape { row: column.row.clone(), found: found.to_vec(), at: column.span }.into()
}
