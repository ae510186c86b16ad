//! Stack space for recursion over programs, which users may nest deeply.
//!
//! Programs nest up to a limit that the parser sets, but a thread's stack may be too small even for
//! that, above all in unoptimised builds. Without the feature `system` there is no other stack, and the
//! limit of the parser is lower.

#[cfg(feature = "system")]
mod grown {
    /// Stack that one level of a recursion may use.
    const RED_ZONE: usize = 128 * 1024;
    /// Stack that is added when less than that is left.
    const SEGMENT: usize = 2 * 1024 * 1024;
    /// Address space only; pages that are not touched cost nothing.
    const MUCH: usize = 64 * 1024 * 1024;

    /// Runs one level of a recursion, on new stack if little is left of the old one.
    pub fn with_stack<T>(level: impl FnOnce() -> T) -> T {
        stacker::maybe_grow(RED_ZONE, SEGMENT, level)
    }

    /// Runs a deep recursion in code that cannot ask for stack at each level.
    pub fn with_much_stack<T>(work: impl FnOnce() -> T) -> T {
        stacker::grow(MUCH, work)
    }
}

#[cfg(not(feature = "system"))]
mod grown {
    /// Runs one level of a recursion.
    pub fn with_stack<T>(level: impl FnOnce() -> T) -> T {
        level()
    }

    /// Runs a deep recursion.
    pub fn with_much_stack<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
}

pub use grown::{with_much_stack, with_stack};
