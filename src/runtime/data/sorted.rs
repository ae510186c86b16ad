//! The columns of a data set without the rows that are left out, and the rows of each part.

use super::load::{Evaluate, Inputs, Limits};
use super::parts::{PartRows, count_rows, parts, training_rows};
use super::read::{self, Around, Read};
use super::windows::{self, Begun};
use super::{Column, category, division, summaries, texts};
use std::sync::Arc;
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Precision, Source};

/// A data set whose columns are read and whose rows have their parts.
pub struct Sorted {
    pub set: DataSet,
    /// The columns of the set, in order.
    pub read: Vec<Read>,
    pub rows: usize,
    /// The row of the file that each row is, if they are not the same.
    pub rows_of_file: Option<Arc<[u32]>>,
    pub parts: Vec<PartRows>,
    /// Where windows begin, if fields have windows.
    pub windows: Option<Begun>,
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
    let mut asked = division::asked(&set, &read, rows, evaluate)?;
    let mut rows_of_file = (!dropped.is_empty()).then(|| division::rows_of_file(&dropped));
    let order = windows::order(&asked, rows);
    let kept = rows_of_file.clone().filter(|_| order.is_none());
    if let Some(order) = order {
        read = division::in_rows(read, &order)?;
        windows::put_in_order(&mut asked, &order);
        rows_of_file = Some(order);
    }
    let parts = parts(&set, rows, &asked)?;
    let windows = windows::begun(&set, rows, &parts, asked.series.as_deref(), kept.as_deref())?;
    let rows_of_file = rows_of_file.map(Arc::from);
    let training = training_rows(&parts, rows);
    category::number(&set, &mut read, around, &training);
    if around.kept.is_none() {
        summaries::tell_empty(&set, &read, &training, around.notices)?;
    }
    texts::number(&set, &mut read, around, &training);
    let summaries = summaries::take(&mut set, &mut read, &training);
    Ok(Sorted { set, read, rows, rows_of_file, parts, windows, summaries })
}
