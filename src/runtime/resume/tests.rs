//! A training that is broken off after any of its steps, once or after every one, and resumed, ends as one that
//! is not: the same file, bit by bit, and the same prints. One whose program, data or settings have changed is
//! refused, and a file that is damaged or forged is an error.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::philox::philox4x32;
use crate::runtime::events::{Event, Observer, Silent};
use crate::runtime::program::Program;

/// Programs whose trainings differ in what the next step depends on.
const PROGRAMS: [(&str, &str); 9] = [
    (
        "patience",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(3) |> tanh |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with Adam(lr = 0.3)
            validate = d.test
            batch = 4
            epochs = 12
            stop = patience(2)
        }
        print sum(M(d.x))",
    ),
    (
        "patience by the training's own loss",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with SGD(lr = 0.9)
            batch = 5
            epochs = 9
            stop = patience(1)
        }
        print sum(M(d.x))",
    ),
    (
        "metrics over whole epochs",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with SGD(lr = 0.1, momentum = 0.9)
            measure f = f1(M(x), y > 0)
            measure l = l1(M(x), y)
            validate = d.test
            batch = 3
            epochs = 3
        }",
    ),
    (
        "steps with a schedule, rows in order",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(2) |> relu |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with AdamW(lr = cosine(0.1, warmup = 3, total = 11)), clip_norm = 0.5
            validate = d.test
            batch = 3
            steps = 11
            shuffle = false
        }",
    ),
    (
        "dropout and running statistics",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(4) |> BatchNorm1d() |> Dropout(0.5) |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with RMSprop(lr = 0.01)
            validate = d.test
            batch = 4
            epochs = 3
            seed = 5
        }
        print sum(M(d.x))",
    ),
    (
        "several trainings",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(1) }
        print sum(M(d.x))
        train {
            data = d.train
            minimize mse(M(x), y) with Adam(lr = 0.1)
            batch = 6
            epochs = 2
        }
        print sum(M(d.x))
        train {
            data = d.test
            minimize mse(M(x), y) with Adam(lr = 0.01)
            batch = 2
            steps = 5
            stop = patience(1)
        }
        print sum(M(d.x))",
    ),
    (
        "several passes",
        "model G(x: [B, 2]) -> [B, 1] { x |> Linear(1) }
        model D(y: [B, 1]) -> [B, 1] { y |> Linear(2) |> tanh |> Linear(1) }
        train {
            data = d.train
            minimize mean(sigmoid(D(y)) - sigmoid(D(G(x)))) with Adam(lr = 0.1) over D, clip_value = 0.1
            minimize mean(D(G(x))) with Adagrad(lr = 0.1) over G
            batch = 4
            epochs = 2
        }",
    ),
    (
        "further data, with a smaller last batch",
        "model M(x: [B, 2]) -> [B, 1] { x |> Linear(3) |> tanh |> Linear(1) }
        data other {
            rows = 5
            x: [2] = normal(0, 1)
            y: [1] = x[0]
        }
        train {
            data = d.train
            data o = other, batch = 3
            data same = other
            minimize mse(M(x), y) + mse(M(o.x), o.y) + mse(M(x), M(same.x)) with Adam(lr = 0.1)
            measure elsewhere = mse(M(o.x), o.y)
            validate = d.test
            batch = 4
            epochs = 3
        }
        print sum(M(d.x))",
    ),
    (
        "64 bits",
        "precision = f64
        model M(x: [B, 2]) -> [B, 1] { x |> Linear(2) |> silu |> Linear(1) }
        train {
            data = d.train
            minimize mse(M(x), y) with NAdam(lr = 0.1)
            measure l = l1(M(x), y)
            batch = 4
            epochs = 2
        }",
    ),
];

const DATA: &str = "
data d {
    rows = 14
    seed = 4
    x: [2] = uniform(-1, 1)
    y: [1] = sin(3 * x[0]) + x[1] * x[0] + normal(0, 0.1)
    split train = 0.8, test = 0.2
}
";

/// Breaks the training off after so many steps, and notes what is printed.
struct Impatient {
    left: u64,
    prints: Vec<String>,
}

