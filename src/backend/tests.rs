//! All back ends against the plan's interpreter.

use super::native::{AVX2, AVX512, arena_of, avx};
use super::*;
use crate::base::philox::Draw;
use crate::ir::program::Precision;
use crate::ir::*;
use crate::loops::{self, Target, VerifiedModule};
use crate::plan::{self, Plan, Step};

mod checks;
mod given;
mod graphs;
mod ints;
mod lanes;
mod ops;
mod speed;
mod steps;
mod windows;

/// A pool that starts its threads anew for each job.
struct Threads(usize);

impl sealed::Sealed for Threads {}

impl Parallel for Threads {
    fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..self.0 {
                scope.spawn(move || (thread..n_tasks).step_by(self.0).for_each(task));
            }
        });
    }

    fn threads(&self) -> usize {
        self.0
    }
}

fn dims(sizes: &[usize]) -> Vec<Dim> {
    sizes.iter().map(|size| Dim::from(*size)).collect()
}

fn input(graph: &mut Graph, name: &str, elem: Elem, sizes: &[usize]) -> NodeId {
    graph.add(Op::Input { name: name.into(), ty: Type::new(elem, dims(sizes)) }, vec![])
}

/// Numbers for an external: floats around 0, ints below 3, bools.
fn fill(elem: Elem, len: usize, stream: u32) -> Vec<f64> {
    let draw = Draw { seed: 1, stream, step: 1, scan_step: 0 };
    (0..len as u64)
        .map(|at| match elem {
            Elem::Float => f64::from(draw.uniform_f32(at) * 4.0 - 2.0),
            Elem::Int => f64::from((draw.uniform_f32(at) * 3.0).floor()),
            Elem::Bool => f64::from(u8::from(draw.uniform_f32(at) < 0.5)),
        })
        .collect()
}

/// A tensor with its elements, for bindings.
enum Owned {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    Bool(Vec<bool>),
}

impl Owned {
    fn new(elem: Elem, precision: Precision, values: &[f64]) -> Owned {
        match (elem, precision) {
            (Elem::Float, Precision::F32) => Owned::F32(values.iter().map(|value| *value as f32).collect()),
            (Elem::Float, Precision::F64) => Owned::F64(values.to_vec()),
            (Elem::Int, _) => Owned::I32(values.iter().map(|value| *value as i32).collect()),
            (Elem::Bool, _) => Owned::Bool(values.iter().map(|value| *value != 0.0).collect()),
        }
    }

    fn binding(&mut self, written: bool) -> Binding<'_> {
        if written {
            return Binding::Write(match self {
                Owned::F32(values) => TensorMut::F32(values),
                Owned::F64(values) => TensorMut::F64(values),
                Owned::I32(values) => TensorMut::I32(values),
                Owned::I64(values) => TensorMut::I64(values),
                Owned::Bool(values) => TensorMut::Bool(values),
            });
        }
        Binding::Read(match self {
            Owned::F32(values) => TensorRef::F32(values),
            Owned::F64(values) => TensorRef::F64(values),
            Owned::I32(values) => TensorRef::I32(values),
            Owned::I64(values) => TensorRef::I64(values),
            Owned::Bool(values) => TensorRef::Bool(values),
        })
    }

    fn numbers(&self) -> Vec<f64> {
        match self {
            Owned::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Owned::F64(values) => values.clone(),
            Owned::I32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Owned::I64(values) => values.iter().map(|value| *value as f64).collect(),
            Owned::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
        }
    }
}

fn start(plan: &Plan) -> Vec<Vec<f64>> {
    let externals = plan.externals.iter().enumerate();
    externals
        .map(|(slot, external)| fill(external.elem, external.shape.iter().product(), slot as u32))
        .collect()
}

fn tensors(plan: &Plan) -> Vec<Owned> {
    let externals = plan.externals.iter().zip(start(plan));
    externals
        .map(|(external, values)| {
            if external.wide {
                return Owned::I64(values.iter().map(|value| *value as i64).collect());
            }
            Owned::new(external.elem, plan.precision, &values)
        })
        .collect()
}

fn bindings<'a>(plan: &Plan, tensors: &'a mut [Owned]) -> Vec<Binding<'a>> {
    let externals = plan.externals.iter().zip(tensors);
    externals.map(|(external, tensor)| tensor.binding(external.written)).collect()
}

/// All back ends that this computer can run.
fn backends() -> impl Iterator<Item = &'static dyn Backend> {
    available()
}

fn is_wide(backend: &dyn Backend) -> bool {
    [AVX2.name(), AVX512.name()].contains(&backend.name())
}

