//! Which elements a definition writes: that no element is written twice, and that every one is written.
//!
//! A subscript on the left is `Σ k · i + c`. Decoding it as a number in a mixed radix (`k*i + u` with `u < k`)
//! gives the indices back, so different points are written to different places.

use crate::base::Span;
use crate::ir::{Affine, Dim, Var};

/// The places that one statement writes: an affine expression for each axis, with the ranges of its indices.
/// `None` for an axis whose places are not linear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    axes: Vec<Option<Line>>,
    /// The left-hand side.
    pub span: Span,
}

/// `Σ coefficient · index + constant` with `index < range`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    terms: Vec<Term>,
    constant: Dim,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    index: u32,
    coefficient: Dim,
    range: Dim,
}

impl Region {
    pub fn new(subs: &[Option<Affine>], domain: &[Dim], span: Span) -> Region {
        let line = |affine: &Affine| {
            let mut terms = Vec::new();
            for (var, coefficient) in &affine.terms {
                let Var::Index(index) = var else { return None };
                let range = domain.get(*index as usize)?.clone();
                if !range.is_number(1) {
                    terms.push(Term { index: *index, coefficient: coefficient.clone(), range });
                }
            }
            Some(Line { terms, constant: affine.constant.clone() })
        };
        Region { axes: subs.iter().map(|sub| sub.as_ref().and_then(line)).collect(), span }
    }

    /// Whether the indices `0 .. count` can be told from the place that is written.
    pub fn tells_indices(&self, domain: &[Dim]) -> bool {
        let mut known: Vec<bool> = domain.iter().map(|range| range.is_number(1)).collect();
        loop {
            let mut more = false;
            for line in self.axes.iter().flatten() {
                let rest: Vec<&Term> = line.terms.iter().filter(|term| !known[term.index as usize]).collect();
                if !rest.is_empty() && decodes(&rest) {
                    rest.iter().for_each(|term| known[term.index as usize] = true);
                    more = true;
                }
            }
            if !more {
                return known.into_iter().all(|known| known);
            }
        }
    }

    /// The sizes of a tensor of which every element is written exactly once, or the first axis that is not
    /// covered so.
    pub fn covered(&self) -> Result<Vec<Dim>, usize> {
        let mut seen: Vec<u32> = Vec::new();
        let mut sizes = Vec::new();
        for (axis, line) in self.axes.iter().enumerate() {
            let size = line.as_ref().and_then(Line::covers).ok_or(axis)?;
            for term in line.iter().flat_map(|line| &line.terms) {
                if seen.contains(&term.index) {
                    return Err(axis);
                }
                seen.push(term.index);
            }
            sizes.push(size);
        }
        Ok(sizes)
    }

    /// Whether two statements write different places for certain.
    pub fn is_apart_from(&self, other: &Region) -> bool {
        self.axes.iter().zip(&other.axes).any(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => a.is_apart_from(b),
            _ => false,
        })
    }
}

impl Line {
    /// The size `n` if the places are `0 .. n`, each once.
    fn covers(&self) -> Option<Dim> {
        if !self.constant.is_number(0) {
            return None;
        }
        let mut rest: Vec<&Term> = self.terms.iter().collect();
        let mut size = Dim::ONE;
        while !rest.is_empty() {
            let next = rest.iter().position(|term| term.coefficient == size)?;
            size = &size * &rest.swap_remove(next).range;
        }
        Some(size)
    }

    fn bounds(&self) -> Option<(Dim, Dim)> {
        let (mut least, mut greatest) = (self.constant.clone(), self.constant.clone());
        for term in &self.terms {
            let reach = &term.coefficient * &(&term.range - &Dim::ONE);
            if term.coefficient.at_least(&Dim::ZERO) {
                greatest = &greatest + &reach;
            } else if Dim::ZERO.at_least(&term.coefficient) {
                least = &least + &reach;
            } else {
                return None;
            }
        }
        Some((least, greatest))
    }

    fn is_apart_from(&self, other: &Line) -> bool {
        if let (Some(a), Some(b)) = (self.bounds(), other.bounds())
            && (b.0.at_least(&(&a.1 + &Dim::ONE)) || a.0.at_least(&(&b.1 + &Dim::ONE)))
        {
            return true;
        }
        // `2*i` and `2*j + 1`: the remainders after division by a coefficient differ.
        let terms = self.terms.iter().chain(&other.terms);
        let mut factors = terms.filter_map(|term| term.coefficient.as_number()).filter(|factor| *factor > 1);
        factors.any(|factor| match (self.remainders(factor), other.remainders(factor)) {
            (Some(a), Some(b)) => a.1 < b.0 || b.1 < a.0,
            _ => false,
        })
    }

