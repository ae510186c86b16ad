//! The scalar expression of a loop: what is computed at one point of its domain.

use super::affine::Affine;
use super::dim::Dim;
use super::hash::Interner;
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

/// A place in a [`Body`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScalarId(pub u32);

/// One scalar operation. Operands stand before users.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Scalar {
    Float(Number),
    Int(i64),
    Bool(bool),
    /// A linear form of the indices, as an int. A size is one without indices.
    Affine(Affine),
    /// An element of an operand of the loop. `padded`: outside the operand it is 0 (`false`);
    /// otherwise the subscripts are within it, which the maker of the loop has proven.
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

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum UnaryOp {
    Neg,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Sqrt,
    Erf,
    /// The distribution function of the standard normal distribution.
    NormalCdf,
    Floor,
    Ceil,
    /// To the nearest, ties to even.
    Round,
    Not,
    /// From int or bool.
    ToFloat,
    /// From float (towards zero; the nearest int where none is, 0 of NaN) or bool.
    ToInt,
    /// The value itself; a constant for derivatives.
    Stop,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    /// Of floats.
    Div,
    /// Of floats: exp(y log x).
    Pow,
    /// Of ints, rounded down; by zero it gives 0.
    FloorDiv,
    /// Of ints: `a - b * floor(a / b)`; by zero it gives 0.
    Mod,
    Lt,
    Le,
    Eq,
    And,
    Or,
}

/// A scalar expression as a list with shared parts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Body {
    pub nodes: Vec<Scalar>,
    pub result: ScalarId,
}

impl Body {
    /// All linear forms of indices in it: those of values and those of subscripts.
    pub fn affines(&self) -> impl Iterator<Item = &Affine> {
        self.nodes.iter().flat_map(|scalar| {
            let (value, subs): (Option<&Affine>, &[Sub]) = match scalar {
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
        })
    }
}

impl std::ops::Index<ScalarId> for Body {
    type Output = Scalar;
    fn index(&self, id: ScalarId) -> &Scalar {
        &self.nodes[id.0 as usize]
    }
}

impl UnaryOp {
    pub const ALL: [UnaryOp; 16] = [
        UnaryOp::Neg,
        UnaryOp::Exp,
        UnaryOp::Log,
        UnaryOp::Sin,
        UnaryOp::Cos,
        UnaryOp::Tanh,
        UnaryOp::Sqrt,
        UnaryOp::Erf,
        UnaryOp::NormalCdf,
        UnaryOp::Floor,
        UnaryOp::Ceil,
        UnaryOp::Round,
        UnaryOp::Not,
        UnaryOp::ToFloat,
        UnaryOp::ToInt,
        UnaryOp::Stop,
    ];

    /// Its spelling in the text form.
    pub fn name(self) -> &'static str {
        match self {
            UnaryOp::Neg => "neg",
            UnaryOp::Exp => "exp",
            UnaryOp::Log => "log",
            UnaryOp::Sin => "sin",
            UnaryOp::Cos => "cos",
            UnaryOp::Tanh => "tanh",
            UnaryOp::Sqrt => "sqrt",
            UnaryOp::Erf => "erf",
            UnaryOp::NormalCdf => "normal_cdf",
            UnaryOp::Floor => "floor",
            UnaryOp::Ceil => "ceil",
            UnaryOp::Round => "round",
            UnaryOp::Not => "not",
            UnaryOp::ToFloat => "float",
            UnaryOp::ToInt => "int",
            UnaryOp::Stop => "stop",
        }
    }

    /// The type of the result for an operand of type `elem`; `None` if it does not apply.
    pub fn result(self, elem: Elem) -> Option<Elem> {
        match (self, elem) {
            (UnaryOp::Neg, Elem::Int) => Some(Elem::Int),
            (UnaryOp::Not, Elem::Bool) => Some(Elem::Bool),
            (UnaryOp::ToFloat, Elem::Int | Elem::Bool) => Some(Elem::Float),
            (UnaryOp::ToInt, Elem::Float | Elem::Bool) => Some(Elem::Int),
            (UnaryOp::Stop, elem) => Some(elem),
            (UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt, _) => None,
            (_, Elem::Float) => Some(Elem::Float),
            (_, Elem::Int | Elem::Bool) => None,
        }
    }
}

