//! How a text is compiled.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::world::{self, World};

/// What a program is compiled with: the world that it finds its files in, and how messages call it.
///
/// ```
/// let options = nnc::Options::new().name("xor.nn").folder("models");
/// let error = nnc::compile_with("model", &options).unwrap_err();
/// assert!(error.to_string().contains("xor.nn:1"));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(super) world: Arc<dyn World>,
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) checked_code: bool,
}

impl Options {
    /// This computer, the current folder, and the name `program.nn`.
    pub fn new() -> Options {
        let (name, folder) = ("program.nn".to_owned(), PathBuf::new());
        Options { world: world::usual(), name, folder, checked_code: false }
    }

    /// Where files are looked for, and what tells the time.
    #[must_use]
    pub fn world(self, world: impl World + 'static) -> Options {
        self.shared_world(Arc::new(world))
    }

    /// As [`Options::world`], for one that is used elsewhere, too.
    #[must_use]
    pub fn shared_world(self, world: Arc<dyn World>) -> Options {
        Options { world, ..self }
    }

    /// How messages call the text.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Options {
        Options { name: name.into(), ..self }
    }

    /// The folder that paths in the program are relative to.
    #[must_use]
    pub fn folder(self, folder: impl Into<PathBuf>) -> Options {
        Options { folder: folder.into(), ..self }
    }

    /// Whether native code checks every access against its buffer. It gives the same results, slower; an access
    /// outside of a buffer, which is a fault of the compiler, is then an error.
    #[must_use]
    pub fn check_accesses(self, checked: bool) -> Options {
        Options { checked_code: checked, ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
