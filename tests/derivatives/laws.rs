//! The laws of `opt` on extreme numbers: what they may change of values and of derivatives is what their table
//! says. Each law has samples to which it applies; random expressions mix them.

use nnc::grad::gradient;
use nnc::ir::interpret::{Data, Feed, Real, Tensor, evaluate};
use nnc::ir::verify::verify;
use nnc::ir::{Graph, NodeId, Op, Sizes, specialise, text};
use nnc::opt::{Applied, Exactness, LAWS, Purpose, optimise, optimise_for, stabilise};
use std::collections::BTreeMap;

/// Zeros, denormal, small, ordinary, large and infinite numbers and NaN; each also with the other sign.
const EXTREMES: [f64; 14] =
    [0.0, 5e-324, 1e-300, 1e-45, 1e-40, 1e-30, 0.75, 1.0, 3.0, 100.0, 1e30, 3e38, 1e300, f64::INFINITY];

fn extremes() -> Vec<f64> {
    let mut all: Vec<f64> = EXTREMES.iter().flat_map(|value| [*value, -value]).collect();
    all.push(f64::NAN);
    all
}

/// What a law is tried on. An expression of the elements `x`, `y` (floats), `n` (an int) and `b` (a bool), or a
/// whole graph of the inputs `%0` to `%3` of these names, whose output is the last node, of `[N]` elements each.
const SAMPLES: &[(&str, &str)] = &[
    ("fold", "mul(x, add(2.0, 3.0))"),
    ("fold", "mul(x, mul(1e-30, 1e10))"),
    ("add-zero", "add(exp(x), 0.0)"),
    ("add-zero", "add(mul(x, x), 0.0)"),
    ("add-zero", "add(x, -0.0)"),
    ("add-zero", "sub(x, 0.0)"),
    ("zero-minus", "sub(-0.0, x)"),
    ("add-negative", "add(x, neg(y))"),
    ("add-negative", "add(neg(x), y)"),
    ("add-negative", "sub(x, neg(y))"),
    ("add-negative", "add(x, mul(-3.0, y))"),
    ("add-negative", "add(x, div(-3.0, y))"),
    ("int-minus-itself", "mul(x, float(sub(n, n)))"),
    ("merge-selects", "add(select(lt(x, y), x, 0.0), select(lt(x, y), 0.0, y))"),
    ("merge-selects", "sub(select(lt(x, y), x, 0.0), select(lt(x, y), 0.0, y))"),
    ("negations", "neg(neg(x))"),
    ("negations", "neg(mul(3.0, x))"),
    ("negations", "neg(div(3.0, x))"),
    ("negated-difference", "neg(sub(x, y))"),
    ("not-not", "select(not(not(b)), x, y)"),
    ("mul-one", "mul(1.0, x)"),
    ("mul-one", "mul(x, -1.0)"),
    ("mul-zero", "add(x, mul(0.0, float(b)))"),
    ("mul-zero", "add(x, float(mul(0, n)))"),
    ("mul-negative", "mul(neg(x), neg(y))"),
    ("mul-negative", "mul(x, neg(y))"),
    ("mul-negative", "div(neg(x), y)"),
    ("mul-negative", "div(x, neg(y))"),
    ("mul-negative", "mul(3.0, neg(y))"),
    ("div-power-of-two", "div(x, 8.0)"),
    ("div-power-of-two", "div(x, -0.0009765625)"),
    ("merge-factors", "mul(1e-20, mul(1e20, x))"),
    ("merge-factors", "mul(1e-20, div(1e20, x))"),
    ("move-factor", "mul(mul(1e-20, x), y)"),
    ("move-factor", "mul(mul(1e-20, x), mul(1e-20, x))"),
    ("move-factor", "div(mul(1e-20, x), y)"),
    ("mul-reciprocal", "mul(div(1.0, x), y)"),
    ("shorten", "sub(mul(y, sub(1.0, x)), mul(sub(1.0, y), x))"),
    ("exp-log", "exp(log(mul(x, x)))"),
    ("selects", "select(b, x, x)"),
    ("selects", "select(not(b), x, y)"),
    ("selects", "select(b, select(b, x, y), y)"),
    ("selects", "select(select(b, true, false), x, y)"),
    ("and-or", "select(and(b, true), x, y)"),
    ("and-or", "select(or(b, b), x, y)"),
    ("comparisons", "select(lt({i0}, {(N)}), x, y)"),
    ("inside", "%0[i0 else 0]"),
    ("strip", "mul(stop(x), y)"),
    ("strip", "slope(mul(x, x), x, mul(2.0, x))"),
    ("log-exp", "log(exp(x))"),
    ("log-quotient", "log(div(exp(x), exp(y)))"),
    ("log-product", "log(mul(exp(x), exp(y)))"),
    ("log-sigmoid", "log(div(1.0, add(1.0, exp(x))))"),
    ("log-one-plus-exp", "log(add(1.0, exp(x)))"),
    (
        "log1p-exp",
        "slope(select(eq(add(1.0, exp(x)), 1.0), exp(x), mul(log(add(1.0, exp(x))), \
         div(exp(x), sub(add(1.0, exp(x)), 1.0)))), exp(x), div(1.0, add(1.0, exp(x))))",
    ),
    ("log-one-plus-tanh", "log(sub(1.0, tanh(x)))"),
    ("log-one-minus-tanh-squared", "log(sub(1.0, mul(tanh(x), tanh(x))))"),
    ("log-select", "log(select(b, exp(x), div(1.0, add(exp(x), 1.0))))"),
    ("log-select", "log(select(b, exp(x), 0.5))"),
    ("log-scaled-exp", "log(sqrt(exp(x)))"),
    ("log-scaled-exp", "log(mul(sub(tanh(y), 2.0), neg(exp(x))))"),
    ("log-sum-exp", "log(add(exp(x), exp(y)))"),
    ("log-sum-exp", "log(sub(exp(x), mul(-0.5, div(exp(y), add(1.0, exp(y))))))"),
    (
        "log-sum-exp",
        "%4 = loop i0 < N, i1 < 3 : [i0] += mul(select(lt({i1}, 1), 0.0, 2.0), exp(mul(%0[i0], float({i1})))) : [N]\n\
              %5 = loop i0 < N : [i0] = log(%4[i0]) : [N]",
    ),
    (
        "log-reduction",
        "%4 = loop i0 < N, i1 < 3 : [i0] *= exp(mul(%0[i0], float({i1}))) : [N]\n\
              %5 = loop i0 < N : [i0] = log(%4[i0]) : [N]",
    ),
    (
        "log-reduction",
        "%4 = loop i0 < N, i1 < 1 : [i0, i1] = exp(%0[i0]) : [N, 1]\n\
              %5 = loop i0 < N, i1 < 1 : [i0, i1] = exp(add(%1[i0], 1.0)) : [N, 1]\n\
              %6 = loop i0 < N, i1 < 2 : [i0, i1] = select(lt({i1}, 1), %4[i0, i1 else 0], %5[i0, i1 - 1 else 0]) : [N, 2]\n\
              %7 = loop i0 < N, i1 < 2 : [i0] max= %6[i0, i1] : [N]\n\
              %8 = loop i0 < N : [i0] = log(%7[i0]) : [N]",
    ),
    ("one-minus-power", "sub(1.0, pow(0.999, mul(x, x)))"),
    (
        "read-constant",
        "%4 = const [2.0, 2.0, 2.0] : [3]\n%5 = loop i0 < N : [i0] = mul(%0[i0], %4[=1]) : [N]",
    ),
    (
        "read-function",
        "%4 = loop i0 < N : [i0] = float({i0}) : [N]\n%5 = loop i0 < N : [i0] = mul(%0[i0], %4[i0]) : [N]",
    ),
    (
        "read-view",
        "%4 = loop i0 < N : [i0] = %0[-1*i0 + (N - 1)] : [N]\n%5 = loop i0 < N : [i0] = mul(%1[i0], %4[i0]) : [N]",
    ),
    (
        "read-negated",
        "%4 = loop i0 < N : [i0] = neg(%0[i0]) : [N]\n%5 = loop i0 < N : [] += mul(%4[i0], %1[i0]) : []",
    ),
    (
        "read-scaled",
        "%4 = loop i0 < N : [i0] = mul(1e-20, %0[i0]) : [N]\n%5 = loop i0 < N : [] += mul(%4[i0], %1[i0]) : []",
    ),
    (
        "pick",
        "%4 = loop i0 < N, i1 < N : [i0, i1] = mul(%0[i0], %1[i1]) : [N, N]\n\
              %5 = loop i0 < N : [i0] = %4[i0, select(%3[i0], 0, 1)] : [N]",
    ),
    (
        "compose",
        "%4 = loop i0 < N : [i0] = mul(%0[i0], %1[i0]) : [N]\n%5 = loop i0 < N : [i0] = sub(%4[i0], %1[i0]) : [N]",
    ),
    ("scatter-to-view", "%4 = loop i0 < N : [i0 + 2] = %0[i0] : [N + 5]"),
    ("scatter-to-select", "%4 = loop i0 < N : [i0, mod(%2[i0], 3)] += %0[i0] : [N, 3]"),
    (
        "write-transposed",
        "%4 = loop i0 < N, i1 < N, i2 < N : [i0, i1] += mul(%0[i0], mul(%1[i1], %0[i2])) : [N, N]\n\
                          %5 = loop i0 < N, i1 < N : [i0, i1] = %4[i1, i0] : [N, N]",
    ),
    ("unused-index", "%4 = loop i0 < N, i1 < 7 : [i0] += %0[i0] : [N]"),
    ("unused-index", "%4 = loop i0 < N, i1 < 7 : [i0] max= %0[i0] : [N]"),
    ("single-index", "%4 = loop i0 < N, i1 < 1 : [i0] += mul(%0[i0], %1[i1]) : [N]"),
    ("sum-of-negated", "%4 = loop i0 < N, i1 < N : [i0] += neg(mul(%0[i0], %1[i1])) : [N]"),
    ("factor-out", "%4 = loop i0 < N, i1 < N : [i0] += mul(%0[i0], %1[i1]) : [N]"),
    ("factor-out", "%4 = loop i0 < N, i1 < N : [i0] += div(3.0, %1[i1]) : [N]"),
    ("factor-out", "%4 = loop i0 < N : [] += mul(1e-20, %1[i0]) : []"),
    (
        "operand-first",
        "%4 = loop i0 < N, i1 < N, i2 < 4 : [i0, i1] += mul(mul(1e-20, mul(%0[i0], float({i2}))), mul(%1[i1], float({i2}))) : [N, N]",
    ),
    ("copy", "%4 = loop i0 < N : [i0] = %0[i0] : [N]\n%5 = loop i0 < N : [] += mul(%4[i0], %1[i0]) : []"),
    ("reshape", "%4 = reshape %0 : [N, 1]\n%5 = reshape %4 : [1, N]"),
    (
        "unused-carry",
        "%4 = loop : [] = 0.0 : []\n%5 = scan t0 < N (%4, %4; %0) {\n%0 = carry 0 : []\n%1 = carry 1 : []\n%2 = capture 0 : [N]\n\
                      %3 = loop : [] = add(%0[], %2[t0]) : []\n%4 = loop : [] = add(%1[], 1.0) : []\nout \"a\" = %3\nout \"b\" = %4\n}\n%6 = result 0 %5 : []",
    ),
    (
        "capture-fill",
        "%4 = loop : [] = 0.5 : []\n%5 = scan t0 < N (%4; %0, %4) {\n%0 = carry 0 : []\n%1 = capture 0 : [N]\n%2 = capture 1 : []\n\
                      %3 = loop : [] = add(mul(%2[], %0[]), %1[t0]) : []\nout \"a\" = %3\n}\n%6 = result 0 %5 : []",
    ),
    (
        "capture-view",
        "%4 = loop : [] = 0.5 : []\n%5 = loop i0 < N : [i0] = %0[-1*i0 + (N - 1)] : [N]\n\
                      %6 = scan t0 < N (%4; %5) {\n%0 = carry 0 : []\n%1 = capture 0 : [N]\n\
                      %2 = loop : [] = add(mul(0.5, %0[]), %1[t0]) : []\nout \"a\" = %2\n}\n%7 = result 0 %6 : []",
    ),
    (
        "collected-slice",
        "%4 = loop : [] = 0.5 : []\n%5 = scan t0 < N (%4; %0) {\n%0 = carry 0 : []\n%1 = capture 0 : [N]\n\
                         %2 = loop : [] = %1[t0] : []\n%3 = loop : [] = add(%0[], %2[]) : []\nout \"a\" = %3\nout \"b\" = %2\n}\n\
                         %6 = result 1 %5 : [N]",
    ),
    (
        "hoist",
        "%4 = loop : [] = 0.5 : []\n%5 = scan t0 < 3 (%4; %0) {\n%0 = carry 0 : []\n%1 = capture 0 : [N]\n\
               %2 = loop i0 < N : [] += exp(%1[i0]) : []\n%3 = loop : [] = add(%0[], %2[]) : []\nout \"a\" = %3\n}\n%6 = result 0 %5 : []",
    ),
];

