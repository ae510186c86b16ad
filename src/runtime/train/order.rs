//! Which rows each step takes.
//!
//! The order is a function of the seed and the step alone, so training that is broken off and resumed sees
//! the same rows as training that is not.

use crate::runtime::data::Rows;
use crate::runtime::permutation::{Purpose, permutation};

/// The rows of every step of one training.
pub struct Order {
    rows: Rows,
    batch: usize,
    seed: u64,
    shuffle: bool,
    steps_per_epoch: u64,
    /// The permutation of one epoch, and which epoch that is.
    permutation: Vec<u32>,
    epoch: Option<u64>,
}

impl Order {
    /// `batch` is at least 1. With `shuffle` it is at most the number of rows.
    pub fn new(rows: Rows, batch: usize, seed: u64, shuffle: bool) -> Order {
        let batch = if shuffle { batch.min(rows.len().max(1)) } else { batch };
        let steps_per_epoch = rows.len().div_ceil(batch).max(1) as u64;
        Order { rows, batch, seed, shuffle, steps_per_epoch, permutation: Vec::new(), epoch: None }
    }

    pub fn batch(&self) -> usize {
        self.batch
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The rows of a step, from 0. With `shuffle` every epoch is a permutation of all rows and its last
    /// batch may be smaller; otherwise rows come in order and wrap around.
    pub fn take(&mut self, step: u64, into: &mut Vec<u32>) {
        into.clear();
        let count = self.rows.len();
        if !self.shuffle {
            let start = (step as u128 * self.batch as u128 % count as u128) as usize;
            into.extend((start..start + self.batch).map(|at| self.rows.get(at % count)));
            return;
        }
        let (epoch, at) = (step / self.steps_per_epoch, (step % self.steps_per_epoch) as usize);
        if self.epoch != Some(epoch) {
            self.permutation = permutation(count as u32, self.seed, Purpose::Shuffle, epoch as u32);
            self.epoch = Some(epoch);
        }
        let end = ((at + 1) * self.batch).min(count);
        into.extend(self.permutation[at * self.batch..end].iter().map(|at| self.rows.get(*at as usize)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: &mut Order, step: u64) -> Vec<u32> {
        let mut rows = Vec::new();
        order.take(step, &mut rows);
        rows
    }

    #[test]
    fn without_shuffling_rows_wrap_around() {
        let mut order = Order::new(Rows::All(5), 3, 0, false);
        assert_eq!(order.steps_per_epoch(), 2);
        assert_eq!(taken(&mut order, 0), [0, 1, 2]);
        assert_eq!(taken(&mut order, 1), [3, 4, 0]);
        assert_eq!(taken(&mut order, 2), [1, 2, 3]);
        let mut order = Order::new(Rows::Some([7, 9].into()), 3, 0, false);
        assert_eq!(taken(&mut order, 0), [7, 9, 7]);
    }

    #[test]
    fn shuffled_epochs_have_every_row_once() {
        let mut order = Order::new(Rows::Some((10..15).collect()), 2, 1, true);
        let mut epochs = Vec::new();
        for epoch in 0..2 {
            let steps: Vec<Vec<u32>> = (0..3).map(|at| taken(&mut order, epoch * 3 + at)).collect();
            assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
            let mut rows = steps.concat();
            epochs.push(rows.clone());
            rows.sort_unstable();
            assert_eq!(rows, [10, 11, 12, 13, 14]);
        }
        assert_ne!(epochs[0], epochs[1]);
        // A step does not depend on the steps before.
        assert_eq!(taken(&mut Order::new(Rows::Some((10..15).collect()), 2, 1, true), 4), epochs[1][2..4]);
    }
}
