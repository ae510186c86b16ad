//! Files that are written: what stood under a name stays there until the new file is complete.
//!
//! A file is written without a name, or where the system has no such files under a name of its own beside the
//! final one; it is put on the disk, and then takes the final name in one step. So whoever looks, and whenever
//! the process is killed, the name stands for the whole old file or for the whole new one.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::runtime::world::Fill;

/// Names of unfinished files are between these.
const UNFINISHED: (&str, &str) = (".nnc-", ".unfinished");
/// How many links are followed from a name to its file.
const MOST_LINKS: usize = 40;

/// Writes a file, in the place of what has its name. A link goes on to mean what it means, permissions stay;
/// a device or a pipe is written to as it is.
///
/// # Errors
/// Those of the system. The old file is then as it was.
pub fn write_atomically(path: &Path, fill: Fill<'_>) -> io::Result<()> {
    let Target::File { path, old } = Target::of(path)? else {
        let mut file = OpenOptions::new().write(true).open(path)?;
        return fill_buffered(&mut file, fill);
    };
    let folder = folder_of(&path);
    remove_stale(&folder);
    let mut new = Unfinished::create(&folder)?;
    fill_buffered(&mut new.file, fill)?;
    if let Some(old) = &old {
        new.file.set_permissions(old.permissions())?;
        keep_owner(&new.file, old);
    }
    new.file.sync_all()?;
    new.replace(&path, old.is_some())?;
    sync_folder(&folder);
    Ok(())
}

/// Writes a file under a name that nobody can guess and nothing has yet: `STEM-3f9a….ENDING` in `folder`.
///
/// # Errors
/// Those of the system.
pub fn write_new(folder: &Path, stem: &str, ending: &str, fill: Fill<'_>) -> io::Result<PathBuf> {
    let mut new = Unfinished::create(folder)?;
    fill_buffered(&mut new.file, fill)?;
    new.file.sync_all()?;
    let path = folder.join(format!("{stem}-{:016x}{ending}", random()));
    new.replace(&path, false)?;
    Ok(path)
}

/// Whether a file of this name can be written, as far as that can be known before there is something to write.
///
/// # Errors
/// Why not.
pub fn check_writable(path: &Path) -> io::Result<()> {
    match Target::of(path)? {
        Target::File { path, .. } => Unfinished::create(&folder_of(&path)).map(drop),
        // Opening a pipe would wait for its reader.
        Target::Device => Ok(()),
    }
}

/// Where bytes go that are to be found under a path.
enum Target {
    /// A file: its name behind all links, and what it is now if there is one.
    File { path: PathBuf, old: Option<fs::Metadata> },
    /// What has no other name: a device or a pipe.
    Device,
}

impl Target {
    fn of(given: &Path) -> io::Result<Target> {
        let path = behind_links(given)?;
        // What the system itself links to, as `/dev/stdout` does, may have no name.
        if fs::metadata(given).is_ok_and(|meant| !meant.is_file() && !meant.is_dir()) {
            return Ok(Target::Device);
        }
        let old = match fs::symlink_metadata(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Target::File { path, old: None });
            }
            Err(error) => return Err(error),
        };
        if old.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // A file that its owner has protected against writing stays as it is.
        OpenOptions::new().write(true).open(&path)?;
        Ok(Target::File { path, old: Some(old) })
    }
}

/// The name that is meant by a name that may be a link, also one to a file that does not exist yet.
///
/// As the system does for files that are opened, a link that somebody else has put into a folder in which all
/// may write, such as `/tmp`, is not followed.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(link) if link.is_symlink() => {
                if is_foreign(&link, &folder_of(&path)) {
                    let what = format!("`{}` is a link that somebody else has put there", path.display());
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
                }
                let next = fs::read_link(&path)?;
                path = folder_of(&path).join(next);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// The folder that a path is in.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn fill_buffered(file: &mut File, fill: Fill<'_>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    fill(&mut out)?;
    out.flush()
}

/// A file that is not complete. Dropped, it is gone.
struct Unfinished {
    file: File,
    /// If the system wants one.
    name: Option<PathBuf>,
}

impl Unfinished {
    fn create(folder: &Path) -> io::Result<Unfinished> {
        #[cfg(target_os = "linux")]
        if Path::new("/proc/self/fd").exists()
            && let Ok(file) = crate::runtime::kernels::unnamed::create(folder)
        {
            return Ok(Unfinished { file, name: None });
        }
        Unfinished::named(folder)
    }

    /// With a name; who holds the lock on it is still at work on it.
    fn named(folder: &Path) -> io::Result<Unfinished> {
        let name = unfinished_name(folder);
        let file = OpenOptions::new().write(true).create_new(true).open(&name)?;
        // Without locks the file is only removed by its owner.
        let _ = file.try_lock();
        Ok(Unfinished { file, name: Some(name) })
    }

    /// Takes a name, also if a file has it.
    fn replace(mut self, path: &Path, exists: bool) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.name.is_none() {
            use crate::runtime::kernels::unnamed::give_name;
            if !exists {
                match give_name(&self.file, path) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    done => return done,
                }
            }
            // There is no call that gives a name away that is taken; a second name is, for a moment.
            let _ = self.file.try_lock();
            let name = unfinished_name(&folder_of(path));
            give_name(&self.file, &name)?;
            self.name = Some(name);
        }
        let _ = exists;
        if let Some(name) = &self.name {
            fs::rename(name, path)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Somebody may have removed it.
            let _ = fs::remove_file(name);
        }
    }
}

fn unfinished_name(folder: &Path) -> PathBuf {
    folder.join(format!("{}{:016x}{}", UNFINISHED.0, random(), UNFINISHED.1))
}

/// A number that nobody can guess.
fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// Removes unfinished files of processes that were killed: those on which nobody holds a lock.
fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name
            .to_str()
            .and_then(|name| name.strip_prefix(UNFINISHED.0)?.strip_suffix(UNFINISHED.1))
            .is_some_and(|number| number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let is_stale = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if is_stale {
            // Somebody else may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes the new name to the disk. Not all systems can, and the file is complete in any case.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Ok(new) = file.metadata() else { return };
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only the administrator may; for all others the file is theirs from now on.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) {}

/// Whether a link in a folder where all may write, but remove only what is theirs, belongs to somebody else.
#[cfg(unix)]
fn is_foreign(link: &fs::Metadata, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    const STICKY_AND_OPEN: u32 = 0o1002;
    let Ok(folder) = fs::metadata(folder) else { return false };
    let Ok(process) = fs::metadata("/proc/self") else { return false };
    folder.mode() & STICKY_AND_OPEN == STICKY_AND_OPEN
        && link.uid() != process.uid()
        && link.uid() != folder.uid()
}

#[cfg(not(unix))]
fn is_foreign(_: &fs::Metadata, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;
