//! Index notation against numbers, the text of the IR, and error codes.

use crate::base::{Diagnostic, Span};
use crate::ir::interpret::{Feed, evaluate};
use crate::ir::{Elem, Graph, Op, Type};
use crate::sema::tests::{TRAINING, elaborated};
use crate::sema::value::{IntSource, Value};
use crate::syntax::ast::ItemKind;

/// Elaborates the `print` items of a file: their graph, with an output for each value, and what was reported.
pub(in crate::sema) fn elaborate(text: &str) -> (Graph, Vec<Diagnostic>) {
    let (graph, (), diagnostics) = elaborated(text, TRAINING, |e| {
        // `free(n)`-like inputs: a tensor of floats and one of ints whose sizes are not known.
        for (name, elem, rank) in [("open", Elem::Float, 2), ("places", Elem::Int, 1)] {
            let shape = ["n", "m"][..rank].iter().map(|name| crate::ir::Dim::symbol(*name)).collect();
            let op = Op::Input { name: name.into(), ty: Type::new(elem, shape) };
            let node = e.graph_mut().add(op, vec![]);
            let mut tensor = e.tensor(node, Span::NONE);
            if elem == Elem::Int {
                tensor.field = Some(IntSource::Field { set: "data".into(), field: "places".into() });
            }
            e.frame_mut().bind(
                name,
                Value::Tensor(tensor),
                Span::NONE,
                crate::sema::scope::frames::BindingKind::Input,
            );
        }
        let items = e.modules.main().map(|main| main.items.clone()).unwrap_or_default();
        let mut count = 0;
        for item in items {
            let ItemKind::Print(print) = &item.item.kind else { continue };
            for value in &print.values {
                let made = e.expr(value, None);
                if let Some(tensor) = e.to_tensor(&made, value.span)
                    && let Some(node) = e.node(&tensor, value.span)
                {
                    e.graph_mut().output(count.to_string(), node);
                    count += 1;
                }
            }
        }
    });
    (graph, diagnostics)
}

