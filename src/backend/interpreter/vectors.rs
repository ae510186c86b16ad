//! What operations do to lanes.

use super::code::{Lanes, Pair};
use crate::loops::{Binary, Kind, Unary};
use crate::product::portable::fused;
use std::array::from_fn;

type Lanes1 = fn(&Lanes) -> Lanes;
type Lanes2 = fn(&Lanes, &Lanes) -> Lanes;

fn floats(a: &Lanes, f: impl Fn(f32) -> f32) -> Lanes {
    from_fn(|at| f(f32::from_bits(a[at])).to_bits())
}

fn floats2(a: &Lanes, b: &Lanes, f: impl Fn(f32, f32) -> f32) -> Lanes {
    from_fn(|at| f(f32::from_bits(a[at]), f32::from_bits(b[at])).to_bits())
}

fn compare_floats(a: &Lanes, b: &Lanes, f: impl Fn(f32, f32) -> bool) -> Lanes {
    from_fn(|at| mask(f(f32::from_bits(a[at]), f32::from_bits(b[at]))))
}

fn ints2(a: &Lanes, b: &Lanes, f: impl Fn(i32, i32) -> i32) -> Lanes {
    from_fn(|at| f(a[at] as i32, b[at] as i32) as u32)
}

fn compare_ints(a: &Lanes, b: &Lanes, f: impl Fn(i32, i32) -> bool) -> Lanes {
    from_fn(|at| mask(f(a[at] as i32, b[at] as i32)))
}

fn bits2(a: &Lanes, b: &Lanes, f: impl Fn(u32, u32) -> u32) -> Lanes {
    from_fn(|at| f(a[at], b[at]))
}

/// A bool as a lane.
pub fn mask(condition: bool) -> u32 {
    if condition { u32::MAX } else { 0 }
}

pub fn unary(op: Unary, from: Kind, to: Kind) -> Option<Lanes1> {
    use Kind::{Bool, F32, I32};
    Some(match (op, from, to) {
        (Unary::Neg, F32, F32) => |a| floats(a, |x| -x),
        (Unary::Neg, I32, I32) => |a| a.map(u32::wrapping_neg),
        (Unary::Abs, F32, F32) => |a| floats(a, f32::abs),
        (Unary::Abs, I32, I32) => |a| a.map(|x| (x as i32).wrapping_abs() as u32),
        (Unary::Sqrt, F32, F32) => |a| floats(a, f32::sqrt),
        (Unary::Floor, F32, F32) => |a| floats(a, f32::floor),
        (Unary::Ceil, F32, F32) => |a| floats(a, f32::ceil),
        (Unary::Round, F32, F32) => |a| floats(a, f32::round_ties_even),
        (Unary::Not, Bool, Bool) => |a| a.map(|x| !x),
        (Unary::ToFloat, Bool, F32) => |a| a.map(|x| x & 1f32.to_bits()),
        (Unary::ToFloat, I32, F32) => |a| a.map(|x| (x as i32 as f32).to_bits()),
        (Unary::ToInt, Bool, I32) => |a| a.map(|x| x & 1),
        (Unary::ToBits, F32, I32) | (Unary::FromBits, I32, F32) => |a| *a,
        _ => return None,
    })
}

pub fn binary(op: Binary, kind: Kind) -> Option<Lanes2> {
    Some(match (op, kind) {
        (Binary::Add, Kind::F32) => |a, b| floats2(a, b, |x, y| x + y),
        (Binary::Sub, Kind::F32) => |a, b| floats2(a, b, |x, y| x - y),
        (Binary::Mul, Kind::F32) => |a, b| floats2(a, b, |x, y| x * y),
        (Binary::Div, Kind::F32) => |a, b| floats2(a, b, |x, y| x / y),
        (Binary::Min, Kind::F32) => |a, b| floats2(a, b, |x, y| if x < y { x } else { y }),
        (Binary::Max, Kind::F32) => |a, b| floats2(a, b, |x, y| if x > y { x } else { y }),
        (Binary::Lt, Kind::F32) => |a, b| compare_floats(a, b, |x, y| x < y),
        (Binary::Le, Kind::F32) => |a, b| compare_floats(a, b, |x, y| x <= y),
        (Binary::Eq, Kind::F32) => |a, b| compare_floats(a, b, |x, y| x == y),
        (Binary::Add, Kind::I32) => |a, b| ints2(a, b, i32::wrapping_add),
        (Binary::Sub, Kind::I32) => |a, b| ints2(a, b, i32::wrapping_sub),
        (Binary::Mul, Kind::I32) => |a, b| ints2(a, b, i32::wrapping_mul),
        (Binary::Min, Kind::I32) => |a, b| ints2(a, b, Ord::min),
        (Binary::Max, Kind::I32) => |a, b| ints2(a, b, Ord::max),
        (Binary::Lt, Kind::I32) => |a, b| compare_ints(a, b, |x, y| x < y),
        (Binary::Le, Kind::I32) => |a, b| compare_ints(a, b, |x, y| x <= y),
        (Binary::Eq, Kind::I32 | Kind::Bool) => |a, b| compare_ints(a, b, |x, y| x == y),
        (Binary::And, Kind::I32 | Kind::Bool) => |a, b| bits2(a, b, |x, y| x & y),
        (Binary::Or, Kind::I32 | Kind::Bool) => |a, b| bits2(a, b, |x, y| x | y),
        (Binary::Xor, Kind::I32 | Kind::Bool) => |a, b| bits2(a, b, |x, y| x ^ y),
        _ => return None,
    })
}

