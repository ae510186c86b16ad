//! Kernels at work.

use super::code::{
    Address, Apart, Bound, Code, Lanes, Linear, Loop, Move, Node, Op, Registers, Spread, Width,
};
use super::vectors::{mask, select_pair};
use crate::backend::CodeError;
use crate::backend::driver::Env;

/// Carries out a piece of a kernel.
///
/// # Errors
/// If an access lies outside of the memory.
pub fn execute(
    code: &Code,
    env: Env<'_>,
    memory: &mut [u8],
    registers: &mut Registers,
) -> Result<(), CodeError> {
    registers.scalars.clear();
    registers.scalars.extend_from_slice(&code.scalars);
    // What registers hold that nothing was written to yet is never read.
    let Registers { scalars, lanes, pairs } = registers;
    lanes.resize(lanes.len().max(code.n_lanes), [0; 16]);
    pairs.resize(pairs.len().max(code.n_pairs), [0; 2]);
    for (reg, step) in code.steps.iter().zip(env.steps) {
        scalars[*reg as usize] = *step as u64;
    }
    if let Some(reg) = code.piece {
        scalars[reg as usize] = env.piece as u64;
    }
    let mut machine = Machine { code, bases: env.bases, s: scalars, v: lanes, w: pairs, memory };
    match machine.block(&code.body) {
        Ok(()) | Err(Stop::Reported) => Ok(()),
        Err(Stop::Outside(place)) => {
            Err(CodeError::internal(format!("an access at byte {place}, outside of all memory")))
        }
    }
}

/// Why a kernel ends before its end.
enum Stop {
    /// A check has failed, and was reported.
    Reported,
    /// An access outside of the memory.
    Outside(i64),
}

struct Machine<'a> {
    code: &'a Code,
    bases: &'a [i64],
    /// Scalars, lanes, pairs.
    s: &'a mut [u64],
    v: &'a mut [Lanes],
    w: &'a mut [[u64; 2]],
    memory: &'a mut [u8],
}

