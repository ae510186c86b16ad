//! Scans, random numbers, series of steps.

use super::*;

#[test]
fn random_numbers() {
    let mut graph = Graph::new();
    for (kind, name) in [(RandKind::Uniform, "uniform"), (RandKind::Normal, "normal")] {
        let node = graph.add(
            Op::Rand {
                kind,
                stream: name.into(),
                shape: dims(&[3, 7]),
                step: Affine::constant(2i64),
                step_axes: 1,
            },
            vec![],
        );
        graph.output(name, node);
    }
    check(&graph);
    // More than one task draws.
    let step = Affine::constant(0i64);
    let rand = Op::Rand {
        kind: RandKind::Uniform,
        stream: "long".into(),
        shape: dims(&[2, 20_001]),
        step,
        step_axes: 1,
    };
    let mut graph = Graph::new();
    let node = graph.add(rand, vec![]);
    graph.output("long", node);
    check(&graph);
}

/// Layers that are equal but for their memory are one kernel.
#[test]
fn equal_layers_share_code() {
    let (batch, size) = (40, 40);
    let mut graph = Graph::new();
    let mut x = input(&mut graph, "x", Elem::Float, &[batch, size]);
    for layer in 0..6 {
        let ty = Type::new(Elem::Float, dims(&[size]));
        let bias = graph.add(Op::Param { path: format!("b{layer}").into(), ty }, vec![]);
        let mut l = LoopBuilder::new(&graph, dims(&[batch, size]));
        let (i, j) = (l.index(0), l.index(1));
        let value = l.read(x, vec![i.clone(), j]);
        let node = l.reduce(dims(&[batch]), vec![i.clone()], Combine::Max, value);
        let max = graph.add_loop(node);
        let mut l = LoopBuilder::new(&graph, dims(&[batch, size]));
        let j = l.index(1);
        let (value, max) = (l.read(x, vec![i.clone(), j.clone()]), l.read(max, vec![i]));
        let bias = l.read(bias, vec![j]);
        let difference = l.binary(BinaryOp::Sub, value, max);
        let e = l.unary(UnaryOp::Exp, difference);
        let sum = l.binary(BinaryOp::Add, e, bias);
        let node = l.map(sum);
        x = graph.add_loop(node);
    }
    graph.output("y", x);
    let plan = plan::plain(&graph, plan::Options::default()).unwrap();
    let module = loops::lower(&plan, loops::Options::of(Target::PLAIN)).unwrap();
    assert_eq!(module.items.len(), 12);
    assert_eq!(module.kernels.len(), 2, "{}", *module);
}

/// `h = h * w + x[t]`, the sum of all h.
fn recurrence(reverse: bool) -> Graph {
    let (step, trip, size) = (StepId(1), 4, 5);
    let mut body = Graph::new();
    let ty = |sizes: &[usize]| Type::new(Elem::Float, dims(sizes));
    let h = body.add(Op::Carry { index: 0, ty: ty(&[size]) }, vec![]);
    let x = body.add(Op::Capture { index: 0, ty: ty(&[trip, size]) }, vec![]);
    let w = body.add(Op::Capture { index: 1, ty: ty(&[size]) }, vec![]);
    let mut l = LoopBuilder::new(&body, dims(&[size]));
    let i = l.index(0);
    let (h_i, w_i) = (l.read(h, vec![i.clone()]), l.read(w, vec![i.clone()]));
    let x_i = l.read(x, vec![Sub::Affine(Affine::step(step)), i]);
    // The counter itself, and the step before, which is outside at first.
    let t = l.affine(Affine::step(step));
    let t = l.to_float(t);
    let before = Affine::step(step).offset(&Dim::number(-1));
    let subs = vec![Sub::Affine(before), l.index(0)];
    let x_before = l.read_padded(x, subs);
    let product = l.binary(BinaryOp::Mul, h_i, w_i);
    let sum = l.binary(BinaryOp::Add, product, x_i);
    let sum = l.binary(BinaryOp::Add, sum, x_before);
    let sum = l.binary(BinaryOp::Add, sum, t);
    let node = l.map(sum);
    let next = body.add_loop(node);
    body.output("h", next);
    body.output("all", next);
    let mut graph = Graph::new();
    let h = input(&mut graph, "h", Elem::Float, &[size]);
    let x = input(&mut graph, "x", Elem::Float, &[trip, size]);
    let w = input(&mut graph, "w", Elem::Float, &[size]);
    let scan = Scan { step, trip: Dim::from(trip), reverse, n_carries: 1, body };
    let scan = graph.add(Op::Scan(std::sync::Arc::new(scan)), vec![h, x, w]);
    let last = graph.add(Op::Result(0), vec![scan]);
    let all = graph.add(Op::Result(1), vec![scan]);
    graph.output("last", last);
    graph.output("all", all);
    graph
}

#[test]
fn scans() {
    for reverse in [false, true] {
        check(&recurrence(reverse));
    }
}

