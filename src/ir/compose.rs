//! Composition of loops: the expression of one loop is put into another, with other indices or in place of a read
//! (inlining, the basis of fusion).

use super::affine::{Affine, StepId, Var};
use super::build::{LoopBuilder, LoopNode};
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, NodeId, Op};
use super::scalar::{BinaryOp, Body, Scalar, ScalarId, Sub};

/// Adds a scalar to the builder, as it is or simplified. The number is that of the scalar in the body that is
/// pasted.
pub type Make<'m> = dyn FnMut(&mut LoopBuilder<'_>, usize, Scalar) -> ScalarId + 'm;

/// An affine expression after each of its variables has been replaced by a subscript.
pub fn place(l: &mut LoopBuilder<'_>, affine: &Affine, at: &mut dyn FnMut(Var) -> Sub) -> Sub {
    let mut linear = Affine::constant(affine.constant.clone());
    let mut computed: Option<ScalarId> = None;
    for (var, coefficient) in &affine.terms {
        match at(*var) {
            Sub::Affine(inner) => linear = linear.add(&inner.scale(coefficient)),
            Sub::Value(id) => {
                let term = if coefficient.is_number(1) {
                    id
                } else {
                    let factor = l.affine(Affine::constant(coefficient.clone()));
                    l.binary(BinaryOp::Mul, factor, id)
                };
                computed = Some(match computed {
                    Some(sum) => l.binary(BinaryOp::Add, sum, term),
                    None => term,
                });
            }
        }
    }
    match computed {
        None => Sub::Affine(linear),
        Some(id) if linear.as_number() == Some(0) => Sub::Value(id),
        Some(id) => {
            let rest = l.affine(linear);
            Sub::Value(l.binary(BinaryOp::Add, id, rest))
        }
    }
}

/// Copies the scalars of `body`, whose reads are of `operands`, into the builder, replacing each index or step `v`
/// by `at(v)`. Returns for each scalar its copy.
pub fn paste(
    l: &mut LoopBuilder<'_>,
    body: &Body,
    operands: &[NodeId],
    at: &mut dyn FnMut(Var) -> Sub,
    make: &mut Make<'_>,
) -> Vec<ScalarId> {
    let mut places: Vec<ScalarId> = Vec::with_capacity(body.nodes.len());
    for (index, scalar) in body.nodes.iter().enumerate() {
        let id = match scalar {
            Scalar::Affine(affine) => match place(l, affine, at) {
                Sub::Affine(affine) => make(l, index, Scalar::Affine(affine)),
                Sub::Value(id) => id,
            },
            Scalar::Read { operand, subs, padded } => {
                let subs = subs.iter().map(|sub| paste_sub(l, sub, &places, at)).collect();
                let operand = l.operand(operands[*operand as usize]);
                make(l, index, Scalar::Read { operand, subs, padded: *padded })
            }
            Scalar::Float(_)
            | Scalar::Int(_)
            | Scalar::Bool(_)
            | Scalar::Unary(..)
            | Scalar::Binary(..)
            | Scalar::Select(..)
            | Scalar::WithSlope { .. } => {
                make(l, index, scalar.map_operands(|operand| places[operand.0 as usize]))
            }
        };
        places.push(id);
    }
    places
}

/// A subscript of a pasted body.
pub fn paste_sub(
    l: &mut LoopBuilder<'_>,
    sub: &Sub,
    places: &[ScalarId],
    at: &mut dyn FnMut(Var) -> Sub,
) -> Sub {
    match sub {
        Sub::Affine(affine) => place(l, affine, at),
        Sub::Value(id) => Sub::Value(places[id.0 as usize]),
    }
}

/// The subscript of an index or step that is not replaced.
pub fn same(var: Var) -> Sub {
    Sub::Affine(Affine::var(var))
}

