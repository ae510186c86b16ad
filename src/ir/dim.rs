//! Sizes: polynomials with whole coefficients in symbolic dimensions.
//!
//! Two sizes are equal when their polynomials are equal: `n + 1` is `1 + n`. What is not a polynomial
//! (`floor(a / b)`, a quotient whose exactness is not known yet, `min`, `max`) is an [`Atom`] of one.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};
use std::sync::Arc;

/// The name of a symbolic dimension. Names are unique within a program (`B`, `T`, `digits.rows`).
pub type Symbol = Arc<str>;

/// Numbers for symbolic dimensions.
pub type Sizes = BTreeMap<Symbol, Dim>;

/// A variable of a polynomial.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Atom {
    Symbol(Symbol),
    /// `floor(a / b)`.
    Floor(Dim, Dim),
    /// `a / b`, which must come out whole once the symbolic dimensions have their numbers.
    Exact(Dim, Dim),
    Min(Dim, Dim),
    Max(Dim, Dim),
}

/// Factors with their powers, sorted; the empty product is 1.
pub type Monomial = Vec<(Atom, u32)>;

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Number(i64),
    /// At least one monomial that is not 1; no zero coefficients; sorted.
    Sum(Arc<Vec<(Monomial, i64)>>),
}

/// A product of polynomials with more terms than this becomes [`UNKNOWN`]: no sensible program has such a size.
const MAX_TERMS: usize = 1000;

/// Stands for a coefficient that 64 bits do not hold. It absorbs what is added to it.
const UNKNOWN: i64 = i64::MAX;

/// A polynomial in symbolic dimensions. A coefficient that no int can hold becomes [`UNKNOWN`] and stays that:
/// nothing is proven of such a polynomial ([`Dim::is_exact`]), and as a size it is an error elsewhere.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim(Repr);

/// Why a size has no number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DimError {
    /// No number was given for this symbolic dimension.
    Unbound(Symbol),
    /// `a / b` is not whole, or `b` is zero.
    NotWhole(i64, i64),
    /// The size of an axis or range comes out below zero.
    Negative(i64),
    /// A number in the size is beyond 64 bits.
    TooLarge,
}

impl Dim {
    pub const ZERO: Dim = Dim(Repr::Number(0));
    pub const ONE: Dim = Dim(Repr::Number(1));

    pub fn number(value: i64) -> Dim {
        Dim(Repr::Number(value))
    }

    pub fn symbol(name: impl Into<Symbol>) -> Dim {
        Dim::atom(Atom::Symbol(name.into()))
    }

    fn atom(atom: Atom) -> Dim {
        Dim(Repr::Sum(Arc::new(vec![(vec![(atom, 1)], 1)])))
    }

    pub fn as_number(&self) -> Option<i64> {
        match self.0 {
            Repr::Number(value) => Some(value),
            Repr::Sum(_) => None,
        }
    }

    /// The name, if this is one symbolic dimension alone.
    pub fn as_symbol(&self) -> Option<&Symbol> {
        let Repr::Sum(terms) = &self.0 else { return None };
        let [(factors, 1)] = terms.as_slice() else { return None };
        match factors.as_slice() {
            [(Atom::Symbol(name), 1)] => Some(name),
            _ => None,
        }
    }

    pub fn is_number(&self, value: i64) -> bool {
        self.as_number() == Some(value)
    }

    /// Its products of atoms with their powers, each with its coefficient.
    pub fn terms(&self) -> Vec<(Monomial, i64)> {
        match &self.0 {
            Repr::Number(0) => Vec::new(),
            Repr::Number(value) => vec![(Vec::new(), *value)],
            Repr::Sum(terms) => terms.as_ref().clone(),
        }
    }

    fn from_terms(terms: impl IntoIterator<Item = (Monomial, i64)>) -> Dim {
        let mut sum: BTreeMap<Monomial, i64> = BTreeMap::new();
        for (factors, coefficient) in terms {
            let entry = sum.entry(factors).or_insert(0);
            *entry = add_known(*entry, coefficient);
        }
        sum.retain(|_, coefficient| *coefficient != 0);
        if sum.keys().all(|factors| factors.is_empty()) {
            return Dim::number(sum.values().next().copied().unwrap_or(0));
        }
        Dim(Repr::Sum(Arc::new(sum.into_iter().collect())))
    }

    /// `floor(self / divisor)`.
    pub fn floor_div(&self, divisor: &Dim) -> Dim {
        if let Some(quotient) = self.divide_exactly(divisor) {
            return quotient;
        }
        match (self.as_number(), divisor.as_number()) {
            (Some(a), Some(b)) if b != 0 => Dim::number(floor_quotient(a, b).unwrap_or(UNKNOWN)),
            _ => quotient(self, divisor, Atom::Floor),
        }
    }

