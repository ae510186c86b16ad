//! Bodies elaborated without data or training.

use crate::sema::value::Given;
use crate::sema::scope::report::Report;
use crate::sema::scope::context::{ItemContext, Mode};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::{Modules, NoImports};
use super::value::Value;
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::interpret::{Data, Feed, evaluate};
use crate::ir::{Dim, Elem, Graph, InputKey, Op, Type};
use crate::syntax;
use crate::syntax::ast::ItemKind;

/// Shapes as texts: sizes are numbers, anything else is a symbolic dimension.
fn ty(shape: &[&str]) -> Type {
    let dim = |text: &&str| text.parse::<i64>().map_or_else(|_| Dim::symbol(*text), Dim::number);
    Type::new(Elem::Float, shape.iter().map(dim).collect())
}

pub(in crate::sema) const TRAINING: Mode = Mode::Training;

/// Elaborates `body` in a new graph, with the items of a text known; what it made, and all that was reported.
pub(in crate::sema) fn elaborated<T>(
    text: &str,
    mode: Mode,
    body: impl FnOnce(&mut Elaborator<'_>) -> T,
) -> (Graph, T, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("test.nn", text);
    let (tree, errors) = syntax::parse(file, text);
    let mut reports: Vec<Report> = errors.into_iter().map(Report::from).collect();
    let modules = Modules::load(&mut sources, tree, &mut NoImports, &mut reports);
    let mut e = Elaborator::new(&sources, modules);
    e.reports = reports;
    let item = if mode == Mode::Training { ItemContext::training(1) } else { ItemContext::file() };
    let (graph, made) = e.in_item(item, |e| e.in_new_graph(body));
    let reports = std::mem::take(&mut e.reports);
    (graph, made, reports.into_iter().map(|report| report.diagnostic).collect())
}

/// Elaborates the call of an item with inputs of these types, and all `print` items; what the call gives.
fn run(text: &str, call: Option<(&str, &[Type])>) -> (String, Vec<Diagnostic>, Graph) {
    let (graph, shown, diagnostics) = elaborated(text, TRAINING, |e| {
        let mut shown = Vec::new();
        if let Some((name, types)) = call {
            let given = types
                .iter()
                .enumerate()
                .map(|(at, ty)| {
                    let node = e
                        .graph_mut()
                        .add(Op::Input { name: InputKey::field(at.to_string()), ty: ty.clone() }, vec![]);
                    Given {
                        name: None,
                        value: Value::Tensor(e.tensor(node, Span::NONE)),
                        span: Span::NONE,
                    }
                })
                .collect();
            let function = e.name(&name.into(), Span::NONE);
            let value = e.call(function, Span::NONE, given, Span::NONE, None, None);
            shown.push(value.show());
        }
        let items = e.modules.main().map(|main| main.items.clone()).unwrap_or_default();
        for item in items {
            if let ItemKind::Print(print) = &item.item.kind {
                for value in &print.values {
                    shown.push(e.expr(value, None).show());
                }
            }
        }
        shown.join(" ")
    });
    (shown, diagnostics, graph)
}

/// The values of all `print` items, by the interpreter in 64 bits, rounded to six places.
fn values(text: &str) -> String {
    let evaluation = Mode::Evaluation;
    let (graph, count, diagnostics) = elaborated(text, evaluation, |e| {
        let items = e.modules.main().map(|main| main.items.clone()).unwrap_or_default();
        let mut count = 0;
        for item in items {
            let ItemKind::Print(print) = &item.item.kind else { continue };
            for value in &print.values {
                let value = e.expr(value, None);
                if let Some(tensor) = e.to_tensor(&value, Span::NONE) {
                    e.graph_mut().output(count.to_string(), tensor.node);
                    count += 1;
                }
            }
        }
        count
    });
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let found = evaluate::<f64>(&graph, &Feed { step: 1, ..Feed::default() }).expect("a value");
    let show = |at: usize| {
        let tensor = &found[&at.to_string().into()];
        let numbers: Vec<String> = match &tensor.data {
            Data::Float(values) => {
                values.iter().map(|value| ((value * 1e6).round() / 1e6).to_string()).collect()
            }
            Data::Int(values) => values.iter().map(|value| value.to_string()).collect(),
            Data::Bool(values) => values.iter().map(|value| value.to_string()).collect(),
        };
        format!("{:?} {}", tensor.shape, numbers.join(" "))
    };
    (0..count).map(show).collect::<Vec<_>>().join("; ")
}

fn shown(text: &str) -> String {
    let (shown, diagnostics, _) = run(text, None);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    shown
}

fn called(text: &str, name: &str, types: &[Type]) -> String {
    let (shown, diagnostics, _) = run(text, Some((name, types)));
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    shown
}

/// The codes of all errors.
fn codes(text: &str, call: Option<(&str, &[Type])>) -> Vec<&'static str> {
    let (_, diagnostics, _) = run(text, call);
    let mut codes: Vec<&'static str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    for code in &codes {
        assert!(crate::base::codes::find(code).is_some(), "{code} is not in the table");
    }
    codes.sort_unstable();
    codes
}

