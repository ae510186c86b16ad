//! Files that have no name until they are complete: if the process is killed, the system removes them.

#[cfg(target_os = "linux")]
pub use linux::{create, give_name};

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CString;
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    /// A file in a folder, without a name.
    ///
    /// # Errors
    /// If the file system has no such files, or the folder does not allow it.
    pub fn create(folder: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).mode(0o666).open(folder)
    }

    /// Gives a file without a name its name.
    ///
    /// # Errors
    /// If something has this name already, whatever it is.
    pub fn give_name(file: &File, name: &Path) -> io::Result<()> {
        let this = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let name = CString::new(name.as_os_str().as_bytes())?;
        let (at, follow) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
        // SAFETY: both texts end with 0 and live until the call returns.
        match unsafe { libc::linkat(at, this.as_ptr(), at, name.as_ptr(), follow) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
