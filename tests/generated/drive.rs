//! Tries many cases: in workers, since a fault may end a process or keep it for ever.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::case::{Case, Kind, Seeds};
use super::oracle::Verdict;

/// A case takes some milliseconds; the largest that the interpreter tries, many seconds.
const TIME: Duration = Duration::from_secs(300);

/// How many tests shrinking may make.
const SHRINKS: usize = 1_500;

/// Of one kind of fault so many cases are shrunk and kept by a worker.
const KEPT: usize = 6;

/// What came of many cases.
#[derive(Default, Debug)]
pub struct Tally {
    pub cases: usize,
    pub fine: usize,
    pub graphs: usize,
    pub elements: usize,
    pub unknown: usize,
    /// By code and beginning of the message.
    pub rejected: BTreeMap<String, usize>,
    pub faults: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, line: &str) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        self.cases += 1;
        match what {
            "fine" => {
                let mut numbers = rest.split(' ').filter_map(|word| word.parse::<usize>().ok());
                self.fine += 1;
                self.graphs += numbers.next().unwrap_or(0);
                self.elements += numbers.next().unwrap_or(0);
                self.unknown += numbers.next().unwrap_or(0);
            }
            "rejected" => *self.rejected.entry(rest.to_owned()).or_default() += 1,
            _ => *self.faults.entry(rest.to_owned()).or_default() += 1,
        }
    }

    pub fn print(&self) {
        println!("{} cases, {} accepted", self.cases, self.fine);
        if self.graphs > 0 {
            println!("{} graphs, {} elements compared, {} unknown", self.graphs, self.elements, self.unknown);
        }
        for (what, count) in &self.rejected {
            println!("{count:8} rejected: {what}");
        }
        for (what, count) in &self.faults {
            println!("{count:8} faults: {what}");
        }
    }
}

/// A line that says what was found.
fn summary(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fine(looked) => format!("fine {} {} {}", looked.graphs, looked.elements, looked.unknown),
        Verdict::Rejected(why) => {
            // Numbers in messages make no other kind; those of codes do.
            let plain = why.chars().enumerate();
            let plain =
                plain.map(|(at, letter)| if at > 5 && letter.is_ascii_digit() { '#' } else { letter });
            format!("rejected {}", plain.take(70).collect::<String>())
        }
        Verdict::Fault(fault) => format!("fault {}", fault.kind),
    }
}

/// The part of a run that a worker does: says which case it begins with and what came of it.
pub fn work(kind: Kind, from: u64, to: u64, keep: &Path) {
    std::panic::set_hook(Box::new(|_| {}));
    let seeds = Seeds::of(kind);
    let mut kept: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut output = std::io::stdout().lock();
    for number in from..to {
        // If nobody listens any more, the run is over.
        if writeln!(output, "begin {number}").and_then(|()| output.flush()).is_err() {
            return;
        }
        let case = seeds.case(kind, number);
        let found = seeds.verdict(kind, &case);
        if let Verdict::Fault(fault) = &found {
            let count = kept.entry(fault.kind).or_default();
            *count += 1;
            if *count <= KEPT {
                let same =
                    |found: Verdict| matches!(found, Verdict::Fault(other) if other.kind == fault.kind);
                let small = seeds.shrunk(case, SHRINKS, &mut |smaller| same(seeds.verdict(kind, smaller)));
                let what = match seeds.verdict(kind, &small) {
                    Verdict::Fault(fault) => fault.what,
                    other => format!("{other:?}"),
                };
                keep_case(&seeds, keep, number, fault.kind, &what, &small);
            }
        }
        if writeln!(output, "{}", summary(&found)).is_err() {
            return;
        }
    }
}

