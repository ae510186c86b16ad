//! What happens when a run is disturbed: Ctrl-C, full disks, closed pipes, odd arguments.
#![cfg(unix)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const XOR: &str = "tests/cases/run/xor.nn";

fn nnc() -> Command {
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
fn interrupted(arguments: &[&OsStr]) -> (Option<i32>, String) {
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
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill starts").success());
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
    let (code, errors) = interrupted(&["--save".as_ref(), file.as_os_str()]);
    assert_eq!(code, Some(130), "{errors}");
    assert!(errors.contains(&format!("--resume {}", file.display())), "{errors}");
    let steps = errors.split_whitespace().nth(2).and_then(|step| step.trim_end_matches(';').parse().ok());
    let more = (steps.unwrap_or(0u64) + 5).to_string();
    let resumed = run(nnc().args(["run", XOR, "--steps", &more, "--resume"]).arg(&file));
    assert_eq!(resumed.0, Some(0), "{}", resumed.2);
    assert!(resumed.1.lines().filter(|line| line.starts_with("epoch")).count() <= 6, "{}", resumed.1);
    std::fs::remove_file(file).expect("it was saved");
    let (code, errors) = interrupted(&[]);
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
fn nobody_listening_is_no_error() {
    let mut child = nnc().args(["run", XOR, "--epochs", "20000"]).spawn().expect("nnc starts");
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    assert_eq!((child.wait().expect("it ends").code(), errors.as_str()), (Some(0), ""));
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
