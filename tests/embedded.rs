//! The library as a program embeds it, with nothing of the computer: `cargo test --no-default-features --test embedded`
//! tries it without machine code, files and clock.

use std::path::Path;

use nnc::{Event, Given, MemoryWorld, Observer, Options, Tensor, World};

const SPIRAL: &str = "
import \"layers.nn\"

model Net(x: [B, 2]) -> [B, 2] = x |> Hidden(16) |> Linear(2)

data points = csv(\"points.csv\") {
    x: [2] = standardize(columns(\"a\", \"b\"))
    y: class(2) = column(\"kind\")
    split train = 0.8, test = 0.2
}

train {
    data     = points.train
    minimize cross_entropy(Net(x), y) with Adam(lr = 0.02)
    measure  accuracy(Net(x), y)
    validate = points.test
    batch    = 8
    epochs   = 40
}

expect accuracy(Net(points.test.x), points.test.y) > 0.9, \"it has learnt\"
print \"{points.rows} rows\"
";

const LAYERS: &str = "layer Hidden(k)(x: [B, n]) -> [B, k] { x |> Linear(k) |> tanh }\n";

fn world() -> MemoryWorld {
    let rows = (0..100).map(|row| {
        let (a, b) = ((row % 10) as f32, (row / 10) as f32);
        format!("{a},{b},{}\n", if a + b > 9.0 { "far" } else { "near" })
    });
    let table = format!("a,b,kind\n{}", rows.collect::<String>());
    MemoryWorld::new().with("net/layers.nn", LAYERS).with("net/points.csv", table).with("net/main.nn", SPIRAL)
}

#[derive(Default)]
struct Log(Vec<String>);

impl Observer for Log {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Print(text) => self.0.push((*text).to_owned()),
            Event::Epoch(report) => assert!(report.seconds >= 0.0 && report.train.loss().is_finite()),
            _ => {}
        }
    }
}

#[test]
fn a_program_in_memory_is_checked_trained_and_saved() {
    let world = std::sync::Arc::new(world());
    let options = Options::new().shared_world(world.clone());
    let program = nnc::compile_file_with("net/main.nn", &options).expect("a correct program");
    let mut session = program.session().expect("a session");
    let mut log = Log::default();
    session.run(&mut log).expect("it trains");
    assert_eq!(log.0, ["100 rows"]);
    session.save(Path::new("net/learnt.safetensors")).expect("room in memory");
    assert!(world.list(Path::new("net")).expect("a folder").iter().any(|it| it.name == "learnt.safetensors"));
    let mut again = program.session().expect("a session");
    again.load(Path::new("net/learnt.safetensors"), "", &mut nnc::Silent).expect("what was saved");
    let x = Tensor::floats(&[1, 2], &[1.0, 1.0]).expect("2 numbers");
    let results = session.predict("Net", &[&x]).expect("scores");
    assert_eq!(results, again.predict("Net", &[&x]).expect("scores"));
}

#[test]
fn rows_of_the_host_are_learnt_from() {
    let source = "
model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)
data points {
    x: [1]
    y: [1]
}
train {
    data     = points
    minimize mse(Line(x), y) with SGD(lr = 0.1)
    batch    = 4
    epochs   = 100
}
";
    let program = nnc::compile_with(source, &Options::new().world(MemoryWorld::new())).expect("correct");
    let x = Tensor::from(vec![0.0f32, 1.0, 2.0, 3.0]);
    let y = Tensor::from(vec![1.0f32, 3.0, 5.0, 7.0]);
    let mut session = program
        .session_with(Given::new().data("points", [("x", x.clone()), ("y", y)]))
        .expect("rows that fit");
    session.train(&mut nnc::Silent).expect("it trains");
    let four = Tensor::floats(&[1, 1], &[4.0]).expect("a number");
    let nine = session.predict("Line", &[&four]).expect("a result")[0].number(0);
    assert!((nine - 9.0).abs() < 0.1, "{nine}");
}

#[test]
fn programs_are_formatted_derived_and_refused() {
    assert_eq!(nnc::format("print    1 + 1").expect("correct"), "print 1 + 1\n");
    assert!(nnc::format("print (").is_err());
    let options = Options::new().shared_world(std::sync::Arc::new(world())).folder("net").name("net/main.nn");
    let program = nnc::compile_with(SPIRAL, &options).expect("a correct program");
    let derivation = program.derive().expect("a derivative");
    assert!(derivation.contains("cross_entropy(Net(x), y)"), "{derivation}");
    let error = nnc::compile_with("print [1, 2] + [1, 2, 3]", &options).expect_err("shapes that do not fit");
    assert!(error[0].is_error());
    let error = nnc::compile_file_with("net/mian.nn", &options).expect_err("no such file");
    assert_eq!((error[0].code, &*error[0].helps[0].message), ("E0701", "there is `net/main.nn`"));
    // As deep as the stack is, and not deeper.
    for depth in [30, 1000, 100_000] {
        let source = format!("print {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(nnc::compile_with(&source, &options).is_ok(), depth == 30);
        let source = format!("print {}1", "if true then 1 else ".repeat(depth));
        assert_eq!(nnc::compile_with(&source, &options).is_ok(), depth == 30);
    }
}