/// Checked code and code without checks: the same bits.
fn run_native(plan: &Plan, backend: &dyn Backend, parallel: &dyn Parallel) -> Vec<Vec<f64>> {
    let [checked, plain] = [true, false].map(|checked| run_mode(plan, backend, checked, parallel));
    let module = || lowered(plan, backend, true);
    assert!(same_bits(&checked, &plain), "checks make a difference to {backend:?}\n{}", *module());
    plain
}

/// Wide vectors are for steps that are no one function.
fn lowered(plan: &Plan, backend: &dyn Backend, checked: bool) -> VerifiedModule {
    let target = backend.target(plan.precision);
    let target = if is_wide(backend) { target.as_kernels() } else { target };
    loops::lower(plan, loops::Options { target, checked }).expect("the plan has loops")
}

/// A plan as the best code for this computer.
fn compile(plan: &Plan, options: Options) -> Box<dyn Code> {
    let module = loops::lower(plan, loops::Options::of(best().target(plan.precision)));
    best().compile(&module.expect("the plan has loops"), options).expect("the plan compiles")
}

fn run_mode(plan: &Plan, backend: &dyn Backend, checked: bool, parallel: &dyn Parallel) -> Vec<Vec<f64>> {
    let code = backend.compile(&lowered(plan, backend, checked), Options::default());
    let code = code.expect("the plan compiles");
    let mut tensors = tensors(plan);
    let mut bindings = bindings(plan, &mut tensors);
    let mut workspace = code.workspace().unwrap();
    let overflow = code.step(&mut workspace, &mut bindings, Call { step: 3, seed: 7 }, parallel).unwrap();
    assert_eq!(overflow, None);
    tensors.iter().map(Owned::numbers).collect()
}

/// Cuts all nests and products into pieces, where they can be.
fn in_pieces(steps: &mut [Step], pieces: usize) {
    for step in steps {
        match step {
            Step::Nest(nest) => {
                let injective = nest.stages.iter().all(|stage| {
                    stage
                        .body
                        .write
                        .iter()
                        .all(|sub| matches!(sub, Sub::Affine(affine) if affine.terms.len() <= 1))
                });
                if nest.shared > 0 && injective {
                    nest.pieces = pieces;
                }
            }
            Step::Gemm(gemm) => gemm.pieces = pieces,
            Step::Rand(_) => {}
            Step::Scan(scan) => in_pieces(&mut scan.steps, pieces),
        }
    }
}

/// Compares native code with the interpreter, in both precisions, for one and several threads.
fn check(graph: &Graph) {
    for precision in [Precision::F32, Precision::F64] {
        let plain = plan::plain(graph, plan::Options { precision }).expect("the graph has a plan");
        check_threads(plain);
        let fused = plan::plan(graph, plan::Options { precision }).expect("the graph has a plan");
        check_threads(fused);
        check_threads(plan::plan_in_parts(graph, plan::Options { precision }).expect("the graph has a plan"));
    }
}

/// The same of a graph that is written as text.
fn check_text(text: &str) {
    let graph = text::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    check(&graph);
}

fn check_threads(mut plan: Plan) {
    for backend in backends() {
        check_plan(&plan, backend, &run_native(&plan, backend, &Alone));
        if is_wide(backend) && plan.precision == Precision::F32 {
            for registers in [0, 1, 3] {
                let got = avx::with_few_registers(registers, || run_native(&plan, backend, &Alone));
                check_plan(&plan, backend, &got);
            }
        }
    }
    in_pieces(&mut plan.steps, 3);
    for backend in backends() {
        let alone = run_native(&plan, backend, &Alone);
        check_plan(&plan, backend, &alone);
        for threads in [2, 3] {
            let several = run_native(&plan, backend, &Threads(threads));
            assert!(same_bits(&alone, &several), "threads make a difference");
        }
    }
}

fn same_bits(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    let bits = |all: &[Vec<f64>]| -> Vec<u64> { all.iter().flatten().map(|value| value.to_bits()).collect() };
    bits(a) == bits(b)
}

fn check_plan(plan: &Plan, backend: &dyn Backend, got: &[Vec<f64>]) {
    let mut expected = start(plan);
    plan::interpret(plan, &mut expected, 7, 3);
    let tolerance = if plan.precision == Precision::F32 { 1e-5 } else { 1e-12 };
    for ((external, expected), got) in plan.externals.iter().zip(&expected).zip(got) {
        let largest = expected.iter().map(|e| e.abs()).filter(|e| e.is_finite()).fold(1.0, f64::max);
        for (at, (e, g)) in expected.iter().zip(got).enumerate() {
            let near = (e - g).abs() <= tolerance * largest.min(1.0 + 10.0 * e.abs());
            let same = e == g || e.is_nan() && g.is_nan() || near;
            if !same {
                let module = lowered(plan, backend, false);
                panic!("{} [{at}] by {backend:?}: expected {e}, got {g}\n{}", external.name, *module);
            }
        }
    }
}
