//! E088x: data that a training draws from beside its own.

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
        code: "E0883",
        title: "a training of several data sets as C",
        explain: "\
The C code of a training takes the fields of one batch. A training that draws rows of further data sets is exported
without its training, or trains on one data set whose rows have all that a step needs.
    nnc export FILE.nn --c net.c                  # the model alone",
    },
];
