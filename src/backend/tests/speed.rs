//! Measurements: `cargo test --release --lib backend::tests::speed -- --ignored --nocapture --test-threads 1`.

use super::*;
use std::time::Instant;

fn param(graph: &mut Graph, path: &str, sizes: &[usize]) -> NodeId {
    graph.add(Op::Param { path: path.into(), ty: Type::new(Elem::Float, dims(sizes)) }, vec![])
}

/// `out[m, n] = Σ_k a[..] b[..]`.
fn product(graph: &mut Graph, a: NodeId, b: NodeId, sizes: [usize; 3], transposed: (bool, bool)) -> NodeId {
    let mut l = LoopBuilder::new(graph, dims(&sizes));
    let (i, j, r) = (l.index(0), l.index(1), l.index(2));
    let a = l.read(a, if transposed.0 { vec![r.clone(), i.clone()] } else { vec![i.clone(), r.clone()] });
    let b = l.read(b, if transposed.1 { vec![j.clone(), r] } else { vec![r, j.clone()] });
    let product = l.binary(BinaryOp::Mul, a, b);
    let node = l.reduce(dims(&sizes[..2]), vec![i, j], Combine::Add, product);
    graph.add_loop(node)
}

/// `x[b, i] + bias[i]`, then `f`.
fn with_bias(
    graph: &mut Graph,
    x: NodeId,
    bias: NodeId,
    sizes: [usize; 2],
    f: impl FnOnce(&mut LoopBuilder<'_>, ScalarId) -> ScalarId,
) -> NodeId {
    let mut l = LoopBuilder::new(graph, dims(&sizes));
    let (b, i) = (l.index(0), l.index(1));
    let (x, bias) = (l.read(x, vec![b, i.clone()]), l.read(bias, vec![i]));
    let sum = l.binary(BinaryOp::Add, x, bias);
    let value = f(&mut l, sum);
    let node = l.map(value);
    graph.add_loop(node)
}

fn column_sum(graph: &mut Graph, x: NodeId, sizes: [usize; 2]) -> NodeId {
    let mut l = LoopBuilder::new(graph, dims(&sizes));
    let (b, i) = (l.index(0), l.index(1));
    let value = l.read(x, vec![b, i.clone()]);
    let node = l.reduce(dims(&sizes[1..]), vec![i], Combine::Add, value);
    graph.add_loop(node)
}

fn descend(graph: &mut Graph, path: &str, parameter: NodeId, slope: NodeId) {
    let new = graph.map(&[parameter, slope], |l, reads| {
        let rate = l.float(-1.0);
        let change = l.binary(BinaryOp::Mul, rate, reads[1]);
        l.binary(BinaryOp::Add, reads[0], change)
    });
    graph.output(format!("param:{path}"), new);
}

/// A net of one hidden layer with tanh, squared error, plain descent.
fn small_net(batch: usize, sizes: [usize; 3]) -> Graph {
    let [inputs, hidden, outputs] = sizes;
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[batch, inputs]);
    let y = input(&mut graph, "y", Elem::Float, &[batch, outputs]);
    let w1 = param(&mut graph, "w1", &[hidden, inputs]);
    let b1 = param(&mut graph, "b1", &[hidden]);
    let w2 = param(&mut graph, "w2", &[outputs, hidden]);
    let b2 = param(&mut graph, "b2", &[outputs]);
    let z1 = product(&mut graph, x, w1, [batch, hidden, inputs], (false, true));
    let a1 = with_bias(&mut graph, z1, b1, [batch, hidden], |l, z| l.unary(UnaryOp::Tanh, z));
    let z2 = product(&mut graph, a1, w2, [batch, outputs, hidden], (false, true));
    let a2 = with_bias(&mut graph, z2, b2, [batch, outputs], |_, z| z);
    let d2 = graph.map(&[a2, y], |l, reads| {
        let error = l.binary(BinaryOp::Sub, reads[0], reads[1]);
        let scale = l.float(2.0 / (batch * outputs) as f64);
        l.binary(BinaryOp::Mul, scale, error)
    });
    let mut l = LoopBuilder::new(&graph, dims(&[batch, outputs]));
    let (b, i) = (l.index(0), l.index(1));
    let (a, t) = (l.read(a2, vec![b.clone(), i.clone()]), l.read(y, vec![b, i]));
    let error = l.binary(BinaryOp::Sub, a, t);
    let square = l.binary(BinaryOp::Mul, error, error);
    let node = l.reduce(vec![], vec![], Combine::Add, square);
    let loss = graph.add_loop(node);
    graph.output("loss:0", loss);
    let dw2 = product(&mut graph, d2, a1, [outputs, hidden, batch], (true, false));
    let db2 = column_sum(&mut graph, d2, [batch, outputs]);
    let da1 = product(&mut graph, d2, w2, [batch, hidden, outputs], (false, false));
    let d1 = graph.map(&[da1, a1], |l, reads| {
        let one = l.float(1.0);
        let square = l.binary(BinaryOp::Mul, reads[1], reads[1]);
        let slope = l.binary(BinaryOp::Sub, one, square);
        l.binary(BinaryOp::Mul, reads[0], slope)
    });
    let dw1 = product(&mut graph, d1, x, [hidden, inputs, batch], (true, false));
    let db1 = column_sum(&mut graph, d1, [batch, hidden]);
    for (path, parameter, slope) in [("w1", w1, dw1), ("b1", b1, db1), ("w2", w2, dw2), ("b2", b2, db2)] {
        descend(&mut graph, path, parameter, slope);
    }
    graph
}

