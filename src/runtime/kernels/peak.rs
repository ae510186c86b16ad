//! Multiply-adds in registers and nothing else: as much arithmetic as a core can do.

use std::hint::black_box;

/// Chains of multiply-adds that do not wait for each other: enough for two units of latency 4 with room.
const CHAINS: usize = 16;

/// Does about `rounds` × [`CHAINS`] vector multiply-adds on 32-bit floats; how many operations that were.
pub fn multiply_add_f32(rounds: u32) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what it is compiled for.
            return unsafe { x86::wide_f32(rounds) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { x86::half_f32(rounds) };
        }
    }
    portable(rounds, 0.999_999_f32, 1e-6_f32, f32::mul_add, |a, b, c| a * b + c)
}

/// The same on 64-bit floats.
pub fn multiply_add_f64(rounds: u32) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what it is compiled for.
            return unsafe { x86::wide_f64(rounds) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { x86::half_f64(rounds) };
        }
    }
    portable(rounds, 0.999_999_f64, 1e-6_f64, f64::mul_add, |a, b, c| a * b + c)
}

/// What the compiler makes of plain arithmetic. Fused only where that is not a call of a function.
fn portable<T: Copy>(
    rounds: u32,
    factor: T,
    term: T,
    fused: impl Fn(T, T, T) -> T,
    plain: impl Fn(T, T, T) -> T,
) -> f64 {
    let (factor, term) = (black_box(factor), black_box(term));
    let mut sums = black_box([term; 4 * CHAINS]);
    for _ in 0..rounds {
        for sum in &mut sums {
            let fuse = cfg!(target_arch = "aarch64") || cfg!(target_feature = "fma");
            *sum = if fuse { fused(*sum, factor, term) } else { plain(*sum, factor, term) };
        }
    }
    black_box(sums);
    2.0 * f64::from(rounds) * sums.len() as f64
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHAINS, black_box};
    use std::arch::x86_64::*;

    macro_rules! multiply_adds {
        ($name:ident, $features:literal, $lanes:literal, $factor:expr, $term:expr, $fma:ident) => {
            #[target_feature(enable = $features)]
            pub fn $name(rounds: u32) -> f64 {
                let (factor, term) = black_box(($factor, $term));
                // Each chain begins with what the compiler cannot know to be the same.
                let mut sums = black_box([term; CHAINS]);
                for _ in 0..rounds {
                    for sum in &mut sums {
                        *sum = $fma(*sum, factor, term);
                    }
                }
                black_box(sums);
                2.0 * $lanes * f64::from(rounds) * CHAINS as f64
            }
        };
    }

    multiply_adds!(
        wide_f32,
        "avx512f",
        16.0,
        _mm512_set1_ps(0.999_999),
        _mm512_set1_ps(1e-6),
        _mm512_fmadd_ps
    );
    multiply_adds!(
        wide_f64,
        "avx512f",
        8.0,
        _mm512_set1_pd(0.999_999),
        _mm512_set1_pd(1e-6),
        _mm512_fmadd_pd
    );
    multiply_adds!(
        half_f32,
        "avx2,fma",
        8.0,
        _mm256_set1_ps(0.999_999),
        _mm256_set1_ps(1e-6),
        _mm256_fmadd_ps
    );
    multiply_adds!(
        half_f64,
        "avx2,fma",
        4.0,
        _mm256_set1_pd(0.999_999),
        _mm256_set1_pd(1e-6),
        _mm256_fmadd_pd
    );
}
