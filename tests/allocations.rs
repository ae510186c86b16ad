//! A prediction into tensors that are there allocates nothing. In a file of its own, since allocations of all threads
//! are counted.

use nnc::Tensor;
use nnc::runtime::kernels::allocations::{Counting, count, counted};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NET: &str = "model Net(x: [B, 64]) -> [B, 10] { x |> Linear(128) |> relu |> Linear(10) }";

#[test]
fn a_prediction_into_tensors_allocates_nothing() {
    let session = nnc::compile(NET).expect("a correct program").session().expect("a session");
    let x = Tensor::floats(&[32, 64], &[0.5; 2048]).expect("64 numbers a row");
    let mut into = session.predict("Net", &[&x]).expect("results");
    let expected = into.clone();
    into[0] = Tensor::floats(&[32, 10], &[0.0; 320]).expect("10 numbers a row");
    // The first calls make room for all that follow.
    session.predict_into("Net", &[&x], &mut into).expect("results");
    // What a call allocates is in every round; what a thread of the pool takes when it begins to work is in one,
    // which on a busy computer comes late.
    let rounds = (0..20).map(|_| {
        let before = counted();
        count(true);
        for _ in 0..100 {
            session.predict_into("Net", &[&x], &mut into).expect("results");
        }
        count(false);
        counted() - before
    });
    assert_eq!(rounds.min(), Some(0));
    assert_eq!(into, expected);
}
