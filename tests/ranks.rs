//! Processes that train together: the same bits for any number of them. Here they are threads; `.ci/ranks` does the same
//! with processes and two MPI libraries.

use std::process::Command;
use std::sync::{Arc, Mutex};

use nnc::runtime::array::Elements;
use nnc::runtime::ranks::threads::{self, Thread};
use nnc::runtime::ranks::{Lost, Ranks, Shared, Why};
use nnc::{Diagnostics, EpochReport, Event, Observer, Options, Program, Session};

/// The programs of `tests/ranks/`, each with what is special about dividing it.
fn programs() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ranks");
    let entries = std::fs::read_dir(folder).expect("the folder of programs");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a program"))
    };
    paths.iter().map(read).collect()
}

/// What a training left: the bits of all parameters and states, and of losses and metrics of all epochs.
type Left = Vec<(String, Vec<u64>)>;

#[derive(Default)]
struct Epochs(Vec<(String, Vec<u64>)>);

impl Observer for Epochs {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Epoch(EpochReport { epoch, train, validation, .. }) = event {
            for scores in [Some(train), validation.as_ref()].into_iter().flatten() {
                let metrics = scores.metrics.iter().map(|(_, value)| value.to_bits());
                let bits = scores.losses.iter().map(|loss| loss.to_bits()).chain(metrics).collect();
                self.0.push((format!("epoch {epoch}"), bits));
            }
        }
    }
}

fn bits(elements: &Elements) -> Vec<u64> {
    match elements {
        Elements::F32(values) => values.iter().map(|value| value.to_bits().into()).collect(),
        Elements::F64(values) => values.iter().map(|value| value.to_bits()).collect(),
        Elements::I32(values) => values.iter().map(|value| *value as u64).collect(),
        Elements::I64(values) => values.iter().map(|value| *value as u64).collect(),
        Elements::U8(values) => values.iter().map(|value| (*value).into()).collect(),
        Elements::Bool(values) => values.iter().map(|value| (*value).into()).collect(),
        other => panic!("unknown elements: {other:?}"),
    }
}

fn left(session: &Session, epochs: Epochs) -> Left {
    let paths: Vec<String> = session.parameters().map(str::to_owned).collect();
    let of = |path: String| {
        let bits = session.parameter(&path).map(|array| bits(array.elements())).unwrap_or_default();
        (path, bits)
    };
    paths.into_iter().map(of).chain(epochs.0).collect()
}

fn trained(program: &Program, rank: Option<Thread>) -> Result<Left, Diagnostics> {
    let mut session = program.session()?;
    session.set_threads(1);
    let rank: Option<Shared> = rank.map(|rank| {
        let rank: Box<dyn Ranks> = Box::new(rank);
        Arc::new(Mutex::new(rank))
    });
    if let Some(rank) = &rank {
        session.join(Arc::clone(rank))?;
    }
    let mut epochs = Epochs::default();
    let outcome = session.train(&mut epochs);
    if let Some(rank) = rank {
        let said = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        rank.lock().expect("nobody panics").end(&said);
    }
    outcome.map(|_| left(&session, epochs))
}

