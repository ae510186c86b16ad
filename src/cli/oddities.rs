//! What looks odd in a table for what a program does with it: a column that gives away what is to be predicted, and
//! columns of very different scale that are read as they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::columns::{Profile, opened};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Select, SourceColumn};
use crate::ir::{Combine, InputKey, NodeId, Op, OutputKey};
use crate::runtime::answers::asked::Asked;
use crate::runtime::answers::meaning::Meaning;
use crate::runtime::program::Program;
use crate::runtime::sources::csv::Options;
use crate::runtime::sources::csv::number_of;
use crate::runtime::sources::csv::stream::Stream;

/// The greatest of some columns is so many times that of the least.
const SCALE: f64 = 100.0;
/// Columns that are so close to a straight line are one another.
const STRAIGHT: f64 = 0.9999;

/// A sentence for each oddity.
///
/// # Errors
/// Those of reading the table.
pub fn of(
    program: &Program,
    set: &DataSet,
    path: &Path,
    options: Options,
    profile: &Profile,
) -> Result<Vec<String>, Diagnostic> {
    let mut found = Vec::new();
    if let Ok(asked) = Asked::of(program, None)
        && asked.set == set.name
        && let Some(target) = Meaning::of(program, &asked).target
    {
        let of_target: BTreeSet<usize> = places(set, profile, |column| column.field == target).collect();
        let read = places(set, profile, |column| asked.fields.contains(&column.field)).filter(|at| !of_target.contains(at));
        let read: BTreeSet<usize> = read.collect();
        if let [target] = of_target.iter().copied().collect::<Vec<usize>>()[..] {
            let pairs = pairs(path, options, target, &read)?;
            let name = |at: usize| profile.columns.get(at).map_or("", |column| &column.name);
            for (at, pair) in read.iter().zip(pairs) {
                if pair.gives_away() {
                    found.push(format!(
                        "`{}` says by itself what `{}` is; would it be known when that is predicted?",
                        name(*at),
                        name(target)
                    ));
                }
            }
        }
    }
    found.extend(scales(set, profile));
    Ok(found)
}

/// The places of the columns of a table that some columns of a data set are.
fn places<'a>(
    set: &'a DataSet,
    profile: &'a Profile,
    is_meant: impl Fn(&SourceColumn) -> bool + 'a,
) -> impl Iterator<Item = usize> + 'a {
    let of = |column: &SourceColumn| -> Vec<usize> {
        match &column.select {
            Select::Columns { from, to } => (*from..(*to).min(profile.columns.len())).collect(),
            Select::Named(names) => {
                names.iter().filter_map(|name| profile.columns.iter().position(|column| column.name == *name)).collect()
            }
            _ => Vec::new(),
        }
    };
    set.columns.iter().filter(move |column| is_meant(column)).flat_map(of)
}

/// What two columns have to do with each other.
#[derive(Default)]
struct Pair {
    rows: usize,
    /// By the text of the one, that of the other; emptied where they are not one of another.
    other: BTreeMap<String, String>,
    is_open: bool,
    /// Of numbers: how many, and the sums of x, y, x², y² and x y.
    sums: [f64; 6],
}

impl Pair {
    fn add(&mut self, one: &str, other: &str, options: &Options) {
        self.rows += 1;
        if self.rows == 1 {
            self.is_open = true;
        }
        if self.is_open {
            let known = self.other.entry(one.to_owned()).or_insert_with(|| other.to_owned());
            self.is_open = known == other;
        }
        if let (Some(x), Some(y)) = (number_of(one, options), number_of(other, options)) {
            let terms = [1.0, x, y, x * x, y * y, x * y];
            self.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
    }

    /// Whether the one, which has each of its values several times, leaves no choice for the other; or both are numbers on
    /// a straight line.
    fn gives_away(&self) -> bool {
        let others: BTreeSet<&String> = self.other.values().collect();
        let decides = self.is_open && self.rows >= 10 && others.len() > 1 && self.other.len() * 3 <= self.rows;
        let [n, x, y, xx, yy, xy] = self.sums;
        let (of_x, of_y, of_both) = (n * xx - x * x, n * yy - y * y, n * xy - x * y);
        let is_straight = n >= 10.0 && of_x > 0.0 && of_y > 0.0 && of_both.abs() > STRAIGHT * (of_x * of_y).sqrt();
        decides || is_straight
    }
}

/// The target beside each of some columns.
fn pairs(path: &Path, options: Options, target: usize, read: &BTreeSet<usize>) -> Result<Vec<Pair>, Diagnostic> {
    let mut pairs: Vec<Pair> = read.iter().map(|_| Pair::default()).collect();
    let mut stream = Stream::new(opened(path)?, path.display().to_string(), options, Vec::new());
    // What is to be told of the table was told when it was profiled.
    while let Some(block) = stream.next(1000, &mut drop)? {
        for cells in block.fields {
            let Some(truth) = cells.get(target) else { continue };
            for (pair, at) in pairs.iter_mut().zip(read) {
                if let Some(cell) = cells.get(*at) {
                    pair.add(cell, truth, &options);
                }
            }
        }
    }
    Ok(pairs)
}

/// Fields whose elements are columns as they stand, of very different scale.
fn scales(set: &DataSet, profile: &Profile) -> Vec<String> {
    let mut found = Vec::new();
    for field in &set.fields {
        let Some(column) = read_by(set, &field.name) else { continue };
        let sizes = places(set, profile, |one| one.name == column).filter_map(|at| {
            let column = profile.columns.get(at).filter(|column| column.holds_numbers())?;
            Some((column.least.abs().max(column.greatest.abs()), &column.name))
        });
        let sizes: Vec<(f64, &String)> = sizes.filter(|(size, _)| *size > 0.0).collect();
        let least = sizes.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let greatest = sizes.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        if let (Some(least), Some(greatest)) = (least, greatest)
            && greatest.0 > SCALE * least.0
        {
            found.push(format!(
                "`{}` has `{}` up to {} beside `{}` up to {}; `standardize(…)` brings columns to one scale",
                field.name, greatest.1, greatest.0, least.1, least.0
            ));
        }
    }
    found
}

/// The column that a field is as it stands; none if something is computed of it.
fn read_by(set: &DataSet, field: &str) -> Option<InputKey> {
    let mut node: NodeId = set.graph.find_output(OutputKey::Named(field.into()))?;
    loop {
        let found = &set.graph[node];
        match &found.op {
            Op::Input { name, .. } => return Some(name.clone()),
            Op::Loop(body) if body.is_view() && body.combine == Combine::Set => {}
            Op::Reshape { .. } | Op::Mark(_) => {}
            _ => return None,
        }
        node = *found.operands.first()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(rows: &[(&str, &str)]) -> Pair {
        let mut pair = Pair::default();
        rows.iter().for_each(|(one, other)| pair.add(one, other, &Options::default()));
        pair
    }

    #[test]
    fn what_gives_away_is_found() {
        let code: Vec<(&str, &str)> = (0..30).map(|at| if at % 3 == 0 { ("7", "yes") } else { ("9", "no") }).collect();
        assert!(pair(&code).gives_away());
        let mut one_differs = code.clone();
        one_differs[3] = ("7", "no");
        assert!(!pair(&one_differs).gives_away());
        assert!(!pair(&code[..6]).gives_away());
        let numbers: Vec<(String, String)> = (0..20).map(|at| (at.to_string(), (3 * at + 1).to_string())).collect();
        let line: Vec<(&str, &str)> = numbers.iter().map(|(x, y)| (&**x, &**y)).collect();
        assert!(pair(&line).gives_away());
    }
}
