//! The free dimensions of graphs.

use crate::ir::{Affine, Graph, Op, Symbol};

/// All free dimensions of a graph.
pub fn symbols(graph: &Graph) -> Vec<Symbol> {
    let mut found = Vec::new();
    for (_, node) in graph.nodes() {
        node.ty.shape.iter().for_each(|dim| dim.symbols(&mut found));
        match &node.op {
            Op::Loop(body) => {
                body.domain.iter().chain(&body.shape).for_each(|dim| dim.symbols(&mut found));
                body.body.affines().for_each(|affine| affine_symbols(affine, &mut found));
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
