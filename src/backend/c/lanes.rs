//! Which statements share a loop over the lanes of vectors.
//!
//! A vector of the loop IR is a short loop in C, which compilers turn into vectors again. As many statements as
//! possible share one, so that their values need not be arrays; what is used elsewhere is one.

use std::collections::HashSet;
use std::ops::Range;

use super::stores;
use crate::loops::{Address, Expr, Kernel, Stmt, ValueId};

/// A part of a block.
pub enum Piece<'k> {
    /// A statement on scalars, or one that makes an array of scalars.
    One(&'k Stmt),
    /// `for (l = 0; l < lanes; ++l) { … }`
    Lanes(u8, Vec<&'k Stmt>),
    /// A store of some of the lanes of an array.
    Part(&'k Stmt, Range<i64>),
    For(&'k crate::loops::For, Vec<Piece<'k>>),
    If(ValueId, Vec<Piece<'k>>),
}

/// What stands in memory at one place of a vector.
struct Access<'k> {
    address: &'k Address,
    /// From lane to lane.
    stride: i64,
    lanes: u8,
    is_store: bool,
}

/// Divides blocks into pieces.
pub struct Divider<'k> {
    pub kernel: &'k Kernel,
    /// Of each parameter, those that may reach its memory.
    pub aliases: Vec<Vec<u32>>,
}

/// The loop over lanes that statements are added to.
struct Group<'k> {
    at: usize,
    lanes: u8,
    defined: HashSet<ValueId>,
    accesses: Vec<Access<'k>>,
}

