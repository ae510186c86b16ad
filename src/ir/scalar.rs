//! The scalar expression of a loop: what is computed at one point of its domain.

use super::affine::{Affine, Var};
use super::dim::Dim;
use super::hash::Interner;
pub use super::operators::{BinaryOp, UnaryOp};
use super::types::Elem;
use std::hash::{Hash, Hasher};

/// A float that can be compared and hashed: by its bits.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The index of a scalar in a [`Body`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScalarId(pub u32);

/// One scalar operation. Operands stand before users.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scalar {
    Float(Number),
    Int(i64),
    Bool(bool),
    /// An affine expression of the indices, as an int. A size is one without indices.
    Affine(Affine),
    /// An element of an operand of the loop. The out-of-bounds mode is `padded`: outside of the operand the value
    /// is 0 (`false`). Otherwise all subscripts are in bounds, which whoever made the loop has proven.
    Read {
        operand: u32,
        subs: Vec<Sub>,
        padded: bool,
    },
    Unary(UnaryOp, ScalarId),
    Binary(BinaryOp, ScalarId, ScalarId),
    /// Lazy: the branch that is not taken has no effect, not even on derivatives.
    Select(ScalarId, ScalarId, ScalarId),
    /// `value`, whose derivative by `arg` is declared to be `slope`; `value` and `slope` are otherwise
    /// constants for derivatives, except that `slope` is differentiated in turn for higher orders.
    WithSlope {
        value: ScalarId,
        arg: ScalarId,
        slope: ScalarId,
    },
}

/// One subscript of a read or write.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sub {
    Affine(Affine),
    /// An int computed in the body, such as an element of an integer tensor.
    Value(ScalarId),
}

/// A scalar expression as a list with shared parts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    pub nodes: Vec<Scalar>,
    pub result: ScalarId,
}

impl Body {
    /// All affine expressions in the body: those that are values and those that are subscripts.
    pub fn affines(&self) -> impl Iterator<Item = &Affine> {
        self.nodes.iter().flat_map(Scalar::affines)
    }

    /// For each scalar the loop indices that it varies with.
    pub fn dependences(&self) -> Vec<IndexSet> {
        let mut all: Vec<IndexSet> = Vec::with_capacity(self.nodes.len());
        for scalar in &self.nodes {
            let mut indices = IndexSet::default();
            for (var, _) in scalar.affines().flat_map(|affine| &affine.terms) {
                if let Var::Index(index) = var {
                    indices.insert(*index as usize);
                }
            }
            scalar.for_each_operand(|id| indices = indices.union(all[id.0 as usize]));
            all.push(indices);
        }
        all
    }
}

/// A set of loop indices. Indices from 63 on are one element of it, so of very large domains it says too much.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct IndexSet(u64);

impl IndexSet {
    pub fn insert(&mut self, index: usize) {
        self.0 |= 1 << index.min(63);
    }

    pub fn contains(self, index: usize) -> bool {
        self.0 >> index.min(63) & 1 == 1
    }

    pub fn union(self, other: IndexSet) -> IndexSet {
        IndexSet(self.0 | other.0)
    }

