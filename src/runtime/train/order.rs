//! Which rows each step takes.
//!
//! The order is a function of the seed and the step alone, so training that is broken off and resumed sees
//! the same rows as training that is not.

use super::batch::companions::Before;
use crate::runtime::data::Rows;
use crate::runtime::permutation::{Purpose, permute_into};

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

    /// Bytes of the permutation.
    pub fn bytes(&self) -> u64 {
        if self.shuffle { 4 * self.rows.len() as u64 } else { 0 }
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The batch size of a step, from 0, and how many steps from this one on have the same within its epoch.
    pub fn equal_steps(&self, step: u64) -> (usize, u64) {
        let left = self.steps_per_epoch - step % self.steps_per_epoch;
        if self.has_one_size() {
            (self.batch, left)
        } else if left == 1 {
            (self.rows.len() % self.batch, 1)
        } else {
            (self.batch, left - 1)
        }
    }

    /// Whether all batches are of one size: no epoch has a smaller last one.
    pub fn has_one_size(&self) -> bool {
        !self.shuffle || self.rows.len().is_multiple_of(self.batch)
    }

    /// What the steps before this one have drawn.
    pub fn before(&self, step: u64) -> Before {
        let rows = match self.has_one_size() {
            true => step * self.batch as u64,
            false => {
                let (epochs, steps) = (step / self.steps_per_epoch, step % self.steps_per_epoch);
                epochs * self.rows.len() as u64 + steps * self.batch as u64
            }
        };
        Before { steps: step, rows }
    }

    /// The rows of some steps, from 0, one step after another. With `shuffle` every epoch is a permutation of
    /// all rows and its last batch may be smaller; otherwise rows come in order and wrap around.
    pub fn take(&mut self, step: u64, steps: u64, into: &mut Vec<u32>) {
        into.clear();
        if !self.shuffle {
            let count = self.rows.len();
            let start = (u128::from(step) * self.batch as u128 % count as u128) as usize;
            let wanted = steps as usize * self.batch;
            into.extend((start..start + wanted).map(|at| self.rows.get(at % count)));
            return;
        }
        let (mut at, end) = (step, step + steps);
        while at < end {
            let epoch = at / self.steps_per_epoch;
            let epoch_end = ((epoch + 1) * self.steps_per_epoch).min(end);
            self.take_of_epoch(epoch, (at % self.steps_per_epoch) as usize, (epoch_end - at) as usize, into);
            at = epoch_end;
        }
    }

    /// Appends the rows of some steps of one epoch.
    fn take_of_epoch(&mut self, epoch: u64, first: usize, steps: usize, into: &mut Vec<u32>) {
        let count = self.rows.len();
        if self.epoch != Some(epoch) {
            let order = &mut self.permutation;
            permute_into(order, count as u32, self.seed, Purpose::Shuffle, epoch as u32);
            self.epoch = Some(epoch);
        }
        let start = first * self.batch;
        let end = (start + steps * self.batch).min(count);
        let taken = &self.permutation[start..end];
        match &self.rows {
            Rows::All(_) => into.extend_from_slice(taken),
            Rows::Some(rows) => into.extend(taken.iter().map(|at| rows[*at as usize])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(order: &mut Order, step: u64) -> Vec<u32> {
        let mut rows = Vec::new();
        order.take(step, 1, &mut rows);
        rows
    }

    #[test]
    fn without_shuffling_rows_wrap_around() {
        let mut order = Order::new(Rows::All(5), 3, 0, false);
        assert_eq!((order.steps_per_epoch(), order.equal_steps(1)), (2, (3, 1)));
        assert_eq!(taken(&mut order, 0), [0, 1, 2]);
        assert_eq!(taken(&mut order, 1), [3, 4, 0]);
        assert_eq!(taken(&mut order, 2), [1, 2, 3]);
        let mut order = Order::new(Rows::Some([7, 9].into()), 3, 0, false);
        assert_eq!(taken(&mut order, 0), [7, 9, 7]);
    }

    #[test]
    fn shuffled_epochs_have_every_row_once() {
        let mut order = Order::new(Rows::Some((10..15).collect()), 2, 1, true);
        assert_eq!((order.equal_steps(0), order.equal_steps(5)), ((2, 2), (1, 1)));
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
        let mut both = Vec::new();
        Order::new(Rows::Some((10..15).collect()), 2, 1, true).take(0, 6, &mut both);
        assert_eq!(both, epochs.concat());
        // A step does not depend on the steps before.
        assert_eq!(taken(&mut Order::new(Rows::Some((10..15).collect()), 2, 1, true), 4), epochs[1][2..4]);
    }
}
