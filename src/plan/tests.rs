//! Plans against the meaning of graphs, and against numbers worked out here.

mod graphs;
mod writes;

use super::*;
use crate::ir::interpret::{Data, Feed, Tensor, evaluate};
use crate::ir::{BinaryOp, ExternalKey, LoopBuilder, UnaryOp};
use graphs::*;

/// Carries out a plan over the given tensors; returns all tensors of the caller afterwards.
fn run(plan: &Plan, given: &[(&str, Vec<f64>)]) -> Vec<(String, Vec<f64>)> {
    let mut tensors: Vec<Vec<f64>> = plan
        .externals
        .iter()
        .map(|external| {
            let value = given
                .iter()
                .find(|(name, _)| *name == external.name.to_string())
                .map(|(_, values)| values.clone());
            value.unwrap_or_else(|| vec![0.0; external.shape.iter().product()])
        })
        .collect();
    interpret(plan, &mut tensors, 7, 1);
    plan.externals.iter().map(|external| external.name.to_string()).zip(tensors).collect()
}

fn result(values: &[(String, Vec<f64>)], name: &str) -> Vec<f64> {
    values.iter().find(|(other, _)| other == name).expect("an external of this name").1.clone()
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

/// What the interpreter of the tensor IR gives for every tensor that a plan writes; the others as they were.
fn meaning(
    graph: &Graph,
    plan: &Plan,
    given: &[(&str, Vec<f64>)],
    after: &[(String, Vec<f64>)],
) -> Vec<(String, Vec<f64>)> {
    let mut feed = Feed::<f64> { seed: 7, step: 1, ..Feed::default() };
    for external in &plan.externals {
        let Some((_, values)) = given.iter().find(|(name, _)| *name == external.name.to_string()) else {
            continue;
        };
        let data = match external.elem {
            Elem::Float => Data::Float(values.clone()),
            Elem::Int => Data::Int(values.iter().map(|value| *value as i64).collect()),
            Elem::Bool => Data::Bool(values.iter().map(|value| *value != 0.0).collect()),
        };
        let tensor = Tensor { shape: external.shape.clone(), data };
        match &external.name {
            ExternalKey::Input(name) => feed.inputs.insert(name.clone(), tensor),
            ExternalKey::Param(path) | ExternalKey::State(path) => {
                feed.variables.insert(path.clone(), tensor)
            }
            ExternalKey::Output(_) => None,
        };
    }
    let outputs = evaluate(graph, &feed).unwrap();
    let mut all = after.to_vec();
    for (name, tensor) in outputs {
        let name = name.variable().unwrap_or(ExternalKey::Output(name)).to_string();
        all.iter_mut().find(|(other, _)| *other == name).expect("an external").1 = tensor.to_f64();
    }
    all
}

/// A plan, the plainest plan and the interpreter of the tensor IR give the same numbers.
fn check(graph: &Graph) -> Plan {
    let planned = plan(graph, F64).unwrap();
    let in_parts = plan_in_parts(graph, F64).unwrap();
    let plain = plain(graph, F64).unwrap();
    let mut state = 1u64;
    let names: Vec<String> = plain.externals.iter().map(|external| external.name.to_string()).collect();
    let given: Vec<(&str, Vec<f64>)> = plain
        .externals
        .iter()
        .zip(&names)
        .filter(|(external, _)| !matches!(external.name, ExternalKey::Output(_)))
        .map(|(external, name)| {
            let values = (0..external.shape.iter().product::<usize>()).map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                match external.elem {
                    Elem::Float => (state >> 33) as f64 / (1u64 << 30) as f64 - 1.0,
                    Elem::Int => ((state >> 33) % 3) as f64,
                    Elem::Bool => ((state >> 33) % 2) as f64,
                }
            });
            (name.as_str(), values.collect())
        })
        .collect();
    let expected = meaning(graph, &plain, &given, &run(&plain, &given));
    for version in [&plain, &planned, &in_parts] {
        let got = run(version, &given);
        for (name, values) in &expected {
            for (at, (a, b)) in result(&got, name).iter().zip(values).enumerate() {
                let close = (a - b).abs() <= 1e-9 * (1.0 + b.abs()) || (a.is_nan() && b.is_nan()) || a == b;
                assert!(close, "{name}[{at}] is {a}, not {b}\n{version}\n--- plainly:\n{plain}");
            }
        }
    }
    planned
}

