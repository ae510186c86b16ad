//! Affine expressions of loop indices: `2*i + u - 1`.

use super::dim::{Dim, DimError, Sizes};
use std::collections::BTreeMap;
use std::fmt;

/// The counter of one `scan`, unique in a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StepId(pub u32);

/// A variable of affine expressions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Var {
    /// An index of the loop, by its number in the domain.
    Index(u32),
    /// The step of an enclosing `scan`.
    Step(StepId),
}

/// `Σ coefficient · variable + constant`, with sizes as coefficients; sorted by variable, no zero coefficients.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Affine {
    pub terms: Vec<(Var, Dim)>,
    pub constant: Dim,
}

impl Affine {
    pub fn constant(value: impl Into<Dim>) -> Affine {
        Affine { terms: Vec::new(), constant: value.into() }
    }

    pub fn var(var: Var) -> Affine {
        Affine { terms: vec![(var, Dim::ONE)], constant: Dim::ZERO }
    }

    pub fn index(index: usize) -> Affine {
        Affine::var(Var::Index(index as u32))
    }

    pub fn step(step: StepId) -> Affine {
        Affine::var(Var::Step(step))
    }

    pub fn is_constant(&self) -> bool {
        self.terms.is_empty()
    }

    /// The loop index, if the expression is that index alone.
    pub fn as_index(&self) -> Option<usize> {
        match self.terms.as_slice() {
            [(Var::Index(index), coefficient)] if coefficient.is_number(1) && self.constant.is_number(0) => {
                Some(*index as usize)
            }
            _ => None,
        }
    }

    /// The number, if the expression is a constant number.
    pub fn as_number(&self) -> Option<i64> {
        if self.terms.is_empty() { self.constant.as_number() } else { None }
    }

    pub fn coefficient(&self, var: Var) -> Dim {
        self.terms
            .iter()
            .find(|(variable, _)| *variable == var)
            .map_or(Dim::ZERO, |(_, coefficient)| coefficient.clone())
    }

    pub fn uses(&self, var: Var) -> bool {
        self.terms.iter().any(|(variable, _)| *variable == var)
    }

    pub fn add(&self, other: &Affine) -> Affine {
        let mut terms: BTreeMap<Var, Dim> = self.terms.iter().cloned().collect();
        for (var, coefficient) in &other.terms {
            let sum = terms.get(var).unwrap_or(&Dim::ZERO) + coefficient;
            terms.insert(*var, sum);
        }
        terms.retain(|_, coefficient| !coefficient.is_number(0));
        Affine { terms: terms.into_iter().collect(), constant: &self.constant + &other.constant }
    }

    pub fn scale(&self, factor: &Dim) -> Affine {
        if factor.is_number(0) {
            return Affine::constant(0i64);
        }
        let terms = self.terms.iter().map(|(var, coefficient)| (*var, coefficient * factor)).collect();
        Affine { terms, constant: &self.constant * factor }
    }

    pub fn sub(&self, other: &Affine) -> Affine {
        self.add(&other.scale(&Dim::number(-1)))
    }

    /// Whether no number in the expression is large, so that its value and sums of a hundred such values certainly
    /// fit in 64 bits (indices have 31 bits). Symbolic dimensions are checked when they have their numbers.
    pub fn is_small(&self) -> bool {
        const LARGE: i64 = 1 << 24;
        let small = |dim: &Dim| match dim.as_number() {
            Some(number) => number.unsigned_abs() <= LARGE as u64,
            None => dim.is_exact(),
        };
        self.terms.iter().all(|(_, coefficient)| small(coefficient))
            && (self.terms.is_empty() || small(&self.constant))
    }

    pub fn offset(&self, by: &Dim) -> Affine {
        Affine { terms: self.terms.clone(), constant: &self.constant + by }
    }

    /// Replaces each variable by an affine expression.
    pub fn substitute(&self, mut replace: impl FnMut(Var) -> Affine) -> Affine {
        let start = Affine::constant(self.constant.clone());
        self.terms.iter().fold(start, |sum, (var, coefficient)| sum.add(&replace(*var).scale(coefficient)))
    }

    /// Puts sizes in place of symbolic dimensions.
    pub fn with_sizes(&self, sizes: &Sizes) -> Result<Affine, DimError> {
        let mut terms = Vec::with_capacity(self.terms.len());
        for (var, coefficient) in &self.terms {
            let coefficient = coefficient.substitute(sizes)?;
            if !coefficient.is_number(0) {
                terms.push((*var, coefficient));
            }
        }
        Ok(Affine { terms, constant: self.constant.substitute(sizes)? })
    }

    /// The least and the greatest value over ranges `0 .. size` of the variables.
    /// `None` if the sign of a coefficient is not known, or a bound is beyond 64 bits.
    pub fn bounds(&self, mut size: impl FnMut(Var) -> Dim) -> Option<(Dim, Dim)> {
        let (mut least, mut greatest) = (self.constant.clone(), self.constant.clone());
        for (var, coefficient) in &self.terms {
            let reach = coefficient * &(&size(*var) - &Dim::ONE);
            if coefficient.at_least(&Dim::ZERO) {
                greatest = &greatest + &reach;
            } else if Dim::ZERO.at_least(coefficient) {
                least = &least + &reach;
            } else {
                return None;
            }
        }
        (least.is_exact() && greatest.is_exact()).then_some((least, greatest))
    }
}

impl fmt::Display for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Var::Index(index) => write!(f, "i{index}"),
            Var::Step(StepId(step)) => write!(f, "t{step}"),
        }
    }
}

impl fmt::Display for Affine {
    /// `2*i0 + i3 - 1`; a coefficient that is not a number stands in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (var, coefficient) in &self.terms {
            match (first, coefficient.as_number()) {
                (true, Some(1)) => write!(f, "{var}")?,
                (true, Some(-1)) => write!(f, "-{var}")?,
                (true, Some(value)) => write!(f, "{value}*{var}")?,
                (false, Some(1)) => write!(f, " + {var}")?,
                (false, Some(-1)) => write!(f, " - {var}")?,
                (false, Some(value)) if value < 0 => write!(f, " - {}*{var}", value.unsigned_abs())?,
                (false, Some(value)) => write!(f, " + {value}*{var}")?,
                (true, None) => write!(f, "({coefficient})*{var}")?,
                (false, None) => write!(f, " + ({coefficient})*{var}")?,
            }
            first = false;
        }
        match (first, self.constant.as_number()) {
            (true, Some(value)) => write!(f, "{value}"),
            (true, None) => write!(f, "({})", self.constant),
            (false, Some(0)) => Ok(()),
            (false, Some(value)) if value < 0 => write!(f, " - {}", value.unsigned_abs()),
            (false, Some(value)) => write!(f, " + {value}"),
            (false, None) => write!(f, " + ({})", self.constant),
        }
    }
}
