//! A run that is a trial among others: trained with them, or once more by itself.

use std::fs;

use serde_json::json;

use super::{Folder, cannot};
use crate::base::Diagnostic;

impl Folder {
    /// Notes that it may be trained together with others, by sums in another order.
    pub fn note_together(&self) {
        self.note("together", json!(true));
    }

    /// Forgets what the run has noted so far: it is carried out again from the beginning.
    ///
    /// # Errors
    /// E0714.
    pub fn begin_anew(&self) -> Result<(), Diagnostic> {
        self.with(|log| {
            (log.metrics, log.events, log.train, log.step) = (None, None, 0, 0);
            ["last", "epochs", "steps"].iter().for_each(|key| drop(log.info.remove(*key)));
        });
        let kept = ["program.nn", "run.json"];
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && !kept.iter().any(|name| path.ends_with(name)) {
                fs::remove_file(&path).map_err(|error| cannot(&path, &error))?;
            }
        }
        Ok(())
    }
}
