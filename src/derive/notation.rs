//! Recognition of expressions for which textbooks have a notation: f′(z), σ(z), softmax(z).

use super::names::Symbol;
use super::term::{Reduction, Term};

/// Rewrites a formula bottom-up: `change` is applied to each part after it has been applied to the parts of that
/// part.
pub fn rewrite(term: &Term, change: &dyn Fn(Term) -> Term) -> Term {
    let again = |inner: &Term| Box::new(rewrite(inner, change));
    let all = |list: &[Term]| -> Vec<Term> { list.iter().map(|inner| rewrite(inner, change)).collect() };
    change(match term {
        Term::Number(_) | Term::Plain(_) | Term::Words(_) | Term::Symbol(_) => term.clone(),
        Term::Element(symbol, subs) => Term::Element(symbol.clone(), all(subs)),
        Term::Transpose(inner) => Term::Transpose(again(inner)),
        Term::Sum(parts) => {
            Term::Sum(parts.iter().map(|(minus, part)| (*minus, rewrite(part, change))).collect())
        }
        Term::Product { scalars, tensors } => Term::Product { scalars: all(scalars), tensors: all(tensors) },
        Term::Matrix(parts) => Term::Matrix(all(parts)),
        Term::Ratio(a, b) => Term::Ratio(again(a), again(b)),
        Term::Power(a, b) => Term::Power(again(a), again(b)),
        Term::Call(name, arguments) => Term::Call(name.clone(), all(arguments)),
        Term::Prime(name, inner) => Term::Prime(name.clone(), again(inner)),
        Term::Over { what, indices, body } => {
            Term::Over { what: *what, indices: indices.clone(), body: again(body) }
        }
        Term::Cases { condition, then, otherwise } => {
            Term::Cases { condition: again(condition), then: again(then), otherwise: again(otherwise) }
        }
        Term::Relation(sign, a, b) => Term::Relation(*sign, again(a), again(b)),
    })
}

/// All symbols of a formula.
pub fn symbols(term: &Term) -> Vec<Symbol> {
    let found = std::cell::RefCell::new(Vec::new());
    rewrite(term, &|part| {
        if let Term::Symbol(symbol) | Term::Element(symbol, _) = &part {
            found.borrow_mut().push(symbol.clone());
        }
        part
    });
    found.into_inner()
}

/// The functions that a formula calls: `tanh`, `tanh′`.
pub fn functions(term: &Term) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    rewrite(term, &|part| {
        match &part {
            Term::Call(name, _) => found.borrow_mut().push(name.clone()),
            Term::Prime(name, _) => found.borrow_mut().push(format!("{name}′")),
            _ => {}
        }
        part
    });
    found.into_inner()
}

/// Puts a formula in the place of a symbol.
pub fn replace(term: &Term, symbol: &Symbol, by: &Term) -> Term {
    rewrite(term, &|term| if term == Term::Symbol(symbol.clone()) { by.clone() } else { term })
}

/// Puts names in place of expressions: σ(x) for 1 / (1 + exp(−x)), softmax(x) for exp(x) / Σ exp(x).
pub fn shorten(term: &Term) -> Term {
    rewrite(term, &|part| match &part {
        Term::Ratio(above, below) => match logistic(below) {
            Some(of) => (**above).clone().times(Term::call("sigmoid", of)),
            None => softmax(above, below).unwrap_or(part),
        },
        // A condition within the branch of the same condition is decided.
        Term::Cases { condition, then, otherwise } => {
            let known = |branch: &Term, holds: bool| match branch {
                Term::Cases { condition: again, then, otherwise } if again == condition => {
                    if holds {
                        then.clone()
                    } else {
                        otherwise.clone()
                    }
                }
                branch => Box::new(branch.clone()),
            };
            Term::Cases {
                condition: condition.clone(),
                then: known(then, true),
                otherwise: known(otherwise, false),
            }
        }
        Term::Product { scalars, tensors } if tensors.len() > 1 => {
            softmax_factor(scalars, tensors).unwrap_or(part)
        }
        _ => part,
    })
}