#[test]
fn small_nets_are_right() {
    for (batch, sizes) in [(4, [2, 8, 1]), (5, [3, 7, 2]), (30, [4, 16, 3])] {
        check(&small_net(batch, sizes));
    }
}

/// Seconds for one run of a graph's plan, the best of several.
fn seconds(graph: &Graph) -> f64 {
    let plan = plan::plan(graph, plan::Options::default()).unwrap();
    let start_of_compilation = Instant::now();
    let executable = compile(&plan, Options::default());
    let compilation = start_of_compilation.elapsed();
    let mut tensors = tensors(&plan);
    let mut bindings = bindings(&plan, &mut tensors);
    let mut workspace = executable.workspace().unwrap();
    let mut best = f64::INFINITY;
    let mut rounds = 1;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 0.15 {
        let start = Instant::now();
        for _ in 0..rounds {
            executable.step(&mut workspace, &mut bindings, Call::default(), &Alone).unwrap();
        }
        let time = start.elapsed().as_secs_f64() / rounds as f64;
        best = best.min(time);
        rounds = ((2e-3 / time) as usize).clamp(1, 10_000);
    }
    print!("compiled in {:6.2} ms; ", compilation.as_secs_f64() * 1e3);
    best
}

#[test]
#[ignore = "a measurement"]
fn steps_of_small_nets() {
    for (name, batch, sizes) in [("xor", 4, [2, 8, 1]), ("iris", 30, [4, 16, 3]), ("mlp", 64, [64, 32, 10])] {
        let plan = plan::plan(&small_net(batch, sizes), plan::Options::default()).unwrap();
        let start = Instant::now();
        let executable = compile(&plan, Options::default());
        let compilation = start.elapsed();
        let mut workspace = executable.workspace().unwrap();
        let steps = 2000;
        let rows = 150;
        let mut tensors: Vec<Vec<f32>> = plan
            .externals
            .iter()
            .map(|external| {
                let count: usize = external.shape.iter().product();
                match external.name.to_string().split(':').next() {
                    Some("input") => vec![0.5; count / batch * rows],
                    Some("param") => vec![0.1; count],
                    _ => vec![0.0; steps],
                }
            })
            .collect();
        let order: Vec<u32> = (0..steps * batch).map(|at| (at * 7 % rows) as u32).collect();
        for rows in [Rows::From(0), Rows::Order(&order)] {
            let mut best = f64::INFINITY;
            for _ in 0..20 {
                let mut bindings: Vec<Binding<'_>> = tensors
                    .iter_mut()
                    .zip(&plan.externals)
                    .map(|(values, external)| match external.name.to_string().split(':').next() {
                        Some("input") => Binding::Rows(TensorRef::F32(values)),
                        Some("param") => Binding::Write(TensorMut::F32(values)),
                        _ => Binding::Each(TensorMut::F32(values)),
                    })
                    .collect();
                let series = Series { first: Call::default(), steps, rows, watched: &[], interrupted: None };
                let start = Instant::now();
                executable.series(&mut workspace, &mut bindings, series, &Alone).unwrap();
                best = best.min(start.elapsed().as_secs_f64() / steps as f64);
            }
            let compile_ms = compilation.as_secs_f64() * 1e3;
            println!("{name}: {:.0} ns a step, compiled in {compile_ms:.2} ms", best * 1e9);
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn kernels() {
    let n = 1 << 14;
    for (name, op) in [
        ("exp", UnaryOp::Exp),
        ("tanh", UnaryOp::Tanh),
        ("log", UnaryOp::Log),
        ("erf", UnaryOp::Erf),
        ("normal_cdf", UnaryOp::NormalCdf),
        ("sin", UnaryOp::Sin),
    ] {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[n]);
        let node = graph.map(&[x], |l, reads| l.unary(op, reads[0]));
        graph.output("y", node);
        let time = seconds(&graph);
        println!("{name}: {:.2} ns an element", time / n as f64 * 1e9);
    }
    for n in [1 << 12, 1 << 16, 1 << 22] {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[n]);
        let y = input(&mut graph, "y", Elem::Float, &[n]);
        let node = graph.map(&[x, y], |l, reads| {
            let product = l.binary(BinaryOp::Mul, reads[0], reads[1]);
            l.binary(BinaryOp::Add, product, reads[0])
        });
        graph.output("z", node);
        let time = seconds(&graph);
        println!("x * y + x of {n}: {:.1} GB/s", 12.0 * n as f64 / time / 1e9);
    }
    for (rows, columns) in [(64, 10), (64, 1000), (1024, 256)] {
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[rows, columns]);
        let mut l = LoopBuilder::new(&graph, dims(&[rows, columns]));
        let (i, j) = (l.index(0), l.index(1));
        let value = l.read(x, vec![i.clone(), j]);
        let node = l.reduce(dims(&[rows]), vec![i], Combine::Max, value);
        let max = graph.add_loop(node);
        let mut l = LoopBuilder::new(&graph, dims(&[rows, columns]));
        let (i, j) = (l.index(0), l.index(1));
        let (value, max) = (l.read(x, vec![i.clone(), j]), l.read(max, vec![i]));
        let difference = l.binary(BinaryOp::Sub, value, max);
        let e = l.unary(UnaryOp::Exp, difference);
        let node = l.map(e);
        let e = graph.add_loop(node);
        let mut l = LoopBuilder::new(&graph, dims(&[rows, columns]));
        let (i, j) = (l.index(0), l.index(1));
        let value = l.read(e, vec![i.clone(), j]);
        let node = l.reduce(dims(&[rows]), vec![i], Combine::Add, value);
        let sum = graph.add_loop(node);
        let mut l = LoopBuilder::new(&graph, dims(&[rows, columns]));
        let (i, j) = (l.index(0), l.index(1));
        let (value, sum) = (l.read(e, vec![i.clone(), j]), l.read(sum, vec![i]));
        let quotient = l.binary(BinaryOp::Div, value, sum);
        let node = l.map(quotient);
        let y = graph.add_loop(node);
        graph.output("y", y);
        let time = seconds(&graph);
        println!("softmax {rows} x {columns}: {:.2} ns an element", time / (rows * columns) as f64 * 1e9);
    }
}

