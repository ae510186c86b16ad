//! What language.md says of derivatives.

use super::*;
use nnc::grad::{GradError, NoDerivative};
use nnc::ir::interpret::{Tensor, evaluate};

fn derivative_at(graph: &mut Graph, of: NodeId, wrt: NodeId, x: &[f64]) -> Vec<f64> {
    let d = gradient(graph, &[(of, None)], &[wrt]).unwrap()[0].unwrap();
    graph.output("d", d);
    let mut feed = random_feed(graph, 1);
    feed.inputs.insert("x".into(), Tensor::floats(vec![x.len()], x.to_vec()));
    evaluate(graph, &feed).unwrap()[&"d".into()].to_f64()
}

/// if x > 0 then then(x) else 0, with then(x) a node of its own.
fn guarded(
    g: &mut Graph,
    x: NodeId,
    then: impl FnOnce(&mut LoopBuilder<'_>, ScalarId) -> ScalarId,
) -> NodeId {
    let branch = map1(g, x, then);
    g.map(&[x, branch], |l, reads| {
        let zero = l.float(0.0);
        let positive = l.binary(BinaryOp::Lt, zero, reads[0]);
        l.select(positive, reads[1], zero)
    })
}

#[test]
fn no_nan_leaks_from_a_branch_not_taken() {
    for op in [UnaryOp::Sqrt, UnaryOp::Log] {
        let mut g = Graph::new();
        let x = input(&mut g, "x", &[3]);
        let y = guarded(&mut g, x, |l, x| l.unary(op, x));
        let d = derivative_at(&mut g, y, x, &[-1.0, 0.0, 4.0]);
        assert_eq!(d, [0.0, 0.0, 0.25], "{}", op.name());
    }
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[3]);
    let y = guarded(&mut g, x, |l, x| {
        let one = l.float(1.0);
        l.binary(BinaryOp::Div, one, x)
    });
    assert_eq!(derivative_at(&mut g, y, x, &[-1.0, 0.0, 2.0]), [0.0, 0.0, -0.25]);
}

#[test]
fn no_nan_leaks_through_chains_and_slices() {
    // sqrt(x) is sliced, scaled, and only then guarded.
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[3]);
    let root = map1(&mut g, x, |l, x| l.unary(UnaryOp::Sqrt, x));
    let part =
        looped(&mut g, &[2], &[2], vec![at(0)], Combine::Set, |l| l.read(root, vec![sub(&[(0, 1)], 1)]));
    let scaled = map1(&mut g, part, |l, x| {
        let three = l.float(3.0);
        l.binary(BinaryOp::Mul, three, x)
    });
    let y = looped(&mut g, &[2], &[2], vec![at(0)], Combine::Set, |l| {
        let (x, value) = (l.read(x, vec![sub(&[(0, 1)], 1)]), l.read(scaled, vec![at(0)]));
        let zero = l.float(0.0);
        let positive = l.binary(BinaryOp::Lt, zero, x);
        l.select(positive, value, zero)
    });
    assert_eq!(derivative_at(&mut g, y, x, &[1.0, 0.0, 9.0]), [0.0, 0.0, 0.5]);
}

#[test]
fn stop_and_slope() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[1]);
    // spike(x) = step with slope x²; x · stop(x) has derivative x.
    let y = map1(&mut g, x, |l, x| {
        let (zero, one) = (l.float(0.0), l.float(1.0));
        let positive = l.binary(BinaryOp::Lt, zero, x);
        let value = l.select(positive, one, zero);
        let slope = l.binary(BinaryOp::Mul, x, x);
        let spike = l.add(Scalar::WithSlope { value, arg: x, slope });
        let stopped = l.unary(UnaryOp::Stop, x);
        let product = l.binary(BinaryOp::Mul, x, stopped);
        l.binary(BinaryOp::Add, spike, product)
    });
    let mut twice = g.clone();
    assert_eq!(derivative_at(&mut g, y, x, &[3.0]), [12.0]);
    let d = gradient(&mut twice, &[(y, None)], &[x]).unwrap()[0].unwrap();
    // The slope is differentiated in turn.
    assert_eq!(derivative_at(&mut twice, d, x, &[3.0]), [6.0]);
}

