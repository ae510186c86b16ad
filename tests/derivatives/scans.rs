//! Recurrences: all operands, both directions, nested, twice.

use super::*;
use nnc::ir::{Scan, StepId};
use std::sync::Arc;

fn capture(body: &mut Graph, index: u32, shape: &[usize]) -> NodeId {
    body.add(Op::Capture { index, ty: Type::new(Elem::Float, dims(shape)) }, Vec::new())
}

fn carry(body: &mut Graph, index: u32, shape: &[usize]) -> NodeId {
    body.add(Op::Carry { index, ty: Type::new(Elem::Float, dims(shape)) }, Vec::new())
}

/// out[b, o] = Σ a[b, i] w[o, i]
fn dense(g: &mut Graph, a: NodeId, w: NodeId) -> NodeId {
    let size = |g: &Graph, id: NodeId, axis: usize| g.shape(id)[axis].as_number().unwrap() as usize;
    let (b, i, o) = (size(g, a, 0), size(g, a, 1), size(g, w, 0));
    looped(g, &[b, o, i], &[b, o], vec![at(0), at(1)], Combine::Add, |l| {
        let (a, w) = (l.read(a, vec![at(0), at(2)]), l.read(w, vec![at(1), at(2)]));
        l.binary(BinaryOp::Mul, a, w)
    })
}

/// h = tanh(x[:, t] @ w.T + h @ u.T + c), with c = c · h too; collects h.
fn recurrent(g: &mut Graph, reverse: bool, step: u32) -> (NodeId, Vec<NodeId>) {
    let (b, t, n, h) = (2, 3, 2, 3);
    let x = input(g, "x", &[b, t, n]);
    let (w, u) = (input(g, "w", &[h, n]), input(g, "u", &[h, h]));
    let (h0, c0) = (input(g, "h0", &[b, h]), input(g, "c0", &[b, h]));
    let mut body = Graph::new();
    let (hidden, cell) = (carry(&mut body, 0, &[b, h]), carry(&mut body, 1, &[b, h]));
    let (xs, ws, us) =
        (capture(&mut body, 0, &[b, t, n]), capture(&mut body, 1, &[h, n]), capture(&mut body, 2, &[h, h]));
    let now = looped(&mut body, &[b, n], &[b, n], vec![at(0), at(1)], Combine::Set, |l| {
        l.read(xs, vec![at(0), Sub::Affine(Affine::step(StepId(step))), at(1)])
    });
    let from_input = dense(&mut body, now, ws);
    let from_hidden = dense(&mut body, hidden, us);
    let next = body.map(&[from_input, from_hidden, cell], |l, reads| {
        let sum = l.binary(BinaryOp::Add, reads[0], reads[1]);
        let sum = l.binary(BinaryOp::Add, sum, reads[2]);
        l.unary(UnaryOp::Tanh, sum)
    });
    let next_cell = body.map(&[cell, next], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[1]));
    body.output("h", next);
    body.output("c", next_cell);
    body.output("hs", next);
    let scan = Scan { step: StepId(step), trip: Dim::from(t), reverse, n_carries: 2, body };
    let id = g.add(Op::Scan(Arc::new(scan)), vec![h0, c0, x, w, u]);
    let last = g.add(Op::Result(0), vec![id]);
    let cell = g.add(Op::Result(1), vec![id]);
    let all = g.add(Op::Result(2), vec![id]);
    let parts = [weighted(g, last), weighted(g, cell), weighted(g, all)];
    (sum(g, &parts), vec![x, w, u, h0, c0])
}

#[test]
fn recurrent_layer() {
    for reverse in [false, true] {
        let mut g = Graph::new();
        let (y, wrt) = recurrent(&mut g, reverse, 0);
        check(&g, y, &wrt);
    }
}

#[test]
fn captures_get_their_gradient_outside_of_the_reverse_scan() {
    let mut g = Graph::new();
    let (y, wrt) = recurrent(&mut g, false, 0);
    let found = gradient(&mut g, &[(y, None)], &wrt).unwrap();
    for (name, derivative) in ["x", "w", "u"].iter().zip(&found) {
        let node = &g[derivative.unwrap()];
        assert!(matches!(node.op, Op::Loop(_)), "d{name} is one loop over the steps: {:?}", node.op);
    }
}

#[test]
fn only_the_last_step_counts() {
    let mut g = Graph::new();
    let (y, _) = recurrent(&mut g, false, 0);
    let scan = g.nodes().find(|(_, node)| matches!(node.op, Op::Scan(_))).map(|(id, _)| id).unwrap();
    let cell = g.add(Op::Result(1), vec![scan]);
    let z = weighted(&mut g, cell);
    let operands = g[scan].operands.clone();
    check(&g, z, &operands);
    let _ = y;
}