    pub fn is_subset(self, other: IndexSet) -> bool {
        self.0 & !other.0 == 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl std::ops::Index<ScalarId> for Body {
    type Output = Scalar;
    fn index(&self, id: ScalarId) -> &Scalar {
        &self.nodes[id.0 as usize]
    }
}

impl Scalar {
    /// The affine expressions of the scalar: itself or its subscripts.
    pub fn affines(&self) -> impl Iterator<Item = &Affine> {
        let (value, subs): (Option<&Affine>, &[Sub]) = match self {
            Scalar::Affine(affine) => (Some(affine), &[]),
            Scalar::Read { subs, .. } => (None, subs),
            Scalar::Float(_)
            | Scalar::Int(_)
            | Scalar::Bool(_)
            | Scalar::Unary(..)
            | Scalar::Binary(..)
            | Scalar::Select(..)
            | Scalar::WithSlope { .. } => (None, &[]),
        };
        let subscripts = subs.iter().filter_map(|sub| match sub {
            Sub::Affine(affine) => Some(affine),
            Sub::Value(_) => None,
        });
        value.into_iter().chain(subscripts)
    }

    /// Whether the operation is an elementary function, expensive to compute again.
    pub fn is_function(&self) -> bool {
        match self {
            Scalar::Unary(op, _) => op.properties().is_function,
            Scalar::Binary(op, ..) => op.properties().is_function,
            _ => false,
        }
    }

    /// Calls `visit` with every operand, subscripts included.
    pub fn for_each_operand(&self, mut visit: impl FnMut(ScalarId)) {
        match self {
            Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) => {}
            Scalar::Read { subs, .. } => subs.iter().for_each(|sub| {
                if let Sub::Value(id) = sub {
                    visit(*id);
                }
            }),
            Scalar::Unary(_, a) => visit(*a),
            Scalar::Binary(_, a, b) => {
                visit(*a);
                visit(*b);
            }
            Scalar::Select(c, a, b) | Scalar::WithSlope { value: c, arg: a, slope: b } => {
                visit(*c);
                visit(*a);
                visit(*b);
            }
        }
    }

    /// The same operation on other operands.
    pub fn map_operands(&self, mut to: impl FnMut(ScalarId) -> ScalarId) -> Scalar {
        match self {
            Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) => self.clone(),
            Scalar::Read { operand, subs, padded } => {
                let subs = subs.iter().map(|sub| match sub {
                    Sub::Affine(affine) => Sub::Affine(affine.clone()),
                    Sub::Value(id) => Sub::Value(to(*id)),
                });
                Scalar::Read { operand: *operand, subs: subs.collect(), padded: *padded }
            }
            Scalar::Unary(op, a) => Scalar::Unary(*op, to(*a)),
            Scalar::Binary(op, a, b) => {
                let (a, b) = (to(*a), to(*b));
                Scalar::Binary(*op, a, b)
            }
            Scalar::Select(c, a, b) => {
                let (c, a, b) = (to(*c), to(*a), to(*b));
                Scalar::Select(c, a, b)
            }
            Scalar::WithSlope { value, arg, slope } => {
                let (value, arg, slope) = (to(*value), to(*arg), to(*slope));
                Scalar::WithSlope { value, arg, slope }
            }
        }
    }

    /// The same operation with other affine expressions (in subscripts and as a value).
    pub fn map_affine(&self, mut to: impl FnMut(&Affine) -> Affine) -> Scalar {
        match self {
            Scalar::Affine(affine) => Scalar::Affine(to(affine)),
            Scalar::Read { operand, subs, padded } => {
                let subs = subs.iter().map(|sub| match sub {
                    Sub::Affine(affine) => Sub::Affine(to(affine)),
                    Sub::Value(id) => Sub::Value(*id),
                });
                Scalar::Read { operand: *operand, subs: subs.collect(), padded: *padded }
            }
            other => other.clone(),
        }
    }
}

/// Makes a [`Body`]: shares equal parts and knows the type of each.
#[derive(Clone, Default, Debug)]
pub struct BodyBuilder {
    nodes: Vec<Scalar>,
    elems: Vec<Elem>,
    interned: Interner,
}

impl BodyBuilder {
    pub fn elem(&self, id: ScalarId) -> Elem {
        self.elems[id.0 as usize]
    }

    pub fn scalar(&self, id: ScalarId) -> &Scalar {
        &self.nodes[id.0 as usize]
    }

    /// All scalars so far.
    pub fn scalars(&self) -> &[Scalar] {
        &self.nodes
    }

