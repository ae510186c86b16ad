//! The loop IR: structured, typed, in SSA form.
//!
//! A [`Kernel`] is a function of base addresses, scan counters and a piece number. Its body is made of
//! counted loops that carry values, loads and stores with addresses that are linear in loop counters, and
//! arithmetic on scalars and vectors. There are no variables: a value is defined once, and may be used in
//! the block that defines it after its definition, and in the blocks inside. The verifier lists the rules.
//!
//! A [`Module`] is a whole step: which kernels to call in which order with which addresses.

use super::Target;
use crate::ir::program::Precision;
use crate::ir::{Const, Number, RandKind, StepId};
use crate::plan::{External, Local, Name};
use crate::product::{SCATTERED, Shape};
pub use crate::product::Side;
use std::sync::Arc;

/// All code of one plan.
#[derive(Clone, Debug)]
pub struct Module {
    pub precision: Precision,
    /// What it was lowered for.
    pub target: Target,
    /// The tensors of the caller, by slot.
    pub externals: Vec<External>,
    pub kernels: Vec<Kernel>,
    /// What one step does, in order.
    pub items: Vec<Item>,
    pub constants: Vec<Constant>,
    /// Bytes of all constants together.
    pub constant_bytes: usize,
    /// Bytes of temporaries, with the private memory of pieces behind them.
    pub arena_bytes: usize,
    /// Where in the arena the private memory of the pieces of kernels begins; it takes the rest.
    pub scratch_start: usize,
    /// Whether the step is so small that it should be one function.
    pub tiny: bool,
    /// Whether accesses are checked, and memory unusable before it is written.
    pub checked: bool,
    /// The kernels that test whether an int leaves 64 bits. One that finds such an int stores its number among
    /// these, counted from 1, in the word of [`BasePlace::Fault`].
    pub sites: Vec<Name>,
    /// What the checks of accesses are about, by their numbers; none if accesses are not checked.
    pub accesses: Vec<Site>,
}

/// An access that a check is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    pub kernel: Name,
    /// The address in the loop IR, and what it does there.
    pub access: String,
    /// Elements of the buffer.
    pub elements: i64,
}

/// A constant tensor and its place among the constants.
#[derive(Clone, Debug)]
pub struct Constant {
    pub offset: usize,
    pub value: Arc<Const>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KernelId(pub u32);

/// One thing that a step does.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "items are few beside what they compute")]
pub enum Item {
    Call(Call),
    Gemm(Gemm),
    Rand(Rand),
    /// Makes memory that a buffer takes over unusable until something is written there: only where accesses are
    /// checked.
    Poison {
        base: Base,
        bytes: i64,
    },
    Scan {
        step: StepId,
        trip: i64,
        reverse: bool,
        /// Of a scan whose iterations may run at the same time, the part of the arena that each needs for itself.
        /// Whatever else one of them writes, no other touches.
        local: Option<Local>,
        items: Vec<Item>,
    },
}

/// A kernel with addresses for its parameters.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: Name,
    pub kernel: KernelId,
    pub bases: Vec<Base>,
    /// Of each address, the bytes of its place that its buffer has: from the first to the one behind the last.
    pub buffers: Vec<(i64, i64)>,
    /// The scan counters that the kernel asks for.
    pub steps: Vec<StepId>,
}

