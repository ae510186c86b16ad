//! Writing of files: what stands where after it succeeded, failed, or was cut off.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nnc-files-{name}-{:016x}", random()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    write_atomically(path, &mut |out| out.write_all(text.as_bytes()))
}

#[test]
fn a_file_is_new_or_as_it_was() {
    let folder = Folder::new("new");
    let path = folder.path("a");
    put(&path, "old").unwrap();
    put(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    let failed = write_atomically(&path, &mut |out| {
        out.write_all(&[0; 1 << 20])?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(folder.names(), ["a"]);
    assert_eq!(put(&folder.0, "x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    assert_eq!(put(&folder.path("no/b"), "x").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn named_files_do_the_same_and_stale_ones_go() {
    let folder = Folder::new("named");
    let path = folder.path("a");
    let mut new = Unfinished::named(&folder.0).unwrap();
    new.file.write_all(b"whole").unwrap();
    // A killed process leaves its file and no lock; one at work holds its lock.
    let stale = unfinished_name(&folder.0);
    fs::write(&stale, "half").unwrap();
    fs::write(folder.path(".nnc-notes.unfinished"), "somebody else's").unwrap();
    remove_stale(&folder.0);
    assert!(!stale.exists());
    new.replace(&path, false).unwrap();
    drop(Unfinished::named(&folder.0).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
    assert_eq!(folder.names(), [".nnc-notes.unfinished", "a"]);
}

#[test]
fn rescued_files_have_names_that_cannot_be_guessed() {
    let folder = Folder::new("rescue");
    let mut fill = |out: &mut dyn Write| out.write_all(b"x");
    let first = write_new(&folder.0, "a", ".b", &mut fill).unwrap();
    let second = write_new(&folder.0, "a", ".b", &mut fill).unwrap();
    assert_ne!(first, second);
    assert_eq!(folder.names().len(), 2);
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("links");
    let path = folder.path("a");
    put(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("a", folder.path("link")).unwrap();
    put(&folder.path("link"), "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    symlink("later", folder.path("early")).unwrap();
    put(&folder.path("early"), "made").unwrap();
    assert_eq!(fs::read_to_string(folder.path("later")).unwrap(), "made");
    symlink("round", folder.path("round")).unwrap();
    assert!(put(&folder.path("round"), "x").is_err());
    assert!(check_writable(&folder.path("round")).is_err());
    assert_eq!(folder.names(), ["a", "early", "later", "link", "round"]);
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to() {
    put(Path::new("/dev/null"), "x").unwrap();
    assert_eq!(put(Path::new("/dev/full"), "x").unwrap_err().kind(), io::ErrorKind::StorageFull);
}
