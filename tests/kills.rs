//! Training that is killed at any instant and resumed ends in the same bits as training that is left alone.
//!
//! `NNC_KILLS=1000 cargo test --release --test kills` kills as often as one likes.
#![cfg(unix)]

#[path = "generated/random.rs"]
#[allow(dead_code, reason = "it serves other tests")]
mod random;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use random::Random;

/// Kills of each training in a usual run of the tests.
const KILLS: usize = 4;

const NET: &str = "
layer Deep()(x: [B, 6]) -> [B, 1] { x |> Linear(24) |> tanh |> Dropout(0.2) |> Linear(24) |> relu |> Linear(1) }
model Net(x: [B, 6]) -> [B, 1] { x |> Deep() }
model Average(x: [B, 6]) -> [B, 1] { x |> Deep() }
data d {
    rows = 203
    x: [6] = normal(0, 1)
    y: [1] = sin(x[0]) * x[1]
    split train = 0.8, test = 0.2
}
data other {
    rows = 50
    seed = 3
    x: [6] = normal(0, 1)
}
";

/// Settings as people train, each with a name.
const TRAININGS: &[(&str, &str)] = &[
    (
        // Batches of two sizes, an optimiser with states.
        "patience",
        "train {
    data     = d.train
    validate = d.test
    minimize mse(Net(x), y) with Adam(lr = cosine(0.01, warmup = 20, total = 60000))
    batch    = 16
    epochs   = 3000
    stop     = patience(2500)
}",
    ),
    (
        "best epoch, accumulated gradients, plateaus",
        "train {
    data       = d.train
    validate   = d.test
    minimize mse(Net(x), y) with AdamW(lr = plateau(0.01, gamma = 0.7)), clip_norm = 1
    batch      = 16
    steps      = 24_000
    validate_every = 70
    accumulate = 4
    plateau    = patience(10)
    keep       = best
}",
    ),
    (
        "running means, judged by a metric",
        "train {
    data     = d.train
    validate = d.test
    init Average = Net
    minimize mse(Net(x), y) with SGD(lr = 0.02, momentum = 0.9)
    Average <- 0.99 * Average + 0.01 * Net
    measure  slow = mean(abs(Average(x) - y))
    batch    = 16
    epochs   = 2000
    keep     = best(by = \"slow\")
}",
    ),
    (
        "further data, and a second training",
        "train {
    data   = d.train
    data u = other, batch = 8
    minimize mse(Net(x), y) + 0.01 * mean(Net(u.x)^2) with Adam(lr = 0.003)
    batch  = 16
    epochs = 1000
}
train {
    data     = d.train
    validate = d.test
    minimize mse(Average(x), Net(x)) with Adam(lr = 0.01) over Average
    batch    = 20
    epochs   = 1000
    stop     = patience(990)
}",
    ),
];

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind in the folder of temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn nnc(program: &Path, save: &Path, resume: bool) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command.arg("run").arg(program).arg("--quiet").arg("--save").arg(save);
    if resume {
        command.arg("--resume").arg(save);
    }
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn run_to_its_end(program: &Path, save: &Path, resume: bool) -> Duration {
    let begun = std::time::Instant::now();
    let output = nnc(program, save, resume).output().expect("nnc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    begun.elapsed()
}

#[test]
fn killed_training_ends_in_the_same_bits() {
    let kills = std::env::var("NNC_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS);
    let folder = Folder(std::env::temp_dir().join(format!("nnc_kills_{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let mut random = Random::new(7);
    for (name, training) in TRAININGS {
        killed(&folder.0, (name, training), kills, &mut random);
    }
}

/// Kills a training so often, and lets it come to its end each time.
fn killed(folder: &Path, (name, training): (&str, &str), kills: usize, random: &mut Random) {
    let (program, whole, parts) =
        (folder.join("p.nn"), folder.join("whole.safetensors"), folder.join("parts.safetensors"));
    std::fs::write(&program, format!("{NET}{training}\n")).expect("a file");
    let time = run_to_its_end(&program, &whole, false);
    let expected = std::fs::read(&whole).expect("it was saved");
    let mut done = 0;
    while done < kills {
        let _ = std::fs::remove_file(&parts);
        // Some kills in one training, then its end.
        for _ in 0..1 + random.below(4) {
            let mut child = nnc(&program, &parts, parts.exists()).spawn().expect("nnc starts");
            std::thread::sleep(time.mul_f64(random.unit() * 0.6));
            if random.chance(50) {
                let pid = child.id().to_string();
                let sent = Command::new("kill").args(["-INT", &pid]).stderr(Stdio::null()).status();
                sent.expect("kill starts");
            } else {
                child.kill().expect("it is ours");
            }
            child.wait().expect("it ends");
            done += 1;
        }
        run_to_its_end(&program, &parts, parts.exists());
        let found = std::fs::read(&parts).expect("it was saved");
        assert!(found == expected, "{name}: after {done} kills the parameters have other bits");
    }
}
