//! What this computer can run.

use super::CodeError;
use crate::loops::{Feature, Target};

/// Whether this processor has an extension.
pub fn has(feature: Feature) -> bool {
    #[cfg(all(target_arch = "x86_64", unix))]
    return match feature {
        Feature::Avx2 => is_x86_feature_detected!("avx2"),
        Feature::Fma => is_x86_feature_detected!("fma"),
        Feature::Bmi2 => is_x86_feature_detected!("bmi2"),
        Feature::Avx512F => is_x86_feature_detected!("avx512f"),
        Feature::Avx512Bw => is_x86_feature_detected!("avx512bw"),
        Feature::Avx512Dq => is_x86_feature_detected!("avx512dq"),
        Feature::Avx512Vl => is_x86_feature_detected!("avx512vl"),
    };
    #[cfg(not(all(target_arch = "x86_64", unix)))]
    return match feature {
        Feature::Avx2 | Feature::Fma | Feature::Bmi2 => false,
        Feature::Avx512F | Feature::Avx512Bw | Feature::Avx512Dq | Feature::Avx512Vl => false,
    };
}

/// Whether this processor has all that code for a target needs.
pub fn suits(target: &Target) -> bool {
    target.features.iter().all(|feature| has(*feature))
}

/// # Errors
/// What this processor lacks.
pub fn check(target: &Target) -> Result<(), CodeError> {
    if !target.own_math {
        return Err(CodeError::unsupported("functions of C's library"));
    }
    match target.features.iter().find(|feature| !has(**feature)) {
        Some(feature) => Err(CodeError::unsupported(format!("this processor does not have {feature}"))),
        None => Ok(()),
    }
}

/// Whether `a * b + c` is one instruction here, or as good as one: only x86-64 has processors that lack it.
pub fn has_fma() -> bool {
    !cfg!(target_arch = "x86_64") || has(Feature::Fma)
}
