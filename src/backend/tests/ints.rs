//! Every operation on ints at the ends of 32 and 64 bits: the interpreter and native code of every kind give what
//! arithmetic without bounds gives, or say that 64 bits do not hold it.

use super::*;
use crate::ir::interpret::{Data, EvalError, Feed, Tensor, evaluate};
use crate::ir::ranges::{self, Range};

const LIMIT: i64 = 1 << 31;

const EXTREMES: [i64; 24] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -7,
    10,
    46_341,
    LIMIT - 2,
    LIMIT - 1,
    LIMIT,
    LIMIT + 1,
    -LIMIT - 1,
    -LIMIT,
    -LIMIT + 1,
    3_037_000_500,
    (1 << 53) - 1,
    1 << 53,
    (1 << 53) + 1,
    i64::MAX - 1,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

/// An operation on two ints: how it is written, and what it is.
struct Operation {
    name: &'static str,
    write: fn(&mut LoopBuilder<'_>, ScalarId, ScalarId) -> ScalarId,
    means: fn(i128, i128) -> i128,
}

fn floor(a: i128, b: i128) -> i128 {
    if b == 0 {
        return 0;
    }
    a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0)
}

fn chosen(
    l: &mut LoopBuilder<'_>,
    op: BinaryOp,
    (p, q): (ScalarId, ScalarId),
    then: ScalarId,
    otherwise: ScalarId,
) -> ScalarId {
    let condition = l.binary(op, p, q);
    l.select(condition, then, otherwise)
}

const OPERATIONS: [Operation; 15] = [
    Operation { name: "add", write: |l, a, b| l.binary(BinaryOp::Add, a, b), means: |a, b| a + b },
    Operation { name: "sub", write: |l, a, b| l.binary(BinaryOp::Sub, a, b), means: |a, b| a - b },
    Operation { name: "mul", write: |l, a, b| l.binary(BinaryOp::Mul, a, b), means: |a, b| a * b },
    Operation { name: "neg", write: |l, a, _| l.unary(UnaryOp::Neg, a), means: |a, _| -a },
    Operation { name: "floordiv", write: |l, a, b| l.binary(BinaryOp::FloorDiv, a, b), means: floor },
    Operation {
        name: "mod",
        write: |l, a, b| l.binary(BinaryOp::Mod, a, b),
        means: |a, b| if b == 0 { 0 } else { a - b * floor(a, b) },
    },
    Operation {
        name: "less",
        write: |l, a, b| {
            let less = l.binary(BinaryOp::Lt, a, b);
            l.unary(UnaryOp::ToInt, less)
        },
        means: |a, b| i128::from(a < b),
    },
    Operation {
        name: "at most",
        write: |l, a, b| {
            let at_most = l.binary(BinaryOp::Le, a, b);
            l.unary(UnaryOp::ToInt, at_most)
        },
        means: |a, b| i128::from(a <= b),
    },
    Operation {
        name: "equal",
        write: |l, a, b| {
            let equal = l.binary(BinaryOp::Eq, a, b);
            l.unary(UnaryOp::ToInt, equal)
        },
        means: |a, b| i128::from(a == b),
    },
    Operation { name: "max", write: |l, a, b| chosen(l, BinaryOp::Lt, (a, b), b, a), means: |a, b| a.max(b) },
    Operation { name: "min", write: |l, a, b| chosen(l, BinaryOp::Lt, (b, a), b, a), means: |a, b| a.min(b) },
    Operation {
        name: "abs",
        write: |l, a, _| {
            let (zero, opposite) = (l.int(0), l.unary(UnaryOp::Neg, a));
            chosen(l, BinaryOp::Lt, (a, zero), opposite, a)
        },
        means: |a, _| a.abs(),
    },
    Operation {
        name: "clamped product",
        write: |l, a, b| {
            let (low, high, product) = (l.int(-3), l.int(4), l.binary(BinaryOp::Mul, a, b));
            let above = chosen(l, BinaryOp::Lt, (product, low), low, product);
            chosen(l, BinaryOp::Lt, (high, above), high, above)
        },
        // The product must exist before it is cut off.
        means: |a, b| if i64::try_from(a * b).is_ok() { (a * b).clamp(-3, 4) } else { a * b },
    },
    Operation {
        name: "guarded square",
        write: |l, a, _| {
            let (limit, square) = (l.int(1_000), l.binary(BinaryOp::Mul, a, a));
            let (zero, below) = (l.int(0), l.binary(BinaryOp::Lt, a, limit));
            let above = chosen(l, BinaryOp::Lt, (zero, a), square, zero);
            l.select(below, above, zero)
        },
        // The square must exist, used or not.
        means: |a, _| if (1..1_000).contains(&a) || i64::try_from(a * a).is_err() { a * a } else { 0 },
    },
    Operation {
        name: "through a large constant",
        write: |l, a, _| {
            let large = l.int(1 << 40);
            let sum = l.binary(BinaryOp::Add, a, large);
            l.binary(BinaryOp::Sub, sum, large)
        },
        means: |a, _| if i64::try_from(a + (1 << 40)).is_ok() { a } else { i128::MAX },
    },
];