/// `w -= 0.1 * mean_b(x[b] * w - y[b]) x[b]`; the loss is the sum of squares.
fn regression() -> Graph {
    let batch = 3;
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &[batch, 2]);
    let y = input(&mut graph, "y", Elem::Float, &[batch]);
    let w = graph.add(Op::Param { path: "w".into(), ty: Type::new(Elem::Float, dims(&[2])) }, vec![]);
    let mut l = LoopBuilder::new(&graph, dims(&[batch, 2]));
    let (b, i) = (l.index(0), l.index(1));
    let (x_b, w_i) = (l.read(x, vec![b.clone(), i.clone()]), l.read(w, vec![i]));
    let product = l.binary(BinaryOp::Mul, x_b, w_i);
    let node = l.reduce(dims(&[batch]), vec![b], Combine::Add, product);
    let out = graph.add_loop(node);
    let error = graph.map(&[out, y], |l, reads| l.binary(BinaryOp::Sub, reads[0], reads[1]));
    let mut l = LoopBuilder::new(&graph, dims(&[batch]));
    let b = l.index(0);
    let e = l.read(error, vec![b]);
    let square = l.binary(BinaryOp::Mul, e, e);
    let node = l.reduce(vec![], vec![], Combine::Add, square);
    let loss = graph.add_loop(node);
    let mut l = LoopBuilder::new(&graph, dims(&[2, batch]));
    let (i, b) = (l.index(0), l.index(1));
    let (x_b, e) = (l.read(x, vec![b.clone(), i.clone()]), l.read(error, vec![b]));
    let product = l.binary(BinaryOp::Mul, x_b, e);
    let node = l.reduce(dims(&[2]), vec![i], Combine::Add, product);
    let slope = graph.add_loop(node);
    let new = graph.map(&[w, slope], |l, reads| {
        let rate = l.float(-0.1);
        let change = l.binary(BinaryOp::Mul, rate, reads[1]);
        l.binary(BinaryOp::Add, reads[0], change)
    });
    graph.output("loss:0", loss);
    graph.output("param:w", new);
    graph
}

struct Columns {
    x: Vec<f32>,
    y: Vec<f32>,
    w: Vec<f32>,
    losses: Vec<f32>,
}

impl Columns {
    fn new(steps: usize) -> Columns {
        let x: Vec<f32> = fill(Elem::Float, 14, 0).iter().map(|value| *value as f32).collect();
        let y = x.chunks(2).map(|row| row[0] * 2.0 - row[1]).collect();
        Columns { x, y, w: vec![0.0; 2], losses: vec![0.0; steps] }
    }

    fn bindings<'a>(&'a mut self, plan: &Plan) -> Vec<Binding<'a>> {
        let Columns { x, y, w, losses } = self;
        let (mut w, mut losses) = (Some(w), Some(losses));
        plan.externals
            .iter()
            .map(|external| match &*external.name.to_string() {
                "input:x" => Binding::Rows(TensorRef::F32(x)),
                "input:y" => Binding::Rows(TensorRef::F32(y)),
                "param:w" => Binding::Write(TensorMut::F32(w.take().unwrap())),
                _ => Binding::Each(TensorMut::F32(losses.take().unwrap())),
            })
            .collect()
    }
}

#[test]
fn a_series_of_steps() {
    let plan = plan::plan(&regression(), plan::Options::default()).unwrap();
    let executable = compile(&plan, Options::default());
    let mut workspace = executable.workspace().unwrap();
    let steps = 60;
    let order: Vec<u32> = (0..steps * 3).map(|at| at as u32 % 7).collect();
    let mut results = Vec::new();
    for rows in [Rows::From(0), Rows::Order(&order)] {
        let mut columns = Columns::new(steps);
        let series =
            Series { first: Call { step: 1, seed: 0 }, steps, rows, watched: &[], interrupted: None };
        let outcome =
            executable.series(&mut workspace, &mut columns.bindings(&plan), series, &Alone).unwrap();
        assert_eq!(outcome, Outcome::Done);
        assert!((columns.w[0] - 2.0).abs() < 0.01 && (columns.w[1] + 1.0).abs() < 0.01, "{:?}", columns.w);
        assert!(columns.losses[steps - 1] < 1e-3 && columns.losses[0] > 0.1);
        results.push((columns.w.clone(), columns.losses.clone()));
    }
    assert_eq!(results[0], results[1]);
}

#[test]
fn a_series_stops_at_what_is_not_finite() {
    let plan = plan::plan(&regression(), plan::Options::default()).unwrap();
    let executable = compile(&plan, Options::default());
    let mut workspace = executable.workspace().unwrap();
    let mut columns = Columns::new(9);
    columns.y[6] = f32::NAN;
    let loss = plan.externals.iter().position(|external| external.name.to_string().contains("loss")).unwrap();
    let watched = [loss];
    let series =
        |rows| Series { first: Call::default(), steps: 9, rows, watched: &watched, interrupted: None };
    let run = |columns: &mut Columns, workspace: &mut Workspace, rows| {
        executable.series(workspace, &mut columns.bindings(&plan), series(rows), &Alone)
    };
    let outcome = run(&mut columns, &mut workspace, Rows::From(0)).unwrap();
    assert_eq!(outcome, Outcome::NotFinite { steps: 3, external: loss });
    // Rows that do not exist.
    assert!(run(&mut columns, &mut workspace, Rows::Order(&[9; 27])).is_err());
    assert!(run(&mut columns, &mut workspace, Rows::Order(&[0; 5])).is_err());
}

