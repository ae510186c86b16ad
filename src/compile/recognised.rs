//! What the loops of the library's layers are recognised as, before any size of the batch is known. The recognisers
//! know subscripts and no layers, so this says that the library is written in forms that they see.

use super::pipeline::{self, Front, PassId, Whole};
use super::Timings;
use crate::base::SourceMap;
use crate::ir::recognise::{Kind, recognise};
use crate::ir::{Graph, Op};
use crate::opt;
use crate::sema::NoImports;
use crate::syntax::ast;

/// The kinds of the loops of a graph that are more than maps, in order.
fn kinds(graph: &Graph) -> Vec<String> {
    let word = |kind: Kind| match kind {
        Kind::Map => None,
        Kind::Reduction => Some("reduction".to_owned()),
        Kind::Contraction(_) => Some("contraction".to_owned()),
        Kind::Window(window) => {
            let what = match (&window.product, window.is_depthwise()) {
                (Some(_), true) => "depthwise",
                (Some(_), false) => "convolution",
                (None, _) => "pool",
            };
            let way = if window.is_transposed { "transposed " } else { "" };
            Some(format!("{way}{what} along {}", window.slides.len()))
        }
        Kind::Gather(_) => Some("gather".to_owned()),
        Kind::Scatter(_) => Some("scatter".to_owned()),
        Kind::General => Some("general".to_owned()),
    };
    let mut kinds = Vec::new();
    for (_, node) in graph.nodes() {
        match &node.op {
            Op::Loop(body) => kinds.extend(word(recognise(body))),
            Op::Scan(scan) => kinds.extend(self::kinds(&scan.body)),
            _ => {}
        }
    }
    kinds
}

/// The kinds in a model with one layer, whose batch is symbolic, as the checker hands it over and optimised.
fn check(input: &str, layer: &str, wanted: &[&str]) {
    let text = format!("model M(x: {input}) {{ x |> {layer} }}\n");
    let mut sources = SourceMap::default();
    let file = sources.add("layer.nn", text.clone());
    let adjust = &mut |_: &mut SourceMap, _: &mut ast::File| Vec::new();
    let diagnostics = Vec::new();
    let mut front = Front { sources: &mut sources, loader: &mut NoImports, adjust, diagnostics };
    let whole = pipeline::program(Whole::Text(file), PassId::Check, &mut front, &Timings::default());
    assert!(front.diagnostics.is_empty(), "{text}: {:?}", front.diagnostics);
    let Whole::Forward(program) = whole else { panic!("no program") };
    let graph = program.models[0].forward.as_ref().expect("the graph of a model whose input has a shape");
    assert_eq!(kinds(&opt::optimise(graph)), wanted, "{text}{}", opt::optimise(graph));
}

#[test]
fn layers_are_recognised_with_an_open_batch() {
    check("[B, 8]", "Linear(4)", &["contraction"]);
    check("[B, 8]", "Linear(1)", &["contraction"]);
    check("[B, 7, 8]", "Linear(4)", &["contraction"]);
    check("[B, 3, 20]", "Conv1d(6, 5)", &["convolution along 1"]);
    check("[B, 3, 20, 20]", "Conv2d(6, 3, stride = 2, padding = 1)", &["convolution along 2"]);
    check("[B, 3, 20, 20]", "Conv2d(6, 1)", &["contraction"]);
    check("[B, 4, 20, 20]", "Conv2d(4, 3, groups = 4)", &["depthwise along 2"]);
    check("[B, 4, 20, 20]", "Conv2d(8, 3, groups = 2)", &["convolution along 2"]);
    check("[B, 3, 9, 9, 9]", "Conv3d(6, 3)", &["convolution along 3"]);
    check("[B, 3, 10]", "ConvTranspose1d(6, 4, stride = 2)", &["transposed convolution along 1"]);
    check("[B, 3, 10, 10]", "ConvTranspose2d(6, 4, stride = 2)", &["transposed convolution along 2"]);
    check("[B, 3, 20, 20]", "MaxPool2d(2)", &["pool along 2"]);
    check("[B, 3, 20, 20]", "AvgPool2d(2)", &["pool along 2"]);
    check("[B, 3, 20, 20]", "GlobalAvgPool2d()", &["reduction"]);
    check("int[B, 7]", "Embedding(30, 8)", &["gather"]);
    check("[B, 7, 8]", "LayerNorm()", &["reduction", "reduction"]);
    check("[B, 7, 8]", "softmax", &["reduction", "reduction"]);
}
