//! Rank 6: the whole pipeline on one screen.
//!
//! ```text
//! check:  text ──parse──▶ AST ──sema──▶ ir::program::Program
//! build:  graph ──specialise──▶ ──optimise──▶ ──plan──▶ ──loops──▶ ──jit──▶ Function
//! ```

mod function;
mod measure;
mod show;
mod stage;
mod symbols;
mod timing;

pub use function::{BuildError, Cache, Code, Function, Mode, Use, build, fits};
pub use measure::{Measures, measures, profiled};
pub use show::{Part, parts, show, show_with, sizes};
pub use stage::Stage;
pub use symbols::symbols;
pub use timing::{Pass, Timings};

pub use crate::sema::Loader;

use crate::base::{Diagnostics, FileId, SourceMap};
use crate::ir::program::Program;
use crate::syntax::ast;
use crate::{sema, syntax};

/// Parses and checks a file and what it imports, after `adjust` has changed the tree. Gives no program if
/// there are errors; otherwise the diagnostics are warnings.
pub fn check(
    sources: &mut SourceMap,
    file: FileId,
    loader: &mut dyn Loader,
    adjust: &mut dyn FnMut(&mut SourceMap, &mut ast::File) -> Diagnostics,
    timings: &Timings,
) -> (Option<Program>, Diagnostics) {
    let text = sources.file(file).text.clone();
    let (mut tree, mut diagnostics) = timings.time(Pass::Parse, || syntax::parse(file, &text));
    diagnostics.extend(adjust(sources, &mut tree));
    let checked = timings.time(Pass::Check, || sema::check(sources, tree, loader));
    diagnostics.extend(checked.diagnostics);
    let wrong = diagnostics.iter().any(|diagnostic| diagnostic.is_error());
    (checked.program.filter(|_| !wrong), diagnostics)
}
