//! What operations do to scalars.

use crate::loops::{Binary, Kind, Unary};
use crate::product::portable::fused;

pub type Function1 = fn(u64) -> u64;
pub type Function2 = fn(u64, u64) -> u64;
pub type Function3 = fn(u64, u64, u64) -> u64;

fn f32(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

fn f64(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn i32(bits: u64) -> i32 {
    bits as i32
}

fn of_f32(value: f32) -> u64 {
    u64::from(value.to_bits())
}

fn of_f64(value: f64) -> u64 {
    value.to_bits()
}

fn of_i32(value: i32) -> u64 {
    u64::from(value as u32)
}

/// An operation on one scalar, of one kind and to another.
pub fn unary(op: Unary, from: Kind, to: Kind) -> Option<Function1> {
    use Kind::{Bool, F32, F64, I32, I64};
    Some(match (op, from, to) {
        (Unary::Neg, F32, F32) => |a| of_f32(-f32(a)),
        (Unary::Neg, F64, F64) => |a| of_f64(-f64(a)),
        (Unary::Neg, I32, I32) => |a| of_i32(i32(a).wrapping_neg()),
        (Unary::Neg, I64, I64) => u64::wrapping_neg,
        (Unary::Abs, F32, F32) => |a| of_f32(f32(a).abs()),
        (Unary::Abs, F64, F64) => |a| of_f64(f64(a).abs()),
        (Unary::Abs, I32, I32) => |a| of_i32(i32(a).wrapping_abs()),
        (Unary::Abs, I64, I64) => |a| (a as i64).wrapping_abs() as u64,
        (Unary::Sqrt, F32, F32) => |a| of_f32(f32(a).sqrt()),
        (Unary::Sqrt, F64, F64) => |a| of_f64(f64(a).sqrt()),
        (Unary::Floor, F32, F32) => |a| of_f32(f32(a).floor()),
        (Unary::Floor, F64, F64) => |a| of_f64(f64(a).floor()),
        (Unary::Ceil, F32, F32) => |a| of_f32(f32(a).ceil()),
        (Unary::Ceil, F64, F64) => |a| of_f64(f64(a).ceil()),
        (Unary::Round, F32, F32) => |a| of_f32(f32(a).round_ties_even()),
        (Unary::Round, F64, F64) => |a| of_f64(f64(a).round_ties_even()),
        (Unary::Not, Bool, Bool) => |a| a ^ 1,
        (Unary::ToFloat, Bool, F32) => |a| of_f32(if a == 0 { 0.0 } else { 1.0 }),
        (Unary::ToFloat, Bool, F64) => |a| of_f64(if a == 0 { 0.0 } else { 1.0 }),
        (Unary::ToFloat, I32, F32) => |a| of_f32(i32(a) as f32),
        (Unary::ToFloat, I32, F64) => |a| of_f64(f64::from(i32(a))),
        (Unary::ToFloat, I64, F32) => |a| of_f32(a as i64 as f32),
        (Unary::ToFloat, I64, F64) => |a| of_f64(a as i64 as f64),
        (Unary::ToInt, Bool, I32) => |a| a,
        // Towards zero and saturating, NaN to 0.
        (Unary::ToInt, F32, I64) => |a| f32(a) as i64 as u64,
        (Unary::ToInt, F64, I64) => |a| f64(a) as i64 as u64,
        (Unary::ToIndex, I32, I64) => |a| i64::from(i32(a)) as u64,
        (Unary::FromIndex, I64, I32) => |a| a & 0xFFFF_FFFF,
        (Unary::ToBits | Unary::FromBits, F32, I32) | (Unary::ToBits | Unary::FromBits, I32, F32) => |a| a,
        (Unary::ToBits | Unary::FromBits, F64, I64) | (Unary::ToBits | Unary::FromBits, I64, F64) => |a| a,
        _ => return None,
    })
}

/// An operation on two scalars of one kind.
pub fn binary(op: Binary, kind: Kind) -> Option<Function2> {
    match kind {
        Kind::F32 => float32(op),
        Kind::F64 => float64(op),
        Kind::I32 => int32(op),
        Kind::I64 => int64(op),
        Kind::Bool => bits(op),
    }
}

fn float32(op: Binary) -> Option<Function2> {
    Some(match op {
        Binary::Add => |a, b| of_f32(f32(a) + f32(b)),
        Binary::Sub => |a, b| of_f32(f32(a) - f32(b)),
        Binary::Mul => |a, b| of_f32(f32(a) * f32(b)),
        Binary::Div => |a, b| of_f32(f32(a) / f32(b)),
        Binary::Lt => |a, b| u64::from(f32(a) < f32(b)),
        Binary::Le => |a, b| u64::from(f32(a) <= f32(b)),
        Binary::Eq => |a, b| u64::from(f32(a) == f32(b)),
        Binary::Min => |a, b| if f32(a) < f32(b) { a } else { b },
        Binary::Max => |a, b| if f32(a) > f32(b) { a } else { b },
        _ => return None,
    })
}

fn float64(op: Binary) -> Option<Function2> {
    Some(match op {
        Binary::Add => |a, b| of_f64(f64(a) + f64(b)),
        Binary::Sub => |a, b| of_f64(f64(a) - f64(b)),
        Binary::Mul => |a, b| of_f64(f64(a) * f64(b)),
        Binary::Div => |a, b| of_f64(f64(a) / f64(b)),
        Binary::Lt => |a, b| u64::from(f64(a) < f64(b)),
        Binary::Le => |a, b| u64::from(f64(a) <= f64(b)),
        Binary::Eq => |a, b| u64::from(f64(a) == f64(b)),
        Binary::Min => |a, b| if f64(a) < f64(b) { a } else { b },
        Binary::Max => |a, b| if f64(a) > f64(b) { a } else { b },
        _ => return None,
    })
}

fn int32(op: Binary) -> Option<Function2> {
    Some(match op {
        Binary::Add => |a, b| of_i32(i32(a).wrapping_add(i32(b))),
        Binary::Sub => |a, b| of_i32(i32(a).wrapping_sub(i32(b))),
        Binary::Mul => |a, b| of_i32(i32(a).wrapping_mul(i32(b))),
        Binary::FloorDiv => |a, b| of_i32(floor_div(i32(a).into(), i32(b).into()) as i32),
        Binary::Mod => |a, b| of_i32(floor_mod(i32(a).into(), i32(b).into()) as i32),
        Binary::Lt => |a, b| u64::from(i32(a) < i32(b)),
        Binary::Le => |a, b| u64::from(i32(a) <= i32(b)),
        Binary::Min => |a, b| of_i32(i32(a).min(i32(b))),
        Binary::Max => |a, b| of_i32(i32(a).max(i32(b))),
        Binary::Shl => |a, b| of_i32(i32(a).wrapping_shl(b as u32)),
        Binary::Shr => |a, b| u64::from((a as u32).wrapping_shr(b as u32)),
        _ => return bits(op),
    })
}

fn int64(op: Binary) -> Option<Function2> {
    Some(match op {
        Binary::Add => u64::wrapping_add,
        Binary::Sub => u64::wrapping_sub,
        Binary::Mul => u64::wrapping_mul,
        Binary::FloorDiv => |a, b| floor_div(a as i64, b as i64) as u64,
        Binary::Mod => |a, b| floor_mod(a as i64, b as i64) as u64,
        Binary::Lt => |a, b| u64::from((a as i64) < b as i64),
        Binary::Le => |a, b| u64::from(a as i64 <= b as i64),
        Binary::Min => |a, b| (a as i64).min(b as i64) as u64,
        Binary::Max => |a, b| (a as i64).max(b as i64) as u64,
        Binary::Shl => |a, b| a.wrapping_shl(b as u32),
        Binary::Shr => |a, b| a.wrapping_shr(b as u32),
        _ => return bits(op),
    })
}

fn bits(op: Binary) -> Option<Function2> {
    Some(match op {
        Binary::Eq => |a, b| u64::from(a == b),
        Binary::And => |a, b| a & b,
        Binary::Or => |a, b| a | b,
        Binary::Xor => |a, b| a ^ b,
        _ => return None,
    })
}

/// Rounded down; 0 where the divisor is 0.
fn floor_div(a: i64, b: i64) -> i64 {
    match b {
        0 => 0,
        -1 => a.wrapping_neg(),
        _ => a.div_euclid(b) - i64::from(b < 0 && a.rem_euclid(b) != 0),
    }
}

fn floor_mod(a: i64, b: i64) -> i64 {
    if b == 0 || b == -1 { 0 } else { a.wrapping_sub(floor_div(a, b).wrapping_mul(b)) }
}

/// Whether a result leaves 64 bits.
pub fn overflows(op: Binary) -> Function2 {
    match op {
        Binary::Add => |a, b| u64::from((a as i64).overflowing_add(b as i64).1),
        Binary::Sub => |a, b| u64::from((a as i64).overflowing_sub(b as i64).1),
        Binary::Mul => |a, b| u64::from((a as i64).overflowing_mul(b as i64).1),
        _ => |a, b| u64::from(a as i64 == i64::MIN && b as i64 == -1),
    }
}

/// `a * b + c`, rounded once if `fma`.
pub fn fma(kind: Kind, fma: bool) -> Option<Function3> {
    Some(match (kind, fma) {
        (Kind::F32, true) => |a, b, c| of_f32(fused(f32(a), f32(b), f32(c))),
        (Kind::F32, false) => |a, b, c| of_f32(f32(a) * f32(b) + f32(c)),
        (Kind::F64, true) => |a, b, c| of_f64(f64(a).mul_add(f64(b), f64(c))),
        (Kind::F64, false) => |a, b, c| of_f64(f64(a) * f64(b) + f64(c)),
        (Kind::I32 | Kind::I64 | Kind::Bool, _) => return None,
    })
}

pub fn select(condition: u64, a: u64, b: u64) -> u64 {
    if condition == 0 { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_down() {
        for (a, b, quotient, rest) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (6, -3, -2, 0),
            (5, 0, 0, 0),
            (i64::MIN, -1, i64::MIN, 0),
            (i64::MIN, i64::MAX, -2, i64::MAX - 1),
        ] {
            assert_eq!((floor_div(a, b), floor_mod(a, b)), (quotient, rest), "{a} by {b}");
        }
    }
}