/// What each of some ranks has left, all of which carry out a program of their own.
fn all_trained(programs: &[Program]) -> Vec<Result<Left, Diagnostics>> {
    let ranks = threads::ranks(programs.len());
    std::thread::scope(|scope| {
        let begun: Vec<_> = programs
            .iter()
            .zip(ranks)
            .map(|(program, rank)| scope.spawn(move || trained(program, Some(rank))))
            .collect();
        begun.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

fn compiled(text: &str) -> Program {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    nnc::compile_with(text, &Options::new().folder(models))
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn assert_same_for_all_numbers_of_ranks(name: &str, program: &Program, numbers: &[usize]) {
    let alone = trained(program, None).unwrap_or_else(|errors| panic!("{name}: {errors}"));
    assert!(!alone.is_empty());
    for number in numbers {
        for (rank, got) in all_trained(&vec![program.clone(); *number]).into_iter().enumerate() {
            let got = got.unwrap_or_else(|errors| panic!("{name}, rank {rank} of {number}: {errors}"));
            for ((path, a), (_, b)) in alone.iter().zip(&got) {
                assert!(a == b, "{name}: `{path}` is another on rank {rank} of {number}");
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_ranks() {
    for (name, text) in programs() {
        assert_same_for_all_numbers_of_ranks(&name, &compiled(&text), &[2, 3, 8]);
    }
}

/// The values of a training in 64 bits, where the order of sums shows in the last digits only.
fn numbers(text: &str) -> Vec<(String, Vec<f64>)> {
    let program = compiled(&format!("precision = f64\n{text}"));
    let left = trained(&program, None).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    left.into_iter().map(|(name, bits)| (name, bits.into_iter().map(f64::from_bits).collect())).collect()
}

/// Compares a divided training with the same one undivided.
fn assert_divided_is_right(name: &str, text: &str) {
    let undivided: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("shards"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(text.trim(), undivided.trim(), "{name} has shards");
    for ((path, a), (_, b)) in numbers(text).iter().zip(&numbers(&undivided)) {
        for (a, b) in a.iter().zip(b) {
            let near = (a - b).abs() <= 1e-7 * (1.0 + a.abs().max(b.abs()));
            assert!(near || a == b, "{name}: `{path}` is {a} divided, {b} undivided");
        }
    }
}

#[test]
fn divided_trainings_are_right() {
    for (name, text) in programs() {
        assert_divided_is_right(&name, &text);
    }
}

/// A model of the repository with shards, for a few steps.
fn of_models(text: &str) -> Option<String> {
    if !text.contains("\ntrain {\n") || text.contains("precision =") {
        return None;
    }
    let line = |line: &str| match line.trim_start().split([' ', '=']).next() {
        Some("epochs" | "steps") if line.contains('=') && line.starts_with("    ") => {
            "    steps = 3\n".to_owned()
        }
        Some("stop") => String::new(),
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().map(line).collect();
    Some(text.replace("\ntrain {\n", "\ntrain {\n    shards = 8\n"))
}

/// `cargo test --release --test ranks -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes: all models"]
fn all_models_give_the_same_for_all_numbers_of_ranks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut count = 0;
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("models").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "nn")) {
        let name = path.display().to_string();
        let Some(text) = of_models(&std::fs::read_to_string(path).expect("a program")) else { continue };
        println!("{name}");
        assert_divided_is_right(&name, &text);
        assert_same_for_all_numbers_of_ranks(&name, &compiled(&text), &[2, 3]);
        count += 1;
    }
    assert!(count > 20);
}

const LINE: &str = "
model Line(x: [B, 1]) -> [B, 1] = x |> Linear(1)
data line { rows = 40
            x: [1] = uniform(-1, 1)
            y: [1] = 2 * x + 1 }
train {
    data     = line
    minimize mse(Line(x), y) with SGD(lr = 0.1)
    batch    = 8
    steps    = 20
    SETTING
}
";

fn line(setting: &str) -> Program {
    compiled(&LINE.replace("SETTING", setting))
}

fn codes(outcomes: &[Result<Left, Diagnostics>]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map_or("", |errors| errors.list[0].code)).collect()
}

#[test]
fn ranks_need_shards() {
    assert_eq!(codes(&all_trained(&[line(""), line("")])), ["E0930", "E0930"]);
    let outcomes = all_trained(&vec![line("shards = 2"); 3]);
    assert_eq!(codes(&outcomes), ["E0931"; 3]);
    assert!(outcomes[0].as_ref().is_err_and(|errors| errors.to_string().contains("`shards = 3`")));
}

#[test]
fn ranks_must_train_the_same() {
    let outcomes = all_trained(&[line("shards = 4"), line("shards = 4"), line("shards = 4\n    seed = 1")]);
    assert_eq!(codes(&outcomes), ["E0933"; 3]);
    for outcome in outcomes {
        let text = outcome.expect_err("another seed").to_string();
        assert!(text.contains("on rank 2 seed is `1`, on rank 0 `0`"), "{text}");
    }
}

/// A batch with fewer rows than shards, as a last one may be.
#[test]
fn some_shards_may_have_no_rows() {
    let text = LINE.replace("SETTING", "shards = 8").replace("rows = 40", "rows = 43");
    assert_same_for_all_numbers_of_ranks("line", &compiled(&text), &[2, 5, 8]);
}

#[test]
fn a_rank_that_ends_is_noticed() {
    let mut ranks = threads::ranks(2);
    let mut second = ranks.pop().expect("two");
    std::thread::scope(|scope| {
        scope.spawn(move || second.end("E0000: no more memory"));
        let error = trained(&line("shards = 2"), ranks.pop()).expect_err("one rank only");
        assert_eq!(error.list[0].code, "E0934");
        assert!(error.list[0].message.contains("no more memory"), "{error}");
    });
}

/// A rank that loses the others after so many exchanges.
struct Lonely(Thread, usize);

impl Ranks for Lonely {
    fn rank(&self) -> usize {
        self.0.rank()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn exchange(&mut self, to: Vec<Arc<Vec<u8>>>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost> {
        self.1 = self.1.checked_sub(1).ok_or(Lost { rank: 1, why: Why::Gone("a test".to_owned()) })?;
        self.0.exchange(to, lengths)
    }

    fn end(&mut self, outcome: &str) -> Vec<Option<String>> {
        self.0.end(outcome)
    }

    fn leave(&mut self) {
        self.0.leave();
    }
}

/// Whenever a rank is lost, what the first one then has is whole: whoever goes on from it ends with the same bits.
#[test]
fn what_is_left_by_a_lost_rank_is_whole() {
    let text = LINE
        .replace("SETTING", "shards = 2\n    validate = line\n    keep = best")
        .replace("steps    = 20", "epochs = 160");
    let program = compiled(&text);
    let whole = trained(&program, None).expect("a whole training");
    let file = std::env::temp_dir().join(format!("nnc-lost-{}.safetensors", std::process::id()));
    let mut went_on = 0;
    for exchanges in (3..5_000).step_by(211) {
        let begun = |rank: Thread| {
            let mut session = program.session().expect("a session");
            session.join(Arc::new(Mutex::new(Box::new(Lonely(rank, exchanges))))).expect("shards");
            let outcome = session.train(&mut nnc::Silent);
            (session, outcome.err())
        };
        let (mut session, error) = std::thread::scope(|scope| {
            let mut ranks: Vec<_> =
                threads::ranks(2).into_iter().map(|rank| scope.spawn(move || begun(rank))).collect();
            let first = ranks.remove(0).join().expect("no panic");
            ranks.into_iter().for_each(|rank| drop(rank.join().expect("no panic")));
            first
        });
        let Some(error) = error else { break };
        assert_eq!(error.list[0].code, "E0934");
        if session.is_trained() {
            session.save(&file).expect("room");
            let mut again = program.session().expect("a session");
            again.resume(&file).expect("a checkpoint");
            again.train(&mut nnc::Silent).expect("the rest");
            let parameters = left(&again, Epochs::default());
            assert!(whole.starts_with(&parameters), "other bits after {exchanges} exchanges");
            went_on += 1;
        }
    }
    assert!(went_on > 3, "{went_on}");
    drop(std::fs::remove_file(file));
}

/// With a launcher and without its library the command says so, and does not train alone.
#[test]
fn the_library_may_be_missing() {
    let run = |rank: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
        command.args(["run", "models/xor.nn"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("OMPI_COMM_WORLD_SIZE", "2").env("OMPI_COMM_WORLD_RANK", rank);
        command.env("NNC_MPI", "/nowhere/libmpi.so").output().expect("the command")
    };
    let first = run("0");
    let text = String::from_utf8_lossy(&first.stderr);
    assert!(
        !first.status.success() && text.contains("E0932") && text.contains("/nowhere/libmpi.so"),
        "{text}"
    );
    assert!(first.stdout.is_empty());
    assert!(!run("1").status.success());
}