/// The graph of a sample for `N` elements.
fn sample(written: &str) -> Graph {
    let body = if written.starts_with('%') && written.contains(" = ") {
        written.to_owned()
    } else {
        format!("%4 = loop i0 < N : [i0] = {} : [N]", with_reads(written))
    };
    let last = body.lines().rfind(|line| line.starts_with('%')).expect("a node");
    let (result, _) = last.split_once(' ').expect("a node has a name");
    let text = format!(
        "%0 = input \"x\" : [N]\n%1 = input \"y\" : [N]\n%2 = input \"n\" : int[N]\n%3 = input \"b\" : bool[N]\n\
         {body}\nout \"out\" = {result}\n"
    );
    let graph = text::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    if let Err(faults) = verify(&graph) {
        panic!("{}\n{text}", faults[0]);
    }
    graph
}

/// An expression with `x`, `y`, `n` and `b` as reads.
fn with_reads(expression: &str) -> String {
    let (mut written, mut word) = (String::new(), String::new());
    for letter in expression.chars().chain([' ']) {
        if letter.is_alphanumeric() {
            word.push(letter);
            continue;
        }
        let read = ["x", "y", "n", "b"].iter().position(|name| *name == word);
        written.push_str(&read.map_or_else(|| word.clone(), |at| format!("%{at}[i0]")));
        word.clear();
        written.push(letter);
    }
    written.trim_end().to_owned()
}

