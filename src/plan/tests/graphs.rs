//! Graphs to plan.

use crate::ir::{Affine, BinaryOp, Combine, Dim, Elem, Graph, LoopBuilder, NodeId, Op, Phase, Scan, Sub};
use crate::ir::{StepId, Type, UnaryOp};
use std::sync::Arc;

pub fn dims(sizes: &[i64]) -> Vec<Dim> {
    sizes.iter().map(|size| Dim::number(*size)).collect()
}

pub fn input(graph: &mut Graph, name: &str, sizes: &[i64]) -> NodeId {
    graph.add(Op::Input { name: name.into(), ty: Type::new(Elem::Float, dims(sizes)) }, vec![])
}

pub fn param(graph: &mut Graph, path: &str, sizes: &[i64]) -> NodeId {
    graph.add(Op::Param { path: path.into(), ty: Type::new(Elem::Float, dims(sizes)) }, vec![])
}

/// `h = h * a + x[t]`, the new and the old h collected.
pub fn recurrence(reverse: bool) -> Graph {
    let step = StepId(1);
    let mut body = Graph::new();
    let ty = |sizes: &[i64]| Type::new(Elem::Float, dims(sizes));
    let h = body.add(Op::Carry { index: 0, ty: ty(&[2]) }, vec![]);
    let x = body.add(Op::Capture { index: 0, ty: ty(&[3, 2]) }, vec![]);
    let mut l = LoopBuilder::new(&body, dims(&[2]));
    let i = l.index(0);
    let (h_i, x_i) = (l.read(h, vec![i.clone()]), l.read(x, vec![Sub::Affine(Affine::step(step)), i]));
    let half = l.float(0.5);
    let product = l.binary(BinaryOp::Mul, h_i, half);
    let sum = l.binary(BinaryOp::Add, product, x_i);
    let new = l.map(sum);
    let new = body.add_loop(new);
    body.output("h", new);
    body.output("new", new);
    body.output("old", h);
    let scan = Scan { step, trip: Dim::number(3), reverse, n_carries: 1, body };
    let mut graph = Graph::new();
    let start = input(&mut graph, "h", &[2]);
    let x = input(&mut graph, "x", &[3, 2]);
    let scan = graph.add(Op::Scan(Arc::new(scan)), vec![start, x]);
    for (index, name) in ["last", "new", "old"].into_iter().enumerate() {
        let node = graph.add(Op::Result(index as u32), vec![scan]);
        graph.output(name, node);
    }
    graph
}

pub fn matmul(graph: &mut Graph, a: NodeId, b: NodeId, transpose: [bool; 2]) -> NodeId {
    let size = |node: NodeId, axis: usize| graph.shape(node)[axis].clone();
    let (m, k) = if transpose[0] { (size(a, 1), size(a, 0)) } else { (size(a, 0), size(a, 1)) };
    let n = if transpose[1] { size(b, 0) } else { size(b, 1) };
    let mut l = LoopBuilder::new(graph, vec![m.clone(), n.clone(), k]);
    let (i, j, p) = (l.index(0), l.index(1), l.index(2));
    let a_subs = if transpose[0] { vec![p.clone(), i.clone()] } else { vec![i.clone(), p.clone()] };
    let b_subs = if transpose[1] { vec![j.clone(), p] } else { vec![p, j.clone()] };
    let (a, b) = (l.read(a, a_subs), l.read(b, b_subs));
    let product = l.binary(BinaryOp::Mul, a, b);
    let node = l.reduce(vec![m, n], vec![i, j], Combine::Add, product);
    graph.add_loop(node)
}

/// `x[i, j] + b[j]`, or another operation.
pub fn with_row(graph: &mut Graph, op: BinaryOp, x: NodeId, b: NodeId) -> NodeId {
    let shape = graph.shape(x).to_vec();
    let mut l = LoopBuilder::new(graph, shape);
    let (i, j) = (l.index(0), l.index(1));
    let (x, b) = (l.read(x, vec![i, j.clone()]), l.read(b, vec![j]));
    let value = l.binary(op, x, b);
    let node = l.map(value);
    graph.add_loop(node)
}

/// Reduces axis 0 or 1 of a matrix.
pub fn reduce(graph: &mut Graph, combine: Combine, x: NodeId, axis: usize) -> NodeId {
    let shape = graph.shape(x).to_vec();
    let kept = 1 - axis;
    let mut l = LoopBuilder::new(graph, shape.clone());
    let (i, j) = (l.index(0), l.index(1));
    let value = l.read(x, vec![i, j]);
    let write = vec![l.index(kept)];
    let node = l.reduce(vec![shape[kept].clone()], write, combine, value);
    graph.add_loop(node)
}

