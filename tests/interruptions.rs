//! What happens when a run is disturbed: Ctrl-C, full disks, closed pipes, odd arguments.
#![cfg(unix)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Once};

const XOR: &str = "tests/cases/run/xor.nn";

/// Started by `nohup`, this process ignores the end of a terminal, and so would what it starts. Signals that are
/// listened to do what they always do in new processes.
fn no_signal_is_ignored() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::default()).expect("a signal");
    });
}

fn nnc() -> Command {
    no_signal_is_ignored();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs and gives exit code, output and errors.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("nnc starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("nnc_interruptions_{}_{name}", std::process::id()))
}

/// Starts an endless training, interrupts it once it has begun, and gives exit code and errors.
fn interrupted(signal: &str, arguments: &[&OsStr]) -> (Option<i32>, String) {
    let mut child = nnc()
        .args(["run", XOR, "--epochs", "100000000", "--events", "json"])
        .args(arguments)
        .spawn()
        .expect("nnc starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("\"epoch\":3,") {
        line.clear();
        assert!(output.read_line(&mut line).expect("text") > 0, "it trains");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().expect("kill starts").success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    assert!(rest.contains("\"reason\":\"stopped\"") && !rest.contains("\"event\":\"print\""));
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    (child.wait().expect("it ends").code(), errors)
}

#[test]
fn ctrl_c_keeps_what_was_learnt() {
    let file = temporary("ctrl_c");
    for (signal, wanted) in [("-HUP", 129), ("-TERM", 143), ("-INT", 130)] {
        let (code, errors) = interrupted(signal, &["--save".as_ref(), file.as_os_str()]);
        assert_eq!(code, Some(wanted), "{errors}");
        assert!(file.exists() && errors.contains("saved step"), "{errors}");
    }
    let (code, errors) = interrupted("-INT", &["--save".as_ref(), file.as_os_str()]);
    assert_eq!(code, Some(130), "{errors}");
    assert!(errors.contains(&format!("--resume {}", file.display())), "{errors}");
    let steps = errors.split_whitespace().nth(2).and_then(|step| step.trim_end_matches(';').parse().ok());
    let more = (steps.unwrap_or(0u64) + 5).to_string();
    let resumed = run(nnc().args(["run", XOR, "--steps", &more, "--resume"]).arg(&file));
    assert_eq!(resumed.0, Some(0), "{}", resumed.2);
    assert!(resumed.1.lines().filter(|line| line.starts_with("epoch")).count() <= 6, "{}", resumed.1);
    std::fs::remove_file(file).expect("it was saved");
    let (code, errors) = interrupted("-INT", &[]);
    assert_eq!(code, Some(130));
    assert!(errors.contains("interrupted at step") && errors.contains("--save"), "{errors}");
}

#[test]
fn a_file_that_cannot_be_written_is_noticed_before_the_training() {
    let (code, output, errors) =
        run(nnc().args(["run", XOR, "--epochs", "3", "--save", "/no/such/folder/a.safetensors"]));
    assert_eq!(code, Some(1));
    assert!(errors.contains("E0714") && output.is_empty(), "{output}{errors}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let (code, _, errors) = run(nnc().args(["run", XOR, "--epochs", "3", "--save", "/dev/full"]));
    assert_eq!(code, Some(1));
    assert!(errors.contains("E0714"), "{errors}");
    let path = errors.split('`').find(|part| part.contains("nnc-rescued-full")).expect("it says where");
    std::fs::remove_file(path).expect("it was saved there");
}

#[test]
fn parameters_from_before_a_bad_loss_are_saved() {
    let (program, file) = (temporary("bad.nn"), temporary("bad.safetensors"));
    let text = "model M(x: [B, 1]) -> [B, 1] { x |> Linear(1) }\n\
        data d {\n rows = 4\n x: [1] = uniform(-1, 1)\n y: [1] = 3 * x\n}\n\
        train {\n data = d\n minimize mse(M(x), y) with SGD(lr = 3)\n batch = 4\n epochs = 1_000\n}\n";
    std::fs::write(&program, text).expect("a file");
    let (code, _, errors) = run(nnc().arg("run").arg(&program).arg("--save").arg(&file));
    assert_eq!(code, Some(1));
    assert!(errors.contains("E0723") && errors.contains("saved step 0"), "{errors}");
    let calmer = ["--set", "train.epochs=5", "--quiet", "--resume"];
    assert_eq!(run(nnc().arg("run").arg(&program).args(calmer).arg(&file)).0, Some(0));
    [program, file].iter().for_each(|path| std::fs::remove_file(path).expect("it was there"));
}

#[test]
fn nobody_listening_ends_the_training_and_keeps_what_was_learnt() {
    let file = temporary("closed");
    let mut child =
        nnc().args(["run", XOR, "--epochs", "100000000", "--save"]).arg(&file).spawn().expect("nnc starts");
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(141), "{errors}");
    assert!(errors.starts_with("saved step "), "{errors}");
    std::fs::remove_file(file).expect("it was saved");
}

/// Commands that write to standard output, with what they read from standard input.
const WRITERS: [(&[&str], &str); 9] = [
    (&["doc"], ""),
    (&["doc", "Conv2d"], ""),
    (&["explain"], ""),
    (&["ir", XOR], ""),
    (&["summary", XOR], ""),
    (&["derive", XOR], ""),
    (&["fmt", "-"], "const a=1"),
    (&["check", "-", "--json"], "const a = b"),
    (&["--help"], ""),
];

fn with_input(arguments: &[&str], input: &str, output: Stdio, errors: Stdio) -> (Option<i32>, String) {
    let mut command = nnc();
    command.args(arguments).stdin(Stdio::piped()).stdout(output).stderr(errors);
    let mut child = command.spawn().expect("nnc starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("nnc reads");
    drop(child.stdout.take());
    let mut text = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut text).expect("text");
    }
    (child.wait().expect("it ends").code(), text)
}

#[test]
fn a_closed_pipe_is_quiet() {
    for (arguments, input) in WRITERS {
        let (code, errors) = with_input(arguments, input, closed_pipe(), Stdio::piped());
        let wanted = if arguments[0] == "check" { 1 } else { 141 };
        assert_eq!((code, errors.as_str()), (Some(wanted), ""), "{arguments:?}");
    }
}

/// A pipe that nobody reads from.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_the_output_is_an_error() {
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device"));
    for (arguments, input) in WRITERS {
        let (code, errors) = with_input(arguments, input, full(), Stdio::piped());
        assert_eq!(code, Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains("cannot write to standard output"), "{arguments:?}: {errors}");
    }
    let run = ["run", XOR, "--epochs", "2"];
    for more in [&[][..], &["--events", "json"], &["--quiet"]] {
        let (code, errors) = with_input(&[&run[..], more].concat(), "", full(), Stdio::piped());
        assert_eq!(code, Some(1), "{more:?}: {errors}");
        assert!(errors.contains("No space left"), "{more:?}: {errors}");
    }
    // Nobody can be told, but nothing panics.
    for (arguments, input) in [(&["check", "-"], "const a = b"), (&["fmt", "-"], "print )")] {
        assert_eq!(with_input(arguments, input, full(), full()).0, Some(1));
    }
}

