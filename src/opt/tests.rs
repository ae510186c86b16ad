//! One test for each law, named after it.

use super::*;
use crate::ir::{
    Affine, BinaryOp, Combine, Const, Dim, Elem, Loop, LoopBuilder, NodeId, Scalar, ScalarId, Scan, StepId,
    Sub, Type, UnaryOp,
};
use std::sync::Arc;

fn input(graph: &mut Graph, name: &str, elem: Elem, shape: &[&str]) -> NodeId {
    let ty = Type::new(elem, shape.iter().map(|size| dim(size)).collect());
    graph.add(Op::Input { name: name.into(), ty }, Vec::new())
}

/// A number or a name.
fn dim(text: &str) -> Dim {
    text.parse::<i64>().map_or_else(|_| Dim::symbol(text), Dim::number)
}

/// `f(x)` elementwise of a float vector `x` of n elements, optimised and written as a formula.
fn elementwise(f: impl FnOnce(&mut LoopBuilder<'_>, ScalarId) -> ScalarId) -> String {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let y = graph.map(&[x], |l, reads| f(l, reads[0]));
    graph.output("y", y);
    output(&graph)
}

/// The output `y` of the optimised graph as a formula.
fn output(graph: &Graph) -> String {
    let graph = optimise(graph);
    formula(&graph, graph.find_output("y").expect("there is a y"))
}

/// Nodes that are read stand as what they compute in braces.
fn formula(graph: &Graph, id: NodeId) -> String {
    match &graph[id].op {
        Op::Input { name, .. } => name.to_string(),
        Op::Loop(body) => {
            let value = scalar(graph, body, &graph[id].operands, body.body.result);
            if body.as_function().is_some() {
                return value;
            }
            format!("{:?}<{}>({value})", body.combine, body.domain.len())
        }
        Op::Reshape { .. } => format!("reshape({})", formula(graph, graph[id].operands[0])),
        Op::Result(index) => format!("scan.{index}"),
        _ => format!("n{}", id.0),
    }
}

fn scalar(graph: &Graph, body: &Loop, operands: &[NodeId], id: ScalarId) -> String {
    let deep = |id: ScalarId| scalar(graph, body, operands, id);
    match &body.body[id] {
        Scalar::Float(value) => format!("{}", value.0),
        Scalar::Int(value) => format!("{value}"),
        Scalar::Bool(value) => format!("{value}"),
        Scalar::Affine(affine) => format!("{affine}"),
        Scalar::Read { operand, subs, padded } => {
            let node = operands[*operand as usize];
            let name = match &graph[node].op {
                Op::Input { name, .. } => name.to_string(),
                _ => format!("{{{}}}", formula(graph, node)),
            };
            let subs: Vec<String> = subs
                .iter()
                .map(|sub| match sub {
                    Sub::Affine(affine) => affine.to_string(),
                    Sub::Value(id) => deep(*id),
                })
                .collect();
            format!("{name}{}[{}]", if *padded { "?" } else { "" }, subs.join(", "))
        }
        Scalar::Unary(op, a) => format!("{}({})", op.name(), deep(*a)),
        Scalar::Binary(op, a, b) => format!("{}({}, {})", op.name(), deep(*a), deep(*b)),
        Scalar::Select(c, a, b) => format!("if {} then {} else {}", deep(*c), deep(*a), deep(*b)),
        Scalar::WithSlope { value, .. } => format!("slope({})", deep(*value)),
    }
}

#[test]
fn fold() {
    assert_eq!(
        elementwise(|l, x| {
            let (two, three) = (l.float(2.0), l.float(3.0));
            let sum = l.binary(BinaryOp::Add, two, three);
            l.binary(BinaryOp::Mul, x, sum)
        }),
        "mul(5, x[i0])"
    );
}

#[test]
fn neutral_elements() {
    for (op, neutral) in
        [(BinaryOp::Add, -0.0), (BinaryOp::Sub, 0.0), (BinaryOp::Mul, 1.0), (BinaryOp::Div, 1.0)]
    {
        let simple = elementwise(|l, x| {
            let neutral = l.float(neutral);
            l.binary(op, x, neutral)
        });
        assert_eq!(simple, "x", "{}", op.name());
    }
}

#[test]
fn times_zero_keeps_nan() {
    let product = elementwise(|l, x| {
        let zero = l.float(0.0);
        l.binary(BinaryOp::Mul, x, zero)
    });
    assert_eq!(product, "mul(0, x[i0])");
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Bool, &["n"]);
    let y = graph.map(&[x], |l, reads| {
        let (x, zero) = (l.to_float(reads[0]), l.float(0.0));
        l.binary(BinaryOp::Mul, x, zero)
    });
    graph.output("y", y);
    assert_eq!(output(&graph), "0");
}

