//! What must hold for every program, whatever its snapshot says:
//!
//! - its tree, printed and parsed, is the same tree;
//! - its graphs keep the rules of the verifier, printed and parsed they are the same graphs, and simplifying
//!   twice gives what simplifying once gives;
//! - native code gives the numbers of the interpreter, each but for the rounding error of its formula;
//! - training gives the same bits with 1, 2 and 3 threads, with checks of accesses and without, by the interpreter
//!   of loops, and broken off and resumed.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use nnc::backend::{self, Backend};
use nnc::base::FileId;
use nnc::base::philox::Draw;
use nnc::compile::{self, Mode, Timings, Use};
use nnc::ir::program::{Action, BATCH, Length, Precision, Source};
use nnc::ir::verify::verify;
use nnc::ir::{Elem, Graph, Op, Type, specialise};
use nnc::opt::optimise;
use nnc::runtime::array::{Array, Elements};
use nnc::runtime::call::{Caller, Moment};
use nnc::runtime::memory::Memory;
use nnc::runtime::program::Program;
use nnc::{Silent, ir, syntax};

use super::backends::{self, Given, Results, Setup, leaves};
use super::cases::compile as compiled;
use super::expected::Expected;
use super::rounding::{Double, Format, Single};

type Outcome = Result<(), Box<dyn Error>>;
type Trained = Result<Vec<Array>, Box<dyn Error>>;

/// Above this many points of loops the interpreter would take too long.
const INTERPRETED_POINTS: i64 = 2_000_000;

/// All checks over one program.
pub fn all(path: &Path, text: &str) -> Outcome {
    tree(text)?;
    let Ok(program) = compiled(path, text) else { return Ok(()) };
    for part in compile::parts(program.checked()) {
        let of = |what: &str| format!("{}: {what}", part.title);
        graph(part.graph, &of("as made"))?;
        let sizes = compile::sizes(&part, program.checked());
        let special = specialise(part.graph, &sizes).map_err(|error| of(&format!("{error:?}")))?;
        graph(&special, &of("specialised"))?;
        let once = optimise(&special);
        graph(&once, &of("optimised"))?;
        let twice = optimise(&once).to_string();
        if twice != once.to_string() {
            return Err(of(&format!("simplifying twice is not simplifying once:\n{once}\n{twice}")).into());
        }
        if points(&special) <= INTERPRETED_POINTS {
            native(&program, &special).map_err(|error| of(&error.to_string()))?;
        }
        // The last batch of an epoch may be a single row.
        let mut one = sizes;
        one.insert(BATCH.into(), 1usize.into());
        if program.checked().requirements.iter().any(|it| it.is_broken_by(&one)) {
            continue;
        }
        if let Ok(special) = specialise(part.graph, &one) {
            graph(&special, &of("specialised for one row"))?;
            if points(&special) <= INTERPRETED_POINTS {
                native(&program, &special).map_err(|error| of(&format!("one row: {error}")))?;
            }
        }
    }
    if trains_quickly(&program) {
        threads(path, text)?;
        resumed(path, text)?;
    }
    Ok(())
}

fn tree(text: &str) -> Outcome {
    let printed = |text: &str| syntax::print::print(&syntax::parse(FileId(0), text).0);
    let formatted = syntax::format(text).map_err(|errors| format!("cannot be formatted: {errors:?}"))?;
    if printed(text) != printed(&formatted) {
        return Err("the formatted text means something else".into());
    }
    let again =
        syntax::format(&formatted).map_err(|errors| format!("formatted text is wrong: {errors:?}"))?;
    if again != formatted {
        return Err(format!("formatting twice is not formatting once:\n{again}").into());
    }
    Ok(())
}

fn graph(graph: &Graph, what: &str) -> Outcome {
    verify(graph).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("{what}: {}", faults.join("\n"))
    })?;
    let text = graph.to_string();
    let again = ir::text::parse(&text).map_err(|error| format!("{what}: {error}\n{text}"))?;
    if again.to_string() != text {
        return Err(format!("{what}: printed and parsed it is another graph:\n{text}\n{again}").into());
    }
    Ok(())
}

