//! Formulas, as they are printed.

use super::names::Symbol;

/// A formula. Whole tensors are written without subscripts, single elements with them.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    Number(f64),
    /// A size, or an index as a number: `B`, `2i + u`.
    Plain(String),
    /// Something said in words.
    Words(String),
    Symbol(Symbol),
    /// `x[n, i]`
    Element(Symbol, Vec<Term>),
    Transpose(Box<Term>),
    /// `a + b − c`: whether a part is subtracted, and the part.
    Sum(Vec<(bool, Term)>),
    /// Numbers first, then tensors, which are multiplied element by element.
    Product {
        scalars: Vec<Term>,
        tensors: Vec<Term>,
    },
    /// A matrix product.
    Matrix(Vec<Term>),
    Ratio(Box<Term>, Box<Term>),
    Power(Box<Term>, Box<Term>),
    /// `exp(x)`
    Call(String, Vec<Term>),
    /// `f′(z)`
    Prime(String, Box<Term>),
    /// `Σ_{n, i} body`
    Over {
        what: Reduction,
        indices: Vec<String>,
        body: Box<Term>,
    },
    /// `then` if `condition`, else `otherwise`
    Cases {
        condition: Box<Term>,
        then: Box<Term>,
        otherwise: Box<Term>,
    },
    /// `a < b`, `a and b`
    Relation(Relation, Box<Term>, Box<Term>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduction {
    Sum,
    Product,
    Max,
    Min,
    ArgMax,
    ArgMin,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Less,
    LessOrEqual,
    Equal,
    And,
    Or,
}

impl Term {
    pub fn number(value: f64) -> Term {
        Term::Number(value)
    }

    pub fn call(name: impl Into<String>, argument: Term) -> Term {
        Term::Call(name.into(), vec![argument])
    }

    pub fn is_number(&self, value: f64) -> bool {
        *self == Term::Number(value)
    }

    /// Whether it is one number for all elements: a number, a size.
    pub fn is_scalar(&self) -> bool {
        match self {
            Term::Number(_) | Term::Plain(_) => true,
            Term::Ratio(a, b) | Term::Power(a, b) => a.is_scalar() && b.is_scalar(),
            Term::Product { scalars, tensors } => tensors.is_empty() && scalars.iter().all(Term::is_scalar),
            _ => false,
        }
    }

    /// Whether it is a number made from single elements.
    pub fn is_of_elements(&self) -> bool {
        match self {
            Term::Element(..) => true,
            Term::Number(_) | Term::Plain(_) | Term::Words(_) | Term::Symbol(_) => false,
            Term::Transpose(inner) | Term::Prime(_, inner) => inner.is_of_elements(),
            Term::Sum(parts) => parts.iter().any(|(_, part)| part.is_of_elements()),
            Term::Product { scalars, tensors } => scalars.iter().chain(tensors).any(Term::is_of_elements),
            Term::Matrix(parts) | Term::Call(_, parts) => parts.iter().any(Term::is_of_elements),
            Term::Ratio(a, b) | Term::Power(a, b) | Term::Relation(_, a, b) => {
                a.is_of_elements() || b.is_of_elements()
            }
            Term::Over { body, .. } => body.is_of_elements(),
            Term::Cases { condition, then, otherwise } => {
                [condition, then, otherwise].iter().any(|part| part.is_of_elements())
            }
        }
    }

    pub fn plus(self, other: Term) -> Term {
        sum([self.parts(), other.parts()].concat())
    }

    pub fn minus(self, other: Term) -> Term {
        let taken = other.parts().into_iter().map(|(minus, part)| (!minus, part)).collect();
        sum([self.parts(), taken].concat())
    }

    pub fn negated(self) -> Term {
        sum(self.parts().into_iter().map(|(minus, part)| (!minus, part)).collect())
    }

    fn parts(self) -> Vec<(bool, Term)> {
        match self {
            Term::Sum(parts) => parts,
            Term::Number(value) if value < 0.0 => vec![(true, Term::Number(-value))],
            other => vec![(false, other)],
        }
    }

    /// `self · other`, element by element.
    pub fn times(self, other: Term) -> Term {
        let mut minus = false;
        let (mut scalars, mut tensors) = (Vec::new(), Vec::new());
        let mut over: Option<Term> = None;
        for factor in [self, other] {
            let factor = match factor {
                Term::Sum(parts) if parts.len() == 1 => {
                    minus ^= parts[0].0;
                    parts.into_iter().next().map_or(Term::Number(0.0), |(_, part)| part)
                }
                Term::Number(value) if value < 0.0 => {
                    minus = !minus;
                    Term::Number(-value)
                }
                factor => factor,
            };
            match factor {
                Term::Product { scalars: more, tensors: factors } => {
                    scalars.extend(more);
                    tensors.extend(factors);
                }
                // 1/B stays a factor of its own; a / s divides what it is multiplied with.
                Term::Ratio(a, b) if !a.is_scalar() || !b.is_scalar() => {
                    match *a {
                        a if a.is_scalar() => scalars.push(a),
                        a => tensors.push(a),
                    }
                    over = Some(match over {
                        Some(before) => before.times(*b),
                        None => *b,
                    });
                }
                factor if factor.is_scalar() => scalars.push(factor),
                factor => tensors.push(factor),
            }
        }
        let product = product(scalars, tensors);
        let product = match over {
            Some(over) => product.over(over),
            None => product,
        };
        if minus { product.negated() } else { product }
    }

    /// `self / other`, element by element.
    pub fn over(self, other: Term) -> Term {
        match (self, other) {
            (a, b) if b.is_number(1.0) => a,
            (Term::Number(a), Term::Number(b)) => Term::Number(a / b),
            (Term::Sum(parts), b) if parts.len() == 1 => {
                let (minus, part) = parts.into_iter().next().unwrap_or((false, Term::Number(0.0)));
                let ratio = part.over(b);
                if minus { ratio.negated() } else { ratio }
            }
            (Term::Number(a), b) if a < 0.0 => Term::Number(-a).over(b).negated(),
            // a / B is 1/B a.
            (a, b) if b.is_scalar() && !a.is_scalar() => {
                Term::Ratio(Box::new(Term::Number(1.0)), Box::new(b)).times(a)
            }
            (a, Term::Product { scalars, tensors }) if !scalars.is_empty() && !tensors.is_empty() => {
                let scalar = product(scalars, Vec::new());
                a.over(scalar).over(product(Vec::new(), tensors))
            }
            (Term::Ratio(a, b), c) if !c.is_scalar() && a.is_scalar() && b.is_scalar() => {
                let ratio = Term::Ratio(Box::new(Term::Number(1.0)), Box::new(c));
                product(vec![Term::Ratio(a, b)], vec![ratio])
            }
            (Term::Ratio(a, b), c) => Term::Ratio(a, Box::new(b.times(c))),
            (Term::Product { mut scalars, tensors }, b) if !b.is_scalar() && !scalars.is_empty() => {
                let rest = match tensors.len() {
                    0 => scalars.pop().unwrap_or(Term::Number(1.0)),
                    _ => product(Vec::new(), tensors),
                };
                product(scalars, vec![rest.over(b)])
            }
            (a, b) => Term::Ratio(Box::new(a), Box::new(b)),
        }
    }
}

fn sum(parts: Vec<(bool, Term)>) -> Term {
    let zero = |part: &(bool, Term)| part.1.is_number(0.0);
    let mut kept: Vec<(bool, Term)> = parts.iter().filter(|part| !zero(part)).cloned().collect();
    // Numbers are one number.
    let value = |part: &(bool, Term)| match part {
        (minus, Term::Number(value)) => Some(if *minus { -value } else { *value }),
        _ => None,
    };
    if kept.iter().filter_map(value).count() > 1 {
        let total: f64 = kept.iter().filter_map(value).sum();
        kept.retain(|part| value(part).is_none());
        if total != 0.0 {
            kept.push((total < 0.0, Term::Number(total.abs())));
        }
    }
    // What is added stands before what is subtracted.
    if kept.first().is_some_and(|part| part.0)
        && let Some(first) = kept.iter().position(|part| !part.0)
    {
        let part = kept.remove(first);
        kept.insert(0, part);
    }
    match kept.len() {
        0 => Term::Number(0.0),
        1 if !kept[0].0 => kept.remove(0).1,
        _ => common_factor(kept),
    }
}

/// 1/B a − 1/B b is 1/B (a − b).
fn common_factor(parts: Vec<(bool, Term)>) -> Term {
    let split = |part: &Term| match part {
        Term::Product { scalars, tensors } if !scalars.is_empty() && !tensors.is_empty() => {
            Some((scalars.clone(), product(Vec::new(), tensors.clone())))
        }
        _ => None,
    };
    let splits: Option<Vec<(Vec<Term>, Term)>> = parts.iter().map(|(_, part)| split(part)).collect();
    let divisor = |part: &Term| match part {
        Term::Ratio(above, below) if !below.is_scalar() => Some(((**above).clone(), (**below).clone())),
        _ => None,
    };
    let ratios: Option<Vec<(Term, Term)>> = parts.iter().map(|(_, part)| divisor(part)).collect();
    if let Some(ratios) = ratios
        && ratios.len() > 1
        && ratios.iter().all(|ratio| ratio.1 == ratios[0].1)
    {
        let inner = parts.iter().zip(&ratios).map(|((minus, _), (above, _))| (*minus, above.clone()));
        return Term::Ratio(Box::new(sum(inner.collect())), Box::new(ratios[0].1.clone()));
    }
    match splits {
        Some(splits) if splits.len() > 1 && splits.iter().all(|split| split.0 == splits[0].0) => {
            let inner = parts.iter().zip(&splits).map(|((minus, _), (_, rest))| (*minus, rest.clone()));
            Term::Product { scalars: splits[0].0.clone(), tensors: vec![sum(inner.collect())] }
        }
        _ => Term::Sum(parts),
    }
}

/// Numbers become one number, equal factors powers.
fn product(scalars: Vec<Term>, tensors: Vec<Term>) -> Term {
    let mut number = 1.0;
    let (mut above, mut below): (Vec<Term>, Vec<Term>) = (Vec::new(), Vec::new());
    let mut open = scalars;
    while !open.is_empty() {
        match open.remove(0) {
            Term::Number(value) => number *= value,
            Term::Ratio(a, b) => {
                open.push(*a);
                match *b {
                    Term::Number(value) => number /= value,
                    Term::Product { scalars, .. } => scalars.into_iter().for_each(|scalar| match scalar {
                        Term::Number(value) => number /= value,
                        factor => below.push(factor),
                    }),
                    b => below.push(b),
                }
            }
            Term::Product { scalars, .. } => open.extend(scalars),
            other => above.push(other),
        }
    }
    if number == 0.0 {
        return Term::Number(0.0);
    }
    // ½ is written as it is read: 1/(2B), not 0.5/B.
    let (over, under) = fraction(number);
    if under != 1.0 {
        below.insert(0, Term::Number(under));
    }
    if over != 1.0 {
        above.insert(0, Term::Number(over));
    }
    let plain = |mut list: Vec<Term>| match list.len() {
        0 => Term::Number(1.0),
        1 => list.remove(0),
        _ => Term::Product { scalars: list, tensors: Vec::new() },
    };
    let scalars = match (above.is_empty(), below.is_empty()) {
        (true, true) => Vec::new(),
        (_, true) => above,
        _ => vec![Term::Ratio(Box::new(plain(above)), Box::new(plain(below)))],
    };
    let mut factors: Vec<Term> = Vec::new();
    for factor in tensors {
        match factors.iter_mut().find(|other| base(other) == base(&factor)) {
            Some(known) => {
                let exponent = exponent(known) + exponent(&factor);
                let base = base(known).clone();
                *known = match (exponent, &base) {
                    (1.0, _) => base,
                    (2.0, Term::Call(name, arguments)) if name == "√" => arguments[0].clone(),
                    _ => Term::Power(Box::new(base), Box::new(Term::Number(exponent))),
                };
            }
            None => factors.push(factor),
        }
    }
    match (scalars.len(), factors.len()) {
        (0, 0) => Term::Number(1.0),
        (0, 1) => factors.remove(0),
        (1, 0) => scalars.into_iter().next().unwrap_or(Term::Number(1.0)),
        _ => Term::Product { scalars, tensors: factors },
    }
}

/// A number as a fraction of small whole numbers, if it is one.
fn fraction(number: f64) -> (f64, f64) {
    let denominators = (1..=1000).map(f64::from);
    let fits = |under: &f64| {
        let over = number * under;
        over.abs() < 1e6 && over.round() != 0.0 && (over - over.round()).abs() <= over.abs() * 1e-15
    };
    match denominators.into_iter().find(fits) {
        Some(under) => ((number * under).round(), under),
        None => (number, 1.0),
    }
}

fn base(term: &Term) -> &Term {
    match term {
        Term::Power(base, exponent) if matches!(**exponent, Term::Number(_)) => base,
        other => other,
    }
}

fn exponent(term: &Term) -> f64 {
    match term {
        Term::Power(_, exponent) => match **exponent {
            Term::Number(value) => value,
            _ => 1.0,
        },
        _ => 1.0,
    }
}
