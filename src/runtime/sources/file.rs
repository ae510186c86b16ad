//! The bytes of a file: on the disk if the file is plain, unpacked in memory if it is gzipped.
//!
//! Files are read, not mapped: a file that somebody cuts short in the meantime is an error, where a mapped one
//! ends the process.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

#[cfg(feature = "formats")]
use flate2::read::MultiGzDecoder;

use crate::base::{Diagnostic, nearest};
use crate::runtime::report::Problem;
use crate::runtime::report::files::{FileError, Neighbours};
use crate::runtime::room;
#[cfg(feature = "formats")]
use crate::runtime::world::read::read_all;
use crate::runtime::world::{Input, Reader, Stored, World, names_in};

/// All bytes of a file, or of something unpacked from one.
#[derive(Clone, Debug)]
pub struct FileBytes {
    storage: Arc<Storage>,
    range: Range<usize>,
}

enum Storage {
    /// And how messages call it.
    Stored(Box<dyn Stored>, String),
    Owned(Vec<u8>),
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Storage::Stored(_, name) => f.write_str(name),
            Storage::Owned(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// Zipped bytes may be unpacked to so many in any case, and to so many times their own number beyond that.
const UNPACKED: u64 = 1 << 30;
const TIMES_UNPACKED: u64 = 100;

impl FileBytes {
    /// Opens a file for reading. A gzipped file is recognised by its first bytes and unpacked.
    ///
    /// Errors: E0701 (with the nearest name in the folder), E0702 (damaged gzip data).
    pub fn open(world: &dyn World, path: &Path) -> Result<FileBytes, Diagnostic> {
        let failed = |error: io::Error| cannot_open(world, path, &error).diagnostic();
        let stored = match world.open(path).map_err(failed)? {
            Input::Stored(stored) => stored,
            Input::Bytes(bytes) if is_gzipped(&bytes) => {
                return unpacked(&bytes[..], most(bytes.len()), path);
            }
            Input::Bytes(bytes) => return Ok(FileBytes::owned(bytes)),
        };
        let mut first = [0; 2];
        let length = stored.length();
        stored.read_at(0, &mut first[..length.min(2)]).map_err(failed)?;
        if is_gzipped(&first) {
            return unpacked(Reader::new(&*stored), most(length), path);
        }
        let name = format!("`{}`", path.display());
        Ok(FileBytes { storage: Arc::new(Storage::Stored(stored, name)), range: 0..length })
    }

    pub fn owned(bytes: Vec<u8>) -> FileBytes {
        let range = 0..bytes.len();
        FileBytes { storage: Arc::new(Storage::Owned(bytes)), range }
    }

    pub fn length(&self) -> usize {
        self.range.len()
    }

    /// All bytes.
    ///
    /// Errors: as [`FileBytes::read`].
    pub fn all(&self) -> Result<Cow<'_, [u8]>, Diagnostic> {
        self.read(0..self.length())
    }

    /// The bytes of a range, as far as there are any.
    ///
    /// Errors: E0701 if the file cannot be read any more, E0734 if there is no memory for so many.
    pub fn read(&self, range: Range<usize>) -> Result<Cow<'_, [u8]>, Diagnostic> {
        let end = range.end.min(self.length());
        let start = range.start.min(end);
        let all = self.range.start + start..self.range.start + end;
        match &*self.storage {
            Storage::Owned(bytes) => Ok(Cow::Borrowed(&bytes[all])),
            Storage::Stored(_, name) => {
                let mut bytes = room::filled(all.len(), &format!("the contents of {name}"))?;
                self.read_at(start, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Copies bytes from `start` on.
    ///
    /// Errors: E0701 if there are not so many, or the file cannot be read any more.
    pub fn read_at(&self, start: usize, into: &mut [u8]) -> Result<(), Diagnostic> {
        let start = self.range.start + start;
        match &*self.storage {
            Storage::Stored(stored, name) => stored
                .read_at(start, into)
                .map_err(|error| FileError::Lost { name: name.clone(), why: (&error).into() }.into()),
            Storage::Owned(bytes) => match bytes.get(start..start + into.len()) {
                Some(bytes) => {
                    into.copy_from_slice(bytes);
                    Ok(())
                }
                None => Err(FileError::Ended.into()),
            },
        }
    }

    /// Whether the bytes lie on the disk, and not in memory already.
    pub fn is_on_disk(&self) -> bool {
        matches!(*self.storage, Storage::Stored(..))
    }

    /// A part of the bytes; None if it goes beyond the end.
    pub fn slice(&self, range: Range<usize>) -> Option<FileBytes> {
        if range.start > range.end || range.end > self.range.len() {
            return None;
        }
        let range = self.range.start + range.start..self.range.start + range.end;
        Some(FileBytes { storage: Arc::clone(&self.storage), range })
    }
}

/// Whether these are the first bytes of a gzipped file.
pub fn is_gzipped(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// To how many bytes so many may be unpacked.
fn most(packed: usize) -> u64 {
    UNPACKED.max(TIMES_UNPACKED.saturating_mul(packed as u64))
}

#[cfg(not(feature = "formats"))]
fn unpacked(_: impl Read, _: u64, path: &Path) -> Result<FileBytes, Diagnostic> {
    Err(FileError::NoGzip { path: path.display().to_string() }.into())
}

#[cfg(feature = "formats")]
pub(super) fn unpacked(packed: impl Read, most: u64, path: &Path) -> Result<FileBytes, Diagnostic> {
    read_all(&mut MultiGzDecoder::new(packed), most).map(FileBytes::owned).map_err(|error| {
        let (path, why) = (path.display().to_string(), error.to_string());
        FileError::Gzip { path, why, is_too_large: error.kind() == io::ErrorKind::FileTooLarge }.into()
    })
}

fn cannot_open(world: &dyn World, path: &Path, error: &io::Error) -> FileError {
    let shown = path.display().to_string();
    match error.kind() {
        io::ErrorKind::IsADirectory => return FileError::IsFolder { path: shown },
        io::ErrorKind::NotFound => {}
        _ => return FileError::Unreadable { path: shown, why: error.to_string() },
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let neighbours = match names_in(world, folder) {
        None => Neighbours::NoFolder { folder: folder.display().to_string() },
        Some(names) => match nearest(&wanted, names.iter().map(String::as_str)) {
            Some(name) => Neighbours::Near { folder: folder.display().to_string(), name: name.to_owned() },
            None => Neighbours::Others,
        },
    };
    FileError::Missing { path: shown, neighbours }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::*;
    use crate::runtime::world::native::NativeWorld;

    #[test]
    fn a_missing_file_offers_its_neighbour() {
        let error = FileBytes::open(&NativeWorld, Path::new("models/data/irs.csv")).unwrap_err();
        assert_eq!(error.code, "E0701");
        assert_eq!(error.helps[0].message, "`models/data` has a file `iris.csv`");
        let error = FileBytes::open(&NativeWorld, Path::new("no/such/folder/iris.csv")).unwrap_err();
        assert_eq!(error.notes, ["there is no folder `no/such/folder` either"]);
        assert_eq!(FileBytes::open(&NativeWorld, Path::new("models")).unwrap_err().code, "E0701");
    }
}