/// The points of all loops.
fn points(graph: &Graph) -> i64 {
    let of = |op: &Op| match op {
        Op::Loop(body) => body.domain.iter().filter_map(|size| size.as_number()).product::<i64>(),
        Op::Scan(scan) => scan.trip.as_number().unwrap_or(1) * points(&scan.body),
        _ => 0,
    };
    graph.nodes().map(|(_, node)| of(&node.op)).fold(0i64, i64::saturating_add)
}

/// Carries out a graph natively, on made numbers and the initial parameters: every element is what the formula
/// says, but for its own rounding error.
fn native(program: &Program, graph: &Graph) -> Outcome {
    let precision = program.checked().precision;
    let session = program.session()?;
    let mut memory = Memory::new(precision);
    let mode = Mode { precision, checked: true, ..Mode::default() };
    let function = compile::build(graph, &BTreeMap::new(), mode, Use::Often, &Timings::default())?;
    let start = |name: &str, ty: &Type| -> Option<Array> {
        let (kind, path) = name.split_once(':')?;
        match (kind, session.parameter(path)) {
            ("input", _) if path == "step" => Array::ints(&[], &[3]).ok(),
            ("input", _) => Some(made(path, ty, precision)),
            (_, Some(array)) => Some(array.clone()),
            // States of optimisers begin at 0 or above.
            (_, None) => Some(Array::zeros(ty.elem, precision, ty.static_shape()?)),
        }
    };
    let mut given = Given { seed: 7, step: 3, ..Given::default() };
    for (name, ty) in leaves(graph) {
        let values = start(&name, &ty).map(|array| array.to_f64().into_owned());
        given.values.insert(name, values.unwrap_or_default());
    }
    let binding = memory.bind(Arc::new(function), |memory, external| {
        let ty = Type::new(external.elem, external.shape.iter().map(|size| (*size).into()).collect());
        start(&external.name.to_string(), &ty).map(|array| memory.add(array))
    });
    let binding = binding.map_err(|name| format!("no tensor for `{name}`"))?;
    Caller::new(2).call(&binding, &mut memory, Moment { seed: 7, step: 3 }).map_err(|error| error.message)?;
    let written =
        binding.function.externals.iter().zip(&binding.cells).filter(|(external, _)| external.written);
    let found = written.map(|(external, cell)| {
        let name = external.name.to_string();
        (name.strip_prefix("output:").unwrap_or(&name).to_owned(), memory.get(*cell).to_f64().into_owned())
    });
    let mut found: Results = found.collect();
    backends::add_unchanged(graph, &given, &mut found);
    match precision {
        Precision::F32 => by_all(&Expected::<Single>::of(graph, &given)?, graph, &given, precision, &found),
        Precision::F64 => by_all(&Expected::<Double>::of(graph, &given)?, graph, &given, precision, &found),
    }
}

/// What a session computes is as expected, and so is what every other back end does.
fn by_all<P: Format>(
    expected: &Expected<P>,
    graph: &Graph,
    given: &Given,
    precision: Precision,
    found: &Results,
) -> Outcome {
    expected.admit(found)?;
    let optimised = optimise(graph);
    for setup in Setup::all(precision).into_iter().filter(|setup| !setup.plain) {
        let found = backends::native(&optimised, given, setup)?;
        expected.admit(&found).map_err(|what| format!("{}: {what}", setup.name()))?;
    }
    Ok(())
}

/// Numbers between -1 and 1, ints 0 and 1, bools.
fn made(name: &str, ty: &Type, precision: Precision) -> Array {
    let draw = Draw { seed: 1, stream: name.len() as u32, step: 0, scan_step: 0 };
    let shape = ty.static_shape().unwrap_or_default();
    let count: u64 = shape.iter().map(|size| *size as u64).product();
    let number = |at: u64| f64::from(draw.uniform_f32(at)) * 2.0 - 1.0;
    let elements = match (ty.elem, precision) {
        (Elem::Float, Precision::F32) => Elements::F32((0..count).map(|at| number(at) as f32).collect()),
        (Elem::Float, Precision::F64) => Elements::F64((0..count).map(number).collect()),
        (Elem::Int, _) => Elements::I32((0..count).map(|at| i32::from(number(at) > 0.0)).collect()),
        (Elem::Bool, _) => Elements::Bool((0..count).map(|at| number(at) > 0.0).collect()),
    };
    Array::new(shape, elements).expect("as many elements as the shape has")
}