#[test]
fn negations() {
    let twice = elementwise(|l, x| {
        let once = l.unary(UnaryOp::Neg, x);
        l.unary(UnaryOp::Neg, once)
    });
    assert_eq!(twice, "x");
    let product = elementwise(|l, x| {
        let (negative, sine) = (l.unary(UnaryOp::Neg, x), l.unary(UnaryOp::Sin, x));
        let sine = l.unary(UnaryOp::Neg, sine);
        l.binary(BinaryOp::Mul, negative, sine)
    });
    assert_eq!(product, "mul(x[i0], sin(x[i0]))");
}

#[test]
fn strip() {
    let stripped = elementwise(|l, x| {
        let (stopped, slope) = (l.unary(UnaryOp::Stop, x), l.unary(UnaryOp::Cos, x));
        let value = l.unary(UnaryOp::Sin, stopped);
        l.add(Scalar::WithSlope { value, arg: x, slope })
    });
    assert_eq!(stripped, "sin(x[i0])");
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let marked = graph.add(Op::Mark(3), vec![x]);
    graph.output("y", marked);
    assert_eq!(output(&graph), "x");
}

/// y (1 - a) - (1 - y) a
fn difference_of_products() -> Graph {
    let mut graph = Graph::new();
    let (a, y) = (input(&mut graph, "a", Elem::Float, &["n"]), input(&mut graph, "y", Elem::Float, &["n"]));
    let z = graph.map(&[a, y], |l, reads| {
        let one = l.float(1.0);
        let (not_a, not_y) = (l.binary(BinaryOp::Sub, one, reads[0]), l.binary(BinaryOp::Sub, one, reads[1]));
        let (left, right) =
            (l.binary(BinaryOp::Mul, reads[1], not_a), l.binary(BinaryOp::Mul, not_y, reads[0]));
        l.binary(BinaryOp::Sub, left, right)
    });
    graph.output("y", z);
    graph
}

#[test]
fn shorten_to_read_only() {
    let graph = difference_of_products();
    let shown = simplify_to_read(&graph);
    assert_eq!(formula(&shown, shown.find_output("y").expect("there is a y")), "sub(y[i0], a[i0])");
    assert_eq!(output(&graph), "sub(mul(y[i0], sub(1, a[i0])), mul(a[i0], sub(1, y[i0])))");
}

#[test]
fn accurate_formulas_stay() {
    let kahan = elementwise(|l, x| {
        let one = l.float(1.0);
        let sum = l.binary(BinaryOp::Add, one, x);
        l.binary(BinaryOp::Sub, sum, one)
    });
    assert_eq!(kahan, "sub(add(1, x[i0]), 1)");
}

/// `f(x)` elementwise, after what is done before differentiating, as a formula.
fn forward(f: impl FnOnce(&mut LoopBuilder<'_>, ScalarId) -> ScalarId) -> String {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let y = graph.map(&[x], |l, reads| f(l, reads[0]));
    simplify_forward(&mut graph, &[y], &[x]);
    graph.output("y", y);
    output(&graph)
}

#[test]
fn logarithms() {
    let log_exp = |l: &mut LoopBuilder<'_>, x: ScalarId| {
        let power = l.unary(UnaryOp::Exp, x);
        l.unary(UnaryOp::Log, power)
    };
    assert_eq!(forward(log_exp), "x");
    // Its derivative may have been taken: afterwards it is left alone.
    assert_eq!(elementwise(log_exp), "log(exp(x[i0]))");
    let of_quotient = forward(|l, x| {
        let (power, sine) = (l.unary(UnaryOp::Exp, x), l.unary(UnaryOp::Sin, x));
        let other = l.unary(UnaryOp::Exp, sine);
        let quotient = l.binary(BinaryOp::Div, power, other);
        l.unary(UnaryOp::Log, quotient)
    });
    assert_eq!(of_quotient, "sub(x[i0], sin(x[i0]))");
    // log(x / exp(x)) stays: x may be negative.
    let stays = forward(|l, x| {
        let power = l.unary(UnaryOp::Exp, x);
        let quotient = l.binary(BinaryOp::Div, x, power);
        l.unary(UnaryOp::Log, quotient)
    });
    assert_eq!(stays, "log(div(x[i0], exp(x[i0])))");
}