/// An address: a place, and what it moves by for each scan step. Bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Base {
    pub place: BasePlace,
    pub offset: i64,
    pub steps: Vec<(StepId, i64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BasePlace {
    Arena,
    External(u32),
    Constants,
    /// The word that says whether an int has left 64 bits.
    Fault,
    /// Two words: the number of the first check that failed, from 1, and the element that it found.
    Report,
}

/// A matrix product that is left to a library: `C (+)= A B` for each of the batch; strides in elements.
#[derive(Clone, PartialEq, Debug)]
pub struct Gemm {
    pub name: Name,
    pub kind: Kind,
    /// Size, and the strides of `a`, `b` and `c`, of each batch axis.
    pub batch: Vec<(i64, [i64; 3])>,
    pub m: i64,
    pub n: i64,
    pub k: i64,
    /// The rows and columns of `a` (m, k), `b` (k, n) and `c` (m, n).
    pub sides: [[Side; 2]; 3],
    pub bases: [Base; 3],
    pub accumulate: bool,
    pub pieces: usize,
}

impl Gemm {
    /// The product as the matrix kernel knows it.
    pub fn shape(&self) -> Shape {
        let [a, b, c] = self.sides.each_ref().map(|[row, column]| {
            let stride = |side: &Side| side.stride().map_or(SCATTERED, |stride| stride as isize);
            (stride(row), stride(column))
        });
        let [m, n, k] = [self.m, self.n, self.k].map(|size| size as usize);
        Shape { m, n, k, a, b, c, accumulate: self.accumulate }
    }
}

/// Random numbers written to consecutive elements: `draws` runs of `len`, each with its own scan step.
#[derive(Clone, PartialEq, Debug)]
pub struct Rand {
    pub name: Name,
    pub kind: RandKind,
    pub elem: Kind,
    pub stream: u32,
    pub base: Base,
    pub draws: i64,
    pub len: i64,
    /// The scan step of the first run: a constant and multiples of scan counters.
    pub scan_step: i64,
    pub scan_terms: Vec<(StepId, i64)>,
}

/// What a scalar or a lane is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    F32,
    F64,
    I32,
    /// Counters, addresses, and the ints of the program that 32 bits may not hold.
    I64,
    /// One byte in memory; a lane of it is as wide as the lanes it was compared from.
    Bool,
}

/// `lanes` is 1 for scalars.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Ty {
    pub kind: Kind,
    pub lanes: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ValueId(pub u32);

/// A function. Kernels that are equal share code, whatever memory they work on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    pub params: Vec<Param>,
    /// The scan counters it is given.
    pub steps: Vec<ValueId>,
    /// The number of this piece, if it is called for several.
    pub piece: Option<ValueId>,
    pub pieces: usize,
    pub body: Vec<Stmt>,
    /// The type of each value.
    pub types: Vec<Ty>,
    /// Whether it computes with ints of 64 bits, which only Cranelift's code does.
    pub long: bool,
    /// What accesses are checked against, if they are.
    pub checks: Option<Checks>,
}

/// What the accesses of a kernel are checked against.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checks {
    /// The parameter where a check that fails is reported.
    pub report: u32,
    /// The buffer of each other parameter.
    pub extents: Vec<Extent>,
}

/// The buffer that a parameter points into.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Extent {
    /// The element of the buffer that the parameter points to.
    pub origin: Linear,
    pub elements: i64,
}

/// A base address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    pub kind: Kind,
    /// Whether the kernel stores to memory that this address may reach.
    pub written: bool,
    /// Bytes from one piece's private memory to the next one's; 0 for memory that pieces share.
    pub piece_stride: i64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Stmt {
    Let(ValueId, Expr),
    Store {
        address: Address,
        value: ValueId,
    },
    For(For),
    If {
        condition: ValueId,
        then: Vec<Stmt>,
    },
    /// Reports site `site` and leaves the kernel, unless `lanes` elements from the address on lie in its buffer.
    Check {
        address: Address,
        lanes: u8,
        site: u32,
    },
}

/// `for counter in from..to step step`, with values that go round.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct For {
    pub counter: ValueId,
    pub from: Bound,
    pub to: Bound,
    pub step: i64,
    pub carries: Vec<Carry>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bound {
    Number(i64),
    Value(ValueId),
}

/// A value that a loop hands on: `start` before, `current` within, `next` at the end of each round,
/// `result` after.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Carry {
    pub start: ValueId,
    pub current: ValueId,
    pub next: ValueId,
    pub result: ValueId,
}

/// `param[constant + Σ value · stride]`, in elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    pub param: u32,
    pub index: Linear,
}

/// `constant + Σ value · factor`, of counters; sorted by value, no factor is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Linear {
    pub constant: i64,
    pub terms: Vec<(ValueId, i64)>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    Float(Number),
    Int(i64),
    Bool(bool),
    /// A counter or a linear form of counters (i64).
    Linear(Linear),
    /// `0, step, 2 step, …` in the lanes (i32).
    Iota(i64),
    Splat(ValueId),
    /// One lane each.
    Pack(Vec<ValueId>),
    Extract(ValueId, u8),
    /// The lower or (`true`) upper half of the lanes.
    Half(ValueId, bool),
    /// Consecutive elements, one for each lane.
    Load(Address),
    /// One element for each lane.
    Gather(Vec<Address>),
    Unary(Unary, ValueId),
    Binary(Binary, ValueId, ValueId),
    /// `a * b + c`, rounded once.
    Fma(ValueId, ValueId, ValueId),
    Select(ValueId, ValueId, ValueId),
    /// Whether the sum, difference, product or quotient of two scalars (i64) leaves 64 bits.
    Overflows(Binary, ValueId, ValueId),
    /// A function of `math.h` of one or two floats, in each lane: for targets without own elementary functions.
    Library(Library, Vec<ValueId>),
}

