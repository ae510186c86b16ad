//! How many rows a data set has, and which of them belong to which part.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::division::{self, Asked, By};
use super::{Column, Rows};
use crate::base::Diagnostic;
use crate::ir::program::DataSet;

/// The number of rows that all columns of a set have.
///
/// # Errors
/// E0721: columns of different length, or more rows than can be numbered.
pub fn count_rows(set: &DataSet, columns: &[Column]) -> Result<usize, Diagnostic> {
    let Some((first, column)) = set.columns.iter().zip(columns).next() else {
        let rows = set.rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
        return within_limit(set, rows);
    };
    for (other, other_column) in set.columns.iter().zip(columns) {
        if other_column.rows() != column.rows() {
            let message = format!("the fields of `{}` have different numbers of rows", set.name);
            return Err(Diagnostic::error("E0721", message)
                .at(other.span, format!("this has {} rows", other_column.rows()))
                .and_at(first.span, format!("this has {} rows", column.rows())));
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
pub type PartRows = (Arc<str>, Arc<[u32]>);

/// The parts that a set is divided into; none if it is not. `asked` says what the division goes by.
///
/// # Errors
/// E0761 if there are fewer rows, or groups of rows, than folds; E0725 if a part has no row.
pub fn parts(set: &DataSet, rows: usize, asked: &Asked) -> Result<Vec<PartRows>, Diagnostic> {
    if set.parts.is_empty() {
        return Ok(Vec::new());
    }
    let shares: Vec<f64> = set.parts.iter().map(|part| part.share).collect();
    if let Some(folds) = set.division.folds {
        let (count, what) = match &asked.by {
            Some(By::Group(groups)) => (groups.iter().collect::<BTreeSet<_>>().len(), "groups"),
            Some(By::Class(_)) | None => (rows, "rows"),
        };
        if count < folds.count as usize {
            let message = format!("`{}` has {count} {what}, too few for {} folds", set.name, folds.count);
            return Err(Diagnostic::error("E0761", message).at(set.span, "each fold has at least one"));
        }
    }
    let lists = division::divide(rows as u32, &shares, set, asked);
    if let Some((part, _)) = set.parts.iter().zip(&lists).find(|(_, list)| list.is_empty()) {
        let message = format!("the part `{}` of `{}` has no row: the data has {rows}", part.name, set.name);
        return Err(Diagnostic::error("E0725", message)
            .at(set.span, "divided here")
            .help("give the part a larger share, or leave it out"));
    }
    Ok(set.parts.iter().zip(lists).map(|(part, list)| (part.name.clone(), list.into())).collect())
}

/// The rows that statistics are taken from: those of the first part.
pub fn training_rows(parts: &[PartRows], rows: usize) -> Rows {
    parts.first().map_or(Rows::All(rows), |(_, rows)| Rows::Some(Arc::clone(rows)))
}