#[test]
fn what_was_learnt_is_saved_before_what_follows_and_ctrl_c_ends_that() {
    let (program, file) = (temporary("long.nn"), temporary("long.safetensors"));
    let text = "model M(x: [B, 1]) -> [B, 1] { x |> Linear(1) }\n\
        data d {\n rows = 4\n x: [1] = uniform(-1, 1)\n}\n\
        train {\n data = d\n minimize mean(M(x)^2) with SGD()\n epochs = 2\n}\n\
        print \"trained\"\n\
        fn heavy(x: [n]) {\n y[i, j] = tanh(x[i] * x[j])\n sum(y @ y)\n}\n\
        print heavy(uniform(0, 1, shape = [20000]))\n";
    std::fs::write(&program, text).expect("a file");
    let mut child = nnc().arg("run").arg(&program).arg("--save").arg(&file).spawn().expect("nnc starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while line != "trained\n" {
        line.clear();
        assert!(output.read_line(&mut line).expect("text") > 0, "it prints");
    }
    let trained = std::fs::read(&file).expect("it is saved already");
    let signal = |name: &str| Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(signal("-TERM").expect("kill starts").success());
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(143), "{errors}");
    assert!(errors.contains("--resume"), "{errors}");
    assert_eq!(std::fs::read(&file).expect("it is still there"), trained);
    [program, file].iter().for_each(|path| std::fs::remove_file(path).expect("it was there"));
}

