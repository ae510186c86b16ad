//! Reading to the end: memory is asked for before it is filled, and what is longer than it may be is an error.

use std::io::{self, Read};
use std::path::Path;

use super::{Input, Reader, World};
use crate::runtime::room::{self, Need, size_text};

/// A program is not longer than this.
pub const LONGEST_PROGRAM: u64 = 1 << 26;
/// Bytes that are read at a time.
const PIECE: usize = 1 << 18;

/// The text of a program file.
///
/// # Errors
/// Those of [`World::open`], and if it is not a text or far too long for a program.
pub fn program_text(world: &dyn World, path: &Path) -> io::Result<String> {
    match world.open(path)? {
        Input::Stored(stored) => text_of(Reader::new(&*stored)),
        Input::Bytes(bytes) => text_of(&bytes[..]),
    }
}

/// The text of a program that is read to its end.
///
/// # Errors
/// If it is not a text or far too long for a program.
pub fn text_of(reader: impl Read) -> io::Result<String> {
    let mut reader = reader.take(LONGEST_PROGRAM + 1);
    let bytes = read_all(&mut reader, LONGEST_PROGRAM + 1)?;
    if bytes.len() as u64 > LONGEST_PROGRAM {
        let message = format!("it is longer than {}, which no program is", size_text(LONGEST_PROGRAM));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("it is not a text in UTF-8: line {line} has the byte {:02x}", bytes[at]);
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// Reads to the end; `most` bytes at most.
///
/// # Errors
/// Those of the system, and if there is more than `most`, or more than there is memory for.
pub fn read_all(reader: &mut dyn Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.len() as u64 + count as u64 > most {
            let message = format!("more than {} come out of it", size_text(most));
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        if bytes.capacity() - bytes.len() < count {
            reserve(&mut bytes, count)?;
        }
        bytes.extend_from_slice(&piece[..count]);
    }
}

/// Room for `more` bytes at least. The old ones are there until they are copied.
fn reserve(bytes: &mut Vec<u8>, more: usize) -> io::Result<()> {
    let wanted = (bytes.len() * 2).max(bytes.len() + more);
    let asked = Need::of("what is read", wanted as u64).check();
    let reserved = asked.is_ok() && room::fallible(|| bytes.try_reserve_exact(wanted - bytes.len())).is_ok();
    let too_much = || {
        let message = format!("there is no memory for more than the first {}", size_text(bytes.len() as u64));
        io::Error::new(io::ErrorKind::OutOfMemory, message)
    };
    if reserved { Ok(()) } else { Err(too_much()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read() {
        let endless = read_all(&mut io::repeat(b'x'), 1 << 20).unwrap_err();
        assert_eq!(endless.to_string(), "more than 1.0 MB come out of it");
        assert!(text_of(io::repeat(b'x')).unwrap_err().to_string().contains("longer than 67.1 MB"));
        let odd = text_of(&b"a\nb\xe9"[..]).unwrap_err().to_string();
        assert_eq!(odd, "it is not a text in UTF-8: line 2 has the byte e9");
    }
}
