//! E00xx: the form of the text.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0001",
        title: "the text cannot be read",
        explain: "\
The text at the place shown fits nowhere in the grammar; the message says what may stand there.
    y = x +* 2       # wrong: `*` where a value is expected
    y = x * 2        # right",
    },
    Code {
        code: "E0002",
        title: "a bracket is not closed, or closes nothing",
        explain: "\
Every `(`, `[` and `{` needs its partner, and they must nest. Both places are shown: the bracket
and the place where its partner was expected at the latest.
    h = tanh(x @ w           # wrong
    h = tanh(x @ w)          # right",
    },
    Code {
        code: "E0003",
        title: "brackets or expressions are nested too deeply",
        explain: "\
Expressions and blocks may be nested 200 deep. Give a part of the expression a name.
    y = ((((… x …))))        # wrong
    inner = …                # right
    y = f(inner)",
    },
    Code {
        code: "E0004",
        title: "no item begins here",
        explain: "\
Outside of bodies a line begins an item: precision, import, const, activation, fn, layer, loss,
metric, init, schedule, optimizer, model, data, train, print, expect, plot, generate or sweep.
    modle Xor(x: [B, 2]) { … }     # wrong
    model Xor(x: [B, 2]) { … }     # right",
    },
    Code {
        code: "E0005",
        title: "a reserved word is used as a name",
        explain: "\
`if then else for and or not` are reserved everywhere; `true false none pi inf` are constants and
cannot be bound.
    or = x + y       # wrong
    either = x + y   # right",
    },
    Code {
        code: "E0006",
        title: "an expression that is neither bound nor last",
        explain: "\
The last expression of a body is its value; every other one must be bound to a name, or it would
be lost. Often the line was meant to go on: then end the line before with the operator.
    y = a
    - b              # wrong: this is not a - b
    y = a -
        b            # right",
    },
    Code {
        code: "E0007",
        title: "this cannot stand on the left of an assignment",
        explain: "\
On the left of `=` stands a name, names in parentheses, or a name with indices in brackets; on the
left of `+=` a name with indices, on the left of `<-` the name of a state.
    x + 1 = y        # wrong
    y = x + 1        # right",
    },
    Code {
        code: "E0008",
        title: "two statements on one line",
        explain: "\
A statement ends at the end of its line, and the next one begins on a new line.
    a = 1  b = 2     # wrong
    a = 1            # right
    b = 2",
    },
    Code {
        code: "E0009",
        title: "a string is not closed",
        explain: "\
A string ends on the line on which it begins. `\\n` is a line end inside a string, `\\\"` a quote.
    import \"layers.nn        # wrong
    import \"layers.nn\"       # right",
    },
    Code {
        code: "E0010",
        title: "comparisons do not chain",
        explain: "\
A comparison gives a bool, so `a < b < c` would compare a bool with a number.
    inside = 0 < x < 1           # wrong
    inside = 0 < x and x < 1     # right",
    },
    Code {
        code: "E0011",
        title: "a number that cannot be read",
        explain: "\
Numbers are `1`, `0.5`, `1e-3`, `1_000`; a point stands between digits, and a whole number is less
than 2^63.
    lr = .5          # wrong
    lr = 0.5         # right",
    },
    Code {
        code: "E0012",
        title: "an `if` without `else` is used as a value",
        explain: "\
An `if` whose value is used needs a value for the other case, and each branch ends in a value.
    y = if c { x }                   # wrong
    y = if c { x } else { 0 * x }    # right",
    },
    Code {
        code: "E0013",
        title: "something is not allowed at this place",
        explain: "\
Some parts of the language stand in some places only: `gradient` after an activation, `whole` after
the list of a metric, hyperparameters before the inputs of a layer, `a:b` in subscripts and calls.
    fn f(x) = x^2  gradient 2 * x              # wrong
    activation f(x) = x^2  gradient 2 * x      # right",
    },
    Code {
        code: "E0014",
        title: "a line of this declaration is missing or given twice",
        explain: "\
Some lines may stand once only in a declaration: `rows`, `seed` and `split` in `data`, each setting
in `train`.
    train { data = a                 # wrong
            data = b … }
    train { data = a … }             # right",
    },
    Code {
        code: "E0015",
        title: "a body without a value",
        explain: "\
The last expression of a body is its value. A body that ends in a binding has none.
    fn f(x) { y = x^2 }      # wrong
    fn f(x) { x^2 }          # right",
    },
    Code {
        code: "E0016",
        title: "`=` or `:` is missing",
        explain: "\
A name is bound with `=`; the type of a parameter, a field or a declared tensor stands after `:`.
    param weight [out, in] = uniform(-k, k)      # wrong
    param weight: [out, in] = uniform(-k, k)     # right",
    },
    Code {
        code: "E0017",
        title: "the brace of a block is at the wrong place",
        explain: "\
`{` stands on the line of what it belongs to, with a space before it. Without the space, as in
`fc{l}`, the braces are a part of a name that is known at compile time.
    model Net(x)
    {                        # wrong
    model Net(x) {           # right",
    },
    Code {
        code: "E0018",
        title: "written as in another language",
        explain: "\
Some habits of other languages mean nothing here: `and or not` are words, a power is `^`, bindings
have no keyword, statements no semicolon, and the last expression of a body is its value.
    let y = x ** 2;          # wrong
    y = x ^ 2                # right",
    },
];
