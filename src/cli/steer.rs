//! What somebody who watches a run asks of it: a file `request-N.json` in its folder for each wish. The run looks for
//! them between series of steps, does what they say in the order of their numbers, and removes them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::interrupt::Requests;
use super::folder;
use super::runs::record::Folder;
use super::trials::place;
use crate::base::order::PutInOrder;
use crate::runtime::events::{Event, Observer};
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::world::native::write::write_atomically;

/// How often a run looks whether somebody asks for something.
const LOOK: Duration = Duration::from_millis(200);
/// More wishes than these at a time nobody has.
const MOST_REQUESTS: u64 = 10_000;
/// No file of a wish is longer.
const MOST_BYTES: u64 = 10_000;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    Pause,
    GoOn,
    /// Ends the training after the step at work, as Ctrl-C does.
    Stop,
    /// Another value of the argument `lr` of all optimizers.
    Rate(String),
}

impl Ask {
    /// From what a client sends.
    pub fn parse(value: &Value) -> Option<Ask> {
        match value["ask"].as_str()? {
            "pause" => Some(Ask::Pause),
            "go on" => Some(Ask::GoOn),
            "stop" => Some(Ask::Stop),
            "rate" => {
                let rate = value["value"].as_str()?.trim();
                let is_sound = !rate.is_empty() && rate.len() < 200 && !rate.contains(['\n', '\r', '{', '}', '#']);
                is_sound.then(|| Ask::Rate(rate.to_owned()))
            }
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Ask::Pause => json!({ "ask": "pause" }),
            Ask::GoOn => json!({ "ask": "go on" }),
            Ask::Stop => json!({ "ask": "stop" }),
            Ask::Rate(rate) => json!({ "ask": "rate", "value": rate }),
        }
        .to_string()
    }
}

/// Asks a run for something.
///
/// # Errors
/// Those of the system, and if the run has not looked at what was asked before for long.
pub fn ask(folder: &Path, ask: &Ask) -> io::Result<()> {
    let next = requests(folder).last().map_or(1, |(number, _)| number + 1);
    if next > MOST_REQUESTS {
        return Err(io::Error::other("too many requests are waiting"));
    }
    let path = folder.join(format!("request-{next}.json"));
    write_atomically(&path, &mut |out| out.write_all(ask.text().as_bytes()))
}

/// The files of requests that wait, by number.
fn requests(folder: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |name: &str| name.strip_prefix("request-")?.strip_suffix(".json")?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| Some((number(&entry.file_name().to_string_lossy())?, entry.path())))
        .collect();
    found.put_in_order();
    found
}

/// Reads and removes what is asked.
fn take(folder: &Path) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (_, path) in requests(folder) {
        let is_short = fs::metadata(&path).is_ok_and(|file| file.len() <= MOST_BYTES);
        let text = if is_short { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        // What cannot be removed would be done again and again.
        if fs::remove_file(&path).is_ok() {
            asks.extend(serde_json::from_str(&text).ok().and_then(|value| Ask::parse(&value)));
        }
    }
    asks
}

/// The rate that a training is to go on with, once it has ended for it.
pub type NextRate = Arc<Mutex<Option<String>>>;

/// An observer that does what is asked.
pub struct Steered {
    inner: Box<dyn Observer>,
    folder: Folder,
    requests: Arc<Requests>,
    /// Whether the rate may change.
    has_rates: bool,
    next_rate: NextRate,
    looked: Instant,
}

impl Steered {
    /// What was asked of an earlier run in this folder is forgotten.
    pub fn new(
        inner: Box<dyn Observer>,
        folder: &Folder,
        requests: &Arc<Requests>,
        next_rate: &NextRate,
    ) -> Steered {
        drop(take(&folder.path));
        let (folder, requests, next_rate) = (folder.clone(), Arc::clone(requests), Arc::clone(next_rate));
        Steered { inner, folder, requests, has_rates: true, next_rate, looked: Instant::now() }
    }

    /// The same where several processes share the training, which cannot all change their program.
    pub fn at_one_rate(self) -> Steered {
        Steered { has_rates: false, ..self }
    }

    fn look(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        let mut is_paused = false;
        loop {
            for ask in take(&self.folder.path) {
                match ask {
                    Ask::Pause => is_paused = true,
                    Ask::GoOn => is_paused = false,
                    Ask::Stop => self.requests.end_training(),
                    Ask::Rate(rate) => self.change_rate(&rate),
                }
            }
            if !is_paused || self.requests.are_there() || self.has_next_rate() {
                break;
            }
            self.folder.note_state("paused");
            std::thread::sleep(LOOK);
        }
        self.folder.note_state("at work");
        self.looked = Instant::now();
    }

    fn change_rate(&self, rate: &str) {
        let found = match self.has_rates {
            true => with_rate(&self.folder.path, rate).map(drop),
            false => Err("several processes share this training".to_owned()),
        };
        match found {
            Ok(()) => *self.next_rate.lock().unwrap_or_else(PoisonError::into_inner) = Some(rate.to_owned()),
            Err(why) => self.folder.note_refused(&format!("lr = {rate}: {why}")),
        }
    }

    fn has_next_rate(&self) -> bool {
        self.next_rate.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Observer for Steered {
    fn event(&mut self, event: &Event<'_>) {
        self.inner.event(event);
        if matches!(event, Event::Progress { .. }) {
            self.look();
        }
    }

    fn every(&self) -> Option<u64> {
        self.inner.every()
    }

    fn stop(&mut self) -> bool {
        self.has_next_rate() || self.inner.stop()
    }

    fn steps_at_once(&self) -> Option<u64> {
        self.inner.steps_at_once()
    }

    fn leave(&mut self) -> bool {
        self.has_next_rate() || self.inner.leave()
    }
}

/// The program of a run with another rate, and its text.
pub fn with_rate(path: &Path, rate: &str) -> Result<(String, Program), String> {
    let file = path.join("program.nn");
    let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let text = place::written(&text, &["lr"], &[rate.to_owned()])?;
    let program = folder::program_of_text(path, &file, &text, &mut |_, _| Vec::new());
    let first = |errors: Diagnostics| {
        errors.iter().find(|error| error.is_error()).map(|error| error.message.clone()).unwrap_or_default()
    };
    Ok((text, program.map_err(first)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_as_they_are_written() {
        let asks = [Ask::Pause, Ask::GoOn, Ask::Stop, Ask::Rate("cosine(0.1, total = 100)".to_owned())];
        for ask in asks {
            let value: Value = serde_json::from_str(&ask.text()).expect("it is JSON");
            assert_eq!(Ask::parse(&value), Some(ask));
        }
        for text in [r#"{"ask": "dance"}"#, r#"{"ask": "rate", "value": "1\n} train {"}"#, r#"{"ask": "rate"}"#, "[]"] {
            assert_eq!(Ask::parse(&serde_json::from_str(text).expect("it is JSON")), None, "{text}");
        }
    }
}
