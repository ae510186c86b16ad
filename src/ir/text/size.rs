//! Parsing sizes, affine expressions and types.

use super::scanner::{Parsed, Scanner};
use crate::ir::affine::{Affine, StepId, Var};
use crate::ir::dim::Dim;
use crate::ir::types::{Elem, Type};

impl Scanner<'_> {
    /// As [`Dim`] prints itself: `2*n + floor(H / 2) - 1`.
    pub fn dim(&mut self) -> Parsed<Dim> {
        let mut sum = Dim::ZERO;
        let mut negative = self.take("-");
        loop {
            let term = self.dim_product()?;
            sum = if negative { &sum - &term } else { &sum + &term };
            negative = match (self.take("+"), self.take("-")) {
                (true, false) => false,
                (false, true) => true,
                _ => return Ok(sum),
            };
        }
    }

    fn dim_product(&mut self) -> Parsed<Dim> {
        let mut product = self.dim_power()?;
        while self.take("*") {
            product = &product * &self.dim_power()?;
        }
        Ok(product)
    }

    fn dim_power(&mut self) -> Parsed<Dim> {
        let base = self.dim_atom()?;
        Ok(if self.take("^") { base.pow(self.natural()?) } else { base })
    }

    fn dim_atom(&mut self) -> Parsed<Dim> {
        if self.take("(") {
            let mut value = self.dim()?;
            if self.take("/") {
                let divisor = self.dim_atom()?;
                let quotient = value.exact_div(&divisor);
                let Some(quotient) = quotient else { return self.error("a quotient that is not whole") };
                value = quotient;
            }
            self.expect(")")?;
            return Ok(value);
        }
        let word = self.peek_word();
        if word.is_empty() {
            return self.natural().map(Dim::number);
        }
        self.word()?;
        match word {
            "floor" if self.take("(") => {
                let value = self.dim_atom()?;
                self.expect("/")?;
                let divisor = self.dim_atom()?;
                self.expect(")")?;
                Ok(value.floor_div(&divisor))
            }
            "min" | "max" if self.take("(") => {
                let first = self.dim()?;
                self.expect(",")?;
                let second = self.dim()?;
                self.expect(")")?;
                Ok(if word == "min" { first.min_with(&second) } else { first.max_with(&second) })
            }
            name => Ok(Dim::symbol(name)),
        }
    }

    /// As [`Affine`] prints itself: `2*i0 + (n)*t1 - 1`.
    pub fn affine(&mut self) -> Parsed<Affine> {
        let mut sum = Affine::constant(0i64);
        let mut negative = self.take("-");
        loop {
            let term = self.affine_term()?;
            sum = if negative { sum.sub(&term) } else { sum.add(&term) };
            negative = match (self.take("+"), self.take("-")) {
                (true, false) => false,
                (false, true) => true,
                _ => return Ok(sum),
            };
        }
    }

    fn affine_term(&mut self) -> Parsed<Affine> {
        if !self.peek_word().is_empty() {
            return Ok(Affine::var(self.var()?));
        }
        let factor = if self.take("(") {
            let factor = self.dim()?;
            self.expect(")")?;
            factor
        } else {
            Dim::number(self.natural()?)
        };
        if self.take("*") {
            Ok(Affine::var(self.var()?).scale(&factor))
        } else {
            Ok(Affine::constant(factor))
        }
    }

    fn var(&mut self) -> Parsed<Var> {
        match self.peek_numbered('t') {
            Some(step) => self.word().map(|_| Var::Step(StepId(step))),
            None => Ok(Var::Index(self.numbered('i')?)),
        }
    }

    /// As [`Type`] prints itself: `[B, 784]`, `int[B]`.
    pub fn ty(&mut self) -> Parsed<Type> {
        let elem = match self.peek_word() {
            "" => Elem::Float,
            "int" => Elem::Int,
            "bool" => Elem::Bool,
            "float" => Elem::Float,
            other => return self.error(format!("no type is called `{other}`")),
        };
        if !self.peek_word().is_empty() {
            self.word()?;
        }
        self.expect("[")?;
        let mut shape = Vec::new();
        while !self.take("]") {
            if !shape.is_empty() {
                self.expect(",")?;
            }
            shape.push(self.dim()?);
        }
        Ok(Type::new(elem, shape))
    }
}
