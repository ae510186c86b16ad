//! The instructions of a wide kernel over any number of registers: what [`select`](super::select) writes and
//! [`allocate`](super::allocate) gives registers to.
//!
//! Unlike loop IR it is not in SSA form: a value that goes round a loop is one register that is written before
//! the loop and at the end of each round.

mod roles;

pub use roles::Role;

use super::asm::{Alu, Cond, Label, Len, ops::Op};

/// A virtual register: the allocation chooses a machine register or a stack slot for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct V(pub u32);

/// The class of a virtual register: which kind of machine register holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Ints, addresses, single bools.
    General,
    /// Floats, and vectors of floats or ints.
    Vector,
    /// Vectors of bools, where they are no vectors of all or no bits.
    Mask,
}

/// `[base + index · scale + disp]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mem {
    pub base: V,
    /// With the logarithm of its scale.
    pub index: Option<(V, u8)>,
    pub disp: i32,
}

/// An operand that may be a constant: these four bytes in every lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Src {
    Reg(V),
    Const(u32),
}

/// An integer operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Int {
    Reg(V),
    Number(i32),
}

/// How two vectors are compared; of floats, false where one is NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    Less,
    AtMost,
    Equal,
    /// Floats: neither is NaN.
    Ordered,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaskOp {
    And,
    /// Bits that are not set in the first operand, but in the second.
    AndNot,
    Or,
    Xor,
    /// Equal bits.
    Same,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Inst {
    /// `dst = op(a, b)` in each lane.
    Binary {
        op: &'static Op,
        len: Len,
        dst: V,
        a: V,
        b: Src,
    },
    /// `dst = op(a)`; `imm` for those that have one. Of a scalar the upper lanes are anything.
    Unary {
        op: &'static Op,
        len: Len,
        dst: V,
        a: Src,
        imm: Option<u8>,
    },
    /// `a * b + c`.
    Fma {
        len: Len,
        dst: V,
        a: Src,
        b: Src,
        c: Src,
    },
    Shift {
        left: bool,
        len: Len,
        dst: V,
        a: V,
        by: u8,
    },
    Compare {
        test: Test,
        float: bool,
        len: Len,
        dst: V,
        a: V,
        b: Src,
    },
    /// `mask ? then : otherwise`.
    Blend {
        len: Len,
        dst: V,
        mask: V,
        then: Src,
        otherwise: V,
    },
    Masks {
        op: MaskOp,
        len: Len,
        dst: V,
        a: V,
        b: V,
    },
    /// Of 0 or 1, the same in all lanes.
    SplatMask {
        len: Len,
        dst: V,
        a: V,
    },
    /// One lane of a mask as 0 or 1.
    ExtractMask {
        dst: V,
        a: V,
        lane: u8,
    },
    Load {
        len: Len,
        dst: V,
        from: Mem,
    },
    Store {
        len: Len,
        from: V,
        to: Mem,
    },
    /// Bytes of 0 or 1.
    LoadMask {
        len: Len,
        dst: V,
        from: Mem,
    },
    StoreMask {
        len: Len,
        from: V,
        to: Mem,
    },
    /// The first lane in all lanes.
    Splat {
        len: Len,
        dst: V,
        a: V,
    },
    SplatInt {
        len: Len,
        dst: V,
        a: V,
    },
    SplatLoad {
        len: Len,
        dst: V,
        from: Mem,
    },
    /// A constant that has to be in a register. Nothing else writes `dst`.
    Constant {
        dst: V,
        bits: u32,
    },
    /// The same for a register that others write, too.
    Set {
        dst: V,
        bits: u32,
    },
    /// `0, step, 2 step, …`.
    Iota {
        len: Len,
        dst: V,
        step: i32,
    },
    Copy {
        dst: V,
        a: V,
    },
    /// The lower or upper half of a vector, as a vector of `len`.
    Half {
        len: Len,
        dst: V,
        a: V,
        upper: bool,
    },
    /// One of the first four lanes as a scalar.
    Lane {
        dst: V,
        a: V,
        lane: u8,
    },
    /// `dst` with one of its first four lanes replaced.
    Insert {
        dst: V,
        a: V,
        lane: u8,
    },
    InsertLoad {
        dst: V,
        from: Mem,
        lane: u8,
    },
    /// `lower` and `upper`, each of half as many lanes as `len`.
    Join {
        len: Len,
        dst: V,
        lower: V,
        upper: V,
    },
    /// The bits of a scalar.
    ToInt {
        dst: V,
        a: V,
    },
    FromInt {
        dst: V,
        a: V,
    },
    /// An int as a float.
    Convert {
        dst: V,
        a: V,
    },

    Number {
        dst: V,
        value: i64,
    },
    Move {
        dst: V,
        a: V,
    },
    Alu {
        op: Alu,
        wide: bool,
        dst: V,
        a: V,
        b: Int,
    },
    Multiply {
        wide: bool,
        dst: V,
        a: V,
        b: Int,
    },
    ShiftInt {
        left: bool,
        wide: bool,
        dst: V,
        a: V,
        by: Int,
    },
    Negate {
        wide: bool,
        dst: V,
        a: V,
    },
    Address {
        dst: V,
        of: Mem,
    },
    LoadInt {
        bytes: i64,
        dst: V,
        from: Mem,
    },
    StoreInt {
        bytes: i64,
        from: V,
        to: Mem,
    },
    Extend {
        dst: V,
        a: V,
    },
    /// `a cond b` as 0 or 1.
    Test {
        cond: Cond,
        wide: bool,
        dst: V,
        a: V,
        b: Int,
    },
    /// `if condition != 0 { a } else { b }`.
    Choose {
        dst: V,
        condition: V,
        a: V,
        b: V,
    },
    /// The smaller (`Less`) or larger (`Greater`) of two.
    Extreme {
        cond: Cond,
        wide: bool,
        dst: V,
        a: V,
        b: V,
    },
    /// Rounded down, of 32 bits; 0 where the divisor is 0.
    Divide {
        remainder: bool,
        dst: V,
        a: V,
        b: V,
    },

    Bind(Label),
    /// To `label` if `a cond b`.
    Branch {
        cond: Cond,
        a: V,
        b: Int,
        label: Label,
    },
    /// Writes `site` and `place` to the two words at `report` and leaves the function, unless `place < below` as
    /// numbers without sign.
    Check {
        place: V,
        below: Int,
        report: V,
        site: u32,
    },
    /// `dst += by`.
    Advance {
        dst: V,
        by: i32,
    },
}

/// Code with its loops.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    Inst(Inst),
    Loop(Loop),
    /// Carried out if the register is not 0.
    If {
        condition: V,
        then: Vec<Node>,
    },
}

/// `do { body; counter += step; … } while counter < to`, or not at all if `guarded` and there is no round.
#[derive(Clone, PartialEq, Debug)]
pub struct Loop {
    pub counter: V,
    pub to: Int,
    pub step: i32,
    /// Multiples of the counter that go round with it, and what they grow by.
    pub multiples: Vec<(V, i32)>,
    pub guarded: bool,
    pub body: Vec<Node>,
}
