//! Encoding of instructions on ints and addresses, and of jumps.

use super::{Address, Emit, RAX, RDX};
use crate::backend::native::avx::allocate::Place;
use crate::backend::native::avx::asm::{Alu, Cond, Extra, Len, Rm, ops};
use crate::backend::native::avx::lir::{Inst, Int, V};

impl Emit<'_> {
    /// Writes an instruction of the general registers; `false` if it is none.
    pub(super) fn general_inst(&mut self, inst: &Inst) -> bool {
        match inst {
            Inst::Number { dst, value } => {
                let to = self.target(*dst, RAX);
                self.asm.mov_imm(to, *value);
                self.put_general(*dst, to);
            }
            Inst::Move { dst, a } => {
                let a = self.general(*a, RAX);
                self.put_general(*dst, a);
            }
            Inst::Alu { op, wide, dst, a, b } => self.alu(*op, *wide, *dst, *a, *b),
            Inst::Multiply { wide, dst, a, b } => self.multiply(*wide, *dst, *a, *b),
            Inst::ShiftInt { left, wide, dst, a, by } => {
                let to = self.target(*dst, RAX);
                match by {
                    Int::Number(by) => {
                        self.bring(*a, to);
                        self.asm.shift_imm(*left, *wide, to, (*by & 63) as u8);
                    }
                    Int::Reg(by) => {
                        let a = self.general(*a, RAX);
                        let by = self.general(*by, RDX);
                        self.asm.shift_by(*left, *wide, to, a, by);
                    }
                }
                self.put_general(*dst, to);
            }
            Inst::Negate { wide, dst, a } => {
                let to = self.target(*dst, RAX);
                self.bring(*a, to);
                self.asm.neg(*wide, to);
                self.put_general(*dst, to);
            }
            Inst::Address { dst, of } => {
                let address = self.address(of);
                let to = self.target(*dst, RAX);
                self.asm.lea(to, address);
                self.put_general(*dst, to);
            }
            Inst::LoadInt { bytes, dst, from } => {
                let from = Rm::Memory(self.address(from));
                let to = self.target(*dst, RAX);
                match bytes {
                    1 => self.asm.load_u8(to, from),
                    4 => self.asm.load_u32(to, from),
                    _ => self.asm.mov(to, from),
                }
                self.put_general(*dst, to);
            }
            Inst::StoreInt { bytes, from, to } => {
                let to = self.short_address(to);
                let from = self.general(*from, RDX);
                self.asm.store(*bytes, from, to);
            }
            Inst::Extend { dst, a } => {
                let a = self.general(*a, RAX);
                let to = self.target(*dst, RAX);
                self.asm.load_i32(to, Rm::Reg(a));
                self.put_general(*dst, to);
            }
            Inst::Test { cond, wide, dst, a, b } => {
                self.compare(*wide, *a, *b);
                self.asm.set(*cond, RAX);
                self.put_general(*dst, RAX);
            }
            Inst::Choose { dst, condition, a, b } => {
                let condition = self.general(*condition, RAX);
                self.asm.test(condition);
                // Neither moves nor loads touch the flags.
                let to = self.target(*dst, RAX);
                self.bring(*b, to);
                let a = self.operand_int(*a);
                self.asm.cmov(Cond::NotEqual, to, a);
                self.put_general(*dst, to);
            }
            Inst::Extreme { cond, wide, dst, a, b } => {
                self.compare(*wide, *a, Int::Reg(*b));
                let to = self.target(*dst, RAX);
                self.bring(*b, to);
                let a = self.operand_int(*a);
                self.asm.cmov(*cond, to, a);
                self.put_general(*dst, to);
            }
            Inst::Divide { remainder, dst, a, b } => self.divide(*remainder, *dst, *a, *b),
            Inst::Bind(label) => self.asm.bind(*label),
            Inst::Branch { cond, a, b, label } => {
                self.compare(true, *a, *b);
                self.asm.jump(*cond, *label);
            }
            Inst::Check { place, below, report, site } => self.check(*place, *below, *report, *site),
            Inst::Advance { dst, by } => {
                let to = self.general(*dst, RAX);
                self.asm.alu_imm(Alu::Add, true, to, *by);
                self.put_general(*dst, to);
            }
            _ => return false,
        }
        true
    }

    /// Stores and moves leave the flags alone, so the comparison decides the second jump, too.
    fn check(&mut self, place: V, below: Int, report: V, site: u32) {
        let inside = self.asm.label();
        self.compare(true, place, below);
        self.asm.jump(Cond::Below, inside);
        let report = self.general(report, RDX);
        let place = self.general(place, RAX);
        self.asm.store(8, place, Address { base: report, index: None, disp: 8 });
        self.asm.mov_imm(RAX, i64::from(site));
        self.asm.store(8, RAX, Address { base: report, index: None, disp: 0 });
        self.asm.jump(Cond::NotBelow, self.exit);
        self.asm.bind(inside);
    }

    /// A copy of an int in a register.
    fn bring(&mut self, value: V, to: u8) {
        let from = self.general(value, to);
        self.asm.mov(to, Rm::Reg(from));
    }

    fn operand_int(&self, value: V) -> Rm {
        match self.place(value) {
            Place::Slot(slot) => Self::slot(slot),
            Place::Register(register) => Rm::Reg(register),
            Place::Constant(_) | Place::Nowhere => Rm::Reg(self.lost(value, RAX)),
        }
    }

    fn compare(&mut self, wide: bool, a: V, b: Int) {
        let a = self.general(a, RAX);
        match b {
            Int::Number(number) => self.asm.alu_imm(Alu::Cmp, wide, a, number),
            Int::Reg(b) => {
                let b = self.operand_int(b);
                self.asm.alu(Alu::Cmp, wide, a, b);
            }
        }
    }

    fn alu(&mut self, op: Alu, wide: bool, dst: V, a: V, b: Int) {
        let mut to = self.target(dst, RAX);
        match b {
            Int::Number(number) => {
                self.bring(a, to);
                self.asm.alu_imm(op, wide, to, number);
            }
            Int::Reg(b) => {
                let b = self.operand_int(b);
                if b == Rm::Reg(to) && self.place(a) != Place::Register(to) {
                    to = RAX;
                }
                self.bring(a, to);
                self.asm.alu(op, wide, to, b);
            }
        }
        self.put_general(dst, to);
    }

    fn multiply(&mut self, wide: bool, dst: V, a: V, b: Int) {
        let mut to = self.target(dst, RAX);
        match b {
            Int::Number(number) => {
                let a = self.operand_int(a);
                self.asm.imul_imm(to, a, number);
            }
            Int::Reg(b) => {
                let b = self.operand_int(b);
                if b == Rm::Reg(to) && self.place(a) != Place::Register(to) {
                    to = RAX;
                }
                self.bring(a, to);
                self.asm.imul(wide, to, b);
            }
        }
        self.put_general(dst, to);
    }

    /// Through 64-bit floats: they hold a quotient of two ints so exactly that rounding it down is right, and
    /// the rest `a - quotient · b` as well.
    fn divide(&mut self, remainder: bool, dst: V, a: V, b: V) {
        let (x, y, quotient) = (self.free(0), self.free(1), self.free(2));
        let a = self.general(a, RAX);
        let b = self.general(b, RDX);
        let none = Extra::default();
        let to_double = &ops::GENERAL_TO_DOUBLE;
        self.asm.vector(to_double, Len::One, x, x, Rm::Reg(a), none);
        self.asm.vector(to_double, Len::One, y, y, Rm::Reg(b), none);
        self.asm.vector(&ops::DIV_DOUBLE, Len::One, quotient, x, Rm::Reg(y), none);
        let down = Extra { imm: Some(9), ..none };
        self.asm.vector(&ops::ROUND_DOUBLE, Len::One, quotient, quotient, Rm::Reg(quotient), down);
        let result = if remainder {
            self.asm.vector(&ops::MINUS_PRODUCT_DOUBLE, Len::One, x, quotient, Rm::Reg(y), none);
            x
        } else {
            quotient
        };
        self.asm.vector(&ops::DOUBLE_TO_GENERAL, Len::One, RAX, 0, Rm::Reg(result), none);
        let fine = self.asm.label();
        self.asm.test(b);
        self.asm.jump(Cond::NotEqual, fine);
        self.asm.mov_imm(RAX, 0);
        self.asm.bind(fine);
        self.put_general(dst, RAX);
    }
}