/// All pairs of extremes, or the first `count` of another series of pairs.
fn feed<F: Real>(count: Option<usize>) -> (Feed<F>, usize) {
    let extremes = extremes();
    let pairs: Vec<(f64, f64)> = match count {
        None => extremes.iter().flat_map(|x| extremes.iter().map(move |y| (*x, *y))).collect(),
        Some(count) => (0..count).map(|at| (extremes[at * 5 % 29], extremes[(at * 7 + 3) % 29])).collect(),
    };
    let float =
        |values: Vec<f64>| Tensor::floats(vec![values.len()], values.into_iter().map(F::from_f64).collect());
    let n = pairs.len();
    let mut feed = Feed::default();
    feed.inputs.insert("x".into(), float(pairs.iter().map(|pair| pair.0).collect()));
    feed.inputs.insert("y".into(), float(pairs.iter().map(|pair| pair.1).collect()));
    feed.inputs.insert("n".into(), Tensor::ints(vec![n], (0..n as i64).map(|at| at % 7 - 3).collect()));
    let bools = Data::Bool((0..n).map(|at| at % 3 == 0).collect());
    feed.inputs.insert("b".into(), Tensor { shape: vec![n], data: bools });
    (feed, n)
}

/// The graph with the derivatives of the sum of its output by `x` and `y`, where there are any.
fn with_derivatives(graph: &Graph) -> Graph {
    let mut graph = graph.clone();
    let of = graph.find_output("out").expect("there is an out");
    let inputs: Vec<NodeId> = graph
        .nodes()
        .filter(|(_, node)| matches!(&node.op, Op::Input { name, .. } if matches!(&*name.text(), "x" | "y")))
        .map(|(id, _)| id)
        .collect();
    if let Ok(found) = gradient(&mut graph, &[(of, None)], &inputs) {
        for (at, node) in found.into_iter().enumerate() {
            if let Some(node) = node {
                graph.output(format!("d{at}"), node);
            }
        }
    }
    graph
}