/// `f(x[i, j], s[i])`.
pub fn with_column(graph: &mut Graph, op: BinaryOp, x: NodeId, s: NodeId) -> NodeId {
    let shape = graph.shape(x).to_vec();
    let mut l = LoopBuilder::new(graph, shape);
    let (i, j) = (l.index(0), l.index(1));
    let (x, s) = (l.read(x, vec![i.clone(), j]), l.read(s, vec![i]));
    let value = l.binary(op, x, s);
    let node = l.map(value);
    graph.add_loop(node)
}

/// A step of gradient descent of two layers with tanh and a softmax, written out.
pub fn training_step(batch: i64, sizes: [i64; 3]) -> Graph {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[batch, sizes[0]]);
    let target = input(&mut g, "target", &[batch, sizes[2]]);
    let (w1, b1) = (param(&mut g, "w1", &[sizes[1], sizes[0]]), param(&mut g, "b1", &[sizes[1]]));
    let (w2, b2) = (param(&mut g, "w2", &[sizes[2], sizes[1]]), param(&mut g, "b2", &[sizes[2]]));
    let z1 = matmul(&mut g, x, w1, [false, true]);
    let z1 = with_row(&mut g, BinaryOp::Add, z1, b1);
    let h = g.map(&[z1], |l, reads| l.unary(UnaryOp::Tanh, reads[0]));
    let z2 = matmul(&mut g, h, w2, [false, true]);
    let z2 = with_row(&mut g, BinaryOp::Add, z2, b2);
    let top = reduce(&mut g, Combine::Max, z2, 1);
    let shifted = with_column(&mut g, BinaryOp::Sub, z2, top);
    let e = g.map(&[shifted], |l, reads| l.unary(UnaryOp::Exp, reads[0]));
    let sum = reduce(&mut g, Combine::Add, e, 1);
    let p = with_column(&mut g, BinaryOp::Div, e, sum);
    g.origin.phase = Phase::Backward;
    let d2 = g.map(&[p, target], |l, reads| l.binary(BinaryOp::Sub, reads[0], reads[1]));
    let dw2 = matmul(&mut g, d2, h, [true, false]);
    let db2 = reduce(&mut g, Combine::Add, d2, 0);
    let dh = matmul(&mut g, d2, w2, [false, false]);
    let d1 = g.map(&[dh, h], |l, reads| {
        let square = l.binary(BinaryOp::Mul, reads[1], reads[1]);
        let one = l.float(1.0);
        let slope = l.binary(BinaryOp::Sub, one, square);
        l.binary(BinaryOp::Mul, reads[0], slope)
    });
    let dw1 = matmul(&mut g, d1, x, [true, false]);
    let db1 = reduce(&mut g, Combine::Add, d1, 0);
    g.origin.phase = Phase::Update;
    for (path, w, dw) in [("w1", w1, dw1), ("b1", b1, db1), ("w2", w2, dw2), ("b2", b2, db2)] {
        let new = g.map(&[w, dw], |l, reads| {
            let rate = l.float(0.1);
            let change = l.binary(BinaryOp::Mul, rate, reads[1]);
            l.binary(BinaryOp::Sub, reads[0], change)
        });
        g.output(format!("param:{path}"), new);
    }
    let loss = g.map(&[p, target], |l, reads| {
        let log = l.unary(UnaryOp::Log, reads[0]);
        let product = l.binary(BinaryOp::Mul, log, reads[1]);
        l.unary(UnaryOp::Neg, product)
    });
    let loss = reduce(&mut g, Combine::Add, loss, 1);
    g.output("loss", loss);
    g
}

