//! Floats that carry a bound of their rounding error through a graph.
//!
//! The interpreter works on any [`Real`]. On a [`Rounded`] number it computes in 64 bits what a formula is, and
//! beside it how far a computation in [`Single`] or [`Double`] precision may be from that, in whatever order sums
//! are added up and whichever of two equal formulas is chosen: running error analysis. So a tolerance belongs to
//! one element and to the formula it comes from: that of a sum with cancellation is large, that of a product small.
//!
//! Where rounding may decide (a comparison of numbers that are closer than their errors), nothing is known of
//! what depends on it: [`decided_by_rounding`] says that this happened.

use std::cell::Cell;
use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

use nnc::base::philox::Draw;
use nnc::ir::interpret::Real;

/// A format of floats.
pub trait Format: Copy + std::fmt::Debug + 'static {
    /// Half the distance from 1 to the next float.
    const UNIT: f64;
    /// The greatest finite float.
    const MOST: f64;
    /// Twice the least positive float.
    const LEAST: f64;
    /// Whether a number is a float of this format.
    fn has(value: f64) -> bool;
    fn uniform(draw: &Draw, element: u64) -> f64;
    fn normal(draw: &Draw, element: u64) -> f64;
}

#[derive(Clone, Copy, Debug)]
pub struct Single;

#[derive(Clone, Copy, Debug)]
pub struct Double;

impl Format for Single {
    const UNIT: f64 = f32::EPSILON as f64 / 2.0;
    const MOST: f64 = f32::MAX as f64;
    const LEAST: f64 = 2.802_596_928_649_634e-45;
    fn has(value: f64) -> bool {
        f64::from(value as f32) == value
    }
    fn uniform(draw: &Draw, element: u64) -> f64 {
        f64::from(draw.uniform_f32(element))
    }
    fn normal(draw: &Draw, element: u64) -> f64 {
        f64::from(draw.normal_f32(element))
    }
}

impl Format for Double {
    const UNIT: f64 = f64::EPSILON / 2.0;
    const MOST: f64 = f64::MAX;
    const LEAST: f64 = 1e-323;
    fn has(_: f64) -> bool {
        true
    }
    fn uniform(draw: &Draw, element: u64) -> f64 {
        draw.uniform_f64(element)
    }
    fn normal(draw: &Draw, element: u64) -> f64 {
        draw.normal_f64(element)
    }
}

/// A number and a bound of the error with which it is computed; infinite if nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct Rounded<P> {
    pub value: f64,
    pub error: f64,
    format: PhantomData<P>,
}

