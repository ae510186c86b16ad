//! The instructions of vectors and masks that kernels are made of: how they are encoded, what they are called, and
//! the order of their operands. AVX-512 kept the opcodes of AVX2, but gave some of them other names.

use super::Len;
use Bank::{General, Half, Mask, Single, Vector};
use Operand::{First, Fourth, Reg, Rm};

/// An instruction.
#[derive(PartialEq, Eq, Debug)]
pub struct Op {
    /// In VEX form and in EVEX form.
    pub names: [&'static str; 2],
    pub operands: &'static [Operand],
    /// Opcode map, mandatory prefix (0, 1 = 66, 2 = F3, 3 = F2), opcode, the W bit.
    pub map: u8,
    pub pp: u8,
    pub code: u8,
    pub wide: bool,
}

/// An operand by the field that encodes it, and the registers that it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    Reg(Bank),
    First(Bank),
    Rm(Bank),
    /// A vector whose number stands in the upper half of the immediate.
    Fourth,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bank {
    /// As long as the instruction says.
    Vector,
    /// Half as long.
    Half,
    /// 128 bits, of which often one lane counts.
    Single,
    Mask,
    /// Of 64 bits if the W bit says so.
    General,
}

/// Arithmetic of floats, of vectors and of one lane.
pub struct Float {
    lanes: Op,
    single: Op,
}

impl Float {
    pub fn of(&self, len: Len) -> &Op {
        if len == Len::One { &self.single } else { &self.lanes }
    }
}

impl Op {
    /// Whether it works on one lane and leaves the others as they are in its first operand.
    pub fn is_single(&self) -> bool {
        matches!(self.operands, [Reg(Single), First(Single), Rm(Single)])
    }

    const fn evex(self, name: &'static str) -> Op {
        Op { names: [self.names[0], name], ..self }
    }

    const fn wide(self) -> Op {
        Op { wide: true, ..self }
    }

