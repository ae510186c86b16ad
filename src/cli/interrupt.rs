//! Ctrl-C: the first one ends the training after the step at work, so that what was learnt can be kept; the
//! second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::runtime::events::{Event, Observer};

/// What a shell shows for a process that Ctrl-C ended.
pub const EXIT_CODE: u8 = 130;

/// An observer that ends the training when somebody presses Ctrl-C.
pub struct Interruptible {
    inner: Box<dyn Observer>,
    asked: Arc<AtomicBool>,
    listening: bool,
}

impl Interruptible {
    /// `asked` says afterwards whether somebody did.
    pub fn new(inner: Box<dyn Observer>, asked: Arc<AtomicBool>) -> Interruptible {
        Interruptible { inner, asked, listening: false }
    }

    /// Until a training begins there is nothing to keep, and Ctrl-C ends the process as ever.
    fn listen(&mut self) {
        if std::mem::replace(&mut self.listening, true) {
            return;
        }
        for signal in [SIGINT, SIGTERM] {
            // In this order: a signal that comes when one was seen already ends the process. If the system
            // takes no handler, the first one does.
            let second =
                flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&self.asked));
            if second.is_ok() {
                let _ = flag::register(signal, Arc::clone(&self.asked));
            }
        }
    }
}

impl Observer for Interruptible {
    fn event(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Start(_)) {
            self.listen();
        }
        self.inner.event(event);
    }

    fn every(&self) -> Option<u64> {
        self.inner.every()
    }

    fn stop(&mut self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.inner.stop()
    }

    fn leave(&mut self) -> bool {
        self.asked.load(Ordering::Relaxed) || self.inner.leave()
    }
}
