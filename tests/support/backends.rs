//! One graph through every back end: the interpreter on any kind of numbers, and native code by Cranelift, in
//! AVX2 and in AVX-512, from the plainest plan and from the usual one, with any number of threads.

use std::collections::BTreeMap;

use nnc::backend::{self, Backend, Binding, Call, TensorMut, TensorRef};
use nnc::ir::interpret::{Data, EvalError, Feed, Real, Tensor, evaluate};
use nnc::ir::program::Precision;
use nnc::ir::{Elem, Graph, Op, Type};
use nnc::loops;
use nnc::plan::{self, External};
use nnc::runtime::call::Caller;

/// The numbers that a graph is given, whatever their type, by `input:NAME`, `param:PATH` or `state:PATH`.
#[derive(Clone, Default, Debug)]
pub struct Given {
    pub values: BTreeMap<String, Vec<f64>>,
    pub seed: u64,
    pub step: u32,
}

/// The elements of every output, by name; bools are 0 or 1.
pub type Results = BTreeMap<String, Vec<f64>>;

/// How native code is made and run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    pub precision: Precision,
    pub backend: &'static dyn Backend,
    /// One kernel for each loop, or whatever the planner thinks best.
    pub plain: bool,
    pub threads: usize,
}

impl Setup {
    pub fn name(self) -> String {
        let bits = if self.precision == Precision::F32 { 32 } else { 64 };
        let plan = if self.plain { "plain" } else { "usual" };
        format!("{}, {bits} bits, {plan} plan, {} threads", self.backend.name(), self.threads)
    }

    /// Every way that this computer has to run a graph in a precision, by one thread.
    pub fn all(precision: Precision) -> Vec<Setup> {
        // Back ends that share their code for a target, as all do that make machine code of 64-bit floats, are one.
        let mut backends: Vec<&'static dyn Backend> = Vec::new();
        for backend in backend::available() {
            let is_like = |other: &&'static dyn Backend| {
                other.is_machine_code() == backend.is_machine_code()
                    && other.target(precision) == backend.target(precision)
            };
            if precision == Precision::F32 || !backends.iter().any(is_like) {
                backends.push(backend);
            }
        }
        let setups = backends
            .into_iter()
            .flat_map(|backend| [true, false].map(|plain| Setup { precision, backend, plain, threads: 1 }));
        setups.collect()
    }
}

/// Inputs, parameters and states of a graph with their types, by `input:NAME`, `param:PATH`, `state:PATH`.
pub fn leaves(graph: &Graph) -> Vec<(String, Type)> {
    let leaf = |op: &Op| match op {
        Op::Input { name, ty } => Some((format!("input:{name}"), ty.clone())),
        Op::Param { path, ty } => Some((format!("param:{path}"), ty.clone())),
        Op::State { path, ty } => Some((format!("state:{path}"), ty.clone())),
        _ => None,
    };
    graph.nodes().filter_map(|(_, node)| leaf(&node.op)).collect()
}

/// The elements as a tensor of the interpreter. `float` makes a number of its kind of the element at a place.
pub fn tensor<F: Real>(ty: &Type, values: &[f64], float: impl Fn(usize, f64) -> F) -> Tensor<F> {
    let shape = ty.static_shape().unwrap_or_default();
    let data = match ty.elem {
        Elem::Float => Data::Float(values.iter().enumerate().map(|(at, value)| float(at, *value)).collect()),
        Elem::Int => Data::Int(values.iter().map(|value| *value as _).collect()),
        Elem::Bool => Data::Bool(values.iter().map(|value| *value != 0.0).collect()),
    };
    Tensor { shape, data }
}

/// What the interpreter and native code say of an int that does not fit into 64 bits.
pub const OVERFLOW: &str = "an int leaves 64 bits";

/// A graph by the interpreter. `float` makes a number of its kind of an element of a leaf.
pub fn interpreted<F: Real>(
    graph: &Graph,
    given: &Given,
    float: impl Fn(&str, usize, f64) -> F,
) -> Result<BTreeMap<String, Tensor<F>>, String> {
    let mut feed = Feed::<F> { seed: given.seed, step: given.step, ..Feed::default() };
    for (name, ty) in leaves(graph) {
        let values = given.values.get(&name).ok_or_else(|| format!("nothing is given for `{name}`"))?;
        let value = tensor(&ty, values, |at, value| float(&name, at, value));
        let (kind, name) = name.split_once(':').unwrap_or_default();
        match kind {
            "input" => drop(feed.inputs.insert(name.into(), value)),
            _ => drop(feed.variables.insert(name.into(), value)),
        }
    }
    let results = evaluate(graph, &feed).map_err(|error| match error {
        EvalError::Overflow(..) => OVERFLOW.to_owned(),
        error => format!("the interpreter: {error}"),
    })?;
    Ok(results.into_iter().map(|(name, value)| (name.to_string(), (*value).clone())).collect())
}

enum Elements {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Bool(Vec<bool>),
}

