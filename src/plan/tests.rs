//! Plans against numbers worked out here.

use super::*;
use crate::ir::{Affine, BinaryOp, Dim, LoopBuilder, NodeId, Op, Scan, StepId, Sub, Type};

pub(super) fn dims(sizes: &[i64]) -> Vec<Dim> {
    sizes.iter().map(|size| Dim::number(*size)).collect()
}

pub(super) fn input(graph: &mut Graph, name: &str, sizes: &[i64]) -> NodeId {
    graph.add(Op::Input { name: name.into(), ty: Type::new(Elem::Float, dims(sizes)) }, vec![])
}

pub(super) fn param(graph: &mut Graph, path: &str, sizes: &[i64]) -> NodeId {
    graph.add(Op::Param { path: path.into(), ty: Type::new(Elem::Float, dims(sizes)) }, vec![])
}

/// Carries out a plan over the given tensors; returns all tensors of the caller afterwards.
pub(super) fn run(plan: &Plan, given: &[(&str, Vec<f64>)]) -> Vec<(String, Vec<f64>)> {
    let mut tensors: Vec<Vec<f64>> = plan
        .externals
        .iter()
        .map(|external| {
            let own =
                given.iter().find(|(name, _)| *name == &*external.name).map(|(_, values)| values.clone());
            own.unwrap_or_else(|| vec![0.0; external.shape.iter().product()])
        })
        .collect();
    interpret(plan, &mut tensors, 7, 1);
    plan.externals.iter().map(|external| external.name.to_string()).zip(tensors).collect()
}

fn result(values: &[(String, Vec<f64>)], name: &str) -> Vec<f64> {
    values.iter().find(|(own, _)| own == name).expect("an external of this name").1.clone()
}

const F64: Options = Options { precision: Precision::F64 };

#[test]
fn a_variable_is_updated_after_its_readers() {
    let mut graph = Graph::new();
    let w = param(&mut graph, "w", &[3]);
    let new = graph.map(&[w], |l, reads| {
        let half = l.float(0.5);
        l.binary(BinaryOp::Mul, reads[0], half)
    });
    let square = graph.map(&[w], |l, reads| l.binary(BinaryOp::Mul, reads[0], reads[0]));
    graph.output("param:w", new);
    graph.output("square", square);
    let plan = plan(&graph, F64).unwrap();
    let values = run(&plan, &[("param:w", vec![1.0, 2.0, 4.0])]);
    assert_eq!(result(&values, "param:w"), [0.5, 1.0, 2.0]);
    assert_eq!(result(&values, "output:square"), [1.0, 4.0, 16.0]);
}

#[test]
fn variables_can_be_exchanged() {
    let mut graph = Graph::new();
    let (a, b) = (param(&mut graph, "a", &[2]), param(&mut graph, "b", &[2]));
    graph.output("param:a", b);
    graph.output("param:b", a);
    let plan = plan(&graph, F64).unwrap();
    let values = run(&plan, &[("param:a", vec![1.0, 2.0]), ("param:b", vec![3.0, 4.0])]);
    assert_eq!(result(&values, "param:a"), [3.0, 4.0]);
    assert_eq!(result(&values, "param:b"), [1.0, 2.0]);
}

/// `h = h * a + x[t]`, the new and the old h collected.
fn recurrence(reverse: bool) -> Graph {
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

#[test]
fn scans_keep_their_rows() {
    let given = [("input:h", vec![8.0, 0.0]), ("input:x", vec![1.0, 0.0, 2.0, 0.0, 3.0, 4.0])];
    let values = run(&plan(&recurrence(false), F64).unwrap(), &given);
    assert_eq!(result(&values, "output:new"), [5.0, 0.0, 4.5, 0.0, 5.25, 4.0]);
    assert_eq!(result(&values, "output:old"), [8.0, 0.0, 5.0, 0.0, 4.5, 0.0]);
    assert_eq!(result(&values, "output:last"), [5.25, 4.0]);
    let values = run(&plan(&recurrence(true), F64).unwrap(), &given);
    assert_eq!(result(&values, "output:new"), [3.75, 1.0, 5.5, 2.0, 7.0, 4.0]);
    assert_eq!(result(&values, "output:old"), [5.5, 2.0, 7.0, 4.0, 8.0, 0.0]);
    assert_eq!(result(&values, "output:last"), [3.75, 1.0]);
}