    /// The least and the greatest remainder after division by `factor`, if they do not wrap around.
    fn remainders(&self, factor: i64) -> Option<(i64, i64)> {
        let rest = |term: &&Term| term.coefficient.as_number().is_none_or(|coefficient| coefficient % factor != 0);
        let least = self.constant.as_number()?.rem_euclid(factor);
        let mut greatest = least;
        for term in self.terms.iter().filter(rest) {
            let coefficient = term.coefficient.as_number().filter(|coefficient| *coefficient > 0)?;
            greatest = greatest.checked_add(coefficient.checked_mul(term.range.as_number()? - 1)?)?;
        }
        (greatest < factor).then_some((least, greatest))
    }
}

/// Whether the terms can be told from their sum: each coefficient is greater than all that the smaller ones
/// reach.
fn decodes(terms: &[&Term]) -> bool {
    let mut rest = terms.to_vec();
    while !rest.is_empty() {
        let top = (0..rest.len()).find(|at| {
            let others = rest.iter().enumerate().filter(|(other, _)| other != at).map(|(_, term)| *term);
            exceeds(rest[*at], others)
        });
        match top {
            Some(at) => {
                rest.swap_remove(at);
            }
            None => return false,
        }
    }
    true
}

fn exceeds<'t>(term: &Term, others: impl Iterator<Item = &'t Term>) -> bool {
    let mut reach = Dim::ONE;
    for other in others {
        if !other.coefficient.at_least(&Dim::ZERO) {
            return false;
        }
        reach = &reach + &(&other.coefficient * &(&other.range - &Dim::ONE));
    }
    let negated = -&term.coefficient;
    term.coefficient.at_least(&reach) || negated.at_least(&reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(terms: &[(u32, i64)], constant: i64) -> Option<Affine> {
        let terms = terms.iter().map(|(index, factor)| (Var::Index(*index), Dim::number(*factor))).collect();
        Some(Affine { terms, constant: Dim::number(constant) })
    }

    fn sizes(sizes: &[i64]) -> Vec<Dim> {
        sizes.iter().map(|size| Dim::number(*size)).collect()
    }

    #[test]
    fn mixed_radix_is_injective() {
        let domain = sizes(&[7, 3]);
        assert!(Region::new(&[line(&[(0, 3), (1, 1)], 2)], &domain, Span::NONE).tells_indices(&domain));
        assert!(!Region::new(&[line(&[(0, 2), (1, 1)], 0)], &domain, Span::NONE).tells_indices(&domain));
        assert!(
            Region::new(&[line(&[(0, 2), (1, 1)], 0), line(&[(0, 1)], 0)], &domain, Span::NONE)
                .tells_indices(&domain)
        );
        assert!(!Region::new(&[line(&[(0, 1)], 0), None], &domain, Span::NONE).tells_indices(&domain));
    }

    #[test]
    fn coverage() {
        let domain = sizes(&[7, 3]);
        let whole = Region::new(&[line(&[(0, 3), (1, 1)], 0)], &domain, Span::NONE);
        assert_eq!(whole.covered(), Ok(sizes(&[21])));
        assert_eq!(Region::new(&[line(&[(0, 4), (1, 1)], 0)], &domain, Span::NONE).covered(), Err(0));
        assert_eq!(
            Region::new(&[line(&[(0, 1)], 0), line(&[(0, 1)], 0)], &domain, Span::NONE).covered(),
            Err(1)
        );
    }

    #[test]
    fn statements_apart() {
        let domain = sizes(&[7]);
        let (even, odd) = (
            Region::new(&[line(&[(0, 2)], 0)], &domain, Span::NONE),
            Region::new(&[line(&[(0, 2)], 1)], &domain, Span::NONE),
        );
        assert!(even.is_apart_from(&odd));
        assert!(!even.is_apart_from(&even));
        let (low, high) = (
            Region::new(&[line(&[(0, 1)], 0)], &domain, Span::NONE),
            Region::new(&[line(&[(0, 1)], 7)], &domain, Span::NONE),
        );
        assert!(low.is_apart_from(&high));
    }
}
