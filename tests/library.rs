//! The library as other programs call it: what it refuses.

use nnc::Given;
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
    let session = program.session().expect("a session");
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

const GIVEN: &str = "
model Net(x: [B, 2]) -> [B, 3] { x |> Linear(8) |> tanh |> Linear(3) }
data points {
    x: [2]
    y: class(3)
    scaled = (x - mean(points.x)) / 2
    split train = 0.75, test = 0.25
}
train {
    data     = points.train
    minimize cross_entropy(Net(scaled), y) with SGD(lr = 0.5)
    validate = points.test
    batch    = 8
    epochs   = 20
}
";

fn points(rows: usize) -> [(&'static str, Array); 2] {
    let at = |row: usize| [(row % 3) as f32, (row % 5) as f32 - 2.0];
    let x: Vec<f32> = (0..rows).flat_map(at).collect();
    let y: Vec<i32> = (0..rows).map(|row| (row % 3) as i32).collect();
    let tensors = (Array::floats(&[rows, 2], &x), Array::ints(&[rows], &y));
    [("x", tensors.0.expect("2 numbers a row")), ("y", tensors.1.expect("a number a row"))]
}

fn refused(given: Given) -> (&'static str, String) {
    let program = nnc::compile(GIVEN).expect("a correct program");
    let trained =
        program.session_with(given).and_then(|mut session| session.train(&mut nnc::Silent).map(drop));
    let error = trained.expect_err("rows that do not fit");
    (error.list[0].code, error.list[0].message.clone())
}

#[test]
fn rows_that_are_given_are_learnt_from() {
    let program = nnc::compile(GIVEN).expect("a correct program");
    let mut session = program.session_with(Given::new().data("points", points(64))).expect("a session");
    let trained = session.train(&mut nnc::Silent).expect("it trains").expect("a train");
    assert!(trained.last.loss() < 0.7, "{}", trained.last.loss());
    let before = session.evaluate("points.test").expect("scores").loss();
    // Other rows take the place of the first, for evaluation and for more training.
    session.give("points", points(48)).expect("rows that fit");
    assert_ne!(before.to_bits(), session.evaluate("points.test").expect("scores").loss().to_bits());
    session.train(&mut nnc::Silent).expect("it trains");
    // Sessions of one program do not share what they were given.
    let other = program.session_with(Given::new().data("points", points(8))).expect("a session");
    drop(other);
    assert_eq!(refused(Given::new()).0, "E0756");
}

#[test]
fn rows_that_are_given_are_checked_as_those_of_files() {
    let [(_, x), (_, y)] = points(16);
    let with =
        |x: &Array, y: &Array| refused(Given::new().data("points", [("x", x.clone()), ("y", y.clone())]));
    let three = Array::floats(&[16, 3], &[0.0; 48]).expect("3 numbers a row");
    let (code, message) = with(&three, &y);
    assert_eq!((code, &*message), ("E0722", "a row is declared as [2], but the array is [16, 3]"));
    let fewer = Array::ints(&[15], &[0; 15]).expect("15 numbers");
    assert_eq!(with(&x, &fewer), ("E0721", "the fields of `points` have different numbers of rows".into()));
    let wrong = Array::ints(&[16], &[3; 16]).expect("16 numbers");
    assert_eq!(with(&x, &wrong).0, "E0720");
    let half = Array::floats(&[16], &[0.5; 16]).expect("16 numbers");
    assert_eq!(with(&x, &half).0, "E0712");
    let named =
        |name: &str, field: &str| refused(Given::new().data(name, [("x", x.clone()), (field, y.clone())]));
    assert_eq!(named("point", "y"), ("E0757", "the program has no data `point`".into()));
    assert_eq!(named("points", "z"), ("E0757", "`points` has no field `z` that is given".into()));
    let missing = refused(Given::new().data("points", [("x", x.clone())]));
    assert_eq!(missing, ("E0757", "no rows are given for `y` of `points`".into()));
    let error =
        nnc::compile(XOR).expect("a correct program").session_with(Given::new().data("xor", [("x", x)]));
    let error = error.err().expect("not given");
    assert_eq!(error.list[0].message, "`xor` is not given: the program says where its rows come from");
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

const NETS: &str = "
model Net(x: [B, 64]) -> [B, 10] { x |> Linear(128) |> relu |> Linear(10) }
model Both(x: [B, 64], at: int[B]) -> ([B], [B, 3]) {
    scores = x |> Linear(3)
    (scores[:, 0] + float(at), softmax(scores))
}
";

#[test]
fn room_that_does_not_fit_is_refused() {
    let session = nnc::compile(NETS).expect("a correct program").session().expect("a session");
    let x = Array::floats(&[2, 64], &[0.5; 128]).expect("64 numbers a row");
    let refused = |mut into: Vec<Array>| {
        let error = session.predict_into("Net", &[&x], &mut into).expect_err("no room");
        (error[0].code, error[0].message.clone())
    };
    let floats = Array::floats(&[2, 9], &[0.0; 18]).expect("9 numbers a row");
    let message = "a result of `Net` is f32[2, 10], and there is room for f32[2, 9]";
    assert_eq!(refused(vec![floats]), ("E0731", message.into()));
    let ints = Array::ints(&[2, 10], &[0; 20]).expect("10 numbers a row");
    let message = "a result of `Net` is f32[2, 10], and there is room for i32[2, 10]";
    assert_eq!(refused(vec![ints]), ("E0731", message.into()));
    assert_eq!(refused(Vec::new()), ("E0731", "`Net` has 1 results, and there is room for 0".into()));
}

#[test]
fn results_stand_in_the_order_of_the_model() {
    let session = nnc::compile(NETS).expect("a correct program").session().expect("a session");
    let x = Array::floats(&[2, 64], &[0.5; 128]).expect("64 numbers a row");
    let at = Array::from(vec![3i32, 4]);
    let results = session.predict("Both", &[&x, &at]).expect("results");
    assert_eq!((results[0].shape(), results[1].shape()), (&[2][..], &[2, 3][..]));
    let mut into = results.clone();
    into[0] = Array::from(vec![0.0f32; 2]);
    session.predict_into("Both", &[&x, &at], &mut into).expect("results");
    assert_eq!(into, results);
    // Several threads predict at the same time.
    std::thread::scope(|scope| {
        let predict = || session.predict("Both", &[&x, &at]).expect("results");
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(predict)).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("no panic"), results));
    });
}

