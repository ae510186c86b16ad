//! Totals and gathered rows out of what the ranks have of their shards.
//!
//! Large totals go around twice: each rank is sent its share of the elements of all summands and combines them, then
//! everybody is sent all shares. That is twice the bytes of the total, for any number of ranks that is a power of two
//! and divides the number of shards. Small ones go around once.

use std::ops::Range;
use std::sync::Arc;

use super::bytes::{append, append_part, take};
use super::{Lost, Shared, to_all};
use crate::ir::Combine;
use crate::runtime::array::Elements;
use crate::shard::tree;

/// Below so many bytes of a summand, everybody is sent everything.
const SMALL: usize = 1 << 14;

/// The shards of a batch, and who computes them.
#[derive(Clone)]
pub struct Shards {
    /// How many there are, some perhaps without rows.
    pub count: usize,
    /// Rows of the batch.
    pub rows: usize,
    /// Who takes part, if not this process alone.
    pub ranks: Option<Shared>,
    pub rank: usize,
    pub size: usize,
}

impl Shards {
    pub fn rows_of(&self, shard: usize) -> Range<usize> {
        tree::rows_of(shard, self.count, self.rows)
    }

    /// The shards with rows that a rank computes.
    pub fn of(&self, rank: usize) -> Vec<usize> {
        let all = tree::shards_of(rank, self.size, self.count);
        all.filter(|shard| !self.rows_of(*shard).is_empty()).collect()
    }

    /// The nodes of the tree that a rank combines by itself, as far as they have rows.
    fn roots(&self, rank: usize) -> Vec<Range<usize>> {
        let known = tree::shards_of(rank, self.size, self.count);
        let roots = tree::roots(self.count, &known).into_iter();
        roots.filter(|root| root.clone().any(|shard| !self.rows_of(shard).is_empty())).collect()
    }

    fn exchange(&self, to: Vec<Arc<Vec<u8>>>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost> {
        match &self.ranks {
            Some(ranks) => ranks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).exchange(to, lengths),
            None => Ok(to.into_iter().map(|bytes| bytes.to_vec()).collect()),
        }
    }

    /// Combines the summands of all shards. `mine` are those of this rank's shards, in order, a value for each of
    /// `ways`; `like` has the elements' types and numbers.
    ///
    /// # Errors
    /// If a rank does not take part.
    pub fn total(
        &self,
        mine: Vec<Vec<Elements>>,
        like: &[(Elements, usize)],
        ways: &[Combine],
    ) -> Result<Vec<Elements>, Lost> {
        let known = self.of(self.rank);
        let mut summands: Vec<Option<Vec<Elements>>> = vec![None; self.count];
        known.iter().zip(mine).for_each(|(shard, values)| summands[*shard] = Some(values));
        let mut join = |a: Vec<Elements>, b: Vec<Elements>| joined(a, &b, ways);
        let mut leaf = |node: &Range<usize>| (node.len() == 1).then(|| summands[node.start].take());
        let roots: Vec<Vec<Elements>> =
            self.roots(self.rank).iter().filter_map(|root| tree::combine(root, &mut leaf, &mut join)).collect();
        if self.ranks.is_none() || self.size == 1 {
            return Ok(roots.into_iter().next().unwrap_or_default());
        }
        let bytes: usize = like.iter().map(|(elements, count)| elements.size() * count).sum();
        if bytes <= SMALL {
            return self.small_total(&roots, like, ways, bytes);
        }
        let to = (0..self.size).map(|rank| {
            let mut bytes = Vec::new();
            for root in &roots {
                for (elements, (_, count)) in root.iter().zip(like) {
                    append_part(&mut bytes, elements, tree::rows_of(rank, self.size, *count));
                }
            }
            Arc::new(bytes)
        });
        let to = to.collect();
        let share = |rank: usize| -> Vec<(Elements, usize)> {
            let parts = like.iter();
            parts.map(|(like, count)| (like.clone(), tree::rows_of(rank, self.size, *count).len())).collect()
        };
        let bytes_of = |share: &[(Elements, usize)]| -> usize {
            share.iter().map(|(elements, count)| elements.size() * count).sum()
        };
        let my_share = share(self.rank);
        let lengths: Vec<usize> =
            (0..self.size).map(|rank| self.roots(rank).len() * bytes_of(&my_share)).collect();
        let received = self.exchange(to, &lengths)?;
        let combined = self.of_roots(&received, &my_share, ways);
        let mut bytes = Vec::new();
        combined.iter().for_each(|elements| append(&mut bytes, elements));
        let lengths: Vec<usize> = (0..self.size).map(|rank| bytes_of(&share(rank))).collect();
        let received = self.exchange(to_all(self.size, bytes), &lengths)?;
        let mut totals: Vec<Elements> = like.iter().map(|(like, count)| like.zeros_alike(*count)).collect();
        for (rank, bytes) in received.iter().enumerate() {
            let mut rest = bytes.as_slice();
            for (total, (like, count)) in totals.iter_mut().zip(like) {
                let places = tree::rows_of(rank, self.size, *count);
                total.put(places.start, &take(&mut rest, places.len(), like));
            }
        }
        Ok(totals)
    }

