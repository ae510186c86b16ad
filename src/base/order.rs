//! Sorting with one copy of its code for all types. The standard library's sorts are faster on long lists, but each
//! type and each comparison gets 6 KB of them; a compiler sorts many kinds of short lists.

use std::cmp::Ordering;

/// Up to so many elements are sorted where they stand.
const FEW: usize = 12;

/// Stable sorts of lists that are short or rarely sorted. Rows of data are sorted by the standard library.
pub trait PutInOrder<T> {
    fn put_in_order_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    fn put_in_order_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.put_in_order_by(|a, b| key(a).cmp(&key(b)));
    }

    fn put_in_order(&mut self)
    where
        T: Ord,
    {
        self.put_in_order_by(T::cmp);
    }
}

impl<T> PutInOrder<T> for [T] {
    fn put_in_order_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        sort(self, &mut compare);
    }
}

fn sort<T>(items: &mut [T], compare: &mut dyn FnMut(&T, &T) -> Ordering) {
    if items.len() <= FEW {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && compare(&items[at - 1], &items[at]) == Ordering::Greater {
                items.swap(at - 1, at);
                at -= 1;
            }
        }
        return;
    }
    let order = sorted_places(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    for at in 0..items.len() {
        // What belongs here was swapped onwards if its place has been filled already.
        let mut from = order[at];
        while from < at {
            from = order[from];
        }
        items.swap(at, from);
    }
}

/// Which element comes first, which second, and so on.
fn sorted_places(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

#[cfg(test)]
mod tests {
    use super::PutInOrder;

    #[test]
    fn lists_are_sorted_as_the_standard_library_sorts_them() {
        let mut state = 1_u64;
        for length in (0..40).chain([100, 1000]) {
            let mut items: Vec<(u64, usize)> = (0..length)
                .map(|at| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 33) % 16, at)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            items.put_in_order_by_key(|item| item.0);
            assert_eq!(items, expected);
            expected.sort_by(|a, b| b.cmp(a));
            items.put_in_order_by(|a, b| b.cmp(a));
            assert_eq!(items, expected);
            expected.sort();
            items.put_in_order();
            assert_eq!(items, expected);
        }
    }
}
