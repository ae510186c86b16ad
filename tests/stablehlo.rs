//! `nnc export --stablehlo`: what is written. `.ci/stablehlo` lets XLA carry it out and compares losses.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use nnc::Span;
use nnc::export::stablehlo;
use nnc::ir::program::Precision;
use nnc::ir::text::parse;
use nnc::runtime::train::portable::Portable;

fn exported(model: &str, options: &[&str]) -> (String, serde_json::Value, PathBuf) {
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

fn ports(manifest: &serde_json::Value, which: &str) -> Vec<String> {
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
        inputs: nnc::runtime::train::portable::inputs_of(&step),
        step,
        variables: Vec::new(),
        starts: Vec::new(),
        columns: Vec::new(),
        batches: Vec::new(),
        models: vec![(Arc::from("none"), nnc::ir::Graph::new())],
    };
    let error = stablehlo::write(&portable, None).err().expect("it cannot be written");
    assert_eq!(error.code, "E0936");
}
