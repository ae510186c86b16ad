//! Fields of a data set from the columns of its source.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Column, Rows, Table, read};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Field, Precision};
use crate::ir::{Dim, Op, Sizes};
use crate::runtime::array::{Array, Elements};
use crate::runtime::permutation::split_rows;

/// Carries out a graph: sizes, inputs by name; gives the outputs by name.
pub type Evaluate<'a> =
    dyn FnMut(&Sizes, &BTreeMap<Arc<str>, Arc<Array>>) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic> + 'a;

/// Reads the source, computes the fields, checks their bounds and divides the rows.
///
/// # Errors
/// Those of [`read::columns`]; E0720 (a value out of its bounds), E0721 (columns of different length),
/// and those of `evaluate`.
pub fn load(
    set: &DataSet,
    base: &Path,
    precision: Precision,
    evaluate: &mut Evaluate<'_>,
) -> Result<Table, Diagnostic> {
    let columns = read::columns(set, base, precision)?;
    let rows = count_rows(set, &columns)?;
    let parts = parts(set, rows)?;
    let text = columns.iter().find_map(|column| match column {
        Column::Windows { windows, .. } => Some(windows.text().clone()),
        Column::Memory(_) => None,
    });
    let mut sizes = Sizes::new();
    sizes.insert(format!("{}.rows", set.name).into(), Dim::from(rows));
    for (name, rows) in &parts {
        sizes.insert(format!("{}.{name}.rows", set.name).into(), Dim::from(rows.len()));
    }
    let training = training_rows(&parts, rows);
    sizes.entry(format!("{}.train.rows", set.name).into()).or_insert_with(|| Dim::from(training.len()));
    let fields = fields(set, columns, &training, &sizes, evaluate)?;
    for field in &set.fields {
        match fields.get(&field.name) {
            Some(Column::Memory(array)) => check_bounds(set, field, array, &sizes)?,
            Some(Column::Windows { windows, .. }) => {
                check_vocabulary(set, field, windows.text().vocabulary(), &sizes)?
            }
            None => {}
        }
    }
    Ok(Table { rows, fields, parts, text, whole: Mutex::default() })
}

fn count_rows(set: &DataSet, columns: &[Column]) -> Result<usize, Diagnostic> {
    let Some((first, column)) = set.columns.iter().zip(columns).next() else {
        let rows = set.rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
        return within_limit(set, rows);
    };
    for (other, other_column) in set.columns.iter().zip(columns) {
        if other_column.rows() != column.rows() {
            let message = format!("the fields of `{}` have different numbers of rows", set.name);
            return Err(Diagnostic::error("E0721", message)
                .at(other.span, format!("`{}` has {} rows", other.name, other_column.rows()))
                .and_at(first.span, format!("`{}` has {} rows", first.name, column.rows())));
        }
    }
    if let Some(rows) = set.rows
        && rows != column.rows() as u64
    {
        let message = format!("`{}` says it has {rows} rows, its source has {}", set.name, column.rows());
        return Err(Diagnostic::error("E0721", message).at(set.span, ""));
    }
    within_limit(set, column.rows())
}

fn within_limit(set: &DataSet, rows: usize) -> Result<usize, Diagnostic> {
    if u32::try_from(rows).is_err() {
        let message = format!("`{}` has {rows} rows; at most 4294967295 can be visited", set.name);
        return Err(Diagnostic::error("E0721", message).at(set.span, ""));
    }
    Ok(rows)
}

/// A part and the numbers of its rows.
type PartRows = (Arc<str>, Arc<[u32]>);

fn parts(set: &DataSet, rows: usize) -> Result<Vec<PartRows>, Diagnostic> {
    if set.parts.is_empty() {
        return Ok(Vec::new());
    }
    let shares: Vec<f64> = set.parts.iter().map(|part| part.share).collect();
    let lists = split_rows(rows as u32, &shares, set.seed, set.in_order);
    Ok(set.parts.iter().zip(lists).map(|(part, list)| (part.name.clone(), list.into())).collect())
}

