//! The computer: its file system, clock, processors and memory.

pub mod open;
pub mod room;
pub mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{Entry, Fill, Input, World};

/// The file system, clock and processors of this computer.
#[derive(Clone, Copy, Default, Debug)]
pub struct NativeWorld;

/// When the clock was first looked at.
static BEGINNING: OnceLock<Instant> = OnceLock::new();

impl World for NativeWorld {
    fn open(&self, path: &Path) -> io::Result<Input> {
        open::open(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entry = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry?;
            // Links are followed.
            Ok(Entry { name: entry.file_name(), is_folder: entry.path().is_dir() })
        };
        std::fs::read_dir(folder)?.map(entry).collect()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn write(&self, path: &Path, fill: Fill<'_>) -> io::Result<()> {
        write::write_atomically(path, fill)
    }

    fn check_writable(&self, path: &Path) -> io::Result<()> {
        write::check_writable(path)
    }

    fn write_new(&self, stem: &str, ending: &str, fill: Fill<'_>) -> io::Result<PathBuf> {
        write::write_new(&std::env::temp_dir(), stem, ending, fill)
    }

    fn now(&self) -> Duration {
        BEGINNING.get_or_init(Instant::now).elapsed()
    }

    fn threads(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}
