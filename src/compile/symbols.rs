//! The free dimensions of graphs.

use crate::ir::{Affine, Graph, Op, Scalar, Sub, Symbol};

/// All free dimensions of a graph.
pub fn symbols(graph: &Graph) -> Vec<Symbol> {
    let mut found = Vec::new();
    for (_, node) in graph.nodes() {
        node.ty.shape.iter().for_each(|dim| dim.symbols(&mut found));
        match &node.op {
            Op::Loop(body) => {
                body.domain.iter().chain(&body.shape).for_each(|dim| dim.symbols(&mut found));
                for scalar in &body.body.nodes {
                    match scalar {
                        Scalar::Affine(affine) => affine_symbols(affine, &mut found),
                        Scalar::Read { subs, .. } => subs.iter().for_each(|sub| match sub {
                            Sub::Affine(affine) => affine_symbols(affine, &mut found),
                            Sub::Value(_) => {}
                        }),
                        Scalar::Float(_)
                        | Scalar::Int(_)
                        | Scalar::Bool(_)
                        | Scalar::Unary(..)
                        | Scalar::Binary(..)
                        | Scalar::Select(..)
                        | Scalar::WithSlope { .. } => {}
                    }
                }
            }
            Op::Scan(scan) => {
                scan.trip.symbols(&mut found);
                for name in symbols(&scan.body) {
                    if !found.contains(&name) {
                        found.push(name);
                    }
                }
            }
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Const(_)
            | Op::Reshape { .. }
            | Op::Rand { .. }
            | Op::Mark(_)
            | Op::Result(_)
            | Op::Carry { .. }
            | Op::Capture { .. } => {}
        }
    }
    found
}

fn affine_symbols(affine: &Affine, found: &mut Vec<Symbol>) {
    affine.constant.symbols(found);
    affine.terms.iter().for_each(|(_, coefficient)| coefficient.symbols(found));
}
