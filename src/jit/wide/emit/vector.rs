//! Vectors and masks.

use super::{Emit, RAX};
use crate::jit::wide::allocate::Place;
use crate::jit::wide::asm::{Alu, Extra, Len, Op, Rm, Vectors, op, op_wide};
use crate::jit::wide::lir::{Inst, MaskOp, Src, Test, V};

const PLAIN: Extra = Extra { mask: 0, zeroing: false, broadcast: false, imm: None, unit: 0 };
/// A memory operand of one lane.
const SINGLE: Extra = Extra { unit: 4, ..PLAIN };
/// Mask register that is not given away.
const FREE_MASK: u8 = 7;

fn with_imm(imm: u8) -> Extra {
    Extra { imm: Some(imm), ..PLAIN }
}

/// Whether an operation reads a single element, in its scalar form.
fn is_scalar(op: Op, len: Len) -> bool {
    len == Len::One && (op.pp == 2 || op.map == 3 && op.code == 0x0A)
}

impl Emit<'_> {
    fn is_avx512(&self) -> bool {
        self.asm.vectors == Vectors::Avx512
    }

    /// The register into which a vector is to be computed.
    fn vector_target(&self, own: V, through: u8) -> u8 {
        if let Place::Register(register) = self.place(own) { register } else { through }
    }

    pub(super) fn vector_inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Binary { op, len, dst, a, b } => {
                let scalar = is_scalar(*op, *len);
                let a = self.vector(*a, self.free(0));
                let (b, broadcast) = self.operand(*b, if scalar { Len::One } else { (*len).max(Len::L4) });
                let to = self.vector_target(*dst, self.free(2));
                let unit = if scalar { 4 } else { 0 };
                self.asm.vector(*op, *len, to, a, b, Extra { broadcast, unit, ..PLAIN });
                self.put_vector(*dst, to);
            }
            Inst::Unary { op, len, dst, a, imm } => {
                let scalar = is_scalar(*op, *len);
                let (a, broadcast) = self.operand(*a, if scalar { Len::One } else { (*len).max(Len::L4) });
                let to = self.vector_target(*dst, self.free(2));
                // What the upper lanes come from: anything.
                let first = match a {
                    Rm::Reg(a) if scalar => a,
                    _ if scalar => to,
                    _ => 0,
                };
                let unit = if scalar { 4 } else { 0 };
                self.asm.vector(*op, *len, to, first, a, Extra { broadcast, unit, imm: *imm, ..PLAIN });
                self.put_vector(*dst, to);
            }
            Inst::Fma { len, dst, a, b, c } => self.fma(*len, *dst, [*a, *b, *c]),
            Inst::Shift { left, len, dst, a, by } => {
                let a = self.vector(*a, self.free(0));
                let to = self.vector_target(*dst, self.free(2));
                let digit = if *left { 6 } else { 2 };
                self.asm.vector(op(1, 1, 0x72), *len, digit, to, Rm::Reg(a), with_imm(*by));
                self.put_vector(*dst, to);
            }
            Inst::Compare { test, float, len, dst, a, b } => {
                self.compare_lanes(*test, *float, *len, *dst, *a, *b)
            }
            Inst::Blend { len, dst, mask, then, otherwise } => {
                self.blend(*len, *dst, *mask, *then, *otherwise);
            }
            Inst::Masks { op, len, dst, a, b } => self.masks(*op, *len, *dst, *a, *b),
            Inst::SplatMask { len, dst, a } => {
                let a = self.general(*a, RAX);
                self.asm.mov(RAX, Rm::Reg(a));
                self.asm.neg(false, RAX);
                self.spread_bits(*len, *dst, RAX);
            }
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
            Inst::Iota { len, dst, step } => {
                let bytes: Vec<u8> =
                    (0..len.lanes() as i32).flat_map(|lane| step.wrapping_mul(lane).to_le_bytes()).collect();
                let from = self.asm.constant(&bytes);
                let to = self.vector_target(*dst, self.free(2));
                self.load_vector(*len, to, from);
                self.put_vector(*dst, to);
            }
            Inst::Copy { dst, a } => self.copy(*dst, *a),
            Inst::Half { len, dst, a, upper } => {
                let a = self.vector(*a, self.free(0));
                let to = self.vector_target(*dst, self.free(2));
                match (*upper, *len) {
                    (false, _) => self.move_vector(to, a),
                    (true, Len::L8) => {
                        self.asm.vector(op_wide(3, 1, 0x1B), Len::L16, a, 0, Rm::Reg(to), with_imm(1));
                    }
                    (true, _) => self.asm.vector(op(3, 1, 0x19), Len::L8, a, 0, Rm::Reg(to), with_imm(1)),
                }
                self.put_vector(*dst, to);
            }
            Inst::Lane { dst, a, lane } => {
                let a = self.vector(*a, self.free(0));
                let to = self.vector_target(*dst, self.free(2));
                if *lane == 0 {
                    self.move_vector(to, a);
                } else {
                    self.asm.vector(op(1, 0, 0xC6), Len::L4, to, a, Rm::Reg(a), with_imm(lane * 0x55));
                }
                self.put_vector(*dst, to);
            }
            Inst::Insert { dst, a, lane } => {
                let a = Rm::Reg(self.vector(*a, self.free(0)));
                self.insert(*dst, a, *lane);
            }
            Inst::InsertLoad { dst, from, lane } => {
                let from = Rm::Memory(self.address(from));
                self.insert(*dst, from, *lane);
            }
            Inst::Join { len, dst, lower, upper } => {
                let lower = self.vector(*lower, self.free(0));
                let upper = self.vector(*upper, self.free(1));
                let to = self.vector_target(*dst, self.free(2));
                let code = if *len == Len::L16 { op_wide(3, 1, 0x1A) } else { op(3, 1, 0x18) };
                self.asm.vector(code, *len, to, lower, Rm::Reg(upper), with_imm(1));
                self.put_vector(*dst, to);
            }
            Inst::ToInt { dst, a } => {
                let a = self.vector(*a, self.free(0));
                let to = self.target(*dst, RAX);
                self.asm.vector(op(1, 1, 0x7E), Len::One, a, 0, Rm::Reg(to), PLAIN);
                self.put_general(*dst, to);
            }
            Inst::FromInt { dst, a } => {
                let a = self.general(*a, RAX);
                let to = self.vector_target(*dst, self.free(2));
                self.asm.vector(op(1, 1, 0x6E), Len::One, to, 0, Rm::Reg(a), PLAIN);
                self.put_vector(*dst, to);
            }
            Inst::Convert { dst, a } => {
                let a = self.general(*a, RAX);
                let (to, upper) = (self.vector_target(*dst, self.free(2)), self.free(1));
                self.fill(upper, 0);
                self.asm.vector(op(1, 2, 0x2A), Len::One, to, upper, Rm::Reg(a), PLAIN);
                self.put_vector(*dst, to);
            }
            _ => unreachable!("the general registers' instructions are done"),
        }
    }

    /// `a · b + c`: the three forms overwrite one of their operands, so the one is looked for whose register
    /// the result has. At most one operand may be memory.
    fn fma(&mut self, len: Len, dst: V, operands: [Src; 3]) {
        let to = self.vector_target(dst, self.free(2));
        let located = operands.map(|src| match src {
            Src::Reg(own) => match self.place(own) {
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
        let code = op(2, 1, form + u8::from(len == Len::One));
        let unit = if len == Len::One { 4 } else { 0 };
        self.asm.vector(code, len, to, second, third, Extra { broadcast, unit, ..PLAIN });
        self.put_vector(dst, to);
    }

    /// `to = to · factor + sum`: opcode, second and third operand.
    fn form_over_factor(
        &mut self,
        factor: Src,
        sum: Src,
        factor_at: Option<u8>,
        sum_at: Option<u8>,
    ) -> (u8, u8, Src) {
        match (factor_at, sum_at) {
            (None, Some(sum)) => (0x98, sum, factor),
            (Some(factor), _) => (0xA8, factor, sum),
            (None, None) => (0xA8, self.source(factor, self.first_free), sum),
        }
    }

    /// `to = a · b + to`.
    fn form_over_sum(&mut self, a: Src, b: Src, a_at: Option<u8>, b_at: Option<u8>) -> (u8, u8, Src) {
        match (a_at, b_at) {
            (Some(a), _) => (0xB8, a, b),
            (None, Some(b)) => (0xB8, b, a),
            (None, None) => (0xB8, self.source(a, self.first_free), b),
        }
    }

    fn compare_lanes(&mut self, test: Test, float: bool, len: Len, dst: V, a: V, b: Src) {
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
            let code = if float { op(1, 0, 0xC2) } else { op(3, 1, 0x1F) };
            self.asm.vector(code, len, to, a, rm, Extra { broadcast, imm: Some(imm), ..PLAIN });
            return self.put_mask(dst, to);
        }
        let to = self.vector_target(dst, self.free(2));
        match test {
            _ if float => self.asm.vector(op(1, 0, 0xC2), len, to, a, rm, with_imm(imm)),
            Test::Less => {
                let b = self.source(b, self.free(1));
                self.asm.vector(op(1, 1, 0x66), len, to, b, Rm::Reg(a), PLAIN);
            }
            Test::Equal | Test::Ordered => self.asm.vector(op(1, 1, 0x76), len, to, a, rm, PLAIN),
            Test::AtMost => {
                self.asm.vector(op(1, 1, 0x66), len, to, a, rm, PLAIN);
                self.flip(len, to);
            }
        }
        self.put_vector(dst, to);
    }

    /// All bits of a vector the other way.
    fn flip(&mut self, len: Len, register: u8) {
        let ones = self.free(1);
        self.asm.vector(op(1, 1, 0x76), len, ones, ones, Rm::Reg(ones), PLAIN);
        self.asm.vector(op(1, 1, 0xEF), len, register, register, Rm::Reg(ones), PLAIN);
    }

    fn blend(&mut self, len: Len, dst: V, mask: V, then: Src, otherwise: V) {
        let len = len.max(Len::L4);
        let otherwise = self.vector(otherwise, self.free(0));
        let to = self.vector_target(dst, self.free(2));
        let (then, broadcast) = self.operand(then, len);
        if self.is_avx512() {
            let mask = self.mask(mask, FREE_MASK);
            self.asm.vector(op(2, 1, 0x65), len, to, otherwise, then, Extra { broadcast, mask, ..PLAIN });
        } else {
            let mask = self.vector(mask, self.free(1));
            self.asm.vector(op(3, 1, 0x4A), len, to, otherwise, then, with_imm(mask << 4));
        }
        self.put_vector(dst, to);
    }

    /// The register of a mask, or `through` with its value.
    fn mask(&mut self, own: V, through: u8) -> u8 {
        match self.place(own) {
            Place::Register(register) => register,
            Place::Slot(slot) => {
                self.asm.vex(op(1, 0, 0x90), Len::One, through, 0, Self::slot(slot), None);
                through
            }
            Place::Constant(_) | Place::Nowhere => through,
        }
    }

    fn mask_target(&self, own: V) -> u8 {
        if let Place::Register(register) = self.place(own) { register } else { FREE_MASK }
    }

    fn put_mask(&mut self, own: V, register: u8) {
        match self.place(own) {
            Place::Register(place) if place != register => {
                self.asm.vex(op(1, 0, 0x90), Len::One, place, 0, Rm::Reg(register), None);
            }
            Place::Slot(slot) => {
                self.asm.vex(op(1, 0, 0x91), Len::One, register, 0, Self::slot(slot), None);
            }
            Place::Register(_) | Place::Constant(_) | Place::Nowhere => {}
        }
    }

    fn masks(&mut self, how: MaskOp, len: Len, dst: V, a: V, b: V) {
        if !self.is_avx512() {
            let len = len.max(Len::L4);
            let (a, b) = (self.vector(a, self.free(0)), self.vector(b, self.free(1)));
            let to = self.vector_target(dst, self.free(2));
            let code = match how {
                MaskOp::And => 0xDB,
                MaskOp::AndNot => 0xDF,
                MaskOp::Or => 0xEB,
                MaskOp::Xor | MaskOp::Same => 0xEF,
            };
            self.asm.vector(op(1, 1, code), len, to, a, Rm::Reg(b), PLAIN);
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
                self.asm.vex(op(1, 0, 0x92), Len::One, 0, 0, Rm::Reg(RAX), None);
                0
            }
            _ => self.mask(b, FREE_MASK),
        };
        let to = self.mask_target(dst);
        let code = match how {
            MaskOp::And => 0x41,
            MaskOp::AndNot => 0x42,
            MaskOp::Or => 0x45,
            MaskOp::Same => 0x46,
            MaskOp::Xor => 0x47,
        };
        // The bit of the vector length says that there are three operands.
        self.asm.vex(op(1, 0, code), Len::L8, to, a, Rm::Reg(b), None);
        self.put_mask(dst, to);
    }

    /// All or no bits of a general register as a mask.
    fn spread_bits(&mut self, len: Len, dst: V, bits: u8) {
        if self.is_avx512() {
            let to = self.mask_target(dst);
            self.asm.vex(op(1, 0, 0x92), Len::One, to, 0, Rm::Reg(bits), None);
            self.put_mask(dst, to);
        } else {
            self.spread_int(len.max(Len::L4), dst, bits);
        }
    }

    fn extract_mask(&mut self, dst: V, a: V, lane: u8) {
        if self.is_avx512() {
            let a = self.mask(a, FREE_MASK);
            self.asm.vex(op(1, 0, 0x93), Len::One, RAX, 0, Rm::Reg(a), None);
            if lane > 0 {
                self.asm.shift_imm(false, false, RAX, lane);
            }
        } else {
            let mut a = self.vector(a, self.free(0));
            if lane >= 4 {
                let upper = self.free(1);
                self.asm.vector(op(3, 1, 0x19), Len::L8, a, 0, Rm::Reg(upper), with_imm(1));
                a = upper;
            }
            self.asm.vector(op(3, 1, 0x16), Len::One, a, 0, Rm::Reg(RAX), with_imm(lane & 3));
        }
        self.asm.alu_imm(Alu::And, false, RAX, 1);
        self.put_general(dst, RAX);
    }

    /// Loads or stores as many bytes as there are lanes.
    fn bytes(&mut self, len: Len, load: bool, register: u8, memory: Rm) {
        let direction = u8::from(!load);
        let (code, unit) = match len {
            Len::L16 => (op(1, 0, 0x10 + direction), 16),
            Len::L8 => (op_wide(1, 3, 0x10 + direction), 8),
            Len::One | Len::L4 => (op(1, 2, 0x10 + direction), 4),
        };
        self.asm.vector(code, Len::L4, register, 0, memory, Extra { unit, ..PLAIN });
    }

    fn load_mask(&mut self, len: Len, dst: V, from: Rm) {
        let bytes = self.free(0);
        self.bytes(len, true, bytes, from);
        if self.is_avx512() {
            let to = self.mask_target(dst);
            self.asm.vector(op(2, 1, 0x26), Len::L4, to, bytes, Rm::Reg(bytes), PLAIN);
            return self.put_mask(dst, to);
        }
        let (to, zero) = (self.vector_target(dst, self.free(2)), self.free(1));
        self.asm.vector(op(2, 1, 0x31), len, bytes, 0, Rm::Reg(bytes), PLAIN);
        self.fill(zero, 0);
        self.asm.vector(op(1, 1, 0x66), len, to, bytes, Rm::Reg(zero), PLAIN);
        self.put_vector(dst, to);
    }

    fn store_mask(&mut self, len: Len, from: V, to: Rm) {
        let bytes = self.free(0);
        if self.is_avx512() {
            let from = self.mask(from, FREE_MASK);
            self.asm.vector(op(2, 2, 0x28), Len::L4, bytes, 0, Rm::Reg(from), PLAIN);
        } else {
            let lanes = self.vector(from, self.free(1));
            let upper = self.free(2);
            if len == Len::L8 {
                self.asm.vector(op(3, 1, 0x19), Len::L8, lanes, 0, Rm::Reg(upper), with_imm(1));
            } else {
                self.fill(upper, 0);
            }
            self.asm.vector(op(1, 1, 0x6B), Len::L4, bytes, lanes, Rm::Reg(upper), PLAIN);
            self.asm.vector(op(1, 1, 0x63), Len::L4, bytes, bytes, Rm::Reg(bytes), PLAIN);
        }
        // From -1 to 1.
        self.asm.vector(op(2, 1, 0x1C), Len::L4, bytes, 0, Rm::Reg(bytes), PLAIN);
        self.bytes(len, false, bytes, to);
    }

    /// The first lane of a register or memory in all lanes.
    fn spread(&mut self, len: Len, dst: V, from: Rm) {
        let to = self.vector_target(dst, self.free(2));
        self.asm.vector(op(2, 1, 0x18), len, to, 0, from, SINGLE);
        self.put_vector(dst, to);
    }

    fn spread_int(&mut self, len: Len, dst: V, from: u8) {
        let to = self.vector_target(dst, self.free(2));
        if self.is_avx512() {
            self.asm.vector(op(2, 1, 0x7C), len, to, 0, Rm::Reg(from), PLAIN);
        } else {
            self.asm.vector(op(1, 1, 0x6E), Len::One, to, 0, Rm::Reg(from), PLAIN);
            self.asm.vector(op(2, 1, 0x58), len, to, 0, Rm::Reg(to), PLAIN);
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
        self.asm.vector(op(3, 1, 0x21), Len::L4, to, to, from, extra);
        self.put_vector(dst, to);
    }
}
