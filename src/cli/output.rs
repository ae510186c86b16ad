//! Standard output and standard error: the one place from which anything is written to them.
//!
//! What cannot be written is remembered, so that the command ends with the right exit code: nobody listening
//! any more is said with the code that the signal for it has, a full disk with a message and 1.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::base::visible::visible;

/// What a shell shows for a process that wrote to a pipe with nobody at its other end.
const CLOSED_PIPE: u8 = 128 + 13;

/// How long a line may wait.
const PATIENCE: Duration = Duration::from_millis(20);

/// Why something could not be written to standard output, if it was not that nobody listens.
static OUTPUT_ERROR: OnceLock<String> = OnceLock::new();
/// Whether nobody listens to standard output any more.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Whether nobody listens to standard error any more.
static ERRORS_CLOSED: AtomicBool = AtomicBool::new(false);
/// Whether something could not be written to standard error for another reason.
static MUTE: AtomicBool = AtomicBool::new(false);

/// What is not written to standard error while this process is one of several and silent; `None` if it is not silent.
static KEPT: Mutex<Option<String>> = Mutex::new(None);
/// Whether this process is silent.
static SILENT: AtomicBool = AtomicBool::new(false);
/// The most bytes that are kept.
const MOST_KEPT: usize = 1 << 16;

/// Writes nothing from now on: another process says the same.
#[cfg(target_os = "linux")]
pub fn mute() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
    SILENT.store(true, Ordering::Relaxed);
}

/// Writes what was kept for standard error, as the words of `who`, and everything from now on.
pub fn unmute(who: &str) {
    SILENT.store(false, Ordering::Relaxed);
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(text) = kept.filter(|text| !text.is_empty()) {
        complain_rendered(&format!("{who}:\n{text}"));
    }
}

fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

/// Writes a line to standard output.
pub fn say(text: &str) {
    if is_silent() {
        return;
    }
    let mut out = io::stdout().lock();
    remember(writeln!(out, "{}", visible(text)).and_then(|()| out.flush()));
}

/// Writes exactly this text to standard output, except that no terminal is to obey it.
pub fn put(text: &str) {
    use std::io::IsTerminal;
    if is_silent() {
        return;
    }
    let mut out = io::stdout().lock();
    let text = if out.is_terminal() { visible(text) } else { text.into() };
    remember(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes a line to standard error.
pub fn complain(text: &str) {
    complain_rendered(&format!("{}\n", visible(text)));
}

/// Writes to standard error what may have colours, and is safe for a terminal otherwise.
pub fn complain_rendered(text: &str) {
    if is_silent() {
        if let Some(kept) = &mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner)
            && kept.len() + text.len() <= MOST_KEPT
        {
            kept.push_str(text);
        }
        return;
    }
    let mut errors = io::stderr().lock();
    match errors.write_all(text.as_bytes()).and_then(|()| errors.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            ERRORS_CLOSED.store(true, Ordering::Relaxed);
        }
        Err(_) => MUTE.store(true, Ordering::Relaxed),
    }
}

/// Whether nobody listens to standard output any more.
pub fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// The exit code of a command that would end with `code`, after what was written and what could not be.
pub fn exit_code(code: u8) -> u8 {
    if let Some(error) = OUTPUT_ERROR.get() {
        complain(&format!("error: cannot write to standard output: {error}"));
    }
    match code {
        0 if is_closed() || ERRORS_CLOSED.load(Ordering::Relaxed) => CLOSED_PIPE,
        0 if OUTPUT_ERROR.get().is_some() || MUTE.load(Ordering::Relaxed) => 1,
        code => code,
    }
}

/// Remembers what became of something that was written to standard output.
pub fn remember(written: io::Result<()>) {
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => CLOSED.store(true, Ordering::Relaxed),
        // The first reason is the one that is told.
        Err(error) => drop(OUTPUT_ERROR.set(error.to_string())),
    }
}

/// Lines of standard output, written in groups when they come faster than anybody reads.
pub struct Lines {
    out: BufWriter<Stdout>,
    written: Instant,
}

impl Lines {
    pub fn new() -> Lines {
        Lines { out: BufWriter::with_capacity(1 << 16, io::stdout()), written: Instant::now() }
    }

    /// Writes a line now.
    pub fn say(&mut self, text: &str) {
        self.put(text);
        self.flush();
    }

    /// Writes a line that others of its kind will follow within `seconds`: it may wait for them a little.
    pub fn say_soon(&mut self, text: &str, seconds: f64) {
        self.put(text);
        if seconds > 1e-3 || self.written.elapsed() > PATIENCE {
            self.flush();
        }
    }

    fn put(&mut self, text: &str) {
        if is_silent() {
            return;
        }
        remember(writeln!(self.out, "{}", visible(text)));
    }

    pub fn flush(&mut self) {
        remember(self.out.flush());
        self.written = Instant::now();
    }
}
