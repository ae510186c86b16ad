//! A world in memory: for tests, browsers and other languages.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Entry, Fill, Input, World};

/// Files that exist in memory only, one thread, and a clock that stands still.
///
/// ```
/// let world = nnc::MemoryWorld::new().with("rows.csv", "x\n1\n2\n");
/// let source = "data rows = csv(\"rows.csv\") { x = column(\"x\") }\nprint mean(rows.x)";
/// let program = nnc::compile_with(source, &nnc::Options::new().world(world))?;
/// program.session()?.run(&mut nnc::Silent)?;
/// # Ok::<(), nnc::Diagnostics>(())
/// ```
#[derive(Default, Debug)]
pub struct MemoryWorld {
    files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl MemoryWorld {
    /// Without files.
    pub fn new() -> MemoryWorld {
        MemoryWorld::default()
    }

    /// Adds a file, or replaces one.
    #[must_use]
    pub fn with(self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) -> MemoryWorld {
        self.put(path, bytes);
        self
    }

    /// Adds a file, or replaces one.
    pub fn put(&self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) {
        self.files().insert(plain(path.as_ref()), bytes.into());
    }

    /// The contents of a file.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.files().get(&plain(path.as_ref())).cloned()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for MemoryWorld {
    fn open(&self, path: &Path) -> io::Result<Input> {
        match self.get(path) {
            Some(bytes) => Ok(Input::Bytes(bytes)),
            None if self.is_folder(path) => {
                Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file"))
            }
            None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file")),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let folder = plain(folder);
        let files = self.files();
        let mut found = BTreeSet::new();
        for path in files.keys() {
            let Ok(rest) = path.strip_prefix(&folder) else { continue };
            let mut parts = rest.components();
            if let Some(Component::Normal(name)) = parts.next() {
                found.insert((name.to_owned(), parts.next().is_some()));
            }
        }
        if found.is_empty() && !folder.as_os_str().is_empty() {
            let kind = match files.contains_key(&folder) {
                true => io::ErrorKind::NotADirectory,
                false => io::ErrorKind::NotFound,
            };
            return Err(kind.into());
        }
        Ok(found.into_iter().map(|(name, is_folder)| Entry { name, is_folder }).collect())
    }

    fn write(&self, path: &Path, fill: Fill<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        self.put(path, bytes);
        Ok(())
    }

    fn write_new(&self, stem: &str, ending: &str, fill: Fill<'_>) -> io::Result<PathBuf> {
        let name = |number: usize| PathBuf::from(format!("{stem}-{number}{ending}"));
        let free = (0..).map(name).find(|name| !self.files().contains_key(name));
        let name = free.unwrap_or_default();
        self.write(&name, fill)?;
        Ok(name)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A path without what changes nothing: `./a/b/../c` is `a/c`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_told_apart() {
        let world = MemoryWorld::new().with("data/a.csv", "x\n1\n").with("data/deep/b.csv", "");
        let kind = |path: &str| world.open(Path::new(path)).map(drop).map_err(|error| error.kind());
        assert_eq!(kind("./data/deep/../a.csv"), Ok(()));
        assert_eq!(kind("data"), Err(io::ErrorKind::IsADirectory));
        assert_eq!(kind("data/c.csv"), Err(io::ErrorKind::NotFound));
        let listed = world.list(Path::new("data")).unwrap();
        let listed: Vec<_> = listed.iter().map(|entry| (entry.name.to_str().unwrap(), entry.is_folder)).collect();
        assert_eq!(listed, [("a.csv", false), ("deep", true)]);
        assert_eq!(world.list(Path::new("data/a.csv")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert_eq!(world.list(Path::new("no")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(world.list(Path::new("")).unwrap().iter().all(|entry| entry.is_folder));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let world = MemoryWorld::new();
        let path = Path::new("kept");
        world.write(path, &mut |out| out.write_all(b"old")).unwrap();
        let failed = world.write(path, &mut |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::Other.into())
        });
        assert!(failed.is_err());
        assert_eq!(world.get(path).unwrap(), b"old");
        let first = world.write_new("saved", ".bin", &mut |_| Ok(())).unwrap();
        assert_ne!(first, world.write_new("saved", ".bin", &mut |_| Ok(())).unwrap());
    }
}
