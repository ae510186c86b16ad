//! The functions against references of more digits: f32 against 64-bit libm, f64 against libm and series
//! in double-double arithmetic.

use super::native::{Native32, Native64};
use super::*;

/// The distance from `value` to the exact result, in units of the last place of `value`'s format.
fn ulps_f32(value: f32, exact: f64) -> f64 {
    if value.is_nan() || exact.is_nan() {
        return if value.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let rounded = exact as f32;
    if value == rounded {
        return 0.5;
    }
    if value.is_infinite() || rounded.is_infinite() {
        return if value.is_infinite() && exact.abs() > 3.402_823e38 { 1.0 } else { f64::INFINITY };
    }
    let exponent = (rounded.abs().max(f32::MIN_POSITIVE).to_bits() >> 23) as i32 - 127;
    (f64::from(value) - exact).abs() / 2f64.powi(exponent - 23)
}

fn ulps_f64(value: f64, exact: f64, exact_low: f64) -> f64 {
    if value.is_nan() || exact.is_nan() {
        return if value.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if value == exact {
        return 0.5;
    }
    if value.is_infinite() || exact.is_infinite() {
        return if value.abs().max(exact.abs()) > 1.797e308 { 1.0 } else { f64::INFINITY };
    }
    let exponent = (exact.abs().max(f64::MIN_POSITIVE).to_bits() >> 52) as i32 - 1023;
    ((value - exact) - exact_low).abs() / 2f64.powi(exponent) * 2f64.powi(52)
}

/// Every exponent and sign with many fractions, and the edges.
fn samples_f32() -> Vec<f32> {
    let mut samples = vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0, f32::MAX, f32::MIN];
    let mut fraction = 0u32;
    for high in 0..512u32 {
        for _ in 0..100 {
            fraction = fraction.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            samples.push(f32::from_bits(high << 23 | fraction >> 9));
        }
    }
    samples
}

/// Numbers evenly spread over an interval.
fn spread(from: f64, to: f64, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |at| from + (to - from) * (at as f64 + 0.37) / n as f64)
}

fn check_f32(name: &str, limit: f64, within: f32, function: fn(f32) -> f32, exact: fn(f64) -> f64) {
    let near = spread(-20.0, 20.0, 60_000).map(|x| x as f32);
    for x in samples_f32().into_iter().chain(near).filter(|x| !(x.is_finite() && x.abs() > within)) {
        let (value, exact) = (function(x), exact(f64::from(x)));
        let error = ulps_f32(value, exact);
        assert!(error <= limit, "{name}({x:e}) = {value:e}, not {exact:e}: {error} ulp");
    }
}

fn check_f64(name: &str, limit: f64, within: f64, function: fn(f64) -> f64, exact: fn(f64) -> f64) {
    let near = spread(-40.0, 40.0, 60_000);
    let all = samples_f32().into_iter().map(f64::from);
    let far = samples_f32().into_iter().map(|x| f64::from(x).powi(8) * f64::from(x).signum() * 1.000_000_1);
    for x in all.chain(far).chain(near).filter(|x| !(x.is_finite() && x.abs() > within)) {
        let (value, exact) = (function(x), exact(x));
        let error = ulps_f64(value, exact, 0.0);
        assert!(error <= limit, "{name}({x:e}) = {value:e}, not {exact:e}: {error} ulp");
    }
}

#[test]
fn exp_f32() {
    check_f32("exp", 1.0, f32::MAX, |x| exp(&mut Native32, x), f64::exp);
}

#[test]
fn exp_f64() {
    check_f64("exp", 1.5, f64::MAX, |x| exp(&mut Native64, x), f64::exp);
}

#[test]
fn log_f32() {
    check_f32("log", 1.0, f32::MAX, |x| log(&mut Native32, x), f64::ln);
}

#[test]
fn log_f64() {
    check_f64("log", 1.5, f64::MAX, |x| log(&mut Native64, x), f64::ln);
}

#[test]
fn tanh_f32() {
    check_f32("tanh", 2.0, f32::MAX, |x| tanh(&mut Native32, x), f64::tanh);
}

#[test]
fn tanh_f64() {
    // The reference itself is off by up to 2 ulp.
    check_f64("tanh", 3.0, f64::MAX, |x| tanh(&mut Native64, x), f64::tanh);
}