impl<'k> Divider<'k> {
    pub fn divide(&self, block: &'k [Stmt]) -> Vec<Piece<'k>> {
        let mut pieces: Vec<Piece<'k>> = Vec::new();
        let mut group: Option<Group<'k>> = None;
        for (at, stmt) in block.iter().enumerate() {
            match stmt {
                Stmt::For(inner) => {
                    group = None;
                    pieces.push(Piece::For(inner, self.divide(&inner.body)));
                }
                Stmt::If { condition, then } => {
                    group = None;
                    pieces.push(Piece::If(*condition, self.divide(then)));
                }
                Stmt::Check { .. } => {}
                Stmt::Let(value, expr) if self.is_everywhere(*value, expr) => {
                    // It is written where it is used, so it must not be used before its operand is there.
                    if let Some(open) = &group
                        && uses(expr).iter().any(|used| open.defined.contains(used))
                    {
                        group = None;
                    }
                }
                Stmt::Store { value, .. } if self.lanes(*value) > 1 => {
                    let lanes = self.lanes(*value);
                    let lasting = stores::lasting(block, at, self.kernel, &self.aliases);
                    if lasting == (0..i64::from(lanes)) {
                        self.add(stmt, lanes, &mut pieces, &mut group);
                    } else if !lasting.is_empty() {
                        // Whatever depends on its order opens another loop.
                        group.iter_mut().for_each(|open| open.accesses.extend(access(stmt, lanes)));
                        pieces.push(Piece::Part(stmt, lasting));
                    }
                }
                Stmt::Let(..) | Stmt::Store { .. } => match self.lanes_of(stmt) {
                    Some(lanes) => self.add(stmt, lanes, &mut pieces, &mut group),
                    None => self.place(stmt, &mut pieces, &mut group),
                },
            }
        }
        pieces
    }

    /// Whether a value is written out at each of its uses: the same in all lanes, or the number of the lane.
    pub fn is_everywhere(&self, value: ValueId, expr: &Expr) -> bool {
        let lanes = self.lanes(value);
        match expr {
            Expr::Splat(_) | Expr::Iota(_) => lanes > 1,
            Expr::Float(_) | Expr::Int(_) | Expr::Bool(_) => true,
            _ => false,
        }
    }

    fn lanes(&self, value: ValueId) -> u8 {
        self.kernel.types[value.0 as usize].lanes
    }

    /// The number of lanes of a statement that does the same in each.
    fn lanes_of(&self, stmt: &Stmt) -> Option<u8> {
        let (value, is_plain) = match stmt {
            Stmt::Let(value, expr) => (*value, is_by_lane(expr)),
            Stmt::Store { value, .. } => (*value, true),
            Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => return None,
        };
        let lanes = self.lanes(value);
        (is_plain && lanes > 1).then_some(lanes)
    }

    /// Adds a statement on lanes to the open loop, or to a new one.
    fn add(
        &self,
        stmt: &'k Stmt,
        lanes: u8,
        pieces: &mut Vec<Piece<'k>>,
        group: &mut Option<Group<'k>>,
    ) {
        let access = access(stmt, lanes);
        let fits = group.as_ref().is_some_and(|open| {
            open.lanes == lanes
                && access.iter().all(|new| open.accesses.iter().all(|old| !self.conflict(old, new)))
        });
        if !fits {
            let none = (HashSet::new(), Vec::new());
            *group = Some(Group { at: pieces.len(), lanes, defined: none.0, accesses: none.1 });
            pieces.push(Piece::Lanes(lanes, Vec::new()));
        }
        let Some(open) = group else { return };
        if let Some(Piece::Lanes(_, statements)) = pieces.get_mut(open.at) {
            statements.push(stmt);
        }
        open.accesses.extend(access);
        if let Stmt::Let(value, _) = stmt {
            open.defined.insert(*value);
        }
    }

    /// Puts another statement before the open loop if it does not depend on it, else behind it.
    fn place(&self, stmt: &'k Stmt, pieces: &mut Vec<Piece<'k>>, group: &mut Option<Group<'k>>) {
        let accesses = accesses(stmt);
        if let Some(open) = group {
            let is_free = match stmt {
                Stmt::Let(_, expr) => uses(expr).iter().all(|used| !open.defined.contains(used)),
                _ => false,
            };
            let meets = accesses.iter().any(|new| open.accesses.iter().any(|old| self.conflict(old, new)));
            if is_free && !meets {
                pieces.insert(open.at, Piece::One(stmt));
                open.at += 1;
                return;
            }
        }
        *group = None;
        pieces.push(Piece::One(stmt));
    }

    /// Whether the order of two accesses matters, lane by lane.
    fn conflict(&self, old: &Access<'_>, new: &Access<'_>) -> bool {
        if !old.is_store && !new.is_store {
            return false;
        }
        let (a, b) = (old.address, new.address);
        if a.param != b.param {
            return self.aliases[a.param as usize].contains(&b.param);
        }
        if old.stride != 1 || new.stride != 1 || a.index.terms != b.index.terms {
            return true;
        }
        let distance = b.index.constant - a.index.constant;
        let is_same = distance == 0 && old.lanes == new.lanes;
        let is_apart = distance >= i64::from(old.lanes) || -distance >= i64::from(new.lanes);
        !is_same && !is_apart
    }
}

/// The values that an expression uses.
pub fn uses(expr: &Expr) -> Vec<ValueId> {
    let mut all = Vec::new();
    expr.for_each_value(|value| all.push(value));
    all
}

/// Whether an expression of vectors does the same in each lane.
fn is_by_lane(expr: &Expr) -> bool {
    match expr {
        Expr::Load(_) | Expr::Unary(..) | Expr::Binary(..) | Expr::Fma(..) => true,
        Expr::Select(..) | Expr::Library(..) => true,
        Expr::Gather(addresses) => stride(addresses).is_some(),
        _ => false,
    }
}

/// What the addresses of a gather move by from lane to lane, if that is the same everywhere.
pub fn stride(addresses: &[Address]) -> Option<i64> {
    let [first, second, ..] = addresses else { return None };
    let stride = second.index.constant - first.index.constant;
    let is_at = |(lane, address): (usize, &Address)| {
        address.param == first.param
            && address.index.terms == first.index.terms
            && address.index.constant == first.index.constant + lane as i64 * stride
    };
    addresses.iter().enumerate().all(is_at).then_some(stride)
}

/// The access of a statement that does the same in each lane.
fn access(stmt: &Stmt, lanes: u8) -> Option<Access<'_>> {
    match stmt {
        Stmt::Store { address, .. } => Some(Access { address, stride: 1, lanes, is_store: true }),
        Stmt::Let(_, Expr::Load(address)) => Some(Access { address, stride: 1, lanes, is_store: false }),
        Stmt::Let(_, Expr::Gather(addresses)) => {
            let stride = stride(addresses)?;
            Some(Access { address: addresses.first()?, stride, lanes, is_store: false })
        }
        _ => None,
    }
}

/// The accesses of any other statement, one by one.
fn accesses(stmt: &Stmt) -> Vec<Access<'_>> {
    match stmt {
        Stmt::Let(_, Expr::Gather(addresses)) => {
            addresses.iter().map(|address| Access { address, stride: 1, lanes: 1, is_store: false }).collect()
        }
        _ => access(stmt, 1).into_iter().collect(),
    }
}
