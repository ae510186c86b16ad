//! What holds for every graph, tried on random ones.

use super::interpret::{Data, Tensor, evaluate};
use super::random::{feed, graph, sizes};
use super::text::parse;
use super::*;
use std::rc::Rc;
use std::sync::Arc;

const SEEDS: std::ops::Range<u64> = 0..300;

fn sound(graph: &Graph) {
    if let Err(faults) = verify(graph) {
        panic!("{}\n{graph}", faults[0]);
    }
}

/// The values of all outputs as bits, so that NaN equals NaN.
fn values(graph: &Graph, seed: u64, n: usize) -> Vec<(String, Vec<usize>, Vec<u64>)> {
    let outputs = evaluate(graph, &feed::<f64>(seed, n)).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    outputs.into_iter().map(|(name, value)| (name.to_string(), value.shape.clone(), bits(&value))).collect()
}

fn bits(value: &Rc<Tensor<f64>>) -> Vec<u64> {
    // The sign of a NaN means nothing.
    let bits = |v: &f64| if v.is_nan() { u64::MAX } else { v.to_bits() };
    match &value.data {
        Data::Float(values) => values.iter().map(bits).collect(),
        Data::Int(_) | Data::Bool(_) => value.to_f64().iter().map(bits).collect(),
    }
}

/// Equality of all but origins and the identity of scans.
fn same(a: &Graph, b: &Graph) -> bool {
    let same_op = |x: &Op, y: &Op| match (x, y) {
        (Op::Scan(x), Op::Scan(y)) => {
            (x.step, &x.trip, x.reverse, x.n_carries) == (y.step, &y.trip, y.reverse, y.n_carries)
                && same(&x.body, &y.body)
        }
        _ => x == y,
    };
    a.len() == b.len()
        && a.outputs == b.outputs
        && a.nodes()
            .zip(b.nodes())
            .all(|((_, x), (_, y))| same_op(&x.op, &y.op) && x.operands == y.operands && x.ty == y.ty)
}

#[test]
fn text_round_trip() {
    for seed in SEEDS {
        let graph = graph(seed, 12, 2);
        let text = graph.to_string();
        let again = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(same(&graph, &again), "{text}\n{again}");
        assert_eq!(again.to_string(), text);
    }
}

#[test]
fn bodies_made_by_builders_are_not_listed() {
    for seed in SEEDS {
        let text = graph(seed, 12, 2).to_string();
        assert!(!text.contains("list"), "{text}");
    }
}

#[test]
fn sound_before_and_after_specialising() {
    for seed in SEEDS {
        let graph = graph(seed, 12, 2);
        sound(&graph);
        for n in [1, 4] {
            let small = specialise(&graph, &sizes(n)).unwrap_or_else(|error| panic!("{error:?}\n{graph}"));
            sound(&small);
            values(&small, seed, n);
        }
    }
}

#[test]
fn copies_mean_the_same() {
    for seed in SEEDS {
        let graph = specialise(&graph(seed, 10, 1), &sizes(3)).unwrap();
        let expected = values(&graph, seed, 3);
        let small = compact(&graph);
        assert_eq!(values(&small, seed, 3), expected);
        assert!(small.len() <= graph.len());
        let mut other = Graph::new();
        other.fill(1.0, vec![]);
        let places = splice(&mut other, &graph, |_, _| None);
        for output in &graph.outputs {
            other.output(output.name.clone(), places[output.node.0 as usize]);
        }
        sound(&other);
        assert_eq!(values(&other, seed, 3), expected);
        assert_eq!(values(&parse(&graph.to_string()).unwrap(), seed, 3), expected);
    }
}

/// What a scan collects that does not depend on its carries, the lifted loops compute all at once.
#[test]
fn lifting_means_the_same() {
    let mut n_lifted = 0;
    for seed in 0..600 {
        let graph = specialise(&graph(seed, 8, 2), &sizes(3)).unwrap();
        let scans: Vec<(NodeId, Arc<Scan>)> = graph
            .nodes()
            .filter_map(|(id, node)| match &node.op {
                Op::Scan(scan) => Some((id, scan.clone())),
                _ => None,
            })
            .collect();
        for (id, scan) in scans {
            let captures = graph[id].operands[scan.n_carries..].to_vec();
            for node in (0..scan.body.len() as u32).map(NodeId) {
                if matches!(scan.body[node].op, Op::Scan(_)) {
                    continue;
                }
                let mut outer = graph.clone();
                outer.outputs.clear();
                let lifted =
                    lift::lift(&mut outer, &scan.body, &[node], scan.step, &scan.trip, |k| captures[k]);
                let Some(lifted) = lifted else { continue };
                outer.output("lifted", lifted[0]);
                let mut collecting = scan.as_ref().clone();
                collecting.body.outputs.truncate(scan.n_carries);
                collecting.body.output("collected", node);
                let again = outer.add(Op::Scan(Arc::new(collecting)), graph[id].operands.clone());
                let collected = outer.add(Op::Result(scan.n_carries as u32), vec![again]);
                outer.output("collected", collected);
                sound(&outer);
                let values = values(&outer, seed, 3);
                assert_eq!((&values[0].1, &values[0].2), (&values[1].1, &values[1].2), "{outer}");
                n_lifted += 1;
            }
        }
    }
    assert!(n_lifted > 200, "only {n_lifted}");
}