/// Tensors of ints for a plan, by the names of its inputs.
fn given(plan: &Plan, inputs: &[(&str, &[i64])]) -> Vec<Owned> {
    let of = |name: &str| inputs.iter().find(|(input, _)| name == format!("input:{input}")).map(|input| input.1);
    let externals = plan.externals.iter();
    externals
        .map(|external| {
            let count = external.shape.iter().product();
            let values = of(&external.name.to_string()).map_or(vec![0; count], <[i64]>::to_vec);
            match (external.elem, external.wide) {
                (Elem::Int, true) => Owned::I64(values),
                (Elem::Int, false) => {
                    Owned::I32(values.into_iter().map(|value| i32::try_from(value).unwrap()).collect())
                }
                (elem, _) => Owned::new(elem, plan.precision, &vec![0.0; count]),
            }
        })
        .collect()
}

fn ints(owned: &Owned) -> Vec<i64> {
    match owned {
        Owned::I64(values) => values.clone(),
        Owned::I32(values) => values.iter().map(|value| i64::from(*value)).collect(),
        Owned::F32(_) | Owned::F64(_) | Owned::Bool(_) => panic!("no ints"),
    }
}

/// A graph in all ways in which it can be carried out.
struct Ways {
    graph: Graph,
    native: Vec<(String, Plan, Box<dyn Code>)>,
}

impl Ways {
    fn new(graph: Graph, inputs: &[&str], wide: bool) -> Ways {
        let mut sizes = Sizes::new();
        if wide {
            inputs.iter().for_each(|name| ranges::note_input(&mut sizes, &(*name).into(), Range::ALL));
        }
        let mut native = Vec::new();
        for precision in [Precision::F32, Precision::F64] {
            let options = plan::Options { precision };
            for optimised in [false, true] {
                let graph = if optimised { crate::opt::optimise(&graph) } else { graph.clone() };
                let plan = plan::plan_for(&graph, options, &sizes).unwrap();
                for backend in backends() {
                    let module = loops::lower(&plan, loops::Options::of(backend.target(precision))).unwrap();
                    let code = backend.compile(&module, Options::default());
                    let name = format!("{precision:?}, {backend:?}, optimised: {optimised}");
                    native.push((name, plan.clone(), code.unwrap()));
                }
            }
        }
        Ways { graph, native }
    }

    /// The ints of the only output, `None` if one does not fit, which is the same in all ways.
    fn run(&self, inputs: &[(&str, &[i64])]) -> Option<Vec<i64>> {
        let tensor = |values: &[i64]| Tensor::ints(vec![values.len()], values.to_vec());
        let inputs_by_name = inputs.iter().map(|(name, values)| ((*name).into(), tensor(values))).collect();
        let feed = Feed::<f64> { inputs: inputs_by_name, ..Feed::default() };
        let meant = match evaluate(&self.graph, &feed) {
            Ok(outputs) => match &outputs[&"out".into()].data {
                Data::Int(values) => Some(values.clone()),
                other => panic!("{other:?}"),
            },
            Err(EvalError::Overflow(..)) => None,
            Err(error) => panic!("{error}"),
        };
        for (name, plan, code) in &self.native {
            let mut tensors = given(plan, inputs);
            let mut workspace = code.workspace().unwrap();
            let call = Call { step: 1, seed: 1 };
            let overflow = {
                let mut bindings = bindings(plan, &mut tensors);
                code.step(&mut workspace, &mut bindings, call, &Alone).unwrap()
            };
            let at = plan.externals.iter().position(|external| external.name == "output:out".into()).unwrap();
            let found = overflow.is_none().then(|| ints(&tensors[at]));
            assert_eq!(found, meant, "{name} for {inputs:?}\n{}", self.graph);
        }
        meant
    }
}

