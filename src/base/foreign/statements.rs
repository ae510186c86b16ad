//! Words that begin a statement in other languages and do not here.

use super::{Foreign, row};

pub const STATEMENTS: &[Foreign] = &[
    row(
        "assert",
        "",
        "what must hold of sizes and settings is `require n > 0, \"…\"`; of values it is `expect`, outside of all bodies",
    ),
    row(
        "print println printf disp puts",
        "",
        "`print` stands outside of all bodies and shows what a model or a function gives: `print Net(d.x)`",
    ),
    row(
        "break continue",
        "",
        "all turns are carried out; `if c then a else b` chooses what a turn leaves as it was",
    ),
    row("pass", "", "leave it out: a block may be empty"),
    row(
        "try except catch finally raise throw",
        "",
        "nothing is thrown or caught; `require n > 0, \"…\"` refuses what must not be",
    ),
    row(
        "with",
        "",
        "leave it out: only `minimize` and `grad` take gradients, and `stop_gradient(x)` is x as a constant",
    ),
    row("global nonlocal del", "", "leave it out: a name in a body lives to the end of the body"),
    row("return yield async await", "", "the last expression of a body is its value"),
    row("switch match case", "", "one of several is chosen by `if a then x else if b then y else z`"),
    row("end endif endfor endfunction fi done", "", "a block ends with `}`"),
];