/// The rows that statistics are taken from: those of the part `train`, or of the first part.
fn training_rows(parts: &[(Arc<str>, Arc<[u32]>)], rows: usize) -> Rows {
    let train = parts.iter().find(|(name, _)| &**name == "train").or(parts.first());
    train.map_or(Rows::All(rows), |(_, rows)| Rows::Some(Arc::clone(rows)))
}

fn fields(
    set: &DataSet,
    columns: Vec<Column>,
    training: &Rows,
    sizes: &Sizes,
    evaluate: &mut Evaluate<'_>,
) -> Result<BTreeMap<Arc<str>, Column>, Diagnostic> {
    // The columns as the graph names them. A training-only column has the rows of the training part.
    let mut inputs: BTreeMap<Arc<str>, Column> = BTreeMap::new();
    for (column, declared) in columns.into_iter().zip(&set.columns) {
        let column = match (declared.training_only, training) {
            (false, _) | (true, Rows::All(_)) => column,
            (true, Rows::Some(rows)) => {
                let mut array = column.empty(rows.len());
                column.gather(rows, &mut array);
                Column::Memory(array.into())
            }
        };
        inputs.insert(declared.name.clone(), column);
    }
    // Fields that are columns as they stand need no computing.
    let mut fields = BTreeMap::new();
    let mut computed = false;
    for output in &set.graph.outputs {
        match &set.graph[output.node].op {
            Op::Input { name, .. } if inputs.contains_key(name) => {
                fields.insert(output.name.clone(), inputs[name].clone());
            }
            _ => computed = true,
        }
    }
    if computed {
        let arrays: BTreeMap<Arc<str>, Arc<Array>> =
            inputs.iter().map(|(name, column)| (name.clone(), whole(column))).collect();
        for (name, array) in evaluate(sizes, &arrays)? {
            fields.entry(name).or_insert_with(|| Column::Memory(array.into()));
        }
    }
    Ok(fields)
}

fn whole(column: &Column) -> Arc<Array> {
    match column {
        Column::Memory(array) => Arc::clone(array),
        Column::Windows { windows, .. } => {
            let rows: Vec<u32> = (0..windows.rows() as u32).collect();
            let mut array = column.empty(rows.len());
            column.gather(&rows, &mut array);
            array.into()
        }
    }
}

fn check_bounds(set: &DataSet, field: &Field, array: &Array, sizes: &Sizes) -> Result<(), Diagnostic> {
    let Elements::I32(values) = array.elements() else { return Ok(()) };
    for bound in &field.bounds {
        let Ok(below) = bound.below.evaluate(sizes) else { continue };
        let Some(at) = values.iter().position(|value| *value < 0 || i64::from(*value) >= below) else {
            continue;
        };
        let row = at / array.row_len().max(1);
        let message = format!(
            "row {row} of `{}.{}` has the value {}, but it must lie in 0..{below}",
            set.name, field.name, values[at]
        );
        let error = Diagnostic::error("E0720", message).at(field.span, "rows are counted from 0");
        let same = bound.span == field.span;
        return Err(if same { error } else { error.and_at(bound.span, format!("needs 0..{below}")) });
    }
    Ok(())
}

/// A text has all characters of its vocabulary, so their number is the bound of its windows' values.
fn check_vocabulary(
    set: &DataSet,
    field: &Field,
    vocabulary: &[char],
    sizes: &Sizes,
) -> Result<(), Diagnostic> {
    for bound in &field.bounds {
        let Ok(below) = bound.below.evaluate(sizes) else { continue };
        if vocabulary.len() as i64 <= below {
            continue;
        }
        let message = format!(
            "the text of `{}` has {} different characters, but the numbers of `{}` must lie in 0..{below}",
            set.name,
            vocabulary.len(),
            field.name
        );
        let error = Diagnostic::error("E0720", message).at(field.span, "numbers of characters");
        let same = bound.span == field.span;
        return Err(if same { error } else { error.and_at(bound.span, format!("needs 0..{below}")) });
    }
    Ok(())
}