/// The values of the `print` items: shape and elements.
pub(in crate::sema) fn values(text: &str) -> Vec<(Vec<usize>, Vec<f64>)> {
    let (graph, diagnostics) = elaborate(text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let made = evaluate::<f64>(&graph, &Feed::default()).expect("the graph has no inputs");
    (0..made.len())
        .map(|at| {
            let value = &made[&at.to_string().into()];
            (value.shape.clone(), value.to_f64())
        })
        .collect()
}

fn value(text: &str) -> Vec<f64> {
    values(text).swap_remove(0).1
}

/// The codes of what was reported.
pub(in crate::sema) fn codes(text: &str) -> Vec<&'static str> {
    let (_, diagnostics) = elaborate(text);
    for diagnostic in &diagnostics {
        assert!(
            crate::base::codes::find(diagnostic.code).is_some(),
            "{} is not in the table",
            diagnostic.code
        );
    }
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

const LETTERS: &str = "const X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]\nconst V = [10.0, 20.0, 30.0]\n";

fn body(body: &str) -> String {
    format!("{LETTERS}fn f() {{\n{body}\n}}\nprint f()\n")
}

#[test]
fn dense() {
    let text = "const w = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
const x = [[1.0, 1.0], [0.0, 2.0]]
const bias = [0.5, 0.0, -0.5]
fn f(w: [O, I], x: [B, I], bias: [O]) -> [B, O] {
    y[b, o] = sum[i](w[o, i] * x[b, i]) + bias[o]
    y
}
print f(w, x, bias)
";
    assert_eq!(values(text), [(vec![2, 3], vec![3.5, 7.0, 10.5, 4.5, 8.0, 11.5])]);
}

#[test]
fn reducers_in_ordinary_expressions() {
    assert_eq!(value(&body("sum[j](V[j])")), [60.0]);
    assert_eq!(value(&body("mean[j](V[j]) + 1")), [21.0]);
    assert_eq!(value(&body("prod[j](V[j])")), [6000.0]);
    assert_eq!(value(&body("max[i, j](X[i, j])")), [6.0]);
    assert_eq!(value(&body("argmax[j](V[j] * (if j == 1 then 10 else 1))")), [1.0]);
    assert_eq!(value(&body("argmin[j](V[j])")), [0.0]);
    assert_eq!(value(&body("sum[j](V[j] > 15)")), [2.0]);
    assert_eq!(value(&body("if any[j](V[j] > 25) then 1 else 0")), [1.0]);
    assert_eq!(value(&body("if all[j](V[j] > 25) then 1 else 0")), [0.0]);
    assert_eq!(value(&body("sum[j < 4](1)")), [4.0]);
    assert_eq!(value(&body("sum[i](X[i, 0] * sum[j](X[i, j]))")), [66.0]);
    assert_eq!(value(&body("sum[i](sum[j](X[i, j]))")), [21.0]);
}

#[test]
fn shifted_reads() {
    assert_eq!(value(&body("y[i] = V[i - 1 else 0] + V[i]\ny")), [10.0, 30.0, 50.0]);
    assert_eq!(value(&body("y[i] = V[i - 1 else -1] + V[i]\ny")), [9.0, 30.0, 50.0]);
    assert_eq!(value(&body("y[i < 3] = max[u < 3](V[i + u - 1 else skip])\ny")), [20.0, 30.0, 30.0]);
    assert_eq!(value(&body("y[i < 3] = mean[u < 3](V[i + u - 1 else skip])\ny")), [15.0, 20.0, 25.0]);
    assert_eq!(value(&body("y[i < 2] = mean[u < 2](V[i + u + 5 else skip])\ny")), [0.0, 0.0]);
    assert_eq!(value(&body("y[i < 2] = V[i + 1]\ny")), [20.0, 30.0]);
    assert_eq!(value(&body("y[i] = V[-1] - V[i]\ny")), [20.0, 10.0, 0.0]);
    // A branch that is not taken leaves no term out.
    assert_eq!(
        value(&body("y[i < 3] = sum[u < 2](if u == 0 then V[i - 1 else skip] else 1)\ny")),
        [1.0, 11.0, 21.0]
    );
}

#[test]
fn numbers_and_angles() {
    assert_eq!(value(&body("y[i < 3] = i\ny")), [0.0, 1.0, 2.0]);
    assert_eq!(value(&body("y[i < 2, j < 2] = 2 * i + j / 2\ny")), [0.0, 0.5, 2.0, 2.5]);
    let text = "fn f(T, D) {\n    angle[t < T, i < D / 2] = t * 10_000 ^ (-2 * i / D)\n    angle\n}\nprint f(2, 4)\n";
    let found = values(text).swap_remove(0);
    assert_eq!(found.0, [2, 2]);
    assert!(found.1.iter().zip([0.0, 0.0, 1.0, 0.01]).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
}

#[test]
fn convolution_and_pooling() {
    let text = "fn f(x: [N, C, L], w: [O, C, K], S, P) {
    OL = floor((L + 2 * P - K) / S) + 1
    z[n, o, i < OL] = sum[c, u](x[n, c, S*i + u - P else 0] * w[o, c, u])
    z
}
fn pool(x: [N, C, L]) {
    m[n, c, i < L / 2] = max[u < 2](x[n, c, 2*i + u])
    m
}
const x = [[[1.0, 2.0, 3.0, 4.0]]]
print f(x, [[[1.0, 10.0, 100.0]]], 1, 1)
print f(x, [[[1.0, 10.0, 100.0]]], 2, 0)
print pool(x)
";
    let found = values(text);
    assert_eq!(found[0], (vec![1, 1, 4], vec![210.0, 321.0, 432.0, 43.0]));
    assert_eq!(found[1], (vec![1, 1, 1], vec![321.0]));
    assert_eq!(found[2], (vec![1, 1, 2], vec![2.0, 4.0]));
}

#[test]
fn gather_and_scatter() {
    let text = "const table = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
const ids = [[2, 0], [1, 1]]
const dst = [0, 2, 0]
fn embed(table: [n, D], ids: int[...s]) {
    e[...s, d] = table[ids[...s], d]
    e
}
fn add_at(dst: int[E], messages: [E, D]) {
    pooled: [3, D]
    pooled[dst[e], d] += messages[e, d]
    pooled
}
print embed(table, ids)
print add_at(dst, table)
";
    let found = values(text);
    assert_eq!(found[0], (vec![2, 2, 2], vec![5.0, 6.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]));
    assert_eq!(found[1], (vec![3, 2], vec![6.0, 8.0, 0.0, 0.0, 3.0, 4.0]));
}

#[test]
fn written_into_declared_tensors() {
    assert_eq!(value(&body("y: [4]\ny[i < 2] = V[i]\ny[3] = V[1]\ny")), [10.0, 20.0, 0.0, 20.0]);
    assert_eq!(value(&body("y: [4]\ny[0] = 5\ny[i + 1] = V[i]\ny")), [5.0, 10.0, 20.0, 30.0]);
    assert_eq!(
        value(&body("y: [6]\ny[2*i] = V[i]\ny[2*i + 1] = -V[i]\ny")),
        [10.0, -10.0, 20.0, -20.0, 30.0, -30.0]
    );
    assert_eq!(value(&body("y[3*i + j] = X[i, j]\ny")), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(value(&body("y: [3, 3]\ny[i, i] = V[i]\nsum(y)")), [60.0]);
    assert_eq!(value(&body("y = V\ny[i] = 2 * y[i]\ny")), [20.0, 40.0, 60.0]);
    assert_eq!(value(&body("y = V\ny[i] += sum[j](X[j, i])\ny")), [15.0, 27.0, 39.0]);
    assert_eq!(value(&body("y: [2]\ny[i] += sum[j](X[i, j])\ny")), [6.0, 15.0]);
    assert_eq!(
        value(&body("w = [1.0, 1.0, 1.0]\ny: [3]\ny[i + u - 1 else skip] += V[i] * w[u]\ny")),
        [30.0, 60.0, 50.0]
    );
}

#[test]
fn whole_tensors_and_functions() {
    assert_eq!(
        value(&body("y[i, j] = (X - 1)[i, j] * relu(X[i, j] - 3)\ny")),
        [0.0, 0.0, 0.0, 3.0, 8.0, 15.0]
    );
    assert_eq!(value(&body("y[i] = sum(X, axis = 1)[i]\ny")), [6.0, 15.0]);
    assert_eq!(value(&body("y[i] = max(V[i], 15)\ny")), [15.0, 20.0, 30.0]);
    assert_eq!(value(&body("y[i] = (if i == 0 then V[i] else clamp(V[i], 0, 25))\ny")), [10.0, 20.0, 25.0]);
    assert_eq!(value(&body("y[i] = [3, 4, 5][i]\ny")), [3.0, 4.0, 5.0]);
    assert_eq!(value(&body("y[i] = X[i, argmax[j](X[i, j])]\ny")), [3.0, 6.0]);
}

#[test]
fn scans() {
    let scan = "scan t < 3 {\ncarry h: [] = 1\nh = 2 * h + V[t]\ncollect hs = h along 0\n}\n";
    assert_eq!(value(&body(&format!("{scan}hs"))), [12.0, 44.0, 118.0]);
    assert_eq!(value(&body(&format!("{scan}h"))), [118.0]);
    let back = scan.replace("scan t", "scan reverse t");
    assert_eq!(value(&body(&format!("{back}hs"))), [178.0, 84.0, 32.0]);
    let along = "scan t < 3 {\ncarry h: [2] = 0\nh = h + X[:, t]\ncollect hs = h along 1\n}\nhs";
    assert_eq!(values(&body(along)), [(vec![2, 3], vec![1.0, 3.0, 6.0, 4.0, 9.0, 15.0])]);
    let indexed = "scan t < 3 {\ncarry h: [2] = 0\nn[i] = h[i] + X[i, t] + X[i, t - 1 else 0]\nh = n\n}\nh";
    assert_eq!(value(&body(indexed)), [9.0, 24.0]);
    let nested = "scan t < 3 {
carry s: float = 0
scan u < 2 {
carry r: float = 0
r = r + X[u, t]
}
s = s + r * t
}
s";
    assert_eq!(value(&body(nested)), [25.0]);
}

#[test]
fn conditions_on_indices() {
    let text = "fn pick(v) = 10 * v
fn f(x: [B]) {
    y[b, k < 2] = if k == 0 then pick(x)[b] else x[b]
    y
}
print f([1.0, 2.0])
";
    assert_eq!(value(text), [10.0, 1.0, 20.0, 2.0]);
}

/// The nodes of the `print` items that are not inputs, one a line.
fn ir(text: &str) -> Vec<String> {
    let (graph, diagnostics) = elaborate(text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let nodes =
        graph.nodes().filter(|(id, node)| needed[id.0 as usize] && !matches!(node.op, Op::Input { .. }));
    nodes.map(|(id, _)| crate::ir::text::line(&graph, id)).collect()
}

#[test]
fn loops() {
    let text = |body: &str| format!("fn f(x: [n, m], p: int[k]) {{\n{body}\n}}\nprint f(open, places)\n");
    let cases: [(&str, &[&str]); 7] = [
        // A reducer alone is one loop.
        (
            "y[b] = sum[i](x[b, i] * x[b, i])\ny",
            &["%2 = loop i0 < n, i1 < m : [i0] += mul(%0[i0, i1], %0[i0, i1]) : [n]"],
        ),
        // The inner reducer does not depend on `i`; what is common stays outside.
        (
            "y[b, i] = x[b, i] / sum[j](x[b, j])\ny",
            &[
                "%2 = loop i0 < n, i1 < m : [i0] += %0[i0, i1] : [n]",
                "%3 = loop i0 < n, i1 < m : [i0, i1] = div(%0[i0, i1], %2[i0]) : [n, m]",
            ],
        ),
        // A padded read.
        (
            "y[b, i < m] = x[b, i - 1 else 0]\ny",
            &["%2 = loop i0 < n, i1 < m : [i0, i1] = %0[i0, i1 - 1 else 0] : [n, m]"],
        ),
        // Another value outside: only the end that may be left is asked for.
        (
            "y[b, i < m] = x[b, i - 1 else 5]\ny",
            &[
                "%2 = loop i0 < n, i1 < m : [i0, i1] = select(le(0, {i1 - 1}), %0[i0, i1 - 1 else 0], 5.0) : [n, m]",
            ],
        ),
        // A term that is left out.
        (
            "y[b, i < m] = max[u < 3](x[b, i + u - 1 else skip])\ny",
            &["%2 = loop i0 < n, i1 < m, i2 < 3 : [i0, i1] max= \
               select(and(le(0, {i1 + i2 - 1}), lt({i1 + i2 - 1}, {(m)})), %0[i0, i1 + i2 - 1 else 0], -inf) : [n, m]"],
        ),
        // The indices of a sum go into the loop of `+=`.
        ("y: [n]\ny[b] += sum[i](x[b, i])\ny", &["%3 = loop i0 < n, i1 < m : [i0] += %0[i0, i1] : [n]"]),
        // Elements of an int tensor as subscripts.
        ("y[e, d] = x[p[e], d]\ny", &["%2 = loop i0 < n, i1 < m : [i0, i1] = %0[%1[i0], i1] : [n, m]"]),
    ];
    for (body, lines) in cases {
        assert_eq!(ir(&text(body)), lines, "{body}");
    }
}

#[test]
fn what_waits_for_numbers() {
    let check = |body: &str| codes(&format!("fn f(x: [n, m]) {{\n{body}\n}}\nprint f(open)\n"));
    // Sizes that are large enough pass; the check waits for the number.
    assert!(check("y[i < 3] = x[i, 0]\ny").is_empty());
    assert!(check("y[b, i < m - 1] = x[b, i + 1]\ny").is_empty());
    // No size passes.
    assert_eq!(check("y[b, i < m] = x[b, i + 1]\ny"), ["E0305"]);
    // Only small sizes would pass.
    assert_eq!(check("y[b, i < m] = x[b, 2 * i]\ny"), ["E0305"]);
}

#[test]
fn nothing_panics() {
    for body in [
        "y[",
        "y[i] = y[i]\ny",
        "y[i] = zzz[i]\ny",
        "y[i] = V[i, i]\ny",
        "y[i] = V[V]\ny",
        "y[i] = V\ny",
        "y[i] = (V, V)\ny",
        "y[i] = \"text\"\ny",
        "y[i < -1] = V[0]\ny",
        "y[i < 1.5] = V[0]\ny",
        "y[i < V] = V[0]\ny",
        "y[] = V[0]\ny",
        "y[0] = V[0]\ny",
        "y[V] = V[0]\ny",
        "y[i] = V[i][0]\ny",
        "y[i] = sum(V[i])\ny",
        "y[i] = V[i] @ V\ny",
        "y[i] = softmax(V[i])\ny",
        "y[i] = i[0]\ny",
        "y[i] = [V[i], 1]\ny",
        "y[i] = V[new, i]\ny",
        "y[i] = V[..., i]\ny",
        "V[i] += 1\nV",
        "y = true\ny[i < 2] += 1\ny",
        "y: bool[3]\ny[i] += 1\ny",
        "y: int[3]\ny[i] = V[i]\ny",
        "sum[i](V)",
        "sum[](V)",
        "mean[i](V[i] > 1) + any[i](V[i])",
        "argmax[i, j](X[i, j])",
        "sum[i](sum[i](X[i, i]))",
        "sum[i < j, j](X[i, j])",
        "y[i] = if i > 0 then V[i - 1 else skip] else 0\ny",
        "scan t < 3 { }\n1",
        "scan t < -1 {\ncarry h: float = 0\nh = h + 1.0\n}\nh",
        "scan t < V {\ncarry h: float = 0\nh = h + V[t]\n}\nh",
        "scan t < 3 {\ncarry h = q\nh = h + V[t]\ncollect hs = h along V\n}\nhs",
        "scan t < 3 {\ncarry h: float = 0\nh = V\ncollect hs = \"a\" along 1\n}\nhs",
        "scan t < 3 {\ncarry h: [2] = 0\nh[i] = h[i] + t\nparam w: [2] = 0\nstate s = 0\n}\nh",
        "scan t < 3 {\ncarry h: float = 0\nh = h + V[t + 1]\n}\nh",
        "collect h along 0\ncarry h = 0\nh",
    ] {
        let _ = elaborate(&super::tests::body(body));
    }
}

#[test]
fn clamped_subscripts() {
    assert_eq!(value(&body("y[i < 4] = V[clamp(i - 1, 0, 2)]\ny")), [10.0, 10.0, 20.0, 30.0]);
    assert_eq!(
        value(&body("y[i < 6] = V[clamp(int(floor(i / 2)), 0, 2)]\ny")),
        [10.0, 10.0, 20.0, 20.0, 30.0, 30.0]
    );
    let text =
        "fn f(x: [n, m]) {\ny[i < 9] = x[clamp(int(floor(i / 2)), 0, n - 1), 0]\ny\n}\nprint f(open)\n";
    assert!(codes(text).is_empty());
    assert_eq!(
        codes(&text.replace("clamp(int(floor(i / 2)), 0, n - 1)", "max(int(floor(i / 2)), 0)")),
        ["E0305"]
    );
}
