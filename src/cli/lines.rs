//! Lines of standard output, written in groups when they come faster than anybody reads.

use std::io::{self, BufWriter, Stdout, Write};
use std::time::{Duration, Instant};

/// How long a line may wait.
const PATIENCE: Duration = Duration::from_millis(20);

/// Standard output. Nobody listening any more is no error.
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
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.write_all(b"\n");
    }

    pub fn flush(&mut self) {
        let _ = self.out.flush();
        self.written = Instant::now();
    }
}
