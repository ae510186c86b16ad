//! Which rows a data set leaves out, and which of the others belong to which part.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{Evaluate, Inputs, input_names};
use super::learn::widened;
use super::parts::count_rows;
use super::read::{self, Around, Read};
use super::{Column, lazy::no_code};
use crate::base::Diagnostic;
use crate::ir::program::{DataRef, DataSet, Precision};
use crate::ir::{Dim, OutputKey, Sizes, compact};
use crate::runtime::array::{Array, Elements};
use crate::runtime::notices::Notices;
use crate::runtime::permutation::{Purpose, permutation, split_rows};
use crate::runtime::report::data::RowsError;

/// What was asked of all rows before they are divided.
#[derive(Default)]
pub struct Asked {
    pub by: Option<By>,
    /// Of data with windows: the number of the series that each row belongs to, and its place in that.
    pub series: Option<Vec<i64>>,
    pub order: Option<Vec<f64>>,
}

/// What the division of rows goes by: a number for each row.
pub enum By {
    /// All parts have the same shares of each class.
    Class(Vec<i64>),
    /// The rows of a group stay together.
    Group(Vec<i64>),
}

/// Which rows are left out; empty if none can be.
///
/// # Errors
/// Those of reading the columns that decide it; E0761 if no row is left.
pub fn dropped(
    set: &DataSet,
    around: Around<'_>,
    precision: Precision,
    evaluate: &mut dyn Evaluate,
) -> Result<Vec<bool>, Diagnostic> {
    if set.division.graph.find_output(OutputKey::named("drop")).is_none() {
        return Ok(Vec::new());
    }
    let mut deciding = set.clone();
    deciding.division.graph.outputs.retain(|output| output.name == OutputKey::named("drop"));
    deciding.division.graph = compact(&deciding.division.graph);
    let names = input_names(&deciding.division.graph);
    deciding.columns.retain(|column| names.contains(&column.name));
    // What is to be told of the file is told when the other columns are read.
    let notices = Notices::default();
    let around = Around { notices: &notices, dropped: &[], ..around };
    let read = read::columns(&deciding, around, precision, usize::MAX)?;
    let columns: Vec<Column> = read.iter().map(|read| read.column.clone()).collect();
    let rows = count_rows(&deciding, &columns)?;
    let Some(found) = of_rows(&deciding, &read, rows, evaluate)?.remove(&OutputKey::named("drop")) else {
        return Ok(Vec::new());
    };
    let Elements::Bool(dropped) = found.elements() else { return Ok(Vec::new()) };
    if dropped.iter().all(|dropped| *dropped) {
        return Err(RowsError::AllDropped { set: set.name.clone(), rows, at: set.span }.into());
    }
    Ok(dropped.clone())
}

/// The columns without the rows that are left out. A table is read without them.
///
/// # Errors
/// Those of reading columns that stay in their file.
pub fn without(read: Vec<Read>, dropped: &[bool]) -> Result<Vec<Read>, Diagnostic> {
    in_rows(read, &rows_of_file(dropped))
}

/// The rows of the file that are not left out.
pub fn rows_of_file(dropped: &[bool]) -> Vec<u32> {
    dropped.iter().zip(0..).filter(|(dropped, _)| !**dropped).map(|(_, row)| row).collect()
}

/// Some rows of the columns. Those that stay in their file are read when they are needed.
///
/// # Errors
/// Those of reading columns.
pub fn in_rows(read: Vec<Read>, rows: &[u32]) -> Result<Vec<Read>, Diagnostic> {
    let part = |array: Arc<Array>| Column::Memory(array).rows_of(rows, &mut no_code).map(Arc::new);
    let shorter = |read: Read| {
        let column = match &read.column {
            Column::Lazy(lazy) => Column::Lazy(Arc::new(lazy.part(rows))),
            column => Column::Memory(column.rows_of(rows, &mut no_code)?.into()),
        };
        Ok(Read { column, wide: read.wide.map(part).transpose()?, names: read.names })
    };
    read.into_iter().map(shorter).collect()
}

/// What the division of the rows goes by, if by something, and what is one series.
///
/// # Errors
/// Those of computing it.
pub fn asked(
    set: &DataSet,
    read: &[Read],
    rows: usize,
    evaluate: &mut dyn Evaluate,
) -> Result<Asked, Diagnostic> {
    let mut set = set.clone();
    let graph = &mut set.division.graph;
    graph.outputs.retain(|output| output.name != OutputKey::named("drop"));
    if graph.outputs.is_empty() {
        return Ok(Asked::default());
    }
    *graph = compact(graph);
    let found = of_rows(&set, read, rows, evaluate)?;
    let numbers = |name: &str| {
        let array = found.get(&OutputKey::named(name))?;
        array.to_i64().ok().map(Cow::into_owned)
    };
    let by = match (numbers("class"), numbers("group")) {
        (Some(classes), _) => Some(By::Class(classes)),
        (None, Some(groups)) => Some(By::Group(groups)),
        (None, None) => None,
    };
    let order = found.get(&OutputKey::named("order")).map(|array| array.to_f64().into_owned());
    Ok(Asked { by, series: numbers("series"), order })
}

/// The outputs of the graph of a division for all rows.
fn of_rows(
    set: &DataSet,
    read: &[Read],
    rows: usize,
    evaluate: &mut dyn Evaluate,
) -> Result<BTreeMap<OutputKey, Array>, Diagnostic> {
    let graph = &set.division.graph;
    let mut sizes = Sizes::new();
    sizes.insert(DataRef::rows_of(&set.name, None), Dim::from(rows));
    let names = input_names(graph);
    let mut inputs = Inputs::new();
    let used = || set.columns.iter().zip(read).filter(|(column, _)| names.contains(&column.name));
    let is_wide = used().any(|(_, read)| read.wide.is_some());
    for (column, read) in used() {
        let array = match (&read.wide, is_wide) {
            (Some(wide), true) => Arc::clone(wide),
            (None, true) => widened(read.column.whole(&mut no_code)?),
            _ => read.column.whole(&mut no_code)?,
        };
        inputs.insert(column.name.clone(), array);
    }
    match is_wide {
        true => evaluate.wide(graph, &sizes, &inputs),
        false => evaluate.once(graph, &sizes, &inputs),
    }
}

