//! Numbers with a derivative: the interpreter on them carries out forward differentiation, which knows nothing of
//! the symbolic reverse mode that it is compared with.

use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use nnc::base::philox::Draw;
use nnc::ir::interpret::Real;

use crate::support::rounding::{Double, Rounded};

type Number = Rounded<Double>;

/// A value, and its derivative in a direction of the inputs.
#[derive(Clone, Copy, Default, Debug)]
pub struct Dual {
    pub value: Number,
    pub slope: Number,
}

impl Dual {
    /// What is constant in a branch stays so even where the derivative of what it is put into is infinite.
    fn chain(self, value: Number, derivative: impl FnOnce() -> Number) -> Dual {
        let slope = if self.slope.is_exactly(0.0) { Number::default() } else { self.slope * derivative() };
        Dual { value, slope }
    }

    fn look_for_kink(&self, other: &Dual) {
        if self.value.value == other.value.value && self.slope.value != other.slope.value {
            KINK.set(true);
        }
    }

    fn constant(value: Number) -> Dual {
        Dual { value, slope: Number::default() }
    }
}

thread_local! {
    static KINK: Cell<bool> = const { Cell::new(false) };
}

/// Whether numbers that are equal, but move apart, were compared since it was asked last: there the formula of a
/// smooth function may have a kink, as `max(x, 0) + log1p(exp(-abs(x)))` has at 0.
pub fn compared_at_kink() -> bool {
    KINK.replace(false)
}

fn number(value: f64) -> Number {
    Number::from_f64(value)
}

impl Add for Dual {
    type Output = Dual;
    fn add(self, other: Dual) -> Dual {
        Dual { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl Sub for Dual {
    type Output = Dual;
    fn sub(self, other: Dual) -> Dual {
        self + -other
    }
}

impl Neg for Dual {
    type Output = Dual;
    fn neg(self) -> Dual {
        Dual { value: -self.value, slope: -self.slope }
    }
}

impl Mul for Dual {
    type Output = Dual;
    fn mul(self, other: Dual) -> Dual {
        let value = self.value * other.value;
        let left = self.chain(value, || other.value).slope;
        Dual { value, slope: left + other.chain(value, || self.value).slope }
    }
}

impl Div for Dual {
    type Output = Dual;
    fn div(self, other: Dual) -> Dual {
        let value = self.value / other.value;
        let left = self.chain(value, || number(1.0) / other.value).slope;
        Dual { value, slope: left - other.chain(value, || value / other.value).slope }
    }
}

impl PartialEq for Dual {
    fn eq(&self, other: &Dual) -> bool {
        self.look_for_kink(other);
        self.value == other.value
    }

    #[allow(clippy::partialeq_ne_impl)]
    fn ne(&self, other: &Dual) -> bool {
        self.look_for_kink(other);
        self.value != other.value
    }
}

impl PartialOrd for Dual {
    fn partial_cmp(&self, other: &Dual) -> Option<Ordering> {
        self.look_for_kink(other);
        self.value.partial_cmp(&other.value)
    }

    fn le(&self, other: &Dual) -> bool {
        self.look_for_kink(other);
        self.value <= other.value
    }
}

impl Real for Dual {
    fn from_f64(value: f64) -> Dual {
        Dual::constant(Number::from_f64(value))
    }
    fn to_f64(self) -> f64 {
        self.value.value
    }
    fn from_i64(value: i64) -> Dual {
        Dual::constant(Number::from_i64(value))
    }
    fn to_i64(self) -> i64 {
        self.value.to_i64()
    }
    fn exp(self) -> Dual {
        let value = self.value.exp();
        self.chain(value, || value)
    }
    fn log(self) -> Dual {
        self.chain(self.value.log(), || number(1.0) / self.value)
    }
    fn sin(self) -> Dual {
        self.chain(self.value.sin(), || self.value.cos())
    }
    fn cos(self) -> Dual {
        self.chain(self.value.cos(), || -self.value.sin())
    }
    fn tanh(self) -> Dual {
        let value = self.value.tanh();
        self.chain(value, || number(1.0) - value * value)
    }
    fn erf(self) -> Dual {
        let factor = number(std::f64::consts::FRAC_2_SQRT_PI);
        self.chain(self.value.erf(), || factor * (-(self.value * self.value)).exp())
    }
    fn normal_cdf(self) -> Dual {
        let factor = number(1.0 / (2.0 * std::f64::consts::PI).sqrt());
        let bell = || (number(-0.5) * self.value * self.value).exp();
        self.chain(self.value.normal_cdf(), || factor * bell())
    }
    fn sqrt(self) -> Dual {
        let value = self.value.sqrt();
        self.chain(value, || number(0.5) / value)
    }
    fn floor(self) -> Dual {
        Dual::constant(self.value.floor())
    }
    fn ceil(self) -> Dual {
        Dual::constant(self.value.ceil())
    }
    fn round(self) -> Dual {
        Dual::constant(self.value.round())
    }
    fn pow(self, exponent: Dual) -> Dual {
        let value = self.value.pow(exponent.value);
        let base = self.chain(value, || exponent.value * self.value.pow(exponent.value - number(1.0))).slope;
        Dual { value, slope: base + exponent.chain(value, || value * self.value.log()).slope }
    }
    fn uniform(draw: &Draw, element: u64) -> Dual {
        Dual::constant(Number::uniform(draw, element))
    }
    fn normal(draw: &Draw, element: u64) -> Dual {
        Dual::constant(Number::normal(draw, element))
    }
}
