//! Every kind of loop, first and second order.

use super::*;

#[test]
fn matrix_product() {
    let mut g = Graph::new();
    let (a, b) = (input(&mut g, "a", &[2, 3]), input(&mut g, "b", &[3, 4]));
    let c = looped(&mut g, &[2, 4, 3], &[2, 4], vec![at(0), at(1)], Combine::Add, |l| {
        let (x, y) = (l.read(a, vec![at(0), at(2)]), l.read(b, vec![at(2), at(1)]));
        l.binary(BinaryOp::Mul, x, y)
    });
    let y = map1(&mut g, c, |l, x| l.unary(UnaryOp::Tanh, x));
    let y = weighted(&mut g, y);
    check(&g, y, &[a, b]);
}

#[test]
fn every_smooth_function() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[4]);
    let y = map1(&mut g, x, |l, x| {
        let square = l.binary(BinaryOp::Mul, x, x);
        let one = l.float(1.0);
        let positive = l.binary(BinaryOp::Add, square, one);
        let mut sum = x;
        for op in [UnaryOp::Neg, UnaryOp::Exp, UnaryOp::Sin, UnaryOp::Cos, UnaryOp::Tanh, UnaryOp::Erf] {
            let value = l.unary(op, x);
            let value = l.binary(BinaryOp::Mul, value, sum);
            sum = l.binary(BinaryOp::Add, sum, value);
        }
        for op in [UnaryOp::Log, UnaryOp::Sqrt] {
            let value = l.unary(op, positive);
            sum = l.binary(BinaryOp::Sub, value, sum);
        }
        let quotient = l.binary(BinaryOp::Div, sum, positive);
        let power = l.binary(BinaryOp::Pow, positive, x);
        let half = l.float(0.5);
        let root = l.binary(BinaryOp::Pow, positive, half);
        let sum = l.binary(BinaryOp::Add, quotient, power);
        l.binary(BinaryOp::Add, sum, root)
    });
    let y = weighted(&mut g, y);
    check(&g, y, &[x]);
}

#[test]
fn logistic_and_softplus() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[4]);
    let y = map1(&mut g, x, |l, x| {
        let (one, negative) = (l.float(1.0), l.unary(UnaryOp::Neg, x));
        let power = l.unary(UnaryOp::Exp, negative);
        let sum = l.binary(BinaryOp::Add, one, power);
        let sigmoid = l.binary(BinaryOp::Div, one, sum);
        let swish = l.binary(BinaryOp::Div, x, sum);
        let softplus = l.unary(UnaryOp::Log, sum);
        let product = l.binary(BinaryOp::Mul, sigmoid, swish);
        l.binary(BinaryOp::Add, product, softplus)
    });
    let y = weighted(&mut g, y);
    check(&g, y, &[x]);
}

#[test]
fn strided_dilated_padded_convolution_and_max_pooling() {
    let mut g = Graph::new();
    let (x, w) = (input(&mut g, "x", &[2, 2, 6, 7]), input(&mut g, "w", &[3, 2, 3, 2]));
    // z[n, o, i, j] = Σ x[n, c, 2 i + u - 1, j + 2 v - 1 else 0] w[o, c, u, v]
    let domain = [2, 3, 3, 6, 2, 3, 2];
    let z = looped(&mut g, &domain, &[2, 3, 3, 6], (0..4).map(at).collect(), Combine::Add, |l| {
        let row = sub(&[(2, 2), (5, 1)], -1);
        let column = sub(&[(3, 1), (6, 2)], -1);
        let x = l.read_padded(x, vec![at(0), at(4), row, column]);
        let w = l.read(w, vec![at(1), at(4), at(5), at(6)]);
        l.binary(BinaryOp::Mul, x, w)
    });
    let pooled =
        looped(&mut g, &[2, 3, 1, 3, 2, 2], &[2, 3, 1, 3], (0..4).map(at).collect(), Combine::Max, |l| {
            l.read(z, vec![at(0), at(1), sub(&[(2, 2), (4, 1)], 0), sub(&[(3, 2), (5, 1)], 0)])
        });
    let y = map1(&mut g, pooled, |l, x| l.unary(UnaryOp::Tanh, x));
    let y = weighted(&mut g, y);
    check_first(&g, y, &[x, w], &random_feed(&g, 3));
}

