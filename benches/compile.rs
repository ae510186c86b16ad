//! How long each stage of the compiler takes: `cargo bench --bench compile [FILTER]`.
//!
//! A filter is part of a name such as `plan/gpt`. All stages get what the stage before them made.

use std::fs;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nnc::base::{Diagnostic, SourceMap};
use nnc::compile::{differentiate, parts, sizes};
use nnc::grad::gradient;
use nnc::ir::{Graph, NodeId, Op, compact, specialise};
use nnc::opt::optimise;
use nnc::plan::{self, plan};
use nnc::runtime::program::Files;
use nnc::{backend, loops, sema, syntax};

/// From the smallest to the one with most layers.
const PROGRAMS: [&str; 4] = ["xor", "lenet5", "lstm", "gpt"];

fn stages(criterion: &mut Criterion) {
    for name in PROGRAMS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(name).with_extension("nn");
        let text = fs::read_to_string(&path).expect("the program is there");
        let mut sources = SourceMap::default();
        let file = sources.add(name, text.as_str());
        time(criterion, &format!("parse/{name}"), || (), |()| syntax::parse(file, &text));
        let (tree, _) = syntax::parse(file, &text);

        // Names, shapes, the library.
        let given = || (sources.clone(), tree.clone());
        time(criterion, &format!("check/{name}"), given, |(mut sources, tree)| {
            (sema::check(&mut sources, tree, &mut Files::default()), sources)
        });
        let checked = sema::check(&mut sources, tree, &mut Files::default());
        let mut diagnostics = checked.diagnostics;
        let forward_program = || checked.program.clone();
        time(criterion, &format!("differentiate/{name}"), forward_program, |program| {
            differentiate(program, &mut diagnostics)
        });
        let program = differentiate(checked.program.clone(), &mut diagnostics);
        assert!(!diagnostics.iter().any(Diagnostic::is_error), "the program is right");

        let part = &parts(&program)[0];
        let (forward, loss, params) = forward(part.graph);
        time(
            criterion,
            &format!("grad/{name}"),
            || forward.clone(),
            |mut graph| {
                let gradients = gradient(&mut graph, &[(loss, None)], &params).expect("a derivative");
                (gradients, graph)
            },
        );

        let sizes = sizes(part, &program);
        let specialised = || specialise(part.graph, &sizes).expect("sizes that fit");
        time(criterion, &format!("specialise/{name}"), || (), |()| specialised());
        let fixed = specialised();
        time(criterion, &format!("opt/{name}"), || (), |()| optimise(&fixed));
        let simple = optimise(&fixed);
        let planned = || plan(&simple, plan::Options::default()).expect("a plan");
        time(criterion, &format!("plan/{name}"), || (), |()| planned());
        let planned = planned();
        let target = backend::best().target(planned.precision);
        let lowered = || loops::lower(&planned, loops::Options::of(target)).expect("loops");
        time(criterion, &format!("loops/{name}"), || (), |()| lowered());
        let module = lowered();
        let compiled = || backend::best().compile(&module, backend::Options::default()).expect("code");
        time(criterion, &format!("code/{name}"), || (), |()| compiled());
    }
}

/// Times `work` on what `given` makes anew for it. Neither that nor the end of what is made counts.
fn time<I, O>(criterion: &mut Criterion, name: &str, given: impl FnMut() -> I, work: impl FnMut(I) -> O) {
    let (mut given, mut work) = (given, work);
    criterion.bench_function(name, |bench| bench.iter_batched(&mut given, &mut work, BatchSize::LargeInput));
}

/// The part of a step that its loss needs, the loss, and the parameters in it.
fn forward(step: &Graph) -> (Graph, NodeId, Vec<NodeId>) {
    let mut graph = step.clone();
    graph.outputs.retain(|output| output.name == "loss:0".into());
    let graph = compact(&graph);
    let loss = graph.find_output("loss:0").expect("a loss");
    let is_param = |id: &NodeId| matches!(graph[*id].op, Op::Param { .. });
    let params = graph.nodes().map(|(id, _)| id).filter(is_param).collect();
    (graph, loss, params)
}

criterion_group!(benches, stages);
criterion_main!(benches);
