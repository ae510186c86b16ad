//! Files with many small programs. Those of `tests/wrong` are wrong, as people write them, each below a line
//! `#### what is wrong with it`; `tests/snapshots/wrong@FILE.snap` holds what is said about each. Those of
//! `tests/right` are right, each below a line that says what of the language it shows;
//! `tests/snapshots/right@FILE.snap` holds what they print.
//!
//! A program is compiled, and run if nothing is found then. It may take [`TIME`] and must not panic; it must be
//! rejected or fail, unless its title ends in "is fine". `⟦5000 × (⟧` in a program stands for 5000 brackets.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{cases, snapshot};

/// Each takes a few milliseconds; this is for slow machines, and still tells a hang.
const TIME: Duration = Duration::from_secs(20);

/// Lines of a report that are kept: what comes first is what people read.
const KEPT_LINES: usize = 60;

/// Every program of a file, all of them right or all of them wrong.
pub fn check(path: &Path, text: &str, are_right: bool) -> Result<(), Box<dyn Error>> {
    let mut reports = String::new();
    let mut unexpected = Vec::new();
    for (title, program) in programs(text) {
        let program = expanded(program).ok_or_else(|| format!("{title}: ⟦number × text⟧"))?;
        let report = report_in_time(path, program).map_err(|fault| format!("{title}: {fault}"))?;
        let is_right = !report.contains("error[");
        if is_right != are_right && !title.ends_with("is fine") {
            unexpected.push(format!("{title}:\n{report}"));
        }
        reports.push_str(&format!("#### {title}\n{}\n", shortened(&report)));
    }
    let folder = if are_right { "right" } else { "wrong" };
    snapshot::check_text(folder, path, reports.trim_end());
    if unexpected.is_empty() { Ok(()) } else { Err(unexpected.join("\n").into()) }
}

/// Titles and programs.
fn programs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split("#### ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap_or((part, "")))
}

/// Carries out `⟦number × text⟧`.
fn expanded(text: &str) -> Option<String> {
    let mut parts = text.split('⟦');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (repeat, rest) = part.split_once('⟧')?;
        let (count, piece) = repeat.split_once(" × ")?;
        whole.push_str(&piece.repeat(count.parse().ok()?));
        whole.push_str(rest);
    }
    Some(whole)
}

/// What is said about a program, if it is said in time and without panic.
fn report_in_time(path: &Path, program: String) -> Result<String, String> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_path_buf();
    let worker = thread::spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(cases::errors(&path, &program));
    });
    match receiver.recv_timeout(TIME) {
        Ok(report) => Ok(report),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("nothing was said within {TIME:?}")),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = worker.join().err();
            let message = panic.as_ref().and_then(|panic| panic.downcast_ref::<String>());
            Err(format!("panic: {}", message.map_or("without a message", String::as_str)))
        }
    }
}

fn shortened(report: &str) -> String {
    let mut lines: Vec<&str> = report.trim_end().lines().collect();
    if lines.len() > KEPT_LINES {
        lines.truncate(KEPT_LINES);
        lines.push("[…]");
    }
    lines.join("\n") + "\n"
}
