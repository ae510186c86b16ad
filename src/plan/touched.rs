//! Which buffers steps touch (read and write sets), and so whether two steps may be exchanged.

use crate::ir::hash::FastSet;
use super::memory::for_each_view;
use super::{BufferId, Step};

/// The buffers of a step, or of several.
#[derive(Default)]
pub(super) struct Touched {
    pub reads: FastSet<BufferId>,
    pub writes: FastSet<BufferId>,
}

impl Touched {
    /// By a step; by all steps of a scan.
    pub fn by(step: &Step) -> Touched {
        let mut touched = Touched::default();
        for_each_view(step, &mut |view, written| {
            if written { &mut touched.writes } else { &mut touched.reads }.insert(view.buffer);
        });
        touched
    }

    pub fn extend(&mut self, other: &Touched) {
        self.reads.extend(&other.reads);
        self.writes.extend(&other.writes);
    }

    /// Whether the two must stay in this order.
    pub fn collides(&self, other: &Touched) -> bool {
        let meets = |a: &FastSet<BufferId>, b: &FastSet<BufferId>| !a.is_disjoint(b);
        meets(&self.writes, &other.writes)
            || meets(&self.writes, &other.reads)
            || meets(&self.reads, &other.writes)
    }
}