/// A shift of all lanes by a scalar.
pub fn shift(op: Binary) -> Option<fn(&Lanes, u64) -> Lanes> {
    Some(match op {
        Binary::Shl => |a, by| a.map(|x| x.wrapping_shl(by as u32)),
        Binary::Shr => |a, by| a.map(|x| x.wrapping_shr(by as u32)),
        _ => return None,
    })
}

pub fn fma(is_fused: bool) -> fn(&Lanes, &Lanes, &Lanes) -> Lanes {
    fn lanes(a: &Lanes, b: &Lanes, c: &Lanes, f: impl Fn(f32, f32, f32) -> f32) -> Lanes {
        let [a, b, c] = [a, b, c].map(|operand| operand.map(f32::from_bits));
        from_fn(|at| f(a[at], b[at], c[at]).to_bits())
    }
    if is_fused { |a, b, c| lanes(a, b, c, fused) } else { |a, b, c| lanes(a, b, c, |x, y, z| x * y + z) }
}

pub fn select(condition: &Lanes, a: &Lanes, b: &Lanes) -> Lanes {
    from_fn(|at| if condition[at] == 0 { b[at] } else { a[at] })
}

/// The same for lanes of 64 bits: what a scalar would be, lane by lane.
pub fn pair_binary(op: Binary, kind: Kind) -> Option<fn(&Pair, &Pair) -> Pair> {
    fn floats(a: &Pair, b: &Pair, f: impl Fn(f64, f64) -> f64) -> Pair {
        from_fn(|at| f(f64::from_bits(a[at]), f64::from_bits(b[at])).to_bits())
    }
    fn ints(a: &Pair, b: &Pair, f: impl Fn(u64, u64) -> u64) -> Pair {
        from_fn(|at| f(a[at], b[at]))
    }
    Some(match (op, kind) {
        (Binary::Add, Kind::F64) => |a, b| floats(a, b, |x, y| x + y),
        (Binary::Sub, Kind::F64) => |a, b| floats(a, b, |x, y| x - y),
        (Binary::Mul, Kind::F64) => |a, b| floats(a, b, |x, y| x * y),
        (Binary::Div, Kind::F64) => |a, b| floats(a, b, |x, y| x / y),
        (Binary::Min, Kind::F64) => |a, b| floats(a, b, |x, y| if x < y { x } else { y }),
        (Binary::Max, Kind::F64) => |a, b| floats(a, b, |x, y| if x > y { x } else { y }),
        (Binary::Add, Kind::I64) => |a, b| ints(a, b, u64::wrapping_add),
        (Binary::Sub, Kind::I64) => |a, b| ints(a, b, u64::wrapping_sub),
        (Binary::Mul, Kind::I64) => |a, b| ints(a, b, u64::wrapping_mul),
        (Binary::And, Kind::I64) => |a, b| ints(a, b, |x, y| x & y),
        (Binary::Or, Kind::I64) => |a, b| ints(a, b, |x, y| x | y),
        (Binary::Xor, Kind::I64) => |a, b| ints(a, b, |x, y| x ^ y),
        _ => return None,
    })
}

