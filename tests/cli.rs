//! The command line as its users see it: output, exit codes, files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Without an `expect`, which needs the whole training.
const XOR: &str = "tests/cases/run/xor.nn";

/// Without parameters.
const FORMULAS: &str = "tests/cases/run/branch_not_taken.nn";

fn nnc(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("nnc starts")
}

fn nnc_on(input: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("nnc starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("nnc reads");
    child.wait_with_output().expect("nnc ends")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

/// A file that is gone when the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Temporary {
        Temporary(std::env::temp_dir().join(format!("nnc_cli_{}_{name}", std::process::id())))
    }
    fn path(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Of options that do something only together with others, beside what excludes these.
#[test]
fn an_option_without_effect_is_refused() {
    let refused: [&[&str]; 5] = [
        &["run", XOR, "--quiet", "--every", "2"],
        &["run", XOR, "--every", "2"],
        &["run", XOR, "--events", "json", "--every", "0"],
        &["run", XOR, "--init", "a.safetensors", "--changed"],
        &["derive", XOR, "--check", "--row", "3"],
    ];
    for arguments in refused {
        let output = nnc(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn run_prints_a_line_an_epoch() {
    let output = nnc(&["run", XOR, "--epochs", "3"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert_eq!(text.lines().filter(|line| line.starts_with("epoch ")).count(), 3, "{text}");
    let quiet = out(&nnc(&["run", XOR, "--epochs", "3", "--quiet"]));
    assert!(!quiet.contains("epoch"), "{quiet}");
}

/// What a program prints is the same whatever made its code, to the last bit that is printed.
#[test]
fn every_back_end_prints_the_same() {
    for program in [XOR, "models/xor.nn", "models/iris.nn"] {
        let usual = nnc(&["run", program, "--quiet"]);
        assert_eq!(code(&usual), 0, "{}", err(&usual));
        let interpreted = nnc(&["run", program, "--quiet", "--backend", "interpreter"]);
        assert_eq!(code(&interpreted), 0, "{}", err(&interpreted));
        assert_eq!(out(&interpreted), out(&usual), "{program}");
    }
    let unknown = nnc(&["run", XOR, "--backend", "abacus"]);
    assert!(code(&unknown) != 0 && err(&unknown).contains("interpreter"), "{}", err(&unknown));
}

#[test]
fn run_writes_events() {
    let output = nnc(&["run", XOR, "--steps", "4", "--events", "json", "--every", "2"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let events: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(names.first(), Some(&"start"));
    assert_eq!(names.iter().filter(|name| **name == "step").count(), 2);
    assert_eq!(names.iter().filter(|name| **name == "epoch").count(), 2);
    assert!(names.contains(&"end"));
    assert_eq!(events[0]["parameters"], 33);
    assert!(events[0]["compile_seconds"].as_f64().is_some());
    let epoch = events.iter().find(|event| event["event"] == "epoch").expect("an epoch");
    assert!(epoch["train"]["loss"].as_f64().is_some() && epoch["train"]["accuracy"].as_f64().is_some());
}

#[test]
fn settings_of_the_command_line_are_checked() {
    let output = nnc(&["run", XOR, "--set", "train.bach=3"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("command line") && err(&output).contains("batch"), "{}", err(&output));
    let output = nnc(&["run", XOR, "--set", "batch=3"]);
    assert_eq!(code(&output), 2);
    let output = nnc(&["run", XOR, "--epochs", "1", "--steps", "1"]);
    assert_eq!(code(&output), 2);
    let output = nnc(&["run", "models/and.nn", "--epochs", "1"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("no `train`"));
}

#[test]
fn options_that_change_nothing_are_refused() {
    let cases: [(&[&str], &str); 14] = [
        (&["run", XOR, "--plots", "/nowhere"], "no `plot`"),
        (&["run", FORMULAS, "--save", "/nowhere/a"], "no parameters"),
        (&["run", FORMULAS, "--init", "/nowhere/a"], "no parameters"),
        (&["run", "models/and.nn", "--resume", "/nowhere/a"], "no `train`"),
        (&["run", "models/and.nn", "--events", "json", "--every", "3"], "no `train`"),
        (&["run", XOR, "--quiet", "--events", "json"], "cannot be used with"),
        (&["run", XOR, "--batch", "2", "--set", "train.batch=3"], "set twice"),
        (&["run", XOR, "--set", "train.seed=2", "--set", "train.seed=3"], "set twice"),
        (&["run", XOR, "--epochs", "2", "--set", "train.steps=3"], "either of them"),
        (&["bench", XOR, "--predict", "2", "--set", "train.batch=3"], "cannot be used with"),
        (&["bench", "models/and.nn", "--set", "train.batch=3"], "no `train`"),
        (&["profile", XOR, "--in-order", "--top", "3"], "cannot be used with"),
        (&["profile", XOR, "--json", "--copies"], "cannot be used with"),
        (&["derive", XOR, "--init", "/nowhere/a"], "required"),
    ];
    for (arguments, message) in cases {
        let output = nnc(arguments);
        assert!(err(&output).contains(message), "{arguments:?}: {}", err(&output));
        assert_eq!(code(&output), 2, "{arguments:?}");
    }
}

#[test]
fn broken_off_and_resumed_is_as_not_broken_off() {
    let (half, whole, rest) = (Temporary::new("half"), Temporary::new("whole"), Temporary::new("rest"));
    let run = |arguments: &[&str]| {
        let output = nnc(&[&["run", XOR, "--quiet", "--set", "train.batch=3"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
    };
    run(&["--steps", "5", "--save", half.path()]);
    run(&["--steps", "12", "--save", whole.path()]);
    run(&["--steps", "12", "--resume", half.path(), "--save", rest.path()]);
    let bytes = |file: &Temporary| std::fs::read(&file.0).expect("it was saved");
    assert!(bytes(&whole) == bytes(&rest));
    assert!(bytes(&whole) != bytes(&half));
    run(&["--steps", "1", "--init", whole.path()]);
    let output =
        nnc(&["run", "models/logistic_regression.nn", "--epochs", "1", "--no-save", "--init", whole.path()]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("E0713"), "{}", err(&output));
    let output = nnc(&["run", XOR, "--resume", "tests/wrong/files/more.safetensors"]);
    assert!(err(&output).contains("E0730") && code(&output) == 1, "{}", err(&output));
}

#[test]
fn an_epoch_that_was_broken_off_is_averaged_as_one() {
    let half = Temporary::new("half_epoch");
    let epoch_losses = |arguments: &[&str]| -> Vec<f64> {
        let output = nnc(&[&["run", XOR, "--set", "train.batch=1", "--events", "json"], arguments].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let events = out(&output).lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>();
        let events = events.expect("an object a line").into_iter();
        events.filter(|event| event["event"] == "epoch").filter_map(|e| e["train"]["loss"].as_f64()).collect()
    };
    let whole = epoch_losses(&["--steps", "12"]);
    // Four steps are an epoch: the second one is broken off in its middle.
    let begun = epoch_losses(&["--steps", "6", "--save", half.path()]);
    let rest = epoch_losses(&["--steps", "12", "--resume", half.path()]);
    assert_eq!((begun[0], &rest[..]), (whole[0], &whole[1..]));
}

#[test]
fn check_gives_diagnostics_as_json() {
    let wrong = "model M(x: [B, 2]) -> [B, 3] { x }\n";
    let output = nnc_on(wrong, &["check", "-", "--json"]);
    assert_eq!(code(&output), 1);
    let first = out(&output).lines().next().map(str::to_owned).expect("a diagnostic");
    let value: Value = serde_json::from_str(&first).expect("an object a line");
    assert!(value["code"].as_str().is_some_and(|code| code.starts_with("E02")), "{value}");
    assert_eq!((value["severity"].as_str(), value["line"].as_u64()), (Some("error"), Some(1)));
    let output = nnc(&["check", XOR]);
    assert_eq!((code(&output), out(&output), err(&output)), (0, String::new(), String::new()));
}

#[test]
fn declared_derivatives_are_compared_with_differences() {
    let output = nnc(&["derive", "tests/cases/run/declared_derivatives.nn", "--check"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let row = |function: &str| {
        let text = out(&output);
        let line = text.lines().find(|line| line.trim_start().starts_with(function));
        line.unwrap_or_else(|| panic!("{function} is missing: {text}")).to_owned()
    };
    let worst =
        |function: &str| row(function).split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok());
    assert!(worst("root").is_some_and(|worst| worst < 1e-6), "{}", row("root"));
    assert!(worst("mixed").is_some_and(|worst| worst < 1e-6), "{}", row("mixed"));
    assert!(worst("halved").is_some_and(|worst| worst > 0.4), "{}", row("halved"));
    assert!(row("rounded").contains("a surrogate"), "{}", row("rounded"));
    // Only what is no surrogate and wrong is told.
    assert_eq!(err(&output).matches("W0715").count(), 1, "{}", err(&output));
    assert!(err(&output).contains("`halved` declares"), "{}", err(&output));
}

#[test]
fn a_missing_file_is_an_error_with_its_likely_name() {
    let output = nnc(&["run", "models/xro.nn"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("E0701") && err(&output).contains("xor.nn"), "{}", err(&output));
}

#[test]
fn explain_tells_about_codes() {
    let output = nnc(&["explain", "e0001"]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).starts_with("E0001: "));
    assert_eq!(code(&nnc(&["explain", "E9999"])), 2);
    assert!(out(&nnc(&["explain"])).lines().count() > 40);
}

#[test]
fn ir_prints_every_stage() {
    for stage in ["ast", "ir", "grad", "opt", "plan", "loops", "clif", "asm", "avx2", "avx512"] {
        let output = nnc(&["ir", XOR, "--stage", stage]);
        assert_eq!(code(&output), 0, "{stage}: {}", err(&output));
        assert!(out(&output).lines().count() > 5, "{stage}");
    }
    assert_eq!(code(&nnc(&["ir", XOR, "--stage", "wasm"])), 2);
}

#[test]
fn summary_counts_parameters() {
    let text = out(&nnc(&["summary", XOR]));
    assert!(text.contains("Linear"), "{text}");
    let total = text.lines().last().unwrap_or_default();
    assert!(total.starts_with("total") && total.contains("33"), "{text}");
}

#[test]
fn fmt_formats_and_checks() {
    let output = nnc_on("model M(x:[B,2])->[B,2]{x}\n", &["fmt", "-"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let formatted = out(&output);
    assert_eq!(out(&nnc_on(&formatted, &["fmt", "-"])), formatted);
    let file = Temporary::new("fmt.nn");
    std::fs::write(Path::new(file.path()), "model M(x:[B,2])->[B,2]{x}\n").expect("a file");
    assert_eq!(code(&nnc(&["fmt", "--check", file.path()])), 1);
    assert_eq!(code(&nnc(&["fmt", file.path()])), 0);
    assert_eq!(code(&nnc(&["fmt", "--check", file.path()])), 0);
}

#[test]
fn wrong_usage_is_told_apart() {
    assert_eq!(code(&nnc(&["rum", XOR])), 2);
    assert_eq!(code(&nnc(&[])), 2);
    assert_eq!(code(&nnc(&["--help"])), 0);
}

/// The alphabet, and how it goes on after one epoch of training.
const ALPHABET: &str = "
data letters = text(\"ALPHABET\") {
    x = window(4)
    y = window(4, shift = 1)
}
model Next(x: int[B, T]) -> [B, T, 26] { one_hot(x, 26) |> Linear(26) }
train {
    data     = letters
    minimize cross_entropy(Next(x), y) with Adam(lr = 0.1)
    epochs   = 100
}
generate Next from \"a\" with greedy, length = 3
";

#[test]
fn generate_goes_on_with_a_text() {
    let text = Temporary::new("alphabet.txt");
    std::fs::write(text.path(), "abcdefghijklmnopqrstuvwxyz").expect("a temporary file");
    let program = Temporary::new("alphabet.nn");
    std::fs::write(program.path(), ALPHABET.replace("ALPHABET", text.path())).expect("a temporary file");
    let saved = Temporary::new("alphabet.safetensors");
    let output = nnc(&["run", program.path(), "--quiet", "--save", saved.path()]);
    assert_eq!((out(&output).as_str(), code(&output)), ("abcd\n", 0), "{}", err(&output));
    let again =
        |options: &[&str]| nnc(&[&["generate", program.path(), "--init", saved.path()], options].concat());
    assert_eq!(out(&again(&[])), "abcd\n");
    assert_eq!(out(&again(&["--prompt", "lm", "--length", "8"])), "lmnopqrstu\n");
    let wrong = again(&["--prompt", "A"]);
    assert_eq!(code(&wrong), 1);
    assert!(err(&wrong).contains("E0716"), "{}", err(&wrong));
    let without = nnc(&["generate", XOR, "--init", saved.path()]);
    assert_eq!(code(&without), 2);
    assert!(err(&without).contains("the program has no `generate`"), "{}", err(&without));
}

/// A number of a report.
fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("`{key}` is a number in {report}"))
}

#[test]
fn bench_measures_a_step() {
    let output = nnc(&["bench", "benches/xor.nn", "--seconds", "0.05", "--threads", "1", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let report: Value = serde_json::from_str(&out(&output)).expect("one JSON object");
    assert!(number(&report, "p10_us") <= number(&report, "step_us"));
    assert!(number(&report, "step_us") <= number(&report, "p90_us"));
    for key in ["p10_us", "compile_ms", "first_step_ms", "gflops", "peak_gflops"] {
        assert!(number(&report, key) > 0.0, "{key}");
    }
    // The first step includes starting a process and compiling.
    assert!(number(&report, "first_step_ms") * 1e3 > number(&report, "step_us"));
    // It learns: the steps are those of training.
    let loss = |key: &str| report[key][0].as_f64().expect("a loss");
    assert!(loss("last_loss") < loss("first_loss"));
    let output = nnc(&["bench", "benches/xor.nn", "--seconds", "0.05", "--set", "train.batch=3"]);
    assert!(out(&output).contains("3 rows a step, 33 parameters"), "{}", out(&output));
}

#[test]
fn profile_names_layers_and_parameters() {
    let output = nnc(&["profile", "benches/iris.nn", "--seconds", "0.05", "--json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let report: Value = serde_json::from_str(&out(&output)).expect("one JSON object");
    let kernels = report["kernels"].as_array().expect("kernels");
    let has = |name: &str, phase: &str| {
        let is = |kernel: &&Value| kernel["kernel"].as_str().is_some_and(|it| it.contains(name));
        kernels.iter().filter(is).any(|kernel| kernel["phase"] == phase)
    };
    assert!(has("linear1", "forward") && has("cross_entropy", "forward"), "{report}");
    assert!(has("linear2.weight", "backward") || has("linear2.weight", "update"), "{report}");
    let flop: f64 = kernels.iter().map(|kernel| number(kernel, "flop")).sum();
    let products = 2.0 * 16.0 * (4.0 * 16.0 * 2.0 + 16.0 * 3.0 * 3.0);
    assert!(flop >= products, "{flop} of {products}");
}

#[test]
fn without_a_train_there_is_nothing_to_measure() {
    for command in ["bench", "profile"] {
        let output = nnc_on("print 1\n", &[command, "-"]);
        assert_eq!(code(&output), 2);
        assert!(err(&output).contains("no `train`"), "{}", err(&output));
    }
}

#[test]
fn plots_are_sketched_and_drawn() {
    let folder = Temporary::new("plots");
    let program = "plot [1, 2, 4], [1, 0, 1], title = \"a valley\"\n";
    let output = nnc_on(program, &["run", "-", "--plots", folder.path()]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).starts_with("a valley\n  1 ┤•"), "{}", out(&output));
    let file = Path::new(folder.path()).join("plot-1.svg");
    assert!(std::fs::read_to_string(&file).expect("it was drawn").contains("a valley"));
    std::fs::remove_dir_all(folder.path()).expect("a folder");
    let output = nnc_on(program, &["run", "-", "--plots", XOR]);
    assert!(code(&output) == 1 && err(&output).contains("E0714"), "{}", err(&output));
}

#[test]
fn doc_shows_the_library_and_programs() {
    let all = out(&nnc(&["doc"]));
    assert!(all.lines().count() > 150 && all.contains("layer Linear(out, bias = true"), "{all}");
    let one = out(&nnc(&["doc", "relu"]));
    assert!(one.contains("activation relu"), "{one}");
    let output = nnc(&["doc", "Linaer"]);
    assert!(code(&output) == 2 && err(&output).contains("there is `Linear`"), "{}", err(&output));
    let it = nnc_on("## Half of it.\nfn half(x) = x / 2\n", &["doc", "--file", "-"]);
    assert_eq!(out(&it), "standard input\n  fn half(x)\n      Half of it.\n");
}

#[test]
fn training_is_exported_as_c_alone() {
    let output = nnc(&["export", XOR, "--object", "build", "--train"]);
    assert_eq!(code(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("`--train` goes with `--c FOLDER`"), "{}", err(&output));
}