/// A graph that gives `out` of the inputs `a` and `b`, each of so many ints.
fn of_two(count: usize, write: impl Fn(&mut LoopBuilder<'_>, ScalarId, ScalarId) -> ScalarId) -> Graph {
    let mut graph = Graph::new();
    let a = input(&mut graph, "a", Elem::Int, &[count]);
    let b = input(&mut graph, "b", Elem::Int, &[count]);
    let out = graph.map(&[a, b], |l, reads| write(l, reads[0], reads[1]));
    // Both are read, so that all operations have the same inputs.
    let out = graph.map(&[out, b], |l, reads| {
        let same = l.binary(BinaryOp::Eq, reads[1], reads[1]);
        l.select(same, reads[0], reads[0])
    });
    graph.output("out", out);
    graph
}

#[test]
fn operations_at_the_extremes() {
    for wide in [false, true] {
        let values: Vec<i64> =
            EXTREMES.into_iter().filter(|value| wide || i32::try_from(*value).is_ok()).collect();
        for operation in &OPERATIONS {
            let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b)));
            let means =
                |(a, b): &(i64, i64)| i64::try_from((operation.means)(i128::from(*a), i128::from(*b))).ok();
            let (fine, beyond): (Vec<_>, Vec<_>) = pairs.partition(|pair| means(pair).is_some());
            let (a, b): (Vec<i64>, Vec<i64>) = fine.iter().copied().unzip();
            let all = Ways::new(of_two(fine.len(), operation.write), &["a", "b"], wide);
            let found = all.run(&[("a", &a), ("b", &b)]);
            let meant: Vec<i64> = fine.iter().filter_map(means).collect();
            assert_eq!(found, Some(meant), "{} of {wide}", operation.name);
            if beyond.is_empty() {
                continue;
            }
            let one = Ways::new(of_two(1, operation.write), &["a", "b"], wide);
            for (a, b) in beyond {
                let found = one.run(&[("a", &[a]), ("b", &[b])]);
                assert_eq!(found, None, "{} of {a} and {b}", operation.name);
            }
        }
    }
}

#[test]
fn sums_and_products() {
    let rows: [[i64; 3]; 9] = [
        [1, 2, 3],
        [LIMIT - 1, LIMIT - 1, LIMIT - 1],
        [-LIMIT, -LIMIT, 5],
        [2_000_000_000, 100_000, 3],
        [1 << 53, 1, 1],
        [i64::MAX, -1, 0],
        [i64::MAX, 1, -5],
        [i64::MIN, -1, 1],
        [3_037_000_500, 3_037_000_500, 1],
    ];
    for wide in [false, true] {
        for combine in
            [Combine::Add, Combine::Mul, Combine::Max, Combine::Min, Combine::ArgMax, Combine::ArgMin]
        {
            let mut graph = Graph::new();
            let x = input(&mut graph, "x", Elem::Int, &[3]);
            let mut l = LoopBuilder::new(&graph, dims(&[3]));
            let i = l.index(0);
            let value = l.read(x, vec![i]);
            let node = l.reduce(vec![], vec![], combine, value);
            let node = graph.add_loop(node);
            graph.output("out", node);
            let ways = Ways::new(graph, &["x"], wide);
            for row in rows.iter().filter(|row| wide || row.iter().all(|value| i32::try_from(*value).is_ok())) {
                let total = |op: fn(i64, i64) -> Option<i64>, start: i64| {
                    row.iter().try_fold(start, |sum, value| op(sum, *value))
                };
                let first = |best: &i64| row.iter().position(|value| value == best).map(|at| at as i64);
                let meant = match combine {
                    Combine::Add => total(i64::checked_add, 0),
                    Combine::Mul => total(i64::checked_mul, 1),
                    Combine::Max => row.iter().max().copied(),
                    Combine::Min => row.iter().min().copied(),
                    Combine::ArgMax => first(row.iter().max().unwrap()),
                    Combine::ArgMin => first(row.iter().min().unwrap()),
                    Combine::Set => None,
                };
                assert_eq!(ways.run(&[("x", row)]), meant.map(|value| vec![value]), "{combine:?} of {row:?}");
            }
        }
    }
}

