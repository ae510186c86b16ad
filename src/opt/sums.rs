//! Law `shorten`: a sum of products in which terms cancel or have common factors is written shorter.
//!
//! `y (1 - a) - (1 - y) a` is expanded to `y - y a - a + y a` and becomes `y - a`. Only products of two and more
//! factors may cancel: accurate formulas rely on the rounding of `(1 + x) - 1`. The result is taken only if it has
//! fewer operations, so the law ends. It holds for real numbers. For floats `y (1 - a)` may overflow, so the law is
//! applied only to formulas that are shown.

use super::laws::LawId;
use super::scalar::{Laws, is_number};
use crate::base::order::PutInOrder;
use crate::ir::{BinaryOp, Elem, LoopBuilder, Scalar, ScalarId, UnaryOp};

/// Sums that expand to more terms than this are left alone.
const MOST_TERMS: usize = 12;

/// A product: a number, factors, divisors and the conditions under which it is not 0, each list sorted.
#[derive(Clone, PartialEq, Debug)]
struct Term {
    coefficient: f64,
    factors: Vec<ScalarId>,
    divisors: Vec<ScalarId>,
    conditions: Vec<ScalarId>,
}

/// A shorter expression for the sum `id`, if there is one.
pub fn shortened(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, id: ScalarId) -> Option<ScalarId> {
    if l.elem(id) != Elem::Float || !laws.applied.is_for_reading() {
        return None;
    }
    let mut inner = Vec::new();
    let terms = expand(l, id, &mut inner, 6)?;
    if terms.len() < 2 || terms.len() > MOST_TERMS || !any_shared(&terms) {
        return None;
    }
    let terms = collect(terms)?;
    inner.put_in_order();
    inner.dedup();
    (cost(&terms) < inner.len() && laws.applied.allows(LawId::Shorten)).then(|| write(laws, l, &terms))
}

/// The terms of an expression; `inner` gets the operations that it is made of.
fn expand(l: &LoopBuilder<'_>, id: ScalarId, inner: &mut Vec<ScalarId>, depth: usize) -> Option<Vec<Term>> {
    let whole = || Term { coefficient: 1.0, factors: vec![id], divisors: Vec::new(), conditions: Vec::new() };
    if depth == 0 {
        return Some(vec![whole()]);
    }
    let terms = match *l.scalar(id) {
        Scalar::Float(value) => {
            let none = Term { coefficient: value.0, ..whole() };
            return Some(vec![Term { factors: Vec::new(), ..none }]);
        }
        Scalar::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) => {
            let mut terms = expand(l, a, inner, depth - 1)?;
            let sign = if op == BinaryOp::Sub { -1.0 } else { 1.0 };
            let right = expand(l, b, inner, depth - 1)?;
            terms.extend(right.into_iter().map(|term| Term { coefficient: sign * term.coefficient, ..term }));
            terms
        }
        Scalar::Binary(BinaryOp::Mul, a, b) => {
            let (left, right) = (expand(l, a, inner, depth - 1)?, expand(l, b, inner, depth - 1)?);
            if left.len() * right.len() > MOST_TERMS {
                return None;
            }
            left.iter().flat_map(|a| right.iter().map(move |b| product(a, b))).collect()
        }
        Scalar::Binary(BinaryOp::Div, a, b) if !matches!(l.scalar(b), Scalar::Float(_)) => {
            let mut terms = expand(l, a, inner, depth - 1)?;
            if terms.len() > 1 {
                return Some(vec![whole()]);
            }
            terms[0].divisors.push(b);
            terms[0].divisors.put_in_order();
            terms
        }
        Scalar::Unary(UnaryOp::Neg, a) => {
            let terms = expand(l, a, inner, depth - 1)?;
            terms.into_iter().map(|term| Term { coefficient: -term.coefficient, ..term }).collect()
        }
        // if c then a else 0 = [c] a
        Scalar::Select(condition, a, zero) if is_number(l, zero, 0.0) => {
            let mut terms = expand(l, a, inner, depth - 1)?;
            if terms.len() > 1 {
                return Some(vec![whole()]);
            }
            if !terms[0].conditions.contains(&condition) {
                terms[0].conditions.push(condition);
                terms[0].conditions.put_in_order();
            }
            terms
        }
        _ => return Some(vec![whole()]),
    };
    inner.push(id);
    (terms.len() <= MOST_TERMS).then_some(terms)
}

fn product(a: &Term, b: &Term) -> Term {
    let joined = |a: &[ScalarId], b: &[ScalarId]| {
        let mut all = [a, b].concat();
        all.put_in_order();
        all
    };
    let mut conditions = joined(&a.conditions, &b.conditions);
    conditions.dedup();
    Term {
        coefficient: a.coefficient * b.coefficient,
        factors: joined(&a.factors, &b.factors),
        divisors: joined(&a.divisors, &b.divisors),
        conditions,
    }
}

/// Whether two terms share a factor or divisor; otherwise nothing can be shortened.
fn any_shared(terms: &[Term]) -> bool {
    let mut seen: Vec<ScalarId> = Vec::new();
    for term in terms {
        let mut factors: Vec<ScalarId> = term.factors.iter().chain(&term.divisors).copied().collect();
        factors.dedup();
        if factors.iter().any(|id| seen.contains(id)) {
            return true;
        }
        seen.extend(factors);
    }
    false
}

