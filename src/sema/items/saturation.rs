//! Logarithms of probabilities in forms that no law computes from the scores: the probability rounds to 0 while its
//! logarithm, and what is learnt from it, does not.

use crate::base::Span;
use crate::ir::program::{Forward, Train};
use crate::ir::{BinaryOp, Combine, Graph, Loop, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::losses::{Rounded, RoundedLogarithm};

/// Warns of the first logarithm of each loss that is infinite where a softmax is sure of one class.
pub fn tell_rounded_logarithms(cx: &mut Elaborator<'_>, train: &Train<Forward>) {
    for line in &train.lines {
        tell_first(cx, &line.forward, &[line.loss]);
    }
}

/// The same of what is printed, drawn or expected.
pub fn tell_rounded_output(cx: &mut Elaborator<'_>, graph: &Graph) {
    let outputs: Vec<NodeId> = graph.outputs.iter().map(|output| output.node).collect();
    tell_first(cx, graph, &outputs);
}

fn tell_first(cx: &mut Elaborator<'_>, graph: &Graph, roots: &[NodeId]) {
    if let Some((span, of)) = first_rounded(graph, roots, &[]) {
        let at = cx.user_place(span);
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

/// The first such logarithm that the roots need, also in a step of a scan; `captures` is what a step reads from
/// outside.
fn first_rounded(
    graph: &Graph,
    roots: &[NodeId],
    captures: &[Form],
) -> Option<(Span, Rounded)> {
    let needed = graph.reachable(roots.iter().copied());
    let mut forms: Vec<Form> = Vec::with_capacity(graph.len());
    for (id, node) in graph.nodes() {
        let form = match &node.op {
            Op::Reshape { .. } | Op::Mark(_) => forms[node.operands[0].0 as usize],
            Op::Loop(body) => {
                let found = Formula { body, operands: &node.operands, forms: &forms };
                if let Some(rounded) = found.logarithm().filter(|_| needed[id.0 as usize]) {
                    return Some((node.origin.span, rounded));
                }
                found.form()
            }
            Op::Scan(scan) if needed[id.0 as usize] => {
                let given = node.operands.iter().skip(scan.n_carries).map(|operand| forms[operand.0 as usize]);
                let given: Vec<Form> = given.collect();
                let results: Vec<NodeId> = scan.body.outputs.iter().map(|output| output.node).collect();
                if let Some(found) = first_rounded(&scan.body, &results, &given) {
                    return Some(found);
                }
                Form::Other
            }
            Op::Capture { index, .. } => captures.get(*index as usize).copied().unwrap_or(Form::Other),
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
