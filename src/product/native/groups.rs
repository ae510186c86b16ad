//! Rows of windows in groups that one stride leads through, and the runs of k in them: what tiles read in place.

use super::Side;
use super::isa::{Isa, MOST_GROUP};
use super::window_tile::Runs;

/// Shorter runs are not worth a loop of their own.
const SHORT_RUN: i64 = 3;

/// How tiles walk through an operand whose rows are windows.
pub(super) struct Groups {
    /// The rows of a group, and from each to the next.
    pub of: usize,
    pub stride: isize,
    /// Where each group begins.
    pub offsets: Vec<isize>,
    run: usize,
    step: isize,
    jumps: Vec<isize>,
}

impl Groups {
    /// `None` if rows are in no equal groups, or runs are too short.
    pub fn new(isa: &Isa, [rows, k]: [&Side; 2]) -> Option<Groups> {
        let (size, stride) = *rows.axes.last()?;
        let (run, step) = *k.axes.last()?;
        let tiled = |of: usize| of * isa.most_groups(of, 1);
        let fits = (2..=MOST_GROUP).filter(|of| size % *of as i64 == 0);
        let of = fits.max_by_key(|of| tiled(*of))?;
        if run < SHORT_RUN {
            return None;
        }
        let outer = Side { axes: k.axes[..k.axes.len() - 1].to_vec() };
        let begins = outer.offsets();
        let jumps = begins.windows(2).map(|pair| (pair[1] - pair[0] - run * step) as isize).collect();
        let offsets = rows.offsets().into_iter().step_by(of).map(|offset| offset as isize).collect();
        Some(Groups { of, stride: stride as isize, offsets, run: run as usize, step: step as isize, jumps })
    }

    /// How much longer the runs make it for a strip of so many rows and k, in sixteenths of a vector instruction.
    pub fn cost(&self, m: usize, k: usize) -> usize {
        const END_OF_RUN: usize = 6 * 16;
        m * k * END_OF_RUN / (3 * self.of * self.run)
    }

    /// The runs of a block of k that begins at `depth`.
    pub fn runs(&self, depth: usize) -> Runs {
        let run = depth / self.run;
        Runs {
            first: self.run - depth % self.run,
            length: self.run,
            step: self.step,
            jumps: self.jumps[run.min(self.jumps.len())..].as_ptr(),
        }
    }
}
