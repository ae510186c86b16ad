//! The rules of loops.

use super::Problem;
use crate::ir::affine::{Affine, StepId, Var};
use crate::ir::dim::Dim;
use crate::ir::graph::{Combine, Loop};
use crate::ir::scalar::{Scalar, ScalarId, Sub};
use crate::ir::types::{Elem, Type};
use std::collections::HashSet;

/// Whether writes collide is decided by trying all points of domains of at most this size.
const MOST_POINTS: i64 = 2048;

struct Verifier<'a> {
    source: &'a Loop,
    operands: &'a [&'a Type],
    steps: &'a [(StepId, Dim)],
    elems: Vec<Option<Elem>>,
    problems: &'a mut Vec<Problem>,
}

/// Adds what is wrong with a loop to `problems`; gives the element type of its result if it has one.
pub(super) fn verify(
    source: &Loop,
    operands: &[&Type],
    steps: &[(StepId, Dim)],
    problems: &mut Vec<Problem>,
) -> Option<Elem> {
    let mut verifier = Verifier { source, operands, steps, elems: Vec::new(), problems };
    for size in source.domain.iter().filter(|size| size.as_number().is_some_and(|size| size < 0)) {
        verifier.problems.push(Problem::NegativeSize(size.clone()));
    }
    for (at, scalar) in source.body.nodes.iter().enumerate() {
        let elem = verifier.scalar(at as u32, scalar);
        verifier.elems.push(elem);
    }
    verifier.subs(&source.write, &source.shape, false);
    if !source.dropping {
        verifier.bounds(&source.write, &source.shape, |subscript, size| Problem::WriteOutside {
            subscript,
            size,
        });
    }
    let result = source.body.result;
    let Some(elem) = verifier.elems.get(result.0 as usize).copied() else {
        verifier.problems.push(Problem::ScalarOrder(result.0));
        return None;
    };
    let elem = elem?;
    verifier.combine(elem);
    if source.combine == Combine::Set && verifier.problems.is_empty() && writes_twice(source) {
        verifier.problems.push(Problem::WrittenTwice);
    }
    Some(match source.combine {
        Combine::ArgMax | Combine::ArgMin => Elem::Int,
        Combine::Set | Combine::Add | Combine::Mul | Combine::Max | Combine::Min => elem,
    })
}

impl Verifier<'_> {
    /// The type of a scalar, if it has one.
    fn scalar(&mut self, at: u32, scalar: &Scalar) -> Option<Elem> {
        let mut in_order = true;
        scalar.for_each_operand(|id| in_order &= id.0 < at);
        if !in_order {
            self.problems.push(Problem::ScalarOrder(at));
            return None;
        }
        let of = |id: &ScalarId| self.elems[id.0 as usize];
        let elem = match scalar {
            Scalar::Float(_) => Some(Elem::Float),
            Scalar::Int(_) => Some(Elem::Int),
            Scalar::Bool(_) => Some(Elem::Bool),
            Scalar::Affine(affine) => {
                self.affine(affine);
                Some(Elem::Int)
            }
            Scalar::Read { operand, subs, padded } => {
                let Some(ty) = self.operands.get(*operand as usize) else {
                    self.problems.push(Problem::NoSuchOperand(*operand));
                    return None;
                };
                self.subs(subs, &ty.shape, true);
                if !padded {
                    self.bounds(subs, &ty.shape, |subscript, size| Problem::ReadOutside { subscript, size });
                }
                Some(ty.elem)
            }
            Scalar::Unary(op, a) => op.result(of(a)?),
            Scalar::Binary(op, a, b) => op.result(of(a)?).filter(|_| of(a) == of(b)),
            Scalar::Select(condition, a, b) => {
                of(a).filter(|_| of(condition) == Some(Elem::Bool) && of(a) == of(b))
            }
            Scalar::WithSlope { value, arg, slope } => {
                let all = [of(value)?, of(arg)?, of(slope)?];
                all.iter().all(|elem| *elem == Elem::Float).then_some(Elem::Float)
            }
        };
        if elem.is_none() {
            self.problems.push(Problem::ScalarTypes(at));
        }
        elem
    }

    /// `in_body`: the subscripts belong to a read, whose computed subscripts have been checked as operands.
    fn subs(&mut self, subs: &[Sub], shape: &[Dim], in_body: bool) {
        if subs.len() != shape.len() {
            let (expected, found) = (shape.len(), subs.len());
            self.problems.push(Problem::SubscriptCount { expected, found });
        }
        for sub in subs {
            match sub {
                Sub::Affine(affine) => self.affine(affine),
                Sub::Value(id) => match self.elems.get(id.0 as usize) {
                    None if !in_body => self.problems.push(Problem::ScalarOrder(id.0)),
                    Some(Some(Elem::Int)) | Some(None) | None => {}
                    Some(Some(Elem::Float | Elem::Bool)) => self.problems.push(Problem::SubscriptType),
                },
            }
        }
    }

    fn affine(&mut self, affine: &Affine) {
        let known = affine.terms.iter().all(|(var, _)| self.extent(*var).is_some());
        if !known {
            self.problems.push(Problem::NoSuchVariable(affine.clone()));
        }
    }

    fn extent(&self, var: Var) -> Option<&Dim> {
        match var {
            Var::Index(index) => self.source.domain.get(index as usize),
            Var::Step(step) => self.steps.iter().find(|(counter, _)| *counter == step).map(|(_, trip)| trip),
        }
    }

    /// Checks the bounds of affine subscripts, if all sizes are numbers and the domain is not empty.
    fn bounds(&mut self, subs: &[Sub], shape: &[Dim], problem: impl Fn(Affine, i64) -> Problem) {
        let empty = |size: &Dim| size.as_number().is_none_or(|size| size <= 0);
        if self.source.domain.iter().any(empty) || self.steps.iter().any(|(_, trip)| empty(trip)) {
            return;
        }
        for (sub, size) in subs.iter().zip(shape) {
            let (Sub::Affine(affine), Some(size)) = (sub, size.as_number()) else { continue };
            if let Some((least, greatest)) = self.range(affine)
                && (least < 0 || greatest >= size)
            {
                self.problems.push(problem(affine.clone(), size));
            }
        }
    }

    fn range(&self, affine: &Affine) -> Option<(i64, i64)> {
        let start = affine.constant.as_number()?;
        affine.terms.iter().try_fold((start, start), |(least, greatest), (var, coefficient)| {
            let reach = coefficient.as_number()?.saturating_mul(self.extent(*var)?.as_number()? - 1);
            Some((least.saturating_add(reach.min(0)), greatest.saturating_add(reach.max(0))))
        })
    }

    fn combine(&mut self, elem: Elem) {
        let fits = match self.source.combine {
            Combine::Set | Combine::Max | Combine::Min => true,
            Combine::Add | Combine::Mul => elem != Elem::Bool,
            Combine::ArgMax | Combine::ArgMin => {
                self.source.write.iter().all(|sub| matches!(sub, Sub::Affine(_)))
            }
        };
        if !fits {
            self.problems.push(Problem::CombineType);
        }
    }
}

