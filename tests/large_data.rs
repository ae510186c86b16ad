//! Data that is larger than the memory that the process may take.
#![cfg(target_os = "linux")]

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of which only the first and the last rows are on the disk: zeros of `rows` images of 32 times 32
/// bytes, an idx file of more than a gigabyte.
fn sparse(path: &Path, rows: u32) {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(&[0, 0, 8, 3]).expect("room");
    [rows, 32, 32].iter().for_each(|size| file.write_all(&size.to_be_bytes()).expect("room"));
    file.set_len(16 + u64::from(rows) * 1024).expect("room");
    file.seek(SeekFrom::End(-1024)).expect("a file");
    file.write_all(&[255; 1024]).expect("room");
}

#[test]
fn images_are_read_batch_by_batch() {
    let folder = folder("images");
    let rows = 1_100_000;
    sparse(&folder.join("images-idx3-ubyte"), rows);
    // The file is mapped, which takes addresses but no memory; its numbers as floats would take four times as
    // much. So the limit lies a little above the file.
    let said = run_within(2_000_000, &folder, &on_images("tensor() / 255"));
    assert!(said.contains("990_000 rows"), "{said}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

#[test]
fn images_are_standardised_batch_by_batch() {
    let folder = folder("standard");
    // 72 MB as bytes, 287 MB as floats.
    sparse(&folder.join("images-idx3-ubyte"), 70_000);
    let said = run_within(72_000 + PROCESS, &folder, &on_images("standardize(tensor())"));
    assert!(said.contains("63_000 rows"), "{said}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

/// Training on the images of the file.
fn on_images(image: &str) -> String {
    format!(
        "
data images = idx(\"images-idx3-ubyte\") {{
    image: [32, 32] = {image}
    split train = 0.9, test = 0.1
}}
model Brightness(x: [B, 32, 32]) -> [B, 1] {{ x |> flatten |> Linear(1) }}
train {{
    data     = images.train
    minimize mean((Brightness(image) - mean(image, axis = [1, 2])[:, new]) ^ 2) with SGD(lr = 0.01)
    batch    = 64
    steps    = 12
}}
"
    )
}

/// Training on made rows of 30 floats.
fn on_made(rows: &str) -> String {
    format!(
        "
data made {{
    rows = {rows}
    x: [30] = uniform(-1, 1)
}}
model Sum(x: [B, 30]) -> [B, 1] {{ x |> Linear(1) }}
train {{
    data     = made
    minimize mean((Sum(x) - sum(x, axis = 1)[:, new]) ^ 2) with SGD(lr = 0.01)
    batch    = 64
    steps    = 12
    shuffle  = false
}}
"
    )
}

/// What a program takes that has no data to speak of is less than half of this, in kilobytes.
const PROCESS: u32 = 100_000;

#[test]
fn rows_are_made_once() {
    let folder = folder("once");
    // 120 MB; twice as much does not fit.
    let said = run_within(120_000 + PROCESS, &folder, &on_made("1_000_000"));
    assert!(said.contains("1_000_000 rows"), "{said}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

#[test]
fn what_is_made_of_random_numbers_may_be_larger_than_memory() {
    let folder = folder("made");
    // 12 GB.
    let said = run_within(PROCESS, &folder, &on_made("100_000_000"));
    assert!(said.contains("100_000_000 rows"), "{said}");
    std::fs::remove_dir_all(folder).expect("it was there");
}

/// Rows are predicted as they come: a table of 200 MB in the memory of a small one.
#[test]
fn a_large_table_is_predicted_row_by_row() {
    let folder = folder("predict");
    let note = "x".repeat(4_000);
    let row = |at: u32| format!("{at},{},{note},{}\n", at % 7, if at % 7 > 3 { "much" } else { "little" });
    let table = |rows: u32| {
        std::iter::once("id,a,note,kind\n".to_owned()).chain((0..rows).map(row)).collect::<String>()
    };
    std::fs::write(folder.join("small.csv"), table(50)).expect("a file");
    let program = "data d = csv(\"small.csv\") {\n    x = standardize(column(\"a\"))\n    kind: class(2) = column(\"kind\")\n}\n\
                   model Net(x: [B]) -> [B, 2] { x[:, new] |> Linear(2) }\n\
                   train {\n    data = d\n    minimize cross_entropy(Net(x), kind) with SGD(lr = 0.1)\n    epochs = 3\n}\n";
    std::fs::write(folder.join("net.nn"), program).expect("a file");
    let run = |command: &str| {
        let mut shell = Command::new("sh");
        shell.current_dir(&folder).args(["-c", command]).arg(env!("CARGO_BIN_EXE_nnc"));
        let output = shell.output().expect("sh starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run("exec \"$0\" run net.nn --out run");
    std::fs::write(folder.join("large.csv"), table(50_000)).expect("a file");
    run(&format!("ulimit -v {}; exec \"$0\" predict run large.csv --threads 1 -o out.csv", PROCESS + 60_000));
    let out = std::fs::read_to_string(folder.join("out.csv")).expect("predictions");
    let rows: Vec<&str> = out.lines().collect();
    assert!(rows.len() == 50_001 && rows[1] == rows[49_708], "{}", rows.len());
    std::fs::remove_dir_all(folder).expect("it was there");
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nnc_large_{name}_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs a program that may take so many kilobytes of addresses, and gives what it printed.
fn run_within(limit: u32, folder: &Path, program: &str) -> String {
    let file = folder.join("program.nn");
    std::fs::write(&file, program).expect("a file");
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {limit}; exec \"$0\" run \"$1\" --threads 1 --no-save")])
        .args([env!("CARGO_BIN_EXE_nnc").as_ref(), file.as_os_str()])
        .output()
        .expect("sh starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
