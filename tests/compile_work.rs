//! The work of the compiler grows as the program does: allocations are counted, which do not depend on the computer.
//! In a file of its own, since allocations of all threads are counted.

use nnc::runtime::kernels::allocations::{Counting, count, counted};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A training of a network of so many layers, no two of the same width.
fn network(layers: usize) -> String {
    let widths = |from: usize| (from..from + layers).map(|width| format!(" |> Linear({width}) |> tanh"));
    let body: String = widths(3).collect();
    format!(
        "data d {{\n    rows = 4\n    x: [2] = uniform(-1, 1)\n    y: [1] = x[0]\n}}\n\
         model Net(x: [B, 2]) -> [B, 1] {{ x{body} |> Linear(1) }}\n\
         train {{\n    data = d\n    minimize mse(Net(x), y) with Adam(lr = 1e-3)\n    batch = 4\n    epochs = 1\n}}\n"
    )
}

/// Allocations from the text to the first step.
fn allocations(layers: usize) -> u64 {
    let text = network(layers);
    let before = counted();
    count(true);
    let program = nnc::compile(&text).expect("a correct program");
    let mut session = program.session().expect("a session");
    session.train(&mut nnc::Silent).expect("it trains");
    count(false);
    counted() - before
}

#[test]
fn twice_as_many_layers_are_twice_as_much_work() {
    // What is made once in a process is not counted.
    allocations(1);
    let [few, many] = [8, 16].map(allocations);
    println!("allocations: {few} for 8 layers, {many} for 16");
    assert!(many < few * 9 / 4, "{many} allocations for twice as many layers as {few} were enough for");
}
