//! Reference results computed with PyTorch: training trajectories and single operations.
//!
//! `golden/*.nn` and `golden/more/*.nn` train from given parameters on given rows in order; losses agree to 1e-4,
//! parameters and the output on the first batch to 1e-3. `golden/ops/*.nn` and `golden/more_ops/*.nn` define a
//! function `op`; its value and the gradient of `sum(op(…) * cot)` agree to 1e-5 of the largest element. The
//! results are in the safetensors file of the same name, or of the name of the folder. What begins with `more` is
//! made by `golden/tools/make.py`. `models/literature/*.nn` are networks from the literature with references in
//! 64 bits, made by the programs of `golden/tools/literature`: losses and parameters agree to 1e-8 in 64 bits, and in
//! 32 bits they are about as far off as PyTorch's are in 32 bits (`models/literature/float32.csv`).

use std::fmt::Write;
use std::path::Path;

use nnc::runtime::array::Array;
use nnc::runtime::events::{Event, Observer};
use nnc::runtime::program::Program;
use nnc::runtime::sources::safetensors;

type Outcome = datatest_stable::Result<()>;

datatest_stable::harness! {
    { test = trajectory, root = "tests/golden", pattern = r"^[a-z0-9_]+\.nn$" },
    { test = trajectory, root = "tests/golden/more", pattern = r"^[a-z0-9_]+\.nn$" },
    { test = literature, root = "models/literature", pattern = r"^[a-z0-9_]+\.nn$" },
    { test = operation, root = "tests/golden/ops", pattern = r"^[a-z0-9_]+\.nn$" },
    { test = operation, root = "tests/golden/more_ops", pattern = r"^[a-z0-9_]+\.nn$" },
}

/// How many times as far from the reference as PyTorch a training in 32 bits may be. The median is 1 (see
/// `docs/accuracy.md`), but rounding errors grow differently for every width of vectors.
const MOST_TIMES: f64 = 20.0;

/// Keeps the loss of every step, that of the first `minimize` line where a reference has only that.
struct Losses(Vec<f64>);

struct FirstLosses(Vec<f64>);

impl Observer for FirstLosses {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Step(report) = event {
            self.0.extend(report.losses.first());
        }
    }

    fn every(&self) -> Option<u64> {
        Some(1)
    }
}

impl Observer for Losses {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Step(report) = event {
            self.0.push(report.losses.iter().sum());
        }
    }

    fn every(&self) -> Option<u64> {
        Some(1)
    }
}

