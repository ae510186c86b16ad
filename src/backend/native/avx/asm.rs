//! Instructions of x86-64 as bytes: integer code, and vectors of 128 to 512 bits in VEX or EVEX form.
//!
//! One table of operations ([`ops`]) serves both forms, since AVX-512 kept the opcodes of AVX2. Constants lie
//! behind the code and are read relative to it, so the code has no addresses and needs no relocation.
//! (Intel 64 Software Developer's Manual, volume 2.)

mod listing;
pub mod ops;

use crate::backend::CodeError;
use listing::{Arg, Listing};
use ops::Op;
use std::collections::HashMap;

/// The vectors that a processor has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vectors {
    /// 16 registers of 256 bits; AVX2 with fused multiply-add. A mask is a vector of all or no bits.
    Avx2,
    /// 32 registers of 512 bits; AVX-512 F, BW, DQ, VL. Masks have registers of their own.
    Avx512,
}

/// How many lanes of 32 bits an instruction works on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Len {
    One,
    L4,
    L8,
    L16,
}

impl Len {
    pub fn lanes(self) -> usize {
        match self {
            Len::One => 1,
            Len::L4 => 4,
            Len::L8 => 8,
            Len::L16 => 16,
        }
    }

    pub fn bytes(self) -> i32 {
        self.lanes() as i32 * 4
    }

    fn code(self) -> u8 {
        match self {
            Len::One | Len::L4 => 0,
            Len::L8 => 1,
            Len::L16 => 2,
        }
    }
}

/// `[base + index · scale + disp]` in machine registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub base: u8,
    /// Register and the logarithm of its scale.
    pub index: Option<(u8, u8)>,
    pub disp: i32,
}

/// The operand that may be a register or memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rm {
    Reg(u8),
    Memory(Place),
    Pool(usize),
}

/// What a vector instruction says beside its operands.
#[derive(Clone, Copy, Default)]
pub struct Extra {
    /// A mask register other than 0: only these lanes are written.
    pub mask: u8,
    /// The memory operand is one element, given to all lanes.
    pub broadcast: bool,
    pub imm: Option<u8>,
    /// Bytes of the memory operand, by which short displacements count; 0 for as many as the vector has.
    pub unit: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Label(usize);

/// Conditions of jumps, `setcc` and `cmovcc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cond {
    /// Comparisons of unsigned numbers.
    Below = 2,
    NotBelow = 3,
    Equal = 4,
    NotEqual = 5,
    Less = 12,
    AtLeast = 13,
    AtMost = 14,
    Greater = 15,
}

/// Integer operations of the common form, by their number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

pub struct Asm {
    pub vectors: Vectors,
    code: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// Where the four bytes of a jump stand, and where it goes.
    jumps: Vec<(usize, Label)>,
    pool: Vec<u8>,
    known: HashMap<Vec<u8>, usize>,
    /// Where the four bytes of a displacement stand, where the instruction ends, and which constant it means.
    pool_uses: Vec<(usize, usize, usize)>,
    /// The same as text, if it is wanted.
    listing: Option<Listing>,
}

impl Asm {
    pub fn new(vectors: Vectors) -> Asm {
        Asm {
            vectors,
            code: Vec::new(),
            labels: Vec::new(),
            jumps: Vec::new(),
            pool: Vec::new(),
            known: HashMap::new(),
            pool_uses: Vec::new(),
            listing: None,
        }
    }