impl Machine<'_> {
    fn block(&mut self, nodes: &[Node]) -> Result<(), Stop> {
        for node in nodes {
            match node {
                Node::Op(op) => self.op(op)?,
                Node::For(inner) => self.for_loop(inner)?,
                Node::If(condition, then) => {
                    if self.s[*condition as usize] != 0 {
                        self.block(then)?;
                    }
                }
                Node::Check { place, below, site } => {
                    let place = self.linear(place);
                    if !(0..*below).contains(&place) {
                        return self.report(place, *site);
                    }
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, element: i64, site: u32) -> Result<(), Stop> {
        let start = self.code.report.map_or(-1, |param| self.bases[param as usize]);
        let words = [u64::from(site), element as u64].map(u64::to_ne_bytes);
        *self.bytes_mut(start)? = words[0];
        *self.bytes_mut(start + 8)? = words[1];
        Err(Stop::Reported)
    }

    fn for_loop(&mut self, inner: &Loop) -> Result<(), Stop> {
        let mut counter = self.bound(&inner.from);
        let to = self.bound(&inner.to);
        self.moves(&inner.start);
        while counter < to {
            self.s[inner.counter as usize] = counter as u64;
            self.block(&inner.body)?;
            self.moves(&inner.next);
            counter += inner.step;
        }
        self.moves(&inner.end);
        Ok(())
    }

    fn bound(&self, bound: &Bound) -> i64 {
        match bound {
            Bound::Number(number) => *number,
            Bound::Register(reg) => self.s[*reg as usize] as i64,
        }
    }

    fn moves(&mut self, moves: &[Move]) {
        for step in moves {
            match *step {
                Move::Scalar(to, from) => self.s[to as usize] = self.s[from as usize],
                Move::Lanes(to, from) => self.v[to as usize] = self.v[from as usize],
                Move::Pair(to, from) => self.w[to as usize] = self.w[from as usize],
            }
        }
    }

    fn linear(&self, linear: &Linear) -> i64 {
        let term = |(reg, factor): &(u32, i64)| (self.s[*reg as usize] as i64).wrapping_mul(*factor);
        linear.terms.iter().fold(linear.constant, |sum, pair| sum.wrapping_add(term(pair)))
    }

    fn place(&self, address: &Address) -> i64 {
        self.bases[address.param as usize].wrapping_add(self.linear(&address.offset))
    }

    /// So many bytes of memory.
    fn bytes<const N: usize>(&self, place: i64) -> Result<&[u8; N], Stop> {
        let part = usize::try_from(place).ok().and_then(|at| self.memory.get(at..)?.first_chunk());
        part.ok_or(Stop::Outside(place))
    }

    fn bytes_mut<const N: usize>(&mut self, place: i64) -> Result<&mut [u8; N], Stop> {
        let part = usize::try_from(place).ok().and_then(|at| self.memory.get_mut(at..)?.first_chunk_mut());
        part.ok_or(Stop::Outside(place))
    }

    fn load(&self, width: Width, place: i64) -> Result<u64, Stop> {
        Ok(match width {
            Width::Bool => u64::from(self.bytes::<1>(place)?[0]),
            Width::Four => u64::from(u32::from_ne_bytes(*self.bytes(place)?)),
            Width::Eight => u64::from_ne_bytes(*self.bytes(place)?),
        })
    }

    fn store(&mut self, width: Width, place: i64, value: u64) -> Result<(), Stop> {
        match width {
            Width::Bool => *self.bytes_mut(place)? = [value as u8 & 1],
            Width::Four => *self.bytes_mut(place)? = (value as u32).to_ne_bytes(),
            Width::Eight => *self.bytes_mut(place)? = value.to_ne_bytes(),
        }
        Ok(())
    }

    fn load_lanes(&self, width: Width, n: u8, place: i64) -> Result<Lanes, Stop> {
        let mut lanes: Lanes = [0; 16];
        let n = usize::from(n);
        let bytes = if width == Width::Bool { n } else { 4 * n };
        let part = usize::try_from(place).ok().and_then(|at| self.memory.get(at..at.checked_add(bytes)?));
        let part = part.ok_or(Stop::Outside(place))?;
        if width == Width::Bool {
            lanes.iter_mut().zip(part).for_each(|(lane, byte)| *lane = mask(*byte != 0));
        } else {
            let (words, _) = part.as_chunks();
            lanes.iter_mut().zip(words).for_each(|(lane, word)| *lane = u32::from_ne_bytes(*word));
        }
        Ok(lanes)
    }

    fn store_lanes(&mut self, width: Width, n: u8, place: i64, lanes: Lanes) -> Result<(), Stop> {
        let n = usize::from(n);
        let bytes = if width == Width::Bool { n } else { 4 * n };
        let part = usize::try_from(place).ok().and_then(|at| self.memory.get_mut(at..at.checked_add(bytes)?));
        let part = part.ok_or(Stop::Outside(place))?;
        if width == Width::Bool {
            part.iter_mut().zip(lanes).for_each(|(byte, lane)| *byte = lane as u8 & 1);
        } else {
            let (words, _) = part.as_chunks_mut();
            words.iter_mut().zip(lanes).for_each(|(word, lane)| *word = lane.to_ne_bytes());
        }
        Ok(())
    }

    fn op(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::Linear(to, linear) => self.s[*to as usize] = self.linear(linear) as u64,
            Op::Scalar1(f, to, a) => self.s[*to as usize] = f(self.s[*a as usize]),
            Op::Scalar2(f, to, [a, b]) => self.s[*to as usize] = f(self.s[*a as usize], self.s[*b as usize]),
            Op::Scalar3(f, to, [a, b, c]) => {
                self.s[*to as usize] = f(self.s[*a as usize], self.s[*b as usize], self.s[*c as usize]);
            }
            Op::Lanes1(f, to, a) => self.v[*to as usize] = f(&self.v[*a as usize]),
            Op::Lanes2(f, to, [a, b]) => {
                self.v[*to as usize] = f(&self.v[*a as usize], &self.v[*b as usize]);
            }
            Op::Lanes3(f, to, [a, b, c]) => {
                self.v[*to as usize] = f(&self.v[*a as usize], &self.v[*b as usize], &self.v[*c as usize]);
            }
            Op::LanesScalar(f, to, [a, b]) => {
                self.v[*to as usize] = f(&self.v[*a as usize], self.s[*b as usize]);
            }
            Op::Pair1(f, to, a) => self.w[*to as usize] = f(&self.w[*a as usize]),
            Op::Pair2(f, to, [a, b]) => {
                self.w[*to as usize] = f(&self.w[*a as usize], &self.w[*b as usize]);
            }
            Op::Pair3(f, to, [a, b, c]) => {
                self.w[*to as usize] = f(&self.w[*a as usize], &self.w[*b as usize], &self.w[*c as usize]);
            }
            Op::PairScalar(f, to, [a, b]) => {
                self.w[*to as usize] = f(&self.w[*a as usize], self.s[*b as usize]);
            }
            Op::Compare(f, to, [a, b]) => {
                self.v[*to as usize] = f(&self.w[*a as usize], &self.w[*b as usize]);
            }
            Op::Widen(f, to, a) => self.w[*to as usize] = f(&self.v[*a as usize]),
            Op::SelectPair(to, [c, a, b]) => {
                self.w[*to as usize] =
                    select_pair(&self.v[*c as usize], &self.w[*a as usize], &self.w[*b as usize]);
            }
            Op::Spread(op) => self.spread(op),
            Op::Apart(op) => self.apart(op)?,
            Op::Load(width, to, address) => {
                self.s[*to as usize] = self.load(*width, self.place(address))?;
            }
            Op::LoadLanes(width, n, to, address) => {
                self.v[*to as usize] = self.load_lanes(*width, *n, self.place(address))?;
            }
            Op::Store(width, from, address) => {
                self.store(*width, self.place(address), self.s[*from as usize])?;
            }
            Op::StoreLanes(width, n, from, address) => {
                self.store_lanes(*width, *n, self.place(address), self.v[*from as usize])?;
            }
        }
        Ok(())
    }

    /// From scalars to lanes and back.
    fn spread(&mut self, op: &Spread) {
        match op {
            Spread::Constant(to, lanes) => self.v[*to as usize] = **lanes,
            Spread::Splat(is_bool, to, a) => {
                self.v[*to as usize] = [lane(self.s[*a as usize], *is_bool); 16];
            }
            Spread::SplatPair(to, a) => self.w[*to as usize] = [self.s[*a as usize]; 2],
            Spread::Pack(is_bool, to, parts) => {
                let lanes = &mut self.v[*to as usize];
                for (to, part) in lanes.iter_mut().zip(parts) {
                    *to = lane(self.s[*part as usize], *is_bool);
                }
            }
            Spread::PackPair(to, parts) => {
                for (to, part) in self.w[*to as usize].iter_mut().zip(parts) {
                    *to = self.s[*part as usize];
                }
            }
            Spread::Extract(is_bool, to, a, at) => {
                let lane = self.v[*a as usize][usize::from(*at)];
                self.s[*to as usize] = u64::from(if *is_bool { lane & 1 } else { lane });
            }
            Spread::ExtractPair(to, a, at) => self.s[*to as usize] = self.w[*a as usize][usize::from(*at)],
            Spread::Part(to, a, first) => {
                self.v[*to as usize] = self.v[*a as usize];
                self.v[*to as usize].rotate_left(usize::from(*first));
            }
        }
    }

    /// Pairs in memory, and elements that do not lie side by side.
    fn apart(&mut self, op: &Apart) -> Result<(), Stop> {
        match op {
            Apart::Load(to, address) => {
                let place = self.place(address);
                self.w[*to as usize] = [self.load(Width::Eight, place)?, self.load(Width::Eight, place + 8)?];
            }
            Apart::Store(from, address) => {
                let (place, pair) = (self.place(address), self.w[*from as usize]);
                self.store(Width::Eight, place, pair[0])?;
                self.store(Width::Eight, place + 8, pair[1])?;
            }
            Apart::Gather(width, to, addresses) => {
                for (at, address) in addresses.iter().enumerate() {
                    let element = self.load(*width, self.place(address))?;
                    self.v[*to as usize][at] = lane(element, *width == Width::Bool);
                }
            }
            Apart::GatherPair(to, addresses) => {
                for (at, address) in addresses.iter().enumerate() {
                    self.w[*to as usize][at] = self.load(Width::Eight, self.place(address))?;
                }
            }
        }
        Ok(())
    }
}

/// A scalar as a lane.
fn lane(scalar: u64, is_bool: bool) -> u32 {
    if is_bool { mask(scalar != 0) } else { scalar as u32 }
}
