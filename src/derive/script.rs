//! How formulas are written in any script. Text and LaTeX differ in their signs, in the names of functions, and in
//! fractions, which only LaTeX can stack.

use super::names::{Moment, Symbol};
use super::term::{Reduction, Relation, Term};

/// How tightly a formula holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Condition,
    Relation,
    Sum,
    Product,
    Factor,
    Atom,
}

/// The differences between scripts.
pub trait Script {
    const MINUS: &'static str;
    const PARENTHESES: [&'static str; 2];
    const TRANSPOSED: &'static str;
    const PRIME: &'static str;
    /// The sign between numbers or elements that are multiplied.
    const TIMES: &'static str;
    /// The sign between tensors that are multiplied element by element.
    const ELEMENT_BY_ELEMENT: &'static str;
    const MATRIX_TIMES: &'static str;
    /// Whether a fraction stands on two lines, and so needs no parentheses.
    const STACKED_FRACTIONS: bool;

    fn number(value: f64) -> String;
    /// A size or an index.
    fn plain(text: &str) -> String;
    fn words(text: &str) -> String;
    fn symbol(symbol: &Symbol) -> String;
    fn element(symbol: &Symbol, subscripts: &str) -> String;
    /// A symbol that can take the sign of a transpose without parentheses.
    fn transposable(symbol: &Symbol) -> Option<String>;
    fn function(name: &str) -> String;
    fn call(name: &str, arguments: &str) -> String;
    fn reduction(reduction: Reduction) -> &'static str;
    /// What stands below the sign of a sum: at least one index.
    fn below(indices: &[String]) -> String;
    /// The sign, and the same with its sides exchanged.
    fn relation(relation: Relation) -> [&'static str; 2];
    /// The space, if any, between a number and the next factor.
    fn between(before: &str, after: &str) -> &'static str;
    fn ratio(above: &Term, below: &Term) -> String;
    fn power(base: &Term, exponent: &Term) -> String;
    fn cases(condition: &Term, then: &Term, otherwise: &Term) -> String;
}

pub fn term<S: Script>(formula: &Term) -> String {
    write::<S>(formula, Level::Condition)
}

/// In parentheses if the operator around the formula binds more tightly than its own.
pub fn write<S: Script>(formula: &Term, around: Level) -> String {
    let text = bare::<S>(formula);
    if level::<S>(formula) < around { in_parentheses::<S>(&text) } else { text }
}

pub fn in_parentheses<S: Script>(text: &str) -> String {
    let [open, close] = S::PARENTHESES;
    format!("{open}{text}{close}")
}

fn level<S: Script>(formula: &Term) -> Level {
    match formula {
        Term::Number(value) if *value < 0.0 => Level::Sum,
        // An adjoint is a fraction, too.
        Term::Symbol(symbol) | Term::Element(symbol, _) if symbol.adjoint && !S::STACKED_FRACTIONS => {
            Level::Factor
        }
        Term::Ratio(..) if !S::STACKED_FRACTIONS => Level::Product,
        Term::Plain(text) if text.contains(' ') => Level::Sum,
        Term::Number(_) | Term::Plain(_) | Term::Words(_) | Term::Symbol(_) | Term::Element(..) => {
            Level::Atom
        }
        Term::Call(..) | Term::Prime(..) | Term::Transpose(_) | Term::Power(..) | Term::Ratio(..) => {
            Level::Atom
        }
        Term::Sum(_) => Level::Sum,
        Term::Over { .. } | Term::Product { .. } | Term::Matrix(_) => Level::Product,
        Term::Cases { .. } => Level::Condition,
        Term::Relation(..) => Level::Relation,
    }
}

/// The formula without parentheses around it.
pub fn bare<S: Script>(formula: &Term) -> String {
    match formula {
        Term::Number(value) => S::number(*value),
        Term::Plain(text) => S::plain(text),
        Term::Words(text) => S::words(text),
        Term::Symbol(symbol) => S::symbol(symbol),
        Term::Element(symbol, subscripts) => S::element(symbol, &list::<S>(subscripts)),
        Term::Transpose(inner) => {
            let symbol = match &**inner {
                Term::Symbol(symbol) => S::transposable(symbol),
                _ => None,
            };
            symbol.unwrap_or_else(|| in_parentheses::<S>(&term::<S>(inner))) + S::TRANSPOSED
        }
        Term::Sum(parts) => sum::<S>(parts),
        Term::Product { scalars, tensors } => {
            let sign = if formula.is_of_elements() { S::TIMES } else { S::ELEMENT_BY_ELEMENT };
            let parts = [numbers::<S>(scalars), factors::<S>(tensors, sign)];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(S::TIMES)
        }
        Term::Matrix(parts) => factors::<S>(parts, S::MATRIX_TIMES),
        Term::Ratio(above, below) => S::ratio(above, below),
        Term::Power(base, exponent) => S::power(base, exponent),
        Term::Call(name, arguments) => S::call(name, &list::<S>(arguments)),
        Term::Prime(name, inner) => S::function(name) + S::PRIME + &in_parentheses::<S>(&term::<S>(inner)),
        Term::Over { what, indices, body } => over::<S>(*what, indices, body),
        Term::Cases { condition, then, otherwise } => S::cases(condition, then, otherwise),
        Term::Relation(sign, a, b) => relation::<S>(*sign, a, b),
    }
}

fn list<S: Script>(terms: &[Term]) -> String {
    terms.iter().map(term::<S>).collect::<Vec<_>>().join(", ")
}

fn sum<S: Script>(parts: &[(bool, Term)]) -> String {
    let mut text = String::new();
    for (at, (minus, part)) in parts.iter().enumerate() {
        match (at, minus) {
            (0, false) => {}
            (0, true) => text.push_str(S::MINUS),
            (_, false) => text.push_str(" + "),
            (_, true) => text.push_str(&format!(" {} ", S::MINUS)),
        }
        text.push_str(&write::<S>(part, Level::Product));
    }
    text
}

fn numbers<S: Script>(scalars: &[Term]) -> String {
    let mut text = String::new();
    for scalar in scalars {
        let next = write::<S>(scalar, Level::Product);
        if !text.is_empty() {
            text.push_str(S::between(&text, &next));
        }
        text.push_str(&next);
    }
    text
}

/// A sum over indices reaches as far as it can, so beside other factors it stands in parentheses.
fn factors<S: Script>(parts: &[Term], sign: &str) -> String {
    let around = |factor: &Term| match factor {
        Term::Over { .. } | Term::Matrix(_) | Term::Ratio(..) | Term::Product { .. } if parts.len() > 1 => {
            Level::Factor
        }
        _ => Level::Product,
    };
    parts.iter().map(|part| write::<S>(part, around(part))).collect::<Vec<_>>().join(sign)
}

fn over<S: Script>(what: Reduction, indices: &[String], body: &Term) -> String {
    let below = if indices.is_empty() { String::new() } else { S::below(indices) };
    let body = match what {
        Reduction::Sum | Reduction::Product => format!(" {}", write::<S>(body, Level::Product)),
        _ => in_parentheses::<S>(&term::<S>(body)),
    };
    format!("{}{below}{body}", S::reduction(what))
}

/// What is compared with a number stands on the left of it.
fn relation<S: Script>(sign: Relation, a: &Term, b: &Term) -> String {
    let [sign, turned] = S::relation(sign);
    let (a, sign, b) = if a.is_scalar() && !b.is_scalar() { (b, turned, a) } else { (a, sign, b) };
    format!("{} {sign} {}", write::<S>(a, Level::Sum), write::<S>(b, Level::Sum))
}

/// `t`, `t − 1`
pub fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Step(0) => "t".to_owned(),
        Moment::Step(later) if *later > 0 => format!("t+{later}"),
        Moment::Step(earlier) => format!("t−{}", earlier.unsigned_abs()),
        Moment::Fixed(text) => text.to_string(),
    }
}

/// The name of a function in formulas.
pub fn function(name: &str) -> &str {
    match name {
        "sigmoid" => "σ",
        other => other,
    }
}

/// The number with as few digits as it needs.
pub fn number(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".to_owned();
    }
    let text = if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        format!("{value:e}")
    } else {
        format!("{value}")
    };
    text.replace('-', "−")
}