/// Whether two results are as close as the exactness of laws asks.
fn agree(a: f64, b: f64, exactness: Exactness, epsilon: f64, least: f64) -> bool {
    if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
        return true;
    }
    match exactness {
        Exactness::Exact => false,
        Exactness::ZeroSign => a == b,
        Exactness::Rounding | Exactness::Stable | Exactness::Reals => {
            (a - b).abs() <= epsilon * a.abs().max(b.abs()) + 2.0 * least
        }
    }
}

/// Compares a graph with what the laws make of it; gives how often each law was applied.
fn compare<F: Real>(graph: &Graph, count: Option<usize>, epsilon: f64, least: f64, what: &str) -> Vec<u32> {
    let (feed, n) = feed::<F>(count);
    let sizes: Sizes = [("N".into(), n.into())].into_iter().collect();
    let graph = specialise(graph, &sizes).expect("the sizes are numbers");
    let applied = Applied::new(Purpose::Run);
    let optimised = optimise_for(&graph, &applied);
    let counts = applied.counts();
    let exactness =
        LAWS.iter().zip(&counts).filter(|(_, count)| **count > 0).map(|(law, _)| law.exactness).max();
    let exactness = exactness.unwrap_or(Exactness::Exact);
    let wanted = evaluate(&graph, &feed).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    let found = evaluate(&optimised, &feed).unwrap_or_else(|error| panic!("{error}\n{optimised}"));
    for (name, wanted) in &wanted {
        for (at, (a, b)) in wanted.to_f64().into_iter().zip(found[name].to_f64()).enumerate() {
            assert!(
                agree(a, b, exactness, epsilon, least),
                "{what}, {name}[{at}]: {a:e} became {b:e} ({exactness:?})\n{graph}\n{optimised}"
            );
        }
    }
    counts
}

