//! Files mapped into memory for reading.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file whose bytes are paged in when they are read, so that it may be larger than memory.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
    file: File,
}

impl MappedFile {
    pub fn open(file: File) -> io::Result<MappedFile> {
        // SAFETY: the bytes are only ever read, and decoded by value, so whatever another process
        // writes into the file is seen as data. A file that is cut short while it is mapped stops
        // the process with SIGBUS; no mapping can exclude that.
        let map = unsafe { Mmap::map(&file)? };
        Ok(MappedFile { map, file })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Copies bytes from `start` on. They do not become part of this process's memory, as those of
    /// [`MappedFile::bytes`] do, and a file that was cut short is an error.
    #[cfg(unix)]
    pub fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, into, start as u64)
    }

    /// Copies bytes from `start` on.
    #[cfg(not(unix))]
    pub fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()> {
        let _ = &self.file;
        let bytes = self.map.get(start..start + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(bytes);
        Ok(())
    }
}