#[test]
fn scan_in_a_scan() {
    // outer: h = Σ over an inner scan that starts at h and adds sin(w · value + x[t, s]).
    let (t, s, n) = (3, 2, 2);
    let mut g = Graph::new();
    let (x, w, h0) = (input(&mut g, "x", &[t, s, n]), input(&mut g, "w", &[n]), input(&mut g, "h0", &[n]));
    let mut inner = Graph::new();
    let value = carry(&mut inner, 0, &[n]);
    let (xs, ws) = (capture(&mut inner, 0, &[t, s, n]), capture(&mut inner, 1, &[n]));
    let next = looped(&mut inner, &[n], &[n], vec![at(0)], Combine::Set, |l| {
        let steps = vec![Sub::Affine(Affine::step(StepId(0))), Sub::Affine(Affine::step(StepId(1))), at(0)];
        let (value, x, w) = (l.read(value, vec![at(0)]), l.read(xs, steps), l.read(ws, vec![at(0)]));
        let product = l.binary(BinaryOp::Mul, w, value);
        let sum = l.binary(BinaryOp::Add, product, x);
        let sine = l.unary(UnaryOp::Sin, sum);
        l.binary(BinaryOp::Add, value, sine)
    });
    inner.output("value", next);
    inner.output("values", next);
    let inner = Scan { step: StepId(1), trip: Dim::from(s), reverse: true, n_carries: 1, body: inner };
    let mut outer = Graph::new();
    let h = carry(&mut outer, 0, &[n]);
    let (xs, ws) = (capture(&mut outer, 0, &[t, s, n]), capture(&mut outer, 1, &[n]));
    let scan = outer.add(Op::Scan(Arc::new(inner)), vec![h, xs, ws]);
    let (last, all) = (outer.add(Op::Result(0), vec![scan]), outer.add(Op::Result(1), vec![scan]));
    let next = looped(&mut outer, &[n, s], &[n], vec![at(0)], Combine::Add, |l| {
        let (last, all) = (l.read(last, vec![at(0)]), l.read(all, vec![at(1), at(0)]));
        l.binary(BinaryOp::Mul, last, all)
    });
    let next = map1(&mut outer, next, |l, x| l.unary(UnaryOp::Tanh, x));
    outer.output("h", next);
    outer.output("all", all);
    let outer = Scan { step: StepId(0), trip: Dim::from(t), reverse: false, n_carries: 1, body: outer };
    let scan = g.add(Op::Scan(Arc::new(outer)), vec![h0, x, w]);
    let (last, all) = (g.add(Op::Result(0), vec![scan]), g.add(Op::Result(1), vec![scan]));
    let parts = [weighted(&mut g, last), weighted(&mut g, all)];
    let y = sum(&mut g, &parts);
    check(&g, y, &[x, w, h0]);
}

#[test]
fn reshaped_captures_and_maxima_in_a_scan() {
    let (t, n) = (3usize, 4);
    let mut g = Graph::new();
    let (w, h0) = (input(&mut g, "w", &[2, 2]), input(&mut g, "h0", &[n]));
    let mut body = Graph::new();
    let (h, ws) = (carry(&mut body, 0, &[n]), capture(&mut body, 0, &[2, 2]));
    let flat = body.add(Op::Reshape { shape: dims(&[n]) }, vec![ws]);
    let most = looped(&mut body, &[n], &[], vec![], Combine::Max, |l| l.read(h, vec![at(0)]));
    let next = looped(&mut body, &[n], &[n], vec![at(0)], Combine::Set, |l| {
        let (h, w, most) = (l.read(h, vec![at(0)]), l.read(flat, vec![at(0)]), l.read(most, vec![]));
        let step = l.affine(Affine::step(StepId(4)));
        let step = l.to_float(step);
        let product = l.binary(BinaryOp::Mul, w, most);
        let product = l.binary(BinaryOp::Mul, step, product);
        let sum = l.binary(BinaryOp::Add, h, product);
        l.unary(UnaryOp::Sin, sum)
    });
    body.output("h", next);
    let scan = Scan { step: StepId(4), trip: Dim::from(t), reverse: false, n_carries: 1, body };
    let scan = g.add(Op::Scan(Arc::new(scan)), vec![h0, w]);
    let last = g.add(Op::Result(0), vec![scan]);
    let y = weighted(&mut g, last);
    check(&g, y, &[w, h0]);
}
