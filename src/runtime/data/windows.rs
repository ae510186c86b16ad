//! Rows that are windows: several rows of a series as one.
//!
//! Fields are computed for all rows of the source, and read zeros beyond the last one. Here is said which rows have all
//! that they look at: the rows of a window follow one another in the file, in one series and in one part. Windows are
//! counted from the end of what lies together, so that the last one has the last row whatever the stride.

use std::sync::Arc;

use super::division::{Asked, By};
use super::parts::PartRows;
use super::{Column, Rows, Table};
use crate::base::Diagnostic;
use crate::ir::program::DataSet;
use crate::runtime::report::data::RowsError;

/// Where windows begin.
pub struct Begun {
    /// In ascending order.
    rows: Arc<[u32]>,
    /// Of each whether it is the last one of what lies together.
    is_last: Vec<bool>,
    /// The places in `rows` of the windows of each part.
    parts: Vec<PartRows>,
    reach: usize,
}

/// The rows series by series, in the order of each; none if they are as they should be.
pub fn order(asked: &Asked, rows: usize) -> Option<Vec<u32>> {
    if asked.series.is_none() && asked.order.is_none() {
        return None;
    }
    let mut order: Vec<u32> = (0..rows as u32).collect();
    // Series come in the order in which they begin in the file.
    let mut first = std::collections::BTreeMap::new();
    for (series, row) in asked.series.iter().flatten().zip(0u32..) {
        first.entry(*series).or_insert(row);
    }
    let series = |row: u32| asked.series.as_ref().and_then(|series| first.get(series.get(row as usize)?).copied());
    let place = |row: u32| asked.order.as_ref().and_then(|order| order.get(row as usize)).copied().unwrap_or(0.0);
    order.sort_by(|a, b| series(*a).cmp(&series(*b)).then(place(*a).total_cmp(&place(*b))));
    Some(order)
}

/// What was asked of rows, of the rows in another order.
pub fn put_in_order(asked: &mut Asked, order: &[u32]) {
    let sorted = |numbers: &Vec<i64>| order.iter().map(|row| numbers[*row as usize]).collect::<Vec<i64>>();
    asked.series = asked.series.as_ref().map(sorted);
    asked.by = match asked.by.take() {
        Some(By::Class(classes)) => Some(By::Class(sorted(&classes))),
        Some(By::Group(groups)) => Some(By::Group(sorted(&groups))),
        None => None,
    };
    asked.order = None;
}

/// Where the windows of a data set begin; none if it has none. `kept` is the row of the file that each row is, if some
/// are left out and the others have their order.
///
/// # Errors
/// E0830 if the data or one of its parts has no window.
pub fn begun(
    set: &DataSet,
    rows: usize,
    parts: &[PartRows],
    series: Option<&[i64]>,
    kept: Option<&[u32]>,
) -> Result<Option<Begun>, Diagnostic> {
    let Some(windows) = set.windows else { return Ok(None) };
    let reach = set.fields.iter().map(|field| field.reach).max().unwrap_or(0);
    let divided = if windows.cross_parts { &[] } else { parts };
    let mut part_of: Vec<Option<u32>> = vec![None; rows];
    for ((_, rows), number) in divided.iter().zip(0..) {
        rows.iter().for_each(|row| part_of[*row as usize] = Some(number));
    }
    let follows = |row: usize| {
        part_of[row] == part_of[row - 1]
            && series.is_none_or(|series| series[row] == series[row - 1])
            && kept.is_none_or(|kept| kept[row] == kept[row - 1] + 1)
    };
    let (mut begins, mut is_last) = (Vec::new(), Vec::new());
    let mut longest = vec![0; divided.len().max(1)];
    let mut from = 0;
    for row in 1..=rows {
        if row < rows && follows(row) {
            continue;
        }
        let length = row - from;
        let part = part_of[from].map_or(0, |part| part as usize);
        longest[part] = longest[part].max(length);
        if let Some(last) = length.checked_sub(reach + 1) {
            let first = from + last % windows.stride;
            let places = (first..=from + last).step_by(windows.stride);
            begins.extend(places.clone().map(|row| row as u32));
            is_last.extend(places.map(|row| row == from + last));
        }
        from = row;
    }
    let of_part = |part: u32| {
        let places = begins.iter().zip(0..).filter(|(row, _)| part_of[**row as usize] == Some(part));
        places.map(|(_, place)| place).collect::<Vec<u32>>()
    };
    let parts: Vec<PartRows> =
        divided.iter().zip(0..).map(|((name, _), part)| (name.clone(), of_part(part).into())).collect();
    let lacking = parts.iter().position(|(_, rows)| rows.is_empty());
    if begins.is_empty() || lacking.is_some() {
        let at = lacking.unwrap_or(0);
        let name = lacking.map_or_else(|| set.name.to_string(), |at| format!("{}.{}", set.name, parts[at].0));
        let span = set.windows.map_or(set.span, |windows| windows.span);
        return Err(RowsError::Window { name, needed: reach + 1, longest: longest[at], at: span }.into());
    }
    Ok(Some(Begun { rows: begins.into(), is_last, parts, reach }))
}

impl Begun {
    /// The table of windows, of that of rows; `part_of` takes some rows of a column.
    ///
    /// # Errors
    /// Those of `part_of`.
    pub fn of_table(
        self,
        mut table: Table,
        part_of: impl Fn(Column, &Rows) -> Result<Column, Diagnostic>,
    ) -> Result<Table, Diagnostic> {
        let rows = Rows::Some(Arc::clone(&self.rows));
        for column in table.fields.values_mut() {
            *column = part_of(column.clone(), &rows)?;
        }
        let in_file = |end: u32| table.rows_of_file.as_ref().map_or(end, |rows| rows[end as usize]);
        let ends = self.rows.iter().map(|begin| in_file(begin + self.reach as u32)).collect::<Vec<u32>>();
        table.rows_of_file = Some(ends.into());
        table.rows = self.rows.len();
        table.parts = self.parts;
        table.is_last = self.is_last;
        Ok(table)
    }
}
