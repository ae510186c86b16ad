//! Loops of all members as one: the member is an index of its own.

use std::sync::Arc;

use super::{Made, Place, Unite, all_equal, longer, number_path};
use crate::ir::affine::{Affine, Var};
use crate::ir::graph::{Graph, Loop, Node, NodeId, Op};
use crate::ir::scalar::{Body, Scalar, Sub};
use crate::ir::types::{Const, ConstData, Elem, Type};

impl Unite<'_> {
    pub(super) fn joined_loop(&mut self, nodes: &[&Node], operands: &[Made]) -> Option<Made> {
        let loops = nodes.iter().map(|node| match &node.op {
            Op::Loop(body) => Some(&**body),
            _ => None,
        });
        let loops: Vec<&Loop> = loops.collect::<Option<_>>()?;
        let first = loops[0];
        let around = |body: &Loop| (body.domain.clone(), body.shape.clone(), body.write.clone());
        let rest = |body: &Loop| (body.dropping, body.combine, body.body.result, body.body.nodes.len());
        if !all_equal(loops.iter().map(|body| around(body))) || !all_equal(loops.iter().map(|body| rest(body))) {
            return None;
        }
        let mut inputs: Vec<NodeId> = operands.iter().map(|operand| operand.node).collect();
        let place = self.options.place;
        let member = match place {
            Place::First => 0,
            Place::Last => first.domain.len(),
        };
        let mut scalars = Vec::with_capacity(first.body.nodes.len());
        let mut varies = operands.iter().any(|operand| operand.axis.is_some());
        for at in 0..first.body.nodes.len() {
            let of_all: Vec<&Scalar> = loops.iter().map(|body| &body.body.nodes[at]).collect();
            scalars.push(if all_equal(of_all.iter()) {
                match self.numbers {
                    Some(_) => of_all[0].clone(),
                    None => moved(of_all[0], place, operands, member),
                }
            } else if self.numbers.is_some() {
                let given = self.given(&of_all)?;
                Scalar::Read { operand: place_of(&mut inputs, given), subs: Vec::new(), padded: false }
            } else {
                varies = true;
                let constant = self.new.add(Op::Const(Arc::new(numbers(&of_all)?)), Vec::new());
                let operand = place_of(&mut inputs, constant);
                Scalar::Read { operand, subs: vec![Sub::Affine(Affine::index(member))], padded: false }
            });
        }
        if self.numbers.is_some() {
            let body = Body { nodes: scalars, result: first.body.result };
            return Some(self.shared(&Op::Loop(Arc::new(Loop { body, ..first.clone() })), inputs));
        }
        if !varies {
            return Some(self.shared(&nodes[0].op, inputs));
        }
        let members = self.members();
        let axis = place.axis(first.shape.len());
        let mut write: Vec<Sub> = first.write.iter().map(|sub| sub.map_affine(|affine| shifted(affine, place))).collect();
        write.insert(axis, Sub::Affine(Affine::index(member)));
        let joined = Loop {
            domain: longer(&first.domain, member, &members),
            shape: longer(&first.shape, axis, &members),
            write,
            dropping: first.dropping,
            combine: first.combine,
            body: Body { nodes: scalars, result: first.body.result },
        };
        let node = self.new.add(Op::Loop(Arc::new(joined)), inputs);
        Some(Made { node, axis: Some(axis) })
    }
}

impl Unite<'_> {
    /// The scalar that is given in place of a number; the same for equal numbers.
    fn given(&mut self, scalars: &[&Scalar]) -> Option<NodeId> {
        let ConstData::Float(values) = numbers(scalars)?.data else { return None };
        let known = self.numbers.as_mut()?;
        let at = known.iter().position(|other| *other == values).unwrap_or_else(|| {
            known.push(values);
            known.len() - 1
        });
        Some(self.new.add(Op::State { path: number_path(at), ty: Type::scalar(Elem::Float) }, Vec::new()))
    }
}

/// A scalar of one member with the index of the member where its operands have the axis.
fn moved(scalar: &Scalar, place: Place, operands: &[Made], member: usize) -> Scalar {
    match scalar.map_affine(|affine| shifted(affine, place)) {
        Scalar::Read { operand, mut subs, padded } => {
            if let Some(axis) = operands[operand as usize].axis {
                subs.insert(axis, Sub::Affine(Affine::index(member)));
            }
            Scalar::Read { operand, subs, padded }
        }
        other => other,
    }
}

/// The same expression of the indices where the member stands before them.
fn shifted(affine: &Affine, place: Place) -> Affine {
    match place {
        Place::Last => affine.clone(),
        Place::First => affine.substitute(|var| match var {
            Var::Index(index) => Affine::index(index as usize + 1),
            Var::Step(_) => Affine::var(var),
        }),
    }
}

/// The numbers that stand in the place of one scalar.
fn numbers(scalars: &[&Scalar]) -> Option<Const> {
    let shape = vec![scalars.len()];
    let data = match scalars[0] {
        Scalar::Float(_) => ConstData::Float(each(scalars, |scalar| match scalar {
            Scalar::Float(number) => Some(*number),
            _ => None,
        })?),
        Scalar::Int(_) => ConstData::Int(each(scalars, |scalar| match scalar {
            Scalar::Int(number) => Some(*number),
            _ => None,
        })?),
        Scalar::Bool(_) => ConstData::Bool(each(scalars, |scalar| match scalar {
            Scalar::Bool(value) => Some(*value),
            _ => None,
        })?),
        _ => return None,
    };
    Some(Const { shape, data })
}

fn each<T>(scalars: &[&Scalar], of: impl Fn(&Scalar) -> Option<T>) -> Option<Vec<T>> {
    scalars.iter().map(|scalar| of(scalar)).collect()
}

/// The number of an operand, which is added if it is new.
fn place_of(operands: &mut Vec<NodeId>, node: NodeId) -> u32 {
    let at = operands.iter().position(|known| *known == node).unwrap_or_else(|| {
        operands.push(node);
        operands.len() - 1
    });
    at as u32
}

impl Graph {
    /// Whether both compute the same in the same way: places in the text do not matter.
    pub fn computes_as(&self, other: &Graph) -> bool {
        let same_op = |a: &Op, b: &Op| match (a, b) {
            (Op::Scan(a), Op::Scan(b)) => {
                (a.step, &a.trip, a.reverse, a.n_carries) == (b.step, &b.trip, b.reverse, b.n_carries)
                    && a.body.computes_as(&b.body)
            }
            _ => a == b,
        };
        self.len() == other.len()
            && self.outputs == other.outputs
            && self.nodes().zip(other.nodes()).all(|((_, a), (_, b))| {
                a.operands == b.operands && same_op(&a.op, &b.op)
            })
    }
}
