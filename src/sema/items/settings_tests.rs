//! Every setting of every item with run-time values in its place: each is refused, none stops the compiler.

use crate::base::{Diagnostic, SourceMap};
use crate::sema::settings::{COLUMNS, GENERATE, PLOT, SOURCES, TRAIN, Takes};
use crate::sema::{Checked, NoImports, check};
use crate::syntax;

/// Where the value under test stands.
const HOLE: &str = "HOLE";

/// Values that are known at run time only, or mean nothing.
const RUN_TIME: [&str; 16] = [
    "zeros([1])",
    "tanh([4.0])[0]",
    "[1.0] @ [1.0]",
    "2 @ 2",
    "[[1.0]].T",
    "sum[i < 3](i)",
    "sum[i < 3](1.0)",
    "known.x[0]",
    "known.x[0:2]",
    "mean(known.x)",
    "Net(known.x)[0, 0]",
    "Net.linear1.bias[0]",
    "normal(0, 1, shape = [])",
    "TENSOR",
    "argmax([1.0, 2.0])",
    "grad(TENSOR, TENSOR)",
];

/// The places of a program in which a value must be known at compile time. What is written in `[…]` in front is the
/// item and its setting, as the tables of the compiler call them.
fn places() -> Vec<(String, String)> {
    let mut places = Vec::new();
    let mut add = |name: &str, text: &str| places.push((name.to_string(), text.to_string()));
    for setting in TRAIN.names() {
        let mut lines = vec!["minimize mean(Net(x)) with SGD(lr = 0.1)".to_string()];
        if setting != "data" {
            lines.push("data = known".to_string());
        }
        if !matches!(setting, "steps" | "epochs") {
            lines.push("epochs = 1".to_string());
        }
        lines.push(format!("{setting} = {HOLE}"));
        add(&format!("train {setting}"), &format!("train {{\n{}\n}}", lines.join("\n")));
    }
    add(
        "train stop = patience",
        "train {\ndata = known\nminimize mean(Net(x)) with SGD(lr = 0.1)\nepochs = 1\nstop = patience(HOLE)\n}",
    );
    for name in ["clip_norm", "clip_value"] {
        add(
            &format!("minimize {name}"),
            &format!(
                "train {{\ndata = known\nminimize mean(Net(x)) with SGD(lr = 0.1), {name} = {HOLE}\nsteps = 1\n}}"
            ),
        );
    }
    for option in GENERATE.names() {
        let length = if option == "length" { "" } else { ", length = 3" };
        add(
            &format!("generate {option}"),
            &format!("generate Writer from \"a\" with greedy{length}, {option} = {HOLE}"),
        );
    }
    add("generate model", "generate HOLE from \"a\" with greedy, length = 3");
    add("generate prompt", "generate Writer from HOLE with greedy, length = 3");
    for source in SOURCES {
        let name = source.name;
        add(&format!("{name} file"), &format!("data d = {name}(HOLE) {{\nx: [2] = 1\n}}"));
        for option in &source.parameters[source.named_only..] {
            add(
                &format!("{name} {}", option.name),
                &format!("data d = {name}(\"a\", {} = {HOLE}) {{\nx: [2] = 1\n}}", option.name),
            );
        }
    }
    for reader in COLUMNS {
        let source = match reader.name {
            "column" | "columns" | "fill" | "is_missing" | "standardize" | "date" | "category" | "words" | "characters" | "pairs" => "csv",
            "window" if reader.parameters[0].name == "values" => "csv",
            "window" => "text",
            "tensor" => "npz",
            _ => "images",
        };
        for parameter in reader.parameters.iter().filter(|cx| !matches!(cx.takes, Takes::Expression | Takes::Filling)) {
            let needed = reader.example();
            let (before, needed) = needed.split_once('(').expect("a call");
            let rest = needed.trim_end_matches(')');
            let arguments = match parameter.name {
                name if rest.is_empty() || reader.parameters[0].name == name => format!("{name} = {HOLE}"),
                name => format!("{rest}, {name} = {HOLE}"),
            };
            add(
                &format!("{} {}", reader.name, parameter.name),
                &format!("data d = {source}(\"a\") {{\nx: class(2) = {before}({arguments})\n}}"),
            );
        }
    }
    add("data rows", "data d {\nrows = HOLE\nx: [1] = 1\n}");
    add("data seed", "data d {\nrows = 4\nseed = HOLE\nx: [1] = 1\n}");
    add("data split", "data d {\nrows = 4\nx: [1] = 1\nsplit a = HOLE, b = 0.5\n}");
    add("data in_order", "data d {\nrows = 4\nx: [1] = 1\nsplit a = 0.5, b = 0.5, in_order = HOLE\n}");
    add("data stride", "data d {\nrows = 4\nx: [1] = window(1, 1)\nwindows stride = HOLE\n}");
    add("field type", "data d {\nrows = 4\nx: [HOLE] = 1\n}");
    add("field class", "data d {\nrows = 4\nx: class(HOLE) = 1\n}");
    add("columns", "data d = csv(\"a.csv\") {\nx = columns(0:HOLE)\n}");
    // More than a name: a name alone is bound by the argument.
    add("model type", "model Other(x: [B, HOLE + 1]) = x");
    add("model result", "model Other(x: [B, 2]) -> [B, HOLE] { x }");
    add("model class", "model Other(x: class(HOLE)[B]) { one_hot(x, 3) }");
    add("constant type", "const c: [HOLE] = 1");
    for option in PLOT.settings {
        let kind = match option.name {
            "kind" => "",
            "bins" => ", kind = \"histogram\"",
            _ => ", kind = \"bars\"",
        };
        add(&format!("plot {}", option.name), &format!("plot [1.0, 2.0]{kind}, {} = {HOLE}", option.name));
    }
    places
}

/// What the programs under test have in common.
const AROUND: &str = "
const TENSOR = tanh([1.0])[0]
data known {
    rows = 4
    x: [1] = uniform(0, 1)
}
data plays = text(\"plays.txt\") {
    x = window(8)
}
model Net(x: [B, 1]) -> [B, 1] { x |> Linear(1) }
model Writer(x: int[B, 4]) -> [B, 4, 3] { one_hot(x, 3) |> Linear(3) }
";

fn checked(text: &str) -> (bool, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("test.nn", text);
    let (tree, mut errors) = syntax::parse(file, text);
    let Checked { diagnostics, .. } = check(&mut sources, tree, &mut NoImports);
    errors.extend(diagnostics);
    (!errors.iter().any(Diagnostic::is_error), errors)
}

#[test]
fn no_setting_takes_what_is_known_at_run_time_only() {
    let mut accepted = Vec::new();
    for (place, text) in places() {
        for value in RUN_TIME {
            let (fits, errors) = checked(&format!("{AROUND}\n{}", text.replace(HOLE, value)));
            if fits || !errors.iter().any(Diagnostic::is_error) {
                accepted.push(format!("{place} = {value}"));
            }
        }
    }
    assert!(accepted.is_empty(), "accepted: {accepted:#?}");
}

/// What is known at compile time serves a setting, also where it is asked of a tensor.
#[test]
fn a_setting_may_ask_a_tensor_for_its_shape() {
    let text = "train {\ndata = known\nminimize mean(Net(x)) with SGD(lr = 0.1)\nbatch = shape(zeros([2, 3]))[0]\n\
                steps = shape(zeros([5]))[0]\n}";
    let (fits, errors) = checked(&format!("{text}\n{AROUND}"));
    assert!(fits, "{errors:#?}");
}