    fn small_total(
        &self,
        roots: &[Vec<Elements>],
        like: &[(Elements, usize)],
        ways: &[Combine],
        size: usize,
    ) -> Result<Vec<Elements>, Lost> {
        let mut bytes = Vec::new();
        roots.iter().flatten().for_each(|elements| append(&mut bytes, elements));
        let lengths: Vec<usize> = (0..self.size).map(|rank| self.roots(rank).len() * size).collect();
        let received = self.exchange(to_all(self.size, bytes), &lengths)?;
        Ok(self.of_roots(&received, like, ways))
    }

    /// Combines what the ranks have sent of their nodes of the tree.
    fn of_roots(&self, received: &[Vec<u8>], like: &[(Elements, usize)], ways: &[Combine]) -> Vec<Elements> {
        let mut known: Vec<(Range<usize>, Option<Vec<Elements>>)> = Vec::new();
        for (rank, bytes) in received.iter().enumerate() {
            let mut rest = bytes.as_slice();
            for root in self.roots(rank) {
                let values = like.iter().map(|(like, count)| take(&mut rest, *count, like)).collect();
                known.push((root, Some(values)));
            }
        }
        let mut find = |node: &Range<usize>| {
            known.iter_mut().find(|(root, _)| root == node).map(|(_, values)| values.take())
        };
        tree::combine(&(0..self.count), &mut find, &mut |a, b| joined(a, &b, ways)).unwrap_or_default()
    }

    /// The rows of all shards one behind another along the axis that `outer` elements of other axes stand before.
    /// `mine` are those of this rank's shards; a row has `row` elements.
    ///
    /// # Errors
    /// If a rank does not take part.
    pub fn gathered(
        &self,
        mine: Vec<Elements>,
        like: &Elements,
        outer: usize,
        row: usize,
    ) -> Result<Elements, Lost> {
        let mut bytes = Vec::new();
        mine.iter().for_each(|elements| append(&mut bytes, elements));
        let rows_of = |rank: usize| self.of(rank).into_iter().map(|shard| self.rows_of(shard).len()).sum::<usize>();
        let lengths: Vec<usize> =
            (0..self.size).map(|rank| rows_of(rank) * outer * row * like.size()).collect();
        let received = self.exchange(to_all(self.size, bytes), &lengths)?;
        let mut whole = like.zeros_alike(self.rows * outer * row);
        for (rank, bytes) in received.iter().enumerate() {
            let mut rest = bytes.as_slice();
            for shard in self.of(rank) {
                let rows = self.rows_of(shard);
                let part = take(&mut rest, rows.len() * outer * row, like);
                let run = rows.len() * row;
                for at in 0..outer {
                    let piece = part.part(at * run..(at + 1) * run);
                    whole.put((at * self.rows + rows.start) * row, &piece);
                }
            }
        }
        Ok(whole)
    }
}

/// Two values of several tensors, combined element by element.
fn joined(mut a: Vec<Elements>, b: &[Elements], ways: &[Combine]) -> Vec<Elements> {
    for ((a, b), way) in a.iter_mut().zip(b).zip(ways) {
        match (a, b) {
            (Elements::F32(a), Elements::F32(b)) => floats(a, b, *way, |value| value.is_nan()),
            (Elements::F64(a), Elements::F64(b)) => floats(a, b, *way, |value| value.is_nan()),
            (Elements::I64(a), Elements::I64(b)) => ints(a, b, *way),
            (Elements::Bool(a), Elements::Bool(b)) => bools(a, b, *way),
            // Summands are floats, bools, or ints of 64 bits.
            _ => {}
        }
    }
    a
}

/// As loops combine floats: of the greatest and the least, the first NaN stays.
fn floats<F>(a: &mut [F], b: &[F], way: Combine, is_nan: impl Fn(&F) -> bool)
where
    F: Copy + PartialOrd + std::ops::Add<Output = F> + std::ops::Mul<Output = F>,
{
    let pairs = a.iter_mut().zip(b);
    match way {
        Combine::Mul => pairs.for_each(|(a, b)| *a = *a * *b),
        Combine::Max => pairs.for_each(|(a, b)| {
            if *b > *a || is_nan(b) && !is_nan(a) {
                *a = *b;
            }
        }),
        Combine::Min => pairs.for_each(|(a, b)| {
            if *b < *a || is_nan(b) && !is_nan(a) {
                *a = *b;
            }
        }),
        _ => pairs.for_each(|(a, b)| *a = *a + *b),
    }
}

fn ints(a: &mut [i64], b: &[i64], way: Combine) {
    let pairs = a.iter_mut().zip(b);
    match way {
        Combine::Mul => pairs.for_each(|(a, b)| *a = a.saturating_mul(*b)),
        Combine::Max => pairs.for_each(|(a, b)| *a = (*a).max(*b)),
        Combine::Min => pairs.for_each(|(a, b)| *a = (*a).min(*b)),
        _ => pairs.for_each(|(a, b)| *a = a.saturating_add(*b)),
    }
}

fn bools(a: &mut [bool], b: &[bool], way: Combine) {
    let pairs = a.iter_mut().zip(b);
    match way {
        Combine::Mul | Combine::Min => pairs.for_each(|(a, b)| *a &= *b),
        _ => pairs.for_each(|(a, b)| *a |= *b),
    }
}