/// An int that goes round in a scan: as large as it becomes, not as it began.
#[test]
fn carries_of_scans() {
    for (trip, fits) in [(62, true), (63, false), (2_000, false)] {
        let mut body = Graph::new();
        let ty = Type::new(Elem::Int, dims(&[1]));
        let before = body.add(Op::Carry { index: 0, ty: ty.clone() }, vec![]);
        let next = body.map(&[before], |l, reads| l.binary(BinaryOp::Add, reads[0], reads[0]));
        body.output("next", next);
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Int, &[1]);
        let scan = Scan { step: StepId(0), trip: Dim::number(trip), reverse: false, n_carries: 1, body };
        let scan = graph.add(Op::Scan(std::sync::Arc::new(scan)), vec![x]);
        let last = graph.add(Op::Result(0), vec![scan]);
        graph.output("out", last);
        let ways = Ways::new(graph, &["x"], false);
        assert_eq!(ways.run(&[("x", &[0])]), Some(vec![0]));
        assert_eq!(ways.run(&[("x", &[1])]), fits.then(|| vec![1 << 62]));
        assert_eq!(
            ways.run(&[("x", &[-1])]),
            fits.then(|| vec![-1 << 62]).or((trip == 63).then(|| vec![i64::MIN]))
        );
    }
}

#[test]
fn floats_of_ints_and_back() {
    for precision in [Precision::F32, Precision::F64] {
        let floats =
            [0.0, -0.5, 0.99, 1e9, 2f64.powi(31), -2f64.powi(31), 1e15, 2f64.powi(63), -1e300, 1e300];
        let floats = floats.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
        let rounded = |value: f64| match precision {
            Precision::F32 => f64::from(value as f32),
            Precision::F64 => value,
        };
        let floats: Vec<f64> = floats.map(rounded).collect();
        let mut graph = Graph::new();
        let x = input(&mut graph, "x", Elem::Float, &[floats.len()]);
        let whole = graph.map(&[x], |l, reads| l.unary(UnaryOp::ToInt, reads[0]));
        graph.output("whole", whole);
        let n = input(&mut graph, "n", Elem::Int, &[EXTREMES.len()]);
        let near = graph.map(&[n], |l, reads| l.unary(UnaryOp::ToFloat, reads[0]));
        graph.output("near", near);
        let mut sizes = Sizes::new();
        ranges::note_input(&mut sizes, &"n".into(), Range::ALL);
        let plan = plan::plan_for(&graph, plan::Options { precision }, &sizes).unwrap();
        let place = |name: &str| plan.externals.iter().position(|external| external.name == name.into()).unwrap();
        for backend in backends() {
            let module = loops::lower(&plan, loops::Options::of(backend.target(precision))).unwrap();
            let code = backend.compile(&module, Options::default()).unwrap();
            let mut tensors = given(&plan, &[("n", &EXTREMES)]);
            tensors[place("input:x")] = Owned::new(Elem::Float, precision, &floats);
            let mut workspace = code.workspace().unwrap();
            let call = Call { step: 1, seed: 1 };
            let found = code.step(&mut workspace, &mut bindings(&plan, &mut tensors), call, &Alone).unwrap();
            assert_eq!(found, None);
            let whole: Vec<i64> = floats.iter().map(|value| *value as i64).collect();
            assert_eq!(ints(&tensors[place("output:whole")]), whole);
            let near: Vec<f64> = EXTREMES
                .iter()
                .map(|value| match precision {
                    Precision::F32 => f64::from(*value as f32),
                    Precision::F64 => *value as f64,
                })
                .collect();
            assert_eq!(tensors[place("output:near")].numbers(), near);
        }
    }
}