/// A function of C's library.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Library {
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Erf,
    /// `1 - erf(x)`
    Erfc,
    Pow,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Unary {
    Neg,
    Abs,
    Sqrt,
    Floor,
    Ceil,
    /// To the nearest, ties to even.
    Round,
    Not,
    /// An int or bool to a float.
    ToFloat,
    /// A float to i64, a scalar, towards zero and saturating, NaN to 0; a bool to an i32, 0 or 1.
    ToInt,
    /// i32 to i64.
    ToIndex,
    /// i64 to i32.
    FromIndex,
    /// Bits of a float as the int of the same width, and back.
    ToBits,
    FromBits,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    /// Of scalar ints, rounded down; 0 where the divisor is 0.
    FloorDiv,
    Mod,
    Lt,
    Le,
    Eq,
    And,
    Or,
    Xor,
    /// `a < b ? a : b`: the second where one is NaN.
    Min,
    /// `a > b ? a : b`: the second where one is NaN.
    Max,
    /// Shifts of ints; the number of bits is a scalar i32.
    Shl,
    /// Fills with zeros.
    Shr,
}

impl Kind {
    /// Bytes in memory.
    pub fn bytes(self) -> i64 {
        match self {
            Kind::F32 | Kind::I32 => 4,
            Kind::F64 | Kind::I64 => 8,
            Kind::Bool => 1,
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }
}

impl Ty {
    pub const INDEX: Ty = Ty { kind: Kind::I64, lanes: 1 };
    pub const BOOL: Ty = Ty { kind: Kind::Bool, lanes: 1 };

    pub fn scalar(kind: Kind) -> Ty {
        Ty { kind, lanes: 1 }
    }

    pub fn with_kind(self, kind: Kind) -> Ty {
        Ty { kind, ..self }
    }
}

impl Checks {
    /// The element of the buffer that an address means, and what it must lie below so that `lanes` elements from
    /// there on are inside. It must not be negative.
    pub fn place(&self, address: &Address, lanes: u8) -> Option<(Linear, i64)> {
        let extent = self.extents.get(address.param as usize)?;
        let mut place = address.index.clone();
        place.constant += extent.origin.constant;
        extent.origin.terms.iter().for_each(|(value, factor)| place.add_term(*value, *factor));
        Some((place, (extent.elements - i64::from(lanes) + 1).max(0)))
    }
}

impl Linear {
    pub fn number(constant: i64) -> Linear {
        Linear { constant, terms: Vec::new() }
    }

    pub fn add_term(&mut self, value: ValueId, factor: i64) {
        match self.terms.binary_search_by_key(&value, |(known, _)| *known) {
            Ok(at) => {
                self.terms[at].1 += factor;
                if self.terms[at].1 == 0 {
                    self.terms.remove(at);
                }
            }
            Err(at) if factor != 0 => self.terms.insert(at, (value, factor)),
            Err(_) => {}
        }
    }
}

impl Expr {
    /// Calls `visit` with every value it uses.
    pub fn for_each_value(&self, mut visit: impl FnMut(ValueId)) {
        match self {
            Expr::Float(_) | Expr::Int(_) | Expr::Bool(_) | Expr::Iota(_) => {}
            Expr::Linear(linear) => linear.terms.iter().for_each(|(value, _)| visit(*value)),
            Expr::Splat(a) | Expr::Extract(a, _) | Expr::Half(a, _) | Expr::Unary(_, a) => visit(*a),
            Expr::Pack(values) | Expr::Library(_, values) => values.iter().copied().for_each(visit),
            Expr::Load(address) => address.index.terms.iter().for_each(|(value, _)| visit(*value)),
            Expr::Gather(addresses) => {
                addresses.iter().flat_map(|address| &address.index.terms).for_each(|(value, _)| visit(*value));
            }
            Expr::Binary(_, a, b) | Expr::Overflows(_, a, b) => {
                visit(*a);
                visit(*b);
            }
            Expr::Fma(a, b, c) | Expr::Select(a, b, c) => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
        }
    }
}
