//! Data whose fields have no source, given by files on the command line: every command that reads data takes it.
#![cfg(feature = "cli")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const PROGRAM: &str = "\
model Net(x: [B, 2]) -> [B, 2] { x |> Linear(8) |> tanh |> Linear(2) }

data points {
    x: [2]
    y: class(2)
    split train = 0.75, test = 0.25
}

train {
    data     = points.train
    minimize cross_entropy(Net(x), y) with SGD(lr = 0.5)
    validate = points.test
    batch    = 6
    epochs   = 5
}

print mean(points.x)
";

/// A folder with the program and the rows, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nnc_given_{}_{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        fs::write(path.join("net.nn"), PROGRAM).expect("a file");
        fs::write(path.join("points.safetensors"), rows(24, true)).expect("a file");
        fs::write(path.join("new.safetensors"), rows(3, false)).expect("a file");
        Folder(path)
    }

    fn run(&self, command: &str) -> Output {
        let mut nnc = Command::new(env!("CARGO_BIN_EXE_nnc"));
        nnc.current_dir(&self.0).args(command.split_whitespace()).output().expect("nnc starts")
    }

    /// What a command that ends well prints.
    fn nnc(&self, command: &str) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a command that fails says.
    fn fails(&self, command: &str) -> String {
        let output = self.run(command);
        assert!(!output.status.success(), "{command} ended well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A safetensors file with `x`, places on a line, and perhaps `y`, whether they are right of its middle.
fn rows(count: usize, with_y: bool) -> Vec<u8> {
    let places: Vec<f32> = (0..count).map(|at| at as f32 / count as f32 - 0.5).collect();
    let x: Vec<u8> = places.iter().flat_map(|place| [*place, 1.0]).flat_map(f32::to_le_bytes).collect();
    let y: Vec<u8> = places.iter().flat_map(|place| i32::from(*place > 0.0).to_le_bytes()).collect();
    let of_x = format!("\"x\":{{\"dtype\":\"F32\",\"shape\":[{count},2],\"data_offsets\":[0,{}]}}", x.len());
    let end = x.len() + y.len();
    let of_y =
        format!("\"y\":{{\"dtype\":\"I32\",\"shape\":[{count}],\"data_offsets\":[{},{end}]}}", x.len());
    let (header, data) = match with_y {
        true => (format!("{{{of_x},{of_y}}}"), [x, y].concat()),
        false => (format!("{{{of_x}}}"), x),
    };
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

#[test]
fn every_command_takes_rows_from_files() {
    let folder = Folder::new("commands");
    let data = "--data points=points.safetensors";
    folder.nnc(&format!("run net.nn {data} --out kept --quiet"));
    let bench = folder.nnc(&format!("bench net.nn {data} --seconds 0.05 --threads 1"));
    assert!(bench.contains("first step"), "{bench}");
    folder.nnc(&format!("profile net.nn {data} --seconds 0.05 --threads 1"));
    folder.nnc(&format!("derive net.nn --check {data}"));
    let described = folder.nnc(&format!("data net.nn {data}"));
    assert!(described.contains("24 rows: train 18, test 6"), "{described}");
    let folds = folder.nnc(&format!("cv net.nn --folds 3 {data} --format csv"));
    assert_eq!(folds.lines().count(), 6, "{folds}");
    folder.nnc(&format!("sweep net.nn lr=0.1,0.5 {data} --out swept"));
    folder.nnc("eval swept/trial-2");
    let weights = "net.nn --weights kept/best.safetensors";
    folder.nnc(&format!("eval {weights} {data}"));
    folder.nnc(&format!("importance {weights} {data}"));
    assert_eq!(folder.nnc(&format!("predict {weights} new.safetensors")).lines().count(), 4);
}

/// The folder of a run knows the files, so nothing has to be said again.
#[test]
fn runs_remember_the_files() {
    let folder = Folder::new("runs");
    folder.nnc("run net.nn --data points=points.safetensors --out kept --quiet");
    assert!(folder.nnc("rerun kept").contains("the same bits"));
    folder.nnc("eval kept");
    folder.nnc("importance kept");
    assert_eq!(folder.nnc("predict kept new.safetensors").lines().count(), 4);
    fs::write(folder.0.join("points.safetensors"), rows(20, true)).expect("a file");
    assert!(folder.fails("rerun kept").contains("points.safetensors"));
}

#[test]
fn wrong_files_are_told() {
    let folder = Folder::new("wrong");
    let none = folder.fails("run net.nn");
    assert!(none.contains("E0756") && none.contains("--data points=FILE"), "{none}");
    let name = folder.fails("run net.nn --data point=points.safetensors");
    assert!(name.contains("E0757") && name.contains("there is `points`"), "{name}");
    let lacking = folder.fails("run net.nn --data points=new.safetensors");
    assert!(lacking.contains("E0711") && lacking.contains('y'), "{lacking}");
    let missing = folder.fails("run net.nn --data points=none.npz");
    assert!(missing.contains("E0701"), "{missing}");
    assert!(folder.fails("run net.nn --data points").contains("NAME=FILE"));
}
