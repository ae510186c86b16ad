//! What native code is called with, and the functions that it calls back.

use super::products::MatrixProduct;
use crate::backend::{Alone, Facts, Give, Parallel};
use crate::base::philox::Draw;
use crate::loops::{Kind, Rand};
use crate::plan::{Local, fill_with_poison};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A kernel: what it works on, and which piece of it is to be done.
pub type KernelFn = unsafe extern "C" fn(env: *const u64, piece: u64);
/// A whole step.
pub type StepFn = unsafe extern "C" fn(frame: *const Frame<'_>);
/// One iteration of an independent scan: how many bytes its own memory lies behind its place in the arena, and the
/// private memory of its kernels behind theirs; and which iteration.
pub type IterationFn =
    unsafe extern "C" fn(frame: *const Frame<'_>, distance: i64, of_scratch: i64, counter: i64);

/// An independent scan of a step.
pub struct ScanCode {
    pub iteration: IterationFn,
    pub trip: i64,
    pub local: Local,
}

/// Memory for the iterations of independent scans that run at the same time as the one which has its place in the
/// arena.
#[derive(Clone, Copy)]
pub struct Elsewhere {
    pub start: *mut u8,
    /// The bytes for each, and how many of them the iteration's own memory takes before that of its kernels.
    pub bytes: usize,
    pub own_bytes: usize,
    /// For how many there is room.
    pub count: usize,
}

/// All that a step works on. The first fields are read by native code, at the offsets below.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Frame<'a> {
    pub externals: *const *mut u8,
    pub arena: *mut u8,
    pub constants: *const u8,
    pub kernels: *const *const u8,
    pub fork: unsafe extern "C" fn(*const Frame<'_>, KernelFn, *const u64, u64),
    pub gemm: unsafe extern "C" fn(*const Frame<'_>, u64, *const u8, *const u8, *mut u8),
    pub rand: unsafe extern "C" fn(*const Frame<'_>, u64, *mut u8, u64),
    pub mark: unsafe extern "C" fn(*const Frame<'_>, u64),
    /// Where kernels store which of them has found that an int leaves 64 bits.
    pub fault: *mut u64,
    pub poison: unsafe extern "C" fn(*mut u8, u64),
    /// Where a check that fails is reported: its number, and the element.
    pub report: *mut u64,
    pub scan: unsafe extern "C" fn(*const Frame<'_>, u64),
    pub step: u32,
    pub seed: u64,
    pub parallel: &'a dyn Parallel,
    pub products: &'a [MatrixProduct],
    pub rands: &'a [Rand],
    pub scans: &'a [ScanCode],
    pub elsewhere: Elsewhere,
    /// Where in the arena the private memory of kernels begins.
    pub scratch_start: usize,
    /// Called after each item, in code made to be profiled.
    pub profile: Option<&'a dyn Fn(Option<usize>)>,
    /// Called with each result that nothing changes any more, in such code.
    pub results: Option<&'a Give<'a>>,
    pub facts: &'a Facts,
}

/// Byte offsets of the fields of [`Frame`] that native code reads.
pub mod offset {
    pub const EXTERNALS: i32 = 0;
    pub const ARENA: i32 = 8;
    pub const CONSTANTS: i32 = 16;
    pub const KERNELS: i32 = 24;
    pub const FORK: i32 = 32;
    pub const GEMM: i32 = 40;
    pub const RAND: i32 = 48;
    pub const MARK: i32 = 56;
    pub const FAULT: i32 = 64;
    pub const POISON: i32 = 72;
    pub const REPORT: i32 = 80;
    pub const SCAN: i32 = 88;
    /// Behind the last of them.
    #[cfg(feature = "object")]
    pub const END: i32 = 96;
}

/// The compiler checks that every field stands at the offset where native code reads it.
macro_rules! at_offsets {
    ($($field:ident: $offset:ident),* $(,)?) => {
        const _: () = {
            $(assert!(std::mem::offset_of!(Frame<'static>, $field) == offset::$offset as usize);)*
        };
    };
}

at_offsets! {
    externals: EXTERNALS,
    arena: ARENA,
    constants: CONSTANTS,
    kernels: KERNELS,
    fork: FORK,
    gemm: GEMM,
    rand: RAND,
    mark: MARK,
    fault: FAULT,
    poison: POISON,
    report: REPORT,
    scan: SCAN,
}

/// A pointer that tasks on other threads may use.
#[derive(Clone, Copy)]
pub(super) struct Shared<T>(pub *mut T);

// SAFETY: the tasks that use it write to distinct elements, and are over before the caller goes on.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn get(&self) -> *mut T {
        self.0
    }
}

/// Runs all pieces of a kernel.
///
/// # Safety
/// `frame` and `env` are those of the step that calls; the pieces of the kernel write to distinct memory.
pub unsafe extern "C" fn fork(frame: *const Frame<'_>, kernel: KernelFn, env: *const u64, pieces: u64) {
    // SAFETY: by the contract.
    let frame = unsafe { &*frame };
    let env = Shared(env.cast_mut());
    // SAFETY: by the contract; `env` lives until all pieces are done.
    frame.parallel.run(pieces as usize, &|piece| unsafe { kernel(env.get(), piece as u64) });
}

/// The most runs that the iterations of an independent scan are divided into. They are counted on the stack: a step
/// allocates nothing.
const MOST_RUNS: usize = 64;

/// Carries out independent scan `number`: its iterations on several threads at a time, each thread in memory of its
/// own, if there are enough of them to keep all threads at work; else one after another, each kernel on all threads.
/// Either way every value is computed in the same way.
///
/// # Safety
/// `frame` is that of the step that calls.
pub unsafe extern "C" fn scan(frame: *const Frame<'_>, number: u64) {
    // SAFETY: by the contract.
    let frame = unsafe { &*frame };
    let ScanCode { iteration, trip, local } = &frame.scans[number as usize];
    let trip = *trip as usize;
    let threads = frame.parallel.threads().min(frame.elsewhere.count + 1);
    let is_even = (2..=MOST_RUNS).contains(&threads) && (trip >= 2 * threads || trip.is_multiple_of(threads));
    if !is_even {
        // SAFETY: the memory of the iteration is in its place.
        return (0..trip).for_each(|at| unsafe { iteration(frame, 0, 0, at as i64) });
    }
    // Each thread begins with a run of iterations of its own, and helps with the others when it is done.
    let first = |thread: usize| trip * thread / threads;
    let next: [AtomicUsize; MOST_RUNS] = std::array::from_fn(|thread| AtomicUsize::new(first(thread)));
    let alone = Frame { parallel: &Alone, ..*frame };
    let alone = Shared((&raw const alone).cast_mut());
    let Elsewhere { start, bytes, own_bytes, .. } = frame.elsewhere;
    let places = [start, start.wrapping_add(own_bytes)].map(Shared);
    let homes = [local.start, frame.scratch_start].map(|at| Shared(frame.arena.wrapping_add(at)));
    frame.parallel.run(threads, &|task| {
        let distance = |which: usize| match task.checked_sub(1) {
            Some(other) => {
                let place = places[which].get().wrapping_add(other * bytes);
                place.addr().wrapping_sub(homes[which].get().addr()) as i64
            }
            None => 0,
        };
        let (distance, of_scratch) = (distance(0), distance(1));
        for thread in (0..threads).map(|other| (task + other) % threads) {
            let end = first(thread + 1);
            while let Some(at) = Some(next[thread].fetch_add(1, Ordering::Relaxed)).filter(|at| *at < end) {
                // SAFETY: each task has memory of its own for what lives within an iteration, each iteration is
                // carried out once, and `alone` lives until all are done.
                unsafe { iteration(alone.get(), distance, of_scratch, at as i64) }
            }
        }
    });
}

/// Carries out matrix product `number`.
///
/// # Safety
/// The addresses are those of the product's operands, with as many elements as its sizes and strides reach.
pub unsafe extern "C" fn gemm(frame: *const Frame<'_>, number: u64, a: *const u8, b: *const u8, c: *mut u8) {
    // SAFETY: by the contract.
    unsafe {
        let frame = &*frame;
        frame.products[number as usize].run(frame.parallel, a, b, c);
    }
}

/// Draws random numbers for `rands[number]`.
///
/// # Safety
/// `target` has room for all of them.
pub unsafe extern "C" fn rand(frame: *const Frame<'_>, number: u64, target: *mut u8, scan_step: u64) {
    // SAFETY: by the contract.
    let frame = unsafe { &*frame };
    let rand = &frame.rands[number as usize];
    let (draws, len) = (rand.draws as usize, rand.len as usize);
    // A number depends on its place alone, so any part may be drawn on any thread.
    let parts = len.div_ceil(RAND_PART).max(1);
    let target = Shared(target);
    let (seed, step) = (frame.seed, frame.step);
    let task = move |piece: usize| {
        let (at, first) = (piece / parts, piece % parts * RAND_PART);
        let scan_step = (scan_step as u32).wrapping_add(at as u32);
        let draw = Draw { seed, stream: rand.stream, step, scan_step };
        let (start, count) = (at * len + first, RAND_PART.min(len - first));
        // SAFETY: by the contract; parts are distinct.
        unsafe {
            if rand.elem == Kind::F64 {
                let values = std::slice::from_raw_parts_mut(target.get().cast::<f64>().add(start), count);
                rand.kind.fill_f64(draw, first, values);
            } else {
                let values = std::slice::from_raw_parts_mut(target.get().cast::<f32>().add(start), count);
                rand.kind.fill_f32(draw, first, values);
            }
        }
    };
    if draws * len > RAND_PART {
        frame.parallel.run(draws * parts, &task)
    } else {
        (0..draws * parts).for_each(task)
    }
}

/// How many random numbers one task draws; a multiple of 4.
const RAND_PART: usize = 1 << 14;

/// Says that item `number` is done.
///
/// # Safety
/// `frame` is that of the step that calls.
pub unsafe extern "C" fn mark(frame: *const Frame<'_>, number: u64) {
    // SAFETY: by the contract.
    let frame = unsafe { &*frame };
    if let Some(profile) = frame.profile {
        profile(Some(number as usize));
    }
    let Some(give) = frame.results else { return };
    for external in frame.facts.finished_by(number as usize).iter().map(|external| *external as usize) {
        let bytes = frame.facts.external_bytes(external);
        // SAFETY: the binding of a result was checked to have room for it. All pieces of the item are done, and the
        // code that writes to it waits for this call.
        give(external, unsafe { std::slice::from_raw_parts(*frame.externals.add(external), bytes) });
    }
}

/// Makes memory unusable until something is written there: NaN as floats, too large for a subscript as ints.
///
/// # Safety
/// So many bytes are there, and nobody else uses them.
pub unsafe extern "C" fn poison(memory: *mut u8, bytes: u64) {
    // SAFETY: by the contract.
    let memory = unsafe { std::slice::from_raw_parts_mut(memory, bytes as usize) };
    fill_with_poison(memory);
}
