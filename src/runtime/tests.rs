//! The driver on a program made by hand: a line through points.

use std::sync::Arc;
use std::time::Duration;

use super::array::{Array, Elements};
use super::events::{EpochReport, Event, Observer, Reason, Silent};
use super::program::{Program, Texts};
use crate::base::Span;
use crate::grad::gradient;
use crate::ir::program::{
    self as checked, Action, BATCH, DataRef, DataSet, Expect, Field, Length, Line, Metric, Part, PrintPart,
    Step, Train, Variable,
};
use crate::ir::{BinaryOp, Combine, Const, Dim, Elem, Graph, LoopBuilder, NodeId, Op, Type};

/// `y = 3 x` at x = 0 … 9; loss mean((w x - y)²), plain gradient descent.
fn line(length: Length, rate: f64) -> checked::Program {
    let scalar = Type::scalar(Elem::Float);
    let variable = Variable { path: "w".into(), ty: scalar.clone(), frozen: false, span: Span::NONE };
    let mut init = Graph::new();
    let half = init.fill(0.5, vec![]);
    init.output("w", half);
    let data = DataRef { set: "points".into(), part: None };
    let train = Train {
        span: Span::NONE,
        data: DataRef { part: Some("train".into()), ..data.clone() },
        validate: Some(DataRef { part: Some("test".into()), ..data.clone() }),
        companions: Vec::new(),
        batch: 4,
        batch_span: None,
        shards: None,
        length,
        seed: 0,
        shuffle: true,
        patience: None,
        judged: checked::Judged::default(),
        keep_best: false,
        validate_every: None,
        accumulate: None,
        plateau: None,
        frozen: Vec::new(),
        init: None,
        anew: false,
        intervals: Vec::new(),
        advice: Vec::new(),
        evaluate: Some(evaluate()),
        lines: vec![Line {
            declared: Vec::new(),
            span: Span::NONE,
            loss_span: Span::NONE,
            forward: Graph::new(),
            loss: NodeId(0),
            values: Vec::new(),
            over: vec!["w".into()],
            clips: Vec::new(),
            update: Graph::new(),
        }],
        metrics: vec![Metric { name: "count".into(), span: Span::NONE, whole: Some(count()) }],
        step: Step { graph: step(rate), trained: vec![vec!["w".into()]], ..Step::default() },
        answers: Vec::new(),
        fields: vec!["x".into(), "y".into()],
    };
    let expect = Expect {
        span: Span::NONE,
        graph: holds(),
        condition: "w > 2".into(),
        message: vec![PrintPart::Text("w is ".into()), PrintPart::Value("left".into())],
    };
    checked::Program {
        params: vec![variable],
        init,
        data: vec![points()],
        actions: vec![Action::Train(Box::new(train)), Action::Expect(expect)],
        ..checked::Program::default()
    }
}

fn points() -> DataSet {
    let mut graph = Graph::new();
    let x = graph.constant(Const::floats(vec![10], (0..10).map(f64::from)));
    let three = graph.map(&[x], |l, x| {
        let three = l.float(3.0);
        l.binary(BinaryOp::Mul, three, x[0])
    });
    graph.output("x", x);
    graph.output("y", three);
    let field = |name: &str| Field {
        name: name.into(),
        row: Type::scalar(Elem::Float),
        bounds: vec![],
        reach: 0,
        span: Span::NONE,
    };
    DataSet {
        name: "points".into(),
        span: Span::NONE,
        source: checked::Source::None,
        rows: Some(10),
        columns: vec![],
        graph,
        fields: vec![field("x"), field("y")],
        parts: vec![Part { name: "train".into(), share: 0.8 }, Part { name: "test".into(), share: 0.2 }],
        in_order: true,
        division: checked::Division::default(),
        windows: None,
        seed: 0,
    }
}

fn loss(graph: &mut Graph) -> (NodeId, NodeId, NodeId) {
    let batch = Dim::symbol(BATCH);
    let column = Type::new(Elem::Float, vec![batch.clone()]);
    let x = graph.add(Op::Input { name: "x".into(), ty: column.clone() }, vec![]);
    let y = graph.add(Op::Input { name: "y".into(), ty: column }, vec![]);
    let w = graph.add(Op::Param { path: "w".into(), ty: Type::scalar(Elem::Float) }, vec![]);
    let mut l = LoopBuilder::new(graph, vec![batch.clone()]);
    let i = l.index(0);
    let (x, y_value, weight) = (l.read(x, vec![i.clone()]), l.read(y, vec![i]), l.read(w, vec![]));
    let product = l.binary(BinaryOp::Mul, weight, x);
    let error = l.binary(BinaryOp::Sub, product, y_value);
    let square = l.binary(BinaryOp::Mul, error, error);
    let rows = l.size(&batch);
    let rows = l.to_float(rows);
    let term = l.binary(BinaryOp::Div, square, rows);
    let sum = l.reduce(vec![], vec![], Combine::Add, term);
    (graph.add_loop(sum), w, y)
}

