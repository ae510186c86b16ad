//! What is new in the folder of a run, as server-sent events: `run` (what run.json says), `metrics` (rows of a
//! metrics.csv from a place on), `pictures`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::base::order::PutInOrder;
use crate::cli::runs::record::{is_abandoned, read_info};

/// What a client has been told of a run.
pub struct Feed {
    run: PathBuf,
    info: String,
    /// The texts of the files of metrics.
    metrics: Vec<String>,
    pictures: String,
}

/// A picture of a `plot` line.
pub struct Picture {
    pub name: String,
    pub path: PathBuf,
    /// Another one when it is drawn anew.
    version: u128,
}

impl Feed {
    pub fn new(run: &Path) -> Feed {
        Feed { run: run.to_path_buf(), info: String::new(), metrics: Vec::new(), pictures: String::new() }
    }

    /// The events of what has changed since the last call.
    pub fn news(&mut self) -> String {
        let mut events = String::new();
        let mut tell = |name: &str, data: &str| events.push_str(&format!("event: {name}\ndata: {data}\n\n"));
        let info = self.info_now();
        if info != self.info {
            tell("run", &info);
            self.info = info;
        }
        for number in 1.. {
            let name = if number == 1 { "metrics.csv".to_owned() } else { format!("metrics-{number}.csv") };
            let Ok(text) = fs::read_to_string(self.run.join(&name)) else { break };
            // A row may be half written.
            let text = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            if self.metrics.len() < number {
                self.metrics.push(String::new());
            }
            let known = &mut self.metrics[number - 1];
            if known != text {
                let same = same_lines(known, text);
                tell("metrics", &json!({ "training": number, "keep": same.0, "rows": &text[same.1..] }).to_string());
                text.clone_into(known);
            }
        }
        let pictures = pictures(&self.run);
        let listed: Vec<Value> = pictures
            .iter()
            .map(|picture| json!({ "name": picture.name, "version": picture.version.to_string() }))
            .collect();
        let listed = json!(listed).to_string();
        if listed != self.pictures && !(self.pictures.is_empty() && pictures.is_empty()) {
            tell("pictures", &listed);
            self.pictures = listed;
        }
        events
    }

    /// What run.json says, and whether nobody is at work any more though it says so.
    fn info_now(&self) -> String {
        // It is replaced as a whole; where there is none, the run was removed.
        let Ok(mut info) = read_info(&self.run) else { return json!({ "result": "gone" }).to_string() };
        let is_running = info.get("result").and_then(Value::as_str) == Some("running");
        if is_running && is_abandoned(&self.run) {
            info.insert("result".to_owned(), json!("killed"));
        }
        info.insert("folder".to_owned(), json!(self.run.display().to_string()));
        Value::Object(info).to_string()
    }
}

/// How many whole lines two texts have in common at their beginnings, and how many bytes these are.
fn same_lines(a: &str, b: &str) -> (usize, usize) {
    let mut lines = a.split_inclusive('\n').zip(b.split_inclusive('\n'));
    let (mut count, mut bytes) = (0, 0);
    while let Some((line, other)) = lines.next()
        && line == other
    {
        (count, bytes) = (count + 1, bytes + line.len());
    }
    (count, bytes)
}

/// The pictures of a run, in the order of their numbers.
pub fn pictures(run: &Path) -> Vec<Picture> {
    let entries = fs::read_dir(run.join("pictures")).into_iter().flatten().flatten();
    let picture = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        let number: u64 = name.strip_suffix(".svg")?.rsplit('-').next()?.parse().ok()?;
        let changed = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
        let version = changed.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        Some((number, Picture { name, path, version }))
    };
    let mut found: Vec<(u64, Picture)> = entries.filter_map(|entry| picture(entry.path())).collect();
    found.put_in_order_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, picture)| picture).collect()
}

#[cfg(test)]
mod tests {
    use super::same_lines;

    #[test]
    fn rows_that_are_known_are_not_sent_again() {
        assert_eq!(same_lines("a\nb\n", "a\nb\nc\n"), (2, 4));
        assert_eq!(same_lines("a\nb\n", "a\nx\nc\n"), (1, 2));
        assert_eq!(same_lines("", "a\n"), (0, 0));
        assert_eq!(same_lines("a\nb\n", "a\n"), (1, 2));
    }
}
