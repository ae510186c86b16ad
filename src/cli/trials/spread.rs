//! Trials that several processes share, begun by `mpirun` or its like: each takes the next trial when it has room for
//! one, and all hear of every result. Which process carries a trial out changes nothing about it.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::crew::{self, BROKEN_OFF, Failed, Outcome};
use crate::base::Diagnostic;
use crate::cli::ranks::Joined;
use crate::cli::{Failure, folder};
use crate::runtime::ranks::{Lost, Why, texts};

/// How often processes tell one another what they have finished.
const ROUND: Duration = Duration::from_millis(50);

/// What can be told to other processes.
pub trait Told: Sized {
    fn tell(&self) -> Value;

    /// What was told; none if it is something else.
    fn heard(value: &Value) -> Option<Self>;
}

impl Told for Result<Outcome, Failed> {
    fn tell(&self) -> Value {
        match self {
            // Numbers as bits: they may be none, and are to be the same on all processes.
            Ok(outcome) => {
                let scores = |(name, value): &(String, f64)| json!([name, value.to_bits()]);
                let epoch = |epoch: &crew::Scores| Value::Array(epoch.iter().map(scores).collect());
                json!({ "epochs": outcome.epochs.iter().map(epoch).collect::<Vec<Value>>() })
            }
            Err(failed) => json!({ "code": failed.code, "messages": failed.messages, "shown": failed.shown }),
        }
    }

    fn heard(value: &Value) -> Option<Self> {
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let Some(epochs) = value.get("epochs") else {
            let messages = value.get("messages")?.as_array()?.iter();
            let messages = messages.map(|message| Some(message.as_str()?.to_owned())).collect::<Option<_>>()?;
            return Some(Err(Failed { code: text("code")?, messages, shown: text("shown")? }));
        };
        let score = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), f64::from_bits(pair.get(1)?.as_u64()?)));
        let epoch = |epoch: &Value| epoch.as_array()?.iter().map(score).collect::<Option<crew::Scores>>();
        Some(Ok(Outcome { epochs: epochs.as_array()?.iter().map(epoch).collect::<Option<_>>()? }))
    }
}

/// As [`crew::each`], with all processes that take part; each of them is handed all results.
///
/// # Errors
/// If a process does not take part any more.
pub fn each<T: Send + Told>(
    joined: Option<&Joined>,
    count: usize,
    at_once: usize,
    trial: impl Fn(usize) -> T + Sync,
    done: impl FnMut(usize, T),
) -> Result<(), Failure> {
    let Some(joined) = joined else {
        crew::each(count, at_once, trial, done);
        return Ok(());
    };
    let at_once = at_once.clamp(1, count.max(1));
    let (give, numbers) = mpsc::channel::<usize>();
    let numbers = &Mutex::new(numbers);
    std::thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..at_once {
            let (sender, trial) = (sender.clone(), &trial);
            scope.spawn(move || {
                loop {
                    let next = numbers.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(number) = next else { break };
                    if sender.send((number, trial(number))).is_err() {
                        break;
                    }
                }
            });
        }
        let ended = Rounds { joined, count, at_once, give, results }.go_through(done);
        // Nobody waits for the trials of a process that has lost the others.
        BROKEN_OFF.fetch_or(ended.is_err(), Ordering::Relaxed);
        ended.map_err(|lost| folder::failed(Diagnostic::from(lost)))
    })
}

/// What one process hands to its threads, and what they hand back.
struct Rounds<'a, T> {
    joined: &'a Joined,
    count: usize,
    at_once: usize,
    give: Sender<usize>,
    results: Receiver<(usize, T)>,
}