/// The law of each sample is applied, and value and derivative stay what they are on all pairs of extremes, on
/// one element and on none, in 32 and 64 bits. Laws of real numbers are not applied to what runs.
#[test]
fn laws_hold_on_extreme_numbers() {
    for (name, written) in SAMPLES {
        let law =
            LAWS.iter().position(|law| law.name == *name).unwrap_or_else(|| panic!("no law is `{name}`"));
        let graph = sample(written);
        let derived = with_derivatives(&graph);
        let is_large = written.contains("i1 < N") || written.contains("scan");
        let counts: &[Option<usize>] =
            if is_large { &[Some(29), Some(46), Some(1)] } else { &[None, Some(1), Some(2)] };
        let mut times = 0;
        for count in counts {
            for graph in [&graph, &derived] {
                let what = format!("{name} in {written}");
                times += compare::<f32>(graph, *count, 2e-6, f64::from(f32::from_bits(1)), &what)[law];
                times += compare::<f64>(graph, *count, 1e-13, f64::from_bits(1), &what)[law];
            }
        }
        let runs = LAWS[law].exactness <= Exactness::Rounding;
        assert_eq!(times > 0, runs, "`{name}` is applied {times} times to {written}\n{graph}");
        if LAWS[law].exactness == Exactness::Reals {
            let applied = Applied::new(Purpose::Read);
            optimise_for(&graph, &applied);
            assert!(applied.counts()[law] > 0, "`{name}` is not applied to be read: {written}");
        }
    }
}