impl Observer for Impatient {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Progress { .. } => self.left -= 1,
            Event::Print(text) => self.prints.push((*text).to_owned()),
            _ => {}
        }
    }

    fn steps_at_once(&self) -> Option<u64> {
        Some(1)
    }

    // Asked after the step, before progress is told.
    fn stop(&mut self) -> bool {
        self.left <= 1
    }

    fn leave(&mut self) -> bool {
        self.left == 0
    }
}

/// A run that is broken off after `steps` steps of this run, from where `file` is if there is one, and saved there.
/// Gives what was printed and whether it was broken off.
fn run(program: &Program, file: &Path, steps: u64) -> (Vec<String>, bool) {
    let mut session = program.session().expect("a session");
    if file.exists() {
        session.resume(file).expect("a checkpoint of this program");
    }
    let mut observer = Impatient { left: steps, prints: Vec::new() };
    session.run(&mut observer).expect("a run");
    session.save(file).expect("a checkpoint");
    (observer.prints, observer.left == 0)
}

/// A path in the folder for temporary files.
fn temporary(kind: &str) -> PathBuf {
    std::env::temp_dir().join(format!("nnc-resume-{}-{kind}", std::process::id()))
}

/// A training with settings of all kinds.
const PLAIN: &str = "
fn unused(x) = x
activation act(x) = tanh(x)
const RATE = 0.1
model M(x: [B, 2]) -> [B, 1] { x |> Linear(3) |> act |> Linear(1) }
data d {
    rows = 14
    seed = 4
    x: [2] = uniform(-1, 1)
    y: [1] = x[0]
    split train = 0.5, test = 0.5
}
train {
    data     = d.train
    minimize mse(M(x), y) with Adam(lr = RATE)
    measure  f = f1(M(x), y > 0)
    batch    = 2
    epochs   = 3
    seed     = 1
}
print sum(M(d.x))
";

/// What is changed, and what is said about it.
const CHANGES: [(&str, &str, &str); 18] = [
    ("seed     = 1", "seed     = 2", "seed was `1` and is `2`"),
    ("batch    = 2", "batch    = 3", "batch was `2` and is `3`"),
    ("batch    = 2", "batch    = 2\n    shuffle  = false", "shuffle was `true` and is `false`"),
    ("rows = 14", "rows = 16", "data was `d.train, 7 rows` and is `d.train, 8 rows`"),
    ("seed = 4", "seed = 5", "field x of d has changed"),
    ("train = 0.5, test = 0.5", "train = 0.6, test = 0.4", "7 rows` and is `d.train, 8 rows"),
    ("test = 0.5", "test = 0.5, in_order = true", "data has changed"),
    ("data     = d.train", "data     = d.test", "data was `d.train, 7 rows` and is `d.test, 7 rows`"),
    ("y: [1] = x[0]", "y: [1] = x[1]", "field y of d has changed"),
    ("mse(M(x), y)", "l1(M(x), y)", "`minimize` line 1 was `minimize mse"),
    ("with Adam(lr = RATE)", "with SGD(lr = RATE)", "`minimize` line 1 was"),
    ("with Adam(lr = RATE)", "with Adam(lr = RATE), clip_norm = 1", "`minimize` line 1 was"),
    ("RATE = 0.1", "RATE = 0.2", "const RATE was `const RATE = 0.1` and is `const RATE = 0.2`"),
    ("tanh(x)", "relu(x)", "activation act was"),
    ("Linear(3)", "Linear(4)", "model M was"),
    ("f1(M(x), y > 0)", "recall(M(x), y > 0)", "metric f"),
    ("\nmodel", "\nprecision = f64\nmodel", "precision was `f32` and is `f64`"),
    ("Linear(3) |> act", "Linear(3) |> act |> Dropout(0.1)", "model M"),
];

/// What may be another.
const NO_CHANGES: [(&str, &str); 5] = [
    ("epochs   = 3", "epochs   = 4 # more"),
    ("epochs   = 3", "epochs   = 3\n    stop     = patience(5)"),
    ("print sum(M(d.x))", "print \"done\"\nprint M(d.x)"),
    ("fn unused(x) = x", "# A comment.\nfn unused(x) = x + 1"),
    ("    measure  f = f1(M(x), y > 0)", "    measure f  =  f1( M(x), y > 0 ) # the same"),
];

fn changed(from: &str, to: &str) -> Program {
    assert!(PLAIN.contains(from), "{from}");
    let text = PLAIN.replacen(from, to, 1);
    Program::from_source(&text).unwrap_or_else(|error| panic!("{to}: {error}"))
}

