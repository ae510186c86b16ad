//! Limits on gradients, between the loss and the optimiser.

use crate::ir::program::{Clip, ClipBy};
use crate::ir::{BinaryOp, Combine, Dim, Graph, LoopBuilder, NodeId, Origin, Phase, UnaryOp};

/// Limits the gradients of a line.
pub fn limit(graph: &mut Graph, clip: &Clip, gradients: &mut [NodeId]) {
    graph.origin = Origin { span: clip.span, path: None, phase: Phase::Update };
    match clip.by {
        ClipBy::Value => clip_value(graph, clip.limit, gradients),
        ClipBy::Norm => clip_norm(graph, clip.limit, gradients),
    }
    graph.origin = Origin::default();
}

/// Each element lies between -limit and limit.
fn clip_value(graph: &mut Graph, limit: f64, gradients: &mut [NodeId]) {
    for gradient in gradients {
        *gradient = graph.map(&[*gradient], |l, read| {
            let (low, high) = (l.float(-limit), l.float(limit));
            let below = l.binary(BinaryOp::Lt, read[0], low);
            let above = l.binary(BinaryOp::Lt, high, read[0]);
            let capped = l.select(above, high, read[0]);
            l.select(below, low, capped)
        });
    }
}

/// Scales all gradients by min(1, limit / (norm + 1e-6)), the norm being taken over all of them.
fn clip_norm(graph: &mut Graph, limit: f64, gradients: &mut [NodeId]) {
    let mut squares: Option<NodeId> = None;
    for gradient in gradients.iter() {
        let domain: Vec<Dim> = graph.shape(*gradient).to_vec();
        let rank = domain.len();
        let mut l = LoopBuilder::new(graph, domain);
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let value = l.read(*gradient, subs);
        let square = l.binary(BinaryOp::Mul, value, value);
        let sum = l.reduce(Vec::new(), Vec::new(), Combine::Add, square);
        let sum = graph.add_loop(sum);
        squares = Some(match squares {
            Some(others) => graph.sum_of(others, sum),
            None => sum,
        });
    }
    let Some(squares) = squares else { return };
    let factor = graph.map(&[squares], |l, read| {
        let norm = l.unary(UnaryOp::Sqrt, read[0]);
        let tiny = l.float(1e-6);
        let norm = l.binary(BinaryOp::Add, norm, tiny);
        let limit = l.float(limit);
        let ratio = l.binary(BinaryOp::Div, limit, norm);
        let one = l.float(1.0);
        let less = l.binary(BinaryOp::Lt, ratio, one);
        l.select(less, ratio, one)
    });
    for gradient in gradients {
        let domain: Vec<Dim> = graph.shape(*gradient).to_vec();
        let rank = domain.len();
        let mut l = LoopBuilder::new(graph, domain);
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let value = l.read(*gradient, subs);
        let factor = l.read(factor, Vec::new());
        let scaled = l.binary(BinaryOp::Mul, value, factor);
        let body = l.map(scaled);
        *gradient = graph.add_loop(body);
    }
}
