//! E0658 and E0659: the loss, in optimisers that see all parameters as one vector.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0658",
        title: "an optimizer that needs the loss of its gradients",
        explain: "\
An optimizer that sees all parameters as one vector may ask for the loss. Where gradients of several steps are added up
before parameters change, there is no loss that belongs to them: each step has its own. Take all rows at once.
    batch = 8
    accumulate = 4         # wrong with LBFGS
    batch = 32             # right: the same rows",
    },
    Code {
        code: "E0659",
        title: "an expression of an optimizer at other parameters",
        explain: "\
In an optimizer that sees all parameters as one vector, `parameters: [n]`, `loss` is the loss of its line, and `loss at x`
the loss at other parameters, a vector of n numbers as well. Nothing but `loss` depends on parameters there.
    grad at parameters + 0.1 * d               # wrong: this is a number that was worked out before
    x = parameters + 0.1 * d
    grad(loss at x, x)                         # right",
    },
];
