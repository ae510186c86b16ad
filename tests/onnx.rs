//! Models as ONNX: the bytes read back, and the numbers are those of the interpreter in onnxruntime.

#[path = "support/models.rs"]
mod models;
#[path = "support/text.rs"]
mod snapshot;
#[path = "support/onnx.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use nnc::ir::interpret::{Data, Tensor};
use support::{expected, inputs, listing};

/// The programs of the repository of which models are exported.
fn programs() -> Vec<std::path::PathBuf> {
    let mut paths = Vec::new();
    for folder in ["models", "models/literature", "tests/exported", "tests/onnx"] {
        for entry in std::fs::read_dir(folder).expect("the programs") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "nn") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
}

fn json(name: &str, tensor: &Tensor<f64>, is_double: bool) -> serde_json::Value {
    let (ty, data) = match &tensor.data {
        Data::Float(values) => {
            let number = |value: &f64| match value.is_finite() {
                true => serde_json::json!(value),
                false => serde_json::json!(value.to_string()),
            };
            (if is_double { "float64" } else { "float32" }, values.iter().map(number).collect())
        }
        Data::Int(values) => ("int64", values.iter().map(|value| serde_json::json!(value)).collect()),
        Data::Bool(values) => {
            ("bool", values.iter().map(|value| serde_json::json!(value)).collect::<Vec<_>>())
        }
    };
    serde_json::json!({ "name": name, "type": ty, "shape": tensor.shape, "data": data })
}

/// Every model in `onnx.checker` and onnxruntime, by `tests/onnx/check.py`. `NNC_PYTHON` names a Python that has both;
/// `NNC_ONNX` is a part of the names of programs.
#[test]
#[ignore = "needs a Python with onnx and onnxruntime; `.ci/onnx` runs it"]
fn onnxruntime_gives_the_numbers_of_the_interpreter() {
    let python = std::env::var("NNC_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let wanted = std::env::var("NNC_ONNX").unwrap_or_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let (mut refused, mut count) = (Vec::new(), 0);
    for path in programs().into_iter().filter(|path| path.to_string_lossy().contains(&wanted)) {
        let text = std::fs::read_to_string(&path).expect("a program");
        for (called, deployed) in models::deployed(&text, &path) {
            let file = match nnc::export::onnx::write(&deployed) {
                Ok(file) => file,
                Err(errors) => {
                    refused.push(format!("{called}: {}", errors.list[0].message));
                    continue;
                }
            };
            let Some(expected) = expected(&deployed, 3) else { continue };
            let is_double = deployed.preparation.is_some()
                || deployed.program.checked().precision == nnc::ir::program::Precision::F64;
            let given = inputs(&file.bytes).into_iter().zip(&expected.inputs);
            let given: Vec<_> = given.map(|(name, tensor)| json(&name, tensor, is_double)).collect();
            let results: Vec<_> = expected.results.iter().map(|tensor| json("", tensor, is_double)).collect();
            let both = serde_json::json!({ "inputs": given, "results": results });
            std::fs::write(folder.join(format!("{called}.onnx")), &file.bytes).expect("room on the disk");
            std::fs::write(folder.join(format!("{called}.json")), both.to_string())
                .expect("room on the disk");
            count += 1;
        }
    }
    refused.iter().for_each(|line| eprintln!("no ONNX: {line}"));
    let status = Command::new(python).arg("tests/onnx/check.py").arg(&folder).status().expect("a Python");
    assert!(status.success(), "{count} models");
    assert!(count >= 40 || !wanted.is_empty(), "{count} models were exported");
}

/// The structure of small models, one of each kind.
#[test]
fn files_read_back() {
    for name in ["mlp", "image", "recurrent", "cells", "prepared"] {
        let path = format!("tests/onnx/{name}.nn");
        let text = std::fs::read_to_string(&path).expect("a program");
        let all = models::deployed(&text, Path::new(&path));
        let (_, deployed) = all.first().expect("a model");
        let file = nnc::export::onnx::write(deployed).unwrap_or_else(|errors| panic!("{errors}"));
        snapshot::check_text("onnx", Path::new(&path), &listing(&file.bytes));
    }
}

/// What ONNX has no operators for is an error that says what it is and where.
#[test]
fn random_numbers_are_refused() {
    let text = "layer Noise()(x: [B, 2]) { x + uniform(0, 1, like = x) }\nmodel Net(x: [B, 2]) -> [B, 2] = x |> Noise()";
    let all = models::deployed(text, Path::new("tests/onnx/noise.nn"));
    let (_, deployed) = all.first().expect("a model");
    let error = nnc::export::onnx::write(deployed).err().expect("an error");
    assert_eq!(error.list[0].code, "E0870", "{error}");
    assert!(
        error.list[0].message.contains("`noise1` of `Net`") && error.to_string().contains("uniform"),
        "{error}"
    );
}
