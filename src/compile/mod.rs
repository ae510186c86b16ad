//! Rank 6: the whole pipeline on one screen, which is the list [`PIPELINE`].
//!
//! ```text
//! check:  text ──parse──▶ AST ──check──▶ Program<Forward> ──differentiate──▶ Program<Step>
//! build:  graph ──stabilise──▶ ──specialise──▶ ──optimise──▶ ──plan──▶ ──loops──▶ ──machine code──▶ Function
//! ```

mod accumulate;
mod differentiate;
mod function;
mod measure;
mod pipeline;
#[cfg(test)]
mod recognised;
mod show;
mod stage;
mod symbols;
mod timing;
mod updates;

pub use differentiate::differentiate;
pub use function::{BuildError, Cache, Code, Function, Mode, Use, build, fits, loops};
pub use measure::{Measures, giving, measures, profiled};
pub use pipeline::{PIPELINE, Pass, PassId};
pub use show::{Part, parts, show, show_with, sizes};
pub use stage::Stage;
pub use symbols::symbols;
pub use timing::Timings;

pub use crate::sema::Loader;

use crate::base::{Diagnostic, FileId, SourceMap};
use crate::ir::program::Program;
use crate::syntax::ast;
use pipeline::{Front, Whole};

/// Parses and checks a file and what it imports, after `adjust` has changed the tree. Gives no program if
/// there are errors; otherwise the diagnostics are warnings.
pub fn check(
    sources: &mut SourceMap,
    file: FileId,
    loader: &mut dyn Loader,
    adjust: &mut dyn FnMut(&mut SourceMap, &mut ast::File) -> Vec<Diagnostic>,
    timings: &Timings,
) -> (Option<Program>, Vec<Diagnostic>) {
    let mut front = Front { sources, loader, adjust, diagnostics: Vec::new() };
    let whole = pipeline::program(Whole::Text(file), PassId::Differentiate, &mut front, timings);
    match whole {
        Whole::Steps(program) if !front.has_errors() => (Some(program), front.diagnostics),
        _ => (None, front.diagnostics),
    }
}
