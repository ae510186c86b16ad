//! Data that is larger than the memory that the process may take.
#![cfg(target_os = "linux")]

use std::io::{Seek, SeekFrom, Write};
use std::process::Command;

/// A file of which only the first and the last rows are on the disk: zeros of `rows` images of 32 times 32
/// bytes, an idx file of more than a gigabyte.
fn sparse(path: &std::path::Path, rows: u32) {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(&[0, 0, 8, 3]).expect("room");
    [rows, 32, 32].iter().for_each(|size| file.write_all(&size.to_be_bytes()).expect("room"));
    file.set_len(16 + u64::from(rows) * 1024).expect("room");
    file.seek(SeekFrom::End(-1024)).expect("a file");
    file.write_all(&[255; 1024]).expect("room");
}

#[test]
fn images_are_read_batch_by_batch() {
    let folder = std::env::temp_dir().join(format!("nnc_large_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let rows = 1_100_000;
    sparse(&folder.join("images-idx3-ubyte"), rows);
    let program = "
data images = idx(\"images-idx3-ubyte\") {
    image: [32, 32] = tensor() / 255
    split train = 0.9, test = 0.1
}
model Brightness(x: [B, 32, 32]) -> [B, 1] { x |> flatten |> Linear(1) }
train {
    data     = images.train
    minimize mean((Brightness(image) - mean(image, axis = [1, 2])[:, new]) ^ 2) with SGD(lr = 0.01)
    batch    = 64
    steps    = 12
}
";
    let file = folder.join("brightness.nn");
    std::fs::write(&file, program).expect("a file");
    // The file is mapped, which takes addresses but no memory; its numbers as floats would take four times as
    // much. So the limit lies a little above the file.
    let limit = 2_000_000;
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {limit}; exec \"$0\" run \"$1\" --threads 1")])
        .args([env!("CARGO_BIN_EXE_nnc").as_ref(), file.as_os_str()])
        .output()
        .expect("sh starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("990_000 rows"), "{output:?}");
    std::fs::remove_dir_all(folder).expect("it was there");
}