/// Writes a case into the folder of faults, and beside it what is wrong.
fn keep_case(seeds: &Seeds, folder: &Path, number: u64, kind: &str, what: &str, case: &Case) {
    let name = format!("{}-{number}", kind.replace(' ', "-"));
    let file = folder.join(format!("{name}.{}", seeds.ending(case)));
    let kept = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, case.bytes()))
        .and_then(|()| std::fs::write(folder.join(format!("{name}.txt")), format!("{kind}: {what}\n")));
    if let Err(error) = kept {
        eprintln!("{name}: {error}");
    }
}

/// Tries cases in `jobs` workers, each a part of the numbers.
pub fn run(kind: Kind, first: u64, count: u64, jobs: u64, keep: &Path) -> Tally {
    let begun = Instant::now();
    let share = count.div_ceil(jobs);
    let parts =
        (0..jobs).map(|job| (first + (job * share).min(count), first + ((job + 1) * share).min(count)));
    let threads: Vec<_> = parts
        .map(|(from, to)| {
            let keep = keep.to_path_buf();
            std::thread::spawn(move || supervise(kind, from, to, &keep))
        })
        .collect();
    let mut all = Tally::default();
    for part in threads.into_iter().filter_map(|thread| thread.join().ok()) {
        part.iter().for_each(|(line, count)| (0..*count).for_each(|_| all.add(line)));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}: {seconds:.0} s, {:.1} cases a second", kind.name(), count as f64 / seconds);
    all
}

/// Keeps a worker at work: one that ends or hangs is begun anew behind the case at which it did.
fn supervise(kind: Kind, from: u64, to: u64, keep: &Path) -> BTreeMap<String, usize> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept = 0;
    let mut next = from;
    while next < to {
        let mut child = worker(&["worker", kind.name(), &next.to_string(), &to.to_string()], keep);
        let output = lines_of(&mut child);
        let mut at = None;
        let hangs = loop {
            match output.recv_timeout(TIME) {
                Ok(line) => match line.strip_prefix("begin ") {
                    Some(number) => at = number.parse::<u64>().ok(),
                    None => {
                        *lines.entry(line).or_default() += 1;
                        next = at.take().unwrap_or(next) + 1;
                    }
                },
                Err(error) => break error == mpsc::RecvTimeoutError::Timeout,
            }
        };
        // A worker that is done is gone; one that hangs has to go.
        let _ = child.kill();
        let _ = child.wait();
        let Some(number) = at else { break };
        let fault = if hangs { "hangs" } else { "ends the process" };
        *lines.entry(format!("fault {fault}")).or_default() += 1;
        kept += 1;
        if kept <= KEPT {
            let seeds = Seeds::of(kind);
            let case = seeds.case(kind, number);
            let tries = if hangs { SHRINKS / 50 } else { SHRINKS / 3 };
            let small = seeds.shrunk(case, tries, &mut |smaller| {
                ends(kind, seeds.ending(smaller), &smaller.bytes(), keep) == Some(fault)
            });
            keep_case(&seeds, keep, number, fault, "", &small);
        }
        next = number + 1;
    }
    lines
}

fn worker(arguments: &[&str], keep: &Path) -> Child {
    let program = std::env::current_exe().expect("a program that runs has a path");
    let mut command = Command::new(program);
    command.args(arguments).arg(keep).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("it started before")
}

fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
    }
    receiver
}

/// How a case ends the process that looks at it, if it does.
fn ends(kind: Kind, ending: &str, bytes: &[u8], keep: &Path) -> Option<&'static str> {
    std::fs::create_dir_all(keep).ok()?;
    let thread = format!("{:?}", std::thread::current().id());
    let path: PathBuf = keep.join(format!("try-{}-{thread}.{ending}", std::process::id()));
    std::fs::write(&path, bytes).ok()?;
    let mut child = worker(&["check", kind.name(), path.to_str()?], keep);
    let output = lines_of(&mut child);
    let result = match output.recv_timeout(TIME / 6) {
        Ok(_) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => Some("hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => Some("ends the process"),
    };
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_file(path);
    result
}
