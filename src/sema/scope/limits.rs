//! How much a program may unfold into.

use crate::sema::scope::Scope;
use crate::sema::scope::report::limits::LimitError;
use crate::base::Span;

/// How many expressions may be elaborated for one program: a bound on loops, rows of layers and expansions.
const MAX_WORK: u64 = 300_000;
/// How many nodes one graph may have.
const MAX_NODES: usize = 100_000;
/// How deep expressions and calls may nest.
const MAX_DEPTH: usize = 600;
/// How deep calls may nest.
pub const MAX_CALLS: usize = 64;

/// What was used of that.
#[derive(Debug, Default)]
pub struct Limits {
    depth: usize,
    work: u64,
    reached: bool,
}

impl Limits {
    /// Whether the program has used up what it may use, which was reported.
    pub fn is_reached(&self) -> bool {
        self.reached
    }

    /// How much has been counted.
    #[cfg(test)]
    pub fn work(&self) -> u64 {
        self.work
    }
}

impl Scope<'_> {
    /// Counts one unit of work on a graph that has so many nodes. `false` once the program has used up what it may
    /// use, which is reported.
    pub fn count_work(&mut self, nodes: usize, span: Span) -> bool {
        self.limits.work += 1;
        if self.limits.reached {
            return false;
        }
        if self.limits.work > MAX_WORK || nodes > MAX_NODES {
            let (expressions, operations) = (MAX_WORK / 1000, MAX_NODES / 1000);
            self.report(LimitError::Work { expressions, operations, at: span });
            self.limits.reached = true;
        }
        !self.limits.reached
    }

    /// Enters one level of nesting; `false` (reported) if there are too many. Call [`Scope::leave`] after.
    pub(in crate::sema) fn enter(&mut self, span: Span) -> bool {
        self.limits.depth += 1;
        if self.limits.depth > MAX_DEPTH {
            self.report(LimitError::Nesting { at: span });
            return false;
        }
        true
    }

    pub(in crate::sema) fn leave(&mut self) {
        self.limits.depth -= 1;
    }
}
