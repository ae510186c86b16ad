//! What a file of C begins with.

use super::Math;

/// What is said of the last bits of results.
pub fn bits(math: Math, prefix: &str) -> String {
    let upper = prefix.to_uppercase();
    match math {
        Math::Own => format!(
            "   Numbers are the same as those of nnc, to the last bit, if {upper}FMA is 1 and the compiler rounds each\n\
             \x20  operation by itself: -std=c99, or -ffp-contract=off."
        ),
        Math::Library => "   exp, tanh and their like are those of math.h, so the last bits of results are the library's.".to_owned(),
    }
}

/// What depends on the compiler.
pub fn preamble(prefix: &str) -> String {
    let upper = prefix.to_uppercase();
    format!(
        "/* Whether a * b + c is rounded once, as nnc rounds it: by default where the processor can. */\n\
         #if defined(FP_FAST_FMAF) || defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)\n\
         #define {upper}FAST_FMA 1\n#else\n#define {upper}FAST_FMA 0\n#endif\n\
         #ifndef {upper}FMA\n#define {upper}FMA {upper}FAST_FMA\n#endif\n\n\
         #if defined(__cplusplus) || !defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L\n\
         #if defined(__GNUC__) || defined(_MSC_VER)\n#define {upper}RESTRICT __restrict\n#else\n#define {upper}RESTRICT\n#endif\n\
         #else\n#define {upper}RESTRICT restrict\n#endif\n\n\
         #ifdef __clang__\n#pragma STDC FP_CONTRACT OFF\n#elif defined(__GNUC__)\n/* It takes the loops over lanes apart. */\n#pragma GCC optimize (\"no-loop-unroll-and-jam\")\n#endif\n\n\
         /* Functions in which one condition chooses several numbers, or whose vectors overlap: GCC 11 and 12 make wrong\n   vectors of the loops around them. */\n\
         #if defined(__GNUC__) && !defined(__clang__)\n\
         #define {upper}STRAIGHT __attribute__((optimize(\"no-tree-loop-vectorize\")))\n#else\n#define {upper}STRAIGHT\n#endif\n\n"
    )
}