#[test]
fn every_law_has_a_sample() {
    for law in LAWS {
        assert!(SAMPLES.iter().any(|(name, _)| *name == law.name), "{}", law.name);
        assert_eq!(LAWS.iter().filter(|other| other.name == law.name).count(), 1, "{}", law.name);
    }
}

/// Makes the output of a graph stable.
fn stabilise_output(graph: &mut Graph, of: NodeId) {
    let stable = stabilise(graph, &[of], &[]);
    graph.outputs[0].node = stable[0];
}

/// Of what is made stable before differentiating, value and derivative are finite for all finite numbers, and for
/// ordinary ones they are what they were.
#[test]
fn stable_laws_give_finite_values_and_derivatives() {
    let numbers =
        [0.0, 1e-30, -1e-30, 0.5, -0.5, 3.0, -3.0, 17.0, -17.0, 40.0, -40.0, 200.0, -200.0, 1e30, -1e30];
    let n = numbers.len();
    let names = LAWS.iter().filter(|law| law.exactness == Exactness::Stable).map(|law| law.name);
    for (name, written) in names.flat_map(|name| SAMPLES.iter().filter(move |(it, _)| *it == name)) {
        let plain = sample(written);
        let mut stable = plain.clone();
        let of = stable.find_output("out").expect("there is an out");
        stabilise_output(&mut stable, of);
        assert_ne!(stable.to_string(), plain.to_string(), "`{name}` is not applied to {written}");
        let sizes: Sizes = [("N".into(), n.into())].into_iter().collect();
        let special =
            |graph: &Graph| specialise(&with_derivatives(graph), &sizes).expect("the sizes are numbers");
        let (plain, stable) = (special(&plain), optimise(&special(&stable)));
        let (wide, narrow) =
            (evaluate(&plain, &given::<f64>(&numbers)), evaluate(&stable, &given::<f32>(&numbers)));
        let (wide, narrow) = (wide.expect("it runs"), narrow.expect("it runs"));
        for (output, wide) in &wide {
            for (at, (wide, narrow)) in wide.to_f64().into_iter().zip(narrow[output].to_f64()).enumerate() {
                assert!(narrow.is_finite(), "{name}, {output} at {}: {narrow}\n{stable}", numbers[at]);
                let close = (wide - narrow).abs() <= 2e-6 * wide.abs().max(1.0);
                let ordinary = numbers[at].abs() < 10.0;
                assert!(close || !ordinary, "{name}, {output} at {}: {wide} is {narrow}", numbers[at]);
            }
        }
    }
}

/// What was made stable is left alone, however often it is looked at again; and what is shown is made no larger by
/// looking at it in rounds.
#[test]
fn laws_end() {
    let endless = "%4 = loop i0 < N : [] += div(1.0, %1[i0]) : []";
    let stable = SAMPLES.iter().filter(|(name, _)| name.starts_with("log")).map(|(_, written)| *written);
    for written in stable.chain([endless]) {
        let mut graph = sample(written);
        let of = graph.find_output("out").expect("there is an out");
        stabilise_output(&mut graph, of);
        let once = graph.to_string();
        let of = graph.find_output("out").expect("there is an out");
        stabilise_output(&mut graph, of);
        assert_eq!(graph.to_string(), once, "{written}");
        for purpose in [Purpose::Run, Purpose::Read] {
            let applied = Applied::new(purpose);
            optimise_for(&with_derivatives(&sample(written)), &applied);
            let most = applied.counts().into_iter().sum::<u32>();
            assert!(!applied.is_exhausted() && most < 300, "{written}: {most} laws");
        }
    }
}