    /// Shifts by a register take 32 or 64 bits.
    pub fn with_width(&self, wide: bool) -> Op {
        Op { wide, ..*self }
    }
}

const fn op(name: &'static str, operands: &'static [Operand], map: u8, pp: u8, code: u8) -> Op {
    Op { names: [name, name], operands, map, pp, code, wide: false }
}

const fn float(lanes: &'static str, single: &'static str, code: u8) -> Float {
    Float { lanes: op(lanes, THREE, 1, 0, code), single: op(single, SINGLES, 1, 2, code) }
}

const fn fma(lanes: &'static str, single: &'static str, code: u8) -> Float {
    Float { lanes: op(lanes, THREE, 2, 1, code), single: op(single, SINGLES, 2, 1, code + 1) }
}

const TWO: &[Operand] = &[Reg(Vector), Rm(Vector)];
const THREE: &[Operand] = &[Reg(Vector), First(Vector), Rm(Vector)];
const SINGLES: &[Operand] = &[Reg(Single), First(Single), Rm(Single)];
const SHIFT: &[Operand] = &[First(Vector), Rm(Vector)];
const STORE_VECTOR: &[Operand] = &[Rm(Vector), Reg(Vector)];
const SPREAD_SINGLE: &[Operand] = &[Reg(Vector), Rm(Single)];
const SPREAD_GENERAL: &[Operand] = &[Reg(Vector), Rm(General)];
const CONVERT: &[Operand] = &[Reg(Single), First(Single), Rm(General)];
const TO_MASK: &[Operand] = &[Reg(Mask), First(Vector), Rm(Vector)];
const TAKE_HALF: &[Operand] = &[Rm(Half), Reg(Vector)];
const PUT_HALF: &[Operand] = &[Reg(Vector), First(Vector), Rm(Half)];
const MASKS: &[Operand] = &[Reg(Mask), First(Mask), Rm(Mask)];

pub static ADD: Float = float("vaddps", "vaddss", 0x58);
pub static MUL: Float = float("vmulps", "vmulss", 0x59);
pub static SUB: Float = float("vsubps", "vsubss", 0x5C);
pub static MIN: Float = float("vminps", "vminss", 0x5D);
pub static DIV: Float = float("vdivps", "vdivss", 0x5E);
pub static MAX: Float = float("vmaxps", "vmaxss", 0x5F);
pub static SQRT: Float = Float { lanes: op("vsqrtps", TWO, 1, 0, 0x51), ..float("", "vsqrtss", 0x51) };
pub static ROUND: Float = Float {
    lanes: op("vroundps", TWO, 3, 1, 0x08).evex("vrndscaleps"),
    single: op("vroundss", SINGLES, 3, 1, 0x0A).evex("vrndscaless"),
};
/// Overwritten is a factor; the sum comes first, then the other factor.
pub static FMA_132: Float = fma("vfmadd132ps", "vfmadd132ss", 0x98);
/// Overwritten is a factor; the other factor comes first, then the sum.
pub static FMA_213: Float = fma("vfmadd213ps", "vfmadd213ss", 0xA8);
/// Overwritten is the sum.
pub static FMA_231: Float = fma("vfmadd231ps", "vfmadd231ss", 0xB8);
pub static DIV_DOUBLE: Op = op("vdivsd", SINGLES, 1, 3, 0x5E).wide();
pub static ROUND_DOUBLE: Op = op("vroundsd", SINGLES, 3, 1, 0x0B).evex("vrndscalesd").wide();
/// `dst = dst − a · b`
pub static MINUS_PRODUCT_DOUBLE: Op = op("vfnmadd231sd", SINGLES, 2, 1, 0xBD).wide();

pub static AND: Op = op("vpand", THREE, 1, 1, 0xDB).evex("vpandd");
pub static AND_NOT: Op = op("vpandn", THREE, 1, 1, 0xDF).evex("vpandnd");
pub static OR: Op = op("vpor", THREE, 1, 1, 0xEB).evex("vpord");
pub static XOR: Op = op("vpxor", THREE, 1, 1, 0xEF).evex("vpxord");
pub static ADD_INT: Op = op("vpaddd", THREE, 1, 1, 0xFE);
pub static SUB_INT: Op = op("vpsubd", THREE, 1, 1, 0xFA);
pub static MUL_INT: Op = op("vpmulld", THREE, 2, 1, 0x40);
pub static MIN_INT: Op = op("vpminsd", THREE, 2, 1, 0x39);
pub static MAX_INT: Op = op("vpmaxsd", THREE, 2, 1, 0x3D);
pub static ABS_INT: Op = op("vpabsd", TWO, 2, 1, 0x1E);
/// Shifts to the left and to the right, told apart by the register field: [`LEFT`] or [`RIGHT`].
pub static SHIFT_LEFT: Op = op("vpslld", SHIFT, 1, 1, 0x72);
pub static SHIFT_RIGHT: Op = op("vpsrld", SHIFT, 1, 1, 0x72);
pub const LEFT: u8 = 6;
pub const RIGHT: u8 = 2;

pub static INT_TO_FLOAT: Op = op("vcvtdq2ps", TWO, 1, 0, 0x5B);
pub static FLOAT_TO_INT: Op = op("vcvttps2dq", TWO, 1, 2, 0x5B);
pub static GENERAL_TO_FLOAT: Op = op("vcvtsi2ss", CONVERT, 1, 2, 0x2A);
pub static GENERAL_TO_DOUBLE: Op = op("vcvtsi2sd", CONVERT, 1, 3, 0x2A);
pub static DOUBLE_TO_GENERAL: Op = op("vcvttsd2si", &[Reg(General), Rm(Single)], 1, 3, 0x2C).wide();

/// Two forms of a comparison: all or no bits of each lane, or one bit of a mask.
pub static COMPARE: Op = op("vcmpps", THREE, 1, 0, 0xC2);
pub static COMPARE_TO_MASK: Op = op("vcmpps", TO_MASK, 1, 0, 0xC2);
pub static COMPARE_INT_TO_MASK: Op = op("vpcmpd", TO_MASK, 3, 1, 0x1F);
pub static EQUAL_INT: Op = op("vpcmpeqd", THREE, 1, 1, 0x76);
pub static GREATER_INT: Op = op("vpcmpgtd", THREE, 1, 1, 0x66);
pub static BLEND: Op = op("vblendvps", &[Reg(Vector), First(Vector), Rm(Vector), Fourth], 3, 1, 0x4A);
pub static BLEND_BY_MASK: Op = op("vblendmps", THREE, 2, 1, 0x65);

pub static LOAD: Float =
    Float { lanes: op("vmovups", TWO, 1, 0, 0x10), single: op("vmovss", TWO, 1, 2, 0x10) };
pub static STORE: Float =
    Float { lanes: op("vmovups", STORE_VECTOR, 1, 0, 0x11), single: op("vmovss", STORE_VECTOR, 1, 2, 0x11) };
pub static LOAD_DOUBLE: Op = op("vmovsd", TWO, 1, 3, 0x10).wide();
pub static STORE_DOUBLE: Op = op("vmovsd", STORE_VECTOR, 1, 3, 0x11).wide();
pub static MOVE: Op = op("vmovaps", TWO, 1, 0, 0x28);
pub static MOVE_FROM_GENERAL: Op = op("vmovd", SPREAD_GENERAL, 1, 1, 0x6E);
pub static MOVE_TO_GENERAL: Op = op("vmovd", &[Rm(General), Reg(Vector)], 1, 1, 0x7E);

pub static SPREAD: Op = op("vbroadcastss", SPREAD_SINGLE, 2, 1, 0x18);
pub static SPREAD_INT: Op = op("vpbroadcastd", SPREAD_SINGLE, 2, 1, 0x58);
pub static SPREAD_FROM_GENERAL: Op = op("vpbroadcastd", SPREAD_GENERAL, 2, 1, 0x7C);
pub static SHUFFLE: Op = op("vshufps", THREE, 1, 0, 0xC6);
pub static INSERT: Op = op("vinsertps", THREE, 3, 1, 0x21);
pub static EXTRACT: Op = op("vpextrd", &[Rm(General), Reg(Vector)], 3, 1, 0x16);
/// Of vectors of 256 bits, then of 512.
pub static TAKE_128: Op = op("vextractf128", TAKE_HALF, 3, 1, 0x19).evex("vextractf32x4");
pub static TAKE_256: Op = op("vextractf64x4", TAKE_HALF, 3, 1, 0x1B).wide();
pub static PUT_128: Op = op("vinsertf128", PUT_HALF, 3, 1, 0x18).evex("vinsertf32x4");
pub static PUT_256: Op = op("vinsertf64x4", PUT_HALF, 3, 1, 0x1A).wide();

/// Bytes, in which bools are stored.
pub static BYTES_TO_INTS: Op = op("vpmovzxbd", SPREAD_SINGLE, 2, 1, 0x31);
pub static INTS_TO_SHORTS: Op = op("vpackssdw", THREE, 1, 1, 0x6B);
pub static SHORTS_TO_BYTES: Op = op("vpacksswb", THREE, 1, 1, 0x63);
pub static ABS_BYTES: Op = op("vpabsb", TWO, 2, 1, 0x1C);
pub static BYTES_TO_MASK: Op = op("vptestmb", TO_MASK, 2, 1, 0x26);
pub static MASK_TO_BYTES: Op = op("vpmovm2b", &[Reg(Vector), Rm(Mask)], 2, 2, 0x28);

pub static MOVE_MASK: Op = op("kmovw", &[Reg(Mask), Rm(Mask)], 1, 0, 0x90);
pub static STORE_MASK: Op = op("kmovw", &[Rm(Mask), Reg(Mask)], 1, 0, 0x91);
pub static MASK_FROM_GENERAL: Op = op("kmovw", &[Reg(Mask), Rm(General)], 1, 0, 0x92);
pub static MASK_TO_GENERAL: Op = op("kmovw", &[Reg(General), Rm(Mask)], 1, 0, 0x93);
pub static MASK_AND: Op = op("kandw", MASKS, 1, 0, 0x41);
pub static MASK_AND_NOT: Op = op("kandnw", MASKS, 1, 0, 0x42);
pub static MASK_OR: Op = op("korw", MASKS, 1, 0, 0x45);
pub static MASK_SAME: Op = op("kxnorw", MASKS, 1, 0, 0x46);
pub static MASK_XOR: Op = op("kxorw", MASKS, 1, 0, 0x47);

/// Integers shifted by a register (BMI2).
pub static SHIFT_LEFT_BY: Op = op("shlx", &[Reg(General), Rm(General), First(General)], 2, 1, 0xF7);
pub static SHIFT_RIGHT_BY: Op = op("shrx", &[Reg(General), Rm(General), First(General)], 2, 3, 0xF7);
