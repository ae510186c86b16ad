//! The gradients that textbooks derive by hand: `p - y` and `a - y`, exactly so and finite for logits of ±10 000.

use super::formula::formula;
use super::loops::softmax;
use super::*;
use nnc::ir::interpret::{Tensor, evaluate};
use nnc::opt::{simplify_forward, simplify_to_read};

/// The gradient of the loss by `z` as a formula, and value and gradient as they are computed with 32 bits.
fn derived(
    mut g: Graph,
    loss: NodeId,
    z: NodeId,
    logits: &[f32],
    targets: Tensor<f32>,
) -> (String, f64, Vec<f64>) {
    simplify_forward(&mut g, &[loss], &[z]);
    let d = gradient(&mut g, &[(loss, None)], &[z]).unwrap()[0].unwrap();
    g.output("loss", loss);
    g.output("d", d);
    let shown = simplify_to_read(&g);
    let text = formula(&shown, shown.find_output("d").unwrap());
    let g = optimise(&g);
    let mut feed = Feed::<f32>::default();
    let shape = g.shape(g.find_output("d").unwrap()).iter().map(|dim| dim.as_number().unwrap() as usize);
    feed.inputs.insert("z".into(), Tensor::floats(shape.collect(), logits.to_vec()));
    feed.inputs.insert("y".into(), targets);
    let found = evaluate(&g, &feed).unwrap();
    (text, found[&"loss".into()].to_f64()[0], found[&"d".into()].to_f64())
}

fn negative_mean(g: &mut Graph, x: NodeId) -> NodeId {
    let n = g.shape(x)[0].as_number().unwrap();
    let sum = looped(g, &[n as usize], &[], vec![], Combine::Add, |l| l.read(x, vec![at(0)]));
    map1(g, sum, |l, sum| {
        let size = l.size(&Dim::number(n));
        let size = l.to_float(size);
        let mean = l.binary(BinaryOp::Div, sum, size);
        l.unary(UnaryOp::Neg, mean)
    })
}

const LOGITS: [f32; 6] = [1e4, -1e4, 0.0, 1.0, 2.0, 3.0];

fn close(found: &[f64], expected: &[f64]) -> bool {
    found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
}

/// (softmax(z) - onehot([0, 2])) / 2 for the logits above.
fn expected_softmax() -> Vec<f64> {
    let e: Vec<f64> = [1f64, 2.0, 3.0].iter().map(|z| z.exp()).collect();
    let s: f64 = e.iter().sum();
    vec![0.0, 0.0, 0.0, e[0] / s / 2.0, e[1] / s / 2.0, (e[2] / s - 1.0) / 2.0]
}

/// Checks the cross entropy of the classes `y` under the logarithms of probabilities.
fn is_probability_minus_target(mut g: Graph, z: NodeId, y: NodeId, logs: NodeId) {
    let picked = looped(&mut g, &[2], &[2], vec![at(0)], Combine::Set, |l| {
        let class = l.read(y, vec![at(0)]);
        l.read(logs, vec![at(0), Sub::Value(class)])
    });
    let loss = negative_mean(&mut g, picked);
    let (text, loss, d) = derived(g, loss, z, &LOGITS, Tensor::ints(vec![2], vec![0, 2]));
    assert_eq!(text, "(if i1 == y[i0] then -0.5 else 0) + 0.5 / sums[i0] * powers[i0, i1]");
    assert!(close(&d, &expected_softmax()), "{d:?}");
    assert!((loss - 0.5 * 0.407_605_96).abs() < 1e-6, "{loss}");
}

#[test]
fn softmax_and_cross_entropy_on_probabilities() {
    let mut g = Graph::new();
    let (z, y) = (input(&mut g, "z", &[2, 3]), ints(&mut g, "y", &[2]));
    let p = softmax(&mut g, z);
    let logs = map1(&mut g, p, |l, p| l.unary(UnaryOp::Log, p));
    is_probability_minus_target(g, z, y, logs);
}