impl BinaryOp {
    pub const ALL: [BinaryOp; 12] = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Pow,
        BinaryOp::FloorDiv,
        BinaryOp::Mod,
        BinaryOp::Lt,
        BinaryOp::Le,
        BinaryOp::Eq,
        BinaryOp::And,
        BinaryOp::Or,
    ];

    /// Its spelling in the text form.
    pub fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::Div => "div",
            BinaryOp::Pow => "pow",
            BinaryOp::FloorDiv => "floordiv",
            BinaryOp::Mod => "mod",
            BinaryOp::Lt => "lt",
            BinaryOp::Le => "le",
            BinaryOp::Eq => "eq",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
        }
    }

    /// The type of the result for two operands of type `elem`; `None` if it does not apply.
    pub fn result(self, elem: Elem) -> Option<Elem> {
        match (self, elem) {
            (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, Elem::Float | Elem::Int) => Some(elem),
            (BinaryOp::Div | BinaryOp::Pow, Elem::Float) => Some(Elem::Float),
            (BinaryOp::FloorDiv | BinaryOp::Mod, Elem::Int) => Some(Elem::Int),
            (BinaryOp::Lt | BinaryOp::Le, Elem::Float | Elem::Int) => Some(Elem::Bool),
            (BinaryOp::Eq, _) => Some(Elem::Bool),
            (BinaryOp::And | BinaryOp::Or, Elem::Bool) => Some(Elem::Bool),
            _ => None,
        }
    }
}

impl Scalar {
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

    /// The same operation with other linear forms (in subscripts and as a value).
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

    /// Adds an operation whose type is known: a read has the element type of its operand.
    ///
    /// # Panics
    /// In debug builds, if the operands do not fit: a mistake of the caller, not of a user.
    pub fn add(&mut self, scalar: Scalar, read_elem: impl FnOnce(u32) -> Elem) -> ScalarId {
        let slot = match self.interned.find(&scalar, |place| self.nodes[place as usize] == scalar) {
            Ok(place) => return ScalarId(place),
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

    /// The finished expression, with only the parts that `result` and `also` need, [in order](in_order).
    /// Returns also where the scalars of `also` have gone.
    pub fn finish(&self, result: ScalarId, also: &[ScalarId]) -> (Body, Vec<ScalarId>) {
        let roots: Vec<ScalarId> = also.iter().copied().chain([result]).collect();
        let (nodes, places) = in_order(&self.nodes, &roots);
        let also = also.iter().map(|id| places[id.0 as usize]).collect();
        (Body { nodes, result: places[result.0 as usize] }, also)
    }
}

/// The scalars that `roots` need, in the order in which they are first needed: the operands of the first root
/// from left to right, then it, and so on. So one expression is one list, however it came about.
/// Returns also where each scalar has gone (0 for those left out).
pub fn in_order(nodes: &[Scalar], roots: &[ScalarId]) -> (Vec<Scalar>, Vec<ScalarId>) {
    let mut places: Vec<Option<ScalarId>> = vec![None; nodes.len()];
    let mut ordered: Vec<Scalar> = Vec::new();
    for root in roots {
        let mut pending = vec![*root];
        while let Some(id) = pending.last().copied() {
            if places[id.0 as usize].is_some() {
                pending.pop();
                continue;
            }
            let scalar = &nodes[id.0 as usize];
            let mut missing = None;
            scalar.for_each_operand(|operand| {
                if missing.is_none() && places[operand.0 as usize].is_none() {
                    missing = Some(operand);
                }
            });
            if let Some(operand) = missing {
                pending.push(operand);
                continue;
            }
            let place = |operand: ScalarId| places[operand.0 as usize].unwrap_or(ScalarId(0));
            let moved = scalar.map_operands(place);
            places[id.0 as usize] = Some(ScalarId(ordered.len() as u32));
            ordered.push(moved);
            pending.pop();
        }
    }
    (ordered, places.into_iter().map(|place| place.unwrap_or(ScalarId(0))).collect())
}

/// A size as a number in the expression.
pub fn size(dim: &Dim) -> Scalar {
    Scalar::Affine(Affine::constant(dim.clone()))
}