#[test]
fn transposed_convolution() {
    let mut g = Graph::new();
    let (x, w) = (input(&mut g, "x", &[2, 4]), input(&mut g, "w", &[2, 3]));
    let mut l = LoopBuilder::new(&g, dims(&[2, 4, 3]));
    let (a, b) = (l.read(x, vec![at(0), at(1)]), l.read(w, vec![at(0), at(2)]));
    let product = l.binary(BinaryOp::Mul, a, b);
    let write = vec![at(0), sub(&[(1, 2), (2, 1)], -1)];
    let node = l.finish(dims(&[2, 7]), write, true, Combine::Add, product);
    let z = g.add_loop(node);
    let y = map1(&mut g, z, |l, x| l.unary(UnaryOp::Sin, x));
    let y = weighted(&mut g, y);
    check(&g, y, &[x, w]);
}

#[test]
fn minimum_and_first_of_equal_maxima() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[3, 4]);
    let least = looped(&mut g, &[3, 4], &[4], vec![at(1)], Combine::Min, |l| {
        let x = l.read(x, vec![at(0), at(1)]);
        l.unary(UnaryOp::Exp, x)
    });
    let y = weighted(&mut g, least);
    check(&g, y, &[x]);

    let greatest =
        looped(&mut g, &[3, 4], &[3], vec![at(0)], Combine::Max, |l| l.read(x, vec![at(0), at(1)]));
    let d = gradient(&mut g, &[(greatest, None)], &[x]).unwrap()[0].unwrap();
    g.output("d", d);
    let mut feed = random_feed(&g, 1);
    let tied = nnc::ir::interpret::Tensor::floats(vec![3, 4], [1., 2., 2., 0.].repeat(3));
    feed.inputs.insert("x".into(), tied);
    let found = nnc::ir::interpret::evaluate(&g, &feed).unwrap();
    assert_eq!(found[&"d".into()].to_f64(), [0., 1., 0., 0.].repeat(3));
}

#[test]
fn products_with_zeros() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[4, 3]);
    let y = looped(&mut g, &[4, 3], &[4], vec![at(0)], Combine::Mul, |l| l.read(x, vec![at(0), at(1)]));
    let y = map1(&mut g, y, |l, y| {
        let square = l.binary(BinaryOp::Mul, y, y);
        l.binary(BinaryOp::Add, square, y)
    });
    let y = weighted(&mut g, y);
    let mut feed = random_feed(&g, 1);
    let values = vec![0.5, 0.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0, -2.0, 0.7];
    feed.inputs.insert("x".into(), nnc::ir::interpret::Tensor::floats(vec![4, 3], values));
    check_with(&g, y, &[x], &feed);
}

#[test]
fn gather_and_scatter() {
    let mut g = Graph::new();
    let (table, ids) = (input(&mut g, "table", &[5, 2]), ints(&mut g, "ids", &[6]));
    let gathered = looped(&mut g, &[6, 2], &[6, 2], vec![at(0), at(1)], Combine::Set, |l| {
        let id = l.read(ids, vec![at(0)]);
        l.read(table, vec![Sub::Value(id), at(1)])
    });
    let squared = map1(&mut g, gathered, |l, x| l.binary(BinaryOp::Mul, x, x));
    let mut l = LoopBuilder::new(&g, dims(&[6, 2]));
    let (id, value) = (l.read(ids, vec![at(0)]), l.read(squared, vec![at(0), at(1)]));
    let node = l.reduce(dims(&[3, 2]), vec![Sub::Value(id), at(1)], Combine::Add, value);
    let pooled = g.add_loop(node);
    let y = map1(&mut g, pooled, |l, x| l.unary(UnaryOp::Tanh, x));
    let y = weighted(&mut g, y);
    check(&g, y, &[table]);
}

#[test]
fn causal_attention() {
    let (t, d) = (4, 3);
    let mut g = Graph::new();
    let (q, k, v) = (input(&mut g, "q", &[t, d]), input(&mut g, "k", &[t, d]), input(&mut g, "v", &[t, d]));
    let scores = looped(&mut g, &[t, t, d], &[t, t], vec![at(0), at(1)], Combine::Add, |l| {
        let (q, k) = (l.read(q, vec![at(0), at(2)]), l.read(k, vec![at(1), at(2)]));
        l.binary(BinaryOp::Mul, q, k)
    });
    let masked = looped(&mut g, &[t, t], &[t, t], vec![at(0), at(1)], Combine::Set, |l| {
        let (i, j) = (l.affine(Affine::index(0)), l.affine(Affine::index(1)));
        let allowed = l.binary(BinaryOp::Le, j, i);
        let (score, never) = (l.read(scores, vec![at(0), at(1)]), l.float(f64::NEG_INFINITY));
        l.select(allowed, score, never)
    });
    let weights = softmax(&mut g, masked);
    let out = looped(&mut g, &[t, d, t], &[t, d], vec![at(0), at(1)], Combine::Add, |l| {
        let (p, v) = (l.read(weights, vec![at(0), at(2)]), l.read(v, vec![at(2), at(1)]));
        l.binary(BinaryOp::Mul, p, v)
    });
    let y = weighted(&mut g, out);
    check(&g, y, &[q, k, v]);
}

