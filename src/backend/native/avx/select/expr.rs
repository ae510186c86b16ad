//! Selection of instructions for expressions.

use super::Select;
use crate::backend::CodeError;
use crate::backend::native::avx::asm::{Alu, Cond, Len, ops, ops::Op};
use crate::backend::native::avx::lir::{Class, Inst, Int, MaskOp, Src, Test, V};
use crate::loops::{Address, Expr, Kind, Linear, Ty, Unary, ValueId};

const SIGN: u32 = 1 << 31;

impl Select<'_> {
    pub(super) fn expr(&mut self, id: ValueId, expr: &Expr) -> Result<(), CodeError> {
        let ty = self.ty(id);
        let len = self.len_of(ty)?;
        let class = self.class_of(ty);
        let value = match expr {
            Expr::Float(value) => {
                self.bits[id.0 as usize] = Some((value.0 as f32).to_bits());
                return Ok(());
            }
            Expr::Int(value) => {
                self.bits[id.0 as usize] = Some(*value as u32);
                self.numbers[id.0 as usize] = Some(*value);
                return Ok(());
            }
            Expr::Bool(value) => {
                self.numbers[id.0 as usize] = Some(i64::from(*value));
                return Ok(());
            }
            Expr::Linear(linear) => self.linear(linear),
            Expr::Iota(step) => {
                let dst = self.fresh(Class::Vector);
                self.push_at(0, Inst::Iota { len: self.widest(), dst, step: *step as i32 });
                dst
            }
            Expr::Splat(a) => {
                let is_constant = ty.kind != Kind::Bool && self.values[a.0 as usize].is_none();
                if let (Some(bits), true) = (self.bits[a.0 as usize], is_constant) {
                    self.bits[id.0 as usize] = Some(bits);
                    return Ok(());
                }
                self.splat(ty, len, class, *a)
            }
            Expr::Pack(lanes) => {
                let lanes: Vec<V> = lanes.iter().map(|lane| self.lane_register(*lane)).collect();
                let joined = self.join(&lanes);
                self.as_kind(ty, len, joined)
            }
            Expr::Gather(addresses) => self.gather(ty, len, addresses),
            Expr::Extract(a, lane) => self.extract(ty, *a, *lane),
            Expr::Half(a, upper) => {
                let a = self.value(*a);
                self.half(a, len, *upper)
            }
            Expr::Load(address) => {
                let from = self.address(address);
                let dst = self.fresh(class);
                self.push(match (ty.kind, class) {
                    (_, Class::General) => Inst::LoadInt { bytes: ty.kind.bytes(), dst, from },
                    (Kind::Bool, _) => Inst::LoadMask { len, dst, from },
                    _ => Inst::Load { len, dst, from },
                });
                dst
            }
            Expr::Unary(op, a) => self.unary(ty, len, *op, *a)?,
            Expr::Binary(op, a, b) => self.binary(ty, len, *op, *a, *b)?,
            Expr::Fma(a, b, c) => {
                let (a, b, c) = (self.src(*a), self.src(*b), self.src(*c));
                let dst = self.fresh(Class::Vector);
                self.push(Inst::Fma { len, dst, a, b, c });
                dst
            }
            Expr::Select(c, a, b) => self.choice(ty, len, *c, *a, *b),
            Expr::Library(..) => return Err(CodeError::unsupported("functions of C's library")),
            Expr::Overflows(..) => return Err(CodeError::internal("ints of 64 bits in lanes")),
        };
        self.define(id, value);
        Ok(())
    }

    pub(super) fn linear(&mut self, linear: &Linear) -> V {
        let mut sum: Option<V> = None;
        for (id, factor) in &linear.terms {
            let value = self.value(*id);
            let term = if *factor == 1 {
                value
            } else {
                let b = self.number(*factor);
                let dst = self.fresh(Class::General);
                self.push(Inst::Multiply { wide: true, dst, a: value, b });
                dst
            };
            sum = Some(match sum {
                None => term,
                Some(sum) => self.alu(Alu::Add, true, sum, Int::Reg(term)),
            });
        }
        match sum {
            None => {
                let dst = self.fresh(Class::General);
                self.push(Inst::Number { dst, value: linear.constant });
                dst
            }
            Some(sum) if linear.constant == 0 => sum,
            Some(sum) => {
                let b = self.number(linear.constant);
                self.alu(Alu::Add, true, sum, b)
            }
        }
    }

    fn alu(&mut self, op: Alu, wide: bool, a: V, b: Int) -> V {
        let dst = self.fresh(Class::General);
        self.push(Inst::Alu { op, wide, dst, a, b });
        dst
    }

    fn splat(&mut self, ty: Ty, len: Len, class: Class, a: ValueId) -> V {
        if let Some(from) = self.deferred.remove(&a) {
            let dst = self.fresh(Class::Vector);
            self.push(Inst::SplatLoad { len, dst, from });
            return dst;
        }
        let a = self.value(a);
        let dst = self.fresh(class);
        self.push(match ty.kind {
            Kind::Bool => Inst::SplatMask { len, dst, a },
            Kind::I32 => Inst::SplatInt { len, dst, a },
            _ => Inst::Splat { len, dst, a },
        });
        dst
    }

    /// A scalar in the first lane of a vector register.
    fn lane_register(&mut self, id: ValueId) -> V {
        let value = self.value(id);
        if self.classes[value.0 as usize] == Class::Vector {
            return value;
        }
        let dst = self.fresh(Class::Vector);
        self.push(Inst::FromInt { dst, a: value });
        dst
    }

    /// A vector of scalars that stand in first lanes.
    fn join(&mut self, lanes: &[V]) -> V {
        let fours: Vec<V> = lanes
            .chunks(4)
            .map(|four| {
                let dst = self.fresh(Class::Vector);
                self.push(Inst::Copy { dst, a: four[0] });
                for (lane, scalar) in four.iter().enumerate().skip(1) {
                    self.push(Inst::Insert { dst, a: *scalar, lane: lane as u8 });
                }
                dst
            })
            .collect();
        self.join_fours(fours)
    }

    fn join_fours(&mut self, mut parts: Vec<V>) -> V {
        let mut len = Len::L8;
        while parts.len() > 1 {
            parts = parts
                .chunks(2)
                .map(|two| {
                    let dst = self.fresh(Class::Vector);
                    self.push(Inst::Join { len, dst, lower: two[0], upper: two[1] });
                    dst
                })
                .collect();
            len = Len::L16;
        }
        parts[0]
    }

    /// Lanes of 0 and 1 as a mask; others are what they are.
    fn as_kind(&mut self, ty: Ty, len: Len, lanes: V) -> V {
        if ty.kind != Kind::Bool {
            return lanes;
        }
        let zero = self.constant(0);
        let dst = self.fresh(self.class_of(ty));
        self.push(Inst::Compare { test: Test::Less, float: false, len, dst, a: zero, b: Src::Reg(lanes) });
        dst
    }

    fn gather(&mut self, ty: Ty, len: Len, addresses: &[Address]) -> V {
        if ty.kind == Kind::Bool {
            let lanes: Vec<V> = addresses
                .iter()
                .map(|address| {
                    let from = self.address(address);
                    let (byte, dst) = (self.fresh(Class::General), self.fresh(Class::Vector));
                    self.push(Inst::LoadInt { bytes: 1, dst: byte, from });
                    self.push(Inst::FromInt { dst, a: byte });
                    dst
                })
                .collect();
            let joined = self.join(&lanes);
            return self.as_kind(ty, len, joined);
        }
        let fours: Vec<V> = addresses
            .chunks(4)
            .map(|four| {
                let dst = self.fresh(Class::Vector);
                let from = self.address(&four[0]);
                self.push(Inst::Load { len: Len::One, dst, from });
                for (lane, address) in four.iter().enumerate().skip(1) {
                    let from = self.address(address);
                    self.push(Inst::InsertLoad { dst, from, lane: lane as u8 });
                }
                dst
            })
            .collect();
        self.join_fours(fours)
    }

    fn half(&mut self, a: V, len: Len, upper: bool) -> V {
        let dst = self.fresh(Class::Vector);
        self.push(Inst::Half { len, dst, a, upper });
        dst
    }

    fn extract(&mut self, ty: Ty, id: ValueId, mut lane: u8) -> V {
        let mut lanes = self.ty(id).lanes;
        let mut a = self.value(id);
        if self.ty(id).kind == Kind::Bool {
            let dst = self.fresh(Class::General);
            self.push(Inst::ExtractMask { dst, a, lane });
            return dst;
        }
        while lanes > 4 {
            lanes /= 2;
            if lane >= lanes {
                a = self.half(a, if lanes == 8 { Len::L8 } else { Len::L4 }, true);
                lane -= lanes;
            }
        }
        let dst = self.fresh(Class::Vector);
        self.push(Inst::Lane { dst, a, lane });
        if ty.kind == Kind::I32 { self.bits_of(dst) } else { dst }
    }

    /// The bits of a scalar in a general register.
    fn bits_of(&mut self, a: V) -> V {
        let dst = self.fresh(Class::General);
        self.push(Inst::ToInt { dst, a });
        dst
    }

    pub(super) fn binary_vector(&mut self, op: &'static Op, len: Len, a: V, b: Src) -> V {
        let dst = self.fresh(Class::Vector);
        self.push(Inst::Binary { op, len, dst, a, b });
        dst
    }

    fn choice(&mut self, ty: Ty, len: Len, c: ValueId, a: ValueId, b: ValueId) -> V {
        let class = self.class_of(ty);
        if class == Class::General {
            let (condition, a, b) = (self.value(c), self.value(a), self.value(b));
            let dst = self.fresh(Class::General);
            self.push(Inst::Choose { dst, condition, a, b });
            return dst;
        }
        let mut mask = self.value(c);
        if class == Class::Mask || ty.kind == Kind::Bool && ty.lanes > 1 {
            // (c and a) or (not c and b)
            let (a, b) = (self.value(a), self.value(b));
            let taken = self.masks(MaskOp::And, len, mask, a);
            let other = self.masks(MaskOp::AndNot, len, mask, b);
            return self.masks(MaskOp::Or, len, taken, other);
        }
        if ty.lanes == 1 {
            mask = self.tests.get(&mask).copied().unwrap_or_else(|| {
                let wide = self.fresh(self.class_of(Ty { kind: Kind::Bool, lanes: 4 }));
                self.push(Inst::SplatMask { len: Len::L4, dst: wide, a: mask });
                wide
            });
        }
        let (then, otherwise) = (self.src(a), self.value(b));
        self.blend(len, mask, then, otherwise)
    }

    fn blend(&mut self, len: Len, mask: V, then: Src, otherwise: V) -> V {
        let dst = self.fresh(Class::Vector);
        self.push(Inst::Blend { len, dst, mask, then, otherwise });
        dst
    }

    pub(super) fn masks(&mut self, op: MaskOp, len: Len, a: V, b: V) -> V {
        let dst = self.fresh(self.classes[a.0 as usize]);
        self.push(Inst::Masks { op, len, dst, a, b });
        dst
    }

    fn unary_vector(&mut self, op: &'static Op, len: Len, a: Src, imm: Option<u8>) -> V {
        let dst = self.fresh(Class::Vector);
        self.push(Inst::Unary { op, len, dst, a, imm });
        dst
    }

    fn unary(&mut self, ty: Ty, len: Len, op: Unary, id: ValueId) -> Result<V, CodeError> {
        let from = self.ty(id);
        let general = self.class_of(from) == Class::General;
        Ok(match op {
            Unary::Neg | Unary::Abs if general => {
                let a = self.value(id);
                let wide = ty.kind == Kind::I64;
                let negative = self.fresh(Class::General);
                self.push(Inst::Negate { wide, dst: negative, a });
                if op == Unary::Neg {
                    return Ok(negative);
                }
                let dst = self.fresh(Class::General);
                self.push(Inst::Extreme { cond: Cond::Greater, wide, dst, a, b: negative });
                dst
            }
            Unary::Neg if ty.kind == Kind::F32 => {
                let a = self.value(id);
                self.binary_vector(&ops::XOR, len, a, Src::Const(SIGN))
            }
            Unary::Neg => {
                let (zero, a) = (self.constant(0), self.src(id));
                self.binary_vector(&ops::SUB_INT, len, zero, a)
            }
            Unary::Abs if ty.kind == Kind::F32 => {
                let a = self.value(id);
                self.binary_vector(&ops::AND, len, a, Src::Const(!SIGN))
            }
            Unary::Abs => {
                let a = self.src(id);
                self.unary_vector(&ops::ABS_INT, len, a, None)
            }
            Unary::Sqrt => {
                let a = self.src(id);
                self.unary_vector(ops::SQRT.of(len), len, a, None)
            }
            Unary::Floor | Unary::Ceil | Unary::Round => {
                let how = match op {
                    Unary::Floor => 9,
                    Unary::Ceil => 10,
                    _ => 8,
                };
                let a = self.src(id);
                self.unary_vector(ops::ROUND.of(len), len, a, Some(how))
            }
            Unary::Not if general => {
                let a = self.value(id);
                self.alu(Alu::Xor, false, a, Int::Number(1))
            }
            Unary::Not => {
                let a = self.value(id);
                let none = self.masks(MaskOp::Xor, len, a, a);
                self.masks(MaskOp::Same, len, a, none)
            }
            Unary::ToFloat if general => {
                let a = self.value(id);
                let dst = self.fresh(Class::Vector);
                self.push(Inst::Convert { dst, a });
                dst
            }
            Unary::ToFloat if from.kind == Kind::Bool => {
                let (mask, zero) = (self.value(id), self.constant(0));
                self.blend(len, mask, Src::Const(1f32.to_bits()), zero)
            }
            Unary::ToFloat => {
                let a = self.src(id);
                self.unary_vector(&ops::INT_TO_FLOAT, len, a, None)
            }
            Unary::ToInt if from.kind == Kind::Bool && !general => {
                let (mask, zero) = (self.value(id), self.constant(0));
                self.blend(len, mask, Src::Const(1), zero)
            }
            Unary::ToInt if from.kind == Kind::F32 => {
                let rounded = self.saturate(len, id);
                if ty.lanes == 1 { self.bits_of(rounded) } else { rounded }
            }
            Unary::ToInt | Unary::FromIndex => {
                let a = self.value(id);
                let dst = self.fresh(Class::General);
                self.push(Inst::Move { dst, a });
                dst
            }
            Unary::ToIndex => {
                let a = self.value(id);
                let dst = self.fresh(Class::General);
                self.push(Inst::Extend { dst, a });
                dst
            }
            Unary::ToBits if ty.lanes == 1 => {
                let a = self.value(id);
                self.bits_of(a)
            }
            Unary::FromBits if ty.lanes == 1 => {
                let a = self.value(id);
                let dst = self.fresh(Class::Vector);
                self.push(Inst::FromInt { dst, a });
                dst
            }
            // The same register.
            Unary::ToBits | Unary::FromBits => self.value(id),
        })
    }

    /// Floats as ints, towards zero; what is too large becomes the largest, NaN 0.
    fn saturate(&mut self, len: Len, id: ValueId) -> V {
        let len = len.max(Len::L4);
        let a = self.value(id);
        let mask_ty = Ty { kind: Kind::Bool, lanes: len.lanes() as u8 };
        // The processor gives the smallest int for what does not fit.
        let rounded = self.unary_vector(&ops::FLOAT_TO_INT, len, Src::Reg(a), None);
        let limit = self.constant(2_147_483_648f32.to_bits());
        let class = self.class_of(mask_ty);
        let (large, number) = (self.fresh(class), self.fresh(class));
        let test = Test::AtMost;
        self.push(Inst::Compare { test, float: true, len, dst: large, a: limit, b: Src::Reg(a) });
        let test = Test::Ordered;
        self.push(Inst::Compare { test, float: true, len, dst: number, a, b: Src::Reg(a) });
        let rounded = self.blend(len, large, Src::Const(i32::MAX as u32), rounded);
        let zero = self.constant(0);
        self.blend(len, number, Src::Reg(rounded), zero)
    }
}
