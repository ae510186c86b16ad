//! Tests of the interpreter.

use super::*;
use crate::ir::{BinaryOp, Combine, Const, Dim, Elem, LoopBuilder, Sub, UnaryOp};

fn input(graph: &mut Graph, name: &str, elem: Elem, shape: &[i64]) -> NodeId {
    let ty = Type::new(elem, shape.iter().map(|size| Dim::number(*size)).collect());
    graph.add(Op::Input { name: name.into(), ty }, vec![])
}

fn feed(inputs: Vec<(&str, Tensor<f32>)>) -> Feed<f32> {
    let inputs = inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Feed { inputs, variables: BTreeMap::new(), seed: 1, step: 1 }
}

fn value(graph: &mut Graph, node: NodeId, feed: &Feed<f32>) -> Result<Tensor<f32>, EvalError> {
    graph.outputs.clear();
    graph.output("y", node);
    evaluate(graph, feed).map(|outputs| outputs[&"y".into()].as_ref().clone())
}

fn affine(coefficients: &[i64], constant: i64) -> Sub {
    let terms = coefficients.iter().enumerate().filter(|(_, c)| **c != 0);
    let terms = terms.map(|(index, c)| (Var::Index(index as u32), Dim::number(*c))).collect();
    Sub::Affine(Affine { terms, constant: Dim::number(constant) })
}

fn dims(sizes: &[i64]) -> Vec<Dim> {
    sizes.iter().map(|size| Dim::number(*size)).collect()
}

#[test]
fn matrix_product() {
    let mut graph = Graph::new();
    let a = input(&mut graph, "a", Elem::Float, &[2, 3]);
    let b = input(&mut graph, "b", Elem::Float, &[3, 2]);
    let mut l = LoopBuilder::new(&graph, dims(&[2, 2, 3]));
    let left = l.read(a, vec![affine(&[1], 0), affine(&[0, 0, 1], 0)]);
    let right = l.read(b, vec![affine(&[0, 0, 1], 0), affine(&[0, 1], 0)]);
    let product = l.binary(BinaryOp::Mul, left, right);
    let node = l.reduce(dims(&[2, 2]), vec![affine(&[1], 0), affine(&[0, 1], 0)], Combine::Add, product);
    let product = graph.add_loop(node);
    let feed = feed(vec![
        ("a", Tensor::floats(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("b", Tensor::floats(vec![3, 2], vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0])),
    ]);
    let product = value(&mut graph, product, &feed).unwrap();
    assert_eq!(product, Tensor::floats(vec![2, 2], vec![4.0, 5.0, 10.0, 11.0]));
}

#[test]
fn padded_reads_dropping_writes_and_errors() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[3]);
    let given = feed(vec![("x", Tensor::floats(vec![3], vec![1.0, 2.0, 3.0]))]);
    let before = affine(&[1], -1);
    let mut l = LoopBuilder::new(&graph, dims(&[4]));
    let read = l.read_padded(x, vec![before.clone()]);
    let node = l.map(read);
    let shifted = graph.add_loop(node);
    assert_eq!(value(&mut graph, shifted, &given).unwrap().to_f64(), [0.0, 1.0, 2.0, 3.0]);

    let mut l = LoopBuilder::new(&graph, dims(&[3]));
    let read = l.read(x, vec![before.clone()]);
    let node = l.map(read);
    let outside = graph.add_loop(node);
    let error = value(&mut graph, outside, &given).unwrap_err();
    assert_eq!(error, EvalError::ReadOutside { node: outside, subscripts: vec![-1], shape: vec![3] });

    for dropping in [true, false] {
        let mut l = LoopBuilder::new(&graph, dims(&[3]));
        let read = l.read(x, vec![affine(&[1], 0)]);
        let node = l.finish(dims(&[3]), vec![before.clone()], dropping, Combine::Set, read);
        let shifted = graph.add_loop(node);
        match value(&mut graph, shifted, &given) {
            Ok(value) => assert_eq!((dropping, value.to_f64()), (true, vec![2.0, 3.0, 0.0])),
            Err(error) => assert_eq!(
                (dropping, error),
                (false, EvalError::WriteOutside { node: shifted, subscripts: vec![-1], shape: vec![3] })
            ),
        }
    }

    let mut l = LoopBuilder::new(&graph, dims(&[3]));
    let read = l.read(x, vec![affine(&[1], 0)]);
    let node = l.reduce(dims(&[1]), vec![affine(&[], 0)], Combine::Set, read);
    let twice = graph.add_loop(node);
    let error = value(&mut graph, twice, &given).unwrap_err();
    assert_eq!(error, EvalError::WrittenTwice { node: twice, element: 0 });
}

