//! Rank 6: the whole pipeline on one screen.
//!
//! ```text
//! check:  text ──parse──▶ AST ──sema──▶ ir::program::Program
//! build:  graph ──specialise──▶ ──optimise──▶ ──plan──▶ ──loops──▶ ──jit──▶ Function
//! ```

mod function;
mod stage;
mod timing;

pub use function::{BuildError, Cache, Function, build};
pub use stage::Stage;
pub use timing::{Pass, Timings};

use crate::base::{Diagnostics, FileId, SourceMap};
use crate::ir::program::Program;
use crate::syntax;

/// Brings the texts of imported files; the caller knows about file systems.
pub trait Loader {
    /// The name under which messages show the file, and its text. `from` is the name of the importing file.
    fn load(&mut self, from: &str, path: &str) -> Result<(String, String), String>;
}

/// Parses and checks a file and what it imports. Gives no program if there are errors; otherwise the
/// diagnostics are warnings.
pub fn check(
    sources: &mut SourceMap,
    file: FileId,
    _loader: &mut dyn Loader,
    timings: &Timings,
) -> (Option<Program>, Diagnostics) {
    let text = sources.file(file).text.clone();
    let (_tree, errors) = timings.time(Pass::Parse, || syntax::parse(file, &text));
    (None, errors)
}

/// The program as one stage of the compiler sees it; `None` where the stage is not built yet.
pub fn show(sources: &mut SourceMap, file: FileId, stage: Stage) -> Result<Option<String>, Diagnostics> {
    let text = sources.file(file).text.clone();
    let (tree, errors) = syntax::parse(file, &text);
    if !errors.is_empty() {
        return Err(errors);
    }
    match stage {
        Stage::Ast => Ok(Some(syntax::print::print(&tree))),
        _ => Ok(None),
    }
}