#[test]
fn sin_and_cos_f32() {
    check_f32("sin", 2.0, f32::MAX, |x| sin(&mut Native32, x), f64::sin);
    check_f32("cos", 2.0, f32::MAX, |x| cos(&mut Native32, x), f64::cos);
    // Near multiples of π/2 little is left of the argument.
    for n in 0..20_000 {
        let x = (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32;
        for x in [x, f32::from_bits(x.to_bits() + 1)] {
            let error = ulps_f32(sin(&mut Native32, x), f64::from(x).sin());
            assert!(error <= 2.0, "sin({x:e}): {error} ulp");
            let error = ulps_f32(cos(&mut Native32, x), f64::from(x).cos());
            assert!(error <= 2.0, "cos({x:e}): {error} ulp");
        }
    }
}

#[test]
fn sin_and_cos_f64() {
    check_f64("sin", 2.0, f64::MAX, |x| sin(&mut Native64, x), f64::sin);
    check_f64("cos", 2.0, f64::MAX, |x| cos(&mut Native64, x), f64::cos);
}

/// The last one is closer to a multiple of π/2 than any other 64-bit float.
#[test]
fn sin_and_cos_of_great_arguments() {
    // The sines and cosines are from mpmath with 1,500 digits.
    let cases = [
        (1e22, -0.852_200_849_767_188_8, 0.523_214_785_395_139),
        (1e300, -0.817_881_912_115_908_5, -0.575_386_111_957_549_1),
        (6_381_956_970_095_103.0 * 2f64.powi(797), 1.0, -4.687_165_924_254_628e-19),
    ];
    for (x, sine, cosine) in cases {
        let (s, c) = (sin(&mut Native64, x), cos(&mut Native64, x));
        assert!(ulps_f64(s, sine, 0.0) <= 2.0 && ulps_f64(c, cosine, 0.0) <= 2.0, "{x:e}: {s:e} {c:e}");
        assert!(ulps_f64(sin(&mut Native64, -x), -sine, 0.0) <= 2.0);
    }
    assert!(sin(&mut Native64, f64::INFINITY).is_nan() && cos(&mut Native32, f32::NEG_INFINITY).is_nan());
}

#[test]
fn signs_of_zero_are_kept() {
    for f in [sin::<Native32>, tanh, erf] {
        assert_eq!(f(&mut Native32, -0.0).to_bits(), (-0f32).to_bits());
        assert_eq!(f(&mut Native32, 0.0).to_bits(), 0);
    }
    for f in [sin::<Native64>, tanh, erf] {
        assert_eq!(f(&mut Native64, -0.0).to_bits(), (-0f64).to_bits());
        assert_eq!(f(&mut Native64, 0.0).to_bits(), 0);
    }
}

#[test]
fn erf_f32() {
    check_f32("erf", 1.0, f32::MAX, |x| erf(&mut Native32, x), |x| erf_by_series(x).0);
}

#[test]
fn erf_f64_by_series() {
    let points = spread(-5.0, 5.0, 4_000).chain(spread(-1e-3, 1e-3, 1000)).chain([1e-300, 5e-324, 4e-9]);
    for x in points {
        let (value, (exact, low)) = (erf(&mut Native64, x), erf_by_series(x));
        let error = ulps_f64(value, exact, low);
        assert!(error <= 2.0, "erf({x:e}) = {value:e}, not {exact:e}: {error} ulp");
    }
    for (x, exact) in [(6.0, 1.0), (1e300, 1.0), (f64::INFINITY, 1.0), (f64::NEG_INFINITY, -1.0)] {
        assert_eq!(erf(&mut Native64, x), exact);
    }
    assert!(erf(&mut Native64, f64::NAN).is_nan());
}

/// Probabilities from mpmath with 40 digits.
#[test]
fn normal_cdf_on_both_sides() {
    let cases = include_str!("normal_cdf.txt");
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        let (x, exact) = line.split_once(' ').expect("two numbers");
        let (x, exact): (f64, f64) = (x.parse().expect("a number"), exact.parse().expect("a number"));
        let error = ulps_f64(normal_cdf(&mut Native64, x), exact, 0.0);
        assert!(error <= 8.0, "Φ({x}): {error} ulp");
        if x.abs() < 12.5 {
            let error = ulps_f32(normal_cdf(&mut Native32, x as f32), exact);
            assert!(error <= 4.0, "Φ({x}) in 32 bits: {error} ulp");
        }
    }
    for (x, exact) in [(f64::NEG_INFINITY, 0.0), (f64::INFINITY, 1.0), (-1e300, 0.0), (40.0, 1.0)] {
        assert_eq!(normal_cdf(&mut Native64, x), exact);
        assert_eq!(normal_cdf(&mut Native32, x as f32), exact as f32);
    }
    assert!(normal_cdf(&mut Native64, f64::NAN).is_nan());
}