    /// `self / divisor`; `None` if both are numbers and the quotient is not whole.
    pub fn exact_div(&self, divisor: &Dim) -> Option<Dim> {
        if let Some(quotient) = self.divide_exactly(divisor) {
            return Some(quotient);
        }
        match (self.as_number(), divisor.as_number()) {
            (Some(_), Some(_)) | (_, Some(0)) => None,
            _ => Some(quotient(self, divisor, Atom::Exact)),
        }
    }

    /// The quotient, if the divisor is one monomial that divides every term.
    fn divide_exactly(&self, divisor: &Dim) -> Option<Dim> {
        if divisor.is_number(0) {
            return None;
        }
        if self == divisor {
            return Some(Dim::ONE);
        }
        let divisor_terms = divisor.terms();
        let [(factors, coefficient)] = divisor_terms.as_slice() else { return None };
        let mut quotient = Vec::new();
        for (mut remaining, dividend) in self.terms() {
            if dividend.checked_rem(*coefficient)? != 0 {
                return None;
            }
            for (atom, power) in factors {
                let at = remaining.iter().position(|(other, has)| other == atom && has >= power)?;
                remaining[at].1 -= power;
                if remaining[at].1 == 0 {
                    remaining.remove(at);
                }
            }
            quotient.push((remaining, dividend / coefficient));
        }
        Some(Dim::from_terms(quotient))
    }

    pub fn min_with(&self, other: &Dim) -> Dim {
        if let (Some(a), Some(b)) = (self.as_number(), other.as_number()) {
            return Dim::number(a.min(b));
        }
        if other.at_least(self) {
            self.clone()
        } else if self.at_least(other) {
            other.clone()
        } else {
            Dim::atom(Atom::Min(self.clone(), other.clone()))
        }
    }

    pub fn max_with(&self, other: &Dim) -> Dim {
        if let (Some(a), Some(b)) = (self.as_number(), other.as_number()) {
            return Dim::number(a.max(b));
        }
        if self.at_least(other) {
            self.clone()
        } else if other.at_least(self) {
            other.clone()
        } else {
            Dim::atom(Atom::Max(self.clone(), other.clone()))
        }
    }

    pub fn pow(&self, exponent: u32) -> Dim {
        (0..exponent).fold(Dim::ONE, |product, _| &product * self)
    }

