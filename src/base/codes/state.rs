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
    Code {
        code: "E0511",
        title: "a carry that never changes",
        explain: "\
Binding a carry's name in the body of the scan gives its next value. A carry that is never bound would
stay what it is; bind it before the scan instead.
    scan t < T { carry h: [B] = 0   g = h + x[:, t] }      # wrong
    scan t < T { carry h: [B] = 0   h = h + x[:, t] }      # right (one statement a line)",
    },
    Code {
        code: "E0512",
        title: "a carry changes its type",
        explain: "\
A carry has the same shape and element type in every step. Without a type it has that of its starting
value, and `0` is an int.
    carry s = 0                    # wrong if floats are added to it
    carry s: float = 0             # right",
    },
    Code {
        code: "E0513",
        title: "a scan over no steps",
        explain: "\
What is collected is stacked over the steps; with no step there is nothing to stack.
    scan t < 0 { …  collect hs = h along 1 }       # wrong
    scan t < T { …  collect hs = h along 1 }       # right, with T at least 1",
    },
    Code {
        code: "E0514",
        title: "a carry inside another block",
        explain: "\
Carries stand directly in the body of their scan: they exist from the first step on, whatever an `if`
or `for` in it does.
    scan t < T { if deep { carry c: [B] = 0 } … }          # wrong
    scan t < T { carry c: [B] = 0   … }                    # right (one statement a line)",
    },
    Code {
        code: "E0515",
        title: "two carries or collected values of one name",
        explain: "\
After the scan each name means one tensor: the last value of a carry, or what was collected.
    collect hs = h along 1
    collect hs = c along 1         # wrong
    collect cs = c along 1         # right",
    },
    Code {
        code: "E0516",
        title: "a carry without a starting value",
        explain: "\
The first step needs a value. It is worked out before the scan; a number fills the declared shape.
    carry h: [B, n]                # wrong
    carry h: [B, n] = 0            # right",
    },
    Code {
        code: "E0517",
        title: "no such axis to collect along",
        explain: "\
`collect hs = h along k` stacks the values of all steps on a new axis k. For h with n axes, k lies
between 0 and n; negative numbers count from the end.
    collect hs = h along 3         # wrong for h: [B, n]
    collect hs = h along 1         # right: [B, T, n]",
    },
];
