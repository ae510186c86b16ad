//! Sums of products as matrix products.

use std::collections::BTreeSet;

use super::super::build::{Writer, factors};
use super::super::term::Term;
use super::{Order, UNIT, Within, matrix, transposed};
use crate::ir::ScalarId;

impl Writer<'_> {
    /// A product, summed over `over`, as a matrix product. `written` is the order of the result as displayed.
    pub(super) fn contraction(
        &mut self,
        within: Within<'_>,
        id: ScalarId,
        written: &[usize],
        over: &[usize],
    ) -> Option<Term> {
        let mut parts = Vec::new();
        factors(&within.body.body, id, &mut parts);
        let mut all: Vec<Factor> = Vec::new();
        for part in parts {
            let reads = self.reads(within, part)?;
            let indices: BTreeSet<usize> = reads.iter().flatten().copied().collect();
            let is_summed = |index: &usize| over.contains(index) || over.is_empty() && *index == UNIT;
            let is_summed = indices.iter().any(is_summed);
            let free = indices.into_iter().filter(|index| written.contains(index)).collect();
            all.push(Factor { id: part, free, is_summed });
        }
        let (inner, outer): (Vec<Factor>, Vec<Factor>) = all
            .into_iter()
            .partition(|factor| factor.is_summed || over.is_empty() && !factor.free.is_empty());
        let layout = layout(&inner, written, over)?;
        let (left, right): (Vec<&Factor>, Vec<&Factor>) =
            inner.iter().partition(|factor| layout.is_left(factor));
        if left.is_empty() || right.is_empty() {
            return None;
        }
        let summed: Vec<usize> = if !over.is_empty() {
            let patterns = self.reads(within, left[0].id)?;
            let order = patterns.iter().find(|pattern| over.iter().all(|index| pattern.contains(index)))?;
            order.iter().copied().filter(|index| over.contains(index)).collect()
        } else if inner.iter().any(|factor| factor.is_summed) {
            vec![UNIT]
        } else {
            Vec::new()
        };
        let (rows, columns) = ([&*layout.rows, &*summed].concat(), [&*summed, &*layout.columns].concat());
        let left = self.side(within, &left, &Order { indices: &rows, shared: &layout.shared })?;
        let mut right = self.side(within, &right, &Order { indices: &columns, shared: &layout.shared })?;
        if summed.is_empty() {
            right = transposed(right);
        }
        let mut term = matrix(left, right);
        let order = Order { indices: written, shared: &[] };
        for factor in outer {
            term = self.scalar(within, factor.id, &order)?.times(term);
        }
        Some(term)
    }

    /// The product of the factors of one side of a matrix product.
    fn side(&mut self, within: Within<'_>, factors: &[&Factor], order: &Order<'_>) -> Option<Term> {
        let mut product: Option<Term> = None;
        for factor in factors {
            let next = self.scalar(within, factor.id, order)?;
            product = Some(match product {
                Some(before) => before.times(next),
                None => next,
            });
        }
        product
    }
}

/// A factor of a contraction.
struct Factor {
    id: ScalarId,
    /// The indices of the result that it varies with.
    free: BTreeSet<usize>,
    /// Whether it varies with an index that is summed over.
    is_summed: bool,
}

/// Which indices of the result of a contraction are rows and columns.
struct Layout {
    /// Those of both sides, which come first: a batch of matrix products.
    shared: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// The indices of factors of the left side.
    left: BTreeSet<usize>,
}

impl Layout {
    fn is_left(&self, factor: &Factor) -> bool {
        factor.free.is_subset(&self.left) && !(factor.free.is_empty() && self.columns.is_empty())
    }
}

/// How the indices of the result are divided between the two sides of a matrix product; `None` if they cannot be.
fn layout(factors: &[Factor], written: &[usize], over: &[usize]) -> Option<Layout> {
    // The greatest set of indices that a factor has, and the greatest one that is no part of it.
    let first = factors.iter().map(|factor| &factor.free).max_by_key(|free| free.len())?;
    let others = factors.iter().map(|factor| &factor.free).filter(|free| !free.is_subset(first));
    let second = match others.max_by_key(|free| free.len()) {
        Some(greatest) => greatest.clone(),
        None if over.is_empty() || first.is_empty() => return None,
        None if factors.iter().all(|factor| factor.free == *first) => return None,
        None => BTreeSet::new(),
    };
    let shared: Vec<usize> =
        written.iter().copied().filter(|i| first.contains(i) && second.contains(i)).collect();
    if !written.starts_with(&shared) || (!shared.is_empty() && written.len() < 3) {
        return None;
    }
    let rest = &written[shared.len()..];
    let in_order = |set: &BTreeSet<usize>| -> Vec<usize> {
        rest.iter().copied().filter(|index| set.contains(index)).collect()
    };
    let (of_first, of_second) = (in_order(first), in_order(&second));
    if rest == [&*of_first, &*of_second].concat() {
        Some(Layout { shared, rows: of_first, columns: of_second, left: first.clone() })
    } else if rest == [&*of_second, &*of_first].concat() {
        Some(Layout { shared, rows: of_second, columns: of_first, left: second })
    } else {
        None
    }
}