/// The scans of a plan.
fn scans(plan: &Plan) -> Vec<&ScanSteps> {
    let steps = plan.steps.iter();
    steps.filter_map(|step| if let Step::Scan(scan) = step { Some(scan) } else { None }).collect()
}

#[test]
fn layers_are_carried_out_part_by_part() {
    let graph = training_step(32, [20, 24, 10]);
    check(&graph);
    let (whole, in_parts) = (plan(&graph, F64).unwrap(), plan_in_parts(&graph, F64).unwrap());
    assert_eq!(scans(&whole).len(), 0);
    // All products of the three layers, forward and backward, are in one loop over rows.
    let [scan] = scans(&in_parts)[..] else { panic!("not one loop:\n{in_parts}") };
    assert_eq!(scan.trip, 32);
    assert_eq!(count_gemms(&in_parts), count_gemms(&whole));
    let local = scan.local.expect("the rows are independent");
    assert!(local.bytes < whole.arena_bytes / 8, "{in_parts}\n{whole}");
}

#[test]
fn a_training_step_is_planned() {
    println!("{}", check(&training_step(32, [20, 24, 10])));
    check(&training_step(4, [2, 8, 3]));
}

fn count_gemms(plan: &Plan) -> usize {
    let mut count = 0;
    memory::for_each_step(&plan.steps, &mut |step| count += usize::from(matches!(step, Step::Gemm(_))));
    count
}

#[test]
fn convolutions_become_products() {
    let plan = check(&convolution([2, 4, 8, 6, 3], 1, 1));
    println!("{plan}");
    assert_eq!(count_gemms(&plan), 3);
    assert_eq!(count_gemms(&check(&convolution([3, 5, 9, 8, 3], 2, 1))), 3);
    let pointwise = check(&convolution([2, 16, 6, 8, 1], 1, 0));
    assert_eq!((count_gemms(&pointwise), pointwise.steps.len()), (3, 4));
    assert_eq!(count_gemms(&check(&convolution([1, 1, 4, 2, 3], 1, 1))), 0);
}

#[test]
fn long_sums_are_cut() {
    let mut g = Graph::new();
    let x = input(&mut g, "x", &[4099, 3]);
    let columns = reduce(&mut g, Combine::Add, x, 0);
    g.output("columns", columns);
    let y = input(&mut g, "y", &[4099, 4]);
    let z = input(&mut g, "z", &[4099, 4]);
    let product = matmul(&mut g, y, z, [true, false]);
    g.output("product", product);
    let plan = check(&g);
    println!("{plan}");
    assert_eq!(count_gemms(&plan), 1);
}

/// A graph for tests of later stages.
pub(crate) fn some_graph(seed: u64) -> Graph {
    random_graph(&mut Lot(seed))
}

#[test]
fn random_graphs_keep_their_meaning() {
    for seed in 0..24 {
        check(&random_graph(&mut Lot(seed)));
    }
}

pub(crate) use graphs::training_step;
pub(crate) use writes::some_writes;

#[test]
fn what_is_not_written_is_the_identity() {
    for seed in 0..1500 {
        check(&some_writes(seed));
    }
}

#[test]
fn scans_keep_their_meaning() {
    check(&recurrence(false));
    check(&recurrence(true));
}

#[test]
fn plans_read_well() {
    let show = |plan: &Plan| plan.to_string();
    insta::assert_snapshot!("two_layers", show(&check(&training_step(32, [20, 24, 10]))));
    insta::assert_snapshot!("convolution", show(&check(&convolution([2, 4, 8, 16, 3], 1, 1))));
    insta::assert_snapshot!("lstm", show(&check(&lstm(4, 5, 6, 16))));
}