#[test]
fn the_branch_not_taken_may_read_outside() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[3]);
    let mut l = LoopBuilder::new(&graph, dims(&[600]));
    let index = l.affine(Affine::index(0));
    let three = l.int(3);
    let inside = l.binary(BinaryOp::Lt, index, three);
    let read = l.read(x, vec![affine(&[1], 0)]);
    let other = l.float(-1.0);
    let chosen = l.select(inside, read, other);
    let node = l.map(chosen);
    let node = graph.add_loop(node);
    let given = feed(vec![("x", Tensor::floats(vec![3], vec![1.0, 2.0, 3.0]))]);
    let all = value(&mut graph, node, &given).unwrap().to_f64();
    assert_eq!(all[..4], [1.0, 2.0, 3.0, -1.0]);
    assert!(all[4..].iter().all(|v| *v == -1.0));
}

#[test]
fn gather_scatter_and_integers() {
    let mut graph = Graph::new();
    let table = input(&mut graph, "table", Elem::Int, &[3]);
    let ids = input(&mut graph, "ids", Elem::Int, &[4]);
    let given = feed(vec![
        ("table", Tensor::ints(vec![3], vec![i64::from(i32::MAX), 7, -7])),
        ("ids", Tensor::ints(vec![4], vec![2, 0, 2, 1])),
    ]);
    let mut l = LoopBuilder::new(&graph, dims(&[4]));
    let id = l.read(ids, vec![affine(&[1], 0)]);
    let row = l.read(table, vec![Sub::Value(id)]);
    let three = l.int(3);
    let sum = l.binary(BinaryOp::Add, row, three);
    let node = l.map(sum);
    let gathered = graph.add_loop(node);
    assert_eq!(value(&mut graph, gathered, &given).unwrap().to_f64(), [-4.0, 2_147_483_650.0, -4.0, 10.0]);

    let mut l = LoopBuilder::new(&graph, dims(&[4]));
    let id = l.read(ids, vec![affine(&[1], 0)]);
    let one = l.int(1);
    let node = l.reduce(dims(&[3]), vec![Sub::Value(id)], Combine::Add, one);
    let counts = graph.add_loop(node);
    assert_eq!(value(&mut graph, counts, &given).unwrap().to_f64(), [1.0, 1.0, 2.0]);

    for (op, expected) in [(BinaryOp::FloorDiv, [715_827_882.0, 2.0, -3.0]), (BinaryOp::Mod, [1.0, 1.0, 2.0])]
    {
        let node = graph.map(&[table], |l, reads| {
            let three = l.int(3);
            l.binary(op, reads[0], three)
        });
        assert_eq!(value(&mut graph, node, &given).unwrap().to_f64(), expected);
    }
}

#[test]
fn reductions() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[2, 3]);
    let values = vec![1.0, f32::NAN, 1.0, -5.0, 2.0, 2.0];
    let given = feed(vec![("x", Tensor::floats(vec![2, 3], values))]);
    let mut reduce = |combine| {
        let mut l = LoopBuilder::new(&graph, dims(&[2, 3]));
        let read = l.read(x, vec![affine(&[1], 0), affine(&[0, 1], 0)]);
        let node = l.reduce(dims(&[2]), vec![affine(&[1], 0)], combine, read);
        let node = graph.add_loop(node);
        value(&mut graph, node, &given).unwrap().to_f64()
    };
    for (combine, place_of, other) in
        [(Combine::Max, Combine::ArgMax, 2.0), (Combine::Min, Combine::ArgMin, -5.0)]
    {
        let (extremes, places) = (reduce(combine), reduce(place_of));
        assert!(extremes[0].is_nan());
        assert_eq!(extremes[1], other);
        assert_eq!(places, [1.0, if combine == Combine::Max { 1.0 } else { 0.0 }]);
    }
    assert_eq!(reduce(Combine::Mul)[1], -20.0);
    assert!(reduce(Combine::Add)[0].is_nan());
}

