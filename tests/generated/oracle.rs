//! What must hold of every program: the text decides alone, so a fault can be looked at again from its file.
//!
//! Lines in front of a program ask for more:
//!
//! | line | means |
//! |---|---|
//! | `# values plain 17` | how inputs are made: `plain`, `wide` or `extreme`, and from which seed |
//! | `# rows` | row by row the model `M` gives what it gives for all rows at once |
//! | `# derivative 0 1 x` | the result 1 of `M` is the derivative of the sum of result 0 by the input `x` |

use nnc::base::FileId;
use nnc::compile;
use nnc::ir::program::{Action, Model, Precision};
use nnc::ir::{Elem, Graph, Sizes, Type, specialise};
use nnc::runtime::program::Program;
use nnc::{ir, syntax};

use super::derivatives;
use super::random::Random;
use super::{texts, training};
use crate::support::backends::{
    Given, OVERFLOW, Results, Setup, interpreted, leaves, native, native_by_threads, same_bits,
};
use crate::support::expected::Expected;
use crate::support::rounding::{Double, Format, Single};

/// What is found out about a program.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Fine(Looked),
    /// The compiler did not take it: code and message.
    Rejected(String),
    Fault(Fault),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// What kind of check found it.
    pub kind: &'static str,
    pub what: String,
}

/// How much was compared.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Looked {
    pub graphs: usize,
    pub elements: usize,
    /// Elements of which the formula says nothing: rounding decides, or they overflow.
    pub unknown: usize,
}

pub type Checked<T> = Result<T, Fault>;

pub fn fault<T>(kind: &'static str, what: impl Into<String>) -> Checked<T> {
    Err(Fault { kind, what: what.into() })
}

/// Numbers of rows that a model may be tried with. One program in so many is tried with all of them, the others with
/// one: faults that only some number of rows shows are found by other programs.
const ROWS: [usize; 3] = [1, 3, 9];
const ALL_ROWS: u64 = 6;

/// Graphs of more operations are compiled and not compared: the interpreter, several times, in several kinds of
/// numbers, takes minutes for them. They are second derivatives of products of a hundred factors and more.
const MOST_OPERATIONS: f64 = 5e7;

/// Everything about the text of a program.
pub fn check(text: &str) -> Verdict {
    let (tree, errors) = syntax::parse(FileId(0), text);
    if errors.is_empty()
        && let Err(what) = texts::same_formatted(text, &syntax::print::print(&tree))
    {
        return Verdict::Fault(Fault { kind: "format", what });
    }
    let made = Program::from_source(text);
    let program = match made {
        Ok(program) => program,
        Err(errors) => {
            let Some(first) = errors.list.first() else { return Verdict::Rejected("no message".into()) };
            if first.code == "E0799" {
                return Verdict::Fault(Fault { kind: "internal error", what: errors.to_string() });
            }
            return Verdict::Rejected(format!("{}: {}", first.code, first.message));
        }
    };
    let mut looked = Looked::default();
    match everything(text, &program, &mut looked) {
        Ok(()) => Verdict::Fine(looked),
        Err(fault) => Verdict::Fault(fault),
    }
}

fn everything(text: &str, program: &Program, looked: &mut Looked) -> Checked<()> {
    let precision = program.checked().precision;
    let directives: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .map(|line| line.split(' ').collect())
        .collect();
    let (mut values, mut seed) = ("plain", 1_u64);
    for words in &directives {
        if let ["values", how, number] = words[..] {
            (values, seed) = (how, number.parse().unwrap_or(1));
        }
    }
    for model in &program.checked().models {
        let Some(forward) = &model.forward else { continue };
        let all = seed.is_multiple_of(ALL_ROWS);
        let one = 1 + (seed % 2) as usize;
        for rows in if all { &ROWS[..] } else { &ROWS[one..=one] } {
            let rows = *rows;
            let graph = static_graph(forward, rows)?;
            if ir::work::flops(&graph) > MOST_OPERATIONS {
                continue;
            }
            let given = given(&graph, &|name| bound(model, name), values, seed);
            if !every_back_end(&graph, &given, Ways { precision, plain: seed as usize }, looked)? {
                continue;
            }
            if directives.iter().any(|words| words[..] == ["rows"]) && rows > 1 {
                row_by_row(forward, &graph, &given, rows, precision)?;
            }
            for words in &directives {
                if let ["derivative", of, slope, input] = words[..] {
                    derivatives::check(&graph, &given, of, slope, input)?;
                }
            }
            if compile::symbols(forward).is_empty() {
                break;
            }
        }
    }
    if program.checked().actions.iter().any(|action| matches!(action, Action::Train(_))) {
        training::check(text, program, looked)?;
    }
    Ok(())
}