/// However deep a network is, its next layers become as many steps as those before.
#[test]
fn layers_take_as_many_steps_at_any_depth() {
    let steps = |layers: usize| plan(&deep(layers), F64).unwrap().steps.len();
    let (few, more, many) = (steps(20), steps(40), steps(60));
    assert_eq!(more - few, many - more);
}

#[test]
fn gradients_are_summed_as_they_are_used() {
    let mut g = Graph::new();
    let (x, d) = (input(&mut g, "x", &[6, 5]), input(&mut g, "d", &[6, 3]));
    let w = param(&mut g, "w", &[3, 5]);
    let gradient = matmul(&mut g, x, d, [true, false]);
    let mut l = LoopBuilder::new(&g, dims(&[3, 5]));
    let (i, j) = (l.index(0), l.index(1));
    let (old, change) = (l.read(w, vec![i.clone(), j.clone()]), l.read(gradient, vec![j, i]));
    let value = l.binary(BinaryOp::Sub, old, change);
    let new = l.map(value);
    let new = g.add_loop(new);
    g.output("param:w", new);
    let plan = check(&g);
    assert_eq!(plan.steps.len(), 1, "{plan}");
    assert_eq!(plan.arena_bytes, 0, "{plan}");
}

#[test]
fn sums_leave_scans() {
    let plan = check(&collected_products());
    let Some(Step::Scan(scan)) = plan.steps.iter().find(|step| matches!(step, Step::Scan(_))) else {
        panic!("no scan in\n{plan}");
    };
    assert_eq!(scan.steps.len(), 1, "{plan}");
}

#[test]
fn no_tensor_of_windows_is_made() {
    // Pictures, channels, size, channels of the result, kernel; stride; padding.
    for (sizes, stride, pad) in [([2, 8, 10, 16, 3], 1, 1), ([2, 8, 14, 20, 3], 1, 0)] {
        let plan = check(&convolution(sizes, stride, pad));
        assert_eq!(count_gemms(&plan), 3, "{plan}");
        let [pictures, channels, size, _, kernel] = sizes;
        let places = size + 2 * pad - kernel + 1;
        let windows = pictures * channels * (kernel * places).pow(2);
        assert!(plan.buffers.iter().all(|buffer| 2 * (buffer.len as i64) < windows), "{plan}");
    }
}

#[test]
fn what_does_not_change_is_summed_once() {
    let mut g = Graph::new();
    let (x, w) = (input(&mut g, "x", &[4, 9]), input(&mut g, "w", &[9, 6]));
    let mut l = LoopBuilder::new(&g, dims(&[4, 5, 6, 9]));
    let (b, t, i, o) = (l.index(0), l.index(1), l.index(2), l.index(3));
    let (x, w) = (l.read(x, vec![b.clone(), o.clone()]), l.read(w, vec![o, i.clone()]));
    let value = l.binary(BinaryOp::Mul, x, w);
    let sum = l.reduce(dims(&[4, 5, 6]), vec![b, t, i], Combine::Add, value);
    let sum = g.add_loop(sum);
    let y = g.map(&[sum], |l, reads| l.unary(UnaryOp::Tanh, reads[0]));
    g.output("y", y);
    let plan = check(&g);
    let Some(Step::Nest(nest)) = plan.steps.first() else { panic!("{plan}") };
    let points: i64 = address::extents(&nest.stages[0].body).iter().product();
    assert_eq!(points, 4 * 6 * 9, "{plan}");
}

/// Writes that leave an axis, and writes that leave a part of it alone: the rest is 0, and nothing is written
/// beside it.
#[test]
fn indices_longer_and_shorter_than_their_axis() {
    let text = "\
%0 = input \"x\" : [4, 6]
%1 = loop i0 < 4, i1 < 6 : [i0, i1 else drop] = mul(%0[i0, i1], 2.0) : [4, 3]
%2 = loop i0 < 4, i1 < 3 : [i0, i1] = mul(%0[i0, i1], %1[i0, i1]) : [4, 6]
out \"y\" = %2
";
    check(&crate::ir::text::parse(text).unwrap());
}
