//! Rank 6: the whole pipeline on one screen.

mod stage;

pub use stage::Stage;

use crate::base::{Diagnostics, FileId, SourceMap};

/// The program as one stage of the compiler sees it; `None` where the stage is not built yet.
pub fn show(_sources: &mut SourceMap, _file: FileId, _stage: Stage) -> Result<Option<String>, Diagnostics> {
    Ok(None)
}