/// `y[n, o, i, j] = Σ x[n, c, S i + u - P, S j + v - P] w[o, c, u, v]` and both its gradients for `dy = y`.
pub fn convolution(sizes: [i64; 5], stride: i64, pad: i64) -> Graph {
    let [batch, channels, size, out, window] = sizes;
    let places = (size + 2 * pad - window) / stride + 1;
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[batch, channels, size, size]);
    let w = param(&mut g, "w", &[out, channels, window, window]);
    // n o i j c u v
    let domain = dims(&[batch, out, places, places, channels, window, window]);
    let at = |a: usize, u: usize| {
        let place = Affine::index(a).scale(&Dim::number(stride)).add(&Affine::index(u));
        Sub::Affine(place.offset(&Dim::number(-pad)))
    };
    let x_subs = |l: &LoopBuilder<'_>| vec![l.index(0), l.index(4), at(2, 5), at(3, 6)];
    let w_subs = |l: &LoopBuilder<'_>| vec![l.index(1), l.index(4), l.index(5), l.index(6)];
    let y_subs = |l: &LoopBuilder<'_>| vec![l.index(0), l.index(1), l.index(2), l.index(3)];
    let mut l = LoopBuilder::new(&g, domain.clone());
    let (xs, ws, ys) = (x_subs(&l), w_subs(&l), y_subs(&l));
    let (a, b) = (l.read_padded(x, xs.clone()), l.read(w, ws.clone()));
    let value = l.binary(BinaryOp::Mul, a, b);
    let y = l.reduce(dims(&[batch, out, places, places]), ys.clone(), Combine::Add, value);
    let y = g.add_loop(y);
    g.origin.phase = Phase::Backward;
    let mut l = LoopBuilder::new(&g, domain.clone());
    let (a, b) = (l.read_padded(x, xs.clone()), l.read(y, ys.clone()));
    let value = l.binary(BinaryOp::Mul, a, b);
    let dw = l.reduce(dims(&[out, channels, window, window]), ws.clone(), Combine::Add, value);
    let dw = g.add_loop(dw);
    let mut l = LoopBuilder::new(&g, domain);
    let (a, b) = (l.read(w, ws), l.read(y, ys));
    let value = l.binary(BinaryOp::Mul, a, b);
    let dx = l.finish(dims(&[batch, channels, size, size]), xs, true, Combine::Add, value);
    let dx = g.add_loop(dx);
    g.output("y", y);
    g.output("dw", dw);
    g.output("dx", dx);
    g
}

/// Small numbers without a pattern.
pub struct Lot(pub u64);

