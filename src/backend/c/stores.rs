//! Which lanes of a store another one overwrites at once.
//!
//! The last vector of a row often reaches back over the one before it, so that no lanes are left. It computes what
//! stands there already. Compilers that make wider vectors of several stores must then keep them in order, and GCC 12
//! does not: it takes the wrong one of two for the last. So only lanes that stay are stored.

use super::uses::used;
use crate::loops::{Address, Kernel, Stmt};
use std::collections::HashSet;
use std::ops::Range;

/// The lanes of a store in a block that no later store of the block overwrites, unless something reads them between.
/// `aliases` are, for each parameter, those that may reach its memory.
pub fn lasting(block: &[Stmt], at: usize, kernel: &Kernel, aliases: &[Vec<u32>]) -> Range<i64> {
    let Some((address, width)) = block.get(at).and_then(|stmt| store(stmt, kernel)) else { return 0..0 };
    let mut lasting = 0..width;
    for stmt in &block[at + 1..] {
        let (mut params, mut values) = (HashSet::new(), HashSet::new());
        match store(stmt, kernel) {
            Some((other, other_width)) => {
                let is_comparable = other.param == address.param && other.index.terms == address.index.terms;
                if is_comparable {
                    let from = other.index.constant - address.index.constant;
                    lasting = without(lasting, from..from + other_width);
                }
            }
            None => {
                used(std::slice::from_ref(stmt), &mut params, &mut values);
                if aliases[address.param as usize].iter().any(|param| params.contains(param)) {
                    break;
                }
            }
        }
    }
    lasting
}

/// Whether two stores of a block reach the same element, in vectors that lie across each other.
pub fn overlap(block: &[Stmt], kernel: &Kernel, aliases: &[Vec<u32>]) -> bool {
    let mut stores: Vec<(&Address, Range<i64>)> = Vec::new();
    for (at, stmt) in block.iter().enumerate() {
        match stmt {
            Stmt::Store { address, .. } => {
                let lasting = lasting(block, at, kernel, aliases);
                if !lasting.is_empty() {
                    stores.push((address, lasting));
                }
            }
            Stmt::For(inner) if overlap(&inner.body, kernel, aliases) => return true,
            Stmt::If { then, .. } if overlap(then, kernel, aliases) => return true,
            Stmt::Let(..) | Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => {}
        }
    }
    stores.iter().enumerate().any(|(at, (a, lanes))| {
        stores[..at].iter().any(|(b, before)| {
            let distance = a.index.constant - b.index.constant;
            let (from, to) = (lanes.start + distance, lanes.end + distance);
            a.param == b.param && a.index.terms == b.index.terms && from < before.end && before.start < to
        })
    })
}

fn store<'s>(stmt: &'s Stmt, kernel: &Kernel) -> Option<(&'s Address, i64)> {
    match stmt {
        Stmt::Store { address, value } => Some((address, i64::from(kernel.types[value.0 as usize].lanes))),
        _ => None,
    }
}

/// What is left of a range without another one that reaches over one of its ends, or all of it.
fn without(range: Range<i64>, other: Range<i64>) -> Range<i64> {
    match (other.start <= range.start, other.end >= range.end) {
        (true, true) => range.start..range.start,
        (true, false) => range.start.max(other.end)..range.end,
        (false, true) => range.start..range.end.min(other.start),
        (false, false) => range,
    }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn an_end_is_left_away_and_the_middle_is_not() {
        assert_eq!(without(0..8, 6..14), 0..6);
        assert_eq!(without(0..8, -3..5), 5..8);
        assert_eq!(without(0..8, 8..16), 0..8);
        assert_eq!(without(0..8, -8..0), 0..8);
        assert_eq!(without(0..8, 2..4), 0..8);
        assert!(without(0..8, 0..8).is_empty());
    }
}
