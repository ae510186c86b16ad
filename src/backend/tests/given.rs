//! Results that are given as soon as they are finished.

use super::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The bytes of each result when it was given first, and the number of items that were done by then. Fails if one was
/// changed afterwards.
fn given(plan: &Plan, code: &dyn Code) -> BTreeMap<usize, usize> {
    let mut owned = tensors(plan);
    let mut bindings = bindings(plan, &mut owned);
    let mut workspace = code.workspace().unwrap();
    let done = RefCell::new(0);
    let seen: RefCell<BTreeMap<usize, (usize, Vec<u8>)>> = RefCell::default();
    let watch = |item: Option<usize>| *done.borrow_mut() += usize::from(item.is_some());
    let give = |external: usize, bytes: &[u8]| {
        seen.borrow_mut().entry(external).or_insert_with(|| (*done.borrow(), bytes.to_vec()));
    };
    let cx = RunContext { parallel: &Threads(2), watch: Some(&watch), results: Some(&give) };
    code.run(&mut workspace, &mut bindings, Series::once(Call { step: 3, seed: 7 }), cx).unwrap();
    for (external, (_, bytes)) in seen.borrow().iter() {
        let last: Vec<u8> = match &owned[*external] {
            Owned::F32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
            Owned::F64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
            Owned::I32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
            Owned::I64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
            Owned::Bool(values) => values.iter().map(|value| u8::from(*value)).collect(),
        };
        assert_eq!(*bytes, last, "`{}` was changed after it was given", plan.externals[*external].name);
    }
    seen.into_inner().into_iter().map(|(external, (items, _))| (external, items)).collect()
}

#[test]
fn results_are_given_when_they_are_finished() {
    let mut count = 0;
    for seed in 0..8 {
        let graph = plan::tests::some_graph(seed);
        for plan in [plan::plain(&graph, plan::Options::default()), plan::plan(&graph, plan::Options::default())] {
            let plan = plan.expect("the graph has a plan");
            count += given(&plan, &*compile(&plan, Options { profiled: true })).len();
        }
    }
    assert!(count > 8, "{count} results were given");
}

/// The results of a chain of products come one after another, not all in the end.
#[test]
fn results_of_a_chain_are_given_on_the_way() {
    let mut graph = Graph::new();
    let mut x = input(&mut graph, "x", Elem::Float, &[40, 40]);
    for layer in 0..4 {
        let w = input(&mut graph, &format!("w{layer}"), Elem::Float, &[40, 40]);
        let mut l = LoopBuilder::new(&graph, dims(&[40, 40, 40]));
        let (i, j, r) = (l.index(0), l.index(1), l.index(2));
        let (a, b) = (l.read(x, vec![i.clone(), r.clone()]), l.read(w, vec![r, j.clone()]));
        let product = l.binary(BinaryOp::Mul, a, b);
        let node = l.reduce(dims(&[40, 40]), vec![i, j], Combine::Add, product);
        x = graph.add_loop(node);
        graph.output(format!("y{layer}"), x);
    }
    let plan = plan::plan(&graph, plan::Options::default()).expect("the graph has a plan");
    let moments: Vec<usize> = given(&plan, &*compile(&plan, Options { profiled: true })).into_values().collect();
    assert_eq!(moments.len(), 4, "every result is given");
    assert!(moments.windows(2).all(|pair| pair[0] < pair[1]), "after {moments:?} items");
}
