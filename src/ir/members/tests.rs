//! Members of random graphs compute, each by itself, what they compute together.

use std::sync::Arc;

use super::{Options, Place, common, number_path, united};
use crate::ir::interpret::{Data, Feed, Tensor, evaluate};
use crate::ir::random::{feed, graph, sizes};
use crate::ir::{Body, Graph, Loop, Node, Number, Op, Scalar, Scan, compact, rewrite, specialise, verify};

const MEMBERS: usize = 3;

/// The same graph with some numbers of a member's own.
fn member(graph: &Graph, number: usize) -> Graph {
    let other = |value: &Scalar| match value {
        Scalar::Float(Number(value)) if *value != 0.0 && *value != 1.0 => {
            Scalar::Float(Number(value * (1.0 + number as f64 / 8.0)))
        }
        other => other.clone(),
    };
    rewrite(graph, |new, node: &Node, operands| {
        let op = match &node.op {
            Op::Loop(body) => {
                let nodes = body.body.nodes.iter().map(other).collect();
                let body = Loop { body: Body { nodes, result: body.body.result }, ..(**body).clone() };
                Op::Loop(Arc::new(body))
            }
            Op::Scan(scan) => Op::Scan(Arc::new(Scan { body: member(&scan.body, number), ..(**scan).clone() })),
            op => op.clone(),
        };
        new.add(op, operands)
    })
}

fn bits(data: &Data<f64>) -> Vec<u64> {
    match data {
        Data::Float(values) => values.iter().map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() }).collect(),
        Data::Int(values) => values.iter().map(|value| *value as u64).collect(),
        Data::Bool(values) => values.iter().map(|value| u64::from(*value)).collect(),
    }
}

/// The tensors of members as one with the members' axis.
fn stacked(tensors: &[&Tensor<f64>], place: Place) -> Tensor<f64> {
    let shape = &tensors[0].shape;
    let all: Vec<Vec<f64>> = tensors.iter().map(|tensor| tensor.to_f64()).collect();
    let count = all[0].len();
    let (values, shape) = match place {
        Place::First => (all.concat(), [&[MEMBERS], &shape[..]].concat()),
        Place::Last => {
            ((0..count).flat_map(|at| all.iter().map(move |v| v[at])).collect(), [&shape[..], &[MEMBERS]].concat())
        }
    };
    Tensor::floats(shape, values)
}

/// What a member has of a result of all.
fn part(values: &[u64], place: Place, number: usize) -> Vec<u64> {
    let count = values.len() / MEMBERS;
    match place {
        Place::First => values[number * count..][..count].to_vec(),
        Place::Last => (0..count).map(|at| values[at * MEMBERS + number]).collect(),
    }
}

/// Inputs with the rows of all members, one member's behind another's.
fn joined(feeds: &[Feed<f64>], place: Place) -> Feed<f64> {
    let mut all = feeds[0].clone();
    for (path, value) in &mut all.variables {
        let of_each: Vec<&Tensor<f64>> = feeds.iter().map(|feed| &feed.variables[path]).collect();
        *value = stacked(&of_each, place);
    }
    all
}

#[test]
fn members_compute_what_each_computes() {
    let (mut tried, mut different) = (0, 0);
    for seed in 0..300 {
        let base = compact(&specialise(&graph(seed, 12, 2), &sizes(3)).expect("sizes that fit"));
        let graphs: Vec<Graph> = (0..MEMBERS).map(|number| member(&base, number)).collect();
        let mut feeds: Vec<Feed<f64>> = (0..MEMBERS).map(|_| feed(seed, 3)).collect();
        for (number, feed) in feeds.iter_mut().enumerate() {
            for value in feed.variables.values_mut() {
                let moved = value.to_f64().iter().map(|v| v + number as f64).collect();
                *value = Tensor::floats(value.shape.clone(), moved);
            }
        }
        for place in [Place::First, Place::Last] {
            let options = Options { place, own_rows: false };
            let Some(all) = united(&graphs.iter().collect::<Vec<_>>(), options) else { continue };
            verify(&all).unwrap_or_else(|faults| panic!("seed {seed}: {}\n{all}", faults[0]));
            let together = evaluate(&all, &joined(&feeds, place));
            tried += 1;
            for (number, (graph, feed)) in graphs.iter().zip(&feeds).enumerate() {
                let Ok(alone) = evaluate(graph, feed) else { continue };
                let together = together.as_ref().unwrap_or_else(|error| panic!("seed {seed}: {error}\n{all}"));
                for (name, value) in alone {
                    let of_member = part(&bits(&together[&name].data), place, number);
                    different += usize::from(number > 0 && !value.shape.is_empty());
                    assert_eq!(of_member, bits(&value.data), "seed {seed}, {name} of member {number}\n{all}");
                }
            }
        }
    }
    assert!(tried > 400 && different > 400, "{tried} {different}");
}

/// Each program computes with the common graph and its own numbers what it computes by itself.
#[test]
fn programs_share_a_graph() {
    let mut tried = 0;
    for seed in 0..300 {
        let base = compact(&specialise(&graph(seed, 12, 0), &sizes(3)).expect("sizes that fit"));
        let graphs: Vec<Graph> = (0..MEMBERS).map(|number| member(&base, number)).collect();
        let Some(common) = common(&graphs.iter().collect::<Vec<_>>()) else { continue };
        verify(&common.graph).unwrap_or_else(|faults| panic!("seed {seed}: {}\n{}", faults[0], common.graph));
        for (number, graph) in graphs.iter().enumerate() {
            let mut feed: Feed<f64> = feed(seed, 3);
            let Ok(alone) = evaluate(graph, &feed) else { continue };
            for (at, values) in common.numbers.iter().enumerate() {
                feed.variables.insert(number_path(at), Tensor::floats(Vec::new(), vec![values[number].0]));
            }
            let shared = evaluate(&common.graph, &feed).expect("what one can compute, the other can");
            for (name, value) in alone {
                assert_eq!(bits(&shared[&name].data), bits(&value.data), "seed {seed}, {name}\n{}", common.graph);
            }
            tried += usize::from(!common.numbers.is_empty());
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn rows_of_their_own_lie_one_behind_another() {
    let text = "%0 = input \"x\" : [2, 3]\n%1 = param \"w\" : [3]\n\
        %2 = loop i0 < 2, i1 < 3 : [i0] += mul(%0[i0, i1], %1[i1]) : [2]\nout \"y\" = %2\n";
    let graph = crate::ir::text::parse(text).expect("a graph");
    let options = Options { place: Place::Last, own_rows: true };
    let all = united(&[&graph, &graph], options).expect("equal graphs");
    verify(&all).expect("sound");
    let shown = all.to_string();
    assert!(shown.contains("input \"x\" : [4, 3]") && shown.contains("[i0, i2] +="), "{shown}");
}

#[test]
fn other_forms_are_no_members() {
    let parse = |body: &str| {
        let text = format!("%0 = input \"x\" : [2]\n%1 = loop i0 < 2 : [i0] = {body} : [2]\nout \"y\" = %1\n");
        crate::ir::text::parse(&text).expect("a graph")
    };
    let options = Options { place: Place::First, own_rows: false };
    let (a, b, c) = (parse("mul(2.0, %0[i0])"), parse("mul(3.0, %0[i0])"), parse("add(3.0, %0[i0])"));
    assert!(united(&[&a, &b], options).is_some());
    assert!(united(&[&a, &c], options).is_none());
    assert!(a.computes_as(&a) && !a.computes_as(&b));
}
