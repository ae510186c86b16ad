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

#[test]
fn ints_of_inputs_are_checked() {
    let source = "model Net(ids: int[B, 2]) -> [B, 2, 3] = ids |> Embedding(5, 3)\n\
        model Named(kind: class(4)) -> [] = float(kind)\n";
    let program = Program::from_source(source).expect("a correct program");
    let mut session = program.session().expect("a session");
    let ids = |ids: &[i32]| Array::ints(&[1, 2], ids).expect("as many numbers as elements");
    assert_eq!(session.predict("Net", &[&ids(&[0, 4])]).expect("a result")[0].shape(), [1, 2, 3]);
    for wrong in [[0, 5], [-1, 0], [i32::MAX, 0]] {
        let error = session.predict("Net", &[&ids(&wrong)]).expect_err("no such row");
        assert_eq!(error.list[0].code, "E0731");
        assert!(error.list[0].message.contains("must lie in 0..5"), "{error}");
    }
    let kind = Array::ints(&[], &[4]).expect("a number");
    assert!(session.predict("Named", &[&kind]).is_err());
}

const XOR: &str = "
model Xor(x: [B, 2]) -> [B, 1] { x |> Linear(8) |> tanh |> Linear(1) }
data xor {
    x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    y = [[0], [1], [1], [0]]
}
train {
    data     = xor
    minimize binary_cross_entropy(Xor(x), y) with SGD(lr = 1.0)
    validate = xor
    batch    = 4
    epochs   = 300
}
";

#[test]
fn sessions_share_a_program_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let program = nnc::compile(XOR).expect("a correct program");
    shared(&program);
    let x = Array::floats(&[4, 2], &[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]).expect("4 times 2 numbers");
    let learn = || {
        let mut session = program.session().expect("a session");
        let before = session.predict("Xor", &[&x]).expect("results");
        let trained = session.train(&mut nnc::Silent).expect("it trains").expect("a train");
        let loss = session.evaluate("xor").expect("scores").loss();
        let row = Array::floats(&[1, 2], &[0.0, 1.0]).expect("2 numbers");
        let (all, one) = (
            session.predict("Xor", &[&x]).expect("results"),
            session.predict("Xor", &[&row]).expect("a result"),
        );
        assert!(before != all && all[0].to_f32()[1].to_bits() == one[0].to_f32()[0].to_bits());
        (all, trained.last.losses[0].to_bits(), loss.to_bits())
    };
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(learn)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert!(results[0] == results[1] && results[1] == results[2]);
}