/// These numbers as `x` and their halves as `y`.
fn given<F: Real>(numbers: &[f64]) -> Feed<F> {
    let n = numbers.len();
    let floats = |values: Vec<f64>| Tensor::floats(vec![n], values.into_iter().map(F::from_f64).collect());
    let (mut given, _) = feed::<F>(Some(n));
    given.inputs.insert("x".into(), floats(numbers.to_vec()));
    given.inputs.insert("y".into(), floats(numbers.iter().map(|number| number / 2.0).collect()));
    given
}

/// Each law can be switched off, which changes no value either.
#[test]
fn laws_can_be_switched_off() {
    for law in LAWS {
        let (_, written) = SAMPLES.iter().find(|(name, _)| *name == law.name).expect("it has a sample");
        let (feed, n) = feed::<f64>(Some(29));
        let sizes: Sizes = [("N".into(), n.into())].into_iter().collect();
        let graph = specialise(&sample(written), &sizes).expect("the sizes are numbers");
        let applied = Applied::new(Purpose::Run).without(law.name).expect("it is a law");
        let optimised = optimise_for(&graph, &applied);
        let at = LAWS.iter().position(|it| it.name == law.name).expect("it is a law");
        assert_eq!(applied.counts()[at], 0, "{}", law.name);
        let (a, b) = (evaluate(&graph, &feed), evaluate(&optimised, &feed));
        let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) = (a.expect("it runs"), b.expect("it runs"));
        for (a, b) in a[&"out".into()].to_f64().into_iter().zip(b[&"out".into()].to_f64()) {
            assert!(agree(a, b, Exactness::Rounding, 1e-13, 0.0), "{}: {a} {b}", law.name);
        }
    }
    assert!(Applied::new(Purpose::Run).without("gravity").is_none());
}

/// A generator of small numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) as usize) % below
    }

    fn one_of<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(8) == 0 {
            return self
                .one_of(&[
                    "x", "y", "x", "y", "float(n)", "float(b)", "0.0", "-0.0", "1.0", "-1.0", "2.0", "1e-20",
                    "1e20", "-3.0",
                ])
                .into();
        }
        let mut inner = || self.expression(depth - 1);
        let (a, b, c) = (inner(), inner(), inner());
        match self.below(12) {
            0 | 1 => format!("add({a}, {b})"),
            2 | 3 => format!("sub({a}, {b})"),
            4..=6 => format!("mul({a}, {b})"),
            7 => format!("div({a}, {b})"),
            8 => format!("neg({a})"),
            9 => format!("{}({a})", self.one_of(&["exp", "log", "tanh", "sqrt"])),
            10 => format!("select(lt({a}, {b}), {c}, 0.0)"),
            _ => format!("select({}({a}, {b}), {b}, {c})", self.one_of(&["lt", "le", "eq"])),
        }
    }
}

/// Random expressions of extreme numbers, as they stand, in sums, and differentiated: the bits are the same, but for
/// the signs of zero sums.
#[test]
fn random_expressions_keep_their_values() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..1000 {
        let expression = random.expression(4);
        let read = with_reads(&expression);
        let samples = [
            expression.clone(),
            format!("%4 = loop i0 < N : [] += {read} : []"),
            format!(
                "%4 = loop i0 < N : [i0] = {read} : [N]\n%5 = loop i0 < N : [i0] = mul(%4[i0], %1[i0]) : [N]"
            ),
        ];
        for written in samples {
            let graph = sample(&written);
            for graph in [&graph, &with_derivatives(&graph)] {
                // What rounding has done may be made large by what comes after.
                let applied = Applied::new(Purpose::Run);
                let sizes: Sizes = [("N".into(), 120usize.into())].into_iter().collect();
                optimise_for(&specialise(graph, &sizes).expect("the sizes are numbers"), &applied);
                let mut rounding = LAWS.iter().zip(applied.counts());
                if rounding.any(|(law, count)| count > 0 && law.exactness == Exactness::Rounding) {
                    continue;
                }
                compare::<f32>(graph, Some(120), 0.0, 0.0, &written);
                compare::<f64>(graph, Some(120), 0.0, 0.0, &written);
            }
        }
    }
}
