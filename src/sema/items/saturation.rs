//! Logarithms of probabilities in forms that no law computes from the scores: the probability rounds to 0 while its
//! logarithm, and what is learnt from it, does not.

use crate::ir::program::{Forward, Train};
use crate::ir::{BinaryOp, Combine, Graph, Loop, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::losses::{Rounded, RoundedLogarithm};

/// Warns of the first logarithm of each loss that is infinite where a softmax is sure of one class.
pub fn tell_rounded_logarithms(cx: &mut Elaborator<'_>, train: &Train<Forward>) {
    for line in &train.lines {
        let Some((node, of)) = first_rounded(&line.forward, line.loss) else { continue };
        let at = cx.user_place(line.forward[node].origin.span);
        cx.report(RoundedLogarithm { of, at });
    }
}

/// What the elements of a tensor are, as far as it concerns their logarithms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Other,
    Exponential,
    /// Sums of exponentials.
    Total,
    /// Exponentials, each divided by the sum that it belongs to: a softmax.
    Share,
    Rounded(Rounded),
}

fn first_rounded(graph: &Graph, loss: NodeId) -> Option<(NodeId, Rounded)> {
    let needed = graph.reachable([loss]);
    let mut forms: Vec<Form> = Vec::with_capacity(graph.len());
    for (id, node) in graph.nodes() {
        let form = match &node.op {
            Op::Reshape { .. } | Op::Mark(_) => forms[node.operands[0].0 as usize],
            Op::Loop(body) => {
                let found = Formula { body, operands: &node.operands, forms: &forms };
                if let Some(rounded) = found.logarithm().filter(|_| needed[id.0 as usize]) {
                    return Some((id, rounded));
                }
                found.form()
            }
            _ => Form::Other,
        };
        forms.push(form);
    }
    None
}

struct Formula<'a> {
    body: &'a Loop,
    operands: &'a [NodeId],
    /// Those of the nodes before.
    forms: &'a [Form],
}

impl Formula<'_> {
    fn scalar(&self, id: ScalarId) -> &Scalar {
        &self.body.body.nodes[id.0 as usize]
    }

    fn form(&self) -> Form {
        let result = self.body.body.result;
        match self.body.combine {
            Combine::Set => self.of(result),
            Combine::Add if self.of(result) == Form::Exponential => Form::Total,
            Combine::Add if self.is_mixed(result) => Form::Rounded(Rounded::Mixture),
            _ => Form::Other,
        }
    }

    fn of(&self, id: ScalarId) -> Form {
        match self.scalar(id) {
            Scalar::Read { operand, padded: false, .. } => self.forms[self.operands[*operand as usize].0 as usize],
            Scalar::Unary(UnaryOp::Exp, _) => Form::Exponential,
            Scalar::Unary(UnaryOp::Stop, a) => self.of(*a),
            Scalar::Binary(BinaryOp::Div, a, b) => match (self.of(*a), self.of(*b)) {
                (Form::Exponential, Form::Total) => Form::Share,
                _ => Form::Other,
            },
            Scalar::Binary(BinaryOp::Sub, a, b) => {
                let is_one = matches!(self.scalar(*a), Scalar::Float(one) if one.0 == 1.0)
                    || matches!(self.scalar(*a), Scalar::Int(1));
                match is_one && self.of(*b) == Form::Share {
                    true => Form::Rounded(Rounded::Complement),
                    false => Form::Other,
                }
            }
            _ => Form::Other,
        }
    }

    /// Whether a term is a share, perhaps times something, that several of the sums have in common.
    fn is_mixed(&self, term: ScalarId) -> bool {
        match self.scalar(term) {
            Scalar::Binary(BinaryOp::Mul, a, b) => self.is_mixed(*a) || self.is_mixed(*b),
            Scalar::Read { subs, .. } if self.of(term) == Form::Share => {
                let moves = |index: usize| {
                    subs.iter().any(|sub| matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(index)))
                };
                !(0..self.body.domain.len()).all(moves)
            }
            _ => false,
        }
    }

    /// What a logarithm in the formula is taken of, if that is rounded.
    fn logarithm(&self) -> Option<Rounded> {
        self.body.body.nodes.iter().find_map(|scalar| match scalar {
            Scalar::Unary(UnaryOp::Log, a) => match self.of(*a) {
                Form::Rounded(rounded) => Some(rounded),
                _ => None,
            },
            _ => None,
        })
    }
}
