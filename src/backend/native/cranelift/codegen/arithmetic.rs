//! Operations on scalars and vectors.

use super::{Codegen, register};
use crate::loops::{Binary, Kind, Ty, Unary, ValueId};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, types};

impl Codegen<'_, '_> {
    pub(super) fn select(&mut self, ty: Ty, c: ir::Value, a: ir::Value, b: ir::Value) -> ir::Value {
        if ty.lanes == 1 {
            return self.b.ins().select(c, a, b);
        }
        let mask = if ty.kind.is_float() { self.cast(register(ty), c) } else { c };
        self.b.ins().bitselect(mask, a, b)
    }

    pub(super) fn unary(&mut self, ty: Ty, op: Unary, id: ValueId) -> ir::Value {
        let (from, a) = (self.ty(id), self.value(id));
        let is_float = ty.kind.is_float();
        match op {
            Unary::Neg if is_float => self.b.ins().fneg(a),
            Unary::Neg => self.b.ins().ineg(a),
            Unary::Abs if is_float => self.b.ins().fabs(a),
            Unary::Abs => self.b.ins().iabs(a),
            Unary::Sqrt => self.b.ins().sqrt(a),
            Unary::Floor => self.b.ins().floor(a),
            Unary::Ceil => self.b.ins().ceil(a),
            Unary::Round => self.b.ins().nearest(a),
            Unary::Not if ty.lanes == 1 => self.b.ins().bxor_imm_s(a, 1),
            Unary::Not => self.b.ins().bnot(a),
            Unary::ToFloat => match (from.kind, from.lanes) {
                (Kind::Bool, 1) => {
                    let wide = self.b.ins().uextend(types::I32, a);
                    self.b.ins().fcvt_from_sint(register(ty), wide)
                }
                (Kind::Bool, lanes) => {
                    let one = if ty.kind == Kind::F32 {
                        self.b.ins().f32const(1.0)
                    } else {
                        self.b.ins().f64const(1.0)
                    };
                    let ones = self.b.ins().splat(register(ty), one);
                    let ones = self.cast(register(Ty { kind: Kind::Bool, lanes }), ones);
                    let bits = self.b.ins().band(a, ones);
                    self.cast(register(ty), bits)
                }
                _ => self.b.ins().fcvt_from_sint(register(ty), a),
            },
            Unary::ToInt => match (from.kind, from.lanes) {
                (Kind::Bool, 1) => self.b.ins().uextend(types::I32, a),
                (Kind::Bool, _) => self.b.ins().ineg(a),
                _ => self.b.ins().fcvt_to_sint_sat(register(ty), a),
            },
            Unary::ToIndex => self.b.ins().sextend(types::I64, a),
            Unary::FromIndex => self.b.ins().ireduce(types::I32, a),
            Unary::ToBits | Unary::FromBits => self.cast(register(ty), a),
        }
    }

    pub(super) fn binary(&mut self, ty: Ty, op: Binary, x: ValueId, y: ValueId) -> ir::Value {
        let from = self.ty(x);
        let (a, b) = (self.value(x), self.value(y));
        let is_float = from.kind.is_float();
        match op {
            Binary::Add if is_float => self.b.ins().fadd(a, b),
            Binary::Add => self.b.ins().iadd(a, b),
            Binary::Sub if is_float => self.b.ins().fsub(a, b),
            Binary::Sub => self.b.ins().isub(a, b),
            Binary::Mul if is_float => self.b.ins().fmul(a, b),
            Binary::Mul => self.b.ins().imul(a, b),
            Binary::Div => self.b.ins().fdiv(a, b),
            Binary::FloorDiv | Binary::Mod => self.divide(op, from.kind, a, b),
            Binary::Lt if is_float => self.b.ins().fcmp(FloatCC::LessThan, a, b),
            Binary::Lt => self.b.ins().icmp(IntCC::SignedLessThan, a, b),
            Binary::Le if is_float => self.b.ins().fcmp(FloatCC::LessThanOrEqual, a, b),
            Binary::Le => self.b.ins().icmp(IntCC::SignedLessThanOrEqual, a, b),
            Binary::Eq if is_float => self.b.ins().fcmp(FloatCC::Equal, a, b),
            Binary::Eq => self.b.ins().icmp(IntCC::Equal, a, b),
            Binary::And => self.b.ins().band(a, b),
            Binary::Or => self.b.ins().bor(a, b),
            Binary::Xor => self.b.ins().bxor(a, b),
            Binary::Min if is_float => {
                let less = self.b.ins().fcmp(FloatCC::LessThan, a, b);
                self.select(ty, less, a, b)
            }
            Binary::Min => self.b.ins().smin(a, b),
            Binary::Max if is_float => {
                let less = self.b.ins().fcmp(FloatCC::LessThan, b, a);
                self.select(ty, less, a, b)
            }
            Binary::Max => self.b.ins().smax(a, b),
            Binary::Shl => self.b.ins().ishl(a, b),
            Binary::Shr => self.b.ins().ushr(a, b),
        }
    }

    /// Whether the result of an operation on two ints does not fit into 64 bits.
    pub(super) fn overflows(&mut self, op: Binary, x: ValueId, y: ValueId) -> ir::Value {
        let (a, b) = (self.value(x), self.value(y));
        match op {
            Binary::Add => self.b.ins().sadd_overflow(a, b).1,
            Binary::Sub => self.b.ins().ssub_overflow(a, b).1,
            Binary::Mul => self.b.ins().smul_overflow(a, b).1,
            _ => {
                let least = self.b.ins().iconst(types::I64, i64::MIN);
                let is_least = self.b.ins().icmp(IntCC::Equal, a, least);
                let by_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
                self.b.ins().band(is_least, by_minus_one)
            }
        }
    }

    /// Rounded down; 0 where the divisor is 0. A division by -1 is a change of sign: the processor would trap on
    /// the least int.
    fn divide(&mut self, op: Binary, kind: Kind, a: ir::Value, b: ir::Value) -> ir::Value {
        let (a, b) = match kind {
            Kind::I64 => (a, b),
            _ => (self.b.ins().sextend(types::I64, a), self.b.ins().sextend(types::I64, b)),
        };
        let (zero, one) = (self.b.ins().iconst(types::I64, 0), self.b.ins().iconst(types::I64, 1));
        let by_zero = self.b.ins().icmp(IntCC::Equal, b, zero);
        let by_minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
        let is_plain = self.b.ins().bor(by_zero, by_minus_one);
        let divisor = self.b.ins().select(is_plain, one, b);
        let quotient = self.b.ins().sdiv(a, divisor);
        let product = self.b.ins().imul(quotient, divisor);
        let rest = self.b.ins().isub(a, product);
        let inexact = self.b.ins().icmp(IntCC::NotEqual, rest, zero);
        let signs = self.b.ins().bxor(rest, divisor);
        let differ = self.b.ins().icmp(IntCC::SignedLessThan, signs, zero);
        let down = self.b.ins().band(inexact, differ);
        let result = if op == Binary::Mod {
            let added = self.b.ins().iadd(rest, divisor);
            self.b.ins().select(down, added, rest)
        } else {
            let lowered = self.b.ins().isub(quotient, one);
            self.b.ins().select(down, lowered, quotient)
        };
        let opposite = self.b.ins().ineg(a);
        let by_one = if op == Binary::Mod { zero } else { opposite };
        let result = self.b.ins().select(by_minus_one, by_one, result);
        let result = self.b.ins().select(by_zero, zero, result);
        if kind == Kind::I64 { result } else { self.b.ins().ireduce(types::I32, result) }
    }
}
