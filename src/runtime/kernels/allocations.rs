//! The system's allocator, which counts while somebody wants to know, and ends the process with a message where
//! there is no memory and nobody is prepared for that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static WANTED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether the code at work on this thread is prepared for an allocation that fails.
    static IS_PREPARED: Cell<bool> = const { Cell::new(false) };
}

/// Carries out `work`, in which allocations may fail: it is told, and the process goes on.
pub fn fallible<T>(work: impl FnOnce() -> T) -> T {
    let before = IS_PREPARED.replace(true);
    let result = work();
    IS_PREPARED.set(before);
    result
}

/// To be declared as the `#[global_allocator]` of a program that counts.
pub struct Counting;

/// Counts from now on, or no longer.
pub fn count(wanted: bool) {
    WANTED.store(wanted, Ordering::Relaxed);
}

/// The allocations counted so far, of all threads.
pub fn counted() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

fn note() {
    if WANTED.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives the pointer on. If there is none and nobody is prepared, the process ends with the exit code of an
/// error, after a message for which nothing is allocated.
fn checked(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() && !IS_PREPARED.get() {
        end_without_memory(size);
    }
    pointer
}

#[cold]
fn end_without_memory(size: usize) -> ! {
    let mut digits = [b' '; 20];
    let mut left = size;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    let start = digits.iter().position(|digit| *digit != b' ').unwrap_or(0);
    let parts =
        [&b"error[E0734]: there is no memory: "[..], &digits[start..], b" bytes more cannot be had\n"];
    for part in parts {
        // Standard error of the library may hold a lock, and its buffer may want memory.
        #[cfg(unix)]
        // SAFETY: the bytes are there until the call returns; whether it writes them does not matter.
        let _ = unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
        #[cfg(not(unix))]
        let _ = part;
    }
    #[cfg(unix)]
    // SAFETY: ends the process without running any more of it.
    unsafe {
        libc::_exit(1)
    }
    #[cfg(not(unix))]
    std::process::abort()
}

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: by the caller's contract.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: by the caller's contract.
        checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: by the caller's contract.
        checked(unsafe { System.realloc(pointer, layout, size) }, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}