/// The rows of each part. Rows in order are divided series by series.
pub fn divide(rows: u32, shares: &[f64], set: &DataSet, asked: &Asked) -> Vec<Vec<u32>> {
    let (Some(series), None, true) = (&asked.series, &asked.by, set.in_order) else {
        return divide_all(rows, shares, set, asked.by.as_ref());
    };
    let mut parts = vec![Vec::new(); shares.len()];
    let mut first = 0;
    for one in series.chunk_by(|a, b| a == b) {
        let of_series = divide_all(one.len() as u32, shares, set, None);
        for (part, rows) in parts.iter_mut().zip(of_series) {
            part.extend(rows.into_iter().map(|row| first + row));
        }
        first += one.len() as u32;
    }
    parts
}

fn divide_all(rows: u32, shares: &[f64], set: &DataSet, by: Option<&By>) -> Vec<Vec<u32>> {
    let order = match set.in_order {
        true => (0..rows).collect(),
        false => permutation(rows, set.seed, Purpose::Split, 0),
    };
    let Some(folds) = set.division.folds else {
        return match by {
            None => split_rows(rows, shares, set.seed, set.in_order),
            Some(By::Class(classes)) => by_class(&order, shares, classes),
            Some(By::Group(groups)) => by_group(&order, shares, groups),
        };
    };
    let count = folds.count as usize;
    let equal = vec![1.0 / count as f64; count];
    let mut parts = match by {
        None if set.in_order => {
            let bound = |fold: usize| (u64::from(rows) * fold as u64 / count as u64) as usize;
            (0..count).map(|fold| order[bound(fold)..bound(fold + 1)].to_vec()).collect()
        }
        // One class: turn by turn.
        None => by_class(&order, &equal, &vec![0; rows as usize]),
        Some(By::Class(classes)) => by_class(&order, &equal, classes),
        Some(By::Group(groups)) => by_group(&order, &equal, groups),
    };
    let held = parts.remove(folds.held as usize);
    vec![parts.concat(), held]
}

/// Rows class by class, each to the part that is furthest behind its share: a part has its share of each class, and of
/// all rows, up to one row.
fn by_class(order: &[u32], shares: &[f64], classes: &[i64]) -> Vec<Vec<u32>> {
    let mut order = order.to_vec();
    order.sort_by_key(|row| classes[*row as usize]);
    let mut parts = vec![Vec::new(); shares.len()];
    let mut behind = vec![0.0; shares.len()];
    for row in order {
        behind.iter_mut().zip(shares).for_each(|(behind, share)| *behind += share);
        let part = furthest(&behind);
        behind[part] -= 1.0;
        parts[part].push(row);
    }
    parts
}

/// Groups, the largest first, each to the part that lacks most of its share.
fn by_group(order: &[u32], shares: &[f64], groups: &[i64]) -> Vec<Vec<u32>> {
    let mut members: Vec<Vec<u32>> = Vec::new();
    let mut places: BTreeMap<i64, usize> = BTreeMap::new();
    for row in order {
        let place = *places.entry(groups[*row as usize]).or_insert(members.len());
        if place == members.len() {
            members.push(Vec::new());
        }
        members[place].push(*row);
    }
    members.sort_by_key(|members| std::cmp::Reverse(members.len()));
    let mut lacking: Vec<f64> = shares.iter().map(|share| share * order.len() as f64).collect();
    let mut parts = vec![Vec::new(); shares.len()];
    for members in members {
        let part = furthest(&lacking);
        lacking[part] -= members.len() as f64;
        parts[part].extend(members);
    }
    parts
}

/// The place of the greatest number, the first of several. What differs by rounding is the same.
fn furthest(numbers: &[f64]) -> usize {
    let mut best = 0;
    for (at, number) in numbers.iter().enumerate() {
        if *number > numbers[best] + 1e-9 {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(parts: &[Vec<u32>]) -> Vec<u32> {
        let mut all = parts.concat();
        all.sort_unstable();
        all
    }

    #[test]
    fn parts_have_their_share_of_each_class() {
        let classes: Vec<i64> = (0..100).map(|row| i64::from(row % 10 == 0)).collect();
        let order = permutation(100, 3, Purpose::Split, 0);
        let parts = by_class(&order, &[0.7, 0.3], &classes);
        assert_eq!(sorted(&parts), (0..100).collect::<Vec<u32>>());
        let rare = |part: &Vec<u32>| part.iter().filter(|row| classes[**row as usize] == 1).count();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [70, 30]);
        assert_eq!(parts.iter().map(rare).collect::<Vec<_>>(), [7, 3]);
    }

    #[test]
    fn groups_stay_together() {
        let groups: Vec<i64> = (0..90).map(|row| row / 7).collect();
        let order = permutation(90, 3, Purpose::Split, 0);
        let parts = by_group(&order, &[0.2; 5], &groups);
        assert_eq!(sorted(&parts), (0..90).collect::<Vec<u32>>());
        for (at, part) in parts.iter().enumerate() {
            assert!((13..=21).contains(&part.len()), "{}", part.len());
            for other in &parts[at + 1..] {
                assert!(part.iter().all(|a| other.iter().all(|b| groups[*a as usize] != groups[*b as usize])));
            }
        }
    }
}