#[test]
fn compile_time_arithmetic() {
    assert_eq!(shown("print 1 + 2 * 3"), "7");
    assert_eq!(shown("print 7 / 2, 6 / 2, floor(7 / 2), -2^2"), "3.5 3 3 -4");
    assert_eq!(shown("const n = 3\nprint n * n, \"{n} and {n + 1}\""), "9 3 and 4");
    assert_eq!(shown("print if 1 < 2 then 5 else 6"), "5");
    assert_eq!(shown("print kind(none), kind([1]), kind(2.0)"), "none list float");
    assert_eq!(shown("print prod([2, 3, 4]), max(2, 5), [1, 2, 3][-1]"), "24 5 3");
}

#[test]
fn whole_tensors() {
    assert_eq!(shown("print zeros([2, 3]) + [1, 2, 3]"), "[2, 3]");
    assert_eq!(shown("print sum(zeros([2, 3]), axis = 1, keep = true)"), "[2, _]");
    assert_eq!(shown("print zeros([2, 3]) @ zeros([3, 4])"), "[2, 4]");
    assert_eq!(shown("print zeros([2, 3]).T[0:2, new, -1]"), "[2, _]");
    assert_eq!(shown("print argmax(zeros([2, 3]), axis = -1) == [0, 1]"), "bool[2]");
    assert_eq!(shown("print reshape(arange(6), [2, 3])"), "int[2, 3]");
    assert_eq!(shown("print concat([zeros([2, 3]), ones([4, 3])])"), "[6, 3]");
    assert_eq!(shown("print softmax(zeros([2, 3])), sigmoid([1, 2])"), "[2, 3] [2]");
}

const XOR: &str = "model Xor(x: [B, 2]) -> [B, 1] {
    x |> Linear(8) |> tanh |> Linear(1)
}
";

