//! exp, log, tanh and their like as arithmetic on vectors: the definitions of [`ir::math`](crate::ir::math),
//! written into a kernel.

use super::builder::Builder;
use super::ir::*;
use crate::ir::math::{self, Arith};
use crate::ir::program::Precision;

/// A function of a float that no processor has an instruction for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Erf,
    NormalCdf,
}

pub fn function(b: &mut Builder, function: Function, x: ValueId) -> ValueId {
    if !b.own_math {
        return of_library(b, function, x);
    }
    let w = &mut Writer::new(b, x);
    match function {
        Function::Exp => math::exp(w, x),
        Function::Log => math::log(w, x),
        Function::Sin => math::sin(w, x),
        Function::Cos => math::cos(w, x),
        Function::Tanh => math::tanh(w, x),
        Function::Erf => math::erf(w, x),
        Function::NormalCdf => math::normal_cdf(w, x),
    }
}

/// `x` to the power `y`.
pub fn power(b: &mut Builder, x: ValueId, y: ValueId) -> ValueId {
    let (x, y) = b.match_lanes(x, y);
    if !b.own_math {
        return b.library(Library::Pow, vec![x, y]);
    }
    math::pow(&mut Writer::new(b, x), x, y)
}

/// By the functions of `math.h`.
fn of_library(b: &mut Builder, function: Function, x: ValueId) -> ValueId {
    let function = match function {
        Function::Exp => Library::Exp,
        Function::Log => Library::Log,
        Function::Sin => Library::Sin,
        Function::Cos => Library::Cos,
        Function::Tanh => Library::Tanh,
        Function::Erf => Library::Erf,
        Function::NormalCdf => {
            let kind = b.ty(x).kind;
            let (scale, half) = (b.float(kind, -std::f64::consts::FRAC_1_SQRT_2), b.float(kind, 0.5));
            let scaled = b.binary(Binary::Mul, x, scale);
            let tail = b.library(Library::Erfc, vec![scaled]);
            return b.binary(Binary::Mul, tail, half);
        }
    };
    b.library(function, vec![x])
}

struct Writer<'b> {
    builder: &'b mut Builder,
    float: Kind,
    int: Kind,
}

impl<'b> Writer<'b> {
    fn new(builder: &'b mut Builder, x: ValueId) -> Writer<'b> {
        let float = builder.ty(x).kind;
        let int = if float == Kind::F64 { Kind::I64 } else { Kind::I32 };
        Writer { builder, float, int }
    }

    /// 1 if the mask is true in any lane, else 0, as a number of times.
    fn any_lane(&mut self, mask: ValueId) -> ValueId {
        let (zero, one) = (self.builder.float(self.float, 0.0), self.builder.float(self.float, 1.0));
        let mut marks = self.builder.select(mask, one, zero);
        while self.builder.ty(marks).lanes > 4 {
            let ty = self.builder.ty(marks);
            let half = Ty { lanes: ty.lanes / 2, ..ty };
            let lower = self.builder.add(half, Expr::Half(marks, false));
            let upper = self.builder.add(half, Expr::Half(marks, true));
            marks = self.builder.binary(Binary::Max, lower, upper);
        }
        let mut mark = self.builder.extract(marks, 0);
        for lane in 1..self.builder.ty(marks).lanes {
            let next = self.builder.extract(marks, lane);
            mark = self.builder.binary(Binary::Max, mark, next);
        }
        let times = self.builder.unary(Unary::ToInt, mark);
        self.builder.unary(Unary::ToIndex, times)
    }

    fn shift(&mut self, op: Binary, a: ValueId, by: u32) -> ValueId {
        let by = self.builder.int(Kind::I32, i64::from(by));
        self.builder.binary(op, a, by)
    }
}

impl Arith for Writer<'_> {
    type V = ValueId;
    type I = ValueId;
    type M = ValueId;

    fn precision(&self) -> Precision {
        if self.float == Kind::F64 { Precision::F64 } else { Precision::F32 }
    }
    fn float(&mut self, value: f64) -> ValueId {
        self.builder.float(self.float, value)
    }
    fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Add, a, b)
    }
    fn sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Sub, a, b)
    }
    fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Mul, a, b)
    }
    fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Div, a, b)
    }
    fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        self.builder.fma(a, b, c)
    }
    fn neg(&mut self, a: ValueId) -> ValueId {
        self.builder.unary(Unary::Neg, a)
    }
    fn floor(&mut self, a: ValueId) -> ValueId {
        self.builder.unary(Unary::Floor, a)
    }
    fn bits(&mut self, a: ValueId) -> ValueId {
        self.builder.unary(Unary::ToBits, a)
    }
    fn from_bits(&mut self, a: ValueId) -> ValueId {
        self.builder.unary(Unary::FromBits, a)
    }
    fn int(&mut self, value: i64) -> ValueId {
        self.builder.int(self.int, value)
    }
    fn int_add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Add, a, b)
    }
    fn int_sub(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Sub, a, b)
    }
    fn int_and(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::And, a, b)
    }
    fn int_or(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Or, a, b)
    }
    fn int_xor(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Xor, a, b)
    }
    fn shift_left(&mut self, a: ValueId, by: u32) -> ValueId {
        self.shift(Binary::Shl, a, by)
    }
    fn shift_right(&mut self, a: ValueId, by: u32) -> ValueId {
        self.shift(Binary::Shr, a, by)
    }
    fn lt(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Lt, a, b)
    }
    fn le(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Le, a, b)
    }
    fn eq(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Eq, a, b)
    }
    fn min(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Min, a, b)
    }
    fn max(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.binary(Binary::Max, a, b)
    }
    fn select(&mut self, mask: ValueId, then: ValueId, otherwise: ValueId) -> ValueId {
        self.builder.select(mask, then, otherwise)
    }
    /// A loop that is gone through once or not at all. Its argument goes round, so that nothing of the slow way
    /// is made before the loop.
    fn where_rare(
        &mut self,
        mask: ValueId,
        x: ValueId,
        fast: [ValueId; 2],
        slow: fn(&mut Self, ValueId) -> [ValueId; 2],
    ) -> [ValueId; 2] {
        let starts = [x, fast[0], fast[1]];
        if let Some(known) = self.builder.known_branch(starts) {
            return known;
        }
        let times = self.any_lane(mask);
        let (_, currents) = self.builder.begin_for(Bound::Number(0), Bound::Value(times), 1, &starts);
        let found = slow(self, currents[0]);
        let first = self.builder.select(mask, found[0], currents[1]);
        let second = self.builder.select(mask, found[1], currents[2]);
        let ends = self.builder.end_for(&[currents[0], first, second]);
        let results = [ends[1], ends[2]];
        self.builder.keep_branch(starts, results);
        results
    }
}
