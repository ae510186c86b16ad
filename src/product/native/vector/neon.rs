//! Registers of 4 lanes, which every 64-bit Arm processor has.

use super::{MOST_LANES, Vector};
use std::arch::aarch64::*;
use std::ops::Range;

#[derive(Clone, Copy)]
pub(in super::super) struct Neon(float32x4_t);

/// The lanes of a mask, and none beyond the fourth.
#[derive(Clone, Copy)]
pub(in super::super) struct Lanes {
    first: usize,
    end: usize,
}

impl Lanes {
    fn is_all(self) -> bool {
        self.first == 0 && self.end == Neon::LANES
    }

    fn range(self) -> Range<usize> {
        self.first..self.end
    }
}

impl Neon {
    /// Puts the element at `from` into one lane.
    #[inline(always)]
    unsafe fn with_lane(self, lane: usize, from: *const f32) -> Neon {
        // SAFETY: by the contract of [`Vector`], as in all methods below.
        Neon(unsafe {
            match lane {
                0 => vld1q_lane_f32::<0>(from, self.0),
                1 => vld1q_lane_f32::<1>(from, self.0),
                2 => vld1q_lane_f32::<2>(from, self.0),
                _ => vld1q_lane_f32::<3>(from, self.0),
            }
        })
    }
}

impl Vector for Neon {
    const LANES: usize = 4;
    type Mask = Lanes;

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> Lanes {
        Lanes { first: 0, end: lanes }
    }

    #[inline(always)]
    unsafe fn zero() -> Neon {
        // SAFETY: as above.
        Neon(unsafe { vdupq_n_f32(0.0) })
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Neon {
        // SAFETY: as above.
        Neon(unsafe { vld1q_dup_f32(from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Neon {
        // SAFETY: as above.
        Neon(unsafe { vld1q_f32(from) })
    }

    #[inline(always)]
    unsafe fn load_part(from: *const f32, mask: Lanes) -> Neon {
        // SAFETY: as above.
        unsafe { Neon::zero().load_lanes(from, mask) }
    }

    #[inline(always)]
    unsafe fn lanes(first: usize, end: usize) -> Lanes {
        Lanes { first, end: end.min(Neon::LANES) }
    }

    #[inline(always)]
    unsafe fn load_lanes(self, from: *const f32, mask: Lanes) -> Neon {
        // SAFETY: as above; elements of lanes that the mask leaves out are not read.
        unsafe {
            if mask.is_all() {
                return Neon::load(from);
            }
            mask.range().fold(self, |vector, lane| vector.with_lane(lane, from.wrapping_add(lane)))
        }
    }

    #[inline(always)]
    unsafe fn gather_lanes(self, from: *const f32, stride: i32, mask: Lanes) -> Neon {
        let place = |lane: usize| from.wrapping_offset(lane as isize * stride as isize);
        // SAFETY: as above.
        unsafe { mask.range().fold(self, |vector, lane| vector.with_lane(lane, place(lane))) }
    }

    /// Of two vectors that reach from the first element to the last.
    #[inline(always)]
    unsafe fn load_alternate(from: *const f32) -> Neon {
        // SAFETY: as above.
        unsafe {
            let (low, high) = (vld1q_f32(from), vld1q_f32(from.add(3)));
            Neon(vcombine_f32(vget_low_f32(vuzp1q_f32(low, low)), vget_low_f32(vuzp2q_f32(high, high))))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { vst1q_f32(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, mask: Lanes) {
        // SAFETY: as above; nothing is written beyond the mask.
        unsafe {
            for lane in mask.range() {
                let to = to.wrapping_add(lane);
                match lane {
                    0 => vst1q_lane_f32::<0>(to, self.0),
                    1 => vst1q_lane_f32::<1>(to, self.0),
                    2 => vst1q_lane_f32::<2>(to, self.0),
                    _ => vst1q_lane_f32::<3>(to, self.0),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Neon) -> Neon {
        // SAFETY: as above.
        Neon(unsafe { vaddq_f32(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Neon, sum: Neon) -> Neon {
        // SAFETY: as above.
        Neon(unsafe { vfmaq_f32(sum.0, self.0, factor.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let two = vadd_f32(vget_low_f32(self.0), vget_high_f32(self.0));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        }
    }

    /// First pairs of neighbours, then pairs of pairs.
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Neon; MOST_LANES]) {
        // SAFETY: as above.
        unsafe {
            let (a, b, c, d) = (rows[0].0, rows[1].0, rows[2].0, rows[3].0);
            let (ab_even, ab_odd) = (pairs(vtrn1q_f32(a, b)), pairs(vtrn2q_f32(a, b)));
            let (cd_even, cd_odd) = (pairs(vtrn1q_f32(c, d)), pairs(vtrn2q_f32(c, d)));
            rows[0] = Neon(lanes(vtrn1q_f64(ab_even, cd_even)));
            rows[1] = Neon(lanes(vtrn1q_f64(ab_odd, cd_odd)));
            rows[2] = Neon(lanes(vtrn2q_f64(ab_even, cd_even)));
            rows[3] = Neon(lanes(vtrn2q_f64(ab_odd, cd_odd)));
        }
    }
}

#[inline(always)]
unsafe fn pairs(vector: float32x4_t) -> float64x2_t {
    // SAFETY: as above.
    unsafe { vreinterpretq_f64_f32(vector) }
}

#[inline(always)]
unsafe fn lanes(vector: float64x2_t) -> float32x4_t {
    // SAFETY: as above.
    unsafe { vreinterpretq_f32_f64(vector) }
}