impl<T: Told> Rounds<'_, T> {
    /// Every process says which trials it has finished and for how many it has room; then all know who takes which.
    fn go_through(self, mut done: impl FnMut(usize, T)) -> Result<(), Lost> {
        let (mut next, mut ended, mut running) = (0, 0, 0);
        while ended < self.count {
            let finished = self.finished(if running > 0 { ROUND } else { Duration::ZERO });
            running -= finished.len();
            let told: Vec<Value> = finished.iter().map(|(number, result)| json!([number, result.tell()])).collect();
            let message = json!({ "room": self.at_once - running, "finished": told });
            let mut room = Vec::new();
            for (rank, text) in texts(&self.joined.shared, &message.to_string())?.iter().enumerate() {
                let other = || Lost { rank, why: Why::Library("it has sent something else".to_owned()) };
                let (places, results) = heard::<T>(text).ok_or_else(other)?;
                room.push(places);
                ended += results.len();
                results.into_iter().for_each(|(number, result)| done(number, result));
            }
            while next < self.count && room.iter().any(|places| *places > 0) {
                for (rank, places) in room.iter_mut().enumerate().filter(|(_, places)| **places > 0) {
                    if next < self.count {
                        *places -= 1;
                        if rank == self.joined.rank {
                            running += 1;
                            // The threads wait for numbers as long as there is this sender.
                            self.give.send(next).unwrap_or_default();
                        }
                        next += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// What this process has finished within a time.
    fn finished(&self, within: Duration) -> Vec<(usize, T)> {
        let until = Instant::now() + within;
        let wait = || self.results.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
        std::iter::from_fn(wait).collect()
    }
}

/// The room and the results of another process.
fn heard<T: Told>(text: &str) -> Option<(usize, Vec<(usize, T)>)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let result = |pair: &Value| Some((pair.get(0)?.as_u64()? as usize, T::heard(pair.get(1)?)?));
    let results = value.get("finished")?.as_array()?.iter().map(result).collect::<Option<_>>()?;
    Some((value.get("room")?.as_u64()? as usize, results))
}

/// Tells the other processes what is to be tried, and hears from the first where it is kept.
///
/// # Errors
/// E0933 if another process is to try something else, E0934 if one does not take part any more.
pub fn agree(joined: Option<&Joined>, what: &str, place: &str) -> Result<String, Failure> {
    let Some(joined) = joined else { return Ok(place.to_owned()) };
    let said = |text: &str| texts(&joined.shared, text).map_err(|lost| folder::failed(Diagnostic::from(lost)));
    let version = env!("CARGO_PKG_VERSION");
    let all = said(&format!("nnc {version}\n{what}"))?;
    let another = all.iter().position(|text| *text != all[0]);
    if let Some(rank) = another {
        let message = format!("the {} ranks do not try the same: rank {rank} has other settings or another program than rank 0", joined.size);
        let error = Diagnostic::error("E0933", message);
        return Err(folder::failed(error.help("all ranks need the same program, options and version of nnc")));
    }
    Ok(said(place)?.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::runtime::ranks::{Shared, threads};

    /// Three ranks that are threads, and more trials than they have room for.
    #[test]
    fn every_trial_is_carried_out_once_and_all_hear_of_it() {
        let carried = Mutex::new(Vec::new());
        let trial = |number: usize| -> Result<Outcome, Failed> {
            carried.lock().expect("nobody panics").push(number);
            Ok(Outcome { epochs: vec![vec![("loss".to_owned(), number as f64)]] })
        };
        let ranks: Vec<_> = threads::ranks(3).into_iter().enumerate().collect();
        std::thread::scope(|scope| {
            for (rank, thread) in ranks {
                let trial = &trial;
                scope.spawn(move || {
                    let shared: Shared = Arc::new(Mutex::new(Box::new(thread)));
                    let joined = Joined { shared, rank, size: 3, here: 3 };
                    let mut heard = vec![None; 20];
                    let done = |number: usize, result: Result<Outcome, Failed>| {
                        heard[number] = result.ok().and_then(|outcome| crew::value(outcome.last()?, "loss"));
                    };
                    assert!(each(Some(&joined), 20, 2, trial, done).is_ok());
                    assert!(heard.iter().enumerate().all(|(number, loss)| *loss == Some(number as f64)));
                });
            }
        });
        let mut carried = carried.into_inner().expect("nobody panics");
        carried.sort_unstable();
        assert_eq!(carried, (0..20).collect::<Vec<usize>>());
    }

    #[test]
    fn results_are_heard_as_they_were_told() {
        let outcome = Outcome { epochs: vec![vec![("loss".to_owned(), 0.1), ("a, \"b\"".to_owned(), f64::INFINITY)]] };
        let failed = Failed { code: "E0723".to_owned(), messages: vec!["no".to_owned()], shown: "error: no\n".to_owned() };
        for result in [Ok(outcome), Err(failed)] {
            let heard = <Result<Outcome, Failed>>::heard(&result.tell()).expect("the same");
            assert_eq!(format!("{heard:?}"), format!("{result:?}"));
        }
        assert!(heard::<Result<Outcome, Failed>>("{\"room\": 1}").is_none());
    }
}
