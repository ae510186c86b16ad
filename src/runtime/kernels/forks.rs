//! How often this process has been made by a fork: a fork copies all memory, but of the threads only the one that forks.

/// A number that is another one in each process that a fork makes.
#[cfg(all(unix, feature = "system"))]
pub fn generation() -> u32 {
    use std::sync::Once;
    use std::sync::atomic::{AtomicU32, Ordering};

    static GENERATION: AtomicU32 = AtomicU32::new(0);
    static WATCHED: Once = Once::new();

    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }

    WATCHED.call_once(|| {
        // Without memory for the handler, forks are as unsafe as they are without it.
        // SAFETY: the function lives as long as the process, and does nothing that is not allowed after a fork.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    GENERATION.load(Ordering::Relaxed)
}

/// Where there are no forks.
#[cfg(not(all(unix, feature = "system")))]
pub fn generation() -> u32 {
    0
}