#[test]
fn what_has_changed_is_told() {
    let file = temporary("changed");
    let program = Program::from_source(PLAIN).unwrap_or_else(|error| panic!("{error}"));
    run(&program, &file, 5);
    for (from, to, wanted) in CHANGES {
        let program = changed(from, to);
        let error = program.session().expect("a session").resume(&file).expect_err(to);
        assert_eq!(error[0].code, "E0733", "{to}: {error}");
        assert!(error[0].notes.iter().any(|note| note.contains(wanted)), "{to}: {error}");
        // On request it goes on, where there is something to go on with.
        let mut session = program.session().expect("a session");
        match session.resume_changed(&file) {
            Ok(warning) => {
                assert!(warning.is_some_and(|warning| !warning.is_error()), "{to}");
                session.run(&mut Silent).unwrap_or_else(|error| panic!("{to}: {error}"));
            }
            Err(error) => assert_eq!(error[0].code, "E0713", "{to}: {error}"),
        }
    }
    for (from, to) in NO_CHANGES {
        let mut session = changed(from, to).session().expect("a session");
        session.resume(&file).unwrap_or_else(|error| panic!("{to}: {error}"));
        session.run(&mut Silent).unwrap_or_else(|error| panic!("{to}: {error}"));
    }
    fs::remove_file(file).expect("a file");
}

#[test]
fn forged_files_are_errors() {
    let file = temporary("forged");
    let program = Program::from_source(PLAIN).unwrap_or_else(|error| panic!("{error}"));
    run(&program, &file, 6);
    let whole = fs::read(&file).expect("a file");
    let header = u64::from_le_bytes(whole[..8].try_into().expect("8 bytes")) as usize;
    let (mut fine, mut wrong) = (0, 0);
    for round in 0..1500 {
        let mut bytes = whole.clone();
        let words = philox4x32([round, 0, 0, 0], [7, 0]);
        for word in &words[..1 + words[3] as usize % 3] {
            // Mostly numbers of the header, which stay numbers.
            let at = (word >> 8) as usize % if word & 7 == 0 { bytes.len() } else { 8 + header };
            bytes[at] = match bytes[at] {
                digit if digit.is_ascii_digit() => b'0' + (word & 15) as u8 % 10,
                byte => byte ^ 1 << (word >> 4 & 7),
            };
        }
        fs::write(&file, bytes).expect("a file");
        let mut session = program.session().expect("a session");
        let resumed = match round % 2 {
            0 => session.resume(&file),
            _ => session.resume_changed(&file).map(drop),
        };
        match resumed.and_then(|()| session.run(&mut Silent)) {
            Ok(()) => fine += 1,
            Err(_) => wrong += 1,
        }
    }
    assert!(fine > 10 && wrong > 10, "{fine} files are fine, {wrong} are wrong");
    fs::remove_file(file).expect("a file");
}

#[test]
fn trainings_resume_bit_by_bit() {
    for (name, text) in PROGRAMS {
        let program = Program::from_source(&format!("{text}\n{DATA}"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let file =
            |kind: &str| std::env::temp_dir().join(format!("nnc-resume-{}-{kind}", std::process::id()));
        let (whole, part) = (file("whole"), file("part"));
        let all = |path: &Path| fs::read(path).expect("a file");
        let (prints, _) = run(&program, &whole, u64::MAX);
        let wanted = all(&whole);
        // Broken off once, after each of the steps.
        let mut steps = 0;
        loop {
            steps += 1;
            let (mut printed, broken_off) = run(&program, &part, steps);
            if !broken_off {
                break;
            }
            printed.extend(run(&program, &part, u64::MAX).0);
            assert!(all(&part) == wanted, "{name}: broken off after {steps} steps");
            assert_eq!(printed, prints, "{name}: broken off after {steps} steps");
            fs::remove_file(&part).expect("a file");
        }
        assert!(steps > 4, "{name}: it has only {steps} steps");
        fs::remove_file(&part).expect("a file");
        // Broken off after every step.
        while run(&program, &part, 1).1 {}
        assert!(all(&part) == wanted, "{name}: broken off after every step");
        [&whole, &part].iter().for_each(|path| fs::remove_file(path).expect("a file"));
    }
}