fn error_of(g: &mut Graph, y: NodeId, x: NodeId) -> Result<Vec<Option<NodeId>>, GradError> {
    gradient(g, &[(y, None)], &[x])
}

#[test]
fn rounding_is_an_error_where_a_derivative_is_needed() {
    for (op, what) in [
        (UnaryOp::Floor, NoDerivative::Floor),
        (UnaryOp::Ceil, NoDerivative::Ceil),
        (UnaryOp::Round, NoDerivative::Round),
    ] {
        let mut g = Graph::new();
        let x = input(&mut g, "x", &[2]);
        let y = map1(&mut g, x, |l, x| {
            let rounded = l.unary(op, x);
            l.binary(BinaryOp::Add, x, rounded)
        });
        let error = error_of(&mut g, y, x).unwrap_err();
        assert_eq!((error.what, error.node), (what, y));
        let mut g = Graph::new();
        let x = input(&mut g, "x", &[2]);
        let y = map1(&mut g, x, |l, x| {
            let stopped = l.unary(UnaryOp::Stop, x);
            let rounded = l.unary(op, stopped);
            l.binary(BinaryOp::Add, x, rounded)
        });
        assert!(error_of(&mut g, y, x).is_ok());
    }
}

#[test]
fn only_through_conditions_is_an_error_at_the_first() {
    let mut g = Graph::new();
    let (x, w) = (input(&mut g, "x", &[2]), input(&mut g, "w", &[2]));
    let z = g.map(&[x, w], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[1]));
    let step = map1(&mut g, z, |l, z| {
        let (zero, one) = (l.float(0.0), l.float(1.0));
        let positive = l.binary(BinaryOp::Lt, zero, z);
        l.select(positive, one, zero)
    });
    let y = weighted(&mut g, step);
    let error = error_of(&mut g, y, w).unwrap_err();
    assert_eq!((error.what, error.node, error.wrt), (NoDerivative::OnlyThroughConditions, step, Some(0)));
    // Something that does not depend on it at all, or only through stop_gradient, is no error.
    let other = input(&mut g, "other", &[2]);
    assert_eq!(error_of(&mut g, y, other), Ok(vec![None]));
    let stopped = map1(&mut g, other, |l, x| l.unary(UnaryOp::Stop, x));
    let y = g.sum_of(stopped, x);
    assert_eq!(error_of(&mut g, y, other), Ok(vec![None]));
}

#[test]
fn a_mark_is_the_variable_and_nothing_else() {
    // d/dm (m · x) = x although m is x.
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[1]);
    let marked = g.add(Op::Mark(0), vec![x]);
    let y = g.map(&[marked, x], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[1]));
    assert_eq!(derivative_at(&mut g, y, marked, &[3.0]), [3.0]);
}

#[test]
fn zero_but_dependent_is_zeros() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[2]);
    let y = map1(&mut g, x, |l, x| {
        let zero = l.float(0.0);
        l.binary(BinaryOp::Mul, x, zero)
    });
    assert_eq!(derivative_at(&mut g, y, x, &[1.0, 2.0]), [0.0, 0.0]);
}

/// Every operator of one float has the derivative that its values show; only rounding has none, and a stop is constant.
#[test]
fn every_operator_has_the_derivative_of_its_values() {
    let of_floats = |op: &&UnaryOp| op.result(Elem::Float) == Some(Elem::Float);
    for op in UnaryOp::ALL.iter().filter(of_floats) {
        let mut g = Graph::new();
        let x = input(&mut g, "x", &[5]);
        let y = map1(&mut g, x, |l, x| l.unary(*op, x));
        let total = weighted(&mut g, y);
        match gradient(&mut g.clone(), &[(total, None)], &[x]).as_deref() {
            Err(_) => assert!(matches!(op, UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round), "{}", op.name()),
            Ok([None]) => assert_eq!(*op, UnaryOp::Stop),
            Ok(_) => {
                let mut feed = random_feed(&g, 7);
                feed.inputs.insert("x".into(), Tensor::floats(vec![5], vec![0.3, 0.7, 1.1, 1.9, 2.6]));
                check_with(&g, total, &[x], &feed);
            }
        }
    }
}