impl Loop {
    /// If the loop is a map, `out[i] = e(i)` for every element: for each index of its domain the axis that it
    /// subscripts.
    pub fn as_function(&self) -> Option<Vec<usize>> {
        if self.dropping || self.combine != Combine::Set || self.write.len() != self.domain.len() {
            return None;
        }
        let mut axes = vec![usize::MAX; self.domain.len()];
        for axis in 0..self.write.len() {
            let index = self.write_index(axis)?;
            if axes[index] != usize::MAX || self.domain[index] != self.shape[axis] {
                return None;
            }
            axes[index] = axis;
        }
        Some(axes)
    }

    /// Whether every element is written at exactly one point, that of its subscripts: `out[i, j] combine= e(i, j)`.
    pub fn writes_at_each_point(&self) -> bool {
        !self.dropping
            && self.domain == self.shape
            && (0..self.write.len()).all(|axis| self.write_index(axis) == Some(axis))
    }

    /// Whether the loop is a map whose result has the axes of its domain, in their order.
    pub fn is_elementwise(&self) -> bool {
        self.combine == Combine::Set && self.writes_at_each_point()
    }

    /// Whether the body is nothing but a read of the element of an operand.
    pub fn is_view(&self) -> bool {
        matches!(self.body[self.body.result], Scalar::Read { .. })
    }
}

/// The element `node[subs]` of a loop that is a map ([`Loop::as_function`]), as an expression of the operands of
/// that loop. `padded`: 0 outside of the node.
pub fn inline(
    l: &mut LoopBuilder<'_>,
    graph: &Graph,
    node: NodeId,
    subs: &[Sub],
    padded: bool,
    make: &mut Make<'_>,
) -> Option<ScalarId> {
    let Op::Loop(producer) = &graph[node].op else { return None };
    let axes = producer.as_function()?;
    let operands = &graph[node].operands;
    let mut at = |var: Var| match var {
        Var::Index(index) => subs[axes[index as usize]].clone(),
        Var::Step(_) => same(var),
    };
    if !padded {
        let places = paste(l, &producer.body, operands, &mut at, make);
        return Some(places[producer.body.result.0 as usize]);
    }
    let inside = inside(l, subs, &producer.shape);
    // Where the test fails the subscripts may be out of bounds, so each read must be padded as well.
    let mut padding = |l: &mut LoopBuilder<'_>, index: usize, scalar: Scalar| match scalar {
        Scalar::Read { operand, subs, .. } => make(l, index, Scalar::Read { operand, subs, padded: true }),
        other => make(l, index, other),
    };
    let places = paste(l, &producer.body, operands, &mut at, &mut padding);
    let value = places[producer.body.result.0 as usize];
    Some(match inside {
        None => value,
        Some(test) => {
            let zero = match l.elem(value) {
                super::Elem::Float => l.float(0.0),
                super::Elem::Int => l.int(0),
                super::Elem::Bool => l.bool(false),
            };
            l.select(test, value, zero)
        }
    })
}

/// The bounds check of subscripts against a shape; `None` if they are always in bounds.
pub fn inside(l: &mut LoopBuilder<'_>, subs: &[Sub], shape: &[Dim]) -> Option<ScalarId> {
    let mut all: Option<ScalarId> = None;
    for (sub, size) in subs.iter().zip(shape) {
        let (not_below, not_above) = match sub {
            Sub::Value(_) => (false, false),
            Sub::Affine(affine) => {
                let domain = l.domain().to_vec();
                let bounds = affine
                    .terms
                    .iter()
                    .all(|(var, _)| matches!(var, Var::Index(_)))
                    .then(|| {
                        affine.bounds(|var| match var {
                            Var::Index(index) => domain[index as usize].clone(),
                            Var::Step(_) => Dim::ONE,
                        })
                    })
                    .flatten();
                bounds.map_or((false, false), |(least, greatest)| {
                    (least.at_least(&Dim::ZERO), (size - &Dim::ONE).at_least(&greatest))
                })
            }
        };
        if not_below && not_above {
            continue;
        }
        let value = match sub {
            Sub::Affine(affine) => l.affine(affine.clone()),
            Sub::Value(id) => *id,
        };
        let mut tests = Vec::new();
        if !not_below {
            let zero = l.int(0);
            tests.push(l.binary(BinaryOp::Le, zero, value));
        }
        if !not_above {
            let end = l.size(size);
            tests.push(l.binary(BinaryOp::Lt, value, end));
        }
        for test in tests {
            all = Some(match all {
                Some(sum) => l.binary(BinaryOp::And, sum, test),
                None => test,
            });
        }
    }
    all
}

