//! [`Arith`] on plain numbers: what the interpreter uses.

use super::{Arith, Precision};

/// Arithmetic on `f32`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Native32;

/// Arithmetic on `f64`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Native64;

macro_rules! native {
    ($name:ident, $precision:ident, $float:ty, $int:ty, $bits:ty) => {
        impl Arith for $name {
            type V = $float;
            type I = $int;
            type M = bool;

            fn precision(&self) -> Precision {
                Precision::$precision
            }
            fn float(&mut self, value: f64) -> $float {
                value as $float
            }
            fn add(&mut self, a: $float, b: $float) -> $float {
                a + b
            }
            fn sub(&mut self, a: $float, b: $float) -> $float {
                a - b
            }
            fn mul(&mut self, a: $float, b: $float) -> $float {
                a * b
            }
            fn div(&mut self, a: $float, b: $float) -> $float {
                a / b
            }
            fn fma(&mut self, a: $float, b: $float, c: $float) -> $float {
                a.mul_add(b, c)
            }
            fn neg(&mut self, a: $float) -> $float {
                -a
            }
            fn floor(&mut self, a: $float) -> $float {
                a.floor()
            }
            fn bits(&mut self, a: $float) -> $int {
                a.to_bits() as $int
            }
            fn from_bits(&mut self, a: $int) -> $float {
                <$float>::from_bits(a as $bits)
            }
            fn int(&mut self, value: i64) -> $int {
                value as $int
            }
            fn int_add(&mut self, a: $int, b: $int) -> $int {
                a.wrapping_add(b)
            }
            fn int_sub(&mut self, a: $int, b: $int) -> $int {
                a.wrapping_sub(b)
            }
            fn int_and(&mut self, a: $int, b: $int) -> $int {
                a & b
            }
            fn int_or(&mut self, a: $int, b: $int) -> $int {
                a | b
            }
            fn int_xor(&mut self, a: $int, b: $int) -> $int {
                a ^ b
            }
            fn shift_left(&mut self, a: $int, by: u32) -> $int {
                a << by
            }
            fn shift_right(&mut self, a: $int, by: u32) -> $int {
                ((a as $bits) >> by) as $int
            }
            fn lt(&mut self, a: $float, b: $float) -> bool {
                a < b
            }
            fn le(&mut self, a: $float, b: $float) -> bool {
                a <= b
            }
            fn eq(&mut self, a: $float, b: $float) -> bool {
                a == b
            }
            fn select(&mut self, mask: bool, then: $float, otherwise: $float) -> $float {
                if mask { then } else { otherwise }
            }
            fn where_rare(
                &mut self,
                mask: bool,
                x: $float,
                fast: [$float; 2],
                slow: fn(&mut Self, $float) -> [$float; 2],
            ) -> [$float; 2] {
                if mask { slow(self, x) } else { fast }
            }
        }
    };
}

native!(Native32, F32, f32, i32, u32);
native!(Native64, F64, f64, i64, u64);