#[test]
fn layers() {
    assert_eq!(called(XOR, "Xor", &[ty(&["batch", "2"])]), "[batch, 1]");
    let (_, _, graph) = run(XOR, Some(("Xor", &[ty(&["batch", "2"])])));
    let params: Vec<String> = graph
        .nodes()
        .filter_map(|(_, node)| match &node.op {
            Op::Param { path, ty } => Some(format!("{path}: {ty}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        params,
        ["linear1.weight: [8, 2]", "linear1.bias: [8]", "linear2.weight: [1, 8]", "linear2.bias: [1]"]
    );
}

#[test]
fn every_layer_of_the_library_has_a_shape() {
    let of = |body: &str, shape: &[&str]| called(&format!("model M(x) = x |> {body}"), "M", &[ty(shape)]);
    assert_eq!(of("LayerNorm()", &["B", "4"]), "[B, 4]");
    assert_eq!(of("BatchNorm1d()", &["B", "4"]), "[B, 4]");
    assert_eq!(of("BatchNorm2d()", &["B", "4", "5", "6"]), "[B, 4, 5, 6]");
    assert_eq!(of("GroupNorm(2)", &["B", "4", "5", "6"]), "[B, 4, 5, 6]");
    assert_eq!(of("Dropout(0.5)", &["B", "4"]), "[B, 4]");
    assert_eq!(of("Flatten()", &["B", "4", "5"]), "[B, 20]");
    assert_eq!(of("repeat(3, Linear(4))", &["B", "4"]), "[B, 4]");
}

#[test]
fn losses_are_scalars() {
    let two = [ty(&["batch", "3"]), ty(&["batch", "3"])];
    for loss in ["mse", "binary_cross_entropy", "huber", "l1", "hinge", "half_squared_error"] {
        assert_eq!(
            called("", loss, &two),
            "a run-time float scalar".replace("a run-time float scalar", "[]"),
            "{loss}"
        );
    }
}

#[test]
fn wrong_programs() {
    assert_eq!(codes("print foo", None), ["E0101"]);
    assert_eq!(codes("print zeros([2, 3]) + zeros([2])", None), ["E0203"]);
    assert_eq!(codes("print zeros([2, 3]) @ zeros([2, 3])", None), ["E0204"]);
    assert_eq!(codes("fn f(x) = f(x)\nprint f(1)", None), ["E0110"]);
    assert_eq!(codes("fn f(x) = g(x)\nfn g(x) = f(x)\nprint f(1)", None), ["E0110"]);
    assert_eq!(codes("const a = b\nconst b = a\nprint a", None), ["E0110"]);
    assert_eq!(codes("print zeros([2])[2]", None), ["E0210"]);
    assert_eq!(codes("print tanh(1, 2), tanh(), tanh(y = 1)", None), ["E0106", "E0106", "E0107"]);
    assert_eq!(codes("activation a(x) = sum(x)\nprint a([1, 2])", None), ["E0111"]);
    assert_eq!(codes("loss a(x) = x\nprint a([1, 2])", None), ["E0112"]);
    assert_eq!(codes("print uniform(0, 1)", None), ["E0216"]);
    let wide = [ty(&["batch", "3"])];
    assert_eq!(codes(XOR, Some(("Xor", &wide))), ["E0202"]);
    let model = |body: &str| format!("model M(x: [B, n]) {{ {body} }}");
    assert_eq!(codes(&model("x |> LayerNorm"), Some(("M", &wide))), ["E0119"]);
    assert_eq!(codes(&model("x |> repeat(1000000000, Linear(3))"), Some(("M", &wide))), ["E0122"]);
    assert_eq!(codes("layer A()(x) { x |> A() }\nmodel M(x) { x |> A() }", Some(("M", &wide))), ["E0110"]);
    assert_eq!(codes("model M(x) = M(x)", Some(("M", &wide))), ["E0110"]);
}

#[test]
fn endless_loops_end() {
    let wide = [ty(&["batch", "3"])];
    let text = "model M(x) {\n    y = x\n    for l in 0..1000000000 {\n        y = y + l\n    }\n    y\n}";
    assert_eq!(codes(text, Some(("M", &wide))), ["E0122"]);
}

/// A file's errors as lines `line:column code message | label`.
fn report(name: &str, text: &str) -> Vec<String> {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let (tree, mut diagnostics) = syntax::parse(file, text);
    let checked = super::check(&mut sources, tree, &mut NoImports);
    diagnostics.extend(checked.diagnostics);
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.primary_span().map(|span| {
                (sources.file(span.file).name.clone(), sources.line_column(span.file, span.start))
            });
            let labels: Vec<&str> = diagnostic.labels.iter().map(|label| label.message.as_str()).collect();
            format!("{place:?} {} {} | {}", diagnostic.code, diagnostic.message, labels.join(" | "))
        })
        .collect()
}

#[test]
fn every_program_in_models_is_correct() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder models/") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "nn") {
            let text = std::fs::read_to_string(&path).expect("a text");
            wrong.extend(report(&path.display().to_string(), &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers() {
    let head = "const a = [[1, 2, 3], [4, 5, 6]]\nconst b = [0.5, -1, 2]\n";
    let of = |expr: &str| values(&format!("{head}print {expr}"));
    assert_eq!(of("a + b"), "[2, 3] 1.5 1 5 4.5 4 8");
    assert_eq!(of("a @ b"), "[2] 4.5 9");
    assert_eq!(of("a.T[1:, 0]"), "[2] 2 3");
    assert_eq!(of("a[1, -1], a[:, new, 0], a[..., 2]"), "[] 6; [2, 1] 1 4; [2] 3 6");
    assert_eq!(
        of("sum(a, axis = 0), mean(a), max(a, axis = -1, keep = true)"),
        "[3] 5 7 9; [] 3.5; [2, 1] 3 6"
    );
    assert_eq!(
        of("argmax(b), argmin(b), prod(b), any(b > 1), all(b > 1)"),
        "[] 2; [] 1; [] -1; [] true; [] false"
    );
    assert_eq!(of("b^2, b^-1, 2^b"), "[3] 0.25 1 4; [3] 2 -1 0.5; [3] 1.414214 0.5 4");
    assert_eq!(
        of("max(b, 0), min(b, a), clamp(b, 0, 1)"),
        "[3] 0.5 0 2; [2, 3] 0.5 -1 2 0.5 -1 2; [3] 0.5 0 1"
    );
    assert_eq!(of("concat([b, [9]]), stack([b, b], axis = 1)"), "[4] 0.5 -1 2 9; [3, 2] 0.5 0.5 -1 -1 2 2");
    assert_eq!(
        of("pad(b, [(1, 2)]), pad(b, [(0, 1)], 7), flip(b)"),
        "[6] 0 0.5 -1 2 0 0; [4] 0.5 -1 2 7; [3] 2 -1 0.5"
    );
    assert_eq!(
        of("split(a, 3, axis = 1)[2], reshape(a, [3, -1])[2], flatten(a, from = 0)[4]"),
        "[2, 1] 3 6; [2] 5 6; [] 5"
    );
    assert_eq!(
        of("transpose(a, [1, 0])[0], arange(1, 7, 2), a / 2"),
        "[2] 1 4; [3] 1 3 5; [2, 3] 0.5 1 1.5 2 2.5 3"
    );
    assert_eq!(
        of("softmax(b), std(b), var(b, correction = 1), logsumexp(b)"),
        "[3] 0.17529 0.039113 0.785597; [] 1.224745; [] 2.25; [] 2.241311"
    );
    assert_eq!(
        of("if b > 0 then b else -1, not (b > 0), -a[0]"),
        "[3] 0.5 -1 2; [3] false true false; [3] -1 -2 -3"
    );
    assert_eq!(of("a - mean(a, axis = 1, keep = true)"), "[2, 3] -1 0 1 -1 0 1");
    assert_eq!(
        of("round(b), floor(b + 0.25), int(b), float(b > 0)"),
        "[3] 0 -1 2; [3] 0 -1 2; [3] 0 -1 2; [3] 1 0 1"
    );
    assert_eq!(
        of("sum(b > 0), mean(b > 0), gelu(b), erf(b)"),
        "[] 2; [] 0.666667; [3] 0.345731 -0.158655 1.9545; [3] 0.5205 -0.842701 0.995322"
    );
}

#[test]
fn derivatives() {
    assert_eq!(values("fn f(x) { y = x^3\n grad(y, x) }\nprint f(2.0), f([1.0, 2.0])"), "[] 12; [2] 3 12");
    assert_eq!(values("fn f(x) { y = x^3\n d = grad(y, x)\n grad(d, x) }\nprint f(2.0)"), "[] 12");
    assert_eq!(values("fn f(x) { y = tanh(x)\n grad(y, x) }\nprint f(0.0)"), "[] 1");
    // Another name with an equal expression is constant.
    assert_eq!(values("fn f(x) { a = x * 2\n b = x * 2\n grad(a * b, a) }\nprint f(3.0)"), "[] 6");
    assert_eq!(
        values(
            "activation s(v) = if v > 0 then 1 else 0  gradient 3 * v\nfn f(x) { y = s(x)\n grad(y, x) }\nprint f(2.0)"
        ),
        "[] 6"
    );
    assert_eq!(codes("fn f(x) { y = x\n z = 2.0\n grad(z, x) }\nprint f(3.0)", None), ["E0404"]);
    assert_eq!(codes("fn f(x) { y = round(x)\n grad(y, x) }\nprint f([3.0])", None), ["E0401"]);
    assert_eq!(
        codes("fn f(x) { y = if x > 0 then 1.0 else 2.0\n grad(y, x) }\nprint f([3.0])", None),
        ["E0402"]
    );
}

#[test]
fn deep_programs_need_no_deep_stack() {
    let mut text = String::new();
    for at in 0..60 {
        let next = if at == 59 { "x".to_string() } else { format!("f{}(x)", at + 1) };
        text.push_str(&format!("fn f{at}(x) = {}{next}{}\n", "-(1 + ".repeat(20), ")".repeat(20)));
    }
    text.push_str("print f0([1.0])");
    let run = move || codes(&text, None);
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(run).expect("a thread");
    assert_eq!(thread.join().expect("no overflow"), ["E0123"]);
}