#[test]
fn log_of_logistic() {
    let stable = forward(|l, x| {
        let (one, power) = (l.float(1.0), l.unary(UnaryOp::Exp, x));
        let sum = l.binary(BinaryOp::Add, one, power);
        let s = l.binary(BinaryOp::Div, one, sum);
        l.unary(UnaryOp::Log, s)
    });
    let positive = "lt(0, x[i0])";
    let most = format!("if {positive} then x[i0] else 0");
    let least = format!("if {positive} then neg(x[i0]) else x[i0]");
    assert_eq!(stable, format!("neg(add({most}, log(add(1, exp({least})))))"));
}

#[test]
fn selects() {
    let same = elementwise(|l, x| {
        let zero = l.float(0.0);
        let positive = l.binary(BinaryOp::Lt, zero, x);
        let inner = l.select(positive, x, zero);
        l.select(positive, inner, zero)
    });
    assert_eq!(same, "if lt(0, x[i0]) then x[i0] else 0");
    let equal = elementwise(|l, x| {
        let zero = l.float(0.0);
        let positive = l.binary(BinaryOp::Lt, zero, x);
        l.select(positive, x, x)
    });
    assert_eq!(equal, "x");
    let swapped = elementwise(|l, x| {
        let zero = l.float(0.0);
        let positive = l.binary(BinaryOp::Lt, zero, x);
        let not = l.unary(UnaryOp::Not, positive);
        l.select(not, zero, x)
    });
    assert_eq!(swapped, "if lt(0, x[i0]) then x[i0] else 0");
}

#[test]
fn comparisons_that_ranges_decide() {
    let inside = elementwise(|l, x| {
        let (zero, index) = (l.int(0), l.affine(Affine::index(0)));
        let end = l.size(&dim("n"));
        let (low, high) = (l.binary(BinaryOp::Le, zero, index), l.binary(BinaryOp::Lt, index, end));
        let inside = l.binary(BinaryOp::And, low, high);
        let zero = l.float(0.0);
        l.select(inside, x, zero)
    });
    assert_eq!(inside, "x");
}

#[test]
fn read_view() {
    // The transpose of a slice, read again as a row.
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n", "8"]);
    let mut l = LoopBuilder::new(&graph, vec![dim("4"), dim("n")]);
    let subs = vec![l.index(1), Sub::Affine(Affine::index(0).scale(&dim("2")).offset(&Dim::ONE))];
    let value = l.read(x, subs);
    let node = l.map(value);
    let view = graph.add_loop(node);
    let mut l = LoopBuilder::new(&graph, vec![dim("n")]);
    let value = l.read(view, vec![Sub::Affine(Affine::constant(3i64)), Sub::Affine(Affine::index(0))]);
    let value = l.unary(UnaryOp::Sin, value);
    let node = l.map(value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "sin(x[i0, 7])");
}

#[test]
fn read_constant_and_function() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["3"]);
    let twos = graph.constant(Const::floats(vec![3], [2.0, 2.0, 2.0]));
    let ones = graph.fill(1.0, vec![dim("3")]);
    let y = graph.map(&[x, twos, ones], |l, reads| {
        let product = l.binary(BinaryOp::Mul, reads[0], reads[1]);
        l.binary(BinaryOp::Add, product, reads[2])
    });
    graph.output("y", y);
    assert_eq!(output(&graph), "add(1, mul(2, x[i0]))");
}

