//! The library as other programs call it: what it refuses.

use nnc::runtime::array::Array;
use nnc::runtime::program::Program;

const TWO: &str = "
model Net(x: [B, 2]) -> [B, 1] = x |> Linear(1)
model Open(x: [B, n]) -> [B, 1] = x |> Linear(1)
";

fn code(model: &str, inputs: &[&Array]) -> (&'static str, String) {
    let program = Program::from_source(TWO).expect("a correct program");
    let error = program.session().expect("a session").predict(model, inputs).expect_err("wrong inputs");
    (error.list[0].code, error.list[0].message.clone())
}

#[test]
fn predict_takes_what_the_model_declares() {
    let row = |n: usize| Array::floats(&[1, n], &vec![0.5; n]).expect("as many numbers as elements");
    assert_eq!(code("Nett", &[&row(2)]), ("E0731", "there is no model `Nett`".into()));
    assert_eq!(code("Net", &[]), ("E0731", "`Net` has 1 inputs, 0 are given".into()));
    assert_eq!(
        code("Net", &[&row(3)]),
        ("E0731", "the input `x` of `Net` is [B, 2], but [1, 3] is given".into())
    );
    let open = "a size of `Open` is open: nothing in the program calls it";
    assert_eq!(code("Open", &[&row(2)]), ("E0731", open.into()));
}
