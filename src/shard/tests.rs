//! Divided steps compute what undivided ones compute, tried on random graphs.

use super::*;
use crate::ir::interpret::{Data, Feed, Tensor, evaluate};
use crate::ir::random::{feed, graph};
use crate::ir::{InputKey, Op, OutputKey, Sizes, specialise, verify};
use std::collections::BTreeMap;

type Value = Tensor<f64>;

fn sizes(rows: usize, shard: usize, first: usize) -> Sizes {
    let size = |name: &str, size: usize| (name.into(), Dim::from(size));
    Sizes::from([size(BATCH, rows), size(SHARD, shard), size(FIRST, first)])
}

/// The rows of a tensor along an axis.
fn part(value: &Value, axis: usize, from: usize, to: usize, total: usize) -> Value {
    let times = value.shape[axis] / total;
    let inner: usize = value.shape[axis + 1..].iter().product();
    let (from, to, whole) = (from * times * inner, to * times * inner, value.shape[axis] * inner);
    let outer: usize = value.shape[..axis].iter().product();
    let places: Vec<usize> = (0..outer).flat_map(|at| at * whole + from..at * whole + to).collect();
    let mut shape = value.shape.clone();
    shape[axis] = (to - from) / inner.max(1);
    let data = match &value.data {
        Data::Float(values) => Data::Float(places.iter().map(|at| values[*at]).collect()),
        Data::Int(values) => Data::Int(places.iter().map(|at| values[*at]).collect()),
        Data::Bool(values) => Data::Bool(places.iter().map(|at| values[*at]).collect()),
    };
    Tensor { shape, data }
}

/// Tensors one behind another along an axis.
fn together(values: &[Value], axis: usize) -> Value {
    let outer: usize = values[0].shape[..axis].iter().product();
    let mut result = values[0].clone();
    result.shape[axis] = values.iter().map(|value| value.shape[axis]).sum();
    let count = |value: &Value| value.shape[axis..].iter().product::<usize>();
    let pick = |at: usize| values.iter().map(move |value| (value, at * count(value)..(at + 1) * count(value)));
    macro_rules! joined {
        ($kind:ident) => {
            Data::$kind(
                (0..outer)
                    .flat_map(pick)
                    .flat_map(|(value, range)| match &value.data {
                        Data::$kind(values) => values[range].to_vec(),
                        _ => panic!("shards have one type"),
                    })
                    .collect(),
            )
        };
    }
    result.data = match &values[0].data {
        Data::Float(_) => joined!(Float),
        Data::Int(_) => joined!(Int),
        Data::Bool(_) => joined!(Bool),
    };
    result
}

fn combined(a: Value, b: Value, combine: Combine) -> Value {
    let data = match (a.data, b.data) {
        (Data::Float(a), Data::Float(b)) => {
            let join = |(a, b): (f64, f64)| match combine {
                Combine::Mul => a * b,
                Combine::Max => if b > a || a.is_nan() { b } else { a },
                Combine::Min => if b < a || a.is_nan() { b } else { a },
                _ => a + b,
            };
            Data::Float(a.into_iter().zip(b).map(join).collect())
        }
        (Data::Int(a), Data::Int(b)) => {
            let join = |(a, b): (i64, i64)| match combine {
                Combine::Mul => a * b,
                Combine::Max => a.max(b),
                Combine::Min => a.min(b),
                _ => a + b,
            };
            Data::Int(a.into_iter().zip(b).map(join).collect())
        }
        (Data::Bool(a), Data::Bool(b)) => {
            let join = |(a, b): (bool, bool)| if combine == Combine::Min { a && b } else { a || b };
            Data::Bool(a.into_iter().zip(b).map(join).collect())
        }
        _ => panic!("summands have one type"),
    };
    Tensor { shape: a.shape, data }
}

