//! Ctrl-C, and the other ways in which a process is asked to end: while a training is at work the first request
//! ends it after the step at work, so that what was learnt can be kept, and the second ends the process. At all
//! other times there is nothing to lose, and the first one ends the process.

mod signals;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

use signal_hook::consts::SIGINT;

use super::output;
use crate::runtime::events::{Event, Observer};

/// Requests of this process's user to end.
#[derive(Default)]
pub struct Requests {
    /// The signal that came first while a training was at work; 0 if none did.
    signal: AtomicI32,
    /// Whether a training is at work, or what it learnt is being saved.
    training: AtomicBool,
    /// What is said if the process ends when no training is at work.
    farewell: Mutex<Option<String>>,
    /// What is done then.
    before_exit: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Requests {
    /// Begins to listen. If the system does not allow it, signals do what they always do.
    pub fn listen() -> Arc<Requests> {
        let requests = Arc::new(Requests::default());
        let heard = Arc::clone(&requests);
        signals::listen(move |signal| heard.hear(signal));
        requests
    }

    fn hear(&self, signal: i32) {
        let first = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if first && self.training.load(Ordering::SeqCst) {
            return;
        }
        if first && let Some(text) = &*self.farewell.lock().unwrap_or_else(PoisonError::into_inner) {
            output::complain(text);
        }
        if let Some(work) = self.before_exit.lock().unwrap_or_else(PoisonError::into_inner).take() {
            work();
        }
        std::process::exit(i32::from(code_of(signal)));
    }

    /// What is to be done if the process ends when no training is at work.
    pub fn before_exit(&self, work: impl FnOnce() + Send + 'static) {
        *self.before_exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    }

    /// Ends the training at work as Ctrl-C does.
    pub fn end_training(&self) {
        let _ = self.signal.compare_exchange(0, SIGINT, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The exit code, if somebody asked the training to end.
    pub fn exit_code(&self) -> Option<u8> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(code_of(signal)),
        }
    }

    pub fn are_there(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }
}

/// What a shell shows for a process that a signal ended.
fn code_of(signal: i32) -> u8 {
    (128 + signal).try_into().unwrap_or(1)
}

/// An observer that ends the training when somebody asks for it, or when nobody reads what is written.
pub struct Interruptible {
    inner: Box<dyn Observer>,
    requests: Arc<Requests>,
    /// The command that goes on with what is saved.
    go_on: Option<String>,
}

impl Interruptible {
    pub fn new(inner: Box<dyn Observer>, requests: Arc<Requests>, go_on: Option<String>) -> Interruptible {
        Interruptible { inner, requests, go_on }
    }

    fn is_over(&self) -> bool {
        self.requests.are_there() || output::is_closed()
    }

    fn farewell(&self) -> String {
        match &self.go_on {
            Some(go_on) => format!("interrupted behind the training; go on with `{go_on}`"),
            None => "interrupted behind the training; with `--save FILE` what was learnt is kept".into(),
        }
    }
}

impl Observer for Interruptible {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(_) => self.requests.training.store(true, Ordering::SeqCst),
            Event::Kept => {
                let farewell = Some(self.farewell());
                *self.requests.farewell.lock().unwrap_or_else(PoisonError::into_inner) = farewell;
                self.requests.training.store(false, Ordering::SeqCst);
            }
            _ => {}
        }
        self.inner.event(event);
    }

    fn every(&self) -> Option<u64> {
        self.inner.every()
    }

    fn stop(&mut self) -> bool {
        self.is_over() || self.inner.stop()
    }

    fn leave(&mut self) -> bool {
        self.is_over() || self.inner.leave()
    }
}