pub fn static_graph(forward: &Graph, rows: usize) -> Checked<Graph> {
    let sizes: Sizes = compile::symbols(forward).into_iter().map(|symbol| (symbol, rows.into())).collect();
    specialise(forward, &sizes).or_else(|error| fault("sizes", format!("{error:?}")))
}

fn bound(model: &Model, name: &str) -> Option<f64> {
    let bounds = model.bounds.iter().filter(|(input, _)| **input == *name);
    bounds.filter_map(|(_, bound)| bound.below.as_number()).map(|below| below as f64).reduce(f64::min)
}

/// Made values for everything that a graph reads: depending on the seed and the name alone.
pub fn given(graph: &Graph, bound: &dyn Fn(&str) -> Option<f64>, values: &str, seed: u64) -> Given {
    let mut given = Given { seed: 7, step: 3, ..Given::default() };
    for (name, ty) in leaves(graph) {
        let count = ty.static_shape().map_or(0, |shape| shape.iter().product::<usize>());
        let mut random = Random::named(seed, &name);
        let below = name.strip_prefix("input:").and_then(bound);
        let elements = (0..count).map(|_| element(&mut random, &ty, below, values)).collect();
        given.values.insert(name, elements);
    }
    if let Some(step) = given.values.get_mut("input:step") {
        step.fill(3.0);
    }
    given
}

fn element(random: &mut Random, ty: &Type, below: Option<f64>, values: &str) -> f64 {
    const EXTREME: [f64; 14] = [
        0.0,
        -0.0,
        1e-30,
        -1e-30,
        1e30,
        -1e30,
        1e-42,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        88.0,
        -104.0,
        17.0,
        16_777_216.0,
    ];
    match (ty.elem, below) {
        (Elem::Bool, _) => f64::from(random.chance(50)),
        (Elem::Int, Some(below)) => (random.unit() * below).floor(),
        (Elem::Int, None) if values == "extreme" => {
            *random.one_of(&[0.0, 1.0, -1.0, 7.0, -8.0, 46_341.0, 2_147_483_647.0, -2_147_483_648.0])
        }
        (Elem::Int, None) => random.between(-4, 9) as f64,
        (Elem::Float, _) => {
            let sign = if random.chance(50) { 1.0 } else { -1.0 };
            let value = match values {
                "extreme" if random.chance(25) => *random.one_of(&EXTREME),
                "wide" => sign * 10f64.powf(random.unit() * 8.0 - 5.0),
                // Numbers with few digits are often equal, those with many seldom.
                _ if random.chance(30) => sign * random.below(33) as f64 / 16.0,
                _ => sign * random.unit() * 2.0,
            };
            f64::from(value as f32)
        }
    }
}

/// How a graph is tried.
#[derive(Clone, Copy)]
pub struct Ways {
    pub precision: Precision,
    /// Which back end, by any number, also has code of the plainest plan.
    pub plain: usize,
}

impl Ways {
    /// The usual plan by each back end, the plainest by one of them.
    fn setups(self) -> Vec<Setup> {
        let all = Setup::all(self.precision);
        let plain = all.iter().filter(|setup| setup.plain).count().max(1);
        let mut chosen: Vec<Setup> = all.iter().filter(|setup| !setup.plain).copied().collect();
        chosen.extend(all.iter().filter(|setup| setup.plain).nth(self.plain % plain));
        chosen
    }
}

/// One graph: its text, what optimisation makes of it, and native code, against the interpreter. `false` if it has
/// no results, since an int leaves 64 bits: so all of them must say.
pub fn every_back_end(graph: &Graph, given: &Given, ways: Ways, looked: &mut Looked) -> Checked<bool> {
    let precision = ways.precision;
    same_text(graph, "as made")?;
    let optimised = nnc::opt::optimise(graph);
    same_text(&optimised, "optimised")?;
    looked.graphs += 1;
    if overflows(graph, given, precision) {
        let silent = ways
            .setups()
            .into_iter()
            .find(|setup| native(&optimised, given, *setup).err().as_deref() != Some(OVERFLOW));
        return match silent {
            Some(setup) => fault("overflow", format!("{} does not say that {OVERFLOW}", setup.name())),
            None => Ok(false),
        };
    }
    match precision {
        Precision::F32 => compare::<Single>(graph, &optimised, given, ways, looked)?,
        Precision::F64 => compare::<Double>(graph, &optimised, given, ways, looked)?,
    }
    Ok(true)
}

fn overflows(graph: &Graph, given: &Given, precision: Precision) -> bool {
    let found = match precision {
        Precision::F32 => interpreted::<f32>(graph, given, |_, _, value| value as f32).err(),
        Precision::F64 => interpreted::<f64>(graph, given, |_, _, value| value).err(),
    };
    found.as_deref() == Some(OVERFLOW)
}