#[test]
#[ignore = "a measurement"]
fn small_products() {
    for [m, n, k] in
        [[4, 8, 2], [8, 8, 8], [16, 16, 16], [30, 16, 4], [64, 10, 32], [24, 24, 24], [33, 17, 9]]
    {
        for transposed in [(false, false), (false, true), (true, false)] {
            let mut graph = Graph::new();
            let (a_sizes, b_sizes) =
                (if transposed.0 { [k, m] } else { [m, k] }, if transposed.1 { [n, k] } else { [k, n] });
            let a = input(&mut graph, "a", Elem::Float, &a_sizes);
            let b = input(&mut graph, "b", Elem::Float, &b_sizes);
            let c = product(&mut graph, a, b, [m, n, k], transposed);
            graph.output("c", c);
            let time = seconds(&graph);
            let flops = 2.0 * (m * n * k) as f64;
            println!(
                "{m} x {n} x {k} {transposed:?}: {:.1} GFLOP/s, {:.0} ns",
                flops / time / 1e9,
                time * 1e9
            );
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn profile_of_a_small_net() {
    for (batch, sizes) in [(30, [4, 16, 3]), (64, [64, 32, 10])] {
        let plan = plan::plan(&small_net(batch, sizes), plan::Options::default()).unwrap();
        let options = Options { profiled: true };
        let executable = compile(&plan, options);
        let mut tensors: Vec<Owned> = plan
            .externals
            .iter()
            .zip(start(&plan))
            .map(|(external, values)| Owned::new(external.elem, plan.precision, &values))
            .collect();
        let mut workspace = executable.workspace().unwrap();
        let times = std::cell::RefCell::new(vec![f64::INFINITY; executable.facts().names.len()]);
        for _ in 0..200 {
            let mut bindings: Vec<Binding<'_>> = tensors
                .iter_mut()
                .zip(&plan.externals)
                .map(|(tensor, external)| tensor.binding(external.written))
                .collect();
            let last = std::cell::Cell::new(Instant::now());
            let done = |item: Option<usize>| {
                let Some(item) = item else { return last.set(Instant::now()) };
                let now = Instant::now();
                let time = (now - last.get()).as_secs_f64();
                let mut times = times.borrow_mut();
                times[item] = times[item].min(time);
                last.set(Instant::now());
            };
            let cx = RunContext { parallel: &Alone, watch: Some(&done), results: None };
            executable.run(&mut workspace, &mut bindings, Series::once(Call::default()), cx).unwrap();
        }
        for (name, time) in executable.facts().names.iter().zip(times.borrow().iter()) {
            println!("{:7.0} ns  {}", time * 1e9, name.text);
        }
    }
}
