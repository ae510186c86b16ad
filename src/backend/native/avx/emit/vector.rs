//! Encoding of instructions on vectors.

use super::masks::FREE_MASK;
use super::{Emit, RAX};
use crate::backend::native::avx::allocate::Place;
use crate::backend::native::avx::asm::ops::{Float, Op};
use crate::backend::native::avx::asm::{Extra, Len, Rm, Vectors, ops};
use crate::backend::native::avx::lir::{Inst, Src, V};

pub const PLAIN: Extra = Extra { mask: 0, broadcast: false, imm: None, unit: 0 };
/// An operand in memory that is one lane wide.
const SINGLE: Extra = Extra { unit: 4, ..PLAIN };

pub fn with_imm(imm: u8) -> Extra {
    Extra { imm: Some(imm), ..PLAIN }
}

impl Emit<'_> {
    pub(super) fn is_avx512(&self) -> bool {
        self.asm.vectors == Vectors::Avx512
    }

    /// The register into which a vector is to be computed.
    pub(super) fn vector_target(&self, value: V, through: u8) -> u8 {
        if let Place::Register(register) = self.place(value) { register } else { through }
    }

    pub(super) fn vector_inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Binary { op, len, dst, a, b } => self.binary(op, *len, *dst, *a, *b),
            Inst::Unary { op, len, dst, a, imm } => self.unary(op, *len, *dst, *a, *imm),
            Inst::Fma { len, dst, a, b, c } => self.fma(*len, *dst, [*a, *b, *c]),
            Inst::Shift { left, len, dst, a, by } => self.shift(*left, *len, *dst, *a, *by),
            Inst::Compare { test, float, len, dst, a, b } => {
                self.compare_lanes(*test, *float, *len, *dst, *a, *b)
            }
            Inst::Blend { len, dst, mask, then, otherwise } => {
                self.blend(*len, *dst, *mask, *then, *otherwise);
            }
            Inst::Masks { op, len, dst, a, b } => self.masks(*op, *len, *dst, *a, *b),
            Inst::SplatMask { len, dst, a } => self.splat_mask(*len, *dst, *a),
            Inst::ExtractMask { dst, a, lane } => self.extract_mask(*dst, *a, *lane),
            Inst::Load { len, dst, from } => {
                let from = Rm::Memory(self.address(from));
                let to = self.vector_target(*dst, self.free(2));
                self.load_vector(*len, to, from);
                self.put_vector(*dst, to);
            }
            Inst::Store { len, from, to } => {
                let from = self.vector(*from, self.free(0));
                let to = Rm::Memory(self.address(to));
                self.store_vector(*len, from, to);
            }
            Inst::LoadMask { len, dst, from } => {
                let from = Rm::Memory(self.address(from));
                self.load_mask(*len, *dst, from);
            }
            Inst::StoreMask { len, from, to } => {
                let to = Rm::Memory(self.address(to));
                self.store_mask(*len, *from, to);
            }
            Inst::Splat { len, dst, a } => {
                let (a, _) = self.operand(Src::Reg(*a), Len::One);
                self.spread(*len, *dst, a);
            }
            Inst::SplatLoad { len, dst, from } => {
                let from = Rm::Memory(self.address(from));
                self.spread(*len, *dst, from);
            }
            Inst::SplatInt { len, dst, a } => {
                let a = self.general(*a, RAX);
                self.spread_int(*len, *dst, a);
            }
            Inst::Constant { dst, bits } | Inst::Set { dst, bits } => {
                let to = self.vector_target(*dst, self.free(2));
                self.fill(to, *bits);
                self.put_vector(*dst, to);
            }
            Inst::Iota { len, dst, step } => self.iota(*len, *dst, *step),
            Inst::Copy { dst, a } => self.copy(*dst, *a),
            Inst::Half { len, dst, a, upper } => self.half(*len, *dst, *a, *upper),
            Inst::Lane { dst, a, lane } => self.lane(*dst, *a, *lane),
            Inst::Insert { dst, a, lane } => {
                let a = Rm::Reg(self.vector(*a, self.free(0)));
                self.insert(*dst, a, *lane);
            }
            Inst::InsertLoad { dst, from, lane } => {
                let from = Rm::Memory(self.address(from));
                self.insert(*dst, from, *lane);
            }
            Inst::Join { len, dst, lower, upper } => self.join(*len, *dst, *lower, *upper),
            Inst::ToInt { dst, a } => {
                let a = self.vector(*a, self.free(0));
                let to = self.target(*dst, RAX);
                self.asm.vector(&ops::MOVE_TO_GENERAL, Len::One, a, 0, Rm::Reg(to), PLAIN);
                self.put_general(*dst, to);
            }
            Inst::FromInt { dst, a } => {
                let a = self.general(*a, RAX);
                let to = self.vector_target(*dst, self.free(2));
                self.asm.vector(&ops::MOVE_FROM_GENERAL, Len::One, to, 0, Rm::Reg(a), PLAIN);
                self.put_vector(*dst, to);
            }
            Inst::Convert { dst, a } => {
                let a = self.general(*a, RAX);
                let (to, upper) = (self.vector_target(*dst, self.free(2)), self.free(1));
                self.fill(upper, 0);
                self.asm.vector(&ops::GENERAL_TO_FLOAT, Len::One, to, upper, Rm::Reg(a), PLAIN);
                self.put_vector(*dst, to);
            }
            _ => unreachable!("the general registers' instructions are done"),
        }
    }

    fn binary(&mut self, op: &Op, len: Len, dst: V, a: V, b: Src) {
        let single = op.is_single();
        let a = self.vector(a, self.free(0));
        let (b, broadcast) = self.operand(b, if single { Len::One } else { len.max(Len::L4) });
        let to = self.vector_target(dst, self.free(2));
        let unit = if single { 4 } else { 0 };
        self.asm.vector(op, len, to, a, b, Extra { broadcast, unit, ..PLAIN });
        self.put_vector(dst, to);
    }

    fn unary(&mut self, op: &Op, len: Len, dst: V, a: Src, imm: Option<u8>) {
        let single = op.is_single();
        let (a, broadcast) = self.operand(a, if single { Len::One } else { len.max(Len::L4) });
        let to = self.vector_target(dst, self.free(2));
        // An operation on one lane takes the others from its first register: any one. Operations on whole vectors
        // have no such register, which is encoded as 0.
        let first = match a {
            Rm::Reg(a) if single => a,
            _ if single => to,
            _ => 0,
        };
        let unit = if single { 4 } else { 0 };
        self.asm.vector(op, len, to, first, a, Extra { broadcast, unit, imm, ..PLAIN });
        self.put_vector(dst, to);
    }

    fn shift(&mut self, left: bool, len: Len, dst: V, a: V, by: u8) {
        let a = self.vector(a, self.free(0));
        let to = self.vector_target(dst, self.free(2));
        let (op, digit) = if left { (&ops::SHIFT_LEFT, ops::LEFT) } else { (&ops::SHIFT_RIGHT, ops::RIGHT) };
        self.asm.vector(op, len, digit, to, Rm::Reg(a), with_imm(by));
        self.put_vector(dst, to);
    }

    fn iota(&mut self, len: Len, dst: V, step: i32) {
        let bytes: Vec<u8> =
            (0..len.lanes() as i32).flat_map(|lane| step.wrapping_mul(lane).to_le_bytes()).collect();
        let from = self.asm.constant(&bytes);
        let to = self.vector_target(dst, self.free(2));
        self.load_vector(len, to, from);
        self.put_vector(dst, to);
    }

    fn half(&mut self, len: Len, dst: V, a: V, upper: bool) {
        let a = self.vector(a, self.free(0));
        let to = self.vector_target(dst, self.free(2));
        match (upper, len) {
            (false, _) => self.move_vector(to, a),
            (true, Len::L8) => {
                self.asm.vector(&ops::TAKE_256, Len::L16, a, 0, Rm::Reg(to), with_imm(1));
            }
            (true, _) => self.asm.vector(&ops::TAKE_128, Len::L8, a, 0, Rm::Reg(to), with_imm(1)),
        }
        self.put_vector(dst, to);
    }

    fn lane(&mut self, dst: V, a: V, lane: u8) {
        let a = self.vector(a, self.free(0));
        let to = self.vector_target(dst, self.free(2));
        if lane == 0 {
            self.move_vector(to, a);
        } else {
            self.asm.vector(&ops::SHUFFLE, Len::L4, to, a, Rm::Reg(a), with_imm(lane * 0x55));
        }
        self.put_vector(dst, to);
    }

    fn join(&mut self, len: Len, dst: V, lower: V, upper: V) {
        let lower = self.vector(lower, self.free(0));
        let upper = self.vector(upper, self.free(1));
        let to = self.vector_target(dst, self.free(2));
        let op = if len == Len::L16 { &ops::PUT_256 } else { &ops::PUT_128 };
        self.asm.vector(op, len, to, lower, Rm::Reg(upper), with_imm(1));
        self.put_vector(dst, to);
    }

    /// `a · b + c`: the three forms overwrite one of their operands, so the one is looked for whose register
    /// the result has. At most one operand may be memory.
    fn fma(&mut self, len: Len, dst: V, operands: [Src; 3]) {
        let to = self.vector_target(dst, self.free(2));
        let located = operands.map(|src| match src {
            Src::Reg(value) => match self.place(value) {
                Place::Register(register) => Some(register),
                _ => None,
            },
            Src::Const(_) => None,
        });
        let [a, b, c] = operands;
        // Overwritten, multiplied or added by form: (register overwritten, second register, operand).
        let (form, second, third) = match located {
            [Some(x), _, _] if x == to => self.form_over_factor(b, c, located[1], located[2]),
            [_, Some(x), _] if x == to => self.form_over_factor(a, c, located[0], located[2]),
            [_, _, Some(x)] if x == to => self.form_over_sum(a, b, located[0], located[1]),
            [Some(x), _, None] => {
                self.move_vector(to, x);
                self.form_over_factor(b, c, located[1], None)
            }
            [None, Some(x), None] => {
                self.move_vector(to, x);
                self.form_over_factor(a, c, None, None)
            }
            _ => {
                let x = self.source(c, to);
                self.move_vector(to, x);
                self.form_over_sum(a, b, located[0], located[1])
            }
        };
        let (third, broadcast) = self.operand(third, len);
        let unit = if len == Len::One { 4 } else { 0 };
        self.asm.vector(form.of(len), len, to, second, third, Extra { broadcast, unit, ..PLAIN });
        self.put_vector(dst, to);
    }

    /// `to = to · factor + sum`: opcode, second and third operand.
    fn form_over_factor(
        &mut self,
        factor: Src,
        sum: Src,
        factor_at: Option<u8>,
        sum_at: Option<u8>,
    ) -> (&'static Float, u8, Src) {
        match (factor_at, sum_at) {
            (None, Some(sum)) => (&ops::FMA_132, sum, factor),
            (Some(factor), _) => (&ops::FMA_213, factor, sum),
            (None, None) => (&ops::FMA_213, self.source(factor, self.first_free), sum),
        }
    }

    /// `to = a · b + to`.
    fn form_over_sum(
        &mut self,
        a: Src,
        b: Src,
        a_at: Option<u8>,
        b_at: Option<u8>,
    ) -> (&'static Float, u8, Src) {
        let (second, third) = match (a_at, b_at) {
            (Some(a), _) => (a, b),
            (None, Some(b)) => (b, a),
            (None, None) => (self.source(a, self.first_free), b),
        };
        (&ops::FMA_231, second, third)
    }

    fn blend(&mut self, len: Len, dst: V, mask: V, then: Src, otherwise: V) {
        let len = len.max(Len::L4);
        let otherwise = self.vector(otherwise, self.free(0));
        let to = self.vector_target(dst, self.free(2));
        let (then, broadcast) = self.operand(then, len);
        if self.is_avx512() {
            let mask = self.mask(mask, FREE_MASK);
            self.asm.vector(
                &ops::BLEND_BY_MASK,
                len,
                to,
                otherwise,
                then,
                Extra { broadcast, mask, ..PLAIN },
            );
        } else {
            let mask = self.vector(mask, self.free(1));
            self.asm.vector(&ops::BLEND, len, to, otherwise, then, with_imm(mask << 4));
        }
        self.put_vector(dst, to);
    }

    /// The first lane of a register or memory in all lanes.
    fn spread(&mut self, len: Len, dst: V, from: Rm) {
        let to = self.vector_target(dst, self.free(2));
        self.asm.vector(&ops::SPREAD, len, to, 0, from, SINGLE);
        self.put_vector(dst, to);
    }

    pub(super) fn spread_int(&mut self, len: Len, dst: V, from: u8) {
        let to = self.vector_target(dst, self.free(2));
        if self.is_avx512() {
            self.asm.vector(&ops::SPREAD_FROM_GENERAL, len, to, 0, Rm::Reg(from), PLAIN);
        } else {
            self.asm.vector(&ops::MOVE_FROM_GENERAL, Len::One, to, 0, Rm::Reg(from), PLAIN);
            self.asm.vector(&ops::SPREAD_INT, len, to, 0, Rm::Reg(to), PLAIN);
        }
        self.put_vector(dst, to);
    }

    fn copy(&mut self, dst: V, a: V) {
        if self.is_mask(a) {
            let a = self.mask(a, FREE_MASK);
            return self.put_mask(dst, a);
        }
        let to = self.vector_target(dst, self.free(2));
        let a = self.vector(a, to);
        self.put_vector(dst, a);
    }

    fn insert(&mut self, dst: V, from: Rm, lane: u8) {
        let to = self.vector(dst, self.free(2));
        let extra = Extra { unit: 4, ..with_imm(lane << 4) };
        self.asm.vector(&ops::INSERT, Len::L4, to, to, from, extra);
        self.put_vector(dst, to);
    }
}
