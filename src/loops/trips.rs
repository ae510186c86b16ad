//! The scans around a kernel, with the number of steps of each.

use super::LoopError;
use crate::ir::StepId;

/// The scans around, outermost first, each with the number of its steps.
#[derive(Clone, Debug, Default)]
pub struct Trips(Vec<(StepId, i64)>);

impl Trips {
    /// Enters a scan.
    pub fn push(&mut self, step: StepId, trip: i64) {
        self.0.push((step, trip));
    }

    /// Leaves the innermost scan.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// The number of steps of a scan; `None` if it is not around.
    pub fn get(&self, step: StepId) -> Option<i64> {
        self.0.iter().find(|(around, _)| *around == step).map(|(_, trip)| *trip)
    }

    /// Whether a scan around has no steps, so that nothing in it is carried out.
    pub fn is_empty(&self) -> bool {
        self.0.iter().any(|(_, trip)| *trip == 0)
    }

    /// The least and the greatest of `start + Σ factor · counter`.
    ///
    /// # Errors
    /// If a counter is not that of a scan around: a mistake of the planner.
    pub fn bounds(&self, start: i64, terms: &[(StepId, i64)]) -> Result<(i64, i64), LoopError> {
        let (mut least, mut greatest) = (start, start);
        for (step, factor) in terms {
            let trip = self.get(*step).ok_or_else(|| {
                LoopError(format!("an address moves with t{}, which is no scan around it", step.0))
            })?;
            let reach = factor * (trip - 1);
            least += reach.min(0);
            greatest += reach.max(0);
        }
        Ok((least, greatest))
    }
}
