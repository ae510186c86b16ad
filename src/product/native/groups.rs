//! Rows of windows in groups that one stride leads through: what tiles read in place.

use super::Side;
use super::isa::{Isa, MOST_GROUP};

/// How tiles walk through an operand whose rows are windows.
pub(super) struct Groups {
    /// The rows of a group, and from each to the next.
    pub of: usize,
    pub stride: isize,
    /// Where each group begins.
    pub offsets: Vec<isize>,
}

impl Groups {
    /// `None` if rows are in no equal groups.
    pub fn new(isa: &Isa, rows: &Side) -> Option<Groups> {
        let (size, stride) = *rows.axes.last()?;
        let tiled = |of: usize| of * isa.most_groups(of, 1);
        let fits = (2..=MOST_GROUP).filter(|of| size % *of as i64 == 0);
        let of = fits.max_by_key(|of| tiled(*of))?;
        let offsets = rows.offsets().into_iter().step_by(of).map(|offset| offset as isize).collect();
        Some(Groups { of, stride: stride as isize, offsets })
    }

    /// How much longer it takes for a strip of so many rows and k to find the place of each group, in sixteenths of a
    /// vector instruction.
    pub fn cost(&self, m: usize, k: usize) -> usize {
        const PLACE_OF_A_GROUP: usize = 4;
        m * k * PLACE_OF_A_GROUP / self.of
    }
}
