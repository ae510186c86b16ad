//! Counts of floating-point operations, in which speeds are measured.
//!
//! Every operation on floats counts as one, an addition as well as a tanh, once for each point of the indices that
//! it depends on; selects, comparisons, conversions and moves count nothing. So a matrix product has 2·m·n·k
//! operations, however it is computed.

use super::Dim;
use super::graph::{Combine, Graph, Loop, Op};
use super::operators::Properties;
use super::scalar::{IndexSet, Scalar};
use super::types::Elem;

/// The operations on floats of a static graph; the body of a scan counts in every step.
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
    let dependences = body.body.dependences();
    let mut elems: Vec<Elem> = Vec::with_capacity(nodes.len());
    let mut sum = 0.0;
    for (scalar, indices) in nodes.iter().zip(dependences) {
        let of = |id: &super::ScalarId| elems[id.0 as usize];
        let (kind, operations) = match scalar {
            Scalar::Float(_) => (Elem::Float, 0.0),
            Scalar::Int(_) | Scalar::Affine(_) => (Elem::Int, 0.0),
            Scalar::Bool(_) => (Elem::Bool, 0.0),
            Scalar::Read { operand, .. } => (elem(*operand), 0.0),
            Scalar::Unary(op, a) => {
                (op.result(of(a)).unwrap_or(Elem::Float), flops_of(op.properties(), of(a)))
            }
            Scalar::Binary(op, a, _) => {
                (op.result(of(a)).unwrap_or(Elem::Float), flops_of(op.properties(), of(a)))
            }
            Scalar::Select(_, a, _) => (of(a), 0.0),
            Scalar::WithSlope { value, .. } => (of(value), 0.0),
        };
        sum += operations * points(&body.domain, indices);
        elems.push(kind);
    }
    let combines = match body.combine {
        Combine::Add | Combine::Mul | Combine::Max | Combine::Min => {
            elems.get(body.body.result.0 as usize) == Some(&Elem::Float)
        }
        Combine::Set | Combine::ArgMax | Combine::ArgMin => false,
    };
    if combines { sum + body.domain.iter().map(number).product::<f64>() } else { sum }
}

/// What an operation on an element counts.
fn flops_of(properties: &Properties, operands: Elem) -> f64 {
    if properties.is_arithmetic && operands == Elem::Float { 1.0 } else { 0.0 }
}

/// The number of points of the indices in a set.
fn points(domain: &[Dim], indices: IndexSet) -> f64 {
    let sizes = domain.iter().enumerate().filter(|(index, _)| indices.contains(*index));
    sizes.map(|(_, size)| number(size)).product()
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
