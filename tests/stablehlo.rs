//! `nnc export --stablehlo`: what is written. `.ci/stablehlo` lets XLA carry it out, and compares losses and predictions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use nnc::base::philox::Draw;
use nnc::export::stablehlo;
use nnc::ir::interpret::{Feed, Tensor, evaluate};
use nnc::ir::program::Precision;
use nnc::ir::text::parse;
use nnc::ir::{Elem, Graph, InputKey, Type};
use nnc::runtime::train::portable::{Portable, inputs_of};
use nnc::{Elements, Options, Span, Tensor as Array};
use serde_json::{Value, json};

fn exported(model: &str, options: &[&str]) -> (String, Value, PathBuf) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("stablehlo-{model}-{}", options.len()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command
        .arg("export")
        .arg(root.join(format!("models/{model}.nn")))
        .arg("--stablehlo")
        .arg(&folder)
        .args(options);
    let output = command.output().expect("the command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(folder.join("step.mlir")).expect("a step");
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    (text, serde_json::from_str(&manifest).expect("JSON"), folder)
}

fn ports(manifest: &Value, which: &str) -> Vec<String> {
    let ports = manifest[which].as_array().expect("a list").iter();
    ports
        .map(|port| {
            format!("{} {}", port["role"].as_str().unwrap_or(""), port["name"].as_str().unwrap_or(""))
        })
        .collect()
}

#[test]
fn a_step_takes_and_gives_what_its_manifest_says() {
    let (text, manifest, folder) = exported("xor", &[]);
    let arguments = ports(&manifest, "arguments");
    let results = ports(&manifest, "results");
    let signature = text.lines().find(|line| line.contains("func.func public @main")).expect("a function");
    let (takes, gives) = signature.split_once(" -> ").expect("results");
    assert_eq!(takes.matches("%arg").count(), arguments.len());
    assert_eq!(gives.matches("tensor<").count(), results.len());
    let kept =
        arguments.iter().filter(|port| port.starts_with("param ") || port.starts_with("state ")).count();
    assert!(kept >= 4 && arguments[..kept] == results[..kept], "{arguments:?} {results:?}");
    assert!(arguments[kept..].iter().any(|port| port.starts_with("field ")));
    assert!(results[kept..].iter().any(|port| port.starts_with("loss ")));
    // The products of the layers are products, not sums of products.
    assert!(text.contains("stablehlo.dot_general"));
    for file in ["start.safetensors", "batches.safetensors", "Xor.mlir"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
}

#[test]
fn rows_are_divided_among_a_mesh() {
    let (text, manifest, _) = exported("iris", &["--mesh", "2"]);
    assert!(text.contains("sdy.mesh @mesh = <[\"rows\"=2]>") && text.contains("mhlo.num_partitions = 2"));
    assert!(text.contains("#sdy.sharding<@mesh, [{\"rows\"}, {}]>"));
    assert_eq!(manifest["mesh"], 2);
}

/// The place of the greatest among elements that several points of a loop write to computed places.
#[test]
fn what_cannot_be_said_is_an_error() {
    let text = "%0 = input \"x\" : [4]\n%1 = input \"at\" : int[4]\n\
        %2 = loop i0 < 4 : [%1[i0]] argmax= %0[i0] : int[3]\nout \"y\" = %2\n";
    let step = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let portable = Portable {
        span: Span::default(),
        precision: Precision::F32,
        seed: 0,
        batch: 4,
        inputs: inputs_of(&step),
        step,
        variables: Vec::new(),
        starts: Vec::new(),
        columns: Vec::new(),
        batches: Vec::new(),
        models: vec![(Arc::from("none"), Graph::new())],
    };
    let error = stablehlo::write(&portable, None).err().expect("it cannot be written");
    assert_eq!(error.code, "E0936");
}

/// Some value of a type: floats of both signs, ints that any table has a row for.
fn some_value(ty: &Type, stream: u32) -> Tensor<f64> {
    let shape = ty.static_shape().expect("a size that is known");
    let count = shape.iter().product();
    let draw = Draw { seed: 7, stream, step: 0, scan_step: 0 };
    let number = |at: usize| f64::from(draw.uniform_f32(at as u64)) * 2.0 - 1.0;
    match ty.elem {
        Elem::Float => Tensor::floats(shape, (0..count).map(number).collect()),
        Elem::Int => Tensor::ints(shape, (0..count).map(|at| i64::from(number(at) > 0.0)).collect()),
        Elem::Bool => Tensor::bools(shape, (0..count).map(|at| number(at) > 0.0).collect()),
    }
}

/// A parameter or a state for the interpreter.
fn tensor_of(array: &Array) -> Tensor<f64> {
    let shape = array.shape().to_vec();
    match array.elements() {
        Elements::F32(values) => {
            Tensor::floats(shape, values.iter().map(|value| f64::from(*value)).collect())
        }
        Elements::F64(values) => Tensor::floats(shape, values.clone()),
        Elements::I32(values) => Tensor::ints(shape, values.iter().map(|value| i64::from(*value)).collect()),
        Elements::I64(values) => Tensor::ints(shape, values.clone()),
        Elements::Bool(values) => Tensor::bools(shape, values.clone()),
        other => panic!("a state is {other:?}"),
    }
}

/// What a model's module is to be given and to give, as the reference interpreter says.
fn case_of(portable: &Portable, model: &Graph) -> Value {
    let mut feed = Feed { seed: portable.seed, step: 1, ..Feed::default() };
    let mut given = Vec::new();
    let shown = |tensor: &Tensor<f64>| {
        let elem = tensor.data.elem().to_string();
        json!({ "type": elem, "shape": tensor.shape, "values": tensor.to_f64() })
    };
    for ((path, ..), (_, start)) in portable.variables.iter().zip(&portable.starts) {
        if path.contains(':') {
            continue;
        }
        let tensor = tensor_of(start);
        given.push(shown(&tensor));
        feed.variables.insert(Arc::clone(path), tensor);
    }
    let mut inputs: BTreeMap<InputKey, Tensor<f64>> = BTreeMap::new();
    for (number, (key, ty)) in inputs_of(model).into_iter().enumerate() {
        let tensor = some_value(&ty, number as u32);
        given.push(shown(&tensor));
        inputs.insert(key, tensor);
    }
    feed.inputs = inputs;
    let made = evaluate(model, &feed).unwrap_or_else(|error| panic!("{error:?}"));
    let results: Vec<Value> = model.outputs.iter().map(|output| shown(&made[&output.name])).collect();
    json!({ "arguments": given, "results": results })
}

/// `PYTHON=… cargo test --release --test stablehlo -- --ignored --nocapture`, with a Python that has jax.
#[test]
#[ignore = "wants jax"]
fn predictions_are_those_of_the_interpreter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("predictions");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder");
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut count = 0;
    for place in ["models", "tests/stablehlo"] {
        let entries = std::fs::read_dir(root.join(place)).expect("programs").flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "nn")) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if !stem.contains(&only) {
                continue;
            }
            let text = std::fs::read_to_string(path).expect("a program");
            let options = Options::new().folder(root.join(place));
            let program = nnc::compile_with(&text, &options).unwrap_or_else(|errors| panic!("{errors}"));
            let mut session = program.session().unwrap_or_else(|errors| panic!("{errors}"));
            let portable = Portable::of(&mut session, 1).unwrap_or_else(|errors| panic!("{errors}"));
            let Some(portable) = portable else { continue };
            let files =
                stablehlo::write(&portable, None).unwrap_or_else(|error| panic!("{stem}: {}", error.message));
            for (name, text) in files.predictions {
                let model = portable.models.iter().find(|(model, _)| *model == name).expect("the model");
                let case = case_of(&portable, &model.1);
                std::fs::write(folder.join(format!("{stem}-{name}.mlir")), text).expect("room");
                std::fs::write(folder.join(format!("{stem}-{name}.json")), case.to_string()).expect("room");
                count += 1;
            }
        }
    }
    assert!(count > 0);
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let status = Command::new(python).arg(root.join("tests/stablehlo/predict.py")).arg(&folder).status();
    assert!(status.expect("Python").success());
}