/// A loop in the body of a scan for all steps at once: the step becomes its first index, and the operands marked in
/// `stacked` are read at that index of a new first axis.
pub fn over_steps(body: &Loop, step: StepId, trip: &Dim, stacked: &[bool]) -> Loop {
    let mut body = body.clone();
    let shift = |affine: &Affine| {
        affine.substitute(|var| match var {
            Var::Index(index) => Affine::index(index as usize + 1),
            Var::Step(counter) if counter == step => Affine::index(0),
            Var::Step(_) => Affine::var(var),
        })
    };
    for scalar in &mut body.body.nodes {
        *scalar = scalar.map_affine(shift);
        if let Scalar::Read { operand, subs, .. } = scalar
            && stacked[*operand as usize]
        {
            subs.insert(0, Sub::Affine(Affine::index(0)));
        }
    }
    body.write = body.write.iter().map(|sub| sub.map_affine(shift)).collect();
    body.domain.insert(0, trip.clone());
    body
}

/// The loop in normal form: indices that are subscripts of the write by themselves come first, in the order of the
/// axes, and `Add` becomes `Set` where no element is written twice.
pub fn normalise(node: LoopNode) -> LoopNode {
    let LoopNode { mut body, operands } = node;
    let mut order: Vec<usize> = Vec::with_capacity(body.domain.len());
    for axis in 0..body.write.len() {
        if let Some(index) = body.write_index(axis)
            && !order.contains(&index)
        {
            order.push(index);
        }
    }
    order.extend((0..body.domain.len()).filter(|index| !order.contains(index)).collect::<Vec<_>>());
    if order.iter().enumerate().any(|(new, old)| new != *old) {
        let mut new_place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_place[*old] = new;
        }
        let renumber = |affine: &Affine| {
            affine.substitute(|var| match var {
                Var::Index(index) => Affine::index(new_place[index as usize]),
                Var::Step(_) => Affine::var(var),
            })
        };
        body.body.nodes.iter_mut().for_each(|scalar| *scalar = scalar.map_affine(renumber));
        for sub in &mut body.write {
            if let Sub::Affine(affine) = sub {
                *sub = Sub::Affine(renumber(affine));
            }
        }
        body.domain = order.iter().map(|old| body.domain[*old].clone()).collect();
    }
    if body.combine == Combine::Add && writes_once(&body) {
        body.combine = Combine::Set;
    }
    LoopNode { body, operands }
}

/// Whether certainly no element is written twice: every index is a subscript by itself.
pub fn writes_once(body: &Loop) -> bool {
    (0..body.domain.len()).all(|index| {
        body.domain[index].is_number(1)
            || body.write.iter().any(|sub| match sub {
                Sub::Value(_) => false,
                Sub::Affine(affine) => {
                    match affine.terms.iter().filter(is_index).collect::<Vec<_>>().as_slice() {
                        [(Var::Index(alone), coefficient)] => {
                            *alone as usize == index
                                && (coefficient.at_least(&Dim::ONE) || Dim::number(-1).at_least(coefficient))
                        }
                        _ => false,
                    }
                }
            })
    })
}

fn is_index(term: &&(Var, Dim)) -> bool {
    matches!(term.0, Var::Index(_))
}