fn step(rate: f64) -> Graph {
    let mut graph = Graph::new();
    let (loss, w, y) = loss(&mut graph);
    let slope = gradient(&mut graph, &[(loss, None)], &[w]).unwrap()[0].unwrap();
    let new = graph.map(&[w, slope], |l, reads| {
        let rate = l.float(rate);
        let change = l.binary(BinaryOp::Mul, rate, reads[1]);
        l.binary(BinaryOp::Sub, reads[0], change)
    });
    graph.output("loss:0", loss);
    graph.output("whole:count:0", y);
    graph.output("param:w", new);
    graph
}

fn evaluate() -> Graph {
    let mut graph = Graph::new();
    let (loss, _, y) = loss(&mut graph);
    graph.output("loss:0", loss);
    graph.output("whole:count:0", y);
    graph
}

/// The number of rows.
fn count() -> Graph {
    let mut graph = Graph::new();
    let rows = Dim::symbol("rows");
    graph.add(Op::Input { name: "0".into(), ty: Type::new(Elem::Float, vec![rows.clone()]) }, vec![]);
    let mut l = LoopBuilder::new(&graph, vec![]);
    let value = l.size(&rows);
    let value = l.to_float(value);
    let value = l.map(value);
    let value = graph.add_loop(value);
    graph.output("value", value);
    graph
}

fn holds() -> Graph {
    let mut graph = Graph::new();
    let w = graph.add(Op::Param { path: "w".into(), ty: Type::scalar(Elem::Float) }, vec![]);
    let holds = graph.map(&[w], |l, w| {
        let two = l.float(2.0);
        l.binary(BinaryOp::Lt, two, w[0])
    });
    graph.output("holds", holds);
    graph.output("left", w);
    graph
}

fn program(length: Length, rate: f64) -> Program {
    Program::from_checked(line(length, rate), Texts::default(), Arc::default(), Duration::ZERO)
}

#[derive(Default)]
struct Log {
    epochs: Vec<EpochReport>,
    steps: Vec<u64>,
    stop_after: Option<usize>,
}

impl Observer for Log {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Epoch(report) => self.epochs.push((*report).clone()),
            Event::Step(report) => self.steps.push(report.step),
            _ => {}
        }
    }
    fn every(&self) -> Option<u64> {
        Some(3)
    }
    fn stop(&mut self) -> bool {
        self.stop_after.is_some_and(|after| self.epochs.len() >= after)
    }
}

#[test]
fn trains_evaluates_and_checks() {
    let mut session = program(Length::Epochs(30), 0.01).session().unwrap();
    let mut log = Log::default();
    session.run(&mut log).unwrap();
    assert_eq!(log.epochs.len(), 30);
    assert_eq!(log.steps, (1..=20).map(|at| at * 3).collect::<Vec<u64>>());
    let last = log.epochs.last().unwrap();
    assert!(last.train.losses[0] < 1e-6, "{last:?}");
    assert_eq!(last.train.metrics, [("count".into(), 8.0)]);
    assert_eq!(last.validation.as_ref().unwrap().metrics[0].1, 2.0);
    let Elements::F32(w) = session.parameter("w").unwrap().elements() else { panic!() };
    assert!((w[0] - 3.0).abs() < 1e-3);
    assert!(session.evaluate("points").unwrap().losses[0] < 1e-6);
    assert_eq!(session.evaluate("point").unwrap_err()[0].code, "E0728");
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let run = |threads: usize| {
        let mut session = program(Length::Steps(17), 0.01).session().unwrap();
        session.set_threads(threads);
        session.run(&mut Silent).map_err(|error| error.to_string()).unwrap();
        session.parameter("w").unwrap().clone()
    };
    assert!(run(1) == run(2) && run(2) == run(3));
}

#[test]
fn a_loss_that_is_not_finite_stops_with_its_step() {
    let mut session = program(Length::Epochs(1000), 10.0).session().unwrap();
    let error = session.run(&mut Silent).unwrap_err();
    assert_eq!(error[0].code, "E0723");
    assert!(error[0].message.contains("in step"), "{error}");
    assert!(!error[0].notes.is_empty(), "{error}");
}

#[test]
fn an_expect_that_fails_shows_both_sides() {
    let mut session = program(Length::Steps(0), 0.01).session().unwrap();
    session.run(&mut Silent).unwrap_err();
    session.set_parameter("w", &Array::floats(&[], &[1.5]).unwrap()).unwrap();
    let error = session.run(&mut Silent).unwrap_err();
    assert_eq!((error[0].code, error[0].message.as_str()), ("E0724", "not as expected: w is 1.5"));
}

#[test]
fn an_observer_may_stop_training() {
    let mut session = program(Length::Epochs(30), 0.01).session().unwrap();
    let mut log = Log { stop_after: Some(5), ..Log::default() };
    let trained = session.train(&mut log).unwrap().unwrap();
    assert_eq!((trained.reason, trained.epochs), (Reason::Stopped, 6));
}