/// Whether two points certainly write the same element. All variables of the write are known.
fn writes_twice(source: &Loop) -> bool {
    let Some(domain) = source.domain.iter().map(Dim::as_number).collect::<Option<Vec<i64>>>() else {
        return false;
    };
    let Some(shape) = source.shape.iter().map(Dim::as_number).collect::<Option<Vec<i64>>>() else {
        return false;
    };
    // Affine expressions of the indices alone: the terms of scan counters are the same for all points.
    let mut forms = Vec::new();
    for sub in &source.write {
        let Sub::Affine(affine) = sub else { return false };
        let of = |index: usize| affine.coefficient(Var::Index(index as u32)).as_number();
        let Some(coefficients) = (0..domain.len()).map(of).collect::<Option<Vec<i64>>>() else {
            return false;
        };
        let steps = affine.terms.iter().any(|(var, _)| matches!(var, Var::Step(_)));
        match affine.constant.as_number() {
            Some(constant) if !steps => forms.push((coefficients, constant)),
            // The subscript of a write that may be dropped must be known.
            _ if source.dropping => return false,
            _ => forms.push((coefficients, 0)),
        }
    }
    let Some(n_points) = domain.iter().try_fold(1i64, |product, size| product.checked_mul(*size)) else {
        return false;
    };
    if n_points > MOST_POINTS {
        // An index that occurs in no subscript writes the same element again.
        let idle = |index: usize| domain[index] > 1 && forms.iter().all(|(form, _)| form[index] == 0);
        return !source.dropping && (0..domain.len()).any(idle);
    }
    let mut written = HashSet::new();
    let mut point = vec![0i64; domain.len()];
    for number in 0..n_points {
        let mut rest = number;
        for (at, size) in point.iter_mut().zip(&domain).rev() {
            *at = rest % size;
            rest /= size;
        }
        let place = |(form, constant): &(Vec<i64>, i64)| {
            form.iter()
                .zip(&point)
                .fold(*constant, |sum, (coefficient, at)| sum.wrapping_add(coefficient.wrapping_mul(*at)))
        };
        let element: Vec<i64> = forms.iter().map(place).collect();
        let outside = element.iter().zip(&shape).any(|(at, size)| *at < 0 || at >= size);
        if source.dropping && outside {
            continue;
        }
        if !written.insert(element) {
            return true;
        }
    }
    false
}