thread_local! {
    static DECIDED_BY_ROUNDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a comparison since the last call could have come out differently with other rounding.
pub fn decided_by_rounding() -> bool {
    DECIDED_BY_ROUNDING.replace(false)
}

fn rounding_decides() {
    DECIDED_BY_ROUNDING.set(true);
}

/// How much of its value an elementary function may be off, in units.
const FUNCTION_UNITS: f64 = 6.0;

impl<P: Format> Rounded<P> {
    pub fn exact(value: f64) -> Rounded<P> {
        Rounded { value, error: 0.0, format: PhantomData }
    }

    /// A computed number: `error` is what its operands and the last rounding may have done.
    fn with(value: f64, error: f64) -> Rounded<P> {
        let sure = value.abs() + error <= P::MOST;
        Rounded { value, error: if sure { error } else { f64::INFINITY }, format: PhantomData }
    }

    fn unknown(value: f64) -> Rounded<P> {
        Rounded { value, error: f64::INFINITY, format: PhantomData }
    }

    /// Whether something is known about it.
    pub fn is_known(self) -> bool {
        self.error < f64::INFINITY
    }

    pub fn is_exactly(self, value: f64) -> bool {
        self.error == 0.0 && self.value == value
    }

    /// Whether a computed number agrees with it, where `slack` times the bound is allowed.
    pub fn admits(self, found: f64, slack: f64) -> bool {
        if !self.is_known() || self.value == found {
            return true;
        }
        if !self.value.is_finite() {
            return self.value.is_nan() && found.is_nan();
        }
        // Close to the largest float rounding may overflow.
        let reach = slack * self.error;
        (self.value - found).abs() <= reach || self.value.abs() + reach > P::MOST
    }

    /// The derivative of a function is at most `slope` within the error.
    fn function(self, value: f64, slope: f64) -> Rounded<P> {
        if !self.is_known() {
            return Rounded::unknown(value);
        }
        if !value.is_finite() {
            let sure = !self.value.is_finite() || self.error == 0.0;
            return if sure { Rounded::exact(value) } else { Rounded::unknown(value) };
        }
        let carried = if self.error == 0.0 { 0.0 } else { self.error * slope };
        Rounded::with(value, carried + FUNCTION_UNITS * P::UNIT * value.abs() + P::LEAST)
    }

    /// A function that jumps: known where it does not within the error.
    fn stepped(self, step: fn(f64) -> f64) -> Rounded<P> {
        if !self.is_known() || !self.value.is_finite() {
            return Rounded { value: step(self.value), ..self };
        }
        let (low, high) = (step(self.value - self.error), step(self.value + self.error));
        Rounded::with(step(self.value), high - low)
    }

    /// What a comparison may be about: marks it if rounding decides.
    fn compared(self, other: Rounded<P>) {
        let errors = self.error + other.error;
        if errors == f64::INFINITY || errors > 0.0 && (self.value - other.value).abs() <= errors {
            rounding_decides();
        }
    }

    fn is_same(self, other: Rounded<P>) -> bool {
        self.value == other.value && self.error == other.error && self.is_known()
    }
}

impl<P: Format> Add for Rounded<P> {
    type Output = Rounded<P>;
    fn add(self, other: Rounded<P>) -> Rounded<P> {
        let value = self.value + other.value;
        if !self.is_known() || !other.is_known() {
            return Rounded::unknown(value);
        }
        if !value.is_finite() {
            let sure = !self.value.is_finite() || !other.value.is_finite();
            return if sure { Rounded::exact(value) } else { Rounded::unknown(value) };
        }
        if self.is_exactly(0.0) || other.is_exactly(0.0) {
            return Rounded::with(value, self.error + other.error);
        }
        // In another order the operands meet other numbers before they meet each other.
        let size = self.value.abs() + other.value.abs();
        Rounded::with(value, self.error + other.error + P::UNIT * size)
    }
}

impl<P: Format> Sub for Rounded<P> {
    type Output = Rounded<P>;
    fn sub(self, other: Rounded<P>) -> Rounded<P> {
        self + -other
    }
}

impl<P: Format> Neg for Rounded<P> {
    type Output = Rounded<P>;
    fn neg(self) -> Rounded<P> {
        Rounded { value: -self.value, ..self }
    }
}

impl<P: Format> Mul for Rounded<P> {
    type Output = Rounded<P>;
    fn mul(self, other: Rounded<P>) -> Rounded<P> {
        let value = self.value * other.value;
        if !self.is_known() || !other.is_known() {
            return Rounded::unknown(value);
        }
        if !value.is_finite() {
            let far = |a: Rounded<P>| a.value.abs() > a.error || a.error == 0.0;
            let sure = far(self) && far(other) && !(self.value.is_finite() && other.value.is_finite());
            return if sure { Rounded::exact(value) } else { Rounded::unknown(value) };
        }
        let is_sign = |a: Rounded<P>| a.is_exactly(1.0) || a.is_exactly(-1.0) || a.is_exactly(0.0);
        if is_sign(self) || is_sign(other) {
            let error = self.value.abs() * other.error + other.value.abs() * self.error;
            return Rounded::with(value, error);
        }
        let carried = self.value.abs() * other.error + (other.value.abs() + other.error) * self.error;
        Rounded::with(value, carried + 2.0 * P::UNIT * value.abs() + P::LEAST)
    }
}

impl<P: Format> Div for Rounded<P> {
    type Output = Rounded<P>;
    fn div(self, other: Rounded<P>) -> Rounded<P> {
        let value = self.value / other.value;
        if !self.is_known() || !other.is_known() {
            return Rounded::unknown(value);
        }
        // The sign of a zero is that of a rounding: sums do not keep it.
        if other.value.abs() <= other.error {
            return if value.is_nan() && other.error == 0.0 {
                Rounded::exact(value)
            } else {
                Rounded::unknown(value)
            };
        }
        if !value.is_finite() || !other.value.is_finite() {
            let sure = !self.value.is_finite() || !other.value.is_finite();
            return if sure { Rounded::exact(value) } else { Rounded::unknown(value) };
        }
        if other.is_exactly(1.0) || other.is_exactly(-1.0) {
            return Rounded::with(value, self.error);
        }
        let carried = (self.error + value.abs() * other.error) / (other.value.abs() - other.error);
        Rounded::with(value, carried + 2.0 * P::UNIT * value.abs() + P::LEAST)
    }
}

impl<P: Format> PartialEq for Rounded<P> {
    fn eq(&self, other: &Rounded<P>) -> bool {
        self.compared(*other);
        self.value == other.value
    }

    /// The interpreter asks this of its own results, where nothing depends on rounding.
    #[allow(clippy::partialeq_ne_impl)]
    fn ne(&self, other: &Rounded<P>) -> bool {
        self.value != other.value
    }
}

impl<P: Format> PartialOrd for Rounded<P> {
    fn partial_cmp(&self, other: &Rounded<P>) -> Option<Ordering> {
        if !self.is_same(*other) {
            self.compared(*other);
        }
        self.value.partial_cmp(&other.value)
    }

    fn le(&self, other: &Rounded<P>) -> bool {
        self.compared(*other);
        self.value <= other.value
    }
}

impl<P> Default for Rounded<P> {
    fn default() -> Rounded<P> {
        Rounded { value: 0.0, error: 0.0, format: PhantomData }
    }
}

impl<P: Format> Real for Rounded<P> {
    fn from_f64(value: f64) -> Rounded<P> {
        if P::has(value) || !value.is_finite() {
            return Rounded::exact(value);
        }
        Rounded::with(value, P::UNIT * value.abs() + P::LEAST)
    }

    fn to_f64(self) -> f64 {
        self.value
    }

    fn from_i64(value: i64) -> Rounded<P> {
        Rounded::from_f64(value as f64)
    }

    fn to_i64(self) -> i64 {
        let ends = [self.value - self.error, self.value + self.error];
        if ends.iter().any(|end| *end as i64 != self.value as i64) || !self.is_known() {
            rounding_decides();
        }
        self.value as i64
    }

    fn exp(self) -> Rounded<P> {
        let value = self.value.exp();
        self.function(value, value * self.error.exp())
    }

    fn log(self) -> Rounded<P> {
        let low = self.value - self.error;
        if self.error > 0.0 && low <= 0.0 && self.value + self.error >= 0.0 {
            return Rounded::unknown(self.value.ln());
        }
        self.function(self.value.ln(), 1.0 / low)
    }

    fn sin(self) -> Rounded<P> {
        self.turned(self.value.sin())
    }

    fn cos(self) -> Rounded<P> {
        self.turned(self.value.cos())
    }

    fn tanh(self) -> Rounded<P> {
        let near = (self.value.abs() - self.error).max(0.0).tanh();
        self.function(self.value.tanh(), 1.0 - near * near)
    }

    fn erf(self) -> Rounded<P> {
        let near = (self.value.abs() - self.error).max(0.0);
        self.function(<f64 as Real>::erf(self.value), 1.13 * (-near * near).exp())
    }

    fn normal_cdf(self) -> Rounded<P> {
        let near = (self.value.abs() - self.error).max(0.0);
        self.function(<f64 as Real>::normal_cdf(self.value), 0.4 * (-0.5 * near * near).exp())
    }

    fn sqrt(self) -> Rounded<P> {
        let low = self.value - self.error;
        if self.error > 0.0 && low < 0.0 && self.value + self.error >= 0.0 {
            return Rounded::unknown(self.value.sqrt());
        }
        self.function(self.value.sqrt(), 1.0 / (low.sqrt() + self.value.sqrt()))
    }

    fn floor(self) -> Rounded<P> {
        self.stepped(f64::floor)
    }

    fn ceil(self) -> Rounded<P> {
        self.stepped(f64::ceil)
    }

    fn round(self) -> Rounded<P> {
        self.stepped(f64::round_ties_even)
    }

    fn pow(self, exponent: Rounded<P>) -> Rounded<P> {
        let value = <f64 as Real>::pow(self.value, exponent.value);
        if !self.is_known() || !exponent.is_known() {
            return Rounded::unknown(value);
        }
        let exact = self.error == 0.0 && exponent.error == 0.0;
        if exact && (!value.is_finite() || self.value == 0.0) {
            let overflows = self.value.is_finite() && self.value != 0.0 && !value.is_nan();
            return if overflows { Rounded::unknown(value) } else { Rounded::exact(value) };
        }
        let low = self.value - self.error;
        if !exact && low <= 0.0 || !value.is_finite() || !self.value.is_finite() {
            return Rounded::unknown(value);
        }
        let log = self.value.abs().ln().abs();
        let carried =
            if exact { 0.0 } else { exponent.value.abs() * self.error / low + log * exponent.error };
        let rounded = P::UNIT * (2.0 * exponent.value.abs() * log + 2.0 * FUNCTION_UNITS);
        Rounded::with(value, value.abs() * (carried + rounded).exp_m1() + P::LEAST)
    }

    fn uniform(draw: &Draw, element: u64) -> Rounded<P> {
        Rounded::exact(P::uniform(draw, element))
    }

    fn normal(draw: &Draw, element: u64) -> Rounded<P> {
        let value = P::normal(draw, element);
        Rounded::with(value, FUNCTION_UNITS * P::UNIT * (1.0 + value.abs()))
    }
}

impl<P: Format> Rounded<P> {
    /// Sine and cosine.
    fn turned(self, value: f64) -> Rounded<P> {
        if self.value.abs() > LARGE_ANGLE {
            return Rounded::unknown(value);
        }
        let turned = self.function(value, 1.0);
        // Zeros of the functions are at numbers that are no floats.
        Rounded::with(turned.value, turned.error + P::UNIT * self.value.abs().min(1.0))
    }
}

/// Beyond it the functions of 32 bits reduce angles with fewer digits than are needed.
const LARGE_ANGLE: f64 = 1e4;
