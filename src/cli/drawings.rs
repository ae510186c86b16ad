//! `--plots FOLDER`, and the pictures in the folder of a run: each `plot` as an SVG and a PNG file.

use std::path::{Path, PathBuf};

use super::plot::{draw, png, svg};
use crate::base::Diagnostic;
use crate::runtime::events::{Chart, Event, Observer};
use crate::runtime::world::native::write::write_atomically;

/// An observer that draws each plot into a file.
pub struct Drawings {
    inner: Box<dyn Observer>,
    folder: PathBuf,
    /// The program's name: files are called after it.
    name: String,
    drawn: usize,
}

/// Makes a folder for pictures if there is none.
///
/// # Errors
/// E0714.
pub fn made(folder: &Path) -> Result<(), Diagnostic> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Diagnostic::error("E0714", format!("cannot make the folder `{}`: {error}", folder.display()))
    })
}

impl Drawings {
    /// Makes the folder if there is none. So many plots of the program were drawn before.
    ///
    /// # Errors
    /// E0714.
    pub fn new(inner: Box<dyn Observer>, folder: &Path, program: &Path, drawn: usize) -> Result<Drawings, Diagnostic> {
        made(folder)?;
        let name = program.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Standard input has no name.
        let name = if name.is_empty() || name == "-" { "plot".to_owned() } else { name };
        Ok(Drawings { inner, folder: folder.to_path_buf(), name, drawn })
    }

    fn draw(&mut self, chart: &Chart) {
        self.drawn += 1;
        let drawing = draw(chart);
        for (ending, bytes) in [("svg", svg(&drawing).into_bytes()), ("png", png(&drawing))] {
            let path = self.folder.join(format!("{}-{}.{ending}", self.name, self.drawn));
            if let Err(error) = write_atomically(&path, &mut |out| out.write_all(&bytes)) {
                let message = format!("cannot write `{}`: {error}", path.display());
                self.inner.event(&Event::Warning(&Diagnostic::warning("E0714", message)));
            }
        }
    }
}

impl Observer for Drawings {
    fn event(&mut self, event: &Event<'_>) {
        self.inner.event(event);
        if let Event::Plot(chart) = event {
            self.draw(chart);
        }
    }

    fn every(&self) -> Option<u64> {
        self.inner.every()
    }

    fn stop(&mut self) -> bool {
        self.inner.stop()
    }

    fn leave(&mut self) -> bool {
        self.inner.leave()
    }
}