/// Whether there is a training that takes a moment and needs no files.
fn trains_quickly(program: &Program) -> bool {
    let checked = program.checked();
    let small = |action: &Action| match action {
        Action::Train(train) => points_of_steps(&train.step.graph, train.length) < 20_000_000,
        Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_) => true,
    };
    checked.actions.iter().any(|action| matches!(action, Action::Train(_)))
        && checked.actions.iter().all(small)
        && checked.data.iter().all(|set| set.source == Source::None)
}

fn points_of_steps(step: &Graph, length: Length) -> i64 {
    let (Length::Epochs(count) | Length::Steps(count)) = length;
    (count as i64).saturating_mul(step.len() as i64 * 100)
}

fn threads(path: &Path, text: &str) -> Outcome {
    let run = |threads: usize, checked: bool, by: Option<&'static dyn Backend>| -> Trained {
        let program = compiled(path, text)?;
        program.check_accesses(checked);
        if let Some(backend) = by {
            program.use_backend(backend);
        }
        let mut session = program.session()?;
        session.set_threads(threads);
        session.train(&mut Silent)?;
        Ok(session.parameters().filter_map(|name| session.parameter(name)).cloned().collect())
    };
    let one = run(1, false, None)?;
    for (threads, checked) in [(1, true), (2, false), (3, true)] {
        if !bits_equal(&run(threads, checked, None)?, &one) {
            let checks = if checked { ", with checks," } else { "" };
            return Err(format!("{threads} threads{checks} give other parameters than one").into());
        }
    }
    // A library orders the sums of products of 64-bit floats.
    let is_defined = compiled(path, text)?.checked().precision == Precision::F32;
    if is_defined && !bits_equal(&run(1, false, backend::find("interpreter"))?, &one) {
        return Err("the interpreter of loops gives other parameters than machine code".into());
    }
    Ok(())
}

/// Four steps at once, and two, saved, resumed, two more.
fn resumed(path: &Path, text: &str) -> Outcome {
    let train = |steps: u64| {
        let adjusted = with_steps(text, steps);
        compiled(path, &adjusted)
    };
    let Ok(program) = train(4) else { return Ok(()) };
    let mut whole = program.session()?;
    whole.train(&mut Silent)?;
    let mut half = train(2)?.session()?;
    half.train(&mut Silent)?;
    let name = path.to_string_lossy().replace(['/', '.'], "_");
    let file = std::env::temp_dir().join(format!("nnc_{}_{name}.safetensors", std::process::id()));
    half.save(&file)?;
    let mut rest = program.session()?;
    let resumed = rest.resume(&file);
    std::fs::remove_file(&file)?;
    resumed?;
    rest.train(&mut Silent)?;
    let all = |session: &nnc::Session| -> Vec<Array> {
        session.parameters().filter_map(|name| session.parameter(name)).cloned().collect()
    };
    if program.checked().actions.iter().filter(|action| matches!(action, Action::Train(_))).count() == 1
        && !bits_equal(&all(&rest), &all(&whole))
    {
        return Err("training that is broken off and resumed gives other parameters".into());
    }
    Ok(())
}

/// The text with another length of training.
fn with_steps(text: &str, steps: u64) -> String {
    let line = |line: &str| {
        let setting = line.trim_start();
        let is_length = setting.starts_with("epochs") || setting.starts_with("steps");
        if is_length && setting.contains('=') { format!("    steps = {steps}") } else { line.to_owned() }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn bits_equal(left: &[Array], right: &[Array]) -> bool {
    let bits = |array: &Array| -> Vec<u64> { array.to_f64().iter().map(|value| value.to_bits()).collect() };
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| bits(a) == bits(b))
}
