//! Memory that native code works in.

use crate::backend::CodeError;

/// Memory of whole pages, zeros at first; a page is only there once something is written to it.
pub struct Aligned {
    map: memmap2::MmapMut,
}

impl Aligned {
    /// # Errors
    /// If there is not so much memory.
    pub fn new(bytes: usize) -> Result<Aligned, CodeError> {
        let map = memmap2::MmapMut::map_anon(bytes.max(1))
            .map_err(|error| CodeError::no_memory(format!("for {bytes} bytes: {error}")))?;
        #[cfg(target_os = "linux")]
        if bytes >= 4 << 20 {
            // Large pages make it faster; without them the results are the same.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Ok(Aligned { map })
    }

    pub fn len(&self) -> usize {
        self.map.len()
    }

    pub fn as_ptr(&self) -> *const u8 {
        self.map.as_ptr()
    }

    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }
}