#[test]
fn log_softmax_and_cross_entropy() {
    let mut g = Graph::new();
    let (z, y) = (input(&mut g, "z", &[2, 3]), ints(&mut g, "y", &[2]));
    let greatest =
        looped(&mut g, &[2, 3], &[2], vec![at(0)], Combine::Max, |l| l.read(z, vec![at(0), at(1)]));
    let shifted = looped(&mut g, &[2, 3], &[2, 3], vec![at(0), at(1)], Combine::Set, |l| {
        let (z, most) = (l.read(z, vec![at(0), at(1)]), l.read(greatest, vec![at(0)]));
        let most = l.unary(UnaryOp::Stop, most);
        l.binary(BinaryOp::Sub, z, most)
    });
    let powers = map1(&mut g, shifted, |l, x| l.unary(UnaryOp::Exp, x));
    let sums =
        looped(&mut g, &[2, 3], &[2], vec![at(0)], Combine::Add, |l| l.read(powers, vec![at(0), at(1)]));
    let logs = looped(&mut g, &[2, 3], &[2, 3], vec![at(0), at(1)], Combine::Set, |l| {
        let (x, s) = (l.read(shifted, vec![at(0), at(1)]), l.read(sums, vec![at(0)]));
        let log = l.unary(UnaryOp::Log, s);
        l.binary(BinaryOp::Sub, x, log)
    });
    is_probability_minus_target(g, z, y, logs);
}

#[test]
fn cross_entropy_with_target_probabilities() {
    let mut g = Graph::new();
    let (z, y) = (input(&mut g, "z", &[2, 3]), input(&mut g, "y", &[2, 3]));
    let p = softmax(&mut g, z);
    let logs = map1(&mut g, p, |l, p| l.unary(UnaryOp::Log, p));
    let products = g.map(&[y, logs], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[1]));
    let sums =
        looped(&mut g, &[2, 3], &[2], vec![at(0)], Combine::Add, |l| l.read(products, vec![at(0), at(1)]));
    let loss = negative_mean(&mut g, sums);
    let targets = Tensor::floats(vec![2, 3], vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let (text, loss, d) = derived(g, loss, z, &LOGITS, targets);
    // (p Σ y - y) / 2: the first sums are those of y.
    assert_eq!(text, "0.5 * (sums[i0] / sums[i0]) * powers[i0, i1] - 0.5 * y[i0, i1]");
    assert!(close(&d, &expected_softmax()), "{d:?}");
    assert!((loss - 0.5 * 0.407_605_96).abs() < 1e-6, "{loss}");
}

/// 1 / (1 + exp(-z)), with the slope that the prelude gives it or without.
fn sigmoid(l: &mut LoopBuilder<'_>, z: ScalarId, slope: bool) -> ScalarId {
    let (one, negative) = (l.float(1.0), l.unary(UnaryOp::Neg, z));
    let power = l.unary(UnaryOp::Exp, negative);
    let sum = l.binary(BinaryOp::Add, one, power);
    let value = l.binary(BinaryOp::Div, one, sum);
    if !slope {
        return value;
    }
    let rest = l.binary(BinaryOp::Sub, one, value);
    let slope = l.binary(BinaryOp::Mul, value, rest);
    l.add(Scalar::WithSlope { value, arg: z, slope })
}

#[test]
fn sigmoid_and_binary_cross_entropy() {
    for slope in [false, true] {
        let mut g = Graph::new();
        let (z, y) = (input(&mut g, "z", &[6]), input(&mut g, "y", &[6]));
        let a = map1(&mut g, z, |l, z| sigmoid(l, z, slope));
        let terms = g.map(&[y, a], |l, reads| {
            let (y, a) = (reads[0], reads[1]);
            let one = l.float(1.0);
            let (log, rest, not) =
                (l.unary(UnaryOp::Log, a), l.binary(BinaryOp::Sub, one, a), l.binary(BinaryOp::Sub, one, y));
            let other = l.unary(UnaryOp::Log, rest);
            let (left, right) = (l.binary(BinaryOp::Mul, y, log), l.binary(BinaryOp::Mul, not, other));
            l.binary(BinaryOp::Add, left, right)
        });
        let loss = negative_mean(&mut g, terms);
        let y = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0];
        let (text, loss, d) = derived(g, loss, z, &LOGITS, Tensor::floats(vec![6], y.to_vec()));
        assert_eq!(text, "0.16666666666666666 * (1 / (1 + exp(-z[i0])) - y[i0])");
        let a = LOGITS.map(|z| 1.0 / (1.0 + f64::from(-z).exp()));
        let expected: Vec<f64> = a.iter().zip(y).map(|(a, y)| (a - f64::from(y)) / 6.0).collect();
        assert!(close(&d, &expected), "{d:?}");
        let softplus = |z: f64| z.max(0.0) + (1.0 + (-z.abs()).exp()).ln();
        let value: f64 =
            LOGITS.iter().zip(y).map(|(z, y)| softplus(f64::from(*z)) - f64::from(z * y)).sum::<f64>() / 6.0;
        assert!((loss - value).abs() / value < 1e-6, "{loss} {value}");
    }
}
