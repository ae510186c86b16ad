//! Kernels as operations on numbered registers.
//!
//! A register is a scalar, 32-bit lanes or 64-bit lanes, each kind numbered by itself. Scalars of all kinds are the
//! low bits of 64: floats their bits, bools 0 or 1. Lanes of bools are 32 bits, all 0 or all 1.

/// Lanes of 32 bits: as many as the widest vectors have. Fewer are the first ones; what the others hold is nothing.
pub type Lanes = [u32; 16];
/// Lanes of 64 bits.
pub type Pair = [u64; 2];

/// The number of a register of its kind.
pub type Reg = u32;

/// A kernel.
pub struct Code {
    pub body: Vec<Node>,
    /// The scalars at the start: constants where they belong, 0 elsewhere.
    pub scalars: Vec<u64>,
    pub n_lanes: usize,
    pub n_pairs: usize,
    /// Where the scan counters go, and the number of the piece.
    pub steps: Vec<Reg>,
    pub piece: Option<Reg>,
    /// The parameter where checks report.
    pub report: Option<u32>,
}

/// The registers of a kernel at work.
#[derive(Default)]
pub struct Registers {
    pub scalars: Vec<u64>,
    pub lanes: Vec<Lanes>,
    pub pairs: Vec<Pair>,
}

pub enum Node {
    Op(Op),
    For(Box<Loop>),
    If(Reg, Vec<Node>),
    /// Leaves the kernel with a report of this site unless the place is below the number, and not negative.
    Check {
        place: Linear,
        below: i64,
        site: u32,
    },
}

pub struct Loop {
    pub counter: Reg,
    pub from: Bound,
    pub to: Bound,
    pub step: i64,
    /// Before the first round, after each round, and after the last one.
    pub start: Vec<Move>,
    pub next: Vec<Move>,
    pub end: Vec<Move>,
    pub body: Vec<Node>,
}

pub enum Bound {
    Number(i64),
    Register(Reg),
}

/// Copies a register to another one of the same kind.
#[derive(Clone, Copy)]
pub enum Move {
    Scalar(Reg, Reg),
    Lanes(Reg, Reg),
    Pair(Reg, Reg),
}

/// `constant + Σ scalar · factor`.
pub struct Linear {
    pub constant: i64,
    pub terms: Vec<(Reg, i64)>,
}

/// A place in memory: behind a parameter, in bytes.
pub struct Address {
    pub param: u32,
    pub offset: Linear,
}

/// How elements become scalars and lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A byte, 0 or 1.
    Bool,
    Four,
    Eight,
}

/// The first register is where the result goes.
pub enum Op {
    Linear(Reg, Linear),
    Scalar1(fn(u64) -> u64, Reg, Reg),
    Scalar2(fn(u64, u64) -> u64, Reg, [Reg; 2]),
    Scalar3(fn(u64, u64, u64) -> u64, Reg, [Reg; 3]),
    Lanes1(fn(&Lanes) -> Lanes, Reg, Reg),
    Lanes2(fn(&Lanes, &Lanes) -> Lanes, Reg, [Reg; 2]),
    Lanes3(fn(&Lanes, &Lanes, &Lanes) -> Lanes, Reg, [Reg; 3]),
    /// All lanes with one scalar.
    LanesScalar(fn(&Lanes, u64) -> Lanes, Reg, [Reg; 2]),
    Pair1(fn(&Pair) -> Pair, Reg, Reg),
    Pair2(fn(&Pair, &Pair) -> Pair, Reg, [Reg; 2]),
    Pair3(fn(&Pair, &Pair, &Pair) -> Pair, Reg, [Reg; 3]),
    PairScalar(fn(&Pair, u64) -> Pair, Reg, [Reg; 2]),
    /// Lanes from pairs, and the other way.
    Compare(fn(&Pair, &Pair) -> Lanes, Reg, [Reg; 2]),
    Widen(fn(&Lanes) -> Pair, Reg, Reg),
    SelectPair(Reg, [Reg; 3]),
    Spread(Spread),
    Apart(Apart),
    Load(Width, Reg, Address),
    LoadLanes(Width, u8, Reg, Address),
    Store(Width, Reg, Address),
    StoreLanes(Width, u8, Reg, Address),
}

/// From scalars to lanes and back.
pub enum Spread {
    Constant(Reg, Box<Lanes>),
    /// To all lanes; the flag says whether the scalar is a bool.
    Splat(bool, Reg, Reg),
    SplatPair(Reg, Reg),
    Pack(bool, Reg, Vec<Reg>),
    PackPair(Reg, Vec<Reg>),
    /// A lane as a scalar; the flag says whether that is a bool.
    Extract(bool, Reg, Reg, u8),
    ExtractPair(Reg, Reg, u8),
    /// Neighbouring lanes, from this one on.
    Part(Reg, Reg, u8),
}

/// Pairs in memory, and elements that do not lie side by side.
pub enum Apart {
    Load(Reg, Address),
    Store(Reg, Address),
    Gather(Width, Reg, Vec<Address>),
    GatherPair(Reg, Vec<Address>),
}
