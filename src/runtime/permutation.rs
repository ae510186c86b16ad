//! The order in which rows are visited: permutations that are functions of a seed and an epoch
//! alone, and the division of rows into parts.

use crate::base::philox::{key_of, philox4x32};

/// What a permutation is for; permutations of different purposes have nothing in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The order of the rows in an epoch of training.
    Shuffle,
    /// Which row falls into which part of a data set.
    Split,
    /// The order of the rows in a pass over data that a training draws from beside its own, by number.
    Companion(u32),
}

impl Purpose {
    /// The counter word that tells purposes apart.
    fn word(self) -> u32 {
        match self {
            Purpose::Shuffle => 0,
            Purpose::Split => 1,
            Purpose::Companion(number) => number + 2,
        }
    }
}

/// The counter word that keeps permutations apart from all draws of a program.
const PERMUTATION: u32 = u32::MAX;

/// A permutation of `0..rows`, every one equally likely: Fisher and Yates' shuffle from the last
/// place down, with unbiased bounded numbers (Lemire, *Fast random integer generation in an
/// interval*, 2019). Words are used in order from the blocks `(0, 2^32 - 1, epoch, purpose)`,
/// `(1, …)`, … under the key of the seed.
pub fn permutation(rows: u32, seed: u64, purpose: Purpose, epoch: u32) -> Vec<u32> {
    let mut order = Vec::new();
    permute_into(&mut order, rows, seed, purpose, epoch);
    order
}

/// The same in place of what `order` has.
pub fn permute_into(order: &mut Vec<u32>, rows: u32, seed: u64, purpose: Purpose, epoch: u32) {
    let mut words =
        Words { key: key_of(seed), counter: [0, PERMUTATION, epoch, purpose.word()], word: 4, block: [0; 4] };
    order.clear();
    order.extend(0..rows);
    for last in (1..rows).rev() {
        order.swap(last as usize, words.below(last + 1) as usize);
    }
}

/// The rows of each part. Parts are rounded down, the last takes the rest. Without `in_order`
/// the rows are permuted first. Fractions lie in 0..=1; rows that they exceed are not given twice.
pub fn split_rows(rows: u32, fractions: &[f64], seed: u64, in_order: bool) -> Vec<Vec<u32>> {
    let order: Vec<u32> =
        if in_order { (0..rows).collect() } else { permutation(rows, seed, Purpose::Split, 0) };
    let mut rest: &[u32] = &order;
    let mut parts = Vec::new();
    for (at, &fraction) in fractions.iter().enumerate() {
        // 0.29 * 100 is a little less than 29; nobody means 28.
        let size = (fraction * f64::from(rows) + 1e-6).floor() as usize;
        let size = if at + 1 == fractions.len() { rest.len() } else { size.min(rest.len()) };
        let (part, others) = rest.split_at(size);
        parts.push(part.to_vec());
        rest = others;
    }
    parts
}

/// The words of consecutive blocks.
struct Words {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    word: usize,
}

impl Words {
    fn next(&mut self) -> u32 {
        if self.word == 4 {
            self.block = philox4x32(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.word = 0;
        }
        self.word += 1;
        self.block[self.word - 1]
    }

    /// A number in `0..size`, every one equally likely.
    fn below(&mut self, size: u32) -> u32 {
        let mut product = u64::from(self.next()) * u64::from(size);
        if (product as u32) < size {
            let uneven = size.wrapping_neg() % size;
            while (product as u32) < uneven {
                product = u64::from(self.next()) * u64::from(size);
            }
        }
        (product >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_has_every_row_once() {
        for rows in [0, 1, 2, 3, 1000] {
            let mut order = permutation(rows, 5, Purpose::Shuffle, 2);
            order.sort_unstable();
            assert_eq!(order, (0..rows).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn seed_purpose_and_epoch_decide() {
        let order = permutation(100, 5, Purpose::Shuffle, 2);
        assert_eq!(order, permutation(100, 5, Purpose::Shuffle, 2));
        assert_ne!(order, permutation(100, 6, Purpose::Shuffle, 2));
        assert_ne!(order, permutation(100, 5, Purpose::Split, 2));
        assert_ne!(order, permutation(100, 5, Purpose::Shuffle, 3));
    }

    /// The order is part of what a seed means: this must never change.
    #[test]
    fn a_known_order() {
        assert_eq!(permutation(8, 0, Purpose::Shuffle, 0), [2, 4, 1, 6, 5, 3, 0, 7]);
    }

    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            *counts.entry(permutation(4, 1, Purpose::Shuffle, epoch)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }

    #[test]
    fn parts_are_rounded_down_and_the_last_takes_the_rest() {
        let sizes = |rows, fractions: &[f64]| -> Vec<usize> {
            split_rows(rows, fractions, 0, false).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(1797, &[0.8, 0.2]), [1437, 360]);
        assert_eq!(sizes(100, &[0.29, 0.71]), [29, 71]);
        assert_eq!(sizes(10, &[0.7, 0.2, 0.1]), [7, 2, 1]);
        assert_eq!(sizes(10, &[0.9, 0.9, 0.5]), [9, 1, 0]);
        assert_eq!(split_rows(4, &[0.5, 0.5], 0, true), [[0, 1], [2, 3]]);
    }
}
