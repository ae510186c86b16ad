//! E05xx: recurrences, states and random numbers.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0501",
        title: "`<-` on something that is not a state",
        explain: "\
`<-` updates a state. A name is bound with `=`.
    h <- tanh(x)             # wrong, if h is no state
    h = tanh(x)              # right",
    },
    Code {
        code: "E0502",
        title: "a state is updated in a `scan`",
        explain: "\
A scan has carries for what goes from step to step; a state is updated once for each call.
    scan t < T { s <- s + x[t] … }       # wrong
    scan t < T { carry c = 0 … }         # right, and `s <- …` after the scan",
    },
];