#[test]
fn compose() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let sine = graph.map(&[x], |l, reads| l.unary(UnaryOp::Sin, reads[0]));
    let y = graph.map(&[sine], |l, reads| l.unary(UnaryOp::Cos, reads[0]));
    graph.output("y", y);
    assert_eq!(output(&graph), "cos(sin(x[i0]))");
    // Two readers keep it.
    graph.output("sine", sine);
    assert_eq!(output(&graph), "cos({sin(x[i0])}[i0])");
}

#[test]
fn pick() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n", "9"]);
    let ids = input(&mut graph, "ids", Elem::Int, &["n"]);
    let sine = graph.map(&[x], |l, reads| l.unary(UnaryOp::Sin, reads[0]));
    let mut l = LoopBuilder::new(&graph, vec![dim("n")]);
    let row = l.index(0);
    let id = l.read(ids, vec![row.clone()]);
    let value = l.read(sine, vec![row, Sub::Value(id)]);
    let node = l.map(value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "sin(x[i0, ids[i0]])");
}

#[test]
fn scatter_to_select() {
    let mut graph = Graph::new();
    let (x, ids) = (input(&mut graph, "x", Elem::Float, &["n"]), input(&mut graph, "ids", Elem::Int, &["n"]));
    let mut l = LoopBuilder::new(&graph, vec![dim("n")]);
    let row = l.index(0);
    let (id, value) = (l.read(ids, vec![row.clone()]), l.read(x, vec![row.clone()]));
    let node = l.reduce(vec![dim("n"), dim("9")], vec![row, Sub::Value(id)], Combine::Add, value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "if eq(i1, ids[i0]) then x[i0] else 0");
}

#[test]
fn scatter_to_view() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let mut l = LoopBuilder::new(&graph, vec![dim("n")]);
    let value = l.read(x, vec![Sub::Affine(Affine::index(0))]);
    let shape = &dim("n") + &dim("5");
    let write = vec![Sub::Affine(Affine::index(0).offset(&dim("2")))];
    let node = l.reduce(vec![shape], write, Combine::Set, value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "x?[i0 - 2]");
}

#[test]
fn write_transposed() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n", "m", "k"]);
    let mut l = LoopBuilder::new(&graph, vec![dim("n"), dim("m"), dim("k")]);
    let subs: Vec<Sub> = (0..3).map(|axis| l.index(axis)).collect();
    let value = l.read(x, subs.clone());
    let node = l.reduce(vec![dim("n"), dim("m")], subs[..2].to_vec(), Combine::Add, value);
    let sums = graph.add_loop(node);
    let mut l = LoopBuilder::new(&graph, vec![dim("m"), dim("n")]);
    let value = l.read(sums, vec![Sub::Affine(Affine::index(1)), Sub::Affine(Affine::index(0))]);
    let node = l.map(value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "Add<3>(x[i1, i0, i2])");
}

#[test]
fn unused_index() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n"]);
    let mut l = LoopBuilder::new(&graph, vec![dim("n"), dim("7")]);
    let row = l.index(0);
    let value = l.read(x, vec![row.clone()]);
    let node = l.reduce(vec![dim("n")], vec![row], Combine::Add, value);
    let y = graph.add_loop(node);
    graph.output("y", y);
    assert_eq!(output(&graph), "mul(7, x[i0])");
}

#[test]
fn factor_out() {
    let mut graph = Graph::new();
    let (a, b) =
        (input(&mut graph, "a", Elem::Float, &["n", "m"]), input(&mut graph, "b", Elem::Float, &["m", "k"]));
    let scale = input(&mut graph, "scale", Elem::Float, &["n"]);
    let mut l = LoopBuilder::new(&graph, vec![dim("n"), dim("k"), dim("m")]);
    let (i, j, k) = (l.index(0), l.index(1), l.index(2));
    let (x, y) = (l.read(a, vec![i.clone(), k.clone()]), l.read(b, vec![k, j.clone()]));
    let (factor, half) = (l.read(scale, vec![i.clone()]), l.float(0.5));
    let x = l.binary(BinaryOp::Mul, factor, x);
    let product = l.binary(BinaryOp::Mul, x, y);
    let product = l.binary(BinaryOp::Mul, half, product);
    let node = l.reduce(vec![dim("n"), dim("k")], vec![i, j], Combine::Add, product);
    let y = graph.add_loop(node);
    graph.output("y", y);
    let shown = simplify_to_read(&graph);
    assert_eq!(
        formula(&shown, shown.find_output("y").expect("there is a y")),
        "mul(0.5, mul(scale[i0], {Add<3>(mul(a[i0, i2], b[i2, i1]))}[i0, i1]))"
    );
    // What runs adds up what the program says.
    assert_eq!(output(&graph), "Add<3>(mul(0.5, mul(mul(scale[i0], a[i0, i2]), b[i2, i1])))");
}