#[test]
fn no_escape_sequence_reaches_the_terminal() {
    let folder = temporary("escapes");
    std::fs::create_dir(&folder).expect("a folder");
    let program = folder.join("ev\x1b[2Jil.nn");
    let text = "print \"\x1b[31mred\"\n## \x1b]0;title\x07\nfn f(x) = x\nprint unknown\u{202e}\n\
        data q = csv(\"\x1b[2Jq.csv\") {\n x: [1] = column(\"a\\u{9b}31m\")\n}\nprint q.x\n";
    std::fs::write(&program, text).expect("a file");
    let good = folder.join("good.nn");
    std::fs::write(&good, "print \"\x1b[31mred\"\nplot [1.0, 2.0], title = \"\x1b[31m<&\"\n")
        .expect("a file");
    std::fs::write(folder.join("a.csv"), "\x1b[31mx,y\n1,2\n").expect("a file");
    let column = folder.join("column.nn");
    let text = "data q = csv(\"a.csv\") {\n x: [1] = column(\"z\")\n}\nprint q.x\n";
    std::fs::write(&column, text).expect("a file");
    let plots = ["--plots".as_ref(), folder.as_os_str()];
    let runs: [(&str, &PathBuf, &[&OsStr]); 7] = [
        ("run", &program, &[]),
        ("check", &program, &[]),
        ("check", &program, &["--json".as_ref()]),
        ("run", &good, &plots),
        ("run", &good, &["--events".as_ref(), "json".as_ref()]),
        ("run", &column, &[]),
        ("ir", &good, &[]),
    ];
    for (command, path, more) in runs {
        let (_, output, errors) = run(nnc().arg(command).arg(path).args(more));
        let obeyed = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
        assert!(!output.contains(obeyed), "{command} {path:?}: {output:?}");
        assert!(!errors.contains(obeyed), "{command} {path:?}: {errors:?}");
        assert!(!output.is_empty() || !errors.is_empty());
    }
    let picture = std::fs::read_to_string(folder.join("good-1.svg")).expect("a picture");
    assert!(!picture.contains('\x1b') && picture.contains("&lt;&amp;"), "{picture}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

#[test]
fn arguments_need_not_be_utf8() {
    let odd = OsStr::from_bytes(b"no\xff.nn");
    for command in ["run", "check", "summary", "ir", "fmt"] {
        let (code, _, errors) = run(nnc().arg(command).arg(odd));
        assert_eq!(code, Some(1), "{command}: {errors}");
        assert!(errors.contains("E0701"), "{command}: {errors}");
    }
    let (code, _, errors) = run(nnc().args(["run", XOR, "--set"]).arg(odd));
    assert_eq!(code, Some(2), "{errors}");
}

/// What asks for far too much, and ends in an error within its time all the same.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_had_is_refused() {
    let program = temporary("refused.nn");
    let programs = [
        ("print sum(uniform(0, 1, shape = [200000, 200000, 100]) @ uniform(0, 1, shape = [100]))\n", "E07"),
        (
            "model M(x: [B, 200000]) -> [B, 1] { x |> Linear(200000) |> Linear(1) }\n\
             data d {\n rows = 4\n x: [200000] = uniform(0, 1)\n}\n\
             train {\n data = d\n minimize mean(M(x)^2) with Adam()\n steps = 2\n}\n",
            "160 GB for `linear1.weight` [200000, 200000]",
        ),
        (
            "model M(x: [B, 2]) -> [B, 1] {\n y[b, i < 30000, j < 3] = tanh(x[b, 0] * i + j)\n \
             h = reshape(softmax(y), [B, 90000])\n h |> Linear(1)\n}\n\
             data d {\n rows = 1000000\n x: [2] = uniform(0, 1)\n}\n\
             train {\n data = d\n minimize mean(M(x)^2) with Adam()\n batch = 1000000\n steps = 2\n}\n",
            "what a step keeps of a batch of 1000000 rows",
        ),
        ("data d = csv(\"/dev/zero\") {\n x: [1] = column(0)\n}\nprint d.x\n", "a device"),
        ("import \"/dev/zero\"\nprint 1\n", "a device"),
    ];
    for (text, wanted) in programs {
        std::fs::write(&program, text).expect("a file");
        let (code, _, errors) = run(nnc().arg("run").arg(&program));
        assert_eq!(code, Some(1), "{text}: {errors}");
        assert!(errors.contains(wanted), "{text}: {errors}");
    }
    // Where the system refuses what seemed to be there, a message ends the process.
    std::fs::write(&program, "print sum(uniform(0, 1, shape = [50000000]))\n").expect("a file");
    for limit in (60_000..400_000).step_by(30_000) {
        let limited = format!("ulimit -v {limit}; exec \"$0\" run \"$1\" --threads 1");
        let nnc = env!("CARGO_BIN_EXE_nnc");
        let mut shell = Command::new("sh");
        let (code, output, errors) = run(shell.args(["-c", &limited, nnc]).arg(&program));
        let is_refused = code == Some(1) && errors.contains("E0734");
        assert!(is_refused || code == Some(0) && !output.is_empty(), "{limit}: {code:?} {errors}");
    }
    for (path, what) in [("/dev/zero", "a device"), ("tests", "a folder"), ("/proc/self/exe", "UTF-8")] {
        let (code, _, errors) = run(nnc().args(["check", path]));
        assert!(code == Some(1) && errors.contains(what), "{path}: {errors}");
    }
    let (code, _, errors) = run(nnc().args(["bench", XOR, "--threads", "18446744073709551615"]));
    assert!(code == Some(2) && errors.contains("up to 1024"), "{errors}");
    std::fs::remove_file(program).expect("it was there");
}

#[test]
fn many_errors_take_little_time() {
    let begun = std::time::Instant::now();
    let (code, errors) =
        with_input(&["check", "-"], &"print )\n".repeat(40_000), Stdio::null(), Stdio::piped());
    assert_eq!(code, Some(1));
    assert!(errors.contains("40000 errors") && errors.contains("and 39900 more"), "{}", errors.len());
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// A program that trains on data of a file keeps a folder, if there is something to keep.
#[test]
fn a_run_that_fails_before_it_has_learnt_anything_leaves_no_folder() {
    let folder = temporary("no_folder");
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = |data: &str, rate: &str| {
        format!(
            "model M(x: [B, 1]) -> [B, 1] {{ x |> Linear(1) }}\n\
            data d = csv(\"{data}\") {{\n x: [1] = columns(\"x\")\n y: [1] = columns(\"y\")\n}}\n\
            train {{\n data = d\n minimize mse(M(x), y) with SGD(lr = {rate})\n batch = 2\n epochs = 1_000\n}}\n\
            plot M([[1.0]])\n"
        )
    };
    std::fs::write(folder.join("d.csv"), "x,y\n1,2\n2,3\n3,4\n4,5\n").expect("a file");
    std::fs::write(folder.join("bad.csv"), "x,y\n1,two\n").expect("a file");
    std::fs::write(folder.join("p.nn"), program("bad.csv", "0.1")).expect("a file");
    std::fs::write(folder.join("q.nn"), program("d.csv", "1e30")).expect("a file");
    let run_here = |arguments: &[&str]| run(nnc().current_dir(&folder).arg("run").args(arguments));
    for arguments in [&["p.nn"][..], &["q.nn", "--plots", "d.csv/no"]] {
        let (code, _, errors) = run_here(arguments);
        assert!(code == Some(1) && !errors.contains("kept in"), "{errors}");
        assert!(!folder.join("runs").exists(), "{arguments:?}");
    }
    // A folder that was asked for says what became of the run.
    assert_eq!(run_here(&["p.nn", "--out", "mine"]).0, Some(1));
    let record = std::fs::read_to_string(folder.join("mine/run.json")).expect("it was asked for");
    assert!(record.contains("\"result\": \"failed\""), "{record}");
    std::fs::remove_dir_all(folder).expect("it is there");
}

/// A file from which nothing can be predicted makes no program.
#[test]
fn no_program_is_written_that_does_not_run() {
    let file = temporary("constant.csv");
    std::fs::write(&file, "a,y\n7,2\n7,3\n7,5\n").expect("a file");
    let (code, _, errors) = run(nnc().arg("init").arg(&file).args(["-o", "-"]));
    assert!(code == Some(1) && errors.contains("E0780") && errors.contains("`a` is the same"), "{errors}");
    std::fs::remove_file(file).expect("it is there");
}