/// The x of 1 + exp(−x).
fn logistic(below: &Term) -> Option<Term> {
    let Term::Sum(parts) = below else { return None };
    let [(false, one), (false, Term::Call(name, arguments))] = parts.as_slice() else { return None };
    (one.is_number(1.0) && name == "exp").then(|| arguments[0].clone().negated())
}

/// softmax(x) for exp(x − max x) / Σ exp(x − max x), perhaps times other factors.
fn softmax(above: &Term, below: &Term) -> Option<Term> {
    if let Term::Product { scalars, tensors } = above {
        let at = tensors.iter().position(|tensor| softmax(tensor, below).is_some())?;
        let mut rest = tensors.clone();
        let found = softmax(&rest.remove(at), below)?;
        let start = Term::Product { scalars: scalars.clone(), tensors: Vec::new() };
        let start = if scalars.is_empty() { Term::Number(1.0) } else { start };
        return Some(rest.into_iter().fold(start.times(found), Term::times));
    }
    let (Term::Call(name, arguments), Term::Over { what: Reduction::Sum, indices, body }) = (above, below)
    else {
        return None;
    };
    if name != "exp" || **body != *above {
        return None;
    }
    let Term::Sum(parts) = &arguments[0] else { return Some(Term::call("softmax", arguments[0].clone())) };
    match parts.as_slice() {
        [(false, x), (true, Term::Over { what: Reduction::Max, indices: maximum_over, body })]
            if **body == *x && maximum_over == indices =>
        {
            Some(Term::call("softmax", x.clone()))
        }
        _ => None,
    }
}

/// The same where the division is a factor of its own: exp(x) ⊙ 1 / Σ exp(x).
fn softmax_factor(scalars: &[Term], tensors: &[Term]) -> Option<Term> {
    for (at, factor) in tensors.iter().enumerate() {
        let Term::Ratio(one, below) = factor else { continue };
        for (other, above) in tensors.iter().enumerate().filter(|(other, _)| *other != at) {
            let Some(of) = softmax(above, below).filter(|_| one.is_number(1.0)) else { continue };
            let rest = tensors.iter().enumerate().filter(|(place, _)| *place != at && *place != other);
            let rest = rest.map(|(_, term)| term.clone()).chain([of]);
            let start = Term::Product { scalars: scalars.to_vec(), tensors: Vec::new() };
            let start = if scalars.is_empty() { Term::Number(1.0) } else { start };
            return Some(rest.fold(start, Term::times));
        }
    }
    None
}

/// The coefficient of `adjoint` in a formula that is linear in it.
pub fn coefficient(term: &Term, adjoint: &Symbol) -> Option<Term> {
    let has = |term: &Term| symbols(term).contains(adjoint);
    match term {
        Term::Symbol(symbol) if symbol == adjoint => Some(Term::Number(1.0)),
        Term::Product { scalars, tensors } => {
            let (with, without): (Vec<&Term>, Vec<&Term>) = tensors.iter().partition(|tensor| has(tensor));
            let [with] = with.as_slice() else { return None };
            let rest = without.into_iter().chain(scalars).cloned();
            Some(rest.fold(coefficient(with, adjoint)?, Term::times))
        }
        Term::Ratio(a, b) if !has(b) => Some(coefficient(a, adjoint)?.over((**b).clone())),
        Term::Sum(parts) => {
            let mut sum = Term::Number(0.0);
            for (minus, part) in parts {
                let factor = coefficient(part, adjoint)?;
                sum = if *minus { sum.minus(factor) } else { sum.plus(factor) };
            }
            Some(sum)
        }
        Term::Cases { condition, then, otherwise } if !has(condition) => {
            let branch = |branch: &Term| match branch {
                branch if branch.is_number(0.0) => Some(branch.clone()),
                branch => coefficient(branch, adjoint),
            };
            Some(Term::Cases {
                condition: condition.clone(),
                then: Box::new(branch(then)?),
                otherwise: Box::new(branch(otherwise)?),
            })
        }
        _ => None,
    }
}