    /// The product of a shape.
    pub fn product<'a>(dims: impl IntoIterator<Item = &'a Dim>) -> Dim {
        dims.into_iter().fold(Dim::ONE, |product, dim| &product * dim)
    }

    /// Adds all symbolic dimensions of the size to `into`.
    pub fn symbols(&self, into: &mut Vec<Symbol>) {
        let Repr::Sum(terms) = &self.0 else { return };
        for (atom, _) in terms.iter().flat_map(|(factors, _)| factors) {
            match atom {
                Atom::Symbol(name) if !into.contains(name) => into.push(name.clone()),
                Atom::Symbol(_) => {}
                Atom::Floor(a, b) | Atom::Exact(a, b) | Atom::Min(a, b) | Atom::Max(a, b) => {
                    a.symbols(into);
                    b.symbols(into);
                }
            }
        }
    }

    /// Puts sizes in place of symbolic dimensions; those without one stay.
    pub fn substitute(&self, sizes: &Sizes) -> Result<Dim, DimError> {
        let Repr::Sum(terms) = &self.0 else {
            return if self.is_exact() { Ok(self.clone()) } else { Err(DimError::TooLarge) };
        };
        let mut sum = Dim::ZERO;
        for (factors, coefficient) in terms.iter() {
            let mut product = Dim::number(*coefficient);
            for (atom, power) in factors {
                let value = match atom {
                    Atom::Symbol(name) => {
                        sizes.get(name).cloned().unwrap_or_else(|| Dim::symbol(name.clone()))
                    }
                    Atom::Floor(a, b) => a.substitute(sizes)?.floor_div(&b.substitute(sizes)?),
                    Atom::Exact(a, b) => {
                        let (a, b) = (a.substitute(sizes)?, b.substitute(sizes)?);
                        let numbers = (a.as_number().unwrap_or(0), b.as_number().unwrap_or(0));
                        a.exact_div(&b).ok_or(DimError::NotWhole(numbers.0, numbers.1))?
                    }
                    Atom::Min(a, b) => a.substitute(sizes)?.min_with(&b.substitute(sizes)?),
                    Atom::Max(a, b) => a.substitute(sizes)?.max_with(&b.substitute(sizes)?),
                };
                product = &product * &value.pow(*power);
                if !product.is_exact() {
                    return Err(DimError::TooLarge);
                }
            }
            sum = &sum + &product;
        }
        if sum.is_exact() { Ok(sum) } else { Err(DimError::TooLarge) }
    }

    /// The number for given sizes of the symbolic dimensions.
    pub fn evaluate(&self, sizes: &Sizes) -> Result<i64, DimError> {
        let value = self.substitute(sizes)?;
        value.as_number().ok_or_else(|| {
            let mut open = Vec::new();
            value.symbols(&mut open);
            DimError::Unbound(open.into_iter().next().unwrap_or_else(|| "?".into()))
        })
    }

    /// Whether all coefficients are exact, none of them [`UNKNOWN`].
    pub fn is_exact(&self) -> bool {
        let exact = |atom: &Atom| match atom {
            Atom::Symbol(_) => true,
            Atom::Floor(a, b) | Atom::Exact(a, b) | Atom::Min(a, b) | Atom::Max(a, b) => {
                a.is_exact() && b.is_exact()
            }
        };
        match &self.0 {
            Repr::Number(number) => *number != UNKNOWN,
            Repr::Sum(terms) => terms.iter().all(|(factors, coefficient)| {
                *coefficient != UNKNOWN && factors.iter().all(|(atom, _)| exact(atom))
            }),
        }
    }

    /// Whether `self >= other` for all sizes of the symbolic dimensions, each at least 1.
    /// `false` means "not proven".
    pub fn at_least(&self, other: &Dim) -> bool {
        match (self.as_number(), other.as_number()) {
            (Some(a), Some(b)) => a >= b && self.is_exact() && other.is_exact(),
            _ => (self - other).is_never_negative(),
        }
    }

    fn is_never_negative(&self) -> bool {
        if !self.is_exact() {
            return false;
        }
        let terms = self.terms();
        if terms.iter().all(|(factors, coefficient)| *coefficient >= 0 || factors.is_empty()) {
            // Every symbolic dimension is at least 1, so the least value is the sum of the coefficients,
            // leaving out the terms whose atoms could be 0.
            let least = terms.iter().fold(0i128, |sum, (factors, coefficient)| {
                let positive = factors.iter().all(|(atom, _)| atom.is_positive());
                sum + if positive { i128::from(*coefficient) } else { 0 }
            });
            if least >= 0 {
                return true;
            }
        }
        // With a number b > 0, floor(a / b) lies between (a - b + 1) / b and a / b. The bound is put in for
        // one such atom, after multiplying by b so that coefficients stay whole.
        for (factors, coefficient) in &terms {
            if let [(Atom::Floor(a, b), 1)] = factors.as_slice()
                && let Some(divisor) = b.as_number().filter(|divisor| *divisor > 0)
            {
                let rest = self - &Dim::from_terms([(factors.clone(), *coefficient)]);
                let bound = if *coefficient > 0 { a - &Dim::number(divisor - 1) } else { a.clone() };
                let sum = &(&rest * b) + &(&bound * &Dim::number(*coefficient));
                return sum.is_never_negative();
            }
        }
        false
    }
}

impl Atom {
    /// Whether the size is at least 1 for all symbolic dimensions.
    fn is_positive(&self) -> bool {
        match self {
            Atom::Symbol(_) => true,
            Atom::Floor(..) | Atom::Exact(..) => false,
            Atom::Min(a, b) => a.at_least(&Dim::ONE) && b.at_least(&Dim::ONE),
            Atom::Max(a, b) => a.at_least(&Dim::ONE) || b.at_least(&Dim::ONE),
        }
    }
}

impl Add for &Dim {
    type Output = Dim;
    fn add(self, other: &Dim) -> Dim {
        if let (Repr::Number(a), Repr::Number(b)) = (&self.0, &other.0) {
            return Dim::number(add_known(*a, *b));
        }
        Dim::from_terms(self.terms().into_iter().chain(other.terms()))
    }
}

impl Neg for &Dim {
    type Output = Dim;
    fn neg(self) -> Dim {
        self * &Dim::number(-1)
    }
}

impl Sub for &Dim {
    type Output = Dim;
    fn sub(self, other: &Dim) -> Dim {
        self + &-other
    }
}

impl Mul for &Dim {
    type Output = Dim;
    fn mul(self, other: &Dim) -> Dim {
        if let (Repr::Number(a), Repr::Number(b)) = (&self.0, &other.0) {
            return Dim::number(multiply_known(*a, *b));
        }
        let (left_terms, right_terms) = (self.terms(), other.terms());
        if left_terms.len() * right_terms.len() > MAX_TERMS {
            return Dim::number(UNKNOWN);
        }
        let mut sum = Dim::ZERO;
        for (left, a) in &left_terms {
            for (right, b) in &right_terms {
                sum = Add::add(&sum, &multiply(left, *a, right, *b));
            }
        }
        sum
    }
}

