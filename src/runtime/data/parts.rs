//! How many rows a data set has, and which of them belong to which part.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::division::{self, Asked, By};
use super::{Column, Rows};
use crate::base::Diagnostic;
use crate::ir::program::DataSet;
use crate::runtime::report::data::{Counted, RowsError};

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
            let (first, other) = ((column.rows(), first.span), (other_column.rows(), other.span));
            return Err(RowsError::Lengths { set: set.name.clone(), first, other }.into());
        }
    }
    let found = column.rows();
    if let Some(declared) = set.rows.filter(|rows| *rows != found as u64) {
        return Err(RowsError::Declared { set: set.name.clone(), declared, found, at: set.span }.into());
    }
    within_limit(set, found)
}

fn within_limit(set: &DataSet, rows: usize) -> Result<usize, Diagnostic> {
    if u32::try_from(rows).is_err() {
        return Err(RowsError::TooMany { set: set.name.clone(), rows, at: set.span }.into());
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
        let (count, of) = match &asked.by {
            Some(By::Group(groups)) => (groups.iter().collect::<BTreeSet<_>>().len(), Counted::Groups),
            Some(By::Class(_)) | None => (rows, Counted::Rows),
        };
        if count < folds.count as usize {
            let (set, folds, at) = (set.name.clone(), folds.count, set.span);
            return Err(RowsError::Folds { set, count, of, folds, at }.into());
        }
    }
    let lists = division::divide(rows as u32, &shares, set, asked);
    if let Some((part, _)) = set.parts.iter().zip(&lists).find(|(_, list)| list.is_empty()) {
        let (set, part, at) = (set.name.clone(), part.name.clone(), set.span);
        return Err(RowsError::EmptyPart { set, part, rows, at }.into());
    }
    Ok(set.parts.iter().zip(lists).map(|(part, list)| (part.name.clone(), list.into())).collect())
}

/// The rows that statistics are taken from: those of the first part.
pub fn training_rows(parts: &[PartRows], rows: usize) -> Rows {
    parts.first().map_or(Rows::All(rows), |(_, rows)| Rows::Some(Arc::clone(rows)))
}