/// What a host program's tables have and no tensor can hold is told at the field that it is given for.
#[test]
fn what_tables_of_a_host_program_lack_is_told_at_the_field() {
    use nnc::GivenError;
    let program = nnc::compile(GIVEN).expect("a correct program");
    assert_eq!((program.classes_of("points", "y"), program.classes_of("points", "x")), (Some(3), None));
    let told = |field: &str, error: GivenError| {
        let errors = program.given_error("points", field, &error);
        assert!(errors.to_string().contains("declared here"), "{errors}");
        (errors[0].code, errors[0].message.clone())
    };
    let missing = told("x", GivenError::Missing { count: 2, row: 5 });
    assert_eq!(missing, ("E0910", "values are missing in what is given for `x` of `points`".into()));
    let names = || GivenError::Names { names: ["a", "b", "c", "d"].map(str::to_owned).to_vec() };
    let many = told("y", names());
    assert_eq!(many, ("E0911", "`y` of `points` has 3 classes, and 4 names are given".into()));
    let none = told("x", names());
    assert_eq!(none, ("E0911", "names are given for `x` of `points`: `a`, `b`, `c`, `d`".into()));
    let dates = told("x", GivenError::Type { found: "dates".into() });
    assert_eq!(dates, ("E0912", "what is given for `x` of `points` are dates, not numbers".into()));
}

#[test]
fn views_give_what_tensors_give() {
    let session = nnc::compile("model Net(x: [B, 3], k: int[B]) -> [B] = x[:, 0] * k")
        .and_then(|program| program.session())
        .expect("a correct program");
    let (x, k) = ([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [3u8, 4]);
    let views = [
        nnc::TensorView::new(&[2, 3], nnc::ElementsView::F32(&x)).expect("two rows"),
        nnc::TensorView::new(&[2], nnc::ElementsView::U8(&k)).expect("two numbers"),
    ];
    let found = session.predict_views("Net", &views).expect("results");
    assert_eq!(found[0].to_f32().as_ref(), [3.0, 16.0]);
    let tensors = views.map(|view| view.to_tensor());
    assert_eq!(session.predict("Net", &[&tensors[0], &tensors[1]]).expect("results"), found);
    let error = nnc::TensorView::new(&[2, 4], nnc::ElementsView::F32(&x)).expect_err("too few");
    assert_eq!(error.to_string(), "a tensor of shape [2, 4] has 8 elements, not 6");
}