fn multiply(left: &Monomial, a: i64, right: &Monomial, b: i64) -> Dim {
    let mut factors: BTreeMap<Atom, u32> = left.iter().cloned().collect();
    for (atom, power) in right {
        *factors.entry(atom.clone()).or_insert(0) += power;
    }
    let product = Dim::from_terms([(factors.clone().into_iter().collect(), multiply_known(a, b))]);
    // (p / q) * q is p: what an exact quotient promises.
    let cancelled = factors.keys().find_map(|atom| match atom {
        Atom::Exact(p, q) => {
            let quotient = product.divide_exactly(&Dim::atom(atom.clone()))?.divide_exactly(q)?;
            Some(&quotient * p)
        }
        Atom::Symbol(_) | Atom::Floor(..) | Atom::Min(..) | Atom::Max(..) => None,
    });
    cancelled.unwrap_or(product)
}

/// A quotient without the number that divides all coefficients: (2 n) / 4 is n / 2.
fn quotient(dividend: &Dim, divisor: &Dim, of: fn(Dim, Dim) -> Atom) -> Dim {
    let terms = dividend.terms().into_iter().chain(divisor.terms());
    let common = terms.fold(0, |common, (_, coefficient)| greatest_divisor(common, coefficient.saturating_abs()));
    let common = Dim::number(if dividend.is_exact() && divisor.is_exact() { common.max(1) } else { 1 });
    Dim::atom(match (dividend.divide_exactly(&common), divisor.divide_exactly(&common)) {
        (Some(a), Some(b)) => of(a, b),
        _ => of(dividend.clone(), divisor.clone()),
    })
}

/// Euclid's algorithm, of numbers that are not negative.
fn greatest_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

/// The sum; [`UNKNOWN`] where it, or one of the two, is beyond 64 bits.
fn add_known(a: i64, b: i64) -> i64 {
    if a == UNKNOWN || b == UNKNOWN { UNKNOWN } else { a.checked_add(b).unwrap_or(UNKNOWN) }
}

/// The product, in the same way; but 0 of something is 0, however much it is.
fn multiply_known(a: i64, b: i64) -> i64 {
    match (a, b) {
        (0, _) | (_, 0) => 0,
        (UNKNOWN, _) | (_, UNKNOWN) => UNKNOWN,
        _ => a.checked_mul(b).unwrap_or(UNKNOWN),
    }
}

/// `floor(a / b)`; `None` where b is 0 or the quotient is beyond 64 bits.
pub fn floor_quotient(a: i64, b: i64) -> Option<i64> {
    let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
    Some(quotient - i64::from(rest != 0 && (a < 0) != (b < 0)))
}

impl From<i64> for Dim {
    fn from(value: i64) -> Dim {
        Dim::number(value)
    }
}

impl From<usize> for Dim {
    fn from(value: usize) -> Dim {
        Dim::number(value as i64)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr::Sum(terms) = &self.0 else { return write!(f, "{}", self.as_number().unwrap_or(0)) };
        // The constant is written last: `H - 2`, `2*n + 1`.
        let (constants, others): (Vec<_>, Vec<_>) = terms.iter().partition(|(factors, _)| factors.is_empty());
        for (at, (factors, coefficient)) in others.into_iter().chain(constants).enumerate() {
            f.write_str(match (at, *coefficient < 0) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            })?;
            let size = coefficient.unsigned_abs();
            if size != 1 || factors.is_empty() {
                write!(f, "{size}{}", if factors.is_empty() { "" } else { "*" })?;
            }
            for (factor_at, (atom, power)) in factors.iter().enumerate() {
                write!(f, "{}{atom}", if factor_at > 0 { "*" } else { "" })?;
                if *power > 1 {
                    write!(f, "^{power}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Symbol(name) => f.write_str(name),
            Atom::Floor(a, b) => write!(f, "floor({} / {})", Grouped(a), Grouped(b)),
            Atom::Exact(a, b) => write!(f, "({} / {})", Grouped(a), Grouped(b)),
            Atom::Min(a, b) => write!(f, "min({a}, {b})"),
            Atom::Max(a, b) => write!(f, "max({a}, {b})"),
        }
    }
}

/// A sum or product in parentheses, anything else bare.
struct Grouped<'a>(&'a Dim);

impl fmt::Display for Grouped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.as_number().is_some_and(|number| number >= 0) || self.0.as_symbol().is_some() {
            write!(f, "{}", self.0)
        } else {
            write!(f, "({})", self.0)
        }
    }
}

impl fmt::Debug for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
