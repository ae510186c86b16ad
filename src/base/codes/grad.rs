//! E04xx: differentiation.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0401",
        title: "a function without derivative on the way",
        explain: "\
`floor`, `ceil`, `round` are constant almost everywhere; a derivative through them would be zero.
    l = mean(round(z))                   # wrong
    l = mean(stop_gradient(round(z)))    # right, if it is to be a constant
    activation q(v) = round(v)  gradient 1    # right, if it is to pass straight through",
    },
    Code {
        code: "E0402",
        title: "a variable that counts only through conditions",
        explain: "\
The result depends on it only by comparisons, whole numbers or the places of greatest values, so its
derivative is zero everywhere and nothing would be learned.
    activation step(v) = if v > 0 then 1 else 0                                  # wrong in training
    activation step(v) = if v > 0 then 1 else 0  gradient 1 / (1 + (pi * v)^2)    # right",
    },
    Code {
        code: "E0404",
        title: "a derivative by something that the value does not depend on",
        explain: "\
`grad(y, x)` counts what y computes from that very binding of x.
    y = Net(x)
    x = 2 * x
    d = grad(y, x)           # wrong: this x is another binding than the one y used",
    },
    Code {
        code: "E0405",
        title: "a derivative by, or of, something that has none",
        explain: "\
The second argument of `grad` is a name: an input, a binding or a parameter's path; both are floats.
    d = grad(y, 2 * x)       # wrong
    z = 2 * x                # right, if y is computed from z
    d = grad(y, z)",
    },
];