    /// Adds an operation, or finds the equal one that is there. `read_elem` gives the element type of an operand of
    /// the loop.
    ///
    /// # Panics
    /// In debug builds, if the operands have the wrong types: a mistake of the caller, not of a user.
    pub fn add(&mut self, scalar: Scalar, read_elem: impl FnOnce(u32) -> Elem) -> ScalarId {
        let slot = match self.interned.find(&scalar, |id| self.nodes[id as usize] == scalar) {
            Ok(id) => return ScalarId(id),
            Err(slot) => slot,
        };
        let elem = match &scalar {
            Scalar::Float(_) => Elem::Float,
            Scalar::Int(_) | Scalar::Affine(_) => Elem::Int,
            Scalar::Bool(_) => Elem::Bool,
            Scalar::Read { operand, .. } => read_elem(*operand),
            Scalar::Unary(op, a) => {
                let elem = op.result(self.elem(*a));
                debug_assert!(elem.is_some(), "{} of {:?}", op.name(), self.elem(*a));
                elem.unwrap_or(Elem::Float)
            }
            Scalar::Binary(op, a, b) => {
                let elem = op.result(self.elem(*a));
                debug_assert!(
                    elem.is_some() && self.elem(*a) == self.elem(*b),
                    "{} of {:?} and {:?}",
                    op.name(),
                    self.elem(*a),
                    self.elem(*b)
                );
                elem.unwrap_or(Elem::Float)
            }
            Scalar::Select(_, a, b) => {
                debug_assert_eq!(self.elem(*a), self.elem(*b), "branches of a select");
                self.elem(*a)
            }
            Scalar::WithSlope { value, .. } => self.elem(*value),
        };
        let id = ScalarId(self.nodes.len() as u32);
        self.nodes.push(scalar);
        self.elems.push(elem);
        self.interned.enter(slot, id.0);
        id
    }

    /// The finished expression, with only the scalars that `result` and `also` need, [in order](in_order). Returns
    /// also the new ids of the scalars of `also`.
    pub fn finish(&self, result: ScalarId, also: &[ScalarId]) -> (Body, Vec<ScalarId>) {
        let roots: Vec<ScalarId> = also.iter().copied().chain([result]).collect();
        let (nodes, new_ids) = in_order(&self.nodes, &roots);
        let also = also.iter().map(|id| new_ids[id.0 as usize]).collect();
        (Body { nodes, result: new_ids[result.0 as usize] }, also)
    }
}

/// The scalars that `roots` need, in the order in which they are first needed: the operands of the first root
/// from left to right, then the root itself, and so on. So equal expressions are equal lists, however they were
/// built. Returns also the new id of each scalar (0 for those left out).
pub fn in_order(nodes: &[Scalar], roots: &[ScalarId]) -> (Vec<Scalar>, Vec<ScalarId>) {
    let mut new_ids: Vec<Option<ScalarId>> = vec![None; nodes.len()];
    let mut ordered: Vec<Scalar> = Vec::new();
    for root in roots {
        let mut pending = vec![*root];
        while let Some(id) = pending.last().copied() {
            if new_ids[id.0 as usize].is_some() {
                pending.pop();
                continue;
            }
            let scalar = &nodes[id.0 as usize];
            let mut missing = None;
            scalar.for_each_operand(|operand| {
                if missing.is_none() && new_ids[operand.0 as usize].is_none() {
                    missing = Some(operand);
                }
            });
            if let Some(operand) = missing {
                pending.push(operand);
                continue;
            }
            let new_id = |operand: ScalarId| new_ids[operand.0 as usize].unwrap_or(ScalarId(0));
            let moved = scalar.map_operands(new_id);
            new_ids[id.0 as usize] = Some(ScalarId(ordered.len() as u32));
            ordered.push(moved);
            pending.pop();
        }
    }
    (ordered, new_ids.into_iter().map(|id| id.unwrap_or(ScalarId(0))).collect())
}

/// A size as a scalar.
pub fn size(dim: &Dim) -> Scalar {
    Scalar::Affine(Affine::constant(dim.clone()))
}
