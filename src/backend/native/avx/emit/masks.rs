//! Masks: vectors of all or no bits with AVX2, registers of a bit a lane with AVX-512; in memory a byte a lane.

use super::vector::{PLAIN, with_imm};
use super::{Emit, RAX};
use crate::backend::native::avx::allocate::Place;
use crate::backend::native::avx::asm::{Alu, Extra, Len, Rm, ops};
use crate::backend::native::avx::lir::{MaskOp, Src, Test, V};

/// The mask register that the allocation leaves free for moving masks to and fro.
pub const FREE_MASK: u8 = 7;

impl Emit<'_> {
    pub(super) fn compare_lanes(&mut self, test: Test, float: bool, len: Len, dst: V, a: V, b: Src) {
        let a = self.vector(a, self.free(0));
        let imm = match test {
            Test::Equal => 0x00,
            Test::Less if float => 0x11,
            Test::Less => 1,
            Test::AtMost if float => 0x12,
            Test::AtMost => 2,
            Test::Ordered => 0x07,
        };
        let (rm, broadcast) = self.operand(b, len);
        if self.is_avx512() {
            let to = self.mask_target(dst);
            let op = if float { &ops::COMPARE_TO_MASK } else { &ops::COMPARE_INT_TO_MASK };
            self.asm.vector(op, len, to, a, rm, Extra { broadcast, imm: Some(imm), ..PLAIN });
            return self.put_mask(dst, to);
        }
        let to = self.vector_target(dst, self.free(2));
        match test {
            _ if float => self.asm.vector(&ops::COMPARE, len, to, a, rm, with_imm(imm)),
            Test::Less => {
                let b = self.source(b, self.free(1));
                self.asm.vector(&ops::GREATER_INT, len, to, b, Rm::Reg(a), PLAIN);
            }
            Test::Equal | Test::Ordered => self.asm.vector(&ops::EQUAL_INT, len, to, a, rm, PLAIN),
            Test::AtMost => {
                self.asm.vector(&ops::GREATER_INT, len, to, a, rm, PLAIN);
                self.flip(len, to);
            }
        }
        self.put_vector(dst, to);
    }

    /// Inverts all bits of a vector.
    fn flip(&mut self, len: Len, register: u8) {
        let ones = self.free(1);
        self.asm.vector(&ops::EQUAL_INT, len, ones, ones, Rm::Reg(ones), PLAIN);
        self.asm.vector(&ops::XOR, len, register, register, Rm::Reg(ones), PLAIN);
    }

    /// The register of a mask, or `through` with its value.
    pub(super) fn mask(&mut self, value: V, through: u8) -> u8 {
        match self.place(value) {
            Place::Register(register) => register,
            Place::Slot(slot) => {
                self.asm.vex(&ops::MOVE_MASK, Len::One, through, 0, Self::slot(slot), None);
                through
            }
            Place::Constant(_) | Place::Nowhere => self.lost(value, through),
        }
    }

    fn mask_target(&self, value: V) -> u8 {
        if let Place::Register(register) = self.place(value) { register } else { FREE_MASK }
    }

    pub(super) fn put_mask(&mut self, value: V, register: u8) {
        match self.place(value) {
            Place::Register(place) if place != register => {
                self.asm.vex(&ops::MOVE_MASK, Len::One, place, 0, Rm::Reg(register), None);
            }
            Place::Slot(slot) => {
                self.asm.vex(&ops::STORE_MASK, Len::One, register, 0, Self::slot(slot), None);
            }
            Place::Register(_) | Place::Constant(_) | Place::Nowhere => {}
        }
    }

    pub(super) fn masks(&mut self, how: MaskOp, len: Len, dst: V, a: V, b: V) {
        if !self.is_avx512() {
            let len = len.max(Len::L4);
            let (a, b) = (self.vector(a, self.free(0)), self.vector(b, self.free(1)));
            let to = self.vector_target(dst, self.free(2));
            let op = match how {
                MaskOp::And => &ops::AND,
                MaskOp::AndNot => &ops::AND_NOT,
                MaskOp::Or => &ops::OR,
                MaskOp::Xor | MaskOp::Same => &ops::XOR,
            };
            self.asm.vector(op, len, to, a, Rm::Reg(b), PLAIN);
            if how == MaskOp::Same {
                self.flip(len, to);
            }
            return self.put_vector(dst, to);
        }
        let a = self.mask(a, FREE_MASK);
        // Only one mask register is free: the other operand comes by way of a general one.
        let b = match self.place(b) {
            Place::Slot(slot) if a == FREE_MASK => {
                self.asm.load_u32(RAX, Self::slot(slot));
                self.asm.vex(&ops::MASK_FROM_GENERAL, Len::One, 0, 0, Rm::Reg(RAX), None);
                0
            }
            _ => self.mask(b, FREE_MASK),
        };
        let to = self.mask_target(dst);
        let op = match how {
            MaskOp::And => &ops::MASK_AND,
            MaskOp::AndNot => &ops::MASK_AND_NOT,
            MaskOp::Or => &ops::MASK_OR,
            MaskOp::Same => &ops::MASK_SAME,
            MaskOp::Xor => &ops::MASK_XOR,
        };
        // The bit of the vector length says that there are three operands.
        self.asm.vex(op, Len::L8, to, a, Rm::Reg(b), None);
        self.put_mask(dst, to);
    }

    /// A bool of a general register as a mask: by way of all or no bits.
    pub(super) fn splat_mask(&mut self, len: Len, dst: V, a: V) {
        let a = self.general(a, RAX);
        self.asm.mov(RAX, Rm::Reg(a));
        self.asm.neg(false, RAX);
        if self.is_avx512() {
            let to = self.mask_target(dst);
            self.asm.vex(&ops::MASK_FROM_GENERAL, Len::One, to, 0, Rm::Reg(RAX), None);
            self.put_mask(dst, to);
        } else {
            self.spread_int(len.max(Len::L4), dst, RAX);
        }
    }

    pub(super) fn extract_mask(&mut self, dst: V, a: V, lane: u8) {
        if self.is_avx512() {
            let a = self.mask(a, FREE_MASK);
            self.asm.vex(&ops::MASK_TO_GENERAL, Len::One, RAX, 0, Rm::Reg(a), None);
            if lane > 0 {
                self.asm.shift_imm(false, false, RAX, lane);
            }
        } else {
            let mut a = self.vector(a, self.free(0));
            if lane >= 4 {
                let upper = self.free(1);
                self.asm.vector(&ops::TAKE_128, Len::L8, a, 0, Rm::Reg(upper), with_imm(1));
                a = upper;
            }
            self.asm.vector(&ops::EXTRACT, Len::One, a, 0, Rm::Reg(RAX), with_imm(lane & 3));
        }
        self.asm.alu_imm(Alu::And, false, RAX, 1);
        self.put_general(dst, RAX);
    }

    /// Loads or stores as many bytes as there are lanes.
    fn bytes(&mut self, len: Len, load: bool, register: u8, memory: Rm) {
        let (op, unit) = match (len, load) {
            (Len::L16, true) => (ops::LOAD.of(Len::L4), 16),
            (Len::L16, false) => (ops::STORE.of(Len::L4), 16),
            (Len::L8, true) => (&ops::LOAD_DOUBLE, 8),
            (Len::L8, false) => (&ops::STORE_DOUBLE, 8),
            (Len::One | Len::L4, true) => (ops::LOAD.of(Len::One), 4),
            (Len::One | Len::L4, false) => (ops::STORE.of(Len::One), 4),
        };
        self.asm.vector(op, Len::L4, register, 0, memory, Extra { unit, ..PLAIN });
    }

    pub(super) fn load_mask(&mut self, len: Len, dst: V, from: Rm) {
        let bytes = self.free(0);
        self.bytes(len, true, bytes, from);
        if self.is_avx512() {
            let to = self.mask_target(dst);
            self.asm.vector(&ops::BYTES_TO_MASK, Len::L4, to, bytes, Rm::Reg(bytes), PLAIN);
            return self.put_mask(dst, to);
        }
        let (to, zero) = (self.vector_target(dst, self.free(2)), self.free(1));
        self.asm.vector(&ops::BYTES_TO_INTS, len, bytes, 0, Rm::Reg(bytes), PLAIN);
        self.fill(zero, 0);
        self.asm.vector(&ops::GREATER_INT, len, to, bytes, Rm::Reg(zero), PLAIN);
        self.put_vector(dst, to);
    }

    pub(super) fn store_mask(&mut self, len: Len, from: V, to: Rm) {
        let bytes = self.free(0);
        if self.is_avx512() {
            let from = self.mask(from, FREE_MASK);
            self.asm.vector(&ops::MASK_TO_BYTES, Len::L4, bytes, 0, Rm::Reg(from), PLAIN);
        } else {
            let lanes = self.vector(from, self.free(1));
            let upper = self.free(2);
            if len == Len::L8 {
                self.asm.vector(&ops::TAKE_128, Len::L8, lanes, 0, Rm::Reg(upper), with_imm(1));
            } else {
                self.fill(upper, 0);
            }
            self.asm.vector(&ops::INTS_TO_SHORTS, Len::L4, bytes, lanes, Rm::Reg(upper), PLAIN);
            self.asm.vector(&ops::SHORTS_TO_BYTES, Len::L4, bytes, bytes, Rm::Reg(bytes), PLAIN);
        }
        // A lane that is true is -1 here, and 1 in memory.
        self.asm.vector(&ops::ABS_BYTES, Len::L4, bytes, 0, Rm::Reg(bytes), PLAIN);
        self.bytes(len, false, bytes, to);
    }
}
