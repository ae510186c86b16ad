//! Gradients against finite differences, as they are and optimised, and the rules for derivatives.

mod conventions;
mod formula;
mod laws;
mod loops;
mod losses;
mod scans;
mod settled;

use nnc::grad::check::{random_feed, worst_error};
use nnc::grad::gradient;
use nnc::ir::interpret::Feed;
use nnc::ir::verify::verify;
use nnc::ir::{
    Affine, BinaryOp, Combine, Dim, Elem, Graph, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub, Type,
    UnaryOp,
};
use nnc::opt::optimise;

/// A float input.
fn input(graph: &mut Graph, name: &str, shape: &[usize]) -> NodeId {
    let ty = Type::new(Elem::Float, shape.iter().map(|size| Dim::from(*size)).collect());
    graph.add(Op::Input { name: name.into(), ty }, Vec::new())
}

fn ints(graph: &mut Graph, name: &str, shape: &[usize]) -> NodeId {
    let ty = Type::new(Elem::Int, shape.iter().map(|size| Dim::from(*size)).collect());
    graph.add(Op::Input { name: name.into(), ty }, Vec::new())
}

fn dims(sizes: &[usize]) -> Vec<Dim> {
    sizes.iter().map(|size| Dim::from(*size)).collect()
}

/// A subscript: `Σ coefficient · index + constant`.
fn sub(terms: &[(usize, i64)], constant: i64) -> Sub {
    let start = Affine::constant(constant);
    Sub::Affine(terms.iter().fold(start, |sum, (index, coefficient)| {
        sum.add(&Affine::index(*index).scale(&Dim::number(*coefficient)))
    }))
}

fn at(index: usize) -> Sub {
    sub(&[(index, 1)], 0)
}

/// `out[write] combine= body` over a domain.
fn looped(
    graph: &mut Graph,
    domain: &[usize],
    shape: &[usize],
    write: Vec<Sub>,
    combine: Combine,
    body: impl FnOnce(&mut LoopBuilder<'_>) -> ScalarId,
) -> NodeId {
    let mut l = LoopBuilder::new(graph, dims(domain));
    let value = body(&mut l);
    let node = l.reduce(dims(shape), write, combine, value);
    graph.add_loop(node)
}

/// An elementwise function of one tensor.
fn map1(graph: &mut Graph, x: NodeId, f: impl FnOnce(&mut LoopBuilder<'_>, ScalarId) -> ScalarId) -> NodeId {
    graph.map(&[x], |l, reads| f(l, reads[0]))
}

/// `Σ x · w` with fixed different weights, so that a wrong place shows.
fn weighted(graph: &mut Graph, x: NodeId) -> NodeId {
    let shape = graph.shape(x).to_vec();
    let mut l = LoopBuilder::new(graph, shape.clone());
    let subs = (0..shape.len()).map(|axis| l.index(axis)).collect();
    let value = l.read(x, subs);
    let number = (0..shape.len())
        .fold(Affine::constant(1i64), |sum, axis| sum.scale(&Dim::number(3)).add(&Affine::index(axis)));
    let number = l.affine(number);
    let number = l.to_float(number);
    let tenth = l.float(0.1);
    let weight = l.binary(BinaryOp::Mul, tenth, number);
    let weight = l.unary(UnaryOp::Sin, weight);
    let product = l.binary(BinaryOp::Mul, weight, value);
    let node = l.reduce(Vec::new(), Vec::new(), Combine::Add, product);
    graph.add_loop(node)
}

/// Compares the gradient of `of` with finite differences, and that of a function of this gradient too.
fn check(graph: &Graph, of: NodeId, wrt: &[NodeId]) {
    check_with(graph, of, wrt, &random_feed(graph, 7));
}

fn check_with(graph: &Graph, of: NodeId, wrt: &[NodeId], feed: &Feed<f64>) {
    check_first(graph, of, wrt, feed);
    let mut second = graph.clone();
    let first = gradient(&mut second, &[(of, None)], wrt).expect("differentiable");
    let mut parts = Vec::new();
    for derivative in first.into_iter().flatten() {
        let square = map1(&mut second, derivative, |l, d| {
            let square = l.binary(BinaryOp::Mul, d, d);
            l.binary(BinaryOp::Add, square, d)
        });
        parts.push(weighted(&mut second, square));
    }
    let of = sum(&mut second, &parts);
    let depends: Vec<NodeId> = wrt
        .iter()
        .copied()
        .filter(|id| {
            let mut trial = second.clone();
            matches!(gradient(&mut trial, &[(of, None)], &[*id]).as_deref(), Ok([Some(_)]))
        })
        .collect();
    check_first(&second, of, &depends, feed);
}

fn check_first(graph: &Graph, of: NodeId, wrt: &[NodeId], feed: &Feed<f64>) {
    let error = worst_error(graph, of, wrt, feed, &|graph| {
        assert_eq!(verify(graph), Ok(()));
        graph.clone()
    });
    let error = error.expect("comparable");
    assert!(error < 1e-6, "gradient is off by {error}");
    let error = worst_error(graph, of, wrt, feed, &|graph| {
        let optimised = optimise(graph);
        assert_eq!(verify(&optimised), Ok(()));
        let again = optimise(&optimised);
        assert!(is_same(&again, &optimised), "optimising twice is optimising once");
        optimised
    });
    let error = error.expect("comparable after optimising");
    assert!(error < 1e-6, "optimised gradient is off by {error}");
}

fn is_same(a: &Graph, b: &Graph) -> bool {
    let same_op = |a: &Op, b: &Op| match (a, b) {
        (Op::Scan(a), Op::Scan(b)) => is_same(&a.body, &b.body),
        _ => a == b,
    };
    a.len() == b.len()
        && a.nodes().zip(b.nodes()).all(|((_, a), (_, b))| same_op(&a.op, &b.op) && a.operands == b.operands)
}

/// The sum of tensors of one shape.
fn sum(graph: &mut Graph, parts: &[NodeId]) -> NodeId {
    parts[1..].iter().fold(parts[0], |total, part| graph.sum_of(total, *part))
}
