//! The world around a program: files, a clock, processors. Compiler and runtime ask it for these, and nothing
//! else of the system; so they work in a browser, in a test, or within another language.
//!
//! | module | has |
//! |---|---|
//! | `native` | the computer: its file system, clock and processors (feature `system`) |
//! | [`memory`] | files that exist in memory only |
//! | [`read`] | reading to the end, with limits |
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod memory;
#[cfg(feature = "system")]
pub mod native;
pub mod read;

use crate::base::order::PutInOrder;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What writes the contents of a file.
pub type Fill<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// What a program needs of the place where it runs.
///
/// ```
/// use std::io;
/// use std::path::{Path, PathBuf};
/// use std::time::Duration;
/// use nnc::{Entry, Fill, Input, World};
///
/// /// One data file, no clock, one thread.
/// struct OneFile;
///
/// impl World for OneFile {
///     fn open(&self, path: &Path) -> io::Result<Input> {
///         match path.to_str() {
///             Some("rows.csv") => Ok(Input::Bytes(b"a,b\n1,2\n".to_vec())),
///             _ => Err(io::ErrorKind::NotFound.into()),
///         }
///     }
///     fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
///         Err(io::ErrorKind::NotFound.into())
///     }
///     fn write(&self, _: &Path, _: Fill<'_>) -> io::Result<()> {
///         Err(io::ErrorKind::Unsupported.into())
///     }
///     fn write_new(&self, _: &str, _: &str, _: Fill<'_>) -> io::Result<PathBuf> {
///         Err(io::ErrorKind::Unsupported.into())
///     }
///     fn now(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
/// let source = "data rows = csv(\"rows.csv\") { a = column(\"a\") }\nprint rows.rows";
/// let options = nnc::Options::new().world(OneFile);
/// assert!(nnc::compile_with(source, &options).is_ok());
/// ```
pub trait World: Send + Sync {
    /// What stands under a name, to be read.
    ///
    /// # Errors
    /// `NotFound`, `IsADirectory`, and all else that keeps it from being read.
    fn open(&self, path: &Path) -> io::Result<Input>;

    /// What is in a folder, in any order.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`, and all else that keeps it from being read.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// Whether there is a folder of this name.
    fn is_folder(&self, path: &Path) -> bool {
        self.list(path).is_ok()
    }

    /// Writes a file in the place of what has its name, which stays as it is until the new one is complete.
    ///
    /// # Errors
    /// What keeps it from being written, and those of `fill`.
    fn write(&self, path: &Path, fill: Fill<'_>) -> io::Result<()>;

    /// Whether a file of this name can be written, as far as that can be known before there is something to write.
    ///
    /// # Errors
    /// Why not.
    fn check_writable(&self, path: &Path) -> io::Result<()> {
        let _ = path;
        Ok(())
    }

    /// Writes a file under a new name where there is room for what has no other place; gives that name, which
    /// begins with `stem` and has this ending.
    ///
    /// # Errors
    /// What keeps it from being written, and those of `fill`.
    fn write_new(&self, stem: &str, ending: &str, fill: Fill<'_>) -> io::Result<PathBuf>;

    /// The time since some moment in the past, which is always the same. Where there is no clock, always zero.
    fn now(&self) -> Duration;

    /// How many threads may compute at the same time.
    fn threads(&self) -> usize {
        1
    }
}

/// What stands under a name.
#[non_exhaustive]
pub enum Input {
    /// All of it.
    Bytes(Vec<u8>),
    /// What is read where it is needed, such as a large file on a disk.
    Stored(Box<dyn Stored>),
}

/// Bytes that can be read from any place on.
pub trait Stored: Send + Sync {
    /// The number of bytes.
    fn length(&self) -> usize;

    /// Fills a buffer with the bytes from `start` on.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are not so many, and what keeps them from being read.
    fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()>;
}

/// What a folder has in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name within the folder.
    pub name: OsString,
    /// Whether it is a folder, and not a file.
    pub is_folder: bool,
}

/// The world that a program has if it is given none: the computer, or without the feature `system` one without
/// files and clock.
pub fn usual() -> Arc<dyn World> {
    #[cfg(feature = "system")]
    return Arc::new(native::NativeWorld);
    #[cfg(not(feature = "system"))]
    return Arc::new(memory::MemoryWorld::new());
}

/// Names of files in a folder that are texts; none if it cannot be listed.
pub fn names_in(world: &dyn World, folder: &Path) -> Option<Vec<String>> {
    let entries = world.list(folder).ok()?;
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.put_in_order();
    Some(names)
}

/// Reads stored bytes from the beginning to the end.
pub struct Reader<'a> {
    stored: &'a dyn Stored,
    at: usize,
}

impl<'a> Reader<'a> {
    /// From the first byte on.
    pub fn new(stored: &'a dyn Stored) -> Reader<'a> {
        Reader { stored, at: 0 }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(self.stored.length() - self.at);
        self.stored.read_at(self.at, &mut into[..count])?;
        self.at += count;
        Ok(count)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Input::Stored(stored) => write!(f, "{} stored bytes", stored.length()),
        }
    }
}