#[test]
fn wrong_bindings_are_errors() {
    let plan = plan::plan(&regression(), plan::Options::default()).unwrap();
    let executable = compile(&plan, Options::default());
    let mut workspace = executable.workspace().unwrap();
    let run = |workspace: &mut Workspace, bindings: &mut [Binding<'_>]| {
        executable.step(workspace, bindings, Call::default(), &Alone)
    };
    assert!(run(&mut workspace, &mut []).is_err());
    let mut columns = Columns::new(1);
    assert!(run(&mut workspace, &mut columns.bindings(&plan)).is_ok());
    columns.losses.clear();
    assert!(run(&mut workspace, &mut columns.bindings(&plan)).is_err());
}

/// Two threads of which the second comes first, so it takes all iterations of a scan, in memory of its own.
struct SecondFirst;

impl sealed::Sealed for SecondFirst {}

impl Parallel for SecondFirst {
    fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..n_tasks).rev().for_each(task);
    }

    fn threads(&self) -> usize {
        2
    }
}

/// What another thread's iteration needs for itself lies elsewhere: nothing is written to the place in the arena, nor
/// to the private memory of kernels, which iterations that run at the same time would overwrite for one another.
#[test]
fn iterations_of_other_threads_have_memory_of_their_own() {
    let softmax = text::parse(
        "%0 = input \"x\" : [32, 6, 40]
         %1 = loop i0 < 32, i1 < 6, i2 < 40 : [i0, i2, i1] = exp(%0[i0, i1, i2]) : [32, 40, 6]
         %2 = loop i0 < 32, i1 < 6, i2 < 40 : [i0, i1] max= %1[i0, i2, i1] : [32, 6]
         %3 = loop i0 < 32, i1 < 6, i2 < 40 : [i0, i1, i2] = exp(sub(%0[i0, i1, i2], %2[i0, i1])) : [32, 6, 40]
         %4 = loop i0 < 32, i1 < 6, i2 < 40 : [i0, i1] += %3[i0, i1, i2] : [32, 6]
         %5 = loop i0 < 32, i1 < 6, i2 < 40 : [i0, i1, i2] = div(%3[i0, i1, i2], %4[i0, i1]) : [32, 6, 40]
         out \"y\" = %5\n",
    );
    let graphs = [plan::tests::training_step(32, [20, 24, 10]), softmax.expect("a graph")];
    for backend in backends().filter(|backend| backend.is_machine_code()) {
        // Bytes of an iteration, and of kernels, that were written in the arena.
        let mut written = [[0; 2]; 2];
        for graph in &graphs {
            let plan = plan::plan_in_parts(graph, plan::Options::default()).expect("the graph has a plan");
            for (sum, parallel) in written.iter_mut().zip([&Alone as &dyn Parallel, &SecondFirst]) {
                let bytes = written_in_arena(&plan, backend, parallel);
                sum.iter_mut().zip(bytes).for_each(|(sum, bytes)| *sum += bytes);
            }
        }
        let [alone, other] = written;
        assert!(alone.iter().all(|bytes| *bytes > 0), "the graphs try nothing: {alone:?} by {backend:?}");
        assert_eq!(other, [0, 0], "by {backend:?}");
    }
}

/// How many bytes a step writes in the arena to the memory of an iteration, and to the private memory of kernels.
fn written_in_arena(plan: &Plan, backend: &dyn Backend, parallel: &dyn Parallel) -> [usize; 2] {
    const MARK: u8 = 0xA5;
    let local = plan.steps.iter().find_map(|step| match step {
        Step::Scan(scan) => scan.local,
        Step::Nest(_) | Step::Gemm(_) | Step::Rand(_) => None,
    });
    let local = local.expect("rows are independent");
    let module = lowered(plan, backend, false);
    let code = backend.compile(&module, Options::default()).expect("the plan compiles");
    let mut tensors = tensors(plan);
    let mut bindings = bindings(plan, &mut tensors);
    let mut workspace = code.workspace().unwrap();
    arena_of(&mut workspace).fill(MARK);
    assert_eq!(code.step(&mut workspace, &mut bindings, Call { step: 3, seed: 7 }, parallel).unwrap(), None);
    let arena = arena_of(&mut workspace);
    [local.start..local.start + local.bytes, module.scratch_start..module.arena_bytes]
        .map(|range| arena[range].iter().filter(|byte| **byte != MARK).count())
}
