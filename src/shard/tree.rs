//! The order in which the summands of shards are combined: a binary tree over the shards of a training, whoever
//! computes them. A shard without rows, of a batch with fewer rows than shards, is left out of it.

use std::ops::Range;

/// The rows of a shard: of a batch of `rows` rows that is divided among so many.
pub fn rows_of(shard: usize, shards: usize, rows: usize) -> Range<usize> {
    let bound = |shard: usize| (shard as u128 * rows as u128 / shards.max(1) as u128) as usize;
    bound(shard)..bound(shard + 1)
}

/// The shards that a rank computes, if so many ranks share them.
pub fn shards_of(rank: usize, ranks: usize, shards: usize) -> Range<usize> {
    rows_of(rank, ranks, shards)
}

/// The two parts of a node of the tree.
fn halves(node: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let size = node.len().next_power_of_two() / 2;
    (node.start..node.start + size, node.start + size..node.end)
}

/// The nodes of the tree over `0..shards` whose shards are all among `known`, in order, and are parts of none that
/// is: what a rank can combine by itself.
pub fn roots(shards: usize, known: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Vec<Range<usize>> = (shards > 0).then_some(0..shards).into_iter().collect();
    while let Some(node) = open.pop() {
        if node.start >= known.start && node.end <= known.end {
            found.push(node);
        } else if node.start < known.end && known.start < node.end && node.len() > 1 {
            let (left, right) = halves(&node);
            open.push(right);
            open.push(left);
        }
    }
    found
}

/// Combines the values of a node of the tree, given those of some nodes in it that have no parts. `None` stands for
/// shards without rows.
pub fn combine<T>(
    node: &Range<usize>,
    find: &mut impl FnMut(&Range<usize>) -> Option<Option<T>>,
    join: &mut impl FnMut(T, T) -> T,
) -> Option<T> {
    if let Some(value) = find(node) {
        return value;
    }
    if node.len() < 2 {
        return None;
    }
    let (left, right) = halves(node);
    let (left, right) = (combine(&left, find, join), combine(&right, find, join));
    match (left, right) {
        (Some(left), Some(right)) => Some(join(left, right)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as a text, from the values of the roots of so many ranks.
    fn text(shards: usize, ranks: usize) -> String {
        let mut known = Vec::new();
        for rank in 0..ranks {
            for root in roots(shards, &shards_of(rank, ranks, shards)) {
                let mut leaf = |node: &Range<usize>| (node.len() == 1).then(|| Some(node.start.to_string()));
                let value = combine(&root, &mut leaf, &mut |a, b| format!("({a} {b})"));
                known.push((root, value));
            }
        }
        let mut find =
            |node: &Range<usize>| known.iter().find(|(root, _)| root == node).map(|(_, value)| value.clone());
        combine(&(0..shards), &mut find, &mut |a, b| format!("({a} {b})")).expect("there are shards")
    }

    #[test]
    fn the_tree_is_the_same_for_any_number_of_ranks() {
        assert_eq!(text(8, 1), "(((0 1) (2 3)) ((4 5) (6 7)))");
        assert_eq!(text(6, 1), "(((0 1) (2 3)) (4 5))");
        for shards in 1..20 {
            for ranks in 1..=shards {
                assert_eq!(text(shards, ranks), text(shards, 1), "{shards} shards, {ranks} ranks");
            }
        }
    }

    #[test]
    fn every_row_is_in_one_shard() {
        for (rows, shards) in [(32, 8), (7, 3), (3, 8), (1, 1), (100, 7)] {
            let all: Vec<usize> = (0..shards).flat_map(|shard| rows_of(shard, shards, rows)).collect();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
            let sizes = (0..shards).map(|shard| rows_of(shard, shards, rows).len());
            let (least, most) = sizes.fold((usize::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
            assert!(most - least <= 1);
        }
    }
}
