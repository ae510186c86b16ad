//! From a kernel to operations on registers: every choice that depends on types alone is made here, once.

use super::code::{
    Address, Apart, Bound, Code, Lanes, Linear, Loop, Move, Node, Op, Pair, Reg, Spread, Width,
};
use super::{scalars, vectors};
use crate::backend::CodeError;
use crate::loops::{self, Binary, Expr, For, Kernel, Kind, Stmt, Target, Ty, Unary, ValueId};

/// # Errors
/// If the kernel has longer vectors than registers have, or an operation on a type that it does not take.
pub fn translate(kernel: &Kernel, target: &Target) -> Result<Code, CodeError> {
    let mut translator = Translator {
        kernel,
        fma: target.fma,
        registers: Vec::with_capacity(kernel.types.len()),
        scalars: Vec::new(),
    };
    let (mut n_lanes, mut n_pairs): (Reg, Reg) = (0, 0);
    for ty in &kernel.types {
        let class = class_of(*ty)?;
        let scalars = translator.scalars.len() as Reg;
        let next = match class {
            Class::Scalar => scalars,
            Class::Lanes => n_lanes,
            Class::Pair => n_pairs,
        };
        match class {
            Class::Scalar => translator.scalars.push(0),
            Class::Lanes => n_lanes += 1,
            Class::Pair => n_pairs += 1,
        }
        translator.registers.push((class, next));
    }
    let body = translator.block(&kernel.body)?;
    Ok(Code {
        body,
        steps: kernel.steps.iter().map(|id| translator.reg(*id)).collect(),
        piece: kernel.piece.map(|id| translator.reg(id)),
        report: kernel.checks.as_ref().map(|checks| checks.report),
        scalars: translator.scalars,
        n_lanes: n_lanes as usize,
        n_pairs: n_pairs as usize,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    Scalar,
    Lanes,
    Pair,
}

fn class_of(ty: Ty) -> Result<Class, CodeError> {
    let (class, most) = match ty.kind {
        _ if ty.lanes == 1 => return Ok(Class::Scalar),
        Kind::F32 | Kind::I32 | Kind::Bool => (Class::Lanes, size_of::<Lanes>() / 4),
        Kind::F64 | Kind::I64 => (Class::Pair, size_of::<Pair>() / 8),
    };
    if usize::from(ty.lanes) > most || ty.lanes == 0 {
        return Err(CodeError::unsupported(format!(
            "{} lanes of {:?} by the interpreter",
            ty.lanes, ty.kind
        )));
    }
    Ok(class)
}

fn width_of(kind: Kind) -> Width {
    match kind {
        Kind::F32 | Kind::I32 => Width::Four,
        Kind::F64 | Kind::I64 => Width::Eight,
        Kind::Bool => Width::Bool,
    }
}

struct Translator<'k> {
    kernel: &'k Kernel,
    fma: bool,
    /// Of each value.
    registers: Vec<(Class, Reg)>,
    scalars: Vec<u64>,
}

impl Translator<'_> {
    fn reg(&self, id: ValueId) -> Reg {
        self.registers[id.0 as usize].1
    }

    fn class(&self, id: ValueId) -> Class {
        self.registers[id.0 as usize].0
    }

    fn ty(&self, id: ValueId) -> Ty {
        self.kernel.types[id.0 as usize]
    }

    fn block(&mut self, block: &[Stmt]) -> Result<Vec<Node>, CodeError> {
        let mut nodes = Vec::with_capacity(block.len());
        for stmt in block {
            match stmt {
                Stmt::Let(id, expr) => nodes.extend(self.expr(*id, expr)?.map(Node::Op)),
                Stmt::Store { address, value } => nodes.push(Node::Op(self.store(address, *value))),
                Stmt::For(inner) => nodes.push(Node::For(Box::new(self.for_loop(inner)?))),
                Stmt::If { condition, then } => {
                    let then = self.block(then)?;
                    nodes.push(Node::If(self.reg(*condition), then));
                }
                Stmt::Check { address, lanes, site } => {
                    let Some(checks) = &self.kernel.checks else { continue };
                    let place = checks.place(address, *lanes);
                    let (place, below) =
                        place.ok_or_else(|| CodeError::internal("a check of a parameter without extent"))?;
                    nodes.push(Node::Check { place: self.linear(&place), below, site: *site });
                }
            }
        }
        Ok(nodes)
    }

    fn for_loop(&mut self, inner: &For) -> Result<Loop, CodeError> {
        let body = self.block(&inner.body)?;
        let bound = |bound| match bound {
            loops::Bound::Number(number) => Bound::Number(number),
            loops::Bound::Value(id) => Bound::Register(self.reg(id)),
        };
        let moves = |pair: fn(&loops::Carry) -> (ValueId, ValueId)| -> Vec<Move> {
            inner.carries.iter().map(pair).map(|(to, from)| self.move_of(to, from)).collect()
        };
        // Where one value that goes round is the next of another, all are put aside before any is set.
        let crosses =
            inner.carries.iter().any(|carry| inner.carries.iter().any(|other| other.current == carry.next));
        let next = if crosses {
            let mut next = moves(|carry| (carry.result, carry.next));
            next.extend(moves(|carry| (carry.current, carry.result)));
            next
        } else {
            moves(|carry| (carry.current, carry.next))
        };
        Ok(Loop {
            counter: self.reg(inner.counter),
            from: bound(inner.from),
            to: bound(inner.to),
            step: inner.step,
            start: moves(|carry| (carry.current, carry.start)),
            next,
            end: moves(|carry| (carry.result, carry.current)),
            body,
        })
    }

    fn move_of(&self, to: ValueId, from: ValueId) -> Move {
        let (to, class, from) = (self.reg(to), self.class(to), self.reg(from));
        match class {
            Class::Scalar => Move::Scalar(to, from),
            Class::Lanes => Move::Lanes(to, from),
            Class::Pair => Move::Pair(to, from),
        }
    }

    fn linear(&self, linear: &loops::Linear) -> Linear {
        let terms = linear.terms.iter().map(|(id, factor)| (self.reg(*id), *factor)).collect();
        Linear { constant: linear.constant, terms }
    }

    fn address(&self, address: &loops::Address) -> Address {
        let bytes = self.kernel.params[address.param as usize].kind.bytes();
        let mut offset = self.linear(&address.index);
        offset.constant *= bytes;
        offset.terms.iter_mut().for_each(|(_, factor)| *factor *= bytes);
        Address { param: address.param, offset }
    }

    fn store(&self, address: &loops::Address, id: ValueId) -> Op {
        let (ty, from, address) = (self.ty(id), self.reg(id), self.address(address));
        match self.class(id) {
            Class::Scalar => Op::Store(width_of(ty.kind), from, address),
            Class::Lanes => Op::StoreLanes(width_of(ty.kind), ty.lanes, from, address),
            Class::Pair => Op::Apart(Apart::Store(from, address)),
        }
    }

    fn constant(&mut self, id: ValueId, bits: u64) -> Option<Op> {
        let reg = self.reg(id);
        self.scalars[reg as usize] = bits;
        None
    }

    /// The operation that computes a value; none if it is a constant, which is there from the start.
    fn expr(&mut self, id: ValueId, expr: &Expr) -> Result<Option<Op>, CodeError> {
        let (ty, to, class) = (self.ty(id), self.reg(id), self.class(id));
        let is_bool = ty.kind == Kind::Bool;
        Ok(Some(match expr {
            Expr::Float(value) if ty.kind == Kind::F32 => {
                return Ok(self.constant(id, u64::from((value.0 as f32).to_bits())));
            }
            Expr::Float(value) => return Ok(self.constant(id, value.0.to_bits())),
            Expr::Int(value) if ty.kind == Kind::I32 => {
                return Ok(self.constant(id, u64::from(*value as i32 as u32)));
            }
            Expr::Int(value) => return Ok(self.constant(id, *value as u64)),
            Expr::Bool(value) => return Ok(self.constant(id, u64::from(*value))),
            Expr::Linear(linear) => Op::Linear(to, self.linear(linear)),
            Expr::Iota(step) => {
                let lanes = std::array::from_fn(|lane| (*step as u32).wrapping_mul(lane as u32));
                Op::Spread(Spread::Constant(to, Box::new(lanes)))
            }
            Expr::Splat(a) if class == Class::Pair => Op::Spread(Spread::SplatPair(to, self.reg(*a))),
            Expr::Splat(a) => Op::Spread(Spread::Splat(is_bool, to, self.reg(*a))),
            Expr::Pack(ids) => {
                let parts = ids.iter().map(|id| self.reg(*id)).collect();
                let is_pair = class == Class::Pair;
                Op::Spread(if is_pair {
                    Spread::PackPair(to, parts)
                } else {
                    Spread::Pack(is_bool, to, parts)
                })
            }
            Expr::Extract(a, lane) => self.extract(to, *a, *lane),
            Expr::Half(a, upper) => {
                let first = if *upper { ty.lanes } else { 0 };
                match class {
                    Class::Scalar => self.extract(to, *a, first),
                    Class::Lanes => Op::Spread(Spread::Part(to, self.reg(*a), first)),
                    Class::Pair => return Err(misfit("half", ty)),
                }
            }
            Expr::Load(address) => {
                let (address, width) = (self.address(address), width_of(ty.kind));
                match class {
                    Class::Scalar => Op::Load(width, to, address),
                    Class::Lanes => Op::LoadLanes(width, ty.lanes, to, address),
                    Class::Pair => Op::Apart(Apart::Load(to, address)),
                }
            }
            Expr::Gather(addresses) => {
                let width = width_of(ty.kind);
                let mut addresses: Vec<Address> = addresses.iter().map(|address| self.address(address)).collect();
                match (class, addresses.pop()) {
                    (Class::Scalar, Some(only)) => Op::Load(width, to, only),
                    (_, last) => {
                        addresses.extend(last);
                        let is_pair = class == Class::Pair;
                        Op::Apart(if is_pair {
                            Apart::GatherPair(to, addresses)
                        } else {
                            Apart::Gather(width, to, addresses)
                        })
                    }
                }
            }
            Expr::Unary(op, a) => self.unary(id, *op, *a).ok_or_else(|| misfit(op, self.ty(*a)))?,
            Expr::Binary(op, a, b) => self.binary(id, *op, *a, *b).ok_or_else(|| misfit(op, self.ty(*a)))?,
            Expr::Library(..) => return Err(CodeError::unsupported("functions of C's library")),
            Expr::Overflows(op, a, b) => {
                Op::Scalar2(scalars::overflows(*op), to, [self.reg(*a), self.reg(*b)])
            }
            Expr::Fma(a, b, c) => {
                let operands = [a, b, c].map(|value| self.reg(*value));
                match class {
                    Class::Scalar => {
                        let fma = scalars::fma(ty.kind, self.fma).ok_or_else(|| misfit("fma", ty))?;
                        Op::Scalar3(fma, to, operands)
                    }
                    Class::Lanes => Op::Lanes3(vectors::fma(self.fma), to, operands),
                    Class::Pair => Op::Pair3(vectors::pair_fma(self.fma), to, operands),
                }
            }
            Expr::Select(c, a, b) => {
                let operands = [c, a, b].map(|value| self.reg(*value));
                match class {
                    Class::Scalar => Op::Scalar3(scalars::select, to, operands),
                    Class::Lanes => Op::Lanes3(vectors::select, to, operands),
                    Class::Pair => Op::SelectPair(to, operands),
                }
            }
        }))
    }

    fn extract(&self, to: Reg, a: ValueId, lane: u8) -> Op {
        let (ty, from) = (self.ty(a), self.reg(a));
        match self.class(a) {
            Class::Pair => Op::Spread(Spread::ExtractPair(to, from, lane)),
            Class::Lanes | Class::Scalar => {
                Op::Spread(Spread::Extract(ty.kind == Kind::Bool, to, from, lane))
            }
        }
    }

    fn unary(&self, id: ValueId, op: Unary, a: ValueId) -> Option<Op> {
        let (to, from) = (self.reg(id), self.reg(a));
        let (from_kind, kind) = (self.ty(a).kind, self.ty(id).kind);
        Some(match (self.class(a), self.class(id)) {
            (Class::Scalar, Class::Scalar) => Op::Scalar1(scalars::unary(op, from_kind, kind)?, to, from),
            (Class::Lanes, Class::Lanes) => Op::Lanes1(vectors::unary(op, from_kind, kind)?, to, from),
            (Class::Pair, Class::Pair) => Op::Pair1(vectors::pair_unary(op, from_kind, kind)?, to, from),
            (Class::Lanes, Class::Pair) => Op::Widen(vectors::widen(op, from_kind, kind)?, to, from),
            _ => return None,
        })
    }

    fn binary(&self, id: ValueId, op: Binary, a: ValueId, b: ValueId) -> Option<Op> {
        let (to, operands, kind) = (self.reg(id), [self.reg(a), self.reg(b)], self.ty(a).kind);
        Some(match (self.class(a), self.class(b), self.class(id)) {
            (Class::Scalar, Class::Scalar, Class::Scalar) => {
                Op::Scalar2(scalars::binary(op, kind)?, to, operands)
            }
            (Class::Lanes, Class::Lanes, Class::Lanes) => {
                Op::Lanes2(vectors::binary(op, kind)?, to, operands)
            }
            (Class::Lanes, Class::Scalar, Class::Lanes) => Op::LanesScalar(vectors::shift(op)?, to, operands),
            (Class::Pair, Class::Pair, Class::Pair) => {
                Op::Pair2(vectors::pair_binary(op, kind)?, to, operands)
            }
            (Class::Pair, Class::Scalar, Class::Pair) => {
                Op::PairScalar(vectors::pair_shift(op)?, to, operands)
            }
            (Class::Pair, Class::Pair, Class::Lanes) => {
                Op::Compare(vectors::pair_compare(op, kind)?, to, operands)
            }
            _ => return None,
        })
    }
}

fn misfit(op: impl std::fmt::Debug, ty: Ty) -> CodeError {
    CodeError::internal(format!("interpreter: {op:?} of {} lanes of {:?}", ty.lanes, ty.kind))
}
