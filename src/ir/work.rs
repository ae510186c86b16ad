//! How much arithmetic there is: what speeds are measured in.
//!
//! Every operation on floats counts as one, be it an addition or a tanh, once for each point of the indices
//! that it depends on; what only chooses, compares, converts or moves counts nothing. A product of matrices
//! so has 2·m·n·k of them, however it is carried out.

use super::graph::{Combine, Graph, Loop, Op};
use super::scalar::{BinaryOp, Scalar, Sub, UnaryOp};
use super::types::Elem;
use super::{Affine, Dim, Var};

/// The operations on floats of a static graph; those of the body of a scan in every step.
pub fn flops(graph: &Graph) -> f64 {
    graph
        .nodes()
        .map(|(_, node)| match &node.op {
            Op::Loop(body) => loop_flops(body, &|operand| graph.elem(node.operands[operand as usize])),
            Op::Scan(scan) => flops(&scan.body) * number(&scan.trip),
            _ => 0.0,
        })
        .sum()
}

/// The operations on floats of a static loop; `elem` is what an operand's elements are.
pub fn loop_flops(body: &Loop, elem: &dyn Fn(u32) -> Elem) -> f64 {
    let nodes = &body.body.nodes;
    let mut depends: Vec<Vec<bool>> = Vec::with_capacity(nodes.len());
    let mut elems: Vec<Elem> = Vec::with_capacity(nodes.len());
    let mut sum = 0.0;
    for scalar in nodes {
        let it = dependence(scalar, &depends, body.domain.len());
        let of = |id: &super::ScalarId| elems[id.0 as usize];
        let (kind, operations) = match scalar {
            Scalar::Float(_) => (Elem::Float, 0.0),
            Scalar::Int(_) | Scalar::Affine(_) => (Elem::Int, 0.0),
            Scalar::Bool(_) => (Elem::Bool, 0.0),
            Scalar::Read { operand, .. } => (elem(*operand), 0.0),
            Scalar::Unary(op, a) => (op.result(of(a)).unwrap_or(Elem::Float), unary(*op, of(a))),
            Scalar::Binary(op, a, _) => (op.result(of(a)).unwrap_or(Elem::Float), binary(*op, of(a))),
            Scalar::Select(_, a, _) => (of(a), 0.0),
            Scalar::WithSlope { value, .. } => (of(value), 0.0),
        };
        sum += operations * points(&body.domain, &it);
        depends.push(it);
        elems.push(kind);
    }
    let combines = match body.combine {
        Combine::Add | Combine::Mul | Combine::Max | Combine::Min => {
            elems.get(body.body.result.0 as usize) == Some(&Elem::Float)
        }
        Combine::Set | Combine::ArgMax | Combine::ArgMin => false,
    };
    if combines { sum + points(&body.domain, &vec![true; body.domain.len()]) } else { sum }
}

fn unary(op: UnaryOp, of: Elem) -> f64 {
    match op {
        UnaryOp::Not | UnaryOp::ToFloat | UnaryOp::ToInt | UnaryOp::Stop => 0.0,
        UnaryOp::Neg | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round if of == Elem::Int => 0.0,
        _ => 1.0,
    }
}

fn binary(op: BinaryOp, of: Elem) -> f64 {
    match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => {
            if of == Elem::Float { 1.0 } else { 0.0 }
        }
        BinaryOp::FloorDiv | BinaryOp::Mod | BinaryOp::Lt | BinaryOp::Le => 0.0,
        BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => 0.0,
    }
}

/// Which indices a scalar moves with.
fn dependence(scalar: &Scalar, nodes: &[Vec<bool>], rank: usize) -> Vec<bool> {
    let mut it = vec![false; rank];
    let mut join = |id: &super::ScalarId| {
        it.iter_mut().zip(&nodes[id.0 as usize]).for_each(|(it, its)| *it |= its);
    };
    match scalar {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) => {}
        Scalar::Affine(affine) => mark(affine, &mut it),
        Scalar::Read { subs, .. } => {
            for sub in subs {
                match sub {
                    Sub::Value(id) => {
                        it.iter_mut().zip(&nodes[id.0 as usize]).for_each(|(it, its)| *it |= its);
                    }
                    Sub::Affine(affine) => mark(affine, &mut it),
                }
            }
        }
        Scalar::Unary(_, a) => join(a),
        Scalar::Binary(_, a, b) => [a, b].into_iter().for_each(join),
        Scalar::Select(a, b, c) => [a, b, c].into_iter().for_each(join),
        Scalar::WithSlope { value, .. } => join(value),
    }
    it
}

fn mark(affine: &Affine, it: &mut [bool]) {
    for (var, _) in &affine.terms {
        if let Var::Index(index) = var {
            it[*index as usize] = true;
        }
    }
}

fn points(domain: &[Dim], depends: &[bool]) -> f64 {
    domain.iter().zip(depends).filter(|(_, depends)| **depends).map(|(size, _)| number(size)).product()
}

fn number(size: &Dim) -> f64 {
    size.as_number().map_or(0.0, |size| size as f64)
}

#[cfg(test)]
mod tests {
    use super::flops;
    use crate::ir::text::parse;

    fn of(text: &str) -> f64 {
        flops(&parse(text).expect("a graph"))
    }

    #[test]
    fn a_product_has_two_for_each_triple() {
        let text = r#"%0 = input "x" : [64, 784]
%1 = param "w" : [128, 784]
%2 = loop i0 < 64, i1 < 128, i2 < 784 : [i0, i1] += mul(%0[i0, i2], %1[i1, i2]) : [64, 128]
out "y" = %2
"#;
        assert_eq!(of(text), 2.0 * 64.0 * 128.0 * 784.0);
    }

    #[test]
    fn what_does_not_move_with_an_index_counts_once() {
        let text = r#"%0 = input "x" : [5, 7]
%1 = input "s" : [5]
%2 = loop i0 < 5, i1 < 7 : [i0, i1] = mul(%0[i0, i1], exp(%1[i0])) : [5, 7]
out "y" = %2
"#;
        assert_eq!(of(text), 5.0 * 7.0 + 5.0);
    }

    #[test]
    fn ints_and_choices_count_nothing_and_scans_every_step() {
        let text = r#"%0 = input "x" : [5]
%1 = input "n" : int[5]
%2 = loop i0 < 5 : [i0] = select(lt(add(%1[i0], 1), 3), %0[i0], 0.0) : [5]
%3 = loop : [] = 0.0 : []
%4 = scan t0 < 9 (%3; %2) {
    %0 = carry 0 : []
    %1 = capture 0 : [5]
    %2 = loop i0 < 5 : [] += mul(%0[], %1[i0]) : []
    out "next" = %2
}
%5 = result 0 %4 : []
out "y" = %5
"#;
        assert_eq!(of(text), 9.0 * 2.0 * 5.0);
    }
}
