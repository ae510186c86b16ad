//! The error function, `2/√π ∫₀ˣ exp(-t²) dt`.
//!
//! f32: two polynomials, after N. Juffa: `x + x p(x²)` below 0.927734375, `1 - exp(q(|x|))` above.
//! f64: the four rational approximations of FreeBSD's `s_erf.c`, of which one is chosen.

use super::exp::normal_exp;
use super::{Arith, at_most, exp, polynomial, split_sign, with_sign};
use crate::ir::program::Precision;

const NEAR_F32: &[f64] = &[
    1.283_791_66e-1,
    -3.761_253_36e-1,
    1.128_199_25e-1,
    -2.676_813_49e-2,
    4.991_194_23e-3,
    -5.967_617_03e-4,
];
const FAR_F32: &[f64] = &[
    -1.287_175_12e-1,
    -6.348_466_87e-1,
    -1.067_778_77e-1,
    2.425_462_19e-2,
    -3.883_964_38e-3,
    3.831_971_26e-4,
    -1.728_534_70e-5,
];

/// On 0 .. 0.84375, in x².
const PP: &[f64] = &[
    1.28379167095512558561e-01,
    -3.25042107247001499370e-01,
    -2.84817495755985104766e-02,
    -5.77027029648944159157e-03,
    -2.37630166566501626084e-05,
];
const QQ: &[f64] = &[
    1.0,
    3.97917223959155352819e-01,
    6.50222499887672944485e-02,
    5.08130628187576562776e-03,
    1.32494738004321644526e-04,
    -3.96022827877536812320e-06,
];
/// On 0.84375 .. 1.25, in |x| - 1, beyond `ERX`.
const ERX: f64 = 8.45062911510467529297e-01;
const PA: &[f64] = &[
    -2.36211856075265944077e-03,
    4.14856118683748331666e-01,
    -3.72207876035701323847e-01,
    3.18346619901161753674e-01,
    -1.10894694282396677476e-01,
    3.54783043256182359371e-02,
    -2.16637559486879084300e-03,
];
const QA: &[f64] = &[
    1.0,
    1.06420880400844228286e-01,
    5.40397917702171048937e-01,
    7.18286544141962662868e-02,
    1.26171219808761642112e-01,
    1.36370839120290507362e-02,
    1.19844998467991074170e-02,
];
/// On 1.25 .. 1/0.35, in 1/x².
const RA: &[f64] = &[
    -9.86494403484714822705e-03,
    -6.93858572707181764372e-01,
    -1.05586262253232909814e+01,
    -6.23753324503260060396e+01,
    -1.62396669462573470355e+02,
    -1.84605092906711035994e+02,
    -8.12874355063065934246e+01,
    -9.81432934416914548592e+00,
];
const SA: &[f64] = &[
    1.0,
    1.96512716674392571292e+01,
    1.37657754143519042600e+02,
    4.34565877475229228821e+02,
    6.45387271733267880336e+02,
    4.29008140027567833386e+02,
    1.08635005541779435134e+02,
    6.57024977031928170135e+00,
    -6.04244152148580987438e-02,
];
/// Beyond, in 1/x².
const RB: &[f64] = &[
    -9.86494292470009928597e-03,
    -7.99283237680523006574e-01,
    -1.77579549177547519889e+01,
    -1.60636384855821916062e+02,
    -6.37566443368389627722e+02,
    -1.02509513161107724954e+03,
    -4.83519191608651397019e+02,
];
const SB: &[f64] = &[
    1.0,
    3.03380607434824582924e+01,
    3.25792512996573918826e+02,
    1.53672958608443695994e+03,
    3.19985821950859553908e+03,
    2.55305040643316442583e+03,
    4.74528541206955367215e+02,
    -2.24409524465858183362e+01,
];

pub fn erf<A: Arith>(a: &mut A, x: A::V) -> A::V {
    let (magnitude, sign) = split_sign(a, x);
    let result = match a.precision() {
        Precision::F32 => erf_f32(a, magnitude),
        Precision::F64 => erf_f64(a, magnitude),
    };
    with_sign(a, result, sign)
}

fn erf_f32<A: Arith>(a: &mut A, x: A::V) -> A::V {
    // From here on the result is 1.
    let x = at_most(a, x, 4.0);
    let square = a.mul(x, x);
    let near = polynomial(a, square, NEAR_F32);
    let near = a.fma(near, x, x);
    let far = polynomial(a, x, FAR_F32);
    let minus_x = a.neg(x);
    let far = a.fma(far, x, minus_x);
    // At least exp(-18).
    let far = normal_exp(a, far);
    let one = a.float(1.0);
    let far = a.sub(one, far);
    let cut = a.float(0.927_734_375);
    let is_far = a.lt(cut, x);
    a.select(is_far, far, near)
}

fn erf_f64<A: Arith>(a: &mut A, x: A::V) -> A::V {
    // From here on the result is 1.
    let x = at_most(a, x, 6.0);
    let one = a.float(1.0);
    let square = a.mul(x, x);
    let near = quotient(a, square, PP, QQ);
    let near = a.fma(near, x, x);

    let beyond_one = a.sub(x, one);
    let middle = quotient(a, beyond_one, PA, QA);
    let erx = a.float(ERX);
    let middle = a.add(erx, middle);

    // 1 - exp(-x² - 0.5625 + R/S) / x
    let inverse = a.div(one, square);
    let far = quotient(a, inverse, RA, SA);
    let farthest = quotient(a, inverse, RB, SB);
    let cut = a.float(1.0 / 0.35);
    let is_far = a.lt(x, cut);
    let tail = a.select(is_far, far, farthest);
    let shift = a.float(0.5625);
    let exponent = a.add(square, shift);
    let exponent = a.sub(tail, exponent);
    let tail = exp(a, exponent);
    let tail = a.div(tail, x);
    let tail = a.sub(one, tail);

    let (first_cut, second_cut) = (a.float(0.84375), a.float(1.25));
    let is_middle = a.lt(x, second_cut);
    let result = a.select(is_middle, middle, tail);
    let is_near = a.lt(x, first_cut);
    a.select(is_near, near, result)
}

fn quotient<A: Arith>(a: &mut A, x: A::V, above: &[f64], below: &[f64]) -> A::V {
    let above = polynomial(a, x, above);
    let below = polynomial(a, x, below);
    a.div(above, below)
}
