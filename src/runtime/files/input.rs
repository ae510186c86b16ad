//! Files that are read. What has no end, and what nobody writes, is an error and not a wait for ever; memory is
//! asked for before it is filled.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::runtime::kernels::allocations::fallible;
use crate::runtime::room::{Need, size_text};

/// A program is not longer than this.
const LONGEST_PROGRAM: u64 = 1 << 26;
/// How long a pipe may take until somebody writes to it.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read at a time.
const PIECE: usize = 1 << 18;

/// What stands under a name.
pub enum Input {
    /// A plain file, and its length in bytes.
    File(File, usize),
    /// All that came through a pipe.
    Piped(Vec<u8>),
}

/// Opens a file, or reads a pipe to its end.
///
/// # Errors
/// Those of the system; a folder or a device has nothing to read, a pipe that nobody writes to neither.
pub fn open(path: &Path) -> io::Result<Input> {
    let mut file = open_without_waiting(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if metadata.is_file() {
        let length = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // What the system makes up, as in `/proc`, has no length.
        return match length {
            0 => read_all(&mut file, LONGEST_PROGRAM).map(Input::Piped),
            _ => Ok(Input::File(file, length)),
        };
    }
    if !is_pipe(&metadata) {
        return Err(io::Error::other("it is a device, not a file"));
    }
    let mut reader = Piped { pipe: &mut file, since: Instant::now(), has_begun: false };
    read_all(&mut reader, u64::MAX).map(Input::Piped)
}

/// The text of a program file.
///
/// # Errors
/// Those of [`open`], and if it is not a text or far too long for a program.
pub fn program_text(path: &Path) -> io::Result<String> {
    match open(path)? {
        Input::File(file, _) => text_of(file),
        Input::Piped(bytes) => text_of(&bytes[..]),
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
    let reserved = asked.is_ok() && fallible(|| bytes.try_reserve_exact(wanted - bytes.len())).is_ok();
    let too_much = || {
        let message = format!("there is no memory for more than the first {}", size_text(bytes.len() as u64));
        io::Error::new(io::ErrorKind::OutOfMemory, message)
    };
    if reserved { Ok(()) } else { Err(too_much()) }
}

/// To open a pipe waits for its writer; but nobody may come.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn is_pipe(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &std::fs::Metadata) -> bool {
    true
}

/// A pipe that does not wait by itself.
struct Piped<'a> {
    pipe: &'a mut File,
    since: Instant,
    /// Whether somebody has written.
    has_begun: bool,
}

impl Read for Piped<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.pipe.read(into) {
                // Nobody has it open for writing: not yet, or not any more.
                Ok(0) if self.has_begun => return Ok(0),
                Ok(0) if self.since.elapsed() > PATIENCE => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "it is a pipe that nobody writes to",
                    ));
                }
                Ok(0) => {}
                Ok(count) => {
                    self.has_begun = true;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn error(path: &str) -> String {
        open(Path::new(path)).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_has_no_end_is_not_read() {
        assert_eq!(error("/dev/zero"), "it is a device, not a file");
        assert_eq!(error("/dev"), "it is a folder, not a file");
        let endless = read_all(&mut io::repeat(b'x'), 1 << 20).unwrap_err();
        assert_eq!(endless.to_string(), "more than 1.0 MB come out of it");
        assert!(text_of(io::repeat(b'x')).unwrap_err().to_string().contains("longer than 67.1 MB"));
        let odd = text_of(&b"a\nb\xe9"[..]).unwrap_err().to_string();
        assert_eq!(odd, "it is not a text in UTF-8: line 2 has the byte e9");
    }

    #[test]
    fn pipes_are_read_to_their_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let writing = std::thread::spawn(move || writer.write_all(&[7; 1 << 20]));
        let Ok(Input::Piped(bytes)) = open(Path::new(&path)) else { panic!("a pipe") };
        assert_eq!(bytes, [7; 1 << 20]);
        writing.join().unwrap().unwrap();
    }
}
