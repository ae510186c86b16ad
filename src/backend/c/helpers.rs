//! Small functions that the code calls; a file has those that it needs.

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Helper {
    FmaFloat,
    FmaDouble,
    BitsOfFloat,
    FloatOfBits,
    BitsOfDouble,
    DoubleOfBits,
    FloatToInt,
    DoubleToInt,
    FloorDiv,
    FloorMod,
    AddOverflows,
    SubOverflows,
    MulOverflows,
    DivOverflows,
    Philox,
    UniformFloat,
    UniformDouble,
    NormalFloat,
    NormalDouble,
}

impl Helper {
    pub fn name(self) -> &'static str {
        match self {
            Helper::FmaFloat => "fmaf",
            Helper::FmaDouble => "fma",
            Helper::BitsOfFloat => "bits_of_float",
            Helper::FloatOfBits => "float_of_bits",
            Helper::BitsOfDouble => "bits_of_double",
            Helper::DoubleOfBits => "double_of_bits",
            Helper::FloatToInt => "float_to_int",
            Helper::DoubleToInt => "double_to_int",
            Helper::FloorDiv => "floor_div",
            Helper::FloorMod => "floor_mod",
            Helper::AddOverflows => "add_overflows",
            Helper::SubOverflows => "sub_overflows",
            Helper::MulOverflows => "mul_overflows",
            Helper::DivOverflows => "div_overflows",
            Helper::Philox => "philox",
            Helper::UniformFloat => "uniform_float",
            Helper::UniformDouble => "uniform_double",
            Helper::NormalFloat => "normal_float",
            Helper::NormalDouble => "normal_double",
        }
    }

    /// The other helpers that it calls.
    pub fn needs(self) -> &'static [Helper] {
        match self {
            Helper::FloorMod => &[Helper::FloorDiv],
            Helper::UniformFloat | Helper::UniformDouble | Helper::NormalFloat | Helper::NormalDouble => {
                &[Helper::Philox]
            }
            _ => &[],
        }
    }

    /// The function, whose names begin with `prefix`.
    pub fn text_for(self, prefix: &str) -> String {
        let mut text = String::new();
        let mut rest = self.text();
        // Only what stands at the beginning of a word is meant.
        while let Some(at) = rest.find("P_") {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            let is_inside = before.ends_with(|character: char| character.is_ascii_alphanumeric() || character == '_');
            let is_macro = after.starts_with("P_FMA");
            match (is_inside, is_macro) {
                (true, _) => text.push_str("P_"),
                (false, true) => text.push_str(&prefix.to_uppercase()),
                (false, false) => text.push_str(prefix),
            }
            rest = &after[2..];
        }
        text + rest
    }

    /// The function, where `P_` stands for what all names begin with.
    fn text(self) -> &'static str {
        match self {
            Helper::FmaFloat => {
                "#if P_FMA\n#define P_fmaf(a, b, c) fmaf(a, b, c)\n#else\n#define P_fmaf(a, b, c) ((a) * (b) + (c))\n#endif\n"
            }
            Helper::FmaDouble => {
                "#if P_FMA\n#define P_fma(a, b, c) fma(a, b, c)\n#else\n#define P_fma(a, b, c) ((a) * (b) + (c))\n#endif\n"
            }
            Helper::BitsOfFloat => {
                "static inline int32_t P_bits_of_float(float x)\n{\n    union { float number; int32_t bits; } it;\n    it.number = x;\n    return it.bits;\n}\n"
            }
            Helper::FloatOfBits => {
                "static inline float P_float_of_bits(int32_t x)\n{\n    union { float number; int32_t bits; } it;\n    it.bits = x;\n    return it.number;\n}\n"
            }
            Helper::BitsOfDouble => {
                "static inline int64_t P_bits_of_double(double x)\n{\n    union { double number; int64_t bits; } it;\n    it.number = x;\n    return it.bits;\n}\n"
            }
            Helper::DoubleOfBits => {
                "static inline double P_double_of_bits(int64_t x)\n{\n    union { double number; int64_t bits; } it;\n    it.bits = x;\n    return it.number;\n}\n"
            }
            Helper::FloatToInt => {
                "/* Towards zero; the nearest int if it is too large, 0 if it is no number. */\nstatic inline int64_t P_float_to_int(float x)\n{\n    if (x != x) return 0;\n    if (x >= 9223372036854775808.0f) return INT64_MAX;\n    if (x <= -9223372036854775808.0f) return INT64_MIN;\n    return (int64_t)x;\n}\n"
            }
            Helper::DoubleToInt => {
                "/* Towards zero; the nearest int if it is too large, 0 if it is no number. */\nstatic inline int64_t P_double_to_int(double x)\n{\n    if (x != x) return 0;\n    if (x >= 9223372036854775808.0) return INT64_MAX;\n    if (x <= -9223372036854775808.0) return INT64_MIN;\n    return (int64_t)x;\n}\n"
            }
            Helper::FloorDiv => {
                "/* Rounded down; 0 where the divisor is 0. */\nstatic inline int64_t P_floor_div(int64_t a, int64_t b)\n{\n    if (b == 0) return 0;\n    if (b == -1) return (int64_t)(0u - (uint64_t)a);\n    return a / b - (a % b != 0 && (a < 0) != (b < 0));\n}\n"
            }
            Helper::FloorMod => {
                "static inline int64_t P_floor_mod(int64_t a, int64_t b)\n{\n    if (b == 0 || b == -1) return 0;\n    return (int64_t)((uint64_t)a - (uint64_t)P_floor_div(a, b) * (uint64_t)b);\n}\n"
            }
            Helper::AddOverflows => {
                "static inline int P_add_overflows(int64_t a, int64_t b)\n{\n    return b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b;\n}\n"
            }
            Helper::SubOverflows => {
                "static inline int P_sub_overflows(int64_t a, int64_t b)\n{\n    return b < 0 ? a > INT64_MAX + b : a < INT64_MIN + b;\n}\n"
            }
            Helper::MulOverflows => {
                "static inline int P_mul_overflows(int64_t a, int64_t b)\n{\n    if (a == 0 || b == 0) return 0;\n    if (a == -1) return b == INT64_MIN;\n    if (b == -1) return a == INT64_MIN;\n    if ((a > 0) == (b > 0)) return a > 0 ? a > INT64_MAX / b : a < INT64_MAX / b;\n    return a > 0 ? b < INT64_MIN / a : a < INT64_MIN / b;\n}\n"
            }
            Helper::DivOverflows => {
                "static inline int P_div_overflows(int64_t a, int64_t b)\n{\n    return a == INT64_MIN && b == -1;\n}\n"
            }
            Helper::Philox => include_str!("helpers/philox.h"),
            Helper::UniformFloat => include_str!("helpers/uniform_float.h"),
            Helper::UniformDouble => include_str!("helpers/uniform_double.h"),
            Helper::NormalFloat => include_str!("helpers/normal_float.h"),
            Helper::NormalDouble => include_str!("helpers/normal_double.h"),
        }
    }
}