impl Elements {
    fn new(elem: Elem, precision: Precision, values: &[f64]) -> Elements {
        match (elem, precision) {
            (Elem::Float, Precision::F32) => {
                Elements::F32(values.iter().map(|value| *value as f32).collect())
            }
            (Elem::Float, Precision::F64) => Elements::F64(values.to_vec()),
            (Elem::Int, _) => Elements::Int(values.iter().map(|value| *value as _).collect()),
            (Elem::Bool, _) => Elements::Bool(values.iter().map(|value| *value != 0.0).collect()),
        }
    }

    fn binding(&mut self, written: bool) -> Binding<'_> {
        if written {
            return Binding::Write(match self {
                Elements::F32(values) => TensorMut::F32(values),
                Elements::F64(values) => TensorMut::F64(values),
                Elements::Int(values) => TensorMut::I32(values),
                Elements::Long(values) => TensorMut::I64(values),
                Elements::Bool(values) => TensorMut::Bool(values),
            });
        }
        Binding::Read(match self {
            Elements::F32(values) => TensorRef::F32(values),
            Elements::F64(values) => TensorRef::F64(values),
            Elements::Int(values) => TensorRef::I32(values),
            Elements::Long(values) => TensorRef::I64(values),
            Elements::Bool(values) => TensorRef::Bool(values),
        })
    }

    fn numbers(&self) -> Vec<f64> {
        match self {
            Elements::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Elements::F64(values) => values.clone(),
            Elements::Int(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Elements::Long(values) => values.iter().map(|value| *value as f64).collect(),
            Elements::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
        }
    }
}

/// What an element is before code that should write it has run.
const POISON: f64 = -7_654_321.0;

fn start(external: &External, precision: Precision, given: &Given) -> Result<Elements, String> {
    let count = external.shape.iter().product();
    let poison = vec![POISON; count];
    let values = match given.values.get(&external.name.to_string()) {
        Some(values) => values,
        // An output, or a state that the graph writes and never reads.
        None if external.written => &poison,
        None => return Err(format!("nothing is given for `{}`", external.name)),
    };
    if external.wide {
        return Ok(Elements::Long(values.iter().map(|value| *value as i64).collect()));
    }
    Ok(Elements::new(external.elem, precision, values))
}

/// A graph compiled and run twice in the same memory, the second time among what the first has left there.
pub fn native(graph: &Graph, given: &Given, setup: Setup) -> Result<Results, String> {
    let mut results = native_by_threads(graph, given, setup, &[setup.threads])?;
    results.pop().ok_or_else(|| "no results".into())
}

/// The same code run so by each of some numbers of threads.
pub fn native_by_threads(
    graph: &Graph,
    given: &Given,
    setup: Setup,
    threads: &[usize],
) -> Result<Vec<Results>, String> {
    let options = plan::Options { precision: setup.precision };
    let plan = if setup.plain { plan::plain(graph, options) } else { plan::plan(graph, options) };
    let plan = plan.map_err(|error| error.to_string())?;
    let target = setup.backend.target(setup.precision);
    let target = if setup.plain { target.as_kernels() } else { target };
    let module = loops::lower(&plan, loops::Options::of(target)).map_err(|error| error.to_string())?;
    let code =
        setup.backend.compile(&module, backend::Options::default()).map_err(|error| error.to_string())?;
    let mut workspace = code.workspace().map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for threads in threads {
        let caller = Caller::new(*threads);
        let mut run = || -> Result<Results, String> {
            let mut tensors: Vec<Elements> = Vec::new();
            for external in &plan.externals {
                tensors.push(start(external, setup.precision, given)?);
            }
            let externals = plan.externals.iter().zip(&mut tensors);
            let mut bindings: Vec<Binding<'_>> =
                externals.map(|(external, tensor)| tensor.binding(external.written)).collect();
            let call = Call { step: given.step, seed: given.seed };
            let overflow = code.step(&mut workspace, &mut bindings, call, &caller);
            if overflow.map_err(|error| error.to_string())?.is_some() {
                return Err(OVERFLOW.into());
            }
            let written = plan.externals.iter().zip(&tensors).filter(|(external, _)| external.written);
            let results = written.map(|(external, tensor)| {
                let name = external.name.to_string();
                (name.strip_prefix("output:").unwrap_or(&name).to_owned(), tensor.numbers())
            });
            Ok(results.collect())
        };
        let (mut first, second) = (run()?, run()?);
        if !same_bits(&first, &second) {
            let both = format!("{first:?} and {second:?}");
            return Err(format!("a second run in the same memory gives other bits: {both}"));
        }
        add_unchanged(graph, given, &mut first);
        all.push(first);
    }
    Ok(all)
}

/// Adds the variables that code need not write because they stay what they are.
pub fn add_unchanged(graph: &Graph, given: &Given, results: &mut Results) {
    for output in &graph.outputs {
        if let Some(values) = given.values.get(&output.name.to_string()) {
            results.entry(output.name.to_string()).or_insert_with(|| values.clone());
        }
    }
}

pub fn same_bits(left: &Results, right: &Results) -> bool {
    let bits =
        |results: &Results| -> Vec<u64> { results.values().flatten().map(|value| value.to_bits()).collect() };
    left.len() == right.len() && bits(left) == bits(right)
}