    /// The code with its constants behind it.
    ///
    /// # Errors
    /// If a jump goes to a label that is nowhere: a mistake of the selection.
    pub fn finish(mut self) -> Result<Vec<u8>, CodeError> {
        for (at, label) in &self.jumps {
            let bound = self.labels[label.0];
            let target =
                bound.ok_or_else(|| CodeError::internal("wide code: a jump to a label that is nowhere"))?;
            let distance = target as i64 - (*at as i64 + 4);
            self.code[*at..*at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        let start = self.code.len().next_multiple_of(64);
        for (at, end, constant) in &self.pool_uses {
            let distance = (start + constant) as i64 - *end as i64;
            self.code[*at..*at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        if !self.pool.is_empty() {
            self.code.resize(start, 0xCC);
            self.code.extend(&self.pool);
        }
        Ok(self.code)
    }

    /// The place of a constant, aligned to its own size.
    pub fn constant(&mut self, bytes: &[u8]) -> Rm {
        if let Some(at) = self.known.get(bytes) {
            return Rm::Pool(*at);
        }
        let at = self.pool.len().next_multiple_of(bytes.len());
        self.pool.resize(at, 0);
        self.pool.extend(bytes);
        self.known.insert(bytes.to_vec(), at);
        Rm::Pool(at)
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    pub fn bind(&mut self, label: Label) {
        self.say_label(label);
        self.labels[label.0] = Some(self.code.len());
    }

    /// A vector instruction `reg = op(first, rm)`; `first` is 0 where there is none.
    pub fn vector(&mut self, op: &Op, len: Len, reg: u8, first: u8, rm: Rm, extra: Extra) {
        match self.vectors {
            Vectors::Avx2 => self.vex(op, len, reg, first, rm, extra.imm),
            Vectors::Avx512 => self.evex(op, len, reg, first, rm, extra),
        }
    }

    /// The older form: vectors of AVX2, masks of AVX-512, and some integer instructions.
    pub fn vex(&mut self, op: &Op, len: Len, reg: u8, first: u8, rm: Rm, imm: Option<u8>) {
        self.say_vector(op, false, len, (reg, first, rm), Extra { imm, ..Extra::default() });
        let (r, x, b) = extensions(reg, rm);
        let r_x_b = u8::from(r & 8 == 0) << 7 | u8::from(x & 8 == 0) << 6 | u8::from(b & 8 == 0) << 5;
        let length = len.code() & 1;
        self.code.push(0xC4);
        self.code.push(r_x_b | op.map);
        self.code.push(u8::from(op.wide) << 7 | (!first & 15) << 3 | length << 2 | op.pp);
        self.code.push(op.code);
        self.operand(reg, rm, 1, imm);
    }

    fn evex(&mut self, op: &Op, len: Len, reg: u8, first: u8, rm: Rm, extra: Extra) {
        self.say_vector(op, true, len, (reg, first, rm), extra);
        let (r, x, b) = extensions(reg, rm);
        let x = if let Rm::Reg(rm) = rm { rm >> 4 & 1 } else { x >> 3 & 1 };
        self.code.push(0x62);
        self.code.push(
            (r >> 3 & 1 ^ 1) << 7 | (x ^ 1) << 6 | (b >> 3 & 1 ^ 1) << 5 | (r >> 4 & 1 ^ 1) << 4 | op.map,
        );
        self.code.push(u8::from(op.wide) << 7 | (!first & 15) << 3 | 4 | op.pp);
        self.code
            .push(len.code() << 5 | u8::from(extra.broadcast) << 4 | (first >> 4 & 1 ^ 1) << 3 | extra.mask);
        self.code.push(op.code);
        let unit = match extra {
            _ if extra.broadcast => 4,
            Extra { unit: 0, .. } => len.bytes(),
            Extra { unit, .. } => unit,
        };
        self.operand(reg, rm, unit, extra.imm);
    }

    /// ModRM, SIB, displacement and immediate.
    fn operand(&mut self, reg: u8, rm: Rm, unit: i32, imm: Option<u8>) {
        let reg = (reg & 7) << 3;
        match rm {
            Rm::Reg(rm) => self.code.push(0xC0 | reg | rm & 7),
            Rm::Pool(constant) => {
                self.code.push(reg | 5);
                let at = self.code.len();
                self.code.extend([0; 4]);
                self.pool_uses.push((at, at + 4 + usize::from(imm.is_some()), constant));
            }
            Rm::Memory(Place { base, index, disp }) => {
                let short = disp % unit == 0 && i8::try_from(disp / unit).is_ok();
                let mode = match disp {
                    0 if base & 7 != 5 => 0,
                    _ if short => 1,
                    _ => 2,
                };
                match index {
                    Some((index, scale)) => {
                        self.code.extend([mode << 6 | reg | 4, scale << 6 | (index & 7) << 3 | base & 7]);
                    }
                    None if base & 7 == 4 => self.code.extend([mode << 6 | reg | 4, 0x20 | base & 7]),
                    None => self.code.push(mode << 6 | reg | base & 7),
                }
                match mode {
                    0 => {}
                    1 => self.code.push((disp / unit) as u8),
                    _ => self.code.extend(disp.to_le_bytes()),
                }
            }
        }
        self.code.extend(imm);
    }

    /// An integer instruction in legacy form: optional prefix bytes `escape` before the opcode.
    fn integer(&mut self, wide: bool, escape: &[u8], code: u8, reg: u8, rm: Rm, byte: bool) {
        let (r, x, b) = extensions(reg, rm);
        let rex = u8::from(wide) << 3 | (r >> 3 & 1) << 2 | (x >> 3 & 1) << 1 | b >> 3 & 1;
        // Byte registers beyond the fourth need the prefix to be told from the old high halves.
        if rex != 0 || byte {
            self.code.push(0x40 | rex);
        }
        self.code.extend(escape);
        self.code.push(code);
    }

    pub fn alu(&mut self, op: Alu, wide: bool, reg: u8, rm: Rm) {
        let bytes = width(wide);
        self.say(op.name(), &[Arg::General(reg, bytes), rm.arg(bytes)]);
        self.integer(wide, &[], (op as u8) << 3 | 3, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    pub fn alu_imm(&mut self, op: Alu, wide: bool, reg: u8, value: i32) {
        self.say(op.name(), &[Arg::General(reg, width(wide)), Arg::Number(value.into())]);
        let short = i8::try_from(value).is_ok();
        self.integer(wide, &[], if short { 0x83 } else { 0x81 }, 0, Rm::Reg(reg), false);
        self.code.push(0xC0 | (op as u8) << 3 | reg & 7);
        if short { self.code.push(value as u8) } else { self.code.extend(value.to_le_bytes()) }
    }

    pub fn mov(&mut self, reg: u8, rm: Rm) {
        if rm != Rm::Reg(reg) {
            self.say("mov", &[Arg::General(reg, 8), rm.arg(8)]);
            self.integer(true, &[], 0x8B, reg, rm, false);
            self.operand(reg, rm, 1, None);
        }
    }

    pub fn mov_imm(&mut self, reg: u8, value: i64) {
        if value == 0 {
            return self.alu(Alu::Xor, false, reg, Rm::Reg(reg));
        }
        let wide = u32::try_from(value).is_err();
        self.say("mov", &[Arg::General(reg, width(wide)), Arg::Number(value)]);
        if let Ok(value) = u32::try_from(value) {
            self.integer(false, &[], 0xB8 | reg & 7, 0, Rm::Reg(reg), false);
            self.code.extend(value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.integer(true, &[], 0xC7, 0, Rm::Reg(reg), false);
            self.code.push(0xC0 | reg & 7);
            self.code.extend(value.to_le_bytes());
        } else {
            self.integer(true, &[], 0xB8 | reg & 7, 0, Rm::Reg(reg), false);
            self.code.extend(value.to_le_bytes());
        }
    }

    pub fn lea(&mut self, reg: u8, place: Place) {
        let rm = Rm::Memory(place);
        self.say("lea", &[Arg::General(reg, 8), rm.arg(8)]);
        self.integer(true, &[], 0x8D, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    /// Four bytes, with zeros above.
    pub fn load_u32(&mut self, reg: u8, rm: Rm) {
        self.say("mov", &[Arg::General(reg, 4), rm.arg(4)]);
        self.integer(false, &[], 0x8B, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    /// Four bytes with their sign.
    pub fn load_i32(&mut self, reg: u8, rm: Rm) {
        self.say("movsxd", &[Arg::General(reg, 8), rm.arg(4)]);
        self.integer(true, &[], 0x63, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    /// A byte, with zeros above.
    pub fn load_u8(&mut self, reg: u8, rm: Rm) {
        self.say("movzx", &[Arg::General(reg, 4), rm.arg(1)]);
        self.integer(false, &[0x0F], 0xB6, reg, rm, true);
        self.operand(reg, rm, 1, None);
    }

    /// `bytes` is 1, 4 or 8.
    pub fn store(&mut self, bytes: i64, reg: u8, place: Place) {
        let rm = Rm::Memory(place);
        self.say("mov", &[Arg::Memory(place), Arg::General(reg, bytes as u8)]);
        self.integer(bytes == 8, &[], if bytes == 1 { 0x88 } else { 0x89 }, reg, rm, bytes == 1);
        self.operand(reg, rm, 1, None);
    }

    pub fn imul(&mut self, wide: bool, reg: u8, rm: Rm) {
        self.say("imul", &[Arg::General(reg, width(wide)), rm.arg(width(wide))]);
        self.integer(wide, &[0x0F], 0xAF, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    pub fn imul_imm(&mut self, reg: u8, rm: Rm, value: i32) {
        self.say("imul", &[Arg::General(reg, 8), rm.arg(8), Arg::Number(value.into())]);
        self.integer(true, &[], 0x69, reg, rm, false);
        // The displacement of a constant would count from the end of the immediate; there is none here.
        self.operand(reg, rm, 1, None);
        self.code.extend(value.to_le_bytes());
    }

    pub fn neg(&mut self, wide: bool, reg: u8) {
        self.say("neg", &[Arg::General(reg, width(wide))]);
        self.integer(wide, &[], 0xF7, 0, Rm::Reg(reg), false);
        self.code.push(0xC0 | 3 << 3 | reg & 7);
    }

    pub fn shift_imm(&mut self, left: bool, wide: bool, reg: u8, by: u8) {
        let name = if left { "shl" } else { "shr" };
        self.say(name, &[Arg::General(reg, width(wide)), Arg::Number(by.into())]);
        self.integer(wide, &[], 0xC1, 0, Rm::Reg(reg), false);
        self.code.extend([0xC0 | if left { 4 } else { 5 } << 3 | reg & 7, by]);
    }

    /// The number of bits stands in a register (BMI2).
    pub fn shift_by(&mut self, left: bool, wide: bool, reg: u8, a: u8, by: u8) {
        let op = if left { &ops::SHIFT_LEFT_BY } else { &ops::SHIFT_RIGHT_BY };
        self.vex(&op.with_width(wide), Len::One, reg, by, Rm::Reg(a), None);
    }

    pub fn set(&mut self, cond: Cond, reg: u8) {
        self.say_if("set", cond, &[Arg::General(reg, 1)]);
        self.integer(false, &[0x0F], 0x90 | cond as u8, 0, Rm::Reg(reg), true);
        self.code.push(0xC0 | reg & 7);
        self.load_u8(reg, Rm::Reg(reg));
    }

    pub fn cmov(&mut self, cond: Cond, reg: u8, rm: Rm) {
        self.say_if("cmov", cond, &[Arg::General(reg, 8), rm.arg(8)]);
        self.integer(true, &[0x0F], 0x40 | cond as u8, reg, rm, false);
        self.operand(reg, rm, 1, None);
    }

    pub fn test(&mut self, reg: u8) {
        self.say("test", &[Arg::General(reg, 4), Arg::General(reg, 4)]);
        self.integer(false, &[], 0x85, reg, Rm::Reg(reg), false);
        self.operand(reg, Rm::Reg(reg), 1, None);
    }

    pub fn jump(&mut self, cond: Cond, label: Label) {
        self.say_if("j", cond, &[Arg::Label(label)]);
        self.code.extend([0x0F, 0x80 | cond as u8]);
        self.jumps.push((self.code.len(), label));
        self.code.extend([0; 4]);
    }

    pub fn push(&mut self, reg: u8) {
        self.say("push", &[Arg::General(reg, 8)]);
        self.integer(false, &[], 0x50 | reg & 7, 0, Rm::Reg(reg), false);
    }

    pub fn pop(&mut self, reg: u8) {
        self.say("pop", &[Arg::General(reg, 8)]);
        self.integer(false, &[], 0x58 | reg & 7, 0, Rm::Reg(reg), false);
    }

    /// Leaves the wide registers clean, as callers expect, and returns.
    pub fn leave(&mut self) {
        self.say("vzeroupper", &[]);
        self.say("ret", &[]);
        self.code.extend([0xC5, 0xF8, 0x77, 0xC3]);
    }
}

/// Bytes of an integer.
fn width(wide: bool) -> u8 {
    if wide { 8 } else { 4 }
}

/// The upper bits of the register, the index and the base (or the register in its place).
fn extensions(reg: u8, rm: Rm) -> (u8, u8, u8) {
    match rm {
        Rm::Reg(rm) => (reg, 0, rm),
        Rm::Pool(_) => (reg, 0, 0),
        Rm::Memory(place) => (reg, place.index.map_or(0, |(index, _)| index), place.base),
    }
}
