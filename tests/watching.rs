//! A run that is watched: what the page gets, and what it asks of the run. Nothing that is asked costs a bit.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

#[path = "support/folder.rs"]
mod folder;

use folder::Folder;

/// Wide enough for its epochs to last until the test ends the run.
const PROGRAM: &str = "model Net(x: [B, 2]) -> [B, 1] { x |> Linear(512) |> tanh |> Linear(512) |> tanh |> Dropout(0.1) |> Linear(1) }
data d = csv(\"d.csv\") {
    x: [2] = columns(0:2)
    y: [1] = column(2)
    split train = 0.8, test = 0.2
}
train {
    data     = d.train
    validate = d.test
    minimize mse(Net(x), y) with Adam(lr = 0.01)
    batch    = 16
    epochs   = EPOCHS
}
plot d.test.y[:, 0], Net(d.test.x)[:, 0]
";

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder in which a run of so many epochs is at work, its watcher, and where that listens.
fn watched(name: &str, epochs: u64) -> (Folder, Running, Running, String) {
    let folder = Folder::new(name);
    let rows: Vec<String> = (0..200)
        .map(|at| (f64::from(at * 37 % 100) / 50.0 - 1.0, f64::from(at * 61 % 100) / 50.0 - 1.0))
        .map(|(a, b)| format!("{a},{b},{}", a * b))
        .collect();
    folder.write("d.csv", &rows.join("\n"));
    folder.write("d.nn", &PROGRAM.replace("EPOCHS", &epochs.to_string()));
    let run =
        folder.command(&["run", "d.nn", "--out", "r"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let run = Running(run.expect("nnc starts"));
    wait(|| folder.0.join("r/metrics.csv").is_file() && folder.0.join("r/last.safetensors").is_file());
    let watch = folder.command(&["watch", "r", "--port", "0"]).stdout(Stdio::piped()).spawn();
    let mut watch = Running(watch.expect("nnc starts"));
    let mut line = String::new();
    let out = watch.0.stdout.take().expect("an output");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let place =
        line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address").to_owned();
    (folder, run, watch, place)
}

fn wait(mut until: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it takes too long");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Status and body of a response.
fn request(place: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(place).expect("somebody listens");
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    (status, text.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

fn get(place: &str, path: &str) -> (u16, String) {
    request(place, &format!("GET {path} HTTP/1.1\r\nHost: {place}"), "")
}

/// The word that the page brings with what it asks.
fn word(place: &str) -> String {
    let page = get(place, "/").1;
    page.split("name=\"nnc-word\" content=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a word")
        .to_owned()
}

fn ask(place: &str, word: &str, body: &str) -> u16 {
    request(place, &format!("POST /ask HTTP/1.1\r\nHost: {place}\r\nX-Nnc-Word: {word}"), body).0
}

fn info(folder: &Folder, key: &str) -> serde_json::Value {
    // It is replaced as a whole, so it can always be read.
    serde_json::from_str::<serde_json::Value>(&folder.read("r/run.json")).expect("JSON")[key].clone()
}

/// Another rate, a pause and a stop: the run does it, is gone on with, and carried out again comes to the same bits.
#[test]
fn a_run_is_steered() {
    let (folder, mut run, _watch, place) = watched("steered", 100_000);
    let word = word(&place);
    assert_eq!(ask(&place, &word, "{\"ask\": \"pause\"}"), 200);
    wait(|| info(&folder, "state") == "paused");
    let rows = folder.read("r/metrics.csv").lines().count();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(folder.read("r/metrics.csv").lines().count(), rows, "it goes on in a pause");
    assert_eq!(ask(&place, &word, "{\"ask\": \"rate\", \"value\": \"no_such_thing(1)\"}"), 200);
    wait(|| info(&folder, "refused").as_str().is_some_and(|why| why.contains("no_such_thing")));
    assert_eq!(ask(&place, &word, "{\"ask\": \"rate\", \"value\": \"0.002\"}"), 200);
    wait(|| folder.read("r/program.nn").contains("lr = 0.002"));
    assert!(folder.read("r/program-1.nn").contains("lr = 0.01"));
    wait(|| folder.read("r/metrics.csv").lines().count() > rows + 50);
    assert_eq!(ask(&place, &word, "{\"ask\": \"stop\"}"), 200);
    assert_eq!(run.0.wait().expect("it ends").code(), Some(130));
    wait(|| get(&place, "/report.html").0 == 200);
    assert_eq!(ask(&place, &word, "{\"ask\": \"pause\"}"), 409, "nobody is at work");
    // The rest in fewer epochs, as nobody waits for 100,000.
    let done = info(&folder, "epochs").as_u64().expect("epochs");
    let until = info(&folder, "changes")[0]["until"].as_u64().expect("a step");
    assert!(until > 0 && until < done * 10, "{until} of {done} epochs");
    let end = (done + 20).to_string();
    for name in ["r/program.nn", "r/program-1.nn"] {
        folder.write(name, &folder.read(name).replace("100000", &end));
    }
    folder.nnc(&["resume", "r"]);
    assert!(folder.0.join("r/pictures/plot-1.svg").is_file());
    let said = folder.fails(&["rerun", "r"]);
    assert!(said.contains("program-1.nn was changed") && !said.contains("is another"), "{said}");
    assert!(!said.contains("other numbers"), "{said}");
}

/// Who asks without the word of the page, by another name or for what there is not, gets nothing.
#[test]
fn others_get_nothing() {
    let (folder, run, _watch, place) = watched("others", 100_000);
    let pause = "{\"ask\": \"pause\"}";
    assert_eq!(ask(&place, "0000", pause), 403);
    assert_eq!(request(&place, &format!("POST /ask HTTP/1.1\r\nHost: {place}"), pause).0, 403);
    let from_elsewhere = |head: &str| request(&place, head, "").0;
    assert_eq!(from_elsewhere("GET / HTTP/1.1\r\nHost: example.org"), 403);
    assert_eq!(from_elsewhere("GET / HTTP/1.1"), 403);
    let word = word(&place);
    for body in ["", "[]", "{\"ask\": \"dance\"}", "{\"ask\": \"rate\", \"value\": \"1) } data {\"}"] {
        assert_eq!(ask(&place, &word, body), 400, "{body}");
    }
    for path in
        ["/pictures/../run.json", "/pictures/%2e%2e/run.json", "/run.json", "//etc/passwd", "/pictures/"]
    {
        assert_eq!(get(&place, path).0, 404, "{path}");
    }
    assert_eq!(request(&place, "nonsense", "").0, 400);
    assert!(get(&place, "/program").1.contains("minimize"));
    assert_eq!(info(&folder, "state"), serde_json::Value::Null);
    let port = place.rsplit(':').next().expect("a port");
    let said = folder.fails(&["watch", "r", "--port", port]);
    assert!(said.contains(&format!("error[{}]", "E0898")), "{said}");
    assert!(folder.fails(&["watch", "d.csv"]).contains("E0776"));
    drop(run);
}

/// Events tell what is there, then what is new, and that the run was killed.
#[test]
fn events_come_as_they_happen() {
    let (_folder, mut run, _watch, place) = watched("events", 100_000);
    let mut stream = TcpStream::connect(&place).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    write!(stream, "GET /events HTTP/1.1\r\nHost: {place}\r\n\r\n").expect("sent");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("it goes on"));
    assert!(lines.any(|line| line == "Content-Type: text/event-stream"));
    let mut next = |event: &str| {
        lines.find(|line| *line == format!("event: {event}")).expect("an event");
        let data = lines.next().expect("data");
        serde_json::from_str::<serde_json::Value>(data.strip_prefix("data: ").expect("data")).expect("JSON")
    };
    assert_eq!(next("run")["result"], "running");
    let first = next("metrics");
    assert!(
        first["keep"] == 0
            && first["rows"].as_str().is_some_and(|rows| rows.starts_with("epoch,step,seconds"))
    );
    let second = next("metrics");
    let known = first["rows"].as_str().map_or(0, |rows| rows.lines().count());
    assert_eq!(second["keep"], known, "only what is new");
    run.0.kill().expect("it is ours");
    run.0.wait().expect("it ends");
    assert_eq!(next("run")["result"], "killed");
}
