//! Categories: the most frequent names of the training part have a class each, all others have the last one.

use std::collections::BTreeMap;

use super::classes::{Classes, declared, learns_names};
use super::load::Evaluate;
use super::read::{Around, Read};
use super::{Column, Rows};
use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, OTHER};
use crate::runtime::array::{Array, Elements};

/// The classes of a data set, with those that its categories have from another data set.
///
/// # Errors
/// If that data cannot be read.
pub fn taught(
    set: &DataSet,
    classes: &Classes,
    evaluate: &mut dyn Evaluate,
) -> Result<Option<Classes>, Diagnostic> {
    let mut with: Option<Classes> = None;
    for column in set.columns.iter().filter(|column| learns_names(column)) {
        let known = with.as_ref().unwrap_or(classes);
        if known.names(set, column).is_some() {
            continue;
        }
        let Some(teacher) = known.teacher(set, &column.field).cloned() else { continue };
        if let Some(names) = evaluate.names(&teacher, &column.field)? {
            with = Some(known.with_names(set, &column.field, names));
        }
    }
    Ok(with)
}

/// Gives names of categories their classes, where nobody has said these.
pub fn number(set: &DataSet, read: &mut [Read], around: Around<'_>, training: &Rows) {
    for (column, read) in set.columns.iter().zip(read) {
        let learns = learns_names(column) && column.text.is_none();
        let Some(all) = read.names.clone().filter(|_| learns) else { continue };
        if around.classes.names(set, column).is_some() {
            continue;
        }
        let Column::Memory(array) = &read.column else { continue };
        let Elements::I32(ids) = array.elements() else { continue };
        let Some((count, _)) = declared(set, &column.field) else { continue };
        let (names, classes) = most_frequent(&all, ids, training, count.saturating_sub(1));
        let classes = ids.iter().map(|id| classes[*id as usize]).collect();
        let Ok(array) = Array::new(array.shape().to_vec(), Elements::I32(classes)) else { continue };
        (read.column, read.names) = (Column::Memory(array.into()), Some(names.into()));
    }
}

/// The names that have a class, in sorted order, with one for the others; and the class of each name.
fn most_frequent(all: &[String], ids: &[i32], training: &Rows, most: usize) -> (Vec<String>, Vec<i32>) {
    let mut counts = vec![0usize; all.len()];
    (0..training.len()).for_each(|at| counts[ids[training.get(at) as usize] as usize] += 1);
    let mut found: Vec<usize> = (0..all.len()).filter(|id| counts[*id] > 0 && all[*id] != OTHER).collect();
    found.put_in_order_by(|a, b| counts[*b].cmp(&counts[*a]).then(all[*a].cmp(&all[*b])));
    found.truncate(most);
    found.put_in_order_by(|a, b| all[*a].cmp(&all[*b]));
    let other = found.len() as i32;
    let known: BTreeMap<usize, i32> = found.iter().copied().zip(0..).collect();
    let classes = (0..all.len()).map(|id| known.get(&id).copied().unwrap_or(other)).collect();
    let names = found.iter().map(|id| all[*id].clone()).chain([OTHER.to_owned()]);
    (names.collect(), classes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn rare_and_unseen_names_are_others() {
        let all: Vec<String> = ["a", "b", "c", "d", "other"].map(str::to_owned).to_vec();
        let ids = [2, 2, 1, 1, 0, 4, 4, 4, 3];
        // `d` stands in no training row, `other` is what it says.
        let training = Rows::Some(Arc::from([0, 1, 2, 3, 4, 5, 6, 7]));
        let (names, classes) = most_frequent(&all, &ids, &training, 2);
        assert_eq!(names, ["b", "c", "other"]);
        assert_eq!(classes, [2, 0, 1, 2, 2]);
        let (names, classes) = most_frequent(&all, &ids, &training, 9);
        assert_eq!(names, ["a", "b", "c", "other"]);
        assert_eq!(classes, [0, 1, 2, 3, 3]);
    }
}
