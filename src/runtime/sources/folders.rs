//! What is in a folder of images.

use std::path::{Path, PathBuf};

use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::runtime::report::files::FileError;
use crate::runtime::world::World;

/// Adds the images in some folders and those within them.
///
/// # Errors
/// E0701.
pub(super) fn below(
    world: &dyn World,
    folders: Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
    others: &mut Vec<PathBuf>,
) -> Result<(), Diagnostic> {
    let mut waiting = folders;
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        let entries = entries(world, &folder)?;
        waiting.extend(entries.folders);
        found.extend(entries.files);
        others.extend(entries.others);
    }
    found.put_in_order();
    files.extend(found);
    Ok(())
}

/// What is in a folder, each kind by name. Hidden files and those that systems leave are none of it.
pub(super) struct Entries {
    pub folders: Vec<PathBuf>,
    pub files: Vec<PathBuf>,
    pub others: Vec<PathBuf>,
}

/// # Errors
/// E0701.
pub(super) fn entries(world: &dyn World, folder: &Path) -> Result<Entries, Diagnostic> {
    let failed = |error: std::io::Error| {
        let path = folder.display().to_string();
        match error.kind() {
            std::io::ErrorKind::NotFound => FileError::MissingFolder { path },
            std::io::ErrorKind::NotADirectory => FileError::NoFolder { path },
            _ => FileError::UnreadableFolder { path, why: error.to_string() },
        }
    };
    let (mut folders, mut files, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for entry in world.list(folder).map_err(failed)? {
        let path = folder.join(&entry.name);
        let hidden = path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with('.') || matches!(&*name, "Thumbs.db" | "desktop.ini" | "__MACOSX")
        });
        if hidden {
            continue;
        }
        if entry.is_folder {
            folders.push(path);
        } else if is_image(&path) {
            files.push(path);
        } else {
            others.push(path);
        }
    }
    folders.put_in_order();
    files.put_in_order();
    Ok(Entries { folders, files, others })
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("png" | "jpg" | "jpeg"))
}
