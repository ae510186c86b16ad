//! How the system asks this process to end: a thread hears of it, so that more may be done than a signal handler may.

#[cfg(not(unix))]
pub use elsewhere::listen;
#[cfg(unix)]
pub use unix::listen;

/// Bytes of the stack of the thread that listens: it says a line at most.
const LITTLE_STACK: usize = 1 << 17;

/// Without a thread nobody hears of signals, which is better than no run.
fn in_a_thread(listen: impl FnOnce() + Send + 'static) {
    drop(std::thread::Builder::new().stack_size(LITTLE_STACK).spawn(listen));
}

#[cfg(unix)]
mod unix {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use std::sync::Arc;

    /// `hear` gets the number of each signal. If the system does not allow it, signals do what they always do.
    pub fn listen(hear: impl Fn(i32) + Send + 'static) {
        // A file that may not grow any more is an error like a full disk.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
        let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
        if let Ok(mut signals) = Signals::new(wanted) {
            super::in_a_thread(move || signals.forever().for_each(hear));
        }
    }

    /// Whether who started this process wants it to ignore the signal, as `nohup` does for the end of a terminal.
    /// Ctrl-C is listened to in any case: shells let programs in the background ignore it, and `kill -INT` means it.
    fn is_ignored(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        signal == SIGHUP && mask >> (signal - 1) & 1 == 1
    }
}

/// Where no system call waits for signals, as on Windows.
#[cfg(not(unix))]
mod elsewhere {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// How often a thread looks whether a signal came.
    const PAUSE: Duration = Duration::from_millis(50);

    /// `hear` gets the number of each signal. If the system does not allow it, signals do what they always do.
    pub fn listen(hear: impl Fn(i32) + Send + 'static) {
        let mut flags: Vec<(i32, Arc<AtomicBool>)> = Vec::new();
        for signal in [SIGINT, SIGTERM] {
            let came = Arc::new(AtomicBool::new(false));
            if signal_hook::flag::register(signal, Arc::clone(&came)).is_ok() {
                flags.push((signal, came));
            }
        }
        super::in_a_thread(move || {
            loop {
                for (signal, came) in &flags {
                    if came.swap(false, Ordering::SeqCst) {
                        hear(*signal);
                    }
                }
                std::thread::sleep(PAUSE);
            }
        });
    }
}
