//! A program whose data is divided into folds, of which one is held out.

use super::program::Program;
use super::report::training::FoldError;
use crate::base::Diagnostic;
use crate::ir::program::{Folds, Train};

impl Program {
    /// How many folds the data of the training is divided into, if it is.
    pub fn folds(&self) -> Option<usize> {
        let train = self.checked().trainings().next()?;
        let set = self.checked().data.iter().find(|set| set.name == train.data.set)?;
        set.division.folds.map(|folds| folds.count as usize)
    }

    /// The same program with the data of its training in `count` folds, of which `held`, from 0, is validated on.
    ///
    /// # Errors
    /// E0762 if the training does not learn from one of two parts and validate on the other.
    #[doc(hidden)]
    pub fn with_fold(&self, count: usize, held: usize) -> Result<Program, Diagnostic> {
        let mut checked = self.checked().clone();
        let mut trainings = self.checked().trainings();
        let (Some(train), None) = (trainings.next(), trainings.next()) else {
            return Err(FoldError::Trainings.into());
        };
        let set = checked.data.iter_mut().find(|set| set.name == train.data.set);
        let Some(set) = set.filter(|set| is_divided(train, set.parts.iter().map(|part| &*part.name))) else {
            return Err(FoldError::NotDivided { at: train.span }.into());
        };
        set.division.folds = Some(Folds { count: count as u32, held: held as u32 });
        Ok(self.replaced(checked))
    }
}

/// Whether a training learns from the first of two parts and validates on the second.
fn is_divided<'p>(train: &Train, mut parts: impl Iterator<Item = &'p str>) -> bool {
    let (Some(first), Some(second), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    let validates =
        train.validate.as_ref().is_some_and(|validation| validation.set == train.data.set && validation.part.as_deref() == Some(second));
    validates && train.data.part.as_deref() == Some(first)
}