/// Carries a divided step out.
fn carry_out(sharded: &Sharded, feed: &Feed<f64>, rows: usize, shards: usize) -> BTreeMap<OutputKey, Value> {
    let mut of_all: BTreeMap<u32, Value> = BTreeMap::new();
    let mut of_shard: BTreeMap<(usize, u32), Value> = BTreeMap::new();
    let mut results = BTreeMap::new();
    for (number, passed) in sharded.passed.iter().enumerate() {
        if let How::Field(name) = &passed.how {
            of_all.insert(number as u32, feed.inputs[&InputKey::Field(name.clone())].clone());
        }
    }
    for part_ in &sharded.parts {
        verify(&part_.graph).unwrap_or_else(|faults| panic!("{}\n{}", faults[0], part_.graph));
        let count = if part_.of == Of::Whole { 1 } else { shards };
        let mut made: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
        for shard in 0..count {
            let range = tree::rows_of(shard, count, rows);
            if range.is_empty() {
                continue;
            }
            let graph = specialise(&part_.graph, &sizes(rows, range.len(), range.start)).expect("sizes fit");
            let mut given = feed.clone();
            for (_, node) in graph.nodes() {
                let Op::Input { name, ty } = &node.op else { continue };
                let value = match name {
                    InputKey::Passed(number) => match of_shard.get(&(shard, *number)) {
                        Some(value) if sharded.passed[*number as usize].how == How::Rows => value.clone(),
                        _ => of_all[number].clone(),
                    },
                    InputKey::Field(_) if part_.of == Of::Shard && ty.shape.first() == Some(&Dim::from(range.len())) && feed.inputs[name].shape[0] == rows && feed.inputs[name].shape != ty.static_shape().unwrap() => {
                        part(&feed.inputs[name], 0, range.start, range.end, rows)
                    }
                    _ => continue,
                };
                given.inputs.insert(name.clone(), value);
            }
            let values = evaluate(&graph, &given).unwrap_or_else(|error| panic!("{error}\n{graph}"));
            for (key, value) in values {
                match key {
                    OutputKey::Passed(number) if part_.of == Of::Whole => drop(of_all.insert(number, (*value).clone())),
                    OutputKey::Passed(number) => {
                        of_shard.insert((shard, number), (*value).clone());
                        made.entry(number).or_default().push((*value).clone());
                    }
                    key => drop(results.insert(key, (*value).clone())),
                }
            }
        }
        for (number, values) in made {
            match sharded.passed[number as usize].how {
                How::Sum(combine) => {
                    let total = values.into_iter().reduce(|a, b| combined(a, b, combine));
                    of_all.extend(total.map(|total| (number, total)));
                }
                How::Gathered(axis) => drop(of_all.insert(number, together(&values, axis))),
                _ => {}
            }
        }
    }
    results
}

fn assert_close(key: &OutputKey, a: &Value, b: &Value, graph: &Graph) {
    assert_eq!(a.shape, b.shape, "{key}\n{graph}");
    for (a, b) in a.to_f64().into_iter().zip(b.to_f64()) {
        let near = (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
        assert!(near || a == b || a.is_nan() && b.is_nan(), "{key}: {a} is not {b}\n{graph}");
    }
}

#[test]
fn divided_graphs_compute_the_same() {
    let batch = Sizes::from([("n".into(), Dim::symbol(BATCH))]);
    let (mut divided, mut gathered) = (0, 0);
    for seed in 0..600 {
        let graph = specialise(&graph(seed, 14, 1), &batch).expect("the batch is a size");
        let sharded = divide(&graph);
        divided += usize::from(sharded.parts.iter().any(|part| part.of == Of::Shard));
        gathered += sharded.passed.iter().filter(|value| matches!(value.how, How::Gathered(_))).count();
        let (rows, shards) = (4 + seed as usize % 5, 1 + seed as usize % 7);
        let feed = feed::<f64>(seed, rows);
        let whole = specialise(&graph, &sizes(rows, rows, 0)).expect("sizes fit");
        let expected = evaluate(&whole, &feed).unwrap_or_else(|error| panic!("{error}\n{whole}"));
        let got = carry_out(&sharded, &feed, rows, shards);
        for (key, value) in &expected {
            assert_close(key, &got[key], value, &graph);
        }
    }
    assert!(divided > 100 && gathered > 100, "{divided} of the graphs have parts for shards, {gathered} gathers");
}
