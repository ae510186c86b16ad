//! The work of the compiler grows as the program does: allocations are counted, which do not depend on the computer.
//! In a file of its own, since allocations of all threads are counted.

use nnc::runtime::kernels::allocations::{Counting, count, counted};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A training of a network of so many layers. They are equal and share their code, since how much code a layer takes
/// depends on its width; all that comes before code is made for each of them.
fn network(layers: usize) -> String {
    let body = " |> Linear(16) |> tanh".repeat(layers);
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
fn each_further_layer_is_as_much_work() {
    // What is made once in a process is not counted.
    allocations(1);
    let [few, more, many] = [10, 20, 40].map(allocations);
    println!("allocations: {few} for 10 layers, {more} for 20, {many} for 40");
    // The last 20 layers are twice the work of the 10 before; what grows with the square would make them four times.
    assert!(
        many - more < (more - few) * 5 / 2,
        "{few} allocations for 10 layers, {more} for 20, {many} for 40"
    );
}
