//! Data that a training draws from beside its own: which rows each step takes.
//!
//! Rows are taken from an endless row of passes over the data, each a permutation of its own. Where a step begins in it
//! is a function of the step, so training that is broken off and resumed sees the same rows as training that is not.

use std::sync::Arc;

use crate::base::Diagnostic;
use crate::ir::program::{self as checked, Train};
use crate::ir::ranges;
use crate::ir::{Elem, Graph, InputKey, Op, Sizes};
use crate::runtime::array::Array;
use crate::runtime::data::{Column, Rows, Table, data_name};
use crate::runtime::int_ranges::range_of;
use crate::runtime::permutation::{Purpose, permute_into};
use crate::runtime::session::{Session, Tensors};

use super::some_rows;

/// What the steps before have drawn: their number, and the rows of the training's own data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Before {
    pub steps: u64,
    pub rows: u64,
}

impl Before {
    /// Behind some more steps of one size.
    pub fn after(self, steps: usize, size: usize) -> Before {
        Before { steps: self.steps + steps as u64, rows: self.rows + (steps * size) as u64 }
    }
}

/// One such data set of a training.
#[derive(Clone)]
pub struct Companion {
    pub name: Arc<str>,
    pub table: Arc<Table>,
    passes: Passes,
}

/// The rows of a data set, again and again.
#[derive(Clone)]
struct Passes {
    rows: Rows,
    /// Rows of a batch, if they are not as many as those of the training's own data.
    batch: Option<usize>,
    /// The seed and the purpose of its permutations; rows in order if it is none.
    shuffle: Option<(u64, Purpose)>,
    permutation: Vec<u32>,
    pass: Option<u64>,
}

/// Those of a training, with the tables they name. Where something is measured rows come in order.
///
/// # Errors
/// If their data cannot be read or has no rows.
pub fn of_training(session: &mut Session, train: &Train, in_order: bool) -> Result<Vec<Companion>, Diagnostic> {
    let mut made = Vec::new();
    for (number, companion) in train.companions.iter().enumerate() {
        let checked::Companion { name, data, batch, shuffle, fields: _, span } = companion;
        let (table, rows) = session.rows(data, *span)?;
        some_rows(rows.len(), &data_name(data), *span)?;
        made.push(Companion {
            name: name.clone(),
            table,
            passes: Passes {
                rows,
                batch: *batch,
                shuffle: (*shuffle && !in_order).then_some((train.seed, Purpose::Companion(number as u32))),
                permutation: Vec::new(),
                pass: None,
            },
        });
    }
    Ok(made)
}

impl Companion {
    /// How many rows go with so many of the training's own.
    pub fn size(&self, main: usize) -> usize {
        self.passes.batch.unwrap_or(main)
    }

    /// Bytes of a permutation.
    pub fn bytes(&self) -> u64 {
        if self.passes.shuffle.is_some() { 4 * self.passes.rows.len() as u64 } else { 0 }
    }

    /// The rows of a step, for so many of the training's own.
    pub fn take(&mut self, before: Before, main: usize) -> Vec<u32> {
        self.passes.take(before, main)
    }

    pub fn column(&self, field: &str) -> Option<&Column> {
        self.table.fields.get(field)
    }
}

impl Passes {
    fn take(&mut self, before: Before, main: usize) -> Vec<u32> {
        let count = self.rows.len() as u64;
        let (first, size) = match self.batch {
            Some(batch) => (before.steps * batch as u64, batch),
            None => (before.rows, main),
        };
        (first..first + size as u64).map(|at| self.row(at / count, (at % count) as usize)).collect()
    }

    /// The row at a place of a pass over the data.
    fn row(&mut self, pass: u64, at: usize) -> u32 {
        let Some((seed, purpose)) = self.shuffle else { return self.rows.get(at) };
        if self.pass != Some(pass) {
            permute_into(&mut self.permutation, self.rows.len() as u32, seed, purpose, pass as u32);
            self.pass = Some(pass);
        }
        self.rows.get(self.permutation[at] as usize)
    }
}

/// The fields of companions that a graph reads.
fn fields_of(graph: &Graph) -> Vec<(InputKey, Arc<str>, Arc<str>, Elem)> {
    let field = |op: &Op| match op {
        Op::Input { name: key @ InputKey::Companion(name, field), ty } => {
            Some((key.clone(), name.clone(), field.clone(), ty.elem))
        }
        _ => None,
    };
    graph.nodes().filter_map(|(_, node)| field(&node.op)).collect()
}

/// Tells with the sizes between which numbers the ints of these fields lie.
pub fn note_ints(companions: &[Companion], graph: &Graph, sizes: &mut Sizes) {
    for (key, name, field, elem) in fields_of(graph) {
        let companion = companions.iter().find(|companion| companion.name == name);
        let range = companion.filter(|_| elem == Elem::Int).and_then(|known| range_of(&known.table, &field, sizes));
        if let Some(range) = range {
            ranges::note_all_of_input(sizes, &key, range);
        }
    }
}

/// What a graph reads of the companions in a step.
///
/// # Errors
/// If rows cannot be read, or are out of their bounds.
pub fn inputs(
    session: &mut Session,
    companions: &mut [Companion],
    graph: &Graph,
    sizes: &Sizes,
    (before, main): (Before, usize),
) -> Result<Tensors, Diagnostic> {
    let mut inputs = Tensors::new();
    for (key, name, field, _) in fields_of(graph) {
        let Some(companion) = companions.iter_mut().find(|companion| companion.name == name) else { continue };
        let rows = companion.take(before, main);
        let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
        let array: Option<Array> = companion.table.rows(&field, &rows, sizes, &mut carry)?;
        inputs.extend(array.map(|array| (key, Arc::new(array))));
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(rows: usize, batch: Option<usize>, shuffle: bool) -> Passes {
        let shuffle = shuffle.then_some((1, Purpose::Companion(0)));
        Passes { rows: Rows::All(rows), batch, shuffle, permutation: Vec::new(), pass: None }
    }

    #[test]
    fn rows_in_order_begin_again() {
        let mut three = passes(4, Some(3), false);
        let taken: Vec<_> = (0..3).map(|steps| three.take(Before { steps, rows: 0 }, 7)).collect();
        assert_eq!(taken, [[0, 1, 2], [3, 0, 1], [2, 3, 0]]);
        // As many as the training's own data gives, also in a smaller last batch.
        let mut equal = passes(5, None, false);
        assert_eq!(equal.take(Before { steps: 9, rows: 4 }, 3), [4, 0, 1]);
        assert_eq!(passes(2, Some(5), false).take(Before::default(), 1), [0, 1, 0, 1, 0]);
    }

    #[test]
    fn every_pass_has_every_row_once() {
        let mut shuffled = passes(5, Some(3), true);
        let all: Vec<u32> = (0..10).flat_map(|steps| shuffled.take(Before { steps, rows: 0 }, 1)).collect();
        let mut each: Vec<Vec<u32>> = all.chunks(5).map(<[u32]>::to_vec).collect();
        assert_ne!(each[0], each[1]);
        each.iter_mut().for_each(|pass| pass.sort_unstable());
        assert!(each.iter().all(|pass| *pass == [0, 1, 2, 3, 4]));
        // A step does not depend on the steps before.
        let later = passes(5, Some(3), true).take(Before { steps: 7, rows: 0 }, 1);
        assert_eq!(later, all[21..24]);
    }
}
