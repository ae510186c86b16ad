//! E083x and up: series, texts and images as rows, and how a training goes.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0830",
        title: "a series is too short for its windows",
        explain: "\
The rows of a window follow one another in the file, in one series (`windows series = …`) and in one part of a
`split`, so that no row of the test is seen in training. Nothing is left of a series, or of a part, that has fewer
rows than `shift` and length of the longest window together.
    past: [24] = window(column(\"sales\"), 24)
    future: [12] = window(column(\"sales\"), 12, shift = 24)     # 36 rows in all
    split train = 0.7, test = 0.3, in_order = true             # the test needs 36 rows, too
Choose shorter windows, or give the part a larger share.",
    },
    Code {
        code: "E0831",
        title: "rows of windows that are divided at random",
        explain: "\
Windows overlap: if each row of the file were put into a part by itself, hardly any window would lie in one part,
and what is tested on would have been seen in training. Rows are divided in order, so that the end is tested on, or
in whole series.
    split train = 0.8, test = 0.2                                  # wrong
    split train = 0.8, test = 0.2, in_order = true                 # right
    split train = 0.8, test = 0.2, group = column(\"station\")       # right, of many series",
    },
    Code {
        code: "E0832",
        title: "a window where rows are meant",
        explain: "\
A window has several rows. Statistics (`standardize`, `fill`) are taken of rows, and rows are left out and divided
one by one, before there are windows.
    x: [24] = standardize(window(column(\"price\"), 24))           # wrong
    x: [24] = window(standardize(column(\"price\")), 24)           # right
Where rows are put in order (`windows series = …, order = …`) none can be left out between others.",
    },
    Code {
        code: "E0833",
        title: "a wrong line `windows`",
        explain: "\
The line says which windows of a series are rows, where fields of the data are windows.
    past: [24] = window(column(\"sales\"), 24)
    windows stride = 12                                          # every twelfth, counted from the end
    windows series = column(\"shop\"), order = date(column(\"day\"))  # many series in one file, in any order",
    },
    Code {
        code: "E0834",
        title: "what epochs are judged by",
        explain: "\
`stop` ends a training after some epochs that are no better, `keep = best` takes the parameters of the best one.
Better is less of the loss, of the validation if there is one; or less, or more, of a metric of the `train`.
    measure accuracy(Net(x), y)
    stop = patience(5, by = \"accuracy\", greatest = true)
    keep = best                                    # by what `stop` goes by
    keep = best(by = \"accuracy\", greatest = true)  # without `stop`",
    },
    Code {
        code: "E0835",
        title: "`validate_every` without `validate`",
        explain: "\
`validate_every = 100` validates after every hundredth step, in place of the end of each epoch. What is validated on
is said by `validate`.
    validate = digits.test
    validate_every = 100",
    },
    Code {
        code: "E0836",
        title: "texts that are not declared",
        explain: "\
A text becomes the numbers of its words (`words`), its characters (`characters`) or frequent parts of words (`pairs`).
The type of its field says how many different numbers there are, and how many each text has: 0 stands behind its end,
1 for what the vocabulary does not have, and the others for what is most frequent in the training part.
    review: class(2_000)[32] = words(column(\"review\"))",
    },
];
