//! A register of floats, as wide as the processor has them: what tiles and copies are written in.
//!
//! All methods are inlined into functions that have the processor's features; elsewhere they must not be
//! called, which is why all of them are unsafe.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
pub(super) use neon::Neon;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Narrow, Wide};

/// The most lanes of any vector.
pub(super) const MOST_LANES: usize = 16;

/// # Safety
/// Of all methods: the processor has the instructions of this vector, and pointers reach as many elements
/// as there are lanes, or as many as the mask admits.
pub(super) trait Vector: Copy {
    const LANES: usize;
    /// Which lanes are there: the first few.
    type Mask: Copy;

    unsafe fn mask(lanes: usize) -> Self::Mask;
    unsafe fn zero() -> Self;
    /// One element in all lanes.
    unsafe fn splat(from: *const f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// Lanes that are not there are 0.
    unsafe fn load_part(from: *const f32, mask: Self::Mask) -> Self;
    /// The lanes from `first` to before `end`.
    unsafe fn lanes(first: usize, end: usize) -> Self::Mask;
    /// Puts elements into lanes that are 0.
    unsafe fn load_lanes(self, from: *const f32, mask: Self::Mask) -> Self;
    /// The same of elements that lie `stride` apart.
    unsafe fn gather_lanes(self, from: *const f32, stride: i32, mask: Self::Mask) -> Self;
    /// Every second element, the first in lane 0.
    unsafe fn load_alternate(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_part(self, to: *mut f32, mask: Self::Mask);
    unsafe fn add(self, other: Self) -> Self;
    /// `self * factor + sum`, rounded once.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// The sum of all lanes: first the upper half to the lower, then so its quarters, and so on.
    unsafe fn sum(self) -> f32;
    /// Of as many vectors as there are lanes: lane `i` of vector `j` becomes lane `j` of vector `i`. The
    /// vectors beyond the lanes are not looked at.
    unsafe fn transpose(rows: &mut [Self; MOST_LANES]);
}
