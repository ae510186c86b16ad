//! Sums of products, by which of their factors move with which indices.

use crate::ir::{Affine, BinaryOp, Body, Combine, Loop, Scalar, ScalarId, Sub, UnaryOp, Var};

/// `out[w] += f1 * f2 * …`, whose factors fall into two classes by the indices that they have, and those that do not
/// move with the sum, which may be multiplied afterwards.
#[derive(Clone, Debug)]
pub struct Product {
    pub a: Class,
    pub b: Class,
    /// The factors that do not move with the sum.
    pub outer: Vec<ScalarId>,
    /// For each index of the domain whether the result moves with it.
    pub written: Vec<bool>,
    /// Whether every subscript of the result is an index or a number.
    pub is_bare: bool,
    /// For each index whether it has more than one value, as far as is known.
    live: Vec<bool>,
}

/// Factors that have the same indices, or fewer.
#[derive(Clone, Debug)]
pub struct Class {
    pub factors: Vec<ScalarId>,
    pub indices: Vec<bool>,
}

/// How an index takes part in a product: by which of the two classes and the result move with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Batch,
    M,
    N,
    K,
}

/// A size for what is not known yet, where one index has to be weighed against another.
const USUAL: i64 = 64;

/// The sizes of the indices of a loop; what is still symbolic counts as some usual size.
pub fn sizes(body: &Loop) -> Vec<i64> {
    body.domain.iter().map(|size| size.as_number().unwrap_or(USUAL)).collect()
}

impl Product {
    /// The product that a loop is, whatever its sizes are.
    pub fn of(body: &Loop) -> Option<Product> {
        if body.combine != Combine::Add {
            return None;
        }
        let mut factors = Vec::new();
        collect_factors(&body.body, body.body.result, &mut factors);
        if factors.len() < 2 {
            return None;
        }
        let sizes = sizes(body);
        let uses = indices_of(&body.body, &sizes);
        let mut written = vec![false; sizes.len()];
        let mut is_bare = true;
        for sub in &body.write {
            let Sub::Affine(affine) = sub else { return None };
            is_bare &= affine.as_index().is_some() || affine.is_constant();
            mark(affine, &mut written);
        }
        // Indices of one point belong to whatever has them; they count for nothing.
        let live: Vec<bool> = sizes.iter().map(|size| *size > 1).collect();
        let summed = |set: &[bool]| (0..set.len()).any(|index| set[index] && live[index] && !written[index]);
        let (inner, outer): (Vec<ScalarId>, Vec<ScalarId>) =
            factors.iter().partition(|factor| summed(&uses[factor.0 as usize]));
        let (a, b) = two_classes(&inner, &uses, &sizes)?;
        Some(Product { a, b, outer, written, is_bare, live })
    }

    /// What an index is in the product; `None` if it moves with the result alone, or is summed in one class only.
    pub fn side(&self, index: usize) -> Option<Side> {
        match (self.written[index], self.a.indices[index], self.b.indices[index]) {
            (true, true, true) => Some(Side::Batch),
            (true, true, false) => Some(Side::M),
            (true, false, true) => Some(Side::N),
            (false, true, true) => Some(Side::K),
            (true, false, false) | (false, _, _) => None,
        }
    }

    /// The indices of one side, in order.
    pub fn indices(&self, side: Side) -> impl Iterator<Item = usize> + '_ {
        (0..self.written.len()).filter(move |index| self.side(*index) == Some(side))
    }

    /// How many points one side has, for these sizes.
    pub fn points(&self, side: Side, sizes: &[i64]) -> i64 {
        self.indices(side).map(|index| sizes[index]).product()
    }

    /// Whether it is a matrix product, a product of a matrix and a vector, or a batch of these: every index takes part
    /// in it, and one of the factors has an index that the other lacks. A sum of squares is none.
    pub fn is_contraction(&self) -> bool {
        let has = |side| self.indices(side).any(|index| self.live[index]);
        self.sums_both() && self.covers_result() && has(Side::K) && (has(Side::M) || has(Side::N))
    }

    /// Whether the second class has an index that the first lacks, so that neither is a part of the other.
    pub fn is_two_sided(&self) -> bool {
        self.b.indices.iter().zip(&self.a.indices).any(|(b, a)| *b && !*a)
    }

    /// Whether every index that is summed belongs to both classes.
    pub fn sums_both(&self) -> bool {
        (0..self.live.len()).all(|index| {
            !self.live[index] || self.written[index] || self.a.indices[index] && self.b.indices[index]
        })
    }

    /// Whether every index of the result belongs to a class.
    pub fn covers_result(&self) -> bool {
        (0..self.live.len()).all(|index| {
            !self.live[index] || !self.written[index] || self.a.indices[index] || self.b.indices[index]
        })
    }
}