impl Lot {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// A graph of matrices and vectors, with updates of parameters here and there.
pub fn random_graph(lot: &mut Lot) -> Graph {
    let sizes = [3, 9, 17];
    let mut g = Graph::new();
    let mut matrices = Vec::new();
    let mut vectors = Vec::new();
    let mut params = Vec::new();
    for at in 0..4 {
        let (rows, columns) = (sizes[lot.below(3)], sizes[lot.below(3)]);
        matrices.push(if at % 2 == 0 {
            input(&mut g, &format!("x{at}"), &[rows, columns])
        } else {
            params.push((format!("w{at}"), param(&mut g, &format!("w{at}"), &[rows, columns])));
            params[params.len() - 1].1
        });
        vectors.push(input(&mut g, &format!("v{at}"), &[sizes[at % 3]]));
    }
    for _ in 0..24 {
        let x = matrices[lot.below(matrices.len())];
        let y = matrices[lot.below(matrices.len())];
        let shape = g.shape(x).to_vec();
        let fits = |g: &Graph, vectors: &[NodeId], axis: usize| {
            vectors.iter().rev().copied().find(|v| g.shape(*v)[0] == shape[axis])
        };
        let op = [BinaryOp::Add, BinaryOp::Mul, BinaryOp::Sub][lot.below(3)];
        match lot.below(8) {
            0 => {
                if let Some(v) = fits(&g, &vectors, 1) {
                    matrices.push(with_row(&mut g, op, x, v));
                }
            }
            1 => {
                if let Some(v) = fits(&g, &vectors, 0) {
                    matrices.push(with_column(&mut g, op, x, v));
                }
            }
            2 => {
                let combine = [Combine::Add, Combine::Max, Combine::ArgMax][lot.below(3)];
                let reduced = reduce(&mut g, combine, x, lot.below(2));
                if g.elem(reduced) == Elem::Float {
                    vectors.push(reduced);
                } else {
                    g.output(format!("arg{}", g.outputs.len()), reduced);
                }
            }
            3 => matrices.push(g.map(&[x], |l, reads| l.unary(UnaryOp::Tanh, reads[0]))),
            4 | 5 => {
                let other = g.shape(y).to_vec();
                for (transpose, k) in
                    [([false, false], (1, 0)), ([true, false], (0, 0)), ([false, true], (1, 1))]
                {
                    if shape[k.0] == other[k.1] {
                        let product = matmul(&mut g, x, y, transpose);
                        matrices.push(g.map(&[product], |l, reads| l.unary(UnaryOp::Tanh, reads[0])));
                        break;
                    }
                }
            }
            6 if g.shape(y) == shape => {
                matrices.push(g.map(&[x, y], |l, reads| l.binary(op, reads[0], reads[1])));
            }
            _ => {
                let flat = g.add(Op::Reshape { shape: vec![Dim::product(&shape)] }, vec![x]);
                let half = g.map(&[flat], |l, reads| {
                    let half = l.float(0.5);
                    l.binary(BinaryOp::Mul, reads[0], half)
                });
                matrices.push(g.add(Op::Reshape { shape }, vec![half]));
            }
        }
    }
    for (path, old) in params {
        let new = matrices.iter().rev().copied().find(|m| *m != old && g.shape(*m) == g.shape(old));
        if let Some(new) = new {
            g.output(format!("param:{path}"), new);
        }
    }
    for (at, node) in matrices.iter().rev().take(2).chain(vectors.iter().rev().take(2)).enumerate() {
        g.output(format!("o{at}"), *node);
    }
    g
}

/// One layer of an LSTM over `[batch, steps, input]`, its hidden values collected, as the language expands it.
pub fn lstm(batch: i64, steps: i64, width: i64, hidden: i64) -> Graph {
    let step = StepId(1);
    let ty = |sizes: &[i64]| Type::new(Elem::Float, dims(sizes));
    let mut body = Graph::new();
    let h = body.add(Op::Carry { index: 0, ty: ty(&[batch, hidden]) }, vec![]);
    let c = body.add(Op::Carry { index: 1, ty: ty(&[batch, hidden]) }, vec![]);
    let projected = body.add(Op::Capture { index: 0, ty: ty(&[batch, steps, 4 * hidden]) }, vec![]);
    let weight = body.add(Op::Capture { index: 1, ty: ty(&[4 * hidden, hidden]) }, vec![]);
    let recurrent = matmul(&mut body, h, weight, [false, true]);
    let mut l = LoopBuilder::new(&body, dims(&[batch, 4 * hidden]));
    let (b, j) = (l.index(0), l.index(1));
    let x = l.read(projected, vec![b.clone(), Sub::Affine(Affine::step(step)), j.clone()]);
    let r = l.read(recurrent, vec![b, j]);
    let sum = l.binary(BinaryOp::Add, x, r);
    let gates = l.map(sum);
    let gates = body.add_loop(gates);
    let mut l = LoopBuilder::new(&body, dims(&[batch, hidden]));
    let gate = |l: &mut LoopBuilder<'_>, which: i64| {
        let place = Affine::index(1).offset(&Dim::number(which * hidden));
        let value = l.read(gates, vec![l.index(0), Sub::Affine(place)]);
        l.unary(UnaryOp::Tanh, value)
    };
    let (i, f, g) = (gate(&mut l, 0), gate(&mut l, 1), gate(&mut l, 2));
    let old = l.read(c, vec![l.index(0), l.index(1)]);
    let kept = l.binary(BinaryOp::Mul, f, old);
    let added = l.binary(BinaryOp::Mul, i, g);
    let new = l.binary(BinaryOp::Add, kept, added);
    let c_new = l.map(new);
    let c_new = body.add_loop(c_new);
    let mut l = LoopBuilder::new(&body, dims(&[batch, hidden]));
    let o = gate(&mut l, 3);
    let c_read = l.read(c_new, vec![l.index(0), l.index(1)]);
    let value = l.unary(UnaryOp::Tanh, c_read);
    let value = l.binary(BinaryOp::Mul, o, value);
    let h_new = l.map(value);
    let h_new = body.add_loop(h_new);
    body.output("h", h_new);
    body.output("c", c_new);
    body.output("hs", h_new);
    let scan = Scan { step, trip: Dim::number(steps), reverse: false, n_carries: 2, body };
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[batch, steps, width]);
    let w = param(&mut g, "weight_ih", &[4 * hidden, width]);
    let u = param(&mut g, "weight_hh", &[4 * hidden, hidden]);
    let mut l = LoopBuilder::new(&g, dims(&[batch, steps, 4 * hidden, width]));
    let (b, t, j, i) = (l.index(0), l.index(1), l.index(2), l.index(3));
    let (x, w) = (l.read(x, vec![b.clone(), t.clone(), i.clone()]), l.read(w, vec![j.clone(), i]));
    let product = l.binary(BinaryOp::Mul, x, w);
    let projected = l.reduce(dims(&[batch, steps, 4 * hidden]), vec![b, t, j], Combine::Add, product);
    let projected = g.add_loop(projected);
    let zero = g.fill(0.0, dims(&[batch, hidden]));
    let scan = g.add(Op::Scan(Arc::new(scan)), vec![zero, zero, projected, u]);
    let hs = g.add(Op::Result(2), vec![scan]);
    let last = g.add(Op::Result(0), vec![scan]);
    g.output("hs", hs);
    g.output("last", last);
    g
}

