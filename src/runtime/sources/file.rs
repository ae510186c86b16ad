//! The bytes of a file: mapped if the file is plain, unpacked in memory if it is gzipped.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::base::{Diagnostic, nearest};
use crate::runtime::kernels::mmap::MappedFile;

/// All bytes of a file, or of something unpacked from one.
#[derive(Clone, Debug)]
pub struct FileBytes {
    storage: Arc<Storage>,
    range: Range<usize>,
}

#[derive(Debug)]
enum Storage {
    Mapped(MappedFile),
    Owned(Vec<u8>),
}

impl FileBytes {
    /// Opens a file for reading. A gzipped file is recognised by its first bytes and unpacked.
    ///
    /// Errors: E0701 (with the nearest name in the folder), E0702 (damaged gzip data).
    pub fn open(path: &Path) -> Result<FileBytes, Diagnostic> {
        let file = File::open(path).map_err(|error| cannot_open(path, &error))?;
        let metadata = file.metadata().map_err(|error| cannot_open(path, &error))?;
        if metadata.is_dir() {
            return Err(Diagnostic::error("E0701", format!("`{}` is a folder, not a file", path.display())));
        }
        // Pipes and devices cannot be mapped, nor can an empty file on every system.
        if !metadata.is_file() || metadata.len() == 0 {
            return read_all(file).map(FileBytes::owned).map_err(|error| cannot_open(path, &error));
        }
        let map = MappedFile::open(file).map_err(|error| cannot_open(path, &error))?;
        if !map.bytes().starts_with(&[0x1f, 0x8b]) {
            let range = 0..map.bytes().len();
            return Ok(FileBytes { storage: Arc::new(Storage::Mapped(map)), range });
        }
        read_all(MultiGzDecoder::new(map.bytes())).map(FileBytes::owned).map_err(|error| {
            let message =
                format!("`{}` begins as a gzip file but cannot be unpacked: {error}", path.display());
            Diagnostic::error("E0702", message)
        })
    }

    pub fn owned(bytes: Vec<u8>) -> FileBytes {
        let range = 0..bytes.len();
        FileBytes { storage: Arc::new(Storage::Owned(bytes)), range }
    }

    pub fn bytes(&self) -> &[u8] {
        let all = match &*self.storage {
            Storage::Mapped(map) => map.bytes(),
            Storage::Owned(bytes) => bytes,
        };
        &all[self.range.clone()]
    }

    /// Copies bytes from `start` on, from the disk if the file is plain.
    pub fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()> {
        let start = self.range.start + start;
        match &*self.storage {
            Storage::Mapped(map) => map.read_at(start, into),
            Storage::Owned(bytes) => {
                let bytes = bytes.get(start..start + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
                into.copy_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Whether the bytes lie on the disk, and not in memory already.
    pub fn is_mapped(&self) -> bool {
        matches!(*self.storage, Storage::Mapped(_))
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

fn read_all(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_open(path: &Path, error: &io::Error) -> Diagnostic {
    if error.kind() != io::ErrorKind::NotFound {
        return Diagnostic::error("E0701", format!("cannot read `{}`: {error}", path.display()));
    }
    let diagnostic = Diagnostic::error("E0701", format!("there is no file `{}`", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else {
        return diagnostic.note(format!("there is no folder `{}` either", folder.display()));
    };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(name) => diagnostic.help(format!("`{}` has a file `{name}`", folder.display())),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_offers_its_neighbour() {
        let error = FileBytes::open(Path::new("models/data/irs.csv")).unwrap_err();
        assert_eq!(error.code, "E0701");
        assert_eq!(error.helps[0].message, "`models/data` has a file `iris.csv`");
        let error = FileBytes::open(Path::new("no/such/folder/iris.csv")).unwrap_err();
        assert_eq!(error.notes, ["there is no folder `no/such/folder` either"]);
        assert_eq!(FileBytes::open(Path::new("models")).unwrap_err().code, "E0701");
    }
}