impl Class {
    /// Whether it is one read by indices alone.
    pub fn is_plain(&self, body: &Body) -> bool {
        matches!(self.factors.as_slice(), [one] if is_plain(body, *one))
    }
}

/// The factors of a product, through nested products.
pub fn collect_factors(body: &Body, id: ScalarId, into: &mut Vec<ScalarId>) {
    match &body[id] {
        Scalar::Binary(BinaryOp::Mul, a, b) => {
            collect_factors(body, *a, into);
            collect_factors(body, *b, into);
        }
        Scalar::Unary(UnaryOp::Stop, a) => collect_factors(body, *a, into),
        _ => into.push(id),
    }
}

/// Notes the indices of an affine form.
pub fn mark(affine: &Affine, set: &mut [bool]) {
    for (var, _) in &affine.terms {
        if let Var::Index(index) = var {
            set[*index as usize] = true;
        }
    }
}

/// For each scalar the indices that it moves with, those of one point left out.
pub fn indices_of(body: &Body, sizes: &[i64]) -> Vec<Vec<bool>> {
    let mut sets: Vec<Vec<bool>> = Vec::with_capacity(body.nodes.len());
    for scalar in &body.nodes {
        let mut set = vec![false; sizes.len()];
        scalar.for_each_operand(|id| {
            let other = &sets[id.0 as usize];
            set.iter_mut().zip(other).for_each(|(uses, other)| *uses |= other);
        });
        match scalar {
            Scalar::Affine(affine) => mark(affine, &mut set),
            Scalar::Read { subs, .. } => subs.iter().for_each(|sub| {
                if let Sub::Affine(affine) = sub {
                    mark(affine, &mut set);
                }
            }),
            _ => {}
        }
        set.iter_mut().zip(sizes).for_each(|(uses, size)| *uses &= *size > 1);
        sets.push(set);
    }
    sets
}

/// Two classes: the factor with the most points and what moves with its indices only, and the rest. If all move with
/// these indices only, as the vector that a matrix is multiplied by does, that factor is a class by itself.
fn two_classes(factors: &[ScalarId], uses: &[Vec<bool>], sizes: &[i64]) -> Option<(Class, Class)> {
    let points = |set: &[bool]| -> i64 {
        set.iter()
            .zip(sizes)
            .filter(|(has, _)| **has)
            .fold(1i64, |product, (_, size)| product.saturating_mul(*size))
    };
    let first = factors.iter().max_by_key(|factor| points(&uses[factor.0 as usize]))?;
    let indices = uses[first.0 as usize].clone();
    let within =
        |factor: &ScalarId| uses[factor.0 as usize].iter().zip(&indices).all(|(uses, has)| !uses || *has);
    let (mut mine, mut rest): (Vec<ScalarId>, Vec<ScalarId>) = factors.iter().partition(|factor| within(factor));
    if rest.is_empty() {
        (mine, rest) = factors.iter().partition(|factor| *factor == first);
    }
    let mut others = vec![false; sizes.len()];
    for factor in &rest {
        others.iter_mut().zip(&uses[factor.0 as usize]).for_each(|(uses, has)| *uses |= has);
    }
    let a = Class { factors: mine, indices };
    (!rest.is_empty()).then_some((a, Class { factors: rest, indices: others }))
}

/// A read by indices alone.
pub fn is_plain(body: &Body, id: ScalarId) -> bool {
    let Scalar::Read { subs, padded: false, .. } = &body[id] else { return false };
    subs.iter().all(|sub| match sub {
        Sub::Affine(affine) => affine.terms.len() <= 1,
        Sub::Value(_) => false,
    })
}
