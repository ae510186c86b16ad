//! E088x: data that a training draws from beside its own; loops around trainings, and what they show at work.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0880",
        title: "an option that a further `data` line does not have",
        explain: "\
A `train` has one `data = …`, whose epochs are counted, and may have further lines `data NAME = …`: each step draws a
batch of each. Such a line says how many rows that are, `batch`, and whether they are drawn in random order, `shuffle`;
all else is said once for the training.
    data u = unlabelled, epochs = 5       # wrong: the epochs are those of `data = …`
    data u = unlabelled, batch = 64       # right",
    },
    Code {
        code: "E0881",
        title: "further data is called like a field",
        explain: "\
In the losses of a training `u.x` is the field `x` of what the line `data u = …` draws, and `x` alone is the field of
the training's own data. A name that is both would mean two things.
    data     = points                     # has the fields x and y
    data y   = others                     # wrong: `y` is a field of `points`
    data u   = others                     # right",
    },
    Code {
        code: "E0884",
        title: "an item that does not stand in these braces",
        explain: "\
In the braces of a `for` outside of bodies stands what is carried out: `train`, `print`, `expect`, `plot`, `generate`
and `for`. In those of `every`, within a `train`, stands what is shown: `print`, `expect`, `plot` and `generate`. What
is declared is one for the whole file, and functions say how it depends on the variable of a loop.
    for k in 0..5 { const rate = 0.1 / (k + 1) … }      # wrong
    fn rate(k) = 0.1 / (k + 1)                          # right: outside, and `rate(k)` in the loop",
    },
    Code {
        code: "E0885",
        title: "the variable of a loop is called like a field",
        explain: "\
Within a `train` a field of its data is known by its name, and so is the variable of a `for` around it. A name that is
both would mean the field, silently.
    for fold in 0..5 { train { data = cases … } }       # wrong: `cases` has a field `fold`
    for k in 0..5 { train { data = cases … } }          # right: `fold != k`",
    },
    Code {
        code: "E0886",
        title: "an optimizer that is given parameters",
        explain: "\
An optimizer is called with its settings. What it trains is said by the `minimize` line: all models that the loss calls,
or those behind `over`, which may be layers and single parameters.
    minimize mse(Net(x), y) with AdamW([Net.head.weight], lr = 1e-3)     # wrong
    minimize mse(Net(x), y) over Net.head with AdamW(lr = 1e-3)          # right",
    },
];
