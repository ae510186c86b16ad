//! Files that are opened. What has no end, and what nobody writes, is an error and not a wait for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::runtime::world::read::{LONGEST_PROGRAM, read_all};
use crate::runtime::world::{Input, Stored};

/// How long a pipe may take until somebody writes to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A plain file, and its length in bytes.
struct Plain {
    file: File,
    length: usize,
}

impl Stored for Plain {
    fn length(&self) -> usize {
        self.length
    }

    fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, start as u64, into)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, start: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, start)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, start: u64, into: &mut [u8]) -> io::Result<()> {
    use std::io::Seek;
    file.seek(io::SeekFrom::Start(start))?;
    file.read_exact(into)
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
        // Files that the system makes up, as in `/proc`, have no length.
        return match length {
            0 => read_all(&mut file, LONGEST_PROGRAM).map(Input::Bytes),
            _ => Ok(Input::Stored(Box::new(Plain { file, length }))),
        };
    }
    if !is_pipe(&metadata) {
        return Err(io::Error::other("it is a device, not a file"));
    }
    let mut reader = Piped { pipe: &mut file, since: Instant::now(), has_begun: false };
    read_all(&mut reader, u64::MAX).map(Input::Bytes)
}

/// Opening a pipe waits for its writer, which may never come.
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
    }

    #[test]
    fn pipes_are_read_to_their_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let writing = std::thread::spawn(move || writer.write_all(&[7; 1 << 20]));
        let Ok(Input::Bytes(bytes)) = open(Path::new(&path)) else { panic!("a pipe") };
        assert_eq!(bytes, [7; 1 << 20]);
        writing.join().unwrap().unwrap();
    }
}