#[test]
fn pow_f32() {
    for x in [1e-30, 1e-3, 0.5, 0.9, 0.999, 1.0, 1.000_1, 1.5, 2.0, 10.0, 10_000.0, 1e20f32] {
        for y in spread(-40.0, 40.0, 2000).map(|y| y as f32) {
            let (value, exact) = (pow(&mut Native32, x, y), f64::from(x).powf(f64::from(y)));
            let reach = (f64::from(y) * f64::from(x).ln()).abs();
            let error = ulps_f32(value, exact);
            assert!(
                error <= if reach < 8.0 { 2.0 } else { 16.0 },
                "{x}^{y} = {value:e}, not {exact:e}: {error}"
            );
        }
    }
    pow_edges(|x, y| f64::from(pow(&mut Native32, x as f32, y as f32)));
}

#[test]
fn pow_f64() {
    for x in [1e-200, 1e-3, 0.5, 0.9, 0.999, 1.0, 1.000_1, 1.5, 2.0, 10.0, 10_000.0, 1e200f64] {
        for y in spread(-40.0, 40.0, 2000) {
            let (value, exact) = (pow(&mut Native64, x, y), x.powf(y));
            let error = ulps_f64(value, exact, 0.0);
            let reach = (y * x.ln()).abs();
            assert!(
                error <= if reach < 8.0 { 2.0 } else { 100.0 },
                "{x}^{y} = {value:e}, not {exact:e}: {error}"
            );
        }
    }
    pow_edges(|x, y| pow(&mut Native64, x, y));
}

fn pow_edges(pow: impl Fn(f64, f64) -> f64) {
    assert_eq!(pow(0.0, 0.0), 1.0);
    assert_eq!(pow(5.0, 0.0), 1.0);
    assert_eq!(pow(0.0, 2.5), 0.0);
    assert_eq!(pow(0.0, -1.0), f64::INFINITY);
    assert_eq!(pow(f64::INFINITY, 2.0), f64::INFINITY);
    assert_eq!(pow(f64::INFINITY, -2.0), 0.0);
    assert_eq!(pow(2.0, 5000.0), f64::INFINITY);
    assert_eq!(pow(2.0, -5000.0), 0.0);
    assert_eq!(pow(1e30, 1e30), f64::INFINITY);
    assert_eq!(pow(2.0, f64::NEG_INFINITY), 0.0);
    assert_eq!((pow(-2.0, 3.0), pow(-2.0, 2.0), pow(-2.0, -1.0)), (-8.0, 4.0, -0.5));
    assert!(pow(-2.0, 0.5).is_nan());
    assert!(pow(f64::NAN, 2.0).is_nan());
    assert!(pow(2.0, f64::NAN).is_nan());
}

/// erf in about 100 bits: `2/√π Σ (-1)^n x^(2n+1) / (n! (2n+1))`.
fn erf_by_series(x: f64) -> (f64, f64) {
    if x.is_nan() || x.abs() > 5.9 {
        return (if x.is_nan() { x } else { x.signum() }, 0.0);
    }
    if x.abs() < 1e-20 {
        // The scaling keeps denormals exact.
        return (x * 1e10 * std::f64::consts::FRAC_2_SQRT_PI / 1e10, 0.0);
    }
    let (mut power, mut sum) = (Double(x, 0.0), Double(x, 0.0));
    let square = Double(x, 0.0).times(Double(x, 0.0));
    for n in 1..400 {
        power = power.times(square).over(-f64::from(n));
        let term = power.over(f64::from(2 * n + 1));
        sum = sum.plus(term);
        if term.0.abs() < 1e-33 * sum.0.abs() && n > 4 {
            break;
        }
    }
    // 2/√π = 1.12837916709551257390 (DLMF 3.12), split in two.
    let result = sum.times(Double(std::f64::consts::FRAC_2_SQRT_PI, 1.533_545_961_316_588e-17));
    (result.0, result.1)
}

/// An unevaluated sum of two numbers.
#[derive(Clone, Copy)]
struct Double(f64, f64);

impl Double {
    fn of_sum(a: f64, b: f64) -> Double {
        let sum = a + b;
        let part = sum - a;
        Double(sum, (a - (sum - part)) + (b - part))
    }

    fn plus(self, other: Double) -> Double {
        let high = Double::of_sum(self.0, other.0);
        let low = Double::of_sum(self.1, other.1);
        let first = Double::of_sum(high.0, high.1 + low.0);
        Double::of_sum(first.0, first.1 + low.1)
    }

    fn times(self, other: Double) -> Double {
        let product = self.0 * other.0;
        let error = self.0.mul_add(other.0, -product);
        Double::of_sum(product, error + (self.0 * other.1 + self.1 * other.0))
    }

    fn over(self, divisor: f64) -> Double {
        let quotient = self.0 / divisor;
        let rest = (-quotient).mul_add(divisor, self.0) + self.1;
        Double::of_sum(quotient, rest / divisor)
    }
}