#[test]
fn scans_forward_and_back() {
    for reverse in [false, true] {
        let mut body = Graph::new();
        let carry = body.add(Op::Carry { index: 0, ty: Type::scalar(Elem::Float) }, vec![]);
        let ty = Type::new(Elem::Float, dims(&[3]));
        let x = body.add(Op::Capture { index: 0, ty }, vec![]);
        let mut l = LoopBuilder::new(&body, vec![]);
        let (half, before) = (l.float(0.5), l.read(carry, vec![]));
        let element = l.read(x, vec![Sub::Affine(Affine::step(StepId(4)))]);
        let halved = l.binary(BinaryOp::Mul, half, before);
        let sum = l.binary(BinaryOp::Add, halved, element);
        let node = l.map(sum);
        let next = body.add_loop(node);
        body.output("next", next);
        body.output("all", next);

        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[3]);
        let zero = graph.constant(Const::floats(vec![], [0.0]));
        let scan = Scan { step: StepId(4), trip: Dim::number(3), reverse, n_carries: 1, body };
        let scan = graph.add(Op::Scan(Arc::new(scan)), vec![zero, x]);
        let (last, all) = (graph.add(Op::Result(0), vec![scan]), graph.add(Op::Result(1), vec![scan]));
        let given = feed(vec![("x", Tensor::floats(vec![3], vec![4.0, 2.0, 8.0]))]);
        let expected = if reverse { [7.0, 6.0, 8.0] } else { [4.0, 4.0, 10.0] };
        assert_eq!(value(&mut graph, all, &given).unwrap().to_f64(), expected);
        assert_eq!(
            value(&mut graph, last, &given).unwrap().to_f64(),
            [expected[if reverse { 0 } else { 2 }]]
        );
    }
}

#[test]
fn random_numbers_follow_their_definition() {
    let mut graph = Graph::new();
    let rand = |step_axes, step, shape: &[i64]| Op::Rand {
        kind: RandKind::Uniform,
        stream: "net.drop".into(),
        shape: dims(shape),
        step: Affine::constant(step),
        step_axes,
    };
    let stacked = graph.add(rand(1, 0i64, &[2, 3]), vec![]);
    let second = graph.add(rand(0, 1i64, &[3]), vec![]);
    let feed = Feed { seed: 9, step: 5, ..feed(vec![]) };
    let all = value(&mut graph, stacked, &feed).unwrap();
    let second = value(&mut graph, second, &feed).unwrap();
    assert_eq!(all.to_f64()[3..], second.to_f64());
    let draw = Draw { seed: 9, stream: stream_of("net.drop"), step: 5, scan_step: 1 };
    assert_eq!(second.to_f64()[2], f64::from(draw.uniform_f32(2)));
}

#[test]
fn what_is_given_must_fit() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[2]);
    assert_eq!(value(&mut graph, x, &feed(vec![])).unwrap_err(), EvalError::Missing("x".into()));
    let wrong = feed(vec![("x", Tensor::ints(vec![2], vec![1, 2]))]);
    let error = value(&mut graph, x, &wrong).unwrap_err();
    assert_eq!(error.to_string(), "`x` is int[2] and should be [2]");
    let step = graph.add(Op::Input { name: "step".into(), ty: Type::scalar(Elem::Int) }, vec![]);
    assert_eq!(value(&mut graph, step, &feed(vec![])).unwrap().to_f64(), [1.0]);
    let open = graph.fill(0.0, vec![Dim::symbol("n")]);
    assert_eq!(value(&mut graph, open, &feed(vec![])).unwrap_err(), EvalError::NotStatic(open));
}

#[test]
fn conversions() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[5]);
    let given = feed(vec![("x", Tensor::floats(vec![5], vec![2.5, -2.5, 1e20, f32::NAN, 3.5]))]);
    let whole = graph.map(&[x], |l, reads| l.unary(UnaryOp::ToInt, reads[0]));
    assert_eq!(value(&mut graph, whole, &given).unwrap().to_f64(), [2.0, -2.0, i64::MAX as f64, 0.0, 3.0]);
    let round = graph.map(&[x], |l, reads| l.unary(UnaryOp::Round, reads[0]));
    assert_eq!(value(&mut graph, round, &given).unwrap().to_f64()[..2], [2.0, -2.0]);
    assert_eq!(value(&mut graph, round, &given).unwrap().to_f64()[4], 4.0);
}