fn trajectory(path: &Path) -> Outcome {
    let file = safetensors::open(&nnc::NativeWorld, &path.with_extension("safetensors"))
        .map_err(|error| error.message)?;
    let tensor = |name: &str| load(&file, name);
    let program = Program::from_file(path).map_err(|errors| errors.to_string())?;
    program.check_accesses(true);
    let mut session = program.session().map_err(|errors| errors.to_string())?;
    let mut losses = Losses(Vec::new());
    session.train(&mut losses).map_err(|errors| errors.to_string())?;
    let wanted = floats(&tensor("loss")?);
    assert_eq!(losses.0.len(), wanted.len(), "number of steps");
    for (step, (found, wanted)) in losses.0.iter().zip(&wanted).enumerate() {
        let error = (found - wanted).abs();
        assert!(error <= 1e-4 * wanted.abs().max(1e-2), "loss of step {step}: {found}, not {wanted}");
    }
    let mut wrong = String::new();
    for name in file.names().filter(|name| name.starts_with("final.")) {
        let it = name.trim_start_matches("final.");
        let found = session.parameter(it).ok_or_else(|| format!("there is no parameter {it}"))?;
        let (found, wanted) =
            (without_key_bias(it, floats(found)), without_key_bias(it, floats(&tensor(name)?)));
        let (error, largest) = distance(&found, &wanted);
        if error > 1e-3 * largest.max(1e-2) {
            let _ = writeln!(wrong, "{it} is off by {error} of {largest}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let model = &program.checked().models[0];
    let probe = tensor("probe.out")?;
    let rows = probe.shape()[0];
    let mut inputs = Vec::new();
    for (name, _) in &model.inputs {
        inputs.push(first_rows(&tensor(&format!("data.{name}"))?, rows));
    }
    let inputs: Vec<&Array> = inputs.iter().collect();
    let found = session.predict(&model.name, &inputs).map_err(|errors| errors.to_string())?;
    let (error, largest) = distance(&floats(&found[0]), &floats(&probe));
    assert!(error <= 1e-3 * largest, "the output is off by {error} of {largest}");
    Ok(())
}

fn literature(path: &Path) -> Outcome {
    let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a file name")?;
    let text = std::fs::read_to_string(path)?;
    let double = distances(path, &format!("precision = f64\n{text}"))?;
    assert!(
        double.iter().all(|distance| *distance <= 1e-8),
        "in 64 bits: loss, parameters off by {double:?}"
    );
    let table = std::fs::read_to_string(path.with_file_name("float32.csv"))?;
    let row = table.lines().find_map(|row| row.strip_prefix(name)?.strip_prefix(',')).ok_or("no figures")?;
    for (found, theirs) in distances(path, &text)?.iter().zip(row.split(',')) {
        let theirs: f64 = theirs.parse()?;
        assert!(*found <= MOST_TIMES * theirs, "in 32 bits off by {found}, PyTorch by {theirs}");
    }
    Ok(())
}

/// The greatest difference of a loss relative to the loss, and of a parameter relative to its tensor's largest.
fn distances(path: &Path, text: &str) -> datatest_stable::Result<[f64; 2]> {
    let file = safetensors::open(&nnc::NativeWorld, &path.with_extension("safetensors"))
        .map_err(|error| error.message)?;
    let base = path.parent().ok_or("a folder")?.to_path_buf();
    let program = Program::compile(text, &nnc::Options::new().folder(base), &mut |_, _| Default::default())
        .map_err(|errors| errors.to_string())?;
    let mut session = program.session().map_err(|errors| errors.to_string())?;
    let mut losses = FirstLosses(Vec::new());
    session.run(&mut losses).map_err(|errors| errors.to_string())?;
    let wanted = floats(&load(&file, "loss")?);
    assert_eq!(losses.0.len(), wanted.len(), "number of steps");
    let off = |(found, wanted): (&f64, &f64)| (found - wanted).abs() / wanted.abs().max(1e-3);
    let loss = losses.0.iter().zip(&wanted).map(off).fold(0.0, f64::max);
    let prefix = program.checked().models.first().filter(|_| program.checked().models.len() == 1);
    let mut worst: f64 = 0.0;
    for name in file.names().filter_map(|name| name.strip_prefix("final.")) {
        let long = prefix.and_then(|model| name.strip_prefix(&format!("{}.", model.name)));
        let found = session.parameter(name).or_else(|| session.parameter(long?));
        let found = found.ok_or_else(|| format!("there is no parameter {name}"))?;
        let (error, largest) = distance(&floats(found), &floats(&load(&file, &format!("final.{name}"))?));
        worst = worst.max(error / largest.max(1e-2));
    }
    Ok([loss, worst])
}

/// Leaves out the bias of the keys of an attention. It adds the same number to all scores of a row, so the softmax
/// does not change and its gradient is zero but for rounding, which Adam divides by itself.
fn without_key_bias(name: &str, values: Vec<f64>) -> Vec<f64> {
    if !name.ends_with("in_proj_bias") && !name.ends_with("attn_in.bias") {
        return values;
    }
    let third = values.len() / 3;
    values.into_iter().enumerate().filter(|(at, _)| at / third != 1).map(|(_, value)| value).collect()
}

fn operation(path: &Path) -> Outcome {
    let op = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a file name")?.to_string();
    let folder = path.parent().ok_or("a folder")?;
    let file = safetensors::open(&nnc::NativeWorld, &folder.with_extension("safetensors"))
        .map_err(|error| error.message)?;
    let prefix = format!("{op}.in.");
    let names: Vec<String> =
        file.names().filter_map(|name| name.strip_prefix(&prefix)).map(String::from).collect();
    let mut inputs: Vec<(String, Array)> = Vec::new();
    for name in names {
        let array = load(&file, &format!("{prefix}{name}"))?;
        inputs.push((name, array));
    }
    let cotangent = load(&file, &format!("{op}.cot"))?;
    let varied: Vec<String> = inputs
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| file.names().any(|it| it == format!("{op}.grad.{name}")))
        .collect();
    let program = source(&std::fs::read_to_string(path)?, &inputs, &varied, &cotangent);
    let compiled = Program::from_source(&program).map_err(|errors| format!("{program}\n{errors}"))?;
    compiled.check_accesses(true);
    let session = compiled.session().map_err(|errors| errors.to_string())?;
    let given: Vec<&Array> = inputs.iter().map(|(_, array)| array).collect();
    let found = session.predict("Out", &given).map_err(|errors| errors.to_string())?;
    compare(&found[0], &load(&file, &format!("{op}.out"))?, &op);
    let given: Vec<&Array> = given.into_iter().chain([&cotangent]).collect();
    for name in &varied {
        let found = session.predict(&format!("By_{name}"), &given).map_err(|errors| errors.to_string())?;
        compare(&found[0], &load(&file, &format!("{op}.grad.{name}"))?, &format!("{op} by {name}"));
    }
    Ok(())
}

/// The operation as a model, and each of its gradients.
fn source(op: &str, inputs: &[(String, Array)], varied: &[String], cotangent: &Array) -> String {
    let ty = |array: &Array| {
        let elem = if is_int(array) { "int" } else { "" };
        let sizes: Vec<String> = array.shape().iter().map(usize::to_string).collect();
        format!("{elem}[{}]", sizes.join(", "))
    };
    let list: Vec<String> = inputs.iter().map(|(name, array)| format!("{name}: {}", ty(array))).collect();
    let names: Vec<String> = inputs.iter().map(|(name, _)| format!("{name} = {name}")).collect();
    let (list, call) = (list.join(", "), format!("op({})", names.join(", ")));
    let mut text = format!("{op}\nmodel Out({list}) {{ {call} }}\n");
    for name in varied {
        let _ = writeln!(
            text,
            "model By_{name}({list}, cot: {}) {{ grad(sum({call} * cot), {name}) }}",
            ty(cotangent)
        );
    }
    text
}

fn is_int(array: &Array) -> bool {
    matches!(array.elements(), nnc::runtime::array::Elements::I32(_))
}

fn compare(found: &Array, wanted: &Array, what: &str) {
    assert_eq!(found.shape(), wanted.shape(), "shape of {what}");
    let (error, largest) = distance(&floats(found), &floats(wanted));
    assert!(error <= 1e-5 * largest.max(1e-3), "{what} is off by {error} of {largest}");
}

fn load(file: &safetensors::SafeTensors, name: &str) -> Result<Array, String> {
    let stored = file.tensor(name).map_err(|error| error.message)?;
    stored.load().map_err(|error| error.message)
}

fn floats(array: &Array) -> Vec<f64> {
    array.to_f64().to_vec()
}

/// The greatest difference, and the greatest wanted element.
fn distance(found: &[f64], wanted: &[f64]) -> (f64, f64) {
    assert_eq!(found.len(), wanted.len(), "number of elements");
    let worst = found
        .iter()
        .zip(wanted)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) });
    (worst, wanted.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())))
}

fn first_rows(array: &Array, rows: usize) -> Array {
    let mut shape = array.shape().to_vec();
    let count = shape[1..].iter().product::<usize>() * rows;
    shape[0] = rows;
    let elements = array.elements().part(0..count);
    Array::new(shape, elements).expect("fewer rows")
}