/// Many layers, as wide as they are deep.
pub fn deep(layers: usize) -> Graph {
    let mut g = Graph::new();
    let mut x = input(&mut g, "x", &[32, 64]);
    let mut trained = Vec::new();
    for at in 0..layers {
        let w = param(&mut g, &format!("w{at}"), &[64, 64]);
        let b = param(&mut g, &format!("b{at}"), &[64]);
        let z = matmul(&mut g, x, w, [false, true]);
        let z = with_row(&mut g, BinaryOp::Add, z, b);
        let top = reduce(&mut g, Combine::Max, z, 1);
        let shifted = with_column(&mut g, BinaryOp::Sub, z, top);
        let e = g.map(&[shifted], |l, reads| l.unary(UnaryOp::Exp, reads[0]));
        let sum = reduce(&mut g, Combine::Add, e, 1);
        trained.push((at, w, z));
        x = with_column(&mut g, BinaryOp::Div, e, sum);
    }
    let mut d = x;
    for (at, w, z) in trained.into_iter().rev() {
        let dw = matmul(&mut g, d, z, [true, false]);
        d = matmul(&mut g, d, w, [false, false]);
        d = g.map(&[d, z], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[1]));
        let new = g.map(&[w, dw], |l, reads| l.binary(BinaryOp::Sub, reads[0], reads[1]));
        g.output(format!("param:w{at}"), new);
    }
    g
}

/// `h = tanh(h + x[t] w)` backwards in form: a scan that collects products of what it carries and what it is
/// given, whose sum over the steps is wanted.
pub fn collected_products() -> Graph {
    let step = StepId(1);
    let ty = |sizes: &[i64]| Type::new(Elem::Float, dims(sizes));
    let mut body = Graph::new();
    let h = body.add(Op::Carry { index: 0, ty: ty(&[8, 6]) }, vec![]);
    let x = body.add(Op::Capture { index: 0, ty: ty(&[8, 5, 6]) }, vec![]);
    let mut l = LoopBuilder::new(&body, dims(&[8, 6]));
    let (b, i) = (l.index(0), l.index(1));
    let old = l.read(h, vec![b.clone(), i.clone()]);
    let new = l.read(x, vec![b, Sub::Affine(Affine::step(step)), i]);
    let value = l.binary(BinaryOp::Add, old, new);
    let value = l.unary(UnaryOp::Tanh, value);
    let next = l.map(value);
    let next = body.add_loop(next);
    let half = body.map(&[next], |l, reads| {
        let half = l.float(0.5);
        l.binary(BinaryOp::Mul, reads[0], half)
    });
    let with_old = matmul(&mut body, half, h, [true, false]);
    let mut l = LoopBuilder::new(&body, dims(&[6, 6, 8]));
    let (i, j, b) = (l.index(0), l.index(1), l.index(2));
    let first = l.read(half, vec![b.clone(), i.clone()]);
    let second = l.read(x, vec![b, Sub::Affine(Affine::step(step)), j.clone()]);
    let value = l.binary(BinaryOp::Mul, first, second);
    let with_new = l.reduce(dims(&[6, 6]), vec![i, j], Combine::Add, value);
    let with_new = body.add_loop(with_new);
    body.output("h", next);
    body.output("with_old", with_old);
    body.output("with_new", with_new);
    let scan = Scan { step, trip: Dim::number(5), reverse: true, n_carries: 1, body };
    let mut g = Graph::new();
    let start = input(&mut g, "h", &[8, 6]);
    let x = input(&mut g, "x", &[8, 5, 6]);
    let scan = g.add(Op::Scan(Arc::new(scan)), vec![start, x]);
    for (index, name) in [(1, "with_old"), (2, "with_new")] {
        let stack = g.add(Op::Result(index), vec![scan]);
        let mut l = LoopBuilder::new(&g, dims(&[6, 6, 5]));
        let (i, j, t) = (l.index(0), l.index(1), l.index(2));
        let value = l.read(stack, vec![t, i.clone(), j.clone()]);
        let sum = l.reduce(dims(&[6, 6]), vec![i, j], Combine::Add, value);
        let sum = g.add_loop(sum);
        g.output(name, sum);
    }
    let last = g.add(Op::Result(0), vec![scan]);
    g.output("last", last);
    g
}
