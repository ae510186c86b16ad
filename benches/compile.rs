//! How long each stage of the compiler takes: `cargo bench --bench compile [FILTER]`.
//!
//! A filter is part of a name such as `plan/gpt`. All stages get what the stage before them made.

use std::fs;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nnc::base::{Diagnostics, SourceMap};
use nnc::compile::{Timings, check, parts, sizes};
use nnc::grad::gradient;
use nnc::ir::program::Program;
use nnc::ir::{Graph, NodeId, Op, compact, specialise};
use nnc::jit::{Executable, Options};
use nnc::loops::lower;
use nnc::opt::optimise;
use nnc::plan::{self, plan};
use nnc::runtime::program::Files;
use nnc::syntax;

/// From the smallest to the one with most layers.
const PROGRAMS: [&str; 4] = ["xor", "lenet5", "lstm", "gpt"];

fn stages(criterion: &mut Criterion) {
    for name in PROGRAMS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(name).with_extension("nn");
        let text = fs::read_to_string(&path).expect("the program is there");
        criterion.bench_function(&format!("parse/{name}"), |bench| {
            let file = SourceMap::default().add(name, text.as_str());
            bench.iter(|| syntax::parse(file, &text));
        });
        criterion.bench_function(&format!("check/{name}"), |bench| bench.iter(|| program(name, &text)));

        let program = program(name, &text);
        let part = &parts(&program)[0];
        let (forward, loss, params) = forward(part.graph);
        criterion.bench_function(&format!("grad/{name}"), |bench| {
            let differentiate =
                |mut graph: Graph| gradient(&mut graph, &[(loss, None)], &params).expect("a derivative");
            bench.iter_batched(|| forward.clone(), differentiate, BatchSize::LargeInput);
        });

        let fixed = specialise(part.graph, &sizes(part, &program)).expect("sizes that fit");
        criterion.bench_function(&format!("opt/{name}"), |bench| bench.iter(|| optimise(&fixed)));
        let simple = optimise(&fixed);
        let planned = plan(&simple, plan::Options::default()).expect("a plan");
        criterion.bench_function(&format!("plan/{name}"), |bench| {
            bench.iter(|| plan(&simple, plan::Options::default()));
        });
        let options = Options::default();
        let module = lower(&planned, options.target.lanes()).expect("loops");
        criterion.bench_function(&format!("loops/{name}"), |bench| {
            bench.iter(|| lower(&planned, options.target.lanes()));
        });
        criterion.bench_function(&format!("code/{name}"), |bench| {
            bench.iter(|| Executable::from_module(&module, &planned.externals, options));
        });
    }
}

/// Parsed, checked, differentiated.
fn program(name: &str, text: &str) -> Program {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let as_it_is = &mut |_: &mut SourceMap, _: &mut syntax::ast::File| Diagnostics::new();
    let (program, _) = check(&mut sources, file, &mut Files, as_it_is, &Timings::default());
    program.expect("the program is right")
}

/// The part of a step that its loss needs, the loss, and the parameters in it.
fn forward(step: &Graph) -> (Graph, NodeId, Vec<NodeId>) {
    let mut graph = step.clone();
    graph.outputs.retain(|output| &*output.name == "loss:0");
    let graph = compact(&graph);
    let loss = graph.find_output("loss:0").expect("a loss");
    let is_param = |id: &NodeId| matches!(graph[*id].op, Op::Param { .. });
    let params = graph.nodes().map(|(id, _)| id).filter(is_param).collect();
    (graph, loss, params)
}

criterion_group!(benches, stages);
criterion_main!(benches);