/// Adds like terms and drops those that cancel. `None` if terms cancel that must not.
fn collect(terms: Vec<Term>) -> Option<Vec<Term>> {
    let mut sum: Vec<Term> = Vec::new();
    for term in terms {
        let like = sum.iter_mut().find(|other| {
            (&other.factors, &other.divisors, &other.conditions) == (&term.factors, &term.divisors, &term.conditions)
        });
        match like {
            Some(known) if term.factors.is_empty() && term.divisors.is_empty() => {
                known.coefficient += term.coefficient;
                return None;
            }
            Some(known) => known.coefficient += term.coefficient,
            None => sum.push(term),
        }
    }
    let cancels_lightly =
        sum.iter().any(|term| term.coefficient == 0.0 && term.factors.len() + term.divisors.len() < 2);
    sum.retain(|term| term.coefficient != 0.0);
    (!cancels_lightly && !sum.is_empty()).then_some(sum)
}

/// The common factors of all terms that may be taken out of the sum.
fn common(terms: &[Term]) -> Term {
    let mut shared = terms[0].clone();
    shared.conditions.clear();
    if terms.len() == 1 {
        return Term { coefficient: 1.0, factors: Vec::new(), divisors: Vec::new(), conditions: Vec::new() };
    }
    for term in &terms[1..] {
        shared.factors = intersection(&shared.factors, &term.factors);
        shared.divisors = intersection(&shared.divisors, &term.divisors);
        if term.coefficient.abs() != shared.coefficient.abs() {
            shared.coefficient = 1.0;
        }
    }
    shared.coefficient = shared.coefficient.abs();
    // A factor may be infinite where a condition does not hold, so it must stay below its condition.
    if terms.iter().all(|term| !term.conditions.is_empty()) {
        shared.factors.clear();
        shared.divisors.clear();
    }
    shared
}

fn intersection(a: &[ScalarId], b: &[ScalarId]) -> Vec<ScalarId> {
    let mut rest = b.to_vec();
    a.iter()
        .copied()
        .filter(|id| match rest.iter().position(|other| other == id) {
            Some(at) => {
                rest.remove(at);
                true
            }
            None => false,
        })
        .collect()
}

fn without(term: &Term, shared: &Term) -> Term {
    let minus = |all: &[ScalarId], gone: &[ScalarId]| {
        let mut rest = all.to_vec();
        for id in gone {
            if let Some(at) = rest.iter().position(|other| other == id) {
                rest.remove(at);
            }
        }
        rest
    };
    Term {
        coefficient: term.coefficient / shared.coefficient,
        factors: minus(&term.factors, &shared.factors),
        divisors: minus(&term.divisors, &shared.divisors),
        conditions: term.conditions.clone(),
    }
}

/// How many operations [`write`] makes.
fn cost(terms: &[Term]) -> usize {
    let shared = common(terms);
    let of_terms: usize = terms.iter().map(|term| term_cost(&without(term, &shared))).sum();
    let outer = shared.factors.len() + shared.divisors.len() + usize::from(shared.coefficient != 1.0);
    let all_negative = terms.iter().all(|term| term.coefficient < 0.0);
    of_terms + terms.len() - 1 + outer + usize::from(all_negative)
}

fn term_cost(term: &Term) -> usize {
    let numbers = usize::from(term.coefficient.abs() != 1.0 && !term.factors.is_empty());
    (term.factors.len() + numbers).saturating_sub(1) + term.divisors.len() + term.conditions.len()
}

fn write(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, terms: &[Term]) -> ScalarId {
    let shared = common(terms);
    let mut rest: Vec<Term> = terms.iter().map(|term| without(term, &shared)).collect();
    // A term that is added comes first, so that the sum does not begin with a negation.
    let first = rest.iter().position(|term| term.coefficient > 0.0).unwrap_or(0);
    rest.swap(0, first);
    let mut sum: Option<ScalarId> = None;
    for term in &rest {
        let value = write_term(laws, l, &Term { coefficient: term.coefficient.abs(), ..term.clone() });
        sum = Some(match (sum, term.coefficient < 0.0) {
            (None, false) => value,
            (None, true) => laws.negated(l, value),
            (Some(sum), negative) => {
                let op = if negative { BinaryOp::Sub } else { BinaryOp::Add };
                l.binary(op, sum, value)
            }
        });
    }
    let mut result = sum.unwrap_or_else(|| l.float(0.0));
    for factor in &shared.factors {
        result = laws.product(l, result, *factor);
    }
    for divisor in &shared.divisors {
        result = laws.quotient(l, result, *divisor);
    }
    if shared.coefficient != 1.0 {
        let factor = l.float(shared.coefficient);
        result = laws.product(l, factor, result);
    }
    result
}

fn write_term(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, term: &Term) -> ScalarId {
    let mut value: Option<ScalarId> = None;
    for factor in &term.factors {
        value = Some(match value {
            Some(product) => laws.product(l, product, *factor),
            None => *factor,
        });
    }
    let mut result = match value {
        Some(value) if term.coefficient == 1.0 => value,
        Some(value) => {
            let factor = l.float(term.coefficient);
            laws.product(l, factor, value)
        }
        None => l.float(term.coefficient),
    };
    for divisor in &term.divisors {
        result = laws.quotient(l, result, *divisor);
    }
    for condition in &term.conditions {
        let zero = l.float(0.0);
        result = laws.select(l, *condition, result, zero);
    }
    result
}