#[test]
fn reshapes() {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["n", "6"]);
    let flat = graph.add(Op::Reshape { shape: vec![&dim("n") * &dim("6")] }, vec![x]);
    let back = graph.add(Op::Reshape { shape: vec![dim("n"), dim("6")] }, vec![flat]);
    graph.output("y", back);
    assert_eq!(output(&graph), "x");
}

/// carry h: [n] = h0; h = tanh(x[t, :] @ w.T + h), where the product does not depend on h.
fn scan_with_projection(n_unused: usize) -> Graph {
    let mut graph = Graph::new();
    let x = input(&mut graph, "x", Elem::Float, &["T", "m"]);
    let w = input(&mut graph, "w", Elem::Float, &["n", "m"]);
    let h0 = input(&mut graph, "h0", Elem::Float, &["n"]);
    let mut body = Graph::new();
    let leaf = |body: &mut Graph, op: Op| body.add(op, Vec::new());
    let ty = |shape: &[&str]| Type::new(Elem::Float, shape.iter().map(|size| dim(size)).collect());
    let h = leaf(&mut body, Op::Carry { index: 0, ty: ty(&["n"]) });
    let xs = leaf(&mut body, Op::Capture { index: 0, ty: ty(&["T", "m"]) });
    let ws = leaf(&mut body, Op::Capture { index: 1, ty: ty(&["n", "m"]) });
    let step = StepId(0);
    let mut l = LoopBuilder::new(&body, vec![dim("n"), dim("m")]);
    let (i, j) = (l.index(0), l.index(1));
    let (a, b) =
        (l.read(xs, vec![Sub::Affine(Affine::step(step)), j.clone()]), l.read(ws, vec![i.clone(), j]));
    let product = l.binary(BinaryOp::Mul, a, b);
    let node = l.reduce(vec![dim("n")], vec![i], Combine::Add, product);
    let projected = body.add_loop(node);
    let sum = body.sum_of(projected, h);
    let next = body.map(&[sum], |l, reads| l.unary(UnaryOp::Tanh, reads[0]));
    body.output("h", next);
    for at in 0..n_unused {
        let unused = body.map(&[sum], |l, reads| l.unary(UnaryOp::Sin, reads[0]));
        body.output(format!("unused{at}"), unused);
    }
    let scan = Scan { step, trip: dim("T"), reverse: false, n_carries: 1, body };
    let scan = graph.add(Op::Scan(Arc::new(scan)), vec![h0, x, w]);
    let last = graph.add(Op::Result(0), vec![scan]);
    graph.output("y", last);
    graph
}

#[test]
fn hoist() {
    let graph = optimise(&scan_with_projection(0));
    let (_, scan) = graph.nodes().find(|(_, node)| matches!(node.op, Op::Scan(_))).unwrap();
    let Op::Scan(inner) = &scan.op else { unreachable!("found above") };
    let stacked = scan.operands[1];
    assert_eq!(formula(&graph, stacked), "Add<3>(mul(x[i0, i2], w[i1, i2]))");
    assert_eq!(graph.ty(stacked).to_string(), "[T, n]");
    assert!(inner.body.nodes().all(|(_, node)| match &node.op {
        Op::Loop(body) => body.combine == Combine::Set,
        _ => true,
    }));
}

#[test]
fn unused_results() {
    let graph = optimise(&scan_with_projection(2));
    let (_, scan) = graph.nodes().find(|(_, node)| matches!(node.op, Op::Scan(_))).unwrap();
    let Op::Scan(inner) = &scan.op else { unreachable!("found above") };
    assert_eq!(inner.body.outputs.len(), 1);
}
