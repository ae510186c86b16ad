//! The columns of a data set without the rows that are left out, and the rows of each part.

use super::load::{Evaluate, Inputs, Limits};
use super::parts::{PartRows, count_rows, parts, training_rows};
use super::read::{self, Around, Read};
use super::{Column, category, division, summaries};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Precision, Source};

/// A data set whose columns are read and whose rows have their parts.
pub struct Sorted {
    pub set: DataSet,
    /// The columns of the set, in order.
    pub read: Vec<Read>,
    pub rows: usize,
    /// Which rows of the file are left out.
    pub dropped: Vec<bool>,
    pub parts: Vec<PartRows>,
    /// What stands for the rows of the training part.
    pub summaries: Inputs,
}

/// Reads the columns, without the rows that are left out, and divides the rows; then it is known what categories and
/// medians are learnt from.
///
/// # Errors
/// Those of reading the columns, and E0761 if no rows are left for a part.
pub fn sorted(
    mut set: DataSet,
    around: Around<'_>,
    precision: Precision,
    limits: Limits,
    evaluate: &mut dyn Evaluate,
) -> Result<Sorted, Diagnostic> {
    let taught = category::taught(&set, around.classes, evaluate)?;
    let around = Around { classes: taught.as_ref().unwrap_or(around.classes), ..around };
    let dropped = division::dropped(&set, around, precision, evaluate)?;
    let around = Around { dropped: &dropped, ..around };
    let mut read = read::columns(&set, around, precision, limits.memory)?;
    if !dropped.is_empty() && !matches!(set.source, Source::Csv { .. }) {
        read = division::without(read, &dropped)?;
    }
    let columns: Vec<Column> = read.iter().map(|read| read.column.clone()).collect();
    let rows = count_rows(&set, &columns)?;
    let by = division::by(&set, &read, rows, evaluate)?;
    let parts = parts(&set, rows, by.as_ref())?;
    let training = training_rows(&parts, rows);
    category::number(&set, &mut read, around, &training);
    let summaries = summaries::take(&mut set, &mut read, &training);
    Ok(Sorted { set, read, rows, dropped, parts, summaries })
}
