//! Warnings of running code: they wait here until somebody who listens asks for them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Diagnostic;

/// Warnings that wait for somebody to take them. Copies share them.
#[derive(Clone, Default, Debug)]
pub struct Notices(Arc<Mutex<Vec<Diagnostic>>>);

impl Notices {
    /// Adds a warning, unless it is there already.
    pub fn add(&self, warning: impl Into<Diagnostic>) {
        let warning = warning.into();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.contains(&warning) {
            waiting.push(warning);
        }
    }

    /// Those that were added since the last time.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