fn same_text(graph: &Graph, what: &str) -> Checked<()> {
    if let Err(faults) = ir::verify(graph) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return fault("verifier", format!("{what}: {}", faults.join("\n")));
    }
    let text = graph.to_string();
    match ir::text::parse(&text) {
        Ok(again) if again.to_string() == text => Ok(()),
        Ok(again) => fault("text of a graph", format!("{what}: {text}\nis read as\n{again}")),
        Err(error) => fault("text of a graph", format!("{what}: {error}\n{text}")),
    }
}

pub fn expected<P: Format>(graph: &Graph, given: &Given) -> Checked<Expected<P>> {
    Expected::of(graph, given).or_else(|error| fault("interpreter", error))
}

fn compare<P: Format>(
    graph: &Graph,
    optimised: &Graph,
    given: &Given,
    ways: Ways,
    looked: &mut Looked,
) -> Checked<()> {
    let expected = expected::<P>(graph, given)?;
    let mut admit = |kind: &'static str, how: &str, found: &Results| {
        let seen = expected.admit(found).or_else(|what| fault(kind, format!("{how}: {what}")))?;
        looked.elements += seen.known;
        looked.unknown += seen.unknown;
        Ok(())
    };
    for (kind, graph) in [("interpreter of 32 bits", graph), ("optimiser", optimised)] {
        if ways.precision == Precision::F32 {
            let results = interpreted::<f32>(graph, given, |_, _, value| value as f32);
            let results = results.or_else(|error| fault("interpreter", error))?;
            admit(kind, kind, &results.iter().map(|(name, value)| (name.clone(), value.to_f64())).collect())?;
        }
        let results = interpreted::<f64>(graph, given, |_, _, value| value);
        let results = results.or_else(|error| fault("interpreter", error))?;
        let kind = if kind == "optimiser" { kind } else { "interpreter of 64 bits" };
        admit(kind, kind, &results.iter().map(|(name, value)| (name.clone(), value.to_f64())).collect())?;
    }
    for setup in ways.setups() {
        let threads: &[usize] = if setup.plain { &[1] } else { &[1, 2, 3] };
        let results = native_by_threads(optimised, given, setup, threads);
        let results =
            results.or_else(|error| fault("no native code", format!("{}: {error}", setup.name())))?;
        admit("native code", &setup.name(), &results[0])?;
        for (threads, found) in threads.iter().zip(&results).skip(1) {
            if !same_bits(found, &results[0]) {
                return fault("threads", format!("{}: {threads} threads give other bits", setup.name()));
            }
        }
    }
    Ok(())
}

/// The results for one row at a time, put together, are those for all rows.
fn row_by_row(
    forward: &Graph,
    graph: &Graph,
    given: &Given,
    rows: usize,
    precision: Precision,
) -> Checked<()> {
    let one = static_graph(forward, 1)?;
    let names: Vec<String> = leaves(&one).into_iter().map(|(name, _)| name).collect();
    let has_rows = |open: &Type| open.shape.first().is_some_and(|dim| dim.as_number().is_none());
    let open = leaves(forward);
    let setup = Setup { precision, backend: nnc::backend::best(), plain: false, threads: 1 };
    let optimised = nnc::opt::optimise(&one);
    let single = expected::<Single>(graph, given)?;
    let double = expected::<Double>(graph, given)?;
    for row in 0..rows {
        let mut part = given.clone();
        for name in &names {
            if open.iter().any(|(other, ty)| other == name && has_rows(ty)) {
                let values = &given.values[name];
                let size = values.len() / rows;
                part.values.insert(name.clone(), values[row * size..][..size].to_vec());
            }
        }
        let found = native(&optimised, &part, setup);
        let found = found.or_else(|error| fault("no native code", format!("one row: {error}")))?;
        let problem = match precision {
            Precision::F32 => row_of(&single, forward, row, rows).admit(&found),
            Precision::F64 => row_of(&double, forward, row, rows).admit(&found),
        };
        problem.or_else(|what| fault("rows", format!("row {row} of {rows} alone: {what}")))?;
    }
    Ok(())
}

/// What is expected of one of so many rows. Nothing is known of outputs without rows: they depend on all.
fn row_of<P: Format>(all: &Expected<P>, forward: &Graph, row: usize, rows: usize) -> Expected<P> {
    let outputs = all.outputs.iter().map(|(name, elements)| {
        let node = forward.find_output(name.as_str());
        let first = node.and_then(|node| forward.shape(node).first());
        let has_rows = first.is_some_and(|dim| dim.as_number().is_none());
        let part = elements.as_ref().filter(|_| has_rows).map(|elements| {
            let size = elements.len() / rows;
            elements[row * size..][..size].to_vec()
        });
        (name.clone(), part)
    });
    Expected { outputs: outputs.collect() }
}
