//! Selection of operations with two operands, on vectors, masks and ints.

use super::Select;
use crate::backend::CodeError;
use crate::backend::native::avx::asm::{Alu, Cond, Len, ops};
use crate::backend::native::avx::lir::{Class, Inst, Int, MaskOp, Test, V};
use crate::loops::{Binary, Kind, Ty, ValueId};

impl Select<'_> {
    pub(super) fn binary(
        &mut self,
        ty: Ty,
        len: Len,
        op: Binary,
        x: ValueId,
        y: ValueId,
    ) -> Result<V, CodeError> {
        let from = self.ty(x);
        match self.class_of(from) {
            Class::General => return Ok(self.binary_general(from, op, x, y)),
            Class::Mask => return self.binary_masks(len, op, x, y),
            Class::Vector if from.kind == Kind::Bool => return self.binary_masks(len, op, x, y),
            Class::Vector => {}
        }
        if let Binary::Shl | Binary::Shr = op {
            let by = self.numbers[y.0 as usize];
            let by = by.ok_or_else(|| CodeError::internal("lanes shifted by what is not a number"))?;
            let a = self.value(x);
            let dst = self.fresh(Class::Vector);
            self.push(Inst::Shift { left: op == Binary::Shl, len, dst, a, by: by as u8 });
            return Ok(dst);
        }
        let is_float = from.kind == Kind::F32;
        let test = match op {
            Binary::Lt => Some(Test::Less),
            Binary::Le => Some(Test::AtMost),
            Binary::Eq => Some(Test::Equal),
            _ => None,
        };
        if let Some(test) = test {
            let (a, b) = (self.value(x), self.src(y));
            let lanes = ty.lanes.max(4);
            let dst = self.fresh(self.class_of(Ty { kind: Kind::Bool, lanes }));
            let len = len.max(Len::L4);
            self.push(Inst::Compare { test, float: is_float, len, dst, a, b });
            if ty.lanes > 1 {
                return Ok(dst);
            }
            let single = self.fresh(Class::General);
            self.push(Inst::ExtractMask { dst: single, a: dst, lane: 0 });
            self.tests.insert(single, dst);
            return Ok(single);
        }
        let op = match op {
            Binary::Add if is_float => ops::ADD.of(len),
            Binary::Sub if is_float => ops::SUB.of(len),
            Binary::Mul if is_float => ops::MUL.of(len),
            Binary::Div if is_float => ops::DIV.of(len),
            Binary::Min if is_float => ops::MIN.of(len),
            Binary::Max if is_float => ops::MAX.of(len),
            Binary::Add => &ops::ADD_INT,
            Binary::Sub => &ops::SUB_INT,
            Binary::Mul => &ops::MUL_INT,
            Binary::Min => &ops::MIN_INT,
            Binary::Max => &ops::MAX_INT,
            Binary::And => &ops::AND,
            Binary::Or => &ops::OR,
            Binary::Xor => &ops::XOR,
            other => return Err(CodeError::internal(format!("{other:?} has no lanes"))),
        };
        // Operands of commutative operations change places to have a constant second. Those of minima and maxima may
    // not: which operand is NaN decides the result.
        let ordered = [&ops::SUB, &ops::DIV, &ops::MIN, &ops::MAX].map(|op| op.of(len));
        let commutes = !ordered.contains(&op) && *op != ops::SUB_INT;
        let constant_first = self.values[x.0 as usize].is_none();
        let (x, y) = if commutes && constant_first { (y, x) } else { (x, y) };
        let (a, b) = (self.value(x), self.src(y));
        Ok(self.binary_vector(op, len, a, b))
    }

    fn binary_masks(&mut self, len: Len, op: Binary, x: ValueId, y: ValueId) -> Result<V, CodeError> {
        let (a, b) = (self.value(x), self.value(y));
        let op = match op {
            Binary::And | Binary::Mul | Binary::Min => MaskOp::And,
            Binary::Or | Binary::Max | Binary::Add => MaskOp::Or,
            Binary::Xor => MaskOp::Xor,
            Binary::Eq => MaskOp::Same,
            Binary::Lt => MaskOp::AndNot,
            Binary::Le => {
                let both = self.masks(MaskOp::AndNot, len, b, a);
                let none = self.masks(MaskOp::Xor, len, a, a);
                return Ok(self.masks(MaskOp::Same, len, both, none));
            }
            other => return Err(CodeError::internal(format!("{other:?} of bools"))),
        };
        Ok(self.masks(op, len, a, b))
    }

    fn binary_general(&mut self, from: Ty, op: Binary, x: ValueId, y: ValueId) -> V {
        let wide = from.kind == Kind::I64;
        let commutes = matches!(op, Binary::Add | Binary::Mul | Binary::And | Binary::Or | Binary::Xor);
        let constant_first = self.values[x.0 as usize].is_none();
        let (x, y) = if commutes && constant_first { (y, x) } else { (x, y) };
        let a = self.value(x);
        let b = match op {
            Binary::FloorDiv | Binary::Mod | Binary::Min | Binary::Max => Int::Reg(self.value(y)),
            _ => self.int(y),
        };
        let dst = self.fresh(Class::General);
        let cond = match op {
            Binary::Lt => Some(Cond::Less),
            Binary::Le => Some(Cond::AtMost),
            Binary::Eq => Some(Cond::Equal),
            _ => None,
        };
        if let Some(cond) = cond {
            self.push(Inst::Test { cond, wide, dst, a, b });
            return dst;
        }
        let alu = |op| Inst::Alu { op, wide, dst, a, b };
        let register = |b: Int| if let Int::Reg(b) = b { b } else { a };
        let inst = match op {
            Binary::Add => alu(Alu::Add),
            Binary::Sub => alu(Alu::Sub),
            Binary::And => alu(Alu::And),
            Binary::Or => alu(Alu::Or),
            Binary::Xor => alu(Alu::Xor),
            Binary::Shl | Binary::Shr => Inst::ShiftInt { left: op == Binary::Shl, wide, dst, a, by: b },
            Binary::Min => Inst::Extreme { cond: Cond::Less, wide, dst, a, b: register(b) },
            Binary::Max => Inst::Extreme { cond: Cond::Greater, wide, dst, a, b: register(b) },
            Binary::FloorDiv | Binary::Mod => {
                Inst::Divide { remainder: op == Binary::Mod, dst, a, b: register(b) }
            }
            Binary::Mul | Binary::Div | Binary::Lt | Binary::Le | Binary::Eq => {
                Inst::Multiply { wide, dst, a, b }
            }
        };
        self.push(inst);
        dst
    }
}
