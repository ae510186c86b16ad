//! Medians and modes of columns over the training part.

use std::sync::Arc;

use super::lazy::{BLOCK, no_code};
use super::load::Inputs;
use super::read::Read;
use super::{Column, Rows};
use crate::base::Diagnostic;
use crate::runtime::report::data::DataWarning;
use crate::runtime::notices::Notices;
use crate::ir::program::{DataSet, Summary};
use crate::runtime::array::{Array, Elements};

/// What stands for the training rows of the columns of which that is asked, as inputs of the graph of fields. These
/// columns then stand behind those whose rows are read.
pub fn take(set: &mut DataSet, read: &mut Vec<Read>, training: &Rows) -> Inputs {
    let mut inputs = Inputs::new();
    let columns = std::mem::take(&mut set.columns);
    let pairs = columns.into_iter().zip(std::mem::take(read));
    let mut behind = Vec::new();
    for (column, of) in pairs {
        match column.summary {
            Some(summary) => {
                if let Some(array) = summarised(&of, training, summary) {
                    inputs.insert(column.name.clone(), Arc::new(array));
                }
                behind.push(column);
            }
            None => {
                set.columns.push(column);
                read.push(of);
            }
        }
    }
    set.columns.append(&mut behind);
    inputs
}

/// Tells of columns that may lack values and have none in the training part, so that nothing is known to fill in.
///
/// # Errors
/// If rows of a column that is not in memory cannot be read.
pub fn tell_empty(set: &DataSet, read: &[Read], training: &Rows, notices: &Notices) -> Result<(), Diagnostic> {
    for (column, of) in set.columns.iter().zip(read).filter(|(column, _)| column.may_miss) {
        if training.is_empty() || !lacks_values(&of.column, training)? {
            continue;
        }
        let (field, rows, at) = (column.field.clone(), training.len(), column.span);
        notices.add(DataWarning::NoValues { field, rows, at });
    }
    Ok(())
}

/// Whether a number of the rows has no value in any of them. Rows are read until each has one.
fn lacks_values(column: &Column, rows: &Rows) -> Result<bool, Diagnostic> {
    if matches!(column, Column::Windows(_)) {
        return Ok(false);
    }
    let width = column.row_shape().iter().product::<usize>();
    let block = (BLOCK / width.max(1)).max(1);
    let mut lacking: Vec<usize> = (0..width).collect();
    for start in (0..rows.len()).step_by(block) {
        let numbers: Vec<u32> = (start..(start + block).min(rows.len())).map(|at| rows.get(at)).collect();
        let some = column.rows_of(&numbers, &mut no_code)?;
        lacking.retain(|at| (0..numbers.len()).all(|row| some.number(row * width + at).is_nan()));
        if lacking.is_empty() {
            return Ok(false);
        }
    }
    Ok(!lacking.is_empty())
}

fn summarised(read: &Read, training: &Rows, summary: Summary) -> Option<Array> {
    let memory = match &read.column {
        Column::Memory(array) => Some(array),
        Column::Windows(_) | Column::Lazy(_) => None,
    };
    let array = read.wide.as_ref().or(memory)?;
    let values = array.to_f64();
    let width = array.row_len();
    let of = |at: usize| {
        let rows = (0..training.len()).map(|row| values[training.get(row) as usize * width + at]);
        let mut known: Vec<f64> = rows.filter(|value| !value.is_nan()).collect();
        known.sort_by(f64::total_cmp);
        match summary {
            Summary::Median => median(&known),
            Summary::Mode => mode(&known),
        }
    };
    let found: Vec<f64> = (0..width).map(of).collect();
    let elements = match array.elements() {
        Elements::F32(_) => Elements::F32(found.iter().map(|value| *value as f32).collect()),
        _ => Elements::F64(found),
    };
    Array::new(array.shape().get(1..)?.to_vec(), elements).ok()
}

/// Of sorted numbers; 0 of none.
fn median(sorted: &[f64]) -> f64 {
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (count, middle) if count % 2 == 1 => sorted[middle],
        (_, middle) => sorted[middle - 1] / 2.0 + sorted[middle] / 2.0,
    }
}

/// Of sorted numbers the most frequent, the least of several; 0 of none.
fn mode(sorted: &[f64]) -> f64 {
    let runs = sorted.chunk_by(|a, b| a == b);
    let longest = runs.fold(None, |best: Option<&[f64]>, run| match best {
        Some(best) if best.len() >= run.len() => Some(best),
        _ => Some(run),
    });
    longest.map_or(0.0, |run| run[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_modes() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
        assert_eq!(mode(&[]), 0.0);
        assert_eq!(mode(&[1.0, 2.0, 2.0, 3.0, 3.0]), 2.0);
    }
}
