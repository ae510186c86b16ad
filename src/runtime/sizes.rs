//! Numbers for free dimensions, from tensors and data sets.

use crate::ir::{Affine, Dim, Graph, Op, Scalar, Sizes, Sub, Symbol, Type};

/// Takes the free dimensions of a declared type from a given shape.
///
/// # Errors
/// If the shape does not fit the type.
pub fn bind(ty: &Type, shape: &[usize], sizes: &mut Sizes) -> Result<(), ()> {
    if ty.rank() != shape.len() {
        return Err(());
    }
    for (dim, size) in ty.shape.iter().zip(shape) {
        if let Some(name) = dim.as_symbol() {
            sizes.entry(name.clone()).or_insert_with(|| Dim::from(*size));
        }
    }
    let fits = |(dim, size): (&Dim, &usize)| dim.evaluate(sizes) == Ok(*size as i64);
    if ty.shape.iter().zip(shape).all(fits) { Ok(()) } else { Err(()) }
}

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