/// As the prelude writes it, over the last axis of a matrix.
pub fn softmax(g: &mut Graph, x: NodeId) -> NodeId {
    let shape = g.shape(x).to_vec();
    let size = |axis: usize| shape[axis].as_number().unwrap() as usize;
    let (n, m) = (size(0), size(1));
    let greatest = looped(g, &[n, m], &[n], vec![at(0)], Combine::Max, |l| l.read(x, vec![at(0), at(1)]));
    let powers = looped(g, &[n, m], &[n, m], vec![at(0), at(1)], Combine::Set, |l| {
        let (x, most) = (l.read(x, vec![at(0), at(1)]), l.read(greatest, vec![at(0)]));
        let most = l.unary(UnaryOp::Stop, most);
        let z = l.binary(BinaryOp::Sub, x, most);
        l.unary(UnaryOp::Exp, z)
    });
    let sums = looped(g, &[n, m], &[n], vec![at(0)], Combine::Add, |l| l.read(powers, vec![at(0), at(1)]));
    looped(g, &[n, m], &[n, m], vec![at(0), at(1)], Combine::Set, |l| {
        let (e, s) = (l.read(powers, vec![at(0), at(1)]), l.read(sums, vec![at(0)]));
        l.binary(BinaryOp::Div, e, s)
    })
}

#[test]
fn slices_reshapes_and_padding() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[4, 6]);
    let part = looped(&mut g, &[2, 3], &[2, 3], vec![at(0), at(1)], Combine::Set, |l| {
        l.read(x, vec![sub(&[(0, 2)], 1), sub(&[(1, -1)], 4)])
    });
    let flat = g.add(Op::Reshape { shape: dims(&[6]) }, vec![part]);
    let wide = looped(&mut g, &[6], &[9], vec![sub(&[(0, 1)], 2)], Combine::Set, |l| {
        let x = l.read(flat, vec![at(0)]);
        l.unary(UnaryOp::Exp, x)
    });
    let again = looped(&mut g, &[9], &[9], vec![at(0)], Combine::Set, |l| {
        let (here, next) = (l.read(wide, vec![at(0)]), l.read_padded(wide, vec![sub(&[(0, 1)], 3)]));
        l.binary(BinaryOp::Mul, here, next)
    });
    let y = weighted(&mut g, again);
    check(&g, y, &[x]);
}

#[test]
fn one_operand_read_twice() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[3, 3]);
    let y = looped(&mut g, &[3, 3], &[3, 3], vec![at(1), at(0)], Combine::Set, |l| {
        let (a, b) = (l.read(x, vec![at(0), at(1)]), l.read(x, vec![at(1), at(0)]));
        let product = l.binary(BinaryOp::Mul, a, b);
        l.binary(BinaryOp::Mul, product, a)
    });
    let y = weighted(&mut g, y);
    check(&g, y, &[x]);
}

#[test]
fn seeds_weigh_results() {
    let mut g = Graph::new();
    let (x, seed) = (input(&mut g, "x", &[3]), input(&mut g, "seed", &[3]));
    let y = map1(&mut g, x, |l, x| l.binary(BinaryOp::Mul, x, x));
    let d = gradient(&mut g, &[(y, Some(seed)), (x, None)], &[x]).unwrap()[0].unwrap();
    g.output("d", d);
    let feed = random_feed(&g, 5);
    let found = nnc::ir::interpret::evaluate(&g, &feed).unwrap();
    let (x, seed) = (feed.inputs[&"x".into()].to_f64(), feed.inputs[&"seed".into()].to_f64());
    let expected: Vec<f64> = x.iter().zip(&seed).map(|(x, s)| 2.0 * x * s + 1.0).collect();
    assert!(found[&"d".into()].to_f64().iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn scalar_index_reads() {
    // A value is read by its number: the subscript is computed.
    let mut g = Graph::new();
    let (x, ids) = (input(&mut g, "x", &[3, 4]), ints(&mut g, "ids", &[3]));
    let picked = looped(&mut g, &[3], &[3], vec![at(0)], Combine::Set, |l| {
        let id = l.read(ids, vec![at(0)]);
        let two = l.int(2);
        let id = l.binary(BinaryOp::Mul, two, id);
        l.read(x, vec![at(0), Sub::Value(id)])
    });
    let y = map1(&mut g, picked, |l, x| l.unary(UnaryOp::Exp, x));
    let y = weighted(&mut g, y);
    check(&g, y, &[x]);
}