/// Comparisons of lanes of 64 bits.
pub fn pair_compare(op: Binary, kind: Kind) -> Option<fn(&Pair, &Pair) -> Lanes> {
    fn compare(a: &Pair, b: &Pair, f: impl Fn(u64, u64) -> bool) -> Lanes {
        let mut lanes = [0; 16];
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane = mask(f(*a, *b)));
        lanes
    }
    Some(match (op, kind) {
        (Binary::Lt, Kind::F64) => |a, b| compare(a, b, |x, y| f64::from_bits(x) < f64::from_bits(y)),
        (Binary::Le, Kind::F64) => |a, b| compare(a, b, |x, y| f64::from_bits(x) <= f64::from_bits(y)),
        (Binary::Eq, Kind::F64) => |a, b| compare(a, b, |x, y| f64::from_bits(x) == f64::from_bits(y)),
        (Binary::Lt, Kind::I64) => |a, b| compare(a, b, |x, y| (x as i64) < y as i64),
        (Binary::Le, Kind::I64) => |a, b| compare(a, b, |x, y| x as i64 <= y as i64),
        (Binary::Eq, Kind::I64) => |a, b| compare(a, b, |x, y| x == y),
        _ => return None,
    })
}

pub fn pair_shift(op: Binary) -> Option<fn(&Pair, u64) -> Pair> {
    Some(match op {
        Binary::Shl => |a, by| a.map(|x| x.wrapping_shl(by as u32)),
        Binary::Shr => |a, by| a.map(|x| x.wrapping_shr(by as u32)),
        _ => return None,
    })
}

/// An operation on lanes of 64 bits that gives such.
pub fn pair_unary(op: Unary, from: Kind, to: Kind) -> Option<fn(&Pair) -> Pair> {
    use Kind::{F64, I64};
    fn floats(a: &Pair, f: impl Fn(f64) -> f64) -> Pair {
        a.map(|x| f(f64::from_bits(x)).to_bits())
    }
    Some(match (op, from, to) {
        (Unary::Neg, F64, F64) => |a| floats(a, |x| -x),
        (Unary::Neg, I64, I64) => |a| a.map(u64::wrapping_neg),
        (Unary::Abs, F64, F64) => |a| floats(a, f64::abs),
        (Unary::Abs, I64, I64) => |a| a.map(|x| (x as i64).wrapping_abs() as u64),
        (Unary::Sqrt, F64, F64) => |a| floats(a, f64::sqrt),
        (Unary::Floor, F64, F64) => |a| floats(a, f64::floor),
        (Unary::Ceil, F64, F64) => |a| floats(a, f64::ceil),
        (Unary::Round, F64, F64) => |a| floats(a, f64::round_ties_even),
        (Unary::ToFloat, I64, F64) => |a| a.map(|x| (x as i64 as f64).to_bits()),
        (Unary::ToInt, F64, I64) => |a| a.map(|x| f64::from_bits(x) as i64 as u64),
        (Unary::ToBits, F64, I64) | (Unary::FromBits, I64, F64) => |a| *a,
        _ => return None,
    })
}

/// An operation on lanes of 32 bits that gives such of 64.
pub fn widen(op: Unary, from: Kind, to: Kind) -> Option<fn(&Lanes) -> Pair> {
    Some(match (op, from, to) {
        (Unary::ToFloat, Kind::Bool, Kind::F64) => {
            |a| from_fn(|at| if a[at] == 0 { 0 } else { 1f64.to_bits() })
        }
        (Unary::ToFloat, Kind::I32, Kind::F64) => |a| from_fn(|at| f64::from(a[at] as i32).to_bits()),
        (Unary::ToIndex, Kind::I32, Kind::I64) => |a| from_fn(|at| i64::from(a[at] as i32) as u64),
        _ => return None,
    })
}

pub fn pair_fma(fused: bool) -> fn(&Pair, &Pair, &Pair) -> Pair {
    fn lanes(a: &Pair, b: &Pair, c: &Pair, f: impl Fn(f64, f64, f64) -> f64) -> Pair {
        from_fn(|at| f(f64::from_bits(a[at]), f64::from_bits(b[at]), f64::from_bits(c[at])).to_bits())
    }
    if fused { |a, b, c| lanes(a, b, c, f64::mul_add) } else { |a, b, c| lanes(a, b, c, |x, y, z| x * y + z) }
}

pub fn select_pair(condition: &Lanes, a: &Pair, b: &Pair) -> Pair {
    from_fn(|at| if condition[at] == 0 { b[at] } else { a[at] })
}
