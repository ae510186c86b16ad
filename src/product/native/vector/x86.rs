//! Registers of 16 lanes (AVX-512F) and of 8 (AVX2 with FMA).

use super::{MOST_LANES, Vector};
use std::arch::x86_64::*;

/// AVX-512F.
#[derive(Clone, Copy)]
pub(in super::super) struct Wide(__m512);

impl Vector for Wide {
    const LANES: usize = 16;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __mmask16 {
        ((1u32 << lanes) - 1) as __mmask16
    }

    #[inline(always)]
    unsafe fn zero() -> Wide {
        // SAFETY: by the contract, as in all methods below.
        Wide(unsafe { _mm512_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_set1_ps(*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_part(from: *const f32, mask: __mmask16) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_maskz_loadu_ps(mask, from) })
    }

    #[inline(always)]
    unsafe fn lanes(first: usize, end: usize) -> __mmask16 {
        ((1u32 << end) - (1u32 << first)) as __mmask16
    }

    #[inline(always)]
    unsafe fn load_lanes(self, from: *const f32, mask: __mmask16) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_mask_loadu_ps(self.0, mask, from) })
    }

    #[inline(always)]
    unsafe fn gather_lanes(self, from: *const f32, stride: i32, mask: __mmask16) -> Wide {
        // SAFETY: as above.
        unsafe {
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let places = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(stride));
            Wide(_mm512_mask_i32gather_ps::<4>(self.0, mask, places, from))
        }
    }

    /// Of two vectors that reach from the first element to the last.
    #[inline(always)]
    unsafe fn load_alternate(from: *const f32) -> Wide {
        // SAFETY: as above.
        unsafe {
            let (low, high) = (_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(15)));
            let places = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
            Wide(_mm512_permutex2var_ps(low, places, high))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, mask: __mmask16) {
        // SAFETY: as above.
        unsafe { _mm512_mask_storeu_ps(to, mask, self.0) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Wide) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Wide, sum: Wide) -> Wide {
        // SAFETY: as above.
        Wide(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let upper = _mm512_castpd_ps(_mm512_shuffle_f64x2(
                _mm512_castps_pd(self.0),
                _mm512_castps_pd(self.0),
                0x4e,
            ));
            let halves = _mm512_add_ps(self.0, upper);
            Narrow(_mm512_castps512_ps256(halves)).sum()
        }
    }

    /// First within each quarter of four rows, then whole quarters among the rows. In single statements: `map` of an
    /// array would be a function of its own, which vectors go to through memory.
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Wide; MOST_LANES]) {
        // SAFETY: as above.
        unsafe {
            let mut quarters = [_mm512_setzero_ps(); 16];
            for group in 0..4 {
                let at = group * 4;
                let (a, b, c, d) = (rows[at].0, rows[at + 1].0, rows[at + 2].0, rows[at + 3].0);
                let (ab_low, ab_high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                let (ab_low, ab_high) = (_mm512_castps_pd(ab_low), _mm512_castps_pd(ab_high));
                let (cd_low, cd_high) = (_mm512_castps_pd(cd_low), _mm512_castps_pd(cd_high));
                quarters[at] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab_low, cd_low));
                quarters[at + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab_low, cd_low));
                quarters[at + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, cd_high));
                quarters[at + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, cd_high));
            }
            // Vector `group * 4 + column` holds, in quarter q, column `4 q + column` of the group's rows.
            for column in 0..4 {
                let (a, b) = (quarters[column], quarters[4 + column]);
                let (c, d) = (quarters[8 + column], quarters[12 + column]);
                let (ab_even, ab_odd) = (_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
                let (cd_even, cd_odd) = (_mm512_shuffle_f32x4(c, d, 0x88), _mm512_shuffle_f32x4(c, d, 0xdd));
                rows[column].0 = _mm512_shuffle_f32x4(ab_even, cd_even, 0x88);
                rows[column + 4].0 = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0x88);
                rows[column + 8].0 = _mm512_shuffle_f32x4(ab_even, cd_even, 0xdd);
                rows[column + 12].0 = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0xdd);
            }
        }
    }
}

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(in super::super) struct Narrow(__m256);

impl Vector for Narrow {
    const LANES: usize = 8;
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __m256i {
        // SAFETY: by the contract, as in all methods below.
        unsafe {
            _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }

    #[inline(always)]
    unsafe fn zero() -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn splat(from: *const f32) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_set1_ps(*from) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_part(from: *const f32, mask: __m256i) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_maskload_ps(from, mask) })
    }

    #[inline(always)]
    unsafe fn lanes(first: usize, end: usize) -> __m256i {
        // SAFETY: as above.
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let before = _mm256_cmpgt_epi32(_mm256_set1_epi32(first as i32), lanes);
            _mm256_andnot_si256(before, _mm256_cmpgt_epi32(_mm256_set1_epi32(end as i32), lanes))
        }
    }

    #[inline(always)]
    unsafe fn load_lanes(self, from: *const f32, mask: __m256i) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_or_ps(self.0, _mm256_maskload_ps(from, mask)) })
    }

    #[inline(always)]
    unsafe fn gather_lanes(self, from: *const f32, stride: i32, mask: __m256i) -> Narrow {
        // SAFETY: as above.
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let places = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(stride));
            Narrow(_mm256_mask_i32gather_ps::<4>(self.0, from, places, _mm256_castsi256_ps(mask)))
        }
    }

    #[inline(always)]
    unsafe fn load_alternate(from: *const f32) -> Narrow {
        // SAFETY: as above.
        unsafe { Narrow::zero().gather_lanes(from, 2, Narrow::lanes(0, 8)) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, mask: __m256i) {
        // SAFETY: as above.
        unsafe { _mm256_maskstore_ps(to, mask, self.0) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Narrow) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Narrow, sum: Narrow) -> Narrow {
        // SAFETY: as above.
        Narrow(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps(self.0, 1));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)))
        }
    }

    /// First within the halves of four rows, then whole halves.
    #[inline(always)]
    unsafe fn transpose(rows: &mut [Narrow; MOST_LANES]) {
        // SAFETY: as above.
        unsafe {
            let mut halves = [_mm256_setzero_ps(); 8];
            for group in 0..2 {
                let at = group * 4;
                let (a, b, c, d) = (rows[at].0, rows[at + 1].0, rows[at + 2].0, rows[at + 3].0);
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                halves[group * 4] = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
                halves[group * 4 + 1] = _mm256_shuffle_ps(ab_low, cd_low, 0xee);
                halves[group * 4 + 2] = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
                halves[group * 4 + 3] = _mm256_shuffle_ps(ab_high, cd_high, 0xee);
            }
            for column in 0..4 {
                let (a, b) = (halves[column], halves[4 + column]);
                rows[column].0 = _mm256_permute2f128_ps(a, b, 0x20);
                rows[column + 4].0 = _mm256_permute2f128_ps(a, b, 0x31);
            }
        }
    }
}
