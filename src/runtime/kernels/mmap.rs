//! Files mapped into memory for reading.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file whose bytes are paged in when they are read, so that it may be larger than memory.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
}

impl MappedFile {
    pub fn open(file: &File) -> io::Result<MappedFile> {
        // SAFETY: the bytes are only ever read, and decoded by value, so whatever another process
        // writes into the file is seen as data. A file that is cut short while it is mapped stops
        // the process with SIGBUS; no mapping can exclude that.
        let map = unsafe { Mmap::map(file)? };
        Ok(MappedFile { map })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}
